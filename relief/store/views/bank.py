"""The bank desk's work lists: exceptions, silence, verdicts that wait, lines set aside, cards cooling off, files; and how far a batch has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one

_EXCEPTIONS = """
WITH open AS MATERIALIZED (
    SELECT county, file, row, code, reference, outcome, amount_fen, reason, bank_ref, payment, count(*) OVER () AS total FROM bank_row
    WHERE disposition = 'exception' AND closed_at IS NULL AND county LIKE ANY ($1::text[])
)
SELECT r.county, g.name AS county_name, r.file, r.row, r.code, r.reference, r.outcome, r.amount_fen, r.reason, r.bank_ref, f.kind, f.name AS file_name,
       f.received_at, r.payment, p.status, p.amount_fen AS our_fen, p.bank_ref AS our_ref, p.household, coalesce(b.number, o.number) AS number, p.sent_at,
       c.id AS account, c.sealed AS sealed_account, coalesce(b.drill, o.drill, false) AS drill, r.total
FROM open r
CROSS JOIN LATERAL (SELECT kind, name, received_at, batch FROM bank_file WHERE county = r.county AND id = r.file LIMIT 1) f
CROSS JOIN LATERAL (SELECT name FROM region WHERE code = r.county LIMIT 1) g
LEFT JOIN LATERAL (SELECT status, amount_fen, bank_ref, household, sent_at, batch, account FROM payment WHERE county = r.county AND id = r.payment LIMIT 1) p ON true
LEFT JOIN LATERAL (SELECT number, drill FROM batch WHERE county = r.county AND id = p.batch LIMIT 1) b ON true
LEFT JOIN LATERAL (SELECT number, drill FROM batch WHERE county = r.county AND id = f.batch LIMIT 1) o ON true
LEFT JOIN LATERAL (SELECT id, sealed FROM account WHERE county = r.county AND id = p.account LIMIT 1) c ON true
ORDER BY f.received_at, r.file, r.row LIMIT $2
"""
_SILENT = """
WITH silent AS MATERIALIZED (
    SELECT p.county, p.id FROM payment p WHERE p.trouble = 'unknown' AND p.county LIKE ANY ($1::text[])
    UNION ALL
    SELECT p.county, p.id FROM batch b CROSS JOIN LATERAL unnest(b.payments) AS l (id)
    CROSS JOIN LATERAL (SELECT county, id, status FROM payment WHERE county = b.county AND id = l.id AND batch = b.id LIMIT 1) p
    WHERE b.status = 'rejected' AND p.status = 'sent' AND b.county LIKE ANY ($1::text[])
    UNION ALL
    SELECT p.county, p.id FROM verdict v
    CROSS JOIN LATERAL (SELECT county, id, status FROM payment WHERE county = v.county AND id = v.payment LIMIT 1) p
    WHERE v.status = 'proposed' AND p.status = 'paid' AND v.county LIKE ANY ($1::text[])
)
SELECT p.county, g.name AS county_name, p.id AS payment, p.reference, p.household, p.amount_fen, p.status, p.sent_at, b.id AS batch, b.number,
       b.status AS batch_status, b.digest, b.sent_at AS handed_at, b.drill, v.id AS verdict, v.outcome, v.reason, v.document, v.note, v.proposed_by,
       s.name AS proposed_by_name,
       (SELECT count(*) FROM bank_row r WHERE r.county = p.county AND r.payment = p.id) AS rows_about,
       (SELECT count(*) FROM bank_file f WHERE f.county = p.county AND f.kind = 'statement' AND f.received_at > p.sent_at) AS statements,
       (SELECT max(f.received_at) FROM bank_file f WHERE f.county = p.county AND f.kind = 'statement' AND f.received_at > p.sent_at) AS last_statement,
       (SELECT min(f.received_at) FROM bank_file f WHERE f.county = p.county AND f.batch = b.id AND f.kind = 'receipt') AS receipt_at,
       count(*) OVER () AS total
FROM silent q
CROSS JOIN LATERAL (SELECT county, id, reference, household, amount_fen, status, sent_at, batch FROM payment WHERE county = q.county AND id = q.id LIMIT 1) p
CROSS JOIN LATERAL (SELECT id, number, status, digest, sent_at, drill FROM batch WHERE county = q.county AND id = p.batch LIMIT 1) b
CROSS JOIN LATERAL (SELECT name FROM region WHERE code = q.county LIMIT 1) g
LEFT JOIN LATERAL (SELECT id, outcome, reason, document, note, proposed_by FROM verdict
                   WHERE county = q.county AND payment = q.id AND status = 'proposed' LIMIT 1) v ON true
LEFT JOIN staff s ON s.id = v.proposed_by
ORDER BY p.sent_at, p.county, p.id LIMIT $2
"""
# Few rows lead: what belongs to each is looked up by its key, and `LIMIT 1` keeps the planner from joining everybody instead.
_UNFIT = """
SELECT u.county, g.name AS county_name, u.payment, u.layout, u.field, u.due_on, u.opened_at, p.household, p.amount_fen, p.bank, n.drill, v.name AS village_name,
       e.id AS person, e.sealed AS sealed_person, c.id AS account, c.sealed AS sealed_account
