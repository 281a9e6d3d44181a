"""Guards that move with a merged incident, and the recovery cases of those who turn out to have the same aid twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain.moves import RECOVERY, sources
from relief.store.db import Tx, many, run

# A guard cannot be edited, so it is given back under the old incident and taken under the new one. Of two duplicates merged at once
# the guard of the earlier row wins; who finds the place taken by another household has the aid twice.
_REKEY = """
WITH given_back AS (
    DELETE FROM entitlement_guard WHERE incident = ANY ($1::uuid[]) RETURNING id_hash, aid, period, county, household
), taken AS (
    INSERT INTO entitlement_guard (id_hash, incident, aid, period, county, household)
    SELECT DISTINCT ON (id_hash, aid, period) id_hash, $2::uuid, aid, period, county, household
    FROM given_back ORDER BY id_hash, aid, period, county, household
    ON CONFLICT DO NOTHING RETURNING id_hash, aid, period, county, household
), holder AS (
    SELECT id_hash, aid, period, county, household FROM taken
    UNION ALL
    SELECT id_hash, aid, period, county, household FROM entitlement_guard WHERE incident = $2
), twice AS (
    SELECT g.county, g.household, g.aid, g.period, h.county AS holder_county, h.household AS holder, count(*)::int AS people
    FROM given_back g JOIN holder h USING (id_hash, aid, period)
    WHERE h.household <> g.household
    GROUP BY g.county, g.household, g.aid, g.period, h.county, h.household
), opened AS (
    INSERT INTO recovery_case (county, incident, household, aid, period, holder_county, holder, people, award, reason, status, owner, due_on, opened_at)
    SELECT t.county, $2, t.household, t.aid, t.period, t.holder_county, t.holder, t.people, a.id, 'incidents merged', 'open', 'county_officer', $4, $3
    FROM twice t LEFT JOIN award a ON a.county = t.county AND a.household = t.household AND a.aid = t.aid AND a.period = t.period
        AND a.status IN ('proposed', 'approved', 'completed')
    ON CONFLICT DO NOTHING RETURNING county, award
), held AS (
    INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from)
    SELECT DISTINCT county, 'award', award::text, $6, $5::uuid, $3
    FROM opened WHERE award IS NOT NULL
)
SELECT (SELECT count(*)::int FROM given_back) AS guards, (SELECT count(*)::int FROM opened) AS cases
"""
# The same as _REKEY without doing it: who would find the place taken, and by whom.
_FORESEE = """
WITH moving AS (
    SELECT id_hash, aid, period, county, household FROM entitlement_guard WHERE incident = ANY ($1::uuid[])
), holder AS (
    SELECT DISTINCT ON (id_hash, aid, period) id_hash, aid, period, county, household
    FROM (SELECT id_hash, aid, period, county, household, 1 AS place FROM moving
          UNION ALL SELECT id_hash, aid, period, county, household, 0 FROM entitlement_guard WHERE incident = $2) x
    ORDER BY id_hash, aid, period, place, county, household
), twice AS (
    SELECT g.county, g.household, g.aid, g.period, h.county AS holder_county, h.household AS holder, count(*)::int AS people
    FROM moving g JOIN holder h USING (id_hash, aid, period)
    WHERE h.household <> g.household AND NOT EXISTS (
        SELECT FROM recovery_case c WHERE (c.county, c.household, c.aid, c.period, c.holder) = (g.county, g.household, g.aid, g.period, h.household)
          AND c.reason = 'incidents merged')
    GROUP BY g.county, g.household, g.aid, g.period, h.county, h.household
)
SELECT t.county, r.name AS county_name, t.household, t.aid, t.period, t.holder_county, t.holder, t.people, a.status AS award_status,
       a.amount_fen, count(*) OVER () AS total
