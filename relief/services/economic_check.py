"""核对: reports of the economic check are imported a file at a time and kept with the case; a playbook's “skip visit” switch rests on them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

import msgspec

from relief.domain import sheet_form
from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.domain.sheet_form import CHECK, FINDINGS, Fault
from relief.domain.sheet_rows import Judge
from relief.services.load import Upload
from relief.store import audits, economic_checks
from relief.store.db import Tx
from relief.store.economic_checks import File, Row

_KEY: Final = {zh: key for key, zh in FINDINGS.items()}


class Imported(msgspec.Struct, frozen=True):
    """What became of a file: rows kept and refused (each fault named), lines left out by rule (totals, notes), households whose state changed.

    Rows of people nobody has registered are kept too: they count from the day their household is.
    """

    id: UUID
    rows: int
    kept: int
    refused: int
    skipped: list[int]
    faults: list[Fault]
    changed: int


async def import_report(tx: Tx, actor: Actor, county: str, file: Upload, now: datetime, keys: Keys) -> Imported:
    """Keep every row that can be read and name what is wrong with the others by row, column and code.

    Conflict `file_seen` where the county has this very file already; Invalid `check_columns` where the headings are not those of a report.
    """
    require(actor, "check.import", county)
    made = uuid4()
    rows, faults, skipped, count = await asyncio.to_thread(_read, file, made, now, keys)
    refused = len({f.row for f in faults})
    kept = File(made, file.name, file.digest, count, count - refused, refused)
    await economic_checks.insert(tx, county, kept, rows, [(f.row, f.place, f.code) for f in faults], actor.person, now)
    changed = await economic_checks.refresh(tx, county)
    await audits.add(
        tx, county, actor, "check.import", "economic_check", [made], now, {"rows": count, "refused": refused, "changed": changed}
    )
    return Imported(made, count, len(rows), refused, skipped, faults, changed)


def _read(file: Upload, made: UUID, now: datetime, keys: Keys) -> tuple[list[Row], list[Fault], list[int], int]:
    head = file.sheet.head
    places, wrong = sheet_form.located(CHECK, head.headings, head.heading_row)
    if wrong:
        named = "、".join(f"{f.place}（{f.code}）" for f in wrong)
        raise Invalid("check_columns", f"表头不符：{named} · the headings are not those of a report: {named}", faults=wrong)
    judge = Judge(CHECK, places, len(head.headings), beijing_day(now), head.encoding == "xlsx", head.merged)
    rows: list[Row] = []
    faults: list[Fault] = []
    for portion in file.sheet.rows():
        for number, cells in portion:
            judged = judge.row(number, cells)
            if judged is None:
                continue
            checked_on = _day(judged.values.get("checked_on"))
            if judged.faults or checked_on is None:
                faults += judged.faults
            else:
                rows.append(_row(made, number, judged.values, checked_on, keys))
    return rows, faults, judge.skipped, judge.rows


def _day(value: object) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


def _row(made: UUID, number: int, values: Mapping[str, object], checked_on: date, keys: Keys) -> Row:
    said = {k: values[k] for k in ("name", "note") if values.get(k)}
    sealed = keys.seal("economic_check_row", UUID(int=made.int ^ number), "sealed", msgspec.json.encode(said)) if said else None
    return Row(number, keys.index("id", str(values["id_number"])), checked_on, _KEY[str(values["finding"])], sealed)
