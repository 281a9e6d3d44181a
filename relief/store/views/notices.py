"""评议, 公示 and 异议 as the village, the township and anybody see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one

# Who stands on no list yet, by village and aid. `review`: for so many the villagers have to meet first; `opposed`: so many never come on one.
_UNLISTED = """
SELECT county, activation, aid, village, village_name, township_name, incident_name, drill, timing, count(*) AS households, sum(amount_fen)::bigint AS fen,
       count(*) FILTER (WHERE supported IS NULL AND (review = 'required' OR (review = 'skip_if_undisputed' AND disputed))) AS review,
       count(*) FILTER (WHERE NOT supported) AS opposed, min(since) AS since
FROM (
    SELECT a.county, a.activation, a.aid, a.village, v.name AS village_name, w.name AS township_name, n.name AS incident_name, n.drill, s.notice AS timing,
           s.review, a.amount_fen, coalesce(a.approved_at, a.proposed_at) AS since,
           (SELECT i.supported FROM review_item i JOIN review r ON r.county = i.county AND r.id = i.review
            WHERE i.county = a.county AND i.award = a.id ORDER BY r.recorded_at DESC LIMIT 1) AS supported,
           EXISTS (SELECT FROM objection o WHERE o.county = a.county AND o.award = a.id) AS disputed
    FROM award a JOIN decision d ON d.county = a.county AND d.id = a.decision JOIN step_rule s ON s.playbook = d.playbook AND s.aid = a.aid
    JOIN incident n ON n.id = a.incident JOIN region v ON v.code = a.village LEFT JOIN region w ON w.code = left(a.village, 9)
    WHERE a.village LIKE ANY ($1::text[]) AND n.status <> 'closed'
      AND ((s.notice = 'before_payment' AND a.status = 'proposed') OR (s.notice = 'after_payment' AND a.status IN ('approved', 'completed')))
      AND NOT EXISTS (SELECT FROM notice_item i JOIN notice x ON x.county = i.county AND x.id = i.notice
                      WHERE i.county = a.county AND i.award = a.id AND x.status <> 'withdrawn')
) q GROUP BY county, activation, aid, village, village_name, township_name, incident_name, drill, timing ORDER BY timing DESC, min(since), village LIMIT $2
"""
_NOTICES = """
SELECT n.county, n.id, n.incident, x.name AS incident_name, x.drill, n.activation, n.aid, n.village, v.name AS village_name, w.name AS township_name, c.name AS county_name,
       n.timing, n.days, n.status, n.households, n.total_fen, n.digest, n.drafted_at, n.posted_at, p.name AS posted_by, n.posted_by = $4 AS mine, n.photo, n.ends_on,
       n.reported_at, r.name AS reported_by, n.end_photo, n.sealed,
       (SELECT count(*) FROM objection o WHERE o.county = n.county AND o.notice = n.id AND o.status = 'open') AS objections
FROM notice n JOIN incident x ON x.id = n.incident JOIN region v ON v.code = n.village LEFT JOIN region w ON w.code = left(n.village, 9)
JOIN region c ON c.code = n.county LEFT JOIN staff p ON p.id = n.posted_by LEFT JOIN staff r ON r.id = n.reported_by
WHERE n.village LIKE ANY ($1::text[]) AND n.status = ANY ($2::text[]) AND ($3::uuid IS NULL OR n.id = $3)
ORDER BY n.ends_on, n.drafted_at, n.id LIMIT $5
"""
# What may be shown to anybody: lists that hang today.
_HANGING = """
SELECT n.county, n.id, x.drill, n.aid, v.name AS village_name, n.households, n.posted_at, n.ends_on
FROM notice n JOIN incident x ON x.id = n.incident JOIN region v ON v.code = n.village
WHERE n.village LIKE $1 AND n.status IN ('posted', 'reported') AND n.ends_on >= $2 AND ($3::uuid IS NULL OR n.id = $3)
ORDER BY n.village, n.aid LIMIT 200
"""
_ROWS = """
SELECT i.line, i.award, i.household, i.amount_fen, h.members, e.id AS person, e.sealed AS sealed_person
FROM notice_item i JOIN household h ON h.county = i.county AND h.id = i.household
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
WHERE i.county = $1 AND i.notice = $2 ORDER BY i.line
"""
_OBJECTIONS = """
SELECT o.county, o.id, o.notice, i.line, o.way, o.status, o.due_on, o.opened_at, o.closed_at, s.name AS closed_by, o.sealed, o.sealed_answer,
       coalesce(h.registered_by = $3, false) AS own
