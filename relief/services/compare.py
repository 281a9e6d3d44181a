"""Two scenarios side by side over the same households: who gets more, who less, who the same; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain import playbook as playbooks_
from relief.domain.days import beijing_day
from relief.domain.errors import NotFound
from relief.domain.policy import Actor, require
from relief.domain.standard import Standard
from relief.services.preview import SHOWN, Preview, Scenario, Seen, counties_of, look, summarise
from relief.store import activations, playbooks, standards
from relief.store.db import Tx

#: All aids of a household together, in `Change.aid`.
TOGETHER: Final = ""


class Change(msgspec.Struct, frozen=True):
    """One county × aid (`TOGETHER`: all aids of a household): households that get more, less, the same amount above zero; money in fen."""

    county: str
    aid: str
    more: int
    more_fen: int
    less: int
    less_fen: int
    same: int


class Differing(msgspec.Struct, frozen=True):
    """One of the households for which the difference is largest, in fen."""

    county: str
    household: UUID
    before_fen: int
    after_fen: int


class Comparison(msgspec.Struct, frozen=True):
    """Both sides as previews (without funds and repeats), the changes from the first to the second, and where they are largest."""

    before: Preview
    after: Preview
    changes: list[Change]
    largest: list[Differing]

    @property
    def together(self) -> list[Change]:
        """Per county, all aids of a household together."""
        return [c for c in self.changes if c.aid == TOGETHER]


class Effect(msgspec.Struct, frozen=True):
    """What drafted figures would change in one open activation."""

    activation: UUID
    incident: UUID
    comparison: Comparison


async def compare(tx: Tx, actor: Actor, incident: UUID, before: Scenario, after: Scenario, now: datetime) -> Comparison:
    """Two playbook versions, two zones, or both, over everybody registered in the counties of either zone that the caller may see."""
    codes = await counties_of(tx, actor, incident, [before.zone, after.zone])
    return await _compare(tx, codes, incident, before, after, now)


async def effect(tx: Tx, actor: Actor, figures: Sequence[UUID], now: datetime) -> list[Effect]:
    """What these drafts would change in every open activation that uses them and that the caller may see, as of the day they begin."""
    drafts = await standards.get(tx, figures)
    if not drafts or len(drafts) != len(set(figures)):
        raise NotFound("standard_unknown", "没有该标准 · there is no such figure")
    require(actor, "activation.preview", {d.area for d in drafts})
    day = beijing_day(now)
    begun = tuple(msgspec.structs.replace(d.figure, valid_from=min(d.valid_from, day)) for d in drafts)
    found = []
    for act in await activations.open_(tx):
        book = playbooks_.read((await playbooks.get(tx, act.playbook)).body)
        codes = sorted(c.county for c in await activations.counties(tx, act.zone) if actor.may("activation.preview", c.county))
        if codes := [c for c in codes if any(_speaks_of(d, c, book.figure_keys) for d in begun)]:
            sides = Scenario(act.zone, act.playbook), Scenario(act.zone, act.playbook, begun)
            found.append(Effect(act.id, act.incident, await _compare(tx, codes, act.incident, *sides, now)))
    return found


def _speaks_of(draft: Standard, county: str, keys: Sequence[str]) -> bool:
    return draft.key in keys and county.startswith(draft.area)


async def _compare(tx: Tx, codes: Sequence[str], incident: UUID, before: Scenario, after: Scenario, now: datetime) -> Comparison:
    a = await look(tx, codes, incident, before, now)
    b = await look(tx, codes, incident, after, now, a.columns if before.zone == after.zone else None)
    if before.zone != after.zone:
        a, b = _by_id(a), _by_id(b)
    changes, largest = differ(a, b)
    return Comparison(summarise(a, now), summarise(b, now), changes, largest)


def _by_id(seen: Seen) -> Seen:
    """The same households in the order of their ids."""
    halves = seen.columns["id"].view(">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    return msgspec.structs.replace(
        seen, columns={n: c[order] for n, c in seen.columns.items() if len(c) == len(order)}, known=seen.known.take(order), weight=seen.weight[order],
        amounts={aid: amount[order] for aid, amount in seen.amounts.items()},
    )  # fmt: skip


def differ(a: Seen, b: Seen) -> tuple[list[Change], list[Differing]]:
    """The changes from `a` to `b`, which hold the same households in the same order."""
    none = np.zeros(a.known.rows, np.int64)
    aids = [TOGETHER, *dict.fromkeys([*a.amounts, *b.amounts])]
    changes = []
    for aid in aids:
        was, will = (a.total, b.total) if aid == TOGETHER else (a.amounts.get(aid, none), b.amounts.get(aid, none))
        changes += _changes(a, aid, was, will)
    return sorted(changes, key=lambda c: (c.county, c.aid)), _largest(a, a.total, b.total)


def _changes(seen: Seen, aid: str, was: npt.NDArray[np.int64], will: npt.NDArray[np.int64]) -> list[Change]:
    delta, place, size = will - was, seen.columns["place"], len(seen.counties)
    more, less, same = delta > 0, delta < 0, (delta == 0) & (was > 0)
    counts = [np.bincount(place[where], minlength=size) for where in (more, less, same)]
    fen = [np.bincount(place[where], weights=np.abs(delta[where]).astype(np.float64), minlength=size) for where in (more, less)]
    return [
        Change(county, aid, int(counts[0][i]), int(fen[0][i]), int(counts[1][i]), int(fen[1][i]), int(counts[2][i]))
        for i, county in enumerate(seen.counties)
    ]  # fmt: skip


def _largest(seen: Seen, was: npt.NDArray[np.int64], will: npt.NDArray[np.int64]) -> list[Differing]:
    size = np.abs(will - was)
    some = min(SHOWN, len(size))
    first: npt.NDArray[Any] = np.argpartition(-size, some - 1)[:some] if some else np.array([], np.int64)
    first = first[np.lexsort((first, -size[first]))]
    return [
        Differing(seen.counties[int(seen.columns["place"][i])], UUID(bytes=seen.columns["id"][i].tobytes()), int(was[i]), int(will[i]))
        for i in first if size[i]
    ]  # fmt: skip
