"""Worked cases of a playbook: kept with a version, and run beside its rules whenever somebody looks."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from uuid import UUID

import msgspec

from relief.domain import cases as cases_
from relief.domain import playbook as playbooks_
from relief.domain.cases import Outcome
from relief.domain.errors import Conflict, ReliefError
from relief.domain.policy import Actor, require
from relief.services.enact import PROVINCE
from relief.settings import CHECKOUT
from relief.store import audits, playbook_cases, playbooks
from relief.store.db import Tx


class Worked(msgspec.Struct, frozen=True):
    """The cases a version was tried with. `version` is where they come from: None for those that came with the software.

    `faults` (path: sentence) where the cases speak of what this version does not have; then there are no outcomes.
    """

    outcomes: list[Outcome]
    version: str | None
    faults: list[str]

    @property
    def red(self) -> int:
        """How many do not hold."""
        return sum(1 for o in self.outcomes if o.differs)


async def keep(tx: Tx, actor: Actor, playbook: UUID, text: str, now: datetime) -> None:
    """Keep the cases of a version for ever. Invalid with every fault by its path; Conflict where it has other cases already."""
    require(actor, "playbook.import", PROVINCE)
    book = playbooks_.read((await playbooks.get(tx, playbook)).body)
    cases_.read(text, book)
    if await playbook_cases.insert(tx, playbook, text, actor.id, now):
        await audits.add(tx, audits.SHARED, actor, "playbook.cases", "playbook", [playbook], now)
        return
    known = await playbook_cases.of(tx, playbook)
    if known is None or known.body != text:
        raise Conflict("cases_exist", "该版本已有另一份算例 · this version has other cases already")


async def run(tx: Tx, playbook: UUID) -> Worked | None:
    """Run the cases of a version; None where there are none. Without cases of its own it is tried with those of the same playbook."""
    stored = await playbooks.get(tx, playbook)
    kept = await playbook_cases.of(tx, playbook)
    body = kept.body if kept else _shipped(stored.key)
    if body is None:
        return None
    try:
        book = playbooks_.read(stored.body)
        return Worked(cases_.run(book, cases_.read(body, book)), kept.version if kept else None, [])
    except ReliefError as error:
        faults = error.data.get("faults")
        return Worked([], kept.version if kept else None, [str(f) for f in faults] if isinstance(faults, list) else [error.message])


@cache
def _shipped(key: str) -> str | None:
    """The cases that came with the software for a playbook of that name."""
    path = CHECKOUT / "playbooks" / f"{key}.cases.toml"
    return path.read_text("utf-8") if path.exists() else None