FROM objection o LEFT JOIN notice_item i ON i.county = o.county AND i.notice = o.notice AND i.award = o.award
LEFT JOIN award a ON a.county = o.county AND a.id = o.award LEFT JOIN household h ON h.county = a.county AND h.id = a.household
LEFT JOIN staff s ON s.id = o.closed_by
WHERE o.county = $1 AND o.notice = $2 ORDER BY o.status = 'open' DESC, o.due_on, o.id
"""
_CANDIDATES = """
SELECT a.id AS award, a.household, a.amount_fen, h.members, e.id AS person, e.sealed AS sealed_person, d.reasons
FROM award a JOIN household h ON h.county = a.county AND h.id = a.household
JOIN decision d ON d.county = a.county AND d.id = a.decision
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
WHERE a.county = $1 AND a.activation = $2 AND a.aid = $3 AND a.village = $4 AND a.village LIKE ANY ($5::text[]) AND a.status = 'proposed'
  AND NOT EXISTS (SELECT FROM review_item i WHERE i.county = a.county AND i.award = a.id)
ORDER BY a.id LIMIT 500
"""
_WAITING = """
SELECT (SELECT count(*) FROM notice n WHERE n.village LIKE ANY ($1::text[]) AND n.status = 'posted' AND n.ends_on < $3) AS to_report,
       (SELECT min(n.ends_on) FROM notice n WHERE n.village LIKE ANY ($1::text[]) AND n.status = 'posted' AND n.ends_on < $3) AS to_report_since,
       (SELECT count(*) FROM notice n WHERE n.village LIKE ANY ($2::text[]) AND n.status = 'drafted') AS to_post,
       (SELECT count(*) FROM objection o WHERE o.village LIKE ANY ($4::text[]) AND o.status = 'open') AS objections,
       (SELECT min(o.due_on) FROM objection o WHERE o.village LIKE ANY ($4::text[]) AND o.status = 'open') AS objections_due
"""
_OF_HOUSEHOLD = """
SELECT n.county, n.id, n.aid, n.status, i.line, i.amount_fen, n.posted_at, n.ends_on, n.reported_at, n.sealed
FROM notice_item i JOIN notice n ON n.county = i.county AND n.id = i.notice WHERE i.county = $1 AND i.household = $2 ORDER BY n.drafted_at
"""
_REVIEWS_OF = """
SELECT r.id, r.aid, r.held_on, r.participants, r.sealed, i.supported FROM award a
JOIN review_item i ON i.county = a.county AND i.award = a.id JOIN review r ON r.county = i.county AND r.id = i.review
WHERE a.county = $1 AND a.household = $2 ORDER BY r.held_on, r.id
"""
_OBJECTIONS_OF = """
SELECT o.id, o.status, o.way, o.due_on, o.opened_at, o.closed_at, o.sealed, o.sealed_answer FROM award a
JOIN objection o ON o.county = a.county AND o.award = a.id WHERE a.county = $1 AND a.household = $2 ORDER BY o.opened_at
"""


class Unlisted(msgspec.Struct, frozen=True):
    """Awards of one village and aid that stand on no list; money in fen."""

    county: str
    activation: UUID
    aid: str
    village: str
    village_name: str
    township_name: str | None
    incident_name: str
    drill: bool
    timing: str
    households: int
    fen: int
    review: int
    opposed: int
    since: datetime


class Notice(msgspec.Struct, frozen=True):
    """One list; the township's opinion still sealed. `mine`: the reader posted it."""

    county: str
    id: UUID
    incident: UUID
    incident_name: str
    drill: bool
    activation: UUID
    aid: str
    village: str
    village_name: str
    township_name: str | None
    county_name: str
    timing: str
    days: int
    status: str
    households: int
    total_fen: int
    digest: bytes
    drafted_at: datetime
    posted_at: datetime | None
    posted_by: str | None
    mine: bool | None
    photo: UUID | None
    ends_on: date | None
    reported_at: datetime | None
    reported_by: str | None
    end_photo: UUID | None
    sealed: bytes | None
    objections: int


class Hanging(msgspec.Struct, frozen=True):
    """A list that hangs today."""

    county: str
    id: UUID
    drill: bool
    aid: str
    village_name: str
    households: int
    posted_at: datetime
    ends_on: date


