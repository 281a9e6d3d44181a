"""What form servers sent: every submission once by its root id, and the photos that are still there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one, run

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('form submission ' || $1, 0))"
_KEEP = """
INSERT INTO form_submission (county, root, form, outcome, code, field, household, sealed, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (county, root) DO UPDATE SET times = form_submission.times + 1, sealed = excluded.sealed, code = excluded.code, field = excluded.field,
    household = coalesce(form_submission.household, excluded.household),
    outcome = CASE WHEN form_submission.outcome = 'registered' AND excluded.outcome = 'refused' THEN 'registered' ELSE excluded.outcome END
"""
_PHOTOS = """
INSERT INTO form_photo (county, root, name, kind, url, household, status, due_at)
SELECT $1, $2, t.name, t.kind, t.url, $3, 'waiting', $4 FROM unnest($5::text[], $6::text[], $7::text[]) AS t (name, kind, url)
ON CONFLICT (county, root, name) DO NOTHING
"""
# A claimed photo comes back by itself: its next try is later each time.
_CLAIM = """
UPDATE form_photo p SET tries = p.tries + 1, due_at = $1::timestamptz + interval '1 minute' * power(2, least(p.tries, 10)),
       status = CASE WHEN p.tries >= 12 THEN 'given up' ELSE 'waiting' END
FROM (SELECT county, root, name FROM form_photo WHERE status = 'waiting' AND due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) t
WHERE p.county = t.county AND p.root = t.root AND p.name = t.name
RETURNING p.county, p.root, p.name, p.kind, p.url, p.household, p.status
"""
_KEPT = "UPDATE form_photo SET status = 'kept', document = $4 WHERE county = $1 AND root = $2 AND name = $3 AND status <> 'kept'"
_VILLAGE = "SELECT village FROM household WHERE county = $1 AND id = $2"
_PERSON = """
SELECT s.id, s.name, array_agg(g.role ORDER BY g.area, g.role) AS roles, array_agg(g.area ORDER BY g.area, g.role) AS areas
FROM staff s JOIN role_grant g ON g.person = s.id AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2)
WHERE s.login = $1 AND s.active GROUP BY s.id, s.name
"""


class Photo(msgspec.Struct, frozen=True):
    """A photo to be fetched."""

    county: str
    root: UUID
    name: str
    kind: str
    url: str
    household: UUID
    status: str


class Person(msgspec.Struct, frozen=True):
    """Under whom a form's registrations are written down."""

    id: UUID
    name: str
    roles: list[str]
    areas: list[str]


class _Village(msgspec.Struct, frozen=True):
    village: str


async def lock(tx: Tx, root: UUID) -> None:
    """The same submission arriving twice at one moment is taken one after the other."""
    await tx.execute(_LOCK, str(root))


async def keep(
    tx: Tx,
    county: str,
    root: UUID,
    form: str,
    outcome: str,
    code: str | None,
    field: str | None,
    household: UUID | None,
    sealed: bytes,
    now: datetime,
) -> None:
    """Write down what became of it; another arrival is counted, and a registration stays one."""
    await run(tx, _KEEP, county, root, form, outcome, code, field, household, sealed, now)


async def expect(tx: Tx, county: str, root: UUID, household: UUID, photos: Sequence[tuple[str, str, str]], now: datetime) -> None:
    """Photos (name, kind, address) to be fetched; those known are not asked for again."""
    await run(tx, _PHOTOS, county, root, household, now, [p[0] for p in photos], [p[1] for p in photos], [p[2] for p in photos])


async def claim(tx: Tx, most: int, now: datetime) -> list[Photo]:
    """Photos whose turn it is."""
    return await many(tx, _CLAIM, Photo, now, most)


async def kept(tx: Tx, photo: Photo, document: UUID) -> int:
    """waiting → kept."""
    return await run(tx, _KEPT, photo.county, photo.root, photo.name, document)


async def village(tx: Tx, county: str, household: UUID) -> str:
    """Where the household lives."""
    return (await one(tx, _VILLAGE, _Village, county, household)).village


async def person(tx: Tx, login: str, now: datetime) -> Person | None:
    """The active person of that login with the rights of today."""
    return await maybe(tx, _PERSON, Person, login, now)
