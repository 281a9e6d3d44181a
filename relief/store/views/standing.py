"""What pages show of money to come and money that stands still: stages by day, funds at a past moment, their entries, holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

# Stages that will be paid, by what decides when: the day their award was approved and the playbook that says how long after.
_COMING = """
SELECT a.county, a.fund, a.aid, i.seq, i.condition, i.status, d.playbook, (a.approved_at AT TIME ZONE 'Asia/Shanghai')::date AS approved_on,
       (a.tops_up IS NOT NULL) AS tops_up, count(*)::int AS stages, sum(i.amount_fen)::bigint AS amount_fen
FROM instalment i
JOIN award a ON a.county = i.county AND a.id = i.award AND a.status = 'approved'
JOIN decision d ON d.county = a.county AND d.id = a.decision
WHERE i.open IS NOT NULL AND a.county LIKE ANY ($1::text[])
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 8, 3, 4
"""
_FUNDS_AT = """
SELECT f.county, r.name AS county_name, f.id, f.document, f.purpose, f.source, f.incident, n.name AS incident_name, f.drill, f.donor_purpose, f.valid_to,
       coalesce(t.allocated, 0)::bigint AS allocated_fen, coalesce(t.available, 0)::bigint AS available_fen, coalesce(t.reserved, 0)::bigint AS reserved_fen,
       coalesce(t.flying, 0)::bigint AS in_flight_fen, coalesce(t.paid, 0)::bigint AS paid_fen
FROM fund f JOIN region r ON r.code = f.county JOIN incident n ON n.id = f.incident
LEFT JOIN (
    SELECT county, fund, sum(amount_fen * ((source = 'allocated')::int - (target = 'allocated')::int)) AS allocated,
           sum(amount_fen * ((target = 'available')::int - (source = 'available')::int)) AS available,
           sum(amount_fen * ((target = 'reserved')::int - (source = 'reserved')::int)) AS reserved,
           sum(amount_fen * ((target = 'in flight')::int - (source = 'in flight')::int)) AS flying,
           sum(amount_fen * ((target = 'paid')::int - (source = 'paid')::int)) AS paid
    FROM transfer WHERE at <= $2 GROUP BY county, fund) t ON t.county = f.county AND t.fund = f.id
WHERE f.county LIKE ANY ($1::text[]) ORDER BY f.county, f.document, f.id LIMIT $3
"""
_ENTRIES = """
SELECT t.id, t.source, t.target, t.amount_fen, t.at, s.name AS person, u.detail->>'document' AS document, u.detail->>'reason' AS reason, t.corrects,
       EXISTS (SELECT FROM transfer c WHERE c.county = t.county AND c.corrects = t.id) AS corrected
FROM transfer t LEFT JOIN audit u ON u.county = t.county AND u.id = t.act LEFT JOIN staff s ON s.id = u.actor
WHERE t.county = $1 AND t.fund = $2 AND t.subject = 'fund' ORDER BY t.at, t.id LIMIT $3
"""
# What waits for its approval beside what is available for it: the money that will be short, before anybody is refused.
_SHORT = """
SELECT w.county, r.name AS county_name, w.incident, n.name AS incident_name, w.aid, w.awards, w.fen AS proposed_fen,
       coalesce((SELECT sum(f.available_fen) FROM fund f WHERE f.county = w.county AND f.incident = w.incident AND f.purpose = w.aid
                 AND (f.valid_to IS NULL OR f.valid_to >= $2)), 0)::bigint AS available_fen
FROM (SELECT a.county, a.incident, a.aid, count(*)::int AS awards, sum(a.amount_fen)::bigint AS fen FROM proposal q
      JOIN award a ON a.county = q.county AND a.id = q.award AND a.status = 'proposed' WHERE q.county LIKE ANY ($1::text[]) GROUP BY 1, 2, 3) w
JOIN region r ON r.code = w.county JOIN incident n ON n.id = w.incident ORDER BY w.county, w.aid
"""
_SPENT = """
SELECT t.county, r.name AS county_name, sum(CASE WHEN t.target = 'paid' THEN t.amount_fen ELSE -t.amount_fen END)::bigint AS fen
FROM transfer t JOIN region r ON r.code = t.county
WHERE t.county LIKE ANY ($1::text[]) AND 'paid' IN (t.source, t.target) AND t.at >= $2 AND t.at < $3 GROUP BY 1, 2 ORDER BY 1
"""
# A card that was replaced keeps the hold the system put on it for ever; nobody has anything to do about it.
_HOLDS = """
SELECT h.county, r.name AS county_name, h.id, h.kind, h.subject, h.reason, h.by_hand, h.valid_from, h.valid_to, s.name AS person,
       CASE h.kind WHEN 'village' THEN (SELECT name FROM region WHERE code = h.subject)
                   WHEN 'advances' THEN (SELECT name FROM region WHERE code = h.subject)
                   WHEN 'fund' THEN (SELECT document FROM fund WHERE county = h.county AND id::text = h.subject)
                   WHEN 'batch' THEN (SELECT number FROM batch WHERE county = h.county AND id::text = h.subject)
                   WHEN 'account' THEN (SELECT k.slip FROM account c JOIN person e ON e.county = c.county AND e.id = c.person
                                        JOIN household k ON k.county = e.county AND k.id = e.household WHERE c.county = h.county AND c.id::text = h.subject)
                   WHEN 'household' THEN (SELECT slip FROM household WHERE county = h.county AND id::text = h.subject)
                   WHEN 'award' THEN (SELECT k.slip FROM award a JOIN household k ON k.county = a.county AND k.id = a.household
                                      WHERE a.county = h.county AND a.id::text = h.subject) END AS name
