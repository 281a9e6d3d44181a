"""一事一议: minutes of meetings that adopt an amount for one household; who sat there and why is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.moves import MINUTES, sources
from relief.store.db import Tx, many, run

_INSERT = """
INSERT INTO minutes (county, id, household, incident, activation, aid, amount_fen, held_on, participants, votes_for, votes_against, votes_abstained,
                     legal_basis, attachment, sealed, status, recorded_by, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'recorded', $16, $17)
"""
# `own`: this person registered the household or assessed it.
_LOCK = """
SELECT m.id, m.household, m.incident, m.activation, m.aid, m.amount_fen, m.recorded_by, h.village,
       h.registered_by = $3 OR EXISTS (SELECT FROM assessment s WHERE s.county = $1 AND s.household = h.id AND s.person = $3) AS own
FROM minutes m JOIN household h ON h.county = $1 AND h.id = m.household
WHERE m.county = $1 AND m.id = ANY ($2::uuid[]) AND m.status = ANY ($4::text[]) ORDER BY m.id FOR UPDATE OF m
"""
_SUPERSEDE = """
UPDATE minutes o SET status = 'superseded' FROM minutes n
WHERE n.county = $1 AND n.id = ANY ($2::uuid[]) AND o.county = $1 AND o.status = 'adopted'
  AND (o.household, o.incident, o.aid) = (n.household, n.incident, n.aid)
"""
_ADOPT = """
UPDATE minutes SET status = 'adopted', adopted_by = $3, adopted_at = $4 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($5::text[])
"""
_WITHDRAW = (
    "UPDATE minutes SET status = 'withdrawn' WHERE county = $1 AND id = ANY ($2::uuid[]) AND recorded_by = $3 AND status = ANY ($4::text[])"
)
_ADOPTED = """
SELECT household, aid, amount_fen FROM minutes
WHERE county = ANY ($1::text[]) AND incident = $2 AND aid = ANY ($3::text[]) AND status = 'adopted' ORDER BY household, aid
"""


class New(msgspec.Struct, frozen=True):
    """A row to be; the amount is in fen, `attachment` a SHA-256."""

    id: UUID
    household: UUID
    incident: UUID
    activation: UUID
    aid: str
    amount_fen: int
    held_on: date
    participants: int
    votes_for: int
    votes_against: int
    votes_abstained: int
    legal_basis: str
    attachment: bytes
    sealed: bytes


class Recorded(msgspec.Struct, frozen=True):
    """Minutes that wait to be adopted; `own` where the reader registered or assessed the household."""

    id: UUID
    household: UUID
    incident: UUID
    activation: UUID
    aid: str
    amount_fen: int
    recorded_by: UUID
    village: str
    own: bool


class Adopted(msgspec.Struct, frozen=True):
    """What a meeting adopted for a household (fen)."""

    household: UUID
    aid: str
    amount_fen: int


async def insert(tx: Tx, county: str, new: New, person: UUID, now: datetime) -> None:
    """Keep minutes as recorded."""
    await run(tx, _INSERT, county, *(getattr(new, n) for n in New.__struct_fields__), person, now)


async def lock(tx: Tx, county: str, ids: Sequence[UUID], person: UUID) -> list[Recorded]:
    """Those that still wait, locked, as the person sees them."""
    return await many(tx, _LOCK, Recorded, county, list(ids), person, sources(MINUTES, "adopted"))


async def adopt(tx: Tx, county: str, ids: Sequence[UUID], person: UUID, now: datetime) -> int:
    """recorded → adopted; what was adopted before for the same household and aid is superseded. How many."""
    await run(tx, _SUPERSEDE, county, list(ids))
    return await run(tx, _ADOPT, county, list(ids), person, now, sources(MINUTES, "adopted"))


async def withdraw(tx: Tx, county: str, ids: Sequence[UUID], person: UUID) -> int:
    """recorded → withdrawn by whoever recorded them; how many."""
    return await run(tx, _WITHDRAW, county, list(ids), person, sources(MINUTES, "withdrawn"))


async def adopted(tx: Tx, counties: Sequence[str], incident: UUID, aids: Sequence[str]) -> list[Adopted]:
    """What meetings adopted in these counties for an incident."""
    return await many(tx, _ADOPTED, Adopted, list(counties), incident, list(aids))
