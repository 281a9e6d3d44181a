"""Decisions: who is given what and why, with the facts of that hour. Written as a set: packed ids in, rows out.

`packed` holds 20 bytes a household: its id (16), the number of its adults (1) and the place of its outcome (3, big-endian) in the
short columns `amounts` and `reasons` (codes with a blank between them).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, run, value

# A decision is superseded only where amount or reasons differ, so a repeated run changes nothing.
_SUPERSEDE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($4::bytea, i * 20 + 1, 16), 'hex')::uuid AS household,
           get_byte($4, i * 20 + 17) * 65536 + get_byte($4, i * 20 + 18) * 256 + get_byte($4, i * 20 + 19) AS place
    FROM generate_series(0, length($4::bytea) / 20 - 1) AS t (i)
), outcome AS MATERIALIZED (
    SELECT place - 1 AS place, amount_fen, string_to_array(codes, ' ') AS reasons
    FROM unnest($5::bigint[], $6::text[]) WITH ORDINALITY AS t (amount_fen, codes, place)
)
UPDATE decision d SET status = 'superseded'
FROM given g JOIN outcome o ON o.place = g.place
WHERE d.county = $1 AND d.activation = $2 AND d.aid = $3 AND d.status = 'current' AND d.household = g.household
  AND (d.amount_fen <> o.amount_fen OR d.reasons <> o.reasons)
"""
_INSERT = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($4::bytea, i * 20 + 1, 16), 'hex')::uuid AS household, get_byte($4, i * 20 + 16) AS adults,
           get_byte($4, i * 20 + 17) * 65536 + get_byte($4, i * 20 + 18) * 256 + get_byte($4, i * 20 + 19) AS place
    FROM generate_series(0, length($4::bytea) / 20 - 1) AS t (i)
), outcome AS MATERIALIZED (
    SELECT place - 1 AS place, amount_fen, string_to_array(codes, ' ') AS reasons
    FROM unnest($5::bigint[], $6::text[]) WITH ORDINALITY AS t (amount_fen, codes, place)
)
INSERT INTO decision (county, household, activation, zone, playbook, aid, status, amount_fen, reasons, facts, standards, decided_at)
SELECT $1, g.household, $2, $7, $8, $3, 'current', o.amount_fen, o.reasons,
       jsonb_build_object(
           'level', coalesce(b.level, 0), 'rank', l.rank, 'edge', l.edge, 'members', h.members, 'adults', g.adults, 'dead', h.dead,
           'missing', h.missing, 'injured', h.injured, 'rooms_collapsed', h.rooms_collapsed, 'rooms_severe', h.rooms_severe,
           'rooms_moderate', h.rooms_moderate, 'relocated', h.relocated, 'only_home', h.only_home, 'occupied', h.occupied,
           'family_type', h.family_type)
       || CASE WHEN h.circumstances = 0 AND h.people_in_need = 0 AND h.home_county IS NULL THEN '{}' ELSE jsonb_build_object(
           'circumstances', h.circumstances, 'people_in_need', h.people_in_need, 'home_county', h.home_county) END,
       $9, $10
FROM given g
JOIN outcome o ON o.place = g.place
JOIN household h ON h.county = $1 AND h.id = g.household
JOIN location l ON l.county = $1 AND l.zone = $7 AND l.household = g.household
LEFT JOIN zone_band b ON b.zone = $7 AND b.rank = l.rank
WHERE NOT EXISTS (SELECT FROM decision d WHERE d.county = $1 AND d.activation = $2 AND d.aid = $3 AND d.household = g.household
                  AND d.status = 'current')
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


class Pins(msgspec.Struct, frozen=True):
    """What a decision rests on, kept with it."""

    activation: UUID
    zone: UUID
    playbook: UUID
    standards: bytes


async def write(tx: Tx, county: str, outcomes: Outcomes, pins: Pins, now: datetime) -> int:
    """Make these the current decisions of their households; how many rows are new."""
    given = (outcomes.aid, outcomes.packed, outcomes.amounts, outcomes.reasons)
    await run(tx, _SUPERSEDE, county, pins.activation, *given)
    return await run(tx, _INSERT, county, pins.activation, *given, pins.zone, pins.playbook, pins.standards, now)


async def join_sets(tx: Tx) -> None:
    """Until `join_freely`, this transaction joins whole sets instead of looking rows up one by one."""
    await value(tx, _JOIN_SETS)


async def join_freely(tx: Tx) -> None:
    """Back to the planner's own choice."""
    await value(tx, _JOIN_FREELY)
