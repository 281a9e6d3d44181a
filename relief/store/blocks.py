"""Blocks of households: queued at registration, compared in bulk as packed columns, then kept for those who come later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.store.db import Tx, many, maybe, one, run

_QUEUE = """
INSERT INTO unmatched (county, household, blocks) SELECT county, household, blocks::bigint[] FROM unnest($1::text[], $2::uuid[], $3::text[])
    AS t (county, household, blocks)
ON CONFLICT (county, household) DO UPDATE SET blocks = unmatched.blocks || excluded.blocks
"""
_QUEUE_ACCOUNTS = """
INSERT INTO unmatched (county, household, blocks)
SELECT p.county, p.household, array_agg((('x' || encode(substr(c.account_hash, 1, 8), 'hex'))::bit(64)::bigint
                                         # ('x' || left(replace(h.incident::text, '-', ''), 16))::bit(64)::bigint) & ~1::bigint)
FROM account c JOIN person p ON p.county = c.county AND p.id = c.person JOIN household h ON h.county = p.county AND h.id = p.household
WHERE c.county = $1 AND c.id = ANY ($2::uuid[]) GROUP BY p.county, p.household
ON CONFLICT (county, household) DO UPDATE SET blocks = unmatched.blocks || excluded.blocks
"""
#: One matcher at a time: two of them would not see each other's households.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('match households', 0))"
_EMPTY = "SELECT NOT EXISTS (SELECT FROM block)"
# Every aggregate sees the rows in one order. What was compared before is looked up only where there is something ($2): fuzzy blocks in
# their own table, exact keys where they stand anyway. The queue is seen as it was before: who left it with us or still waits is not old.
_TAKE = """
WITH moved AS (
    DELETE FROM unmatched u USING (SELECT county, household FROM unmatched ORDER BY county, household LIMIT $1) t
    WHERE u.county = t.county AND u.household = t.household RETURNING u.county, u.household, u.blocks
), people AS (
    SELECT p.id_hash, p.phone_hash, (SELECT a.account_hash FROM account a WHERE a.county = p.county AND a.person = p.id AND a.status = 'current')
    FROM moved m JOIN person p ON p.county = m.county AND p.household = m.household
    WHERE $2 AND p.role IN ('householder', 'member')
), old AS (
    SELECT x.block, x.county, x.household FROM (
        SELECT b.block, b.county, b.household
        FROM (SELECT DISTINCT k AS wanted FROM moved CROSS JOIN LATERAL unnest(blocks) k WHERE $2 AND k & 1 = 1) w JOIN block b ON b.block = w.wanted
        UNION ALL
        SELECT (y.head # CASE WHEN y.apart THEN ('x' || left(replace(h.incident::text, '-', ''), 16))::bit(64)::bigint ELSE 0 END) & ~1::bigint,
               y.county, y.household
        FROM (
            SELECT ('x' || encode(substr(o.id_hash, 1, 8), 'hex'))::bit(64)::bigint AS head, v.apart, o.county, o.household
            FROM people n JOIN person o ON o.id_hash = n.id_hash AND o.role IN ('householder', 'member') CROSS JOIN (VALUES (true), (false)) v (apart)
            UNION ALL
            SELECT ('x' || encode(substr(o.phone_hash, 1, 8), 'hex'))::bit(64)::bigint, true, o.county, o.household
            FROM people n JOIN person o ON o.phone_hash = n.phone_hash AND o.role IN ('householder', 'member')
            UNION ALL
            SELECT ('x' || encode(substr(c.account_hash, 1, 8), 'hex'))::bit(64)::bigint, true, o.county, o.household
            FROM people n JOIN account c ON c.account_hash = n.account_hash AND c.status = 'current'
            JOIN person o ON o.county = c.county AND o.id = c.person AND o.role IN ('householder', 'member')
        ) y JOIN household h ON h.county = y.county AND h.id = y.household
    ) x WHERE NOT EXISTS (SELECT FROM unmatched u WHERE u.county = x.county AND u.household = x.household)
)
SELECT coalesce((SELECT string_agg(convert_to(county, 'UTF8') || uuid_send(household), '') FROM moved), '') AS owners,
       coalesce((SELECT string_agg(int2send(cardinality(blocks)::int2), '') FROM moved), '') AS sizes,
       coalesce((SELECT string_agg(substr(array_send(blocks), 21), '') FROM moved), '') AS blocks,
       coalesce((SELECT string_agg(convert_to(county, 'UTF8') || uuid_send(household), '') FROM old), '') AS old_owners,
       coalesce((SELECT string_agg(int8send(block), '') FROM old), '') AS old_blocks
"""
_BACKFILLS = "SELECT county, before, after FROM block_backfill WHERE done_at IS NULL ORDER BY county LIMIT 1 FOR UPDATE SKIP LOCKED"
_ADVANCE = "UPDATE block_backfill SET after = $2, done_at = $3 WHERE county = $1"
_BEFORE = """
SELECT id AS household FROM household WHERE county = $1 AND id > $3 AND received_at < $2 AND status NOT IN ('duplicate', 'rejected')
ORDER BY id LIMIT $4
"""
_WAITING = "SELECT EXISTS (SELECT FROM unmatched)"

_OWNER: Final = np.dtype([("county", "S6"), ("household", "V16")])
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_ROW: Final = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("block", ">i8"), ("l2", ">i4"), ("county", "S6"), ("l3", ">i4"), ("household", "V16")]
)
_COPY_ROWS: Final = 100_000


class Taken(msgspec.Struct, frozen=True):
    """Households with their blocks: `owner[i]` is the place in `owners` of the household that has `block[i]`. The first `kept` owners
    were compared before, the others have just left the queue."""

    owners: npt.NDArray[np.void]
    owner: npt.NDArray[np.int32]
    block: npt.NDArray[np.int64]
    kept: int

    def key(self, place: int) -> tuple[str, UUID]:
        """County and id of the household at that place."""
        county, household = self.owners[place]
        return bytes(county).decode(), UUID(bytes=bytes(household))


class Cursor(msgspec.Struct, frozen=True):
    """How far a county's older households have been queued."""

    county: str
    before: datetime
    after: UUID


class _Packed(msgspec.Struct, frozen=True):
    owners: bytes
    sizes: bytes
    blocks: bytes
    old_owners: bytes
    old_blocks: bytes


class _Household(msgspec.Struct, frozen=True):
    household: UUID


async def queue(tx: Tx, rows: Sequence[tuple[str, UUID, Sequence[int]]]) -> None:
    """Households that wait to be compared: (county, household, blocks)."""
    await run(tx, _QUEUE, [r[0] for r in rows], [r[1] for r in rows], [f"{{{','.join(map(str, r[2]))}}}" for r in rows])


async def queue_accounts(tx: Tx, county: str, accounts: Sequence[UUID]) -> None:
    """Compare the owners of these account versions again: a corrected card may be somebody else's."""
    await run(tx, _QUEUE_ACCOUNTS, county, list(accounts))


async def take(tx: Tx, most: int) -> Taken:
    """Up to `most` households out of the queue, and those compared before that share a block with them."""
    await tx.execute(_ALONE)
    packed = await one(tx, _TAKE, _Packed, most, not await tx.fetchval(_EMPTY))
    new = np.frombuffer(packed.owners, _OWNER)
    sizes = np.frombuffer(packed.sizes, ">i2").astype(np.int64)
    block = np.frombuffer(packed.blocks, np.dtype([("length", ">i4"), ("block", ">i8")]))["block"].astype(np.int64)
    old, place = (
        np.unique(np.frombuffer(packed.old_owners, _OWNER), return_inverse=True) if packed.old_owners else (new[:0], np.zeros(0, int))
    )
    owner = np.concatenate([place, np.repeat(np.arange(len(new)), sizes) + len(old)]).astype(np.int32)
    return Taken(
        owners=np.concatenate([old, new]), owner=owner, kept=len(old),
        block=np.concatenate([np.frombuffer(packed.old_blocks, ">i8").astype(np.int64), block]),
    )  # fmt: skip


async def keep(tx: Tx, taken: Taken) -> int:
    """Keep the fuzzy blocks of those who left the queue, in the order of the index; how many."""
    fresh = (taken.owner >= taken.kept) & (taken.block & 1 == 1)
    block, owner = taken.block[fresh], taken.owner[fresh]
    order = np.argsort(block)
    await tx.copy_to_table(
        "block", columns=["block", "county", "household"], format="binary", source=_rows(taken, block[order], owner[order])
    )
    return len(block)


async def _rows(taken: Taken, block: npt.NDArray[np.int64], owner: npt.NDArray[np.int32]) -> AsyncIterator[bytes]:
    """PostgreSQL's own binary form, made in columns: a row an object would cost more than the index."""
    yield _COPY_HEAD
    for start in range(0, len(block), _COPY_ROWS):
        part = slice(start, start + _COPY_ROWS)
        rows = np.empty(len(block[part]), _COPY_ROW)
        rows["fields"], rows["l1"], rows["l2"], rows["l3"] = 3, 8, 6, 16
        rows["block"] = block[part]
        rows["county"], rows["household"] = taken.owners["county"][owner[part]], taken.owners["household"][owner[part]]
        yield rows.tobytes()
    yield b"\xff\xff"


async def waiting(tx: Tx) -> bool:
    """Whether anybody waits to be compared."""
    return bool(await tx.fetchval(_WAITING))


async def backfill(tx: Tx) -> Cursor | None:
    """A county whose older households are not all queued yet, locked."""
    return await maybe(tx, _BACKFILLS, Cursor)


async def advance(tx: Tx, county: str, after: UUID, done_at: datetime | None) -> None:
    """How far that county is."""
    await run(tx, _ADVANCE, county, after, done_at)


async def older(tx: Tx, cursor: Cursor, most: int) -> list[UUID]:
    """The next households of a county that were registered before there were blocks."""
    return [r.household for r in await many(tx, _BEFORE, _Household, cursor.county, cursor.before, cursor.after, most)]
