"""What an auditor reads: acts, one payment from phone to statement, samples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one

# '000000' is for whoever reads a whole province: acts on reference tables and sign-ins belong to no county.
_ACTS = """
SELECT a.county, coalesce(r.name, a.county) AS county_name, a.id, a.at, s.name AS actor, s.login, a.act, a.subject, a.count, a.digest,
       a.detail::text AS detail, e.seq
FROM audit a LEFT JOIN staff s ON s.id = a.actor LEFT JOIN region r ON r.code = a.county
LEFT JOIN audit_seal e ON e.county = a.county AND e.id = a.id
WHERE a.county LIKE ANY ($1::text[]) AND ($2::text IS NULL OR a.county = $2) AND ($3::text IS NULL OR s.login = $3 OR s.name = $3)
  AND ($4::text IS NULL OR a.act LIKE $4 || '%') AND ($5::timestamptz IS NULL OR a.at >= $5) AND ($6::timestamptz IS NULL OR a.at < $6)
  AND ($7::bytea IS NULL OR a.digest = $7) AND ($8::timestamptz IS NULL OR (a.at, a.id) < ($8, $9::uuid))
ORDER BY a.at DESC, a.id DESC LIMIT $10
"""
_BY_REFERENCE = """
SELECT p.county, p.id FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award WHERE p.reference = $1 AND a.village LIKE ANY ($2::text[])
"""
_PAYMENT = """
SELECT p.county, r.name AS county_name, p.id, p.reference, p.amount_fen, p.status, p.attempt, p.reason, p.bank, p.bank_ref, i.seq, a.aid, a.mode,
       p.household, p.award, p.batch, b.number AS batch_number, e.id AS person, e.sealed AS sealed_person, c.id AS account, c.sealed AS sealed_account,
       c.version AS account_version, v.name AS village_name, n.drill, d.facts::text AS facts, d.reasons, k.version AS playbook
FROM payment p
JOIN award a ON a.county = p.county AND a.id = p.award JOIN instalment i ON i.county = p.county AND i.id = p.instalment
JOIN region r ON r.code = p.county JOIN region v ON v.code = a.village JOIN incident n ON n.id = a.incident
JOIN person e ON e.county = p.county AND e.id = p.payee JOIN account c ON c.county = p.county AND c.id = p.account
LEFT JOIN decision d ON d.county = a.county AND d.id = a.decision LEFT JOIN playbook k ON k.id = d.playbook
LEFT JOIN batch b ON b.county = p.county AND b.id = p.batch
WHERE p.county = $1 AND p.id = $2 AND a.village LIKE ANY ($3::text[])
"""
# Everything on the way of one payment. The moment of a fact is that of the act it was done in, to the microsecond: that is how the
# acts stand beside the facts.
_WAY = """
SELECT at, noun, state, fen, note, who FROM (
    SELECT h.received_at AS at, 'household' AS noun, 'registered' AS state, NULL::bigint AS fen, h.slip AS note, s.name AS who
    FROM payment p JOIN household h ON h.county = p.county AND h.id = p.household LEFT JOIN staff s ON s.id = h.registered_by
    WHERE p.county = $1 AND p.id = $2
    UNION ALL
    SELECT d.decided_at, 'decision', 'current', d.amount_fen, array_to_string(d.reasons, ' '), NULL
    FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award JOIN decision d ON d.county = a.county AND d.id = a.decision
    WHERE p.county = $1 AND p.id = $2
    UNION ALL
    SELECT g.signed_at, 'signature', g.step, NULL, encode(g.digest, 'hex'), s.name
    FROM payment p JOIN signature g ON g.county = p.county AND g.subject IN (p.award, p.batch) AND g.step <> 'line'
    LEFT JOIN staff s ON s.id = g.person WHERE p.county = $1 AND p.id = $2
    UNION ALL
    SELECT c.proposed_at, 'account', c.status, NULL, c.version::text, s.name
    FROM payment p JOIN account c ON c.county = p.county AND c.person = p.payee AND c.version > 1 LEFT JOIN staff s ON s.id = c.proposed_by
    WHERE p.county = $1 AND p.id = $2
    UNION ALL
    SELECT p.created_at, 'payment', 'approved', p.amount_fen, p.reference, NULL FROM payment p WHERE p.county = $1 AND p.id = $2
    UNION ALL
    SELECT b.frozen_at, 'batch', 'frozen', b.total_fen, b.number || ' #' || p.line, NULL
    FROM payment p JOIN batch b ON b.county = p.county AND b.id = p.batch WHERE p.county = $1 AND p.id = $2
    UNION ALL
    SELECT b.sent_at, 'batch', 'sent', b.total_fen, encode(b.digest, 'hex'), NULL
    FROM payment p JOIN batch b ON b.county = p.county AND b.id = p.batch WHERE p.county = $1 AND p.id = $2
    UNION ALL
    SELECT t.at, 'transfer', t.source || ' → ' || t.target, t.amount_fen, NULL, NULL
    FROM transfer t WHERE t.county = $1 AND t.subject_id IN ($2, (SELECT award FROM payment WHERE county = $1 AND id = $2))
    UNION ALL
    SELECT f.received_at, 'bank', w.outcome, w.amount_fen, f.name || ' #' || w.row || coalesce(' ' || w.bank_ref, ''), NULL
    FROM bank_row w JOIN bank_file f ON f.county = w.county AND f.id = w.file WHERE w.county = $1 AND w.payment = $2
    UNION ALL
    SELECT unnest(ARRAY[m.queued_at, m.sent_at, m.ended_at]), 'message', unnest(ARRAY['queued', 'sent', m.status]), NULL, m.template, NULL
    FROM message m WHERE m.county = $1 AND m.payment = $2
    UNION ALL
    SELECT f.given_at, 'confirmation', f.status, NULL, f.way, s.name
    FROM confirmation f LEFT JOIN staff s ON s.id = f.by_person WHERE f.county = $1 AND f.payment = $2
    UNION ALL
    SELECT unnest(ARRAY[k.opened_at, k.closed_at]), 'complaint', unnest(ARRAY['open', 'closed']), NULL, k.kind, NULL
    FROM complaint k WHERE k.county = $1 AND k.payment = $2
) y WHERE at IS NOT NULL ORDER BY at, array_position(
    ARRAY['household', 'decision', 'signature', 'account', 'payment', 'transfer', 'batch', 'bank', 'message', 'confirmation', 'complaint'], noun)
