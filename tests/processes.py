"""`relief …` as processes, as a user would start them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

#: A rehearsal bank that credits everybody at once.
PERFECT_BANK = [f"--{wrong}-rate=0" for wrong in ("name-mismatch", "closed", "lost", "not-activated", "late", "silent")]


@contextmanager
def process(environment: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Started now, stopped at the end if it still runs."""
    started = subprocess.Popen([sys.executable, "-m", "relief", *arguments], env={**os.environ, **environment})
    try:
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
        started.wait(timeout=30)


def free_url() -> str:
    """A loopback address nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def port(url: str) -> str:
    """The port of such an address."""
    return url.rsplit(":", 1)[1]