FROM twice t JOIN region r ON r.code = t.county
LEFT JOIN award a ON a.county = t.county AND a.household = t.household AND a.aid = t.aid AND a.period = t.period
    AND a.status IN ('proposed', 'approved', 'completed')
ORDER BY t.county, t.household, t.aid, t.period, t.holder LIMIT $3
"""
# The whole activation at once: what is approved beyond what the current decision grants. One case per decision, so a repeated run
# opens nothing, and none where the whole claim is a case already (registered twice, incidents merged); what is approved and not yet paid is held until somebody has answered.
_OVER = """
WITH approved AS MATERIALIZED (
    SELECT household, incident, aid, period, sum(amount_fen)::bigint AS fen, (array_agg(id ORDER BY tops_up NULLS FIRST))[1] AS first
    FROM award WHERE county = $1 AND activation = $2 AND status IN ('approved', 'completed') GROUP BY household, incident, aid, period
), opened AS (
    INSERT INTO recovery_case (county, incident, household, aid, period, holder_county, holder, people, award, reason, status, owner, due_on,
                               opened_at, decision, amount_fen)
    SELECT $1, coalesce(i.merged_into, i.id), c.household, c.aid, c.period, $1, c.household, h.members, c.first, 'decision changed', 'open',
           'county_officer', $4, $3, d.id, c.fen - d.amount_fen
    FROM approved c JOIN incident i ON i.id = c.incident JOIN household h ON h.county = $1 AND h.id = c.household
    JOIN decision d ON d.county = $1 AND d.activation = $2 AND d.aid = c.aid AND d.household = c.household AND d.status = 'current'
    WHERE d.amount_fen < c.fen AND NOT EXISTS (
        SELECT FROM recovery_case r WHERE r.county = $1 AND r.household = c.household AND r.aid = c.aid AND r.period = c.period AND r.decision IS NULL)
    ON CONFLICT DO NOTHING RETURNING id, household, incident, aid, period, amount_fen
), held AS (
    INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from)
    SELECT $1, 'award', a.id::text, $6, $5::uuid, $3
    FROM opened o JOIN award a ON a.county = $1 AND a.household = o.household AND a.aid = o.aid AND a.period = o.period
        AND a.activation = $2 AND a.status = 'approved'
)
SELECT id, amount_fen FROM opened
"""
_OUTDATED = """
WITH closed AS (
    UPDATE recovery_case c SET status = 'closed', closed_by = $4::uuid, closed_at = $3, answer = $5
    FROM decision d WHERE c.county = $1 AND c.status = 'open' AND d.county = $1 AND d.id = c.decision AND d.status = 'superseded' AND d.activation = $2
    RETURNING c.id, c.household, c.aid, c.period
), lifted AS (
    UPDATE hold h SET valid_to = $3 FROM closed c JOIN award a ON a.county = $1 AND a.household = c.household AND a.aid = c.aid AND a.period = c.period
    WHERE h.county = $1 AND h.kind = 'award' AND h.subject = a.id::text AND h.valid_to IS NULL AND h.reason = $6
)
SELECT id, 0::bigint AS amount_fen FROM closed
"""
_LIFT = """
UPDATE hold SET valid_to = $3
WHERE county = $1 AND kind = 'award' AND valid_to IS NULL AND reason = ANY ($4::text[])
  AND subject IN (SELECT a.id::text FROM recovery_case c JOIN award a ON a.county = $1 AND (a.id = c.award
                  OR c.decision IS NOT NULL AND a.household = c.household AND a.aid = c.aid AND a.period = c.period)
                  WHERE c.county = $1 AND c.id = ANY ($2::uuid[]))
"""
_OPEN = """
SELECT id, county, incident, household, aid, period, holder_county, holder, people, award, status, owner, due_on, opened_at, reason, decision,
       amount_fen
