"""Suspicions of double registration as an officer sees them: the heaviest first, both households side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

# The weight, six digits, sorts as text: what stops a payment first, then the most alike.
_LIST = """
SELECT s.county, s.id, s.household, s.other_county, s.other, s.incident, i.name AS incident_name, i.drill, s.keys, s.score, s.reasons, s.blocks, s.status,
       s.found_at, s.verdict, s.kept, s.reason, s.decided_at, p.name AS decided_by, w.weight, count(*) OVER () AS total,
       h.village LIKE ANY ($1::text[]) AND o.village LIKE ANY ($1::text[]) AS within, $6::uuid IN (h.registered_by, o.registered_by) AS own
FROM suspicion s
CROSS JOIN LATERAL (SELECT CASE s.blocks WHEN 'payment' THEN '1' WHEN 'stages' THEN '2' ELSE '3' END || lpad((100 - s.score)::text, 5, '0') AS weight) w
JOIN incident i ON i.id = s.incident
JOIN household h ON h.county = s.county AND h.id = s.household
JOIN household o ON o.county = s.other_county AND o.id = s.other
LEFT JOIN staff p ON p.id = s.decided_by
WHERE s.status = $2 AND (h.village LIKE ANY ($1::text[]) OR o.village LIKE ANY ($1::text[])) AND (w.weight, s.id) > ($3, $4)
ORDER BY w.weight, s.id LIMIT $5
"""
_SIDES = """
SELECT h.county, h.id, r.name AS county_name, t.name AS township_name, v.name AS village_name, h.status, h.members, h.family_type, h.rooms_collapsed,
       h.rooms_severe, h.rooms_moderate, h.received_at, h.captured_at, s.name AS registrar, h.slip,
       (SELECT coalesce(sum(a.amount_fen), 0)::bigint FROM award a WHERE a.county = h.county AND a.household = h.id
        AND a.status IN ('approved', 'completed')) AS granted_fen
FROM unnest($1::text[], $2::uuid[]) AS x (county, id)
JOIN household h ON h.county = x.county AND h.id = x.id
JOIN region r ON r.code = h.county JOIN region v ON v.code = h.village JOIN region t ON t.code = v.parent
LEFT JOIN staff s ON s.id = h.registered_by
"""
_PEOPLE = """
SELECT p.household, p.id, p.role, p.sealed, p.id_hash, a.id AS account, a.sealed AS sealed_account
FROM unnest($1::text[], $2::uuid[]) AS x (county, id)
JOIN person p ON p.county = x.county AND p.household = x.id AND p.role IN ('householder', 'member')
LEFT JOIN account a ON a.county = p.county AND a.person = p.id AND a.status = 'current'
ORDER BY p.role, p.id
"""


class Suspicion(msgspec.Struct, frozen=True):
    """A suspicion. `within`: both sides lie in the reader's area, so it is theirs to decide; `own`: they registered a side of it."""

    county: str
    id: UUID
    household: UUID
    other_county: str
    other: UUID
    incident: UUID
    incident_name: str
    drill: bool
    keys: list[str]
    score: int
    reasons: list[str]
    blocks: str
    status: str
    found_at: datetime
    verdict: str | None
    kept: UUID | None
    reason: str | None
    decided_at: datetime | None
    decided_by: str | None
    weight: str
    total: int
    within: bool
    own: bool


class Side(msgspec.Struct, frozen=True):
    """One of the two households. Money in fen."""

    county: str
    id: UUID
    county_name: str
    township_name: str
    village_name: str
    status: str
    members: int
    family_type: str
    rooms_collapsed: int
    rooms_severe: int
    rooms_moderate: int
    received_at: datetime
    captured_at: datetime
    registrar: str | None
    slip: str
    granted_fen: int


class Member(msgspec.Struct, frozen=True):
    """A person of one side, still sealed."""

    household: UUID
    id: UUID
    role: str
    sealed: bytes
    id_hash: bytes
    account: UUID | None
    sealed_account: bytes | None


async def suspicions(
    tx: Tx, villages: Sequence[str], status: str, after: tuple[str, UUID], limit: int, person: UUID | None
) -> list[Suspicion]:
    """Suspicions that touch these village patterns, heaviest first; `after` is (weight, id) of the last one seen."""
    return await many(tx, _LIST, Suspicion, list(villages), status, after[0], after[1], limit, person)


async def sides(tx: Tx, households: Sequence[tuple[str, UUID]]) -> dict[UUID, Side]:
    """Facts of these households."""
    return {s.id: s for s in await many(tx, _SIDES, Side, [c for c, _ in households], [h for _, h in households])}


async def people(tx: Tx, households: Sequence[tuple[str, UUID]]) -> dict[UUID, list[Member]]:
    """The people of these households, householder first."""
    found: dict[UUID, list[Member]] = {}
    for member in await many(tx, _PEOPLE, Member, [c for c, _ in households], [h for _, h in households]):
        found.setdefault(member.household, []).append(member)
    return found
