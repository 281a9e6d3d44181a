"""A recovery case in full: its money, its entries, the stages it could be set off against, its lines in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe

_CASE = """
SELECT c.county, g.name AS county_name, c.id, c.status, c.reason, c.household, c.aid, c.period, c.due_on, c.opened_at, c.amount_fen AS over_fen, c.answer,
       i.name AS incident_name, c.incident, i.drill, a.fund, f.document AS fund_document, v.name AS village_name, e.id AS person, e.sealed AS sealed_person,
       y.name AS payer_name, y.account AS payer_account,
       (SELECT coalesce(sum(p.amount_fen), 0)::bigint FROM payment p JOIN award w ON w.county = p.county AND w.id = p.award
        WHERE p.county = c.county AND p.household = c.household AND w.aid = c.aid AND w.period = c.period AND p.status = 'paid') AS paid_fen
FROM recovery_case c JOIN region g ON g.code = c.county JOIN incident i ON i.id = c.incident
JOIN household h ON h.county = c.county AND h.id = c.household JOIN region v ON v.code = h.village
JOIN person e ON e.county = c.county AND e.household = c.household AND e.role = 'householder'
LEFT JOIN award a ON a.county = c.county AND a.id = c.award LEFT JOIN fund f ON f.county = c.county AND f.id = a.fund LEFT JOIN payer y ON y.county = c.county
WHERE c.county = $1 AND c.id = $2 AND c.county LIKE ANY ($3::text[])
"""
_ENTRIES = """
SELECT e.id, e.kind, e.amount_fen, e.ground, e.document, e.note, e.status, e.by_person, s.name AS by_name, e.at, d.name AS decided_by, e.decided_at, i.seq
FROM recovery_entry e JOIN staff s ON s.id = e.by_person LEFT JOIN staff d ON d.id = e.decided_by
LEFT JOIN instalment i ON i.county = e.county AND i.id = e.instalment
WHERE e.county = $1 AND e.recovery = $2 ORDER BY e.at, e.id
"""
_STAGES = """
SELECT i.id, i.seq, i.amount_fen, i.condition, a.aid FROM instalment i JOIN award a ON a.county = i.county AND a.id = i.award
WHERE i.county = $1 AND a.household = $2 AND a.fund = $3 AND a.status = 'approved' AND i.status IN ('waiting', 'due') ORDER BY a.aid, i.seq
"""
_LEDGER = """
SELECT t.source, t.target, t.amount_fen, t.at, f.document FROM transfer t JOIN fund f ON f.county = t.county AND f.id = t.fund
WHERE t.county = $1 AND (t.subject = 'recovery' AND t.subject_id = $2
    OR t.act IN (SELECT a.id FROM audit a WHERE a.county = $1 AND a.act = 'recovery.decide' AND a.at IN (
        SELECT decided_at FROM recovery_entry WHERE county = $1 AND recovery = $2 AND kind = 'offset' AND status = 'done')))
ORDER BY t.at
"""
_ALL = """
SELECT c.county, g.name AS county_name, c.id, c.status, c.reason, c.aid, c.due_on,
       coalesce(sum(e.amount_fen) FILTER (WHERE e.kind = 'claim'), 0)::bigint AS claimed_fen,
       coalesce(sum(e.amount_fen) FILTER (WHERE e.kind = 'repayment'), 0)::bigint AS repaid_fen,
       coalesce(sum(e.amount_fen) FILTER (WHERE e.kind = 'offset' AND e.status = 'done'), 0)::bigint AS offset_fen,
       coalesce(sum(e.amount_fen) FILTER (WHERE e.kind = 'write off' AND e.status = 'done'), 0)::bigint AS written_off_fen
FROM recovery_case c JOIN region g ON g.code = c.county LEFT JOIN recovery_entry e ON e.county = c.county AND e.recovery = c.id
WHERE c.county LIKE ANY ($1::text[]) GROUP BY c.county, g.name, c.id, c.status, c.reason, c.aid, c.due_on ORDER BY c.county, c.due_on, c.id LIMIT 10000
"""


class Case(msgspec.Struct, frozen=True):
    """The case; its householder still sealed. `paid_fen`: what was paid of the claim in question."""

    county: str
    county_name: str
    id: UUID
    status: str
    reason: str
    household: UUID
    aid: str
    period: str
    due_on: date
    opened_at: datetime
    over_fen: int | None
    answer: str | None
    incident_name: str
    incident: UUID
    drill: bool
    fund: UUID | None
    fund_document: str | None
    village_name: str
    person: UUID
    sealed_person: bytes
    payer_name: str | None
    payer_account: str | None
    paid_fen: int


class Entry(msgspec.Struct, frozen=True):
    """One entry of the case, in fen; `seq` is the stage a set-off is against."""

    id: UUID
    kind: str
    amount_fen: int
    ground: str
    document: str
    note: str
    status: str
    by_person: UUID
    by_name: str
    at: datetime
    decided_by: str | None
    decided_at: datetime | None
    seq: int | None


class Stage(msgspec.Struct, frozen=True):
    """A stage that has not left."""

    id: UUID
    seq: int
    amount_fen: int
    condition: str
    aid: str


class Moved(msgspec.Struct, frozen=True):
    """A transfer of the ledger."""

    source: str
    target: str
    amount_fen: int
    at: datetime
    document: str


class Summary(msgspec.Struct, frozen=True):
    """One case as a row of the table."""

    county: str
    county_name: str
    id: UUID
    status: str
    reason: str
    aid: str
    due_on: date
    claimed_fen: int
    repaid_fen: int
    offset_fen: int
    written_off_fen: int


async def case(tx: Tx, county: str, id_: UUID, counties: Sequence[str]) -> Case | None:
    """One case within these counties (LIKE patterns)."""
    return await maybe(tx, _CASE, Case, county, id_, list(counties))


async def entries(tx: Tx, county: str, case_: UUID) -> list[Entry]:
    """What happened, in order."""
    return await many(tx, _ENTRIES, Entry, county, case_)


async def stages(tx: Tx, county: str, household: UUID, fund: UUID) -> list[Stage]:
    """What could be set off against."""
    return await many(tx, _STAGES, Stage, county, household, fund)


async def ledger(tx: Tx, county: str, case_: UUID) -> list[Moved]:
    """Transfers this case made."""
    return await many(tx, _LEDGER, Moved, county, case_)


async def summaries(tx: Tx, counties: Sequence[str]) -> list[Summary]:
    """Every case as a row, by county and deadline."""
    return await many(tx, _ALL, Summary, list(counties))
