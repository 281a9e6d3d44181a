"""Scenarios of an activation: which versions there are, and two of them side by side."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get

from relief.domain.days import beijing_day
from relief.domain.errors import NotFound
from relief.domain.facts import FAMILY_CODES
from relief.domain.forecast import CONTRADICTIONS
from relief.domain.playbook import Playbook
from relief.services import compare
from relief.services.preview import Preview, Scenario
from relief.store.db import Tx
from relief.store.views import incidents
from relief.store.views import playbooks as views
from relief.web import given, pages
from relief.web.charts import Labels, charts
from relief.web.console.playbooks import decoded
from relief.web.given import Req
from relief.web.texts import Texts


class Choice(msgspec.Struct, frozen=True):
    """A version that may be chosen, decoded."""

    id: UUID
    key: str
    version: str
    book: Playbook


async def known(read: Tx) -> list[Choice]:
    """Every version in force, newest of each key first."""
    found = [(v, decoded(v)) for v in await views.versions(read) if v.status == "in force"]
    return [Choice(v.id, v.key, v.version, book) for v, book in found if book is not None]


async def fitting(read: Tx, hazard: str) -> list[Choice]:
    """Those that are for this hazard."""
    return [c for c in await known(read) if hazard in c.book.hazards]


async def placeholders(read: Tx, incident: UUID, now: datetime) -> int:
    """How many figures that the incident's open activations use today nobody has compared with their document."""
    counties = sorted({p.county for p in await incidents.parts(read, incident)})
    found = set()
    for act in await incidents.activations(read, incident):
        book = decoded(act) if act.status != "ended" else None
        in_force = await views.in_force(read, counties, book.figure_keys, beijing_day(now)) if book else {}
        found |= {s for standards in in_force.values() for s in standards if not s.verified}
    return len(found)


def told(chosen: Choice | None, preview: Preview | None, names: dict[str, str], t: Texts, other: Preview | None = None) -> dict[str, Any]:
    """What the parts of a dry run need beside it."""
    if chosen is None or preview is None:
        return {"charts": [], "labels": None, "families": FAMILY_CODES, "contradictions": {}}
    labels = Labels(names, chosen.book, t)
    contradictions = {code: {"zh": text.zh, "en": text.en} for code, text in CONTRADICTIONS.items()}
    return {"charts": charts(labels, preview, other), "labels": labels, "families": FAMILY_CODES, "contradictions": contradictions}


@get("/incidents/{incident:uuid}/activation/compare", action="activation.preview")
async def side_by_side(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID],
    zone: given.FromQuery[UUID | None] = None, playbook: given.FromQuery[UUID | None] = None,
    other_zone: given.FromQuery[UUID | None] = None, other_playbook: given.FromQuery[UUID | None] = None,
) -> Response[str]:  # fmt: skip
    """Two zone or playbook versions over the same households; drafts too, for that is when one wants to know."""
    t = Texts(pages.language(request))
    found = await incidents.incident(read, incident)
    zones = await incidents.zones(read, incident)
    books = [
        (v, book) for v in await views.versions(read) if v.status != "withdrawn" and (book := decoded(v)) and found.hazard in book.hazards
    ]
    if not zones or not books:
        raise NotFound(
            "nothing_to_compare", "该灾害还没有灾区范围，或没有适用的预案 · this incident has no zone yet, or no playbook serves it"
        )
    zone_ids, book_ids = [z.id for z in zones], [v.id for v, _ in books]
    left = Scenario(*_chosen(zone_ids, book_ids, zone, playbook, -1))
    right = Scenario(*_chosen(zone_ids, book_ids, other_zone, other_playbook, 0))
    compared = None
    if zone and playbook and other_zone and other_playbook:
        compared = await compare.compare(read, actor, incident, left, right, now)
    names = {c.county: c.name for z in {left.zone, right.zone} for c in await incidents.counties(read, z)}
    chosen = next((Choice(v.id, v.key, v.version, book) for v, book in books if v.id == right.playbook), None)
    word = {z.id: t("scenario.zone", version=z.version, title=z.title) for z in zones}
    said = {v.id: t("scenario.book", title=t.of(book.title), version=v.version, state=t.word("rules", v.status)) for v, book in books}
    return pages.page(
        request, "scenarios.html", incident=found, drill=found.drill, zones=list(word.items()), books=list(said.items()), left=left, right=right,
        compared=compared, names=names, names_of=(f"A {said[left.playbook]} · {word[left.zone]}", f"B {said[right.playbook]} · {word[right.zone]}"),
        **told(chosen, compared.before if compared else None, names, t, compared.after if compared else None),
    )  # fmt: skip


def _chosen(zones: list[UUID], books: list[UUID], zone: UUID | None, playbook: UUID | None, default: int) -> tuple[UUID, UUID]:
    """What was asked, else the oldest (-1) or the newest (0)."""
    return (zone if zone in zones else zones[default]), (playbook if playbook in books else books[default])


HANDLERS: Final[list[Any]] = [side_by_side]
