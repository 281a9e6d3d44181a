"""Work lists of the township desk: returned payments, corrected accounts, evidence, messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

_RETURNED = """
SELECT p.county, p.id AS payment, n.drill, p.household, p.amount_fen, p.reason, p.settled_at, v.name AS village_name, e.id AS person, e.sealed AS sealed_person,
       c.id AS account, c.sealed AS sealed_account
FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award JOIN incident n ON n.id = a.incident JOIN region v ON v.code = a.village
JOIN person e ON e.county = p.county AND e.id = p.payee JOIN account c ON c.county = p.county AND c.id = p.account
WHERE p.trouble = 'returned' AND a.village LIKE ANY ($1::text[])
  AND NOT EXISTS (SELECT FROM payment n WHERE n.county = p.county AND n.instalment = p.instalment AND n.attempt > p.attempt)
  AND NOT EXISTS (SELECT FROM account x WHERE x.county = p.county AND x.person = p.payee AND x.status = 'proposed')
ORDER BY p.settled_at, p.id LIMIT 200
"""
_PROPOSED = """
SELECT c.county, c.id, n.drill, c.id AS account, c.person, c.sealed AS sealed_account, c.bank, c.proposed_at, s.name AS proposed_by, c.proposed_by = $2 AS own,
       e.sealed AS sealed_person, e.household, v.name AS village_name
FROM account c
JOIN person e ON e.county = c.county AND e.id = c.person
JOIN household h ON h.county = e.county AND h.id = e.household JOIN incident n ON n.id = h.incident JOIN region v ON v.code = h.village
LEFT JOIN staff s ON s.id = c.proposed_by
WHERE c.status = 'proposed' AND h.village LIKE ANY ($1::text[]) ORDER BY c.proposed_at, c.id LIMIT 200
"""
_EVIDENCE = """
SELECT v.county, v.id, n.drill, v.kind, v.note, v.digest, v.submitted_at, s.name AS submitted_by, v.submitted_by = $2 AS own, i.seq, i.amount_fen, a.aid, a.household,
       r.name AS village_name, e.id AS person, e.sealed AS sealed_person
FROM evidence v JOIN instalment i ON i.county = v.county AND i.id = v.instalment
JOIN award a ON a.county = i.county AND a.id = i.award JOIN incident n ON n.id = a.incident JOIN region r ON r.code = a.village
JOIN person e ON e.county = a.county AND e.id = a.payee
LEFT JOIN staff s ON s.id = v.submitted_by
WHERE v.status = 'submitted' AND a.village LIKE ANY ($1::text[]) ORDER BY v.submitted_at, v.id LIMIT 500
"""
_AWAITED = """
SELECT p.county, p.id AS payment, n.drill, p.household, p.amount_fen, a.aid, p.settled_at, v.name AS village_name, e.id AS person, e.sealed AS sealed_person,
       e.phone_route
FROM confirmation f
JOIN payment p ON p.county = f.county AND p.id = f.payment JOIN award a ON a.county = p.county AND a.id = p.award
JOIN incident n ON n.id = a.incident JOIN region v ON v.code = a.village JOIN person e ON e.county = p.county AND e.id = p.payee
WHERE f.status IN ('awaited', 'silent') AND a.village LIKE ANY ($1::text[])
ORDER BY e.phone_route = 'two way', a.village, p.id LIMIT 200
"""
_MESSAGES = """
SELECT m.county, m.id, m.drill, m.event, m.template, m.sealed, m.route, m.status, m.error, m.tries, m.queued_at, m.sent_at, m.ended_at, p.household, v.name AS village_name,
       f.status AS confirmation, f.way
