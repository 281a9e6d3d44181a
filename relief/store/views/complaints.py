"""Complaints as the people who answer them see them: what was said, and what the bank says of the same payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

_COMPLAINTS = """
SELECT c.county, c.id, i.drill, c.kind, c.due_at, c.opened_at, c.closed_at, c.answer, c.household, v.name AS village_name, e.id AS person,
       e.sealed AS sealed_person, p.amount_fen, p.status AS payment_status, p.settled_at, right(p.bank_ref, 6) AS bank_ref_tail,
       c.kind = 'not_received' AND (h.registered_by = $3 OR EXISTS (
           SELECT FROM award a JOIN signature s ON s.county = a.county AND s.subject = a.id AND s.person = $3
           WHERE a.county = c.county AND a.household = c.household AND (p.award IS NULL OR a.id = p.award))) AS own,
       count(*) OVER () AS total
FROM complaint c
JOIN household h ON h.county = c.county AND h.id = c.household JOIN incident i ON i.id = h.incident JOIN region v ON v.code = h.village
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
LEFT JOIN payment p ON p.county = c.county AND p.id = c.payment
WHERE c.status = $2 AND h.village LIKE ANY ($1::text[])
ORDER BY c.closed_at DESC, c.due_at, c.id LIMIT 200
"""


class Complaint(msgspec.Struct, frozen=True):
    """A complaint, its householder still sealed; `own` where the reader may not close it; `total` of the whole list."""

    county: str
    id: UUID
    drill: bool
    kind: str
    due_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    answer: str | None
    household: UUID
    village_name: str
    person: UUID
    sealed_person: bytes
    amount_fen: int | None
    payment_status: str | None
    settled_at: datetime | None
    bank_ref_tail: str | None
    own: bool
    total: int


async def complaints(tx: Tx, villages: Sequence[str], status: str, person: UUID) -> list[Complaint]:
    """The first 200 'open' ones by deadline, or 'closed' ones, the latest first."""
    return await many(tx, _COMPLAINTS, Complaint, list(villages), status, person)
