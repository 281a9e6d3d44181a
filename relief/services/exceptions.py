"""Work off what the bank said and could not be booked. Nothing here moves money: that takes a file of the bank, or a verdict of two people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.bank_cases import CASES, CONTRADICTIONS
from relief.domain.errors import Conflict, Invalid
from relief.domain.policy import Actor, require
from relief.store import audits, exceptions
from relief.store.db import Tx

_OPEN = ("approved", "batched", "sent", "unknown")


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of one file."""

    file: UUID
    row: int


async def answer(tx: Tx, actor: Actor, county: str, items: Sequence[Item], said: str, note: str, now: datetime) -> int:
    """Close exceptions with what was found; returns how many holds ended.

    Only what the code allows may be said; “answered” only where the payment has come to its end by another file.
    """
    require(actor, "bank.case", county)
    if not note.strip():
        raise Invalid("note", "请写明核实经过 · say what was found", field="note")
    found = await exceptions.lock(tx, county, [(i.file, i.row) for i in items])
    if not found or len(found) != len({(i.file, i.row) for i in items}):
        raise Conflict("moved_on", "部分例外已被处理，请刷新 · some of these were dealt with meanwhile, refresh")
    if wrong := sorted({r.code for r in found if r.code not in CASES or said not in CASES[r.code].may}):
        raise Invalid("answer", f"此类例外不能这样办结：{wrong[0]} · this kind of exception cannot be ended so", field="answer")
    if said == "answered" and any(r.status is None or r.status in _OPEN for r in found):
        raise Conflict("still_open", "该笔还没有其他回执，不能按此办结 · no other file has answered the line yet")
    await exceptions.close(tx, county, found, said, note.strip(), actor.person, now)
    awards = sorted({r.award for r in found if r.award is not None and r.code in CONTRADICTIONS})
    lifted = await exceptions.lift(tx, county, awards, now, sorted(CONTRADICTIONS)) if awards else 0
    rows = [f"{r.file}:{r.row}" for r in found]
    await audits.add(
        tx, county, actor, "bank.case", "bank_row", [r.file for r in found], now, {"answer": said, "rows": rows, "lifted": lifted}
    )
    return lifted
