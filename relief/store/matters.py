"""What of an incident is still open, and what two incidents hold side by side: asked before one is closed or merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

Kind = Literal[
    "response", "final", "payment", "undecided", "award", "instalment", "returned", "answer", "complaint", "case", "activation", "alert"
]

# Each line counts within what this transaction may see.
_OPEN = """
SELECT kind, items, fen FROM (
    SELECT 1 AS place, 'response' AS kind, count(*) AS items, NULL::bigint AS fen FROM (
        SELECT DISTINCT ON (incident, issuer, area) level FROM response WHERE incident = ANY ($1::uuid[]) ORDER BY incident, issuer, area, seq DESC
    ) r WHERE level IS NOT NULL
    UNION ALL SELECT 2, 'final', count(*), NULL FROM (
        SELECT DISTINCT ON (incident, county) kind FROM incident_report WHERE incident = ANY ($1::uuid[]) ORDER BY incident, county, version DESC
    ) v WHERE kind <> 'final'
    UNION ALL SELECT 3, 'payment', count(*), sum(p.amount_fen)::bigint FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award
    WHERE a.incident = ANY ($1::uuid[]) AND p.status IN ('approved', 'batched', 'sent', 'unknown')
    UNION ALL SELECT 4, 'undecided', count(*), NULL FROM household h
    WHERE h.incident = ANY ($1::uuid[]) AND h.status NOT IN ('duplicate', 'rejected')
      AND NOT EXISTS (SELECT FROM decision d WHERE d.county = h.county AND d.household = h.id AND d.status = 'current')
    UNION ALL SELECT 5, 'award', count(*), sum(amount_fen)::bigint FROM award WHERE incident = ANY ($1::uuid[]) AND status = 'proposed'
    UNION ALL SELECT 6, 'instalment', count(*), sum(i.amount_fen)::bigint FROM instalment i JOIN award a ON a.county = i.county AND a.id = i.award
    WHERE a.incident = ANY ($1::uuid[]) AND a.status = 'approved' AND i.status = 'waiting'
    UNION ALL SELECT 7, 'returned', count(*), sum(p.amount_fen)::bigint FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award
    WHERE a.incident = ANY ($1::uuid[]) AND p.status = 'returned'
      AND NOT EXISTS (SELECT FROM payment n WHERE n.county = p.county AND n.instalment = p.instalment AND n.attempt > p.attempt)
    UNION ALL SELECT 8, 'answer', count(*), NULL FROM confirmation c JOIN payment p ON p.county = c.county AND p.id = c.payment
        JOIN award a ON a.county = p.county AND a.id = p.award
    WHERE a.incident = ANY ($1::uuid[]) AND c.status IN ('awaited', 'silent')
    UNION ALL SELECT 9, 'complaint', count(*), NULL FROM complaint c JOIN household h ON h.county = c.county AND h.id = c.household
    WHERE h.incident = ANY ($1::uuid[]) AND c.status = 'open'
    UNION ALL SELECT 10, 'case', count(*), NULL FROM recovery_case WHERE incident = ANY ($1::uuid[]) AND status = 'open'
    UNION ALL SELECT 11, 'activation', count(*), NULL FROM county_activation c JOIN activation v ON v.id = c.activation
    WHERE v.incident = ANY ($1::uuid[]) AND c.status = 'active'
    UNION ALL SELECT 12, 'alert', count(*), NULL FROM alert WHERE incident = ANY ($1::uuid[]) AND status = 'proposed'
) m WHERE items > 0 ORDER BY place
"""
_SIDES = """
SELECT i.id,
    (SELECT count(*) FROM zone z WHERE z.incident = i.id) AS zones,
    (SELECT count(*) FROM household h WHERE h.incident = i.id AND h.status NOT IN ('duplicate', 'rejected')) AS households,
    (SELECT count(*) FROM award a WHERE a.incident = i.id AND a.status IN ('proposed', 'approved', 'completed')) AS awards,
    (SELECT coalesce(sum(a.amount_fen), 0)::bigint FROM award a WHERE a.incident = i.id AND a.status IN ('proposed', 'approved', 'completed')) AS awarded_fen,
    (SELECT coalesce(sum(p.amount_fen), 0)::bigint FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award
     WHERE a.incident = i.id AND p.status = 'paid') AS paid_fen,
    (SELECT count(*) FROM incident_report r WHERE r.incident = i.id) AS reports,
    (SELECT count(*) FROM (SELECT DISTINCT ON (issuer, area) level FROM response r WHERE r.incident = i.id ORDER BY issuer, area, seq DESC) s
     WHERE s.level IS NOT NULL) AS responses,
    (SELECT count(*) FROM alert l WHERE l.incident = i.id) AS alerts,
    (SELECT count(*) FROM entitlement_guard g WHERE g.incident = i.id) AS guards
FROM incident i WHERE i.id = ANY ($1::uuid[])
"""


class Matter(msgspec.Struct, frozen=True):
    """So many things of one kind are not at their end; fen where it is money."""

    kind: Kind
    items: int
    fen: int | None


class Side(msgspec.Struct, frozen=True):
    """What hangs on one incident, within what this transaction may see (guards: everywhere)."""

    id: UUID
    zones: int
    households: int
    awards: int
    awarded_fen: int
    paid_fen: int
    reports: int
    responses: int
    alerts: int
    guards: int


async def open_matters(tx: Tx, incidents: Sequence[UUID]) -> list[Matter]:
    """What is still open of these incidents together, what keeps them from being closed first."""
    return await many(tx, _OPEN, Matter, list(incidents))


async def sides(tx: Tx, incidents: Sequence[UUID]) -> dict[UUID, Side]:
    """What hangs on each of these incidents."""
    return {s.id: s for s in await many(tx, _SIDES, Side, list(incidents))}
