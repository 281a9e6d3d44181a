"""CAP 1.2 (OASIS): the areas of an alert, with what must be known before anybody acts on it.

A message is understood whatever its status; whether it may be acted on is not decided here. Signatures are noticed, not verified.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import shapely

from geo import codes
from geo.model import MAX_BUFFER_KM, MAX_FEATURES, Alert, Event, Feature, Layer, Options, Warn, ZoneFileError
from geo.rings import Builder, too_many_features
from geo.strictxml import Node

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
_SIGNATURE: Final = "http://www.w3.org/2000/09/xmldsig#"
_STATUS: Final = ("Actual", "Exercise", "System", "Test", "Draft")
_KINDS: Final = ("Alert", "Update", "Cancel", "Ack", "Error")
_LEVELS: Final = {"Extreme": 4, "Severe": 3, "Moderate": 2, "Minor": 1, "Unknown": 0}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_PAIR: Final = re.compile(r"([+-]?\d{1,3}(?:\.\d{1,15})?),([+-]?\d{1,3}(?:\.\d{1,15})?)", re.ASCII)
_RADIUS: Final = re.compile(r"[+-]?\d{1,10}(?:\.\d{1,10})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_LONGEST: Final = timedelta(days=366)
#: Names under which alerts give Chinese area codes.
_CODE_NAMES: Final = ("gb/t 2260", "gbt2260", "gb2260", "adcode", "区划代码", "行政区划代码")


def of(root: Node, options: Options) -> Layer:
    """The areas and the facts of a message."""
    if root.space != NAMESPACE:
        raise ZoneFileError("cap_version", "只支持 CAP 1.2 · only CAP 1.2 is supported")
    alert = _alert(root)
    warnings = _warnings(root, alert)
    build = Builder(repair=options.repair)
    features: list[Feature] = []
    event: Event | None = None
    for info in root.all("info"):
        level = _severity(info)
        for area in info.all("area"):
            found = list(_area(area, build, warnings))
            event = event or _point(area, alert)
            label = area.word("areaDesc")
            features += [Feature({"level": level, "label": label, **said}, shape) for said, shape in found]
    if len(features) > MAX_FEATURES:
        raise too_many_features()
    features = list({(f.properties["level"], f.properties.get("buffer_km"), shapely.to_wkb(f.geometry)): f for f in features}.values())
    title = (alert.headline or alert.event)[:200]
    if not features and event is None and alert.kind not in ("Cancel", "Ack", "Error"):
        raise ZoneFileError("empty", "预警没有给出范围 · the alert gives no area")
    return Layer(
        "CAP 1.2",
        title,
        "OGC:CRS84",
        features,
        codes.merged(warnings),
        build.mended,
        nested=True,
        event=None if features else event,
        alert=alert,
    )


def _alert(root: Node) -> Alert:
    missing = [n for n in ("identifier", "sender", "sent", "status", "msgType", "scope") if not root.word(n)]
    if missing:
        listed = "、".join(missing)
        raise ZoneFileError("cap_missing", f"预警缺少 {listed} · the alert lacks {', '.join(missing)}")
    if root.word("status") not in _STATUS or root.word("msgType") not in _KINDS:
        raise ZoneFileError("cap_value", "预警的 status 或 msgType 不合规 · the alert's status or msgType is none of CAP's")
    info = root.first("info")
    return Alert(
        identifier=root.word("identifier")[:200],
        sender=root.word("sender")[:200],
        sent=_time(root.word("sent")).isoformat(),
        status=root.word("status"),
        kind=root.word("msgType"),
        scope=root.word("scope")[:40],
        references=[r[:300] for r in root.word("references").split()[:100]],
        event=info.word("event")[:100] if info else "",
        headline=info.word("headline")[:200] if info else "",
        expires=_expires(root, info),
        signed=any(c.space == _SIGNATURE and c.name == "Signature" for c in root.children),
    )


def _time(text: str) -> datetime:
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ZoneFileError("cap_time", "预警时间须带时区，如 2022-09-05T12:55:00+08:00 · a time must state its zone")


def _expires(root: Node, info: Node | None) -> str | None:
    text = info.word("expires") if info else ""
    if not text:
        return None
    sent, expires = _time(root.word("sent")), _time(text)
    if not sent <= expires <= sent + _LONGEST:
        raise ZoneFileError("cap_expires", "预警失效时间早于发布，或晚于一年后 · it expires before it was sent, or more than a year later")
    return expires.isoformat()


def _warnings(root: Node, alert: Alert) -> list[Warn]:
    found = []
    if alert.status != "Actual":
        text = f"这是{_CHINESE[alert.status]}消息（status={alert.status}），不能当真 · status {alert.status}: not a real alert"
        found.append(Warn(f"alert_{alert.status.lower()}", text))
    if alert.signed:
        found.append(Warn("alert_signature", "消息带有签名，系统未作验证 · the message is signed; the signature was not verified"))
    else:
        found.append(Warn("alert_unsigned", "消息没有签名，来源未证实 · the message is unsigned; its origin is not proven"))
    if alert.kind in ("Cancel", "Update"):
        text = "撤销" if alert.kind == "Cancel" else "更新"
        found.append(Warn(f"alert_{alert.kind.lower()}", f"该消息{text}先前的预警（见 references） · it refers to earlier alerts"))
        if not alert.references:
            raise ZoneFileError("cap_references", f"{text}消息须指明先前的预警 · {alert.kind} names no earlier alert")
    if root.word("sent").endswith("Z"):
        found.append(Warn("alert_zulu", "时间以 Z 结尾，CAP 应写 -00:00 · times end in Z where CAP asks for -00:00"))
    return found


_CHINESE: Final = {"Exercise": "演练", "System": "系统", "Test": "测试", "Draft": "草稿"}


def _severity(info: Node) -> int:
    word = info.word("severity")
    if word not in _LEVELS:
        raise ZoneFileError("cap_missing", "预警缺少 severity · the alert lacks severity")
    return _LEVELS[word]


def _area(area: Node, build: Builder, warnings: list[Warn]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Polygons and circles together are the area; codes say the same in words and count only where nothing is drawn."""
    drawn = 0
    for node in area.all("polygon"):
        drawn += 1
        yield {}, build.polygon([_ring(node)])
    for node in area.all("circle"):
        drawn += 1
        lat_lon, km = _circle(node)
        if km > 0:
            yield {"buffer_km": km}, build.point(lat_lon)
    wanted = [g.word("value") for g in area.all("geocode") if g.word("valueName").lower() in _CODE_NAMES]
    if wanted and drawn:
        warnings.append(Warn("geocode_ignored", "预警既画了范围又列了区划代码，以画的为准 · drawn areas were taken, codes left aside"))
    elif wanted:
        for code in wanted:
            if not re.fullmatch(r"[0-9]{6}(?:[0-9]{3}){0,2}", code) or code.startswith(("0", "1000")):
                raise ZoneFileError("area_unknown", "预警的区划代码无法识别 · a code of the alert is unknown")
            yield {}, codes.area(code, warnings)
    elif not drawn and area.all("geocode"):
        raise ZoneFileError("area_unknown", "预警的区划代码不是中国区划代码 · the alert's codes are not Chinese ones")


