"""Small files of every format, right ones and ones that lie."""

from __future__ import annotations

import io
import sqlite3
import stat
import struct
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyproj
import shapely

from tests.geo.shapes import Ring, square

KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
DEGREES = pyproj.CRS.from_epsg(4490).to_wkt("WKT1_ESRI")


def archive(files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED, links: Sequence[str] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            if name in links:
                entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            made.writestr(entry, content)
    return out.getvalue()


def coordinates(ring: Ring) -> str:
    return " ".join(",".join(str(n) for n in p) for p in ring)


def kml_polygon(ring: Ring, inner: str = "", name: str = "范围", **said: Any) -> str:
    data = "".join(f'<Data name="{k}"><value>{v}</value></Data>' for k, v in said.items())
    return (
        f"<Placemark><name>{name}</name><ExtendedData>{data}</ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{coordinates(ring)}</coordinates></LinearRing></outerBoundaryIs>{inner}</Polygon></Placemark>"
    )


def kml(*placemarks: str, head: str = "") -> bytes:
    return (head + KML.format("".join(placemarks))).encode()


def cap_area(*parts: str) -> str:
    return f"<area><areaDesc>测试区</areaDesc>{''.join(parts)}</area>"


def cap_polygon(ring: Ring) -> str:
    """Latitude first."""
    return "<polygon>" + " ".join(f"{lat},{lon}" for lon, lat in ring) + "</polygon>"


def geocode(value: str, name: str = "GB/T 2260") -> str:
    return f"<geocode><valueName>{name}</valueName><value>{value}</value></geocode>"


def cap(*areas: str, head: str = "", severity: str = "Severe", info: str = "", **said: str) -> bytes:
    fields = {
        "identifier": "A1", "sender": "a@example.org", "sent": "2022-09-05T12:55:00+08:00", "status": "Actual", "msgType": "Alert",
        "scope": "Public", **said,
    }  # fmt: skip
    space = fields.pop("space", "urn:oasis:names:tc:emergency:cap:1.2")
    text = "".join(f"<{k}>{v}</{k}>" for k, v in fields.items() if v)
    return (
        f'{head}<alert xmlns="{space}">{text}<info><event>地震</event><severity>{severity}</severity>{info}{"".join(areas)}</info></alert>'
    ).encode()


def shp(rings: Sequence[Ring], kind: int = 5) -> tuple[bytes, bytes]:
    """.shp and .shx of one polygon a record."""
    records, index, at = b"", b"", 100
    for number, ring in enumerate(rings, 1):
        xs, ys = [p[0] for p in ring], [p[1] for p in ring]
        body = struct.pack("<i4d2i i", kind, min(xs), min(ys), max(xs), max(ys), 1, len(ring), 0)
        body += b"".join(struct.pack("<2d", *p[:2]) for p in ring)
        if kind == 15:
            body += struct.pack("<2d", 0, 9) + b"".join(struct.pack("<d", 9.0) for _ in ring)
        records += struct.pack(">2i", number, len(body) // 2) + body
        index += struct.pack(">2i", at // 2, len(body) // 2)
        at += 8 + len(body)
    points = [p for r in rings for p in r]
    box = [f(p[i] for p in points) for f in (min, max) for i in (0, 1)]

    def head(size: int) -> bytes:
        return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, size // 2) + struct.pack("<2i8d", 1000, kind, *box, 0, 0, 0, 0)

    return head(100 + len(records)) + records, head(100 + len(index)) + index


def dbf(name: bytes, values: Sequence[bytes], width: int = 20) -> bytes:
    """One text column."""
    field = struct.pack("<11sc4xBB14x", name, b"C", width, 0)
    head = struct.pack("<4BIHH20x", 3, 122, 1, 1, len(values), 32 + 32 + 1, 1 + width)
    return head + field + b"\r" + b"".join(b" " + v.ljust(width) for v in values) + b"\x1a"


def shapefile(
    rings: Sequence[Ring] | None = None,
    *,
    without: Sequence[str] = (),
    prj: str = DEGREES,
    kind: int = 5,
    stem: str = "zone",
    **members: bytes,
) -> bytes:
    """A zip; keyword arguments replace members."""
    rings = rings or [square(0.1)]
    shapes, index = shp(rings, kind)
    files = {"shp": shapes, "shx": index, "dbf": dbf("烈度".encode("gbk"), [b"8"] * len(rings)), "prj": prj.encode(), **members}
    return archive({f"{stem}.{e}": b for e, b in files.items() if e not in without})


def geopackage(shapes: Sequence[bytes], table: str = "zones", srs: int = 4326, tables: int = 1) -> bytes:
    """The least a GeoPackage needs; geometry bodies are given as WKB, right or wrong."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "z.gpkg"
        base = sqlite3.connect(path)
        base.executescript(_GPKG)
        for i in range(tables):
            name = table if i == 0 else f"{table}{i}"
            base.execute(f'CREATE TABLE "{name}" (fid INTEGER PRIMARY KEY, geom BLOB, level INTEGER)')
            base.execute(
                "INSERT INTO gpkg_contents VALUES (?, 'features', ?, '', '2022-09-05T00:00:00Z', 0, 0, 0, 0, ?)", (name, name, srs)
            )
            base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', ?, 0, 0)", (name, srs))
            for wkb in shapes:
                blob = b"GP\x00\x01" + struct.pack("<i", srs) + wkb
                base.execute(f'INSERT INTO "{name}" (geom, level) VALUES (?, 8)', (blob,))
        base.commit()
        base.close()
        return path.read_bytes()


_GPKG = """
PRAGMA application_id = 1196444487;
PRAGMA user_version = 10300;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,
298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]', '');
CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT, description TEXT, last_change DATETIME,
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL);
"""


def nested_wkb(depth: int) -> bytes:
    """A collection in a collection in a collection …"""
    return struct.pack("<BII", 1, 7, 1) * depth + struct.pack("<BII", 1, 7, 0)


def wkb(ring: Ring) -> bytes:
    return bytes(shapely.to_wkb(shapely.Polygon(ring)))


def lying(content: bytes, at: int) -> bytes:
    """The same with a count of two thousand million at that place."""
    return content[:at] + struct.pack("<i", 2_000_000_000) + content[at + 4 :]


def virtual(module: str) -> bytes:
    """A GeoPackage whose layer is a virtual table that reads something else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "z.gpkg"
        path.write_bytes(geopackage([wkb(square(0.1))]))
        base = sqlite3.connect(path)
        base.execute("PRAGMA writable_schema = 1")
        base.execute(
            "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES ('table', 'evil', 'evil', 0, ?)",
            (f"CREATE VIRTUAL TABLE evil USING {module}",),
        )
        base.execute("UPDATE gpkg_contents SET table_name = 'evil'")
        base.execute("UPDATE gpkg_geometry_columns SET table_name = 'evil'")
        base.commit()
        base.close()
        return path.read_bytes()
