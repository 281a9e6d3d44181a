"""Photos and scans of the case file: sealed, once, for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one, run

# The same bytes handed in again for the same household and purpose are the document that is there.
_ADD = """
INSERT INTO document (county, id, household, award, village, kind, media, size, digest, sealed, submitted_by, received_at)
SELECT $1, t.id, t.household, t.award, t.village, t.kind, t.media, t.size, t.digest, t.sealed, $2, $3
FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::int[], $11::bytea[], $12::bytea[])
     AS t (id, household, award, village, kind, media, size, digest, sealed)
ON CONFLICT DO NOTHING
"""
_FOUND = """
SELECT t.place::int AS place, d.id FROM unnest($2::uuid[], $3::text[], $4::bytea[]) WITH ORDINALITY AS t (household, kind, digest, place)
JOIN document d ON d.county = $1 AND d.household IS NOT DISTINCT FROM t.household AND d.kind = t.kind AND d.digest = t.digest ORDER BY t.place
"""
_GET = "SELECT county, id, household, village, kind, media, size, digest, sealed, received_at FROM document WHERE county = $1 AND id = $2"
_OF_HOUSEHOLD = """
SELECT d.county, d.id, d.household, d.village, d.kind, d.media, d.size, d.digest, d.received_at, s.name AS submitted_by
FROM document d LEFT JOIN staff s ON s.id = d.submitted_by WHERE d.county = $1 AND (d.household = $2 OR d.id IN (
    SELECT unnest(ARRAY[n.photo, n.end_photo]) FROM notice_item i JOIN notice n ON n.county = i.county AND n.id = i.notice
    WHERE i.county = $1 AND i.household = $2
    UNION ALL
    SELECT r.document FROM award a JOIN review_item i ON i.county = a.county AND i.award = a.id JOIN review r ON r.county = i.county AND r.id = i.review
    WHERE a.county = $1 AND a.household = $2))
ORDER BY d.received_at, d.id
"""


class New(msgspec.Struct, frozen=True):
    """A document to be kept, its bytes sealed."""

    id: UUID
    household: UUID | None
    award: UUID | None
    village: str
    kind: str
    media: str
    size: int
    digest: bytes
    sealed: bytes


class Document(msgspec.Struct, frozen=True):
    """One document, its bytes sealed; `size` in bytes."""

    county: str
    id: UUID
    household: UUID | None
    village: str
    kind: str
    media: str
    size: int
    digest: bytes
    sealed: bytes
    received_at: datetime


class Entry(msgspec.Struct, frozen=True):
    """One document of a case file, without its bytes."""

    county: str
    id: UUID
    household: UUID | None
    village: str
    kind: str
    media: str
    size: int
    digest: bytes
    received_at: datetime
    submitted_by: str | None


class _Found(msgspec.Struct, frozen=True):
    place: int
    id: UUID


async def add(tx: Tx, county: str, new: Sequence[New], person: UUID | None, now: datetime) -> list[UUID]:
    """Keep them; the ids in the order given, those of earlier ones where the same bytes were there."""
    await run(
        tx, _ADD, county, person, now, [d.id for d in new], [d.household for d in new], [d.award for d in new], [d.village for d in new],
        [d.kind for d in new], [d.media for d in new], [d.size for d in new], [d.digest for d in new], [d.sealed for d in new],
    )  # fmt: skip
    rows = await many(tx, _FOUND, _Found, county, [d.household for d in new], [d.kind for d in new], [d.digest for d in new])
    found = {r.place: r.id for r in rows}
    return [found[place] for place in range(1, len(new) + 1)]


async def get(tx: Tx, county: str, id_: UUID) -> Document:
    """One document."""
    return await one(tx, _GET, Document, county, id_)


async def of_household(tx: Tx, county: str, household: UUID) -> list[Entry]:
    """What the household's case file holds, its village's notices and minutes with it, oldest first."""
    return await many(tx, _OF_HOUSEHOLD, Entry, county, household)
