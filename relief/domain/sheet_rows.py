"""Rows of a register into households: every cell judged, every fault named by row, column and code; faulty households stay out whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from relief.domain import identity
from relief.domain.errors import Invalid
from relief.domain.household import CIRCUMSTANCES, FAMILY_TYPES, Member, check_point
from relief.domain.sheet_cells import SAYS, Cell, Value, Wrong, value
from relief.domain.sheet_form import HOUSEHOLD, RELATIONS, RELOCATIONS, Column, Fault, Form

#: How rows begin that are no data: left out by this rule only, and reported.
_ASIDE: Final = ("合计", "小计", "总计", "备注", "说明", "填表", "审核", "制表", "注:", "注：")
_MOST_MEMBERS: Final = 30
_FAMILY: Final = {zh: key for key, zh in FAMILY_TYPES.items()}
_RELOCATED: Final = {zh: key for key, zh in RELOCATIONS.items()}
_CIRCUMSTANCE: Final = {zh: key for key, zh in CIRCUMSTANCES.items()}
#: Told about a person; everything else is told about the household, in the householder's row.
_PERSONAL: Final = ("number", "relation", "name", "id_number")
_NEEDED: Final = ("village", "bank", "account")
_LABELS: Final = {c.key: c.zh for c in HOUSEHOLD.columns}

Row = tuple[int, list[Cell]]


class Family(msgspec.Struct, frozen=True):
    """A household of the file: its first row, its people (householder first), what was told about it, and what is wrong."""

    row: int
    members: list[Member]
    facts: dict[str, Value]
    faults: list[Fault]


class Judged(msgspec.Struct, frozen=True):
    """One row: its values by column, and what is wrong in it."""

    row: int
    values: dict[str, Value]
    faults: list[Fault]


class Judge:
    """Judges the rows of one form. `words` collects the sentence of every code met, `skipped` the rows left out by rule."""

    def __init__(self, form: Form, places: dict[str, int], width: int, today: date, typed: bool, merged: Sequence[tuple[int, int]]) -> None:
        self.words: dict[str, str] = {}
        self.skipped: list[int] = []
        self.rows = 0
        self._columns: list[tuple[Column, int]] = [(c, places[c.key]) for c in form.columns if c.key in places]
        self._headings = {h for c in form.columns for h in (c.zh, c.heading, c.en)}
        self._width, self._today, self._typed = width, today, typed
        self._merged = {row for first, last in merged for row in range(first, min(last, first + 1_000) + 1)}

    def fault(self, row: int, place: str, code: str, says: str = "") -> Fault:
        """A fault, its sentence kept."""
        self.words.setdefault(code, says or SAYS[code])
        return Fault(row, place, code)

    def row(self, number: int, cells: Sequence[Cell]) -> Judged | None:
        """Judge a row; None where it is left out by rule."""
        if not any(cells) or self._aside(cells):
            self.skipped.append(number)
            return None
        self.rows += 1
        if sum(isinstance(c, str) and c in self._headings for c in cells) >= 3:
            return Judged(number, {}, [self.fault(number, "", "header_twice")])
        faults = [self.fault(number, "", "merged")] if number in self._merged else []
        if any(cells[self._width :]) or (not self._typed and len(cells) < self._width):
            faults.append(self.fault(number, "", "ragged"))
        values: dict[str, Value] = {}
        for column, place in self._columns:
            try:
                values[column.key] = value(column, cells[place] if place < len(cells) else "", self._today, self._typed)
            except Wrong as wrong:
                faults.append(self.fault(number, column.zh, wrong.code, wrong.says))
        return Judged(number, values, faults)

    def _aside(self, cells: Sequence[Cell]) -> bool:
        first = next(c for c in cells if c)
        return isinstance(first, str) and first.replace(" ", "").startswith(_ASIDE)


class Families:
    """Households out of rows that come one after the other. Rows of a household stand together."""

    def __init__(self, judge: Judge, doubles: frozenset[str]) -> None:
        self._judge, self._doubles = judge, doubles
        self._seen: set[Value] = set()
        self._now: list[Judged] = []

    def take(self, rows: Iterable[Row]) -> list[Family]:
        """The households that these rows complete."""
        done = []
        for number, cells in rows:
            judged = self._judge.row(number, cells)
            if judged is None:
                continue
            key = judged.values.get("number")
            if self._now and (key is None or key != self._now[0].values.get("number")):
                done.append(self._family())
            self._now.append(judged)
        return done

    def end(self) -> list[Family]:
        """The last one."""
        return [self._family()] if self._now else []

    def _family(self) -> Family:
        rows, self._now = self._now, []
        fault, first = self._judge.fault, rows[0].row
        faults = [f for r in rows for f in r.faults]
        key = rows[0].values.get("number")
        if key is not None and key in self._seen:
            faults.append(fault(first, "户编号", "household_split"))
        self._seen.add(key)
        if len(rows) > _MOST_MEMBERS:
            faults.append(fault(first, "户编号", "household_too_large"))
        faults += self._who(rows)
        heads = [r for r in rows if r.values.get("relation") == RELATIONS[0]]
        if "relation" in rows[0].values and len(heads) != 1:
            faults.append(fault(first, "与户主关系", "householder_twice" if heads else "householder_missing"))
        head = heads[0] if heads else rows[0]
        facts: dict[str, Value] = {k: v for k, v in head.values.items() if k not in _PERSONAL and v is not None}
        faults += self._facts(head, rows, facts)
        ordered = [head, *(r for r in rows if r is not head)]
        members = [Member(str(r.values["name"]), str(r.values["id_number"])) for r in ordered] if not faults else []
        return Family(first, members, facts, faults)

    def _who(self, rows: Sequence[Judged]) -> list[Fault]:
        """Nobody twice."""
        faults, here = [], set()
        for r in rows:
            number = r.values.get("id_number")
            if number in here:
                faults.append(self._judge.fault(r.row, "身份证号", "id_twice"))
            elif number in self._doubles:
                faults.append(self._judge.fault(r.row, "身份证号", "id_twice_in_file"))
            if number is not None:
                here.add(number)
        return faults

    def _facts(self, head: Judged, rows: Sequence[Judged], facts: dict[str, Value]) -> list[Fault]:
        """What is told about the household, checked together; member rows may repeat it and not contradict it."""
        fault = self._judge.fault
        said = {f.place for f in head.faults}
        faults = [fault(head.row, zh, "required") for key, zh in _LABELS.items() if key in _NEEDED and key not in facts and zh not in said]
        for r in rows:
            for key, v in r.values.items():
                if r is not head and v is not None and key not in _PERSONAL and facts.get(key) != v:
                    faults.append(fault(r.row, _LABELS[key], "householder_differs"))
        if isinstance(facts.get("people_in_need"), int) and int(str(facts["people_in_need"])) > len(rows):
            faults.append(fault(head.row, "需救助人口", "people_in_need"))
        if "home_county" in facts and not (len(str(facts["home_county"])) == 6 and str(facts["home_county"]).isdecimal()):
            faults.append(fault(head.row, "户籍地县级代码", "home_county"))
        lon, lat = facts.get("lon"), facts.get("lat")
        if (lon is None) != (lat is None):
            faults.append(fault(head.row, "经度", "point_half"))
        elif isinstance(lon, float) and isinstance(lat, float):
            try:
                check_point(lon, lat)
            except Invalid as error:
                faults.append(fault(head.row, "经度", error.code))
        return faults


def doubles(places: dict[str, int], rows: Iterable[Row]) -> frozenset[str]:
    """Identity numbers that stand in more than one household of the file."""
    number, who = places.get("number"), places.get("id_number")
    if number is None or who is None:
        return frozenset()
    first: dict[str, Cell] = {}
    twice = set()
    for _, cells in rows:
        cell = cells[who] if who < len(cells) else ""
        if isinstance(cell, str) and cell:
            found = identity.narrow(cell).upper()
            home = cells[number] if number < len(cells) else ""
            if first.setdefault(found, home) != home:
                twice.add(found)
    return frozenset(twice)


def fields(facts: dict[str, Value]) -> dict[str, Any]:
    """What was told in the words of the form, as a registration takes it; places are left to the caller."""
    out: dict[str, Any] = {k: v for k, v in facts.items() if k not in ("lon", "lat")}
    for key, words in (("family_type", _FAMILY), ("relocated", _RELOCATED)):
        if key in out:
            out[key] = words[out[key]]
    if "circumstances" in out:
        out["circumstances"] = [_CIRCUMSTANCE[w] for w in out["circumstances"].split("、")]
    return out
