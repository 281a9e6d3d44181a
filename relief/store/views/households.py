"""Households in a list, and everything that happened to one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one, run

# A page is the first rows in the order of the key. Row-level security and a table that has just grown make the planner expect next to
# nothing, so that it would rather ask every household the question of the filter and sort what is left: seconds, for fifty rows.
_IN_ORDER = "SELECT set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true)"
_HOUSEHOLDS = """
WITH page AS MATERIALIZED (
    SELECT h.county, h.id FROM household h
    WHERE h.village LIKE ANY ($1::text[]) AND ($2::uuid IS NULL OR h.incident = $2) AND ($3::text[] IS NULL OR h.status = ANY ($3))
      AND CASE $4::text
          WHEN 'undecided' THEN NOT EXISTS (SELECT FROM decision d WHERE d.county = h.county AND d.household = h.id AND d.status = 'current')
          WHEN 'registered' THEN h.status NOT IN ('duplicate', 'rejected')
          WHEN 'inside' THEN h.status NOT IN ('duplicate', 'rejected') AND EXISTS (
              SELECT FROM zone z JOIN location l ON l.county = h.county AND l.zone = z.id AND l.household = h.id
              WHERE z.incident = h.incident AND z.status = 'in force' AND l.rank >= 0)
          WHEN 'decided' THEN EXISTS (SELECT FROM award a WHERE a.county = h.county AND a.household = h.id AND a.incident = h.incident
                                      AND a.status IN ('proposed', 'approved', 'completed'))
          WHEN 'approved' THEN EXISTS (SELECT FROM award a WHERE a.county = h.county AND a.household = h.id AND a.incident = h.incident
                                       AND a.status IN ('approved', 'completed'))
          WHEN 'bank' THEN EXISTS (SELECT FROM payment p WHERE p.county = h.county AND p.household = h.id AND p.status IN ('sent', 'unknown', 'paid'))
          WHEN 'paid' THEN EXISTS (SELECT FROM payment p WHERE p.county = h.county AND p.household = h.id AND p.status = 'paid')
          WHEN 'confirmed' THEN EXISTS (SELECT FROM confirmation c JOIN payment p ON p.county = c.county AND p.id = c.payment
                                        WHERE c.county = h.county AND c.status = 'confirmed' AND p.household = h.id)
          ELSE true END
      AND (h.county, h.id) > ($5, $6)
    ORDER BY h.county, h.id LIMIT $7
)
SELECT h.county, h.id, h.village, v.name AS village_name, h.status, h.family_type, h.members, h.dead, h.missing, h.injured, h.rooms_collapsed,
       h.rooms_severe, h.rooms_moderate, h.relocated, h.synthetic_point, h.slip, h.received_at, e.id AS person, e.sealed AS sealed_person,
       (SELECT coalesce(sum(a.amount_fen), 0)::bigint FROM award a WHERE a.county = h.county AND a.household = h.id
        AND a.status IN ('proposed', 'approved', 'completed')) AS awarded_fen
FROM page p
JOIN household h ON h.county = p.county AND h.id = p.id
JOIN person e ON e.county = p.county AND e.household = p.id AND e.role = 'householder'
JOIN region v ON v.code = h.village
ORDER BY p.county, p.id
"""
_HOUSEHOLD = """
SELECT h.county, r.name AS county_name, h.id, h.incident, i.name AS incident_name, i.drill, h.village, t.name AS township_name, v.name AS village_name,
       h.status, h.family_type, h.members, h.dead, h.missing, h.injured, h.rooms_collapsed, h.rooms_severe, h.rooms_moderate, h.relocated, h.only_home,
       h.occupied, h.synthetic_point, h.slip, h.received_at, e.id AS person, e.sealed AS sealed_person, l.rank, b.label AS band, l.edge
