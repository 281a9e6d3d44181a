"""Seal the trace and set checkpoints: acts are numbered and chained per county after they are committed, so no writer waits for another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import trail
from relief.domain.policy import Actor
from relief.domain.trail import Checkpoint, Head
from relief.store import audits, errands, seals
from relief.store.db import Tx
from relief.store.seals import Kept, Pending, Seal

#: Acts sealed in one transaction.
MOST: Final = 5_000
CHECKPOINT_EVERY: Final = timedelta(hours=1)
#: An act that has waited so long for its seal is an alarm; so is a checkpoint that is overdue by so much.
SEAL_ALARM: Final = timedelta(minutes=1)
CHECKPOINT_ALARM: Final = timedelta(hours=2)


class State(msgspec.Struct, frozen=True):
    """How the trace stands: acts that wait for their seal, since when, the last checkpoint, and whether anything of it is an alarm."""

    waiting: int
    since: datetime | None
    checkpoint: Kept | None
    late: bool


async def seal(tx: Tx, now: datetime) -> int:
    """Give every committed act the next number of its county and chain it; how many. Nothing when another sealer is at work."""
    if not await seals.lock(tx):
        return 0
    found = await seals.pending(tx, MOST)
    if not found:
        return 0
    heads = await seals.heads(tx, sorted({p.county for p in found}))
    await seals.seal(tx, chain(found, heads), now)
    return len(found)


def chain(acts: Sequence[Pending], heads: dict[str, Head]) -> list[Seal]:
    """The seals of these acts in the given order, standing on the heads of their counties."""
    ends = {county: (head.seq, bytes.fromhex(head.chain)) for county, head in heads.items()}
    made: list[Seal] = []
    for act in acts:
        seq, before = ends.get(act.county, (0, trail.genesis(act.county)))
        ends[act.county] = seq + 1, trail.link(before, seq + 1, act.line.encode())
        made.append(Seal(act.county, seq + 1, act.id, ends[act.county][1]))
    return made


async def claim_checkpoint(tx: Tx, serial: int, previous: str, now: datetime) -> Checkpoint | None:
    """The checkpoint after file number `serial - 1` (whose SHA-256 is `previous`), if one is due and it is this worker's turn."""
    if not await errands.claim(tx, ["checkpoint"], now, CHECKPOINT_EVERY):
        return None
    return Checkpoint(serial, now, previous, await seals.all_heads(tx))


async def record_checkpoint(tx: Tx, checkpoint: Checkpoint, digest: bytes) -> None:
    """It is written outside."""
    acts = sum(h.seq for h in checkpoint.heads.values())
    await seals.keep_checkpoint(tx, Kept(checkpoint.serial, checkpoint.at, digest, len(checkpoint.heads), acts))


async def state(tx: Tx, now: datetime) -> State:
    """What a page or a check shows of it."""
    waiting, last = await seals.waiting(tx), await seals.last_checkpoint(tx)
    unsealed = waiting.since is not None and now - waiting.since > SEAL_ALARM
    return State(waiting.acts, waiting.since, last, unsealed or last is None or now - last.at > CHECKPOINT_ALARM)


async def export(tx: Tx, counties: Sequence[str]) -> AsyncIterator[str]:
    """The sealed trace of these counties (LIKE patterns), one line an act; see domain/trail.py."""
    async for line in seals.export(tx, counties):
        yield line


async def note_export(tx: Tx, actor: Actor, counties: Sequence[str], now: datetime) -> None:
    """That somebody takes the trace away is an act too."""
    await audits.add(tx, audits.SHARED, actor, "audit.export", "audit", [], now, {"counties": list(counties)})


def digest_of(ids: Sequence[UUID]) -> bytes:
    """The digest an act on exactly these ids carries."""
    return audits.digest(sorted(i.bytes for i in ids))
