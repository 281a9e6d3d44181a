"""The reporters' phones: enrolled by their owners, pushing what they hold; one of them sends a record twice with different contents."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import msgspec

from relief.demo.scene import Phone, Scene
from relief.domain.household import Registration
from relief.domain.likeness import Limits
from relief.services import field, second_versions
from relief.services.field import Push, Receipt, Sent
from relief.store.db import Tx
from relief.store.views import second_versions as views


async def push(scene: Scene, tx: Tx, township: str, items: Sequence[Registration]) -> list[Receipt]:
    """A chunk from the phone of that township's reporter."""
    phone = scene.phones.get(township) or await _enrolled(scene, tx, township)
    records = [Sent(i.device_id, n, phone.device.person, i) for n, i in enumerate(items, phone.sent + 1)]
    scene.phones[township] = msgspec.structs.replace(phone, sent=phone.sent + len(items))
    given = Push(records, field.OLDEST, len(records))
    return await field.push(tx, phone.reporter, phone.device, given, scene.house.clock(), scene.house.keys, Limits())


async def _enrolled(scene: Scene, tx: Tx, township: str) -> Phone:
    reporter, now = scene.at(township, "reporter"), scene.house.clock()
    enrolled = await field.enrol(tx, reporter, uuid4(), "演示手机", township[:6], now)
    device = await field.find(tx, enrolled.device, enrolled.token, now)
    assert device is not None
    return Phone(reporter, device)


async def second_version(scene: Scene, item: Registration) -> None:
    """A reporter changed a record before its receipt had come: both are kept, the township finds that the first one holds."""
    township, keys = item.village[:9], scene.house.keys
    async with scene.tx() as tx:
        [receipt] = await push(scene, tx, township, [msgspec.structs.replace(item, injured=item.injured + 1)])
        reviewer = scene.at(township, "reviewer")
        for case in await views.open_versions(tx, [township + "%"]):
            await second_versions.decide(tx, reviewer, case.county, case.id, "first", "电话核实：无人受伤", scene.house.clock(), keys)
    if receipt.outcome != "case":
        raise RuntimeError(f"a second version was taken for {receipt.outcome}")
    scene.say("一条记录先后两个内容，两份都保留，乡镇核实以先报为准 · one record with two contents, both kept, the township decided")
