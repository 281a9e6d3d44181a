"""指标分解下达: what the levels above a county have and pass on. An amount is passed on by a guarded update, so never twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, run, value

_OPEN = """
INSERT INTO allotment (parent, area, source, year, document, budget_item, purpose, incident, amount_fen, by_person, at)
SELECT $1, $2, $3, $4, $5, $6, $7, i.id, $9, $10, $11 FROM incident i WHERE i.id = $8 RETURNING id
"""
_PASS = "UPDATE allotment SET passed_fen = passed_fen + $2 WHERE id = $1 AND passed_fen + $2 <= amount_fen"
_GET = "SELECT id, area, source, purpose, incident, amount_fen, passed_fen FROM allotment WHERE id = $1 FOR UPDATE"
_ALL = """
SELECT a.id, a.parent, a.area, r.name AS area_name, a.source, a.year, a.document, a.budget_item, a.purpose, i.name AS incident_name, i.drill,
       a.amount_fen, a.passed_fen
FROM allotment a JOIN region r ON r.code = a.area JOIN incident i ON i.id = a.incident
WHERE a.area LIKE ANY ($1::text[]) OR EXISTS (SELECT FROM unnest($1::text[]) AS t (mine) WHERE t.mine LIKE a.area || '%')
ORDER BY length(a.area), a.area, a.at, a.id LIMIT $2
"""


class Source(msgspec.Struct, frozen=True):
    """What is passed on from, in fen."""

    id: UUID
    area: str
    source: str
    purpose: str
    incident: UUID
    amount_fen: int
    passed_fen: int


class Allotment(msgspec.Struct, frozen=True):
    """One notice of a level above the county: what it brought and what has been passed on, in fen."""

    id: UUID
    parent: UUID | None
    area: str
    area_name: str
    source: str
    year: int
    document: str
    budget_item: str
    purpose: str
    incident_name: str
    drill: bool
    amount_fen: int
    passed_fen: int


async def open_(
    tx: Tx, parent: UUID | None, area: str, source: str, year: int, document: str, budget_item: str, purpose: str, incident: UUID, amount_fen: int,
    person: UUID, now: datetime,
) -> UUID | None:  # fmt: skip
    """A new one, nothing passed on yet; None when the incident does not exist."""
    found: UUID | None = await value(
        tx, _OPEN, parent, area, source, year, document, budget_item, purpose, incident, amount_fen, person, now
    )
    return found


async def get(tx: Tx, id_: UUID) -> Source | None:
    """One, locked."""
    return await maybe(tx, _GET, Source, id_)


async def pass_on(tx: Tx, id_: UUID, amount_fen: int) -> bool:
    """Count so much as passed on, as far as there is so much; negative takes it back."""
    return await run(tx, _PASS, id_, amount_fen) == 1


async def every(tx: Tx, areas: Sequence[str], limit: int) -> list[Allotment]:
    """Those of these areas (LIKE patterns) and of the levels above them, the highest level first."""
    return await many(tx, _ALL, Allotment, list(areas), limit)
