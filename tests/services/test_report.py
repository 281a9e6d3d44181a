"""Reports are versions that stand for ever; the next one knows the one before; silence is noticed once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.incident import NewIncident
from relief.domain.policy import Actor
from relief.services import incidents, report, zoning
from relief.services.report import NewReport
from relief.store import db
from relief.store.db import Tx
from tests import make
from tests.domain.test_statistics import CHANGNING
from tests.make import LUDING, NOW, SHIMIAN

CHANGNING_COUNTY = "511524"
HOUR = timedelta(hours=1)


async def county(tx: Tx, *codes: str) -> Actor:
    return await make.staff(tx, *[("county_officer", c) for c in codes or (LUDING,)])


def new(after: int = 0, **changes: Any) -> NewReport:
    fields = {"county": LUDING, "after": after, "as_of": NOW, "source": "县应急局", "indicators": {"deaths": "3", "missing": "1"}}
    return NewReport(**{**fields, **changes})


async def versions(tx: Tx, incident: UUID) -> int:
    return int(await tx.fetchval("SELECT count(*) FROM incident_report WHERE incident = $1", incident))


async def test_first_follow_up_and_final_are_versions_of_their_kind(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await county(tx)
    (first,) = await report.report(tx, actor, incident, [new()], NOW)
    (second,) = await report.report(tx, actor, incident, [new(1, indicators={"deaths": "4", "missing": "0"})], NOW + HOUR)
    await incidents.declare_stable(tx, actor, incident, NOW + HOUR, NOW + HOUR)
    (last,) = await report.report(tx, actor, incident, [new(2, final=True)], NOW + 2 * HOUR)
    assert [(r.version, r.kind) for r in (first, second, last)] == [(1, "first"), (2, "follow-up"), (3, "final")]


async def test_changning_is_kept_as_three_versions_with_its_jumps_flagged(tx: Tx) -> None:
    moments = [datetime.fromisoformat(moment) for moment, _ in CHANGNING]
    actor = await county(tx, CHANGNING_COUNTY)
    quake = NewIncident(hazard="020100", county=CHANGNING_COUNTY, occurred_at=datetime.fromisoformat("2019-06-17T22:55+08:00"), drill=True)
    incident = await zoning.open_incident(tx, actor, quake, moments[0])
    for n, (moment, (_, figures)) in enumerate(zip(moments, CHANGNING, strict=True)):
        (said,) = await report.report(
            tx, actor, incident, [new(n, county=CHANGNING_COUNTY, as_of=moment, indicators=figures)], moment + HOUR
        )
    assert {c.indicator: c.factor for c in said.large}["rooms_collapsed"] == Decimal("31.4")
    kept = await report.history(tx, actor, incident, CHANGNING_COUNTY)
    assert [v.indicators["rooms_severe"] for v, _ in kept] == [{"value": x, "unit": "间"} for x in ("19", "182", "46886")]
    assert [v.as_of for v, _ in kept] == moments
    assert [len(changed) > 0 for _, changed in kept] == [False, True, True]


async def test_figures_may_go_down_and_the_version_before_is_not_touched(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await county(tx)
    await report.report(tx, actor, incident, [new(indicators={"deaths": "30", "relocated": "900"})], NOW)
    (said,) = await report.report(tx, actor, incident, [new(1, indicators={"deaths": "28", "relocated": "90"})], NOW)
    assert {c.indicator for c in said.large} == {"deaths", "relocated"}
    (before, _), _ = await report.history(tx, actor, incident, LUDING)
    assert before.indicators["deaths"]["value"] == "30"


@pytest.mark.parametrize("table", ["incident_report", "report_relay", "report_reminder"])
@pytest.mark.parametrize("act", ["UPDATE {} SET county = county", "DELETE FROM {}"])
async def test_history_cannot_be_overwritten_by_the_application(tx: Tx, table: str, act: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tx.execute(act.format(table))


async def test_a_zero_report_repeats_the_figures_and_says_so(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await county(tx)
    await report.report(tx, actor, incident, [new()], NOW)
    (said,) = await report.report(tx, actor, incident, [new(1, indicators=None)], NOW + HOUR)
    assert (said.zero, said.changes) == (True, [])
    (first, _), (zero, _) = await report.history(tx, actor, incident, LUDING)
    assert zero.indicators == first.indicators


async def test_the_first_report_cannot_be_a_zero_report(tx: Tx) -> None:
    with pytest.raises(Invalid) as caught:
        await report.report(tx, await county(tx), await make.incident(tx), [new(indicators=None)], NOW)
    assert caught.value.code == "first_is_zero"


async def test_whoever_saw_an_older_version_is_told_and_nothing_is_kept(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await county(tx)
    await report.report(tx, actor, incident, [new()], NOW)
    for after in (0, 2):
        with pytest.raises(Conflict) as caught:
            await report.report(tx, actor, incident, [new(after)], NOW)
        assert (caught.value.code, caught.value.data["version"]) == ("report_moved", 1)
    assert await versions(tx, incident) == 1


async def test_two_people_reporting_at_once_make_one_version_and_one_conflict(pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        incident, one, two = await make.incident(tx), await county(tx), await county(tx)
    async with db.begin(pool) as tx:
        await report.report(tx, one, incident, [new()], NOW)
    with pytest.raises(Conflict):
        async with db.begin(pool) as tx:
            await report.report(tx, two, incident, [new()], NOW)


async def test_final_needs_stability_and_after_it_only_finals_follow(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await county(tx)
    await report.report(tx, actor, incident, [new()], NOW)
    with pytest.raises(Conflict) as caught:
        await report.report(tx, actor, incident, [new(1, final=True)], NOW)
    assert caught.value.code == "not_stable"
    await incidents.declare_stable(tx, actor, incident, NOW, NOW)
    await report.report(tx, actor, incident, [new(1, final=True)], NOW)
    with pytest.raises(Conflict) as caught:
        await report.report(tx, actor, incident, [new(2)], NOW)
    assert caught.value.code == "report_final"
    (corrected,) = await report.report(tx, actor, incident, [new(2, final=True)], NOW)
    assert corrected.version == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"as_of": NOW + HOUR}, "as_of"),
        ({"as_of": NOW - HOUR}, "as_of"),
        ({"as_of": NOW.replace(tzinfo=None)}, "as_of"),
        ({"source": " "}, "report_text"),
        ({"note": "x" * 4001}, "report_text"),
        ({"indicators": {"deaths": "-3"}}, "indicators"),
    ],
)
async def test_a_wrong_report_is_refused(tx: Tx, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        await report.report(tx, await county(tx), await make.incident(tx), [new(**changes)], NOW)
    assert caught.value.code == code


async def test_only_counties_report_and_each_only_for_itself(tx: Tx) -> None:
    incident = await make.incident(tx)
    with pytest.raises(Refused):
        await report.report(tx, await county(tx), incident, [new(county=SHIMIAN)], NOW)
    with pytest.raises(Invalid) as caught:
        await report.report(tx, await make.staff(tx, ("county_officer", "51")), incident, [new(county="5133")], NOW)
    assert caught.value.code == "not_a_county"
    with pytest.raises(Invalid):
        await report.report(tx, await county(tx), incident, [new(), new()], NOW)


async def test_a_closed_incident_takes_no_report(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await county(tx)
    await incidents.close(tx, actor, [incident], "误报", NOW)
    with pytest.raises(Conflict):
        await report.report(tx, actor, incident, [new()], NOW)


async def test_the_number_of_statements_does_not_depend_on_how_many_counties_report(tx: Tx) -> None:
    codes = [r["code"] for r in await tx.fetch("SELECT code FROM region WHERE level = 'county' AND code LIKE '5133%' ORDER BY code")]
    actor, counts = await county(tx, "5133"), []
    for some in (codes[:1], codes):
        incident, seen = await make.incident(tx), []
        tx.add_query_logger(seen.append)
        await report.report(tx, actor, incident, [new(county=c) for c in some], NOW)
        tx.remove_query_logger(seen.append)
        counts.append(len(seen))
    assert len(codes) > 10
    assert counts[0] == counts[1]


async def test_the_county_is_chased_until_it_reports_and_the_city_until_it_passes_it_on(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await county(tx)
    assert [o.duty.what for o in await report.overdue(tx, NOW + HOUR) if o.incident == incident] == []
    late = await report.overdue(tx, NOW + 3 * HOUR)
    assert [(o.county_name, o.duty.level, o.duty.what) for o in late if o.incident == incident] == [("泸定县", "county", "first")]
    await report.report(tx, actor, incident, [new()], NOW + 3 * HOUR)
    late = await report.overdue(tx, NOW + 5 * HOUR + timedelta(minutes=1))
    assert [(o.duty.level, o.duty.version) for o in late if o.incident == incident] == [("city", 1)]
    city = await make.staff(tx, ("city_officer", "5133"))
    assert await report.relay(tx, city, incident, [(LUDING, 1)], "city", NOW + 5 * HOUR) == 1
    assert await report.relay(tx, city, incident, [(LUDING, 1)], "city", NOW + 5 * HOUR) == 0
    assert [o for o in await report.overdue(tx, NOW + 5 * HOUR + timedelta(minutes=1)) if o.incident == incident] == []


async def test_a_version_that_does_not_exist_is_not_passed_on_nor_by_another_level(tx: Tx) -> None:
    incident, city = await make.incident(tx), await make.staff(tx, ("city_officer", "5133"))
    with pytest.raises(Invalid):
        await report.relay(tx, city, incident, [(LUDING, 1)], "city", NOW)
    with pytest.raises(Refused):
        await report.relay(tx, city, incident, [(LUDING, 1)], "province", NOW)


async def test_a_missed_deadline_is_written_down_once_and_stays(tx: Tx) -> None:
    incident = await make.incident(tx)
    assert await report.chase(tx, NOW + HOUR) == 0
    assert await report.chase(tx, NOW + 3 * HOUR) == 1
    assert await report.chase(tx, NOW + 4 * HOUR) == 0
    await report.report(tx, await county(tx), incident, [new()], NOW + 4 * HOUR)
    row = await tx.fetchrow("SELECT county, level, duty, noticed_at FROM report_reminder WHERE incident = $1", incident)
    assert row is not None
    assert tuple(row) == (LUDING, "county", "first", NOW + 3 * HOUR)


async def test_nobody_sees_the_duties_of_another_county(tx: Tx) -> None:
    incident = await make.incident(tx)
    await tx.execute("SELECT set_config('relief.scope', $1, true)", SHIMIAN)
    assert await report.duties(tx, NOW, incident) == []
    await tx.execute("SELECT set_config('relief.scope', '5133%', true)")
    assert [o.county for o in await report.duties(tx, NOW, incident)] == [LUDING]
