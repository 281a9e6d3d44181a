"""A new version of a playbook: uploaded, refused with every fault's line or kept as a draft, put in force by another person."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain.errors import Conflict, Invalid
from relief.services import enact
from relief.services import worked as worked_
from relief.store import db
from relief.web import access, given, house, pages, problems
from relief.web.console import common
from relief.web.console.door import Token
from relief.web.faults import located
from relief.web.given import Req
from relief.web.guard import clean


class VersionForm(msgspec.Struct, frozen=True):
    """The file of a version."""

    csrf: str
    file: Annotated[UploadFile, "a playbook as TOML"]
    cases: Annotated[UploadFile | None, "its worked cases as TOML"] = None


@get("/playbooks/new", action="playbook.import")
async def new(request: Req) -> Response[str]:
    """Choose a file."""
    return pages.page(request, "playbook_new.html", faults=[], name="")


@post("/playbooks", action="playbook.import")
async def upload(request: Req, data: MultipartBody[VersionForm], actor: given.Me, now: given.Now) -> Response[Any]:
    """Keep the file as a draft, or show what is wrong with it, line by line."""
    content = await data.file.read()
    worked = await data.cases.read() if data.cases else b""
    try:
        text = text_of(content)
        async with db.begin(house.of(request).pool, access.scope_of(request)) as tx:
            made = await enact.draft_playbook(tx, actor, text, now)
            if worked:
                await worked_.keep(tx, actor, made, text_of(worked), now)
    except (Invalid, Conflict) as error:
        file, raw = (data.cases, worked) if error.code == "cases" and data.cases else (data.file, content)
        faults = located(raw.decode("utf-8", "replace"), error)
        return pages.page(request, "playbook_new.html", problems.status_of(error), faults=faults, name=file.filename or "")
    return common.go(f"/playbooks/{made}", "playbook_drafted")


def text_of(content: bytes) -> str:
    """An uploaded text, or a refusal."""
    if not content:
        raise Invalid("empty_file", "请选择文件 · choose a file", field="file")
    try:
        return clean(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid("bad_encoding", "文件须为 UTF-8 编码 · the file must be UTF-8") from None


@post("/playbooks/{playbook:uuid}/force", action="playbook.force")
async def force(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID]
) -> Response[bytes]:
    """The second person puts it in force."""
    await enact.force_playbook(tx, actor, playbook, now)
    return common.go(f"/playbooks/{playbook}", "playbook_forced")


@post("/playbooks/{playbook:uuid}/withdraw", action="playbook.import")
async def withdraw(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID]
) -> Response[bytes]:
    """A draft that will not be used."""
    await enact.withdraw_playbook(tx, actor, playbook, now)
    return common.go("/playbooks", "playbook_withdrawn")


HANDLERS: Final = [new, upload, force, withdraw]
