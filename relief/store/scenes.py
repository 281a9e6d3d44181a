"""Plain questions the demo asks of the database between its acts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one, value


class Place(msgspec.Struct, frozen=True):
    """A village with its point (EPSG:4490) and the names above it."""

    code: str
    lon: float
    lat: float
    township: str
    township_name: str
    county: str
    county_name: str


_ANY_HOUSEHOLD = "SELECT county, id, village FROM household WHERE incident = $1 AND status = 'verified' ORDER BY id LIMIT 1"


class Home(msgspec.Struct, frozen=True):
    """One household and its village."""

    county: str
    id: UUID
    village: str


class Pick(msgspec.Struct, frozen=True):
    """A row to act on: its id, its village, and what it is about."""

    id: UUID
    county: str
    village: str
    amount_fen: int


class Overpaid(msgspec.Struct, frozen=True):
    """A paid payment with a later stage to come, and a tenth of it in fen."""

    payment: UUID
    county: str
    stage: UUID
    amount_fen: int


class Paid(msgspec.Struct, frozen=True):
    """A paid payment still waiting for its answer, with the way it can come."""

    payment: UUID
    household: UUID
    county: str
    village: str
    route: str


_VILLAGES = """
SELECT v.code, v.lon, v.lat, t.code AS township, t.name AS township_name, c.code AS county, c.name AS county_name
FROM region v JOIN region t ON t.code = v.parent JOIN region c ON c.code = t.parent
WHERE v.level = 'village' AND v.lon BETWEEN $1 AND $3 AND v.lat BETWEEN $2 AND $4 ORDER BY v.code
"""
_PROPOSED = """
SELECT a.id, a.county, a.village, a.amount_fen FROM proposal q JOIN award a ON a.county = q.county AND a.id = q.award
WHERE q.county = $1 AND a.status = 'proposed' AND a.mode = $2 ORDER BY a.id
"""
_BATCHES = "SELECT id, digest FROM batch WHERE county = $1 AND status = $2 ORDER BY id"
_PAYMENTS = "SELECT status AS key, count(*) AS count, coalesce(sum(amount_fen), 0)::bigint AS amount_fen FROM payment GROUP BY status"
_MESSAGES = "SELECT status AS key, count(*) AS count, 0::bigint AS amount_fen FROM message GROUP BY status"
_RETURNED = """
SELECT DISTINCT ON (p.county, p.payee) p.id, p.county, h.village, p.amount_fen
FROM payment p JOIN household h ON h.county = p.county AND h.id = p.household
WHERE p.status = 'returned' AND NOT EXISTS (
    SELECT FROM payment later WHERE later.county = p.county AND later.instalment = p.instalment AND later.attempt > p.attempt)
  AND NOT EXISTS (SELECT FROM hold o WHERE o.county = p.county AND o.kind = 'award' AND o.subject = p.award::text)
ORDER BY p.county, p.payee, p.id
"""
_UNFIT = """
SELECT DISTINCT ON (p.county, p.payee) p.id, p.county, a.village, p.amount_fen FROM unfit_line u JOIN payment p ON p.county = u.county AND p.id = u.payment
JOIN award a ON a.county = p.county AND a.id = p.award WHERE u.closed_at IS NULL ORDER BY p.county, p.payee, p.id
"""
_STRANGE = "SELECT county, file, row FROM bank_row WHERE disposition = 'exception' AND closed_at IS NULL AND code = ANY ($1::text[]) ORDER BY county, file, row"
_WAITING = """
SELECT i.id, i.county, a.village, i.amount_fen FROM instalment i JOIN award a ON a.county = i.county AND a.id = i.award
WHERE i.status = 'waiting' AND i.condition = $1 AND a.status = 'approved' ORDER BY i.county, i.id
"""
_OVERPAID = """
SELECT p.id AS payment, p.county, i.id AS stage, least(p.amount_fen, i.amount_fen) / 10 AS amount_fen
FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award AND a.status = 'approved'
JOIN instalment i ON i.county = a.county AND i.award = a.id AND i.status = 'waiting'
WHERE p.status = 'paid' ORDER BY p.county, p.id, i.seq LIMIT 1
"""
_UNANSWERED = """
SELECT c.payment, c.household, c.county, h.village, e.phone_route AS route
FROM confirmation c
JOIN household h ON h.county = c.county AND h.id = c.household
JOIN person e ON e.county = c.county AND e.household = c.household AND e.role = 'householder'
WHERE c.status = 'awaited' ORDER BY c.county, c.payment
"""
_OPEN_MESSAGES = "SELECT count(*) FROM message WHERE status IN ('queued', 'sending', 'sent', 'unknown')"
_TWO_WAY_AWAITED = """
SELECT count(*) FROM confirmation c JOIN person e ON e.county = c.county AND e.household = c.household AND e.role = 'householder'
WHERE c.status = 'awaited' AND e.phone_route = 'two way'
"""
_REAL = "SELECT EXISTS (SELECT FROM incident WHERE NOT drill)"


class Tally(msgspec.Struct, frozen=True):
    """Count and fen of a state."""

    key: str
    count: int
    amount_fen: int


async def villages(tx: Tx, west: float, south: float, east: float, north: float) -> list[Place]:
    """Villages whose point lies in the box (degrees)."""
    return await many(tx, _VILLAGES, Place, west, south, east, north)


async def proposed(tx: Tx, county: str, mode: str) -> list[Pick]:
    """Awards waiting for approval."""
    return await many(tx, _PROPOSED, Pick, county, mode)


class Sealed(msgspec.Struct, frozen=True):
    """A batch with its digest."""

    id: UUID
    digest: bytes


async def batches(tx: Tx, county: str, status: str) -> list[Sealed]:
    """Batches of a county in a state."""
    return await many(tx, _BATCHES, Sealed, county, status)


async def payments(tx: Tx) -> dict[str, Tally]:
    """Payments by state."""
    return {t.key: t for t in await many(tx, _PAYMENTS, Tally)}


async def messages(tx: Tx) -> dict[str, Tally]:
    """Messages by state."""
    return {t.key: t for t in await many(tx, _MESSAGES, Tally)}


async def returned(tx: Tx) -> list[Pick]:
    """Returned payments without a later attempt and without a hold, one of each person: a corrected card serves all."""
    return await many(tx, _RETURNED, Pick)


async def unfit(tx: Tx) -> list[Pick]:
    """Payments whose line a bank's file cannot hold, one of each person."""
    return await many(tx, _UNFIT, Pick)


