"""The inbox of alerts: what is proposed, what was decided, what was only kept; and open cases of one name with two contents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.alert import Kind, Nature, Source, Status
from relief.store.alerts import Body as Body
from relief.store.alerts import Conflict as Conflict
from relief.store.alerts import body as body
from relief.store.alerts import conflicts as conflicts
from relief.store.db import Tx, many, one
from relief.store.feeds import states as feed_states

__all__ = ["Alert", "Body", "Conflict", "Waiting", "alerts", "body", "conflicts", "feed_states", "find", "of_incident", "waiting"]

# `earlier`: the headline of what an update or cancel speaks of, or of the edition before.
_ALERTS = """
SELECT a.id, a.source, a.sender, a.identifier, a.sent, a.nature, a.kind, a.event, a.headline, a.severity, a.urgency, a.certainty, a.hazard,
       a.area, r.name AS area_name, a.areas,
       (SELECT coalesce(array_agg(g.name ORDER BY array_position(a.areas, g.code)), '{}') FROM region g WHERE g.code = ANY (a.areas)) AS names,
       a.lon, a.lat, a.magnitude, a.occurred_at, a.expires_at, a.status, a.why, a.incident, i.name AS incident_name, a.received_at,
       s.name AS decided_by, a.decided_at, a.reason,
       coalesce((SELECT x.headline FROM alert_reference f JOIN alert x ON (x.source, x.sender, x.identifier, x.sent) = (a.source, f.sender, f.identifier, f.sent)
                 WHERE f.alert = a.id ORDER BY x.sent DESC LIMIT 1),
                (SELECT x.headline FROM alert x WHERE a.source = 'comcat' AND (x.source, x.sender, x.identifier) = (a.source, a.sender, a.identifier)
                   AND x.sent < a.sent ORDER BY x.sent DESC LIMIT 1)) AS earlier,
       a.source = 'cap' AND position('http://www.w3.org/2000/09/xmldsig#'::bytea IN a.body) = 0 AS unsigned
FROM alert a LEFT JOIN region r ON r.code = a.area LEFT JOIN incident i ON i.id = a.incident LEFT JOIN staff s ON s.id = a.decided_by
WHERE ($1::text[] IS NULL OR a.area IS NULL OR a.area LIKE ANY ($1) OR EXISTS (SELECT FROM unnest(a.areas) AS n WHERE n LIKE ANY ($1))) AND ($2::text[] IS NULL OR a.status = ANY ($2))
  AND ($3::uuid IS NULL OR a.incident = $3) AND ($4::uuid IS NULL OR a.id = $4)
  AND ($5::timestamptz IS NULL OR (a.received_at, a.id) < ($5, $6))
ORDER BY a.received_at DESC, a.id DESC LIMIT $7
"""
_WAITING = """
SELECT count(*) AS items, min(received_at) AS oldest FROM alert WHERE status = 'proposed' AND (area IS NULL OR area LIKE ANY ($1::text[]))
"""


class Alert(msgspec.Struct, frozen=True):
    """One message as the inbox shows it."""

    id: UUID
    source: Source
    sender: str
    identifier: str
    sent: datetime
    nature: Nature
    kind: Kind
    event: str
    headline: str
    severity: str
    urgency: str
    certainty: str
    hazard: str | None
    area: str | None
    area_name: str | None
    areas: list[str]
    names: list[str]
    lon: float | None
    lat: float | None
    magnitude: float | None
    occurred_at: datetime
    expires_at: datetime | None
    status: Status
    why: str | None
    incident: UUID | None
    incident_name: str | None
    received_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    earlier: str | None
    unsigned: bool = False


class Waiting(msgspec.Struct, frozen=True):
    """How many are proposed, since when."""

    items: int
    oldest: datetime | None


async def alerts(
    tx: Tx, areas: Sequence[str], statuses: Sequence[Status] | None, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Alert]:
    """Alerts that name one of these areas (LIKE patterns) or no known one, in these statuses, newest first."""
    moment, last = before or (None, None)
    return await many(tx, _ALERTS, Alert, list(areas), None if statuses is None else list(statuses), None, None, moment, last, limit)


async def of_incident(tx: Tx, incident: UUID, limit: int = 50) -> list[Alert]:
    """What is news of an incident, newest first."""
    return await many(tx, _ALERTS, Alert, None, None, incident, None, None, None, limit)


async def find(tx: Tx, areas: Sequence[str], alert: UUID) -> Alert | None:
    """One alert of these areas."""
    found = await many(tx, _ALERTS, Alert, list(areas), None, None, alert, None, None, 1)
    return found[0] if found else None


async def waiting(tx: Tx, areas: Sequence[str]) -> Waiting:
    """How many wait in these areas (LIKE patterns)."""
    return await one(tx, _WAITING, Waiting, list(areas))
