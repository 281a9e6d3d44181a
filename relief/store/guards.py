"""Entitlement guards: one person, one incident, one aid, one period, one household, across every county.

`households` are packed ids, 16 bytes each.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run, value

# Only the claims somebody disputes come back: a guard held by another household, or one person in two households of this run.
# The guard table is the whole country's: it is probed by its key, person by person, never joined as a whole.
_CONTESTED = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($6::bytea, i * 16 + 1, 16), 'hex')::uuid AS household FROM generate_series(0, length($6::bytea) / 16 - 1) AS t (i)
), claim AS MATERIALIZED (
    SELECT DISTINCT p.id_hash, p.household FROM given g JOIN person p ON p.county = $1 AND p.household = g.household
    WHERE p.role IN ('householder', 'member') AND ($5 = 'member' OR p.adult OR p.role = 'householder')
), shared AS (
    SELECT id_hash FROM claim GROUP BY id_hash HAVING count(*) > 1
)
SELECT c.household, c.id_hash, h.received_at, c.holder
FROM (SELECT household, id_hash, id_hash IN (SELECT id_hash FROM shared) AS shared,
             (SELECT e.household FROM entitlement_guard e
              WHERE e.id_hash = claim.id_hash AND e.incident = $2 AND e.aid = $3 AND e.period = $4) AS holder
      FROM claim) c
JOIN household h ON h.county = $1 AND h.id = c.household
WHERE c.holder <> c.household OR c.shared
ORDER BY h.received_at, c.household, c.id_hash
"""
# In the order of the key, so that two counties deciding at once wait for each other instead of deadlocking.
_TAKE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($6::bytea, i * 16 + 1, 16), 'hex')::uuid AS household FROM generate_series(0, length($6::bytea) / 16 - 1) AS t (i)
)
INSERT INTO entitlement_guard (id_hash, incident, aid, period, county, household)
SELECT DISTINCT p.id_hash, $2::uuid, $3, $4, $1, p.household
FROM given g JOIN person p ON p.county = $1 AND p.household = g.household
WHERE p.role IN ('householder', 'member') AND ($5 = 'member' OR p.adult OR p.role = 'householder')
ORDER BY p.id_hash
ON CONFLICT DO NOTHING
"""
_FOREIGN = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($6::bytea, i * 16 + 1, 16), 'hex')::uuid AS household FROM generate_series(0, length($6::bytea) / 16 - 1) AS t (i)
)
SELECT count(*)
FROM given g JOIN person p ON p.county = $1 AND p.household = g.household
WHERE p.role IN ('householder', 'member') AND ($5 = 'member' OR p.adult OR p.role = 'householder')
  AND g.household <> (SELECT e.household FROM entitlement_guard e
                      WHERE e.id_hash = p.id_hash AND e.incident = $2 AND e.aid = $3 AND e.period = $4)
"""

# A guard is given back where nothing rests on it: the household's claim is gone and no award of it is alive. Approved money keeps its
# guard until it is recovered.
_RELEASE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($5::bytea, i * 16 + 1, 16), 'hex')::uuid AS household FROM generate_series(0, length($5::bytea) / 16 - 1) AS t (i)
), free AS MATERIALIZED (
    SELECT g.household FROM given g WHERE NOT EXISTS (
        SELECT FROM award a WHERE a.county = $1 AND a.household = g.household AND a.aid = $3 AND a.period = $4
        AND a.status IN ('approved', 'completed') AND a.incident IN (SELECT id FROM incident WHERE coalesce(merged_into, id) = $2))
)
DELETE FROM entitlement_guard e USING free f
WHERE e.county = $1 AND e.household = f.household AND e.incident = $2 AND e.aid = $3 AND e.period = $4
"""
_RELEASE_EXCLUDED = """
DELETE FROM entitlement_guard e USING household h
WHERE h.county = $1 AND h.incident = $2 AND h.status IN ('duplicate', 'rejected') AND e.county = $1 AND e.household = h.id
  AND e.incident = (SELECT coalesce(merged_into, id) FROM incident WHERE id = $2)
  AND NOT EXISTS (SELECT FROM award a WHERE a.county = $1 AND a.household = h.id AND a.incident = $2 AND a.aid = e.aid AND a.period = e.period
                  AND a.status IN ('approved', 'completed'))
"""
# Of these households, those whose decision granted them something until now.
_GRANTED_BEFORE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($4::bytea, i * 16 + 1, 16), 'hex')::uuid AS household FROM generate_series(0, length($4::bytea) / 16 - 1) AS t (i)
)
SELECT coalesce(string_agg(uuid_send(d.household), ''), '') FROM given g
JOIN decision d ON d.county = $1 AND d.activation = $2 AND d.aid = $3 AND d.household = g.household AND d.status = 'current' AND d.amount_fen > 0
"""


class Claim(msgspec.Struct, frozen=True):
    """A disputed claim of a household on a person's entitlement; `holder` is the household that has it already."""

    household: UUID
    id_hash: bytes
    received_at: datetime
    holder: UUID | None


class Entitlement(msgspec.Struct, frozen=True):
    """What is guarded: an aid of an incident in a period, for every 'member' or every 'adult' (and the householder)."""

    incident: UUID
    aid: str
    period: str
    guard: str


async def contested(tx: Tx, county: str, entitlement: Entitlement, households: bytes) -> list[Claim]:
    """The disputed claims of these households, earliest received first."""
    e = entitlement
    return await many(tx, _CONTESTED, Claim, county, e.incident, e.aid, e.period, e.guard, households)


async def take(tx: Tx, county: str, entitlement: Entitlement, households: bytes) -> int:
    """Guard every person of these households; how many guards are new."""
    e = entitlement
    return await run(tx, _TAKE, county, e.incident, e.aid, e.period, e.guard, households)


async def foreign(tx: Tx, county: str, entitlement: Entitlement, households: bytes) -> int:
    """How many of their people turned out to be guarded by another household (another county was faster)."""
    e = entitlement
    return int(await value(tx, _FOREIGN, county, e.incident, e.aid, e.period, e.guard, households))


async def release(tx: Tx, county: str, entitlement: Entitlement, households: bytes) -> int:
    """Give back what these households hold, unless an approved award of theirs rests on it; how many guards."""
    e = entitlement
    return await run(tx, _RELEASE, county, e.incident, e.aid, e.period, households)


async def granted_before(tx: Tx, county: str, activation: UUID, aid: str, households: bytes) -> bytes:
    """Those of the households (packed) that the current decision of this activation grants something."""
    found: bytes = await value(tx, _GRANTED_BEFORE, county, activation, aid, households)
    return found


async def release_excluded(tx: Tx, county: str, incident: UUID) -> int:
    """The same for every duplicate and rejected household of an incident; how many guards."""
    return await run(tx, _RELEASE_EXCLUDED, county, incident)
