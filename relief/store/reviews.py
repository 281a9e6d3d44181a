"""评议: what a playbook demands, and the meetings that were held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain import playbook
from relief.domain.review import Rule, rules_of
from relief.store.db import Tx, many, run

_KEEP_RULES = """
INSERT INTO step_rule (playbook, aid, review, notice, notice_days, papers_hold, pause_from, papers, since)
SELECT t.playbook, t.aid, t.review, t.notice, t.days, t.hold, t.pause, string_to_array(t.papers, ' '), $9
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bool[], $7::int[], $8::text[])
     AS t (playbook, aid, review, notice, days, hold, pause, papers)
ON CONFLICT DO NOTHING
"""
# Playbooks imported before these rules were written down.
_UNREAD = "SELECT id, body FROM playbook p WHERE NOT EXISTS (SELECT FROM step_rule s WHERE s.playbook = p.id)"
# What may be put before a meeting: proposals of this aid in this village.
_AWARDS = """
SELECT a.id, a.village FROM award a
WHERE a.county = $1 AND a.activation = $2 AND a.aid = $3 AND a.id = ANY ($4::uuid[]) AND a.status = 'proposed'
"""
_ADD = """
WITH r AS (
    INSERT INTO review (county, id, activation, aid, village, held_on, participants, sealed, document, recorded_by, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
)
INSERT INTO review_item (county, review, award, supported) SELECT $1, $2, t.award, t.supported FROM unnest($12::uuid[], $13::bool[]) AS t (award, supported)
"""


class Unread(msgspec.Struct, frozen=True):
    """A playbook's text."""

    id: UUID
    body: str


class Place(msgspec.Struct, frozen=True):
    """A proposed award and its village."""

    id: UUID
    village: str


class New(msgspec.Struct, frozen=True):
    """The minutes of one meeting, sealed, and how each award fared."""

    id: UUID
    activation: UUID
    aid: str
    village: str
    held_on: date
    participants: int
    sealed: bytes
    document: UUID | None
    verdicts: Sequence[tuple[UUID, bool]]


async def keep_rules(tx: Tx, rules: Sequence[tuple[UUID, Rule]], now: datetime) -> None:
    """Write down what playbook versions demand, once."""
    columns = [p for p, _ in rules], [r.aid for _, r in rules], [r.review for _, r in rules], [r.notice for _, r in rules]
    papers = [r.papers_hold for _, r in rules], [r.pause_from for _, r in rules], [" ".join(r.papers) for _, r in rules]
    await run(tx, _KEEP_RULES, *columns, [r.notice_days for _, r in rules], *papers, now)


async def keep_missing(tx: Tx, now: datetime) -> None:
    """The same for playbooks that were imported before; nothing where there are none."""
    if found := await many(tx, _UNREAD, Unread):
        await keep_rules(tx, [(p.id, rule) for p in found for rule in rules_of(playbook.read(p.body))], now)


async def proposed(tx: Tx, county: str, activation: UUID, aid: str, awards: Sequence[UUID]) -> list[Place]:
    """Those of the awards that are proposed."""
    return await many(tx, _AWARDS, Place, county, activation, aid, list(awards))


async def add(tx: Tx, county: str, new: New, person: UUID, now: datetime) -> int:
    """Keep the minutes; how many awards they speak of."""
    return await run(
        tx, _ADD, county, new.id, new.activation, new.aid, new.village, new.held_on, new.participants, new.sealed, new.document, person, now,
        [a for a, _ in new.verdicts], [s for _, s in new.verdicts],
    )  # fmt: skip
