"""Awards on their way to approval, and the signatures that approve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one, run, value

_PROPOSED = """
SELECT id, household, payee, incident, activation, aid, mode, amount_fen, village, tops_up, office, needed, signed, delegated FROM award
WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'proposed' ORDER BY id
"""
_BARRED = """
SELECT (SELECT count(*) FROM signature WHERE county = $1 AND subject = ANY ($2::uuid[]) AND step = 'register' AND person = $3) AS own,
       (SELECT count(*) FROM signature WHERE county = $1 AND subject = ANY ($2::uuid[]) AND step <> 'register' AND person = $3) AS signed,
       (SELECT count(*) FROM award a WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND EXISTS (
            SELECT FROM hold h WHERE h.county = $1 AND h.valid_from <= $4 AND (h.valid_to IS NULL OR h.valid_to > $4)
            AND (h.kind, h.subject) IN (('award', a.id::text), ('household', a.household::text), ('village', a.village)))) AS held,
       (SELECT count(*) FROM award a WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND EXISTS (
            SELECT FROM suspected s WHERE s.county = a.county AND s.household = a.household AND (s.blocks = 'payment' OR a.mode <> 'A'))) AS suspected
"""
# What an open suspicion of a double registration stops: with an exact key everything, without one what is not a first advance.
_SIGN = """
INSERT INTO signature (county, subject, kind, step, person, digest, signed_at)
SELECT $1, subject, $3, $4, $5, $6, $7 FROM unnest($2::uuid[]) AS t (subject)
"""
# Everything an approval writes, from one look at each award: the guarded move names status and amount as they were shown. The lists
# stand beside the joins because an index can only be asked for a list, and row-level security hides from the planner how few rows it is.
_APPROVE = """
WITH given AS MATERIALIZED (
    SELECT id, fund, fen FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS t (id, fund, fen)
), approved AS (
    UPDATE award a SET status = 'approved', fund = g.fund, approved_at = $11, signed = a.signed + 1 FROM given g
    WHERE a.county = $1 AND a.id = g.id AND a.id = ANY ($2::uuid[]) AND a.status = 'proposed' AND a.amount_fen = g.fen AND a.signed + 1 = a.needed
    RETURNING a.id, a.household, a.payee, a.aid, a.fund, a.amount_fen, a.signed, a.delegated
), taken AS (
    DELETE FROM proposal WHERE county = $1 AND award = ANY ($2::uuid[])
), signed AS (
    INSERT INTO signature (county, subject, kind, step, person, delegator, digest, signed_at)
    SELECT $1, id, 'award', CASE WHEN signed = 1 THEN $7 ELSE $7 || ' ' || signed END, $8, CASE WHEN delegated THEN $14::uuid END, $9, $11 FROM approved
), reserved AS (
    INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at)
    SELECT $1, fund, 'available', 'reserved', amount_fen, 'award', id, $10, $11 FROM approved
), verified AS (
    UPDATE household SET status = 'verified' WHERE county = $1 AND id = ANY ($5::uuid[]) AND status = 'located'
), due AS (
    UPDATE instalment i SET status = CASE WHEN c.id IS NULL THEN 'due' ELSE 'released' END, due_at = $11
    FROM approved a LEFT JOIN account c ON c.county = $1 AND c.person = a.payee AND c.person = ANY ($6::uuid[]) AND c.status = 'current'
    WHERE i.county = $1 AND i.award = a.id AND i.award = ANY ($2::uuid[]) AND i.status = 'waiting' AND i.condition = 'none' AND i.seq = 1
    RETURNING i.id, i.award, i.amount_fen, a.household, a.payee, a.fund, c.id AS account, c.bank
), made AS (
    INSERT INTO payment (county, instalment, award, household, payee, account, bank, fund, attempt, reference, amount_fen, status, created_at)
    SELECT $1, id, award, household, payee, account, bank, fund, 1,
           $1 || upper(left(replace(gen_random_uuid()::text, '-', ''), 18)), amount_fen, 'approved', $11
    FROM due WHERE account IS NOT NULL
    RETURNING id
), queued AS (
    INSERT INTO payable (county, payment) SELECT $1, id FROM made
), papers AS (
    INSERT INTO paperwork (county, award, due_on, status)
    SELECT $1, a.id, p.due_on, 'open' FROM approved a JOIN unnest($12::text[], $13::date[]) AS p (aid, due_on) ON p.aid = a.aid
)
SELECT (SELECT count(*) FROM approved) AS awards, (SELECT count(*) FROM made) AS payments
"""
# One signature of several: counted on the award and kept; the money waits for the last one.
_COUNTERSIGN = """
WITH given AS MATERIALIZED (
    SELECT id, fen FROM unnest($2::uuid[], $3::bigint[]) AS t (id, fen)
), counted AS (
    UPDATE award a SET signed = a.signed + 1 FROM given g
    WHERE a.county = $1 AND a.id = g.id AND a.id = ANY ($2::uuid[]) AND a.status = 'proposed' AND a.amount_fen = g.fen AND a.signed + 1 < a.needed
    RETURNING a.id, a.signed, a.delegated
), kept AS (
    INSERT INTO signature (county, subject, kind, step, person, delegator, digest, signed_at)
    SELECT $1, id, 'award', CASE WHEN signed = 1 THEN $4 ELSE $4 || ' ' || signed END, $5, CASE WHEN delegated THEN $8::uuid END, $6, $7 FROM counted
)
SELECT count(*) FROM counted
"""
# Approvals of one county go on side by side: this lock only keeps a decision, which takes the row for itself, from changing the proposals.
_STANDING = """
SELECT p.status, p.cap_fen, p.committed_fen, a.playbook, p.activated_by FROM county_activation p JOIN activation a ON a.id = p.activation
WHERE p.county = $1 AND p.activation = $2 FOR KEY SHARE OF p
"""
# The last thing an approval does, because everybody else's waits for these rows until it is committed.
_COMMIT = """
WITH drawn AS (
    UPDATE fund f SET available_fen = available_fen - t.fen, reserved_fen = reserved_fen + t.fen
    FROM unnest($3::uuid[], $4::bigint[]) AS t (id, fen) WHERE f.county = $1 AND f.id = t.id AND f.available_fen >= t.fen
    RETURNING f.id
), capped AS (
    UPDATE county_activation SET committed_fen = committed_fen + $5
    WHERE county = $1 AND activation = $2 AND status = 'active' AND committed_fen + $5 <= cap_fen
    RETURNING id
)
SELECT (SELECT count(*) FROM drawn) AS funds, (SELECT count(*) FROM capped) AS parts
"""


class Proposed(msgspec.Struct, frozen=True):
    """An award waiting for its approval; the amount is in fen. `signed` of `needed` people of the `office` have signed it."""

    id: UUID
    household: UUID
    payee: UUID
    incident: UUID
    activation: UUID
    aid: str
    mode: str
    amount_fen: int
    village: str
    tops_up: UUID | None
    office: str
    needed: int
    signed: int
    delegated: bool

    @property
    def last(self) -> bool:
        """The next signature is the one that approves it."""
        return self.signed + 1 >= self.needed


class Act(msgspec.Struct, frozen=True):
    """What the approvals of one signature share. `papers` says per aid until when the papers of an advance must follow; `delegator` in whose
    name a delegated award is signed."""

    step: str
    person: UUID
    digest: bytes
    audit: UUID
    papers: Mapping[str, date]
    delegator: UUID | None
    now: datetime


class Released(msgspec.Struct, frozen=True):
    """How many awards were approved, and how many payments that released at once."""

    awards: int
    payments: int


class Barred(msgspec.Struct, frozen=True):
    """How many of the awards rest on this person's own registration, carry their signature already, are under a hold, may be registered twice."""

    own: int
    signed: int
    held: int
    suspected: int


