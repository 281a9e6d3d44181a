"""Awards to approve, batches to sign, funds, payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one

_GROUPS = """
SELECT a.county, r.name AS county_name, a.incident, i.name AS incident_name, i.drill, a.mode, a.aid, count(*) AS awards, sum(a.amount_fen)::bigint AS fen,
       min(a.proposed_at) AS oldest
FROM award a JOIN region r ON r.code = a.county JOIN incident i ON i.id = a.incident
WHERE a.status = 'proposed' AND ((a.mode = 'A' AND a.village LIKE ANY ($1::text[])) OR (a.mode <> 'A' AND a.village LIKE ANY ($2::text[])))
GROUP BY a.county, r.name, a.incident, i.name, i.drill, a.mode, a.aid ORDER BY min(a.proposed_at), a.county, a.aid
"""
_PROPOSED = """
SELECT a.id, a.household, a.aid, a.mode, a.amount_fen, a.village, v.name AS village_name, a.proposed_at, h.members, h.family_type, h.rooms_collapsed,
       h.rooms_severe, h.rooms_moderate, h.relocated, e.id AS person, e.sealed AS sealed_person, d.reasons, coalesce(l.edge, false) AS edge,
       EXISTS (SELECT FROM signature s WHERE s.county = a.county AND s.subject = a.id AND s.step = 'register' AND s.person = $7) AS own,
       EXISTS (SELECT FROM hold o WHERE o.county = a.county AND o.valid_from <= $8 AND (o.valid_to IS NULL OR o.valid_to > $8)
               AND (o.kind, o.subject) IN (('award', a.id::text), ('household', a.household::text), ('village', a.village))) AS held,
       EXISTS (SELECT FROM account c JOIN account x ON x.account_hash = c.account_hash AND x.person <> c.person
               WHERE c.county = a.county AND c.person = a.payee AND c.status = 'current') AS shared_account,
       a.amount_fen > 3 * avg(a.amount_fen) OVER () AS large
FROM award a
JOIN household h ON h.county = a.county AND h.id = a.household
JOIN person e ON e.county = a.county AND e.id = a.payee
JOIN decision d ON d.county = a.county AND d.id = a.decision
JOIN region v ON v.code = a.village
LEFT JOIN location l ON l.county = a.county AND l.zone = d.zone AND l.household = a.household
WHERE a.county = $1 AND a.incident = $2 AND a.mode = $3 AND a.aid = $4 AND a.status = 'proposed' AND a.village LIKE ANY ($5::text[])
ORDER BY a.village, a.id LIMIT $6
"""
_STAGES = """
SELECT seq, condition, sum(amount_fen)::bigint AS fen, count(*) AS instalments FROM instalment
WHERE county = $1 AND award = ANY ($2::uuid[]) GROUP BY seq, condition ORDER BY seq
"""
_BATCHES = """
SELECT b.county, r.name AS county_name, b.id, b.number, b.incident, b.project, b.period, b.bank, b.drill, b.status, b.lines, b.total_fen, b.digest,
       b.frozen_at, b.sent_at,
       coalesce(array_agg(s.step || ' ' || t.name ORDER BY s.signed_at) FILTER (WHERE s.step <> 'line'), '{}') AS signers,
       coalesce(bool_or(s.person = $2), false) AS acted
FROM batch b JOIN region r ON r.code = b.county
LEFT JOIN signature s ON s.county = b.county AND s.subject = b.id AND s.kind = 'batch'
LEFT JOIN staff t ON t.id = s.person
WHERE ($1::text[] IS NULL OR b.status = ANY ($1)) AND ($3::text IS NULL OR (b.county, b.id::text) > (split_part($3, ' ', 1), split_part($3, ' ', 2)))
GROUP BY b.county, r.name, b.id ORDER BY b.county, b.id LIMIT $4
"""
_BATCH = """
SELECT b.county, r.name AS county_name, b.id, b.number, b.incident, b.project, b.period, b.bank, b.drill, b.status, b.lines, b.total_fen, b.digest,
       b.frozen_at, b.sent_at,
       coalesce(array_agg(s.step || ' ' || t.name ORDER BY s.signed_at) FILTER (WHERE s.step <> 'line'), '{}') AS signers,
       coalesce(bool_or(s.person = $3), false) AS acted
