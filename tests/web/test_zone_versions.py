"""Zone versions over the API and on the pages: what a version changes and costs is shown first, drafts are given up, people are estimates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from relief.services import zoning
from relief.store import db
from tests import make
from tests.geo import makers
from tests.geo.shapes import feature, file, polygon, square
from tests.make import LUDING, NOW
from tests.services.test_zoning import boxes, draft
from tests.web.conftest import Clock, Enter

pytestmark = pytest.mark.slow


async def versions(pool: db.Pool) -> tuple[UUID, UUID, UUID]:
    """An incident, its zone in force and a draft."""
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        drafter, second = await make.staff(tx, ("province_officer", "51")), await make.staff(tx, ("province_officer", "51"))
        force = await draft(tx, incident, boxes(0.1), drafter)
        await zoning.put_in_force(tx, second, force, NOW)
        return incident, force, await draft(tx, incident, boxes(0.2), drafter)


async def test_the_api_shows_the_change_and_its_cost_before_it_lets_a_version_replace_another(
    enter: Enter, pool: db.Pool, clock: Clock
) -> None:
    incident, old, new = await versions(pool)
    officer = await enter("province_officer", "51")
    changed = (await officer.get(f"/api/v1/zones/{old}/difference/{new}")).json()
    assert changed["difference"]["gained_km2"] > 0
    assert changed["came_in"] == changed["went_out"] == {}
    assert (await officer.get(f"/api/v1/zones/{old}/difference/{new}/cost")).json() == []
    blind = await officer.post(f"/api/v1/zones/{new}/force")
    assert (blind.status_code, blind.json()["code"], blind.json()["data"]["against"]) == (409, "zone_unseen", str(old))
    assert (await officer.post(f"/api/v1/zones/{new}/force", params={"against": str(old)})).status_code == 204
    assert [z["status"] for z in (await officer.get(f"/api/v1/incidents/{incident}/zones")).json()] == ["in force", "superseded"]


async def test_the_page_sends_the_version_it_compared_with(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    incident, old, new = await versions(pool)
    officer = await enter("province_officer", "51")
    page = (await officer.get(f"/incidents/{incident}/zones", headers={"Accept": "text/html"})).text
    assert f'name="against" value="{old}"' in page
    assert f"/zones/{new}/cost" in page
    form = {"csrf": officer.headers["X-Test-Csrf"]}
    assert (await officer.post(f"/incidents/{incident}/zones/{new}/force", data=form, headers={"Accept": "text/html"})).status_code == 409
    assert (await officer.post(f"/incidents/{incident}/zones/{new}/force", data=form | {"against": str(old)})).status_code == 303


async def test_a_draft_is_given_up_on_the_page_and_by_the_api(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    incident, _, new = await versions(pool)
    officer, stranger = await enter("county_officer", LUDING), await enter("county_officer", "511824")
    form = {"csrf": officer.headers["X-Test-Csrf"], "reason": "文件有误"}
    assert (await stranger.post(f"/api/v1/zones/{new}/discard", json={"reason": "x"})).status_code == 403
    assert (await officer.post(f"/incidents/{incident}/zones/{new}/discard", data=form)).status_code == 303
    page = (await officer.get(f"/incidents/{incident}/zones?version={new}", headers={"Accept": "text/html"})).text
    assert ("已作废" in page, "文件有误" in page, f"/zones/{new}/force" in page) == (True, True, False)
    again = await officer.post(f"/api/v1/zones/{new}/discard", json={"reason": "再次"})
    assert (again.status_code, again.json()["code"]) == (409, "zone_not_draft")


async def test_people_inside_are_unknown_until_given_and_then_an_estimate_with_its_source(
    enter: Enter, pool: db.Pool, clock: Clock
) -> None:
    incident, old, _ = await versions(pool)
    officer = await enter("county_officer", LUDING)
    at = f"/incidents/{incident}/zones/{old}"
    assert "未知：未填县人口" in (await officer.get(f"{at}/overlay", headers={"Accept": "text/html"})).text
    assert {c["people_inside_estimate"] for c in (await officer.get(f"/api/v1/zones/{old}/overlay")).json()} == {None}
    form = {
        "csrf": officer.headers["X-Test-Csrf"],
        "county": LUDING,
        "people": "80,000",
        "day": "2020-11-01",
        "source": "演练用数字（非真实）",
    }
    for wrong in ({"people": "八万"}, {"day": "昨天"}, {"source": ""}, {"county": "511824"}):
        assert (await officer.post(f"{at}/population", data=form | wrong)).status_code in (403, 422)
    assert (await officer.post(f"{at}/population", data=form)).status_code == 303
    page = (await officer.get(f"{at}/overlay", headers={"Accept": "text/html"})).text
    assert ("（估计）" in page, "演练用数字（非真实）" in page, "2020-11-01" in page) == (True, True, True)
    luding = next(c for c in (await officer.get(f"/api/v1/zones/{old}/overlay")).json() if c["county"]["county"] == LUDING)
    assert luding["people_inside_estimate"] == pytest.approx(80_000 * luding["county"]["share"], rel=0.005)
    items = {"items": [{"region": LUDING, "people": 81_000, "counted_on": "2021-12-31", "source": "演练"}]}
    assert (await officer.post("/api/v1/populations", json=items)).json() == {"kept": 1}


async def test_the_page_takes_what_a_person_says_about_a_file(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    """An attribute that makes the bands, the layer of a GeoPackage, a system the file does not name: the dry run follows each."""
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    officer = await enter("province_officer", "51")

    async def tried(content: bytes, name: str, **said: str) -> tuple[int, Any]:
        form = {"csrf": officer.headers["X-Test-Csrf"], **said}
        answer = await officer.post(f"/incidents/{incident}/zones/check", data=form, files={"file": (name, content)})
        return answer.status_code, answer.json()

    worded = file(feature(polygon(square(0.1)), 灾情="重"), feature(polygon(square(0.2)), 灾情="轻"))
    status, found = await tried(worded, "a.geojson", attribute="灾情")
    assert (status, [b["name"] for b in found["bands"]]) == (200, ["重", "轻"])
    two = makers.geopackage([makers.wkb(square(0.1))], tables=2)
    status, refused = await tried(two, "a.gpkg")
    assert (status, refused["code"]) == (422, "gpkg_layers")
    assert (await tried(two, "a.gpkg", layer="zones1"))[0] == 200
    bare = makers.shapefile([square(0.1)], without=["prj"])
    assert (await tried(bare, "a.zip"))[1]["code"] == "shapefile_missing"
    status, found = await tried(bare, "a.zip", crs="EPSG:4490")
    assert (status, len(found["bands"])) == (200, 1)
