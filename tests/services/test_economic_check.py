"""核对: a report file by file, every row kept or named, and the visit left out only where the newest word on every adult is good."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from relief.demo import numbers
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.household import Member
from relief.domain.sealing import Keys
from relief.services import economic_check, load, replay
from relief.services.economic_check import Imported
from relief.store import db
from relief.store.db import Pool, Tx
from tests import make
from tests.make import LUDING
from tests.services.test_over_time import LATER, Running

pytestmark = pytest.mark.slow

HEAD = "姓名,身份证号,核对日期,核对结论,说明"


def report(*lines: str) -> bytes:
    return "\n".join([HEAD, *lines]).encode()


def line(n: int, finding: str = "符合", day: str = "2022-09-01", note: str = "") -> str:
    return f"甄演一,{numbers.householder_id(n)},{day},{finding},{note}"


class Checking(Running):
    """Households whose house is to be rebuilt: an aid with the switch “skip visit if checked”."""

    async def bring(self, *lines: str, name: str = "核对.csv", hours: int = 0) -> Imported:
        file = await load.read(report(*lines), name)
        return await economic_check.import_report(self.tx, self.officer, LUDING, file, LATER + timedelta(hours=hours), self.keys)

    async def two_adults(self, n: int) -> UUID:
        members = [Member("甄演一", numbers.householder_id(n)), Member("甄演二", numbers.householder_id(n + 500))]
        return await self.family(n, members=members, rooms_collapsed=1)

    async def why(self, household: UUID, aid: str = "HOUSE") -> list[str]:
        found: list[str] = (await self.decision(household, aid))["reasons"]
        return found


@pytest.fixture
async def world(tx: Tx, keys: Keys) -> Checking:
    world = Checking(tx, keys)
    await world.open()
    return world


async def test_the_visit_is_left_out_once_every_adult_is_checked_and_the_money_stays_the_same(world: Checking) -> None:
    home = await world.two_adults(1)
    await world.decide()
    before = await world.decision(home, "HOUSE")
    await world.bring(line(1))
    await world.decide()
    assert "visit.checked" not in await world.why(home), "one of two adults was not checked"
    done = await world.bring(line(501), name="第二批.csv")
    assert (done.kept, done.refused, done.changed) == (1, 0, 1)
    await world.decide()
    after = await world.decision(home, "HOUSE")
    assert after["reasons"] == [*before["reasons"], "visit.checked"]
    assert after["amount_fen"] == before["amount_fen"]
    assert after["facts"]["checked"] is True
    assert "visit.checked" not in await world.why(home, "EMERG"), "an aid without the switch does not speak of it"
    auditor = await make.staff(world.tx, ("auditor", "51"))
    assert (await replay.replay(world.tx, auditor, [LUDING])).differing == 0


async def test_the_newest_word_decides(world: Checking) -> None:
    home = await world.two_adults(1)
    await world.bring(line(1), line(501))
    await world.bring(line(1, "不符合", "2022-09-03"), hours=1)
    await world.decide()
    assert "visit.checked" not in await world.why(home)
    await world.bring(line(1, "符合", "2022-09-02"), hours=2)
    await world.decide()
    assert "visit.checked" not in await world.why(home), "an older report that comes later is not the newest word"


async def test_people_registered_after_the_report_are_found_in_it(world: Checking) -> None:
    done = await world.bring(line(1), line(501))
    assert (done.kept, done.changed) == (2, 0)
    home = await world.two_adults(1)
    await world.decide()
    assert "visit.checked" in await world.why(home)


async def test_what_cannot_be_read_is_named_by_row_column_and_code_and_the_rest_is_kept(world: Checking) -> None:
    done = await world.bring(
        line(1),
        "甄演一,519999199001010001,2022-09-01,符合,",
        line(2, "好"),
        line(3, day="2099-01-01"),
        line(4, day=""),
        "合计,3,,,",
        line(5, note="=1+1"),
    )
    assert (done.rows, done.kept, done.refused, done.skipped) == (6, 1, 5, [7])
    assert [(f.row, f.place, f.code) for f in done.faults] == [
        (3, "身份证号", "id_checksum"), (4, "核对结论", "choice"), (5, "核对日期", "date"), (6, "核对日期", "required"), (8, "说明", "formula"),
    ]  # fmt: skip
    rows = await world.tx.fetch("SELECT row, place, code FROM economic_check_fault ORDER BY row")
    assert [tuple(r) for r in rows] == [(f.row, f.place, f.code) for f in done.faults]


async def test_headings_that_are_not_those_of_a_report_are_refused_whole(world: Checking) -> None:
    file = await load.read("姓名,身份证,结论\n甄演一,1,符合".encode(), "x.csv")
    with pytest.raises(Invalid) as refusal:
        await economic_check.import_report(world.tx, world.officer, LUDING, file, LATER, world.keys)
    assert refusal.value.code == "check_columns"


async def test_nothing_of_a_person_is_in_clear_and_a_township_may_not_import(world: Checking) -> None:
    await world.bring(line(1, note="名下无车"))
    text = await world.tx.fetchval("SELECT economic_check_row::text FROM economic_check_row")
    assert numbers.householder_id(1) not in text
    assert "无车" not in text
    with pytest.raises(Refused):
        await economic_check.import_report(world.tx, world.township, LUDING, await load.read(report(line(2)), "y.csv"), LATER, world.keys)


async def test_the_same_file_twice_is_refused(pool: Pool, keys: Keys) -> None:
    file = await load.read(report(line(1)), "核对.csv")
    async with db.begin(pool) as tx:
        officer = await make.staff(tx, ("county_officer", LUDING))
        await economic_check.import_report(tx, officer, LUDING, file, LATER, keys)
    with pytest.raises(Conflict) as refusal:
        async with db.begin(pool) as tx:
            await economic_check.import_report(tx, officer, LUDING, file, LATER, keys)
    assert refusal.value.code == "file_seen"


async def test_a_thousand_rows_cost_the_statements_of_one(world: Checking) -> None:
    async def statements(first: int, count: int) -> int:
        sent: list[str] = []
        with world.tx._con.query_logger(lambda record: sent.append(record.query)):
            await world.bring(*(line(n) for n in range(first, first + count)))
        return len(sent)

    assert await statements(1, 1) == await statements(100, 1_000)
