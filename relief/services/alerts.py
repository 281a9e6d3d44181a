"""Alerts come in, act on each other as CAP says, and propose; an officer opens an incident, adds them to one, or dismisses them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
import shapely

from geo import counties
from relief.domain.alert import PATIENCE, Message, Source, Status, birth, signed
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.incident import NewIncident, check_reason
from relief.domain.policy import Actor, require
from relief.services import zoning
from relief.store import alerts, audits, errands, feeds, incidents, regions
from relief.store.alerts import Alert, Placed
from relief.store.db import Tx

#: An entry of a feed is remembered this long; a feed that still shows it later is asked for it again, and it is a repeat.
MEMORY: Final = timedelta(days=14)


class Visit(msgspec.Struct, frozen=True):
    """A feed to be asked now, and what it has told already."""

    source: Source
    known: frozenset[str]


class Received(msgspec.Struct, frozen=True):
    """What came of a visit: new messages, repeats, and other content under a known name."""

    new: int
    repeats: int
    conflicts: int


async def claim(tx: Tx, sources: Sequence[Source], now: datetime, every: timedelta) -> list[Visit]:
    """The feeds whose turn it is; each is one worker's."""
    due = set(await errands.claim(tx, [f"feed {s}" for s in sources], now, every))
    return [Visit(s, await alerts.known(tx, s, now - MEMORY)) for s in sources if f"feed {s}" in due]


async def receive(tx: Tx, messages: Sequence[Message], now: datetime) -> Received:
    """Keep messages once and let them act on each other; also releases what was parked. Nothing is opened here."""
    counts = alerts.Counts(new=0, conflicts=0)
    if messages:
        touched = {m: _touched(m) for m in messages}
        known = await regions.names(tx, sorted({c for codes in touched.values() for c in codes}))
        placed = []
        for message, codes in touched.items():
            here = tuple(c for c in codes if c in known)
            born = birth(message, here[0] if here else None, now)
            placed.append(Placed(message, here[0] if here else None, here, born.status, born.why))
        counts = await alerts.keep(tx, placed, now)
    await alerts.settle(tx, now, PATIENCE)
    return Received(new=counts.new, repeats=len(messages) - counts.new - counts.conflicts, conflicts=counts.conflicts)


async def visited(tx: Tx, source: Source, heard: bool, faults: Sequence[str], now: datetime) -> None:
    """Remember how a visit went, for whoever relies on the feed."""
    await feeds.visited(tx, source, heard, min(faults, default=None), now)


@cache
def _tree() -> Any:
    return shapely.STRtree(counties.load().shapes)


def _touched(message: Message) -> list[str]:
    """County codes, the one it most concerns first: where its point lies, else the first it names."""
    codes = list(message.codes)
    if message.lon is not None and message.lat is not None:
        hits = _tree().query(shapely.Point(message.lon, message.lat), predicate="intersects")
        found = sorted(counties.load().codes[i] for i in hits.tolist())
        codes = [*found[:1], *(c for c in codes if c not in found[:1])]
    return codes


async def open_incident(tx: Tx, actor: Actor, alert: UUID, new: NewIncident, now: datetime) -> UUID:
    """Open the incident an alert proposes; the officer says kind, county and moment, and whether it is a drill.

    Conflict where the alert is not proposed any more, is news of an incident already, or that incident stands (then `attach`). Refused where
    an unsigned one should open a real incident: whoever has verified it opens that by hand.
    """
    (found,) = await _proposed(tx, actor, [alert])
    if found.kind == "cancel" or found.incident is not None:
        raise Conflict(
            "alert_is_news", "该预警属于已有灾害，请归入该灾害 · this is news of an incident; attach it", incident=str(found.incident)
        )
    received = await alerts.body(tx, alert)
    if not new.drill and not signed(received.source, received.body):
        raise Refused(
            "alert_unsigned",
            "没有签名的预警不能直接建立真实灾害：核实后请手工建立，或作为演练建立"
            " · an unsigned alert opens no real incident: verify it and open one by hand, or open a drill",
        )
    made = await zoning.open_incident(tx, actor, new, now)
    await _decide(tx, actor, [found], "accepted", made, None, now)
    return made


async def attach(tx: Tx, actor: Actor, ids: Sequence[UUID], incident: UUID, now: datetime) -> None:
    """These alerts are news of that incident; nothing of it changes by itself.

    Conflict where the incident is closed (`survivor` names the one it was merged into).
    """
    found = await _proposed(tx, actor, ids)
    there = await incidents.lock(tx, incident)
    require(actor, "incident.open", there.county)
    if there.status == "closed":
        survivor = None if there.merged_into is None else str(there.merged_into)
        raise Conflict("incident_closed", "灾害事件已结束，不能归入 · the incident is closed; attach it elsewhere", survivor=survivor)
    await _decide(tx, actor, found, "accepted", incident, None, now)


async def dismiss(tx: Tx, actor: Actor, ids: Sequence[UUID], reason: str, now: datetime) -> None:
    """Nothing to be done, and why. What was dismissed is not proposed again; a later update of it is."""
    said = check_reason(reason)
    await _decide(tx, actor, await _proposed(tx, actor, ids), "dismissed", None, said, now)


async def close_conflicts(tx: Tx, actor: Actor, ids: Sequence[UUID], answer: str, now: datetime) -> None:
    """Somebody has looked at two contents of one name."""
    _anywhere(actor)
    if await alerts.close_conflicts(tx, ids, actor.person, now, check_reason(answer)) != len(set(ids)):
        raise Conflict("case_closed", "有案件不存在或已办结 · a case does not exist or is closed already")
    await audits.add(tx, audits.SHARED, actor, "alert.conflict", "alert", ids, now)


async def waiting(tx: Tx, actor: Actor) -> list[Alert]:
    """What is proposed where this actor may open incidents."""
    return await alerts.waiting(tx, [""] if actor.id is None else actor.areas("incident.open"))


async def _proposed(tx: Tx, actor: Actor, ids: Sequence[UUID]) -> list[Alert]:
    found = await alerts.lock(tx, ids)
    if {a.id for a in found} != set(ids):
        raise Invalid("alert_unknown", "没有该预警 · there is no such alert")
    require(actor, "incident.open", {a.area for a in found if a.area is not None})
    if any(a.area is None for a in found):
        _anywhere(actor)
    if gone := sorted({a.status for a in found} - {"proposed"}):
        raise Conflict("alert_moved", "预警已处理或不供处理 · the alert is not waiting for a decision", status=gone)
    return found


def _anywhere(actor: Actor) -> None:
    if actor.id is not None and not actor.areas("incident.open"):
        raise Refused("not_permitted", "您没有此项权限 · you do not hold this right")


async def _decide(
    tx: Tx, actor: Actor, found: Sequence[Alert], target: Status, incident: UUID | None, reason: str | None, now: datetime
) -> None:
    ids = [a.id for a in found]
    if await alerts.decide(tx, ids, target, incident, actor.person, now, reason) != len(ids):
        raise Conflict("alert_moved", "预警已处理 · the alert was decided in the meantime")
    detail = {"incident": None if incident is None else str(incident)}
    await audits.add(tx, audits.SHARED, actor, f"alert.{target}", "alert", ids, now, detail)
