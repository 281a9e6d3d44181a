"""Exceptions of bank files and how they were worked off; lines set aside before sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

_LOCK = """
SELECT r.file, r.row, r.code, r.payment, p.status, p.award FROM unnest($2::uuid[], $3::int[]) AS t (file, row)
JOIN bank_row r ON r.county = $1 AND r.file = t.file AND r.row = t.row
LEFT JOIN payment p ON p.county = $1 AND p.id = r.payment
WHERE r.disposition = 'exception' AND r.closed_at IS NULL ORDER BY r.file, r.row FOR UPDATE OF r
"""
_OF_PAYMENTS = """
SELECT r.file, r.row, r.code, r.payment, p.status, p.award FROM bank_row r JOIN payment p ON p.county = $1 AND p.id = r.payment
WHERE r.county = $1 AND r.payment = ANY ($2::uuid[]) AND r.disposition = 'exception' AND r.closed_at IS NULL ORDER BY r.file, r.row FOR UPDATE OF r
"""
_CLOSE = """
WITH t AS (SELECT file, row FROM unnest($2::uuid[], $3::int[]) AS t (file, row)), kept AS (
    INSERT INTO bank_row_answer (county, file, row, answer, note, by_person, at) SELECT $1, file, row, $4, $5, $6, $7 FROM t
)
UPDATE bank_row r SET closed_at = $7 FROM t WHERE r.county = $1 AND r.file = t.file AND r.row = t.row AND r.closed_at IS NULL
"""
# The hold ends when the last contradiction about the award is answered.
_LIFT = """
UPDATE hold h SET valid_to = $3 WHERE h.county = $1 AND h.kind = 'award' AND h.subject = ANY ($2::text[]) AND h.reason = 'bank_contradiction'
AND h.valid_to IS NULL AND NOT EXISTS (
    SELECT FROM bank_row r JOIN payment p ON p.county = r.county AND p.id = r.payment
    WHERE r.county = $1 AND p.award::text = h.subject AND r.code = ANY ($4::text[]) AND r.closed_at IS NULL)
"""
_SET_ASIDE = """
WITH given AS (
    SELECT p.id, p.account, t.field FROM unnest($2::uuid[], $3::text[]) AS t (payment, field)
    JOIN payment p ON p.county = $1 AND p.id = t.payment AND p.status = 'approved'
), held AS (
    INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from)
    SELECT DISTINCT $1, 'account', g.account::text, 'unfit_line', '00000000-0000-0000-0000-000000000000'::uuid, $5::timestamptz FROM given g
    WHERE NOT EXISTS (SELECT FROM hold h WHERE h.county = $1 AND h.kind = 'account' AND h.subject = g.account::text AND h.valid_to IS NULL)
)
INSERT INTO unfit_line (county, payment, account, layout, field, due_on, opened_at) SELECT $1, id, account, $4, field, $6, $5 FROM given
"""
# The payment goes on to the account as it is written now; the old one keeps its hold.
_MEND = """
WITH mended AS (
    UPDATE payment p SET account = c.id, bank = c.bank
    FROM account c JOIN unfit_line u ON u.county = $1 AND u.closed_at IS NULL
    WHERE c.county = $1 AND c.id = ANY ($2::uuid[]) AND c.status = 'current' AND p.county = $1 AND p.id = u.payment AND p.payee = c.person
      AND p.status = 'approved' AND p.account <> c.id
    RETURNING p.id
)
UPDATE unfit_line u SET closed_at = $3 FROM mended m WHERE u.county = $1 AND u.payment = m.id AND u.closed_at IS NULL
"""


class Row(msgspec.Struct, frozen=True):
    """An open exception; `status` and `award` are those of the payment it names, if it names one."""

    file: UUID
    row: int
    code: str
    payment: UUID | None
    status: str | None
    award: UUID | None


async def lock(tx: Tx, county: str, rows: Sequence[tuple[UUID, int]]) -> list[Row]:
    """Those of the rows that are open, locked."""
    return await many(tx, _LOCK, Row, county, [f for f, _ in rows], [r for _, r in rows])


async def of_payments(tx: Tx, county: str, payments: Sequence[UUID]) -> list[Row]:
    """Every open exception about these payments, locked."""
    return await many(tx, _OF_PAYMENTS, Row, county, list(payments))


async def close(tx: Tx, county: str, rows: Sequence[Row], answer: str, note: str, person: UUID, now: datetime) -> int:
    """Answer them; how many were open."""
    return await run(tx, _CLOSE, county, [r.file for r in rows], [r.row for r in rows], answer, note, person, now)


async def lift(tx: Tx, county: str, awards: Sequence[UUID], now: datetime, codes: Sequence[str]) -> int:
    """End the holds for contradictions of these awards where none is open any more; how many ended."""
    return await run(tx, _LIFT, county, [str(a) for a in awards], now, list(codes))


async def set_aside(tx: Tx, county: str, lines: Sequence[tuple[UUID, str]], layout: str, now: datetime, due_on: date) -> int:
    """(payment, field) of lines a bank's file cannot hold: held and listed; how many."""
    return await run(tx, _SET_ASIDE, county, [p for p, _ in lines], [f for _, f in lines], layout, now, due_on)


async def mend(tx: Tx, county: str, accounts: Sequence[UUID], now: datetime) -> int:
    """Payments set aside go on to these corrected accounts of their payees; how many."""
    return await run(tx, _MEND, county, list(accounts), now)
