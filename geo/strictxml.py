"""XML as strangers send it: no document type, no entities, no inclusion, nothing fetched; depth and size are capped while parsing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from geo.model import MAX_TEXT, ZoneFileError

MAX_DEPTH: Final = 64
MAX_NODES: Final = 300_000
_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,30})["']""")
#: Encodings that alerts and drawings come in. Anything else (UTF-7, UTF-16 …) is refused, not guessed.
_CODECS: Final = {
    "utf-8": "utf-8-sig", "utf8": "utf-8-sig", "us-ascii": "ascii", "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030",
    "iso-8859-1": "latin-1",
}  # fmt: skip
_XINCLUDE: Final = "http://www.w3.org/2001/XInclude"


class Node:
    """One element: namespace, local name, attributes, children, and its own text."""

    __slots__ = ("attributes", "children", "name", "space", "text")

    def __init__(self, qualified: str, attributes: dict[str, str]) -> None:
        self.space, _, self.name = qualified.rpartition(" ")
        self.attributes = attributes
        self.children: list[Node] = []
        self.text = ""

    def all(self, name: str) -> list[Node]:
        """The children of that name."""
        return [c for c in self.children if c.name == name]

    def first(self, name: str) -> Node | None:
        """The first child of that name."""
        return next((c for c in self.children if c.name == name), None)

    def word(self, name: str) -> str:
        """The text of the first child of that name, without the space around it; empty when there is none."""
        found = self.first(name)
        return found.text.strip() if found else ""

    def walk(self) -> Iterator[Node]:
        """Itself and everything below, in the order of the file."""
        yield self
        for child in self.children:
            yield from child.walk()


class _Tree:
    def __init__(self) -> None:
        self.stack: list[Node] = []
        self.root: Node | None = None
        self.nodes = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        node = Node(name, attributes)
        self.nodes += 1
        if len(self.stack) >= MAX_DEPTH or self.nodes > MAX_NODES:
            raise ZoneFileError("too_deep", "文件嵌套过深或元素过多 · the file is nested too deeply or has too many elements")
        if node.space == _XINCLUDE:
            raise ZoneFileError("xml_include", "文件引用外部内容（XInclude），已拒绝 · the file includes other files; refused")
        if self.stack:
            self.stack[-1].children.append(node)
        else:
            self.root = node
        self.stack.append(node)

    def end(self, _: str) -> None:
        self.stack.pop()

    def text(self, data: str) -> None:
        self.stack[-1].text += data


def _refuse(*_: Any) -> Any:
    raise ZoneFileError("xml_doctype", "文件带有 DOCTYPE 或实体声明，已拒绝 · the file declares a document type or entities; refused")


def parse(content: bytes) -> Node:
    """The root element; `not_xml` where it is not well-formed."""
    if len(content) > MAX_TEXT:
        raise ZoneFileError("too_large", f"文件内容超过 {MAX_TEXT // 1_000_000} MB · more than {MAX_TEXT // 1_000_000} MB of text")
    tree = _Tree()
    parser = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = tree.start, tree.end, tree.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(_text(content).encode(), True)
    except expat.ExpatError as error:
        raise ZoneFileError("not_xml", f"XML 有误（第{error.lineno}行） · the XML is not well-formed (line {error.lineno})") from None
    if tree.root is None:
        raise ZoneFileError("empty", "文件是空的 · the file is empty")
    return tree.root


def _text(content: bytes) -> str:
    found = _DECLARED.match(content.removeprefix(b"\xef\xbb\xbf"))
    codec = _CODECS.get(found[1].decode().lower() if found else "utf-8")
    try:
        if codec is not None:
            return content.decode(codec)
    except UnicodeDecodeError:
        pass
    raise ZoneFileError("encoding", "文件编码无法识别，请另存为 UTF-8 · the encoding cannot be read; save the file as UTF-8")
