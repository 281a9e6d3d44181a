"""Playbooks."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from relief import settings
from relief.commands import playbook_law
from relief.commands.screen import err, out
from relief.domain import cases, playbook, standard, toml
from relief.domain.errors import ReliefError

CASES = ".cases.toml"


async def _check(args: argparse.Namespace) -> int:
    """Decode and check playbooks and run their worked cases."""
    folder = settings.CHECKOUT / "playbooks"
    return await asyncio.to_thread(
        _check_files, args.files or sorted(folder.glob("*.toml")) + sorted((folder / "standards").glob("*.toml"))
    )


def _check_files(given: Sequence[Path]) -> int:
    files = list(dict.fromkeys(p.with_name(p.name.removesuffix(CASES) + ".toml") if p.name.endswith(CASES) else p for p in given))
    faulty = [path for path in files if not _holds(path)]
    return 2 if faulty else 0


def _holds(path: Path) -> bool:
    """One playbook and the cases beside it; what is wrong is said as `file:line path: sentence`."""
    text = _text(path)
    if text is None:
        return False
    if path.parent.name == "standards":
        return _figures(path, text)
    try:
        book = playbook.read(text)
    except ReliefError as error:
        return _refuse(path, text, error)
    beside = path.with_name(path.stem + CASES)
    worked = _text(beside) if beside.exists() else None
    if worked is None:
        out.print(f"{path.name}: {book.key} {book.version}, {len(book.aids)} aids, no cases")
        return True
    try:
        found = cases.read(worked, book)
    except ReliefError as error:
        return _refuse(beside, worked, error)
    if wrong := cases.faults(cases.run(book, found)):
        return _say(beside, worked, wrong)
    out.print(f"{path.name}: {book.key} {book.version}, {len(book.aids)} aids, {len(found.cases)} cases hold")
    return True


def _figures(path: Path, text: str) -> bool:
    """A file of standards."""
    try:
        found = standard.read(text)
    except ReliefError as error:
        return _refuse(path, text, error)
    out.print(f"{path.name}: {len(found)} figures, {sum(not s.verified for s in found)} unverified")
    return True


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        err.print(f"{path}: 无法读取 · cannot be read: {type(error).__name__}")
        return None


def _refuse(path: Path, text: str, error: ReliefError) -> bool:
    faults = error.data.get("faults")
    return _say(path, text, [str(f) for f in faults] if isinstance(faults, list) else [f"file: {error.message}"])


def _say(path: Path, text: str, faults: Sequence[str]) -> bool:
    for line, fault in sorted(zip(toml.lines(text, faults), faults, strict=True)):
        err.print(f"{path}:{line} {fault}", soft_wrap=True)
    return False


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief playbook check`, and what `playbook_law` adds."""
    verbs = parser.add_subparsers(required=True)
    playbook_law.arguments(verbs)
    check = verbs.add_parser("check", help="check playbooks and run their cases; exit 2 with file:line path: sentence")
    check.add_argument("files", nargs="*", type=Path)
    check.set_defaults(does=_check)
