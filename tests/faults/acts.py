"""What happens in the simulator: officers' acts under idempotency keys, beats, leaps of the clock, and the way to the end."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from relief import jobs
from relief.demo import numbers
from relief.domain.bank_cases import CONTRADICTIONS
from relief.domain.batch import envelope
from relief.domain.errors import ReliefError
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import approve, correct, disburse, evidence, exceptions, fund
from relief.services.disburse import Writer
from relief.services.evidence import Piece
from relief.services.exceptions import Item
from relief.services.fund import NewFund
from relief.store import db, holds
from relief.store.db import Tx
from relief.web import idempotency
from tests import make
from tests.faults.simulator import NOTHING, PATIENCE, POINTS, STEPS, Broken, Crashed, Run, Start, Story
from tests.faults.twins import LAYOUT
from tests.make import LUDING, VILLAGE

Act = Callable[[Tx], Awaitable[Any]]

_PROPOSED: Final = """
SELECT a.id, a.amount_fen, a.mode, h.device_id FROM award a JOIN household h ON h.county = a.county AND h.id = a.household
WHERE a.status = 'proposed' ORDER BY a.mode, h.device_id
"""
_BATCHES: Final = "SELECT id, digest, status FROM batch WHERE status IN ('frozen', 'prepared', 'checked') ORDER BY number"
_RETURNED: Final = """
SELECT p.id, h.device_id FROM payment p JOIN household h ON h.county = p.county AND h.id = p.household
WHERE p.status IN ('returned', 'unknown') AND NOT EXISTS (
    SELECT FROM payment later WHERE later.county = p.county AND later.instalment = p.instalment AND later.attempt > p.attempt)
  AND NOT EXISTS (SELECT FROM account c WHERE c.county = p.county AND c.person = p.payee AND c.status = 'proposed') ORDER BY h.device_id, p.attempt
"""
_CORRECTED: Final = """
SELECT c.id FROM account c JOIN person e ON e.county = c.county AND e.id = c.person JOIN household h ON h.county = e.county AND h.id = e.household
WHERE c.status = 'proposed' ORDER BY h.device_id
"""
_STAGES: Final = """
SELECT i.id FROM instalment i JOIN award a ON a.county = i.county AND a.id = i.award JOIN household h ON h.county = a.county AND h.id = a.household
WHERE i.status = 'waiting' AND i.condition = 'ground_broken' AND a.status = 'approved'
  AND NOT EXISTS (SELECT FROM evidence e WHERE e.county = i.county AND e.instalment = i.id AND e.status = 'submitted') ORDER BY h.device_id
"""
_EVIDENCE: Final = """
SELECT DISTINCT ON (h.device_id) e.id FROM evidence e JOIN instalment i ON i.county = e.county AND i.id = e.instalment
JOIN award a ON a.county = i.county AND a.id = i.award JOIN household h ON h.county = a.county AND h.id = a.household
WHERE e.status = 'submitted' AND i.status = 'waiting' AND NOT EXISTS (SELECT FROM instalment b WHERE b.county = i.county AND b.award = i.award AND b.seq < i.seq AND b.status <> 'settled')
ORDER BY h.device_id, e.id
"""
_OPEN: Final = """
SELECT (SELECT count(*) FROM award WHERE status IN ('proposed', 'approved')) + (SELECT count(*) FROM message WHERE status IN ('queued', 'sending', 'unknown'))
     + (SELECT count(*) FROM payment WHERE status IN ('approved', 'batched', 'sent', 'unknown'))
"""
_USEFUL: Final = """
SELECT EXISTS (SELECT FROM payment WHERE status = 'unknown') AS silent,
       EXISTS (SELECT FROM batch WHERE status = 'authorised') AS "deliver batches", EXISTS (SELECT FROM batch WHERE status = 'sending' AND lease_until < $1) AS "ask about batches",
       EXISTS (SELECT FROM batch WHERE status IN ('frozen', 'prepared', 'checked')) AS sign,
       EXISTS (SELECT FROM account WHERE status = 'proposed') AS confirm, EXISTS (SELECT FROM payment WHERE trouble = 'returned' AND reason <> '') AS correct,
       EXISTS (SELECT FROM payable) AS freeze, EXISTS (SELECT FROM evidence WHERE status = 'submitted') AS accept,
       EXISTS (SELECT FROM award WHERE status = 'proposed') AS approve, EXISTS (SELECT FROM message WHERE status = 'queued') AS "send messages",
       EXISTS (SELECT FROM payment WHERE status = 'sent' AND sent_at < $1::timestamptz - interval '1 day') AS "notice silence",
       EXISTS (SELECT FROM payment WHERE status = 'sent') AS wait
