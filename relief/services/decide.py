"""Decide a county's households: amount and reasons for each, and a proposed award for everyone newly entitled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain import playbook as playbooks_
from relief.domain import standard
from relief.domain.days import beijing_day
from relief.domain.entitlement import Verdict
from relief.domain.entitlement import decide as entitle
from relief.domain.errors import Conflict, Unavailable
from relief.domain.facts import FAMILY_CODES, Facts
from relief.domain.facts import facts as as_facts
from relief.domain.guard import giving_way
from relief.domain.money import split
from relief.domain.playbook import Aid, Playbook
from relief.domain.policy import Actor, require
from relief.domain.standard import Figures
from relief.store import activations, audits, awards, decisions, facts, guards, playbooks, standards
from relief.store.activations import Activation, Band
from relief.store.awards import Part, Terms
from relief.store.db import Tx
from relief.store.decisions import Outcomes, Pins
from relief.store.facts import UNLOCATED, Columns
from relief.store.guards import Entitlement


class Sum(msgspec.Struct, frozen=True):
    """A number of households and their money in fen."""

    count: int
    amount_fen: int


class Decided(msgspec.Struct, frozen=True):
    """What a run found. All but `new_decisions` and `new_awards` are the same when it is run again.

    `granted` and `refused` count households (granted: at least one aid); `unlocated` ones wait for their place in the zone.
    """

    households: int
    granted: int
    refused: int
    unlocated: int
    by_aid: dict[str, Sum]
    by_reason: dict[str, int]
    new_decisions: int
    new_awards: dict[str, Sum]


async def decide(tx: Tx, actor: Actor, county: str, activation: UUID, now: datetime) -> Decided:
    """Decide every located household of the county by this activation and propose awards to those who have none yet.

    Nothing is ever withdrawn here: whoever a new zone leaves out keeps award and money. Conflict where the county has not activated;
    Invalid where a figure has no amount; Unavailable when another county guarded one of the same people at this very moment.
    """
    require(actor, "household.decide", county)
    part = await activations.lock_part_of(tx, county, activation)
    if part is None or part.status != "active":
        raise Conflict("not_active", "本县尚未启动 · this county has not activated", county=county)
    act = await activations.get_steady(tx, activation)
    book = playbooks_.read((await playbooks.get(tx, act.playbook)).body)
    figures = await figures_of(tx, county, book, now)
    bands = await activations.bands(tx, act.zone)
    await decisions.join_sets(tx)
    columns = await facts.read(tx, [county], act.incident, act.zone, FAMILY_CODES)
    located = columns["rank"] != UNLOCATED
    known = {name: column[located] for name, column in columns.items()}

    verdicts = await _decide(tx, county, act, book, figures, known, bands)
    pins = Pins(activation=activation, zone=act.zone, playbook=act.playbook, standards=figures.digest())
    new_decisions, made = 0, {}
    for aid in book.aids:
        verdict = verdicts[aid.code]
        new_decisions += await decisions.write(tx, county, _pack(aid.code, verdict, known), pins, now)
        made[aid.code] = await _propose(tx, county, act, aid, verdict, known, now)
    await decisions.join_freely(tx)
    decided = _count(verdicts, int(located.sum()), int((~located).sum()), new_decisions, made)
    await audits.add(tx, county, actor, "household.decide", "activation", [activation], now, msgspec.to_builtins(decided))
    return decided


async def figures_of(tx: Tx, county: str, book: Playbook, now: datetime) -> Figures:
    """The figures in force in a county today; Invalid `figure_missing` where one has no amount."""
    found = await standards.in_force(tx, [county], book.figure_keys, beijing_day(now))
    return standard.in_force(book.figure_keys, found[county])


def facts_of(columns: Columns, bands: list[Band], held: Mapping[str, npt.NDArray[np.bool_]]) -> Facts:
    """Columns of the store as facts of the domain: the rank of a band becomes its level, anything outside is level 0."""
    levels = np.zeros(max((b.rank for b in bands), default=-1) + 2, np.int16)
    for band in bands:
        levels[band.rank] = band.level
    return as_facts({**columns, "level": levels[np.maximum(columns["rank"], -1)]}, held)


async def _decide(
    tx: Tx, county: str, act: Activation, book: Playbook, figures: Figures, columns: Columns, bands: list[Band]
) -> dict[str, Verdict]:
    """Once without guards; then once more where somebody is claimed by two households."""
    verdicts = entitle(book, figures.amounts, facts_of(columns, bands, {}))
    held: dict[str, npt.NDArray[np.bool_]] = {}
    for aid in book.aids:
        candidates = columns["id"][verdicts[aid.code].granted].tobytes()
        claims = await guards.contested(tx, county, _entitlement(act, aid), candidates)
        if losing := giving_way(claims):
            held[aid.code] = _among(columns["id"], losing)
    return entitle(book, figures.amounts, facts_of(columns, bands, held)) if held else verdicts


def _among(ids: npt.NDArray[Any], households: Set[UUID]) -> npt.NDArray[np.bool_]:
    """Which of the packed ids are in the set: by their first eight bytes, then exactly."""
    wanted = {h.bytes for h in households}
    heads = ids.view(">u8")[::2]
    found = np.isin(heads, np.array([int.from_bytes(w[:8], "big") for w in wanted], np.uint64))
    found[found] = [i.tobytes() in wanted for i in ids[found]]
    return found


async def _propose(tx: Tx, county: str, act: Activation, aid: Aid, verdict: Verdict, columns: Columns, now: datetime) -> Sum:
    """Guard everybody granted in this run, then propose an award to those of them who have none."""
    granted = columns["id"][verdict.granted].tobytes()
    entitlement = _entitlement(act, aid)
    await guards.take(tx, county, entitlement, granted)
    if await guards.foreign(tx, county, entitlement, granted):
        raise Unavailable("guard_race", "另一县正在核定同一人，请重试 · another county is deciding the same person, try again")
    terms = Terms(incident=act.incident, activation=act.id, aid=aid.code, mode=aid.mode, period=aid.period)
    made = await awards.propose(tx, county, terms, parts_of(aid, verdict.outcomes()[1]), granted, now)
    return Sum(count=made.awards, amount_fen=made.amount_fen)


def parts_of(aid: Aid, amounts: Sequence[int]) -> list[Part]:
    """The instalments of every distinct amount, by largest remainder; a part of nothing (amounts of a few fen) is no instalment."""
    shares = [s.share_bp for s in aid.stages]
    return [
        Part(total_fen=total, seq=seq, part_fen=part, condition=stage.condition)
        for total in sorted(set(amounts) - {0})
        for seq, (stage, part) in enumerate(zip(aid.stages, split(total, shares), strict=True), start=1)
        if part > 0
    ]


def _entitlement(act: Activation, aid: Aid) -> Entitlement:
    return Entitlement(incident=act.survivor or act.incident, aid=aid.code, period=aid.period, guard=aid.guard)


def _pack(aid: str, verdict: Verdict, columns: Columns) -> Outcomes:
    index, amounts, reasons = verdict.outcomes()
    rows = np.empty(len(index), np.dtype([("id", "V16"), ("adults_place", ">u4")]))
    rows["id"] = columns["id"]
    rows["adults_place"] = columns["adults"].astype(np.uint32) << 24 | index.astype(np.uint32)
    return Outcomes(aid=aid, packed=rows.tobytes(), amounts=amounts, reasons=[" ".join(r) for r in reasons])


def _count(verdicts: Mapping[str, Verdict], households: int, unlocated: int, new_decisions: int, made: dict[str, Sum]) -> Decided:
    granted = np.zeros(households, np.bool_)
    reasons: Counter[str] = Counter()
    for verdict in verdicts.values():
        granted |= verdict.granted
        reasons += verdict.count_reasons()
    return Decided(
        households=households,
        granted=int(granted.sum()),
        refused=households - int(granted.sum()),
        unlocated=unlocated,
        by_aid={a: Sum(count=int(v.granted.sum()), amount_fen=int(v.amount_fen.sum())) for a, v in verdicts.items()},
        by_reason=dict(sorted(reasons.items())),
        new_decisions=new_decisions,
        new_awards=made,
    )
