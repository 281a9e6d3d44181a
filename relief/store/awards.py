"""Awards come into being: proposed, with their instalments, and with the registrar as their first signature."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, one

# The parts of each distinct amount come from money.split, so the rule has one home. The registrar's row in `signature` is what
# makes it impossible for the same person to approve the award later.
_PROPOSE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($12::bytea, i * 16 + 1, 16), 'hex')::uuid AS household FROM generate_series(0, length($12::bytea) / 16 - 1) AS t (i)
), made AS (
    INSERT INTO award (county, household, payee, incident, activation, decision, aid, mode, period, amount_fen, status, village, proposed_at)
    SELECT $1, d.household, p.id, $2, $3, d.id, $4, $5, $6, d.amount_fen, 'proposed', h.village, $7
    FROM given g
    JOIN decision d ON d.county = $1 AND d.activation = $3 AND d.aid = $4 AND d.household = g.household AND d.status = 'current'
    JOIN household h ON h.county = $1 AND h.id = g.household
    JOIN person p ON p.county = $1 AND p.household = g.household AND p.role = 'householder'
    ON CONFLICT (county, household, incident, aid, period) WHERE status IN ('proposed', 'approved', 'completed') DO NOTHING
    RETURNING id, household, amount_fen
), parts AS (
    INSERT INTO instalment (county, award, seq, amount_fen, condition, status)
    SELECT $1, m.id, s.seq, s.part_fen, s.condition, 'waiting'
    FROM made m JOIN unnest($8::bigint[], $9::int[], $10::bigint[], $11::text[]) AS s (amount_fen, seq, part_fen, condition)
        ON s.amount_fen = m.amount_fen
), registrar AS (
    INSERT INTO signature (county, subject, kind, step, person, digest, signed_at)
    SELECT $1, m.id, 'award', 'register', h.registered_by, h.content_digest, $7
    FROM made m JOIN household h ON h.county = $1 AND h.id = m.household
)
SELECT count(*) AS awards, coalesce(sum(amount_fen), 0)::bigint AS amount_fen FROM made
"""


class Part(msgspec.Struct, frozen=True):
    """One instalment of an award of that total (both in fen)."""

    total_fen: int
    seq: int
    part_fen: int
    condition: str


class Made(msgspec.Struct, frozen=True):
    """How many awards are new, and their money in fen."""

    awards: int
    amount_fen: int


class Terms(msgspec.Struct, frozen=True):
    """What the awards of one run share."""

    incident: UUID
    activation: UUID
    aid: str
    mode: str
    period: str


async def propose(tx: Tx, county: str, terms: Terms, parts: Sequence[Part], households: bytes, now: datetime) -> Made:
    """An award for each of these granted households (packed ids, 16 bytes each) that has no live one.

    `parts` covers every amount that occurs.
    """
    columns = [p.total_fen for p in parts], [p.seq for p in parts], [p.part_fen for p in parts], [p.condition for p in parts]
    t = terms
    return await one(tx, _PROPOSE, Made, county, t.incident, t.activation, t.aid, t.mode, t.period, now, *columns, households)
