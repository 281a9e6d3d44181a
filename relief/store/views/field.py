"""What a reporter's phone takes along: open incidents with their rules, and what has become of the households it registered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

_INCIDENTS = """
SELECT i.id, i.name, i.hazard, i.drill, i.occurred_at,
       coalesce((SELECT array_agg(DISTINCT p.body) FROM activation a JOIN playbook p ON p.id = a.playbook
                 JOIN county_activation c ON c.activation = a.id AND c.status = 'active'
                 WHERE a.incident = i.id AND a.status = 'active' AND c.county LIKE ANY ($1::text[])), '{}') AS playbooks
FROM incident i
WHERE i.status <> 'closed' AND i.merged_into IS NULL
  AND (i.county LIKE ANY ($1::text[]) OR EXISTS (
        SELECT FROM zone z JOIN zone_county c ON c.zone = z.id WHERE z.incident = i.id AND z.status = 'in force' AND c.county LIKE ANY ($1::text[])))
ORDER BY i.occurred_at DESC, i.id LIMIT 20
"""
# The planner knows nothing yet about tables that have just grown; everything here is looked up by its key.
_BY_KEY = "SELECT set_config('enable_seqscan', 'off', true)"
_ROSTER = """
WITH mine AS MATERIALIZED (
    SELECT DISTINCT ON (r.place, r.household) r.place, r.household, r.record, r.received_at
    FROM device d JOIN device_record r ON r.county = d.county AND r.device = d.id
    WHERE d.person = $1 AND r.outcome <> 'refused' ORDER BY r.place, r.household, r.received_at
)
SELECT h.county, h.id, m.record, h.incident, h.village, h.status, h.members, h.slip, h.received_at, e.id AS person, e.sealed AS sealed_person,
       EXISTS (SELECT FROM suspicion s WHERE s.county = h.county AND s.household = h.id AND s.status = 'open') AS doubtful,
       (SELECT count(*) FROM photo p WHERE p.county = h.county AND p.household = h.id AND p.status = 'announced') AS photos_missing,
       (SELECT sum(d.amount_fen)::bigint FROM decision d WHERE d.county = h.county AND d.household = h.id AND d.status = 'current') AS decided_fen,
       (SELECT coalesce(sum(a.amount_fen), 0)::bigint FROM award a
        WHERE a.county = h.county AND a.household = h.id AND a.status IN ('approved', 'completed')) AS approved_fen,
       (SELECT coalesce(sum(p.amount_fen), 0)::bigint FROM payment p WHERE p.county = h.county AND p.household = h.id AND p.status = 'paid') AS paid_fen,
       (SELECT min(p.settled_at) FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award
        WHERE p.county = h.county AND p.household = h.id AND p.status = 'paid' AND a.mode = 'A') AS advance_paid_at,
       (SELECT min(w.due_on) FROM paperwork w JOIN award a ON a.county = w.county AND a.id = w.award
        WHERE w.county = h.county AND a.household = h.id AND w.status = 'open') AS papers_due,
       (SELECT p.id FROM payment p WHERE p.county = h.county AND p.household = h.id AND p.status = 'returned'
        AND NOT EXISTS (SELECT FROM payment q WHERE q.county = p.county AND q.instalment = p.instalment AND q.attempt > p.attempt)
        ORDER BY p.settled_at LIMIT 1) AS returned
FROM (SELECT place, household, record FROM mine ORDER BY received_at DESC LIMIT $2) m
JOIN household h ON h.county = m.place AND h.id = m.household
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
ORDER BY h.received_at DESC, h.id
"""
_DEVICES = """
SELECT d.county, d.id, d.name, d.person, p.name AS person_name, p.login, d.status, d.enrolled_at, d.seen_at, d.waiting, d.records, d.highest,
       d.wipe, d.wiped_at, d.revoked_at, d.reason,
       (SELECT count(*) FROM device_record r WHERE r.county = d.county AND r.device = d.id AND r.outcome = 'refused') AS refused