FROM recovery_case WHERE status = 'open' ORDER BY due_on, county, id LIMIT $1
"""
_CLOSE = """
UPDATE recovery_case SET status = 'closed', closed_by = $3, closed_at = $4, answer = $5
WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($6::text[])
"""


#: Why such an award is held; it tells this hold from any other on the same award.
HELD: Final = "合并灾害后重复享受待核 · aid held twice after incidents were merged"
HELD_OVER: Final = "重新核定后金额减少待核 · a later decision grants less than was approved"
OUTDATED: Final = "已有更新的决定 · a later decision has taken its place"
#: The same of a household that turned out to be registered twice.
HELD_TWICE: Final = "同一户重复登记待追回 · the household was registered twice"


class Rekeyed(msgspec.Struct, frozen=True):
    """How many guards moved, and how many claims met another household's."""

    guards: int
    cases: int


class Foreseen(msgspec.Struct, frozen=True):
    """A claim that would come second in a merge, the household that would keep the aid, and the award that would be held.

    `total` is how many there are altogether.
    """

    county: str
    county_name: str
    household: UUID
    aid: str
    period: str
    holder_county: str
    holder: UUID
    people: int
    award_status: str | None
    amount_fen: int | None
    total: int


class Case(msgspec.Struct, frozen=True):
    """Money to be asked back or kept from going out: `reason` is “incidents merged” (a claim that came second) or “decision changed” (a later
    `decision` grants `amount_fen` less than was approved; holder and household are the same). `award` is under a hold until somebody decides.
    """

    id: UUID
    county: str
    incident: UUID
    household: UUID
    aid: str
    period: str
    holder_county: str
    holder: UUID
    people: int
    award: UUID | None
    status: str
    owner: str
    due_on: date
    opened_at: datetime
    reason: str = "incidents merged"
    decision: UUID | None = None
    amount_fen: int | None = None


async def rekey(tx: Tx, merged: Sequence[UUID], survivor: UUID, person: UUID, now: datetime, due_on: date) -> Rekeyed:
    """Move every guard to the survivor in one statement; collisions become cases, and their awards are held."""
    (found,) = await many(tx, _REKEY, Rekeyed, list(merged), survivor, now, due_on, person, HELD)
    return found


async def foresee(tx: Tx, merged: Sequence[UUID], survivor: UUID, most: int = 200) -> list[Foreseen]:
    """The cases `rekey` would open, without doing anything."""
    return await many(tx, _FORESEE, Foreseen, list(merged), survivor, most)


class Over(msgspec.Struct, frozen=True):
    """A case and what was approved beyond the decision, in fen."""

    id: UUID
    amount_fen: int


async def propose(tx: Tx, county: str, activation: UUID, person: UUID | None, now: datetime, due_on: date) -> list[Over]:
    """A case for every household of the activation of which more is approved than its current decision grants; the new ones."""
    return await many(tx, _OVER, Over, county, activation, now, due_on, person or UUID(int=0), HELD_OVER)


async def close_outdated(tx: Tx, county: str, activation: UUID, person: UUID | None, now: datetime) -> list[UUID]:
    """Cases whose decision was superseded meanwhile: closed, their holds ended. What is still too much becomes a case of the new decision."""
    return [c.id for c in await many(tx, _OUTDATED, Over, county, activation, now, person, OUTDATED, HELD_OVER)]


async def open_cases(tx: Tx, most: int = 200) -> list[Case]:
    """Open cases this transaction may see, by deadline."""
    return await many(tx, _OPEN, Case, most)


async def close(tx: Tx, county: str, ids: Sequence[UUID], person: UUID, now: datetime, answer: str) -> int:
    """open → closed; how many moved."""
    return await run(tx, _CLOSE, county, list(ids), person, now, answer, sources(RECOVERY, "closed"))


async def lift(tx: Tx, county: str, ids: Sequence[UUID], now: datetime) -> int:
    """End the holds these cases put on their awards, and no other; how many ended."""
    return await run(tx, _LIFT, county, list(ids), now, [HELD, HELD_OVER, HELD_TWICE])
