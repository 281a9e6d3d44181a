"""What residents said is wrong, by deadline, and the answer that closes it."""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import Response, get, post

from relief.domain.confirmation import ANSWER_LENGTH
from relief.services import complain, masked
from relief.store.views import complaints as views
from relief.store.views.complaints import Complaint
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

SHOWS: Final = ("open", "closed")


class CloseForm(MoneyForm, frozen=True):
    """The answer to one complaint, or to several of one county."""

    county: str
    id: list[str] | str = ""
    answer: str = ""


class Row(msgspec.Struct, frozen=True):
    """A complaint as shown, with the masked name."""

    thing: Complaint
    name: str


@get("/complaints", action="complaint.close")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "open") -> Response[str]:
    """Complaints in the reader's area: open ones by deadline, or those already closed."""
    show, keys = show if show in SHOWS else "open", house.of(request).keys
    found = await views.complaints(read, common.patterns(actor, "complaint.close"), show, actor.person)
    return pages.page(
        request, "complaints.html", rows=[Row(c, masked.name(keys, c.person, c.sealed_person)) for c in found], show=show, shows=SHOWS,
        total=found[0].total if found else 0, length=ANSWER_LENGTH, now=now, done=common.done_of(request), drill=any(c.drill for c in found),
    )  # fmt: skip


@post("/complaints", action="complaint.close")
async def close(request: Req, data: given.Form[CloseForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Close with an answer."""
    ids = common.uuids(data.id)
    content = (sorted(ids), data.answer)
    await common.once(request, tx, actor, data.key, content, now, lambda: complain.close(tx, actor, data.county, ids, data.answer, now))
    return common.go("/complaints", "answered")


HANDLERS: Final = [page, close]
