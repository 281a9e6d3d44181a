"""The command line. Every command that refuses says why: exit 2 for bad input, 1 for a broken promise.

A command is a module of its own, imported only when it is called: `relief serve` starts without geometry, twins or carrier.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import sys
from typing import Final

import msgspec
import uvloop

from relief.commands.screen import err, out
from relief.domain.errors import Invalid, ReliefError

COMMANDS: Final = {
    "demo": "the Luding earthquake from zone to confirmed payment",
    "serve": "the web process",
    "work": "the background process",
    "migrate": "apply migrations",
    "check": "every invariant on the live database",
    "reconcile": "a county's ledger, bank files and bank answers side by side",
    "verify-dossier": "a household's signed case file, offline",
    "verify-audit": "the trace's chain, offline or live",
    "export-audit": "the trace as a file",
    "zone": "zone files",
    "region": "populations of counties, for estimates",
    "forms": "Kobo and ODK forms: check mappings, back-fill, import",
    "household": "registers as spreadsheets: check, import, template",
    "playbook": "playbooks",
    "plan": "response plans",
    "staff": "accounts, roles, areas",
    "rehearse": "the rehearsal twins",
    "bench": "benchmarks",
}


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sys.exit(_run(sys.argv[1:]))


def _run(words: list[str]) -> int:
    if not words or words[0] not in COMMANDS:
        wanted_help = words[:1] in (["-h"], ["--help"], ["help"])
        screen = out if wanted_help else err
        screen.print("relief — 灾害救助资金快速发放 · relief money to people, fast and once\n")
        for name, says in COMMANDS.items():
            screen.print(f"  relief {name:13s} {says}")
        return 0 if wanted_help else 2
    module = importlib.import_module(f"relief.commands.{words[0].replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"relief {words[0]}", description=module.__doc__)
    module.arguments(parser)
    args = parser.parse_args(words[1:])
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return int(runner.run(args.does(args)))
    except Invalid as error:
        err.print(f"{error.code}: {error.message}")
        return 2
    except msgspec.ValidationError as error:
        err.print(f"bad input: {error}")
        return 2
    except ReliefError as error:
        err.print(f"{error.code}: {error.message}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    main()
