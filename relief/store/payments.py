"""Payments: attempts to pay an instalment. At most one attempt of an instalment is alive (partial unique index)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

# Released and created in one statement, so no instalment can be released without its payment.
_RELEASE = """
WITH due AS (
    SELECT i.id, i.award, i.amount_fen, a.household, a.payee, a.fund, c.id AS account, c.bank
    FROM instalment i
    JOIN award a ON a.county = $1 AND a.id = i.award AND a.id = ANY ($2::uuid[]) AND a.status = 'approved'
    CROSS JOIN LATERAL (SELECT id, bank FROM account WHERE county = $1 AND person = a.payee AND status = 'current' LIMIT 1) c
    WHERE i.county = $1 AND i.award = ANY ($2::uuid[]) AND i.status = 'due'
    ORDER BY i.id FOR UPDATE OF i
), released AS (
    UPDATE instalment i SET status = 'released' FROM due d WHERE i.county = $1 AND i.id = d.id AND i.status = 'due'
    RETURNING i.id, d.award, d.amount_fen, d.household, d.payee, d.fund, d.account, d.bank
), made AS (
    INSERT INTO payment (county, instalment, award, household, payee, account, bank, fund, attempt, reference, amount_fen, status, created_at)
    SELECT $1, r.id, r.award, r.household, r.payee, r.account, r.bank, r.fund, 1,
           $1 || upper(left(replace(gen_random_uuid()::text, '-', ''), 18)), r.amount_fen, 'approved', $3
    FROM released r
    RETURNING id
), queued AS (
    INSERT INTO payable (county, payment) SELECT $1, id FROM made
)
SELECT id FROM made
"""
# Only after a return that the bank confirmed; never after silence.
_REISSUE = """
WITH made AS (
    INSERT INTO payment (county, instalment, award, household, payee, account, bank, fund, attempt, reference, amount_fen, status, created_at)
    SELECT $1, p.instalment, p.award, p.household, p.payee, c.id, c.bank, p.fund, p.attempt + 1,
           $1 || upper(left(replace(gen_random_uuid()::text, '-', ''), 18)), p.amount_fen, 'approved', $3
    FROM account c
    JOIN payment p ON p.county = c.county AND p.payee = c.person AND p.status = 'returned' AND p.trouble = 'returned'
    JOIN instalment i ON i.county = p.county AND i.id = p.instalment AND i.status = 'released'
    WHERE c.county = $1 AND c.id = ANY ($2::uuid[]) AND c.status = 'current'
      AND NOT EXISTS (SELECT FROM payment later WHERE later.county = $1 AND later.instalment = p.instalment AND later.attempt > p.attempt)
    ORDER BY p.id
    RETURNING id
), queued AS (
    INSERT INTO payable (county, payment) SELECT $1, id FROM made
)
SELECT id FROM made ORDER BY id
"""
# The same card once what kept it from taking the money is done: never for a payment the bank has not returned.
_AGAIN = """
SELECT p.id AS payment, p.account, p.reason, a.village FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award
JOIN account c ON c.county = p.county AND c.id = p.account AND c.status = 'current'
WHERE p.county = $1 AND p.id = ANY ($2::uuid[]) AND p.status = 'returned'
  AND NOT EXISTS (SELECT FROM payment later WHERE later.county = p.county AND later.instalment = p.instalment AND later.attempt > p.attempt)
ORDER BY p.id FOR UPDATE OF p
"""


class Again(msgspec.Struct, frozen=True):
    """A returned payment that may be tried once more on the account it went to."""

    payment: UUID
    account: UUID
    reason: str | None
    village: str


class _Id(msgspec.Struct, frozen=True):
    id: UUID


async def release(tx: Tx, county: str, awards: Sequence[UUID], now: datetime) -> list[UUID]:
    """due → released for these awards, each with its first payment attempt on the payee's current account."""
    return [r.id for r in await many(tx, _RELEASE, _Id, county, awards, now)]


async def again(tx: Tx, county: str, payments: Sequence[UUID]) -> list[Again]:
    """Those of the payments that are returned, not tried since, and whose account is still the payee's, locked."""
    return await many(tx, _AGAIN, Again, county, list(payments))


async def reissue(tx: Tx, county: str, accounts: Sequence[UUID], now: datetime) -> list[UUID]:
    """A new attempt for every returned payment of the owners of these corrected accounts."""
    return [r.id for r in await many(tx, _REISSUE, _Id, county, accounts, now)]
