"""What the resident's page reads: a household by its slip and its awards line by line."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

# One guesser at a time for one slip: otherwise many at once would all see the same count.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_BY_SLIP = """
SELECT h.county, h.id, h.slip_code_hash, h.status, n.name AS incident, n.drill, coalesce(r.name, '') AS place
FROM household h JOIN incident n ON n.id = h.incident LEFT JOIN region r ON r.code = h.village
WHERE h.county = $1 AND h.slip = $2
"""
_LINES = """
SELECT a.id AS award, a.aid, a.mode, a.period, a.amount_fen AS award_fen, a.status AS award_status,
       i.seq, i.amount_fen, i.condition, i.status, i.due_at,
       p.id AS payment, p.status AS payment_status, p.settled_at, p.account, c.sealed AS account_sealed,
       f.status AS confirmation, f.given_at
FROM award a
JOIN instalment i ON i.county = a.county AND i.award = a.id
LEFT JOIN LATERAL (
    SELECT id, status, settled_at, account FROM payment
    WHERE county = i.county AND instalment = i.id AND status <> 'cancelled' ORDER BY attempt DESC LIMIT 1) p ON true
LEFT JOIN account c ON c.county = a.county AND c.id = p.account
LEFT JOIN confirmation f ON f.county = a.county AND f.payment = p.id
WHERE a.county = $1 AND a.household = $2 AND a.status IN ('approved', 'completed')
ORDER BY a.approved_at, a.aid, a.id, i.seq
"""


class Household(msgspec.Struct, frozen=True):
    """The household of a slip."""

    county: str
    id: UUID
    slip_code_hash: bytes
    status: str
    incident: str
    drill: bool
    place: str


class Line(msgspec.Struct, frozen=True):
    """One instalment with its latest payment attempt and what the resident said about it."""

    award: UUID
    aid: str
    mode: str
    period: str
    award_fen: int
    award_status: str
    seq: int
    amount_fen: int
    condition: str
    status: str
    due_at: datetime | None
    payment: UUID | None
    payment_status: str | None
    settled_at: datetime | None
    account: UUID | None
    account_sealed: bytes | None
    confirmation: str | None
    given_at: datetime | None


async def lock(tx: Tx, subject: str) -> None:
    """Until the end of the transaction nobody else guesses at this subject."""
    await run(tx, _LOCK, subject)


async def by_slip(tx: Tx, county: str, slip: str) -> Household | None:
    """The household that holds this slip."""
    found = await many(tx, _BY_SLIP, Household, county, slip)
    return found[0] if found else None


async def lines(tx: Tx, county: str, household: UUID) -> list[Line]:
    """Everything awarded to the household, instalment by instalment."""
    return await many(tx, _LINES, Line, county, household)
