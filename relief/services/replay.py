"""Take old decisions again from what they pinned: the playbook's text, the figures, the facts. The same must come out; what does not is named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import playbook as playbooks_
from relief.domain import standard
from relief.domain.entitlement import decide
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor, require
from relief.domain.snapshot import EXCLUDED, again
from relief.domain.standard import Figures
from relief.store import standards
from relief.store.db import Tx
from relief.store.views import decisions
from relief.store.views.decisions import Kind

#: So many kinds that differ are named, with so many decisions of each.
NAMED: Final = 20


class Difference(msgspec.Struct, frozen=True):
    """A decision that would come out otherwise; money in fen."""

    county: str
    decision: UUID
    household: UUID
    aid: str
    was_fen: int
    was: list[str]
    is_fen: int
    is_: list[str]


class Replayed(msgspec.Struct, frozen=True):
    """How many decisions were taken again, how many of them differ (the first of each kind named), and how many cannot be taken again because
    their figures were not kept then."""

    decisions: int
    kinds: int
    differing: int
    differences: list[Difference]
    without_figures: int


async def replay(tx: Tx, actor: Actor, counties: Sequence[str] | None = None, activation: UUID | None = None) -> Replayed:
    """Every decision of these counties (None: all) and this activation (None: all), current and superseded.

    Equal decisions are taken again once, so that any number of households costs as many decisions as there are different ones.
    """
    require(actor, "decision.read", ["00"] if counties is None else counties)
    kinds = await decisions.kinds(tx, counties, activation)
    books = {i: playbooks_.read(body) for i, body in (await decisions.bodies(tx, list({k.playbook for k in kinds}))).items()}
    kept = {d: standard.again(body) for d, body in (await standards.sets(tx, list({k.standards for k in kinds}))).items()}
    able = [k for k in kinds if k.standards in kept]
    wrong = _differing(able, books, kept)
    found = []
    for kind, fen, reasons in wrong[:NAMED]:
        for name in await decisions.of_kind(tx, counties, activation, kind, NAMED):
            found.append(Difference(name.county, name.id, name.household, kind.aid, kind.amount_fen, kind.reasons, fen, reasons))
    return Replayed(
        decisions=sum(k.decisions for k in able),
        kinds=len(able),
        differing=sum(kind.decisions for kind, _, _ in wrong),
        differences=found,
        without_figures=sum(k.decisions for k in kinds if k.standards not in kept),
    )


def _differing(kinds: Sequence[Kind], books: dict[UUID, Playbook], kept: dict[bytes, Figures]) -> list[tuple[Kind, int, list[str]]]:
    """Those that would come out otherwise, with what would come out."""
    together: dict[tuple[UUID, bytes, str], list[Kind]] = defaultdict(list)
    for kind in kinds:
        together[kind.playbook, kind.standards, kind.aid].append(kind)
    wrong = []
    for (book, figures, aid), group in together.items():
        verdict = decide(books[book], kept[figures].amounts, again([k.facts for k in group], aid))[aid]
        for row, kind in enumerate(group):
            why = kind.facts.get(EXCLUDED)
            fen, reasons = (0, [f"household.{why}"]) if why else (int(verdict.amount_fen[row]), list(verdict.why(row)))
            if (fen, reasons) != (kind.amount_fen, kind.reasons):
                wrong.append((kind, fen, reasons))
    return wrong