class Strange(msgspec.Struct, frozen=True):
    """A row of a bank file that nobody could place."""

    county: str
    file: UUID
    row: int


async def strange(tx: Tx, codes: Sequence[str]) -> list[Strange]:
    """Open exceptions of these kinds."""
    return await many(tx, _STRANGE, Strange, list(codes))


async def waiting(tx: Tx, condition: str) -> list[Pick]:
    """Instalments of approved awards waiting for that evidence."""
    return await many(tx, _WAITING, Pick, condition)


async def overpaid(tx: Tx) -> list[Overpaid]:
    """One payment to be found too high, if there is one with a stage to come."""
    return await many(tx, _OVERPAID, Overpaid)


async def unanswered(tx: Tx) -> list[Paid]:
    """Paid payments whose household has not answered."""
    return await many(tx, _UNANSWERED, Paid)


async def open_messages(tx: Tx) -> int:
    """Messages not yet at their end."""
    return int(await value(tx, _OPEN_MESSAGES))


async def two_way_awaited(tx: Tx) -> int:
    """Unanswered payments of people whose phone can answer."""
    return int(await value(tx, _TWO_WAY_AWAITED))


class FundLine(msgspec.Struct, frozen=True):
    """One fund with its equation, in fen."""

    county: str
    source: str
    document: str
    purpose: str
    allocated_fen: int
    available_fen: int
    reserved_fen: int
    in_flight_fen: int
    paid_fen: int


class Clock(msgspec.Struct, frozen=True):
    """A county's clock: from its activation to its first payment."""

    county: str
    activated_at: datetime
    first_paid_at: datetime | None


_FUNDS = """
SELECT county, source, document, purpose, allocated_fen, available_fen, reserved_fen, in_flight_fen, paid_fen FROM fund ORDER BY county, purpose, document
"""
_CLOCKS = """
SELECT a.county, a.activated_at, (SELECT min(p.settled_at) FROM payment p WHERE p.county = a.county AND p.status = 'paid') AS first_paid_at
FROM county_activation a WHERE a.status = 'active' ORDER BY a.county
"""
_STATES = """
SELECT 'households ' || status AS key, count(*) AS count, 0::bigint AS amount_fen FROM household GROUP BY status
UNION ALL SELECT 'awards ' || aid || ' ' || status, count(*), sum(amount_fen)::bigint FROM award GROUP BY aid, status
UNION ALL SELECT 'instalments ' || status, count(*), sum(amount_fen)::bigint FROM instalment GROUP BY status
UNION ALL SELECT 'payments ' || status, count(*), sum(amount_fen)::bigint FROM payment GROUP BY status
UNION ALL SELECT 'batches ' || status, count(*), sum(total_fen)::bigint FROM batch GROUP BY status
UNION ALL SELECT 'messages ' || status, count(*), 0 FROM message GROUP BY status
UNION ALL SELECT 'confirmations ' || status || coalesce(' by ' || way, ''), count(*), 0 FROM confirmation GROUP BY status, way
UNION ALL SELECT 'complaints ' || status, count(*), 0 FROM complaint GROUP BY status
UNION ALL SELECT 'bank rows ' || disposition, count(*), 0 FROM bank_row GROUP BY disposition
ORDER BY 1
"""


async def funds(tx: Tx) -> list[FundLine]:
    """Every fund."""
    return await many(tx, _FUNDS, FundLine)


async def clocks(tx: Tx) -> list[Clock]:
    """Every active county's clock."""
    return await many(tx, _CLOCKS, Clock)


async def states(tx: Tx) -> list[Tally]:
    """Counts and fen per state of every noun."""
    return await many(tx, _STATES, Tally)


async def real_data(tx: Tx) -> bool:
    """True when the database holds an incident that is no drill."""
    return bool(await value(tx, _REAL))


async def any_household(tx: Tx, incident: UUID) -> Home:
    """A household whose first aid was approved."""
    return await one(tx, _ANY_HOUSEHOLD, Home, incident)