FROM device d JOIN staff p ON p.id = d.person
WHERE d.area LIKE ANY ($1::text[]) AND ($2::uuid IS NULL OR d.person = $2)
ORDER BY d.status, d.seen_at DESC NULLS FIRST, d.id LIMIT 500
"""
_SEEN = """
SELECT v.channel, v.presence, v.structure, v.place_by, v.needs, v.flags, v.sealed FROM visit v WHERE v.county = $1 AND v.household = $2
"""
_PROVISIONAL = "SELECT id, sealed FROM person WHERE county = $1 AND household = $2 AND provisional ORDER BY id"
_PHOTOS = """
SELECT id, kind, size, status, taken_at, received_at, encode(digest, 'hex') AS digest FROM photo
WHERE county = $1 AND household = $2 ORDER BY kind, taken_at, id
"""
_PHOTO = """
SELECT p.id, p.kind, p.size, p.status, p.taken_at, p.received_at, encode(p.digest, 'hex') AS digest FROM photo p
JOIN household h ON h.county = p.county AND h.id = p.household
WHERE p.county = $1 AND p.id = $2 AND p.status = 'received' AND h.village LIKE ANY ($3::text[])
"""


class Incident(msgspec.Struct, frozen=True):
    """An open incident, and the texts of the playbooks these counties have activated for it."""

    id: UUID
    name: str
    hazard: str
    drill: bool
    occurred_at: datetime
    playbooks: list[str]


class Home(msgspec.Struct, frozen=True):
    """A household this person registered, and how far it is. Money in fen."""

    county: str
    id: UUID
    record: UUID
    incident: UUID
    village: str
    status: str
    members: int
    slip: str
    received_at: datetime
    person: UUID
    sealed_person: bytes
    doubtful: bool
    photos_missing: int
    decided_fen: int | None
    approved_fen: int
    paid_fen: int
    advance_paid_at: datetime | None
    papers_due: date | None
    returned: UUID | None


class Device(msgspec.Struct, frozen=True):
    """A phone in a list. More sequence numbers than records: something was never sent."""

    county: str
    id: UUID
    name: str
    person: UUID
    person_name: str
    login: str
    status: str
    enrolled_at: datetime
    seen_at: datetime | None
    waiting: int
    records: int
    highest: int
    wipe: bool
    wiped_at: datetime | None
    revoked_at: datetime | None
    reason: str | None
    refused: int


class Nameless(msgspec.Struct, frozen=True):
    """Somebody without papers, still sealed."""

    id: UUID
    sealed: bytes


class Seen(msgspec.Struct, frozen=True):
    """What was seen at the door; landmark, note and recipient still sealed."""

    channel: str
    presence: str
    structure: str | None
    place_by: str
    needs: list[str]
    flags: list[str]
    sealed: bytes


class Photo(msgspec.Struct, frozen=True):
    """A photo of a household."""

    id: UUID
    kind: str
    size: int
    status: str
    taken_at: datetime
    received_at: datetime | None
    digest: str


async def incidents(tx: Tx, counties: Sequence[str]) -> list[Incident]:
    """Open incidents of these counties (LIKE patterns), the latest first."""
    return await many(tx, _INCIDENTS, Incident, list(counties))


async def roster(tx: Tx, person: UUID, limit: int) -> list[Home]:
    """The households this person's phones have registered, the latest first."""
    await run(tx, _BY_KEY)
    return await many(tx, _ROSTER, Home, person, limit)


async def devices(tx: Tx, areas: Sequence[str], person: UUID | None) -> list[Device]:
    """Phones of these areas (LIKE patterns), or only one person's."""
    return await many(tx, _DEVICES, Device, list(areas), person)


async def seen(tx: Tx, county: str, household: UUID) -> Seen | None:
    """The visit of a household."""
    found = await many(tx, _SEEN, Seen, county, household)
    return found[0] if found else None


async def provisional(tx: Tx, county: str, household: UUID) -> list[Nameless]:
    """The people of a household who have no papers yet."""
    return await many(tx, _PROVISIONAL, Nameless, county, household)


async def photos(tx: Tx, county: str, household: UUID) -> list[Photo]:
    """The photos of a household."""
    return await many(tx, _PHOTOS, Photo, county, household)


async def photo(tx: Tx, county: str, id_: UUID, villages: Sequence[str]) -> Photo | None:
    """A photo that is here, of a household in these villages (LIKE patterns)."""
    found = await many(tx, _PHOTO, Photo, county, id_, list(villages))
    return found[0] if found else None
