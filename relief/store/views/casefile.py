"""What lies in the file of one household beside its facts: members, minutes, payees, economic checks; and what of it waits for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.assessment import Known
from relief.store.db import Tx, many, maybe

_HOME = """
SELECT h.county, h.id, h.incident, i.name AS incident_name, i.drill, h.village, v.name AS village_name, h.checked, e.id AS person, e.sealed AS sealed_person,
       h.status, h.family_type, h.dead, h.missing, h.injured, h.rooms_collapsed, h.rooms_severe, h.rooms_moderate, h.relocated, h.only_home, h.occupied,
       h.circumstances, h.people_in_need
FROM household h JOIN incident i ON i.id = h.incident JOIN region v ON v.code = h.village
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
WHERE h.county = $1 AND h.id = $2
"""
_PEOPLE = """
SELECT id, role, sealed, adult FROM person WHERE county = $1 AND household = $2
ORDER BY array_position(ARRAY['householder', 'member', 'left', 'kin'], role), id
"""
_MINUTES = """
SELECT m.id, m.aid, m.amount_fen, m.held_on, m.participants, m.votes_for, m.votes_against, m.votes_abstained, m.legal_basis, m.attachment, m.sealed,
       m.status, m.recorded_by, r.name AS recorder, m.recorded_at, a.name AS adopter, m.adopted_at
FROM minutes m JOIN staff r ON r.id = m.recorded_by LEFT JOIN staff a ON a.id = m.adopted_by
WHERE m.county = $1 AND m.household = $2 ORDER BY m.recorded_at DESC, m.id
"""
_PAYEES = """
SELECT y.id, y.aid, y.sealed, y.bank, y.relation, y.proof, y.status, y.named_by, n.name AS namer, y.named_at, c.name AS checker, y.checked_at
FROM aid_payee y JOIN staff n ON n.id = y.named_by LEFT JOIN staff c ON c.id = y.checked_by
WHERE y.county = $1 AND y.household = $2 ORDER BY y.named_at DESC, y.id
"""
_CHECKS = """
SELECT p.id AS person, p.role, p.sealed AS sealed_person, r.checked_on, r.finding, f.id AS file, f.name AS file_name, r.row, r.sealed, f.imported_at
FROM person p JOIN economic_check_row r ON r.county = $1 AND r.id_hash = p.id_hash JOIN economic_check f ON f.county = $1 AND f.id = r.file
WHERE p.county = $1 AND p.household = $2 AND p.role IN ('householder', 'member') ORDER BY r.checked_on DESC, f.imported_at DESC, r.row
"""
_RUNNING = """
SELECT a.id AS activation, p.key, p.version, p.body FROM county_activation c JOIN activation a ON a.id = c.activation JOIN playbook p ON p.id = a.playbook
WHERE c.county = $1 AND a.incident = $2 AND c.status = 'active' ORDER BY p.key
"""
_WAITING_MINUTES = """
SELECT m.county, m.household, m.aid, m.amount_fen, m.recorded_at AS at, r.name AS who, v.name AS village_name, i.drill,
       e.id AS person, e.sealed AS sealed_person
FROM minutes m JOIN household h ON h.county = m.county AND h.id = m.household JOIN incident i ON i.id = h.incident JOIN region v ON v.code = h.village
JOIN staff r ON r.id = m.recorded_by JOIN person e ON e.county = m.county AND e.household = m.household AND e.role = 'householder'
WHERE m.status = 'recorded' AND h.village LIKE ANY ($1::text[]) AND m.recorded_by <> $2 ORDER BY m.recorded_at, m.id LIMIT 200
"""
_WAITING_PAYEES = """
SELECT y.county, y.household, y.aid, NULL::bigint AS amount_fen, y.named_at AS at, r.name AS who, v.name AS village_name, i.drill,
       e.id AS person, e.sealed AS sealed_person
FROM aid_payee y JOIN household h ON h.county = y.county AND h.id = y.household JOIN incident i ON i.id = h.incident JOIN region v ON v.code = h.village
JOIN staff r ON r.id = y.named_by JOIN person e ON e.county = y.county AND e.household = y.household AND e.role = 'householder'
WHERE y.status = 'named' AND h.village LIKE ANY ($1::text[]) AND y.named_by <> $2 ORDER BY y.named_at, y.id LIMIT 200
"""
# Bereaved households are few and have an index of their own.
_UNNAMED = """
SELECT h.county, h.id AS household, d.aid, d.amount_fen, d.decided_at AS at, NULL AS who, v.name AS village_name, i.drill,
       e.id AS person, e.sealed AS sealed_person
FROM household h JOIN incident i ON i.id = h.incident JOIN region v ON v.code = h.village
JOIN decision d ON d.county = h.county AND d.household = h.id AND d.status = 'current' AND d.aid = ANY ($2::text[]) AND d.amount_fen > 0
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
WHERE h.dead + h.missing > 0 AND h.status NOT IN ('duplicate', 'rejected') AND h.village LIKE ANY ($1::text[])
  AND NOT EXISTS (SELECT FROM aid_payee y WHERE y.county = h.county AND y.household = h.id AND y.aid = d.aid AND y.status IN ('named', 'current'))
