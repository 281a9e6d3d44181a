"""Households nobody has registered yet: counts given by hand, or a file of households, as the same columns a register gives."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain.errors import Invalid
from relief.domain.facts import FAMILY_CODES, FLAGS, Facts
from relief.domain.facts import facts as as_facts
from relief.domain.household import CIRCUMSTANCES, Circumstance, FamilyType

Total = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
#: Rows of a file, and groups given by hand.
MOST: Final = 1_000_000


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some households of a county in a band of one level that are alike. Counts are of all of them together (people, rooms, dead, …) and are
    spread as evenly as they go; flags hold for each. One household is a group of one."""

    county: Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")]
    level: Annotated[int, msgspec.Meta(ge=0, le=12)]
    people: Annotated[int, msgspec.Meta(ge=1, le=300_000_000)]
    households: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 1
    adults: Total | None = None  # all of them, where nobody said
    dead: Total = 0
    missing: Total = 0
    injured: Total = 0
    rooms_collapsed: Total = 0
    rooms_severe: Total = 0
    rooms_moderate: Total = 0
    in_need: Total = 0
    relocated: bool = False
    only_home: bool = True
    occupied: bool = True
    family: FamilyType = "ordinary"
    circumstances: Annotated[list[Circumstance], msgspec.Meta(max_length=len(CIRCUMSTANCES))] = []
    away: bool = False
    checked: bool = False
    edge: bool = False


class Supposed(msgspec.Struct, frozen=True):
    """Columns of one length: what is known, how many households each row stands for, in which county, and from which group."""

    known: Facts
    weight: npt.NDArray[np.int64]
    county: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]


_SPREAD: Final = ("members", "adults", "dead", "missing", "injured", "rooms_collapsed", "rooms_severe", "rooms_moderate", "in_need")


def suppose(groups: Sequence[Group]) -> Supposed:
    """Groups as columns; Invalid where a group has fewer people than households, or more than thirty for each."""
    if not 1 <= len(groups) <= MOST:
        raise Invalid("groups", f"须有1至{MOST:,}行 · give 1 to {MOST:,} rows", field="groups")
    rows: list[Mapping[str, Any]] = []
    for position, group in enumerate(groups):
        if not group.households <= group.people <= 30 * group.households:
            raise Invalid(
                "people", f"第{position + 1}行：人口须为户数的1至30倍 · row {position + 1}: people must be 1 to 30 for each household",
                field=f"groups[{position}].people",
            )  # fmt: skip
        rows += _rows(position, group)
    columns: dict[str, npt.NDArray[Any]] = {n: np.array([r[n] for r in rows], np.bool_ if n in FLAGS else np.int64) for n in rows[0]}
    return Supposed(as_facts(columns), columns["weight"], columns["county"], columns["group"])


def _rows(position: int, group: Group) -> Iterator[Mapping[str, Any]]:
    """The group cut where some count has one more for the earlier households than for the later ones."""
    many = group.households
    totals = {n: getattr(group, n) for n in _SPREAD if n not in ("members", "adults")}
    totals |= {"members": group.people, "adults": group.people if group.adults is None else group.adults}
    cuts = sorted({0, many, *(t % many for t in totals.values())})
    bits = sum(1 << n for n, name in enumerate(CIRCUMSTANCES) if name in group.circumstances)
    for start, end in itertools.pairwise(cuts):
        yield {
            **{n: t // many + (start < t % many) for n, t in totals.items()},
            "level": group.level, "edge": group.edge, "relocated": group.relocated, "only_home": group.only_home, "occupied": group.occupied,
            "family": FAMILY_CODES.index(group.family), "circumstances": bits, "away": group.away, "checked": group.checked,
            "weight": end - start, "county": int(group.county), "group": position,
        }  # fmt: skip


_YES: Final = frozenset(("1", "true", "yes", "是", "y"))
_NO: Final = frozenset(("0", "false", "no", "否", "n"))


def read_csv(text: str) -> list[Group]:
    """Groups from CSV whose first line names the fields of `Group`; an empty cell is the default, circumstances are parted by “;”.

    Invalid `households` naming line and column.
    """
    table = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if unknown := sorted(set(table.fieldnames or ()) - set(Group.__struct_fields__)):
        raise Invalid("households", f"1: 没有这一列：{'、'.join(unknown)} · no such column", line=1)
    return [_group(row, table.line_num) for row in table]


def _group(row: Mapping[str, str | None], line: int) -> Group:
    said: dict[str, Any] = {}
    for name, cell in row.items():
        if name is None or cell is None:
            raise Invalid("households", f"{line}: 列数与首行不符 · as many cells as the first line names", line=line)
        if text := cell.strip():
            said[name] = _cell(name, text)
    try:
        return msgspec.convert(said, Group, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid("households", f"{line}: {error}", line=line) from None


def _cell(name: str, text: str) -> Any:
    if name == "circumstances":
        return [word.strip() for word in text.split(";") if word.strip()]
    if text.lower() in _YES | _NO and name in FLAGS:
        return text.lower() in _YES
    return text
