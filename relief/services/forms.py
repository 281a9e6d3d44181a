"""Submissions of Kobo or ODK forms: taken exactly once by their root id, through the register everybody uses; their photos follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.domain.errors import Conflict, Invalid, ReliefError
from relief.domain.form_mapping import Form, pictures_of, registration_of, root_of
from relief.domain.policy import SYSTEM, Actor, Grant
from relief.domain.sealing import Keys
from relief.services import register
from relief.services.keep import Given, keep
from relief.store import audits, forms
from relief.store.db import Tx
from relief.store.forms import Photo


class Taken(msgspec.Struct, frozen=True):
    """What became of a submission: 'new', 'repeat', 'edited' (another content under the same root: the first stands) or 'refused' with why."""

    root: UUID
    outcome: str
    code: str | None = None
    field: str | None = None
    household: UUID | None = None


async def take(tx: Tx, name: str, form: Form, submission: Mapping[str, Any], now: datetime, keys: Keys) -> Taken:
    """One submission. What cannot be registered is kept with its reason, never dropped; Invalid only where it has no root id."""
    root = root_of(submission)
    await forms.lock(tx, root)
    taken = await _register(tx, form, submission, root, now, keys)
    sealed = keys.seal("form_submission", root, "sealed", msgspec.json.encode(submission))
    kept = {"new": "registered", "repeat": "registered"}.get(taken.outcome, taken.outcome)
    await forms.keep(tx, form.county, root, name, kept, taken.code, taken.field, taken.household, sealed, now)
    if taken.household is not None and (pictures := pictures_of(form, submission)):
        await forms.expect(tx, form.county, root, taken.household, [(p.name, p.kind, p.url) for p in pictures], now)
    await audits.add(tx, form.county, SYSTEM, "form.take", "household", [root], now, {"form": name, "outcome": taken.outcome})
    return taken


async def _register(tx: Tx, form: Form, submission: Mapping[str, Any], root: UUID, now: datetime, keys: Keys) -> Taken:
    try:
        item = registration_of(form, submission)
        if item.county != form.county:
            raise Invalid("other_county", "该村不在本表单的县 · the village is not in the form's county", field=form.questions["village"])
        [receipt] = await register.register(tx, await _actor(tx, form, now), [item], now, keys)
    except ReliefError as refusal:
        return Taken(root, "refused", refusal.code, str(refusal.data.get("field", "")) or None)
    if receipt.outcome == "invalid":
        return Taken(root, "refused", receipt.code, receipt.field)
    return Taken(root, "edited" if receipt.outcome == "conflict" else receipt.outcome, household=receipt.household)


async def _actor(tx: Tx, form: Form, now: datetime) -> Actor:
    found = await forms.person(tx, form.person, now)
    if found is None:
        raise Conflict("form_person", "表单登记人账号不可用 · the account the form registers under is not there")
    return Actor(found.id, found.name, tuple(Grant(r, a) for r, a in zip(found.roles, found.areas, strict=True)))


async def photos_due(tx: Tx, most: int, now: datetime) -> list[Photo]:
    """Photos to fetch now; each comes round again, later each time, until it is kept or given up."""
    return await forms.claim(tx, most, now)


async def keep_photo(tx: Tx, photo: Photo, content: bytes, now: datetime, keys: Keys) -> None:
    """It came: into the household's file."""
    village = await forms.village(tx, photo.county, photo.household)
    [document] = await keep(tx, SYSTEM, photo.county, [Given(photo.kind, village, content, photo.household)], now, keys)
    await forms.kept(tx, photo, document)


def known(found: Sequence[tuple[str, str]], name: str) -> str:
    """The text of the mapping of that name; Invalid where there is none."""
    text = dict(found).get(name)
    if text is None:
        raise Invalid("form_unknown", "没有这个表单 · there is no such form")
    return text
