"""Cases: minutes of a meeting, payees, changes of members; one person brings them, another decides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal, TypeVar, get_args
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain import money
from relief.domain.assessment import Changes
from relief.domain.errors import Invalid
from relief.domain.household import CIRCUMSTANCES, FAMILY_TYPES, FamilyType, Member, Relocation
from relief.domain.project import BANKS
from relief.services import casefile, masked, members, minutes, payees, reassess
from relief.services.payees import Relation
from relief.services.reassess import Look
from relief.store import db
from relief.store.views import casefile as views
from relief.store.views.casefile import Waiting
from relief.web import access, given, house, pages
from relief.web.console import common, scenarios
from relief.web.console.common import MoneyForm
from relief.web.given import Req

T = TypeVar("T", bound=msgspec.Struct)
_PATH: Final = "/cases/{county:str}/{household:uuid}"


class MinutesForm(MoneyForm, frozen=True):
    """What the minutes say, as a person types it. `aid` is 'activation code'."""

    aid: str
    amount: str
    held_on: str
    participants: str
    votes_for: str
    votes_against: str
    votes_abstained: str
    reason: str
    legal_basis: str
    attachment: Annotated[UploadFile, "signed minutes"]


class PayeeForm(MoneyForm, frozen=True):
    """Who is to be paid."""

    aid: str
    name: str
    id_number: str
    account: str
    bank: str
    relation: Relation
    proof: Annotated[UploadFile, "proof of kinship"]
    phone: str = ""


class MembersForm(MoneyForm, frozen=True):
    """One who joins, and those who leave, as 'person why'."""

    reason: str
    name: str = ""
    id_number: str = ""
    leaves: list[str] | str = ""


class LookForm(MoneyForm, frozen=True):
    """What somebody found at the household: everything that may change, as it is now."""

    reason: str
    family_type: FamilyType
    relocated: Relocation
    only_home: Literal["yes", "no"]
    occupied: Literal["yes", "no"]
    dead: str
    missing: str
    injured: str
    rooms_collapsed: str
    rooms_severe: str
    rooms_moderate: str
    people_in_need: str
    circumstances: list[str] | str = ""


class ActForm(MoneyForm, frozen=True):
    """What is done with something that waits."""

    act: Literal["adopt", "withdraw", "check", "refuse"]
    id: str


@get("/cases", action=access.SIGNED_IN)
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """What waits for me."""
    to_adopt = await views.waiting_minutes(read, common.patterns(actor, "minutes.adopt"), actor.person)
    to_check = await views.waiting_payees(read, common.patterns(actor, "payee.check"), actor.person)
    aids = sorted({a.code for c in await scenarios.known(read) for a in c.book.aids if a.payee == "person"})
    unnamed = await views.unnamed(read, common.patterns(actor, "payee.name"), aids) if aids else []
    keys, every = house.of(request).keys, [*to_adopt, *to_check, *unnamed]

    def named(rows: Sequence[Waiting]) -> list[tuple[Waiting, str]]:
        return [(w, masked.name(keys, w.person, w.sealed_person)) for w in rows]

    return pages.page(
        request, "cases.html", groups=[("adopt", named(to_adopt)), ("check", named(to_check)), ("unnamed", named(unnamed))], now=now,
        drill=bool(every) and all(w.drill for w in every), done=common.done_of(request),
    )  # fmt: skip


@get(_PATH, action="household.read")
async def one(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], household: given.FromPath[UUID]
) -> Response[str]:
    """The file of a household."""
    found = await casefile.read(read, actor, county, household, house.of(request).keys)
    may = {action: actor.may(action, found.home.village) for action in _ACTIONS}
    placeholders = await scenarios.placeholders(read, found.home.incident, now)
    ticked = [name for bit, name in enumerate(CIRCUMSTANCES) if found.home.circumstances >> bit & 1]
    return pages.page(
        request, "case.html", placeholders=placeholders, counts=_COUNTS, ticked=ticked, families=FAMILY_TYPES, circumstances=CIRCUMSTANCES, c=found, may=may, now=now, banks=list(BANKS.items()), relations=get_args(Relation), drill=found.home.drill,
        done=common.done_of(request),
    )  # fmt: skip


_ACTIONS: Final = ("minutes.record", "minutes.adopt", "payee.name", "payee.check", "household.reassess")


@post(_PATH + "/minutes", action="minutes.record")
async def record(
    request: Req, data: MultipartBody[MinutesForm], actor: given.Me, now: given.Now, county: given.FromPath[str], household: given.FromPath[UUID]
) -> Response[bytes]:  # fmt: skip
    """Keep the minutes of a meeting."""
    activation, _, aid = data.aid.partition(" ")
    new = minutes.NewMinutes(
        household=household, activation=_uuid(activation), aid=aid, amount_fen=money.parse_yuan(data.amount.replace(",", "").strip()),
        held_on=_day(data.held_on), participants=[p.strip() for p in data.participants.splitlines() if p.strip()],
        votes_for=_count(data.votes_for, "votes_for"), votes_against=_count(data.votes_against, "votes_against"),
        votes_abstained=_count(data.votes_abstained, "votes_abstained"), reason=data.reason.strip(), legal_basis=data.legal_basis.strip(),
        attachment=await _digest(data.attachment),
    )  # fmt: skip
    new = _checked(new)
    here = house.of(request)
    async with db.begin(here.pool, access.scope_of(request)) as tx:
        await common.once(request, tx, actor, data.key, new, now, lambda: minutes.record(tx, actor, county, new, now, here.keys))
    return common.go(f"/cases/{county}/{household}", "minutes_recorded")


@post(_PATH + "/payee", action="payee.name")
async def name(
    request: Req, data: MultipartBody[PayeeForm], actor: given.Me, now: given.Now, county: given.FromPath[str], household: given.FromPath[UUID]
) -> Response[bytes]:  # fmt: skip
    """Name a payee."""
    item = payees.Payee(
        household=household, aid=data.aid, name=data.name, id_number=data.id_number, account=data.account, bank=data.bank, relation=data.relation,
        proof=await _digest(data.proof), phone=data.phone.strip() or None,
    )  # fmt: skip
    here = house.of(request)
    async with db.begin(here.pool, access.scope_of(request)) as tx:
        await common.once(request, tx, actor, data.key, item, now, lambda: payees.name(tx, actor, county, [item], now, here.keys))
    return common.go(f"/cases/{county}/{household}", "payee_named")


@post(_PATH + "/members", action="household.reassess")
async def change(
    request: Req, data: given.Form[MembersForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Somebody joins, somebody leaves."""
    leaves = [data.leaves] if isinstance(data.leaves, str) else data.leaves
    pairs = [text.partition(" ") for text in leaves if text]
    joins = [Member(data.name, data.id_number)] if data.name.strip() or data.id_number.strip() else []
    item = members.Change(
        household, data.reason.strip(), joins, [members.Leave(_uuid(p), "died" if why == "died" else "moved") for p, _, why in pairs]
    )  # fmt: skip
    keys = house.of(request).keys
    await common.once(request, tx, actor, data.key, item, now, lambda: members.change(tx, actor, county, [_checked(item)], now, keys))
    return common.go(f"/cases/{county}/{household}", "members_changed")


