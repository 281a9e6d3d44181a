"""Decide whether two registrations are one household: by somebody who registered neither, with a reason, once, and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid4

import msgspec

from relief.domain import likeness
from relief.domain.days import add_working_days, beijing_day
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.incident import check_reason
from relief.domain.moves import REGISTRATION, sources
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.store import audits, blocks, suspicions
from relief.store.db import Tx
from relief.store.suspicions import Head, Open, Person

Verdict = Literal["same", "different", "merge"]
#: Working days in which money given to a household that was registered twice must be answered for.
RECOVERY_WORKING_DAYS: Final = 10

Side = tuple[str, UUID]


class Ruling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is decided about one suspicion. `kept` is the household that stays; without it the earlier registration does."""

    county: str
    suspicion: UUID
    kept: UUID | None = None


class Ruled(msgspec.Struct, frozen=True):
    """What a decision did: suspicions decided, households that are duplicates now, recovery cases opened, people taken over."""

    suspicions: int
    duplicates: int = 0
    recoveries: int = 0
    people: int = 0


class _Plain(msgspec.Struct):
    name: str
    id_number: str


_PLAIN: Final = msgspec.json.Decoder(_Plain)


async def decide(tx: Tx, actor: Actor, rulings: Sequence[Ruling], verdict: Verdict, reason: str, now: datetime, keys: Keys) -> Ruled:
    """One verdict about some suspicions; all of them or none.

    `different`: two households, both stand. `same`: one stays, the other is its duplicate and gets nothing. `merge`: as `same`, and people
    whom only the duplicate names move into the one that stays. Refused to whoever registered either side; Conflict where one is decided
    already, or where a household to be merged into has been granted something.
    """
    said = check_reason(reason)
    wanted = {(r.county, r.suspicion): r for r in rulings}
    found = await suspicions.lock(tx, sorted(wanted))
    if not found or len(found) != len(wanted):
        raise Conflict("moved_on", "部分疑似重复已被处理，请刷新 · some were decided meanwhile, refresh")
    require(actor, "duplicate.decide", {v for f in found for v in (f.village, f.other_village)})
    if own := sum(actor.person in (f.registered_by, f.other_registered_by) for f in found):
        raise Refused(
            "own_registration", f"其中 {own} 件涉及您本人登记的户，须由他人核实 · you registered a side of {own} of them", count=own
        )
    kept = {(f.county, f.id): _kept(f, wanted[f.county, f.id]) for f in found}
    rows = [(f.county, f.id, None if verdict == "different" else kept[f.county, f.id][1]) for f in found]
    await suspicions.decide(tx, rows, verdict, said, actor.person, now)
    await suspicions.remember(tx, _pairs(found), "different" if verdict == "different" else "same", actor.person, now)
    done = Ruled(len(found))
    if verdict != "different":
        done = await _retire(tx, actor, [(_other(f, kept[f.county, f.id]), kept[f.county, f.id]) for f in found], verdict, said, now, keys)
    sets: dict[str, list[UUID]] = {}
    for f in found:
        sets.setdefault(f.county, []).append(f.id)
    await audits.add_each(
        tx, sets, actor, f"duplicate.{verdict}", "suspicion", now, {"duplicates": done.duplicates, "recoveries": done.recoveries}
    )
    return msgspec.structs.replace(done, suspicions=len(found))


def _kept(found: Open, ruling: Ruling) -> Side:
    sides = {found.household: found.county, found.other: found.other_county}
    kept = ruling.kept or found.other
    if kept not in sides:
        raise Invalid("kept", "保留的户须是两户之一 · the household that stays is one of the two", field="kept")
    return sides[kept], kept


def _other(found: Open, kept: Side) -> Side:
    return (found.county, found.household) if kept[1] == found.other else (found.other_county, found.other)


def _pairs(found: Sequence[Open]) -> list[tuple[bytes, bytes]]:
    """Identity hashes, low and high. Householders first, then those who match: two households of one person are not two people."""
    out = set()
    for f in found:
        hashes = [f.people[i : i + 32] for i in range(0, len(f.people), 32)]
        for a, b in zip(hashes[::2], hashes[1::2], strict=True):
            if a != b:
                out.add((min(a, b), max(a, b)))
    return sorted(out)


async def _retire(
    tx: Tx, actor: Actor, pairs: Sequence[tuple[Side, Side]], verdict: Verdict, reason: str, now: datetime, keys: Keys
) -> Ruled:
    """The losers are duplicates now. A household cannot stay and go in one decision."""
    losers, kept = dict.fromkeys(a for a, _ in pairs), [b for _, b in pairs]
    if set(losers) & set(kept) or len(losers) != len(pairs):
        raise Invalid(
            "kept_and_lost",
            "同一户不能既保留又作为重复户，请分次核实 · one household cannot stay and go; decide in two steps",
            field="kept",
        )
    people = 0
    if verdict == "merge":
        if paid := await suspicions.with_money(tx, kept):
            raise Conflict(
                "merge_late", f"其中 {len(paid)} 户已有审批，不能再并入成员 · {len(paid)} have been granted something; choose 'same'"
            )
        for loser, stays in pairs:
            people += await _move_in(tx, loser, stays, keys)
        await suspicions.withdraw(tx, kept)
    lost = list(losers)
    due = add_working_days(beijing_day(now), RECOVERY_WORKING_DAYS)
    cases = await suspicions.recover(tx, lost, kept, due, actor.person, now)
    moved = await suspicions.retire(tx, lost, [k for _, k in kept], sources(REGISTRATION, "duplicate"))
    if moved != len(lost):
        raise Conflict("moved_on", "部分户已不在登记中，请刷新 · some households have left the register, refresh")
    await suspicions.close_rest(tx, lost, [k for _, k in kept], reason, actor.person, now)
    return Ruled(0, moved, cases, people)


async def _move_in(tx: Tx, loser: Side, kept: Side, keys: Keys) -> int:
    """People whom only the loser names, sealed anew for the household that stays."""
    both = await suspicions.people(tx, [loser, kept])
    here = {p.id_hash for p in both[kept[1]]}
    coming = [p for p in both[loser[1]] if p.id_hash not in here]
    if not coming:
        return 0
    opened = [(uuid4(), p, keys.open("person", p.id, "sealed", p.sealed)) for p in coming]
    rows = [(loser[0], p.id, new, keys.seal("person", new, "sealed", plain)) for new, p, plain in opened]
    if not await suspicions.move_in(tx, kept[0], kept[1], rows):
        raise Invalid("household_too_large", "合并后超过30人，请核对 · the merged household would have more than 30 people", field="kept")
    [head] = await suspicions.heads(tx, [kept])
    await blocks.queue(tx, [(*kept, _blocks(head, [(p, plain) for _, p, plain in opened], keys))])
    return len(rows)


def _blocks(head: Head, people: Sequence[tuple[Person, bytes]], keys: Keys) -> list[int]:
    faces = [((who := _PLAIN.decode(plain)).name, who.id_number, p.id_hash) for p, plain in people]
    return likeness.blocks(head.incident, head.village, faces, (), keys.block)
