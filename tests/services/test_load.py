"""A register from a spreadsheet: judged, shown, confirmed, loaded once."""

from __future__ import annotations

import asyncio
import io
from uuid import UUID

import openpyxl
import pytest

from relief.demo import numbers
from relief.domain.errors import Conflict, Invalid, NotFound
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.domain.sheet_form import FORMS
from relief.services import load, sheet_files
from relief.store import db
from relief.store.db import Tx
from relief.store.views import sheets as views
from tests import make
from tests.make import LUDING, MOXI, NOW, VILLAGE
from tests.sheets.makers import HEADINGS, table

pytestmark = pytest.mark.slow  # every upload is a process of its own


def line(n: int, household: int | None = None, **cells: str) -> list[str]:
    """The n-th person as householder of a household."""
    row = dict(
        zip(HEADINGS, (str(household or n), "户主", "甄演一", numbers.householder_id(n), VILLAGE, "402", numbers.account(n)), strict=True)
    )
    return list({**row, **cells}.values())


def member(n: int, household: int) -> list[str]:
    return [str(household), "子女", "甄演二", numbers.member_id(n)]


async def staged_of(tx: Tx, clerk: Actor, incident: UUID, name: str, content: bytes, keys: Keys) -> load.Staged:
    return await load.stage(tx, clerk, LUDING, incident, await load.read(content, name), NOW, keys)


async def desk(tx: Tx) -> tuple[Actor, UUID]:
    return await make.staff(tx, ("township_reviewer", MOXI)), await make.incident(tx)


async def loaded(tx: Tx, keys: Keys) -> None:
    while await load.advance(tx, NOW, keys):
        pass


