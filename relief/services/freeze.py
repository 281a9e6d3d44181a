"""Make money stand still by hand, with a reason: a village, an account, a fund, a batch, a household, an award; and let it go on again.

退回补正 is such a hold on an award: the reason says what must be mended, and the award waits for its approval until somebody has looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain.errors import Conflict, Invalid, NotFound
from relief.domain.policy import Actor, require
from relief.store import audits, standing
from relief.store.db import Tx

KINDS: Final = standing.KINDS
#: Where the reason begins with this, the award was sent back to be mended.
MEND: Final = "退回补正："
#: Why the rest of an award is not paid any more.
WHYS: Final = ("death", "moved", "fraud", "ended")


class Cancelled(msgspec.Struct, frozen=True):
    """Stages that will not be paid, and what is available again by that (fen). `left`: awards of which something is still on its way."""

    stages: int
    amount_fen: int
    left: int


async def freeze(tx: Tx, actor: Actor, county: str, kind: str, subjects: Sequence[str], reason: str, now: datetime) -> int:
    """Place holds of one kind; how many are new. What stands under a hold by hand already is not doubled."""
    chosen, said = sorted(set(subjects)), _said(reason)
    if kind not in KINDS or not chosen:
        raise Invalid("hold_kind", "请选择要暂停的对象 · say what shall stand still", field="kind")
    found = await standing.places(tx, county, kind, chosen)
    if any(p.place is None for p in found):
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, f"hold.place.{kind}", {p.place for p in found if p.place})
    new = await standing.freeze(tx, county, kind, chosen, said, actor.person, now)
    if new != len(chosen):
        raise Conflict("held_already", "部分对象已被暂停 · some of them stand still already")
    await audits.add(tx, county, actor, "hold.place", kind, [], now, {"subjects": chosen[:100], "count": len(chosen), "reason": said})
    return new


async def send_back(tx: Tx, actor: Actor, county: str, awards: Sequence[UUID], mend: str, now: datetime) -> int:
    """退回补正: these awards wait for their approval until what `mend` names is put right."""
    return await freeze(tx, actor, county, "award", [str(a) for a in awards], MEND + _said(mend), now)


async def thaw(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], reason: str, now: datetime) -> int:
    """Let them go on; how many ended. Holds that something else placed end with that, never here."""
    chosen, said = sorted(set(ids)), _said(reason)
    found = await standing.held(tx, county, chosen)
    if not found or len(found) != len(chosen):
        raise Conflict("moved_on", "部分暂停已解除，请刷新 · some holds have ended meanwhile, refresh")
    for kind in sorted({h.kind for h in found}):
        require(actor, f"hold.place.{kind}", {h.place or county for h in found if h.kind == kind})
    ended = await standing.thaw(tx, county, chosen, actor.person, said, now)
    await audits.add(tx, county, actor, "hold.lift", "hold", chosen, now, {"reason": said})
    return ended


async def cancel_rest(tx: Tx, actor: Actor, county: str, awards: Sequence[UUID], why: str, note: str, now: datetime) -> Cancelled:
    """Pay nothing more of these approved awards: what has not left the house is cancelled and its money available again.

    What lies in a batch or at the bank is left alone and named as `left`: it is cancelled when it comes back.
    """
    said = _said(note)
    if why not in WHYS:
        raise Invalid("why", "请选择停发原因 · say why the rest is not paid", field="why")
    chosen = sorted(set(awards))
    found = await standing.approved(tx, county, chosen)
    if not found or len(found) != len(chosen):
        raise Conflict("moved_on", "部分事项已变化，请刷新 · some items have moved on, refresh")
    require(actor, "award.cancel_rest", {a.village for a in found})
    act = await audits.add(tx, county, actor, "award.cancel_rest", "award", chosen, now, {"why": why, "note": said})
    freed = await standing.cancel(tx, county, chosen, act, now)
    ended = await standing.end(tx, county, chosen)
    if not freed:
        raise Conflict(
            "nothing_left", "没有可停发的期次：余款已在批次或银行 · nothing is left to cancel: the rest is in a batch or at the bank"
        )
    return Cancelled(sum(f.stages for f in freed), sum(f.fen for f in freed), len(chosen) - len(ended))


def _said(text: str) -> str:
    said = text.strip()
    if not 2 <= len(said) <= 200:
        raise Invalid("reason", "请写明原因（2—200字） · give the reason in 2 to 200 characters", field="reason")
    return said
