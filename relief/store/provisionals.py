"""People without papers: found again once they have some."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

_LOCK = """
SELECT p.id, p.household, p.sealed, p.id_hash, h.village, h.registered_by FROM person p JOIN household h ON h.county = p.county AND h.id = p.household
WHERE p.county = $1 AND p.id = ANY ($2::uuid[]) AND p.provisional ORDER BY p.id FOR UPDATE OF p
"""
_IDENTIFY = """
UPDATE person p SET sealed = t.sealed, id_hash = t.hash, adult = t.adult, provisional = false
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bool[]) AS t (id, sealed, hash, adult) WHERE p.county = $1 AND p.id = t.id AND p.provisional
"""
# What is guarded under the temporary number is guarded under the real one, too; whoever has it already is a suspicion an officer decides.
_GUARD = """
INSERT INTO entitlement_guard (id_hash, incident, aid, period, county, household)
SELECT t.hash, g.incident, g.aid, g.period, g.county, g.household
FROM unnest($2::bytea[], $3::bytea[]) AS t (old, hash) JOIN entitlement_guard g ON g.id_hash = t.old AND g.county = $1
ORDER BY t.hash ON CONFLICT DO NOTHING
"""
_TAKEN = """
SELECT n.id FROM unnest($2::uuid[], $3::bytea[]) AS t (id, hash) JOIN person n ON n.county = $1 AND n.id = t.id
WHERE EXISTS (SELECT FROM person o WHERE o.county = $1 AND o.household = n.household AND o.id_hash = t.hash AND o.id <> n.id)
"""


class Provisional(msgspec.Struct, frozen=True):
    """A person with a temporary number."""

    id: UUID
    household: UUID
    sealed: bytes
    id_hash: bytes
    village: str
    registered_by: UUID


class _Id(msgspec.Struct):
    id: UUID


async def lock(tx: Tx, county: str, people: Sequence[UUID]) -> list[Provisional]:
    """Those of them that have no papers yet, locked."""
    return await many(tx, _LOCK, Provisional, county, people)


async def taken(tx: Tx, county: str, people: Sequence[UUID], hashes: Sequence[bytes]) -> int:
    """How many of these numbers another member of the same household has."""
    return len(await many(tx, _TAKEN, _Id, county, people, hashes))


async def identify(
    tx: Tx,
    county: str,
    people: Sequence[UUID],
    sealed: Sequence[bytes],
    hashes: Sequence[bytes],
    adults: Sequence[bool],
    old: Sequence[bytes],
) -> int:
    """Give them their numbers and the guards that follow; how many people."""
    await run(tx, _GUARD, county, old, hashes)
    return await run(tx, _IDENTIFY, county, people, sealed, hashes, adults)