def _ring(node: Node) -> list[list[float]]:
    return [_latlon(word) for word in node.text.split()]


def _latlon(word: str) -> list[float]:
    """CAP writes latitude first; what comes back is longitude first."""
    found = _PAIR.fullmatch(word)
    if found is None:
        raise ZoneFileError("position", "预警坐标须为“纬度,经度” · CAP positions are latitude,longitude")
    return [float(found[2]), float(found[1])]


def _circle(node: Node) -> tuple[list[float], float]:
    words = node.text.split()
    if len(words) != 2 or not _RADIUS.fullmatch(words[1]):
        raise ZoneFileError("cap_circle", "预警的圆有误 · a circle is malformed")
    km = float(words[1])
    if not 0 <= km <= MAX_BUFFER_KM:
        raise ZoneFileError("cap_circle", f"圆的半径须为0至{MAX_BUFFER_KM:g}公里 · a radius must be 0–{MAX_BUFFER_KM:g} km")
    return _latlon(words[0]), km


def _point(area: Node, alert: Alert) -> Event | None:
    """A circle without radius is a place, as earthquake alerts give it."""
    for node in area.all("circle"):
        (lon, lat), km = _circle(node)
        if km == 0:
            return Event(lon=lon, lat=lat, title=alert.headline or alert.event, occurred_at=alert.sent, source_id=alert.identifier)
    return None
