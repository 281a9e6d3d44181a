"""What an activation would do, before anybody signs it: people and money from every side; nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from geo import locate
from relief.domain import forecast, standard
from relief.domain import playbook as playbooks_
from relief.domain.days import beijing_day
from relief.domain.entitlement import decide
from relief.domain.errors import NotFound
from relief.domain.facts import FAMILY_CODES, Facts
from relief.domain.forecast import Cell, Longs, Rare, Stage
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor, require
from relief.domain.standard import Figures, Standard
from relief.services import adopted
from relief.services.decide import facts_of
from relief.store import activations, facts, playbooks, standards
from relief.store.activations import Band, County
from relief.store.db import Tx
from relief.store.facts import UNLOCATED, Columns
from relief.store.facts import Repeated as Repeated

#: How many of the largest and of the strangest households are shown.
SHOWN: Final = 10


class Scenario(msgspec.Struct, frozen=True):
    """A zone version, a playbook version, and figures put on top of those in force (drafts whose effect is asked for)."""

    zone: UUID
    playbook: UUID
    figures: tuple[Standard, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One county × band × aid: those who would be given something. Money in fen; `rank` -1 never appears, nothing is given there."""

    county: str
    rank: int
    label: str
    aid: str
    households: int
    people: int
    amount_fen: int


class Category(msgspec.Struct, frozen=True):
    """One county × aid × family type."""

    county: str
    aid: str
    family: str
    households: int
    people: int
    amount_fen: int


class Sufficiency(msgspec.Struct, frozen=True):
    """Need of a county for an aid against its funds for that aid (fen).

    `available_fen` is what nobody has reserved, `committed_fen` what is reserved, in flight or paid already: what is still needed is the
    need less that, and only this has to be found in what is available.
    """

    county: str
    aid: str
    need_fen: int
    available_fen: int
    committed_fen: int = 0

    @property
    def still_fen(self) -> int:
        """What is still needed."""
        return max(0, self.need_fen - self.committed_fen)

    @property
    def short_fen(self) -> int:
        """What is lacking."""
        return max(0, self.still_fen - self.available_fen)


class Unverified(msgspec.Struct, frozen=True):
    """A figure in use that nobody has compared with its document: a placeholder until then."""

    key: str
    area: str
    amount_fen: int
    valid_from: date
    document: str


class Large(msgspec.Struct, frozen=True):
    """One of the largest households: all aids together, in fen. `household` is None where the row was given by hand or in a file."""

    county: str
    household: UUID | None
    members: int
    amount_fen: int
    row: int = 0


class Odd(msgspec.Struct, frozen=True):
    """One of the strangest households: unlike its neighbours in the band (see `forecast.strangest`)."""

    county: str
    household: UUID | None
    row: int
    bits: float
    rare: list[Rare]
    contradictions: list[str]
    amount_fen: int


class Preview(msgspec.Struct, frozen=True):
    """The dry run. `registered` households were looked at, of which `outside` lie outside every band; `households` would get something.

    `categories` are the same money by family type, `stages` by stage and month (None: when the work has come so far). `repeated` counts
    identities, accounts and phones that stand in more than one household.
    """

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
    categories: list[Category] = []
    stages: list[Stage] = []
    strangest: list[Odd] = []
    repeated: list[Repeated] = []

    @property
    def by_month(self) -> dict[str | None, int]:
        """Fen by the month in which they fall due; None for what waits for progress."""
        months: dict[str | None, int] = {}
        for stage in self.stages:
            months[stage.month] = months.get(stage.month, 0) + stage.amount_fen
        return months


class Seen(msgspec.Struct, frozen=True):
    """Households looked at through one scenario: their columns, what each is given (fen by aid), and by which figures (by county)."""

    counties: list[str]
    book: Playbook
    labels: dict[int, str]  # band rank → label
    columns: Mapping[str, npt.NDArray[Any]]
    known: Facts
    weight: Longs
    amounts: dict[str, Longs]
    figures: dict[str, Figures]

    @property
    def total(self) -> Longs:
        """All aids together, per row."""
        none: Longs = np.zeros(self.known.rows, np.int64)
        return sum(self.amounts.values(), none)