ORDER BY d.decided_at, h.id LIMIT 200
"""
_FILES = """
SELECT f.county, f.id, f.name, f.digest, f.rows, f.kept, f.refused, s.name AS who, f.imported_at,
       (SELECT count(*) FROM economic_check_row r WHERE r.county = f.county AND r.file = f.id
        AND EXISTS (SELECT FROM person p WHERE p.id_hash = r.id_hash AND p.county = r.county)) AS matched
FROM economic_check f JOIN staff s ON s.id = f.imported_by WHERE f.county LIKE ANY ($1::text[]) ORDER BY f.imported_at DESC, f.id LIMIT $2
"""
_FAULTS = "SELECT row, place, code FROM economic_check_fault WHERE county = $1 AND file = $2 ORDER BY row, place LIMIT $3"


class Home(Known, frozen=True):
    """Whose file it is, and what is known of the household (`circumstances`: bits)."""

    county: str
    id: UUID
    incident: UUID
    incident_name: str
    drill: bool
    village: str
    village_name: str
    checked: bool
    person: UUID
    sealed_person: bytes
    status: str


class Person(msgspec.Struct, frozen=True):
    """Somebody of the household, or who is only paid, or who left."""

    id: UUID
    role: str
    sealed: bytes
    adult: bool


class Minutes(msgspec.Struct, frozen=True):
    """What a meeting said; fen."""

    id: UUID
    aid: str
    amount_fen: int
    held_on: date
    participants: int
    votes_for: int
    votes_against: int
    votes_abstained: int
    legal_basis: str
    attachment: bytes
    sealed: bytes
    status: str
    recorded_by: UUID
    recorder: str
    recorded_at: datetime
    adopter: str | None
    adopted_at: datetime | None


class Payee(msgspec.Struct, frozen=True):
    """Who is to be paid."""

    id: UUID
    aid: str
    sealed: bytes
    bank: str
    relation: str
    proof: bytes
    status: str
    named_by: UUID
    namer: str
    named_at: datetime
    checker: str | None
    checked_at: datetime | None


class Check(msgspec.Struct, frozen=True):
    """What a report says of a member."""

    person: UUID
    role: str
    sealed_person: bytes
    checked_on: date
    finding: str
    file: UUID
    file_name: str
    row: int
    sealed: bytes | None
    imported_at: datetime


class Running(msgspec.Struct, frozen=True):
    """An activation the county is active in, with its playbook's text."""

    activation: UUID
    key: str
    version: str
    body: str


class Waiting(msgspec.Struct, frozen=True):
    """A household whose file waits for somebody."""

    county: str
    household: UUID
    aid: str
    amount_fen: int | None
    at: datetime
    who: str | None
    village_name: str
    drill: bool
    person: UUID
    sealed_person: bytes


class File(msgspec.Struct, frozen=True):
    """A report as imported; `matched` rows are of people who are registered."""

    county: str
    id: UUID
    name: str
    digest: bytes
    rows: int
    kept: int
    refused: int
    who: str
    imported_at: datetime
    matched: int


class Fault(msgspec.Struct, frozen=True):
    """Row, heading of the column, code; never the value."""

    row: int
    place: str
    code: str


async def home(tx: Tx, county: str, household: UUID) -> Home | None:
    """The household, where there is one in the reader's area."""
    return await maybe(tx, _HOME, Home, county, household)


async def people(tx: Tx, county: str, household: UUID) -> list[Person]:
    """Everybody of it, the householder first, those who left and those only paid last."""
    return await many(tx, _PEOPLE, Person, county, household)


async def minutes(tx: Tx, county: str, household: UUID) -> list[Minutes]:
    """Its minutes, newest first."""
    return await many(tx, _MINUTES, Minutes, county, household)


async def payees(tx: Tx, county: str, household: UUID) -> list[Payee]:
    """Its payees, newest first."""
    return await many(tx, _PAYEES, Payee, county, household)


async def checks(tx: Tx, county: str, household: UUID) -> list[Check]:
    """What reports say of its members, newest first."""
    return await many(tx, _CHECKS, Check, county, household)


async def running(tx: Tx, county: str, incident: UUID) -> list[Running]:
    """The activations its county is active in for its incident."""
    return await many(tx, _RUNNING, Running, county, incident)


async def waiting_minutes(tx: Tx, villages: Sequence[str], person: UUID) -> list[Waiting]:
    """Minutes somebody else recorded, oldest first."""
    return await many(tx, _WAITING_MINUTES, Waiting, list(villages), person)


async def waiting_payees(tx: Tx, villages: Sequence[str], person: UUID) -> list[Waiting]:
    """Payees somebody else named, oldest first."""
    return await many(tx, _WAITING_PAYEES, Waiting, list(villages), person)


async def unnamed(tx: Tx, villages: Sequence[str], aids: Sequence[str]) -> list[Waiting]:
    """Bereaved households that are granted one of these aids and have nobody named to be paid."""
    return await many(tx, _UNNAMED, Waiting, list(villages), list(aids))


async def files(tx: Tx, counties: Sequence[str], limit: int) -> list[File]:
    """Reports as imported, newest first."""
    return await many(tx, _FILES, File, list(counties), limit)


async def faults(tx: Tx, county: str, file: UUID, limit: int) -> list[Fault]:
    """What was refused of a report."""
    return await many(tx, _FAULTS, Fault, county, file, limit)
