"""Funds and payment attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

_FUNDS = """
SELECT f.county, r.name AS county_name, f.id, f.source, f.year, f.document, f.budget_item, f.purpose, f.incident, i.name AS incident_name, f.drill,
       f.allocated_fen, f.available_fen, f.reserved_fen, f.in_flight_fen, f.paid_fen
FROM fund f JOIN region r ON r.code = f.county JOIN incident i ON i.id = f.incident
WHERE ($1::text IS NULL OR (f.county || ' ' || f.id) > $1) ORDER BY f.county || ' ' || f.id LIMIT $2
"""
# A page is found in the order of the key, row by row, and only then are its fifty rows furnished; `LIMIT 1` keeps the planner from
# turning a lookup into a join over everybody. What is rare is found by an index of its own: `trouble` and the queue of approved payments.
_PAYMENTS = """
WITH page AS MATERIALIZED (
    SELECT p.county, p.id, p.reference, p.household, p.attempt, p.amount_fen, p.status, p.reason, p.bank, p.batch, p.created_at, p.sent_at, p.settled_at,
           p.instalment, p.payee, a.aid, a.village, f.status AS confirmation
    FROM payment p
    CROSS JOIN LATERAL (SELECT aid, village, incident FROM award WHERE county = p.county AND id = p.award LIMIT 1) a
    LEFT JOIN LATERAL (SELECT status FROM confirmation WHERE county = p.county AND payment = p.id LIMIT 1) f ON true
    WHERE (p.county, p.id) > ($5, $6) AND ($3::text[] IS NULL OR p.status = ANY ($3)) AND ($4::text[] IS NULL OR f.status = ANY ($4))
      AND a.village LIKE ANY ($1::text[]) AND ($2::uuid IS NULL OR a.incident = $2)
      AND (NOT $8 OR NOT EXISTS (SELECT FROM payment n WHERE n.county = p.county AND n.instalment = p.instalment AND n.attempt > p.attempt))
    ORDER BY p.county, p.id LIMIT $7
)
SELECT p.county, p.id, p.reference, p.household, p.aid, i.seq, p.attempt, p.amount_fen, p.status, p.reason, p.bank, b.number AS batch_number, p.created_at,
       p.sent_at, p.settled_at, v.name AS village_name, e.id AS person, e.sealed AS sealed_person, p.confirmation
FROM page p
JOIN instalment i ON i.county = p.county AND i.id = p.instalment
JOIN person e ON e.county = p.county AND e.id = p.payee
JOIN region v ON v.code = p.village
LEFT JOIN batch b ON b.county = p.county AND b.id = p.batch
ORDER BY p.county, p.id
"""
_IN_TROUBLE = """
WITH page AS MATERIALIZED (
    SELECT p.county, p.id, p.reference, p.household, p.attempt, p.amount_fen, p.status, p.reason, p.bank, p.batch, p.created_at, p.sent_at, p.settled_at,
           p.instalment, p.payee, a.aid, a.village, f.status AS confirmation
    FROM payment p
    CROSS JOIN LATERAL (SELECT aid, village, incident FROM award WHERE county = p.county AND id = p.award LIMIT 1) a
    LEFT JOIN LATERAL (SELECT status FROM confirmation WHERE county = p.county AND payment = p.id LIMIT 1) f ON true
    WHERE p.trouble = ANY ($3::text[]) AND (p.county, p.id) > ($5, $6) AND ($4::text[] IS NULL OR f.status = ANY ($4))
      AND a.village LIKE ANY ($1::text[]) AND ($2::uuid IS NULL OR a.incident = $2)
      AND (NOT $8 OR NOT EXISTS (SELECT FROM payment n WHERE n.county = p.county AND n.instalment = p.instalment AND n.attempt > p.attempt))
    ORDER BY p.county, p.id LIMIT $7
)
SELECT p.county, p.id, p.reference, p.household, p.aid, i.seq, p.attempt, p.amount_fen, p.status, p.reason, p.bank, b.number AS batch_number, p.created_at,
       p.sent_at, p.settled_at, v.name AS village_name, e.id AS person, e.sealed AS sealed_person, p.confirmation
FROM page p
JOIN instalment i ON i.county = p.county AND i.id = p.instalment
JOIN person e ON e.county = p.county AND e.id = p.payee
JOIN region v ON v.code = p.village
LEFT JOIN batch b ON b.county = p.county AND b.id = p.batch
ORDER BY p.county, p.id
"""
# What a page asks for is little and its order is that of an index: sorting or hashing a whole table is never the way.
_PAGED = """
SELECT set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true)
"""
#: The statuses an index finds.
_TROUBLES: Final = frozenset({"returned", "unknown", "cancelled"})


class Fund(msgspec.Struct, frozen=True):
    """A fund and where its money is (fen)."""

    county: str
    county_name: str
    id: UUID
    source: str
    year: int
    document: str
    budget_item: str
    purpose: str
    incident: UUID
    incident_name: str
    drill: bool
    allocated_fen: int
    available_fen: int
    reserved_fen: int
    in_flight_fen: int
    paid_fen: int


class PaymentRow(msgspec.Struct, frozen=True):
    """One attempt in a list; its payee still sealed."""

    county: str
    id: UUID
    reference: str
    household: UUID
    aid: str
    seq: int
    attempt: int
    amount_fen: int
    status: str
    reason: str | None
    bank: str
    batch_number: str | None
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    village_name: str
    person: UUID
    sealed_person: bytes
    confirmation: str | None


async def funds(tx: Tx, after: str | None, limit: int) -> list[Fund]:
    """A page of funds; `after` is 'county id'."""
    return await many(tx, _FUNDS, Fund, after, limit)


class Filter(msgspec.Struct, frozen=True):
    """Which attempts: of an incident, in these states, with these answers; `last_only` leaves out those tried again since."""

    incident: UUID | None = None
    statuses: Sequence[str] | None = None
    confirmations: Sequence[str] | None = None
    last_only: bool = False


async def payments(tx: Tx, villages: Sequence[str], only: Filter, after: tuple[str, UUID], limit: int) -> list[PaymentRow]:
    """A page of payment attempts after (county, id)."""
    sql = _IN_TROUBLE if only.statuses and _TROUBLES.issuperset(only.statuses) else _PAYMENTS
    await run(tx, _PAGED)
    return await many(tx, sql, PaymentRow, list(villages), only.incident, only.statuses, only.confirmations, *after, limit, only.last_only)
