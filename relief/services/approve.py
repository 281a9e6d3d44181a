"""Approve awards in bulk: one signature over exactly what was shown, funds reserved in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import playbook
from relief.domain.days import add_working_days, beijing_day
from relief.domain.errors import Conflict, Refused
from relief.domain.money import display
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor, require
from relief.services import stages
from relief.store import approvals, audits, db, funds, notices, playbooks
from relief.store.approvals import Proposed, Standing
from relief.store.db import Tx


class Approved(msgspec.Struct, frozen=True):
    """What one signature did; money in fen. `countersigned` awards have one more signature now and wait for another person's."""

    awards: int
    amount_fen: int
    payments: int
    countersigned: int = 0


def digest_of(shown: Sequence[tuple[UUID, int]]) -> bytes:
    """SHA-256 over the (award, fen) pairs a screen showed, in the order of their ids: one row more or less is another digest."""
    digest = hashlib.sha256()
    for award, amount_fen in sorted(shown):
        digest.update(award.bytes + amount_fen.to_bytes(8, "big"))
    return digest.digest()


async def approve(tx: Tx, actor: Actor, county: str, awards: Sequence[UUID], digest: bytes, now: datetime) -> Approved:
    """Sign these awards of one office; all of them or none. Where the playbook's band asks for several people, the last one approves.

    Refused: own registration, signed already, outside the area, under a hold. Conflict: any award changed since it was shown, the county's
    cap or its funds do not reach (with figures in fen).
    """
    await db.plan_for(tx, len(awards))
    proposed = await approvals.proposed(tx, county, sorted(set(awards)))
    _check(actor, proposed, awards, digest)
    ids = [a.id for a in proposed]
    _unbarred(await approvals.barred(tx, county, ids, actor.person, now))
    await _hung_out(tx, county, ids, now)
    last, total = [a for a in proposed if a.last], sum(a.amount_fen for a in proposed)
    part = await approvals.standing(tx, county, proposed[0].activation)
    _within_cap(county, part, sum(a.amount_fen for a in last))
    detail = {"mode": proposed[0].mode, "office": proposed[0].office, "amount_fen": total, "signed_on": len(proposed) - len(last)}
    audit = await audits.add(tx, county, actor, "award.approve", "award", ids, now, detail)
    papers = _papers(await _book(tx, part.playbook), now) if part and proposed[0].mode == "A" else {}
    act = approvals.Act(
        step=proposed[0].office, person=actor.person, digest=digest, audit=audit, papers=papers,
        delegator=part.activated_by if part else None, now=now,
    )  # fmt: skip
    early = [a for a in proposed if not a.last]
    if early and await approvals.countersign(tx, county, early, act) != len(early):
        raise Conflict("moved_on", "部分事项已变化，请刷新 · some items have moved on, refresh")
    done = await _settle(tx, county, last, act) if last else approvals.Released(0, 0)
    return Approved(done.awards, sum(a.amount_fen for a in last), done.payments, len(early))


async def _settle(tx: Tx, county: str, last: Sequence[Proposed], act: approvals.Act) -> approvals.Released:
    """The signature that approves: money reserved, first stages released, top-ups as far as the awards they add to."""
    activation, total = last[0].activation, sum(a.amount_fen for a in last)
    drawn = draw(last, await funds.open_for(tx, county, last[0].incident, sorted({a.aid for a in last}), beijing_day(act.now)))
    done = await approvals.approve(tx, county, last, drawn, act)
    if done.awards != len(last):
        raise Conflict("moved_on", "部分事项已变化，请刷新 · some items have moved on, refresh")
    sums: dict[UUID, int] = {}
    for award, fund in zip(last, drawn, strict=True):
        sums[fund] = sums.get(fund, 0) + award.amount_fen
    topped = [a.id for a in last if a.tops_up]
    caught = await stages.catch_up(tx, county, topped, act.now) if topped else 0
    held = await approvals.commit(tx, county, activation, sums, total)
    if not held.parts:
        _within_cap(county, await approvals.standing(tx, county, activation), total)
    if held.funds != len(sums) or not held.parts:
        raise Conflict("fund_short", "资金刚被占用，余额不足，未动账 · the money has just been taken by another approval; nothing moved")
    return approvals.Released(done.awards, done.payments + caught)


