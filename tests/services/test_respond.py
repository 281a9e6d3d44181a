"""Plans propose for each government, a named officer decides by a document, and every decision stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.incident import NewIncident
from relief.domain.policy import SYSTEM, Actor
from relief.services import report, respond, zoning
from relief.services.report import NewReport
from relief.services.respond import Decision
from relief.store import responses
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, NOW, ROOT, SHIMIAN

PLANS = ROOT / "playbooks" / "plans"
JUNLIAN = "511527"


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


async def load(tx: Tx, *names: str) -> None:
    for name in names or [p.stem for p in PLANS.glob("*.toml")]:
        await respond.import_plan(tx, SYSTEM, (PLANS / f"{name}.toml").read_text("utf-8"), NOW)


async def province(tx: Tx) -> Actor:
    return await make.staff(tx, ("province_officer", "51"))


async def told(tx: Tx, incident: UUID, county: str, moment: datetime, after: int = 0, **figures: int) -> None:
    actor = await make.staff(tx, ("county_officer", county))
    new = NewReport(county=county, after=after, as_of=moment, source="县应急局", indicators={k: str(v) for k, v in figures.items()})
    await report.report(tx, actor, incident, [new], moment)


def decision(**changes: Any) -> Decision:
    fields = {
        "issuer": "province",
        "area": "51",
        "act": "launch",
        "level": 4,
        "document": "川减灾委〔2022〕1号",
        "reason": "会商研判",
        "decided_at": NOW,
    }
    return Decision(**{**fields, **changes})


async def levels(tx: Tx, actor: Actor, incident: UUID, now: datetime) -> dict[tuple[str, str], int | None]:
    return {(p.issuer, p.area): p.proposal.level for p in await respond.proposals(tx, actor, incident, now)}


async def test_luding_goes_from_four_to_three_the_same_night_and_stays_there(tx: Tx) -> None:
    """2022: launched on the afternoon before the figures were known, raised at night; the plan of that day counts the dead only."""
    await load(tx)
    actor = await province(tx)
    quake = NewIncident(hazard="020100", county=LUDING, occurred_at=beijing("2022-09-05T12:52"), drill=True)
    incident = await zoning.open_incident(tx, actor, quake, NOW)
    nation = {"issuer": "national", "area": "51", "document": "国减办〔2022〕演练号"}
    await respond.decide(tx, actor, incident, decision(**nation, decided_at=beijing("2022-09-05T15:00")), beijing("2022-09-05T15:10"))
    night = beijing("2022-09-05T22:30")
    up = decision(**nation, act="raise", level=3, reason="伤亡仍在增加", decided_at=night)
    await respond.decide(tx, actor, incident, up, night)
    series = [
        ("2022-09-06T21:00", 1, {"deaths": 72, "missing": 12}),
        ("2022-09-07T14:00", 2, {"deaths": 74, "missing": 35}),
        ("2022-09-12T14:00", 3, {"deaths": 93, "missing": 25}),
    ]
    for text, n, figures in series:
        await told(tx, incident, LUDING, beijing(text), n - 1, **figures)
        (national,) = [p for p in await respond.proposals(tx, actor, incident, beijing(text)) if p.issuer == "national"]
        assert (national.proposal.level, national.current, national.act) == (3, 3, None)
        assert national.proposal.triggers[0].indicator == "deaths"
    kept = await responses.history(tx, incident)
    assert [(r.act, r.level, r.area_name) for r in kept] == [("launch", 4, "四川省"), ("raise", 3, "四川省")]


async def test_the_engine_asks_for_the_raise_when_the_figures_rise(tx: Tx) -> None:
    """The same night by the rules of 2024, where the missing count: 20 and more, then 50 and more."""
    await load(tx, "national-2024")
    actor, evening = await province(tx), beijing("2024-09-05T18:00")
    incident = await make.incident(tx)
    await told(tx, incident, LUDING, evening, deaths=21, missing=4)
    (first,) = await respond.proposals(tx, actor, incident, evening)
    assert (first.act, first.proposal.level, first.decides) == ("launch", 4, "国家防灾减灾救灾委员会办公室（应急管理部）")
    nation = {"issuer": "national", "area": "51", "decided_at": evening}
    await respond.decide(tx, actor, incident, decision(**nation), evening)
    night = evening + timedelta(hours=4)
    await told(tx, incident, LUDING, night, 1, deaths=40, missing=9)
    await told(tx, incident, SHIMIAN, night, deaths=0, missing=1)
    (then,) = await respond.proposals(tx, actor, incident, night)
    assert (then.act, then.current, then.proposal.level) == ("raise", 4, 3)
    assert (then.proposal.triggers[0].indicator, then.proposal.triggers[0].value) == ("dead_missing", 50)
    await respond.decide(tx, actor, incident, decision(**nation, act="raise", level=3), night)
    last = (await responses.history(tx, incident))[-1]
    assert (last.indicator, last.proposed, last.figures["dead_missing"], last.verified) == ("dead_missing", 3, "50", False)


async def test_junlian_is_national_four_with_provincial_three(tx: Tx) -> None:
    await load(tx)
    actor, noon = await province(tx), beijing("2025-02-08T14:00")
    slide = NewIncident(hazard="020400", county=JUNLIAN, occurred_at=beijing("2025-02-08T11:50"), drill=True)
    incident = await zoning.open_incident(tx, actor, slide, noon)
    await told(tx, incident, JUNLIAN, noon, deaths=0, missing=29)
    assert await levels(tx, actor, incident, noon) == {("national", "51"): 4, ("province", "51"): 3}
    for issuer, level in (("national", 4), ("province", 3)):
        await respond.decide(tx, actor, incident, decision(issuer=issuer, level=level, decided_at=noon), noon)
    later = beijing("2025-02-17T12:00")
    await told(tx, incident, JUNLIAN, later, 1, deaths=10, missing=19)
    assert [(p.current, p.act) for p in await respond.proposals(tx, actor, incident, later)] == [(4, None), (3, None)]


async def test_each_government_is_judged_by_the_counties_below_it(tx: Tx) -> None:
    await load(tx, "sichuan-2024", "county-example")
    actor, day = await province(tx), beijing("2025-01-01T12:00")
    incident = await make.incident(tx)
    await told(tx, incident, LUDING, day, deaths=6)
    await told(tx, incident, SHIMIAN, day, deaths=14)
    assert await levels(tx, actor, incident, day) == {("province", "51"): 3, ("county", LUDING): 2}


async def test_a_county_sees_only_its_own_proposal(tx: Tx) -> None:
    await load(tx)
    incident, day = await make.incident(tx), beijing("2025-01-01T12:00")
    await told(tx, incident, LUDING, day, deaths=120)
    assert await levels(tx, await make.staff(tx, ("county_officer", LUDING)), incident, day) == {("county", LUDING): 1}


async def test_a_decision_keeps_document_officer_figures_and_what_was_proposed(tx: Tx) -> None:
    await load(tx, "sichuan-2024")
    actor, incident, day = await province(tx), await make.incident(tx), beijing("2025-01-01T12:00")
    await told(tx, incident, LUDING, day, deaths=3, relocated=10)
    await respond.decide(tx, actor, incident, decision(level=2, reason="民族地区，降低启动条件", decided_at=day), day)
    (kept,) = await responses.history(tx, incident)
    assert (kept.document, kept.person, kept.level, kept.proposed, kept.indicator) == ("川减灾委〔2022〕1号", actor.name, 2, None, None)
    assert kept.figures == {"deaths": "3", "dead_missing": "3", "relocated_or_need": "10"}
    assert kept.decided_by == "省防灾减灾救灾委员会主任"


async def test_launch_raise_lower_end_and_launch_again_are_five_records(tx: Tx) -> None:
    actor, incident = await province(tx), await make.incident(tx)
    for act, level in (("launch", 3), ("raise", 2), ("lower", 4), ("end", None), ("launch", 4)):
        await respond.decide(tx, actor, incident, decision(act=act, level=level), NOW)
    kept = await responses.history(tx, incident)
    assert [(r.seq, r.act, r.level) for r in kept] == [
        (1, "launch", 3),
        (2, "raise", 2),
        (3, "lower", 4),
        (4, "end", None),
        (5, "launch", 4),
    ]
    assert await tx.fetchval("SELECT count(*) FROM audit WHERE act = 'response.decide'") == 5


async def test_what_has_moved_on_is_a_conflict(tx: Tx) -> None:
    actor, incident = await province(tx), await make.incident(tx)
    with pytest.raises(Conflict):
        await respond.decide(tx, actor, incident, decision(act="raise", level=3), NOW)
    await respond.decide(tx, actor, incident, decision(), NOW)
    with pytest.raises(Conflict):
        await respond.decide(tx, actor, incident, decision(), NOW)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"document": " "}, "document"),
        ({"reason": ""}, "reason"),
        ({"decided_at": NOW + timedelta(minutes=1)}, "decided_at"),
        ({"decided_at": NOW.replace(tzinfo=None)}, "decided_at"),
        ({"area": "5133"}, "area"),
        ({"level": None}, "response_level"),
        ({"issuer": "city", "area": "5101"}, "area_outside"),
    ],
)
async def test_a_decision_without_what_it_needs_is_refused(tx: Tx, changes: dict[str, Any], code: str) -> None:
    actor = await make.staff(tx, ("province_officer", "51"), ("city_officer", "51"))
    with pytest.raises(Invalid) as caught:
        await respond.decide(tx, actor, await make.incident(tx), decision(**changes), NOW)
    assert caught.value.code == code


async def test_nobody_decides_for_another_government(tx: Tx) -> None:
    incident = await make.incident(tx)
    city = await make.staff(tx, ("city_officer", "5133"))
    with pytest.raises(Refused):
        await respond.decide(tx, city, incident, decision(), NOW)
    with pytest.raises(Refused):
        await respond.decide(tx, await province(tx), incident, decision(issuer="county", area=LUDING), NOW)
    await respond.decide(tx, city, incident, decision(issuer="city", area="5133"), NOW)


async def test_a_decision_can_be_neither_edited_nor_deleted(tx: Tx) -> None:
    await respond.decide(tx, await province(tx), await make.incident(tx), decision(), NOW)
    async with tx.transaction():
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.transaction():
                await tx.execute("UPDATE response SET level = 1")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tx.execute("DELETE FROM response")


async def test_a_plan_is_imported_once_and_another_text_needs_another_version(tx: Tx) -> None:
    actor, text = await province(tx), (PLANS / "sichuan-2024.toml").read_text("utf-8")
    one = await respond.import_plan(tx, actor, text, NOW)
    assert await respond.import_plan(tx, actor, text, NOW) == one
    with pytest.raises(Conflict) as caught:
        await respond.import_plan(tx, actor, text + "\n# x\n", NOW)
    assert caught.value.code == "plan_version"
    with pytest.raises(Refused):
        await respond.import_plan(tx, await make.staff(tx, ("county_officer", LUDING)), text, NOW)


async def test_the_plan_of_the_day_is_the_one_that_counts(tx: Tx) -> None:
    await load(tx, "national-2016", "national-2024")
    actor, incident = await province(tx), await make.incident(tx)
    await told(tx, incident, LUDING, NOW, deaths=19, missing=30)
    assert await levels(tx, actor, incident, NOW) == {("national", "51"): None}
    assert await levels(tx, actor, incident, beijing("2024-01-20T00:00")) == {("national", "51"): 4}
