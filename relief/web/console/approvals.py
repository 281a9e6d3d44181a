"""Approvals: what is special one by one, the plain rest as one bundle with total and digest."""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import Response, get, post

from relief.domain.errors import Invalid
from relief.domain.reasons import explain
from relief.services import approve, freeze, masked, reassess
from relief.store.views import approvals, unverified
from relief.store.views.approvals import Group, ProposedAward, Stage
from relief.web import access, given, guard, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

#: The most households in one bundle: what a person can answer for at once.
MOST: Final = 2_000
#: Who may sign, as the approval bands of playbooks name them.
OFFICES: Final = ("township", "county", "meeting", "city")


class ApproveForm(MoneyForm, frozen=True):
    """The awards chosen and the digest of what was shown."""

    county: str
    digest: str
    award: list[str] | str = ""


class Row(msgspec.Struct, frozen=True):
    """One household as shown: the name masked, the reasons in words."""

    award: ProposedAward
    name: str
    reasons: str


class BackForm(MoneyForm, frozen=True):
    """The awards chosen that are not approved, and why: `do` is mend (退回补正) or refuse."""

    county: str
    do: str
    reason: str = ""
    digest: str = ""
    award: list[str] | str = ""


@get("/approvals", action=access.SIGNED_IN)
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, group: given.FromQuery[str | None] = None) -> Response[str]:
    """The groups that wait for me, and one of them in full."""
    areas = {office: common.patterns(actor, f"award.approve.{office}") for office in OFFICES}
    groups = await approvals.groups(read, *areas.values())
    shown = next((g for g in groups if key_of(g) == group), groups[0] if groups else None)
    rows: list[ProposedAward] = []
    stages: list[Stage] = []
    if shown:
        rows = await approvals.proposed(
            read, shown.county, shown.incident, shown.mode, shown.aid, shown.office, areas[shown.office], MOST, actor.person, now
        )
        stages = await approvals.stages(read, shown.county, [r.id for r in rows])
    plain = [r for r in rows if not r.special]
    placeholders = await unverified.awards(read, shown.county, [r.id for r in rows]) if shown else 0
    return pages.page(
        request, "approvals.html", placeholders=placeholders, groups=[(g, key_of(g)) for g in groups], group=shown, stages=stages, now=now,
        special=[_row(request, r) for r in rows if r.special], plain=[_row(request, r) for r in plain],
        total_fen=sum(r.amount_fen for r in plain), digest=approve.digest_of([(r.id, r.amount_fen) for r in plain]).hex(),
        drill=bool(shown and shown.drill), done=common.done_of(request),
    )  # fmt: skip


def key_of(group: Group) -> str:
    """The group in an address."""
    return f"{group.county}.{group.incident}.{group.mode}.{group.aid}.{group.office}"


def _row(request: Req, award: ProposedAward) -> Row:
    words = explain(award.reasons)
    text = "；".join(w.zh for w in words) if pages.language(request) == "zh" else "; ".join(w.en for w in words)
    return Row(award, masked.name(house.of(request).keys, award.person, award.sealed_person), text)


@post("/approvals", action=access.SIGNED_IN)
async def sign(request: Req, data: given.Form[ApproveForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Sign exactly what was shown; the service asks for the right of the awards' own mode."""
    awards, digest = common.uuids(data.award), _digest(data.digest)
    content = (data.county, sorted(awards), data.digest)
    reply = await common.once(
        request, tx, actor, data.key, content, now, lambda: approve.approve(tx, actor, data.county, awards, digest, now)
    )
    done = msgspec.json.decode(reply.response, type=approve.Approved)
    return common.go("/approvals", "countersigned" if done.countersigned else "approved")


@post("/approvals/back", action=access.SIGNED_IN)
async def back(request: Req, data: given.Form[BackForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """退回补正: they wait until somebody has mended what the reason names. Or they are refused for good, with the reason in writing."""
    awards, refuse = common.uuids(data.award), data.do == "refuse"
    if not awards:
        raise Invalid("none_chosen", "请先勾选事项 · choose the items first", field="award")

    async def act() -> int:
        if not refuse:
            return await freeze.send_back(tx, actor, data.county, awards, data.reason, now)
        given_ = guard.convert({"awards": [str(a) for a in awards], "reason": data.reason.strip()}, reassess.Withdrawal)
        return await reassess.withdraw(tx, actor, data.county, given_, now)

    await common.once(request, tx, actor, data.key, (data.county, sorted(awards), data.do, data.reason), now, act)
    return common.go("/approvals", "refused" if refuse else "sent_back")


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Invalid("digest_form", "摘要无效，请刷新页面 · the digest is not one, reload the page") from None


HANDLERS: Final = [page, sign, back]
