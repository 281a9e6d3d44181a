"""What an activation would do, before anybody signs it: people and money by band, county and aid; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from geo import locate
from relief.domain import playbook as playbooks_
from relief.domain import standard
from relief.domain.days import beijing_day
from relief.domain.entitlement import Verdict, decide
from relief.domain.errors import NotFound
from relief.domain.facts import FAMILY_CODES
from relief.domain.policy import Actor, require
from relief.services.decide import facts_of
from relief.store import activations, facts, playbooks, standards
from relief.store.activations import Band, County
from relief.store.db import Tx
from relief.store.facts import UNLOCATED, Columns

#: How many of the largest households are shown.
LARGEST: Final = 10


class Line(msgspec.Struct, frozen=True):
    """One county × band × aid: those who would be given something. Money in fen; `rank` -1 never appears, nothing is given there."""

    county: str
    rank: int
    label: str
    aid: str
    households: int
    people: int
    amount_fen: int


class Sufficiency(msgspec.Struct, frozen=True):
    """Need of a county for an aid against what its funds for that aid have available (fen)."""

    county: str
    aid: str
    need_fen: int
    available_fen: int

    @property
    def short_fen(self) -> int:
        """What is lacking."""
        return max(0, self.need_fen - self.available_fen)


class Unverified(msgspec.Struct, frozen=True):
    """A figure in use that nobody has compared with its document: a placeholder until then."""

    key: str
    area: str
    amount_fen: int
    valid_from: date
    document: str


class Large(msgspec.Struct, frozen=True):
    """One of the largest households: all aids together, in fen."""

    county: str
    household: UUID
    members: int
    amount_fen: int


class Preview(msgspec.Struct, frozen=True):
    """The dry run. `registered` households were looked at, of which `outside` lie outside every band; `households` would get something."""

    registered: int
    outside: int
    households: int
    people: int
    amount_fen: int
    lines: list[Line]
    funds: list[Sufficiency]
    unverified: list[Unverified]
    without_account: dict[str, int]
    largest: list[Large]


async def preview(tx: Tx, actor: Actor, incident: UUID, zone: UUID, playbook: UUID, now: datetime) -> Preview:
    """Run the playbook over everybody registered in the zone's counties that the caller may see, located or not; write nothing.

    Raises NotFound for a zone of another incident, Invalid where the playbook does not fit or a figure has no amount.
    """
    if (await activations.zone(tx, zone)).incident != incident:
        raise NotFound("zone_unknown", "该灾害没有此灾区范围 · this incident has no such zone")
    touched = await activations.counties(tx, zone)
    seen = [c for c in touched if actor.may("activation.preview", c.county)]
    if not seen:
        require(actor, "activation.preview", [c.county for c in touched] or [(await activations.incident(tx, incident)).county])
    codes = [c.county for c in seen]
    book = playbooks_.read((await playbooks.get(tx, playbook)).body)
    bands = await activations.bands(tx, zone)
    found = await standards.in_force(tx, codes, book.figure_keys, beijing_day(now))
    columns = _located(await facts.read(tx, codes, incident, zone, FAMILY_CODES), bands)

    known = facts_of(columns, bands, {})
    parts = {c: columns["county"] == int(c) for c in codes}
    verdicts: dict[str, dict[str, Verdict]] = {}
    figures = {c: standard.in_force(book.figure_keys, found[c]) for c in codes}
    for code, rows in parts.items():
        verdicts[code] = decide(book, figures[code].amounts, known.take(rows))
    available = {(a.county, a.purpose): a.available_fen for a in await activations.available(tx, codes, incident)}
    total = np.zeros(known.rows, np.int64)
    for code, rows in parts.items():
        total[rows] = sum(v.amount_fen for v in verdicts[code].values())
    return Preview(
        registered=known.rows,
        outside=int((known.level == 0).sum()),
        households=int((total > 0).sum()),
        people=int(known.members[total > 0].sum()),
        amount_fen=int(total.sum()),
        lines=[
            line
            for c in seen
            for line in _lines(c, bands, columns["rank"][parts[c.county]], columns["members"][parts[c.county]], verdicts[c.county])
        ],
        funds=_funds(verdicts, available),
        unverified=_unverified(figures),
        without_account={c.county: c.households for c in await facts.without_account(tx, codes, incident)},
        largest=_largest(columns, total),
    )


def _located(columns: Columns, bands: Sequence[Band]) -> Columns:
    """Fill in the ranks of households nobody has located in this zone yet."""
    missing = columns["rank"] == UNLOCATED
    if not missing.any():
        return columns
    position, near = locate.ranks(
        [b.geometry for b in bands], columns["lon"][missing], columns["lat"][missing], columns["accuracy_m"][missing]
    )
    rank, edge = columns["rank"].copy(), columns["edge"].copy()
    rank[missing] = np.array([*(b.rank for b in bands), -1], rank.dtype)[position]
    edge[missing] = near
    return {**columns, "rank": rank, "edge": edge}


def _lines(
    county: County, bands: Sequence[Band], rank: npt.NDArray[np.int16], members: npt.NDArray[np.int16], verdicts: Mapping[str, Verdict]
) -> list[Line]:
    lines = []
    for band in bands:
        for aid, verdict in verdicts.items():
            here = (rank == band.rank) & verdict.granted
            if here.any():
                people, amount = int(members[here].sum()), int(verdict.amount_fen[here].sum())
                lines.append(Line(county.county, band.rank, band.label, aid, int(here.sum()), people, amount))
    return lines


def _funds(verdicts: Mapping[str, Mapping[str, Verdict]], available: Mapping[tuple[str, str], int]) -> list[Sufficiency]:
    return [
        Sufficiency(county, aid, int(verdict.amount_fen.sum()), available.get((county, aid), 0))
        for county, aids in verdicts.items()
        for aid, verdict in aids.items()
    ]


def _unverified(figures: Mapping[str, standard.Figures]) -> list[Unverified]:
    placeholders = {s for f in figures.values() for s in f.unverified}
    return [
        Unverified(s.key, s.area, s.amount_fen, s.valid_from, s.document)
        for s in sorted(placeholders, key=lambda s: (s.key, s.area, s.valid_from))
    ]  # fmt: skip


def _largest(columns: Columns, total: npt.NDArray[np.int64]) -> list[Large]:
    first = np.argsort(-total, kind="stable")[:LARGEST]
    return [
        Large(f"{int(columns['county'][i]):06d}", UUID(bytes=columns["id"][i].tobytes()), int(columns["members"][i]), int(total[i]))
        for i in first if total[i] > 0
    ]  # fmt: skip
