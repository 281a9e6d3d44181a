"""Verify a household's exported case file, offline: every file by its digest, the manifest by its signature; ends with 1 where one is not as signed."""

from __future__ import annotations

import argparse
from pathlib import Path

from relief import settings
from relief.channels.checkpoints import PUBLIC_KEY, public_key
from relief.commands.screen import err, out
from relief.domain import archive
from relief.domain.errors import Invalid


async def _verify(args: argparse.Namespace) -> int:
    """Verify one archive."""
    if not args.file.is_file():
        raise Invalid("no_file", f"没有文件 {args.file} · there is no file {args.file}")
    key = public_key(args.key or settings.load().home / "checkpoints" / PUBLIC_KEY)
    try:
        manifest = archive.verify(args.file.read_bytes(), key)
    except Invalid as wrong:
        err.print(f"broken: {wrong.message}")
        return 1
    out.print(
        f"{manifest.county} {manifest.household} 第{manifest.serial}次导出，{len(manifest.files)} 个文件，完整 · "
        f"export {manifest.serial} of {manifest.made_at:%Y-%m-%d %H:%M} by {manifest.made_by}: unbroken"
    )
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief verify-dossier FILE [--key FILE]`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the ZIP as exported")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="the auditor's own copy of the public key; default: the one beside the checkpoints"
    )
    parser.set_defaults(does=_verify)
