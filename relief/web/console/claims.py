"""追回案件之一: what is owed on one case, and what may be done about it; the letter to print; the table of all cases."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.days import beijing_day
from relief.domain.errors import Invalid, NotFound
from relief.domain.money import parse_yuan, yuan
from relief.services import masked, recover, recovery_letters, sheets
from relief.store.views import claims as views
from relief.store.views.claims import Case, Entry
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HEADS: Final = ("县区", "案件编号", "状态", "原因", "救助种类", "限期", "应追回(元)", "已收回(元)", "已抵扣(元)", "已核销(元)", "尚欠(元)")


class EntryForm(MoneyForm, frozen=True):
    """One act on a case. `do`: claim, letter, repay, offset, write off or close."""

    county: str
    case: str
    do: str
    amount: str = ""
    text: str = ""
    stage: str = ""
    ground: str = ""


class PrintForm(msgspec.Struct, frozen=True):
    """Nothing but the token: printing opens a name, so it is no GET."""

    csrf: str


class OpenForm(MoneyForm, frozen=True):
    """A payment that should not have been made, or not so high."""

    reference: str
    amount: str
    text: str


class DecideForm(MoneyForm, frozen=True):
    """The second person's word on an entry."""

    county: str
    case: str
    entry: str
    agree: str = ""


class Sums(msgspec.Struct, frozen=True):
    """What stands on the case, in fen."""

    claimed: int
    met: int
    proposed: int

    @property
    def outstanding(self) -> int:
        """Still owed."""
        return self.claimed - self.met


def sums(entries: list[Entry]) -> Sums:
    """From its entries."""
    met = ("repayment", "offset", "write off")
    return Sums(
        sum(e.amount_fen for e in entries if e.kind == "claim"),
        sum(e.amount_fen for e in entries if e.kind in met and e.status == "done"),
        sum(e.amount_fen for e in entries if e.kind in met and e.status == "proposed"),
    )


@get("/recoveries/{county:str}/{case:uuid}", action="recovery.close")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], case: given.FromPath[UUID]
) -> Response[str]:
    """One case."""
    found = await _found(read, actor, county, case)
    entries = await views.entries(read, county, case)
    return pages.page(
        request, "claim.html", case=found, entries=entries, sums=sums(entries), name=masked.name(house.of(request).keys, found.person, found.sealed_person),
        stages=await views.stages(read, county, found.household, found.fund) if found.fund else [], ledger=await views.ledger(read, county, case),
        may_work=found.status == "open" and actor.may("recovery.work", county), may_decide=found.status == "open" and actor.may("recovery.decide", county),
        me=actor.id, now=now, drill=found.drill, done=common.done_of(request),
    )  # fmt: skip


@post("/recoveries/{county:str}/{case:uuid}/letter", action="recovery.work", status_code=200)
async def letter(
    request: Req, tx: given.Write, actor: given.Me, now: given.Now, data: given.Form[PrintForm], county: given.FromPath[str], case: given.FromPath[UUID]
) -> Response[str]:  # fmt: skip
    """追缴函 to print: it names the householder, so it is opened and traced."""
    found = await _found(tx, actor, county, case)
    entries = await views.entries(tx, county, case)
    opened = await recovery_letters.address(tx, actor, county, case, found.person, found.sealed_person, now, house.of(request).keys)
    return pages.page(
        request, "claim_letter.html", case=found, sums=sums(entries), name=opened, last=next((e for e in reversed(entries) if e.kind == "letter"), None),
        now=now, today=beijing_day(now), drill=found.drill,
    )  # fmt: skip


@post("/recoveries/open", action="recovery.work")
async def open_(request: Req, data: given.Form[OpenForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """A case about one paid payment."""
    county, fen = data.reference.strip()[:6], parse_yuan(data.amount.replace(",", "").strip())
    made: list[UUID] = []

    async def act() -> str:
        made.append(await recover.open_by_reference(tx, actor, county, data.reference, fen, data.text, now))
        return str(made[0])

    await common.once(request, tx, actor, data.key, (data.reference, fen, data.text), now, act)
    return common.go(f"/recoveries/{county}/{made[0]}" if made else "/recoveries", "claim_entered")


@post("/recoveries/enter", action="recovery.close")
async def enter(request: Req, data: given.Form[EntryForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Claim, record a letter or a repayment, propose a set-off or a write-off, close."""
    [case], county, text = common.uuids(data.case), data.county, data.text
    fen = parse_yuan(data.amount.replace(",", "").strip()) if data.do not in ("letter", "close") else 0

    async def act() -> object:
        if data.do == "claim":
            return str(await recover.claim(tx, actor, county, case, fen, text, now))
        if data.do == "letter":
            return str(await recover.letter(tx, actor, county, case, text, now))
        if data.do == "repay":
            return str(await recover.repay(tx, actor, county, case, fen, text, now))
        if data.do == "offset":
            ground: recover.Ground = "decision" if data.ground == "decision" else "consent"
            [stage] = common.uuids(data.stage) or [UUID(int=0)]
            return str(await recover.propose_offset(tx, actor, county, case, stage, fen, ground, text, now))
        if data.do == "write off":
            return str(await recover.propose_write_off(tx, actor, county, case, fen, text, now))
        if data.do == "close":
            return await recover.close(tx, actor, county, case, text, now)
        raise Invalid("step", "没有这个步骤 · there is no such step", field="do")

    content = (data.case, data.do, fen, text, data.stage, data.ground)
    await common.once(request, tx, actor, data.key, content, now, act)
    return common.go(f"/recoveries/{county}/{case}", "claim_entered")


@post("/recoveries/decide", action="recovery.decide")
async def decide(request: Req, data: given.Form[DecideForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Agree or refuse as the second person."""
    ids, agree = common.uuids(data.entry), data.agree == "yes"
    await common.once(
        request, tx, actor, data.key, (sorted(ids), agree), now, lambda: recover.decide(tx, actor, data.county, ids, agree, now)
    )
    [case] = common.uuids(data.case)
    return common.go(f"/recoveries/{data.county}/{case}", "claim_decided")


@get("/recoveries/table", action="recovery.close")
async def table(read: given.Read, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Every case with its money as a spreadsheet; no names."""
    found = await views.summaries(read, common.county_patterns(actor, "recovery.close"))
    rows = [
        (
            c.county_name, f"{c.county}-{c.id.hex[:8].upper()}", "办结" if c.status == "closed" else "未结", c.reason, c.aid, str(c.due_on),
            *(yuan(f) for f in (c.claimed_fen, c.repaid_fen, c.offset_fen, c.written_off_fen)),
            yuan(c.claimed_fen - c.repaid_fen - c.offset_fen - c.written_off_fen),
        )
        for c in found
    ]  # fmt: skip
    content = sheets.book([("追回案件", [(f"追回案件台账 · {beijing_day(now)} · {len(rows)}件",), _HEADS, *rows], 2)])
    name = f"recoveries-{beijing_day(now)}.xlsx"
    return Response(content=content, media_type=_XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _found(read: given.Read, actor: given.Me, county: str, case: UUID) -> Case:
    found = await views.case(read, county, case, common.county_patterns(actor, "recovery.close"))
    if found is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    return found


HANDLERS: Final = [page, letter, open_, enter, decide, table]
