"""公示: lists of a village, drafted, posted, reported; and the gate that asks whether an award hung long enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.moves import NOTICE, sources
from relief.store.db import Tx, many, one, run

# The gate of approvals. `unnoticed`: a list must hang first and did not hang out, undisturbed and reported, for exactly this amount;
# `paused`: advances of the village are stopped while papers are overdue there.
_GATE = """
SELECT (SELECT count(*) FROM award a JOIN decision d ON d.county = a.county AND d.id = a.decision
        JOIN step_rule s ON s.playbook = d.playbook AND s.aid = a.aid AND s.notice = 'before_payment'
        WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND NOT EXISTS (
            SELECT FROM notice_item i JOIN notice n ON n.county = i.county AND n.id = i.notice
            WHERE i.county = $1 AND i.award = a.id AND i.amount_fen = a.amount_fen AND n.status = 'reported' AND n.ends_on < $3)) AS unnoticed,
       (SELECT count(*) FROM award a WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND a.mode = 'A' AND EXISTS (
            SELECT FROM hold h WHERE h.county = $1 AND h.kind = 'advances' AND h.subject = a.village AND h.valid_from <= $4
            AND (h.valid_to IS NULL OR h.valid_to > $4))) AS paused
"""
# Who may stand on the next list of a village: proposals before a payment, approved awards after it; nobody on two lists.
_CANDIDATES = """
SELECT a.id, a.household, a.incident, a.village, a.amount_fen, s.review, s.notice, s.notice_days,
       (SELECT i.supported FROM review_item i JOIN review r ON r.county = i.county AND r.id = i.review
        WHERE i.county = a.county AND i.award = a.id ORDER BY r.recorded_at DESC LIMIT 1) AS supported,
       EXISTS (SELECT FROM objection o WHERE o.county = a.county AND o.award = a.id) AS disputed
FROM award a JOIN decision d ON d.county = a.county AND d.id = a.decision JOIN step_rule s ON s.playbook = d.playbook AND s.aid = a.aid
WHERE a.county = $1 AND a.activation = $2 AND a.aid = $3 AND a.village LIKE $4
  AND ((s.notice = 'before_payment' AND a.status = 'proposed') OR (s.notice = 'after_payment' AND a.status IN ('approved', 'completed')))
  AND NOT EXISTS (SELECT FROM notice_item i JOIN notice n ON n.county = i.county AND n.id = i.notice
                  WHERE i.county = a.county AND i.award = a.id AND n.status <> 'withdrawn')