@post(_PATH + "/look", action="household.reassess")
async def look(
    request: Req, data: given.Form[LookForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """The household looked at again; it is decided anew at once."""
    ticked = [data.circumstances] if isinstance(data.circumstances, str) else data.circumstances
    changes = Changes(
        family_type=data.family_type, relocated=data.relocated, only_home=data.only_home == "yes", occupied=data.occupied == "yes",
        circumstances=[name for name in CIRCUMSTANCES if name in ticked],  # type: ignore[misc]
        **{name: _count(getattr(data, name), name) for name in _COUNTS},
    )  # fmt: skip
    item = _checked(Look(household, changes, data.reason.strip()))
    await common.once(request, tx, actor, data.key, item, now, lambda: reassess.reassess(tx, actor, county, [item], now))
    return common.go(f"/cases/{county}/{household}", "looked_again")


_COUNTS: Final = ("dead", "missing", "injured", "rooms_collapsed", "rooms_severe", "rooms_moderate", "people_in_need")


@post(_PATH + "/act", action=access.SIGNED_IN)
async def act(
    request: Req, data: given.Form[ActForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Adopt or take back minutes, confirm or refuse a payee; the service asks for the right of each."""
    ids, keys = [_uuid(data.id)], house.of(request).keys
    does = {
        "adopt": lambda: minutes.adopt(tx, actor, county, ids, now),
        "withdraw": lambda: minutes.withdraw(tx, actor, county, ids, now),
        "check": lambda: payees.check(tx, actor, county, ids, now, keys),
        "refuse": lambda: payees.refuse(tx, actor, county, ids, now),
    }[data.act]
    await common.once(request, tx, actor, data.key, (data.act, data.id), now, does)
    return common.go(f"/cases/{county}/{household}", _DONE[data.act])


_DONE: Final = {"adopt": "minutes_adopted", "withdraw": "minutes_withdrawn", "check": "payee_checked", "refuse": "payee_refused"}


async def _digest(file: UploadFile) -> str:
    content = await file.read()
    if not content:
        raise Invalid("empty_file", "请选择文件 · choose a file", field="file")
    return hashlib.sha256(content).hexdigest()


def _uuid(text: str) -> UUID:
    [found] = common.uuids(text) or [UUID(int=0)]
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("date", "须为日期，如 2022-09-05 · a date is wanted, such as 2022-09-05", field="held_on") from None


def _count(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 50):
        raise Invalid("count", "须为不小于0的整数 · a whole number is wanted", field=field)
    return int(text)


def _checked(item: T) -> T:
    """The limits of the API's own form, for what came from a page."""
    try:
        return msgspec.convert(msgspec.to_builtins(item), type(item))
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`") or "form"
        raise Invalid("form", f"“{field}”填写不全或过长 · “{field}” is incomplete or too long", field=field) from None


HANDLERS: Final = [page, one, record, name, change, look, act]
