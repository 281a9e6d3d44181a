"""Nobody is entitled twice: which households give way when a person is claimed by more than one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Protocol
from uuid import UUID


class Claim(Protocol):
    """A household's claim on a person's entitlement; `holder` is the household that already has it."""

    @property
    def household(self) -> UUID: ...
    @property
    def id_hash(self) -> bytes: ...
    @property
    def holder(self) -> UUID | None: ...


def giving_way(claims: Iterable[Claim]) -> set[UUID]:
    """The households that get nothing, given disputed claims ordered by time of receipt (one household's claims together).

    A household gives way when a person of it is held by another, or by an earlier household of the same run that did not itself
    give way: so a repeated run, which finds the earlier one's guards in place, says the same.
    """
    taken: set[bytes] = set()
    out: set[UUID] = set()
    for household, group in groupby(claims, key=lambda c: c.household):
        own = list(group)
        if any(c.holder not in (None, household) or c.id_hash in taken for c in own):
            out.add(household)
        else:
            taken.update(c.id_hash for c in own)
    return out
