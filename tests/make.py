"""One builder per noun; every default is valid, every argument is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from relief.demo import numbers
from relief.domain import money
from relief.domain.household import Member, Registration
from relief.domain.policy import Actor, Grant
from relief.domain.sealing import Keys
from relief.services.fund import NewFund, allocate
from relief.services.register import register
from relief.store.db import Tx

ROOT = Path(__file__).resolve().parent.parent
#: Twenty minutes after the Luding earthquake.
NOW = datetime(2022, 9, 5, 5, 12, tzinfo=UTC)
LUDING = "513322"
SHIMIAN = "511824"
#: 磨西镇 and a village of it; the fixture database holds the real codes.
MOXI = "513322103"
VILLAGE = "513322103205"


async def staff(tx: Tx, *grants: tuple[str, str], name: str = "演示人员") -> Actor:
    """A person with (role, area) grants."""
    person = await tx.fetchval(
        "INSERT INTO staff (login, name, password_hash, created_at) VALUES ($1, $2, '!', $3) RETURNING id", uuid4().hex, name, NOW
    )
    for role, area in grants:
        await tx.execute("INSERT INTO role_grant (person, role, area, valid_from) VALUES ($1, $2, $3, $4)", person, role, area, NOW)
    return Actor(id=person, name=name, grants=tuple(Grant(role=r, area=a) for r, a in grants))


async def proof(tx: Tx, actor: Actor, digest: bytes, now: datetime = NOW) -> None:
    """This person has just proven themselves for that digest by a second factor."""
    await tx.execute(
        "INSERT INTO factor_proof (person, digest, at, way) VALUES ($1, $2, $3, 'totp') ON CONFLICT DO NOTHING", actor.id, digest, now
    )


async def incident(tx: Tx, *, county: str = LUDING, drill: bool = True, name: str | None = None) -> UUID:
    """An open incident."""
    opener = await staff(tx)
    found: UUID = await tx.fetchval(
        "INSERT INTO incident (name, hazard, county, occurred_at, status, drill, opened_by, opened_at) "
        "VALUES ($1, '020100', $2, $3, 'reported', $4, $5, $3) RETURNING id",
        name or f"2022-09-05 泸定县地震 {uuid4().hex[:6]}", county, NOW, drill, opener.id,
    )  # fmt: skip
    return found


def registration(n: int = 0, *, incident: UUID, members: int | list[Member] = 3, two_way: bool = False, **changes: Any) -> Registration:
    """The n-th household: an adult householder and others, with account and phone."""
    if isinstance(members, list):
        people = members
    else:
        people = [Member(name="甄演一", id_number=numbers.householder_id(n))]
        people += [Member(name="甄演二", id_number=numbers.member_id(n * 30 + i)) for i in range(members - 1)]
    fields: dict[str, Any] = {
        "device_id": UUID(int=0x5EED << 64 | n), "incident": incident, "village": VILLAGE, "lon": 102.11, "lat": 29.64, "members": people,
        "account": numbers.account(n), "bank": "402", "captured_at": NOW,
        "phone": numbers.two_way_phone(n) if two_way else numbers.mainland_phone(n), "relocated": "centralised",
    }  # fmt: skip
    return Registration(**{**fields, **changes})


async def activated(tx: Tx, *, incident: UUID, county: str = LUDING, cap_fen: int = 10**12) -> tuple[UUID, UUID, UUID]:
    """Zone, playbook and activation of the incident, active in the county; made once."""
    found = await tx.fetchrow("SELECT zone, playbook, id FROM activation WHERE incident = $1", incident)
    if found is not None:
        return found["zone"], found["playbook"], found["id"]
    officer, approver = await staff(tx), await staff(tx)
    body = (ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")
    playbook = await tx.fetchval(
        "INSERT INTO playbook (key, version, digest, body, imported_at) VALUES ('earthquake', $1, $2, $3, $4) RETURNING id",
        uuid4().hex, uuid4().bytes, body, NOW,
    )  # fmt: skip
    zone = await tx.fetchval(
        "INSERT INTO zone (incident, version, status, title, reason, source_digest, area_km2, drafted_by, drafted_at, approved_by, in_force_at) "
        "VALUES ($1, 1, 'in force', '影响场', '测试', '', 1, $2, $3, $4, $3) RETURNING id",
        incident, officer.id, NOW, approver.id,
    )  # fmt: skip
    activation = await tx.fetchval(
        "INSERT INTO activation (incident, zone, playbook, status, proposed_by, proposed_at) VALUES ($1, $2, $3, 'active', $4, $5) RETURNING id",
        incident, zone, playbook, officer.id, NOW,
    )  # fmt: skip
    await tx.execute(
        "INSERT INTO county_activation (county, activation, status, document, cap_fen, drafted_by, drafted_at, activated_by, activated_at) "
        "VALUES ($1, $2, 'active', '演应急〔2022〕1号', $3, $4, $5, $6, $5)",
        county, activation, cap_fen, officer.id, NOW, approver.id,
    )  # fmt: skip
    return zone, playbook, activation


async def awards(
    tx: Tx, keys: Keys, *, incident: UUID, reporter: Actor, count: int = 1, aid: str = "EMERG", amount_fen: int = 90_000, first: int = 0,
    conditions: tuple[str, ...] = ("none",), shares_bp: tuple[int, ...] = (10_000,), **changes: Any,
) -> list[UUID]:  # fmt: skip
    """Registered, decided and proposed awards, as the decision service leaves them; one zone and activation are made on the way."""
    receipts = await register(tx, reporter, [registration(first + n, incident=incident, **changes) for n in range(count)], NOW, keys)
    assert {r.outcome for r in receipts} == {"new"}, receipts
    zone, playbook, activation = await activated(tx, incident=incident)
    made = []
    for receipt in receipts:
        row = await tx.fetchrow(
            "WITH d AS (INSERT INTO decision (county, household, activation, zone, playbook, aid, status, amount_fen, reasons, facts, standards, decided_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, 'current', $7, '{granted}', '{}', '', $8) RETURNING id) "
            "INSERT INTO award (county, household, payee, incident, activation, decision, aid, mode, period, amount_fen, status, village, proposed_at, office) "
            "SELECT $1, $2, p.id, $9, $3, d.id, $6, $10, 'once', $7, 'proposed', h.village, $8, CASE $10 WHEN 'A' THEN 'township' ELSE 'county' END FROM d, person p JOIN household h ON h.county = p.county "
            "AND h.id = p.household WHERE p.county = $1 AND p.household = $2 AND p.role = 'householder' RETURNING id, village",
            receipt.county, receipt.household, activation, zone, playbook, aid, amount_fen, NOW, incident, "A" if aid == "EMERG" else "B",
        )  # fmt: skip
        assert row is not None
        for seq, (part, condition) in enumerate(zip(money.split(amount_fen, shares_bp), conditions, strict=True), 1):
            await tx.execute(
                "INSERT INTO instalment (county, award, seq, amount_fen, condition, status) VALUES ($1, $2, $3, $4, $5, 'waiting')",
                receipt.county, row["id"], seq, part, condition,
            )  # fmt: skip
        await tx.execute("INSERT INTO proposal (county, award) VALUES ($1, $2)", receipt.county, row["id"])
        await tx.execute(
            "INSERT INTO signature (county, subject, kind, step, person, digest, signed_at) VALUES ($1, $2, 'award', 'register', $3, '', $4)",
            receipt.county, row["id"], reporter.id, NOW,
        )  # fmt: skip
        await tx.execute(
            "INSERT INTO entitlement_guard (id_hash, incident, aid, period, county, household) "
            "SELECT id_hash, $3, $4, 'once', county, household FROM person WHERE county = $1 AND household = $2",
            receipt.county, receipt.household, incident, aid,
        )  # fmt: skip
        made.append(row["id"])
    await tx.execute("UPDATE household SET status = 'located' WHERE incident = $1", incident)
    return made


async def fund(
    tx: Tx, *, incident: UUID, amount_fen: int, county: str = LUDING, purpose: str = "EMERG", document: str = "演财〔2022〕1号"
) -> UUID:
    """An allocated fund."""
    officer = await staff(tx, ("province_officer", "51"))
    new = NewFund(
        county=county, incident=incident, source="central", year=2022, document=document, budget_item="2240703", purpose=purpose, amount_fen=amount_fen
    )  # fmt: skip
    return await allocate(tx, officer, new, NOW)
