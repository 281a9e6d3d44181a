"""A township's register from a file: upload, look, confirm. Nothing is loaded before the last step."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain.errors import Invalid
from relief.domain.policy import Actor
from relief.domain.sheet_form import FORMS
from relief.services import load, sheet_files
from relief.store import db
from relief.store.db import Tx
from relief.store.views import incidents
from relief.store.views import sheets as views
from relief.web import access, given, guard, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

#: Faults on the page; all of them are in the file to take away.
SHOWN: Final = 200
_ROWS: Final = re.compile(r"([0-9]{1,6})(?:\s*[-–~]\s*([0-9]{1,6}))?")


class FileForm(msgspec.Struct, frozen=True):
    """The file and what a person says about it."""

    csrf: str
    file: Annotated[UploadFile, "XLSX or CSV"]
    county: str
    incident: str
    encoding: Literal["auto", "utf-8", "gb18030"] = "auto"


class ConfirmForm(MoneyForm, frozen=True):
    """What becomes of a staged file: 'all', 'faultless' or 'drop'; rows to leave out as '12, 15-20'."""

    act: str
    left_out: str = ""


def counties(actor: Actor) -> list[str]:
    """The counties an actor may load registers in; a province has too many to choose from here."""
    return sorted({a[:6] for a in actor.areas("sheet.load") if len(a) >= 6})


@get("/sheets", action="sheet.load")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """Uploads, and the form for another one."""
    found = await incidents.incidents(read, common.patterns_above(actor, "sheet.load"))
    names = await views.county_names(read, counties(actor))
    uploads = await views.sheets(read, common.patterns_above(actor, "sheet.load"), actor.person)
    mine = counties(actor)
    return pages.page(
        request, "sheets.html", uploads=uploads, incidents=[(i.id, i.name) for i in found if i.status != "closed"], counties=mine, forms=FORMS,
        county_names=[(c, f"{c} {names.get(c, '')}") for c in mine], now=now, done=common.done_of(request), drill=any(u.drill for u in uploads),
    )  # fmt: skip


@post("/sheets", action="sheet.load", request_max_body_size=guard.MAX_ZONE + 100_000)
async def upload(request: Req, data: MultipartBody[FileForm], actor: given.Me, now: given.Now) -> Response[bytes]:
    """Read in a child process before any transaction opens, then judged and kept for confirmation."""
    content = await data.file.read()
    if not content:
        raise Invalid("empty_file", "请选择文件 · choose a file", field="file")
    [incident] = common.uuids(data.incident) or [UUID(int=0)]
    here, file = house.of(request), await load.read(content, name_of(data.file.filename), data.encoding)
    async with db.begin(here.pool, access.scope_of(request)) as tx:
        staged = await load.stage(tx, actor, data.county, incident, file, now, here.keys)
    return common.go(f"/sheets/{data.county}/{staged.id}", "staged")


def name_of(given: str | None) -> str:
    """The last part of a file's name: it says the format where the content does not."""
    return (given or "sheet").replace("\\", "/").rsplit("/", 1)[-1][:200] or "sheet"


@get("/sheets/{county:str}/{sheet:uuid}", action="sheet.load")
async def one(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], sheet: given.FromPath[UUID]
) -> Response[str]:
    """What the file holds, what is wrong, and the two buttons."""
    found = await views.sheet(read, common.patterns_above(actor, "sheet.load"), sheet, actor.person)
    part = await views.first(read, county, sheet) if found.status == "staged" and found.own else None
    shown = load.preview(house.of(request).keys, sheet, part.part, part.sealed) if part else []
    return pages.page(
        request, "sheet.html", s=found, shown=shown, faults=await views.faults(read, county, sheet, 0, SHOWN), now=now, most=SHOWN,
        done=common.done_of(request), drill=found.drill,
    )  # fmt: skip


@post("/sheets/{county:str}/{sheet:uuid}", action="sheet.load")
async def confirm(
    request: Req, data: given.Form[ConfirmForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], sheet: given.FromPath[UUID]
) -> Response[bytes]:  # fmt: skip
    """Load it, or forget it."""
    if data.act not in ("all", "faultless", "drop"):
        raise Invalid("act", "请选择导入或撤销 · choose to load or to drop", field="act")
    content = (data.act, data.left_out)
    await common.once(request, tx, actor, data.key, content, now, lambda: _act(tx, actor, county, sheet, data, now))
    return common.go("/sheets" if data.act == "drop" else f"/sheets/{county}/{sheet}", "dropped" if data.act == "drop" else "loading")


async def _act(tx: Tx, actor: Actor, county: str, sheet: UUID, data: ConfirmForm, now: datetime) -> int:
    if data.act == "drop":
        await load.drop(tx, actor, county, sheet, now)
        return 0
    return await load.confirm(tx, actor, county, sheet, now, faultless_only=data.act == "faultless", left_out=rows_of(data.left_out))


def rows_of(text: str) -> list[int]:
    """Row numbers from '12, 15-20'."""
    out: set[int] = set()
    for part in re.split("[,，、;；]", text):
        if not part.strip():
            continue
        match = _ROWS.fullmatch(part.strip())
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            raise Invalid("rows", "行号写法如：12，15-20 · rows are written like 12, 15-20", field="left_out")
        out.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return sorted(out)


@get("/sheets/{county:str}/{sheet:uuid}/faults.csv", action="sheet.load")
async def faults(read: given.Read, actor: given.Me, county: given.FromPath[str], sheet: given.FromPath[UUID]) -> Response[bytes]:
    """Everything that is wrong, as a list to work through."""
    found = await views.sheet(read, common.patterns_above(actor, "sheet.load"), sheet, actor.person)
    rows = await views.faults(read, county, sheet, 0, load.MOST_FAULTS)
    made = sheet_files.faults(found.name, [(f.row, f.place, f.code, found.words.get(f.code, "")) for f in rows])
    return Response(content=made.content, media_type=made.media_type, headers=made.headers)


@get("/sheets/templates/{county:str}/{form:str}", action="sheet.load")
async def template(read: given.Read, county: given.FromPath[str], form: given.FromPath[str]) -> Response[bytes]:
    """An empty register with its drop-downs."""
    made = await sheet_files.template(read, form, county)
    return Response(content=made.content, media_type=made.media_type, headers=made.headers)


HANDLERS: Final = [page, upload, one, confirm, faults, template]
