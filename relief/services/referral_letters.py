"""A referral as it is handed over: a letter for each household, or one table for all. Both open the person, so each is traced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from relief.domain.days import beijing_day
from relief.domain.errors import NotFound
from relief.domain.policy import Actor
from relief.domain.reasons import explain
from relief.domain.referral import BY_HAND
from relief.domain.sealing import Keys
from relief.domain.vocabulary import DEPARTMENTS
from relief.services import sheets
from relief.store import audits
from relief.store.db import Tx
from relief.store.views.referrals import Referral

_HEADS: Final = ("转办编号", "乡镇", "村", "户主", "联系电话", "家庭人口", "转办事由", "说明", "依据", "紧急", "答复期限")


class _Person(msgspec.Struct):
    name: str
    phone: str | None = None


class Letter(msgspec.Struct, frozen=True):
    """What the department needs to act: who, where, why, by when."""

    referral: Referral
    number: str
    name: str
    phone: str
    reason: str
    note: str


_PERSON: Final = msgspec.json.Decoder(_Person)


async def hand_over(tx: Tx, actor: Actor, found: Sequence[Referral], way: str, now: datetime, keys: Keys) -> list[Letter]:
    """Open these referrals for their department and write down who did. NotFound where there is none."""
    if not found:
        raise NotFound("not_found", "没有可交接的转办事项 · there is no referral to hand over")
    sets: dict[str, list[Referral]] = {}
    for referral in found:
        sets.setdefault(referral.county, []).append(referral)
    await audits.add_each(
        tx, {c: [r.id for r in rows] for c, rows in sets.items()}, actor, "referral.hand_over", "referral", now, {"way": way}
    )
    return [_letter(r, keys) for r in found]


def _letter(r: Referral, keys: Keys) -> Letter:
    person = _PERSON.decode(keys.open("person", r.person, "sealed", r.sealed_person))
    note = keys.open("referral", r.id, "sealed_note", r.sealed_note).decode() if r.sealed_note else ""
    return Letter(r, f"{r.county}-{r.id.hex[:8].upper()}", person.name, person.phone or "", reason_of(r.reason), note)


def reason_of(reason: str) -> str:
    """The fact in words."""
    return "经办人员提出" if reason == BY_HAND else explain([f"has.{reason}"])[0].zh


def table(letters: Sequence[Letter], now: datetime) -> bytes:
    """One XLSX, a row a household, its first line saying what it is and from when."""
    drill = "演练 · " if letters[0].referral.drill else ""
    to = DEPARTMENTS[letters[0].referral.department].zh
    said = f"{drill}转办清单 · {to} · {beijing_day(now)} · {len(letters)}户 · 含个人信息，用后妥善保管"
    rows = [
        (
            one.number, r.township_name or "", r.village_name, one.name, one.phone, r.members, one.reason, one.note, r.legal_basis,
            "是" if r.urgent else "", str(r.due_on),
        )
        for one in letters
        for r in [one.referral]
    ]  # fmt: skip
    return sheets.book([("转办清单", [(said,), _HEADS, *rows], 2)])
