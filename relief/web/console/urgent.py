"""Advances that run out of their hours: the alarm on the first page, and the same for programs."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from relief.domain.policy import Actor
from relief.store.db import Tx
from relief.store.views import urgent
from relief.store.views.running import Funnel
from relief.store.views.urgent import WARN_PERCENT, Late
from relief.web.console import common
from relief.web.console.playbooks import decoded_text

Rules = list[tuple[UUID, UUID, str, int]]


async def rules(read: Tx) -> Rules:
    """Incident, activation, aid and hours of every advance that runs in the reader's area."""
    found = [(r, decoded_text(r.body)) for r in await urgent.running(read)]
    return [(r.incident, r.id, a.code, a.within_hours) for r, book in found if book for a in book.aids if a.within_hours is not None]


async def alarms(read: Tx, actor: Actor, now: datetime, held: Rules) -> list[Late]:
    """What is late or nearly so, by stage."""
    villages = common.patterns(actor, "award.read")
    return await urgent.late(read, villages, [r[1:] for r in held], now) if villages else []


def undecided(funnel: Funnel | None, incident: UUID | None, held: Rules, now: datetime) -> Late | None:
    """Households nobody has decided although their hours are nearly over; only the oldest is known to be late."""
    hours = min((r[3] for r in held if r[0] == incident), default=None)
    if hours is None or funnel is None or funnel.undecided_oldest is None:
        return None
    due = funnel.undecided_oldest + timedelta(hours=hours)
    if now < due - timedelta(hours=hours) * (100 - WARN_PERCENT) / 100:
        return None
    return Late("undecided", hours, 1 if now >= due else 0, funnel.undecided, due)
