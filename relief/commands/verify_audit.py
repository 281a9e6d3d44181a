"""Verify the trace, offline from an export or on the live database; names the first broken row and ends with 1."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from relief import app, settings
from relief.channels import audit_file
from relief.channels.checkpoints import FolderCheckpoints, public_key
from relief.commands.export_audit import write
from relief.commands.screen import err, out
from relief.domain import trail
from relief.domain.errors import Invalid
from relief.domain.trail import Broken, Verdict


class Told(msgspec.Struct, frozen=True):
    """What `relief verify-audit --json` prints."""

    rows: int
    counties: int
    checkpoints: int
    broken: str | None
    why: str | None


async def _verify(args: argparse.Namespace) -> int:
    """Verify the trace."""
    chosen = settings.load()
    folder = args.checkpoints or (None if args.export else chosen.home / "checkpoints")
    files = await FolderCheckpoints(folder).read() if folder else []
    if args.checkpoints and not files:
        raise Invalid("no_checkpoint", f"{folder} 中没有检查点 · there is no checkpoint in {folder}")
    key = public_key(args.key) if args.key else FolderCheckpoints(folder).key() if folder and files else None
    wanted = trail.wanted(trail.read(files, key)) if key else {}
    if args.export:
        if not args.export.is_file():
            raise Invalid("no_file", f"没有文件 {args.export} · there is no file {args.export}")
        with err.status("验证 verifying"):
            verdict = audit_file.verify(args.export, wanted, args.county)
    else:
        with tempfile.NamedTemporaryFile(dir=chosen.home, prefix="audit-") as copy:
            async with app.open_house(chosen, pool_size=2) as house:
                await write(house.pool, Path(copy.name), args.county)
            verdict = audit_file.verify(Path(copy.name), wanted, args.county)
    return _tell(verdict, len(files), args.json)


def _tell(verdict: Verdict, checkpoints: int, as_json: bool) -> int:
    broken: Broken | None = verdict.broken
    if as_json:
        row, why = (broken.row, broken.why) if broken else (None, None)
        told = Told(verdict.rows, len(verdict.heads), checkpoints, row, why)
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    elif broken is None:
        out.print(
            f"{verdict.rows:,} 条留痕，{len(verdict.heads):,} 条链，完整 · acts, chains, unbroken; {checkpoints} 个检查点 checkpoints"
        )
    if broken is not None:
        err.print(f"broken: {broken.row}: {trail.WHY[broken.why]}")
    elif not checkpoints:
        err.print("没有检查点，链尾被截去无从发现 · without checkpoints a cut end cannot be seen")
    return 1 if broken else 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief verify-audit [EXPORT] [--checkpoints FOLDER] [--key FILE] [--county CODE]`."""
    parser.add_argument(
        "export", nargs="?", type=Path, metavar="EXPORT", help="a file of relief export-audit; without it the live database"
    )
    parser.add_argument(
        "--checkpoints", type=Path, metavar="FOLDER", help="signed checkpoints; with the live database those in RELIEF_HOME"
    )
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="the auditor's own copy of the public key; default: the one beside the checkpoints"
    )
    parser.add_argument("--county", action="append", metavar="CODE", help="what the export is about; default: every county")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(does=_verify)
