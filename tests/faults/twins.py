"""The bank and the carrier of the simulator: in memory, on the simulator's clock, and unkind exactly as its seed says.

They keep what they did, so that a run can compare it with what the house believes. A line's fate depends on the seed and on things that
do not change from run to run (account, number, how often it was tried), never on an id.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from msgspec import Struct

from relief.channels import bank_layout, bank_layouts
from relief.channels.bank import Answer
from relief.domain.errors import Unavailable
from relief.domain.message import Outcome, Rejected, Sent, Throttled, Unknown
from tests.services.settled import result, statement

LAYOUT: Final = bank_layouts.load("yikatong")
_WORDS: Final = {"paid": "成功", "returned": "失败", "pending": "处理中", "reversed": "退票"}
#: Fate of a line and its share of a hundred.
_FATES: Final = (("paid", 50), ("returned", 15), ("late", 8), ("silent", 9), ("lost", 8), ("reversed", 10))
_REASONS: Final = ("F01", "F02", "F04", "F05", "F07")

Clock = Callable[[], datetime]
Row = dict[str, Any]


class Booked(Struct):
    """One line as the bank's book has it; `credited` is the money's real place, whatever was answered."""

    reference: str
    account: str
    fen: int
    number: str
    fate: str
    bank_ref: str
    reason: str
    at: datetime
    stated: bool = False

    @property
    def credited(self) -> bool:
        """The money lies on the account."""
        return self.fate in ("paid", "late", "silent")


class SimBank:
    """Takes batch files, credits, answers early, late, twice, in pieces, wrongly, or not before its statement."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self.rng, self.clock, self.kind = Random(f"{seed}/bank"), clock, False
        self.files: dict[str, bytes] = {}
        self.book: dict[str, Booked] = {}
        self.broken: list[str] = []
        self.rows_in: Counter[str] = Counter()
        self._letters: dict[str, tuple[datetime, bytes]] = {}
        self._serial = 0

    async def deliver(self, number: str, content: bytes) -> None:
        """Sometimes nobody is there, sometimes the file is taken and nobody says so."""
        mood = 1.0 if self.kind else self.rng.random()
        if mood < 0.10:
            raise Unavailable("bank_away", "银行未应答 · the bank does not answer")
        if self.files.setdefault(number, content) != content:
            self.broken.append("number_stands_for_one_file")
        elif not any(b.number == number for b in self.book.values()):
            self._credit(number, content)
        if mood < 0.25:
            raise Unavailable("bank_silent", "银行未应答 · the bank took it and does not answer")

    async def delivered(self, number: str) -> bytes | None:
        """What lies there under that number."""
        content = self.files.get(number)
        return None if content is None else hashlib.sha256(content).digest()

    async def collect(self) -> list[Answer]:
        """What has been put down by now."""
        return [Answer(name, content) for name, (due, content) in sorted(self._letters.items()) if due <= self.clock()]

    async def done(self, name: str) -> None:
        """It is put away, unless somebody pulled the plug first: then it is collected again."""
        if not self.kind and self.rng.random() < 0.15:
            raise Unavailable("bank_away", "银行未应答 · the bank does not answer")
        self._letters.pop(name, None)

    def state(self) -> None:
        """The statement over every line not stated yet that is two days old."""
        lines = [b for b in self.book.values() if not b.stated and self.clock() - b.at > timedelta(days=2)]
        if lines:
            said = [self._row(b, "returned" if b.fate in ("returned", "lost") else "paid") for b in lines]
            said += [self._row(b, "reversed") for b in lines if b.fate == "reversed"]
            self._put("statement", timedelta(0), statement(said), len(said))
            for line in lines:
                line.stated = True

    def _credit(self, number: str, content: bytes) -> None:
        lines = sorted(bank_layout.decode(LAYOUT, content).lines, key=lambda line: line.account)
        taken = []
        for line in lines:
            self._serial += 1
            fate = "paid" if self.kind else self.rng.choices([f for f, _ in _FATES], [w for _, w in _FATES])[0]
            taken.append(Booked(
                line.reference, line.account, line.amount_fen, number, fate, f"B{self._serial:010d}", self.rng.choice(_REASONS), self.clock()
            ))  # fmt: skip
            self.book[line.reference] = taken[-1]
        self._answer(taken)

    def _answer(self, lines: list[Booked]) -> None:
        first = [
            self._row(b, {"returned": "returned", "late": "pending"}.get(b.fate, "paid")) for b in lines if b.fate not in ("silent", "lost")
        ]
        later = [self._row(b, "paid") for b in lines if b.fate == "late"]
        back = [self._row(b, "reversed") for b in lines if b.fate == "reversed"]
        rng = self.rng
        if rng.random() < 0.3:
            rng.shuffle(first)
        if len(first) > 1 and rng.random() < 0.3:
            self._file(first[:1])
            first = first[1:]
        soon, day = timedelta(minutes=rng.randrange(1, 120)), timedelta(hours=rng.randrange(2, 40))
        self._file(first, soon)
        self._file(later, day)
        self._file(back, timedelta(0) if rng.random() < 0.2 else day)  # a 退票 may come before its 成功
        if not self.kind:
            self._mischief(lines, first, day)

    def _mischief(self, lines: list[Booked], first: list[Row], day: timedelta) -> None:
        """The same again, another amount, another account, another serial, a failure after success, a line nobody sent."""
        rng, one = self.rng, self.rng.choice([b for b in lines if b.fate in ("silent", "lost")] or lines)
        if first and rng.random() < 0.3:
            self._file(first, day)
        wrong: list[Row] = []
        if rng.random() < 0.25:
            wrong.append(self._row(one, "paid") | {"fen": one.fen + 1})
        if rng.random() < 0.25:
            wrong.append(self._row(one, "paid") | {"account": one.account[:-1] + str((int(one.account[-1]) + 1) % 10)})
        if rng.random() < 0.10:
            wrong.append(self._row(one, "paid") | {"reference": "NOSUCHLINE"})
        if one.fate == "paid" and rng.random() < 0.10:
            wrong.append(self._row(one, "returned"))
        for row in wrong:
            self._file([row], timedelta(minutes=rng.randrange(1, 1500)))

    def _row(self, b: Booked, outcome: str) -> Row:
        credited = outcome in ("paid", "reversed")
        return {
            "reference": b.reference, "account": b.account, "fen": b.fen, "word": _WORDS[outcome], "number": b.number, "at": self.clock(),
            "reason": "" if outcome in ("paid", "pending") else b.reason, "bank_ref": b.bank_ref if credited else "",
        }  # fmt: skip

    def _file(self, rows: list[Row], after: timedelta = timedelta(0)) -> None:
        if rows:
            self._put("result", after, result(rows), len(rows))

    def _put(self, kind: str, after: timedelta, content: bytes, rows: int) -> None:
        self._serial += 1
        self.rows_in[hashlib.sha256(content).hexdigest()] = rows
        self._letters[f"{kind}-{self._serial:06d}.csv"] = (self.clock() + after, content)


