"""OGC API – Features Core as a GIS program meets it: structure, paging, boxes, HTTP Basic, and nothing that points at a household."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from relief.domain.sealing import Keys
from relief.domain.zone import NewZone
from relief.services import register, sign_in, zoning
from relief.store import db
from tests import make
from tests.web.conftest import PASSWORD, Clock, Enter, new_client

pytestmark = pytest.mark.slow  # passwords are checked for real, and take their time

ZONE = make.ROOT / "geo" / "data" / "luding2022" / "zone_v1_rapid_2022-09-05.geojson"
BANDS = "/ogc/collections/zone_bands/items"
COVERAGE = "/ogc/collections/coverage/items"


@pytest.fixture
async def incident(pool: db.Pool, keys: Keys, clock: Clock) -> UUID:
    """A zone in force with five households in one county and four in another."""
    content = ZONE.read_bytes()
    found = await zoning.inspect(content, ZONE.name)
    async with db.begin(pool) as tx:
        drafter, second = await make.staff(tx, ("province_officer", "51")), await make.staff(tx, ("province_officer", "51"))
        made = await make.incident(tx)
        zone = await zoning.import_zone(tx, drafter, made, NewZone("快速评估", "首版"), content, found, clock.now)
        await zoning.put_in_force(tx, second, zone, clock.now)
        reporter = await make.staff(tx, ("reporter", "51"))
        near = [make.registration(n, incident=made) for n in range(5)]
        few = [make.registration(n, incident=made, village="511824002001", lon=102.35, lat=29.23) for n in range(5, 9)]
        await register.register(tx, reporter, near, clock.now, keys)
        receipts = await register.register(tx, reporter, few, clock.now, keys)
        assert {r.outcome for r in receipts} == {"new"}, receipts
    return made


async def test_the_landing_page_leads_to_everything(shared_enter: Enter) -> None:
    officer = await shared_enter("province_officer", "51")
    answer = await officer.get("/ogc")
    assert answer.status_code == 200
    rels = {link["rel"]: link["href"] for link in answer.json()["links"]}
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= rels.keys()
    for rel in ("self", "service-desc", "conformance", "data"):
        assert (await officer.get(rels[rel])).status_code == 200, rel
    described = (await officer.get(rels["service-desc"])).json()
    assert described["openapi"].startswith("3.0")
    assert described["components"]["parameters"]["limit"]["schema"]["maximum"] == 1000  # map programs size their pages by it
    said = (await officer.get("/ogc/conformance")).json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in said


async def test_collections_say_where_they_lie_and_where_their_features_are(enter: Enter, incident: UUID) -> None:
    officer = await enter("province_officer", "51")
    found = (await officer.get("/ogc/collections")).json()["collections"]
    assert [c["id"] for c in found] == ["zone_bands", "coverage"]
    for one in found:
        west, south, east, north = one["extent"]["spatial"]["bbox"][0]
        assert 100 < west < east < 104
        assert 28 < south < north < 32
        assert {link["rel"] for link in one["links"]} == {"self", "items"}
        assert (await officer.get(f"/ogc/collections/{one['id']}")).json() == one
    assert (await officer.get("/ogc/collections/households")).status_code == 404


async def test_pages_follow_each_other_and_each_feature_has_an_address(enter: Enter, incident: UUID) -> None:
    officer = await enter("province_officer", "51")
    seen, path = [], BANDS + "?limit=3"
    while path:
        answer = await officer.get(path)
        assert answer.headers["content-type"] == "application/geo+json"
        page = answer.json()
        assert (page["type"], page["numberMatched"], page["numberReturned"]) == ("FeatureCollection", 4, len(page["features"]))
        seen += page["features"]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert len({f["id"] for f in seen}) == 4
    assert {f["geometry"]["type"] for f in seen} <= {"Polygon", "MultiPolygon"}
    one = (await officer.get(f"{BANDS}/{seen[0]['id']}")).json()
    assert (one["id"], one["geometry"]) == (seen[0]["id"], seen[0]["geometry"])
    assert {link["rel"] for link in one["links"]} == {"self", "collection"}
    assert (await officer.get(f"{BANDS}/nothing")).status_code == 404


async def test_a_box_leaves_out_what_lies_elsewhere(enter: Enter, incident: UUID) -> None:
    officer = await enter("province_officer", "51")
    assert (await officer.get(BANDS, params={"bbox": "102.0,29.5,102.2,29.7"})).json()["numberMatched"] == 4
    assert (await officer.get(BANDS, params={"bbox": "105,31,106,32"})).json()["features"] == []


@pytest.mark.parametrize(
    "params",
    [{"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"bbox": "103,29,102,30"}, {"datetime": "yesterday"}, {"colour": "red"}, {"f": "html"}],
)
async def test_a_parameter_that_makes_no_sense_is_refused(shared_enter: Enter, params: dict[str, str]) -> None:
    officer = await shared_enter("province_officer", "51")
    assert (await officer.get(BANDS, params=params)).status_code == 400


async def test_limits_have_limits(shared_enter: Enter) -> None:
    officer = await shared_enter("province_officer", "51")
    for limit in ("0", "1001", "x"):
        assert (await officer.get(BANDS, params={"limit": limit})).status_code in (400, 422)


async def test_counts_below_five_are_withheld_and_nobody_is_a_point(enter: Enter, incident: UUID) -> None:
    officer = await enter("province_officer", "51")
    found = (await officer.get(COVERAGE)).json()["features"]
    by_county = {f["properties"]["county"]: f for f in found}
    assert by_county[make.LUDING]["properties"]["registered"] == 5
    assert by_county[make.SHIMIAN]["properties"]["registered"] is None
    assert {f["geometry"]["type"] for f in found} <= {"Polygon", "MultiPolygon"}


async def test_a_county_sees_its_own_counts_only(enter: Enter, incident: UUID) -> None:
    officer = await enter("county_officer", make.SHIMIAN)
    assert {f["properties"]["county"] for f in (await officer.get(COVERAGE)).json()["features"]} == {make.SHIMIAN}


async def test_a_gis_program_signs_in_by_basic_here_and_nowhere_else(app: Litestar, enter: Enter, incident: UUID) -> None:
    await enter("province_officer", "51", login="gis")
    async with new_client(app) as gis:
        gis.auth = httpx.BasicAuth("gis", PASSWORD)
        assert (await gis.get(BANDS)).json()["numberMatched"] == 4
        assert (await gis.get("/api/v1/incidents")).status_code == 401
        assert "set-cookie" not in (await gis.get(BANDS)).headers


async def test_a_stranger_is_asked_for_a_password_and_guessing_is_stopped(
    app: Litestar, enter: Enter, client: httpx.AsyncClient, clock: Clock
) -> None:
    asked = await client.get("/ogc")
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic")
    await enter("province_officer", "51", login="gis2")
    for _ in range(sign_in.FAILURES):
        assert (await client.get("/ogc", auth=("gis2", "not this one"))).status_code == 401
    assert (await client.get("/ogc", auth=("gis2", PASSWORD))).status_code == 429
    clock.now += sign_in.WINDOW + timedelta(seconds=1)
    assert (await client.get("/ogc", auth=("gis2", PASSWORD))).status_code == 200


async def test_a_broken_authorization_header_opens_nothing(shared_client: httpx.AsyncClient) -> None:
    for given in ("Basic", "Basic %%%", "Basic //8=", "Bearer abc", "Basic " + "A" * 2000):
        assert (await shared_client.get("/ogc", headers={"Authorization": given})).status_code == 401, given
