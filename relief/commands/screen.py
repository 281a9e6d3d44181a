"""Where commands speak: answers on one stream, remarks on the other."""

from __future__ import annotations

from rich.console import Console

out = Console()
err = Console(stderr=True)
