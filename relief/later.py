"""Libraries that few requests need, loaded when first touched: a process that never writes a workbook does not carry what writes one.

    if TYPE_CHECKING:
        import openpyxl
    else:
        openpyxl = Later("openpyxl")

The names and types stay what they are for the reader and the type checker. Loading holds Python's own import lock, so threads may meet here.
"""

from __future__ import annotations

import importlib
from typing import Any


class Later:
    """A module by its name; its first attribute loads it, each is kept. A name that does not exist raises ImportError then, not before."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, found)  # found without coming here again
        return found
