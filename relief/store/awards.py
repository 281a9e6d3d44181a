"""Awards come into being: proposed, with their instalments, and with the registrar as their first signature; and lapse when a later
decision takes the place of theirs before anybody approved them.

An award holds what its decision grants beyond what was approved before: the first one all of it, a top-up the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one

# The parts of each distinct amount come from money.split, so the rule has one home. A top-up does not begin again: the stages its first award has
# reached are one part that waits for nothing, the others wait for what the first award's wait for. Whoever registered the household, assessed it again or recorded
# what a meeting adopted for it signs in `signature`, which makes it impossible for the same person to approve the award later. One decision proposes once: an award
# that was withdrawn is proposed again only by another decision.
_PROPOSE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($12::bytea, i * 16 + 1, 16), 'hex')::uuid AS household FROM generate_series(0, length($12::bytea) / 16 - 1) AS t (i)
), approved AS MATERIALIZED (
    SELECT household, sum(amount_fen)::bigint AS fen, (array_agg(id ORDER BY tops_up NULLS FIRST))[1] AS first FROM award
    WHERE county = $1 AND incident = $2 AND aid = $4 AND period = $6 AND status IN ('approved', 'completed') GROUP BY household
), made AS (
    INSERT INTO award (county, household, payee, incident, activation, decision, aid, mode, period, amount_fen, status, village, proposed_at, tops_up,
                       office, needed, delegated, to_person)
    SELECT $1, d.household, CASE WHEN $18 THEN y.person ELSE p.id END, $2, $3, d.id, $4, $5, $6, d.amount_fen - coalesce(c.fen, 0), 'proposed', h.village, $7, c.first,
           o.office, o.needed, o.delegated, $18
    FROM given g
    JOIN decision d ON d.county = $1 AND d.activation = $3 AND d.aid = $4 AND d.household = g.household AND d.status = 'current'
    JOIN unnest($14::bigint[], $15::text[], $16::int[], $17::bool[]) AS o (granted_fen, office, needed, delegated) ON o.granted_fen = d.amount_fen
    JOIN household h ON h.county = $1 AND h.id = g.household
    JOIN person p ON p.county = $1 AND p.household = g.household AND p.role = 'householder'
    LEFT JOIN aid_payee y ON $18 AND y.county = $1 AND y.household = g.household AND y.aid = $4 AND y.status = 'current'
    LEFT JOIN approved c ON c.household = g.household
    WHERE d.amount_fen > coalesce(c.fen, 0) AND (NOT $18 OR y.person IS NOT NULL)
      AND NOT EXISTS (SELECT FROM award a WHERE a.county = $1 AND a.activation = $3 AND a.aid = $4 AND a.decision = d.id AND a.status <> 'superseded')
    ON CONFLICT DO NOTHING
    RETURNING id, household, amount_fen, tops_up
), parts AS (
    INSERT INTO instalment (county, award, seq, amount_fen, condition, status)
    SELECT $1, m.id, s.seq, s.part_fen, s.condition, 'waiting'
    FROM made m JOIN unnest($8::bigint[], $13::int[], $9::int[], $10::bigint[], $11::text[]) AS s (amount_fen, reached, seq, part_fen, condition)
        ON s.amount_fen = m.amount_fen AND s.reached = CASE WHEN m.tops_up IS NULL THEN 0 ELSE (
            SELECT coalesce(max(i.seq), 0) FROM instalment i
            WHERE i.county = $1 AND i.award = m.tops_up AND i.status IN ('due', 'released', 'settled')) END
), queued AS (
    INSERT INTO proposal (county, award) SELECT $1, id FROM made
), registrar AS (
    INSERT INTO signature (county, subject, kind, step, person, digest, signed_at)
    SELECT $1, m.id, 'award', 'register', h.registered_by, h.content_digest, $7
    FROM made m JOIN household h ON h.county = $1 AND h.id = m.household
    UNION ALL
    SELECT DISTINCT $1, m.id, 'award', 'register', s.person, h.content_digest, $7
    FROM made m JOIN household h ON h.county = $1 AND h.id = m.household
    JOIN (SELECT household, person FROM assessment WHERE county = $1
          UNION SELECT household, recorded_by FROM minutes WHERE county = $1 AND status = 'adopted') s
        ON s.household = m.household AND s.person <> h.registered_by
)
SELECT count(*) AS awards, coalesce(sum(amount_fen), 0)::bigint AS amount_fen FROM made
"""
# What decisions grant beyond what is approved already: the few amounts a top-up may have.
_BEYOND = """
WITH approved AS MATERIALIZED (
    SELECT household, sum(amount_fen)::bigint AS fen FROM award
    WHERE county = $1 AND incident = $2 AND aid = $4 AND period = $5 AND status IN ('approved', 'completed') GROUP BY household
)
SELECT DISTINCT d.amount_fen - c.fen AS fen
FROM approved c JOIN decision d ON d.county = $1 AND d.activation = $3 AND d.aid = $4 AND d.household = c.household AND d.status = 'current'
WHERE d.amount_fen > c.fen
"""
_LAPSE = """
WITH lapsed AS (
    UPDATE award a SET status = 'superseded' FROM decision d
    WHERE a.county = $1 AND a.activation = $2 AND a.status = 'proposed' AND d.county = $1 AND d.id = a.decision AND d.status = 'superseded'
    RETURNING a.id
), cancelled AS (
    UPDATE instalment i SET status = 'cancelled' FROM lapsed l WHERE i.county = $1 AND i.award = l.id AND i.status = 'waiting'
), taken AS (
    DELETE FROM proposal q USING lapsed l WHERE q.county = $1 AND q.award = l.id
)
SELECT id FROM lapsed
"""
_WITHDRAW = """
WITH withdrawn AS (
    UPDATE award a SET status = 'withdrawn' WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND a.status = 'proposed'
    RETURNING a.id, a.household, a.incident, a.activation, a.aid, a.period, a.village
), cancelled AS (
    UPDATE instalment i SET status = 'cancelled' FROM withdrawn w WHERE i.county = $1 AND i.award = w.id AND i.status = 'waiting'
), taken AS (
    DELETE FROM proposal q USING withdrawn w WHERE q.county = $1 AND q.award = w.id
)
SELECT w.id, w.household, coalesce(i.merged_into, i.id) AS survivor, w.activation, w.aid, w.period, w.village
FROM withdrawn w JOIN incident i ON i.id = w.incident ORDER BY w.id
"""


