"""Photos follow their records: only what a record has announced is taken, and it counts once its digest and its kind are proven."""

from __future__ import annotations

from datetime import datetime

from relief.domain.errors import NotFound
from relief.domain.policy import Actor
from relief.store import audits, visits
from relief.store.db import Tx
from relief.store.devices import Device
from relief.store.visits import Wanted


async def wanted(tx: Tx, device: Device, digest: bytes) -> Wanted:
    """The photo some record of this device has announced; NotFound before its record is here."""
    found = await visits.wanted(tx, device.county, device.id, digest)
    if found is None:
        raise NotFound("photo_unknown", "没有记录登记过这张照片，请先同步记录 · no record has announced that photo; send the record first")
    return found


async def received(tx: Tx, actor: Actor, device: Device, photo: Wanted, now: datetime) -> None:
    """announced → received; nothing where another line was faster."""
    if await visits.received(tx, photo.county, photo.id, device.id, now):
        await audits.add(tx, photo.county, actor, "photo.receive", "photo", [photo.id], now)
