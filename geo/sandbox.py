"""Reads a stranger's file in a child that may be killed: processor, memory, files and time are limited, and there is no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from geo import cage
from geo.model import MAX_BYTES, Options, ZoneFile, ZoneFileError
from geo.wire import Answer, Request, Shape

#: The processor time is what counts (`geo.read.CPU_SECONDS`); this is for a machine that is busy with other things.
WALL_SECONDS: Final = 20.0
#: Every driver of GDAL but ESRI Shapefile and GPKG. Many can read other files or the network (VRT, WFS, HTTP …); `geo.gdal` refuses to
#: work when a driver is left that is not in its own short list, so a new one cannot slip in.
_SKIPPED: Final = (
    "MEM,PCIDSK,PDS4,VICAR,PDF,MBTiles,EEDA,OGCAPI,GDALG,MapInfo File,LVBAG,S57,DGN,OGR_VRT,VRT,CSV,GML,GPX,LIBKML,KML,GeoJSON,GeoJSONSeq,"
    "ESRIJSON,TopoJSON,OGR_GMT,SQLite,WAsP,OpenFileGDB,DXF,FlatGeobuf,GeoRSS,VFK,PGDUMP,OSM,GPSBabel,OGR_PDS,WFS,OAPIF,EDIGEO,Idrisi,ODS,"
    "XLSX,Elasticsearch,Carto,AmigoCloud,SXF,Selafin,JML,PLSCENES,CSW,VDV,MVT,NGW,MapML,GTFS,PMTiles,JSONFG,MiraMonVector,ADBC,AVCBin,"
    "AVCE00,AIVector,HTTP"
)
#: A clean environment: nothing of the server's (database address, keys) is inherited.
_ENVIRONMENT: Final = {
    **cage.ENVIRONMENT,
    "GDAL_NUM_THREADS": "1",
    "OGR_SKIP": _SKIPPED,
    "GDAL_SKIP": "VRT",
    "GDAL_DRIVER_PATH": "disable",
    "PROJ_NETWORK": "OFF",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
}


async def inspect(content: bytes, name: str, options: Options = Options(), wall_seconds: float = WALL_SECONDS) -> ZoneFile:  # noqa: B008 - frozen
    """Understand an uploaded zone file or raise ZoneFileError.

    A child that is too slow or too large is `file_too_heavy`, one that crashes is `file_unreadable`; the caller is unharmed.
    """
    if len(content) > MAX_BYTES:
        raise ZoneFileError("too_large", f"文件超过 {MAX_BYTES // 1_000_000} MB · the file is larger than {MAX_BYTES // 1_000_000} MB")
    name = name.encode(errors="replace").decode()  # a file name need not be text
    answer = await _ask(Request(name=name, options=options), content, wall_seconds)
    if answer.zone is None:
        raise _unreadable()
    return answer.zone


async def difference(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[float, float]:
    """km² that the new zone (its bands as WKB) has and the old has not, and the other way round."""
    answer = await _ask(Request(name="", work="difference"), msgspec.msgpack.encode((old, new)), WALL_SECONDS)
    if answer.areas is None:
        raise _unreadable()
    return answer.areas


async def geopackage(name: str, shapes: Sequence[Shape]) -> bytes:
    """A GeoPackage of bands."""
    answer = await _ask(Request(name=name, work="geopackage"), msgspec.msgpack.encode(shapes), WALL_SECONDS)
    if answer.content is None:
        raise _unreadable()
    return answer.content


async def _ask(request: Request, content: bytes, wall_seconds: float) -> Answer:
    try:
        head = msgspec.json.encode(request)
    except UnicodeEncodeError:
        raise ZoneFileError("encoding", "选项中有无法识别的文字 · an option is not text") from None
    try:
        status, output = await cage.run("geo.read", head + b"\n" + content, _ENVIRONMENT, wall_seconds)
    except cage.Busy:
        raise ZoneFileError("busy", "正在处理的文件太多，请稍后再试 · too many files are being read; try again in a minute") from None
    except cage.Heavy:
        raise _too_heavy() from None
    return _understood(status, output)


def _understood(status: int | None, output: bytes) -> Answer:
    if status in cage.HEAVY:
        raise _too_heavy()
    try:
        answer = msgspec.json.decode(output, type=Answer) if status == 0 else Answer()
    except msgspec.DecodeError:
        answer = Answer()
    if answer.refusal is not None:
        raise ZoneFileError(answer.refusal.code, answer.refusal.message, answer.refusal.at, answer.refusal.shape)
    if answer == Answer():
        raise _unreadable()
    return answer


def _unreadable() -> ZoneFileError:
    return ZoneFileError("file_unreadable", "文件无法读取 · the file cannot be read")


def _too_heavy() -> ZoneFileError:
    return ZoneFileError("file_too_heavy", "文件过于复杂，请简化后再导入 · the file is too complex; simplify it and try again")