async def test_nothing_is_in_the_register_before_it_is_confirmed_and_everything_once_after(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    content = table(line(1), member(1, 1), line(2), ["合计", "", "3人"])
    staged = await staged_of(tx, clerk, incident, "一户一档.xlsx", content, keys)
    assert (staged.rows, staged.households, staged.faulty, staged.faults, staged.skipped) == (3, 2, 0, 0, 1)
    assert await db.value(tx, "SELECT count(*) FROM household") == 0
    assert await load.advance(tx, NOW, keys) == 0
    assert await load.confirm(tx, clerk, LUDING, staged.id, NOW) == 2
    await loaded(tx, keys)
    rows = await tx.fetch("SELECT members, registered_by, accuracy_m, synthetic_point, status FROM household ORDER BY members")
    assert [tuple(r) for r in rows] == [(1, clerk.id, 3000.0, True, "staged"), (2, clerk.id, 3000.0, True, "staged")]
    sheet = await views.sheet(tx, ["%"], staged.id, clerk.id)
    assert (sheet.status, sheet.loaded, sheet.seen, sheet.refused) == ("loaded", 2, 0, 0)
    assert await db.value(tx, "SELECT count(*) FROM sheet_part") == 0
    with pytest.raises(Conflict):
        await load.confirm(tx, clerk, LUDING, staged.id, NOW)


async def test_every_fault_is_kept_by_row_column_and_code_and_never_the_value(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    bad = line(3, 姓名="甄", 身份证号="519999196001011017", 社保卡银行账号="6.2284804E+18")
    other = line(4, **{"村（社区）代码": "511824100201"})
    staged = await staged_of(tx, clerk, incident, "a.xlsx", table(line(1), bad, other), keys)
    found = {(f.row, f.place, f.code) for f in await views.faults(tx, LUDING, staged.id, 0, 100)}
    assert found == {
        (3, "姓名", "name_form"), (3, "身份证号", "id_checksum"), (3, "社保卡银行账号", "precision_lost"), (4, "村（社区）代码", "other_county"),
    }  # fmt: skip
    dump = await db.value(tx, "SELECT string_agg(s::text, ' ') || (SELECT string_agg(f::text, ' ') FROM sheet_fault f) FROM sheet s")
    assert not any(secret in dump for secret in (numbers.householder_id(1), "甄演一", numbers.account(1), "519999196001011017"))
    with pytest.raises(Conflict) as refused:
        await load.confirm(tx, clerk, LUDING, staged.id, NOW)
    assert refused.value.code == "sheet_faulty"
    assert await load.confirm(tx, clerk, LUDING, staged.id, NOW, faultless_only=True) == 1
    await loaded(tx, keys)
    assert await db.value(tx, "SELECT count(*) FROM household") == 1


async def test_chosen_rows_stay_out(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    staged = await staged_of(tx, clerk, incident, "a.xlsx", table(line(1), line(2), line(3)), keys)
    await load.confirm(tx, clerk, LUDING, staged.id, NOW, left_out=[3])
    await loaded(tx, keys)
    hashes = {keys.index("id", numbers.householder_id(n)) for n in (1, 3)}
    assert {r["id_hash"] for r in await tx.fetch("SELECT id_hash FROM person")} == hashes


async def test_the_same_file_twice_is_refused_and_the_same_rows_in_another_are_named(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    content = table(line(1), line(2))
    staged = await staged_of(tx, clerk, incident, "a.xlsx", content, keys)
    await load.confirm(tx, clerk, LUDING, staged.id, NOW)
    await loaded(tx, keys)
    again = await staged_of(tx, clerk, incident, "b.xlsx", table(line(2), line(1), line(9)), keys)
    assert (again.households, again.faulty) == (1, 2)
    assert {f.code for f in await views.faults(tx, LUDING, again.id, 0, 9)} == {"registered_already"}
    with pytest.raises(Exception, match="sheet_once"):  # translated to file_seen where transactions begin
        await staged_of(tx, clerk, incident, "c.xlsx", content, keys)


async def test_a_dropped_file_may_come_again_and_belongs_to_who_uploaded_it(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    staged = await staged_of(tx, clerk, incident, "a.xlsx", table(line(1)), keys)
    with pytest.raises(NotFound):
        await load.drop(tx, await make.staff(tx, ("township_reviewer", MOXI)), LUDING, staged.id, NOW)
    await load.drop(tx, clerk, LUDING, staged.id, NOW)
    assert (await staged_of(tx, clerk, incident, "a.xlsx", table(line(1)), keys)).households == 1


async def test_headings_that_do_not_fit_are_told_column_by_column(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    with pytest.raises(Invalid) as refused:
        await staged_of(tx, clerk, incident, "a.xlsx", table(["1"], headings=("户编号", "户编号", "名字")), keys)
    said = refused.value.data["fields"]
    assert isinstance(said, list)
    assert {"户编号: column_twice", "名字: column_unknown", "身份证号: column_missing"} <= set(said)


async def test_whoever_lost_the_right_meanwhile_loads_nothing(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    staged = await staged_of(tx, clerk, incident, "a.xlsx", table(line(1)), keys)
    await load.confirm(tx, clerk, LUDING, staged.id, NOW)
    await tx.execute("UPDATE role_grant SET valid_to = $1 WHERE person = $2", NOW, clerk.id)
    await loaded(tx, keys)
    sheet = await views.sheet(tx, ["%"], staged.id, clerk.id)
    assert (sheet.status, sheet.loaded, sheet.refused) == ("loaded", 0, 1)
    assert [(f.row, f.code) for f in await views.faults(tx, LUDING, staged.id, 0, 9)] == [(2, "outside_area")]


async def test_csv_in_gb18030_is_read_like_a_workbook(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    text = "\n".join(",".join(r) for r in (HEADINGS, line(1), line(2)))
    staged = await staged_of(tx, clerk, incident, "a.csv", text.encode("gb18030"), keys)
    assert (staged.encoding, staged.households) == ("gb18030", 2)
    part = await views.first(tx, LUDING, staged.id)
    assert part
    assert [s.name for s in load.preview(keys, staged.id, part.part, part.sealed)] == ["甄演一", "甄演一"]


async def test_a_template_filled_in_by_its_own_lists_loads_without_a_fault(tx: Tx, keys: Keys) -> None:
    clerk, incident = await desk(tx)
    made = await sheet_files.template(tx, "household", LUDING)
    book = openpyxl.load_workbook(io.BytesIO(made.content))
    sheet = book["填报 register"]
    village = next(c.value for c in book["代码 codes"]["B"] + book["代码 codes"]["A"] if str(c.value or "").startswith(VILLAGE))
    assert len(sheet.data_validations.dataValidation) >= 6
    filled = {
        "户编号": "1", "与户主关系": "户主", "姓名": "甄演一", "身份证号": numbers.householder_id(1), "村（社区）代码": village, "开户银行": "农村信用社",
        "社保卡银行账号": numbers.account(1), "家庭类型": "低保户", "倒塌间数": 2, "转移安置": "集中安置", "唯一住房": "是",
    }  # fmt: skip
    for place, heading in enumerate([c.value for c in sheet[1]], 1):
        sheet.cell(2, place, filled.get(str(heading)))
    out = io.BytesIO()
    book.save(out)
    staged = await staged_of(tx, clerk, incident, "模板.xlsx", out.getvalue(), keys)
    assert (staged.households, staged.faults) == (1, 0)


@pytest.mark.parametrize("form", sorted(FORMS))
async def test_an_empty_template_of_every_form_has_only_known_headings(tx: Tx, form: str) -> None:
    made = await sheet_files.template(tx, form, LUDING)
    book = openpyxl.load_workbook(io.BytesIO(made.content))
    book["填报 register"].append(["合计"])
    out = io.BytesIO()
    await asyncio.to_thread(book.save, out)
    found = await load.check(out.getvalue(), made.name, form, NOW)
    assert (found.faults, found.rows) == ([], 0)


def test_the_list_of_faults_opens_as_text_and_calculates_nothing() -> None:
    made = sheet_files.faults("a.xlsx", [(2, "=cmd|x", "formula", "＋说明")])
    text = made.content.decode("utf-8-sig")
    assert '"\'=cmd|x"' in text
    assert '"\'＋说明"' in text
    assert made.name == "a_错误清单.csv"
