"""The phone's side of the register: devices enrolled and revoked, and what they push, record by record, each with its receipt.

A device pushes what it holds as often as it likes and in any order; a record counts once, by the id the device made. Nothing here asks
what the device's clock says: the order of things is the server's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import msgspec

from relief.domain import household
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.household import Registration
from relief.domain.likeness import Limits
from relief.domain.policy import Actor, Grant, require, scope
from relief.domain.sealing import Keys
from relief.services import register, suspect
from relief.store import audits, devices, visits
from relief.store.db import Tx
from relief.store.devices import Device as Device
from relief.store.devices import Known

#: Pages older than this are refused with their data kept.
OLDEST: Final = 1

_LOST: Final = "该手机已挂失，本机数据已清除 · this phone was reported lost; its data are being removed"
_REVOKED: Final = "该手机已停用，本机数据保留，请交乡镇导出 · this phone was revoked; its data stay on it, take it to the township"
_CASE: Final = "这户（或其中的人）已由别人登记，两份都保留，由乡镇核实 · somebody has registered this household before; both are kept, the township decides"
_SECOND: Final = (
    "该记录先前已收到另一内容，两份都保留，由乡镇核实 · this record came before with other content; both are kept, the township decides"
)


class Sent(msgspec.Struct, frozen=True):
    """One record as it came: the device's id and number for it, who captured it, and its content or why that cannot be read."""

    id: UUID
    seq: int
    author: UUID
    content: Registration | Invalid


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one record: green only with this.

    accepted; had (came before); case (kept, and an officer must look: its code says why); refused (nothing kept: code and sentence say
    what to do). Slip and code are for the household.
    """

    id: UUID
    seq: int
    outcome: Literal["accepted", "had", "case", "refused"]
    county: str | None = None
    household: UUID | None = None
    slip: str | None = None
    slip_code: str | None = None
    code: str | None = None
    field: str | None = None
    message: str | None = None


class Enrolled(msgspec.Struct, frozen=True):
    """A new device: its token is shown once."""

    county: str
    device: UUID
    person: UUID
    name: str
    token: str


class Push(msgspec.Struct, frozen=True):
    """One chunk and what the device says about itself."""

    records: Sequence[Sent]
    version: int
    waiting: int


async def enrol(tx: Tx, actor: Actor, device: UUID, name: str, county: str | None, now: datetime) -> Enrolled:
    """Give this person's phone a token of its own. `county` only where the person registers in more than one."""
    areas = actor.areas("household.register")
    counties = sorted({a[:6] for a in areas if len(a) >= 6})
    chosen = county or (counties[0] if len(counties) == 1 else None)
    if chosen is None:
        raise Invalid("county", "请选择手机所属的县 · say which county the phone belongs to", field="county")
    area = next((a if a.startswith(chosen) else chosen for a in areas if chosen.startswith(a[:6])), None)
    if area is None:
        raise Refused(
            "not_permitted", "您在该县没有登记权限 · you do not register in that county", action="household.register", area=chosen
        )
    token = secrets.token_urlsafe(32)
    if await devices.enrol(tx, chosen, device, actor.person, area, name.strip() or "手机", _hash(token), now) != 1:
        raise Conflict("device_known", "该设备已登记，请刷新后重试 · that device is enrolled already, reload and try again")
    await audits.add(tx, chosen, actor, "device.enrol", "device", [device], now)
    return Enrolled(chosen, device, actor.person, actor.name, token)


async def find(tx: Tx, device: UUID, token: str, now: datetime) -> Device | None:
    """The device that holds this token, with its person's rights of today. Needs a scope over every county."""
    found = await devices.find(tx, device, now)
    return found if found is not None and hmac.compare_digest(found.token_hash, _hash(token)) else None


def actor_of(device: Device) -> Actor:
    """The device's person."""
    return Actor(device.person, device.name, tuple(Grant(r, a) for r, a in zip(device.roles, device.areas, strict=True)))


async def standing(tx: Tx, device: Device, now: datetime) -> Refused | None:
    """Why a device may not come in; a lost one is told to empty itself, and that it was told is written down."""
    if device.status == "enrolled" and device.active:
        return None
    if device.wipe and await devices.wiped(tx, device.county, device.id, now):
        await audits.add(tx, device.county, actor_of(device), "device.wipe", "device", [device.id], now)
    return Refused("device_revoked", _LOST if device.wipe else _REVOKED, wipe=device.wipe)


async def revoke(tx: Tx, actor: Actor, county: str, device: UUID, lost: bool, reason: str, now: datetime) -> None:
    """Refuse the device from now on; a lost one empties itself at its next contact. A reporter may do so to their own."""
    owner = await devices.owner(tx, county, device)
    if owner.person != actor.id:
        require(actor, "device.revoke", owner.area)
        if actor.roles() == ["reporter"]:
            raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    if not 2 <= len(reason.strip()) <= 500:
        raise Invalid("reason", "请写明原因 · say why", field="reason")
    if await devices.revoke(tx, county, device, lost, reason.strip(), actor.id, now) != 1:
        raise Conflict("moved_on", "该手机已停用 · that phone is revoked already")
    await audits.add(tx, county, actor, "device.revoke", "device", [device], now, {"lost": lost})


