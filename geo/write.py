"""Bands as files for others: GeoJSON (RFC 7946) and KML 2.2. GeoPackages are written by GDAL, in the child (`geo.sandbox.geopackage`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

import shapely

from geo.wire import Shape as Shape

#: Nine decimals are a tenth of a millimetre: what was imported comes out the same.
_DECIMALS: Final = 9
_COLOURS: Final = ("7f0000b3", "7f005ae3", "7f3c8ffc", "7f8ad4fd", "7fb2f0fe")


def geojson(title: str, shapes: Sequence[Shape], **more: Any) -> bytes:
    """A FeatureCollection, most severe first; `level` and `label` come back as bands when it is imported again."""
    features = [
        {
            "type": "Feature",
            "properties": {"level": s.level, "label": s.label, "area_km2": round(s.area_km2, 4)},
            "geometry": json.loads(shapely.to_geojson(_oriented(s))),
        }
        for s in shapes
    ]
    return json.dumps({"type": "FeatureCollection", "name": title, **more, "features": features}, ensure_ascii=False).encode()


def _oriented(shape: Shape) -> Any:
    """Shells against the clock, holes with it."""
    return shapely.orient_polygons(shapely.from_wkb(shape.wkb), exterior_cw=False)


def kml(title: str, shapes: Sequence[Shape]) -> bytes:
    """One placemark a band, with level and label as data."""
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>',
        f"<name>{escape(title)}</name>",
    ]
    for rank, shape in enumerate(shapes):
        colour = _COLOURS[min(rank, len(_COLOURS) - 1)]
        out.append(
            f"<Placemark><name>{escape(shape.label)}</name><Style><PolyStyle><color>{colour}</color></PolyStyle></Style><ExtendedData>"
            f'<Data name="level"><value>{shape.level}</value></Data><Data name="label"><value>{escape(shape.label)}</value></Data>'
            f'<Data name="area_km2"><value>{shape.area_km2:.4f}</value></Data></ExtendedData><MultiGeometry>'
        )
        out += [_polygon(p) for p in shapely.get_parts(_oriented(shape))]
        out.append("</MultiGeometry></Placemark>")
    out.append("</Document></kml>")
    return "".join(out).encode()


def _polygon(polygon: Any) -> str:
    inner = "".join(f"<innerBoundaryIs>{_ring(r)}</innerBoundaryIs>" for r in polygon.interiors)
    return f"<Polygon><outerBoundaryIs>{_ring(polygon.exterior)}</outerBoundaryIs>{inner}</Polygon>"


def _ring(ring: Any) -> str:
    pairs = " ".join(f"{round(lon, _DECIMALS)!r},{round(lat, _DECIMALS)!r}" for lon, lat in shapely.get_coordinates(ring).tolist())
    return f"<LinearRing><coordinates>{pairs}</coordinates></LinearRing>"
