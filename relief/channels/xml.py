"""XML from strangers: no DTD, no entities, bounded depth and size. What is refused is refused before it is built."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Final
from xml.parsers import expat

from relief.domain.errors import Invalid

MOST_DEPTH: Final = 32
MOST_ELEMENTS: Final = 50_000


class _Builder:
    """Expat's events into a tree; namespaces as ElementTree writes them."""

    def __init__(self, most_elements: int) -> None:
        self._tree = ET.TreeBuilder()
        self._depth = 0
        self._elements = 0
        self._most = most_elements

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MOST_DEPTH or self._elements > self._most:
            raise Invalid("xml_too_large", "XML 层次过深或元素过多 · the XML is too deep or has too many elements")
        self._tree.start(_named(name), {_named(k): v for k, v in attributes.items()})

    def end(self, name: str) -> None:
        self._depth -= 1
        self._tree.end(_named(name))

    def data(self, text: str) -> None:
        self._tree.data(text)

    def close(self) -> ET.Element:
        return self._tree.close()


def read(content: bytes, most_elements: int = MOST_ELEMENTS) -> ET.Element:
    """The root element; raises Invalid `xml_dtd`, `xml_too_large` or `xml`."""
    builder, parser = _Builder(most_elements), expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _no_dtd
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise Invalid("xml", "不是有效的 XML · not valid XML") from None
    return builder.close()


def _no_dtd(*_: object) -> None:
    raise Invalid("xml_dtd", "XML 不得带有 DTD · XML with a DTD is not read")


def _named(name: str) -> str:
    return "{" + name if "}" in name else name
