"""Suspicions that two registrations are one: found, decided, remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.store import squares
from relief.store.db import Tx, many, run
from relief.store.recoveries import HELD_TWICE

_HEADS = """
SELECT h.county, h.id, coalesce(i.merged_into, h.incident) AS incident, i.drill, coalesce(s.status, i.status) = 'closed' AS closed, h.village,
       h.status IN ('duplicate', 'rejected') AS gone, h.received_at
FROM unnest($1::text[], $2::uuid[]) AS t (county, id)
JOIN household h ON h.county = t.county AND h.id = t.id
JOIN incident i ON i.id = h.incident LEFT JOIN incident s ON s.id = i.merged_into
"""
_PEOPLE = """
SELECT p.household, p.id, p.role, p.sealed, p.id_hash, p.phone_hash,
       CASE WHEN p.role = 'householder' THEN (
           SELECT a.account_hash FROM account a WHERE a.county = p.county AND a.person = p.id AND a.status = 'current') END AS account_hash
FROM unnest($1::text[], $2::uuid[]) AS t (county, id)
JOIN person p ON p.county = t.county AND p.household = t.id AND p.role IN ('householder', 'member')
ORDER BY p.household, p.role, p.id
"""
_SHARED_ACCOUNTS = """
SELECT c.account_hash AS hash, coalesce(i.merged_into, i.id) AS incident, count(DISTINCT p.household)::int AS households
FROM account c JOIN person p ON p.county = c.county AND p.id = c.person AND p.role IN ('householder', 'member')
JOIN household h ON h.county = p.county AND h.id = p.household JOIN incident i ON i.id = h.incident
WHERE c.account_hash = ANY ($1::bytea[]) AND c.status = 'current' AND h.status NOT IN ('duplicate', 'rejected')
GROUP BY c.account_hash, coalesce(i.merged_into, i.id)
"""
_SHARED_PHONES = """
SELECT p.phone_hash AS hash, coalesce(i.merged_into, i.id) AS incident, count(DISTINCT p.household)::int AS households
FROM person p JOIN household h ON h.county = p.county AND h.id = p.household JOIN incident i ON i.id = h.incident
WHERE p.phone_hash = ANY ($1::bytea[]) AND h.status NOT IN ('duplicate', 'rejected')
GROUP BY p.phone_hash, coalesce(i.merged_into, i.id)
"""
_KNOWN = """
SELECT k.low, k.high, k.verdict FROM unnest($1::bytea[], $2::bytea[]) AS t (low, high) JOIN known_pair k ON k.low = t.low AND k.high = t.high
"""
_REMEMBER = """
INSERT INTO known_pair (low, high, verdict, decided_by, decided_at)
SELECT DISTINCT low, high, $3, $4::uuid, $5::timestamptz FROM unnest($1::bytea[], $2::bytea[]) AS t (low, high)
ON CONFLICT (low, high) DO UPDATE SET verdict = excluded.verdict, decided_by = excluded.decided_by, decided_at = excluded.decided_at
"""
_INSERT = """
INSERT INTO suspicion (county, household, other_county, other, incident, keys, score, reasons, people, blocks, status, found_at)
SELECT county, household, other_county, other, incident, string_to_array(keys, ' '), score, string_to_array(reasons, ' '), people, blocks, 'open', $11
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::int[], $8::text[], $9::bytea[], $10::text[])
    AS t (county, household, other_county, other, incident, keys, score, reasons, people, blocks)
WHERE NOT EXISTS (SELECT FROM suspicion s WHERE s.county = t.other_county AND s.household = t.other AND s.other_county = t.county AND s.other = t.household)
ON CONFLICT ON CONSTRAINT suspicion_once DO NOTHING
"""
_LOCK = """
SELECT s.county, s.id, s.household, s.other_county, s.other, s.people, h.village, o.village AS other_village,
       h.registered_by, o.registered_by AS other_registered_by
