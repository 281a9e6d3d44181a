"""What a decision over many households adds up to, as columns: people and money by place, band, category, stage and month; and who stands out.

Every row may stand for several households alike (`weight`), so counts given by hand are the same calculation as a register.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain import rules
from relief.domain.days import beijing_day
from relief.domain.facts import COLUMNS, FAMILY_CODES, Bools, Facts
from relief.domain.money import split
from relief.domain.rules import Aid, Text

Column = npt.NDArray[Any]
Longs = npt.NDArray[np.int64]


class Cell(msgspec.Struct, frozen=True):
    """Households alike in place (index of the county), band rank and category that would be given one aid; money in fen."""

    place: int
    rank: int
    family: str
    aid: str
    households: int
    people: int
    amount_fen: int


class Stage(msgspec.Struct, frozen=True):
    """What falls due with one stage of one aid in all. `month` ('2022-09') is None where only progress of the work decides when."""

    aid: str
    seq: int
    condition: str
    month: str | None
    instalments: int
    amount_fen: int


class Rare(msgspec.Struct, frozen=True):
    """A fact that is rare in its band: its name, its value, and how many in ten thousand households of the band share it."""

    fact: str
    value: int
    per_10_000: int


class Strange(msgspec.Struct, frozen=True):
    """A row that stands out. `bits` is how surprising its facts are together, `rare` the rarest of them, `contradictions` codes."""

    row: int
    bits: float
    rare: list[Rare]
    contradictions: list[str]


def cells(place: Column, rank: Column, known: Facts, weight: Longs, amounts: Mapping[str, Longs]) -> list[Cell]:
    """The whole table at once: one pass per aid over the households that would be given something. Nothing is given outside (rank < 0)."""
    families, ranks = len(FAMILY_CODES) + 1, int(rank.max(initial=-1)) + 1
    found = []
    for aid, amount in amounts.items():
        given = np.flatnonzero(amount)
        key = (place[given].astype(np.int64) * max(ranks, 1) + rank[given]) * families + known.family[given] + 1
        sums = [np.bincount(key, weights=w).astype(np.int64) for w in _weights(weight[given], known.members[given], amount[given])]
        for at in np.flatnonzero(sums[0]).tolist():
            where, code = divmod(at, families)
            family = FAMILY_CODES[code - 1] if code else ""
            found.append(Cell(*divmod(where, max(ranks, 1)), family, aid, *(int(s[at]) for s in sums)))
    return found


def _weights(weight: Longs, members: Column, amount: Longs) -> tuple[Column, Column, Column]:
    """Households, people, fen: exact in a float as long as a table holds less than 90 trillion yuan."""
    return weight.astype(np.float64), (weight * members).astype(np.float64), (weight * amount).astype(np.float64)


def stages(aids: Sequence[Aid], weight: Longs, amounts: Mapping[str, Longs], now: datetime) -> list[Stage]:
    """The instalments of everything given, by largest remainder per award as they will really be paid."""
    found = []
    for aid in aids:
        distinct, place = np.unique(amounts[aid.code], return_inverse=True)
        many = np.bincount(place, weights=weight.astype(np.float64), minlength=len(distinct)).astype(np.int64).tolist()
        shares = [s.share_bp for s in aid.stages]
        sums, counts = [0] * len(shares), [0] * len(shares)
        for total, count in zip(distinct.tolist(), many, strict=True):
            for i, part in enumerate(split(total, shares)):
                sums[i] += part * count
                counts[i] += count if part else 0
        for i, stage in enumerate(aid.stages):
            found.append(Stage(aid.code, i + 1, stage.condition, _month(stage, now), counts[i], sums[i]))
    return found


def _month(stage: rules.Stage, now: datetime) -> str | None:
    """Approved today, a stage that waits for its day only falls due then."""
    return (beijing_day(now) + timedelta(days=stage.after_days)).strftime("%Y-%m") if stage.condition == "none" else None


#: What cannot well be true together, or is true and must be looked at.
CONTRADICTIONS: Final[Mapping[str, Text]] = {
    "more_hurt_than_members": Text("伤亡失踪人数多于家庭人口", "more dead, missing and injured than members"),
    "empty_but_relocated": Text("登记为无人居住，却有转移安置", "nobody lived there, yet people were relocated"),
    "lost_outside": Text("在灾区外，却有倒塌或严重损坏住房", "outside the zone, yet rooms collapsed or are severely damaged"),
    "rooms_beyond_family": Text("损失间数超过每人四间", "more than four rooms lost for each member"),
    "no_adult": Text("家中没有成年人", "no adult in the household"),
}

_ASKED: Final = tuple(n for n in COLUMNS if n not in ("level", "edge"))
#: A contradiction weighs as much as a fact shared by one household in a million.
_CONTRADICTION_BITS: Final = 20.0


def _contradictions(known: Facts) -> dict[str, Bools]:
    hurt = known.dead + known.missing + known.injured
    rooms = known.rooms_collapsed + known.rooms_severe + known.rooms_moderate
    return {
        "more_hurt_than_members": hurt > known.members,
        "empty_but_relocated": ~known.occupied & known.relocated,
        "lost_outside": (known.level == 0) & (known.rooms_collapsed + known.rooms_severe > 0),
        "rooms_beyond_family": rooms > 4 * known.members,
        "no_adult": known.adults == 0,
    }


def strangest(known: Facts, weight: Longs, most: int) -> list[Strange]:
    """Strange is who is unlike the neighbours: the sum over all facts of how rare their value is among the households of the same band
    (bits: 1 = half of them share it), and 20 bits for each contradiction. Says nothing about guilt; it says where to look first."""
    if not known.rows:
        return []
    bits = np.zeros(known.rows, np.float32)
    shares = {}
    for name in _ASKED:
        share = shares[name] = _share(known.level, getattr(known, name), weight)
        bits -= np.log2(share)
    wrong = _contradictions(known)
    for where in wrong.values():
        bits[where] += _CONTRADICTION_BITS
    some = min(most, known.rows)
    first = np.argpartition(-bits, some - 1)[:some]
    first = first[np.lexsort((first, -bits[first]))]
    return [
        Strange(int(row), round(float(bits[row]), 1), _rarest(known, shares, int(row)), [c for c, where in wrong.items() if where[row]])
        for row in first
    ]  # fmt: skip


def _share(level: Column, values: Column, weight: Longs) -> npt.NDArray[np.float32]:
    """For each row, the share of its band that has the same value."""
    small = values.astype(np.int64) - int(values.min())
    width = int(small.max()) + 1
    key = level.astype(np.int64) * width + small
    counts = np.bincount(key, weights=weight)
    in_band = np.bincount(level.astype(np.int64), weights=weight)
    share: npt.NDArray[np.float32] = (counts[key] / in_band[level]).astype(np.float32)
    return share


def _rarest(known: Facts, shares: Mapping[str, Column], row: int) -> list[Rare]:
    ordered = sorted(((float(share[row]), name) for name, share in shares.items()))[:3]
    return [Rare(name, int(getattr(known, name)[row]), round(share * 10_000)) for share, name in ordered if share < 0.5]