async def preview(tx: Tx, actor: Actor, incident: UUID, zone: UUID, playbook: UUID, now: datetime) -> Preview:
    """Run the playbook over everybody registered in the zone's counties that the caller may see, located or not; write nothing.

    Raises NotFound for a zone of another incident, Invalid where the playbook does not fit or a figure has no amount.
    """
    codes = await counties_of(tx, actor, incident, [zone])
    await facts.in_memory(tx)
    seen = await look(tx, codes, incident, Scenario(zone, playbook), now)
    told, weak = await asyncio.gather(asyncio.to_thread(summarise, seen, now), facts.weak(tx, codes, incident))
    return msgspec.structs.replace(
        told,
        funds=funds(seen, await activations.funds(tx, codes, incident)),
        without_account=weak.without_account,
        repeated=weak.repeated,
    )


async def counties_of(tx: Tx, actor: Actor, incident: UUID, zones: Sequence[UUID]) -> list[str]:
    """The counties of these zones that the caller may preview; NotFound where one belongs to another incident, Refused where there is none."""
    touched: dict[str, County] = {}
    for zone in dict.fromkeys(zones):
        if (await activations.zone(tx, zone)).incident != incident:
            raise NotFound("zone_unknown", "该灾害没有此灾区范围 · this incident has no such zone")
        touched |= {c.county: c for c in await activations.counties(tx, zone)}
    seen = sorted(c for c in touched if actor.may("activation.preview", c))
    if not seen:
        require(actor, "activation.preview", list(touched) or [(await activations.incident(tx, incident)).county])
    return seen


async def look(
    tx: Tx, codes: Sequence[str], incident: UUID, scenario: Scenario, now: datetime, columns: Mapping[str, npt.NDArray[Any]] | None = None
) -> Seen:
    """Everybody registered in these counties through one scenario; whoever has no place in the zone yet is located in memory.

    `columns` are those of another look at the same zone, to spare a second reading.
    """
    book = playbooks_.read((await playbooks.get(tx, scenario.playbook)).body)
    bands = await activations.bands(tx, scenario.zone)
    figures = await figures_of(tx, codes, book, now, scenario.figures)
    if columns is None:
        columns = _located(await facts.read(tx, codes, incident, scenario.zone, FAMILY_CODES), bands)
    known = msgspec.structs.replace(facts_of(columns, bands, {}), adopted=await adopted.columns(tx, codes, incident, book, columns["id"]))
    place = np.searchsorted(np.array([int(c) for c in codes], np.int32), columns["county"])
    return Seen(
        counties=list(codes), book=book, labels={b.rank: b.label for b in bands}, columns={**columns, "place": place}, known=known,
        weight=np.ones(known.rows, np.int64), amounts=given(book, figures, codes, place, known), figures=figures,
    )  # fmt: skip


async def figures_of(tx: Tx, codes: Sequence[str], book: Playbook, now: datetime, drafts: Sequence[Standard] = ()) -> dict[str, Figures]:
    """The figures of each county today, as if these drafts were in force."""
    day = beijing_day(now)
    found = await standards.in_force(tx, codes, book.figure_keys, day)
    return {c: standard.in_force(book.figure_keys, standard.laid_over(found[c], drafts, c, day)) for c in codes}


def given(book: Playbook, figures: Mapping[str, Figures], codes: Sequence[str], place: npt.NDArray[Any], known: Facts) -> dict[str, Longs]:
    """What everybody is given by aid, in fen. Counties with the same amounts are one call: mostly that is all of them."""
    alike: dict[tuple[tuple[str, int], ...], list[int]] = {}
    for i, code in enumerate(codes):
        alike.setdefault(tuple(sorted(figures[code].amounts.items())), []).append(i)
    if len(alike) == 1:
        return {aid: v.amount_fen for aid, v in decide(book, dict(next(iter(alike))), known).items()}
    amounts = {aid.code: np.zeros(known.rows, np.int64) for aid in book.aids}
    for these, places in alike.items():
        rows = np.isin(place, places)
        for aid, verdict in decide(book, dict(these), known.take(rows)).items():
            amounts[aid][rows] = verdict.amount_fen
    return amounts


