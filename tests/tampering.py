"""Every way to falsify the trace that we could think of, done by the owner of the database with triggers off.

Each returns the row that verification must name first. What no chain can show is left out on purpose: an act added at the very end
through the front door, and what happened after the last checkpoint to the end of a chain.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import msgspec

from relief.domain import trail
from relief.domain.trail import Checkpoint, Head, Verdict
from relief.store import seals
from relief.store.db import Tx
from relief.store.seals import Pending
from tests import make

_ACT = "INSERT INTO audit (county, id, at, actor, act, subject, count, digest, detail) VALUES ($1, $2, $3, $4, $5, 'batch', $6, $7, $8)"
_LINES = """
SELECT s.seq, a.id, jsonb_build_array(a.county, a.id, (extract(epoch FROM a.at) * 1000000)::bigint, a.actor, a.act, a.subject, a.count,
                                      encode(a.digest, 'hex'), a.detail)::text AS line
FROM audit_seal s JOIN audit a ON a.county = s.county AND a.id = s.id WHERE s.county = $1 AND s.seq >= $2 ORDER BY s.seq
"""


class Trace(msgspec.Struct, frozen=True):
    """What was there before: acts by county, and what checkpoints have seen."""

    lengths: Mapping[str, int]
    wanted: Mapping[str, Mapping[int, str]]


async def fill(tx: Tx, rng: Random, counties: Mapping[str, int], *, every: int = 10) -> Trace:
    """So many sealed acts in each county, and a checkpoint after each `every` of them and at the end."""
    seen: dict[str, dict[int, str]] = {}
    for county, acts in counties.items():
        rows = [(county, uuid4(), make.NOW + timedelta(seconds=n), uuid4() if rng.random() < 0.8 else None, rng.choice(("batch.check", "fund.allocate")),
                 rng.randrange(1, 900), rng.randbytes(32), {"total_fen": rng.randrange(10**9), "理由": "演示"}) for n in range(acts)]  # fmt: skip
        await tx.executemany(_ACT, rows)
        await tx.execute("INSERT INTO audit_pending (county, id) SELECT county, id FROM audit WHERE county = $1", county)
    while found := await seals.pending(tx, 100_000):
        await seals.seal(tx, chained(found), make.NOW)
    for county, acts in counties.items():
        for seq, value in await tx.fetch("SELECT seq, encode(chain, 'hex') FROM audit_seal WHERE county = $1", county):
            if seq % every == 0 or seq == acts:
                seen.setdefault(county, {})[seq] = value
    return Trace(counties, seen)


def chained(acts: list[Pending]) -> list[seals.Seal]:
    """Their seals from the beginning of each county."""
    ends: dict[str, tuple[int, bytes]] = {}
    made = []
    for act in acts:
        seq, before = ends.get(act.county, (0, trail.genesis(act.county)))
        ends[act.county] = (seq + 1, trail.link(before, seq + 1, act.line.encode()))
        made.append(seals.Seal(act.county, seq + 1, act.id, ends[act.county][1]))
    return made


async def verdict(tx: Tx, trace: Trace) -> Verdict:
    """Export as the command does, verify as the command does."""
    lines = [line.encode() + b"\n" async for line in seals.export(tx, ["%"])]
    found = trail.verify(lines, None, trace.wanted)
    return found if found.broken else Verdict(found.rows, found.heads, trail.cut(found.heads, trace.wanted))


def checkpoints(trace: Trace) -> list[Checkpoint]:
    """The last one, as the worker would write it."""
    return [Checkpoint(1, make.NOW, "", {c: Head(n, trace.wanted[c][n]) for c, n in trace.lengths.items()})]


async def _place(tx: Tx, rng: Random, trace: Trace, *, but_last: int = 0) -> tuple[str, int, UUID]:
    county = rng.choice([c for c, n in trace.lengths.items() if n > but_last])
    seq = rng.randrange(1, trace.lengths[county] + 1 - but_last)
    return county, seq, await tx.fetchval("SELECT id FROM audit_seal WHERE county = $1 AND seq = $2", county, seq)


_FLIPS = (
    "UPDATE audit SET at = at + interval '1 microsecond' WHERE county = $1 AND id = $2",
    "UPDATE audit SET actor = gen_random_uuid() WHERE county = $1 AND id = $2",
    "UPDATE audit SET act = act || ' ' WHERE county = $1 AND id = $2",
    "UPDATE audit SET subject = 'fund' WHERE county = $1 AND id = $2",
    "UPDATE audit SET count = count + 1 WHERE county = $1 AND id = $2",
    "UPDATE audit SET digest = set_byte(digest, 7, get_byte(digest, 7) # 1) WHERE county = $1 AND id = $2",
    "UPDATE audit SET detail = jsonb_set(detail, '{total_fen}', to_jsonb((detail->>'total_fen')::bigint + 1)) WHERE county = $1 AND id = $2",
    "UPDATE audit SET detail = detail || '{\"x\": null}' WHERE county = $1 AND id = $2",
)


async def flip(tx: Tx, rng: Random, trace: Trace) -> str:
    county, seq, id_ = await _place(tx, rng, trace)
    assert await tx.execute(rng.choice(_FLIPS), county, id_) == "UPDATE 1"
    return f"{county}/{seq}"


async def flip_seal(tx: Tx, rng: Random, trace: Trace) -> str:
    county, seq, _ = await _place(tx, rng, trace)
    await tx.execute(
        "UPDATE audit_seal SET chain = set_byte(chain, 31, get_byte(chain, 31) # 128) WHERE county = $1 AND seq = $2", county, seq
    )
    return f"{county}/{seq}"


async def delete_act(tx: Tx, rng: Random, trace: Trace) -> str:
    county, seq, id_ = await _place(tx, rng, trace)
    await tx.execute("DELETE FROM audit WHERE county = $1 AND id = $2", county, id_)
    return f"{county}/{seq}"


async def delete_both(tx: Tx, rng: Random, trace: Trace) -> str:
    county, seq, id_ = await _place(tx, rng, trace, but_last=1)
    await tx.execute("DELETE FROM audit WHERE county = $1 AND id = $2", county, id_)
    await tx.execute("DELETE FROM audit_seal WHERE county = $1 AND id = $2", county, id_)
    return f"{county}/{seq + 1}"


async def delete_and_close_the_gap(tx: Tx, rng: Random, trace: Trace) -> str:
    county, seq, id_ = await _place(tx, rng, trace, but_last=1)
    await tx.execute("DELETE FROM audit WHERE county = $1 AND id = $2", county, id_)
    await tx.execute("DELETE FROM audit_seal WHERE county = $1 AND id = $2", county, id_)
    await _shift(tx, county, seq + 1, -1)
    return f"{county}/{seq}"


async def insert(tx: Tx, rng: Random, trace: Trace) -> str:
    """A forged act with a chain value that is right for it: the one after it no longer fits."""
    county, seq, _ = await _place(tx, rng, trace)
    before = await tx.fetchval("SELECT chain FROM audit_seal WHERE county = $1 AND seq = $2", county, seq - 1) or trail.genesis(county)
    await _shift(tx, county, seq, 1)
    id_ = uuid4()
    await tx.execute(_ACT, county, id_, make.NOW, None, "batch.check", 1, bytes(32), {})
    await tx.execute("INSERT INTO audit_seal (county, seq, id, chain, sealed_at) VALUES ($1, $2, $3, '', $4)", county, seq, id_, make.NOW)
    line = (await tx.fetch(_LINES, county, seq))[0]["line"]
    await tx.execute("UPDATE audit_seal SET chain = $3 WHERE county = $1 AND seq = $2", county, seq, trail.link(before, seq, line.encode()))
    return f"{county}/{seq}" if trace.wanted[county].get(seq) else f"{county}/{seq + 1}"


async def insert_unsealed(tx: Tx, rng: Random, trace: Trace) -> str:
    county, id_ = rng.choice(list(trace.lengths)), uuid4()
    await tx.execute(_ACT, county, id_, make.NOW, None, "batch.check", 1, bytes(32), {})
    return f"{county}/{id_}"


async def reorder(tx: Tx, rng: Random, trace: Trace) -> str:
    county, one, first = await _place(tx, rng, trace, but_last=1)
    other = rng.randrange(one + 1, trace.lengths[county] + 1)
    second = await tx.fetchval("SELECT id FROM audit_seal WHERE county = $1 AND seq = $2", county, other)
    await tx.execute("UPDATE audit_seal SET id = gen_random_uuid() WHERE county = $1 AND seq = $2", county, other)
    await tx.execute("UPDATE audit_seal SET id = $3 WHERE county = $1 AND seq = $2", county, one, second)
    await tx.execute("UPDATE audit_seal SET id = $3 WHERE county = $1 AND seq = $2", county, other, first)
    return f"{county}/{one}"


async def move(tx: Tx, rng: Random, trace: Trace) -> str:
    """An act carried into another county."""
    county, seq, id_ = await _place(tx, rng, trace)
    await tx.execute("UPDATE audit SET county = $3 WHERE county = $1 AND id = $2", county, id_, "999999")
    return f"{county}/{seq}"


async def cut_tail(tx: Tx, rng: Random, trace: Trace) -> str:
    county, seq, _ = await _place(tx, rng, trace)
    await tx.execute(
        "DELETE FROM audit a USING audit_seal s WHERE s.county = $1 AND s.seq >= $2 AND a.county = s.county AND a.id = s.id", county, seq
    )
    await tx.execute("DELETE FROM audit_seal WHERE county = $1 AND seq >= $2", county, seq)
    return f"{county}/{seq}"


async def rewrite(tx: Tx, rng: Random, trace: Trace) -> str:
    """An act changed and every chain value after it made to fit: only a checkpoint knows better."""
    county, seq, id_ = await _place(tx, rng, trace)
    await tx.execute(_FLIPS[4], county, id_)
    chain = await tx.fetchval("SELECT chain FROM audit_seal WHERE county = $1 AND seq = $2", county, seq - 1) or trail.genesis(county)
    made = []
    for row in await tx.fetch(_LINES, county, seq):
        chain = trail.link(chain, row["seq"], row["line"].encode())
        made.append((county, row["seq"], chain))
    await tx.executemany("UPDATE audit_seal SET chain = $3 WHERE county = $1 AND seq = $2", made)
    return f"{county}/{min(n for n in trace.wanted[county] if n >= seq)}"


async def _shift(tx: Tx, county: str, since: int, by: int) -> None:
    await tx.execute("ALTER TABLE audit_seal DROP CONSTRAINT IF EXISTS audit_seal_seq_check")
    await tx.execute("UPDATE audit_seal SET seq = -seq - $3 WHERE county = $1 AND seq >= $2", county, since, by)
    await tx.execute("UPDATE audit_seal SET seq = -seq WHERE county = $1 AND seq < 0", county)


KINDS: tuple[Callable[[Tx, Random, Trace], Awaitable[str]], ...] = (
    flip, flip_seal, delete_act, delete_both, delete_and_close_the_gap, insert, insert_unsealed, reorder, move, cut_tail, rewrite,
)  # fmt: skip
