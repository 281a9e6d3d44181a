"""Every statement of the store prepares on the migrated database, and every invariant is able to find its rows."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import relief.store
from relief.store import invariants
from relief.store.db import Tx

_STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|LOCK)\b")


def _constants() -> Iterator[tuple[str, str]]:
    for module in pkgutil.walk_packages(relief.store.__path__, "relief.store."):
        for name, text in vars(importlib.import_module(module.name)).items():
            if isinstance(text, str) and name.isupper() and _STATEMENT.match(text):
                yield f"{module.name.removeprefix('relief.store.')}.{name}", text


STATEMENTS = dict(_constants())
#: They speak of a temporary table that exists only while divisions are loaded.
TEMPORARY = {"regions._LOAD"}


def test_there_are_statements_to_prepare() -> None:
    assert len(STATEMENTS) > 80


@pytest.mark.parametrize("name", sorted(set(STATEMENTS) - TEMPORARY))
async def test_every_statement_prepares(tx: Tx, name: str) -> None:
    if STATEMENTS[name].lstrip().startswith("LOCK"):
        await tx.execute(STATEMENTS[name])
    else:
        assert (await tx.prepare(STATEMENTS[name])).get_query() == STATEMENTS[name]


@pytest.mark.parametrize("invariant", invariants.ALL, ids=lambda i: i.name)
async def test_every_invariant_runs_and_finds_an_empty_register_in_order(tx: Tx, invariant: invariants.Invariant) -> None:
    assert (await invariants.examine(tx, invariant)).broken == 0
