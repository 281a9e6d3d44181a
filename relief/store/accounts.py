"""Corrections of payee accounts: a new version, proposed by one person and confirmed by another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

# Only the latest attempt, only when the bank has returned it or its file could not hold the line: silence is never a reason for a new attempt.
_RETURNED = """
SELECT p.id AS payment, p.payee AS person, e.sealed AS sealed_person, p.reason, p.account,
       (SELECT max(c.version) FROM account c WHERE c.county = p.county AND c.person = p.payee) AS version, h.village
FROM payment p
JOIN person e ON e.county = p.county AND e.id = p.payee
JOIN household h ON h.county = p.county AND h.id = p.household
WHERE p.county = $1 AND p.id = ANY ($2::uuid[]) AND (p.status = 'returned' OR p.status = 'approved' AND EXISTS (
      SELECT FROM unfit_line u WHERE u.county = p.county AND u.payment = p.id AND u.closed_at IS NULL))
  AND NOT EXISTS (SELECT FROM payment later WHERE later.county = p.county AND later.instalment = p.instalment AND later.attempt > p.attempt)
ORDER BY p.id FOR UPDATE OF p
"""
_PROPOSE = """
INSERT INTO account (county, id, person, version, status, sealed, account_hash, bank, proposed_by, proposed_at)
SELECT $1, id, person, version, 'proposed', sealed, hash, bank, $2, $3
FROM unnest($4::uuid[], $5::uuid[], $6::int[], $7::bytea[], $8::bytea[], $9::text[]) AS t (id, person, version, sealed, hash, bank)
"""
_PROPOSED = """
SELECT c.id, c.person, c.account_hash AS digest, h.village, c.proposed_at,
       NOT EXISTS (SELECT FROM account o WHERE o.county = c.county AND o.person = c.person AND o.status = 'current' AND o.account_hash = c.account_hash)
       AS changed
FROM account c
JOIN person e ON e.county = c.county AND e.id = c.person
JOIN household h ON h.county = e.county AND h.id = e.household
WHERE c.county = $1 AND c.id = ANY ($2::uuid[]) AND c.status = 'proposed' ORDER BY c.id FOR UPDATE OF c
"""
_REPLACE = "UPDATE account SET status = 'replaced' WHERE county = $1 AND person = ANY ($2::uuid[]) AND status = 'current'"
_CONFIRM = "UPDATE account SET status = 'current' WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'proposed'"


class Returned(msgspec.Struct, frozen=True):
    """A returned payment, or one set aside before sending, whose payee's account may be corrected; `version` is the newest so far."""

    payment: UUID
    person: UUID
    sealed_person: bytes
    reason: str | None
    account: UUID
    version: int
    village: str


class ProposedAccount(msgspec.Struct, frozen=True):
    """A corrected account waiting for its second person; `changed` where the number is another one than before."""

    id: UUID
    person: UUID
    digest: bytes
    village: str
    proposed_at: datetime
    changed: bool


async def returned(tx: Tx, county: str, payments: Sequence[UUID]) -> list[Returned]:
    """Those of the payments that are returned and have no later attempt, locked."""
    return await many(tx, _RETURNED, Returned, county, payments)


async def propose(tx: Tx, county: str, proposer: UUID, now: datetime, rows: Sequence[tuple[UUID, UUID, int, bytes, bytes, str]]) -> None:
    """New versions: (id, person, version, sealed, hash, bank)."""
    await run(tx, _PROPOSE, county, proposer, now, *[list(c) for c in zip(*rows, strict=True)])


async def proposed(tx: Tx, county: str, accounts: Sequence[UUID]) -> list[ProposedAccount]:
    """Those still waiting, locked in the order of their ids."""
    return await many(tx, _PROPOSED, ProposedAccount, county, accounts)


async def make_current(tx: Tx, county: str, accounts: Sequence[UUID], people: Sequence[UUID]) -> int:
    """current → replaced for these people, then proposed → current; how many became current."""
    await run(tx, _REPLACE, county, people)
    return await run(tx, _CONFIRM, county, accounts)
