"""一户一档: everything about one household on one page, and as one signed ZIP. Reading opens what is sealed and is traced as an export."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relief.domain import archive
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.services import explain, masked
from relief.services.explain import Explanation
from relief.store import assessments, audits, documents, dossiers
from relief.store.assessments import Assessment
from relief.store.db import Tx
from relief.store.documents import Entry
from relief.store.dossiers import Export
from relief.store.views import complaints as complaint_views
from relief.store.views import households as household_views
from relief.store.views import notices as notice_views
from relief.store.views import photos as photo_views
from relief.store.views.complaints import Held
from relief.store.views.households import Event, Household, Instalment
from relief.store.views.notices import Listed
from relief.store.views.photos import Photo

_NAMES: Final = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


class Review(msgspec.Struct, frozen=True):
    """A meeting that spoke of the household, its minutes opened."""

    aid: str
    held_on: date
    participants: int
    supported: bool
    minutes: str


class Notice(msgspec.Struct, frozen=True):
    """A list the household stood on, the township's opinion opened."""

    thing: Listed
    opinion: str


class Case(msgspec.Struct, frozen=True):
    """An objection or a complaint with what was said and answered."""

    kind: str
    status: str
    way: str
    opened_at: datetime
    closed_at: datetime | None
    words: str
    answer: str


class Dossier(msgspec.Struct, frozen=True):
    """The whole file of one household."""

    household: Household
    name: str
    explanation: Explanation | None
    schedule: list[Instalment]
    looks: list[Assessment]
    documents: list[Entry]
    photos: list[Photo]
    reviews: list[Review]
    notices: list[Notice]
    objections: list[Case]
    complaints: list[Case]
    story: list[Event]
    exports: list[Export]


async def gather(tx: Tx, actor: Actor, county: str, household: UUID, keys: Keys) -> Dossier:
    """Everything there is, names masked; NotFound outside the county, Refused where the reader may not read decisions there."""
    found = await household_views.household(tx, county, household, ["%"])
    require(actor, "household.read", found.village)
    require(actor, "decision.read", found.village)
    return Dossier(
        household=found,
        name=masked.name(keys, found.person, found.sealed_person),
        explanation=await explain.explain(tx, actor, county, household),
        schedule=await household_views.schedule(tx, county, household),
        looks=await assessments.history(tx, county, household),
        documents=await documents.of_household(tx, county, household),
        photos=await photo_views.of_household(tx, county, household),
        reviews=[
            Review(r.aid, r.held_on, r.participants, r.supported, _open(keys, "review", r.id, "sealed", r.sealed))
            for r in await notice_views.reviews_of(tx, county, household)
        ],
        notices=[
            Notice(n, _open(keys, "notice", n.id, "sealed", n.sealed)) for n in await notice_views.of_household(tx, county, household)
        ],
        objections=[
            Case("objection", o.status, o.way, o.opened_at, o.closed_at, _open(keys, "objection", o.id, "sealed", o.sealed),
                 _open(keys, "objection", o.id, "sealed_answer", o.sealed_answer))
            for o in await notice_views.objections_of(tx, county, household)
        ],
        complaints=[_complaint(keys, c) for c in await complaint_views.of_household(tx, county, household)],
        story=await household_views.story(tx, county, household),
        exports=await dossiers.of_household(tx, county, household),
    )  # fmt: skip


def _complaint(keys: Keys, c: Held) -> Case:
    answer = _open(keys, "complaint", c.id, "sealed_answer", c.sealed_answer) or c.answer or ""
    return Case(c.kind, c.status, c.way, c.opened_at, c.closed_at, _open(keys, "complaint", c.id, "sealed", c.sealed), answer)


def _open(keys: Keys, table: str, id_: UUID, column: str, sealed: bytes | None) -> str:
    return keys.open(table, id_, column, sealed).decode() if sealed else ""


class Made(msgspec.Struct, frozen=True):
    """An export: the name of its file and the ZIP."""

    name: str
    content: bytes
    serial: int


async def export(
    tx: Tx,
    actor: Actor,
    county: str,
    household: UUID,
    picture: Callable[[UUID], bytes | None],
    key: Ed25519PrivateKey,
    now: datetime,
    keys: Keys,
) -> Made:
    """The signed ZIP; each one gets the household's next number, so that none replaces another. `picture` reads a photo of the phones by
    its id, None where its file has not come."""
    coming = await dossiers.next_(tx, county, household)
    require(actor, "dossier.export", coming.village)
    found = await gather(tx, actor, county, household, keys)
    files = {"dossier.json": _written(found)}
    for entry in found.documents:
        content = keys.open("document", entry.id, "sealed", (await documents.get(tx, county, entry.id)).sealed)
        files[f"documents/{entry.received_at:%Y%m%dT%H%M%S}-{entry.kind}-{entry.digest.hex()[:12]}.{_NAMES[entry.media]}"] = content
    for photo in found.photos:
        if (taken := picture(photo.id)) is not None:
            files[f"photos/{photo.taken_at:%Y%m%dT%H%M%S}-{photo.kind}-{photo.digest.hex()[:12]}.jpg"] = taken
    content = archive.pack(county, str(household), coming.serial, actor.name, now, files, key)
    await dossiers.add(tx, county, household, coming.serial, hashlib.sha256(content).digest(), len(files), actor.person, now)
    await audits.add(tx, county, actor, "dossier.export", "household", [household], now, {"serial": coming.serial, "files": len(files)})
    return Made(f"{found.household.slip}-{coming.serial:03d}.zip", content, coming.serial)


def _written(found: Dossier) -> bytes:
    """The structured part as JSON that a person can read, too. Sealed columns stay out: what they say stands opened beside them."""
    plain: dict[str, Any] = msgspec.to_builtins(found, enc_hook=repr)
    for record in _records(plain):
        for name in [n for n in record if n.startswith("sealed")]:
            del record[name]
    return msgspec.json.format(msgspec.json.encode(plain), indent=1)


def _records(thing: Any) -> Sequence[dict[str, Any]]:
    if isinstance(thing, dict):
        return [thing, *(r for value in thing.values() for r in _records(value))]
    return [r for value in thing for r in _records(value)] if isinstance(thing, list) else []
