"""From an uploaded file to bands of severity. Hostile until proven harmless: call through `geo.sandbox`, never in a server."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import msgspec
import numpy as np
import shapely

from geo import archive, bands, buffers, cap, codes, crs, datum, faults, geojson, kml, overlay, sniff, strictxml
from geo.model import CHINA as CHINA
from geo.model import MAX_BYTES, Band, Box, Feature, Layer, Options, Repair, Warn, ZoneFile, ZoneFileError
from geo.model import SICHUAN as SICHUAN

Reader = Callable[[bytes, Options], Layer]


def _gdal(module: str) -> Reader:
    """A reader that needs GDAL: loaded when such a file comes (0.3 s), and never in the server, which has no business with GDAL."""

    def read(content: bytes, options: Options) -> Layer:
        return cast(Reader, importlib.import_module(module).read)(content, options)

    return read


_SHAPEFILE: Final = _gdal("geo.shapefile")


def _xml(content: bytes, options: Options) -> Layer:
    root = strictxml.parse(content)
    match root.name:
        case "kml":
            return kml.of(root, options)
        case "alert":
            return cap.of(root, options)
    raise sniff.mismatch()


def _zip(content: bytes, options: Options) -> Layer:
    if any(n.lower().endswith(".kml") for n in archive.names(content)):
        return kml.read_kmz(content, options)
    return _SHAPEFILE(content, options)


#: Kind of file → reader. A new format is one more line; everything behind it is shared.
READERS: Final[Mapping[str, Reader]] = {
    "json": geojson.read, "xml": _xml, "zip": _zip, "sqlite": _gdal("geo.geopackage"), "text": codes.read,
}  # fmt: skip


def read(content: bytes, name: str, options: Options = Options()) -> ZoneFile:  # noqa: B008 - frozen
    """Understand a zone file or raise ZoneFileError; `name` serves as title where the file has none."""
    if len(content) > MAX_BYTES:
        raise ZoneFileError("too_large", f"文件超过 {MAX_BYTES // 1_000_000} MB · the file is larger than {MAX_BYTES // 1_000_000} MB")
    layer = READERS[sniff.kind(content, name)](content, options)
    system, features = crs.to_degrees(layer)
    warnings = [*layer.warnings, *layer.mended]
    found = ZoneFile(title=layer.title or name, format=layer.format, crs=system, bands=[], warnings=warnings, name=name[:200])
    found = msgspec.structs.replace(found, event=layer.event, alert=layer.alert)
    if layer.event is not None and options.buffer_km is None:
        _check_box([shapely.Point(layer.event.lon, layer.event.lat)], options.box)
        warnings.append(
            Warn("point_only", "只有一个点，没有范围；给出距离才能成为灾区 · a point without extent; a zone needs a distance (buffer_km)")
        )
        return found
    if not features:
        return found
    repairs: list[Repair] = []
    shapes = _prepared(features, options, warnings, repairs)
    made = [_with_counties(b) for b in bands.of(layer, shapes, options, warnings)]
    _beyond(made, warnings)
    return msgspec.structs.replace(found, bands=made, repairs=repairs)


def _prepared(features: Sequence[Feature], options: Options, warnings: list[Warn], repairs: list[Repair]) -> Sequence[Feature]:
    """Inside the box, in CGCS2000, areas only, valid."""
    _check_box([f.geometry for f in features], options.box)
    features = datum.unshifted(features, options.datum)
    if options.datum != "declared":
        warnings.append(
            Warn(f"{options.datum}_converted", f"已由 {options.datum} 还原，精度约5米 · converted from {options.datum}, about 5 m")
        )
    valid = []
    for feature in buffers.widened(features, options, warnings):
        found = faults.fault(feature.geometry)
        geometry = feature.geometry
        if found is not None:
            if not options.repair:
                raise found
            geometry, repair = faults.mend(geometry, found)
            repairs.append(repair)
        valid.append(Feature(feature.properties, geometry))
    _check_box([f.geometry for f in valid], options.box)
    if options.datum == "declared":
        warnings.extend(datum.suspected([f.geometry for f in valid]))
    return valid


def _check_box(shapes: Sequence[Any], box: Box) -> None:
    """Everything inside the box; latitude before longitude is recognised and named."""
    points = shapely.get_coordinates(np.array(shapes, dtype=object))
    outside = ~_within(points, box)
    if not outside.any():
        return
    lon, lat = (float(n) for n in points[outside.argmax()])
    if _within(points[:, ::-1], box).all():
        raise ZoneFileError("axes_swapped", "经纬度颠倒了，应为[经度, 纬度] · longitude and latitude are swapped", (lon, lat))
    raise ZoneFileError(
        "outside_box",
        f"图形超出范围（经度{box.west:g}至{box.east:g}、纬度{box.south:g}至{box.north:g}），坐标须为经纬度度数"
        f" · outside the area {box.west:g} to {box.east:g} E, {box.south:g} to {box.north:g} N; coordinates must be degrees",
        (lon, lat),
    )


def _within(points: Any, box: Box) -> Any:
    return np.all((points >= (box.west, box.south)) & (points <= (box.east, box.north)), axis=1)


def _with_counties(band: Band) -> Band:
    return msgspec.structs.replace(band, counties=overlay.band_shares(band.wkb))


def _beyond(made: Sequence[Band], warnings: list[Warn]) -> None:
    """A zone that reaches beyond the counties we know: nobody there can be registered."""
    whole = sum(b.area_km2 for b in made)
    beyond = whole - sum(s.area_km2 for b in made for s in b.counties)
    if beyond > 0.01 * whole:
        text = (
            f"有 {beyond:.0f} km²（{beyond / whole:.0%}）不在本系统的县内 · {beyond:.0f} km² lie outside the counties of this installation"
        )
        warnings.append(Warn("beyond_counties", text))
