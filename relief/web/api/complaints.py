"""Complaints: the list of those one may answer, taking one down, passing on, answering."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import QueryParameter

from relief.domain.complaint import LENGTH, Complaint
from relief.services import complain
from relief.store.views import complaints as views
from relief.web import given, house, idempotency
from relief.web.console.complaints import readable
from relief.web.given import Req

Words = Annotated[str, msgspec.Meta(max_length=LENGTH)]
Kind = Literal["not_received", "wrong_amount", "wrong_card", "wrong_facts", "refused", "bribe", "insult", "other"]
Department = Literal["township", "county", "finance", "discipline"]


class Taken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A complaint told at the desk or on the hotline; `village` is a code of 6, 9 or 12 digits."""

    village: Annotated[str, msgspec.Meta(pattern="^[0-9]{6}([0-9]{3}){0,2}$")]
    kind: Kind
    words: Words
    way: Literal["desk", "hotline"] = "desk"


class Receipt(msgspec.Struct, frozen=True):
    """The number that opens the complaint's own page, and by when it is answered."""

    reference: str
    due_at: datetime


class Pass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """转办: to whom, and what they should know."""

    department: Department
    note: Words = ""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same answer in writing for one complaint or several."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=200)]
    answer: Words


class Item(msgspec.Struct, frozen=True):
    """A complaint without its words: they are shown where they are answered."""

    county: str
    id: UUID
    kind: str
    status: str
    department: str
    way: str
    village_name: str
    household: UUID | None
    opened_at: datetime
    acknowledged_at: datetime | None
    due_at: datetime
    closed_at: datetime | None
    reopened: int


class Done(msgspec.Struct, frozen=True):
    """How many."""

    count: int


@get("/complaints", action="complaint.read")
async def list_complaints(
    read: given.Read, actor: given.Me, status: Annotated[Literal["open", "closed"], QueryParameter(description="open or closed")] = "open"
) -> list[Item]:
    """The first 200 one may read: open ones by deadline, closed ones the latest first."""
    found = await views.complaints(read, readable(actor), status, actor.person)
    return [Item(**{name: getattr(c, name) for name in Item.__struct_fields__}) for c in found]


@post("/complaints", action="complaint.take", status_code=200)
async def take_complaint(
    request: Req, data: given.Json[Taken], tx: given.Write, actor: given.Me, now: given.Now, key: idempotency.Key = None
) -> Any:
    """Take one down for somebody; the answer is their receipt."""

    async def act() -> Receipt:
        item = Complaint(complain.about_place(data.village), data.kind, data.way, village=data.village, words=data.words)
        made = await complain.receive(tx, actor, item, now, house.of(request).keys)
        return Receipt(f"{made.county}-{made.reference}", made.due_at)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/complaints/{complaint:uuid}/acknowledge", action="complaint.read", status_code=200)
async def acknowledge_complaint(
    tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], complaint: given.FromPath[UUID]
) -> Done:
    """受理; doing it again changes nothing."""
    return Done(await complain.acknowledge(tx, actor, county, [complaint], now))


@post("/counties/{county:str}/complaints/{complaint:uuid}/pass", action="complaint.read", status_code=200)
async def pass_complaint(
    request: Req, data: given.Json[Pass], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    complaint: given.FromPath[UUID],
) -> Done:  # fmt: skip
    """转办 to another department; its time begins anew."""
    await complain.pass_on(tx, actor, county, complaint, data.department, data.note, now, house.of(request).keys)
    return Done(1)


@post("/counties/{county:str}/complaints/answer", action="complaint.read", status_code=200)
async def answer_complaints(
    request: Req, data: given.Json[Answer], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Answer in writing and close; all of the list, or none."""

    async def act() -> Done:
        return Done(await complain.close(tx, actor, county, data.ids, data.answer, now, house.of(request).keys))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


HANDLERS: Final[list[Any]] = [list_complaints, take_complaint, acknowledge_complaint, pass_complaint, answer_complaints]