FROM unnest($1::text[], $2::uuid[]) AS t (county, id)
JOIN suspicion s ON s.county = t.county AND s.id = t.id
JOIN household h ON h.county = s.county AND h.id = s.household
JOIN household o ON o.county = s.other_county AND o.id = s.other
WHERE s.status = 'open' ORDER BY s.county, s.id FOR UPDATE OF s
"""
_DECIDE = """
UPDATE suspicion s SET status = 'decided', verdict = $3, kept = t.kept, reason = $4, decided_by = $5, decided_at = $6
FROM unnest($1::text[], $2::uuid[], $7::uuid[]) AS t (county, id, kept)
WHERE s.county = t.county AND s.id = t.id AND s.status = 'open'
"""
# The loser's other suspicions have no subject any more; the kept household's stay.
_CLOSE_REST = """
UPDATE suspicion s SET status = 'decided', verdict = 'same', kept = t.kept, reason = $4, decided_by = $5, decided_at = $6
FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS t (county, loser, kept)
WHERE s.status = 'open' AND ((s.county = t.county AND s.household = t.loser) OR (s.other_county = t.county AND s.other = t.loser))
"""
_RETIRE = """
UPDATE household h SET status = 'duplicate', duplicate_of = t.kept
FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS t (county, loser, kept)
WHERE h.county = t.county AND h.id = t.loser AND h.status = ANY ($4::text[])
"""
_WITHDRAW = """
WITH lapsed AS (
    UPDATE award a SET status = 'superseded' FROM unnest($1::text[], $2::uuid[]) AS t (county, loser)
    WHERE a.county = t.county AND a.household = t.loser AND a.status = 'proposed' RETURNING a.county, a.id
)
UPDATE instalment i SET status = 'cancelled' FROM lapsed l WHERE i.county = l.county AND i.award = l.id AND i.status = 'waiting'
"""
# Whoever had the loser's guard is guarded by the kept household from now on, once that one is decided.
_GIVE_BACK = """
DELETE FROM entitlement_guard g USING (SELECT unnest($1::text[]) AS county, unnest($2::uuid[]) AS loser) t
WHERE g.county = t.county AND g.household = t.loser AND NOT EXISTS (
    SELECT FROM award a WHERE a.county = g.county AND a.household = g.household AND a.incident = g.incident AND a.aid = g.aid
    AND a.status IN ('approved', 'completed'))
