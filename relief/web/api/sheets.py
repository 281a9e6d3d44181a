"""Registers as spreadsheets: stage, look at every fault, confirm."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody, QueryParameter

from relief.services import load
from relief.store import db
from relief.store.views import sheets as views
from relief.web import access, given, guard, house, idempotency
from relief.web.console import common
from relief.web.console.sheets import name_of
from relief.web.given import Req


class SheetFile(msgspec.Struct, frozen=True):
    """An XLSX or CSV file of at most 50 MB; `csrf` is the session's token, which every form carries."""

    csrf: str
    file: Annotated[UploadFile, "XLSX or CSV"]
    encoding: Literal["auto", "utf-8", "gb18030"] = "auto"


class SheetOut(msgspec.Struct, frozen=True):
    """An upload and how far it is. `words` says what each code means; `skipped` are rows left out by rule."""

    county: str
    id: UUID
    incident: UUID
    name: str
    encoding: str
    status: str
    rows: int
    households: int
    faulty: int
    faults: int
    skipped: list[int]
    words: dict[str, str]
    loaded: int
    seen: int
    refused: int
    staged_at: datetime
    ended_at: datetime | None


class FaultOut(msgspec.Struct, frozen=True):
    """Row, heading of the column ('' for the whole row), code. Never the value."""

    seq: int
    row: int
    place: str
    code: str


class Confirm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Load everything, or with `faultless_only` the households without a fault; without those whose first row is left out."""

    faultless_only: bool = False
    left_out: Annotated[list[int], msgspec.Meta(max_length=10_000)] = []


class Confirmed(msgspec.Struct, frozen=True):
    """How many households are being loaded."""

    households: int


@post(
    "/counties/{county:str}/incidents/{incident:uuid}/sheets", action="sheet.load", request_max_body_size=guard.MAX_ZONE + 100_000,
    accepts=("multipart/form-data",),
)  # fmt: skip
async def stage_sheet(
    request: Req, data: MultipartBody[SheetFile], actor: given.Me, now: given.Now, county: given.FromPath[str], incident: given.FromPath[UUID]
) -> load.Staged:  # fmt: skip
    """Read and judge a household register. Nothing of it is in the register before it is confirmed."""
    here = house.of(request)
    file = await load.read(await data.file.read(), name_of(data.file.filename), data.encoding)
    async with db.begin(here.pool, access.scope_of(request)) as tx:
        return await load.stage(tx, actor, county, incident, file, now, here.keys)


@get("/counties/{county:str}/sheets/{sheet:uuid}", action="sheet.load")
async def read_sheet(read: given.Read, actor: given.Me, county: given.FromPath[str], sheet: given.FromPath[UUID]) -> SheetOut:
    """How far it is."""
    found = await views.sheet(read, common.patterns_above(actor, "sheet.load"), sheet, actor.person)
    return SheetOut(**{n: getattr(found, n) for n in SheetOut.__struct_fields__})


@get("/counties/{county:str}/sheets/{sheet:uuid}/faults", action="sheet.load")
async def list_faults(
    read: given.Read, actor: given.Me, county: given.FromPath[str], sheet: given.FromPath[UUID],
    after: Annotated[int, QueryParameter(ge=0, description="`seq` of the last fault seen.")] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=5_000)] = 1_000,
) -> list[FaultOut]:  # fmt: skip
    """Faults in the order of the file."""
    await views.sheet(read, common.patterns_above(actor, "sheet.load"), sheet, actor.person)
    return [FaultOut(f.seq, f.row, f.place, f.code) for f in await views.faults(read, county, sheet, after, limit)]


@post("/counties/{county:str}/sheets/{sheet:uuid}/confirm", action="sheet.load", status_code=200)
async def confirm_sheet(
    request: Req, data: given.Json[Confirm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], sheet: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Load what was staged, in the background and once."""

    async def act() -> Confirmed:
        return Confirmed(await load.confirm(tx, actor, county, sheet, now, faultless_only=data.faultless_only, left_out=data.left_out))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/sheets/{sheet:uuid}/drop", action="sheet.load", status_code=204)
async def drop_sheet(tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], sheet: given.FromPath[UUID]) -> None:
    """Forget what was staged."""
    await load.drop(tx, actor, county, sheet, now)


HANDLERS: Final[list[Any]] = [stage_sheet, read_sheet, list_faults, confirm_sheet, drop_sheet]