def summarise(seen: Seen, now: datetime) -> Preview:
    """Every breakdown that needs no more than the columns."""
    total, weight = seen.total, seen.weight
    place, rank = seen.columns["place"], seen.columns["rank"]
    table = forecast.cells(place, rank, seen.known, weight, seen.amounts)
    return Preview(
        registered=int(weight.sum()),
        outside=int(weight[seen.known.level == 0].sum()),
        households=int(weight[total > 0].sum()),
        people=int((weight * seen.known.members)[total > 0].sum()),
        amount_fen=int((weight * total).sum()),
        lines=_lines(seen, table),
        funds=[],
        unverified=_unverified(seen.figures),
        without_account={},
        largest=_largest(seen, total),
        categories=_categories(seen, table),
        stages=forecast.stages(seen.book.aids, weight, seen.amounts, now),
        strangest=_strangest(seen, total),
    )


def _located(columns: Columns, bands: Sequence[Band]) -> Columns:
    """Fill in the ranks of households nobody has located in this zone yet."""
    missing = columns["rank"] == UNLOCATED
    if not missing.any():
        return columns
    position, near = locate.ranks([b.geometry for b in bands], columns["lon"], columns["lat"], columns["accuracy_m"])
    rank, edge = columns["rank"].copy(), columns["edge"].copy()
    rank[missing] = np.array([*(b.rank for b in bands), -1], rank.dtype)[position]
    edge[missing] = near
    return {**columns, "rank": rank, "edge": edge}


def _lines(seen: Seen, table: Sequence[Cell]) -> list[Line]:
    sums = _summed(table, lambda c: (c.place, c.rank, c.aid))
    return [Line(seen.counties[place], rank, seen.labels[rank], aid, *sums[place, rank, aid]) for place, rank, aid in sorted(sums)]


def _categories(seen: Seen, table: Sequence[Cell]) -> list[Category]:
    sums = _summed(table, lambda c: (c.place, c.aid, c.family))
    return [Category(seen.counties[place], aid, family, *sums[place, aid, family]) for place, aid, family in sorted(sums)]


def _summed(table: Sequence[Cell], key: Any) -> dict[Any, tuple[int, int, int]]:
    sums: dict[Any, tuple[int, int, int]] = {}
    for c in table:
        households, people, amount = sums.get(key(c), (0, 0, 0))
        sums[key(c)] = households + c.households, people + c.people, amount + c.amount_fen
    return sums


def funds(seen: Seen, money: Sequence[activations.Money]) -> list[Sufficiency]:
    """Need against funds, by county and aid."""
    held = {(f.county, f.purpose): f for f in money}
    found = []
    for aid, amount in seen.amounts.items():
        need = np.bincount(seen.columns["place"], weights=(amount * seen.weight).astype(np.float64), minlength=len(seen.counties))
        for i, county in enumerate(seen.counties):
            fund = held.get((county, aid))
            found.append(Sufficiency(county, aid, int(need[i]), fund.available_fen if fund else 0, fund.committed_fen if fund else 0))
    return sorted(found, key=lambda s: s.county)


def _unverified(figures: Mapping[str, Figures]) -> list[Unverified]:
    placeholders = {s for f in figures.values() for s in f.unverified}
    return [
        Unverified(s.key, s.area, s.amount_fen, s.valid_from, s.document)
        for s in sorted(placeholders, key=lambda s: (s.key, s.area, s.valid_from))
    ]  # fmt: skip


def _largest(seen: Seen, total: Longs) -> list[Large]:
    some = min(SHOWN, len(total))
    first = np.argpartition(-total, some - 1)[:some] if some else np.array([], np.int64)
    first = first[np.lexsort((first, -total[first]))]
    return [Large(*_who(seen, i), int(seen.known.members[i]), int(total[i]), int(i)) for i in first if total[i] > 0]


def _strangest(seen: Seen, total: Longs) -> list[Odd]:
    return [
        Odd(*_who(seen, s.row), s.row, s.bits, s.rare, s.contradictions, int(total[s.row]))
        for s in forecast.strangest(seen.known, seen.weight, SHOWN)
    ]  # fmt: skip


def _who(seen: Seen, row: Any) -> tuple[str, UUID | None]:
    ids = seen.columns.get("id")
    return seen.counties[int(seen.columns["place"][row])], None if ids is None else UUID(bytes=ids[row].tobytes())
