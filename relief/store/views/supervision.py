"""What townships approved in the county's name: the county sees every award, who signed it and who left it to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

_TOWNSHIPS = """
SELECT left(a.village, 9) AS township, coalesce(r.name, left(a.village, 9)) AS name, count(*) AS awards, sum(a.amount_fen)::bigint AS fen,
       max(s.signed_at) AS latest
FROM signature s JOIN award a ON a.county = s.county AND a.id = s.subject LEFT JOIN region r ON r.code = left(a.village, 9)
WHERE s.delegator IS NOT NULL AND a.village LIKE ANY ($1::text[]) GROUP BY 1, 2 ORDER BY 4 DESC, 1
"""
# By the index on what is delegated, newest first, a page at a time.
_SIGNED = """
SELECT s.county, s.subject AS award, s.signed_at, p.name AS who, d.name AS delegator, a.household, a.aid, a.mode, a.amount_fen, a.status, a.village,
       v.name AS village_name, e.id AS person, e.sealed AS sealed_person, i.drill
FROM signature s
JOIN award a ON a.county = s.county AND a.id = s.subject
JOIN incident i ON i.id = a.incident
JOIN region v ON v.code = a.village
JOIN person e ON e.county = a.county AND e.id = a.payee
JOIN staff p ON p.id = s.person
JOIN staff d ON d.id = s.delegator
WHERE s.delegator IS NOT NULL AND a.village LIKE ANY ($1::text[]) AND ($2::timestamptz IS NULL OR (s.signed_at, s.subject) < ($2, $3::uuid))
ORDER BY s.signed_at DESC, s.subject DESC LIMIT $4
"""


class Township(msgspec.Struct, frozen=True):
    """How much a township has approved in the county's name; fen."""

    township: str
    name: str
    awards: int
    fen: int
    latest: datetime


class Delegated(msgspec.Struct, frozen=True):
    """One signature given in the county's name: by whom, in whose, for which award (fen)."""

    county: str
    award: UUID
    signed_at: datetime
    who: str
    delegator: str
    household: UUID
    aid: str
    mode: str
    amount_fen: int
    status: str
    village: str
    village_name: str
    person: UUID
    sealed_person: bytes
    drill: bool


async def townships(tx: Tx, villages: Sequence[str]) -> list[Township]:
    """The townships of these areas that have, most money first."""
    return await many(tx, _TOWNSHIPS, Township, list(villages))


async def signed(tx: Tx, villages: Sequence[str], before: tuple[datetime, UUID] | None, limit: int) -> list[Delegated]:
    """Every signature in these areas before that one, newest first."""
    at, award = before or (None, None)
    return await many(tx, _SIGNED, Delegated, list(villages), at, award, limit)
