"""How figures, money and times are shown: 元 with two decimals, large totals also in 万元, Beijing time and its age."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from urllib.parse import quote

from jinja2 import pass_context
from jinja2.runtime import Context

from relief.domain import days, money, project
from relief.domain.playbook import Playbook
from relief.domain.policy import ROLES, Actor
from relief.domain.reasons import explain
from relief.web.texts import Texts


def yuan(fen: int | None) -> str:
    """'12,345.00'."""
    return "—" if fen is None else money.display(fen)


def wan(fen: int | None) -> str:
    """万元 with two decimals, half up: '621.55'."""
    if fen is None:
        return "—"
    hundredths = (abs(fen) + 5_000) // 10_000
    return f"{'-' if fen < 0 else ''}{hundredths // 100:,}.{hundredths % 100:02d}"


def thousands(fen: int | None) -> str:
    """Thousand yuan with one decimal, half up: '6,215.5', as near as `wan` in a language that has no 万."""
    if fen is None:
        return "—"
    tenths = (abs(fen) + 5_000) // 10_000
    return f"{'-' if fen < 0 else ''}{tenths // 10:,}.{tenths % 10}"


@pass_context
def large(context: Context, fen: int | None) -> str:
    """A large sum in the unit the language counts in: 万元, or thousand yuan. The text `unit.wan` names it."""
    return wan(fen) if context["lang"] == "zh" else thousands(fen)


@pass_context
def aid_name(context: Context, code: str) -> str:
    """An aid in the page's language."""
    return str(context["t"].word("aid", code))


@pass_context
def project_name(context: Context, code: str) -> str:
    """'因灾倒损民房恢复重建补助（第2期）': an aid's stage as it stands on bank files, in the page's language."""
    aid, _, stage = code.rpartition("_")
    return str(context["t"]("unit.stage_of", aid=context["t"].word("aid", aid), stage=stage))


def count(number: int | Decimal | None) -> str:
    """'12,431', '6,502.50'."""
    return "—" if number is None else f"{number:,}"


def moment(at: datetime | None) -> str:
    """'2022-09-05 12:52' in Beijing."""
    return "—" if at is None else days.beijing(at).strftime("%Y-%m-%d %H:%M")


def clock_time(at: datetime | None) -> str:
    """'12:52:07' in Beijing."""
    return "—" if at is None else days.beijing(at).strftime("%H:%M:%S")


def span(length: timedelta, lang: str) -> str:
    """A length of time in the two largest units."""
    seconds = max(0, int(length.total_seconds()))
    whole_days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes = rest // 60
    zh = lang == "zh"
    if whole_days:
        return f"{whole_days}天{hours}小时" if zh else f"{whole_days} d {hours} h"
    if hours:
        return f"{hours}小时{minutes}分" if zh else f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes}分钟" if zh else f"{minutes} min"
    return f"{seconds}秒" if zh else f"{seconds} s"


def age(at: datetime | None, now: datetime, lang: str) -> str:
    """'3分钟前', or nothing for the future."""
    if at is None:
        return "—"
    return span(now - at, lang) + ("前" if lang == "zh" else " ago")


def digest(value: bytes | None) -> str:
    """The first sixteen hexadecimal digits in fours: what two people compare by eye."""
    text = (value or b"").hex()[:16]
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4)) or "—"


def by_class(codes: Iterable[str]) -> list[tuple[str, list[str]]]:
    """GB/T 28921 codes by their class, the first two digits."""
    return [(first, list(group)) for first, group in groupby(codes, key=lambda code: code[:2])]


#: Nouns and their states → tone: wait (somebody must act), move (on its way), done, bad (needs somebody), stop (ended without effect).
TONES: Final[Mapping[str, Mapping[str, str]]] = {
    "incident": {"reported": "wait", "active": "move", "recovery": "move", "closed": "stop"},
    "zone": {"draft": "wait", "in force": "done", "superseded": "stop", "discarded": "stop"},
    "recovery": {"open": "wait", "closed": "done"},
    "device": {"enrolled": "done", "revoked": "stop"},
    "rules": {"draft": "wait", "in force": "done", "withdrawn": "stop"},
    "activation": {"drafted": "wait", "active": "done", "ended": "stop"},
    "household": {"staged": "wait", "located": "move", "verified": "done", "duplicate": "stop", "rejected": "stop"},
    "award": {"proposed": "wait", "approved": "move", "completed": "done", "withdrawn": "stop", "superseded": "stop"},
    "instalment": {"waiting": "wait", "due": "move", "released": "move", "settled": "done", "cancelled": "stop"},
    "payment": {
        "approved": "wait", "batched": "move", "sent": "move", "paid": "done", "returned": "bad", "unknown": "bad", "cancelled": "stop",
    },
    "batch": {
        "frozen": "wait", "prepared": "wait", "checked": "wait", "authorised": "move", "sending": "move", "sent": "move", "unknown": "bad",
        "acknowledged": "move", "settled": "done", "voided": "stop", "rejected": "bad",
    },
    "message": {"queued": "wait", "sending": "move", "sent": "move", "delivered": "done", "failed": "bad", "unknown": "bad"},
    "confirmation": {"awaited": "wait", "confirmed": "done", "disputed": "bad", "silent": "wait", "void": "stop"},
    "sheet": {"staged": "wait", "loading": "move", "loaded": "done", "dropped": "stop"},
    "complaint": {"open": "bad", "closed": "done"},
    "alert": {
        "parked": "move", "proposed": "wait", "accepted": "done", "dismissed": "stop", "superseded": "stop", "withdrawn": "stop", "noted": "stop",
    },
    "notice": {"drafted": "wait", "posted": "move", "reported": "done", "withdrawn": "stop"},
    "objection": {"open": "bad", "rejected": "done", "upheld": "stop"},
    "minutes": {"recorded": "wait", "adopted": "done", "superseded": "stop", "withdrawn": "stop"},
    "payee": {"named": "wait", "current": "done", "replaced": "stop", "refused": "stop"},
    "lead": {"open": "bad", "taken": "move", "registered": "done", "closed": "done"},
    "referral": {"open": "wait", "accepted": "move", "returned": "bad", "closed": "done"},
    "evidence": {"submitted": "wait", "accepted": "done", "refused": "stop"},
    "account": {"proposed": "wait", "current": "done", "replaced": "stop", "refused": "stop"},
}  # fmt: skip

