"""银行例外: what the bank said and could not be booked, payments it is silent about, its files; worked off with exactly what may be done."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain.bank_cases import ANSWERS, CASES, Case, alarm, due_on
from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.domain.policy import Actor
from relief.domain.repair import REPAIRS
from relief.domain.sealing import Keys
from relief.services import exceptions, masked, verdict
from relief.services.exceptions import Item
from relief.services.verdict import Finding
from relief.store.views import bank as views
from relief.store.views.bank import Exceptional, Silent
from relief.web import given, guard, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req
from relief.web.texts import CATALOGUE

SHOWS: Final = ("exceptions", "silent", "files")


class AnswerForm(MoneyForm, frozen=True):
    """What was found about one row (`item`: file:row)."""

    county: str
    item: str
    answer: str
    note: str


class FindingForm(MoneyForm, frozen=True):
    """What a document of the bank shows of one payment."""

    county: str
    payment: str
    outcome: str
    document: str
    note: str
    scan: Annotated[UploadFile, "the document"]
    reason: str = "F99"


class DecideForm(MoneyForm, frozen=True):
    """The second person's word."""

    county: str
    verdict: str
    agree: str = ""


class Row(msgspec.Struct, frozen=True):
    """An exception as shown: its meaning, whose it is, until when, and what this person may say."""

    thing: Exceptional
    case: Case
    due: date
    account: str
    may: tuple[str, ...]
    may_find: bool  # a credit the bank says came back: by its document and two people


class Quiet(msgspec.Struct, frozen=True):
    """A silent payment as shown: how grave, and what this person may do."""

    thing: Silent
    alarm: str
    may_propose: bool
    may_decide: bool


@get("/bank", action="bank.read")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "exceptions") -> Response[str]:
    """The three lists, one at a time; the counts of all."""
    show = show if show in SHOWS else "exceptions"
    counties, keys = common.county_patterns(actor, "bank.read"), house.of(request).keys
    found = [_row(actor, x, keys) for x in await views.exceptions(read, counties)]
    quiet = [_quiet(actor, s, now) for s in await views.silent(read, counties)]
    files = await views.files(read, counties) if show == "files" else []
    return pages.page(
        request, "bank.html", show=show, shows=SHOWS, rows=found, quiet=quiet, files=files, now=now, today=beijing_day(now), answers=ANSWERS,
        counts={"exceptions": found[0].thing.total if found else 0, "silent": quiet[0].thing.total if quiet else 0, "files": None},
        reasons=[(code, f"{code} {CATALOGUE[f'reason.{code}'][0]}") for code in sorted(REPAIRS)], done=common.done_of(request), drill=any(r.thing.drill for r in found) or any(q.thing.drill for q in quiet),
    )  # fmt: skip


def _row(actor: Actor, x: Exceptional, keys: Keys) -> Row:
    case = CASES[x.code]
    account = masked.account(keys, x.account, x.sealed_account) if x.account and x.sealed_account else ""
    may = case.may if actor.may("bank.case", x.county) else ()
    if x.status in (None, "approved", "batched", "sent", "unknown"):
        may = tuple(m for m in may if m != "answered")
    find = x.code == "fail_after_success" and x.status == "paid" and actor.may("bank.verdict", x.county)
    return Row(x, case, due_on(x.code, x.received_at), account, may, find)


def _quiet(actor: Actor, s: Silent, now: given.Now) -> Quiet:
    propose = s.verdict is None and actor.may("bank.verdict", s.county)
    decide = s.verdict is not None and s.proposed_by != actor.id and actor.may("bank.verdict.confirm", s.county)
    return Quiet(s, alarm(s.sent_at, now), propose, decide)


@post("/bank/answer", action="bank.case")
async def answer(request: Req, data: given.Form[AnswerForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """End an exception with what was found."""
    file, _, row = data.item.partition(":")
    if not row.isdigit():
        raise Invalid("id_form", "编号无效 · that id is not one")
    items = [Item(common.uuids(file)[0], int(row))]
    content = (data.item, data.answer, data.note)
    await common.once(
        request, tx, actor, data.key, content, now, lambda: exceptions.answer(tx, actor, data.county, items, data.answer, data.note, now)
    )
    return common.go("/bank", "exception_answered")


@post("/bank/verdict", action="bank.verdict")
async def propose(
    request: Req, data: MultipartBody[FindingForm], tx: given.Write, actor: given.Me, now: given.Now
) -> Response[bytes]:  # fmt: skip
    """Propose what a document of the bank shows. Its scan is digested here; the paper itself is filed as every voucher is."""
    scan = await data.scan.read()
    if not scan:
        raise Invalid("empty_file", "请选择凭证扫描件 · choose the scan of the document", field="scan")
    digest = hashlib.sha256(scan).hexdigest()
    fields = {"outcome": data.outcome, "document": data.document, "digest": digest, "note": data.note, "reason": data.reason}
    finding, payments = guard.convert(fields, Finding), common.uuids(data.payment)
    await common.once(
        request, tx, actor, data.key, (data.payment, fields), now, lambda: verdict.propose(tx, actor, data.county, payments, finding, now)
    )
    return common.go("/bank?show=silent", "verdict_proposed")


@post("/bank/verdict/decide", action="bank.verdict.confirm")
async def decide(request: Req, data: given.Form[DecideForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Confirm (the money is booked) or refuse."""
    ids, keys = common.uuids(data.verdict), house.of(request).keys

    async def act() -> int:
        if data.agree == "yes":
            return await verdict.confirm(tx, actor, data.county, ids, now, keys)
        return await verdict.refuse(tx, actor, data.county, ids, now)

    await common.once(request, tx, actor, data.key, (sorted(ids), data.agree), now, act)
    return common.go("/bank?show=silent", "verdict_confirmed" if data.agree == "yes" else "verdict_refused")


HANDLERS: Final = [page, answer, propose, decide]
