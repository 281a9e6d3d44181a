"""先救助后补手续: papers that follow an advance, their days, and what their absence stops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

# What the papers of an advance are: the documents its playbook lets follow, and those that are there.
_LOCK = """
SELECT w.award, w.status, a.village, a.household, s.papers, coalesce(h.registered_by = $3, false) AS own,
       ARRAY(SELECT DISTINCT d.kind FROM document d WHERE d.county = a.county AND d.household = a.household ORDER BY d.kind) AS handed_in
FROM paperwork w JOIN award a ON a.county = w.county AND a.id = w.award JOIN decision c ON c.county = a.county AND c.id = a.decision
JOIN household h ON h.county = a.county AND h.id = a.household
LEFT JOIN step_rule s ON s.playbook = c.playbook AND s.aid = a.aid
WHERE w.county = $1 AND w.award = ANY ($2::uuid[]) ORDER BY w.award FOR UPDATE OF w
"""
_CLOSE = """
UPDATE paperwork SET status = 'closed', closed_by = $3, closed_at = $4 WHERE county = $1 AND award = ANY ($2::uuid[]) AND status = 'open'
"""
_REMIND = """
UPDATE paperwork SET reminded_at = $1 WHERE status = 'open' AND reminded_at IS NULL AND due_on <= $2 RETURNING county, award
"""
_OVERDUE = "UPDATE paperwork SET overdue_at = $1 WHERE status = 'open' AND overdue_at IS NULL AND due_on < $2 RETURNING county, award"
_HOLD = """
INSERT INTO hold (county, kind, subject, reason, valid_from)
SELECT w.county, 'household', a.household::text, '补手续逾期 · papers overdue of ' || w.award, $1
FROM paperwork w JOIN award a ON a.county = w.county AND a.id = w.award JOIN decision c ON c.county = a.county AND c.id = a.decision
JOIN step_rule s ON s.playbook = c.playbook AND s.aid = a.aid AND s.papers_hold
WHERE w.status = 'open' AND w.overdue_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM hold h WHERE h.county = w.county AND h.kind = 'household' AND h.subject = a.household::text
    AND h.reason = '补手续逾期 · papers overdue of ' || w.award AND h.valid_to IS NULL)
"""
# Villages with at least so many overdue advances of one aid as its playbook lets be.
_PAUSE = """
INSERT INTO hold (county, kind, subject, reason, valid_from)
SELECT county, 'advances', village, '补手续逾期，暂停先行救助 · papers overdue in ' || village, $1 FROM (
    SELECT DISTINCT w.county, a.village FROM paperwork w JOIN award a ON a.county = w.county AND a.id = w.award
    JOIN decision c ON c.county = a.county AND c.id = a.decision JOIN step_rule s ON s.playbook = c.playbook AND s.aid = a.aid
    WHERE w.status = 'open' AND w.overdue_at IS NOT NULL AND s.pause_from IS NOT NULL
    GROUP BY w.county, a.village, a.aid, s.pause_from HAVING count(*) >= s.pause_from) v
WHERE NOT EXISTS (SELECT FROM hold h WHERE h.county = v.county AND h.kind = 'advances' AND h.subject = v.village AND h.valid_to IS NULL)
"""
_RESUME = """
UPDATE hold h SET valid_to = $1 WHERE h.kind = 'advances' AND h.valid_to IS NULL AND NOT EXISTS (
    SELECT FROM paperwork w JOIN award a ON a.county = w.county AND a.id = w.award
    JOIN decision c ON c.county = a.county AND c.id = a.decision JOIN step_rule s ON s.playbook = c.playbook AND s.aid = a.aid
    WHERE w.county = h.county AND a.village = h.subject AND w.status = 'open' AND w.overdue_at IS NOT NULL AND s.pause_from IS NOT NULL
    GROUP BY a.aid, s.pause_from HAVING count(*) >= s.pause_from)
"""


class Standing(msgspec.Struct, frozen=True):
    """How the papers of one advance stand. `own`: the asker registered the household."""

    award: UUID
    status: str
    village: str
    household: UUID
    papers: list[str] | None
    own: bool
    handed_in: list[str]

    @property
    def missing(self) -> list[str]:
        """Documents its playbook asks for that are not there."""
        return [p for p in self.papers or [] if p not in self.handed_in]


class _Award(msgspec.Struct, frozen=True):
    county: str
    award: UUID


async def lock(tx: Tx, county: str, awards: Sequence[UUID], person: UUID) -> list[Standing]:
    """How these stand, locked until the end of the transaction."""
    return await many(tx, _LOCK, Standing, county, list(awards), person)


async def close(tx: Tx, county: str, awards: Sequence[UUID], person: UUID, now: datetime) -> int:
    """open → closed; how many."""
    return await run(tx, _CLOSE, county, list(awards), person, now)


async def remind(tx: Tx, now: datetime, until: date) -> list[tuple[str, UUID]]:
    """Mark those due by that day as reminded, once each; which."""
    return [(r.county, r.award) for r in await many(tx, _REMIND, _Award, now, until)]


async def overdue(tx: Tx, now: datetime, today: date) -> list[tuple[str, UUID]]:
    """Mark those whose day has passed; which."""
    return [(r.county, r.award) for r in await many(tx, _OVERDUE, _Award, now, today)]


async def stop(tx: Tx, now: datetime) -> tuple[int, int]:
    """Hold households whose papers are overdue and pause advances of their villages, as their playbooks say; how many of each are new."""
    return await run(tx, _HOLD, now), await run(tx, _PAUSE, now)


async def resume(tx: Tx, now: datetime) -> int:
    """Let villages go on that are below their number again; how many."""
    return await run(tx, _RESUME, now)
