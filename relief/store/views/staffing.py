"""Accounts with their rights, as administrators see them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

_STAFF = """
SELECT p.id, p.login, p.name, p.active, p.created_at, c.name AS created_by, p.created_by AS creator, p.password_at,
       coalesce((SELECT f.status = 'active' FROM second_factor f WHERE f.person = p.id), false) AS factor,
       (SELECT max(s.seen_at) FROM staff_session s WHERE s.person = p.id AND s.expires_at > $3) AS seen_at,
       (SELECT count(*) FROM staff_session s WHERE s.person = p.id AND s.expires_at > $3) AS sessions,
       coalesce((SELECT array_agg(g.role || ' ' || g.area || ' ' || coalesce(to_char(g.valid_to AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'), '') || ' ' ||
                                  (g.valid_from > $3)::text ORDER BY g.role, g.area)
                 FROM role_grant g WHERE g.person = p.id AND (g.valid_to IS NULL OR g.valid_to > $3)), '{}') AS grants
FROM staff p LEFT JOIN staff c ON c.id = p.created_by
WHERE ($1 = '' OR p.login LIKE '%' || $1 || '%' OR p.name LIKE '%' || $1 || '%') AND p.login > $2
ORDER BY p.login LIMIT $4
"""


class Row(msgspec.Struct, frozen=True):
    """An account; each grant is 'role area end future', end empty where there is none."""

    id: UUID
    login: str
    name: str
    active: bool
    created_at: datetime
    created_by: str | None
    creator: UUID | None
    password_at: datetime | None
    factor: bool
    seen_at: datetime | None
    sessions: int
    grants: list[str]


async def staff(tx: Tx, text: str, after: str, now: datetime, limit: int) -> list[Row]:
    """Accounts whose login or name holds the text, after a login."""
    return await many(tx, _STAFF, Row, text, after, now, limit)
