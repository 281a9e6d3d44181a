"""日终对账: ledger = files = bank + returns (+ what is still open), per batch and per fund; what disagrees has a name. A closed day is opened by an act."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec

from relief.domain.days import BEIJING, beijing_day
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, require
from relief.store import audits, db, reconciliations
from relief.store.db import Tx
from relief.store.reconciliations import Day, Differing, Line


class Sums(msgspec.Struct):
    """One row of the balance, in fen: `ledger` and `files` are what left, `bank` what stayed on accounts, `returns` what came back."""

    name: str
    id: UUID | None = None
    drill: bool = False
    lines: int = 0
    files: int = 0
    ledger: int = 0
    bank: int = 0
    returns: int = 0
    open: int = 0
    open_lines: int = 0
    unstated: int = 0
    differ: int = 0

    @property
    def balanced(self) -> bool:
        """Ledger = files = bank + returns + open, and no line of it tells two stories."""
        return self.ledger == self.files == self.bank + self.returns + self.open and not self.differ

    def add(self, line: Line, files: int) -> None:
        """Take one line of the query in."""
        self.lines += line.lines
        self.files += files
        self.ledger += line.ledger_out_fen
        self.bank += line.bank_paid_fen
        self.returns += line.bank_back_fen
        self.open += line.open_fen
        self.open_lines += line.open_lines
        self.unstated += line.unstated
        self.differ += line.differ


class Standing(msgspec.Struct, frozen=True):
    """The balance of a county at a moment, by batch, by fund and altogether; `differing` names at most twenty lines a batch."""

    county: str
    until: datetime
    batches: list[Sums]
    funds: list[Sums]
    total: Sums
    differing: list[Differing]
    digest: bytes

    @property
    def balanced(self) -> bool:
        """Every batch and every fund is."""
        return all(s.balanced for s in (*self.batches, *self.funds))

    @property
    def wrong(self) -> list[Sums]:
        """What is not."""
        return [s for s in (*self.batches, *self.funds) if not s.balanced]


def until_of(day: date, now: datetime) -> datetime:
    """The end of that day in Beijing, or now while it lasts."""
    return min(now, datetime.combine(day + timedelta(days=1), time(), BEIJING) - timedelta(microseconds=1))


async def standing(tx: Tx, county: str, until: datetime) -> Standing:
    """What stands where. A batch's file counts as it was signed: its own lines and total, whatever our books say of its payments."""
    await db.plan_for(tx, 10_000)  # line by line of everything that left: joined as sets
    lines = await reconciliations.standing(tx, county, until)
    batches: dict[UUID, Sums] = {}
    funds: dict[UUID, Sums] = {}
    total = Sums("")
    for line in lines:
        fresh = line.batch not in batches
        batch = batches.setdefault(line.batch, Sums(line.number, line.batch, line.drill))
        batch.add(line, line.file_fen if fresh else 0)
        funds.setdefault(line.fund, Sums(line.document, line.fund, line.drill)).add(line, line.line_fen)
        total.add(line, line.file_fen if fresh else 0)
    named = await reconciliations.differing(tx, county, [p for line in lines for p in line.differing])
    digest = hashlib.sha256(msgspec.json.encode(lines)).digest()
    return Standing(county, until, list(batches.values()), list(funds.values()), total, named, digest)


async def recent(tx: Tx, county: str) -> list[Day]:
    """Days closed of late, and by whom opened again."""
    return await reconciliations.recent(tx, county)


async def close(tx: Tx, actor: Actor, county: str, day: date, now: datetime) -> Standing:
    """Close a day on its balance. Conflict where something does not balance (naming it) or the day is closed."""
    require(actor, "day.close", county)
    if day > beijing_day(now):
        raise Invalid("day", "不能关闭未来的日期 · a day that has not come cannot be closed", field="day")
    await reconciliations.lock(tx, county)
    before = await reconciliations.latest(tx, county, day)
    if before is not None and before.reopened_at is None:
        raise Conflict("day_closed", "该日已对账关闭 · that day is closed")
    found = await standing(tx, county, until_of(day, now))
    if not found.balanced:
        names = [s.name for s in found.wrong] + [d.reference for d in found.differing]
        raise Conflict(
            "out_of_balance", f"对账不平，不能关闭：{'、'.join(names[:5])} · it does not balance: {', '.join(names[:5])}", rows=names[:20]
        )
    t = found.total
    turn = before.turn + 1 if before else 1
    await reconciliations.close(
        tx, county, day, turn, found.until, (len(found.batches), t.ledger, t.files, t.bank, t.returns), found.digest, actor.person, now
    )
    detail = {"day": str(day), "turn": turn, "files_fen": t.files, "bank_fen": t.bank, "returns_fen": t.returns, "open_fen": t.open}
    await audits.add(tx, county, actor, "day.close", f"day {day}", [s.id for s in found.batches if s.id], now, detail)
    return found


async def reopen(tx: Tx, actor: Actor, county: str, day: date, reason: str, now: datetime) -> None:
    """Open a closed day again, with a reason, by somebody other than who closed it."""
    require(actor, "day.reopen", county)
    if not reason.strip():
        raise Invalid("reason", "请写明重新打开的原因 · say why it is opened again", field="reason")
    await reconciliations.lock(tx, county)
    before = await reconciliations.latest(tx, county, day)
    if before is None or before.reopened_at is not None:
        raise Conflict("day_open", "该日没有关闭 · that day is not closed")
    if before.closed_by == actor.person:
        raise Refused("same_person", "关闭人不能自己重新打开 · whoever closed it may not open it again")
    await reconciliations.reopen(tx, county, day, actor.person, now, reason.strip())
    await audits.add(tx, county, actor, "day.reopen", f"day {day}", [], now, {"turn": before.turn, "reason": reason.strip()})
