"""The rehearsal bank's own books: what it has seen, decided, credited and written. A restart forgets nothing and credits nothing twice."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

_TABLES = """
CREATE TABLE IF NOT EXISTS batch (number TEXT PRIMARY KEY, digest TEXT NOT NULL, payer_account TEXT NOT NULL, form TEXT NOT NULL, statement_due REAL NOT NULL,
    stated INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS line (number TEXT NOT NULL, seq INTEGER NOT NULL, reference TEXT NOT NULL, account TEXT NOT NULL,
    amount_fen INTEGER NOT NULL, fate TEXT NOT NULL, reason TEXT NOT NULL, serial TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (number, seq));
CREATE TABLE IF NOT EXISTS letter (name TEXT PRIMARY KEY, number TEXT NOT NULL, due REAL NOT NULL, made_at TEXT NOT NULL, words BLOB NOT NULL,
    written INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, number TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL,
    UNIQUE (number, seq, kind));
"""


class Line(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One credit asked for, and its fate: 'paid', 'returned' or 'reversed' in the end."""

    number: str
    seq: int
    reference: str
    account: str
    amount_fen: int
    fate: str
    reason: str
    serial: str
    at: str


class Letter(msgspec.Struct, frozen=True, array_like=True):
    """A file to be written at `due`: (line, word) pairs in the order they will stand."""

    name: str
    number: str
    due: float
    made_at: str
    words: list[tuple[int, str]]


class Book:
    """SQLite beside the exchanged files, and `credits.csv`, which anybody may read."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._credits = folder / "credits.csv"
        self._db = sqlite3.connect(folder / "bank.sqlite", check_same_thread=False)
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Everything is on disk already."""
        self._db.close()

    def digest(self, number: str) -> str | None:
        """Digest of the batch of that number, if it was ever seen."""
        found = self._db.execute("SELECT digest FROM batch WHERE number = ?", (number,)).fetchone()
        return None if found is None else str(found[0])

    def form(self, number: str) -> str:
        """In which form that batch came, and is answered."""
        (found,) = self._db.execute("SELECT form FROM batch WHERE number = ?", (number,)).fetchone()
        return str(found)

    def accept(
        self, number: str, digest: str, payer_account: str, form: str, statement_due: float, lines: Sequence[Line], letters: Iterable[Letter],
        credited: Iterable[int],
    ) -> None:  # fmt: skip
        """Take a batch in: lines, what will be written about them, and the credits made at once; all of it or nothing."""
        at = lines[0].at if lines else ""
        with self._db:
            self._db.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, 0)", (number, digest, payer_account, form, statement_due))
            self._db.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (msgspec.to_builtins(line) for line in lines))
            self._db.executemany(
                "INSERT INTO letter VALUES (?, ?, ?, ?, ?, 0)",
                ((one.name, one.number, one.due, one.made_at, msgspec.json.encode(one.words)) for one in letters),
            )
            self._enter(number, credited, "credit", at)

    def enter(self, number: str, seqs: Iterable[int], kind: str, at: str) -> None:
        """Credit these lines, or take the credit back; an entry that is there stays as it is."""
        with self._db:
            self._enter(number, seqs, kind, at)

    def _enter(self, number: str, seqs: Iterable[int], kind: str, at: str) -> None:
        self._db.executemany(
            "INSERT INTO entry (number, seq, kind, at) VALUES (?, ?, ?, ?) ON CONFLICT (number, seq, kind) DO NOTHING",
            ((number, seq, kind, at) for seq in seqs),
        )

    def due(self, now: float) -> list[Letter]:
        """Letters to be written by now, oldest first."""
        rows = self._db.execute(
            "SELECT name, number, due, made_at, words FROM letter WHERE written = 0 AND due <= ? ORDER BY due, name", (now,)
        ).fetchall()
        return [
            Letter(name, number, due, made, msgspec.json.decode(words, type=list[tuple[int, str]]))
            for name, number, due, made, words in rows
        ]

    def written(self, name: str) -> None:
        """That letter is in the folder."""
        with self._db:
            self._db.execute("UPDATE letter SET written = 1 WHERE name = ?", (name,))

    def lines(self, number: str) -> dict[int, Line]:
        """The lines of a batch by sequence number."""
        rows = self._db.execute(
            "SELECT number, seq, reference, account, amount_fen, fate, reason, serial, at FROM line WHERE number = ? ORDER BY seq",
            (number,),
        )
        return {row[1]: Line(*row) for row in rows}

    def to_state(self, now: float) -> dict[tuple[str, str], list[str]]:
        """(paying account, form) → batches whose statement is due and not written."""
        found: dict[tuple[str, str], list[str]] = {}
        for number, account, form in self._db.execute(
            "SELECT number, payer_account, form FROM batch WHERE stated = 0 AND statement_due <= ? ORDER BY payer_account, number", (now,)
        ):
            found.setdefault((account, form), []).append(number)
        return found

    def stated(self, numbers: Sequence[str]) -> None:
        """These batches stand on a written statement."""
        with self._db:
            self._db.executemany("UPDATE batch SET stated = 1 WHERE number = ?", ((n,) for n in numbers))

    def publish(self) -> None:
        """Append to credits.csv what it lacks, in the order of entry."""
        have = 0
        if self._credits.exists():
            with self._credits.open(encoding="utf-8") as file:
                have = sum(1 for _ in file) - 1
        rows = self._db.execute(
            "SELECT e.number, l.reference, l.account, l.amount_fen, e.kind, e.at FROM entry e "
            "JOIN line l ON l.number = e.number AND l.seq = e.seq ORDER BY e.id LIMIT -1 OFFSET ?",
            (max(have, 0),),
        ).fetchall()
        if rows or have <= 0:
            with self._credits.open("a", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                if not file.tell():
                    writer.writerow(["batch", "reference", "account", "amount_fen", "entry", "at"])
                writer.writerows(rows)
