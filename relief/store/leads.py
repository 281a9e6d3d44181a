"""Leads: open until somebody takes them, then registered as a household or closed with an answer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.moves import LEAD, sources
from relief.store.db import Tx, maybe, one, run

_ADD = """
INSERT INTO lead (county, id, village, kind, way, status, owner, reference, due_at, sealed, opened_by, opened_at)
VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10, $11)
"""
_LOCK = "SELECT id, village, kind, status, owner FROM lead WHERE county = $1 AND id = $2 FOR UPDATE"
_TAKE = """
UPDATE lead SET status = 'taken', taken_by = $3, taken_at = $4 WHERE county = $1 AND id = $2 AND status = ANY ($5::text[])
"""
_CLOSE = """
UPDATE lead SET status = 'closed', closed_by = $3, closed_at = $4, sealed_answer = $5 WHERE county = $1 AND id = $2 AND status = ANY ($6::text[])
"""
_REGISTER = """
UPDATE lead l SET status = 'registered', household = $3, closed_by = $4, closed_at = $5 FROM household h
WHERE l.county = $1 AND l.id = $2 AND l.status = ANY ($6::text[]) AND h.county = l.county AND h.id = $3
"""
_BY_REFERENCE = "SELECT id, kind, status, due_at, opened_at, closed_at, sealed_answer FROM lead WHERE county = $1 AND reference = $2"


class New(msgspec.Struct, frozen=True):
    """A lead to be kept, what was told sealed."""

    county: str
    id: UUID
    village: str
    kind: str
    way: str
    owner: str
    reference: str
    due_at: datetime
    sealed: bytes


class Standing(msgspec.Struct, frozen=True):
    """How a lead stands."""

    id: UUID
    village: str
    kind: str
    status: str
    owner: str


class Seen(msgspec.Struct, frozen=True):
    """A lead as whoever told it sees it, the answer sealed."""

    id: UUID
    kind: str
    status: str
    due_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    sealed_answer: bytes | None


async def add(tx: Tx, new: New, person: UUID | None, now: datetime) -> None:
    """Keep a new lead."""
    n = new
    await run(tx, _ADD, n.county, n.id, n.village, n.kind, n.way, n.owner, n.reference, n.due_at, n.sealed, person, now)


async def lock(tx: Tx, county: str, id_: UUID) -> Standing:
    """How it stands, locked; NotFound where there is none."""
    return await one(tx, _LOCK, Standing, county, id_)


async def take(tx: Tx, county: str, id_: UUID, person: UUID, now: datetime) -> bool:
    """open → taken."""
    return await run(tx, _TAKE, county, id_, person, now, sources(LEAD, "taken")) == 1


async def close(tx: Tx, county: str, id_: UUID, person: UUID, now: datetime, answer: bytes) -> bool:
    """open or taken → closed, with the sealed answer."""
    return await run(tx, _CLOSE, county, id_, person, now, answer, sources(LEAD, "closed")) == 1


async def register(tx: Tx, county: str, id_: UUID, household: UUID, person: UUID, now: datetime) -> bool:
    """open or taken → registered as that household, where it exists in the county."""
    return await run(tx, _REGISTER, county, id_, household, person, now, sources(LEAD, "registered")) == 1


async def by_reference(tx: Tx, county: str, reference: str) -> Seen | None:
    """The lead whose teller holds this reference."""
    return await maybe(tx, _BY_REFERENCE, Seen, county, reference)
