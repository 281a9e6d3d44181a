"""The sentences of a playbook: one short function for each thing a rule can say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from relief.domain.playbook import Aid, Playbook, Procedure, Text
from relief.domain.reasons import explain
from relief.domain.rules import MOST_MEMBERS, Approval, Cap, Extra, Gate, Rate, Stage
from relief.domain.standard import Standard
from relief.domain.vocabulary import DEPARTMENTS, DOCUMENTS, EVIDENCE, MINUTES, STOPS, UNITS
from relief.web.document import Amount, Clause, Document, FigureRow, Section, Words
from relief.web.texts import Texts

#: Steps of a procedure in their order: field, text.
_STEPS: Final = ("apply", "review", "notice", "submit", "township", "county")


def compose(book: Playbook, standards: Sequence[Standard], t: Texts) -> Document:
    """Write the document in the language of `t`, with the amounts of one county on one day."""
    w = Words(book, standards, t)
    sections = [Section("scope", t("playbook.scope"), tuple(_scope(w))), *(_aid(w, a) for a in book.aids)]
    sections += [Section("floors", t("playbook.floors"), tuple(_floors(w)))] if book.floors else []
    sections += [Section("referrals", t("playbook.referrals"), tuple(_referrals(w)))] if book.referrals else []
    figures = tuple(
        FigureRow(f.key, w.titles[f.key], t.of(UNITS[f.unit]) if f.unit else t("unit.yuan"), f.legal_basis, w.standards.get(f.key))
        for f in book.figures
    )
    return Document(t.of(book.title), tuple(sections), figures)


def _scope(w: Words) -> Iterator[Clause]:
    book, t = w.book, w.t
    if book.legal_basis:
        yield w.clause("legal_basis", "basis", book.legal_basis)
    hazards = t.listed(t.word("hazard", h) for h in book.hazards)
    yield w.clause("hazards", "hazards", t("playbook.hazards", hazards=hazards))
    if book.responses:
        levels = t.listed(t("playbook.response", level="ⅠⅡⅢⅣ"[r - 1]) for r in book.responses)
        yield w.clause("responses", "responses", t("playbook.responses", levels=levels))
    yield w.clause("course", "course", t(f"playbook.course_{book.course}"), t(f"playbook.area_{book.area}"))
    yield w.clause("bands", "bands", t("playbook.bands", bands=w.bands([b.level for b in book.bands])))
    for i, season in enumerate(book.seasons):
        yield w.clause(f"seasons[{i}]", "season", t("playbook.season", title=t.of(season.title), first=season.first, last=season.last))
    if book.valid_from or book.valid_to:
        word = (
            "playbook.valid_span"
            if book.valid_from and book.valid_to
            else "playbook.valid_since"
            if book.valid_from
            else "playbook.valid_until"
        )
        yield w.clause("valid", "valid", t(word, first=book.valid_from, last=book.valid_to))


def _aid(w: Words, aid: Aid) -> Section:
    clauses = (*_who(w, aid), *_how_much(w, aid), *_by_whom(w, aid), *_on_the_way(w, aid))
    return Section(aid.code, w.t.of(aid.title), clauses, aid)


def _who(w: Words, aid: Aid) -> Iterator[Clause]:
    for i, gate in enumerate(aid.gates):
        yield w.clause(f"gates[{i}]", "who", _gate(w, gate))
        if gate.none:
            yield w.clause(f"gates[{i}].none", "excluded", w.t("playbook.excluded", bands=w.bands(gate.levels), facts=_facts(w, gate.none)))
    yield w.clause("guard", "once", w.t(f"playbook.guard_{aid.guard}"))
    yield w.clause("payee", "payee", w.t(f"playbook.payee_{aid.payee}"))


def _gate(w: Words, gate: Gate) -> str:
    return w.t("playbook.gate", bands=w.bands(gate.levels), facts=_met(w, gate) or w.t("playbook.everybody"))


def _met(w: Words, asked: Gate | Rate | Extra) -> str:
    """'同时符合：…，并且符合下列之一：…'."""
    return w.t("playbook.and").join(
        w.t(f"playbook.{name}", facts=_facts(w, names)) for name, names in (("all", asked.all), ("any", asked.any)) if names
    )


def _facts(w: Words, names: Sequence[str]) -> str:
    return w.t.listed(w.t.of(x) for x in explain((f"has.{n}" for n in names), w.book))


def _how_much(w: Words, aid: Aid) -> Iterator[Clause]:
    t = w.t
    days = t("playbook.for_days", days=aid.days) if aid.days > 1 else ""
    if aid.first_day > 1:
        days += t("playbook.from_day", day=aid.first_day)
    start = t("playbook.adopted") if aid.mode == "C" else t(f"playbook.per_{aid.unit}")
    yield w.clause(
        "amount",
        "amount",
        start,
        w.money(aid.figure),
        t("playbook.amount_end", days=days, title=w.titles[aid.figure]),
        basis=aid.legal_basis,
    )
    for i, rate in enumerate(aid.rates):
        yield w.clause(f"rates[{i}]", "rate", t("playbook.rate", facts=_those(w, rate)), *_figure(w, rate.figure))
    for i, extra in enumerate(aid.extras):
        yield w.clause(
            f"extras[{i}]",
            "extra",
            t("playbook.extra", facts=_those(w, extra)),
            t(f"playbook.per_{extra.per}"),
            *_figure(w, extra.figure, extra.times),
        )
    for cap in aid.caps:
        yield w.clause(f"caps.{cap.figure}", "cap", *_cap(w, cap))


def _those(w: Words, asked: Rate | Extra) -> str:
    """'家庭类型为特困户、2 至 3 人的户'."""
    size = ""
    if asked.members_to < MOST_MEMBERS:
        size = w.t("playbook.members_between", first=asked.members_from, last=asked.members_to)
    elif asked.members_from > 1:
        size = w.t("playbook.members_from", first=asked.members_from)
    return w.t.listed(x for x in (_met(w, asked), size) if x)


def _figure(w: Words, key: str, times: int = 1) -> tuple[str | Amount, ...]:
    many = w.t("playbook.times", times=times) if times > 1 else ""
    return w.money(key), w.t("playbook.figure_end", times=many, title=w.titles[key])


def _cap(w: Words, cap: Cap) -> tuple[str | Amount, ...]:
    return (w.t(f"playbook.cap_{cap.per}"), *_figure(w, cap.figure, cap.times))


def _by_whom(w: Words, aid: Aid) -> Iterator[Clause]:
    t = w.t
    yield w.clause("mode", "mode", t(f"playbook.mode_{aid.mode}"))
    if aid.approvals:
        for i, band in enumerate(aid.approvals):
            yield w.clause(f"approvals[{i}]", "approval", *_approval(w, band, alone=len(aid.approvals) == 1))
    else:
        yield w.clause("approver", "approval", t(f"playbook.approver_{aid.approver}"))
    if aid.minutes:
        names = _words(w, MINUTES, aid.minutes.must_name)
        yield w.clause("minutes", "minutes", t("playbook.minutes", names=names, people=aid.minutes.participants))
    if aid.procedure:
        yield w.clause("procedure", "procedure", _steps(w, aid.procedure), basis=aid.procedure.legal_basis)
        if aid.procedure.delegate_up_to:
            key = aid.procedure.delegate_up_to
            yield w.clause("delegate", "delegate", t("playbook.delegate"), w.money(key), t("playbook.delegate_end", title=w.titles[key]))
    for when in dict.fromkeys(d.when for d in aid.documents):
        named = _words(w, DOCUMENTS, [d.kind for d in aid.documents if d.when == when])
        yield w.clause(f"documents.{when}", "documents", t(f"playbook.documents_{when}", names=named))
    if aid.papers_due_working_days is not None:
        yield w.clause("papers", "papers", t("playbook.papers", days=aid.papers_due_working_days))


def _approval(w: Words, band: Approval, *, alone: bool) -> tuple[str | Amount, ...]:
    end = w.t("playbook.signed", by=w.t(f"playbook.by_{band.by}"), signatures=band.signatures)
    if band.up_to is None:
        return (w.t("playbook.whatever" if alone else "playbook.any_amount"), end)
    return w.t("playbook.up_to"), w.money(band.up_to), w.t("playbook.up_to_end", title=w.titles[band.up_to]), end


def _steps(w: Words, p: Procedure) -> str:
    """The steps that are taken, with their deadlines; what may be left out says when."""
    t = w.t
    steps = []
    for name in _STEPS:
        days = getattr(p, f"{name}_days")
        switch = {"review": p.review, "notice": p.notice}.get(name, "")
        if days or switch not in ("", "none"):
            steps.append(
                t(f"playbook.step_{name}", days=days) + (t(f"playbook.switch_{switch}") if switch not in ("", "none", "required") else "")
            )
    if p.visit != "none":
        steps.insert(1, t("playbook.step_visit") + (t("playbook.switch_skip_if_checked") if p.visit == "skip_if_checked" else ""))
    return t("playbook.steps", steps=t("playbook.step_then").join(steps))


def _on_the_way(w: Words, aid: Aid) -> Iterator[Clause]:
    t = w.t
    if aid.within_hours is not None:
        yield w.clause("within_hours", "deadline", t("playbook.within_hours", hours=aid.within_hours))
    if len(aid.stages) > 1:
        stages = t("playbook.then").join(_stage(w, i, s) for i, s in enumerate(aid.stages, 1))
        yield w.clause("stages", "stages", t("playbook.stages", stages=stages))
    for i, stop in enumerate(aid.stops):
        count = t("playbook.so_often", count=stop.count) if stop.count > 1 else ""
        does = t(f"playbook.stop_{stop.does}")
        yield w.clause(f"stops[{i}]", "stop", t("playbook.stop", when=t.of(STOPS[stop.when]), count=count, does=does))
    if aid.confirmation:
        c = aid.confirmation
        yield w.clause("confirmation", "confirmation", t("playbook.confirmation", days=c.within_days), t(f"playbook.silence_{c.silence}"))


def _stage(w: Words, seq: int, stage: Stage) -> str:
    after = w.t("playbook.after_days", days=stage.after_days) if stage.after_days else ""
    share = f"{stage.share_bp / 100:g}%"
    return w.t("playbook.stage", seq=seq, share=share, condition=w.t.of(EVIDENCE[stage.condition]), after=after)


def _floors(w: Words) -> Iterator[Clause]:
    for i, floor in enumerate(w.book.floors):
        ratio = f"{floor.ratio_bp / 10_000:g}"
        yield w.clause(
            f"floors[{i}]", "floor", w.t("playbook.floor", title=w.titles[floor.figure]), w.money(floor.figure),
            w.t("playbook.floor_least", title=w.titles[floor.at_least], ratio=ratio), w.money(floor.at_least), w.t("playbook.floor_end"),
            basis=floor.legal_basis,
        )  # fmt: skip


def _referrals(w: Words) -> Iterator[Clause]:
    for i, r in enumerate(w.book.referrals):
        word = "playbook.referral_urgent" if r.urgent else "playbook.referral"
        text = w.t(word, fact=_facts(w, [r.when]), to=w.t.of(DEPARTMENTS[r.to]))
        yield w.clause(f"referrals[{i}]", "referral", text, basis=r.legal_basis)


def _words(w: Words, names: Mapping[str, Text], keys: Sequence[str]) -> str:
    return w.t.listed(w.t.of(names[k]) for k in keys)
