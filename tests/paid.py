"""Households whose first payment has arrived: registered by the real service, the money in between put in place by a few statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain import identity
from relief.domain.sealing import Keys
from relief.services import notify
from relief.services.register import register
from relief.store.db import Tx
from tests import make

_MONEY = """
WITH h AS (SELECT t.id, gen_random_uuid() AS d, gen_random_uuid() AS a, gen_random_uuid() AS i, t.payment, t.place
           FROM unnest($3::uuid[], $4::uuid[]) WITH ORDINALITY AS t (id, payment, place)),
f AS (INSERT INTO fund (county, source, year, document, budget_item, purpose, incident, drill, allocated_fen, available_fen, paid_fen)
      VALUES ($1, 'central', 2022, gen_random_uuid()::text, '2240703', 'EMERG', $2, true, 100000000, 0, 100000000) RETURNING id),
b AS (INSERT INTO batch (county, number, incident, project, period, bank, drill, layout, status, lines, total_fen, digest, sealed_file, frozen_at,
                         payments)
      VALUES ($1, gen_random_uuid()::text, $2, 'p', '1', '402', true, 'yikatong', 'settled', 1, 1, '\\x00', '\\x00', $5, $4) RETURNING id),
d AS (INSERT INTO decision (county, id, household, activation, zone, playbook, aid, status, amount_fen, reasons, facts, standards, decided_at)
      SELECT $1, d, id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'EMERG', 'current', 123456, '{}', '{}', '\\x00', $5 FROM h),
a AS (INSERT INTO award (county, id, household, payee, incident, activation, decision, aid, mode, period, amount_fen, status, fund, village,
                         proposed_at, approved_at, signed)
      SELECT $1, h.a, h.id, s.id, $2, gen_random_uuid(), h.d, 'EMERG', 'A', gen_random_uuid()::text, 123456, 'completed', f.id, $6, $5, $5, 1
      FROM h CROSS JOIN f JOIN person s ON s.county = $1 AND s.household = h.id AND s.role = 'householder'),
i AS (INSERT INTO instalment (county, id, award, seq, amount_fen, condition, status) SELECT $1, i, a, 1, 123456, 'none', 'settled' FROM h),
p AS (INSERT INTO payment (county, id, instalment, award, household, payee, account, bank, fund, attempt, reference, amount_fen, status, batch,
                           line, created_at, settled_at)
      SELECT $1, h.payment, h.i, h.a, h.id, s.id, c.id, '402', f.id, 1, h.payment::text, 123456, 'paid', b.id, h.place, $5, $5
      FROM h CROSS JOIN f CROSS JOIN b JOIN person s ON s.county = $1 AND s.household = h.id AND s.role = 'householder'
      JOIN account c ON c.county = $1 AND c.person = s.id)
INSERT INTO confirmation (county, payment, household, status, awaited_at) SELECT $1, payment, id, 'awaited', $5 FROM h
"""


class Paid(msgspec.Struct, frozen=True):
    """One household with one paid payment."""

    payment: UUID
    household: UUID
    slip: str
    code: str
    phone: str


async def households(
    tx: Tx, keys: Keys, count: int = 1, *, two_way: bool = True, drill: bool = True, phone: str | None = "each its own", first: int = 0
) -> list[Paid]:
    """`count` households of 磨西镇, each with one payment that arrived at NOW and is not confirmed."""
    reporter, incident = await make.staff(tx, ("reporter", make.MOXI)), await make.incident(tx, drill=drill)
    items = [make.registration(first + n, incident=incident, members=1, two_way=two_way) for n in range(count)]
    if phone != "each its own":
        items = [msgspec.structs.replace(i, phone=phone) for i in items]
    receipts = await register(tx, reporter, items, make.NOW, keys)
    return await pay(tx, incident, [
        Paid(UUID(int=0xAA << 100 | first + n), r.household, r.slip, r.slip_code, "" if i.phone is None else identity.phone(i.phone))
        for n, (i, r) in enumerate(zip(items, receipts, strict=True)) if r.household and r.slip and r.slip_code
    ])  # fmt: skip


async def pay(tx: Tx, incident: UUID, families: Sequence[Paid], now: datetime = make.NOW) -> list[Paid]:
    """One more paid payment for each of these households."""
    await tx.execute(_MONEY, make.LUDING, incident, [f.household for f in families], [f.payment for f in families], now, make.VILLAGE)
    return list(families)


async def told(tx: Tx, keys: Keys, count: int = 1, *, two_way: bool = True, phone: str | None = "each its own") -> list[Paid]:
    """The same, and their messages are on the way."""
    families = await households(tx, keys, count, two_way=two_way, phone=phone)
    await notify.queue_paid(tx, make.LUDING, [f.payment for f in families], make.NOW, keys)
    await tx.execute("UPDATE message SET status = 'sending', tries = 1, lease_until = $1", make.NOW)
    return families
