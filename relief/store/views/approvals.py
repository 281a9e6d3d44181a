"""Awards waiting for approval: what may be approved together, and each household in one glance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

_GROUPS = """
SELECT a.county, r.name AS county_name, a.incident, i.name AS incident_name, i.drill, a.mode, a.aid, a.office, count(*) AS awards, sum(a.amount_fen)::bigint AS fen,
       min(a.proposed_at) AS oldest
FROM proposal q JOIN award a ON a.county = q.county AND a.id = q.award JOIN region r ON r.code = a.county JOIN incident i ON i.id = a.incident
WHERE a.status = 'proposed' AND a.village LIKE ANY (
    CASE a.office WHEN 'township' THEN $1::text[] WHEN 'county' THEN $2::text[] WHEN 'meeting' THEN $3::text[] ELSE $4::text[] END)
GROUP BY a.county, r.name, a.incident, i.name, i.drill, a.mode, a.aid, a.office ORDER BY min(a.proposed_at), a.county, a.aid
"""
_PROPOSED = """
SELECT a.id, a.household, a.aid, a.mode, a.amount_fen, a.village, v.name AS village_name, a.proposed_at, h.members, h.family_type, h.rooms_collapsed,
       h.rooms_severe, h.rooms_moderate, h.relocated, e.id AS person, e.sealed AS sealed_person, d.reasons, coalesce(l.edge, false) AS edge,
       EXISTS (SELECT FROM signature s WHERE s.county = a.county AND s.subject = a.id AND s.step = 'register' AND s.person = $7) AS own,
       EXISTS (SELECT FROM hold o WHERE o.county = a.county AND o.valid_from <= $8 AND (o.valid_to IS NULL OR o.valid_to > $8)
               AND ((o.kind, o.subject) IN (('award', a.id::text), ('household', a.household::text), ('village', a.village))
                    OR (o.kind = 'advances' AND o.subject = a.village AND a.mode = 'A'))) AS held,
       EXISTS (SELECT FROM step_rule s WHERE s.playbook = d.playbook AND s.aid = a.aid AND s.notice = 'before_payment') AND NOT EXISTS (
           SELECT FROM notice_item i JOIN notice n ON n.county = i.county AND n.id = i.notice
           WHERE i.county = a.county AND i.award = a.id AND i.amount_fen = a.amount_fen AND n.status = 'reported'
             AND n.ends_on < ($8::timestamptz AT TIME ZONE 'Asia/Shanghai')::date) AS unnoticed,
       EXISTS (SELECT FROM suspected u WHERE u.county = a.county AND u.household = a.household AND (u.blocks = 'payment' OR a.mode <> 'A')) AS suspected,
       EXISTS (SELECT FROM account c JOIN account x ON x.account_hash = c.account_hash AND x.person <> c.person
               WHERE c.county = a.county AND c.person = a.payee AND c.status = 'current') AS shared_account,
       a.needed, a.signed, a.delegated, a.signed > 0 AND EXISTS (
           SELECT FROM signature s WHERE s.county = a.county AND s.subject = a.id AND s.step <> 'register' AND s.person = $7) AS mine,
       a.amount_fen > 3 * avg(a.amount_fen) OVER () AS large
FROM proposal q
JOIN award a ON a.county = q.county AND a.id = q.award
JOIN household h ON h.county = a.county AND h.id = a.household
JOIN person e ON e.county = a.county AND e.id = a.payee
JOIN decision d ON d.county = a.county AND d.id = a.decision
JOIN region v ON v.code = a.village
LEFT JOIN location l ON l.county = a.county AND l.zone = d.zone AND l.household = a.household
WHERE q.county = $1 AND a.incident = $2 AND a.mode = $3 AND a.aid = $4 AND a.office = $9 AND a.status = 'proposed' AND a.village LIKE ANY ($5::text[])
ORDER BY a.village, a.id LIMIT $6
"""
_STAGES = """
SELECT seq, condition, sum(amount_fen)::bigint AS fen, count(*) AS instalments FROM instalment
WHERE county = $1 AND award = ANY ($2::uuid[]) GROUP BY seq, condition ORDER BY seq
"""


class Group(msgspec.Struct, frozen=True):
    """Awards that may be approved together: one county, incident, mode, aid and office that signs."""

    county: str
    county_name: str
    incident: UUID
    incident_name: str
    drill: bool
    mode: str
    aid: str
    office: str
    awards: int
    fen: int
    oldest: datetime


class ProposedAward(msgspec.Struct, frozen=True):
    """A household in one glance, and what makes it special. `signed` of `needed` people have signed; `mine`: the reader is one of them."""

    id: UUID
    household: UUID
    aid: str
    mode: str
    amount_fen: int
    village: str
    village_name: str
    proposed_at: datetime
    members: int
    family_type: str
    rooms_collapsed: int
    rooms_severe: int
    rooms_moderate: int
    relocated: str
    person: UUID
    sealed_person: bytes
    reasons: list[str]
    edge: bool
    own: bool
    held: bool
    unnoticed: bool  # its list has not hung out yet
    suspected: bool
    shared_account: bool
    needed: int
    signed: int
    delegated: bool
    mine: bool
    large: bool

    @property
    def special(self) -> bool:
        """Looked at one by one instead of in the bundle."""
        return self.mine or self.edge or self.own or self.held or self.suspected or self.shared_account or self.large


class Stage(msgspec.Struct, frozen=True):
    """One stage over many awards; fen."""

    seq: int
    condition: str
    fen: int
    instalments: int


async def groups(tx: Tx, township: Sequence[str], county: Sequence[str], meeting: Sequence[str], city: Sequence[str]) -> list[Group]:
    """What may be approved together, oldest first, in the areas where the reader signs for each office."""
    return await many(tx, _GROUPS, Group, list(township), list(county), list(meeting), list(city))


async def proposed(
    tx: Tx, county: str, incident: UUID, mode: str, aid: str, office: str, villages: Sequence[str], limit: int, person: UUID, now: datetime
) -> list[ProposedAward]:
    """The awards of one group as this person sees them."""
    return await many(tx, _PROPOSED, ProposedAward, county, incident, mode, aid, list(villages), limit, person, now, office)


async def stages(tx: Tx, county: str, awards: Sequence[UUID]) -> list[Stage]:
    """The schedule of these awards, summed by stage."""
    return await many(tx, _STAGES, Stage, county, list(awards))
