"""评议, 公示, 异议, papers, changes, leads, documents, case files: what the township's desk does, for programs. Photos are base64 in the body."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import get, post

from relief.domain.lead import Told
from relief.services import announce, change, contest, intake, keep, masked, papers, rosters
from relief.services.announce import Minutes
from relief.services.contest import Objection
from relief.services.intake import Lead
from relief.services.keep import Given
from relief.store.views import leads as lead_views
from relief.store.views import notices as views
from relief.store.views import papers as paper_views
from relief.web import given, house, idempotency
from relief.web.console import common
from relief.web.console.notices import MAX_PHOTO
from relief.web.given import Req

#: A photo as base64 is a third longer than its bytes.
_BODY: Final = MAX_PHOTO * 4 // 3 + 100_000
Words = Annotated[str, msgspec.Meta(max_length=500)]
Village = Annotated[str, msgspec.Meta(pattern="^[0-9]{6}([0-9]{3}){0,2}$")]
_TOLD: Final = msgspec.json.Decoder(Told)


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minutes of one village's meeting: awards supported and opposed, the photo of the signed sheet."""

    activation: UUID
    aid: str
    held_on: date
    participants: int
    words: Annotated[str, msgspec.Meta(max_length=4000)]
    supported: list[UUID]
    opposed: list[UUID] = []
    photo: bytes | None = None


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lists for every village of an area, of everybody who may stand on one and stands on none."""

    activation: UUID
    aid: str
    area: Village


class Photo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list as it hangs."""

    photo: bytes


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list on its last day, and the township's opinion."""

    photo: bytes
    opinion: Words


class Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody said: about a line, or that somebody is missing (no line)."""

    words: Words
    way: Literal["desk", "hotline", "reporter"]
    line: int | None = None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the objection holds, and why."""

    outcome: Literal["rejected", "upheld"]
    words: Words


class Awards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Advances whose papers are complete."""

    awards: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=200)]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A photo or scan for a household's file."""

    kind: str
    content: bytes
    award: UUID | None = None


class TakeLead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Told at the desk or on the hotline, or found by a reporter."""

    village: Village
    kind: Literal["disaster", "fire", "accident", "illness", "stranded", "hardship", "other"]
    name: Annotated[str, msgspec.Meta(max_length=60)]
    words: Words
    phone: Annotated[str, msgspec.Meta(max_length=30)] = ""
    way: Literal["desk", "hotline", "reporter"] = "desk"


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer in writing."""

    words: Words


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changed at a household; 'unchanged' is a recheck."""

    kind: Literal["moved_out", "payee_died", "found", "rebuilt_elsewhere", "unchanged"]
    words: Words


class Assign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """These villages to that reporter."""

    person: UUID
    villages: Annotated[list[Annotated[str, msgspec.Meta(pattern="^[0-9]{12}$")]], msgspec.Meta(min_length=1, max_length=500)]


class Id(msgspec.Struct, frozen=True):
    """What was made."""

    id: UUID


class Count(msgspec.Struct, frozen=True):
    """How many."""

    count: int


class Lists(msgspec.Struct, frozen=True):
    """Lists that were drafted, households on them, households that wait for a review or were opposed."""

    notices: list[UUID]
    households: int
    waiting: int


class Posted(msgspec.Struct, frozen=True):
    """The last day on which anybody may object."""

    ends_on: date


class Receipt(msgspec.Struct, frozen=True):
    """The number that opens the answer, and its last day."""

    reference: str
    due_on: date


class LeadReceipt(msgspec.Struct, frozen=True):
    """The number that opens its progress, and by when somebody acts."""

    id: UUID
    reference: str
    due_at: datetime


class Listed(msgspec.Struct, frozen=True):
    """A list as it stands; money in fen."""

    county: str
    id: UUID
    aid: str
    village: str
    village_name: str
    timing: str
    days: int
    status: str
    households: int
    total_fen: int
    posted_at: datetime | None
    ends_on: date | None
    reported_at: datetime | None
    objections: int


class Owed(msgspec.Struct, frozen=True):
    """An advance whose papers are owed; the name masked."""

    county: str
    award: UUID
    household: UUID
    name: str
    due_on: date
    missing: list[str]
    paused: bool


class Waiting(msgspec.Struct, frozen=True):
    """A lead that waits."""

    county: str
    id: UUID
    village: str
    kind: str
    way: str
    status: str
    owner: str
    name: str
    words: str
    due_at: datetime


_NOTICES: Final = "/counties/{county:str}/notices"


@get("/notices", action="notice.read")
async def list_notices(read: given.Read, actor: given.Me) -> list[Listed]:
    """Lists drafted or hanging in one's area, and those reported, the first to end first."""
    found = await views.notices(read, common.patterns(actor, "notice.read"), ["drafted", "posted", "reported"], actor.person)
    return [Listed(**{name: getattr(n, name) for name in Listed.__struct_fields__}) for n in found]


