"""A household looked at again: what is different now. What was said before stays readable."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from relief.domain.errors import Invalid
from relief.domain.household import CIRCUMSTANCES, Circumstance, Count, FamilyType, Relocation, Rooms

Reason = Annotated[str, msgspec.Meta(min_length=2, max_length=500)]


class Known(msgspec.Struct, frozen=True):
    """What decisions ask of a household and an assessment may change, as the register holds it.

    Members are people with papers of their own: who joins or leaves is a matter of registration, not of assessment.
    """

    family_type: FamilyType
    dead: int
    missing: int
    injured: int
    rooms_collapsed: int
    rooms_severe: int
    rooms_moderate: int
    relocated: Relocation
    only_home: bool
    occupied: bool
    circumstances: int
    people_in_need: int


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is different now; None where nothing is."""

    family_type: FamilyType | None = None
    dead: Count | None = None
    missing: Count | None = None
    injured: Count | None = None
    rooms_collapsed: Rooms | None = None
    rooms_severe: Rooms | None = None
    rooms_moderate: Rooms | None = None
    relocated: Relocation | None = None
    only_home: bool | None = None
    occupied: bool | None = None
    circumstances: Annotated[list[Circumstance], msgspec.Meta(max_length=len(CIRCUMSTANCES))] | None = None
    people_in_need: Count | None = None


def apply(before: Known, changes: Changes, members: int) -> Known:
    """The household as it is known now; Invalid where nothing changes or the figures cannot be."""
    said: dict[str, Any] = {n: v for n in changes.__struct_fields__ if (v := getattr(changes, n)) is not None}
    if changes.circumstances is not None:
        said["circumstances"] = sum(1 << n for n, name in enumerate(CIRCUMSTANCES) if name in changes.circumstances)
    after = msgspec.structs.replace(before, **said)
    if after == before:
        raise Invalid("nothing_changed", "与现有情况相同，没有变化 · this is what is known already", field="changes")
    if after.dead + after.missing > members:
        raise Invalid("more_than_members", "遇难失踪人数多于家庭人口 · more dead and missing than members", field="changes.dead")
    if after.people_in_need > members:
        raise Invalid("more_than_members", "需救助人口多于家庭人口 · more people in need than members", field="changes.people_in_need")
    return after
