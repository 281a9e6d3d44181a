"""The money core under everything that goes wrong, from one seed: real services and beats on a real database, nothing else is real.

One seed is one story: officers act, beats run, the clock leaps, the bank and the carrier are unkind, processes die at labelled points,
commits succeed without anybody hearing of it. After every step all invariants are examined; then the faults stop and everything must come
to its end. A seed replays exactly: `Story.digest` is over every step and over the state after it, in names that no random id enters.

A process's transaction is a savepoint of the run's own transaction, so a thousand runs leave nothing behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from relief.channels.feeds import Feeds
from relief.domain import moves
from relief.domain.errors import ReliefError
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.jobs import Work
from relief.settings import Settings
from relief.store import db, invariants
from relief.store.db import Tx
from tests import make
from tests.faults.twins import LAYOUT, SimBank, SimCarrier
from tests.make import LUDING, MOXI, NOW

STEPS: Final = 20
#: Rounds the house has to come to its end once nothing goes wrong any more.
PATIENCE: Final = 40
#: There was nothing to do: no step.
NOTHING: Final = "nothing"
POINTS: Final = (
    "batch claimed", "batch delivered", "batch recorded, not committed", "batch recorded", "answer collected", "answer imported, not committed",
    "answer imported", "messages claimed", "messages sent", "messages recorded, not committed", "messages recorded",
)  # fmt: skip
#: What no act of the house can change is looked at once a run.
_STILL: Final = frozenset({"money_is_whole_fen", "append_only", "walls_stand"})
_ALL: Final = (*invariants.MONEY, *invariants.STANDING, *invariants.BANK, *invariants.BANK_WORD, *invariants.PEOPLE)
_AFTER_EACH: Final = tuple(i for i in _ALL if i.name not in _STILL)
_AT_THE_END: Final = tuple(i for i in _ALL if i.name in _STILL)
_STATE: Final = """
SELECT h.slip_code_hash AS home, a.aid, i.seq, a.status AS award, i.status AS instalment, p.attempt, p.status, p.reason, m.status AS message, c.status AS word
FROM household h JOIN award a ON a.county = h.county AND a.household = h.id JOIN instalment i ON i.county = a.county AND i.award = a.id
LEFT JOIN payment p ON p.county = i.county AND p.instalment = i.id
LEFT JOIN message m ON m.county = p.county AND m.payment = p.id LEFT JOIN confirmation c ON c.county = p.county AND c.payment = p.id
WHERE h.incident = ANY ($1::uuid[])
"""
_STATUSES: Final = """
SELECT 'payment' AS noun, id, status FROM payment UNION ALL SELECT 'batch', id, status FROM batch UNION ALL SELECT 'award', id, status FROM award
UNION ALL SELECT 'instalment', id, status FROM instalment UNION ALL SELECT 'confirmation', payment, status FROM confirmation
"""
#: Rows written by this transaction so far, undone ones included: a step that wrote none has changed nothing.
_WRITTEN: Final = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"
_MOVES: Final = {
    "payment": (moves.PAYMENT, 2), "batch": (moves.BATCH, 4), "award": (moves.AWARD, 1), "instalment": (moves.INSTALMENT, 2),
    "confirmation": (moves.CONFIRMATION, 2),
}  # fmt: skip


class Crashed(BaseException):
    """The process is gone: nothing after this line happens, and no handler catches it."""


class Broken(Exception):
    """A promise is broken: its name and the rows."""

    def __init__(self, name: str, rows: Sequence[str], step: int) -> None:
        super().__init__(f"step {step}: {name}: {', '.join(rows[:5])}")
        self.name, self.step = name, step


class Story(msgspec.Struct):
    """What a seed did. `acts` counts what was tried and how it ended."""

    seed: int
    digest: str
    steps: int
    acts: dict[str, int]


class People(msgspec.Struct, frozen=True):
    """Who acts in the simulator."""

    reporter: Actor
    township: Actor
    second: Actor
    approver: Actor
    finance: tuple[Actor, Actor, Actor, Actor]
    province: Actor


class Start(msgspec.Struct, frozen=True):
    """The place every seed starts from. `homes` numbers the households so that a replay can speak of them."""

    people: People
    incidents: tuple[UUID, UUID]
    homes: Mapping[bytes, int]


class _Point(Work):
    """A worker whose labelled points kill it when the run says so."""

    def point(self, name: str) -> None:
        """See `Work.point`."""
        run = cast("Run", self.clock)
        if run.crash_at == name:
            run.crash_at = None
            raise Crashed(name)


class _Pool:
    """Hands out the run's one connection. A transaction in it is a savepoint; a lost answer is an error after it was released."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @asynccontextmanager
    async def acquire(self, timeout: float | None = None) -> AsyncIterator[Tx]:
        """The connection."""
        del timeout
        yield self._run.tx
        if self._run.lose_answer:
            self._run.lose_answer = False
            raise ConnectionError("the answer to COMMIT is lost")


