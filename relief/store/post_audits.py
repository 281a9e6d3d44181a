"""Post-audit samples and what was found about each payment in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run, value


class Candidate(msgspec.Struct, frozen=True):
    """A paid payment among the first of its stratum in the order of the seed; `payments` is how many its stratum holds."""

    payment: UUID
    stratum: str
    payments: int


# The order within a stratum is SHA-256 of the seed and the payment's id: nothing of the database's own chance is in it.
_CANDIDATES = """
WITH p AS (
    SELECT p.county, p.id, p.attempt, p.amount_fen, p.payee, p.account, p.household, a.activation,
           percent_rank() OVER (ORDER BY p.amount_fen) AS size
    FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award
    WHERE p.county = $1 AND a.incident = $2 AND p.status = 'paid'
), s AS (
    SELECT p.id, CASE
        WHEN f.status = 'disputed' OR EXISTS (SELECT FROM complaint k WHERE k.county = p.county AND k.payment = p.id) THEN 'disputed'
        WHEN EXISTS (SELECT FROM account o WHERE o.account_hash = c.account_hash AND o.status = 'current' AND o.person <> p.payee) THEN 'shared'
        WHEN p.attempt > 1 OR c.version > 1 THEN 'corrected'
        WHEN EXISTS (SELECT FROM activation v JOIN location l ON l.zone = v.zone
                     WHERE v.id = p.activation AND l.county = p.county AND l.household = p.household AND l.edge) THEN 'edge'
        WHEN p.size > 0.9 THEN 'large'
        WHEN f.status IN ('awaited', 'silent') THEN 'silent'
        ELSE 'ordinary' END AS stratum
    FROM p JOIN account c ON c.county = p.county AND c.id = p.account LEFT JOIN confirmation f ON f.county = p.county AND f.payment = p.id
), r AS (
    SELECT id, stratum, count(*) OVER (PARTITION BY stratum) AS payments,
           row_number() OVER (PARTITION BY stratum ORDER BY sha256(convert_to($3, 'UTF8') || uuid_send(id))) AS place FROM s
)
SELECT id AS payment, stratum, payments FROM r WHERE place <= $4 ORDER BY stratum, place
"""
_ADD = """
INSERT INTO post_audit (county, incident, seed, size, strata, drawn_by, drawn_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
"""
_ITEMS = """
INSERT INTO post_audit_item (county, post_audit, payment, stratum)
SELECT $1, $2, payment, stratum FROM unnest($3::uuid[], $4::text[]) AS t (payment, stratum)
"""
_FIND = """
UPDATE post_audit_item i SET finding = t.finding, wrong_fen = t.wrong_fen, note = t.note, found_by = $3, found_at = $4
FROM unnest($5::uuid[], $6::text[], $7::bigint[], $8::text[]) AS t (payment, finding, wrong_fen, note)
WHERE i.county = $1 AND i.post_audit = $2 AND i.payment = t.payment AND i.finding IS NULL
  AND t.wrong_fen <= (SELECT p.amount_fen FROM payment p WHERE p.county = i.county AND p.id = i.payment)
"""


async def candidates(tx: Tx, county: str, incident: UUID, seed: str, most: int) -> list[Candidate]:
    """Paid payments of the incident in the county, at most `most` of each stratum, in the order of the seed."""
    return await many(tx, _CANDIDATES, Candidate, county, incident, seed, most)


async def add(
    tx: Tx,
    county: str,
    incident: UUID,
    seed: str,
    strata: Mapping[str, tuple[int, int]],
    drawn: Sequence[Candidate],
    person: UUID,
    now: datetime,
) -> UUID:
    """Keep a sample; its id."""
    id_: UUID = await value(tx, _ADD, county, incident, seed, len(drawn), dict(strata), person, now)
    await run(tx, _ITEMS, county, id_, [d.payment for d in drawn], [d.stratum for d in drawn])
    return id_


async def find(tx: Tx, county: str, sample: UUID, person: UUID, now: datetime, rows: Sequence[tuple[UUID, str, int, str]]) -> int:
    """Write down findings (payment, finding, wrong fen, note) where there is none yet; how many."""
    return await run(tx, _FIND, county, sample, person, now, *[list(c) for c in zip(*rows, strict=True)])