class SimCarrier:
    """Takes texts, loses answers, refuses, and says afterwards what it has."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self.seed, self.clock, self.kind = seed, clock, False
        self.taken: dict[tuple[str, str], str] = {}
        self.broken: list[str] = []
        self._tries: Counter[str] = Counter()

    async def send(self, to: str, text: str, callback_url: str) -> Outcome:
        """One text to one number."""
        del callback_url
        self._tries[to] += 1
        mood = 1.0 if self.kind else Random(f"{self.seed}/{to}/{self._tries[to]}").random()
        if mood < 0.10:
            return Throttled(1.0)
        if mood < 0.15:
            return Rejected("21211")
        if mood < 0.25:
            return Unknown("timeout")
        if (to, text) in self.taken:
            self.broken.append("nobody_is_told_twice")
        self.taken[to, text] = f"SM{len(self.taken):032d}"
        return Unknown("timeout") if mood < 0.35 else Sent(self.taken[to, text], "delivered")

    async def find(self, to: str, text: str, since: datetime) -> Sent | None:
        """What it has of that text."""
        del since
        if not self.kind and Random(f"{self.seed}/{to}/{self._tries[to]}/find").random() < 0.2:
            raise Unavailable("sms_lookup", "短信通道暂时查不到结果 · the carrier cannot say now")
        sid = self.taken.get((to, text))
        return None if sid is None else Sent(sid, "delivered")