FROM unfit_line u
CROSS JOIN LATERAL (SELECT award, household, amount_fen, bank, payee, account FROM payment WHERE county = u.county AND id = u.payment LIMIT 1) p
CROSS JOIN LATERAL (SELECT incident, village FROM award WHERE county = u.county AND id = p.award LIMIT 1) a
CROSS JOIN LATERAL (SELECT drill FROM incident WHERE id = a.incident LIMIT 1) n
CROSS JOIN LATERAL (SELECT name FROM region WHERE code = u.county LIMIT 1) g
CROSS JOIN LATERAL (SELECT name FROM region WHERE code = a.village LIMIT 1) v
CROSS JOIN LATERAL (SELECT id, sealed FROM person WHERE county = u.county AND id = p.payee LIMIT 1) e
CROSS JOIN LATERAL (SELECT id, sealed FROM account WHERE county = u.county AND id = p.account LIMIT 1) c
WHERE u.closed_at IS NULL AND a.village LIKE ANY ($1::text[])
  AND NOT EXISTS (SELECT FROM account x WHERE x.county = u.county AND x.person = p.payee AND x.status = 'proposed' OFFSET 0)
ORDER BY u.due_on, u.payment LIMIT 200
"""
_COOLING = """
WITH cooling AS MATERIALIZED (
    SELECT county, subject::uuid AS account, valid_to FROM hold
    WHERE kind = 'account' AND reason = $2 AND valid_to > $3 AND county LIKE ANY ($1::text[]) ORDER BY valid_to LIMIT 200
)
SELECT h.county, c.id, c.person, c.sealed AS sealed_account, h.valid_to AS until, e.sealed AS sealed_person, e.household, v.name AS village_name, n.drill
FROM cooling h
CROSS JOIN LATERAL (SELECT id, person, sealed FROM account WHERE county = h.county AND id = h.account LIMIT 1) c
CROSS JOIN LATERAL (SELECT sealed, household FROM person WHERE county = h.county AND id = c.person LIMIT 1) e
CROSS JOIN LATERAL (SELECT village, incident FROM household WHERE county = h.county AND id = e.household LIMIT 1) o
CROSS JOIN LATERAL (SELECT name FROM region WHERE code = o.village LIMIT 1) v
CROSS JOIN LATERAL (SELECT drill FROM incident WHERE id = o.incident LIMIT 1) n
ORDER BY h.valid_to, c.id
"""
_FILES = """
SELECT f.county, g.name AS county_name, f.id, f.kind, f.name, f.status, f.code, f.received_at, b.number,
       count(r.row) AS rows, count(r.row) FILTER (WHERE r.disposition = 'matched') AS matched, count(r.row) FILTER (WHERE r.disposition = 'exception') AS exceptions,
       count(r.row) FILTER (WHERE r.disposition IN ('repeat', 'pending')) AS others
FROM (SELECT county, id, kind, name, status, code, received_at, batch FROM bank_file WHERE county LIKE ANY ($1::text[]) ORDER BY received_at DESC LIMIT 50) f
JOIN region g ON g.code = f.county LEFT JOIN batch b ON b.county = f.county AND b.id = f.batch LEFT JOIN bank_row r ON r.county = f.county AND r.file = f.id
GROUP BY f.county, g.name, f.id, f.kind, f.name, f.status, f.code, f.received_at, b.number ORDER BY f.status = 'refused' DESC, f.received_at DESC
"""
# Three levels: the file is there, the line is answered, the money stands on a statement.
_LEVELS = """
SELECT count(*) AS lines, count(*) FILTER (WHERE p.status IN ('paid', 'returned')) AS answered,
       count(*) FILTER (WHERE p.status IN ('paid', 'returned') AND (
           EXISTS (SELECT FROM bank_row r JOIN bank_file f ON f.county = r.county AND f.id = r.file WHERE r.county = p.county AND r.payment = p.id AND f.kind = 'statement')
           OR EXISTS (SELECT FROM verdict v WHERE v.county = p.county AND v.payment = p.id AND v.status = 'confirmed'))) AS stated,
       (SELECT min(f.received_at) FROM bank_file f WHERE f.county = $1 AND f.batch = $2 AND f.status = 'imported') AS taken_at
FROM batch b CROSS JOIN LATERAL unnest(b.payments) AS l (id)
CROSS JOIN LATERAL (SELECT county, id, status FROM payment WHERE county = $1 AND id = l.id AND batch = b.id LIMIT 1) p
WHERE b.county = $1 AND b.id = $2
"""
_WAITING = """
SELECT (SELECT count(*) FROM bank_row WHERE disposition = 'exception' AND closed_at IS NULL AND county LIKE ANY ($1::text[]))
     + (SELECT count(*) FROM payment WHERE trouble = 'unknown' AND county LIKE ANY ($1::text[])) AS items,
       least((SELECT min(f.received_at) FROM bank_row r JOIN bank_file f ON f.county = r.county AND f.id = r.file
              WHERE r.disposition = 'exception' AND r.closed_at IS NULL AND r.county LIKE ANY ($1::text[])),
             (SELECT min(sent_at) FROM payment WHERE trouble = 'unknown' AND county LIKE ANY ($1::text[]))) AS oldest