"""
_BESIDE = """
SELECT a.at, a.act, a.count, a.digest, e.seq, s.name AS actor FROM audit a LEFT JOIN staff s ON s.id = a.actor
LEFT JOIN audit_seal e ON e.county = a.county AND e.id = a.id WHERE a.county = $1 AND a.at = ANY ($2::timestamptz[]) ORDER BY a.at, e.seq
"""
_SAMPLES = """
SELECT s.county, r.name AS county_name, s.id, s.incident, n.name AS incident_name, n.drill, s.seed, s.size, s.strata, p.name AS drawn_by, s.drawn_at,
       count(i.finding) AS found, count(i.finding) FILTER (WHERE i.finding <> 'fine') AS wrong, coalesce(sum(i.wrong_fen), 0)::bigint AS wrong_fen
FROM post_audit s JOIN region r ON r.code = s.county JOIN incident n ON n.id = s.incident LEFT JOIN staff p ON p.id = s.drawn_by
JOIN post_audit_item i ON i.county = s.county AND i.post_audit = s.id
WHERE s.county LIKE ANY ($1::text[]) AND ($2::uuid IS NULL OR s.id = $2)
GROUP BY s.county, r.name, s.id, n.name, n.drill, p.name ORDER BY s.drawn_at DESC LIMIT 100
"""
_ITEMS = """
SELECT i.county, i.payment, i.stratum, i.finding, i.wrong_fen, i.note, f.name AS found_by, i.found_at, p.reference, p.amount_fen, p.status, a.aid,
       v.name AS village_name, p.household, e.id AS person, e.sealed AS sealed_person
FROM post_audit_item i JOIN payment p ON p.county = i.county AND p.id = i.payment JOIN award a ON a.county = p.county AND a.id = p.award
JOIN region v ON v.code = a.village JOIN person e ON e.county = p.county AND e.id = p.payee LEFT JOIN staff f ON f.id = i.found_by
WHERE i.county = $1 AND i.post_audit = $2 ORDER BY i.finding IS NOT NULL, i.stratum, i.payment
"""
_COUNTIES = """
SELECT DISTINCT a.county AS code, r.name FROM award a JOIN region r ON r.code = a.county WHERE a.incident = $1 AND a.county LIKE ANY ($2::text[]) ORDER BY 1
"""


class Filter(msgspec.Struct, frozen=True):
    """Which acts: everything is optional; `digest` is that of a set of one id."""

    county: str | None = None
    actor: str | None = None
    act: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    digest: bytes | None = None


class Act(msgspec.Struct, frozen=True):
    """One act; `seq` is its number in its county's chain once it is sealed, `detail` JSON."""

    county: str
    county_name: str
    id: UUID
    at: datetime
    actor: str | None
    login: str | None
    act: str
    subject: str
    count: int
    digest: bytes
    detail: str
    seq: int | None