FROM hold h JOIN region r ON r.code = h.county LEFT JOIN staff s ON s.id = h.placed_by
WHERE h.county LIKE ANY ($1::text[]) AND (h.valid_to IS NULL OR h.valid_to > $2)
  AND (h.by_hand OR h.kind <> 'account' OR EXISTS (SELECT FROM account c WHERE c.county = h.county AND c.id::text = h.subject AND c.status = 'current'))
ORDER BY h.by_hand DESC, h.valid_from DESC, h.id LIMIT $3
"""


class Stage(msgspec.Struct, frozen=True):
    """Stages alike in everything that decides their day; the amount is in fen."""

    county: str
    fund: UUID
    aid: str
    seq: int
    condition: str
    status: str
    playbook: UUID
    approved_on: date
    tops_up: bool
    stages: int
    amount_fen: int


class FundAt(msgspec.Struct, frozen=True):
    """A fund as its transfers tell it at a moment, in fen."""

    county: str
    county_name: str
    id: UUID
    document: str
    purpose: str
    source: str
    incident: UUID
    incident_name: str
    drill: bool
    donor_purpose: str
    valid_to: date | None
    allocated_fen: int
    available_fen: int
    reserved_fen: int
    in_flight_fen: int
    paid_fen: int


class Entry(msgspec.Struct, frozen=True):
    """One entry of a fund: what came, was cut, or was corrected (then `corrects` names it)."""

    id: UUID
    source: str
    target: str
    amount_fen: int
    at: datetime
    person: str | None
    document: str | None
    reason: str | None
    corrects: UUID | None
    corrected: bool


class Short(msgspec.Struct, frozen=True):
    """What waits for approval and what there is for it, in fen."""

    county: str
    county_name: str
    incident: UUID
    incident_name: str
    aid: str
    awards: int
    proposed_fen: int
    available_fen: int


class Spent(msgspec.Struct, frozen=True):
    """What a county paid out in a time, in fen."""

    county: str
    county_name: str
    fen: int


class Hold(msgspec.Struct, frozen=True):
    """Something that stands still, by whom and why; only what was placed by hand is ended by hand."""

    county: str
    county_name: str
    id: UUID
    kind: str
    subject: str
    reason: str
    by_hand: bool
    valid_from: datetime
    valid_to: datetime | None
    person: str | None
    name: str | None


async def coming(tx: Tx, counties: Sequence[str]) -> list[Stage]:
    """Approved stages that are not released yet."""
    return await many(tx, _COMING, Stage, list(counties))


async def funds_at(tx: Tx, counties: Sequence[str], moment: datetime, limit: int) -> list[FundAt]:
    """Every fund as it stood at that moment."""
    return await many(tx, _FUNDS_AT, FundAt, list(counties), moment, limit)


async def entries(tx: Tx, county: str, fund: UUID, limit: int) -> list[Entry]:
    """What came into a fund and went out of it above its awards, oldest first."""
    return await many(tx, _ENTRIES, Entry, county, fund, limit)


async def short(tx: Tx, counties: Sequence[str], day: date) -> list[Short]:
    """What waits beside what is available, by county, incident and aid."""
    return await many(tx, _SHORT, Short, list(counties), day)


async def spent(tx: Tx, counties: Sequence[str], since: datetime, until: datetime) -> list[Spent]:
    """Paid less returned, by county."""
    return await many(tx, _SPENT, Spent, list(counties), since, until)


async def holds(tx: Tx, counties: Sequence[str], now: datetime, limit: int) -> list[Hold]:
    """Everything that stands still now, what was placed by hand first."""
    return await many(tx, _HOLDS, Hold, list(counties), now, limit)


# What a person calls a thing → its id: a village's code, a slip, a document, a batch's number.
_NAMED = """
SELECT code AS subject FROM region WHERE $2 = 'village' AND code = $3 AND left(code, 6) = $1
UNION ALL SELECT id::text FROM household WHERE $2 = 'household' AND county = $1 AND slip = $3
UNION ALL SELECT c.id::text FROM household h JOIN person p ON p.county = h.county AND p.household = h.id AND p.role = 'householder'
    JOIN account c ON c.county = p.county AND c.person = p.id AND c.status = 'current' WHERE $2 = 'account' AND h.county = $1 AND h.slip = $3
UNION ALL SELECT a.id::text FROM household h JOIN award a ON a.county = h.county AND a.household = h.id AND a.status IN ('proposed', 'approved')
    WHERE $2 = 'award' AND h.county = $1 AND h.slip = $3
UNION ALL SELECT id::text FROM fund WHERE $2 = 'fund' AND county = $1 AND document = $3
UNION ALL SELECT id::text FROM batch WHERE $2 = 'batch' AND county = $1 AND number = $3
"""


class _Subject(msgspec.Struct, frozen=True):
    subject: str


async def named(tx: Tx, county: str, kind: str, name: str) -> list[str]:
    """The ids of what a person calls so."""
    return [r.subject for r in await many(tx, _NAMED, _Subject, county, kind, name)]
