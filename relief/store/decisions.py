"""Decisions: who is given what and why, with the facts of that hour. Written as a set: packed ids in, rows out.

`packed` holds 20 bytes a household: its id (16) and the place of its kind (4, big-endian, below 2^24) in the short columns `amounts`, `reasons` (codes
with a blank between them) and `facts` (JSON).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, run, value

# A decision is superseded where amount or reasons differ, or where the new facts no longer say all that the old ones said; so a repeated
# run changes nothing, and software that knows one more fact than before does not decide everybody anew.
_SUPERSEDE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($4::bytea, i * 20 + 1, 16), 'hex')::uuid AS household,
           get_byte($4, i * 20 + 17) * 65536 + get_byte($4, i * 20 + 18) * 256 + get_byte($4, i * 20 + 19) AS place
    FROM generate_series(0, length($4::bytea) / 20 - 1) AS t (i)
), kind AS MATERIALIZED (
    SELECT place - 1 AS place, amount_fen, string_to_array(codes, ' ') AS reasons, facts::jsonb AS facts
    FROM unnest($5::bigint[], $6::text[], $7::text[]) WITH ORDINALITY AS t (amount_fen, codes, facts, place)
)
UPDATE decision d SET status = 'superseded'
FROM given g JOIN kind k ON k.place = g.place
WHERE d.county = $1 AND d.activation = $2 AND d.aid = $3 AND d.status = 'current' AND d.household = g.household
  AND (d.amount_fen <> k.amount_fen OR d.reasons <> k.reasons OR NOT k.facts @> d.facts)
"""
_INSERT = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($4::bytea, i * 20 + 1, 16), 'hex')::uuid AS household,
           get_byte($4, i * 20 + 17) * 65536 + get_byte($4, i * 20 + 18) * 256 + get_byte($4, i * 20 + 19) AS place
    FROM generate_series(0, length($4::bytea) / 20 - 1) AS t (i)
), kind AS MATERIALIZED (
    SELECT place - 1 AS place, amount_fen, string_to_array(codes, ' ') AS reasons, facts::jsonb AS facts
    FROM unnest($5::bigint[], $6::text[], $7::text[]) WITH ORDINALITY AS t (amount_fen, codes, facts, place)
)
INSERT INTO decision (county, household, activation, zone, playbook, aid, status, amount_fen, reasons, facts, standards, decided_at)
SELECT $1, g.household, $2, $8, $9, $3, 'current', k.amount_fen, k.reasons, k.facts, $10, $11
FROM given g JOIN kind k ON k.place = g.place
WHERE NOT EXISTS (SELECT FROM decision d WHERE d.county = $1 AND d.activation = $2 AND d.aid = $3 AND d.household = g.household
                  AND d.status = 'current')
"""
# A household that turned out to be a duplicate, or was rejected, is entitled to nothing any more: that is a decision like any other.
_EXCLUDE = """
WITH gone AS (
    UPDATE decision d SET status = 'superseded' FROM household h
    WHERE d.county = $1 AND d.activation = $2 AND d.status = 'current' AND NOT d.facts ? 'excluded'
      AND h.county = $1 AND h.id = d.household AND h.status IN ('duplicate', 'rejected')
    RETURNING d.household, d.aid, d.zone, d.playbook, d.standards, d.facts || jsonb_build_object('excluded', h.status) AS facts, h.status AS why
)
INSERT INTO decision (county, household, activation, zone, playbook, aid, status, amount_fen, reasons, facts, standards, decided_at)
SELECT $1, household, $2, zone, playbook, aid, 'current', 0, ARRAY['household.' || why], facts, standards, $3 FROM gone
"""

# A county is decided before anybody has counted its new rows, and a planner that expects one row loops over a million. Sets are
# joined as sets here; what must be probed by key (the guards) is written as a subquery, which this does not touch.
_JOIN_SETS = "SELECT set_config('enable_nestloop', 'off', true)"
_JOIN_FREELY = "SELECT set_config('enable_nestloop', 'on', true)"


class Outcomes(msgspec.Struct, frozen=True):
    """What was decided for one aid (the format is the file's)."""

    aid: str
    packed: bytes
    amounts: Sequence[int]
    reasons: Sequence[str]
    facts: Sequence[str]


class Pins(msgspec.Struct, frozen=True):
    """What a decision rests on, kept with it."""

    activation: UUID
    zone: UUID
    playbook: UUID
    standards: bytes


async def write(tx: Tx, county: str, outcomes: Outcomes, pins: Pins, now: datetime) -> int:
    """Make these the current decisions of their households; how many rows are new."""
    given = (outcomes.aid, outcomes.packed, outcomes.amounts, outcomes.reasons, outcomes.facts)
    await run(tx, _SUPERSEDE, county, pins.activation, *given)
    return await run(tx, _INSERT, county, pins.activation, *given, pins.zone, pins.playbook, pins.standards, now)


async def exclude(tx: Tx, county: str, activation: UUID, now: datetime) -> int:
    """Decide “nothing” for households that are duplicates or rejected by now and have been decided otherwise; how many decisions."""
    return await run(tx, _EXCLUDE, county, activation, now)


async def join_sets(tx: Tx) -> None:
    """Until `join_freely`, this transaction joins whole sets instead of looking rows up one by one."""
    await value(tx, _JOIN_SETS)


async def join_freely(tx: Tx) -> None:
    """Back to the planner's own choice."""
    await value(tx, _JOIN_FREELY)