"""
_DOUBTED: Final = "SELECT file, row FROM bank_row WHERE code = ANY ($1::text[]) AND closed_at IS NULL ORDER BY reference, row"
_PAID: Final = "SELECT reference FROM payment WHERE status = 'paid'"


class Acts:
    """Everything that can happen to one run."""

    def __init__(self, run: Run) -> None:
        self.run, self.people, self._unanswered = run, run.start.people, list[tuple[Actor, str, str, Any, Act, bytes | None]]()

    async def _keyed(self, actor: Actor, route: str, content: Any, act: Act) -> str:
        """One request under a key of its own. Its answer may be lost: then it is asked again later, word for word."""
        if content == []:
            return NOTHING
        return await self._ask(actor, secrets.token_hex(8), route, content, act, None)

    async def _ask(self, actor: Actor, key: str, route: str, content: Any, act: Act, known: bytes | None) -> str:
        run, said = self.run, list[bytes]()
        die = known is None and run.rng.random() < 0.08
        lost = known is None and not die and run.rng.random() < 0.12
        try:
            async with db.begin(run.pool) as tx:
                reply = await idempotency.once(tx, actor, key, route, content, run.now, lambda: act(tx))
                said.append(reply.response)
                if die:
                    raise Crashed("")
                run.lose_answer = lost
        finally:
            if die or lost:
                self._unanswered.append((actor, key, route, content, act, said[0] if lost and said else None))
        if known is not None and said[0] != known:
            raise Broken("same_key_same_answer", [route], run.step)
        return route

    async def approve(self) -> str:
        """Some or all of what waits, sometimes not as it was shown."""
        rng = self.run.rng
        rows = await self.run.tx.fetch(_PROPOSED)
        mode = rng.choice("AB")
        rows = [r for r in rows if r["mode"] == mode and rng.random() < 0.7]
        shown = [(r["id"], r["amount_fen"] + (rng.random() < 0.03)) for r in rows]
        actor = rng.choice(
            (self.people.township, self.people.second)
            if mode == "A"
            else (self.people.approver, self.people.approver, self.people.township)
        )
        ids, digest, now = [i for i, _ in shown], approve.digest_of(shown), self.run.now
        return await self._keyed(actor, "approve", [str(i) for i in ids], lambda tx: approve.approve(tx, actor, LUDING, ids, digest, now))

    async def freeze(self) -> str:
        """Whatever is ready."""
        actor, now = self.people.finance[0], self.run.now
        return await self._keyed(actor, "freeze", LUDING, lambda tx: self._freeze(tx, actor, now))

    async def _freeze(self, tx: Tx, actor: Actor, now: Any) -> int:
        return len(await disburse.freeze(tx, actor, LUDING, now, self.run.keys, Writer(LAYOUT, 5_000)))

    async def sign(self) -> str:
        """The next step of a batch or of an envelope of them, sometimes by somebody who may not."""
        rng = self.run.rng
        found = await self.run.tx.fetch(_BATCHES)
        if not found:
            return NOTHING
        status = rng.choice(found)["status"]
        step = {"frozen": "prepare", "prepared": "check", "checked": "authorise"}[status]
        chosen = [r for r in found if r["status"] == status]
        right = self.people.finance[list(disburse.STEPS).index(step)]
        actor = rng.choice((right, right, right, self.people.finance[3]))
        return await self._sign(actor, step, [r["id"] for r in chosen], envelope([r["digest"] for r in chosen]), proven=rng.random() < 0.9)

    async def _sign(self, actor: Actor, step: str, ids: Sequence[UUID], digest: bytes, *, proven: bool) -> str:
        now = self.run.now
        if proven:
            await make.proof(self.run.tx, actor, digest, now)
        return await self._keyed(
            actor, f"sign {step}", [str(i) for i in ids], lambda tx: disburse.sign(tx, actor, LUDING, step, ids, digest, now)
        )

    async def void(self) -> str:
        """Send one back before it leaves."""
        found = await self.run.tx.fetch(_BATCHES)
        if not found:
            return NOTHING
        batch, actor, now = self.run.rng.choice(found)["id"], self.people.finance[1], self.run.now
        return await self._keyed(actor, "void", str(batch), lambda tx: disburse.void(tx, actor, LUDING, [batch], "退回补正", now))

    async def correct(self) -> str:
        """New cards for what came back, and somebody who tries it where the bank is only silent."""
        found = [r for r in await self.run.tx.fetch(_RETURNED) if self.run.rng.random() < 0.6]
        items = [correct.Correction(r["id"], numbers.account(5_000 + self.run.step * 50 + n), "402") for n, r in enumerate(found)]
        actor, now, keys = self.people.reporter, self.run.now, self.run.keys
        return await self._keyed(
            actor, "correct", [str(i.payment) for i in items], lambda tx: correct.propose(tx, actor, LUDING, items, now, keys)
        )

    async def confirm(self) -> str:
        """A second person has looked at the cards."""
        ids = [r["id"] for r in await self.run.tx.fetch(_CORRECTED)]
        actor, now = self.people.township, self.run.now
        return await self._keyed(actor, "confirm", [str(i) for i in ids], lambda tx: correct.confirm(tx, actor, LUDING, ids, now))

    async def submit(self) -> str:
        """Photographs of broken ground."""
        ids = [r["id"] for r in await self.run.tx.fetch(_STAGES)]
        actor, now, photo = self.people.reporter, self.run.now, hashlib.sha256(b"photo").hexdigest()
        items = [Piece(i, "ground_broken", photo) for i in ids]
        return await self._keyed(actor, "submit", [str(i) for i in ids], lambda tx: evidence.submit(tx, actor, LUDING, items, now))

    async def accept(self) -> str:
        """验收, where the stage before has arrived."""
        ids = [r["id"] for r in await self.run.tx.fetch(_EVIDENCE)]
        actor, now = self.run.rng.choice((self.people.township, self.people.second)), self.run.now
        return await self._keyed(actor, "accept", [str(i) for i in ids], lambda tx: evidence.accept(tx, actor, LUDING, ids, now))

    async def allocate(self) -> str:
        """More money for the advances."""
        new = NewFund(LUDING, self.run.start.incidents[0], "county", 2023, f"演财〔2023〕{self.run.step}号", "2240703", "EMERG", 5 * 90_000)
        actor, now = self.people.province, self.run.now
        return await self._keyed(actor, "allocate", new, lambda tx: fund.allocate(tx, actor, new, now))

    async def hold(self) -> str:
        """The village stands still for a while, or no longer."""
        async with db.begin(self.run.pool) as tx:
            if await holds.lift(tx, LUDING, ["sim"], self.run.now):
                return "lifted"
            await holds.place(tx, "village", [(LUDING, VILLAGE, "sim")], self.people.approver.person, self.run.now)
        return "placed"

    async def again(self) -> str:
        """Whoever got no answer asks again under the same key."""
        if not self._unanswered:
            return NOTHING
        return f"again {await self._ask(*self._unanswered.pop(0))}"

    async def beat(self, name: str) -> str:
        """One tick of the timetable, perhaps its last."""
        rng = self.run.rng
        self.run.crash_at = rng.choice(POINTS) if rng.random() < 0.35 else None
        self.run.lose_answer = rng.random() < 0.08
        return str(await jobs.TIMETABLE[name](self.run.work))

    async def wait(self) -> str:
        """Minutes, hours, days."""
        self.run.pass_time(minutes=self.run.rng.choice((2, 40, 400, 1_600)))
        self.run.bank.state()
        return "later"


_BEATS: Final = (
    "deliver batches",
    "ask about batches",
    "collect answers",
    "notice silence",
    "send messages",
    "ask about messages",
    "pay by the month",
)
_ACTS: Final = ("approve", "freeze", "sign", "void", "correct", "confirm", "submit", "accept", "allocate", "hold", "again", "wait")
_WEIGHTS: Final = (10, 7, 16, 1, 5, 4, 3, 3, 1, 1, 4, 14)


async def play(tx: Tx, keys: Keys, start: Start, seed: int, steps: int = STEPS) -> Story:
    """One seed from its start to its end; raises Broken. The transaction holds what it did: the caller rolls back."""
    run = Run(tx, keys, start, seed)
    acts, weights = Acts(run), [*_WEIGHTS, *[6] * len(_BEATS)]
    while run.step < steps:
        name = run.rng.choices([*_ACTS, *_BEATS], weights)[0]
        if run.rng.random() < 0.5:
            name = await _useful(run) or name
        await run.attempt(name, acts.beat(name) if name in _BEATS else getattr(acts, name)())
    await drain(run, acts)
    return await run.finish()


async def _useful(run: Run) -> str | None:
    """What would bring the money on: stories in which nothing ever leaves the house tell little."""
    row = await run.tx.fetchrow(_USEFUL, run.now)
    assert row is not None
    if row["silent"] and run.rng.random() < 0.3:
        return "correct"
    if await run.bank.collect():
        return "collect answers"
    return next((name for name, there in list(row.items())[1:] if there), None)


async def drain(run: Run, acts: Acts) -> None:
    """No more faults: what is owed must arrive, once, and everybody must have been told [20, 24, 46]."""
    run.bank.kind = run.carrier.kind = True
    acts._unanswered.clear()
    await _enough(run)
    for _ in range(PATIENCE):
        run.pass_time(days=1, hours=2)
        run.bank.state()
        await _round(run, acts)
        if not await run.tx.fetchval(_OPEN):
            break
    else:
        raise Broken("everything_comes_to_its_end", [str(await run.tx.fetchval(_OPEN))], run.step)
    ours = {r["reference"] for r in await run.tx.fetch(_PAID)}
    theirs = {b.reference for b in run.bank.book.values() if b.credited}
    if ours != theirs:
        raise Broken("the_ledger_is_the_bank", [f"{len(ours - theirs)} not credited, {len(theirs - ours)} not booked"], run.step)


async def _enough(run: Run) -> None:
    new = NewFund(LUDING, run.start.incidents[0], "province", 2024, "演财〔2024〕9号", "2240703", "EMERG", 10**7)
    async with db.begin(run.pool) as tx:
        await fund.allocate(tx, run.start.people.province, new, run.now)


async def _round(run: Run, acts: Acts) -> None:
    """A day on which everybody does their work."""
    people, tx = run.start.people, run.tx
    await holds.lift(tx, LUDING, ["sim"], run.now)
    doubted = [Item(r["file"], r["row"]) for r in await tx.fetch(_DOUBTED, list(CONTRADICTIONS))]
    if doubted:
        async with db.begin(run.pool) as inner:
            await exceptions.answer(inner, people.finance[1], LUDING, doubted, "lifted", "已与银行核对", run.now)
    for mode, actor in (("A", people.township), ("B", people.approver)):
        shown = [(r["id"], r["amount_fen"]) for r in await tx.fetch(_PROPOSED) if r["mode"] == mode]
        if shown:
            async with db.begin(run.pool) as inner:
                await approve.approve(inner, actor, LUDING, [i for i, _ in shown], approve.digest_of(shown), run.now)
    await _corrections(run)
    await _stages(run)
    async with db.begin(run.pool) as inner:
        await acts._freeze(inner, people.finance[0], run.now)
    await _signatures(run)
    for name in _BEATS:
        run.pass_time(minutes=2)
        await jobs.TIMETABLE[name](run.work)
    run.forget_statuses()  # more than one move of everything: the tables of moves are asked step by step, before
    await run.note("round", "done")


async def _corrections(run: Run) -> None:
    people, tx = run.start.people, run.tx
    wanted = [r["id"] for r in await tx.fetch(_RETURNED.replace("IN ('returned', 'unknown')", "= 'returned'"))]
    if wanted:
        items = [correct.Correction(p, numbers.account(9_000 + run.step * 50 + n), "402") for n, p in enumerate(wanted)]
        await correct.propose(tx, people.reporter, LUDING, items, run.now, run.keys)
    for payment in await tx.fetch("SELECT id FROM payment WHERE status = 'unknown' ORDER BY reference"):
        with suppress(ReliefError):  # an impatient reporter: the bank has not answered, so why not try another card
            async with db.begin(run.pool) as inner:
                item = correct.Correction(payment["id"], numbers.account(8_000 + run.step), "402")
                await correct.propose(inner, people.reporter, LUDING, [item], run.now, run.keys)
    waiting = [r["id"] for r in await tx.fetch(_CORRECTED)]
    if waiting:
        await correct.confirm(tx, people.township, LUDING, waiting, run.now)


async def _stages(run: Run) -> None:
    people, tx = run.start.people, run.tx
    waiting = [Piece(r["id"], "ground_broken", hashlib.sha256(b"photo").hexdigest()) for r in await tx.fetch(_STAGES)]
    if waiting:
        await evidence.submit(tx, people.reporter, LUDING, waiting, run.now)
    seen = [r["id"] for r in await tx.fetch(_EVIDENCE)]
    if seen:
        await evidence.accept(tx, people.second, LUDING, seen, run.now)


async def _signatures(run: Run) -> None:
    """Every batch by whoever has not touched it yet; one that nobody may sign any more is voided and frozen again."""
    people, tx = run.start.people, run.tx
    for step, officer in zip(disburse.STEPS, people.finance, strict=False):
        for row in await tx.fetch(_BATCHES):
            at = {"frozen": "prepare", "prepared": "check", "checked": "authorise"}[row["status"]]
            signed = await tx.fetchval("SELECT count(*) FROM signature WHERE subject = $1 AND person = $2", row["id"], officer.person)
            if at == step and not signed:
                await make.proof(tx, officer, envelope([row["digest"]]), run.now)
                await disburse.sign(tx, officer, LUDING, step, [row["id"]], envelope([row["digest"]]), run.now)
