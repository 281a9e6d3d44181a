"""Decode a TOML file into a Struct, or say where it is wrong: by path, and by line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec
import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from relief.domain.errors import Invalid

T = TypeVar("T")

_PLACE: Final = re.compile(r"(?P<what>.*?) - at `\$\.?(?P<path>[^`]*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"unknown field `(?P<key>[^`]+)`")
_LINE: Final = re.compile(r"\(at line (?P<line>[0-9]+), column")
_BROKEN: Final = "不是有效的 TOML · not valid TOML"
_LANGUAGE: Final = Language(tree_sitter_toml.language())


def decode(text: str, kind: type[T], code: str) -> T:
    """The decoded file; raises Invalid `code` with one line `path: sentence` (no value of the file is repeated)."""
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except tomllib.TOMLDecodeError as error:
        raise _invalid(code, "file", f"{_BROKEN}: {error}") from None
    except msgspec.ValidationError as error:
        match = _PLACE.fullmatch(str(error))
        path, what = (match["path"], match["what"]) if match else ("", str(error))
        if not path:
            path = unknown["key"] if (unknown := _UNKNOWN.search(what)) else "file"
        raise _invalid(code, path, f"格式不符 · {what}") from None


def _invalid(code: str, path: str, sentence: str) -> Invalid:
    fault = f"{path}: {sentence}"
    return Invalid(code, fault, faults=[fault])


def lines(text: str, faults: Sequence[str]) -> list[int]:
    """The line (from 1) of every fault `path: sentence`: that of its path, else of the nearest thing around it that stands in the file."""
    if any(_BROKEN in fault for fault in faults):
        return [int(m["line"]) if (m := _LINE.search(fault)) else text.count("\n") + 1 for fault in faults]
    found: dict[str, int] = {}
    for path, line in _paths(text):
        found.setdefault(path, line)
    return [_nearest(found, fault) for fault in faults]


def _nearest(found: dict[str, int], fault: str) -> int:
    path = fault.split(": ", 1)[0]
    if (unknown := _UNKNOWN.search(fault)) is not None:
        path = f"{path}.{unknown['key']}"
    while path not in found and path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return found.get(path, 1)


def _paths(text: str) -> Iterator[tuple[str, int]]:
    """Every path of a valid file with its line, in order: tables, keys, and the elements of arrays."""
    seen: dict[str, int] = {}
    for node in Parser(_LANGUAGE).parse(text.encode()).root_node.named_children:
        if node.type in ("table", "table_array_element"):
            parts = _key(node.named_children[0])
            here = _table(parts, seen, again=node.type == "table_array_element")
            yield here, node.start_point.row + 1
            for child in node.named_children[1:]:
                yield from _pair(child, here + ".")
        else:
            yield from _pair(node, "")


def _table(parts: Sequence[str], seen: dict[str, int], *, again: bool) -> str:
    """The path of a table header: every part that is an array of tables stands for its latest element."""
    here = ""
    for n, part in enumerate(parts, 1):
        here = f"{here}.{part}" if here else part
        if again and n == len(parts):
            seen[here] = seen.get(here, -1) + 1
        if here in seen:
            here = f"{here}[{seen[here]}]"
    return here


def _pair(node: Node, prefix: str) -> Iterator[tuple[str, int]]:
    if node.type != "pair":
        return
    key, value = (c for c in node.named_children if c.type != "comment")
    parts = _key(key)
    for n in range(1, len(parts) + 1):
        yield prefix + ".".join(parts[:n]), node.start_point.row + 1
    yield from _value(value, prefix + ".".join(parts))


def _value(node: Node, path: str) -> Iterator[tuple[str, int]]:
    if node.type == "inline_table":
        for pair in node.named_children:
            yield from _pair(pair, path + ".")
    elif node.type == "array":
        for i, element in enumerate(c for c in node.named_children if c.type != "comment"):
            yield f"{path}[{i}]", element.start_point.row + 1
            yield from _value(element, f"{path}[{i}]")


def _key(node: Node) -> list[str]:
    if node.type == "dotted_key":
        return [part for child in node.named_children for part in _key(child)]
    return [(node.text or b"").decode().strip("\"'")]
