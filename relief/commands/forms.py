"""Kobo and ODK forms: check the mappings in RELIEF_HOME/forms, back-fill from the server, import an export. Nothing is taken twice."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from relief import app, settings
from relief.channels.form_server import FormServer, mappings
from relief.commands.screen import err, out
from relief.domain import form_mapping
from relief.domain.errors import Invalid, ReliefError
from relief.services import forms
from relief.store import db


async def _check(args: argparse.Namespace) -> int:
    """Every mapping: readable, or what is wrong with it."""
    faulty = 0
    for name, text in mappings(settings.load().forms):
        try:
            out.print(f"{name}: {form_mapping.read(text).title}")
        except ReliefError as error:
            faulty += 1
            err.print(f"{name}: {error.message}")
    return 2 if faulty else 0


async def _fill(args: argparse.Namespace) -> int:
    """Take every submission of a form, from the server or from a file."""
    chosen = settings.load()
    form = form_mapping.read(forms.known(mappings(chosen.forms), args.form))
    done: Counter[str] = Counter()
    async with app.open_house(chosen, pool_size=2) as house, FormServer(chosen.forms_url, chosen.forms_token, 60.0) as server:
        async for submission in _from_file(args.file) if args.file else _from_server(server, form):
            async with db.begin(house.pool) as tx:
                taken = await forms.take(tx, args.form, form, submission, house.clock(), house.keys)
            done[taken.outcome] += 1
            if taken.outcome == "refused":
                err.print(f"{taken.root}: {taken.code} {taken.field or ''}")
    out.print(" · ".join(f"{name} {count:,}" for name, count in sorted(done.items())) or "0")
    return 0


async def _from_file(path: Path) -> AsyncIterator[Mapping[str, Any]]:
    try:
        found = msgspec.json.decode(await asyncio.to_thread(path.read_bytes))
    except (OSError, msgspec.DecodeError):
        raise Invalid("file", f"{path.name} 打不开或不是 JSON · cannot be opened, or is not JSON") from None
    for submission in found["results"] if isinstance(found, dict) and "results" in found else found:
        yield submission


async def _from_server(server: FormServer, form: form_mapping.Form) -> AsyncIterator[Mapping[str, Any]]:
    if not server.configured or not form.asset:
        raise Invalid("forms_url", "须设 RELIEF_FORMS_URL，并在表单文件写明 asset · set RELIEF_FORMS_URL, and `asset` in the form's file")
    async for submission in server.submissions(form.asset):
        yield submission


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief forms check | backfill FORM | import FORM FILE`."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    check = verbs.add_parser("check", help="read every mapping")
    check.set_defaults(does=_check)
    fill = verbs.add_parser("backfill", help="take what the server has")
    fill.add_argument("form", metavar="FORM", help="name of the mapping file, without .toml")
    fill.set_defaults(does=_fill, file=None)
    file = verbs.add_parser("import", help="take an export of submissions (JSON)")
    file.add_argument("form", metavar="FORM")
    file.add_argument("file", type=Path, metavar="FILE")
    file.set_defaults(does=_fill)