class Standing(msgspec.Struct, frozen=True):
    """A county's part of an activation: the most it may spend and what it has approved so far, in fen; who started it."""

    status: str
    cap_fen: int
    committed_fen: int
    playbook: UUID
    activated_by: UUID | None


class Held(msgspec.Struct, frozen=True):
    """How many funds had enough, and whether the cap (1) or not (0)."""

    funds: int
    parts: int


async def proposed(tx: Tx, county: str, awards: Sequence[UUID]) -> list[Proposed]:
    """Those of the awards that are still proposed, in the order of their ids."""
    return await many(tx, _PROPOSED, Proposed, county, awards)


async def barred(tx: Tx, county: str, awards: Sequence[UUID], person: UUID, now: datetime) -> Barred:
    """What keeps this person from approving these awards."""
    return await one(tx, _BARRED, Barred, county, awards, person, now)


async def standing(tx: Tx, county: str, activation: UUID) -> Standing | None:
    """How the county's part of the activation stands; nothing is decided under it until this transaction ends."""
    return await maybe(tx, _STANDING, Standing, county, activation)


async def sign(tx: Tx, county: str, subjects: Sequence[UUID], kind: str, step: str, person: UUID, digest: bytes, now: datetime) -> None:
    """One signature per subject; the unique key refuses the same person twice."""
    await run(tx, _SIGN, county, subjects, kind, step, person, digest, now)


async def countersign(tx: Tx, county: str, shown: Sequence[Proposed], act: Act) -> int:
    """One more signature on awards that need another one after it; how many. The caller rolls back where some have changed."""
    columns = [a.id for a in shown], [a.amount_fen for a in shown]
    return int(await value(tx, _COUNTERSIGN, county, *columns, act.step, act.person, act.digest, act.now, act.delegator))


async def approve(tx: Tx, county: str, shown: Sequence[Proposed], funds: Sequence[UUID], act: Act) -> Released:
    """proposed → approved, each on its fund and for the amount shown: signed, money reserved (available → reserved), household verified;
    first stages that wait for nothing are released with their payment, or due where the payee has no account yet.

    Fewer awards than asked for means that some have changed: the caller rolls back.
    """
    columns = [a.id for a in shown], list(funds), [a.amount_fen for a in shown], [a.household for a in shown], [a.payee for a in shown]
    return await one(
        tx, _APPROVE, Released, county, *columns, act.step, act.person, act.digest, act.audit, act.now, list(act.papers), list(act.papers.values()),
        act.delegator,
    )  # fmt: skip


async def commit(tx: Tx, county: str, activation: UUID, sums: Mapping[UUID, int], total_fen: int) -> Held:
    """available → reserved per fund (fen), and the county's commitment raised, both only as far as there is room."""
    return await one(tx, _COMMIT, Held, county, activation, list(sums), list(sums.values()), total_fen)
