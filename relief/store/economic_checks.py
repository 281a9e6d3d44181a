"""核对: what reports of the economic check say of people, by the keyed hash of their number; kept as it came, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, run, value

_FILE = """
INSERT INTO economic_check (county, id, name, digest, rows, kept, refused, imported_by, imported_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_ROWS = """
INSERT INTO economic_check_row (county, file, row, id_hash, checked_on, finding, sealed)
SELECT $1, $2, row, id_hash, checked_on, finding, sealed
FROM unnest($3::int[], $4::bytea[], $5::date[], $6::text[], $7::bytea[]) AS t (row, id_hash, checked_on, finding, sealed)
"""
_FAULTS = """
INSERT INTO economic_check_fault (county, file, row, place, code)
SELECT $1, $2, row, place, code FROM unnest($3::int[], $4::text[], $5::text[]) AS t (row, place, code) ON CONFLICT DO NOTHING
"""
_ANY = "SELECT EXISTS (SELECT FROM economic_check_row WHERE county = $1)"
# The newest word on every adult (and the householder) decides; one who was not checked leaves the household unchecked.
_REFRESH = """
WITH touched AS MATERIALIZED (
    SELECT DISTINCT p.household FROM economic_check_row r JOIN person p ON p.id_hash = r.id_hash AND p.county = $1
    WHERE r.county = $1 AND p.role IN ('householder', 'member') AND ($2::uuid[] IS NULL OR p.household = ANY ($2))
), judged AS MATERIALIZED (
    SELECT t.household, bool_and(coalesce((
        SELECT r.finding = 'within' FROM economic_check_row r JOIN economic_check f ON f.county = r.county AND f.id = r.file
        WHERE r.county = $1 AND r.id_hash = p.id_hash ORDER BY r.checked_on DESC, f.imported_at DESC, r.row DESC LIMIT 1), false)) AS checked
    FROM touched t JOIN person p ON p.county = $1 AND p.household = t.household
    WHERE p.role IN ('householder', 'member') AND (p.adult OR p.role = 'householder') GROUP BY t.household
)
UPDATE household h SET checked = j.checked FROM judged j WHERE h.county = $1 AND h.id = j.household AND h.checked <> j.checked
"""


class Row(msgspec.Struct, frozen=True):
    """One line of a report; `sealed` is what it says beside the finding."""

    row: int
    id_hash: bytes
    checked_on: date
    finding: str
    sealed: bytes | None


class File(msgspec.Struct, frozen=True):
    """A file that was read: so many rows, of which some are kept and the others refused."""

    id: UUID
    name: str
    digest: bytes
    rows: int
    kept: int
    refused: int


async def insert(
    tx: Tx, county: str, file: File, rows: Sequence[Row], faults: Sequence[tuple[int, str, str]], person: UUID, now: datetime
) -> None:
    """Keep the file, its rows, and (row, column, code) of what was refused."""
    await run(tx, _FILE, county, file.id, file.name, file.digest, file.rows, file.kept, file.refused, person, now)
    columns = (
        [r.row for r in rows],
        [r.id_hash for r in rows],
        [r.checked_on for r in rows],
        [r.finding for r in rows],
        [r.sealed for r in rows],
    )
    await run(tx, _ROWS, county, file.id, *columns)
    await run(tx, _FAULTS, county, file.id, [f[0] for f in faults], [f[1] for f in faults], [f[2] for f in faults])


async def refresh(tx: Tx, county: str, households: Sequence[UUID] | None = None) -> int:
    """Say of the county's households (or those named) whether they are checked, by every report so far; how many changed."""
    if not await value(tx, _ANY, county):
        return 0
    return await run(tx, _REFRESH, county, None if households is None else list(households))
