"""Load a register from a spreadsheet: staged and judged cell by cell, shown, confirmed by a person, then registered portion by portion.

Nothing is in the register before it is confirmed. A worker that dies goes on with the next portion: what was loaded is loaded once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import msgspec

from relief.domain import identity, sheet_form, sheet_rows
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid, NotFound
from relief.domain.household import Registration
from relief.domain.policy import Actor, Grant, require
from relief.domain.sealing import Keys
from relief.domain.sheet_cells import SAYS
from relief.domain.sheet_form import HOUSEHOLD, Fault, Form
from relief.domain.sheet_rows import Families, Family, Judge
from relief.services.register import register
from relief.sheets import sandbox
from relief.sheets.model import Encoding, SheetError
from relief.sheets.sandbox import Sheet
from relief.store import audits, households, sheets
from relief.store.db import Tx
from relief.store.sheets import Village

#: Households of a portion: one transaction when loading, one seal when staged.
PORTION: Final = 500
#: A point that is that of the village stands for houses this far around (metres).
VILLAGE_ACCURACY_M: Final = 3_000.0
#: Faults kept of one file; a file with more is wrong altogether.
MOST_FAULTS: Final = 200_000
_MAX_NAME: Final = 200


class Item(msgspec.Struct, frozen=True):
    """A staged household and its first row in the file."""

    row: int
    registration: Registration


_ITEMS: Final = msgspec.msgpack.Decoder(list[Item])


class Staged(msgspec.Struct, frozen=True):
    """What a file holds. `households` may be loaded, `faulty` may not."""

    id: UUID
    encoding: str
    rows: int
    households: int
    faulty: int
    faults: int
    skipped: int


class Checked(msgspec.Struct, frozen=True):
    """What a file of any form holds; nothing is kept."""

    encoding: str
    rows: int
    skipped: list[int]
    faults: list[Fault]
    words: dict[str, str]


class Upload(msgspec.Struct, frozen=True):
    """A file as it was read, before any transaction opens."""

    name: str
    digest: bytes
    sheet: Sheet


async def read(content: bytes, name: str, encoding: Encoding = "auto") -> Upload:
    """The file, read in the cage. Raises Invalid with the row where one can be named."""
    try:
        return Upload(name[-_MAX_NAME:], hashlib.sha256(content).digest(), await sandbox.read(content, name, encoding))
    except SheetError as error:
        raise Invalid(error.code, error.message, row=error.row) from None


async def check(content: bytes, name: str, form: str, now: datetime, encoding: Encoding = "auto") -> Checked:
    """Judge the cells of a file of any form. Nothing is kept."""
    if form not in sheet_form.FORMS:
        raise Invalid("form", "没有此表 · there is no such form", field="form")
    return await asyncio.to_thread(_checked, (await read(content, name, encoding)).sheet, sheet_form.FORMS[form], now)


def _checked(sheet: Sheet, form: Form, now: datetime) -> Checked:
    judge, faults = _judge(sheet, form, now)
    if form.loads:
        families = _families(sheet, judge, _places(sheet, form)[0])
        faults += [f for portion in families for family in portion for f in family.faults]
    else:
        faults += [f for rows in sheet.rows() for number, cells in rows if (judged := judge.row(number, cells)) for f in judged.faults]
    return Checked(sheet.head.encoding, judge.rows, judge.skipped, faults, judge.words)


def _places(sheet: Sheet, form: Form) -> tuple[dict[str, int], list[Fault]]:
    return sheet_form.located(form, sheet.head.headings, sheet.head.heading_row)


def _judge(sheet: Sheet, form: Form, now: datetime) -> tuple[Judge, list[Fault]]:
    places, faults = _places(sheet, form)
    judge = Judge(form, places, len(sheet.head.headings), beijing_day(now), sheet.head.encoding == "xlsx", sheet.head.merged)
    for fault in faults:
        judge.words[fault.code] = SAYS[fault.code]
    return judge, faults


def _families(sheet: Sheet, judge: Judge, places: dict[str, int]) -> Iterator[list[Family]]:
    families = Families(judge, sheet_rows.doubles(places, (row for rows in sheet.rows() for row in rows)))
    for rows in sheet.rows():
        yield families.take(rows)
    yield families.end()


async def stage(tx: Tx, actor: Actor, county: str, incident: UUID, upload: Upload, now: datetime, keys: Keys) -> Staged:
    """Judge a household register, keep what may be loaded sealed and every fault by row, column and code.

    Invalid where its headings do not fit; Conflict `file_seen` where this very file was staged before.
    """
    if not any(a.startswith(county) or county.startswith(a) for a in actor.areas("sheet.load")):
        require(actor, "sheet.load", county)
    if not await households.open_incidents(tx, [incident]):
        raise Invalid("incident_unknown", "该灾害事件不存在或已关闭 · no such open incident", field="incident")
    sheet = upload.sheet
    new = sheets.New(county, uuid4(), incident, HOUSEHOLD.key, upload.name, upload.digest, sheet.head.encoding)
    places, wrong = _places(sheet, HOUSEHOLD)
    if wrong:
        said = [f"{f.place}: {f.code}" for f in wrong]
        raise Invalid(wrong[0].code, SAYS[wrong[0].code], row=sheet.head.heading_row, fields=said)
    await sheets.insert(tx, new, actor.person, now)
    stager = _Stager(actor, new, await sheets.villages(tx, county), now, keys)
    judge, _ = _judge(sheet, HOUSEHOLD, now)
    families = _families(sheet, judge, places)
    while (portion := await asyncio.to_thread(next, families, None)) is not None:
        hashes = await asyncio.to_thread(stager.hashes, portion)
        known = await sheets.registered(tx, incident, hashes) if hashes else set()
        await asyncio.to_thread(stager.add, portion, judge, known)
        await stager.write(tx)
    await stager.write(tx, last=True)
    done = Staged(new.id, sheet.head.encoding, judge.rows, stager.households, stager.faulty, stager.faults, len(judge.skipped))
    await sheets.sum_up(tx, county, new.id, done.rows, done.households, done.faulty, judge.skipped[:10_000], judge.words)
    await audits.add(
        tx, county, actor, "sheet.stage", "sheet", [new.id], now, {"rows": done.rows, "households": done.households, "faulty": done.faulty}
    )
    return done


class _Stager:
    """Collects what may be loaded into sealed portions, and what is wrong."""

    def __init__(self, actor: Actor, new: sheets.New, villages: dict[str, Village], now: datetime, keys: Keys) -> None:
        self.households = self.faulty = self.faults = 0
        self._actor, self._new, self._villages, self._now, self._keys = actor, new, villages, now, keys
        self._items: list[Item] = []
        self._wrong: list[Fault] = []
        self._parts = 0

    def hashes(self, families: Sequence[Family]) -> list[bytes]:
        """Identity hashes of everybody who may be loaded."""
        return [self._keys.index("id", m.id_number) for f in families for m in f.members]

    def add(self, families: Sequence[Family], judge: Judge, known: set[bytes]) -> None:
        """Judge what needs the register: village, area, who is in it already."""
        for family in families:
            faults = list(family.faults) or self._placed(family, judge, known)
            if faults:
                self.faulty += 1
                self._wrong += faults
            else:
                self.households += 1
                self._items.append(self._item(family))

    def _placed(self, family: Family, judge: Judge, known: set[bytes]) -> list[Fault]:
        village = str(family.facts["village"])
        found = self._villages.get(village)
        faults = []
        if not village.startswith(self._new.county):
            faults.append(judge.fault(family.row, "村（社区）代码", "other_county"))
        elif found is None:
            faults.append(judge.fault(family.row, "村（社区）代码", "village_unknown"))
        elif not self._actor.may("household.register", village):
            faults.append(judge.fault(family.row, "村（社区）代码", "outside_area"))
        elif found.lon is None and "lon" not in family.facts:
            faults.append(judge.fault(family.row, "经度", "place_missing"))
        if known and any(self._keys.index("id", m.id_number) in known for m in family.members):
            faults.append(judge.fault(family.row, "身份证号", "registered_already"))
        return faults

    def _item(self, family: Family) -> Item:
        village = self._villages[str(family.facts["village"])]
        people = " ".join(sorted(m.id_number for m in family.members))
        device = UUID(bytes=self._keys.index("sheet row", f"{self._new.incident} {people}")[:16])
        lon, lat = family.facts.get("lon"), family.facts.get("lat")
        told = isinstance(lon, float) and isinstance(lat, float)
        registration = Registration(
            device_id=device, incident=self._new.incident, members=family.members, captured_at=self._now,
            lon=lon if isinstance(lon, float) else village.lon or 0.0, lat=lat if isinstance(lat, float) else village.lat or 0.0,
            accuracy_m=30.0 if told else VILLAGE_ACCURACY_M, synthetic_point=not told and village.synthetic, **sheet_rows.fields(family.facts),
        )  # fmt: skip
        return Item(family.row, registration)

    async def write(self, tx: Tx, last: bool = False) -> None:
        """Full portions, and the faults so far."""
        while len(self._items) >= PORTION or (last and self._items):
            part, self._items = self._items[:PORTION], self._items[PORTION:]
            sealed = await asyncio.to_thread(self._keys.seal, "sheet_part", self._new.id, str(self._parts), msgspec.msgpack.encode(part))
            await sheets.add_part(tx, self._new.county, self._new.id, self._parts, len(part), sealed)
            self._parts += 1
        kept = self._wrong[: max(0, MOST_FAULTS - self.faults)]
        if kept:
            await sheets.add_faults(tx, self._new.county, self._new.id, self.faults + 1, kept)
        self.faults += len(self._wrong)
        self._wrong = []


async def confirm(
    tx: Tx, actor: Actor, county: str, sheet: UUID, now: datetime, *, faultless_only: bool = False, left_out: Sequence[int] = ()
) -> int:
    """Let it be loaded: all of it, or with `faultless_only` the households without a fault; without those whose first row is left out.

    Returns how many households. Refused to everybody but who staged it; Conflict `sheet_faulty` where all is asked for and some is wrong.
    """
    found = await _locked(tx, actor, county, sheet)
    if found.faulty and not faultless_only:
        raise Conflict(
            "sheet_faulty",
            f"有 {found.faulty} 户有错，请改正后重新上传，或只导入无错的户 · {found.faulty} households are faulty",
            faulty=found.faulty,
        )
    if not found.households:
        raise Conflict("sheet_empty", "没有可导入的户 · there is no household to load")
    if await sheets.confirm(tx, county, sheet, sorted(set(left_out)), actor.person, now) != 1:
        raise _moved_on()
    await audits.add(
        tx,
        county,
        actor,
        "sheet.confirm",
        "sheet",
        [sheet],
        now,
        {"households": found.households, "faulty": found.faulty, "left_out": len(left_out)},
    )
    return found.households


async def drop(tx: Tx, actor: Actor, county: str, sheet: UUID, now: datetime) -> None:
    """Forget a staged file; the same file may be staged again."""
    await _locked(tx, actor, county, sheet)
    if await sheets.drop(tx, county, sheet, now) != 1:
        raise _moved_on()
    await audits.add(tx, county, actor, "sheet.drop", "sheet", [sheet], now)


async def _locked(tx: Tx, actor: Actor, county: str, sheet: UUID) -> sheets.Waiting:
    found = await sheets.lock(tx, county, sheet)
    if found is None or found.staged_by != actor.person:
        raise NotFound("not_found", "没有找到，或不是您上传的 · not found, or not uploaded by you")
    if found.status != "staged":
        raise _moved_on()
    return found


def _moved_on() -> Conflict:
    return Conflict("moved_on", "该文件已确认或已撤销 · this file is confirmed or dropped already")


async def advance(tx: Tx, now: datetime, keys: Keys) -> int:
    """Register the next portion of a confirmed sheet, as the person who confirmed it and within what they may do now; how many households."""
    sheet = await sheets.claim(tx)
    if sheet is None:
        return 0
    part = await sheets.take(tx, sheet.county, sheet.id)
    if part is None:
        await sheets.end(tx, sheet.county, sheet.id, now)
        return 1
    grants = await sheets.grants(tx, sheet.by_person, now)
    actor = Actor(sheet.by_person, grants[0].name if grants else "", tuple(Grant(g.role, g.area) for g in grants))
    plain = await asyncio.to_thread(keys.open, "sheet_part", sheet.id, str(part.part), part.sealed)
    left_out = set(sheet.left_out)
    items = [i for i in _ITEMS.decode(plain) if i.row not in left_out]
    receipts = await register(tx, actor, [i.registration for i in items], now, keys)
    refused = [(i.row, r.code or "refused", r.message or "") for i, r in zip(items, receipts, strict=True) if r.outcome == "invalid"]
    new = sum(r.outcome == "new" for r in receipts)
    await sheets.count(tx, sheet.county, sheet.id, new, len(items) - new - len(refused), len(refused), {c: m for _, c, m in refused})
    if refused:
        await sheets.add_refusals(tx, sheet.county, sheet.id, [(row, code) for row, code, _ in refused])
    return max(1, len(items))


class Shown(msgspec.Struct, frozen=True):
    """A staged household to look at: whether the encoding was right is seen by a person, not by a machine."""

    row: int
    name: str
    people: int
    village: str
    account: str


def preview(keys: Keys, sheet: UUID, part: int, sealed: bytes, most: int = 10) -> list[Shown]:
    """The first households of a staged portion, numbers masked."""
    items = _ITEMS.decode(keys.open("sheet_part", sheet, str(part), sealed))[:most]
    return [
        Shown(i.row, r.members[0].name, len(r.members), r.village, identity.mask_account(r.account))
        for i in items
        for r in (i.registration,)
    ]