def _unbarred(barred: approvals.Barred) -> None:
    own, held, twice = barred.own, barred.held, barred.suspected
    if own:
        raise Refused("own_registration", f"其中 {own} 户由您本人登记，须由他人审核 · you registered {own} of them yourself", count=own)
    if barred.signed:
        raise Refused(
            "signed_already", f"其中 {barred.signed} 户您已签署，须由另一人签 · you have signed {barred.signed} of them already, another person must",
            count=barred.signed,
        )  # fmt: skip
    if held:
        raise Refused("on_hold", f"其中 {held} 户被暂停 · {held} of them are on hold", count=held)
    if twice:
        raise Refused(
            "suspected_twice",
            f"其中 {twice} 户疑似重复登记或有人员无证件，须先核实 · {twice} of them may be registered twice or hold somebody without papers; settle that first",
            count=twice,
        )


async def _hung_out(tx: Tx, county: str, ids: Sequence[UUID], now: datetime) -> None:
    """Refuse what its playbook wants on the village's board first, and advances where the papers of earlier ones are overdue."""
    gate = await notices.gate(tx, county, ids, beijing_day(now), now)
    if gate.unnoticed:
        raise Refused(
            "notice_due",
            f"其中 {gate.unnoticed} 户公示未期满或乡镇未上报 · the public notice of {gate.unnoticed} of them has not run out, or is not reported",
            count=gate.unnoticed,
        )
    if gate.paused:
        raise Refused(
            "advances_paused",
            f"其中 {gate.paused} 户所在村补办手续逾期，暂停先行救助 · advances are paused in the village of {gate.paused} of them: papers are overdue",
            count=gate.paused,
        )


def _check(actor: Actor, proposed: Sequence[Proposed], asked: Sequence[UUID], digest: bytes) -> None:
    if not proposed or len(proposed) != len(set(asked)):
        raise Conflict("moved_on", "部分事项已被处理，请刷新 · some items were dealt with meanwhile, refresh", found=len(proposed))
    if len({(a.mode, a.office, a.activation) for a in proposed}) > 1:
        raise Conflict("mixed", "一次只能审批同一灾害、同一方式、同一审批层级 · approve one incident, one mode and one office at a time")
    require(actor, f"award.approve.{proposed[0].office}", {a.village for a in proposed})
    if digest_of([(a.id, a.amount_fen) for a in proposed]) != digest:
        raise Conflict("changed", "内容与您看到的不同，请重新核对 · this is not what you were shown, look again")


def _within_cap(county: str, part: Standing | None, total_fen: int) -> None:
    if part is None or part.status != "active":
        raise Conflict("not_active", "本县启动已结束 · this county's activation is not active", county=county)
    cap, used = part.cap_fen, part.committed_fen
    if used + total_fen > cap:
        raise Conflict(
            "cap_reached",
            f"超出本县启动限额：限额 {display(cap)} 元，已批 {display(used)} 元，本次 {display(total_fen)} 元 · above the county's cap",
            cap_fen=cap, committed_fen=used, asked_fen=total_fen,
        )  # fmt: skip


#: Playbooks read before; what an activation rests on is never edited.
_BOOKS: Final[dict[UUID, Playbook]] = {}


async def _book(tx: Tx, id_: UUID) -> Playbook:
    if id_ not in _BOOKS:
        if len(_BOOKS) > 100:
            _BOOKS.clear()
        _BOOKS[id_] = playbook.read((await playbooks.get(tx, id_)).body)
    return _BOOKS[id_]


def _papers(book: Playbook, now: datetime) -> dict[str, date]:
    """先救助后补手续: per aid, when the playbook's working days for the papers of an advance are over."""
    today = beijing_day(now)
    return {a.code: add_working_days(today, a.papers_due_working_days) for a in book.aids if a.papers_due_working_days is not None}


def draw(proposed: Sequence[Proposed], available: Sequence[funds.Fund]) -> list[UUID]:
    """Which fund pays each award: funds in their order, each used until it cannot hold the next award.

    Raises Conflict `fund_short` with what is needed and what there is, per aid, in fen.
    """
    left = {f.id: f.available_fen for f in available}
    of_aid = {aid: [f.id for f in available if f.purpose == aid] for aid in {a.aid for a in proposed}}
    drawn: list[UUID] = []
    for award in proposed:
        fund = next((f for f in of_aid[award.aid] if left[f] >= award.amount_fen), None)
        if fund is None:
            need = sum(a.amount_fen for a in proposed if a.aid == award.aid)
            have = sum(f.available_fen for f in available if f.purpose == award.aid)
            raise Conflict(
                "fund_short",
                f"资金不足：需 {need // 100:,} 元，可用 {have // 100:,} 元 · the fund is short: {need // 100:,} yuan needed, {have // 100:,} available",
                aid=award.aid, needed_fen=need, available_fen=have,
            )  # fmt: skip
        left[fund] -= award.amount_fen
        drawn.append(fund)
    return drawn
