"""Decisions as they were taken, for telling and for taking them again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe

# Each status has an index of its own.
_OF_HOUSEHOLD = """
SELECT d.id, d.aid, d.status, d.amount_fen, d.reasons, d.facts, d.standards, d.decided_at, d.activation, d.playbook, p.key AS playbook_key,
       p.version AS playbook_version, p.digest AS playbook_digest, z.version AS zone_version, z.title AS zone_title, b.label AS band
FROM (SELECT id, aid, status, amount_fen, reasons, facts, standards, decided_at, activation, playbook, zone FROM decision
      WHERE county = $1 AND household = $2 AND status = 'current'
      UNION ALL
      SELECT id, aid, status, amount_fen, reasons, facts, standards, decided_at, activation, playbook, zone FROM decision
      WHERE county = $1 AND household = $2 AND status = 'superseded') d
JOIN playbook p ON p.id = d.playbook
JOIN zone z ON z.id = d.zone
LEFT JOIN zone_band b ON b.zone = d.zone AND b.level = (d.facts ->> 'level')::int
ORDER BY d.aid, d.decided_at DESC, d.status
"""
_FIND = """
SELECT county, id AS household, NULL::uuid AS decision, village FROM household
WHERE id = $1 AND county IN (SELECT code FROM region WHERE level = 'county')
UNION ALL
SELECT d.county, d.household, d.id, h.village FROM decision d JOIN household h ON h.county = d.county AND h.id = d.household
WHERE d.id = $1 AND d.county IN (SELECT code FROM region WHERE level = 'county')
LIMIT 1
"""
_PLACE = "SELECT county, id AS household, NULL::uuid AS decision, village FROM household WHERE county = $1 AND id = $2"
_AWARDS = """
SELECT id, decision, aid, status, amount_fen, tops_up FROM award
WHERE county = $1 AND household = $2 AND NOT ended AND tops_up IS NULL
UNION ALL
SELECT id, decision, aid, status, amount_fen, tops_up FROM award WHERE county = $1 AND household = $2 AND (ended OR tops_up IS NOT NULL)
"""
_CASES = """
SELECT id, decision, amount_fen, status, due_on::text AS due_on FROM recovery_case WHERE county = $1 AND decision = ANY ($2::uuid[])
"""
_BODIES = "SELECT id, body FROM playbook WHERE id = ANY ($1::uuid[])"
# Equal decisions are one row: a million households have few distinct facts.
_KINDS = """
SELECT playbook, standards, aid, facts, amount_fen, reasons, count(*) AS decisions FROM decision
WHERE ($1::text[] IS NULL OR county = ANY ($1)) AND ($2::uuid IS NULL OR activation = $2)
GROUP BY playbook, standards, aid, facts, amount_fen, reasons
"""
_OF_KIND = """
SELECT county, id, household FROM decision
WHERE ($1::text[] IS NULL OR county = ANY ($1)) AND ($2::uuid IS NULL OR activation = $2)
  AND playbook = $3 AND standards = $4 AND aid = $5 AND facts = $6 AND amount_fen = $7 AND reasons = $8
ORDER BY county, id LIMIT $9
"""


class Taken(msgspec.Struct, frozen=True):
    """One decision with what it rests on; money in fen."""

    id: UUID
    aid: str
    status: str
    amount_fen: int
    reasons: list[str]
    facts: dict[str, Any]
    standards: bytes
    decided_at: datetime
    activation: UUID
    playbook: UUID
    playbook_key: str
    playbook_version: str
    playbook_digest: bytes
    zone_version: int
    zone_title: str
    band: str | None


class Found(msgspec.Struct, frozen=True):
    """Where a household is; `decision` is set where a decision was asked for."""

    county: str
    household: UUID
    decision: UUID | None
    village: str


class AwardOf(msgspec.Struct, frozen=True):
    """An award that came of a decision; `tops_up` names the one it adds to."""

    id: UUID
    decision: UUID
    aid: str
    status: str
    amount_fen: int
    tops_up: UUID | None


class CaseOf(msgspec.Struct, frozen=True):
    """A recovery case that came of a decision."""

    id: UUID
    decision: UUID
    amount_fen: int
    status: str
    due_on: str


class Kind(msgspec.Struct, frozen=True):
    """All decisions that rest on the same things and say the same."""

    playbook: UUID
    standards: bytes
    aid: str
    facts: dict[str, Any]
    amount_fen: int
    reasons: list[str]
    decisions: int


class Name(msgspec.Struct, frozen=True):
    """A decision by name."""

    county: str
    id: UUID
    household: UUID


class _Body(msgspec.Struct, frozen=True):
    id: UUID
    body: str


async def of_household(tx: Tx, county: str, household: UUID) -> list[Taken]:
    """Every decision of a household, by aid, newest first."""
    return await many(tx, _OF_HOUSEHOLD, Taken, county, household)


async def find(tx: Tx, thing: UUID) -> Found | None:
    """The household of that id, or that of the decision of that id, in whatever county this transaction sees."""
    return await maybe(tx, _FIND, Found, thing)


async def place(tx: Tx, county: str, household: UUID) -> Found | None:
    """The household of a county."""
    return await maybe(tx, _PLACE, Found, county, household)


async def awards(tx: Tx, county: str, household: UUID) -> list[AwardOf]:
    """Every award of a household, alive or not."""
    return await many(tx, _AWARDS, AwardOf, county, household)


async def cases(tx: Tx, county: str, decisions: Sequence[UUID]) -> list[CaseOf]:
    """The recovery cases these decisions led to."""
    return await many(tx, _CASES, CaseOf, county, list(decisions))


async def bodies(tx: Tx, playbooks: Sequence[UUID]) -> dict[UUID, str]:
    """Texts of playbooks by id."""
    return {b.id: b.body for b in await many(tx, _BODIES, _Body, list(playbooks))}


async def kinds(tx: Tx, counties: Sequence[str] | None, activation: UUID | None) -> list[Kind]:
    """Every decision of these counties (None: all seen) and this activation (None: all), equal ones counted."""
    return await many(tx, _KINDS, Kind, None if counties is None else list(counties), activation)


async def of_kind(tx: Tx, counties: Sequence[str] | None, activation: UUID | None, kind: Kind, most: int) -> list[Name]:
    """Some decisions of a kind by name."""
    where = None if counties is None else list(counties), activation
    return await many(
        tx, _OF_KIND, Name, *where, kind.playbook, kind.standards, kind.aid, kind.facts, kind.amount_fen, kind.reasons, most
    )  # fmt: skip
