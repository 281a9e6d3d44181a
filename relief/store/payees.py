"""Who an aid is paid to where the playbook names a person: next of kin of the dead and missing, given with the case, checked, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.domain.moves import PAYEE, sources
from relief.store.db import Tx, many, run

# Where the household's own people and its householder's account stand, so that a payee is recognised.
_HOMES = """
SELECT h.id AS household, h.incident, h.village, p.id AS householder, c.account_hash,
       h.registered_by = $3 OR EXISTS (SELECT FROM assessment s WHERE s.county = $1 AND s.household = h.id AND s.person = $3) AS own
FROM household h JOIN person p ON p.county = $1 AND p.household = h.id AND p.role = 'householder'
LEFT JOIN account c ON c.county = $1 AND c.person = p.id AND c.status = 'current'
WHERE h.county = $1 AND h.id = ANY ($2::uuid[]) AND h.status NOT IN ('duplicate', 'rejected') ORDER BY h.id
"""
_NAME = """
INSERT INTO aid_payee (county, id, household, aid, sealed, id_hash, account_hash, bank, relation, proof, status, named_by, named_at)
SELECT $1, id, household, aid, sealed, id_hash, account_hash, bank, relation, proof, 'named', $2, $3
FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::text[], $11::text[], $12::bytea[])
    AS t (id, household, aid, sealed, id_hash, account_hash, bank, relation, proof)
"""
# `known` is the person of the household with that number, `version` the newest account version of theirs, `paid` says that an award of the
# aid is approved already and to whom.
_LOCK = """
SELECT y.id, y.household, y.aid, y.sealed, y.id_hash, y.account_hash, y.bank, y.named_by, h.village, h.incident, k.id AS known,
       coalesce((SELECT max(c.version) FROM account c WHERE c.county = $1 AND c.person = k.id), 0) AS version,
       EXISTS (SELECT FROM award a WHERE a.county = $1 AND a.household = y.household AND a.aid = y.aid AND a.incident = h.incident
               AND a.status IN ('approved', 'completed') AND a.payee IS DISTINCT FROM k.id) AS paid
FROM aid_payee y JOIN household h ON h.county = $1 AND h.id = y.household
LEFT JOIN person k ON k.county = $1 AND k.household = y.household AND k.id_hash = y.id_hash
WHERE y.county = $1 AND y.id = ANY ($2::uuid[]) AND y.status = ANY ($3::text[]) ORDER BY y.id FOR UPDATE OF y
"""
_PEOPLE = """
INSERT INTO person (county, id, household, role, sealed, id_hash, phone_hash, phone_route, adult)
SELECT $1, id, household, 'kin', sealed, id_hash, phone_hash, route, true
FROM unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[]) AS t (id, household, sealed, id_hash, phone_hash, route)
"""
_REPLACE_ACCOUNT = "UPDATE account SET status = 'replaced' WHERE county = $1 AND person = ANY ($2::uuid[]) AND status = 'current'"
_ACCOUNT = """
INSERT INTO account (county, id, person, version, status, sealed, account_hash, bank, proposed_by, proposed_at)
SELECT $1, id, person, version, 'current', sealed, hash, bank, by, $2
FROM unnest($3::uuid[], $4::uuid[], $5::int[], $6::bytea[], $7::bytea[], $8::text[], $9::uuid[]) AS t (id, person, version, sealed, hash, bank, by)
"""
_REPLACE = """
UPDATE aid_payee o SET status = 'replaced' FROM aid_payee n
WHERE n.county = $1 AND n.id = ANY ($2::uuid[]) AND o.county = $1 AND o.status = 'current' AND (o.household, o.aid) = (n.household, n.aid)
"""
_CHECK = """
UPDATE aid_payee y SET status = 'current', person = t.person, checked_by = $4, checked_at = $5
FROM unnest($2::uuid[], $3::uuid[]) AS t (id, person) WHERE y.county = $1 AND y.id = t.id AND y.status = ANY ($6::text[])
"""
# What is proposed and not approved yet goes to the new payee.
_TURN = """
UPDATE award a SET payee = y.person FROM aid_payee y JOIN household h ON h.county = $1 AND h.id = y.household
WHERE y.county = $1 AND y.id = ANY ($2::uuid[]) AND a.county = $1 AND a.household = y.household AND a.aid = y.aid AND a.incident = h.incident
  AND a.to_person AND a.status = 'proposed'
"""
_REFUSE = "UPDATE aid_payee SET status = 'refused', checked_by = $3, checked_at = $4 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($5::text[])"


class Home(msgspec.Struct, frozen=True):
    """A household as far as its payee is concerned; `own` where the reader registered or assessed it."""

    household: UUID
    incident: UUID
    village: str
    householder: UUID
    account_hash: bytes | None
    own: bool


class Named(msgspec.Struct, frozen=True):
    """A payee waiting to be checked."""

    id: UUID
    household: UUID
    aid: str
    sealed: bytes
    id_hash: bytes
    account_hash: bytes
    bank: str
    named_by: UUID
    village: str
    incident: UUID
    known: UUID | None
    version: int
    paid: bool


async def homes(tx: Tx, county: str, households: Sequence[UUID], person: UUID) -> list[Home]:
    """Those of the households that count, by id."""
    return await many(tx, _HOMES, Home, county, list(households), person)


async def name(tx: Tx, county: str, person: UUID, now: datetime, rows: Sequence[tuple[Any, ...]]) -> None:
    """(id, household, aid, sealed, id hash, account hash, bank, relation, proof) of each."""
    await run(tx, _NAME, county, person, now, *[list(c) for c in zip(*rows, strict=True)])


async def lock(tx: Tx, county: str, ids: Sequence[UUID]) -> list[Named]:
    """Those that still wait, locked."""
    return await many(tx, _LOCK, Named, county, list(ids), sources(PAYEE, "current"))


async def add_people(tx: Tx, county: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """(id, household, sealed, id hash, phone hash, route) of people who are only paid."""
    if rows:
        await run(tx, _PEOPLE, county, *[list(c) for c in zip(*rows, strict=True)])


async def set_accounts(tx: Tx, county: str, now: datetime, rows: Sequence[tuple[Any, ...]]) -> None:
    """(id, person, version, sealed, hash, bank, who gave it) becomes the current account of each."""
    await run(tx, _REPLACE_ACCOUNT, county, [r[1] for r in rows])
    await run(tx, _ACCOUNT, county, now, *[list(c) for c in zip(*rows, strict=True)])


async def check(tx: Tx, county: str, people: Sequence[tuple[UUID, UUID]], person: UUID, now: datetime) -> int:
    """named → current for (payee, who that is); the one before is replaced, open proposals follow. How many."""
    ids = [p[0] for p in people]
    await run(tx, _REPLACE, county, ids)
    done = await run(tx, _CHECK, county, ids, [p[1] for p in people], person, now, sources(PAYEE, "current"))
    await run(tx, _TURN, county, ids)
    return done


async def refuse(tx: Tx, county: str, ids: Sequence[UUID], person: UUID, now: datetime) -> int:
    """named → refused; how many."""
    return await run(tx, _REFUSE, county, list(ids), person, now, sources(PAYEE, "refused"))