@post("/counties/{county:str}/reviews", action="review.record", status_code=201, request_max_body_size=_BODY)
async def record_review(
    request: Req, data: given.Json[Review], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]
) -> Id:
    """评议: the minutes of one village."""
    minutes = Minutes(data.activation, data.aid, data.held_on, data.participants, data.words, data.supported, data.opposed, data.photo)
    return Id(await announce.deliberate(tx, actor, county, minutes, now, house.of(request).keys))


@post(_NOTICES, action="notice.post", status_code=200)
async def draft_notices(data: given.Json[Draft], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]) -> Lists:
    """公示: draft the lists of an area; again drafts only for whoever came since."""
    made = await announce.draft(tx, actor, county, data.activation, data.aid, data.area, now)
    return Lists(made.notices, made.households, made.waiting)


@post(_NOTICES + "/{notice:uuid}/post", action="notice.post", status_code=200, request_max_body_size=_BODY)
async def post_notice(
    request: Req, data: given.Json[Photo], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], notice: given.FromPath[UUID]
) -> Posted:  # fmt: skip
    """It hangs: its working days begin tomorrow."""
    ends = await announce.post(tx, actor, county, {notice: data.photo}, now, house.of(request).keys)
    return Posted(ends[notice])


@post(_NOTICES + "/{notice:uuid}/report", action="notice.report", status_code=200, request_max_body_size=_BODY)
async def report_notice(
    request: Req, data: given.Json[Report], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], notice: given.FromPath[UUID]
) -> Count:  # fmt: skip
    """Its days are over: to the county, by another person than posted it."""
    return Count(await announce.report(tx, actor, county, {notice: data.photo}, data.opinion, now, house.of(request).keys))


@post(_NOTICES + "/{notice:uuid}/withdraw", action="notice.post", status_code=200)
async def withdraw_notice(
    data: given.Json[Said], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], notice: given.FromPath[UUID]
) -> Count:
    """Take a wrong list back."""
    return Count(await announce.withdraw(tx, actor, county, [notice], data.words, now))


@post(_NOTICES + "/{notice:uuid}/objections", action="objection.take", status_code=200)
async def take_objection(
    request: Req, data: given.Json[Object], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    notice: given.FromPath[UUID], key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """异议: taken down for somebody; the answer is their receipt."""

    async def act() -> Receipt:
        said = Objection(county, notice, data.words, data.line)
        made = await contest.take(tx, actor, said, data.way, now, house.of(request).keys)
        return Receipt(f"{made.county}-{made.reference}", made.due_on)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/objections/{objection:uuid}/answer", action="objection.answer", status_code=200)
async def answer_objection(
    request: Req, data: given.Json[Answer], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    objection: given.FromPath[UUID],
) -> Count:  # fmt: skip
    """Answer in writing: rejected, and the award goes on; upheld, and it stays held."""
    await contest.answer(tx, actor, county, objection, data.outcome, data.words, now, house.of(request).keys)
    return Count(1)


@get("/papers", action="document.hand_in")
async def list_papers(request: Req, read: given.Read, actor: given.Me) -> list[Owed]:
    """补手续: what is owed in one's area, the first day first."""
    found = await paper_views.listed(read, common.patterns(actor, "document.hand_in"), "open", actor.person)
    keys = house.of(request).keys
    return [
        Owed(d.county, d.award, d.household, masked.name(keys, d.person, d.sealed_person), d.due_on, d.missing, d.paused) for d in found
    ]


@post("/counties/{county:str}/papers/accept", action="papers.accept", status_code=200)
async def accept_papers(data: given.Json[Awards], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]) -> Count:
    """They are complete: what waited for them goes on."""
    return Count(await papers.accept(tx, actor, county, data.awards, now))


