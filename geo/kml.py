"""KML 2.2 and 2.3: placemarks only. Nothing that a file points to is fetched; links that would bring shapes are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import shapely

from geo import archive, strictxml
from geo.model import MAX_FEATURES, MAX_GEOMETRY, MAX_TEXT, Feature, Layer, Options, Warn, ZoneFileError
from geo.rings import Builder, too_many, too_many_features
from geo.strictxml import Node

_SPACES: Final = ("http://www.opengis.net/kml/2.2", "http://www.opengis.net/kml/2.3", "http://earth.google.com/kml/2.")
_LINKS: Final = ("NetworkLink", "NetworkLinkControl")
_SHAPES: Final = ("Polygon", "LinearRing", "LineString", "Point", "MultiGeometry")
_NUMBER: Final = r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?"
_TUPLE: Final = re.compile(rf"({_NUMBER}),({_NUMBER})(?:,({_NUMBER}))?")


def read_kmz(content: bytes, options: Options) -> Layer:
    """A KMZ: exactly one KML, counted while unpacking; everything else in it is left alone."""
    found = [name for name in archive.names(content) if name.lower().endswith(".kml")]
    if len(found) != 1:
        raise ZoneFileError("kmz_kml", f"KMZ 中须有且只有一个 KML，现有{len(found)}个 · a KMZ must hold exactly one KML, not {len(found)}")
    return read(archive.unpack(content, found, MAX_TEXT)[found[0]], options, "KMZ")


def read(content: bytes, options: Options, name: str = "KML") -> Layer:
    """All placemarks of a KML file."""
    return of(strictxml.parse(content), options, name)


def of(root: Node, options: Options, name: str = "KML") -> Layer:
    """All placemarks below a parsed root."""
    if root.name != "kml" or (root.space and not root.space.startswith(_SPACES)):
        raise ZoneFileError("not_kml", "文件不是 KML · the file is not KML")
    if any(n.name in _LINKS for n in root.walk()):
        raise ZoneFileError(
            "network_link",
            "KML 引用网络链接，系统不会下载；请导出图形本身 · the KML links to other files, which are never fetched; export the shapes",
        )
    build = Builder(repair=options.repair)
    features = [f for p in root.walk() if p.name == "Placemark" for f in _placemark(p, build)]
    if not features:
        raise ZoneFileError("empty", "KML 里没有任何图形 · the KML holds no shapes")
    if len(features) > MAX_FEATURES:
        raise too_many_features()
    document = root.first("Document")
    title = document.word("name") if document else ""
    return Layer(name, title[:200], "OGC:CRS84", features, [*build.warnings(), *_references(root)], build.mended)


def _placemark(placemark: Node, build: Builder) -> Iterator[Feature]:
    said = _properties(placemark)
    for node in placemark.children:
        if node.name in _SHAPES:
            for shape in _shapes(node, build):
                yield Feature(said, shape)
        elif node.name in ("Track", "MultiTrack", "Model"):
            raise ZoneFileError(
                "not_polygon", f"灾区须为面，KML 中有 {node.name} · a zone is made of polygons; the KML holds a {node.name}"
            )


def _properties(placemark: Node) -> dict[str, Any]:
    said: dict[str, Any] = {"name": placemark.word("name")}
    extended = placemark.first("ExtendedData")
    for node in extended.walk() if extended else ():
        key = node.attributes.get("name", "")
        if node.name == "Data":
            said[key] = node.word("value")
        elif node.name == "SimpleData":
            said[key] = node.text.strip()
    return {k: v for k, v in said.items() if v != ""}


def _shapes(node: Node, build: Builder) -> Iterator[Any]:
    match node.name:
        case "MultiGeometry":
            for child in node.children:
                yield from _shapes(child, build)
        case "Polygon":
            yield _polygon(node, build)
        case "LineString" | "LinearRing":
            yield build.line(_positions(node, build))
        case "Point":
            positions = _positions(node, build)
            if len(positions) != 1:
                raise _bad()
            yield build.point(positions[0])


def _polygon(node: Node, build: Builder) -> Any:
    outer, inner = node.all("outerBoundaryIs"), node.all("innerBoundaryIs")
    if len(outer) != 1:
        raise ZoneFileError("ring", "多边形须有一个外环 · a polygon needs exactly one outer ring")
    before = build.vertices
    rings = [build.ring(_positions(r, build)) for boundary in [*outer, *inner] for r in boundary.all("LinearRing")]
    if not rings:
        raise ZoneFileError("empty", "有多边形没有坐标 · a polygon has no coordinates")
    if build.vertices - before > MAX_GEOMETRY:
        raise too_many()
    return shapely.Polygon(rings[0], rings[1:])


def _positions(node: Node, build: Builder) -> list[tuple[float, ...]]:
    words = node.word("coordinates").split()
    if len(words) > MAX_GEOMETRY:
        raise too_many()
    found = [_TUPLE.fullmatch(w) for w in words]
    if any(f is None for f in found):
        raise _bad()
    return [tuple(float(n) for n in f.groups() if n is not None) for f in found if f is not None]


def _bad() -> ZoneFileError:
    return ZoneFileError("position", "KML 坐标须为“经度,纬度[,高程]” · KML positions must be longitude,latitude[,height]")


def _references(root: Node) -> list[Warn]:
    """Icons, overlays and schema hints point elsewhere; they bring no shapes and are not followed."""
    outside = any(
        n.name in ("href", "GroundOverlay", "ScreenOverlay", "PhotoOverlay") or any(k.endswith("schemaLocation") for k in n.attributes)
        for n in root.walk()
    )
    text = "文件中的图标、影像或外部链接未采用，也未访问 · icons, images and links in the file were neither used nor fetched"
    return [Warn("external_reference", text)] if outside else []
