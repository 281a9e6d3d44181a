"""Second versions of records: what else came under an id that stands already, until an officer says which one holds."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from relief.domain.assessment import Known
from relief.domain.moves import SECOND_VERSION, sources
from relief.store.db import Tx, maybe, run

_LOCK = """
SELECT v.household, v.sealed, v.sent_by, h.village, h.registered_by, h.family_type, h.dead, h.missing, h.injured, h.rooms_collapsed,
       h.rooms_severe, h.rooms_moderate, h.relocated, h.only_home, h.occupied, h.circumstances, h.people_in_need
FROM second_version v JOIN household h ON h.county = v.county AND h.id = v.household
WHERE v.county = $1 AND v.id = $2 AND v.status = ANY ($3::text[]) FOR UPDATE OF v
"""
_CLOSE = """
UPDATE second_version SET status = 'closed', verdict = $3, reason = $4, closed_by = $5, closed_at = $6
WHERE county = $1 AND id = $2 AND status = ANY ($7::text[])
"""


class Open(Known, frozen=True):
    """An open one: what is known of the household that stands, and the other content, sealed."""

    household: UUID
    village: str
    registered_by: UUID
    sent_by: UUID
    sealed: bytes


async def lock(tx: Tx, county: str, id_: UUID) -> Open | None:
    """It, while it is open, locked."""
    return await maybe(tx, _LOCK, Open, county, id_, sources(SECOND_VERSION, "closed"))


async def close(tx: Tx, county: str, id_: UUID, verdict: str, reason: str, person: UUID, now: datetime) -> int:
    """open → closed; how many moved."""
    return await run(tx, _CLOSE, county, id_, verdict, reason, person, now, sources(SECOND_VERSION, "closed"))
