"""A bank for rehearsals: reads batch files from the shared folder with its own parser, credits, answers, and misbehaves as told.

It knows the wire format and nothing else of the product. What it does to a line depends on the seed and the line's reference alone,
so a rehearsal repeats itself, and a corrected attempt under a new reference has a new fate.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from relief.channels.rehearsal import bank_wire
from relief.channels.rehearsal.bank_book import Book, Letter, Line
from relief.channels.rehearsal.bank_wire import SUFFIX, Batch
from relief.domain.errors import Invalid

log = logging.getLogger(__name__)

_ZONE = ZoneInfo("Asia/Shanghai")
_PARTS = 3


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the rehearsal bank does badly. Rates are shares of 1, of lines unless said otherwise; times are seconds."""

    name_mismatch_rate: float = 0.01  # 失败 F02
    closed_rate: float = 0.01  # 失败 F04
    lost_rate: float = 0.01  # 失败 F05
    not_activated_rate: float = 0.01  # 失败 F07
    late_rate: float = 0.02  # first 处理中, then 成功 in a file of its own
    silent_rate: float = 0.01  # never answered: only the statement tells
    reverse_rate: float = 0.0  # 成功, then 退票
    duplicate_rate: float = 0.0  # result files written again under another name, a second later
    reorder_rate: float = 0.0  # batches whose rows are shuffled
    split_rate: float = 0.0  # batches answered in several files
    lose_rate: float = 0.0  # batches never answered before the statement
    stray_rate: float = 0.0  # statements with an entry that is nobody's of ours
    refuse_rate: float = 0.0  # batches in ISO 20022 refused as a whole, nothing of them credited
    answer_s: float = 0.0  # from reading a batch to the first answer
    late_s: float = 2.0  # to the late answers and the returns after success
    statement_s: float = 5.0  # to the statement with every line's end; never before the late answers
    poll_s: float = 0.5
    seed: int = 1


async def run(folder: Path, options: Options) -> None:
    """Serve the folder until cancelled."""
    twin = RehearsalBank(folder, options)
    try:
        while True:
            await asyncio.to_thread(twin.tick, datetime.now(UTC))
            await asyncio.sleep(options.poll_s)
    finally:
        twin.close()


