"""Referrals: opened by a rule or by hand, accepted, returned, passed on again, closed with an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.moves import REFERRAL, sources
from relief.store.db import Tx, many, run

_OPEN_BY_RULE = """
INSERT INTO referral (county, household, department, reason, legal_basis, playbook, urgent, status, village, opened_at, due_on)
SELECT h.county, h.id, $3, $4, $5, $6, $7, 'open', h.village, $8, $9
FROM unnest($2::uuid[]) AS t (household) JOIN household h ON h.county = $1 AND h.id = t.household
ON CONFLICT (county, household, department, reason) WHERE reason <> 'by hand' DO NOTHING
RETURNING id
"""
_OPEN_BY_HAND = """
INSERT INTO referral (county, id, household, department, reason, legal_basis, urgent, status, village, opened_by, opened_at, due_on, sealed_note)
SELECT h.county, $2, h.id, $4, 'by hand', $5, $6, 'open', h.village, $7, $8, $9, $10 FROM household h WHERE h.county = $1 AND h.id = $3
"""
_LOCK = "SELECT id, department, status, village, household, urgent FROM referral WHERE county = $1 AND id = ANY ($2::uuid[]) FOR UPDATE"
_ACCEPT = """
UPDATE referral SET status = 'accepted', accepted_by = $3, accepted_at = $4
WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($5::text[])
"""
_RETURN = """
UPDATE referral SET status = 'returned', sealed_note = $3 WHERE county = $1 AND id = $2 AND status = ANY ($4::text[])
"""
# Passed on to another department: whoever had it, has it no more.
_PASS = """
UPDATE referral SET status = 'open', department = $3, due_on = $4, accepted_by = NULL, accepted_at = NULL, sealed_note = coalesce($5, sealed_note)
WHERE county = $1 AND id = $2 AND status = ANY ($6::text[])
"""
_CLOSE = """
UPDATE referral r SET status = 'closed', closed_by = $4, closed_at = $5, sealed_answer = t.sealed
FROM unnest($2::uuid[], $3::bytea[]) AS t (id, sealed)
WHERE r.county = $1 AND r.id = t.id AND r.status = ANY ($6::text[])
"""


class Standing(msgspec.Struct, frozen=True):
    """How a referral stands."""

    id: UUID
    department: str
    status: str
    village: str
    household: UUID
    urgent: bool


class _Id(msgspec.Struct, frozen=True):
    id: UUID


async def open_by_rule(
    tx: Tx, county: str, households: Sequence[UUID], department: str, reason: str, legal_basis: str, playbook: UUID, urgent: bool,
    now: datetime, due_on: date,
) -> list[UUID]:  # fmt: skip
    """Pass these households on for this reason; whoever was, is not again. Returns the new referrals."""
    rows = await many(tx, _OPEN_BY_RULE, _Id, county, list(households), department, reason, legal_basis, playbook, urgent, now, due_on)
    return [r.id for r in rows]


async def open_by_hand(
    tx: Tx, county: str, id_: UUID, household: UUID, department: str, legal_basis: str, urgent: bool, person: UUID, now: datetime,
    due_on: date, note: bytes,
) -> bool:  # fmt: skip
    """Pass one household on; False where there is no such household."""
    return await run(tx, _OPEN_BY_HAND, county, id_, household, department, legal_basis, urgent, person, now, due_on, note) == 1


async def lock(tx: Tx, county: str, ids: Sequence[UUID]) -> list[Standing]:
    """How these stand, locked until the end of the transaction."""
    return await many(tx, _LOCK, Standing, county, list(ids))


async def accept(tx: Tx, county: str, ids: Sequence[UUID], person: UUID, now: datetime) -> int:
    """open → accepted; how many."""
    return await run(tx, _ACCEPT, county, list(ids), person, now, sources(REFERRAL, "accepted"))


async def give_back(tx: Tx, county: str, id_: UUID, note: bytes) -> bool:
    """open or accepted → returned."""
    return await run(tx, _RETURN, county, id_, note, sources(REFERRAL, "returned")) == 1


async def pass_on(tx: Tx, county: str, id_: UUID, department: str, due_on: date, note: bytes | None) -> bool:
    """returned → open, with another department."""
    return await run(tx, _PASS, county, id_, department, due_on, note, sources(REFERRAL, "open")) == 1


async def close(tx: Tx, county: str, sealed: Sequence[tuple[UUID, bytes]], person: UUID, now: datetime) -> int:
    """Close each with its sealed answer; how many."""
    return await run(tx, _CLOSE, county, [i for i, _ in sealed], [s for _, s in sealed], person, now, sources(REFERRAL, "closed"))