ORDER BY a.village, a.id
"""
_DRAFT = """
WITH n AS (
    INSERT INTO notice (county, id, incident, activation, aid, village, timing, days, status, households, total_fen, digest, drafted_by, drafted_at)
    SELECT $1, t.id, $2, $3, $4, t.village, $5, $6, 'drafted', t.households, t.fen, t.digest, $7, $8
    FROM unnest($9::uuid[], $10::text[], $11::int[], $12::bigint[], $13::bytea[]) AS t (id, village, households, fen, digest)
)
INSERT INTO notice_item (county, notice, award, household, amount_fen, line)
SELECT $1, t.notice, t.award, t.household, t.fen, t.line
FROM unnest($14::uuid[], $15::uuid[], $16::uuid[], $17::bigint[], $18::int[]) AS t (notice, award, household, fen, line)
"""
_LOCK = """
SELECT id, status, village, days, ends_on, posted_by FROM notice WHERE county = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE
"""
_POST = """
UPDATE notice n SET status = 'posted', posted_by = $2, posted_at = $3, photo = t.photo, ends_on = t.ends_on
FROM unnest($4::uuid[], $5::uuid[], $6::date[]) AS t (id, photo, ends_on)
WHERE n.county = $1 AND n.id = t.id AND n.status = ANY ($7::text[])
"""
_REPORT = """
UPDATE notice n SET status = 'reported', reported_by = $2, reported_at = $3, end_photo = t.photo, sealed = t.sealed
FROM unnest($4::uuid[], $5::uuid[], $6::bytea[]) AS t (id, photo, sealed)
WHERE n.county = $1 AND n.id = t.id AND n.status = ANY ($7::text[]) AND n.ends_on < $8
"""
_WITHDRAW = "UPDATE notice SET status = 'withdrawn' WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($3::text[])"


class Gate(msgspec.Struct, frozen=True):
    """How many awards wait for their notice, and how many for the papers of their village."""

    unnoticed: int
    paused: int


class Candidate(msgspec.Struct, frozen=True):
    """An award that might be listed: what its rule asks, how the meeting went (none: not before one), whether anybody objected."""

    id: UUID
    household: UUID
    incident: UUID
    village: str
    amount_fen: int
    review: str
    notice: str
    notice_days: int
    supported: bool | None
    disputed: bool


class Draft(msgspec.Struct, frozen=True):
    """One list: its rows are (award, household, fen) in the order of their lines."""

    id: UUID
    village: str
    digest: bytes
    rows: Sequence[tuple[UUID, UUID, int]]


class Terms(msgspec.Struct, frozen=True):
    """What the lists of one call share; `days` are working days."""

    incident: UUID
    activation: UUID
    aid: str
    timing: str
    days: int


class Standing(msgspec.Struct, frozen=True):
    """How a list stands."""

    id: UUID
    status: str
    village: str
    days: int
    ends_on: date | None
    posted_by: UUID | None


async def gate(tx: Tx, county: str, awards: Sequence[UUID], today: date, now: datetime) -> Gate:
    """What keeps these awards from being approved, as far as notices and papers go."""
    return await one(tx, _GATE, Gate, county, list(awards), today, now)


async def candidates(tx: Tx, county: str, activation: UUID, aid: str, area: str) -> list[Candidate]:
    """Awards of an area (a prefix of village codes) that stand on no list yet, by village."""
    return await many(tx, _CANDIDATES, Candidate, county, activation, aid, area + "%")


async def draft(tx: Tx, county: str, terms: Terms, lists: Sequence[Draft], person: UUID, now: datetime) -> int:
    """Keep these lists with their rows; how many rows."""
    rows = [(d.id, *row, line) for d in lists for line, row in enumerate(d.rows, 1)]
    return await run(
        tx, _DRAFT, county, terms.incident, terms.activation, terms.aid, terms.timing, terms.days, person, now, [d.id for d in lists],
        [d.village for d in lists], [len(d.rows) for d in lists], [sum(r[2] for r in d.rows) for d in lists], [d.digest for d in lists],
        [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows], [r[4] for r in rows],
    )  # fmt: skip


async def lock(tx: Tx, county: str, ids: Sequence[UUID]) -> list[Standing]:
    """How these lists stand, locked until the end of the transaction."""
    return await many(tx, _LOCK, Standing, county, list(ids))


async def post(tx: Tx, county: str, posted: Sequence[tuple[UUID, UUID, date]], person: UUID, now: datetime) -> int:
    """drafted → posted with (notice, photo, last day); how many."""
    ids, photos, days = [p[0] for p in posted], [p[1] for p in posted], [p[2] for p in posted]
    return await run(tx, _POST, county, person, now, ids, photos, days, sources(NOTICE, "posted"))


async def report(tx: Tx, county: str, reported: Sequence[tuple[UUID, UUID, bytes]], person: UUID, now: datetime, today: date) -> int:
    """posted → reported with (notice, photo at the end, sealed opinion), where the last day is over; how many."""
    ids, photos, opinions = [r[0] for r in reported], [r[1] for r in reported], [r[2] for r in reported]
    return await run(tx, _REPORT, county, person, now, ids, photos, opinions, sources(NOTICE, "reported"), today)


async def withdraw(tx: Tx, county: str, ids: Sequence[UUID]) -> int:
    """Take lists back that were drafted or posted; how many."""
    return await run(tx, _WITHDRAW, county, list(ids), sources(NOTICE, "withdrawn"))