class Run:
    """One seed's house. It is its own clock."""

    def __init__(self, tx: Tx, keys: Keys, start: Start, seed: int) -> None:
        self.tx, self.keys, self.start, self.seed = tx, keys, start, seed
        self.rng, self.now = Random(seed), NOW
        self.bank, self.carrier = SimBank(seed, self), SimCarrier(seed, self)
        self.crash_at: str | None = None
        self.lose_answer = False
        self.pool = cast("db.Pool", _Pool(self))
        self.work = _Point(
            pool=self.pool, keys=keys, settings=Settings(home=Path("/nonexistent")), clock=self, bank=self.bank, layout=LAYOUT, sms=self.carrier,
            feeds=cast("Feeds", None),
        )  # fmt: skip
        self.acts: dict[str, int] = {}
        self.step = 0
        self._digest = hashlib.sha256()
        self._before: dict[tuple[str, UUID], str] = {}
        self._written = -1

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def pass_time(self, **much: int) -> None:
        """The clock goes on."""
        self.now += timedelta(**much)

    async def note(self, act: str, outcome: str) -> None:
        """One step is over: it is written down, and everything must be true."""
        key = f"{act}: {outcome}"
        self.acts[key] = self.acts.get(key, 0) + 1
        self.step += 1
        self._digest.update(f"{self.step} {self.now.isoformat()} {key}\n{await self.state()}\n".encode())
        written = await self.tx.fetchval(_WRITTEN)
        if written != self._written:
            self._written = written
            await self.examine(_AFTER_EACH)
            await self._moved()
            await self._outside()

    def forget_statuses(self) -> None:
        """The next step is not compared with the one before."""
        self._before.clear()

    async def state(self) -> str:
        """Everything that counts, without an id."""
        homes = [
            (self.start.homes[r["home"]], *[str(v) for v in list(r.values())[1:]])
            for r in await self.tx.fetch(_STATE, self.start.incidents)
        ]
        funds = await self.tx.fetch("SELECT document, available_fen, reserved_fen, in_flight_fen, paid_fen FROM fund ORDER BY document")
        batches = await self.tx.fetch("SELECT number, status, lines FROM batch ORDER BY number")
        cases = await self.tx.fetch("SELECT code, closed_at FROM bank_row WHERE disposition = 'exception' ORDER BY code, closed_at")
        holds = await self.tx.fetch("SELECT kind, reason, valid_to FROM hold ORDER BY kind, reason, valid_to")
        return repr((sorted(homes), *(list(map(tuple, rows)) for rows in (funds, batches, cases, holds))))

    async def examine(self, which: Sequence[invariants.Invariant]) -> None:
        """Raise Broken for the first that does not hold."""
        for invariant in which:
            if rows := await self.tx.fetch(invariant.broken):
                raise Broken(invariant.name, [str(r["row"]) for r in rows], self.step)

    async def finish(self) -> Story:
        """The last look."""
        await self.examine(_AT_THE_END)
        return Story(self.seed, self._digest.hexdigest(), self.step, dict(sorted(self.acts.items())))

    async def _moved(self) -> None:
        """Every change of status since the last step is one that the tables of moves know [14]."""
        after = {(r["noun"], r["id"]): r["status"] for r in await self.tx.fetch(_STATUSES)}
        for key, status in after.items():
            before, (table, most) = self._before.get(key, status), _MOVES[key[0]]
            reached, seen = {before}, {before}
            for _ in range(most):
                reached = {target for source in reached for target in table[source]}
                seen |= reached
            if status not in seen:
                raise Broken("moves_are_known", [f"{key[0]} {before} → {status}"], self.step)
        if gone := self._before.keys() - after.keys():
            raise Broken("nothing_is_deleted", [noun for noun, _ in gone], self.step)
        self._before = after

    async def _outside(self) -> None:
        """What only the twins can tell: bytes [16], numbers [18, 19], rows kept [21], texts [32]."""
        if said := [*self.bank.broken, *self.carrier.broken]:
            raise Broken(said[0], [], self.step)
        digests = {r["number"]: r["digest"] for r in await self.tx.fetch("SELECT number, digest FROM batch")}
        for number, content in self.bank.files.items():
            if digests.get(number) != hashlib.sha256(content).digest():
                raise Broken("sent_bytes_are_those_signed", [number], self.step)
        for row in await self.tx.fetch("SELECT f.digest, count(r.row) AS rows FROM bank_file f LEFT JOIN bank_row r ON r.county = f.county AND r.file = f.id "
                                       "WHERE f.status = 'imported' GROUP BY f.digest"):  # fmt: skip
            if self.bank.rows_in[row["digest"].hex()] != row["rows"]:
                raise Broken("every_row_is_kept", [str(row["rows"])], self.step)

    async def attempt(self, act: str, doing: Any) -> None:
        """Do it; refusals, dead processes and lost answers are part of the story, anything else is not."""
        try:
            outcome = await doing
        except ReliefError as error:
            outcome = error.code
        except Crashed as crash:
            outcome = f"crashed, {crash}" if crash.args[0] else "crashed"
        self.crash_at, self.lose_answer = None, False
        if outcome != NOTHING:
            await self.note(act, str(outcome))