async def push(tx: Tx, actor: Actor, device: Device, given: Push, now: datetime, keys: Keys, limits: Limits) -> list[Receipt]:
    """Take a chunk; a receipt for every record, in its order. The same chunk again, or a part of it, or in another order, changes nothing."""
    if given.version < OLDEST:
        raise Refused(
            "app_outdated", "登记页版本过旧，请联网刷新；数据仍在本机 · reload the page; the data stay on the phone", oldest=OLDEST
        )
    if await devices.touch(tx, device.county, device.id, now, given.version, max(0, given.waiting - len(given.records))) != 1:
        raise Refused("device_revoked", _REVOKED, wipe=False)
    if not given.records:
        return []
    before = await devices.known(tx, device.county, device.id, [s.seq for s in given.records])
    receipts: dict[int, Receipt] = {}
    good: list[tuple[int, Sent, Registration]] = []
    numbered: dict[int, UUID] = {seq: k.record for seq, k in before.items()}
    for place, sent in enumerate(given.records):
        wrong = _wrong(sent, device, numbered)
        if wrong is not None:
            receipts[place] = _refused(sent, wrong)
        elif isinstance(sent.content, Registration):
            good.append((place, sent, sent.content))
    taken = await register.register(tx, actor, [r for _, _, r in good], now, keys)
    for (place, sent, _), answer in zip(good, taken, strict=True):
        receipts[place] = _receipt(sent, answer, before.get(sent.seq))
    await _second_versions(tx, actor, device, [(p, r) for p, _, r in good], receipts, now, keys)
    await _same_people(tx, receipts, limits, now, keys)
    answers = [receipts[place] for place in range(len(given.records))]
    await _keep(tx, device, answers, now)
    return answers


def _wrong(sent: Sent, device: Device, numbered: dict[int, UUID]) -> Invalid | None:
    """Why a record cannot even be looked at; a number once used stands for its record for ever."""
    if isinstance(sent.content, Invalid):
        return sent.content
    if sent.author != device.person:
        return Invalid("author", "登记人与本机登记的人员不符 · the author is not the person of this phone", field="author")
    if numbered.setdefault(sent.seq, sent.id) != sent.id:
        return Invalid(
            "sequence_reused",
            "顺序号已用于另一记录，请重新保存 · that sequence number stands for another record; save it again",
            field="seq",
        )
    return None


def _refused(sent: Sent, error: Invalid) -> Receipt:
    field = error.data.get("field")
    return Receipt(sent.id, sent.seq, "refused", code=error.code, field=None if field is None else str(field), message=error.message)


def _receipt(sent: Sent, answer: register.Receipt, before: Known | None) -> Receipt:
    """The registration's answer; a case stays a case when its receipt was lost on the way and is asked for again."""
    if answer.outcome in ("invalid", "conflict"):
        return Receipt(
            sent.id, sent.seq, "refused", answer.county, answer.household, code=answer.code, field=answer.field, message=answer.message
        )
    place = (answer.county, answer.household, answer.slip, answer.slip_code)
    if answer.outcome == "new":
        return Receipt(sent.id, sent.seq, "accepted", *place)
    if before is not None and before.outcome == "case":
        return Receipt(sent.id, sent.seq, "case", *place, code=before.code, message=_SECOND if before.code == "second_version" else _CASE)
    return Receipt(sent.id, sent.seq, "had", *place)


async def _second_versions(
    tx: Tx, actor: Actor, device: Device, good: Sequence[tuple[int, Registration]], receipts: dict[int, Receipt], now: datetime, keys: Keys
) -> None:
    """Another content under an id that stands already, within the reach of whoever sent it, is kept beside the first."""
    within = scope(actor, "household.register")
    rows: list[tuple[Any, ...]] = []
    for place, item in good:
        receipt = receipts[place]
        if receipt.code != "device_id_reused" or receipt.county not in within or receipt.household is None:
            continue
        made = uuid4()
        sealed = keys.seal("second_version", made, "sealed", msgspec.json.encode(item))
        rows.append((receipt.county, made, receipt.household, household.digest(item), sealed))
        receipts[place] = Receipt(
            receipt.id, receipt.seq, "case", receipt.county, receipt.household, code="second_version", message=_SECOND
        )
    if not rows:
        return
    by_county: dict[str, list[UUID]] = {}
    for side in await visits.second(tx, rows, device.id, actor.person, now):
        by_county.setdefault(side.county, []).append(side.household)
    if by_county:
        await audits.add_each(tx, by_county, actor, "household.second_version", "household", now)


async def _same_people(tx: Tx, receipts: dict[int, Receipt], limits: Limits, now: datetime, keys: Keys) -> None:
    """Two devices, one household: both are kept and the suspicion is opened at once (across counties the timetable finds it)."""
    fresh = {(r.county, r.household): p for p, r in receipts.items() if r.outcome == "accepted" and r.county and r.household}
    twins = await visits.twins(tx, [(c, h) for c, h in fresh if c and h]) if fresh else []
    if not twins:
        return
    await suspect.judge(tx, [((t.county, t.household), (t.other_county, t.other)) for t in twins], limits, now, keys)
    for twin in twins:
        place = fresh[twin.county, twin.household]
        receipts[place] = msgspec.structs.replace(receipts[place], outcome="case", code="registered_before", message=_CASE)


async def _keep(tx: Tx, device: Device, answers: Sequence[Receipt], now: datetime) -> None:
    """One row a number; a number that stood for another record, or stands in the chunk twice, is not written again."""
    rows: Mapping[int, tuple[Any, ...]] = {
        r.seq: (r.seq, r.id, "accepted" if r.outcome == "had" else r.outcome, r.code, r.field, r.county, r.household)
        for r in reversed(answers)
        if r.code != "sequence_reused"
    }
    if rows:
        await devices.keep(tx, device.county, device.id, list(rows.values()), now)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