@post(
    "/counties/{county:str}/households/{household:uuid}/documents", action="document.hand_in", status_code=201, request_max_body_size=_BODY
)
async def hand_in_document(
    request: Req, data: given.Json[Document], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Id:  # fmt: skip
    """A photo or scan into the household's file; the same bytes again are the same document."""
    item = Given(data.kind, await paper_views.village(tx, county, household), data.content, household, data.award)
    [made] = await keep.hand_in(tx, actor, county, [item], now, house.of(request).keys)
    return Id(made)


@post("/counties/{county:str}/households/{household:uuid}/changes", action="change.report", status_code=201)
async def report_change(
    request: Req, data: given.Json[Change], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Id:  # fmt: skip
    """情况变更: the household waits until somebody else looked into it."""
    return Id(await change.tell(tx, actor, county, household, data.kind, data.words, now, house.of(request).keys))


@post("/counties/{county:str}/changes/{report:uuid}/answer", action="change.answer", status_code=200)
async def answer_change(
    request: Req, data: given.Json[Said], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    report: given.FromPath[UUID],
) -> Count:  # fmt: skip
    """It was looked into; the household goes on."""
    await change.answer(tx, actor, county, report, data.words, now, house.of(request).keys)
    return Count(1)


@get("/leads", action="lead.work")
async def list_leads(request: Req, read: given.Read, actor: given.Me) -> list[Waiting]:
    """一门受理: what waits in one's area, the first deadline first."""
    keys, found = house.of(request).keys, await lead_views.leads(read, common.patterns(actor, "lead.work"), ["open", "taken"])
    told = [(x, _TOLD.decode(keys.open("lead", x.id, "sealed", x.sealed))) for x in found]
    return [Waiting(x.county, x.id, x.village, x.kind, x.way, x.status, x.owner, s.name, s.words, x.due_at) for x, s in told]


@post("/leads", action="lead.take", status_code=200)
async def take_lead(
    request: Req, data: given.Json[TakeLead], tx: given.Write, actor: given.Me, now: given.Now, key: idempotency.Key = None
) -> Any:
    """Take one down for somebody; the answer is their receipt."""

    async def act() -> LeadReceipt:
        told = Lead(data.village[:6], data.village, data.kind, data.name, data.words, data.phone)
        made = await intake.take_down(tx, actor, told, data.way, now, house.of(request).keys)
        return LeadReceipt(made.id, f"{made.county}-{made.reference}", made.due_at)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/leads/{lead:uuid}/take", action="lead.work", status_code=200)
async def take_up_lead(tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], lead: given.FromPath[UUID]) -> Count:
    """受理."""
    await intake.take(tx, actor, county, lead, now)
    return Count(1)


@post("/counties/{county:str}/leads/{lead:uuid}/close", action="lead.work", status_code=200)
async def close_lead(
    request: Req, data: given.Json[Said], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], lead: given.FromPath[UUID]
) -> Count:  # fmt: skip
    """End it with an answer in writing."""
    await intake.close(tx, actor, county, lead, data.words, now, house.of(request).keys)
    return Count(1)


@post("/counties/{county:str}/rosters", action="roster.set", status_code=200)
async def assign_villages(data: given.Json[Assign], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]) -> Count:
    """From now on this reporter, and nobody else, answers for these villages."""
    return Count(await rosters.assign(tx, actor, county, data.villages, data.person, now))


HANDLERS: Final[list[Any]] = [
    list_notices, record_review, draft_notices, post_notice, report_notice, withdraw_notice, take_objection, answer_objection, list_papers, accept_papers,
    hand_in_document, report_change, answer_change, list_leads, take_lead, take_up_lead, close_lead, assign_villages,
]  # fmt: skip