async def begin(tx: Tx, keys: Keys) -> Start:
    """Five advances of one stage, four of rebuilding in two, money for most of them, and everybody who acts."""
    grants = [("reporter", MOXI), ("township_reviewer", MOXI), ("township_reviewer", LUDING), ("county_approver", LUDING)]
    reporter, township, second, approver = [await make.staff(tx, g) for g in grants]
    roles = ("finance_preparer", "finance_checker", "finance_authoriser")
    finance = [await make.staff(tx, (role, LUDING)) for role in roles]
    everything = await make.staff(tx, *[(role, LUDING) for role in roles])
    people = People(
        reporter,
        township,
        second,
        approver,
        (finance[0], finance[1], finance[2], everything),
        await make.staff(tx, ("province_officer", "51")),
    )
    quick, slow = await make.incident(tx), await make.incident(tx)
    await make.awards(tx, keys, incident=quick, reporter=reporter, count=5, two_way=True)
    await make.awards(
        tx, keys, incident=slow, reporter=reporter, count=4, first=100, two_way=True, aid="HOUSE", amount_fen=2_000_000, conditions=("none", "ground_broken"),
        shares_bp=(3_333, 6_667),
    )  # fmt: skip
    await make.fund(tx, incident=quick, amount_fen=4 * 90_000, document="演财〔2022〕1号")
    await make.fund(tx, incident=slow, amount_fen=10_000_000, purpose="HOUSE", document="演财〔2022〕2号")
    await tx.execute("INSERT INTO payer (county, name, account) VALUES ($1, '泸定县应急管理局（演示）', '6299995133220000000')", LUDING)
    rows = await tx.fetch(
        "SELECT h.slip_code_hash, h.device_id FROM household h WHERE h.incident = ANY ($1::uuid[]) ORDER BY h.device_id", [quick, slow]
    )
    return Start(people, (quick, slow), {r["slip_code_hash"]: n for n, r in enumerate(rows)})