class RehearsalBank:
    """One bank on one folder. `tick` does all that is due at a moment and returns how many files it read and wrote."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._out, self._in, self._options = folder / "out", folder / "in", options
        self._in.mkdir(parents=True, exist_ok=True)
        self._book = Book(folder)
        self._seen: set[str] = set()
        self._busy, self._closed = threading.Lock(), False

    def close(self) -> None:
        """Close the books, after the tick in hand: whoever is cancelled leaves its thread running."""
        with self._busy:
            self._closed = True
            self._book.close()

    def tick(self, now: datetime) -> int:
        """Read new batches, write what is due, state what is due, publish the credits."""
        with self._busy:
            return 0 if self._closed else self._tick(now)

    def _tick(self, now: datetime) -> int:
        done = 0
        for mark in sorted(self._out.glob("*.ok")):
            if mark.name not in self._seen:
                done += self._read(mark.with_suffix(""), now)
                self._seen.add(mark.name)
        for letter in self._book.due(now.timestamp()):
            self._write_letter(letter)
            done += 1
        for (account, form), numbers in self._book.to_state(now.timestamp()).items():
            self._write_statement(account, form, numbers, now)
            done += 1
        self._book.publish()
        return done

    def _read(self, path: Path, now: datetime) -> int:
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        try:
            batch = bank_wire.read(content)
        except (ValueError, KeyError, IndexError, InvalidOperation, Invalid):
            log.warning("rehearsal bank: %s is no batch file and is ignored", path.name)
            return 0
        number = batch.number
        before = self._book.digest(number)
        if before is not None:  # a batch number is processed once, whatever comes under it later
            if before != digest:
                log.warning("rehearsal bank: %s carries other bytes than before and is ignored", number)
            return 0
        if batch.form == "iso" and self._luck("refuse", number) < self._options.refuse_rate:
            self._refuse(batch, digest, now)
            return 1
        lines = [self._line(number, seq, row, now) for seq, row in enumerate(batch.rows, 1)]
        words = {line.seq: self._first_word(line) for line in lines}
        due = now.timestamp() + max(self._options.statement_s, self._options.late_s)
        credited = [line.seq for line in lines if line.fate != "returned" and words[line.seq] != "处理中"]
        letters = self._letters(number, lines, words, now, SUFFIX[batch.form])
        if batch.form == "iso":
            letters.append(Letter(f"receipt-{number}.xml", number, now.timestamp(), _wall(now), [(0, "受理")]))
        self._book.accept(number, digest, batch.payer_account, batch.form, due, lines, letters, credited)
        return 1

    def _refuse(self, batch: Batch, digest: str, now: datetime) -> None:
        """The file as a whole is turned down; the lines are kept so that asking again finds the number used."""
        letter = Letter(f"receipt-{batch.number}.xml", batch.number, now.timestamp(), _wall(now), [(0, "拒绝")])
        self._book.accept(batch.number, digest, batch.payer_account, batch.form, float("inf"), [], [letter], [])

    def _line(self, number: str, seq: int, row: tuple[str, str, int], now: datetime) -> Line:
        reference, account, fen = row
        fate, reason = self._fate(reference)
        return Line(
            number, seq, reference, account, fen, fate, reason,
            f"B{_hash(number, str(seq))[:14].upper()}", _wall(now),
        )  # fmt: skip

    def _luck(self, *about: str) -> float:
        """A number in [0, 1) that depends on the seed and on what it is about, and on nothing else."""
        return int(_hash(str(self._options.seed), *about)[:12], 16) / 16**12

    def _fate(self, reference: str) -> tuple[str, str]:
        """How the line ends: (fate, reason)."""
        options, luck = self._options, self._luck(reference)
        for rate, reason in (
            (options.name_mismatch_rate, "F02"), (options.closed_rate, "F04"), (options.lost_rate, "F05"), (options.not_activated_rate, "F07")
        ):  # fmt: skip
            if luck < rate:
                return "returned", reason
            luck -= rate
        if luck < options.reverse_rate:
            return "reversed", "F04"
        if self._silent(reference) and self._luck("silence", reference) < 0.25:
            return "returned", "F99"
        return "paid", ""

    def _silent(self, reference: str) -> bool:
        return self._luck("answer", reference) < self._options.silent_rate

    def _first_word(self, line: Line) -> str:
        """What the first answer says; '' says nothing."""
        if self._silent(line.reference):
            return ""
        if line.fate == "returned":
            return "失败"
        late = line.fate == "paid" and self._luck("late", line.reference) < self._options.late_rate
        return "处理中" if late else "成功"

    def _letters(self, number: str, lines: Sequence[Line], words: dict[int, str], now: datetime, suffix: str) -> list[Letter]:
        """Every file this batch will be answered with."""
        options = self._options
        if self._luck("lose", number) < options.lose_rate:
            return []
        answered = [(line.seq, words[line.seq]) for line in lines if words[line.seq]]
        if self._luck("reorder", number) < options.reorder_rate:
            random.Random(f"{options.seed}|{number}").shuffle(answered)
        parts = _PARTS if self._luck("split", number) < options.split_rate and len(answered) >= _PARTS else 1
        first, later = now + timedelta(seconds=options.answer_s), now + timedelta(seconds=options.late_s)
        planned = [(f"result-{number}-{part + 1}", answered[part::parts], first) for part in range(parts)]
        planned.append((f"result-{number}-late", [(seq, "成功") for seq, word in answered if word == "处理中"], later))
        planned.append((f"return-{number}", [(line.seq, "退票") for line in lines if line.fate == "reversed" and words[line.seq]], later))
        letters = []
        for name, said, at in planned:
            if said:
                letters.append(Letter(f"{name}{suffix}", number, at.timestamp(), _wall(at), said))
                if self._luck("duplicate", name) < options.duplicate_rate:
                    again = at + timedelta(seconds=1)
                    letters.append(Letter(f"{name}-again{suffix}", number, at.timestamp(), _wall(again), said))
        return letters

    def _write_letter(self, letter: Letter) -> None:
        """The books first, then the file: a bank that dies in between writes the same bytes again."""
        lines = self._book.lines(letter.number)
        for word, kind in (("成功", "credit"), ("退票", "return")):
            self._book.enter(letter.number, [seq for seq, said in letter.words if said == word], kind, letter.made_at)
        if letter.words[0][0] == 0:
            content = bank_wire.receipt(letter.number, letter.made_at, letter.words[0][1] == "受理")
        else:
            said = [(lines[seq], word) for seq, word in letter.words]
            content = bank_wire.result(self._book.form(letter.number), letter.number, letter.made_at, said)
        self._put(letter.name, content)
        self._book.written(letter.name)

    def _write_statement(self, account: str, form: str, numbers: Sequence[str], now: datetime) -> None:
        """Every line of these batches with its end; a returned credit stands twice, as on any account."""
        rows: list[tuple[str, Line, str]] = []
        for number in numbers:
            lines = self._book.lines(number)
            back = [line.seq for line in lines.values() if line.fate == "reversed"]
            self._book.enter(number, [line.seq for line in lines.values() if line.fate != "returned"], "credit", _wall(now))
            self._book.enter(number, back, "return", _wall(now))
            said = [(line, "失败" if line.fate == "returned" else "成功") for line in lines.values()]
            rows += [(number, line, word) for line, word in [*said, *((lines[seq], "退票") for seq in back)]]
        name = f"statement-{now:%Y%m%d%H%M%S}-{_hash(account, *numbers)[:8]}"
        if rows and self._luck("stray", *numbers) < self._options.stray_rate:
            number, line, _ = rows[0]
            other = _hash(number)[:32].upper()
            rows.append((number, msgspec.structs.replace(line, reference=other, serial=f"B{other[:14]}", amount_fen=8_800), "成功"))
        if form != "iso" or any(word != "失败" for _, _, word in rows):  # what was never booked is no entry of a camt.053
            self._put(f"{name}{SUFFIX[form]}", bank_wire.statement(form, name, account, _wall(now), rows))
        self._book.stated(numbers)

    def _put(self, name: str, content: bytes) -> None:
        """Whole or not at all, then the mark."""
        part = self._in / f".{name}.part"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(part, self._in / name)
        (self._in / f"{name}.ok").touch()


def _wall(moment: datetime) -> str:
    return f"{moment.astimezone(_ZONE):%Y-%m-%d %H:%M:%S}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
