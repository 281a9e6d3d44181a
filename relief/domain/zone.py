"""A zone version and what changes when another takes its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from uuid import UUID

import msgspec

from relief.domain.errors import Invalid
from relief.domain.population import Population

MAX_TEXT = 200


class NewZone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says about a version: its title, and why it was drawn."""

    title: str
    reason: str


def check(new: NewZone) -> None:
    """Both texts are there, short, and printable."""
    for text in (new.title, new.reason):
        check_text(text)


def check_text(text: str) -> None:
    """A title or a reason: there, short, printable."""
    if not 1 <= len(text.strip()) <= MAX_TEXT or any(unicodedata.category(c).startswith("C") for c in text):
        raise Invalid("zone_text", f"标题和理由须为1至{MAX_TEXT}个字 · title and reason need 1–{MAX_TEXT} printable characters")


class Area(msgspec.Struct, frozen=True):
    """A county's code and name."""

    code: str
    name: str


class BandMove(msgspec.Struct, frozen=True):
    """Households of one county that go from one band to another; a rank of -1 and a level of None mean outside every band."""

    county: str
    old_rank: int
    old_level: int | None
    new_rank: int
    new_level: int | None
    households: int


class Difference(msgspec.Struct, frozen=True):
    """Old version against new: areas in km², counties, and every household's move (those that stay are counted too)."""

    old: UUID
    new: UUID
    old_km2: float
    new_km2: float
    gained_km2: float
    lost_km2: float
    counties_in: list[Area]
    counties_out: list[Area]
    moves: list[BandMove]

    @property
    def came_in(self) -> Mapping[str, int]:
        """County → households that were outside and are inside now."""
        return self._by_county(entering=True)

    @property
    def went_out(self) -> Mapping[str, int]:
        """County → households that were inside and are outside now. What they were paid they keep."""
        return self._by_county(entering=False)

    @property
    def households_in(self) -> int:
        """How many came in, over all counties."""
        return sum(self.came_in.values())

    @property
    def households_out(self) -> int:
        """How many went out, over all counties."""
        return sum(self.went_out.values())

    def _by_county(self, *, entering: bool) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for m in self.moves:
            if (m.old_rank < 0) is entering and (m.new_rank < 0) is not entering:
                found[m.county] = found.get(m.county, 0) + m.households
        return found


class Moved(msgspec.Struct, frozen=True):
    """The households of one county behind the counts."""

    came_in: list[UUID]
    went_out: list[UUID]


class Overlaid(msgspec.Struct, frozen=True):
    """A county under a zone: km² and share of its area inside; its registered households by band rank, -1 outside every band; and the
    people who live in it, where somebody has given the figure."""

    county: str
    name: str
    area_km2: float
    share: float
    by_rank: dict[int, int]
    population: Population | None = None

    @property
    def people_inside(self) -> int | None:
        """About how many people live inside, by area; None where nobody has given the county's population."""
        return None if self.population is None else self.population.inside(self.share)

    @property
    def registered(self) -> int:
        """Registered households of the county."""
        return sum(self.by_rank.values())

    @property
    def inside(self) -> int:
        """Those in some band."""
        return self.registered - self.by_rank.get(-1, 0)
