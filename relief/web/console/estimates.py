"""The dry run before anybody is registered: people and rooms counted by hand, by county and band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.errors import Invalid, NotFound
from relief.domain.household import FAMILY_TYPES
from relief.domain.policy import Actor
from relief.domain.supposed import Group
from relief.services import suppose
from relief.services.preview import Preview
from relief.store.db import Tx
from relief.store.views import incidents, reports
from relief.store.views import playbooks as books
from relief.web import given, pages
from relief.web.console import common, scenarios
from relief.web.console.scenarios import Choice
from relief.web.given import Req
from relief.web.texts import Texts

#: Rows of the form.
ROWS: Final = 8
#: What is counted in a row, in the order of the form.
COUNTS: Final = ("households", "people", "rooms_collapsed", "rooms_severe", "rooms_moderate", "dead", "missing", "injured", "in_need")
Column = list[str] | str


class EstimateForm(msgspec.Struct, frozen=True, kw_only=True):
    """A column a field; what was left empty is nothing."""

    csrf: str
    playbook: UUID
    county: Column
    level: Column
    family: Column
    relocated: Column
    households: Column
    people: Column
    rooms_collapsed: Column
    rooms_severe: Column
    rooms_moderate: Column
    dead: Column
    missing: Column
    injured: Column
    in_need: Column


@get("/incidents/{incident:uuid}/activation/estimate", action="activation.preview")
async def form(
    request: Req, read: given.Read, actor: given.Me, incident: given.FromPath[UUID], playbook: given.FromQuery[UUID | None] = None
) -> Response[str]:
    """An empty form."""
    return await _page(request, read, actor, incident, playbook, [{} for _ in range(ROWS)], None)


@post("/incidents/{incident:uuid}/activation/estimate", action="activation.preview", status_code=200)
async def run(
    request: Req, data: given.Form[EstimateForm], read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[str]:
    """The same breakdowns as for registered households; nothing is written."""
    choice = next((c for c in await scenarios.known(read) if c.id == data.playbook), None)
    if choice is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    rows = _rows(data)
    preview = await suppose.estimate(read, actor, choice.book, _groups(rows), now, incident=incident)
    return await _page(request, read, actor, incident, data.playbook, rows, preview)


async def _page(
    request: Req, read: Tx, actor: Actor, incident: UUID, playbook: UUID | None, rows: list[dict[str, str]], preview: Preview | None
) -> Response[str]:
    t = Texts(pages.language(request))
    found = await incidents.incident(read, incident)
    fitting = await scenarios.fitting(read, found.hazard)
    choice: Choice | None = next((c for c in fitting if c.id == playbook), fitting[0] if fitting else None)
    force = next((z for z in await incidents.zones(read, incident) if z.status == "in force"), None)
    touched = {c.county: c.name for c in await incidents.counties(read, force.id)} if force else {}
    seen = {c.code: c.name for c in await books.counties(read, common.county_patterns(actor, "activation.preview"))}
    names = {code: name for code, name in touched.items() if code in seen} or seen
    known = {**seen, **await reports.names(read, [u.area for u in preview.unverified] if preview else [])}
    bands = [(str(b.level), t.band(b.label)) for b in choice.book.bands] if choice else []
    return pages.page(
        request, "estimate.html", incident=found, drill=found.drill, choice=choice, rows=rows, preview=preview, names=known, counts=COUNTS,
        counties=list(names.items()), bands=bands[::-1], kinds=[(f, t.word("family", f)) for f in FAMILY_TYPES],
        options=[(c.id, f"{t.of(c.book.title)} {c.version}") for c in fitting], **scenarios.told(choice, preview, known, t),
    )  # fmt: skip


def _rows(data: EstimateForm) -> list[dict[str, str]]:
    """The columns of the form as rows."""
    columns = {n: [v] if isinstance(v := getattr(data, n), str) else list(v) for n in ("county", "level", "family", "relocated", *COUNTS)}
    if len({len(c) for c in columns.values()}) != 1:
        raise Invalid("rows", "表单不完整，请刷新页面 · the form is incomplete, reload the page")
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _groups(rows: Sequence[dict[str, str]]) -> list[Group]:
    groups = []
    for n, row in enumerate(rows, 1):
        if not row["people"].strip() and not row["households"].strip():
            continue
        try:
            counts = {name: int(row[name].replace(",", "") or 0) for name in COUNTS}
            plain = {
                **counts,
                "county": row["county"],
                "level": int(row["level"]),
                "family": row["family"],
                "relocated": row["relocated"] == "yes",
            }
            groups.append(msgspec.convert(plain, Group))
        except (ValueError, msgspec.ValidationError):
            raise Invalid("row", f"第{n}行须填户数和人口，均为整数 · row {n} needs households and people as whole numbers", row=n) from None
    if not groups:
        raise Invalid("rows", "请至少填写一行 · fill in at least one row")
    return groups


HANDLERS: Final[list[Any]] = [form, run]
