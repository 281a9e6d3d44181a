"""Decide a county's households: amount and reasons for each, and what follows: awards, top-ups, lapsed proposals, recovery cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain import floors, standard
from relief.domain import playbook as playbooks_
from relief.domain.days import add_working_days, beijing_day
from relief.domain.entitlement import Verdict
from relief.domain.entitlement import decide as entitle
from relief.domain.errors import Conflict, Unavailable
from relief.domain.facts import FAMILY_CODES, Facts
from relief.domain.facts import facts as as_facts
from relief.domain.grouping import Index
from relief.domain.guard import giving_way
from relief.domain.money import split
from relief.domain.playbook import Aid, Playbook
from relief.domain.policy import Actor, require
from relief.domain.signing import signing
from relief.domain.snapshot import Alike, alike
from relief.domain.standard import Figures
from relief.services import adopted, refer
from relief.store import activations, audits, awards, db, decisions, economic_checks, facts, guards, playbooks, recoveries, standards
from relief.store.activations import Activation, Band
from relief.store.awards import Part, Signed, Terms
from relief.store.db import Tx
from relief.store.decisions import Outcomes, Pins
from relief.store.facts import UNLOCATED
from relief.store.guards import Entitlement

#: A recovery case is to be answered within this many working days.
CASE_WORKING_DAYS: Final = 10


class Sum(msgspec.Struct, frozen=True):
    """A number of households and their money in fen."""

    count: int
    amount_fen: int


class Decided(msgspec.Struct, frozen=True):
    """What a run found. All up to `by_reason` is the same when it is run again; the rest is what the run changed.

    `granted` and `refused` count households (granted: at least one aid); `unlocated` ones wait for their place in the zone. `new_awards`
    holds first awards and top-ups; `lapsed` awards were proposed on a decision that another one took the place of; `recoveries` are
    cases opened because less is granted now than was approved; `unverified` names figures used that nobody compared with a document.
    """

    households: int
    granted: int
    refused: int
    unlocated: int
    by_aid: dict[str, Sum]
    by_reason: dict[str, int]
    new_decisions: int
    new_awards: dict[str, Sum]
    lapsed: int = 0
    released: int = 0
    recoveries: Sum = Sum(0, 0)
    unverified: list[str] = []
    referred: dict[str, int] = {}


class _Run(msgspec.Struct, frozen=True):
    """What every step of one run needs."""

    county: str
    act: Activation
    book: Playbook
    figures: Figures
    now: datetime


class _Verdicts(msgspec.Struct, frozen=True):
    """One aid for every household: `place` points into the kinds decided freely, then into the same kinds with the aid held elsewhere."""

    aid: Aid
    place: Index
    free: Verdict
    held: Verdict | None

    @property
    def amounts(self) -> npt.NDArray[np.int64]:
        """Fen by place."""
        return self.free.amount_fen if self.held is None else np.concatenate([self.free.amount_fen, self.held.amount_fen])

    @property
    def reasons(self) -> list[tuple[str, ...]]:
        """Reasons by place."""
        return [v.why(row) for v in (self.free, self.held) if v is not None for row in range(len(v.amount_fen))]


async def decide(tx: Tx, actor: Actor, county: str, activation: UUID, now: datetime, households: Sequence[UUID] | None = None) -> Decided:
    """Decide every located household of the county by this activation (or those named) and let awards follow.

    A new decision is written only where amount, reasons or facts differ from the current one. Who is granted more than was approved gets
    the difference proposed; a proposal whose decision was superseded lapses; where less is granted than was approved a recovery case is
    opened and money still here is held. Nothing approved or paid changes by itself. Conflict where the county has not activated; Invalid
    where a figure has no amount; Unavailable when another county guarded one of the same people at this very moment.
    """
    require(actor, "household.decide", county)
    return await run(tx, actor, county, activation, now, households)


async def run(tx: Tx, actor: Actor, county: str, activation: UUID, now: datetime, households: Sequence[UUID] | None = None) -> Decided:
    """`decide` for services that have asked for the right already."""
    part = await activations.lock_part_of(tx, county, activation)
    if part is None or part.status != "active":
        raise Conflict("not_active", "本县尚未启动 · this county has not activated", county=county)
    act = await activations.get_steady(tx, activation)
    book = playbooks_.read((await playbooks.get(tx, act.playbook)).body)
    this = _Run(county, act, book, await figures_of(tx, county, book, now), now)
    bands = await activations.bands(tx, act.zone)
    await economic_checks.refresh(tx, county, households)
    await (decisions.join_sets(tx) if households is None else db.plan_for(tx, len(households)))
    columns = await facts.read(tx, [county], act.incident, act.zone, FAMILY_CODES, households)
    located = columns["rank"] != UNLOCATED
    known = msgspec.structs.replace(
        facts_of(columns, bands, {}), adopted=await adopted.columns(tx, [county], act.incident, book, columns["id"])
    )
    ids, kinds = columns["id"][located], alike(known.take(located))

    excluded = await decisions.exclude(tx, county, activation, now)
    freed = await guards.release_excluded(tx, county, act.incident)
    verdicts, released = await _judge(tx, this, ids, kinds)
    new_decisions = excluded + await _write(tx, this, ids, kinds, verdicts)
    lapsed = await awards.lapse(tx, county, activation)
    made = {v.aid.code: await _propose(tx, this, ids, v) for v in verdicts}
    over = await _over(tx, actor, this)
    referred = await refer.screen(tx, actor, county, act.playbook, book, ids, kinds, now)
    await decisions.join_freely(tx)
    decided = msgspec.structs.replace(
        _count(verdicts, len(ids), int((~located).sum())), new_decisions=new_decisions, new_awards=made, lapsed=len(lapsed),
        released=freed + released, recoveries=over, unverified=sorted(s.key for s in this.figures.unverified), referred=referred,
    )  # fmt: skip
    await audits.add(tx, county, actor, "household.decide", "activation", [activation], now, msgspec.to_builtins(decided))
    return decided


async def figures_of(tx: Tx, county: str, book: Playbook, now: datetime) -> Figures:
    """The figures in force in a county today; Invalid `figure_missing` where one has no amount, `figure_floor` below its floor."""
    found = await standards.in_force(tx, [county], book.figure_keys, beijing_day(now))
    figures = standard.in_force(book.figure_keys, found[county])
    floors.check(book, figures.amounts)
    return figures


def facts_of(columns: Mapping[str, npt.NDArray[Any]], bands: list[Band], held: Mapping[str, npt.NDArray[np.bool_]]) -> Facts:
    """Columns of the store as facts of the domain: the rank of a band becomes its level, anything outside is level 0."""
    levels = np.zeros(max((b.rank for b in bands), default=-1) + 2, np.int16)
    for band in bands:
        levels[band.rank] = band.level
    return as_facts({**columns, "level": levels[np.maximum(columns["rank"], -1)]}, held)


async def _judge(tx: Tx, this: _Run, ids: npt.NDArray[Any], kinds: Alike) -> tuple[list[_Verdicts], int]:
    """Decide every kind of household; then, where somebody is claimed by two households, the kinds again as held elsewhere.

    Who is granted nothing by this rule any more gives its guards back first, so that another household of the same people may have them.
    """
    free, released, found = entitle(this.book, this.figures.amounts, kinds.kinds), 0, []
    rows = kinds.kinds.rows
    for aid in this.book.aids:
        verdict, entitlement = free[aid.code], _entitlement(this.act, aid)
        granted = verdict.granted[kinds.kind]
        lost = await guards.granted_before(tx, this.county, this.act.id, aid.code, ids[~granted].tobytes())
        released += await guards.release(tx, this.county, entitlement, lost)
        losing = giving_way(await guards.contested(tx, this.county, entitlement, ids[granted].tobytes()))
        if losing:
            everyone = msgspec.structs.replace(kinds.kinds, held={aid.code: np.ones(rows, np.bool_)})
            held = entitle(this.book, this.figures.amounts, everyone)[aid.code]
            found.append(_Verdicts(aid, kinds.kind + rows * _among(ids, losing), verdict, held))
        else:
            found.append(_Verdicts(aid, kinds.kind, verdict, None))
    return found, released


async def _write(tx: Tx, this: _Run, ids: npt.NDArray[Any], kinds: Alike, verdicts: Sequence[_Verdicts]) -> int:
    """Keep the figures, then every decision that says something new; how many."""
    pins = Pins(activation=this.act.id, zone=this.act.zone, playbook=this.act.playbook, standards=this.figures.digest())
    await standards.keep_sets(tx, {pins.standards: this.figures.written()})
    written = kinds.written()
    new = 0
    for v in verdicts:
        rows = np.empty(len(ids), np.dtype([("id", "V16"), ("place", ">u4")]))
        rows["id"], rows["place"] = ids, v.place
        snapshots = [text for held in (False, True)[: 1 if v.held is None else 2] for text in kinds.closed(written, v.aid.code, held)]
        outcomes = Outcomes(v.aid.code, rows.tobytes(), v.amounts.tolist(), [" ".join(r) for r in v.reasons], snapshots)
        new += await decisions.write(tx, this.county, outcomes, pins, this.now)
    return new


def _among(ids: npt.NDArray[Any], households: Set[UUID]) -> npt.NDArray[np.bool_]:
    """Which of the packed ids are in the set: by their first eight bytes, then exactly."""
    wanted = {h.bytes for h in households}
    heads = ids.view(">u8")[::2]
    found = np.isin(heads, np.array([int.from_bytes(w[:8], "big") for w in wanted], np.uint64))
    found[found] = [i.tobytes() in wanted for i in ids[found]]
    return found


async def _propose(tx: Tx, this: _Run, ids: npt.NDArray[Any], verdicts: _Verdicts) -> Sum:
    """Guard everybody granted in this run, then propose to each of them what goes beyond what was approved."""
    aid, entitlement = verdicts.aid, _entitlement(this.act, verdicts.aid)
    granted = ids[verdicts.amounts[verdicts.place] > 0].tobytes()
    await guards.take(tx, this.county, entitlement, granted)
    if await guards.foreign(tx, this.county, entitlement, granted):
        raise Unavailable("guard_race", "另一县正在核定同一人，请重试 · another county is deciding the same person, try again")
    terms = Terms(
        incident=this.act.incident, activation=this.act.id, aid=aid.code, mode=aid.mode, period=aid.period, to_person=aid.payee == "person"
    )  # fmt: skip
    amounts = verdicts.amounts.tolist()
    parts = [*parts_of(aid, amounts), *top_up_parts(aid, await awards.beyond(tx, this.county, terms))]
    made = await awards.propose(tx, this.county, terms, list(dict.fromkeys(parts)), _signers(this, aid, amounts), granted, this.now)
    return Sum(count=made.awards, amount_fen=made.amount_fen)


async def _over(tx: Tx, actor: Actor, this: _Run) -> Sum:
    """Cases for what is approved beyond what is granted now; cases of decisions that were superseded end."""
    await recoveries.close_outdated(tx, this.county, this.act.id, actor.id, this.now)
    due = add_working_days(beijing_day(this.now), CASE_WORKING_DAYS)
    opened = await recoveries.propose(tx, this.county, this.act.id, actor.id, this.now, due)
    return Sum(count=len(opened), amount_fen=sum(c.amount_fen for c in opened))


def parts_of(aid: Aid, amounts: Sequence[int]) -> list[Part]:
    """The instalments of every distinct amount, by largest remainder; a part of nothing (amounts of a few fen) is no instalment."""
    shares = [s.share_bp for s in aid.stages]
    return [
        Part(total_fen=total, reached=0, seq=seq, part_fen=part, condition=stage.condition)
        for total in sorted(set(amounts) - {0})
        for seq, (stage, part) in enumerate(zip(aid.stages, split(total, shares), strict=True), start=1)
        if part > 0
    ]


def top_up_parts(aid: Aid, amounts: Sequence[int]) -> list[Part]:
    """The instalments of a difference, by how far the first award has come: what its stages have reached is one part that waits for nothing,
    the later stages keep their number and what they wait for, so that no stage is proven twice."""
    shares = [s.share_bp for s in aid.stages]
    parts = parts_of(aid, amounts)
    for total in sorted(set(amounts) - {0}):
        by_stage = split(total, shares)
        for reached in range(1, len(shares) + 1):
            parts.append(Part(total, reached, 1, sum(by_stage[:reached]), "none"))
            for seq in range(reached, len(shares)):
                parts.append(Part(total, reached, seq + 1, by_stage[seq], aid.stages[seq].condition))
    return [p for p in parts if p.part_fen > 0]


def _signers(this: _Run, aid: Aid, amounts: Sequence[int]) -> list[Signed]:
    who = {fen: signing(aid, this.figures.amounts, fen) for fen in sorted(set(amounts) - {0})}
    return [Signed(fen, s.office, s.needed, s.delegated) for fen, s in who.items()]


def _entitlement(act: Activation, aid: Aid) -> Entitlement:
    return Entitlement(incident=act.survivor or act.incident, aid=aid.code, period=aid.period, guard=aid.guard)


def _count(verdicts: Sequence[_Verdicts], households: int, unlocated: int) -> Decided:
    granted = np.zeros(households, np.bool_)
    reasons: Counter[str] = Counter()
    by_aid = {}
    for v in verdicts:
        amounts = v.amounts[v.place]
        granted |= amounts > 0
        by_aid[v.aid.code] = Sum(count=int((amounts > 0).sum()), amount_fen=int(amounts.sum()))
        for codes, rows in zip(v.reasons, np.bincount(v.place, minlength=len(v.amounts)).tolist(), strict=True):
            if rows:
                reasons.update(dict.fromkeys(codes, rows))
    return Decided(
        households=households,
        granted=int(granted.sum()),
        refused=households - int(granted.sum()),
        unlocated=unlocated,
        by_aid=by_aid,
        by_reason=dict(sorted(reasons.items())),
        new_decisions=0,
        new_awards={},
    )
