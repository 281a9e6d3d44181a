"""Where does it stick: the funnel, and what waits for one person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one

_FUNNEL = """
WITH h AS (
    SELECT count(*) AS n, count(*) FILTER (WHERE w) AS waiting, min(received_at) FILTER (WHERE w) AS oldest
    FROM (SELECT received_at, NOT EXISTS (SELECT FROM decision d WHERE d.county = x.county AND d.household = x.id AND d.status = 'current') AS w
          FROM household x WHERE x.incident = $1 AND x.village LIKE ANY ($2::text[]) AND x.status NOT IN ('duplicate', 'rejected')) y
), a AS (
    SELECT count(DISTINCT (county, household)) AS n, coalesce(sum(amount_fen), 0)::bigint AS fen,
           count(*) FILTER (WHERE status = 'proposed') AS waiting, min(proposed_at) FILTER (WHERE status = 'proposed') AS oldest,
           count(DISTINCT (county, household)) FILTER (WHERE status <> 'proposed') AS approved,
           coalesce(sum(amount_fen) FILTER (WHERE status <> 'proposed'), 0)::bigint AS approved_fen
    FROM award WHERE incident = $1 AND village LIKE ANY ($2::text[]) AND status IN ('proposed', 'approved', 'completed')
), p AS (
    SELECT count(*) FILTER (WHERE q.status IN ('approved', 'batched')) AS ready,
           min(q.created_at) FILTER (WHERE q.status IN ('approved', 'batched')) AS ready_oldest,
           count(DISTINCT (q.county, q.household)) FILTER (WHERE q.status IN ('sent', 'unknown', 'paid')) AS bank,
           coalesce(sum(q.amount_fen) FILTER (WHERE q.status IN ('sent', 'unknown', 'paid')), 0)::bigint AS bank_fen,
           count(*) FILTER (WHERE q.status IN ('sent', 'unknown')) AS out, min(q.sent_at) FILTER (WHERE q.status IN ('sent', 'unknown')) AS out_oldest,
           count(DISTINCT (q.county, q.household)) FILTER (WHERE q.status = 'paid') AS paid,
           coalesce(sum(q.amount_fen) FILTER (WHERE q.status = 'paid'), 0)::bigint AS paid_fen,
           count(*) FILTER (WHERE q.status = 'returned' AND NOT EXISTS (
               SELECT FROM payment n WHERE n.county = q.county AND n.instalment = q.instalment AND n.attempt > q.attempt)) AS returned, count(*) FILTER (WHERE q.status = 'unknown') AS unknown
    FROM payment q JOIN award b ON b.county = q.county AND b.id = q.award WHERE b.incident = $1 AND b.village LIKE ANY ($2::text[])
), c AS (
    SELECT count(DISTINCT (q.county, q.household)) FILTER (WHERE f.status = 'confirmed') AS confirmed,
           coalesce(sum(q.amount_fen) FILTER (WHERE f.status = 'confirmed'), 0)::bigint AS confirmed_fen,
           count(*) FILTER (WHERE f.status IN ('awaited', 'silent')) AS awaited,
           min(f.awaited_at) FILTER (WHERE f.status IN ('awaited', 'silent')) AS awaited_oldest,
           count(*) FILTER (WHERE f.status = 'disputed') AS disputed, min(f.given_at) FILTER (WHERE f.status = 'disputed') AS disputed_oldest
    FROM confirmation f JOIN payment q ON q.county = f.county AND q.id = f.payment JOIN award b ON b.county = q.county AND b.id = q.award
    WHERE b.incident = $1 AND b.village LIKE ANY ($2::text[])
)
SELECT h.n AS registered, h.waiting AS undecided, h.oldest AS undecided_oldest, a.n AS decided, a.fen AS decided_fen, a.waiting AS proposed,
       a.oldest AS proposed_oldest, a.approved, a.approved_fen, p.ready, p.ready_oldest, p.bank, p.bank_fen, p.out, p.out_oldest,
       p.paid, p.paid_fen, p.returned, p.unknown, c.confirmed, c.confirmed_fen, c.awaited, c.awaited_oldest, c.disputed, c.disputed_oldest
