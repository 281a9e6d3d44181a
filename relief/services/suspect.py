"""Find registrations that may be one: candidates by their blocks, opened and scored, written down as suspicions an officer decides."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import likeness, pairs
from relief.domain.likeness import Home, Likeness, Limits
from relief.domain.sealing import Keys
from relief.store import blocks, suspicions
from relief.store.blocks import Taken
from relief.store.db import Tx
from relief.store.suspicions import Found, Head, Person

#: Households compared in one act; the rest follow in the next one.
MOST: Final = 250_000
#: Candidate pairs opened at once: what bounds the memory.
_PAIRS: Final = 2_500
#: Older households opened for their blocks in one act.
_OLDER: Final = 500

Side = tuple[str, UUID]


class _Plain(msgspec.Struct):
    name: str
    id_number: str


_PLAIN: Final = msgspec.json.Decoder(_Plain)


class Compared(msgspec.Struct, frozen=True):
    """What one act did: households that left the queue, pairs that shared a block, suspicions that are new."""

    households: int
    candidates: int
    suspicions: int


async def find(tx: Tx, limits: Limits, now: datetime, keys: Keys, most: int = MOST) -> Compared:
    """Compare households that wait with each other and with everybody before them. Needs a scope over every county."""
    if not await blocks.waiting(tx):
        return Compared(0, 0, 0)
    taken = await blocks.take(tx, most)
    left, right = await asyncio.to_thread(pairs.sharing, taken.block, taken.owner, taken.kept)
    new, scoring = 0, None
    for start in range(0, len(left), _PAIRS):
        part = slice(start, start + _PAIRS)
        candidates = [(taken.key(a), taken.key(b)) for a, b in zip(left[part].tolist(), right[part].tolist(), strict=True)]
        opened = await _open(tx, candidates)  # the next ones are fetched while the last ones are scored
        new += await _write(tx, await scoring, limits, now) if scoring else 0
        scoring = asyncio.create_task(asyncio.to_thread(_score, *opened, limits, keys))
    await blocks.keep(tx, taken)
    new += await _write(tx, await scoring, limits, now) if scoring else 0
    return Compared(_left_queue(taken), len(left), new)


def _left_queue(taken: Taken) -> int:
    return len(taken.owners) - taken.kept


_Opened = tuple[list[tuple[Head, Head]], Mapping[UUID, Sequence[Person]], Mapping[tuple[bytes, UUID], int]]


async def judge(tx: Tx, candidates: Sequence[tuple[Side, Side]], limits: Limits, now: datetime, keys: Keys) -> int:
    """Open what may be one, score it, write down what passes; how many suspicions are new. Both sides must be within the scope."""
    opened = await _open(tx, candidates)
    return await _write(tx, await asyncio.to_thread(_score, *opened, limits, keys), limits, now)


async def _open(tx: Tx, candidates: Sequence[tuple[Side, Side]]) -> _Opened:
    """The households that may be compared, their people still sealed, and how many share what two of them share."""
    heads = {(h.county, h.id): h for h in await suspicions.heads(tx, sorted({s for pair in candidates for s in pair}))}
    chosen = [pair for a, b in candidates if (pair := _comparable(heads[a], heads[b]))]
    people = await suspicions.people(tx, sorted({(h.county, h.id) for pair in chosen for h in pair}))
    return chosen, people, await _shared(tx, chosen, people)


async def _write(tx: Tx, scored: Sequence[_Scored], limits: Limits, now: datetime) -> int:
    known = await suspicions.known(tx, sorted({p for s in scored for p in _asked(s.people)}))
    found = [f for s in scored if (f := _found(s, known, limits))]
    return await suspicions.insert(tx, found, now) if found else 0


def _comparable(a: Head, b: Head) -> tuple[Head, Head] | None:
    """Later first. Drills and real incidents never meet; what is closed or out of the register is over."""
    if a.gone or b.gone or a.closed or b.closed or a.drill != b.drill:
        return None
    return (a, b) if (a.received_at, a.county, a.id) > (b.received_at, b.county, b.id) else (b, a)


async def _shared(tx: Tx, chosen: Sequence[tuple[Head, Head]], people: Mapping[UUID, Sequence[Person]]) -> Mapping[tuple[bytes, UUID], int]:
    """How many households have an account or phone that two candidates share."""
    accounts, phones = set(), set()
    for a, b in chosen:
        p, q = people[a.id][0], people[b.id][0]
        if p.account_hash is not None and p.account_hash == q.account_hash:
            accounts.add(p.account_hash)
        if p.phone_hash is not None and p.phone_hash == q.phone_hash:
            phones.add(p.phone_hash)
    return await suspicions.sharing(tx, accounts, phones) if accounts or phones else {}


class _Scored(msgspec.Struct, frozen=True):
    later: Head
    earlier: Head
    keys: tuple[str, ...]
    like: Likeness
    people: tuple[bytes, ...]  # the householders, then those who match, two by two


def _score(
    chosen: Sequence[tuple[Head, Head]],
    people: Mapping[UUID, Sequence[Person]],
    shared: Mapping[tuple[bytes, UUID], int],
    limits: Limits,
    keys: Keys,
) -> list[_Scored]:
    homes: dict[UUID, Home] = {}
    out = []
    for a, b in chosen:
        exact = _keys(a, people[a.id], b, people[b.id], shared, limits)
        if a.incident != b.incident and not exact:
            continue  # the same family after the next disaster is not a duplicate
        for head in (a, b):
            if head.id not in homes:
                homes[head.id] = _home(head, people[head.id], keys)
        like = likeness.compare(homes[a.id], homes[b.id])
        holders = (people[a.id][0].id_hash, people[b.id][0].id_hash)
        if exact or like.score >= limits.score - likeness.POINTS["known_same"]:
            out.append(_Scored(a, b, exact, like, (*holders, *like.people)))
    return out


def _keys(
    a: Head, mine: Sequence[Person], b: Head, theirs: Sequence[Person], shared: Mapping[tuple[bytes, UUID], int], limits: Limits
) -> tuple[str, ...]:
    """Which exact keys two households have in common, an account or phone only where more of the incident share it than a family may."""
    found = ["id"] if {p.id_hash for p in mine} & {p.id_hash for p in theirs} else []
    if a.incident == b.incident:
        for name, one, other, most in (
            ("account", mine[0].account_hash, theirs[0].account_hash, limits.account_households),
            ("phone", mine[0].phone_hash, theirs[0].phone_hash, limits.phone_households),
        ):
            if one is not None and one == other and shared[one, a.incident] > most:
                found.append(name)
    return tuple(found)


def _home(head: Head, people: Sequence[Person], keys: Keys) -> Home:
    faces = []
    for p in people:
        plain = _PLAIN.decode(keys.open("person", p.id, "sealed", p.sealed))
        faces.append(likeness.face(plain.name, plain.id_number, p.id_hash))
    return Home(head.village, faces, people[0].phone_hash, people[0].account_hash)


def _ordered(a: bytes, b: bytes) -> tuple[bytes, bytes]:
    return (a, b) if a <= b else (b, a)


def _asked(people: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """The pairs a verdict may have been given about: the householders, and the best match. One person is no pair."""
    found = {_ordered(people[i], people[i + 1]) for i in range(0, min(len(people), 4), 2)}
    return [p for p in found if p[0] != p[1]]


def _found(scored: _Scored, known: Mapping[tuple[bytes, bytes], str], limits: Limits) -> Found | None:
    """The suspicion, unless it was decided before that these are two, or they are not alike enough."""
    holders, best = _ordered(*scored.people[:2]), _ordered(*scored.people[2:4])
    if known.get(holders) == "different" or (not scored.keys and known.get(best) == "different"):
        return None
    like = scored.like.with_known(known.get(best) or known.get(holders))
    if not scored.keys and like.score < limits.score:
        return None
    a, b = scored.later, scored.earlier
    stops = "nothing" if a.incident != b.incident else "payment" if scored.keys else limits.fuzzy_blocks
    return Found(
        a.county,
        a.id,
        b.county,
        b.id,
        a.incident,
        scored.keys,
        like.score,
        tuple(f"{c}:{n}" for c, n in like.reasons),
        b"".join(scored.people),
        stops,
    )


async def queue_older(tx: Tx, now: datetime, keys: Keys) -> int:
    """Give blocks to the next households registered before there were any; how many. Resumes where it stopped."""
    cursor = await blocks.backfill(tx)
    if cursor is None:
        return 0
    ids = await blocks.older(tx, cursor, _OLDER)
    await queue(tx, [(cursor.county, i) for i in ids], keys)
    await blocks.advance(tx, cursor.county, ids[-1] if ids else cursor.after, None if len(ids) == _OLDER else now)
    return len(ids) + 1


async def queue(tx: Tx, sides: Sequence[Side], keys: Keys) -> None:
    """Let these households be compared with all others by what is known of them now."""
    heads = {h.id: h for h in await suspicions.heads(tx, sides)}
    people = await suspicions.people(tx, sides)
    await blocks.queue(tx, [(county, i, _blocks(heads[i], people[i], keys)) for county, i in sides if i in people])


def _blocks(head: Head, people: Sequence[Person], keys: Keys) -> list[int]:
    opened = [(p, _PLAIN.decode(keys.open("person", p.id, "sealed", p.sealed))) for p in people]
    faces = [(o.name, o.id_number, p.id_hash) for p, o in opened]
    return likeness.blocks(head.incident, head.village, faces, (people[0].phone_hash, people[0].account_hash), keys.block)
