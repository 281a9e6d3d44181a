"""The adjudication queue: two registrations side by side, what speaks for their being one, and three answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.errors import Invalid
from relief.domain.household import FAMILY_TYPES
from relief.domain.sealing import Keys
from relief.services import adjudicate, masked
from relief.services.adjudicate import Ruling
from relief.store.views import suspicions as views
from relief.store.views.suspicions import Member, Side, Suspicion
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

SHOWS: Final = ("open", "decided")
#: Pairs on a page: each is read in full.
PAGE: Final = 10


class Person(msgspec.Struct, frozen=True):
    """A person of a side as shown; `matched` where somebody on the other side is the one suspected."""

    face: masked.Compared
    role: str
    matched: bool


class Column(msgspec.Struct, frozen=True):
    """One side as shown."""

    side: Side
    people: list[Person]
    account: str


class Pair(msgspec.Struct, frozen=True):
    """A suspicion with both its sides; `reasons` are (code, points)."""

    case: Suspicion
    reasons: list[tuple[str, int]]
    columns: list[Column]

    @property
    def decidable(self) -> bool:
        """Whether the reader may answer."""
        return self.case.status == "open" and self.case.within and not self.case.own


class VerdictForm(MoneyForm, frozen=True):
    """The answer to one suspicion; `verdict` is 'different', or 'same' or 'merge' with the household that stays."""

    case: str
    verdict: str
    reason: str = ""


@get("/duplicates", action="duplicate.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "open", after: given.FromQuery[str | None] = None
) -> Response[str]:  # fmt: skip
    """Suspicions in the reader's area, heaviest first, or those decided."""
    show = show if show in SHOWS else "open"
    found = await views.suspicions(read, common.patterns(actor, "duplicate.read"), show, common.unpack(after), PAGE, actor.person)
    sides = [side for f in found for side in ((f.other_county, f.other), (f.county, f.household))]
    facts, people, keys = await views.sides(read, sides), await views.people(read, sides), house.of(request).keys
    pairs = [_pair(f, [facts[f.other], facts[f.household]], [people[f.other], people[f.household]], keys) for f in found]
    return pages.page(
        request, "duplicates.html", pairs=pairs, show=show, shows=SHOWS, total=found[0].total if found else 0, now=now, families=FAMILY_TYPES,
        more=common.pack(found[-1].weight, found[-1].id) if len(found) == PAGE else None, done=common.done_of(request),
        may_decide=bool(actor.areas("duplicate.decide")), drill=any(f.drill for f in found),
    )  # fmt: skip


def _pair(case: Suspicion, sides: Sequence[Side], people: Sequence[Sequence[Member]], keys: Keys) -> Pair:
    opened = [[masked.compared(keys, m.id, m.sealed) for m in column] for column in people]
    hashes = [{m.id_hash for m in column} for column in people]
    births = [{(f.birth, f.name) for f in column} for column in opened]
    columns = []
    for n, (side, column, faces) in enumerate(zip(sides, people, opened, strict=True)):
        shown = [
            Person(f, m.role, m.id_hash in hashes[1 - n] or any(f.birth == b or f.name == x for b, x in births[1 - n]))
            for m, f in zip(column, faces, strict=True)
        ]
        card = next(((m.account, m.sealed_account) for m in column if m.account and m.sealed_account), None)
        columns.append(Column(side, shown, masked.account(keys, *card) if card else ""))
    return Pair(case, [(r.split(":")[0], int(r.split(":")[1])) for r in case.reasons], columns)


@post("/duplicates", action="duplicate.decide")
async def decide(request: Req, data: given.Form[VerdictForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """One answer. The case names county and suspicion, the verdict what stays."""
    county, _, case = data.case.partition("/")
    verdict, kept = _verdict(data.verdict)
    ruling = Ruling(county, common.uuids(case)[0] if case else UUID(int=0), kept)
    keys = house.of(request).keys
    content = (data.case, data.verdict, data.reason)
    await common.once(
        request, tx, actor, data.key, content, now, lambda: adjudicate.decide(tx, actor, [ruling], verdict, data.reason, now, keys)
    )
    return common.go("/duplicates", "ruled")


def _verdict(text: str) -> tuple[Literal["same", "different", "merge"], UUID | None]:
    """'different', or 'same UUID' or 'merge UUID'."""
    word, _, kept = text.partition(" ")
    if word == "different":
        return "different", None
    if word not in ("same", "merge") or not kept:
        raise Invalid("verdict", "请选择核实结论 · choose what you found", field="verdict")
    return ("same" if word == "same" else "merge"), common.uuids(kept)[0]


HANDLERS: Final = [page, decide]