FROM batch b JOIN region r ON r.code = b.county
LEFT JOIN signature s ON s.county = b.county AND s.subject = b.id AND s.kind = 'batch'
LEFT JOIN staff t ON t.id = s.person
WHERE b.county = $1 AND b.id = $2 GROUP BY b.county, r.name, b.id
"""
_BATCH_COUNTS = "SELECT status, count(*) AS batches, sum(total_fen)::bigint AS fen FROM batch GROUP BY status"
_SIGNATURES = """
SELECT s.step, t.name, s.signed_at FROM signature s JOIN staff t ON t.id = s.person
WHERE s.county = $1 AND s.subject = $2 AND s.step <> 'line' ORDER BY s.signed_at
"""
_LINES = """
SELECT p.line, p.id, p.reference, p.amount_fen, p.status, p.reason, e.id AS person, e.sealed AS sealed_person, c.id AS account, c.sealed AS sealed_account, p.household
FROM payment p
JOIN person e ON e.county = p.county AND e.id = p.payee
JOIN account c ON c.county = p.county AND c.id = p.account
WHERE p.county = $1 AND p.batch = $2 AND p.line > $3 ORDER BY p.line LIMIT $4
"""
_READY = """
SELECT p.county, r.name AS county_name, count(*) AS payments, sum(p.amount_fen)::bigint AS fen, min(p.created_at) AS oldest
FROM payment p JOIN region r ON r.code = p.county WHERE p.status = 'approved' GROUP BY p.county, r.name ORDER BY min(p.created_at)
"""
_FUNDS = """
SELECT f.county, r.name AS county_name, f.id, f.source, f.year, f.document, f.budget_item, f.purpose, f.incident, i.name AS incident_name, f.drill,
       f.allocated_fen, f.available_fen, f.reserved_fen, f.in_flight_fen, f.paid_fen
FROM fund f JOIN region r ON r.code = f.county JOIN incident i ON i.id = f.incident
WHERE ($1::text IS NULL OR (f.county || ' ' || f.id) > $1) ORDER BY f.county || ' ' || f.id LIMIT $2
"""
_PAYMENTS = """
SELECT p.county, p.id, p.reference, p.household, a.aid, i.seq, p.attempt, p.amount_fen, p.status, p.reason, p.bank, b.number AS batch_number, p.created_at,
       p.sent_at, p.settled_at, v.name AS village_name, e.id AS person, e.sealed AS sealed_person, f.status AS confirmation
FROM payment p
JOIN award a ON a.county = p.county AND a.id = p.award
JOIN instalment i ON i.county = p.county AND i.id = p.instalment
JOIN person e ON e.county = p.county AND e.id = p.payee
JOIN region v ON v.code = a.village
LEFT JOIN batch b ON b.county = p.county AND b.id = p.batch
LEFT JOIN confirmation f ON f.county = p.county AND f.payment = p.id
WHERE a.village LIKE ANY ($1::text[]) AND ($2::uuid IS NULL OR a.incident = $2) AND ($3::text[] IS NULL OR p.status = ANY ($3))
  AND ($4::text[] IS NULL OR f.status = ANY ($4)) AND (p.county, p.id) > ($5, $6)
