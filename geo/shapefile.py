"""Shapefiles in a zip: the set is checked byte by byte, rebuilt under names of our own, and only then shown to GDAL."""

from __future__ import annotations

import codecs
import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from geo import archive, gdal
from geo.model import MAX_FEATURES, MAX_VERTICES, Layer, Options, Warn, ZoneFileError
from geo.rings import too_many, too_many_features

MAX_UNPACKED: Final = 60_000_000
_MEMBERS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_NEEDED: Final = (".shp", ".shx", ".dbf", ".prj")
_POINTS, _LINES, _POLYGONS, _MULTIPOINTS = (1, 11, 21), (3, 13, 23), (5, 15, 25), (8, 18, 28)
#: What .cpg files say → Python's codec.
_PAGES: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "65001": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030", "936": "gb18030",
    "cp936": "gb18030", "oem 936": "gb18030", "iso-8859-1": "latin-1", "88591": "latin-1", "1252": "cp1252",
}  # fmt: skip


def read(content: bytes, options: Options) -> Layer:
    """One layer; what is missing is named."""
    members = _members(content, options)
    shapes = _check_shp(members[".shp"])
    _check_shx(members[".shx"], shapes)
    _check_dbf(members[".dbf"], shapes)
    codec, warnings = _codec(members)
    if any(members[".shp"][32:36] == struct.pack("<i", kind) for kind in (11, 13, 15, 18)):
        warnings.append(Warn("z_dropped", "高程已忽略，只用经纬度 · heights were dropped"))
    opened = gdal.read(_rebuilt(members), None, codec)
    crs = options.crs or members[".prj"].decode("utf-8-sig", "replace").strip()
    return gdal.layer("Shapefile", crs, opened, warnings, options)


def _members(content: bytes, options: Options) -> Mapping[str, bytes]:
    """Extension → bytes of the one layer in the archive."""
    found: dict[str, list[str]] = {}
    for name in archive.names(content):
        path = PurePosixPath(name)
        if path.suffix.lower() in _MEMBERS and "__MACOSX" not in path.parts:
            found.setdefault(path.suffix.lower(), []).append(name)
    if not found:
        raise ZoneFileError("zip_content", "压缩包里没有 KML 或 Shapefile · the archive holds neither KML nor a shapefile")
    if any(len(same) > 1 for same in found.values()):
        raise ZoneFileError("zip_layers", "压缩包里有多个图层，请一次只导入一个 · the archive holds several layers; import one at a time")
    missing = [e for e in _NEEDED if e not in found and not (e == ".prj" and options.crs)]
    if missing:
        listed = "、".join(missing)
        raise ZoneFileError("shapefile_missing", f"Shapefile 不完整，缺少 {listed} · the shapefile lacks {', '.join(missing)}")
    unpacked = archive.unpack(content, [same[0] for same in found.values()], MAX_UNPACKED)
    return {extension: unpacked[same[0]] for extension, same in found.items()}


def _rebuilt(members: Mapping[str, bytes]) -> bytes:
    """A plain archive with names of our own and honest sizes; words and coordinate system are ours to read, so .cpg and .prj stay out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        for extension, bytes_ in members.items():
            if extension not in (".cpg", ".prj"):
                made.writestr("zone" + extension, bytes_)
    return out.getvalue()


def _check_shp(shp: bytes) -> int:
    """How many shapes there are; every length in the file is compared with what is there."""
    if len(shp) < 100 or struct.unpack_from(">i", shp)[0] != 9994 or struct.unpack_from(">i", shp, 24)[0] * 2 != len(shp):
        raise _damaged(".shp")
    kind = struct.unpack_from("<i", shp, 32)[0]
    if kind not in (*_POINTS, *_LINES, *_POLYGONS, *_MULTIPOINTS):
        raise ZoneFileError("shape_type", f"不支持的图形类型（{kind}），须为面 · unsupported shape type ({kind}); polygons are needed")
    at, shapes, points = 100, 0, 0
    while at < len(shp):
        if at + 12 > len(shp):
            raise _damaged(".shp")
        length = struct.unpack_from(">i", shp, at + 4)[0] * 2
        if length < 4 or at + 8 + length > len(shp):
            raise _damaged(".shp")
        points += _points(shp, at + 8, length, kind)
        at += 8 + length
        shapes += 1
        if shapes > MAX_FEATURES:
            raise too_many_features()
        if points > MAX_VERTICES:
            raise too_many()
    return shapes


def _points(shp: bytes, at: int, length: int, kind: int) -> int:
    """Points of one record; its own counts must fit its length."""
    if struct.unpack_from("<i", shp, at)[0] == 0:
        return 0
    if struct.unpack_from("<i", shp, at)[0] != kind:
        raise _damaged(".shp")
    if kind in _POINTS:
        return 1
    if kind in _MULTIPOINTS:
        parts, points, head = 0, struct.unpack_from("<i", shp, at + 36)[0] if length >= 40 else -1, 40
    else:
        parts, points = struct.unpack_from("<2i", shp, at + 36) if length >= 44 else (-1, -1)
        head = 44
    if parts < 0 or points < 0 or head + 4 * parts + 16 * points > length:
        raise _damaged(".shp")
    return int(points)


def _check_shx(shx: bytes, shapes: int) -> None:
    if len(shx) != 100 + 8 * shapes:
        raise _damaged(".shx")


def _check_dbf(dbf: bytes, shapes: int) -> None:
    if len(dbf) < 33:
        raise _damaged(".dbf")
    records, head, length = struct.unpack_from("<IHH", dbf, 4)
    if head < 33 or length < 1 or records != shapes or head + records * length > len(dbf) + 1:
        raise _damaged(".dbf")


def _damaged(member: str) -> ZoneFileError:
    return ZoneFileError(
        "shapefile_damaged", f"{member} 损坏：所写长度与实际不符 · {member} is damaged: the lengths it states are not what it holds"
    )


def _codec(members: Mapping[str, bytes]) -> tuple[str, list[Warn]]:
    """What .cpg says; without it UTF-8 if every byte fits, else GB 18030, as Chinese programs write it."""
    said = members.get(".cpg", b"").decode("ascii", "replace").strip().lower()
    if said in _PAGES:
        return _PAGES[said], []
    for codec in ("utf-8", "gb18030"):
        try:
            codecs.decode(_words(members[".dbf"]), codec)
        except UnicodeDecodeError:
            continue
        return codec, [_told(codec)]
    return "latin-1", [_told("latin-1")]


def _words(dbf: bytes) -> bytes:
    """Field names and records, without the binary header and the end mark."""
    head = struct.unpack_from("<H", dbf, 8)[0]
    fields = b" ".join(dbf[at : at + 11].split(b"\0")[0] for at in range(32, head - 1, 32))
    return fields + b" " + dbf[head:].rstrip(b"\x1a\0")


def _told(codec: str) -> Warn:
    return Warn("dbf_encoding", f"没有 .cpg，属性按 {codec.upper()} 解读，请核对文字 · no .cpg: attributes were read as {codec.upper()}")
