"""Playbook versions and dated figures, for reading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one
from relief.store.regions import Named
from relief.store.standards import in_force
from relief.store.views.running import Waiting

__all__ = [
    "Dated",
    "Named",
    "Open",
    "Version",
    "by_name",
    "counties",
    "drafts_of",
    "in_force",
    "open_",
    "standard",
    "standards",
    "version",
    "versions",
    "waiting",
]

_LIST = """
SELECT p.id, p.key, p.version, p.digest, p.body, p.imported_at, p.status, p.drafted_by AS drafter, d.name AS drafted_by, a.name AS approved_by, p.in_force_at
FROM playbook p LEFT JOIN staff d ON d.id = p.drafted_by LEFT JOIN staff a ON a.id = p.approved_by
ORDER BY p.key, p.imported_at DESC, p.id
"""
_ONE = """
SELECT p.id, p.key, p.version, p.digest, p.body, p.imported_at, p.status, p.drafted_by AS drafter, d.name AS drafted_by, a.name AS approved_by, p.in_force_at
FROM playbook p LEFT JOIN staff d ON d.id = p.drafted_by LEFT JOIN staff a ON a.id = p.approved_by WHERE p.id = $1
"""
_STANDARDS = """
SELECT s.id, s.key, s.area, r.name AS area_name, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified, s.status, s.drafted_by AS drafter,
       d.name AS drafted_by, s.drafted_at, a.name AS approved_by, s.in_force_at
FROM standard s JOIN region r ON r.code = s.area LEFT JOIN staff d ON d.id = s.drafted_by LEFT JOIN staff a ON a.id = s.approved_by
WHERE s.area = ANY ($1::text[]) OR s.area LIKE ANY ($2::text[]) ORDER BY s.key, length(s.area), s.area, s.valid_from DESC, s.status
"""
_STANDARD = """
SELECT s.id, s.key, s.area, r.name AS area_name, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified, s.status, s.drafted_by AS drafter,
       d.name AS drafted_by, s.drafted_at, a.name AS approved_by, s.in_force_at
FROM standard s JOIN region r ON r.code = s.area LEFT JOIN staff d ON d.id = s.drafted_by LEFT JOIN staff a ON a.id = s.approved_by WHERE s.id = $1
"""
_DRAFTS_OF = """
SELECT s.id, s.key, s.area, r.name AS area_name, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified, s.status, s.drafted_by AS drafter,
       d.name AS drafted_by, s.drafted_at, NULL AS approved_by, s.in_force_at
FROM standard s JOIN region r ON r.code = s.area LEFT JOIN staff d ON d.id = s.drafted_by
WHERE s.status = 'draft' AND s.document = $1 AND s.drafted_by = $2 ORDER BY s.key, s.area, s.valid_from
"""
# What waits for a second person: never for the drafter. Playbooks are the province's, so any area of that right suffices.
_WAITING = """
SELECT 'playbook' AS kind, NULL AS detail, count(*) AS items, NULL::bigint AS fen, min(imported_at) AS oldest FROM playbook
WHERE status = 'draft' AND drafted_by <> $4 AND cardinality($1::text[]) > 0 HAVING count(*) > 0
UNION ALL
SELECT 'figure', NULL, count(*), NULL, min(drafted_at) FROM standard
WHERE status = 'draft' AND drafted_by <> $4 AND area LIKE ANY ($2::text[]) HAVING count(*) > 0
UNION ALL
SELECT 'move', NULL, count(*), NULL, min(drafted_at) FROM activation_move m
WHERE status = 'draft' AND drafted_by <> $4
  AND EXISTS (SELECT FROM zone_county c WHERE c.zone = m.zone AND c.county LIKE ANY ($3::text[])) HAVING count(*) > 0
"""
_OPEN = """
SELECT a.incident, i.name, a.zone, a.playbook FROM activation a JOIN incident i ON i.id = a.incident JOIN playbook p ON p.id = a.playbook
WHERE p.key = $1 AND a.status <> 'ended' ORDER BY a.proposed_at DESC LIMIT 20
"""
_NAMES = "SELECT key || ' ' || version AS name, id FROM playbook"
_COUNTIES = """
SELECT code, name FROM region WHERE level = 'county' AND code LIKE ANY ($1::text[]) AND valid_to IS NULL ORDER BY code
"""


class Version(msgspec.Struct, frozen=True):
    """A version as imported: its text never changes. What the installation brought was drafted by nobody."""

    id: UUID
    key: str
    version: str
    digest: bytes
    body: str
    imported_at: datetime
    status: str
    drafter: UUID | None
    drafted_by: str | None
    approved_by: str | None
    in_force_at: datetime | None


class Open(msgspec.Struct, frozen=True):
    """An activation that has not ended, and the versions it runs by."""

    incident: UUID
    name: str
    zone: UUID
    playbook: UUID


class _Name(msgspec.Struct, frozen=True):
    name: str
    id: UUID


class Dated(msgspec.Struct, frozen=True):
    """A figure's amount (fen) for an area from a day on, and who stands behind it."""

    id: UUID
    key: str
    area: str
    area_name: str
    amount_fen: int
    valid_from: date
    valid_to: date | None
    document: str
    verified: bool
    status: str
    drafter: UUID | None
    drafted_by: str | None
    drafted_at: datetime | None
    approved_by: str | None
    in_force_at: datetime | None


async def versions(tx: Tx) -> list[Version]:
    """Every version, newest of each key first."""
    return await many(tx, _LIST, Version)


async def version(tx: Tx, id_: UUID) -> Version:
    """One version."""
    return await one(tx, _ONE, Version, id_)


async def counties(tx: Tx, patterns: Sequence[str]) -> list[Named]:
    """The counties of these areas (LIKE patterns)."""
    return await many(tx, _COUNTIES, Named, list(patterns))


async def standards(tx: Tx, areas: Sequence[str], below: Sequence[str]) -> list[Dated]:
    """Figures of exactly these areas, and of every area below (LIKE patterns), newest day first under each key and area."""
    return await many(tx, _STANDARDS, Dated, list(areas), list(below))


async def standard(tx: Tx, id_: UUID) -> Dated:
    """One figure."""
    return await one(tx, _STANDARD, Dated, id_)


async def waiting(tx: Tx, playbooks: Sequence[str], figures: Sequence[str], moves: Sequence[str], person: UUID) -> list[Waiting]:
    """Drafts of rules that wait for this person as the second one, by the areas (LIKE patterns) of each right."""
    return await many(tx, _WAITING, Waiting, list(playbooks), list(figures), list(moves), person)


async def by_name(tx: Tx) -> dict[str, UUID]:
    """'earthquake 2' → its id."""
    return {n.name: n.id for n in await many(tx, _NAMES, _Name)}


async def drafts_of(tx: Tx, document: str, drafter: UUID | None) -> list[Dated]:
    """The figures one person drafted from one document that still wait."""
    return await many(tx, _DRAFTS_OF, Dated, document, drafter)


async def open_(tx: Tx, key: str) -> list[Open]:
    """The open activations by any version of a playbook, newest first."""
    return await many(tx, _OPEN, Open, key)
