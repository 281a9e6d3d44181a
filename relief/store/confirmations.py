"""Did it arrive? One row a payment, awaited from the moment it was paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.moves import CONFIRMATION, sources
from relief.store.db import Tx, many

_OF_NUMBER = """
SELECT c.county, c.payment, c.status, m.short_code
FROM message m JOIN confirmation c ON c.county = m.county AND c.payment = m.payment
WHERE m.to_hash = $1 AND m.event = 'paid' AND m.status <> 'queued'
ORDER BY m.queued_at DESC, c.payment
"""
_OF_PAYMENTS = """
SELECT c.county, c.payment, c.household, c.status, h.village
FROM confirmation c JOIN household h ON h.county = c.county AND h.id = c.household
WHERE c.county = $1 AND c.payment = ANY ($2::uuid[])
"""
_GIVE = """
UPDATE confirmation SET status = $3, way = $4, by_person = $5, given_at = $6
WHERE county = $1 AND payment = ANY ($2::uuid[]) AND status = ANY ($7::text[])
RETURNING county, payment, household
"""


class OfNumber(msgspec.Struct, frozen=True):
    """A confirmation that a telephone number was told about."""

    county: str
    payment: UUID
    status: str
    short_code: str


class Standing(msgspec.Struct, frozen=True):
    """How a confirmation stands, and in which village."""

    county: str
    payment: UUID
    household: UUID
    status: str
    village: str


class Answered(msgspec.Struct, frozen=True):
    """A confirmation that has just been given."""

    county: str
    payment: UUID
    household: UUID


async def of_number(tx: Tx, to_hash: bytes) -> list[OfNumber]:
    """Every payment this number was told of, in any county, the latest first."""
    return await many(tx, _OF_NUMBER, OfNumber, to_hash)


async def of_payments(tx: Tx, county: str, payments: Sequence[UUID]) -> list[Standing]:
    """How the confirmations of these payments stand."""
    return await many(tx, _OF_PAYMENTS, Standing, county, payments)


async def give(tx: Tx, county: str, payments: Sequence[UUID], status: str, way: str, person: UUID | None, now: datetime) -> list[Answered]:
    """Answer those that are still open; returns them. The others stay as they are."""
    return await many(tx, _GIVE, Answered, county, payments, status, way, person, now, sources(CONFIRMATION, status))