class Part(msgspec.Struct, frozen=True):
    """One instalment of an award of that total (both in fen); of a top-up whose first award has come to stage `reached` (0: nowhere, or no top-up)."""

    total_fen: int
    reached: int
    seq: int
    part_fen: int
    condition: str


class Signed(msgspec.Struct, frozen=True):
    """Who approves when a household is granted so much in all (fen): see `domain.signing`."""

    granted_fen: int
    office: str
    needed: int
    delegated: bool


class Made(msgspec.Struct, frozen=True):
    """How many awards are new, and their money in fen."""

    awards: int
    amount_fen: int


class Terms(msgspec.Struct, frozen=True):
    """What the awards of one run share. `to_person`: paid to the person named for it (`payees`); nobody named, nothing proposed."""

    incident: UUID
    activation: UUID
    aid: str
    mode: str
    period: str
    to_person: bool


class Withdrawn(msgspec.Struct, frozen=True):
    """An award that was proposed and will not be approved. `survivor` is the incident its guards are under."""

    id: UUID
    household: UUID
    survivor: UUID
    activation: UUID
    aid: str
    period: str
    village: str


class _Id(msgspec.Struct, frozen=True):
    id: UUID


class _Fen(msgspec.Struct, frozen=True):
    fen: int


async def propose(
    tx: Tx, county: str, terms: Terms, parts: Sequence[Part], signers: Sequence[Signed], households: bytes, now: datetime
) -> Made:
    """An award for each of these granted households (packed ids, 16 bytes each) whose decision grants more than was approved.

    `parts` covers every amount an award may have, `signers` every amount that is granted.
    """
    columns = [p.total_fen for p in parts], [p.seq for p in parts], [p.part_fen for p in parts], [p.condition for p in parts]
    who = [s.granted_fen for s in signers], [s.office for s in signers], [s.needed for s in signers], [s.delegated for s in signers]
    t, reached = terms, [p.reached for p in parts]
    return await one(
        tx, _PROPOSE, Made, county, t.incident, t.activation, t.aid, t.mode, t.period, now, *columns, households, reached, *who, t.to_person
    )  # fmt: skip


async def beyond(tx: Tx, county: str, terms: Terms) -> list[int]:
    """The distinct differences (fen) by which current decisions exceed what is approved."""
    return [r.fen for r in await many(tx, _BEYOND, _Fen, county, terms.incident, terms.activation, terms.aid, terms.period)]


async def lapse(tx: Tx, county: str, activation: UUID) -> list[UUID]:
    """proposed → superseded for awards whose decision is no longer the current one, their instalments cancelled; which."""
    return [r.id for r in await many(tx, _LAPSE, _Id, county, activation)]


async def withdraw(tx: Tx, county: str, awards: Sequence[UUID]) -> list[Withdrawn]:
    """proposed → withdrawn, their instalments cancelled; those that moved."""
    return await many(tx, _WITHDRAW, Withdrawn, county, list(awards))