FROM h, a, p, c
"""
_BY_COUNTY = """
WITH h AS (
    SELECT county, count(*) AS households, sum(members)::int AS people FROM household
    WHERE incident = $1 AND village LIKE ANY ($2::text[]) AND status NOT IN ('duplicate', 'rejected') GROUP BY county
), a AS (
    SELECT county, count(*) AS awards, sum(amount_fen)::bigint AS awarded_fen FROM award
    WHERE incident = $1 AND village LIKE ANY ($2::text[]) AND status IN ('proposed', 'approved', 'completed') GROUP BY county
), p AS (
    SELECT q.county, sum(q.amount_fen)::bigint AS paid_fen, min(q.settled_at) AS first_paid FROM payment q
    JOIN award b ON b.county = q.county AND b.id = q.award
    WHERE b.incident = $1 AND b.village LIKE ANY ($2::text[]) AND q.status = 'paid' GROUP BY q.county
)
SELECT h.county, r.name, h.households, h.people, coalesce(a.awards, 0) AS awards, coalesce(a.awarded_fen, 0) AS awarded_fen,
       coalesce(p.paid_fen, 0) AS paid_fen, p.first_paid
FROM h JOIN region r ON r.code = h.county LEFT JOIN a ON a.county = h.county LEFT JOIN p ON p.county = h.county
ORDER BY h.households DESC
"""
# Each kind of work is bounded by the areas in which this person may do exactly that; no area, no row.
_WAITING = """
SELECT 'approve' AS kind, mode AS detail, count(*) AS items, coalesce(sum(amount_fen), 0)::bigint AS fen, min(proposed_at) AS oldest
FROM proposal q JOIN award a ON a.county = q.county AND a.id = q.award
WHERE status = 'proposed' AND village LIKE ANY (
    CASE office WHEN 'township' THEN $1::text[] WHEN 'county' THEN $2::text[] WHEN 'meeting' THEN $16::text[] ELSE $17::text[] END)
  AND NOT (signed > 0 AND EXISTS (SELECT FROM signature s WHERE s.county = a.county AND s.subject = a.id AND s.person = $14)) GROUP BY mode
UNION ALL
SELECT 'sign', status, count(*), sum(total_fen)::bigint, min(frozen_at) FROM batch
WHERE (status = 'frozen' AND county LIKE ANY ($3::text[])) OR (status = 'prepared' AND county LIKE ANY ($4::text[]))
   OR (status = 'checked' AND county LIKE ANY ($5::text[])) GROUP BY status
UNION ALL
SELECT 'freeze', NULL, count(*), sum(p.amount_fen)::bigint, min(p.created_at) FROM payable q JOIN payment p ON p.county = q.county AND p.id = q.payment
WHERE p.status = 'approved' AND q.county LIKE ANY ($6::text[]) HAVING count(*) > 0
UNION ALL
SELECT 'activate', NULL, count(*), sum(cap_fen)::bigint, min(drafted_at) FROM county_activation
WHERE status = 'drafted' AND county LIKE ANY ($7::text[]) HAVING count(*) > 0
UNION ALL
SELECT 'correct', NULL, count(*), sum(p.amount_fen)::bigint, min(p.settled_at)
FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award
WHERE p.trouble = 'returned' AND a.village LIKE ANY ($8::text[]) AND NOT EXISTS (
    SELECT FROM payment n WHERE n.county = p.county AND n.instalment = p.instalment AND n.attempt > p.attempt)
  AND NOT EXISTS (SELECT FROM account c WHERE c.county = p.county AND c.person = p.payee AND c.status = 'proposed') HAVING count(*) > 0
