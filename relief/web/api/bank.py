"""The bank's word and what people make of it: exceptions, silence, verdicts, the close of a day, money asked back. Writes need an Idempotency-Key."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import get, post

from relief.domain.bank_cases import CASES, alarm, due_on
from relief.domain.days import beijing_day
from relief.domain.errors import NotFound
from relief.services import correct, disburse, exceptions, reconcile, recover, verdict
from relief.services.exceptions import Item
from relief.services.reconcile import Sums
from relief.services.verdict import Finding
from relief.store.views import bank as views
from relief.store.views import claims
from relief.store.views.claims import Entry
from relief.web import given, house, idempotency
from relief.web.console import common
from relief.web.given import Req

Note = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Ids = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=1_000)]
Fen = Annotated[int, msgspec.Meta(gt=0, le=10**12)]


class ExceptionOut(msgspec.Struct, frozen=True):
    """A row of the bank that could not be booked: what was said, the payment it names, whose it is, until when, what may be said of it."""

    county: str
    file: UUID
    row: int
    code: str
    reference: str
    outcome: str
    amount_fen: int
    reason: str | None
    payment: UUID | None
    status: str | None
    our_fen: int | None
    owner: str
    due_on: date
    may: list[str]
    received_at: datetime


class SilentOut(msgspec.Struct, frozen=True):
    """A payment nobody knows the end of; `verdict` waits for a second person."""

    county: str
    payment: UUID
    reference: str
    amount_fen: int
    status: str
    sent_at: datetime
    alarm: str
    batch_number: str
    rows_about: int
    statements: int
    verdict: UUID | None
    outcome: str | None


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found about these rows."""

    items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=1_000)]
    answer: Literal["not ours", "bank corrects", "answered", "lifted"]
    note: Note


class Proposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a document of the bank shows of these payments."""

    payments: Ids
    finding: Finding


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some of them."""

    ids: Ids


class Noted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some of them, and why."""

    ids: Ids
    note: Note


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The second person's word."""

    ids: Ids
    agree: bool


class DayIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day in Beijing; `reason` where it is opened again."""

    day: date
    reason: str = ""


class Balance(msgspec.Struct, frozen=True):
    """The three books of a county at a moment; every figure in fen."""

    county: str
    until: datetime
    balanced: bool
    total: Sums
    batches: list[Sums]
    funds: list[Sums]
    differing: list[UUID]
    digest: str


class EntryIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One act on a recovery case; `text` is its ground, document or slip. A letter names no amount."""

    do: Literal["claim", "letter", "repayment", "offset", "write off", "close"]
    text: Note
    amount_fen: Fen | None = None
    stage: UUID | None = None
    ground: Literal["consent", "decision"] = "consent"


class OpenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paid payment that should not have been made, or not so high."""

    payment: UUID
    amount_fen: Fen
    why: Note


class CaseOut(msgspec.Struct, frozen=True):
    """A recovery case with its entries, in fen."""

    county: str
    id: UUID
    status: str
    reason: str
    household: UUID
    aid: str
    paid_fen: int
    entries: list[Entry]


class Done(msgspec.Struct, frozen=True):
    """How many."""

    count: int


class Made(msgspec.Struct, frozen=True):
    """What was made."""

    ids: list[UUID]


@get("/bank/exceptions", action="bank.read")
async def list_exceptions(read: given.Read, actor: given.Me) -> list[ExceptionOut]:
    """Open exceptions of your counties, oldest first, at most 200."""
    found = await views.exceptions(read, common.county_patterns(actor, "bank.read"))
    return [
        ExceptionOut(
            x.county, x.file, x.row, x.code, x.reference, x.outcome, x.amount_fen, x.reason, x.payment, x.status, x.our_fen, CASES[x.code].owner,
            due_on(x.code, x.received_at), list(CASES[x.code].may), x.received_at,
        )
        for x in found
    ]  # fmt: skip


@post("/counties/{county:str}/bank/exceptions/answer", action="bank.case", status_code=200)
async def answer_exceptions(
    request: Req, data: given.Json[Answers], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """End exceptions with what was found; no money moves. `count`: holds that ended."""

    async def act() -> Done:
        return Done(await exceptions.answer(tx, actor, county, data.items, data.answer, data.note, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@get("/bank/silent", action="bank.read")
async def list_silent(read: given.Read, actor: given.Me, now: given.Now) -> list[SilentOut]:
    """Payments the bank has not answered in time, and those of files it turned down, longest first, at most 200."""
    return [
        SilentOut(
            s.county, s.payment, s.reference, s.amount_fen, s.status, s.sent_at, alarm(s.sent_at, now), s.number, s.rows_about, s.statements,
            s.verdict, s.outcome,
        )
        for s in await views.silent(read, common.county_patterns(actor, "bank.read"))
    ]  # fmt: skip


@post("/counties/{county:str}/verdicts", action="bank.verdict")
async def propose_verdicts(
    request: Req, data: given.Json[Proposal], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """Propose what a document of the bank shows; another person confirms."""

    async def act() -> Made:
        return Made(await verdict.propose(tx, actor, county, data.payments, data.finding, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/verdicts/decide", action="bank.verdict.confirm", status_code=200)
async def decide_verdicts(
    request: Req, data: given.Json[Decision], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """Confirm (the money is booked) or refuse as the second person."""
    keys = house.of(request).keys

    async def act() -> Done:
        if data.agree:
            return Done(await verdict.confirm(tx, actor, county, data.ids, now, keys))
        return Done(await verdict.refuse(tx, actor, county, data.ids, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/batches/void", action="batch.void", status_code=200)
async def void_batches(
    request: Req, data: given.Json[Noted], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """退回 batches before they leave; their payments wait for another one. `count`: payments."""

    async def act() -> Done:
        return Done(await disburse.void(tx, actor, county, data.ids, data.note, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/payments/again", action="payment.again", status_code=200)
async def pay_again(
    request: Req, data: given.Json[Noted], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """Try returned payments once more on the same account, where their reason allows it; the new attempts."""

    async def act() -> Made:
        return Made(await correct.again(tx, actor, county, data.ids, data.note, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/accounts/release", action="account.release", status_code=200)
async def release_accounts(
    request: Req, data: given.Json[Noted], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """Changed cards whose owners were reached need not cool off."""

    async def act() -> Done:
        return Done(await correct.release(tx, actor, county, data.ids, data.note, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@get("/counties/{county:str}/day-close", action="bank.read")
async def get_balance(read: given.Read, now: given.Now, county: given.FromPath[str], day: given.FromQuery[date | None] = None) -> Balance:
    """Ledger, files and bank at the end of a day (today: now)."""
    return _balance(await reconcile.standing(read, county, reconcile.until_of(day or beijing_day(now), now)))


@post("/counties/{county:str}/day-close", action="day.close", status_code=200)
async def close_day(
    request: Req, data: given.Json[DayIn], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """Close a day on its balance."""

    async def act() -> Balance:
        return _balance(await reconcile.close(tx, actor, county, data.day, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/day-close/reopen", action="day.reopen", status_code=200)
async def reopen_day(
    request: Req, data: given.Json[DayIn], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """Open a closed day again, by somebody else and with a reason."""

    async def act() -> DayIn:
        await reconcile.reopen(tx, actor, county, data.day, data.reason, now)
        return data

    return await idempotency.answer(request, tx, actor, key, data, now, act)


def _balance(s: reconcile.Standing) -> Balance:
    return Balance(s.county, s.until, s.balanced, s.total, s.batches, s.funds, [d.payment for d in s.differing], s.digest.hex())


@get("/counties/{county:str}/recoveries/{case:uuid}", action="recovery.close")
async def get_case(read: given.Read, actor: given.Me, county: given.FromPath[str], case: given.FromPath[UUID]) -> CaseOut:
    """One recovery case."""
    found = await claims.case(read, county, case, common.county_patterns(actor, "recovery.close"))
    if found is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    entries = await claims.entries(read, county, case)
    return CaseOut(county, found.id, found.status, found.reason, found.household, found.aid, found.paid_fen, entries)


@post("/counties/{county:str}/recoveries", action="recovery.work")
async def open_case(
    request: Req, data: given.Json[OpenIn], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """Open a case about one paid payment, with its claim."""

    async def act() -> Made:
        return Made([await recover.open_case(tx, actor, county, data.payment, data.amount_fen, data.why, now)])

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/recoveries/{case:uuid}/entries", action="recovery.close", status_code=200)
async def enter(
    request: Req, data: given.Json[EntryIn], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    case: given.FromPath[UUID], key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Claim, record a letter or a repayment, propose a set-off or a write-off, or close the case."""
    fen = data.amount_fen or 0

    async def act() -> Made:
        if data.do == "claim":
            return Made([await recover.claim(tx, actor, county, case, fen, data.text, now)])
        if data.do == "letter":
            return Made([await recover.letter(tx, actor, county, case, data.text, now)])
        if data.do == "repayment":
            return Made([await recover.repay(tx, actor, county, case, fen, data.text, now)])
        if data.do == "offset":
            stage = data.stage or UUID(int=0)
            return Made([await recover.propose_offset(tx, actor, county, case, stage, fen, data.ground, data.text, now)])
        if data.do == "write off":
            return Made([await recover.propose_write_off(tx, actor, county, case, fen, data.text, now)])
        await recover.close(tx, actor, county, case, data.text, now)
        return Made([])

    return await idempotency.answer(request, tx, actor, key, (str(case), data), now, act)


@post("/counties/{county:str}/recoveries/decide", action="recovery.decide", status_code=200)
async def decide_entries(
    request: Req, data: given.Json[Decision], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:  # fmt: skip
    """Agree to set-offs and write-offs, or refuse them, as the second person."""

    async def act() -> Done:
        return Done(await recover.decide(tx, actor, county, data.ids, data.agree, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


HANDLERS: Final[list[Any]] = [
    list_exceptions, answer_exceptions, list_silent, propose_verdicts, decide_verdicts, void_batches, pay_again, release_accounts, get_balance,
    close_day, reopen_day, get_case, open_case, enter, decide_entries,
]  # fmt: skip
