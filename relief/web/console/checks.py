"""核对: reports of the economic check, a file a batch."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain.errors import Invalid
from relief.domain.sheet_cells import SAYS
from relief.services import economic_check, load
from relief.store import db
from relief.store.views import casefile as views
from relief.store.views import sheets
from relief.web import access, given, guard, house, pages
from relief.web.console import common
from relief.web.console.sheets import name_of
from relief.web.given import Req

_SHOWN: Final = 500


class ReportForm(msgspec.Struct, frozen=True):
    """The file and whose it is."""

    csrf: str
    county: str
    file: Annotated[UploadFile, "XLSX or CSV"]


@get("/checks", action="check.import")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromQuery[str | None] = None,
    file: given.FromQuery[UUID | None] = None,
) -> Response[str]:  # fmt: skip
    """Reports, the form for another one, and what was refused of one of them."""
    mine = sorted({a for a in actor.areas("check.import") if len(a) == 6})
    names = await sheets.county_names(read, mine)
    files = await views.files(read, common.county_patterns(actor, "check.import"), 200)
    shown = next((f for f in files if f.county == county and f.id == file), None)
    faults = await views.faults(read, shown.county, shown.id, _SHOWN) if shown else []
    return pages.page(
        request, "checks.html", files=files, counties=[(c, f"{c} {names.get(c, '')}") for c in mine], shown=shown, faults=faults, says=SAYS, now=now,
        done=common.done_of(request),
    )  # fmt: skip


@post("/checks", action="check.import", request_max_body_size=guard.MAX_ZONE + 100_000)
async def upload(request: Req, data: MultipartBody[ReportForm], actor: given.Me, now: given.Now) -> Response[bytes]:
    """Read in a child process before any transaction opens, then kept."""
    content = await data.file.read()
    if not content:
        raise Invalid("empty_file", "请选择文件 · choose a file", field="file")
    here, file = house.of(request), await load.read(content, name_of(data.file.filename))
    async with db.begin(here.pool, access.scope_of(request)) as tx:
        made = await economic_check.import_report(tx, actor, data.county, file, now, here.keys)
    return common.go(f"/checks?county={data.county}&file={made.id}", "check_imported")


HANDLERS: Final = [page, upload]