"""
_LIVE = """
SELECT a.county, a.household FROM unnest($1::text[], $2::uuid[]) AS t (county, household)
JOIN award a ON a.county = t.county AND a.household = t.household AND a.status IN ('approved', 'completed')
GROUP BY a.county, a.household
"""
_RECOVER = """
WITH opened AS (
    INSERT INTO recovery_case (county, incident, household, aid, period, holder_county, holder, people, award, reason, status, owner, due_on, opened_at)
    SELECT a.county, a.incident, a.household, a.aid, a.period, t.kept_county, t.kept, h.members, a.id, 'registered twice', 'open', 'county_officer', $5, $6
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[]) AS t (county, loser, kept_county, kept)
    JOIN award a ON a.county = t.county AND a.household = t.loser AND a.status IN ('approved', 'completed')
    JOIN household h ON h.county = t.county AND h.id = t.loser
    ON CONFLICT DO NOTHING RETURNING county, award
), held AS (
    INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from)
    SELECT county, 'award', award::text, $8, $7::uuid, $6 FROM opened
)
SELECT count(*)::int AS cases FROM opened
"""
_MOVE_IN = """
INSERT INTO person (county, id, household, role, sealed, id_hash, phone_hash, phone_route, adult)
SELECT $1, t.id, $2, 'member', t.sealed, p.id_hash, NULL, 'none', p.adult
FROM unnest($3::text[], $4::uuid[], $5::uuid[], $6::bytea[]) AS t (from_county, was, id, sealed)
JOIN person p ON p.county = t.from_county AND p.id = t.was
"""
# Its adults are counted again when they are next asked for.
_GROW = "UPDATE household SET members = members + $3, adults = NULL WHERE county = $1 AND id = $2 AND members + $3 <= 30"


class Head(msgspec.Struct, frozen=True):
    """A household without its people. `incident` is the survivor where incidents were merged."""

    county: str
    id: UUID
    incident: UUID
    drill: bool
    closed: bool
    village: str
    gone: bool
    received_at: datetime


class Person(msgspec.Struct, frozen=True):
    """A person of a candidate household, still sealed; the householder comes first."""

    household: UUID
    id: UUID
    role: str
    sealed: bytes
    id_hash: bytes
    phone_hash: bytes | None
    account_hash: bytes | None


class Found(msgspec.Struct, frozen=True):
    """A suspicion about to be written."""

    county: str
    household: UUID
    other_county: str
    other: UUID
    incident: UUID
    keys: tuple[str, ...]
    score: int
    reasons: tuple[str, ...]
    people: bytes
    blocks: str


class Open(msgspec.Struct, frozen=True):
    """An open suspicion with where and by whom its two sides were registered."""

    county: str
    id: UUID
    household: UUID
    other_county: str
    other: UUID
    people: bytes
    village: str
    other_village: str
    registered_by: UUID
    other_registered_by: UUID


class _Count(msgspec.Struct, frozen=True):
    hash: bytes
    incident: UUID
    households: int


class _Known(msgspec.Struct, frozen=True):
    low: bytes
    high: bytes
    verdict: str


class _Side(msgspec.Struct, frozen=True):
    county: str
    household: UUID


Sides = Sequence[tuple[str, UUID]]


async def heads(tx: Tx, sides: Sides) -> list[Head]:
    """These households."""
    return await many(tx, _HEADS, Head, [c for c, _ in sides], [h for _, h in sides])


async def people(tx: Tx, sides: Sides) -> dict[UUID, list[Person]]:
    """The people of these households, householder first."""
    found: dict[UUID, list[Person]] = {}
    for person in await many(tx, _PEOPLE, Person, [c for c, _ in sides], [h for _, h in sides]):
        found.setdefault(person.household, []).append(person)
    return found


async def sharing(tx: Tx, accounts: Iterable[bytes], phones: Iterable[bytes]) -> Mapping[tuple[bytes, UUID], int]:
    """How many households of an incident (merged ones are their survivor) have an account or a phone."""
    counts = await many(tx, _SHARED_ACCOUNTS, _Count, list(accounts)) + await many(tx, _SHARED_PHONES, _Count, list(phones))
    return {(c.hash, c.incident): c.households for c in counts}


async def known(tx: Tx, pairs: Sequence[tuple[bytes, bytes]]) -> dict[tuple[bytes, bytes], str]:
    """What was decided before about these pairs of identity hashes (low, high)."""
    return {(k.low, k.high): k.verdict for k in await many(tx, _KNOWN, _Known, [p[0] for p in pairs], [p[1] for p in pairs])}


async def remember(tx: Tx, pairs: Sequence[tuple[bytes, bytes]], verdict: str, person: UUID, now: datetime) -> None:
    """Keep a verdict about pairs of identity hashes (low, high); a later one replaces it."""
    await run(tx, _REMEMBER, [p[0] for p in pairs], [p[1] for p in pairs], verdict, person, now)


async def insert(tx: Tx, found: Sequence[Found], now: datetime) -> int:
    """Write suspicions, each pair of households once; how many are new."""
    columns: list[list[Any]] = [
        [f.county for f in found], [f.household for f in found], [f.other_county for f in found], [f.other for f in found],
        [f.incident for f in found], [" ".join(f.keys) for f in found], [f.score for f in found], [" ".join(f.reasons) for f in found],
        [f.people for f in found], [f.blocks for f in found],
    ]  # fmt: skip
    return await run(tx, _INSERT, *columns, now)


async def lock(tx: Tx, ids: Sides) -> list[Open]:
    """Those of the suspicions (county, id) that are still open, locked."""
    return await many(tx, _LOCK, Open, [c for c, _ in ids], [i for _, i in ids])


async def decide(tx: Tx, rows: Sequence[tuple[str, UUID, UUID | None]], verdict: str, reason: str, person: UUID, now: datetime) -> int:
    """open → decided for (county, id, kept household); how many moved."""
    return await run(tx, _DECIDE, [r[0] for r in rows], [r[1] for r in rows], verdict, reason, person, now, [r[2] for r in rows])


async def close_rest(tx: Tx, losers: Sides, kept: Sequence[UUID], reason: str, person: UUID, now: datetime) -> int:
    """Whatever else was suspected of households that are duplicates now; how many moved."""
    return await run(tx, _CLOSE_REST, [c for c, _ in losers], [h for _, h in losers], list(kept), reason, person, now)


async def retire(tx: Tx, losers: Sides, kept: Sequence[UUID], sources: Sequence[str]) -> int:
    """These households are duplicates of those from now on: status, proposed awards, guards of what was not granted. How many moved."""
    counties, ids = [c for c, _ in losers], [h for _, h in losers]
    moved = await run(tx, _RETIRE, counties, ids, list(kept), sources)
    await squares.went(tx, losers)
    await withdraw(tx, losers)
    await run(tx, _GIVE_BACK, counties, ids)
    return moved


async def withdraw(tx: Tx, sides: Sides) -> None:
    """Take back what is proposed to these households, so that they are decided anew."""
    await run(tx, _WITHDRAW, [c for c, _ in sides], [h for _, h in sides])


async def with_money(tx: Tx, sides: Sides) -> set[tuple[str, UUID]]:
    """Those of the households that have an award approved or paid."""
    return {(s.county, s.household) for s in await many(tx, _LIVE, _Side, [c for c, _ in sides], [h for _, h in sides])}


async def recover(tx: Tx, losers: Sides, kept: Sides, due_on: object, person: UUID, now: datetime) -> int:
    """A recovery case for every award that was approved or paid to a household that is a duplicate; the award is held. How many."""
    found = await many(
        tx,
        _RECOVER,
        _Cases,
        [c for c, _ in losers],
        [h for _, h in losers],
        [c for c, _ in kept],
        [h for _, h in kept],
        due_on,
        now,
        person,
        HELD_TWICE,
    )
    return found[0].cases


class _Cases(msgspec.Struct, frozen=True):
    cases: int


async def move_in(tx: Tx, county: str, household: UUID, rows: Sequence[tuple[str, UUID, UUID, bytes]]) -> bool:
    """Copies of people into a household: (their county, their id, new id, sealed anew). False where it would become too large."""
    if await run(tx, _GROW, county, household, len(rows)) != 1:
        return False
    await squares.grew(tx, county, household, len(rows))
    await run(tx, _MOVE_IN, county, household, *[list(c) for c in zip(*rows, strict=True)])
    return True