FROM household h
JOIN incident i ON i.id = h.incident
JOIN region r ON r.code = h.county JOIN region v ON v.code = h.village JOIN region t ON t.code = v.parent
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
LEFT JOIN zone z ON z.incident = h.incident AND z.status = 'in force'
LEFT JOIN location l ON l.county = h.county AND l.zone = z.id AND l.household = h.id
LEFT JOIN zone_band b ON b.zone = z.id AND b.rank = l.rank
WHERE h.county = $1 AND h.id = $2 AND h.village LIKE ANY ($3::text[])
"""
# Everything that ever happened to one household, in time. `noun` and `state` choose the words, `note` is a code.
_STORY = """
SELECT at, noun, state, aid, fen, note, who FROM (
    SELECT h.received_at AS at, 'household' AS noun, 'registered' AS state, NULL AS aid, NULL::bigint AS fen, h.slip AS note, s.name AS who
    FROM household h LEFT JOIN staff s ON s.id = h.registered_by WHERE h.county = $1 AND h.id = $2
    UNION ALL
    SELECT decided_at, 'decision', status, aid, amount_fen, array_to_string(reasons, ' '), NULL FROM decision
    WHERE county = $1 AND household = $2 AND status = 'current'
    UNION ALL
    SELECT decided_at, 'decision', status, aid, amount_fen, array_to_string(reasons, ' '), NULL FROM decision
    WHERE county = $1 AND household = $2 AND status = 'superseded'
    UNION ALL
    SELECT a.approved_at, 'award', 'approved', a.aid, a.amount_fen, a.mode, s.name
    FROM award a LEFT JOIN signature g ON g.county = a.county AND g.subject = a.id AND g.step IN ('township', 'county') LEFT JOIN staff s ON s.id = g.person
    WHERE a.county = $1 AND a.household = $2 AND a.approved_at IS NOT NULL
    UNION ALL
    SELECT v.submitted_at, 'evidence', 'submitted', a.aid, i.amount_fen, v.kind, s.name
    FROM evidence v JOIN instalment i ON i.county = v.county AND i.id = v.instalment JOIN award a ON a.county = i.county AND a.id = i.award
    LEFT JOIN staff s ON s.id = v.submitted_by WHERE a.county = $1 AND a.household = $2
    UNION ALL
    SELECT v.accepted_at, 'evidence', 'accepted', a.aid, i.amount_fen, v.kind, s.name
    FROM evidence v JOIN instalment i ON i.county = v.county AND i.id = v.instalment JOIN award a ON a.county = i.county AND a.id = i.award
    LEFT JOIN staff s ON s.id = v.accepted_by WHERE a.county = $1 AND a.household = $2 AND v.accepted_at IS NOT NULL
    UNION ALL
    SELECT g.signed_at, 'batch', g.step, a.aid, p.amount_fen, b.number, s.name
    FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award JOIN batch b ON b.county = p.county AND b.id = p.batch
    JOIN signature g ON g.county = p.county AND g.subject = p.batch AND g.kind = 'batch' AND g.step <> 'line' JOIN staff s ON s.id = g.person
    WHERE p.county = $1 AND p.household = $2
    UNION ALL
    SELECT p.sent_at, 'payment', 'sent', a.aid, p.amount_fen, p.reference, NULL FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award
    WHERE p.county = $1 AND p.household = $2 AND p.sent_at IS NOT NULL
    UNION ALL
    SELECT p.settled_at, 'payment', p.status, a.aid, p.amount_fen, coalesce(p.reason, p.reference), NULL
    FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award WHERE p.county = $1 AND p.household = $2 AND p.settled_at IS NOT NULL
    UNION ALL
    SELECT coalesce(m.ended_at, m.sent_at, m.queued_at), 'message', m.status, NULL, NULL, m.event, NULL
    FROM message m JOIN payment p ON p.county = m.county AND p.id = m.payment WHERE m.county = $1 AND p.household = $2
    UNION ALL
    SELECT f.given_at, 'confirmation', f.status, NULL, NULL, f.way, s.name FROM confirmation f LEFT JOIN staff s ON s.id = f.by_person
    WHERE f.county = $1 AND f.household = $2 AND f.given_at IS NOT NULL
    UNION ALL
    SELECT c.opened_at, 'complaint', 'open', NULL, NULL, c.kind, NULL FROM complaint c WHERE c.county = $1 AND c.household = $2
    UNION ALL
    SELECT c.closed_at, 'complaint', 'closed', NULL, NULL, c.kind, NULL FROM complaint c WHERE c.county = $1 AND c.household = $2
    UNION ALL
    SELECT c.proposed_at, 'account', 'proposed', NULL, NULL, c.bank, s.name
    FROM account c JOIN person e ON e.county = c.county AND e.id = c.person LEFT JOIN staff s ON s.id = c.proposed_by
    WHERE c.county = $1 AND e.household = $2 AND c.version > 1
) y WHERE at IS NOT NULL
ORDER BY at, array_position(ARRAY['household', 'decision', 'award', 'evidence', 'account', 'batch', 'payment', 'message', 'confirmation', 'complaint'], noun), state
"""
_SCHEDULE = """
SELECT a.aid, a.mode, a.status AS award_status, i.id, i.seq, i.amount_fen, i.condition, i.status, i.due_at,
       (SELECT w.due_on FROM paperwork w WHERE w.county = i.county AND w.award = a.id AND w.status = 'open') AS papers_due,
       (SELECT p.status FROM payment p WHERE p.county = i.county AND p.instalment = i.id ORDER BY p.attempt DESC LIMIT 1) AS payment
