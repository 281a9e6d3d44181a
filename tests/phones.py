"""A month of phones on paper: outboxes that survive being killed, clocks that are years off, a line that duplicates, reorders and cuts.

What is simulated is the phone's side of the promise (a durable outbox, receipts, nothing dropped without one); the server's side is the real
service in the real database, every push a transaction of its own. One seed gives one month, again and again.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from relief.demo import numbers
from relief.domain.household import Member, Registration
from relief.domain.likeness import Limits
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import field
from relief.services.field import Device, Push, Receipt, Sent
from relief.store import db
from tests.make import NOW, VILLAGE

#: Records of one chunk.
CHUNK: Final = 20
#: Days without faults at the end, in which everything must come home.
CALM: Final = 3


class Chances(msgspec.Struct, frozen=True):
    """How often something goes wrong, each of a push or a day."""

    lost: float = 0.15  # the request never arrives
    unanswered: float = 0.2  # it arrives, the answer does not
    half_answered: float = 0.1  # the phone is killed while it writes receipts down
    killed_inside: float = 0.05  # the server dies before it commits
    twice: float = 0.15  # the same request arrives again, some time later
    shuffled: float = 0.3  # in another order
    offline: float = 0.4  # a day without a line
    same_house: float = 0.05  # another phone's household is written down as well
    changed: float = 0.04  # changed after a push whose answer was lost
    faulty: float = 0.02  # a card number is wrong


class Phone:
    """One device: its outbox is what survives, everything else is gone when it is killed."""

    def __init__(self, device: Device, dice: random.Random) -> None:
        self.device, self.dice = device, dice
        self.skew = timedelta(days=dice.uniform(-3650, 3650))
        self.seq = 0
        self.outbox: dict[int, Sent] = {}
        self.receipts: dict[int, Receipt] = {}
        self.dead: list[Sent] = []

    def write(self, item: Registration) -> None:
        """Keep a record under the next number."""
        self.seq += 1
        self.outbox[self.seq] = Sent(item.device_id, self.seq, self.device.person, item)

    def settle(self, receipts: list[Receipt]) -> None:
        """Write receipts down; a refused record is corrected and goes out again under a new number."""
        for receipt in receipts:
            sent = self.outbox.pop(receipt.seq, None)
            if sent is None:
                continue
            self.receipts[receipt.seq] = receipt
            if receipt.outcome == "refused" and isinstance(sent.content, Registration):
                self.dead.append(sent)
                self.write(msgspec.structs.replace(sent.content, account=sent.content.account[:-1] + _luhn(sent.content.account[:-1])))


class Told(msgspec.Struct):
    """What the month came to."""

    devices: int
    records: int
    pushes: int = 0
    repeats: int = 0
    cuts: int = 0
    cases: int = 0
    refused: int = 0
    lost: int = 0  # records of which the server has nothing
    doubled: int = 0  # records the server has more than once
    waiting: int = 0  # records still without a receipt after the calm days
    wrong_author: int = 0


class _Killed(Exception):
    """The server died inside the transaction."""


Progress = Callable[[int], None]


class Month:
    """The world of one seed."""

    def __init__(self, pool: db.Pool, keys: Keys, incident: UUID, seed: int, chances: Chances | None = None) -> None:
        self.pool, self.keys, self.incident = pool, keys, incident
        self.dice, self.chances = random.Random(seed), chances or Chances()
        self.phones: list[Phone] = []
        self.written: dict[UUID, UUID] = {}  # record → its author
        self.late: list[tuple[Phone, list[Sent]]] = []  # requests that will arrive once more
        self.people = 0
        self.told = Told(0, 0)

    async def enrol(self, people: list[Actor]) -> None:
        """A phone each."""
        for person in people:
            async with db.begin(self.pool) as tx:
                enrolled = await field.enrol(tx, person, self._id(), "模拟手机", None, NOW)
                device = await field.find(tx, enrolled.device, enrolled.token, NOW)
            assert device is not None
            self.phones.append(Phone(device, random.Random(self.dice.getrandbits(64))))

    async def live(self, days: int, records_a_day: float, progress: Progress = lambda _: None) -> Told:
        """All days, then the calm ones; what it came to."""
        for day in range(days):
            for phone in self.phones:
                for _ in range(int(records_a_day) + (phone.dice.random() < records_a_day % 1)):
                    self._write(phone, day)
                if phone.dice.random() >= self.chances.offline:
                    await self._push(phone, day)
            await self._arrive_late(day)
            progress(day)
        self.chances = Chances(*([0.0] * len(Chances.__struct_fields__)))
        for day in range(days, days + CALM):
            await self._arrive_late(day)
            for phone in self.phones:
                await self._push(phone, day)
        return await self._count()

    def _id(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128), version=4)

    def _write(self, phone: Phone, day: int) -> None:
        if self.people and phone.dice.random() < self.chances.same_house:
            n = phone.dice.randrange(self.people)  # somebody wrote this household down before
        else:
            n = self.people = self.people + 1
        account = numbers.account(n)
        if phone.dice.random() < self.chances.faulty:
            account = account[:-1] + str((int(account[-1]) + 1) % 10)
        claimed = NOW + timedelta(days=day) + phone.skew
        members = [Member("甄演一", numbers.householder_id(n)), Member("甄演二", numbers.member_id(n))]
        item = Registration(
            device_id=self._id(), incident=self.incident, village=VILLAGE, lon=102.11, lat=29.64, members=members, account=account, bank="402",
            captured_at=claimed, phone=numbers.mainland_phone(n), rooms_collapsed=phone.dice.randrange(4),
        )  # fmt: skip
        self.written[item.device_id] = phone.device.person
        phone.write(item)

    async def _push(self, phone: Phone, day: int) -> None:
        """Until the outbox is empty or the line gives up for today."""
        while phone.outbox:
            chunk = [phone.outbox[s] for s in sorted(phone.outbox)[:CHUNK]]
            if phone.dice.random() < self.chances.shuffled:
                phone.dice.shuffle(chunk)
            if not await self._send(phone, chunk, day):
                return

    async def _send(self, phone: Phone, chunk: list[Sent], day: int) -> bool:
        chances, dice = self.chances, phone.dice
        if dice.random() < chances.twice:
            self.late.append((phone, chunk))
        if dice.random() < chances.lost:
            self.told.cuts += 1
            return False
        receipts = await self._arrive(phone, chunk, day, killed=dice.random() < chances.killed_inside)
        if receipts is None:
            self.told.cuts += 1
            return False
        if dice.random() < chances.unanswered:
            self.told.cuts += 1
            if dice.random() < chances.changed * 5:
                self._change(phone, chunk)
            return False
        if dice.random() < chances.half_answered:
            phone.settle(receipts[: dice.randrange(len(receipts))])
            return False
        phone.settle(receipts)
        return True

    def _change(self, phone: Phone, chunk: list[Sent]) -> None:
        """The reporter changes a record of which they do not know whether it arrived: the same id, a new number."""
        sent = phone.dice.choice(chunk)
        if isinstance(sent.content, Registration) and sent.seq in phone.outbox:
            del phone.outbox[sent.seq]
            phone.write(msgspec.structs.replace(sent.content, injured=sent.content.injured + 1))

    async def _arrive(self, phone: Phone, chunk: list[Sent], day: int, killed: bool = False) -> list[Receipt] | None:
        self.told.pushes += 1
        push = Push(chunk, field.OLDEST, len(phone.outbox))
        now = NOW + timedelta(days=day, seconds=self.told.pushes % 80_000)
        try:
            async with db.begin(self.pool) as tx:
                receipts = await field.push(tx, field.actor_of(phone.device), phone.device, push, now, self.keys, Limits())
                if killed:
                    raise _Killed
        except _Killed:
            return None
        self.told.repeats += sum(r.outcome == "had" for r in receipts)
        return receipts

    async def _arrive_late(self, day: int) -> None:
        late, self.late = self.late, []
        for phone, chunk in late:
            await self._arrive(phone, chunk, day)

    async def _count(self) -> Told:
        told = self.told
        told.devices, told.records = len(self.phones), len(self.written)
        for phone in self.phones:
            told.waiting += len(phone.outbox)
            told.cases += sum(r.outcome == "case" for r in phone.receipts.values())
            told.refused += len(phone.dead)
        async with db.begin(self.pool) as tx:
            rows = await tx.fetch(
                "SELECT device_id, registered_by, count(*) AS rows FROM household WHERE incident = $1 GROUP BY 1, 2", self.incident
            )
        kept = {r["device_id"]: r for r in rows}
        told.lost = len(self.written.keys() - kept.keys())
        told.doubled = sum(r["rows"] > 1 for r in rows) + len(rows) - len(kept) + len(kept.keys() - self.written.keys())
        told.wrong_author = sum(kept[i]["registered_by"] != author for i, author in self.written.items() if i in kept)
        return told


def _luhn(body: str) -> str:
    total = sum(v - 9 if (v := int(d) * (2 if i % 2 == 0 else 1)) > 9 else v for i, d in enumerate(reversed(body)))
    return str(-total % 10)


Run = Callable[[], Awaitable[Told]]
