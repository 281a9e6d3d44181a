"""What is known about households, as columns: one household is a column of length one, a million are the same call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain.household import CIRCUMSTANCES, FAMILY_TYPES

Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]

#: The code of a family type in the column `family` is its place here.
FAMILY_CODES: Final = tuple(FAMILY_TYPES)


class Facts(msgspec.Struct, frozen=True):
    """Columns of one length. `level` is the level of the band a household lies in (intensity 6…12), 0 outside every band.

    `circumstances` has bit n set for the n-th of `household.CIRCUMSTANCES`. `away`: registered (户籍) in another county than the one it is in.
    `checked`: the newest report of the economic check (核对) on every adult says that the household is within the limits.
    `held` names, per aid, the households of which some person already has that aid through another household; `adopted`, per aid of
    mode C, what the minutes of a meeting adopted for a household (fen, 0 where no meeting did).
    """

    level: Ints
    edge: Bools  # the border of the band is nearer than the point is exact
    members: Ints
    adults: Ints
    dead: Ints
    missing: Ints
    injured: Ints
    rooms_collapsed: Ints
    rooms_severe: Ints
    rooms_moderate: Ints
    relocated: Bools
    only_home: Bools
    occupied: Bools
    family: Ints
    circumstances: Ints
    in_need: Ints
    away: Bools
    checked: Bools
    held: Mapping[str, Bools] = {}
    adopted: Mapping[str, Ints] = {}

    @property
    def rows(self) -> int:
        """How many households."""
        return len(self.level)

    def take(self, rows: Any) -> Facts:
        """The facts of these rows (positions or a mask)."""
        plain = {n: getattr(self, n)[rows] for n in COLUMNS}
        return Facts(
            **plain, held={a: c[rows] for a, c in self.held.items()}, adopted={a: c[rows] for a, c in self.adopted.items()}
        )  # fmt: skip


#: The columns proper: what is read for every household.
COLUMNS: Final = tuple(n for n in Facts.__struct_fields__ if n not in ("held", "adopted"))
#: Columns of truth values.
FLAGS: Final = ("edge", "relocated", "only_home", "occupied", "away", "checked")
#: What a household of which nothing more is said is taken for: what was not asked before these columns came, old decisions do not have.
LATER: Final = ("circumstances", "in_need", "away", "checked")


def facts(columns: Mapping[str, Any], held: Mapping[str, Bools] | None = None, adopted: Mapping[str, Ints] | None = None) -> Facts:
    """Facts from columns that may lack the later ones (`LATER`): those are nothing for everybody."""
    rows = len(columns["level"])
    nothing: dict[str, Any] = {n: np.zeros(rows, np.bool_ if n in FLAGS else np.int32) for n in LATER if n not in columns}
    return Facts(**{n: columns[n] if n in columns else nothing[n] for n in COLUMNS}, held=held or {}, adopted=adopted or {})


def _family(code: int) -> Callable[[Facts], Bools]:
    return lambda f: f.family == code


def _circumstance(bit: int) -> Callable[[Facts], Bools]:
    return lambda f: (f.circumstances & (1 << bit)) != 0


#: Everything a rule of a playbook may ask of a household, by name.
PREDICATES: Final[Mapping[str, Callable[[Facts], Bools]]] = {
    "collapsed": lambda f: f.rooms_collapsed > 0,
    "severe": lambda f: f.rooms_severe > 0,
    "moderate": lambda f: f.rooms_moderate > 0,
    "dead": lambda f: f.dead > 0,
    "missing": lambda f: f.missing > 0,
    "injured": lambda f: f.injured > 0,
    "relocated": lambda f: f.relocated,
    "only_home": lambda f: f.only_home,
    "occupied": lambda f: f.occupied,
    "in_need": lambda f: f.in_need > 0,
    "away": lambda f: f.away,
    "checked": lambda f: f.checked,
    "no_adult": lambda f: f.adults == 0,
    **{f"family.{name}": _family(code) for code, name in enumerate(FAMILY_CODES)},
    **{name: _circumstance(bit) for bit, name in enumerate(CIRCUMSTANCES)},
}

#: What an amount may be multiplied by (`rules.Quantity`).
QUANTITIES: Final[Mapping[str, Callable[[Facts], Ints]]] = {
    "person": lambda f: f.members,
    "household": lambda f: np.ones(f.rows, np.int16),
    "in_need": lambda f: f.in_need,
    "lost": lambda f: f.dead + f.missing,
    "room_collapsed": lambda f: f.rooms_collapsed,
    "room_damaged": lambda f: f.rooms_severe + f.rooms_moderate,
}