ORDER BY p.county, p.id LIMIT $7
"""


class Group(msgspec.Struct, frozen=True):
    """Awards that may be approved together: one county, incident, mode and aid."""

    county: str
    county_name: str
    incident: UUID
    incident_name: str
    drill: bool
    mode: str
    aid: str
    awards: int
    fen: int
    oldest: datetime


class ProposedAward(msgspec.Struct, frozen=True):
    """A household in one glance, and what makes it special."""

    id: UUID
    household: UUID
    aid: str
    mode: str
    amount_fen: int
    village: str
    village_name: str
    proposed_at: datetime
    members: int
    family_type: str
    rooms_collapsed: int
    rooms_severe: int
    rooms_moderate: int
    relocated: str
    person: UUID
    sealed_person: bytes
    reasons: list[str]
    edge: bool
    own: bool
    held: bool
    shared_account: bool
    large: bool

    @property
    def special(self) -> bool:
        """Looked at one by one instead of in the bundle."""
        return self.edge or self.own or self.held or self.shared_account or self.large


class Stage(msgspec.Struct, frozen=True):
    """One stage over many awards; fen."""

    seq: int
    condition: str
    fen: int
    instalments: int


class Batch(msgspec.Struct, frozen=True):
    """A batch with its signers ('step name'); `acted` where the reader has acted on it or on a line of it."""

    county: str
    county_name: str
    id: UUID
    number: str
    incident: UUID
    project: str
    period: str
    bank: str
    drill: bool
    status: str
    lines: int
    total_fen: int
    digest: bytes
    frozen_at: datetime
    sent_at: datetime | None
    signers: list[str]
    acted: bool


class Count(msgspec.Struct, frozen=True):
    """Batches in one state."""

    status: str
    batches: int
    fen: int


class Signature(msgspec.Struct, frozen=True):
    """Who signed which step when."""

    step: str
    name: str
    signed_at: datetime


class Line(msgspec.Struct, frozen=True):
    """A line of a batch, its people still sealed."""

    line: int
    id: UUID
    reference: str
    amount_fen: int
    status: str
    reason: str | None
    person: UUID
    sealed_person: bytes
    account: UUID
    sealed_account: bytes
    household: UUID


class Ready(msgspec.Struct, frozen=True):
    """Approved payments of a county that wait to be frozen."""

    county: str
    county_name: str
    payments: int
    fen: int
    oldest: datetime


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


async def groups(tx: Tx, township: Sequence[str], county: Sequence[str]) -> list[Group]:
    """What may be approved together, oldest first; `township` areas for mode A, `county` areas for the others."""
    return await many(tx, _GROUPS, Group, list(township), list(county))


async def proposed(
    tx: Tx, county: str, incident: UUID, mode: str, aid: str, villages: Sequence[str], limit: int, person: UUID, now: datetime
) -> list[ProposedAward]:
    """The awards of one group as this person sees them."""
    return await many(tx, _PROPOSED, ProposedAward, county, incident, mode, aid, list(villages), limit, person, now)


async def stages(tx: Tx, county: str, awards: Sequence[UUID]) -> list[Stage]:
    """The schedule of these awards, summed by stage."""
    return await many(tx, _STAGES, Stage, county, list(awards))


async def batches(tx: Tx, statuses: Sequence[str] | None, person: UUID, after: str | None, limit: int) -> list[Batch]:
    """A page of batches; `after` is 'county id' of the last one seen."""
    return await many(tx, _BATCHES, Batch, statuses and list(statuses), person, after, limit)


async def batch(tx: Tx, county: str, id_: UUID, person: UUID) -> Batch:
    """One batch."""
    return await one(tx, _BATCH, Batch, county, id_, person)


async def batch_counts(tx: Tx) -> list[Count]:
    """How many batches are in which state."""
    return await many(tx, _BATCH_COUNTS, Count)


async def signatures(tx: Tx, county: str, subject: UUID) -> list[Signature]:
    """Who signed, in order."""
    return await many(tx, _SIGNATURES, Signature, county, subject)


async def lines(tx: Tx, county: str, batch_: UUID, after: int, limit: int) -> list[Line]:
    """Lines of a batch in their order, after a line number."""
    return await many(tx, _LINES, Line, county, batch_, after, limit)


async def ready(tx: Tx) -> list[Ready]:
    """Counties with payments to freeze, oldest first."""
    return await many(tx, _READY, Ready)


async def funds(tx: Tx, after: str | None, limit: int) -> list[Fund]:
    """A page of funds; `after` is 'county id'."""
    return await many(tx, _FUNDS, Fund, after, limit)


async def payments(
    tx: Tx, villages: Sequence[str], incident: UUID | None, statuses: Sequence[str] | None, confirmations: Sequence[str] | None,
    after: tuple[str, UUID], limit: int,
) -> list[PaymentRow]:  # fmt: skip
    """A page of payment attempts after (county, id)."""
    return await many(
        tx,
        _PAYMENTS,
        PaymentRow,
        list(villages),
        incident,
        statuses and list(statuses),
        confirmations and list(confirmations),
        *after,
        limit,
    )
