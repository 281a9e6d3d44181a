"""The phone's doors: a device is enrolled by its person's sign-in and comes in by its own token from then on, here and nowhere else."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, get, post, put
from litestar.params import QueryParameter

from relief.channels.photo_folder import PART, PhotoFolder
from relief.domain import jpeg, visit
from relief.domain.errors import Invalid, Refused
from relief.domain.household import Registration
from relief.domain.likeness import Limits
from relief.services import bundle, field, identify, photos
from relief.services.bundle import Bundle
from relief.services.field import Device, Enrolled, Push, Receipt, Sent
from relief.services.identify import Identified
from relief.store import db
from relief.store.views import field as views
from relief.store.views.field import Device as Listed
from relief.web import given, guard, house
from relief.web.console import common
from relief.web.given import Req

#: Records of one chunk.
MOST: Final = 200


class NewDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The id the phone made for itself, what its owner calls it, and its county where the person registers in several."""

    device: UUID
    name: Annotated[str, msgspec.Meta(max_length=60)] = ""
    county: Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")] | None = None


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record: the id and the sequence number the device made, its author at capture, and the household as `POST /households` takes it."""

    id: UUID
    seq: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    author: UUID
    household: dict[str, Any]


class Chunk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 200 records; `version` of the page, and how many the device still holds without a receipt, these included."""

    records: list[Envelope]
    version: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    waiting: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class Have(msgspec.Struct, frozen=True):
    """How many bytes of a photo are here; `done`: all of it, and proven."""

    have: int
    size: int
    done: bool


class Revoke(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why; `lost`: its data are removed at its next contact."""

    reason: Annotated[str, msgspec.Meta(min_length=2, max_length=500, examples=["手机遗失"])]
    lost: bool = False


@post("/field/devices", action="household.register")
async def enrol_device(data: given.Json[NewDevice], tx: given.Write, actor: given.Me, now: given.Now) -> Enrolled:
    """Enrol this phone; its token is answered once and is good for the routes under /field only."""
    return await field.enrol(tx, actor, data.device, data.name, data.county, now)


@get("/field/devices", action="device.read")
async def list_devices(read: given.Read, actor: given.Me) -> list[Listed]:
    """Phones of your areas; a reporter sees their own."""
    own = actor.person if actor.roles() == ["reporter"] else None
    return await views.devices(read, common.patterns(actor, "device.read"), own)


@post("/counties/{county:str}/devices/{device:uuid}/revoke", action="device.revoke", status_code=204)
async def revoke_device(
    data: given.Json[Revoke], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], device: given.FromPath[UUID]
) -> None:
    """Refuse a phone from now on."""
    await field.revoke(tx, actor, county, device, data.lost, data.reason, now)


@get("/field/bundle", action="household.register", device=True)
async def take_along(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Bundle:
    """What the phone needs until it is here again."""
    here = house.of(request)
    return await bundle.bundle(read, actor, now, here.keys, here.settings.field_days)


@post("/field/sync", action="household.register", device=True, status_code=200, request_max_body_size=2_000_000)
async def sync(request: Req, data: given.Json[Chunk], tx: given.Write, actor: given.Me, now: given.Now) -> list[Receipt]:
    """Take records, each once; a receipt for every one of them. Safe to send again, in parts, in any order."""
    if len(data.records) > MOST:
        raise Invalid("range", f"一次最多{MOST}条 · at most {MOST} records in one chunk", field="records")
    here, said = house.of(request), house.of(request).settings
    limits = Limits(said.duplicate_score, said.account_households, said.phone_households, said.duplicate_stops)
    pushed = Push([_sent(e) for e in data.records], data.version, data.waiting)
    return await field.push(tx, actor, device_of(request), pushed, now, here.keys, limits)


def _sent(envelope: Envelope) -> Sent:
    """One faulty record never stops the others: what cannot be read is answered for itself."""
    try:
        content: Registration | Invalid = guard.convert({**envelope.household, "device_id": str(envelope.id)}, Registration)
    except Invalid as error:
        content = error
    return Sent(envelope.id, envelope.seq, envelope.author, content)


@get("/field/photos/{digest:str}", action="household.register", device=True)
async def photo_state(request: Req, actor: given.Me, digest: given.FromPath[str], read: given.Read) -> Have:
    """How much of it is here: go on from there."""
    found = await photos.wanted(read, device_of(request), visit.digest_of(digest))
    done = found.status == "received"
    return Have(found.size if done else await asyncio.to_thread(_folder(request).have, found.id), found.size, done)


@put("/field/photos/{digest:str}", action="household.register", device=True, accepts=("image/jpeg",), request_max_body_size=PART + 1024)
async def send_photo(
    request: Req,
    actor: given.Me,
    now: given.Now,
    digest: given.FromPath[str],
    at: Annotated[int, QueryParameter(ge=0, le=visit.MOST_BYTES)],
) -> Have:
    """A part of a photo, from the byte `at`. The last one proves it: digest, and a JPEG that is nothing but one."""
    here, folder, device, wished = house.of(request), _folder(request), device_of(request), visit.digest_of(digest)
    async with db.read(here.pool) as tx:
        found = await photos.wanted(tx, device, wished)
    if found.status == "received":
        return Have(found.size, found.size, True)
    have = await asyncio.to_thread(folder.add, found.id, at, await request.body())
    if have < found.size:
        return Have(have, found.size, False)
    content = await asyncio.to_thread(folder.whole, found.id)
    try:
        if len(content) != found.size or hashlib.sha256(content).digest() != wished:
            raise Invalid("digest_mismatch", "照片在传送中损坏，请重传 · the photo was damaged on its way, send it again", field="photo")
        jpeg.check(content)
    except Invalid:
        await asyncio.to_thread(folder.forget, found.id)
        raise
    await asyncio.to_thread(folder.keep, found.county, found.id, content)
    async with db.begin(here.pool) as tx:
        await photos.received(tx, actor, device, found, now)
    await asyncio.to_thread(folder.forget, found.id)
    return Have(found.size, found.size, True)


def _folder(request: Request[Any, Any, Any]) -> PhotoFolder:
    here = house.of(request)
    return PhotoFolder(here.settings.home / "photos", here.keys)


def device_of(request: Request[Any, Any, Any]) -> Device:
    """The phone that speaks; a person at a desk is none."""
    device = request.scope.get("relief_device")
    if not isinstance(device, Device):
        raise Refused("device_unknown", "请用已登记的手机 · only an enrolled phone may do this")
    return device


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People of one county who have papers now."""

    items: Annotated[list[Identified], msgspec.Meta(min_length=1, max_length=500)]


class Count(msgspec.Struct, frozen=True):
    """How many."""

    people: int


@post("/counties/{county:str}/people/identify", action="person.identify", status_code=200)
async def identify_people(
    request: Req, data: given.Json[People], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]
) -> Count:
    """Give people registered without papers their numbers; the household is compared anew."""
    return Count(await identify.identify(tx, actor, county, data.items, now, house.of(request).keys))


HANDLERS: Final[list[Any]] = [identify_people, enrol_device, list_devices, revoke_device, take_along, sync, photo_state, send_photo]
