"""The database cuts connections wherever it likes, also in the middle of COMMIT: whoever asks again under the same key gets one effect."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from relief.domain.errors import Conflict, Unavailable
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import approve
from relief.store import db, invariants
from relief.store.db import Pool
from relief.web import idempotency
from tests import make
from tests.make import LUDING, MOXI, NOW

pytestmark = pytest.mark.slow

AWARDS, CUTS = 24, 60
_CUT = """
SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'relief' AND state <> 'idle' AND pid <> pg_backend_pid() LIMIT 1) AS gone
"""


async def test_terminated_at_random_every_award_is_approved_once_and_every_key_has_one_answer(
    pool: Pool, keys: Keys, database: str
) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        await make.fund(tx, incident=incident, amount_fen=AWARDS * 90_000)
        made = await make.awards(tx, keys, incident=incident, reporter=await make.staff(tx, ("reporter", MOXI)), count=AWARDS)
        reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    working, cut = True, 0

    async def cutting() -> None:
        nonlocal cut
        owner = await db.connect_owner(database)
        while working and cut < CUTS:
            cut += int(await owner.fetchval(_CUT))
        await owner.close()

    async def worker(mine: list[UUID]) -> list[bytes]:
        return [await _until_answered(pool, reviewer, award) for award in mine]

    knife = asyncio.create_task(cutting())
    answers = await asyncio.gather(*(worker(made[n::4]) for n in range(4)))
    working = False
    await knife
    assert cut > 5
    assert all(b'"awards":1' in answer for part in answers for answer in part)
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT count(*) FROM award WHERE status = 'approved'") == AWARDS
        assert await db.value(tx, "SELECT available_fen FROM fund") == 0
        for invariant in (*invariants.MONEY, *invariants.STANDING):
            found = await invariants.examine(tx, invariant)
            assert not found.broken, found


async def _until_answered(pool: Pool, reviewer: Actor, award: UUID) -> bytes:
    """Ask again under the same key until there is an answer; then once more, which must be the same bytes."""
    key, digest, given = uuid4().hex, approve.digest_of([(award, 90_000)]), list[bytes]()
    while len(given) < 2:
        try:
            async with db.begin(pool) as tx:
                reply = await idempotency.once(
                    tx, reviewer, key, "approve", [str(award)], NOW, lambda: approve.approve(tx, reviewer, LUDING, [award], digest, NOW)
                )
        except (Unavailable, Conflict) as error:  # cut off, or the one that was cut off has not ended yet
            if error.code not in ("database", "busy", "in_flight"):
                raise
            continue
        given.append(reply.response)
    assert given[0] == given[1]
    return given[0]
