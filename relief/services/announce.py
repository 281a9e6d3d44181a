"""公示: a village's list is drafted, posted with a photo of it on the board, and reported by the township once its days are over.

An award whose playbook wants this before its money is not approved without it (see `approve`). One that is objected to waits alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from uuid import UUID, uuid4

import msgspec

from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import Actor, require
from relief.domain.review import FEWEST, MINUTES, last_day, may_be_listed, over, said
from relief.domain.sealing import Keys
from relief.services.approve import digest_of
from relief.services.keep import Given, keep
from relief.store import audits, db, notices, reviews
from relief.store.db import Tx
from relief.store.notices import Draft, Standing, Terms


class Drafted(msgspec.Struct, frozen=True):
    """Lists that were drafted, how many households stand on them, and how many still wait for the villagers' review or were opposed."""

    notices: list[UUID]
    households: int
    waiting: int


class Minutes(msgspec.Struct, frozen=True):
    """评议记录 of one meeting: who was for and who against which award; `photo` of the signed sheet."""

    activation: UUID
    aid: str
    held_on: date
    participants: int
    words: str
    supported: Sequence[UUID]
    opposed: Sequence[UUID] = ()
    photo: bytes | None = None


async def deliberate(tx: Tx, actor: Actor, county: str, given: Minutes, now: datetime, keys: Keys) -> UUID:
    """Write down the review of one village. Conflict where an award is not proposed any more, or lies in another village."""
    wanted = [*given.supported, *given.opposed]
    found = await reviews.proposed(tx, county, given.activation, given.aid, wanted)
    villages = {f.village for f in found}
    if not wanted or len(set(wanted)) != len(wanted) or len(found) != len(wanted) or len(villages) != 1:
        raise Conflict("review_list", "名单有变化或不属同一村，请刷新 · the list has changed, or is not of one village; refresh")
    [village] = villages
    require(actor, "review.record", village)
    _held(given, beijing_day(now))
    id_, photo = uuid4(), None
    if given.photo is not None:
        [photo] = await keep(tx, actor, county, [Given("review_record", village, given.photo)], now, keys)
    sealed = keys.seal("review", id_, "sealed", said(given.words, "minutes", MINUTES).encode())
    verdicts = [*((a, True) for a in given.supported), *((a, False) for a in given.opposed)]
    new = reviews.New(id_, given.activation, given.aid, village, given.held_on, given.participants, sealed, photo, verdicts)
    await reviews.add(tx, county, new, actor.person, now)
    await audits.add(tx, county, actor, "review.record", "award", wanted, now, {"opposed": len(given.opposed)})
    return id_


def _held(given: Minutes, today: date) -> None:
    if given.participants < FEWEST:
        raise Invalid("participants", f"评议须至少{FEWEST}人参加 · a review has at least {FEWEST} participants", field="participants")
    if given.held_on > today:
        raise Invalid("held_on", "评议日期不能在今天之后 · the meeting cannot be after today", field="held_on")


async def draft(tx: Tx, actor: Actor, county: str, activation: UUID, aid: str, area: str, now: datetime) -> Drafted:
    """One list for each village of an area, of everybody who stands on none yet and has passed the review where one is asked for."""
    require(actor, "notice.post", area)
    found = await notices.candidates(tx, county, activation, aid, area)
    ready = [c for c in found if may_be_listed(c.review, c.supported, c.disputed)]
    lists = []
    for village, group in groupby(ready, key=lambda c: c.village):
        rows = [(c.id, c.household, c.amount_fen) for c in group]
        lists.append(Draft(uuid4(), village, digest_of([(a, fen) for a, _, fen in rows]), rows))
    if lists:
        await db.plan_for(tx, len(ready))
        terms = Terms(ready[0].incident, activation, aid, ready[0].notice, ready[0].notice_days)
        await notices.draft(tx, county, terms, lists, actor.person, now)
        await audits.add(tx, county, actor, "notice.draft", "notice", [d.id for d in lists], now, {"awards": len(ready)})
    return Drafted([d.id for d in lists], len(ready), len(found) - len(ready))


async def post(tx: Tx, actor: Actor, county: str, photos: Mapping[UUID, bytes], now: datetime, keys: Keys) -> dict[UUID, date]:
    """Say that these lists hang in their villages, each with a photo of it; the last day to object of each."""
    found = await _mine(tx, actor, "notice.post", county, list(photos))
    _only(found, "drafted")
    kept = await _photos(tx, actor, county, found, photos, now, keys)
    ends = {n.id: last_day(beijing_day(now), n.days) for n in found}
    await notices.post(tx, county, [(i, kept[i], ends[i]) for i in ends], actor.person, now)
    await audits.add(tx, county, actor, "notice.post", "notice", list(ends), now)
    return ends


async def report(tx: Tx, actor: Actor, county: str, photos: Mapping[UUID, bytes], opinion: str, now: datetime, keys: Keys) -> int:
    """乡镇审核上报: the days are over; the lists go to the county with a photo from the last day and the township's opinion. How many.

    Refused `own_notice` for whoever posted one of them, Conflict `notice_running` before the last day is over.
    """
    found, today = await _mine(tx, actor, "notice.report", county, list(photos)), beijing_day(now)
    _only(found, "posted")
    if any(n.posted_by == actor.id for n in found):
        raise Refused("own_notice", "公示由您本人张贴，须由他人审核上报 · you posted it yourself; somebody else reports it")
    if running := [n.ends_on for n in found if n.ends_on is not None and not over(n.ends_on, today)]:
        raise Conflict("notice_running", f"公示期至 {max(running)}，期满后再上报 · the notice runs until {max(running)}")
    text = said(opinion, "opinion")
    kept = await _photos(tx, actor, county, found, photos, now, keys)
    rows = [(n.id, kept[n.id], keys.seal("notice", n.id, "sealed", text.encode())) for n in found]
    await notices.report(tx, county, rows, actor.person, now, today)
    await audits.add(tx, county, actor, "notice.report", "notice", [n.id for n in found], now)
    return len(found)


async def withdraw(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], reason: str, now: datetime) -> int:
    """Take lists back that are wrong; a new one is drafted instead. What was objected to stays."""
    found = await _mine(tx, actor, "notice.post", county, ids)
    said(reason, "reason")
    if await notices.withdraw(tx, county, [n.id for n in found]) != len(found):
        raise _moved_on()
    await audits.add(tx, county, actor, "notice.withdraw", "notice", [n.id for n in found], now)
    return len(found)


async def _photos(
    tx: Tx, actor: Actor, county: str, found: Sequence[Standing], photos: Mapping[UUID, bytes], now: datetime, keys: Keys
) -> dict[UUID, UUID]:
    kept = await keep(tx, actor, county, [Given("notice_photo", n.village, photos[n.id]) for n in found], now, keys)
    return {n.id: photo for n, photo in zip(found, kept, strict=True)}


async def _mine(tx: Tx, actor: Actor, action: str, county: str, ids: Sequence[UUID]) -> list[Standing]:
    found = await notices.lock(tx, county, sorted(set(ids)))
    if not found or len(found) != len(set(ids)):
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, action, {n.village for n in found})
    return found


def _only(found: Sequence[Standing], status: str) -> None:
    if any(n.status != status for n in found):
        raise _moved_on()


def _moved_on() -> Conflict:
    return Conflict("moved_on", "部分公示已变化，请刷新 · some notices have moved on, refresh")
