"""Benchmarks. They live beside the tests and need the checkout with its development tools."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys

from relief import settings


async def _bench(args: argparse.Namespace) -> int:
    """Benchmarks live beside the tests; they need the checkout and its development tools."""
    command = [sys.executable, "-m", "tests.bench", *args.rest]
    done = await asyncio.to_thread(subprocess.run, command, cwd=settings.CHECKOUT, check=False)
    return int(done.returncode)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Everything is passed on."""
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    parser.set_defaults(does=_bench)
