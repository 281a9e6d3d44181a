"""Explain decisions: what was asked, what was true, which clause, so much; in both languages, for now and for every time before."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec

from relief.domain import explanation, standard
from relief.domain import playbook as playbooks_
from relief.domain.errors import NotFound
from relief.domain.explanation import Clause, Stated, Step
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor, require
from relief.domain.rules import Text
from relief.domain.standard import Figures
from relief.store import standards
from relief.store.db import Tx
from relief.store.views import decisions
from relief.store.views.decisions import AwardOf, CaseOf, Found, Taken


class Decision(msgspec.Struct, frozen=True):
    """One decision told in full; money in fen.

    `asked` names the aid, `facts` what was true, `path` what was met, lacking and in the way (codes in `reasons`), `clauses` the figures
    with clause and document, `working` how the amount came about. `unverified`: a figure it rests on was never compared with its
    document. `figures_kept` is false for decisions taken before figures were kept: clauses and working are empty then.
    """

    id: UUID
    status: str
    decided_at: datetime
    aid: str
    asked: Text
    mode: str
    legal_basis: str
    facts: list[Stated]
    reasons: list[str]
    path: list[Text]
    clauses: list[Clause]
    working: list[Step]
    amount_fen: int
    unverified: bool
    figures_kept: bool
    playbook: str
    playbook_digest: str
    zone: str
    band: str | None
    awards: list[AwardOf]
    recoveries: list[CaseOf]


class Explanation(msgspec.Struct, frozen=True):
    """A household's decisions by aid, newest first."""

    county: str
    household: UUID
    decisions: list[Decision]


@lru_cache(maxsize=64)
def _read(text: str) -> Playbook:
    """A playbook's text never changes, and reading one takes longer than explaining by it."""
    return playbooks_.read(text)


async def explain(tx: Tx, actor: Actor, county: str, household: UUID) -> Explanation:
    """Every decision of one household; NotFound where there is none in the caller's area."""
    return await _explain(tx, actor, await decisions.place(tx, county, household))


async def explain_any(tx: Tx, actor: Actor, thing: UUID) -> Explanation:
    """The same by the id of a household or of one decision, in whatever county it is."""
    return await _explain(tx, actor, await decisions.find(tx, thing))


async def _explain(tx: Tx, actor: Actor, found: Found | None) -> Explanation:
    if found is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, "decision.read", found.village)
    taken = await decisions.of_household(tx, found.county, found.household)
    if found.decision is not None:
        taken = [d for d in taken if d.id == found.decision]
    books = {i: _read(body) for i, body in (await decisions.bodies(tx, list({d.playbook for d in taken}))).items()}
    kept = await standards.sets(tx, list({d.standards for d in taken}))
    awards = await decisions.awards(tx, found.county, found.household)
    cases = await decisions.cases(tx, found.county, [d.id for d in taken])
    told = []
    for d in taken:
        figures = standard.again(kept[d.standards]) if d.standards in kept else None
        told.append(
            _tell(d, books[d.playbook], figures, [a for a in awards if a.decision == d.id], [c for c in cases if c.decision == d.id])
        )
    return Explanation(found.county, found.household, told)


def _tell(d: Taken, book: Playbook, figures: Figures | None, awards: list[AwardOf], cases: list[CaseOf]) -> Decision:
    aid = book.aid(d.aid)
    clauses = [] if figures is None else explanation.clauses(book, aid, figures, d.reasons)
    return Decision(
        id=d.id,
        status=d.status,
        decided_at=d.decided_at,
        aid=d.aid,
        asked=aid.title,
        mode=aid.mode,
        legal_basis=aid.legal_basis,
        facts=explanation.stated(d.facts),
        reasons=d.reasons,
        path=explanation.path(book, d.reasons),
        clauses=clauses,
        working=[] if figures is None else explanation.working(aid, figures, d.facts, d.reasons, d.amount_fen),
        amount_fen=d.amount_fen,
        unverified=any(c.used and not c.verified for c in clauses),
        figures_kept=figures is not None,
        playbook=f"{d.playbook_key} {d.playbook_version}",
        playbook_digest=d.playbook_digest.hex(),
        zone=f"{d.zone_title} v{d.zone_version}",
        band=d.band,
        awards=awards,
        recoveries=cases,
    )
