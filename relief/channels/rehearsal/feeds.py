"""Hazard feeds for rehearsals: recorded CAP messages as an Atom feed, and recorded ComCat events, on loopback.

/cap/atom.xml      every *.cap file of the folder, newest first
/cap/messages/…    one of them
/comcat.geojson    comcat.geojson of the folder
"""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import msgspec
from litestar import Litestar, MediaType, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

__all__ = ["RECORDED", "Options", "make"]

RECORDED: Final = Path(__file__).parent / "recorded"
_CAP: Final = "{urn:oasis:names:tc:emergency:cap:1.2}"
_DTD: Final = b'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "a">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>'
_PADDING: Final = 8 * 1024 * 1024
_BOMB_MB: Final = 200


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the rehearsal feeds serve, and what they do badly."""

    folder: str = str(RECORDED)
    redirect_to: str = ""  # every request is sent to this address
    slow_s: float = 0.0  # before every answer
    oversize: bool = False  # more than anybody reads
    bomb: bool = False  # a small answer that unpacks to a large one
    dtd: bool = False  # the feed comes with a document type and an entity
    busy: bool = False  # 503
    elsewhere: str = ""  # entries lead to this host
    repeat: bool = False  # every message is listed once more under another entry


class _Shelf:
    """The folder, read afresh for every answer, so that files may be added during a rehearsal."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = Path(options.folder)

    def message(self, name: str) -> bytes:
        """One recorded message; only what lies in the folder itself."""
        if name not in {p.name for p in self.folder.glob("*.cap")}:
            raise NotFoundException(name)
        return (self.folder / name).read_bytes()

    def atom(self) -> bytes:
        """The feed. What cannot be read as CAP is listed too: a feed may hold anything."""
        entries = []
        for path in self.folder.glob("*.cap"):
            name, sent = _named(path)
            href = f"{self.options.elsewhere}/cap/messages/{quote(path.name)}"
            for entry in (name, f"{name}#again") if self.options.repeat else (name,):
                entries.append((sent, f"<entry><id>{escape(entry)}</id><updated>{escape(sent)}</updated>"
                                f"<link rel=\"alternate\" type=\"application/cap+xml\" href={quoteattr(href)}/></entry>"))  # fmt: skip
        listed = "".join(text for _, text in sorted(entries, reverse=True))
        feed = f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>演练预警</title>{listed}</feed>'
        return feed.encode()


def _named(path: Path) -> tuple[str, str]:
    try:
        root = ET.fromstring(path.read_bytes())
        return root.findtext(f"{_CAP}identifier") or path.name, root.findtext(f"{_CAP}sent") or ""
    except ET.ParseError:
        return path.name, ""


def _bomb() -> bytes:
    """200 MB of nothing, packed a piece at a time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    piece = bytes(1024 * 1024)
    return b"".join([*(packer.compress(piece) for _ in range(_BOMB_MB)), packer.flush()])


async def _answer(state: State, content: bytes, media: str) -> Response[bytes] | Redirect:
    options: Options = state.shelf.options
    await asyncio.sleep(options.slow_s)
    if options.redirect_to:
        return Redirect(options.redirect_to)
    if options.busy:
        return Response(b"", status_code=503)
    if options.bomb:
        return Response(await asyncio.to_thread(_bomb), media_type=media, headers={"Content-Encoding": "gzip"})
    return Response(content + b" " * (_PADDING if options.oversize else 0), media_type=media)


@get("/cap/atom.xml")
async def atom(state: State) -> Response[bytes] | Redirect:
    """The Atom feed."""
    return await _answer(state, _DTD if state.shelf.options.dtd else state.shelf.atom(), "application/atom+xml")


@get("/cap/messages/{name:str}")
async def one(state: State, name: FromPath[str]) -> Response[bytes] | Redirect:
    """One message."""
    return await _answer(state, state.shelf.message(name), "application/cap+xml")


@get("/comcat.geojson")
async def comcat(state: State) -> Response[bytes] | Redirect:
    """The events."""
    path = state.shelf.folder / "comcat.geojson"
    content = await asyncio.to_thread(path.read_bytes)
    return await _answer(state, content, MediaType.JSON)


def make(options: Options) -> Litestar:
    """The twin as an ASGI app."""
    return Litestar([atom, one, comcat], state=State({"shelf": _Shelf(options)}), openapi_config=None, logging_config=None)
