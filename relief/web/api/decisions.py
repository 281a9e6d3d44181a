"""Decisions over the wire: explained, re-assessed, taken back; figures and playbook versions drafted and put in force."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post

from relief.domain import playbook as playbooks_
from relief.domain.standard import Standard
from relief.domain.supposed import Group
from relief.services import compare, enact, explain, reassess, replay, suppose
from relief.services.compare import Comparison, Effect
from relief.services.explain import Explanation
from relief.services.preview import Preview, Scenario
from relief.services.reassess import Assessment as Assessment
from relief.services.reassess import Look, Reassessed, Withdrawal
from relief.services.replay import Replayed
from relief.store.views import playbooks as books
from relief.web import given, idempotency
from relief.web.given import Req


class Looks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Households of one county looked at again."""

    items: Annotated[list[Look], msgspec.Meta(min_length=1, max_length=500)]


class Withdrawn(msgspec.Struct, frozen=True):
    """How many guards were given back."""

    guards: int


class Supposition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts by hand, and by which playbook."""

    playbook: UUID
    groups: Annotated[list[Group], msgspec.Meta(min_length=1, max_length=2000)]
    incident: UUID | None = None


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures to draft; amounts in fen."""

    items: Annotated[list[Standard], msgspec.Meta(min_length=1, max_length=500)]


class Ids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some figures."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=500)]


class Two(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two scenarios."""

    before: Scenario
    after: Scenario


@get("/counties/{county:str}/households/{household:uuid}/explanation", action="decision.read")
async def explanation(read: given.Read, actor: given.Me, county: given.FromPath[str], household: given.FromPath[UUID]) -> Explanation:
    """What was asked, what was true, which clause, so much: every decision of a household, in both languages."""
    return await explain.explain(read, actor, county, household)


@get("/counties/{county:str}/households/{household:uuid}/assessments", action="decision.read")
async def history(read: given.Read, actor: given.Me, county: given.FromPath[str], household: given.FromPath[UUID]) -> list[Assessment]:
    """Every look at a household after its registration, with what was known before."""
    return await reassess.history(read, actor, county, household)


@post("/counties/{county:str}/assessments", action="household.reassess", status_code=200)
async def assess(
    request: Req, data: given.Json[Looks], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Write new facts and decide these households again at once."""

    async def act() -> Reassessed:
        return await reassess.reassess(tx, actor, county, data.items, now)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/awards/withdraw", action="award.withdraw", status_code=200)
async def withdraw(
    request: Req, data: given.Json[Withdrawal], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Take proposals back before anybody approved them."""

    async def act() -> Withdrawn:
        return Withdrawn(await reassess.withdraw(tx, actor, county, data, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@get("/counties/{county:str}/replay", action="decision.read")
async def replayed(
    read: given.Read, actor: given.Me, county: given.FromPath[str], activation: given.FromQuery[UUID | None] = None
) -> Replayed:
    """Every decision of the county taken again from what it pinned; what differs is named."""
    return await replay.replay(read, actor, [county], activation)


@post("/preview", action="activation.preview", status_code=200)
async def supposed(data: given.Json[Supposition], read: given.Read, actor: given.Me, now: given.Now) -> Preview:
    """The dry run before anybody is registered."""
    book = playbooks_.read((await books.version(read, data.playbook)).body)
    return await suppose.estimate(read, actor, book, data.groups, now, incident=data.incident)


@post("/incidents/{incident:uuid}/compare", action="activation.preview", status_code=200)
async def side_by_side(
    data: given.Json[Two], read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Comparison:
    """Two scenarios over the registered households: who gets more, less, the same."""
    return await compare.compare(read, actor, incident, data.before, data.after, now)


@post("/figures", action="figure.draft")
async def draft_figures(data: given.Json[Figures], tx: given.Write, actor: given.Me, now: given.Now) -> Ids:
    """Draft dated figures; the ids of those that are new."""
    return Ids(await enact.draft_figures(tx, actor, data.items, now))


@post("/figures/effect", action="activation.preview", status_code=200)
async def figures_effect(data: given.Json[Ids], read: given.Read, actor: given.Me, now: given.Now) -> list[Effect]:
    """What these drafts would change in every open activation."""
    return await compare.effect(read, actor, data.ids, now)


@post("/figures/force", action="figure.force", status_code=204)
async def force_figures(data: given.Json[Ids], tx: given.Write, actor: given.Me, now: given.Now) -> None:
    """Put drafts in force as a second person."""
    await enact.force_figures(tx, actor, data.ids, now)


HANDLERS: Final[list[Any]] = [
    explanation, history, assess, withdraw, replayed, supposed, side_by_side, draft_figures, figures_effect, force_figures,
]  # fmt: skip