class Place(msgspec.Struct, frozen=True):
    """A payment's address."""

    county: str
    id: UUID


class Payment(msgspec.Struct, frozen=True):
    """One payment with what it rests on; its people still sealed."""

    county: str
    county_name: str
    id: UUID
    reference: str
    amount_fen: int
    status: str
    attempt: int
    reason: str | None
    bank: str
    bank_ref: str | None
    seq: int
    aid: str
    mode: str
    household: UUID
    award: UUID
    batch: UUID | None
    batch_number: str | None
    person: UUID
    sealed_person: bytes
    account: UUID
    sealed_account: bytes
    account_version: int
    village_name: str
    drill: bool
    facts: str | None
    reasons: list[str] | None
    playbook: str | None


class Step(msgspec.Struct, frozen=True):
    """Something on the way of a payment."""

    at: datetime
    noun: str
    state: str
    fen: int | None
    note: str | None
    who: str | None


class Beside(msgspec.Struct, frozen=True):
    """An act at the moment of a step."""

    at: datetime
    act: str
    count: int
    digest: bytes
    seq: int | None
    actor: str | None


class Sample(msgspec.Struct, frozen=True):
    """A post-audit sample and how far it is; `strata` is stratum → [payments, drawn]."""

    county: str
    county_name: str
    id: UUID
    incident: UUID
    incident_name: str
    drill: bool
    seed: str
    size: int
    strata: dict[str, list[int]]
    drawn_by: str | None
    drawn_at: datetime
    found: int
    wrong: int
    wrong_fen: int


class Item(msgspec.Struct, frozen=True):
    """One payment of a sample."""

    county: str
    payment: UUID
    stratum: str
    finding: str | None
    wrong_fen: int
    note: str
    found_by: str | None
    found_at: datetime | None
    reference: str
    amount_fen: int
    status: str
    aid: str
    village_name: str
    household: UUID
    person: UUID
    sealed_person: bytes


class County(msgspec.Struct, frozen=True):
    """A county in which an incident has awards."""

    code: str
    name: str


async def acts(tx: Tx, counties: Sequence[str], wanted: Filter, after: tuple[datetime, UUID] | None, limit: int) -> list[Act]:
    """A page of acts, newest first."""
    w = wanted
    return await many(tx, _ACTS, Act, list(counties), w.county, w.actor, w.act, w.since, w.until, w.digest, *(after or (None, None)), limit)


async def by_reference(tx: Tx, reference: str, villages: Sequence[str]) -> Place | None:
    """The payment of that 业务流水号."""
    return await maybe(tx, _BY_REFERENCE, Place, reference, list(villages))


async def payment(tx: Tx, county: str, id_: UUID, villages: Sequence[str]) -> Payment:
    """One payment."""
    return await one(tx, _PAYMENT, Payment, county, id_, list(villages))


async def way(tx: Tx, county: str, id_: UUID) -> list[Step]:
    """Everything on its way, oldest first."""
    return await many(tx, _WAY, Step, county, id_)


async def beside(tx: Tx, county: str, moments: Sequence[datetime]) -> list[Beside]:
    """Acts of the county at exactly these moments."""
    return await many(tx, _BESIDE, Beside, county, list(moments))


async def samples(tx: Tx, counties: Sequence[str], sample: UUID | None = None) -> list[Sample]:
    """Samples, newest first."""
    return await many(tx, _SAMPLES, Sample, list(counties), sample)


async def items(tx: Tx, county: str, sample: UUID) -> list[Item]:
    """Payments of a sample, those without a finding first."""
    return await many(tx, _ITEMS, Item, county, sample)


async def counties(tx: Tx, incident: UUID, patterns: Sequence[str]) -> list[County]:
    """Where an incident has awards."""
    return await many(tx, _COUNTIES, County, incident, list(patterns))
