"""Whether an address stays on this machine: where no real channel may be reached, only such addresses are."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_NAMES: Final = ("127.0.0.1", "::1", "localhost")


def stays_here(url: str) -> bool:
    """True where the address leads to this very machine."""
    return urlsplit(url).hostname in _NAMES
