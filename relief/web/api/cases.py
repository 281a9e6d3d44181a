"""The file of a household over the wire: minutes of a meeting, payees, members, economic checks."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain.errors import NotFound
from relief.services import casefile, economic_check, load, members, minutes, payees
from relief.services.casefile import Aid, CheckOf, MinutesOf, PayeeOf, Person
from relief.services.decide import Decided
from relief.services.economic_check import Imported
from relief.services.minutes import NewMinutes
from relief.services.reassess import Reassessed
from relief.store import db
from relief.store.views import casefile as views
from relief.web import access, given, guard, house, idempotency
from relief.web.console import common
from relief.web.console.sheets import name_of
from relief.web.given import Req

_FAULTS: Final = 10_000


class Case(msgspec.Struct, frozen=True):
    """The file of one household; names and cards masked, amounts in fen."""

    county: str
    household: UUID
    checked: bool
    people: list[Person]
    minutes: list[MinutesOf]
    payees: list[PayeeOf]
    checks: list[CheckOf]
    aids: list[Aid]


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some of them."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=200)]


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Payees to be named."""

    items: Annotated[list[payees.Payee], msgspec.Meta(min_length=1, max_length=200)]


class Changed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Households whose members change."""

    items: Annotated[list[members.Change], msgspec.Meta(min_length=1, max_length=200)]


class Made(msgspec.Struct, frozen=True):
    """What was made, in the order given."""

    ids: list[UUID]


class Checked(msgspec.Struct, frozen=True):
    """How many payees are current now."""

    payees: int


class Report(msgspec.Struct, frozen=True):
    """An XLSX or CSV file of at most 50 MB; `csrf` is the session's token, which every form carries."""

    csrf: str
    file: Annotated[UploadFile, "XLSX or CSV"]


@get("/counties/{county:str}/households/{household:uuid}/case", action="household.read")
async def case(request: Req, read: given.Read, actor: given.Me, county: given.FromPath[str], household: given.FromPath[UUID]) -> Case:
    """Members, minutes, payees and economic checks of a household."""
    found = await casefile.read(read, actor, county, household, house.of(request).keys)
    return Case(county, household, found.checked, found.people, found.minutes, found.payees, found.checks, found.aids)


@post("/counties/{county:str}/minutes", action="minutes.record", status_code=200)
async def record_minutes(
    request: Req, data: given.Json[NewMinutes], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """一事一议: keep what a meeting adopted for one household; it counts once a higher person has adopted it."""

    async def act() -> Made:
        return Made([await minutes.record(tx, actor, county, data, now, house.of(request).keys)])

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/minutes/adopt", action="minutes.adopt", status_code=200)
async def adopt_minutes(
    request: Req, data: given.Json[Chosen], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Adopt minutes as a second, higher person; their households are decided at once, and paid exactly that."""

    async def act() -> dict[str, Decided]:
        return await minutes.adopt(tx, actor, county, data.ids, now)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/minutes/withdraw", action="minutes.record", status_code=204)
async def withdraw_minutes(data: given.Json[Chosen], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]) -> None:
    """Take back what you recorded, before it is adopted."""
    await minutes.withdraw(tx, actor, county, data.ids, now)


@post("/counties/{county:str}/payees", action="payee.name", status_code=200)
async def name_payees(
    request: Req, data: given.Json[Named], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Name the people an aid is paid to where the playbook pays a person."""

    async def act() -> Made:
        return Made(await payees.name(tx, actor, county, data.items, now, house.of(request).keys))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/payees/check", action="payee.check", status_code=200)
async def check_payees(
    request: Req, data: given.Json[Chosen], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Confirm payees as a second person; the awards go to them from now on."""

    async def act() -> Checked:
        return Checked(await payees.check(tx, actor, county, data.ids, now, house.of(request).keys))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/payees/refuse", action="payee.check", status_code=204)
async def refuse_payees(data: given.Json[Chosen], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]) -> None:
    """The paper does not show it: these people are not paid."""
    await payees.refuse(tx, actor, county, data.ids, now)


@post("/counties/{county:str}/members", action="household.reassess", status_code=200)
async def change_members(
    request: Req, data: given.Json[Changed], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """People join and leave households; these are decided again at once."""

    async def act() -> Reassessed:
        return await members.change(tx, actor, county, data.items, now, house.of(request).keys)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post(
    "/counties/{county:str}/economic-checks", action="check.import", request_max_body_size=guard.MAX_ZONE + 100_000, accepts=("multipart/form-data",)
)  # fmt: skip
async def import_check(
    request: Req, data: MultipartBody[Report], actor: given.Me, now: given.Now, county: given.FromPath[str]
) -> Imported:  # fmt: skip
    """核对: import a report. What can be read is kept, the rest named by row, column and code; the same file twice is refused."""
    here, file = house.of(request), await load.read(await data.file.read(), name_of(data.file.filename))
    async with db.begin(here.pool, access.scope_of(request)) as tx:
        return await economic_check.import_report(tx, actor, county, file, now, here.keys)


@get("/economic-checks", action="check.import")
async def list_checks(read: given.Read, actor: given.Me) -> list[views.File]:
    """The last two hundred reports of your counties."""
    return await views.files(read, common.county_patterns(actor, "check.import"), 200)


@get("/counties/{county:str}/economic-checks/{file:uuid}/faults", action="check.import")
async def check_faults(read: given.Read, county: given.FromPath[str], file: given.FromPath[UUID]) -> list[views.Fault]:
    """What was refused of a report."""
    found = await views.faults(read, county, file, _FAULTS)
    if not found:
        raise NotFound("not_found", "没有找到，或没有错误 · not found, or nothing was refused")
    return found


HANDLERS: Final[list[Any]] = [
    case, record_minutes, adopt_minutes, withdraw_minutes, name_payees, check_payees, refuse_payees, change_members, import_check, list_checks,
    check_faults,
]  # fmt: skip