#: The bar: address, word, actions of which one is enough.
PLACES: Final = (
    ("/", "home", ()),
    ("/incidents", "situation", ("incident.read",)),
    ("/alerts", "alerts", ("incident.open",)),
    ("/playbooks", "playbooks", ("incident.read",)),
    ("/intake", "intake", ("lead.work",)),
    ("/households", "households", ("household.read",)),
    ("/sheets", "sheets", ("sheet.load",)),
    ("/duplicates", "duplicates", ("duplicate.read",)),
    ("/phones", "phones", ("device.read",)),
    ("/notices", "notices", ("notice.post", "notice.report", "objection.answer", "award.approve.county")),
    ("/papers", "papers", ("document.hand_in",)),
    ("/approvals", "approvals", ("award.approve.township", "award.approve.county", "award.approve.meeting", "award.approve.city")),
    ("/supervision", "supervision", ("award.supervise",)),
    ("/cases", "cases", ("minutes.record", "minutes.adopt", "payee.name", "payee.check")),
    ("/checks", "checks", ("check.import",)),
    ("/corrections", "corrections", ("account.propose", "account.confirm", "payment.again", "account.release")),
    ("/evidence", "evidence", ("evidence.accept",)),
    ("/confirmations", "confirmations", ("confirm.report",)),
    ("/complaints", "complaints", ("complaint.read",)),
    ("/referrals", "referrals", ("referral.read",)),
    ("/changes", "changes", ("change.answer",)),
    ("/rosters", "rosters", ("roster.set",)),
    ("/recoveries", "recoveries", ("recovery.close",)),
    ("/batches", "batches", ("batch.read",)),
    ("/bank", "bank", ("bank.read",)),
    ("/day-close", "day_close", ("bank.read",)),
    ("/payments", "payments", ("award.read",)),
    ("/funds", "funds", ("fund.read",)),
    ("/coming", "coming", ("fund.read",)),
    ("/holds", "holds", ("hold.read",)),
    ("/messages", "messages", ("message.read",)),
    ("/audit", "audit", ("audit.read",)),
    ("/staff", "staff", ("staff.read",)),
)


def tone(noun: str, value: str) -> str:
    """The tone of a state; a new one is shown as needing somebody until it is listed."""
    return TONES.get(noun, {}).get(value, "bad")


def roles(actor: Actor, lang: str) -> str:
    """What the person is, in words."""
    return "、".join(ROLES[r] for r in actor.roles()) if lang == "zh" else ", ".join(r.replace("_", " ") for r in actor.roles())


def may_any(actor: Actor, actions: Sequence[str]) -> bool:
    """True where one of the actions is granted anywhere, or none is asked."""
    return not actions or any(actor.areas(a) for a in actions)


def groupby_order(rows: Iterable[Any], name: str) -> list[tuple[Any, list[Any]]]:
    """Neighbouring rows with the same value, in the order given."""
    return [(value, list(group)) for value, group in groupby(rows, key=attrgetter(name))]


def in_words(codes: Iterable[str], book: Playbook, t: Texts) -> list[str]:
    """Reason codes as sentences; figures and bands are called as the playbook calls them."""
    return [t.of(text) for text in explain(codes, book)]


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "yuan": yuan, "wan": large, "count": count, "moment": moment, "clock_time": clock_time, "span": span, "age": age,
    "groupby_class": by_class, "digest": digest, "groupby_order": groupby_order, "in_words": in_words, "band_of": lambda label, t: t.band(label), "url": lambda text: quote(str(text), safe=""),
}  # fmt: skip
GLOBALS: Final[Mapping[str, Any]] = {
    "tones": tone, "places": PLACES, "roles": roles, "may_any": may_any, "project_name": project_name,
    "bank_name": lambda code: project.BANKS.get(code, code), "aid_name": aid_name,
}  # fmt: skip
