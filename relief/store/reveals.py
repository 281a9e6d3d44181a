"""The householder of one household with the account in use, still sealed: for whoever gives a reason to see them in full."""

from __future__ import annotations

from uuid import UUID

import msgspec

from relief.store.db import Tx, one

_HOUSEHOLDER = """
SELECT h.village, n.drill, e.id AS person, e.sealed AS sealed_person, c.id AS account, c.sealed AS sealed_account
FROM household h JOIN incident n ON n.id = h.incident
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
LEFT JOIN account c ON c.county = e.county AND c.person = e.id AND c.status = 'current'
WHERE h.county = $1 AND h.id = $2
"""


class Householder(msgspec.Struct, frozen=True):
    """The householder, and the account in use when there is one."""

    village: str
    drill: bool
    person: UUID
    sealed_person: bytes
    account: UUID | None
    sealed_account: bytes | None


async def householder(tx: Tx, county: str, household: UUID) -> Householder:
    """The householder of that household."""
    return await one(tx, _HOUSEHOLDER, Householder, county, household)