FROM message m
JOIN payment p ON p.county = m.county AND p.id = m.payment JOIN award a ON a.county = p.county AND a.id = p.award JOIN region v ON v.code = a.village
LEFT JOIN confirmation f ON f.county = m.county AND f.payment = m.payment
WHERE a.village LIKE ANY ($1::text[]) AND ($2::text[] IS NULL OR m.status = ANY ($2)) AND (m.county, m.id) > ($3, $4)
ORDER BY m.county, m.id LIMIT $5
"""
_MESSAGE_COUNTS = """
SELECT m.status, count(*) AS messages FROM message m
JOIN payment p ON p.county = m.county AND p.id = m.payment JOIN award a ON a.county = p.county AND a.id = p.award
WHERE a.village LIKE ANY ($1::text[]) GROUP BY m.status
"""


class Returned(msgspec.Struct, frozen=True):
    """A returned payment whose account nobody has corrected yet."""

    county: str
    payment: UUID
    drill: bool
    household: UUID
    amount_fen: int
    reason: str | None
    settled_at: datetime
    village_name: str
    person: UUID
    sealed_person: bytes
    account: UUID
    sealed_account: bytes


class ProposedAccount(msgspec.Struct, frozen=True):
    """A corrected account waiting for a second pair of eyes; `own` where the reader proposed it."""

    county: str
    id: UUID
    account: UUID
    person: UUID
    sealed_account: bytes
    bank: str
    drill: bool
    proposed_at: datetime
    proposed_by: str | None
    own: bool
    sealed_person: bytes
    household: UUID
    village_name: str


class Piece(msgspec.Struct, frozen=True):
    """Evidence waiting to be accepted."""

    county: str
    id: UUID
    drill: bool
    kind: str
    note: str
    digest: bytes
    submitted_at: datetime
    submitted_by: str | None
    own: bool
    seq: int
    amount_fen: int
    aid: str
    household: UUID
    village_name: str
    person: UUID
    sealed_person: bytes


class Awaited(msgspec.Struct, frozen=True):
    """A paid payment nobody has confirmed yet."""

    county: str
    payment: UUID
    drill: bool
    household: UUID
    amount_fen: int
    aid: str
    settled_at: datetime
    village_name: str
    person: UUID
    sealed_person: bytes
    phone_route: str


class Message(msgspec.Struct, frozen=True):
    """A message, its number and text still sealed."""

    county: str
    id: UUID
    drill: bool
    event: str
    template: str
    sealed: bytes
    route: str
    status: str
    error: str | None
    tries: int
    queued_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    household: UUID
    village_name: str
    confirmation: str | None
    way: str | None


class MessageCount(msgspec.Struct, frozen=True):
    """Messages in one state."""

    status: str
    messages: int


async def returned(tx: Tx, villages: Sequence[str]) -> list[Returned]:
    """Returned payments to correct, oldest first."""
    return await many(tx, _RETURNED, Returned, list(villages))


async def proposed_accounts(tx: Tx, villages: Sequence[str], person: UUID) -> list[ProposedAccount]:
    """Corrections to confirm, oldest first."""
    return await many(tx, _PROPOSED, ProposedAccount, list(villages), person)


async def evidence(tx: Tx, villages: Sequence[str], person: UUID) -> list[Piece]:
    """Evidence to accept, oldest first."""
    return await many(tx, _EVIDENCE, Piece, list(villages), person)


async def awaited(tx: Tx, villages: Sequence[str]) -> list[Awaited]:
    """Payments to ask about in person, by village; those who can answer by message come last."""
    return await many(tx, _AWAITED, Awaited, list(villages))


async def messages(tx: Tx, villages: Sequence[str], statuses: Sequence[str] | None, after: tuple[str, UUID], limit: int) -> list[Message]:
    """A page of messages after (county, id)."""
    return await many(tx, _MESSAGES, Message, list(villages), statuses and list(statuses), *after, limit)


async def message_counts(tx: Tx, villages: Sequence[str]) -> list[MessageCount]:
    """How many messages are in which state."""
    return await many(tx, _MESSAGE_COUNTS, MessageCount, list(villages))
