"""OGC API – Features 1.0 Core, GeoJSON: the bands of zones in force, and the counties they touch with what is counted there.

Read-only. A GIS program signs in by HTTP Basic with a staff login (throttled like every sign-in), a browser by its session.
No household leaves by this door, as a point or otherwise: counts below five are withheld.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, get
from litestar.params import QueryParameter

from relief.domain.errors import Invalid, NotFound
from relief.store.views import coverage
from relief.store.views.coverage import Box
from relief.web import given, house, ogc_api, shapes
from relief.web.console import common
from relief.web.given import Req

CONFORMS: Final = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_JSON, _GEOJSON, _OPENAPI = "application/json", "application/geo+json", "application/vnd.oai.openapi+json;version=3.0"
_COUNTIES: Final = Path(__file__).parent / "assets" / "dist" / "counties_map.geojson"
#: Collection → title, description.
COLLECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "zone_bands": ("灾区范围分区 · Bands of disaster zones", "生效版本的各级分区 · bands of the versions in force"),
    "coverage": (
        "各县覆盖情况 · Coverage by county",
        "各县在灾区内的面积、登记户数和已到账户数；少于5户不显示 · area inside, households registered and paid; fewer than 5 are withheld",
    ),
}
MOST: Final = 1000
Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="Features of one page.")]
Offset = Annotated[int, QueryParameter(ge=0, le=1_000_000, description="Features left out before the page.")]


class Feature(msgspec.Struct, frozen=True):
    """One feature with its name, bounds, geometry and properties."""

    id: str
    geometry: dict[str, Any]
    properties: dict[str, Any]


def _answer(request: Req, content: Mapping[str, Any], media_type: str = _JSON) -> Response[bytes]:
    return Response(content=json.dumps(content, ensure_ascii=False).encode(), media_type=media_type)


def _known(request: Req, *names: str) -> None:
    """A parameter we do not know is refused, as the standard asks."""
    unknown = sorted(set(request.query_params) - {*names, "f"})
    if unknown:
        raise Invalid("unknown_param", "有不认识的参数 · there is an unknown parameter", field=unknown[0])
    if request.query_params.get("f", "json") not in ("json", "geojson"):
        raise Invalid("format", "只提供 GeoJSON · GeoJSON is all there is", field="f")


def _link(request: Req, path: str, rel: str, kind: str = _JSON, title: str = "") -> dict[str, str]:
    made = {"href": f"{house.of(request).settings.public_url.rstrip('/')}{path}", "rel": rel, "type": kind}
    return {**made, "title": title} if title else made


@get("/", action="incident.read")
async def landing(request: Req) -> Response[bytes]:
    """The landing page."""
    _known(request)
    links = [
        _link(request, "/ogc", "self"),
        _link(request, "/ogc/api", "service-desc", _OPENAPI),
        _link(request, "/api/docs", "service-doc", "text/html"),
        _link(request, "/ogc/conformance", "conformance"),
        _link(request, "/ogc/collections", "data"),
    ]
    return _answer(
        request, {"title": "relief 灾区范围", "description": "灾区范围与各县覆盖情况 · zones and coverage by county", "links": links}
    )


@get("/api", action="incident.read")
async def api(request: Req) -> Response[bytes]:
    """This door as OpenAPI 3.0."""
    _known(request)
    server = house.of(request).settings.public_url.rstrip("/") + "/ogc"
    return _answer(request, ogc_api.described(server, COLLECTIONS, MOST), _OPENAPI)


@get("/conformance", action="incident.read")
async def conformance(request: Req) -> Response[bytes]:
    """What is kept of the standard."""
    _known(request)
    return _answer(request, {"conformsTo": list(CONFORMS)})


@get("/collections", action="incident.read")
async def collections(request: Req, read: given.Read, actor: given.Me) -> Response[bytes]:
    """Both collections."""
    _known(request)
    extent = await coverage.extent(read, common.patterns(actor, "incident.read"))
    return _answer(
        request,
        {
            "links": [_link(request, "/ogc/collections", "self")],
            "collections": [_collection(request, name, extent) for name in COLLECTIONS],
        },
    )


@get("/collections/{name:str}", action="incident.read")
async def collection(request: Req, read: given.Read, actor: given.Me, name: given.FromPath[str]) -> Response[bytes]:
    """One of them."""
    _known(request)
    _exists(name)
    return _answer(request, _collection(request, name, await coverage.extent(read, common.patterns(actor, "incident.read"))))


def _exists(name: str) -> None:
    if name not in COLLECTIONS:
        raise NotFound("not_found", "没有这个图层 · there is no such collection")


def _collection(request: Req, name: str, extent: Box | None) -> dict[str, Any]:
    title, description = COLLECTIONS[name]
    at = f"/ogc/collections/{name}"
    box = [] if extent is None else [[extent.west, extent.south, extent.east, extent.north]]
    return {
        "id": name, "title": title, "description": description, "itemType": "feature", "crs": [CRS84],
        **({"extent": {"spatial": {"bbox": box, "crs": CRS84}}} if box else {}),
        "links": [_link(request, at, "self"), _link(request, at + "/items", "items", _GEOJSON, title)],
    }  # fmt: skip


@get("/collections/{name:str}/items", action="incident.read")
async def items(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, name: given.FromPath[str],
    limit: Limit = 100, offset: Offset = 0, bbox: given.FromQuery[str | None] = None, datetime: given.FromQuery[str | None] = None,
) -> Response[bytes]:  # fmt: skip
    """A page of features that touch the box."""
    _exists(name)
    _known(request, "limit", "offset", "bbox", "datetime")
    box = _box(bbox)
    _moment(datetime)
    found = [f for f in await _features(read, name, common.patterns(actor, "incident.read")) if box is None or _touches(f.geometry, box)]
    page = found[offset : offset + limit]
    at = f"/ogc/collections/{name}/items"
    kept = {"bbox": bbox, "datetime": datetime, "limit": limit}
    links = [_link(request, at + common.query(**kept, offset=offset or None), "self", _GEOJSON)]
    if offset + limit < len(found):
        links.append(_link(request, at + common.query(**kept, offset=offset + limit), "next", _GEOJSON))
    if offset:
        links.append(_link(request, at + common.query(**kept, offset=max(0, offset - limit) or None), "prev", _GEOJSON))
    return _answer(
        request,
        {
            "type": "FeatureCollection", "features": [_geojson(f) for f in page], "links": [*links, _link(request, f"/ogc/collections/{name}", "collection")],
            "timeStamp": now.isoformat().replace("+00:00", "Z"), "numberMatched": len(found), "numberReturned": len(page),
        },
        _GEOJSON,
    )  # fmt: skip


@get("/collections/{name:str}/items/{feature:str}", action="incident.read")
async def item(
    request: Req, read: given.Read, actor: given.Me, name: given.FromPath[str], feature: given.FromPath[str]
) -> Response[bytes]:  # fmt: skip
    """One feature."""
    _exists(name)
    _known(request)
    found = next((f for f in await _features(read, name, common.patterns(actor, "incident.read")) if f.id == feature), None)
    if found is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    at = f"/ogc/collections/{name}"
    links = [_link(request, f"{at}/items/{feature}", "self", _GEOJSON), _link(request, at, "collection")]
    return _answer(request, {**_geojson(found), "links": links}, _GEOJSON)


def _geojson(f: Feature) -> dict[str, Any]:
    return {"type": "Feature", "id": f.id, "geometry": f.geometry, "properties": f.properties}


async def _features(read: given.Read, name: str, areas: Sequence[str]) -> list[Feature]:
    if name == "zone_bands":
        return [
            Feature(
                f"{b.zone}.{b.rank}",
                shapes.geometry(b.geometry),
                {
                    "incident": str(b.incident), "incident_name": b.name, "drill": b.drill, "zone": str(b.zone), "version": b.version, "rank": b.rank,
                    "label": b.label, "level": b.level, "area_km2": round(b.area_km2, 2), "in_force_at": _iso(b.in_force_at),
                },
            )
            for b in await coverage.bands(read, areas)
        ]  # fmt: skip
    borders = _borders()
    return [
        Feature(
            f"{c.incident}.{c.county}",
            borders[c.county],
            {
                "incident": str(c.incident), "incident_name": c.incident_name, "drill": c.drill, "county": c.county, "name": c.name,
                "area_km2": round(c.area_km2, 2), "share": round(c.share, 4), "registered": c.registered, "paid": c.paid,
            },
        )
        for c in await coverage.counties(read, areas) if c.county in borders
    ]  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


@cache
def _borders() -> Mapping[str, dict[str, Any]]:
    found = msgspec.json.decode(_COUNTIES.read_bytes())
    return {f["properties"]["code"]: f["geometry"] for f in found["features"]}


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        numbers = [float(n) for n in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not (-180 <= numbers[0] <= numbers[2] <= 180 and -90 <= numbers[1] <= numbers[3] <= 90):
        raise Invalid("bbox", "bbox 写作 西,南,东,北（度） · bbox is west,south,east,north in degrees", field="bbox")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _moment(text: str | None) -> None:
    """Checked and otherwise without effect: what is shown is in force now, and has no time of its own."""
    for part in (text or "..").split("/"):
        if part not in ("", ".."):
            try:
                datetime.fromisoformat(part.replace("Z", "+00:00"))
            except ValueError:
                raise Invalid("datetime", "时间无法读懂 · the moment cannot be read", field="datetime") from None


def _touches(geometry: Mapping[str, Any], box: tuple[float, float, float, float]) -> bool:
    """By bounds, as most servers do: a GIS draws what it needs of it."""
    rings = [
        ring for part in ([geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]) for ring in part[:1]
    ]
    west, east = min(p[0] for r in rings for p in r), max(p[0] for r in rings for p in r)
    south, north = min(p[1] for r in rings for p in r), max(p[1] for r in rings for p in r)
    return bool(west <= box[2] and east >= box[0] and south <= box[3] and north >= box[1])


#: Every route of it takes HTTP Basic as well as the session: see access.
ROUTER: Final = Router(
    path="/ogc", route_handlers=[landing, api, conformance, collections, collection, items, item], opt={"basic": True}, tags=["ogc"]
)
