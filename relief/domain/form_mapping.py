"""Forms of Kobo or ODK: which of their questions say what, written in a small TOML file; a submission becomes a registration, once by its root id.

The root id (`meta/rootUuid`, or the instance's own where a form was never edited) stays the same when a submission is edited: it is the
device id of the registration, so that sending again, editing and back-filling can never make two households of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

from relief.domain.errors import Invalid
from relief.domain.household import Member, Registration
from relief.domain.toml import decode
from relief.domain.visit import Visit

Question = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

#: Fields a form may fill, besides the householder and the members.
_PLAIN: Final = frozenset({"village", "account", "bank", "phone", "family_type", "relocated", "home_county"})
_COUNTS: Final = frozenset({"dead", "missing", "injured", "rooms_collapsed", "rooms_severe", "rooms_moderate", "people_in_need"})
_YES: Final = frozenset({"yes", "true", "1", "是"})
#: Photos of one submission that are taken.
MOST_PHOTOS: Final = 12


class Repeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The other members of the household: a repeated group and its two questions."""

    group: Question
    name: Question
    id_number: Question


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One form. `person` is the login its registrations are written down under; `token_sha256` of the word its server sends with each
    submission; `questions` says field → question, `values` field → answer → our word, `photos` question → kind of document."""

    title: str
    county: Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")]
    incident: UUID
    person: str
    token_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    questions: dict[str, Question]
    members: Repeat | None = None
    values: dict[str, dict[str, str]] = {}
    photos: dict[Question, str] = {}
    asset: str = ""  # the form's id on its server: for the back-fill


class Picture(msgspec.Struct, frozen=True):
    """A photo of a submission: what it is a document of, its name, and where its bytes are."""

    kind: str
    name: str
    url: str


def read(text: str) -> Form:
    """A mapping file; Invalid `form` with every fault by its path."""
    form = decode(text, Form, "form")
    known = {*_PLAIN, *_COUNTS, "name", "id_number", "point", "occupied", "only_home"}
    faults = [f"questions.{f}: 没有这个字段 · there is no such field" for f in sorted(set(form.questions) - known)]
    faults += [
        f"questions: 缺少 {f} · {f} is missing"
        for f in ("village", "name", "id_number", "account", "bank", "point")
        if f not in form.questions
    ]
    if faults:
        raise Invalid("form", "\n".join(faults), faults=faults)
    return form


def vouched(form: Form, token: str) -> bool:
    """Whether the word is the one the form's server was given."""
    return hashlib.sha256(token.encode()).hexdigest() == form.token_sha256


def root_of(submission: Mapping[str, Any]) -> UUID:
    """The id that stays with a submission however often it is sent or edited; Invalid `root` where there is none."""
    for name in ("meta/rootUuid", "_uuid", "meta/instanceID"):
        given = submission.get(name)
        if isinstance(given, str) and given:
            try:
                return UUID(given.removeprefix("uuid:"))
            except ValueError:
                break
    raise Invalid("root", "提交缺少 rootUuid · the submission has no root uuid", field="meta/rootUuid")


def registration_of(form: Form, submission: Mapping[str, Any]) -> Registration:
    """The household a submission speaks of; Invalid naming the question that cannot be read."""
    q = form.questions
    said = {f: _word(form, f, submission.get(q[f])) for f in q if f in _PLAIN}
    counts = {f: _count(q[f], submission.get(q[f])) for f in q if f in _COUNTS}
    yes: dict[str, bool] = {f: str(submission.get(q[f], "yes")).lower() in _YES for f in ("occupied", "only_home") if f in q}
    lat, lon, accuracy = _point(q["point"], submission.get(q["point"]))
    holder = Member(_text(submission.get(q["name"])), _text(submission.get(q["id_number"])))
    plain: dict[str, Any] = {
        "device_id": str(root_of(submission)), "incident": str(form.incident), "lon": lon, "lat": lat, "accuracy_m": accuracy,
        "members": [msgspec.to_builtins(m) for m in (holder, *_others(form, submission))],
        "captured_at": _text(submission.get("end") or submission.get("_submission_time")),
        "visit": msgspec.to_builtins(Visit(note=form.title[:200])), **{k: v for k, v in said.items() if v}, **counts, **yes,
    }  # fmt: skip
    if plain["captured_at"] and not plain["captured_at"].endswith("Z") and "+" not in plain["captured_at"]:
        plain["captured_at"] += "Z"  # the server's own times are UTC without saying so
    try:
        return msgspec.convert(plain, Registration)
    except msgspec.ValidationError as error:
        raise Invalid(
            "form_answer", f"提交中有读不懂的答案 · an answer cannot be read: {_place(str(error))}", field=_place(str(error))
        ) from None


def pictures_of(form: Form, submission: Mapping[str, Any]) -> list[Picture]:
    """Its photos, those of the questions the mapping names."""
    found = []
    for item in submission.get("_attachments") or []:
        question, url = str(item.get("question_xpath", "")), item.get("download_url")
        kind = form.photos.get(question) or next(
            (k for q, k in form.photos.items() if _names(submission.get(q), item.get("filename"))), None
        )
        if kind and isinstance(url, str) and not item.get("is_deleted"):
            found.append(Picture(kind, str(item.get("filename", ""))[-200:], url))
    return found[:MOST_PHOTOS]


def _names(answer: Any, filename: Any) -> bool:
    """The answer of a photo question is the name its file had on the phone; the server's name ends with it."""
    return (
        isinstance(answer, str) and isinstance(filename, str) and bool(answer) and filename.rpartition("/")[2] == answer.replace(" ", "_")
    )


def _others(form: Form, submission: Mapping[str, Any]) -> list[Member]:
    if form.members is None:
        return []
    group = submission.get(form.members.group) or []
    if not isinstance(group, list):
        raise Invalid("form_answer", "成员组读不懂 · the group of members cannot be read", field=form.members.group)
    return [Member(_text(m.get(form.members.name)), _text(m.get(form.members.id_number))) for m in group if isinstance(m, dict)]


def _word(form: Form, field: str, answer: Any) -> str:
    text = _text(answer)
    return form.values.get(field, {}).get(text, text)


def _text(answer: Any) -> str:
    return "" if answer is None else str(answer).strip()


def _count(question: str, answer: Any) -> int:
    text = _text(answer) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise Invalid("form_answer", f"{question} 不是数字 · {question} is not a number", field=question)
    return int(text)


def _point(question: str, answer: Any) -> tuple[float, float, float]:
    """'29.64 102.11 1500 8': latitude first, then longitude, height, accuracy in metres (WGS 84)."""
    words = _text(answer).split()
    try:
        lat, lon = float(words[0]), float(words[1])
        return lat, lon, float(words[3]) if len(words) > 3 and float(words[3]) > 0 else 100.0
    except (IndexError, ValueError):
        raise Invalid("form_answer", f"{question} 不是坐标 · {question} is not a point", field=question) from None


def _place(message: str) -> str:
    return message.rpartition("$.")[2].rstrip("`") if "$." in message else ""