FROM award a JOIN instalment i ON i.county = a.county AND i.award = a.id
WHERE a.county = $1 AND a.household = $2 ORDER BY a.aid, i.seq
"""


class HouseholdRow(msgspec.Struct, frozen=True):
    """A household in a list; its householder still sealed. Money in fen."""

    county: str
    id: UUID
    village: str
    village_name: str
    status: str
    family_type: str
    members: int
    dead: int
    missing: int
    injured: int
    rooms_collapsed: int
    rooms_severe: int
    rooms_moderate: int
    relocated: str
    synthetic_point: bool
    slip: str
    received_at: datetime
    person: UUID
    sealed_person: bytes
    awarded_fen: int


class Household(msgspec.Struct, frozen=True):
    """One household with its place in the zone in force."""

    county: str
    county_name: str
    id: UUID
    incident: UUID
    incident_name: str
    drill: bool
    village: str
    township_name: str
    village_name: str
    status: str
    family_type: str
    members: int
    dead: int
    missing: int
    injured: int
    rooms_collapsed: int
    rooms_severe: int
    rooms_moderate: int
    relocated: str
    only_home: bool
    occupied: bool
    synthetic_point: bool
    slip: str
    received_at: datetime
    person: UUID
    sealed_person: bytes
    rank: int | None
    band: str | None
    edge: bool | None


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a household."""

    at: datetime
    noun: str
    state: str
    aid: str | None
    fen: int | None
    note: str | None
    who: str | None


class Instalment(msgspec.Struct, frozen=True):
    """One stage of one award, and its latest payment's state."""

    aid: str
    mode: str
    award_status: str
    id: UUID
    seq: int
    amount_fen: int
    condition: str
    status: str
    due_at: datetime | None
    papers_due: date | None
    payment: str | None


async def households(
    tx: Tx,
    villages: Sequence[str],
    incident: UUID | None,
    statuses: Sequence[str] | None,
    stage: str | None,
    after: tuple[str, UUID],
    limit: int,
) -> list[HouseholdRow]:
    """A page of households after (county, id); `stage` keeps those that reached a step of the funnel."""
    await run(tx, _IN_ORDER)
    return await many(tx, _HOUSEHOLDS, HouseholdRow, list(villages), incident, statuses and list(statuses), stage, *after, limit)


async def household(tx: Tx, county: str, id_: UUID, villages: Sequence[str]) -> Household:
    """One household."""
    return await one(tx, _HOUSEHOLD, Household, county, id_, list(villages))


async def story(tx: Tx, county: str, id_: UUID) -> list[Event]:
    """Everything that happened to it, oldest first."""
    return await many(tx, _STORY, Event, county, id_)


async def schedule(tx: Tx, county: str, id_: UUID) -> list[Instalment]:
    """Its awards by stage."""
    return await many(tx, _SCHEDULE, Instalment, county, id_)
