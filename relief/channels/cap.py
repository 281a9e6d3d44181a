"""CAP 1.2 messages and the Atom feeds that carry them, decoded to what the house needs to know of an alert."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from relief.channels import xml
from relief.domain.alert import Kind, Message, Nature, Reference, guess_hazard
from relief.domain.errors import Invalid

W = TypeVar("W")

CAP: Final = "{urn:oasis:names:tc:emergency:cap:1.2}"
ATOM: Final = "{http://www.w3.org/2005/Atom}"
CAP_TYPE: Final = "application/cap+xml"

_NATURES: Final[dict[str, Nature]] = {"Actual": "actual", "Exercise": "exercise", "System": "system", "Test": "test", "Draft": "draft"}
_KINDS: Final[dict[str, Kind]] = {"Alert": "alert", "Update": "update", "Cancel": "cancel", "Ack": "ack", "Error": "error"}
_CODE_NAMES: Final = ("gb/t2260", "gbt2260", "gb2260", "gb/t2260-2007", "adcode", "行政区划代码", "区划代码")
_LONGEST: Final = 200
_MOST_REFERENCES: Final = 50


class Entry(msgspec.Struct, frozen=True):
    """An entry of a feed: its name, and the message itself or the address where it is."""

    link: str
    href: str | None
    body: bytes | None


def entries(content: bytes) -> list[Entry]:
    """The entries of an Atom feed in its own order; a bare CAP message is a feed of one. Invalid where it is neither."""
    root = xml.read(content)
    if root.tag == f"{CAP}alert":
        return [Entry(_text(root, f"{CAP}identifier"), None, content)]
    if root.tag != f"{ATOM}feed":
        raise Invalid("not_a_feed", "既不是 Atom 也不是 CAP · neither an Atom feed nor a CAP message")
    return [_entry(e) for e in root.iter(f"{ATOM}entry")]


def _entry(entry: ET.Element) -> Entry:
    inline = next(entry.iter(f"{CAP}alert"), None)
    href = next((h for h in _links(entry)), None)
    name = f"{_text(entry, f'{ATOM}id') or href or ''}|{_text(entry, f'{ATOM}updated')}"
    return Entry(name[:500], href, None if inline is None else ET.tostring(inline, "utf-8"))


def _links(entry: ET.Element) -> Iterator[str]:
    """Addresses of the message: those that say they are CAP first."""
    found = [(link.get("type") or "", link.get("rel") or "alternate", link.get("href") or "") for link in entry.iter(f"{ATOM}link")]
    yield from (href for kind, _, href in found if kind == CAP_TYPE and href)
    yield from (href for kind, rel, href in found if kind != CAP_TYPE and rel == "alternate" and href)


def message(body: bytes, link: str) -> Message:
    """One CAP 1.2 message; raises Invalid `cap` naming what is missing or wrong."""
    root = xml.read(body)
    if root.tag != f"{CAP}alert":
        raise Invalid("cap", "不是 CAP 1.2 消息 · not a CAP 1.2 message")
    _needed(root, "scope")
    info = _info(root)
    sent = _moment(_needed(root, "sent"))
    event = "" if info is None else _text(info, f"{CAP}event")
    lon, lat = (None, None) if info is None else _point(info)
    return Message(
        source="cap", sender=_needed(root, "sender"), identifier=_needed(root, "identifier"), sent=sent,
        nature=_word(_NATURES, _needed(root, "status")), kind=_word(_KINDS, _needed(root, "msgType")),
        event=event, headline="" if info is None else _text(info, f"{CAP}headline"),
        occurred_at=sent if info is None else _happened(info, sent), body=body, link=link,
        severity=_text(info, f"{CAP}severity"), urgency=_text(info, f"{CAP}urgency"), certainty=_text(info, f"{CAP}certainty"),
        hazard=guess_hazard(event, _values(info, "eventCode")), codes=_areas(info), lon=lon, lat=lat,
        expires_at=_maybe_moment(_text(info, f"{CAP}expires")), references=_references(_text(root, f"{CAP}references", 20_000)),
    )  # fmt: skip


def _info(root: ET.Element) -> ET.Element | None:
    """The Chinese text where there is one, else the first."""
    infos = root.findall(f"{CAP}info")
    chinese = (i for i in infos if _text(i, f"{CAP}language").lower().startswith("zh"))
    return next(chinese, infos[0] if infos else None)


def _text(parent: ET.Element | None, tag: str, longest: int = _LONGEST) -> str:
    found = None if parent is None else parent.find(tag)
    text = "" if found is None else (found.text or "").strip()
    return "".join(c for c in text if c.isprintable() or c == " ")[:longest]


def _needed(root: ET.Element, name: str) -> str:
    if not (text := _text(root, CAP + name)):
        raise Invalid("cap", f"预警缺少 {name} · the alert lacks {name}")
    return text


def _word(words: dict[str, W], text: str) -> W:
    if text not in words:
        raise Invalid("cap", "预警的 status 或 msgType 不合规 · the alert's status or msgType is none of CAP's")
    return words[text]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid("cap", "预警时间须带时区 · a time of the alert lacks its zone, or is none")
    return moment


def _maybe_moment(text: str) -> datetime | None:
    return _moment(text) if text else None


def _happened(info: ET.Element, sent: datetime) -> datetime:
    """Onset, or from when it holds, or when it was sent; never later than that (a warning is sent before its onset)."""
    moment = _maybe_moment(_text(info, f"{CAP}onset") or _text(info, f"{CAP}effective")) or sent
    return min(moment, sent)


def _values(info: ET.Element | None, tag: str) -> tuple[str, ...]:
    return () if info is None else tuple(_text(e, f"{CAP}value") for e in info.findall(CAP + tag))


def _areas(info: ET.Element | None) -> tuple[str, ...]:
    """County codes it names, in its order, each once."""
    codes: dict[str, None] = {}
    for code in [] if info is None else info.iter(f"{CAP}geocode"):
        value = _text(code, f"{CAP}value")
        if _text(code, f"{CAP}valueName").lower().replace(" ", "") in _CODE_NAMES and value.isascii() and value.isdigit():
            codes[value[:6]] = None
    return tuple(c for c in codes if len(c) == 6)[:100]


def _point(info: ET.Element) -> tuple[float | None, float | None]:
    """A point inside its first circle or polygon (the mean of the corners): to say which county it is about, not to draw it."""
    for shape in [*info.iter(f"{CAP}circle"), *info.iter(f"{CAP}polygon")]:
        pairs = [p.split(",") for p in (shape.text or "").split() if "," in p]
        try:
            places = [(float(lon), float(lat)) for lat, lon in pairs]
        except ValueError:
            continue
        corners = places[:-1] if len(places) > 1 and places[0] == places[-1] else places
        if corners and all(abs(x) <= 180 and abs(y) <= 90 for x, y in corners):
            return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)
    return None, None


def _references(text: str) -> tuple[Reference, ...]:
    """`sender,identifier,sent` separated by spaces; what is malformed refers to nothing."""
    found = []
    for word in text.split()[:_MOST_REFERENCES]:
        sender, _, rest = word.partition(",")
        identifier, _, sent = rest.rpartition(",")
        try:
            if sender and identifier:
                found.append(Reference(sender, identifier, _moment(sent)))
        except Invalid:
            continue
    return tuple(dict.fromkeys(found))
