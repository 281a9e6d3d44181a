"""What a playbook of the present form must say, beyond what is owed to whom: procedure, signatures, papers, stops, messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from relief.domain.message import TEMPLATES
from relief.domain.rules import Aid, Playbook, Procedure
from relief.domain.vocabulary import DOCUMENTS, MINUTES, STOPS

_EVENTS: Final = frozenset(key.split(".")[0] for key in TEMPLATES)
_MISSING: Final = "未规定 · is not said"


def faults(book: Playbook) -> Iterator[str]:
    """Every gap and every word that no list knows."""
    for name in ("legal_basis", "valid_from"):
        if getattr(book, name) is None:
            yield f"{name}: {_MISSING}"
    if book.course == "event" and not book.responses:
        yield f"responses: 未规定适用的响应级别 · {_MISSING.split(' · ')[1]}: for which response levels"
    for i, figure in enumerate(book.figures):
        if figure.unit is None:
            yield f"figures[{i}].unit: {_MISSING}"
    for i, aid in enumerate(book.aids):
        yield from (f"aids[{i}].{fault}" for fault in _aid(aid))


def _aid(aid: Aid) -> Iterator[str]:
    for name in ("procedure", "approvals", "documents", "stops", "sms", "confirmation"):
        if not getattr(aid, name):
            yield f"{name}: {_MISSING}"
    if aid.mode == "A" and aid.within_hours is None:
        yield f"within_hours: {_MISSING}"
    yield from _words(aid)
    yield from _stops(aid)
    if aid.procedure is not None:
        yield from (f"procedure.{fault}" for fault in _procedure(aid, aid.procedure))


def _words(aid: Aid) -> Iterator[str]:
    for i, document in enumerate(aid.documents):
        if document.kind not in DOCUMENTS:
            yield f"documents[{i}].kind: 没有这种材料 · there is no such document"
        elif document in aid.documents[:i]:
            yield f"documents[{i}]: 重复 · stands twice"
    for i, event in enumerate(aid.sms):
        if event not in _EVENTS:
            yield f"sms[{i}]: 没有这个短信模板 · there is no such message template"
    for i, name in enumerate(aid.minutes.must_name if aid.minutes else ()):
        if name not in MINUTES:
            yield f"minutes.must_name[{i}]: 会议纪要没有这一项 · minutes have no such part"


def _stops(aid: Aid) -> Iterator[str]:
    named = [s.when for s in aid.stops]
    for i, stop in enumerate(aid.stops):
        if stop.when not in STOPS:
            yield f"stops[{i}].when: 没有这种情形 · there is no such situation"
        elif stop.when in named[:i]:
            yield f"stops[{i}].when: 重复 · stands twice"
        if stop.does == "pause_village" and aid.mode != "A":
            yield f"stops[{i}].does: 只有先行救助可按村暂停 · only advances are paused by the village"
    needed = {
        "A": ("papers_overdue", "village_papers_overdue"),
        "B": ("evidence_missing",) if len(aid.stages) > 1 else (),
        "C": ("minutes_missing",),
    }
    if aid.stops:
        for when in needed[aid.mode]:
            if when not in named:
                yield f"stops: 未规定“{STOPS[when].zh}”时如何处理 · not said what happens when: {STOPS[when].en}"


def _procedure(aid: Aid, steps: Procedure) -> Iterator[str]:
    if (steps.review == "none") != (steps.review_days == 0):
        yield "review_days: 与民主评议的规定不符 · does not fit what is said of the review"
    if (steps.notice == "none") != (steps.notice_days == 0):
        yield "notice_days: 与公示的规定不符 · does not fit what is said of the public notice"
    if aid.mode == "A" and steps.notice == "before_payment":
        yield "notice: 先行救助在发放后公示 · an advance is put up after it was paid"
    if steps.delegate_up_to is not None and aid.mode == "C":
        yield "delegate_up_to: 一事一议不得下放 · what a meeting decides is not delegated"
