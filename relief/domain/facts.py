"""What is known about households, as columns: one household is a column of length one, a million are the same call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain.household import FAMILY_TYPES

Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]

#: The code of a family type in the column `family` is its place here.
FAMILY_CODES: Final = tuple(FAMILY_TYPES)


class Facts(msgspec.Struct, frozen=True):
    """Columns of one length. `level` is the level of the band a household lies in (intensity 6…12), 0 outside every band.

    `held` names, per aid, the households of which some person already has that aid through another household.
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
    held: Mapping[str, Bools] = {}

    @property
    def rows(self) -> int:
        """How many households."""
        return len(self.level)


def _family(code: int) -> Callable[[Facts], Bools]:
    return lambda f: f.family == code


#: Everything a gate of a playbook may ask of a household, by name.
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
    **{f"family.{name}": _family(code) for code, name in enumerate(FAMILY_CODES)},
}
