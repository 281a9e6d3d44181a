"""GDAL, fenced: only in the child, only with the drivers that are needed, only on bytes, and only for shapes and attributes.

`geo.sandbox` starts the child with every other driver taken out (OGR_SKIP, which counts only before GDAL is loaded); here we look
whether that worked and refuse when it did not, so a new release of GDAL with one more driver cannot open a door.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final, cast

import msgspec

# pyogrio would load pandas and geopandas for its data frames: two seconds and 100 MB that the child never uses.
_UNUSED: Final = [name for name in ("pandas", "geopandas", "pyarrow") if name not in sys.modules]
sys.modules.update(cast(dict[str, ModuleType], dict.fromkeys(_UNUSED)))
import numpy as np  # noqa: E402
import pyogrio  # noqa: E402
import pyogrio.errors  # noqa: E402
import pyogrio.raw  # noqa: E402
import shapely  # noqa: E402

from geo.crs import declared, unknown  # noqa: E402
from geo.model import MAX_FEATURES, MAX_GEOMETRY, MAX_VERTICES, Feature, Layer, Options, Warn, ZoneFileError  # noqa: E402
from geo.rings import not_finite, too_many, too_many_features  # noqa: E402

for _name in _UNUSED:
    del sys.modules[_name]

DRIVERS: Final = frozenset({"ESRI Shapefile", "GPKG"})
_ERRORS: Final = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.CRSError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.GeometryError,
    pyogrio.errors.FieldError,
    UnicodeDecodeError,
)
_WANTED: Final = ("Polygon", "MultiPolygon", "Point", "MultiPoint", "LineString", "MultiLineString")


class Opened(msgspec.Struct, frozen=True):
    """What GDAL found: shapes as WKB and one mapping of attributes each."""

    crs: str | None
    shapes: Any
    rows: Sequence[dict[str, Any]]


def _fenced() -> None:
    if frozenset(pyogrio.list_drivers()) != DRIVERS:
        raise ZoneFileError("gdal_open", "读取程序未按要求隔离，已停止 · the reader is not fenced in as required; stopped")


def layers(content: bytes) -> list[str]:
    """Names of the layers that have shapes."""
    _fenced()
    try:
        return [str(name) for name, kind in pyogrio.list_layers(content) if kind is not None]
    except _ERRORS:
        raise _unreadable() from None


def read(content: bytes, layer_name: str | None, codec: str) -> Opened:
    """Shapes and attributes of one layer. Text is taken as bytes and decoded here: a character cut in half is no reason to fail."""
    _fenced()
    try:
        meta, _, shapes, columns = pyogrio.raw.read(
            content, layer=layer_name, encoding="ISO-8859-1", force_2d=True, max_features=MAX_FEATURES + 1, datetime_as_string=True
        )
    except _ERRORS:
        raise _unreadable() from None
    if len(shapes) > MAX_FEATURES:
        raise too_many_features()
    names = [_text(str(n), codec) for n in meta["fields"]]
    values = [[_plain(v, codec) for v in column] for column in columns]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)] if names else [{} for _ in shapes]
    return Opened(meta["crs"], shapes, rows)


def layer(format: str, crs: str | None, opened: Opened, warnings: list[Warn], options: Options, title: str = "") -> Layer:
    """A layer from what GDAL found; every number in it is looked at again."""
    if crs is None:
        raise unknown()
    if not len(opened.shapes):
        raise ZoneFileError("empty", "文件里没有任何图形 · the file holds no shapes")
    if any(s is None for s in opened.shapes):
        raise ZoneFileError("empty", "有一个要素没有图形 · a feature has no geometry")
    shapes = _geometries(opened.shapes, repair=options.repair)
    features = [Feature(row, shape) for row, shape in zip(opened.rows, shapes, strict=True)]
    return Layer(format, title, declared(crs), features, warnings)


def _geometries(wkb: Any, *, repair: bool) -> Any:
    try:
        shapes = shapely.from_wkb(wkb, on_invalid="fix" if repair else "raise")
    except shapely.GEOSException as error:
        if "closed linestring" in str(error):
            raise ZoneFileError("ring_open", "多边形的环没有闭合（首尾点不同） · a ring is not closed") from None
        if "IllegalArgument" in str(error):
            raise ZoneFileError("ring_short", "多边形的环少于4个点 · a ring has fewer than 4 points") from None
        raise ZoneFileError(
            "not_polygon", "图形类型不支持（须为面） · a kind of shape that is not supported; polygons are needed"
        ) from None
    counts = shapely.get_num_coordinates(shapes)
    if counts.max() > MAX_GEOMETRY or counts.sum() > MAX_VERTICES:
        raise too_many()
    if any(s.geom_type not in _WANTED for s in shapes):
        raise ZoneFileError("not_polygon", "灾区须为面（多边形） · a zone is made of polygons")
    if (counts == 0).any():
        raise ZoneFileError("empty", "有图形没有坐标 · a shape has no coordinates")
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise not_finite()
    return shapes


def write_geopackage(
    name: str, labels: Sequence[str], levels: Sequence[int], areas: Sequence[float], wkb: Sequence[bytes], path: str
) -> None:
    """A GeoPackage of bands with the fields label, level, area_km2, in EPSG:4490."""
    _fenced()
    pyogrio.raw.write(
        path, np.array(wkb, dtype=object), [np.array(labels, dtype=object), np.array(levels, dtype=np.int32), np.array(areas)],
        ["label", "level", "area_km2"], layer=name, driver="GPKG", geometry_type="MultiPolygon", promote_to_multi=True, crs="EPSG:4490",
    )  # fmt: skip


def _text(value: str, codec: str) -> str:
    return value.encode("latin-1", "replace").decode(codec, "replace")


def _plain(value: Any, codec: str) -> Any:
    """Text, whole number, number, or None; nothing else of what a file may carry is of use."""
    if isinstance(value, str):
        return _text(value, codec)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, int | float) else None


def _unreadable() -> ZoneFileError:
    return ZoneFileError("file_unreadable", "文件无法读取 · the file cannot be read")
