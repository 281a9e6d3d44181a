"""`relief playbook preview | explain | replay | diff` as scripts call them."""

from __future__ import annotations

from pathlib import Path

import pytest

from relief import keyring
from relief.domain.policy import SYSTEM
from relief.services import activate
from relief.store import db
from tests import make
from tests.make import NOW, ROOT
from tests.services.test_over_time import Running
from tests.test_zone_command import relief, told

pytestmark = pytest.mark.slow  # every case is a process of its own

BOOK = ROOT / "playbooks" / "earthquake.toml"


async def test_a_household_is_explained_and_every_decision_comes_out_again(pool: db.Pool, database: str, home: Path) -> None:
    keys = keyring.load_or_make(home, "sm4", may_make=True)
    async with db.begin(pool) as tx:
        world = await Running(tx, keys).open()
        household = await world.family(0, rooms_collapsed=1)
        await world.decide()
        await world.look(household, rooms_collapsed=0)
        decision = await tx.fetchval("SELECT id FROM decision WHERE household = $1 AND status = 'superseded' AND aid = 'HOUSE'", household)
    code, output, errors = await relief("playbook", "explain", household, database=database, home=home)
    assert code == 0, errors
    for words in ("应急期救助 · Emergency aid", "家庭人口 · members = 3", "条款 clause", "标准未核实 figures not verified", "= 900.00"):
        assert words in output
    code, found = await told("playbook", "explain", decision, database=database, home=home)
    assert (code, [d["id"] for d in found["decisions"]]) == (0, [str(decision)])
    code, again = await told("playbook", "replay", "--all", database=database, home=home)
    assert (code, again["decisions"], again["differing"]) == (0, 4, 0)
    async with db.begin(pool) as tx:
        await tx.execute("UPDATE decision SET amount_fen = 1 WHERE id = $1", decision)
    code, output, _ = await relief("playbook", "replay", "--county", make.LUDING, database=database, home=home)
    assert code == 1
    assert f"{make.LUDING}/{decision} HOUSE: 0.01" in output
    code, _, errors = await relief("playbook", "explain", "00000000-0000-0000-0000-000000000001", database=database, home=home)
    assert (code, errors[:10]) == (1, "not_found:")


async def test_a_file_of_counts_is_previewed_and_a_faulty_one_refused(pool: db.Pool, database: str, home: Path) -> None:
    async with db.begin(pool) as tx:
        await activate.import_playbook(tx, SYSTEM, BOOK.read_text("utf-8"), NOW)
        await activate.load_standards(tx, SYSTEM, (ROOT / "playbooks/standards/sichuan-rehearsal.toml").read_text("utf-8"), NOW)
    counts = home / "counts.csv"
    counts.write_text("county,level,households,people,relocated\n513322,8,100,300,1\n", "utf-8")
    code, found = await told("playbook", "preview", counts, "--playbook", "earthquake", database=database, home=home)
    assert (code, found["households"], found["amount_fen"]) == (0, 100, 9_000_000)
    assert found["unverified"]
    code, output, _ = await relief("playbook", "preview", counts, "--playbook", BOOK, database=database, home=home)
    assert (code, "90,000.00" in output) == (0, True)
    counts.write_text("county,level,people\n513322,8,none\n", "utf-8")
    code, _, errors = await relief("playbook", "preview", counts, "--playbook", "earthquake", database=database, home=home)
    assert (code, errors[:13]) == (2, "households: 2")


async def test_two_files_are_compared_without_a_database(tmp_path: Path) -> None:
    newer = tmp_path / "newer.toml"
    newer.write_text(BOOK.read_text("utf-8").replace("days = 15", "days = 20", 1), "utf-8")
    code, output, _ = await relief("playbook", "diff", BOOK, newer)
    assert (code, output.strip()) == (0, "~ 救助 EMERG 应急期救助 › 天数 · aid EMERG (Emergency aid) › days：15 → 20")
    code, found = await told("playbook", "diff", BOOK, BOOK)
    assert (code, found) == (0, [])
