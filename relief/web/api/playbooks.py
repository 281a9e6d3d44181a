"""Playbooks over the wire: read as data or as a document, compared, brought, put in force; figures listed; running activations moved."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import QueryParameter, RawBody

from relief.domain import playbook as playbooks_
from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.domain.rules import Playbook, Text
from relief.services import enact, move, worked
from relief.services.compare import Comparison
from relief.services.worked import Worked
from relief.store.db import Tx
from relief.store.views import playbooks as views
from relief.store.views.playbooks import Dated, Version
from relief.web import comparison, given
from relief.web.clauses import compose
from relief.web.console.playbook_versions import text_of
from relief.web.document import Amount, Document
from relief.web.faults import Fault, located
from relief.web.texts import LANGUAGES, Texts

TOML: Final = ("application/toml",)
Area = Annotated[str, QueryParameter(pattern="^[0-9]{2}([0-9]{2}){0,2}$", description="Whose figures: a county, city or province.")]
Language = Annotated[str, QueryParameter(pattern="^(zh|en)$", description="zh or en.")]


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: UUID


class VersionOut(msgspec.Struct, frozen=True):
    """A version; status is draft, in force or withdrawn, `digest` the SHA-256 of its text."""

    id: UUID
    key: str
    version: str
    status: str
    digest: str
    imported_at: datetime
    drafted_by: str | None
    approved_by: str | None
    in_force_at: datetime | None


class PlaybookOut(msgspec.Struct, frozen=True):
    """A version with its rules, and the text they were read from."""

    version: VersionOut
    rules: Playbook
    text: str


class Sentence(msgspec.Struct, frozen=True):
    """One clause; `figures` are the keys of the amounts in it, `unverified` where one of them was never compared with its document."""

    path: str
    label: str
    text: str
    basis: str
    figures: list[str]
    unverified: bool


class Part(msgspec.Struct, frozen=True):
    """Clauses under one heading."""

    key: str
    title: str
    clauses: list[Sentence]


class FigureOut(msgspec.Struct, frozen=True):
    """A figure with its clause; the amount (fen) is null where none is in force there and then."""

    key: str
    title: str
    unit: str
    legal_basis: str
    amount_fen: int | None
    area: str | None
    valid_from: date | None
    document: str | None
    verified: bool | None


class DocumentOut(msgspec.Struct, frozen=True):
    """A playbook as sentences, with the amounts of one area on one day."""

    title: str
    area: str
    day: date
    parts: list[Part]
    figures: list[FigureOut]


class Checked(msgspec.Struct, frozen=True):
    """What a file holds, or every fault of it (then nothing else)."""

    faults: list[Fault]
    key: str | None = None
    version: str | None = None
    title: Text | None = None


class Changed(msgspec.Struct, frozen=True):
    """A clause on both sides; state is changed, added or removed."""

    section: str
    path: str
    old: str
    new: str
    state: str


class NewMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To which versions a running activation shall be moved, and why."""

    zone: UUID
    playbook: UUID
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Ids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some figures."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=500)]


@get("/playbooks", action="incident.read")
async def list_playbooks(read: given.Read) -> list[VersionOut]:
    """Every version of every playbook, newest first."""
    return [_version(v) for v in await views.versions(read)]


def _version(v: Version) -> VersionOut:
    return VersionOut(v.id, v.key, v.version, v.status, v.digest.hex(), v.imported_at, v.drafted_by, v.approved_by, v.in_force_at)


@get("/playbooks/{playbook:uuid}", action="incident.read")
async def read_playbook(read: given.Read, playbook: given.FromPath[UUID]) -> PlaybookOut:
    """The rules of a version."""
    found = await views.version(read, playbook)
    return PlaybookOut(_version(found), playbooks_.read(found.body), found.body)


@get("/playbooks/{playbook:uuid}/document", action="incident.read")
async def read_document(
    read: given.Read,
    now: given.Now,
    playbook: given.FromPath[UUID],
    area: Area = "51",
    day: given.FromQuery[date | None] = None,
    lang: Language = LANGUAGES[0],
) -> DocumentOut:
    """The version as an official reads it: sentences with amounts, clauses, documents."""
    return await _document(read, playbook, area, day or beijing_day(now), Texts(lang))


async def _document(read: Tx, playbook: UUID, area: str, day: date, t: Texts) -> DocumentOut:
    doc = await _composed(read, playbook, area, day, t)
    parts = [Part(s.key, s.title, [_sentence(c.path, c.label, c.text, c.basis, c.pieces) for c in s.clauses]) for s in doc.sections]
    figures = [
        FigureOut(f.key, f.title, f.unit, f.basis, s.amount_fen, s.area, s.valid_from, s.document, s.verified)
        if (s := f.standard)
        else FigureOut(f.key, f.title, f.unit, f.basis, None, None, None, None, None)
        for f in doc.figures
    ]
    return DocumentOut(doc.title, area, day, parts, figures)


def _sentence(path: str, label: str, text: str, basis: str, pieces: tuple[str | Amount, ...]) -> Sentence:
    amounts = [p for p in pieces if isinstance(p, Amount)]
    return Sentence(path, label, text, basis, [a.key for a in amounts], any(not a.verified for a in amounts))


