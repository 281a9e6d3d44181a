"""The killable child: limits itself, does one piece of work from standard input, writes one JSON answer, ends.

    python -m geo.read < request

The request is one line of JSON (`Request`), then the bytes of a file or, for work on zones, MessagePack. Started by `geo.sandbox`.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import msgspec
import shapely

from geo import area, cage, overlay, zonefile
from geo.model import ZoneFileError
from geo.wire import Answer, Refusal, Request, Shape

CPU_SECONDS = 5
MEMORY_BYTES = 1 << 30
#: What it may hold in memory of its own; the libraries' code and the data they map come on top and are shared.
DATA_BYTES = 448 << 20
FILE_BYTES = 48 << 20


def work(asked: Request, content: bytes) -> Answer:
    """Do one piece of work; every refusal is an answer."""
    try:
        match asked.work:
            case "difference":
                return Answer(areas=_difference(*msgspec.msgpack.decode(content, type=tuple[list[bytes], list[bytes]])))
            case "geopackage":
                return Answer(content=_geopackage(asked.name, msgspec.msgpack.decode(content, type=list[Shape])))
        return Answer(zone=zonefile.read(content, asked.name, asked.options))
    except ZoneFileError as error:
        return Answer(refusal=Refusal(error.code, error.message, error.at, error.shape))
    except (MemoryError, shapely.GEOSException):
        return Answer(refusal=Refusal("file_too_heavy", "文件过于复杂，请简化后再导入 · the file is too complex; simplify it", None))


def _difference(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[float, float]:
    before, after = (shapely.union_all(shapely.from_wkb(bands)) for bands in (old, new))
    gained, lost = (_km2(shapely.difference(a, b)) for a, b in ((after, before), (before, after)))
    if abs((gained - lost) - (_km2(after) - _km2(before))) > 1e-6 * (_km2(after) + _km2(before)):  # a piece lost along nearly equal borders
        gained, lost = (_km2(shapely.difference(a, b, grid_size=overlay.GRID)) for a, b in ((after, before), (before, after)))
    return gained, lost


def _km2(shape: Any) -> float:
    return sum(area.km2(p) for p in shapely.get_parts(shape) if p.geom_type == "Polygon")


def _geopackage(name: str, shapes: Sequence[Shape]) -> bytes:
    """GDAL writes to a file of the child's own, which goes with its folder."""
    gdal = importlib.import_module("geo.gdal")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "zone.gpkg")
        gdal.write_geopackage(
            name, [s.label for s in shapes], [s.level for s in shapes], [s.area_km2 for s in shapes], [s.wkb for s in shapes], path
        )
        with open(path, "rb") as file:
            return file.read()


def main() -> None:
    """Nothing of the file is looked at before the limits hold."""
    cage.limit(CPU_SECONDS, MEMORY_BYTES, DATA_BYTES, FILE_BYTES)
    head, _, content = sys.stdin.buffer.read().partition(b"\n")
    asked = msgspec.json.decode(head, type=Request)
    if asked.work != "geopackage":
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # whoever reads a stranger's file writes none
    sys.stdout.buffer.write(msgspec.json.encode(work(asked, content)))


if __name__ == "__main__":
    main()
