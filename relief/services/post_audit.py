"""Post-audit 抽查: draw a sample of paid payments that anybody can draw again, and write down what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain.errors import Conflict, Invalid
from relief.domain.policy import Actor, require
from relief.domain.sampling import RISKS, allocate
from relief.store import audits, post_audits
from relief.store.db import Tx

#: Larger samples are drawn under several seeds.
MOST: Final = 1_000
NOTE: Final = 500
FINDINGS: Final = ("fine", "mend", "recover")


class Finding(msgspec.Struct, frozen=True):
    """What was found about one payment: 'fine', 'mend' (papers), or 'recover' with the wrong fen; a note unless it is fine."""

    payment: UUID
    finding: str
    wrong_fen: int = 0
    note: str = ""


async def draw(tx: Tx, actor: Actor, county: str, incident: UUID, seed: str, size: int, now: datetime) -> UUID:
    """Draw a sample of the incident's paid payments in one county; its id."""
    require(actor, "audit.sample", county)
    seed = seed.strip()
    if not 1 <= size <= MOST:
        raise Invalid("sample_size", f"抽样数须在 1 与 {MOST} 之间 · a sample has 1 to {MOST} payments", field="size")
    if not 4 <= len(seed) <= 100 or not seed.isprintable():
        raise Invalid("sample_seed", "随机种子须为4至100个字符 · a seed has 4–100 characters", field="seed")
    found = await post_audits.candidates(tx, county, incident, seed, size)
    counts = {c.stratum: c.payments for c in found}
    quota = allocate({s: counts.get(s, 0) for s in RISKS}, size)
    if not quota:
        raise Conflict("nothing_paid", "该县本次灾害还没有已到账的支付 · nothing has been paid in this county yet")
    drawn = [c for s in quota for c in [c for c in found if c.stratum == s][: quota[s]]]
    sample = await post_audits.add(tx, county, incident, seed, {s: (counts[s], n) for s, n in quota.items()}, drawn, actor.person, now)
    await audits.add(
        tx, county, actor, "audit.sample", "post_audit", [c.payment for c in drawn], now, {"sample": str(sample), "seed": seed}
    )
    return sample


async def record(tx: Tx, actor: Actor, county: str, sample: UUID, findings: Sequence[Finding], now: datetime) -> int:
    """Write down findings, once each. A wrong one is changed by nobody: it is answered by a new sample or a recovery case."""
    require(actor, "audit.find", county)
    for f in findings:
        if f.finding not in FINDINGS:
            raise Invalid("finding", "结论只能是无问题、补正或追回 · a finding is fine, mend or recover", field="finding")
        if (f.finding != "fine" and not f.note.strip()) or len(f.note) > NOTE:
            raise Invalid("finding_note", f"请写明问题（{NOTE} 字内） · say what is wrong, in at most {NOTE} characters", field="note")
        if (f.finding == "recover") != (f.wrong_fen > 0):
            raise Invalid("finding_amount", "追回须填金额，其他结论不填 · recovery names its amount, nothing else does", field="amount")
    rows = [(f.payment, f.finding, f.wrong_fen, f.note.strip()) for f in findings]
    if not rows or await post_audits.find(tx, county, sample, actor.person, now, rows) != len({f.payment for f in findings}):
        raise Conflict("found_already", "已有结论、金额大于支付额或不在样本内 · found already, more than was paid, or not in this sample")
    figures = {f: sum(1 for g in findings if g.finding == f) for f in FINDINGS}
    await audits.add(tx, county, actor, "audit.find", "post_audit", [f.payment for f in findings], now, {"sample": str(sample), **figures})
    return len(rows)