async def _composed(read: Tx, playbook: UUID, area: str, day: date, t: Texts) -> Document:
    book = playbooks_.read((await views.version(read, playbook)).body)
    found = await views.in_force(read, [area], book.figure_keys, day)
    return compose(book, found[area], t)


@get("/playbooks/{playbook:uuid}/difference/{other:uuid}", action="incident.read")
async def compare_playbooks(
    read: given.Read,
    now: given.Now,
    playbook: given.FromPath[UUID],
    other: given.FromPath[UUID],
    area: Area = "51",
    lang: Language = LANGUAGES[0],
) -> list[Changed]:
    """The clauses and figures in which `other` differs."""
    day, t = beijing_day(now), Texts(lang)
    rows = comparison.compare(await _composed(read, playbook, area, day, t), await _composed(read, other, area, day, t))
    words = [(r, "".join(m.text for m in r.old), "".join(m.text for m in r.new)) for r in rows if r.state != "same"]
    return [Changed(r.section, r.path, old, new, r.state) for r, old, new in words]


@get("/playbooks/{playbook:uuid}/cases", action="incident.read")
async def run_cases(read: given.Read, playbook: given.FromPath[UUID]) -> Worked | None:
    """Its worked cases, decided as you ask; null where there are none."""
    return await worked.run(read, playbook)


@post("/playbooks/check", action="playbook.import", accepts=TOML, status_code=200)
async def check_playbook(body: RawBody) -> Checked:
    """Read a file (the raw body) without keeping it; every fault with its line."""
    text = text_of(body)
    try:
        book = playbooks_.read(text)
    except Invalid as error:
        return Checked(located(text, error))
    return Checked([], book.key, book.version, book.title)


@post("/playbooks", action="playbook.import", accepts=TOML)
async def draft_playbook(body: RawBody, tx: given.Write, actor: given.Me, now: given.Now) -> Made:
    """Keep a file (the raw body) as a draft; the same text again is the same version. `faults` of a refusal are `line path: sentence`."""
    text = text_of(body)
    try:
        return Made(await enact.draft_playbook(tx, actor, text, now))
    except Invalid as error:
        raise Invalid(error.code, error.message, faults=[f"{f.line} {f.path}: {f.sentence}" for f in located(text, error)]) from None


@post("/playbooks/{playbook:uuid}/cases", action="playbook.import", accepts=TOML, status_code=204)
async def keep_cases(body: RawBody, tx: given.Write, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID]) -> None:
    """Keep worked cases (the raw body) with a version."""
    await worked.keep(tx, actor, playbook, text_of(body), now)


@post("/playbooks/{playbook:uuid}/force", action="playbook.force", status_code=204)
async def force_playbook(tx: given.Write, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID]) -> None:
    """Put a draft in force; not by its drafter."""
    await enact.force_playbook(tx, actor, playbook, now)


@post("/playbooks/{playbook:uuid}/withdraw", action="playbook.import", status_code=204)
async def withdraw_playbook(tx: given.Write, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID]) -> None:
    """Give a draft up."""
    await enact.withdraw_playbook(tx, actor, playbook, now)


@get("/figures", action="incident.read")
async def list_figures(read: given.Read, area: Area = "51") -> list[Dated]:
    """Every figure of an area and of those above it, newest day first."""
    return await views.standards(read, [area[:n] for n in (2, 4, 6) if n <= len(area)], [])


@post("/figures/withdraw", action="figure.draft", status_code=204)
async def withdraw_figures(data: given.Json[Ids], tx: given.Write, actor: given.Me, now: given.Now) -> None:
    """Give drafts up."""
    await enact.withdraw_figures(tx, actor, data.ids, now)


@post("/activations/{activation:uuid}/moves", action="activation.propose")
async def draft_move(data: given.Json[NewMove], tx: given.Write, actor: given.Me, now: given.Now, activation: given.FromPath[UUID]) -> Made:
    """Draft the move of a running activation to other versions."""
    return Made(await move.draft(tx, actor, activation, data.zone, data.playbook, data.reason, now))


@get("/moves/{move_:uuid}/effect", action="activation.preview")
async def move_effect(read: given.Read, actor: given.Me, now: given.Now, move_: given.FromPath[UUID]) -> Comparison:
    """Who gets more, less, the same if it is confirmed."""
    return await move.effect(read, actor, move_, now)


@post("/moves/{move_:uuid}/confirm", action="activation.propose", status_code=204)
async def confirm_move(tx: given.Write, actor: given.Me, now: given.Now, move_: given.FromPath[UUID]) -> None:
    """Confirm a move; not by its drafter."""
    await move.confirm(tx, actor, move_, now)


@post("/moves/{move_:uuid}/withdraw", action="activation.propose", status_code=204)
async def withdraw_move(tx: given.Write, actor: given.Me, now: given.Now, move_: given.FromPath[UUID]) -> None:
    """Give a drafted move up."""
    await move.withdraw(tx, actor, move_, now)


HANDLERS: Final[list[Any]] = [
    list_playbooks, read_playbook, read_document, compare_playbooks, run_cases, check_playbook, draft_playbook, keep_cases, force_playbook,
    withdraw_playbook, list_figures, withdraw_figures, draft_move, move_effect, confirm_move, withdraw_move,
]  # fmt: skip
