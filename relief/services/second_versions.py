"""A record that came twice with different contents: an officer who took part in neither says which one holds. Both stay readable."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from relief.domain.assessment import Changes, Known
from relief.domain.errors import Conflict, Refused
from relief.domain.household import CIRCUMSTANCES, Registration
from relief.domain.incident import check_reason
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.services import reassess
from relief.services.reassess import Look
from relief.store import audits, second_versions
from relief.store.db import Tx

Verdict = Literal["first", "second"]

_CONTENT: Final = msgspec.json.Decoder(Registration)


def opened(keys: Keys, id_: UUID, sealed: bytes) -> Registration:
    """The other content."""
    return _CONTENT.decode(keys.open("second_version", id_, "sealed", sealed))


def difference(known: Known, other: Registration) -> Changes:
    """What the other content says otherwise of the facts a rule may ask for."""
    said: dict[str, Any] = {
        n: getattr(other, n) for n in Changes.__struct_fields__ if n != "circumstances" and getattr(other, n) != getattr(known, n)
    }
    if other.circumstance_bits != known.circumstances:
        said["circumstances"] = [c for c in CIRCUMSTANCES if c in other.circumstances]
    return Changes(**said)


async def decide(tx: Tx, actor: Actor, county: str, id_: UUID, verdict: Verdict, reason: str, now: datetime, keys: Keys) -> None:
    """`first`: it stays as it is. `second`: the facts of the other content are written like any re-assessment, and decided anew.

    People, phone and account are never taken over silently: they are corrected where such corrections are made. Refused to whoever sent
    either content; Conflict where it is decided already.
    """
    said = check_reason(reason)
    found = await second_versions.lock(tx, county, id_)
    if found is None:
        raise Conflict("moved_on", "该件已处理，请刷新 · this was decided meanwhile, refresh")
    require(actor, "second_version.decide", found.village)
    if actor.person in (found.registered_by, found.sent_by):
        raise Refused("own_registration", "这是您本人登记的户，须由他人核实 · you registered this household yourself", count=1)
    changes = difference(found, opened(keys, id_, found.sealed))
    if verdict == "second" and changes != Changes():
        await reassess.reassess(tx, actor, county, [Look(found.household, changes, said)], now)
    if await second_versions.close(tx, county, id_, verdict, said, actor.person, now) != 1:
        raise Conflict("moved_on", "该件已处理，请刷新 · this was decided meanwhile, refresh")
    await audits.add(tx, county, actor, f"second_version.{verdict}", "household", [found.household], now)
