"""Post-audit samples: drawn again the same, risk first, findings written once."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.sealing import Keys
from relief.services import post_audit
from relief.services.post_audit import Finding
from relief.store.db import Tx
from tests import make, paid


async def incident_of(tx: Tx) -> UUID:
    found: UUID = await tx.fetchval("SELECT incident FROM award LIMIT 1")
    return found


async def drawn(tx: Tx, sample: UUID) -> list[tuple[UUID, str]]:
    rows = await tx.fetch("SELECT payment, stratum FROM post_audit_item WHERE post_audit = $1 ORDER BY payment", sample)
    return [(r["payment"], r["stratum"]) for r in rows]


async def test_the_same_seed_draws_the_same_sample_and_risk_is_never_left_out(tx: Tx, keys: Keys) -> None:
    families = await paid.households(tx, keys, 40)
    auditor, incident = await make.staff(tx, ("auditor", make.LUDING)), await incident_of(tx)
    await tx.execute("UPDATE confirmation SET status = 'confirmed', way = 'page', given_at = awaited_at")
    await tx.execute("UPDATE confirmation SET status = 'disputed' WHERE payment = $1", families[7].payment)
    await tx.execute("UPDATE payment SET attempt = 2 WHERE id = $1", families[9].payment)
    first = await drawn(tx, await post_audit.draw(tx, auditor, make.LUDING, incident, "开奖 2022105", 10, make.NOW))
    assert len(first) == 10
    assert {(families[7].payment, "disputed"), (families[9].payment, "corrected")} <= set(first)
    by_hand = sorted(
        (f.payment for f in families if f not in (families[7], families[9])),
        key=lambda p: sha256("开奖 2022105".encode() + p.bytes).digest(),
    )
    assert [p for p, _ in first if p not in (families[7].payment, families[9].payment)] == sorted(by_hand[:8]), (
        "anybody with the seed can check"
    )
    other = await drawn(tx, await post_audit.draw(tx, auditor, make.LUDING, incident, "开奖 2022106", 10, make.NOW))
    assert other != first
    with pytest.raises(Refused):
        await post_audit.draw(tx, await make.staff(tx, ("auditor", make.SHIMIAN)), make.LUDING, incident, "another", 10, make.NOW)


async def test_a_finding_is_written_once_and_never_above_what_was_paid(tx: Tx, keys: Keys) -> None:
    families = await paid.households(tx, keys, 3)
    auditor, incident = await make.staff(tx, ("auditor", make.LUDING)), await incident_of(tx)
    sample = await post_audit.draw(tx, auditor, make.LUDING, incident, "seed", 3, make.NOW)

    async def find(n: int, finding: str, fen: int = 0, note: str = "") -> int:
        return await post_audit.record(tx, auditor, make.LUDING, sample, [Finding(families[n].payment, finding, fen, note)], make.NOW)

    assert await find(0, "fine") == 1
    assert await find(1, "recover", 23_456, "住房未受损") == 1
    with pytest.raises(Conflict, match="found already"):
        await find(0, "mend", note="缺照片")
    with pytest.raises(Conflict):
        await find(2, "recover", 123_457, "多于支付额")
    for finding, fen, note in (("recover", 0, "x"), ("fine", 5, ""), ("mend", 0, ""), ("good", 0, "")):
        with pytest.raises(Invalid):
            await find(2, finding, fen, note)
    act = await tx.fetchval("SELECT detail FROM audit WHERE act = 'audit.find' ORDER BY detail->>'recover' DESC LIMIT 1")
    assert (act["fine"], act["recover"]) == (0, 1)