class Row(msgspec.Struct, frozen=True):
    """One line of a list; the name still sealed."""

    line: int
    award: UUID
    household: UUID
    amount_fen: int
    members: int
    person: UUID
    sealed_person: bytes


class Objection(msgspec.Struct, frozen=True):
    """An objection to one line (none: somebody is missing); words and answer sealed."""

    county: str
    id: UUID
    notice: UUID
    line: int | None
    way: str
    status: str
    due_on: date
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    sealed: bytes
    sealed_answer: bytes | None
    own: bool


class Candidate(msgspec.Struct, frozen=True):
    """An award the villagers have not met about."""

    award: UUID
    household: UUID
    amount_fen: int
    members: int
    person: UUID
    sealed_person: bytes
    reasons: list[str]


class Waiting(msgspec.Struct, frozen=True):
    """What waits for one person: lists whose days are over, drafted lists, open objections with the first day due."""

    to_report: int
    to_report_since: date | None
    to_post: int
    objections: int
    objections_due: date | None


class Listed(msgspec.Struct, frozen=True):
    """A household's line on a list."""

    county: str
    id: UUID
    aid: str
    status: str
    line: int
    amount_fen: int
    posted_at: datetime | None
    ends_on: date | None
    reported_at: datetime | None
    sealed: bytes | None


class Reviewed(msgspec.Struct, frozen=True):
    """A meeting that spoke of a household; the minutes sealed."""

    id: UUID
    aid: str
    held_on: date
    participants: int
    sealed: bytes
    supported: bool


class Objected(msgspec.Struct, frozen=True):
    """An objection to a household's line, sealed."""

    id: UUID
    status: str
    way: str
    due_on: date
    opened_at: datetime
    closed_at: datetime | None
    sealed: bytes
    sealed_answer: bytes | None


async def unlisted(tx: Tx, villages: Sequence[str], most: int = 200) -> list[Unlisted]:
    """The first villages with awards that stand on no list: those that wait for their money before those already paid."""
    return await many(tx, _UNLISTED, Unlisted, list(villages), most)


async def notices(tx: Tx, villages: Sequence[str], statuses: Sequence[str], person: UUID, most: int = 200) -> list[Notice]:
    """Lists in these states, the first to end first."""
    return await many(tx, _NOTICES, Notice, list(villages), list(statuses), None, person, most)


async def notice(tx: Tx, villages: Sequence[str], id_: UUID, person: UUID) -> Notice:
    """One list."""
    return await one(tx, _NOTICES, Notice, list(villages), ["drafted", "posted", "reported", "withdrawn"], id_, person, 1)


async def hanging(tx: Tx, area: str, today: date) -> list[Hanging]:
    """Lists anybody may read today in an area."""
    return await many(tx, _HANGING, Hanging, area + "%", today, None)


async def hangs(tx: Tx, county: str, id_: UUID, today: date) -> Hanging | None:
    """One of them."""
    return await maybe(tx, _HANGING, Hanging, county + "%", today, id_)


async def rows(tx: Tx, county: str, id_: UUID) -> list[Row]:
    """The lines of a list."""
    return await many(tx, _ROWS, Row, county, id_)


async def objections(tx: Tx, county: str, notice: UUID, person: UUID) -> list[Objection]:
    """What was said against a list."""
    return await many(tx, _OBJECTIONS, Objection, county, notice, person)


async def candidates(tx: Tx, county: str, activation: UUID, aid: str, village: str, villages: Sequence[str]) -> list[Candidate]:
    """Whom the village has still to meet about."""
    return await many(tx, _CANDIDATES, Candidate, county, activation, aid, village, list(villages))


async def waiting(tx: Tx, report: Sequence[str], post: Sequence[str], answer: Sequence[str], today: date) -> Waiting:
    """What waits, each kind within the areas in which this person may do exactly that."""
    return await one(tx, _WAITING, Waiting, list(report), list(post), today, list(answer))


async def of_household(tx: Tx, county: str, household: UUID) -> list[Listed]:
    """Every list a household stood on."""
    return await many(tx, _OF_HOUSEHOLD, Listed, county, household)


async def reviews_of(tx: Tx, county: str, household: UUID) -> list[Reviewed]:
    """Every meeting about it."""
    return await many(tx, _REVIEWS_OF, Reviewed, county, household)


async def objections_of(tx: Tx, county: str, household: UUID) -> list[Objected]:
    """Every objection to it."""
    return await many(tx, _OBJECTIONS_OF, Objected, county, household)
