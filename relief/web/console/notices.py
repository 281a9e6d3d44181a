"""公示: whom the village has to meet about, which lists to draft, post and report, what was objected to; and the paper to hang up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain import days
from relief.domain.errors import Invalid
from relief.domain.review import LENGTH, MINUTES, Way, over
from relief.domain.sealing import Keys
from relief.services import announce, contest, keep, masked
from relief.services.announce import Minutes
from relief.store import regions
from relief.store.views import notices as views
from relief.store.views.notices import Notice, Objection
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

MAX_PHOTO: Final = keep.MOST + 100_000
SHOWS: Final = {"open": ("drafted", "posted"), "reported": ("reported",), "withdrawn": ("withdrawn",)}
SIZES: Final = ("A4", "A3")


class DraftForm(MoneyForm, frozen=True):
    """Lists for every village of an area."""

    county: str
    activation: str
    aid: str
    area: str


class ReviewForm(msgspec.Struct, frozen=True):
    """Minutes of one village: those ticked were supported, the others shown were opposed."""

    csrf: str
    county: str
    activation: str
    aid: str
    village: str
    held_on: str
    participants: int
    words: str
    shown: list[str] | str = ""
    award: list[str] | str = ""
    file: Annotated[UploadFile | None, "photo of the signed sheet"] = None


class PhotoForm(msgspec.Struct, frozen=True):
    """The photo of the list on its board; `words` is the township's opinion at the end."""

    csrf: str
    file: Annotated[UploadFile, "photo"]
    words: str = ""


class WithdrawForm(MoneyForm, frozen=True):
    """Why it is taken back."""

    words: str


class ObjectForm(MoneyForm, frozen=True):
    """An objection told at the desk, on the telephone, or in the village."""

    words: str
    line: str = ""
    way: str = "desk"


class AnswerForm(MoneyForm, frozen=True):
    """Whether it holds, and why."""

    outcome: str
    words: str


class Line(msgspec.Struct, frozen=True):
    """One line as it hangs: the name masked."""

    line: int
    name: str
    members: int
    amount_fen: int
    household: UUID


class Said(msgspec.Struct, frozen=True):
    """An objection with its words and answer opened."""

    thing: Objection
    words: str
    answer: str | None


def lines(keys: Keys, rows: Sequence[views.Row]) -> list[Line]:
    """A list as anybody may read it."""
    return [Line(r.line, masked.name(keys, r.person, r.sealed_person), r.members, r.amount_fen, r.household) for r in rows]


@get("/notices", action="notice.read")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "open") -> Response[str]:
    """What is to be listed, and the lists."""
    show, villages = show if show in SHOWS else "open", common.patterns(actor, "notice.read")
    found = await views.notices(read, villages, SHOWS[show], actor.person)
    unlisted = await views.unlisted(read, common.patterns(actor, "notice.post")) if show == "open" else []
    return pages.page(
        request, "notices.html", unlisted=unlisted, notices=found, show=show, shows=list(SHOWS), now=now, today=days.beijing_day(now),
        done=common.done_of(request), drill=any(n.drill for n in found) or any(u.drill for u in unlisted),
    )  # fmt: skip


@post("/notices", action="notice.post")
async def draft(request: Req, data: given.Form[DraftForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Draft the lists of an area."""
    [activation] = common.uuids(data.activation)
    content = (data.county, data.activation, data.aid, data.area)
    await common.once(
        request, tx, actor, data.key, content, now, lambda: announce.draft(tx, actor, data.county, activation, data.aid, data.area, now)
    )
    return common.go("/notices", "notice_drafted")


@get("/notices/review", action="review.record")
async def meeting(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromQuery[str], activation: given.FromQuery[UUID],
    aid: given.FromQuery[str], village: given.FromQuery[str],
) -> Response[str]:  # fmt: skip
    """The form for the minutes of one village."""
    found = await views.candidates(read, county, activation, aid, village, common.patterns(actor, "review.record"))
    keys, place = house.of(request).keys, await regions.get(read, village)
    rows = [(c, masked.name(keys, c.person, c.sealed_person)) for c in found]
    return pages.page(
        request, "review.html", rows=rows, place=place, county=county, activation=activation, aid=aid, length=MINUTES, now=now,
        today=days.beijing_day(now),
    )  # fmt: skip


@post("/notices/review", action="review.record", request_max_body_size=MAX_PHOTO)
async def record(request: Req, data: MultipartBody[ReviewForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Keep the minutes."""
    [activation], shown, ticked = common.uuids(data.activation), common.uuids(data.shown), set(common.uuids(data.award))
    photo = await data.file.read() if data.file is not None else b""
    minutes = Minutes(
        activation, data.aid, _day(data.held_on), data.participants, data.words, [a for a in shown if a in ticked],
        [a for a in shown if a not in ticked], photo or None,
    )  # fmt: skip
    await announce.deliberate(tx, actor, data.county, minutes, now, house.of(request).keys)
    return common.go("/notices", "review_recorded")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("held_on", "评议日期无法读懂 · the day of the meeting cannot be read", field="held_on") from None


@get("/notices/{county:str}/{notice:uuid}", action="notice.read")
async def one(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], notice: given.FromPath[UUID]
) -> Response[str]:
    """One list with what was objected to it, and what this reader may do."""
    keys, found = house.of(request).keys, await views.notice(read, common.patterns(actor, "notice.read"), notice, actor.person)
    objections = [
        Said(
            o,
            keys.open("objection", o.id, "sealed", o.sealed).decode(),
            keys.open("objection", o.id, "sealed_answer", o.sealed_answer).decode() if o.sealed_answer else None,
        )
        for o in await views.objections(read, county, notice, actor.person)
    ]
    opinion = keys.open("notice", notice, "sealed", found.sealed).decode() if found.sealed else ""
    today = days.beijing_day(now)
    return pages.page(
        request, "notice.html", n=found, lines=lines(keys, await views.rows(read, county, notice)), objections=objections, opinion=opinion,
        running=found.ends_on is not None and not over(found.ends_on, today), today=today, length=LENGTH, now=now, done=common.done_of(request),
        may_post=actor.may("notice.post", found.village), may_report=actor.may("notice.report", found.village) and not found.mine,
        may_take=actor.may("objection.take", found.village), may_answer=actor.may("objection.answer", found.village), drill=found.drill,
    )  # fmt: skip


@get("/notices/{county:str}/{notice:uuid}/paper", action="notice.read")
async def paper(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], notice: given.FromPath[UUID],
    size: given.FromQuery[str] = "A4",
) -> Response[str]:  # fmt: skip
    """The list as it hangs in the village, A4 or A3."""
    found: Notice = await views.notice(read, common.patterns(actor, "notice.read"), notice, actor.person)
    rows = lines(house.of(request).keys, await views.rows(read, county, notice))
    return pages.page(
        request, "notice_paper.html", n=found, lines=rows, size=size if size in SIZES else "A4", sizes=SIZES, now=now, drill=found.drill
    )


