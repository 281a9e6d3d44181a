"""Records that came twice with different contents, as an officer reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from relief.domain.assessment import Known
from relief.store.db import Tx, many

_OPEN = """
SELECT v.county, v.id, v.household, v.sealed, v.received_at, s.name AS sent_by, r.name AS registered_by, v.sent_by AS sender,
       h.registered_by AS registrar, n.name AS village_name, i.drill, h.members, h.received_at AS first_at, e.id AS person, e.sealed AS sealed_person,
       h.family_type, h.dead, h.missing, h.injured, h.rooms_collapsed, h.rooms_severe, h.rooms_moderate, h.relocated, h.only_home, h.occupied,
       h.circumstances, h.people_in_need
FROM second_version v JOIN household h ON h.county = v.county AND h.id = v.household JOIN incident i ON i.id = h.incident
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
JOIN staff s ON s.id = v.sent_by LEFT JOIN staff r ON r.id = h.registered_by LEFT JOIN region n ON n.code = h.village
WHERE v.status = 'open' AND h.village LIKE ANY ($1::text[]) ORDER BY v.received_at, v.id LIMIT 100
"""


class Version(Known, frozen=True):
    """An open one with the household that stands; the other content and the householder still sealed."""

    county: str
    id: UUID
    household: UUID
    sealed: bytes
    received_at: datetime
    sent_by: str
    registered_by: str | None
    sender: UUID
    registrar: UUID
    village_name: str | None
    drill: bool
    members: int
    first_at: datetime
    person: UUID
    sealed_person: bytes


async def open_versions(tx: Tx, villages: Sequence[str]) -> list[Version]:
    """Those not decided yet in these villages (LIKE patterns), the oldest first."""
    return await many(tx, _OPEN, Version, list(villages))
