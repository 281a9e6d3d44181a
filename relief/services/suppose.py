"""The dry run before anybody is registered: counts by hand or a file of households, by any playbook, with the figures of the day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import numpy as np

from relief.domain.errors import Invalid
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor, require
from relief.domain.standard import Standard
from relief.domain.supposed import Group, suppose
from relief.services import preview
from relief.services.preview import Preview, Seen
from relief.store import activations
from relief.store.db import Tx


async def estimate(
    tx: Tx,
    actor: Actor,
    book: Playbook,
    groups: Sequence[Group],
    now: datetime,
    figures: Sequence[Standard] = (),
    incident: UUID | None = None,
) -> Preview:
    """The same breakdowns as `preview.preview` for households supposed to exist. `figures` go on top of those in force; with an incident
    its funds are compared. In `largest` and `strangest`, `row` is the place of the group in what was given.

    Invalid where a group lies in a band the playbook does not speak of, or a figure has no amount in one of the counties.
    """
    found = suppose(groups)
    codes = sorted({g.county for g in groups})
    require(actor, "activation.preview", codes)
    levels = {b.level for b in book.bands}
    if unknown := sorted({g.level for g in groups} - levels - {0}):
        raise Invalid("playbook_bands", f"预案未规定等级 {unknown} · the playbook says nothing of the levels {unknown}", levels=unknown)
    in_force = await preview.figures_of(tx, codes, book, now, figures)
    place = np.searchsorted(np.array([int(c) for c in codes]), found.county)
    ranked = sorted(levels, reverse=True)
    rank = np.array([ranked.index(level) if level in levels else -1 for level in range(13)])[found.known.level]
    seen = Seen(
        counties=codes, book=book, labels={ranked.index(b.level): b.label for b in book.bands}, columns={"place": place, "rank": rank},
        known=found.known, weight=found.weight, amounts=preview.given(book, in_force, codes, place, found.known), figures=in_force,
    )  # fmt: skip
    told = preview.summarise(seen, now)
    funds = [] if incident is None else preview.funds(seen, await activations.funds(tx, codes, incident))
    group = found.group.tolist()
    return msgspec.structs.replace(
        told, funds=funds, largest=[msgspec.structs.replace(x, row=group[x.row]) for x in told.largest],
        strangest=[msgspec.structs.replace(x, row=group[x.row]) for x in told.strangest],
    )  # fmt: skip