@post("/notices/{county:str}/{notice:uuid}/post", action="notice.post", request_max_body_size=MAX_PHOTO)
async def hang(
    request: Req, data: MultipartBody[PhotoForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    notice: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """It hangs: here is the photo."""
    await announce.post(tx, actor, county, {notice: await data.file.read()}, now, house.of(request).keys)
    return common.go(f"/notices/{county}/{notice}", "notice_posted")


@post("/notices/{county:str}/{notice:uuid}/report", action="notice.report", request_max_body_size=MAX_PHOTO)
async def report(
    request: Req, data: MultipartBody[PhotoForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    notice: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Its days are over: to the county, with the township's opinion."""
    await announce.report(tx, actor, county, {notice: await data.file.read()}, data.words, now, house.of(request).keys)
    return common.go(f"/notices/{county}/{notice}", "notice_reported")


@post("/notices/{county:str}/{notice:uuid}/withdraw", action="notice.post")
async def withdraw(
    request: Req, data: given.Form[WithdrawForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    notice: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Take it back."""
    await common.once(
        request, tx, actor, data.key, data.words, now, lambda: announce.withdraw(tx, actor, county, [notice], data.words, now)
    )
    return common.go("/notices", "notice_withdrawn")


@post("/notices/{county:str}/{notice:uuid}/objections", action="objection.take", status_code=200)
async def take(
    request: Req, data: given.Form[ObjectForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    notice: given.FromPath[UUID],
) -> Response[str]:  # fmt: skip
    """Take an objection down; the receipt shows the number to give them."""
    line = int(data.line) if data.line.isascii() and data.line.isdigit() else None
    way: Way = "hotline" if data.way == "hotline" else "reporter" if data.way == "reporter" else "desk"
    receipt = await contest.take(tx, actor, contest.Objection(county, notice, data.words, line), way, now, house.of(request).keys)
    return pages.page(request, "objection_taken.html", receipt=receipt, back=f"/notices/{county}/{notice}")


@post("/notices/{county:str}/{notice:uuid}/objections/{objection:uuid}", action="objection.answer")
async def answer(
    request: Req, data: given.Form[AnswerForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    notice: given.FromPath[UUID], objection: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Answer it in writing."""
    keys = house.of(request).keys
    await common.once(
        request, tx, actor, data.key, (str(objection), data.outcome, data.words), now,
        lambda: contest.answer(tx, actor, county, objection, data.outcome, data.words, now, keys),
    )  # fmt: skip
    return common.go(f"/notices/{county}/{notice}", "answered")


@get("/documents/{county:str}/{document:uuid}", action="notice.read")
async def picture(
    request: Req, read: given.Read, actor: given.Me, county: given.FromPath[str], document: given.FromPath[UUID]
) -> Response[bytes]:
    """One photo or scan, within the reader's area."""
    found, content = await keep.read(read, actor, county, document, house.of(request).keys)
    name = f"{found.kind}-{found.digest.hex()[:8]}.{found.media.rsplit('/', 1)[1]}"
    return Response(
        content=content, media_type=found.media,
        headers={"Content-Disposition": f'inline; filename="{name}"', "Content-Security-Policy": "sandbox"},
    )  # fmt: skip


HANDLERS: Final = [page, draft, meeting, record, one, paper, hang, report, withdraw, take, answer, picture]
