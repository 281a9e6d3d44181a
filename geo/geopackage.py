"""GeoPackage: SQLite with one vector layer, or the one that was named."""

from __future__ import annotations

from geo import gdal
from geo.model import Layer, Options, ZoneFileError


def read(content: bytes, options: Options) -> Layer:
    """The layer, or why it cannot be told which."""
    found = gdal.layers(content)
    if not found:
        raise ZoneFileError("empty", "GeoPackage 里没有图层 · the GeoPackage holds no layer with shapes")
    if options.layer is None and len(found) > 1:
        shown = "、".join(found)[:200]
        raise ZoneFileError("gpkg_layers", f"有多个图层（{shown}），请指明一个 · several layers ({shown}); name one")
    name = options.layer or found[0]
    if name not in found:
        raise ZoneFileError("gpkg_layer", "没有这个图层 · there is no such layer")
    opened = gdal.read(content, name, "utf-8")
    return gdal.layer("GeoPackage", options.crs or opened.crs, opened, [], options, title=name)
