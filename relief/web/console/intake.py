"""一门受理: leads by deadline, taking one down, registering a household at the desk."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.domain.household import CIRCUMSTANCES, FAMILY_TYPES
from relief.domain.lead import KINDS, LENGTH, Way
from relief.domain.project import BANKS
from relief.domain.sealing import Keys
from relief.services import intake
from relief.services.intake import Lead, Told, Walked
from relief.store import regions
from relief.store.views import incidents
from relief.store.views import leads as views
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

SHOWS: Final = {"open": ("open", "taken"), "registered": ("registered",), "closed": ("closed",)}
_TOLD: Final = msgspec.json.Decoder(Told)
_OTHERS: Final = 29


class LeadForm(MoneyForm, frozen=True):
    """Told at the desk, on the hotline, or found by a reporter on their round."""

    village: str
    kind: str
    name: str
    words: str
    phone: str = ""
    way: str = "desk"


class ActForm(MoneyForm, frozen=True):
    """`take` it, or `close` it with an answer."""

    act: str
    words: str = ""


class WalkForm(MoneyForm, frozen=True, kw_only=True):
    """A household at the desk, as the form sends it: other members one a line, 'name number'."""

    incident: str
    village: str
    name: str
    account: str
    bank: str
    id_number: str = ""
    born: str = ""
    helper: str = ""
    phone: str = ""
    others: str = ""
    channel: str = "walk_in"
    presence: str = "resident"
    family_type: str = "ordinary"
    circumstances: list[str] | str = ""
    relocated: str = "none"
    home_county: str = ""
    rooms_collapsed: str = "0"
    rooms_severe: str = "0"
    rooms_moderate: str = "0"
    dead: str = "0"
    missing: str = "0"
    injured: str = "0"
    people_in_need: str = "0"
    note: str = ""
    lead: str = ""


class Row(msgspec.Struct, frozen=True):
    """A lead with what was told opened."""

    thing: views.Lead
    told: Told
    answer: str


def _row(lead: views.Lead, keys: Keys) -> Row:
    answer = keys.open("lead", lead.id, "sealed_answer", lead.sealed_answer).decode() if lead.sealed_answer else ""
    return Row(lead, _TOLD.decode(keys.open("lead", lead.id, "sealed", lead.sealed)), answer)


@get("/intake", action="lead.work")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "open") -> Response[str]:
    """What came in, the first deadline first."""
    show, keys = show if show in SHOWS else "open", house.of(request).keys
    found = await views.leads(read, common.patterns(actor, "lead.work"), SHOWS[show])
    return pages.page(
        request, "intake.html", rows=[_row(r, keys) for r in found], show=show, shows=list(SHOWS), kinds=KINDS, length=LENGTH, now=now,
        area=next(iter(actor.areas("lead.take")), ""), may_register=bool(actor.areas("household.register")), done=common.done_of(request),
    )  # fmt: skip


@post("/intake", action="lead.take", status_code=200)
async def take_down(request: Req, data: given.Form[LeadForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[str]:
    """Take it down; the receipt shows the number to give them."""
    way: Way = "hotline" if data.way == "hotline" else "reporter" if data.way == "reporter" else "desk"
    told = Lead(data.village[:6], data.village, data.kind, data.name, data.words, data.phone)
    slip = await intake.take_down(tx, actor, told, way, now, house.of(request).keys)
    return pages.page(request, "lead_taken.html", slip=slip)


@post("/intake/{county:str}/{lead:uuid}", action="lead.work")
async def act(
    request: Req, data: given.Form[ActForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], lead: given.FromPath[UUID]
) -> Response[bytes]:  # fmt: skip
    """Take it up, or end it with an answer."""
    keys = house.of(request).keys

    async def do() -> None:
        if data.act == "close":
            await intake.close(tx, actor, county, lead, data.words, now, keys)
        else:
            await intake.take(tx, actor, county, lead, now)

    await common.once(request, tx, actor, data.key, (str(lead), data.act, data.words), now, do)
    return common.go("/intake", "answered" if data.act == "close" else "taken")


@get("/intake/register", action="household.register")
async def form(request: Req, read: given.Read, actor: given.Me, now: given.Now, lead: given.FromQuery[UUID | None] = None) -> Response[str]:
    """The form of a household at the desk; from a lead it is half filled in."""
    return await _form(request, read, actor, now, lead, None, {})


async def _form(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, lead: UUID | None, wrong: Invalid | None, typed: dict[str, Any]
) -> Response[str]:
    found = await views.leads(read, common.patterns(actor, "lead.work"), SHOWS["open"], lead, 1) if lead else []
    row = _row(found[0], house.of(request).keys) if found else None
    if row and not typed:
        typed = {"name": row.told.name, "phone": row.told.phone or "", "village": row.thing.village, "note": row.told.words}
    area = next(iter(actor.areas("household.register")), "")
    places = await regions.villages(read, area, beijing_day(now)) if len(area) >= 9 else []
    running = await incidents.incidents(read, common.patterns_above(actor, "household.register"))
    return pages.page(
        request, "walk_in.html", 422 if wrong else 200, row=row, incidents=[(i.id, i.name) for i in running if i.status in ("reported", "active", "recovery")],
        families=FAMILY_TYPES, circumstances=CIRCUMSTANCES, banks=BANKS, typed=typed, wrong=wrong, now=now,
        area=area, villages=[(p.code, p.name) for p in places], drill=any(i.drill for i in running),
    )  # fmt: skip


@post("/intake/register", action="household.register", status_code=200)
async def register(request: Req, data: given.Form[WalkForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[str]:
    """Register it: the slip's number and code are shown once, to be printed for the household."""
    lead = next(iter(common.uuids(data.lead)), None)
    keys = house.of(request).keys
    try:
        receipt = await intake.register_at_desk(
            tx, actor, walked(data), common.uuids(data.key)[0], (data.village[:6], lead) if lead else None, now, keys
        )
    except Invalid as wrong:
        return await _form(request, tx, actor, now, lead, wrong, msgspec.structs.asdict(data))
    return pages.page(request, "walked_in.html", receipt=receipt)


def walked(data: WalkForm) -> Walked:
    """The form's texts as the service wants them; Invalid naming the field."""
    plain = {n: v for n, v in msgspec.structs.asdict(data).items() if n in Walked.__struct_fields__}
    circumstances = [data.circumstances] if isinstance(data.circumstances, str) else list(data.circumstances)
    plain |= {"others": _others(data.others), "circumstances": [c for c in circumstances if c], "home_county": data.home_county or None}
    try:
        return msgspec.convert(plain, Walked, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`").partition("[")[0]
        raise Invalid("form", "这一项填写有误 · this field is not right", field=field) from None


def _others(text: str) -> list[tuple[str, str]]:
    """Other members: one a line, the number last."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) < 2 or len(found) == _OTHERS:
            raise Invalid("others", "其他成员每行写一人：姓名 身份证号 · other members one a line: name and number", field="others")
        found.append((" ".join(words[:-1]), words[-1]))
    return found


HANDLERS: Final = [page, take_down, act, form, register]