UNION ALL
SELECT 'confirm account', NULL, count(*), NULL, min(c.proposed_at)
FROM account c JOIN person e ON e.county = c.county AND e.id = c.person JOIN household h ON h.county = e.county AND h.id = e.household
WHERE c.status = 'proposed' AND h.village LIKE ANY ($9::text[]) HAVING count(*) > 0
UNION ALL
SELECT 'accept', NULL, count(*), sum(i.amount_fen)::bigint, min(v.submitted_at)
FROM evidence v JOIN instalment i ON i.county = v.county AND i.id = v.instalment JOIN award a ON a.county = i.county AND a.id = i.award
WHERE v.status = 'submitted' AND a.village LIKE ANY ($10::text[]) HAVING count(*) > 0
UNION ALL
SELECT 'complaint', NULL, count(*), NULL, min(c.due_at) FROM complaint c
WHERE c.status = 'open' AND c.owner || ':' || c.village LIKE ANY ($11::text[]) HAVING count(*) > 0
UNION ALL
SELECT 'draft', NULL, count(*), NULL, min(v.proposed_at)
FROM activation v JOIN zone_county z ON z.zone = v.zone
WHERE v.status <> 'ended' AND z.county LIKE ANY ($12::text[])
  AND NOT EXISTS (SELECT FROM county_activation c WHERE c.county = z.county AND c.activation = v.id) HAVING count(*) > 0
UNION ALL
SELECT 'report', NULL, count(*), NULL, min(f.awaited_at)
FROM confirmation f JOIN payment p ON p.county = f.county AND p.id = f.payment JOIN award a ON a.county = p.county AND a.id = p.award
WHERE f.status IN ('awaited', 'silent') AND a.village LIKE ANY ($15::text[]) HAVING count(*) > 0
UNION ALL
SELECT 'force', NULL, count(DISTINCT z.id), NULL, min(z.drafted_at)
FROM zone z JOIN zone_county c ON c.zone = z.id
WHERE z.status = 'draft' AND c.county LIKE ANY ($13::text[]) AND z.drafted_by <> $14 HAVING count(*) > 0
"""


class Funnel(msgspec.Struct, frozen=True):
    """How many came so far and how many wait at each step, since when; money in fen.

    Steps count households, then awards (a second attempt or a later stage is the same award); what waits is counted in payments.
    """

    registered: int
    undecided: int
    undecided_oldest: datetime | None
    decided: int
    decided_fen: int
    proposed: int
    proposed_oldest: datetime | None
    approved: int
    approved_fen: int
    ready: int
    ready_oldest: datetime | None
    bank: int
    bank_fen: int
    out: int
    out_oldest: datetime | None
    paid: int
    paid_fen: int
    returned: int
    unknown: int
    confirmed: int
    confirmed_fen: int
    awaited: int
    awaited_oldest: datetime | None
    disputed: int
    disputed_oldest: datetime | None


class CountyLine(msgspec.Struct, frozen=True):
    """One county of an incident; money in fen."""

    county: str
    name: str
    households: int
    people: int
    awards: int
    awarded_fen: int
    paid_fen: int
    first_paid: datetime | None


class Waiting(msgspec.Struct, frozen=True):
    """Work of one kind that waits: how much, how many fen, since when (`complaint`: until when)."""

    kind: str
    detail: str | None
    items: int
    fen: int | None
    oldest: datetime | None


# The background process renews this errand; see jobs.show_life.
_LIFE = "SELECT due_at FROM errand WHERE name = 'background work'"


class _Due(msgspec.Struct, frozen=True):
    due_at: datetime


async def background_due(tx: Tx) -> datetime | None:
    """When the background process had to be heard from again; None when it never was."""
    found = await maybe(tx, _LIFE, _Due)
    return found.due_at if found else None


async def funnel(tx: Tx, incident: UUID, villages: Sequence[str]) -> Funnel:
    """The whole way of one incident's money within these areas."""
    return await one(tx, _FUNNEL, Funnel, incident, list(villages))


async def by_county(tx: Tx, incident: UUID, villages: Sequence[str]) -> list[CountyLine]:
    """Counties of the incident, most households first."""
    return await many(tx, _BY_COUNTY, CountyLine, incident, list(villages))


async def waiting(tx: Tx, areas: Sequence[Sequence[str]], person: UUID) -> list[Waiting]:
    """What waits for this person; `areas` are lists of patterns in the order of the statement."""
    return await many(tx, _WAITING, Waiting, *[list(a) for a in areas[:13]], person, *[list(a) for a in areas[13:]])
