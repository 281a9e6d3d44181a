"""JSON as strangers send it: depth is capped before parsing, and nothing ambiguous gets through."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import numpy as np

from geo.model import MAX_TEXT, ZoneFileError

#: Deep enough for GeoJSON with nested properties, far below what hurts a recursive parser.
MAX_DEPTH: Final = 32
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STEPS: Final = np.zeros(256, np.int8)
_STEPS[[ord("["), ord("{")]] = 1
_STEPS[[ord("]"), ord("}")]] = -1


def loads(content: bytes) -> Any:
    """Parse UTF-8 JSON; refuse other encodings, great depth, duplicate keys, NaN and Infinity."""
    if not content.strip():
        raise ZoneFileError("empty", "文件是空的 · the file is empty")
    if len(content) > MAX_TEXT:
        raise ZoneFileError("too_large", f"文件内容超过 {MAX_TEXT // 1_000_000} MB · more than {MAX_TEXT // 1_000_000} MB of text")
    if depth(content) > MAX_DEPTH:
        raise ZoneFileError("too_deep", "文件嵌套层数过多 · the file is nested too deeply")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ZoneFileError("encoding", "文件须为 UTF-8 编码，请另存为 UTF-8 · the file must be UTF-8") from None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ZoneFileError("not_geojson", "文件不是 GeoJSON（JSON 无法解析） · the file is not GeoJSON: its JSON cannot be read") from None


def depth(content: bytes) -> int:
    """The deepest nesting of brackets outside strings; no recursion, linear in the size."""
    steps = _STEPS[np.frombuffer(_STRING.sub(b"", content), np.uint8)]
    return int(steps.cumsum(dtype=np.int32).max(initial=0))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise ZoneFileError("duplicate_key", "文件中同一对象有重复的键 · an object in the file repeats a key")
    return whole


def _no_constant(name: str) -> Any:
    raise ZoneFileError("not_finite", f"文件含有 {name}，坐标须为有限数 · the file contains {name}; numbers must be finite")