"""
_COUNTIES = """
SELECT g.code, g.name FROM region g WHERE g.level = 'county' AND g.code LIKE ANY ($1::text[])
AND EXISTS (SELECT FROM batch b WHERE b.county = g.code) ORDER BY g.code
"""


class County(msgspec.Struct, frozen=True):
    """A county that has batches."""

    code: str
    name: str


class Exceptional(msgspec.Struct, frozen=True):
    """What the bank said (outcome, amount, reason, serial) beside what we have of the line it names, if it names one."""

    county: str
    county_name: str
    file: UUID
    row: int
    code: str
    reference: str
    outcome: str
    amount_fen: int
    reason: str | None
    bank_ref: str | None
    kind: str
    file_name: str
    received_at: datetime
    payment: UUID | None
    status: str | None
    our_fen: int | None
    our_ref: str | None
    household: UUID | None
    number: str | None
    sent_at: datetime | None
    account: UUID | None
    sealed_account: bytes | None
    drill: bool
    total: int


class Silent(msgspec.Struct, frozen=True):
    """A payment nobody knows the end of, with the trail of what is known, and the verdict that waits for its second person."""

    county: str
    county_name: str
    payment: UUID
    reference: str
    household: UUID
    amount_fen: int
    status: str
    sent_at: datetime
    batch: UUID
    number: str
    batch_status: str
    digest: bytes
    handed_at: datetime | None
    drill: bool
    verdict: UUID | None
    outcome: str | None
    reason: str | None
    document: str | None
    note: str | None
    proposed_by: UUID | None
    proposed_by_name: str | None
    rows_about: int
    statements: int
    last_statement: datetime | None
    receipt_at: datetime | None
    total: int


class Unfit(msgspec.Struct, frozen=True):
    """A payment whose line the bank's file cannot hold."""

    county: str
    county_name: str
    payment: UUID
    layout: str
    field: str
    due_on: date
    opened_at: datetime
    household: UUID
    amount_fen: int
    bank: str
    drill: bool
    village_name: str
    person: UUID
    sealed_person: bytes
    account: UUID
    sealed_account: bytes


class Cooling(msgspec.Struct, frozen=True):
    """A changed card that waits."""

    county: str
    id: UUID
    person: UUID
    sealed_account: bytes
    until: datetime
    sealed_person: bytes
    household: UUID
    village_name: str
    drill: bool


class File(msgspec.Struct, frozen=True):
    """A file of the bank and what became of its rows."""

    county: str
    county_name: str
    id: UUID
    kind: str
    name: str
    status: str
    code: str | None
    received_at: datetime
    number: str | None
    rows: int
    matched: int
    exceptions: int
    others: int


class Levels(msgspec.Struct, frozen=True):
    """How far a batch has come: file taken (when), lines answered, lines seen on a statement."""

    lines: int
    answered: int
    stated: int
    taken_at: datetime | None


class Waiting(msgspec.Struct, frozen=True):
    """How much waits at the bank desk, and since when."""

    items: int
    oldest: datetime | None


async def exceptions(tx: Tx, counties: Sequence[str], most: int = 200) -> list[Exceptional]:
    """Open exceptions of these counties (LIKE patterns), oldest first."""
    return await many(tx, _EXCEPTIONS, Exceptional, list(counties), most)


async def silent(tx: Tx, counties: Sequence[str], most: int = 200) -> list[Silent]:
    """Payments nobody knows the end of, longest first."""
    return await many(tx, _SILENT, Silent, list(counties), most)


async def unfit(tx: Tx, villages: Sequence[str]) -> list[Unfit]:
    """Lines set aside before sending that nobody has written otherwise yet."""
    return await many(tx, _UNFIT, Unfit, list(villages))


async def cooling(tx: Tx, counties: Sequence[str], reason: str, now: datetime) -> list[Cooling]:
    """Cards held for that reason, the first to end first."""
    return await many(tx, _COOLING, Cooling, list(counties), reason, now)


async def files(tx: Tx, counties: Sequence[str]) -> list[File]:
    """The last fifty files, refused ones first."""
    return await many(tx, _FILES, File, list(counties))


async def levels(tx: Tx, county: str, batch: UUID) -> Levels:
    """How far that batch has come."""
    return await one(tx, _LEVELS, Levels, county, batch)


async def counties(tx: Tx, patterns: Sequence[str]) -> list[County]:
    """Counties with batches."""
    return await many(tx, _COUNTIES, County, list(patterns))


async def waiting(tx: Tx, counties: Sequence[str]) -> Waiting:
    """Exceptions and unknown payments together."""
    return await one(tx, _WAITING, Waiting, list(counties))
