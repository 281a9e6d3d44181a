"""Reporters' phones: whose they are, what they still hold, revoked when lost; records that came twice; what was seen at a door."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.channels.photo_folder import PhotoFolder
from relief.domain.assessment import Changes
from relief.domain.errors import Invalid, NotFound
from relief.services import field, identify, masked, second_versions
from relief.services.identify import Identified
from relief.store.views import field as views
from relief.store.views import households
from relief.store.views import second_versions as versions
from relief.store.views.second_versions import Version
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.given import Req


class RevokeForm(msgspec.Struct, frozen=True):
    """Which phone, why, and whether it empties itself."""

    csrf: str
    county: str
    device: str
    reason: str = ""
    lost: str = ""


class VersionForm(msgspec.Struct, frozen=True):
    """Which version holds."""

    csrf: str
    county: str
    id: str
    verdict: str
    reason: str = ""


class IdentifyForm(msgspec.Struct, frozen=True):
    """Who, and the number on their paper."""

    csrf: str
    person: str
    id_number: str = ""


class Pair(msgspec.Struct, frozen=True):
    """A record that came twice: `differs` are (fact, first, second); `people`: names, numbers or account differ, too."""

    case: Version
    name: str
    differs: list[tuple[str, object, object]]
    own: bool


class Told(msgspec.Struct, frozen=True):
    """The sealed words of a visit."""

    landmark: str = ""
    note: str = ""
    recipient: dict[str, str] | None = None


@get("/phones", action="device.read")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """Phones of the reader's areas; a reporter sees their own."""
    own = actor.person if actor.roles() == ["reporter"] else None
    found = await views.devices(read, common.patterns(actor, "device.read"), own)
    open_ = await versions.open_versions(read, common.patterns(actor, "second_version.read"))
    return pages.page(
        request, "phones.html", devices=found, pairs=[_pair(request, v) for v in open_], now=now, done=common.done_of(request),
        may_revoke=bool(actor.areas("device.revoke")), may_decide=bool(actor.areas("second_version.decide")), drill=any(v.drill for v in open_),
    )  # fmt: skip


def _pair(request: Req, case: Version) -> Pair:
    keys = house.of(request).keys
    changes = second_versions.difference(case, second_versions.opened(keys, case.id, case.sealed))
    said = {n: getattr(changes, n) for n in Changes.__struct_fields__ if getattr(changes, n) is not None}
    person = request.user.person
    return Pair(
        case, masked.name(keys, case.person, case.sealed_person), [(n, getattr(case, n), v) for n, v in said.items()],
        person in (case.sender, case.registrar),
    )  # fmt: skip


@post("/phones", action="device.revoke")
async def revoke(data: given.Form[RevokeForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Refuse a phone from now on."""
    await field.revoke(tx, actor, data.county, common.uuids(data.device)[0], data.lost == "yes", data.reason, now)
    return common.go("/phones", "device_revoked")


@post("/phones/versions", action="second_version.decide")
async def decide(request: Req, data: given.Form[VersionForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Say which version holds."""
    if data.verdict not in ("first", "second"):
        raise Invalid("verdict", "请选择以哪一份为准 · say which version holds", field="verdict")
    verdict: second_versions.Verdict = "first" if data.verdict == "first" else "second"
    await second_versions.decide(tx, actor, data.county, common.uuids(data.id)[0], verdict, data.reason, now, house.of(request).keys)
    return common.go("/phones", "ruled")


@get("/households/{county:str}/{household:uuid}/visit", action="household.read")
async def visit(
    request: Req, read: given.Read, actor: given.Me, county: given.FromPath[str], household: given.FromPath[UUID]
) -> Response[str]:
    """What was seen and photographed at this door."""
    found = await households.household(read, county, household, common.patterns(actor, "household.read"))
    seen = await views.seen(read, county, household)
    keys = house.of(request).keys
    told = msgspec.json.decode(keys.open("visit", household, "sealed", seen.sealed), type=Told) if seen else Told()
    nameless = [(p.id, masked.name(keys, p.id, p.sealed)) for p in await views.provisional(read, county, household)]
    return pages.page(
        request, "visit.html", household=found, nameless=nameless, may_identify=actor.may("person.identify", found.village), done=common.done_of(request), name=masked.name(keys, found.person, found.sealed_person), seen=seen, told=told,
        photos=await views.photos(read, county, household), drill=found.drill,
    )  # fmt: skip


@post("/households/{county:str}/{household:uuid}/identify", action="person.identify")
async def name(
    request: Req, data: given.Form[IdentifyForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Give somebody the number on their paper."""
    item = Identified(common.uuids(data.person)[0], data.id_number)
    await identify.identify(tx, actor, county, [item], now, house.of(request).keys)
    return common.go(f"/households/{county}/{household}/visit", "identified")


@get("/photos/{county:str}/{photo:uuid}", action="household.read")
async def photo(
    request: Req, read: given.Read, actor: given.Me, county: given.FromPath[str], photo: given.FromPath[UUID]
) -> Response[bytes]:
    """A photo, opened for whoever may read its household."""
    if await views.photo(read, county, photo, common.patterns(actor, "household.read")) is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    here = house.of(request)
    content = await asyncio.to_thread(PhotoFolder(here.settings.home / "photos", here.keys).read, county, photo)
    return Response(content, media_type="image/jpeg")


HANDLERS: Final = [page, revoke, decide, visit, name, photo]
