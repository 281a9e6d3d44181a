"""The dry run over everybody registered, with every breakdown; and the same side by side with another version."""

from __future__ import annotations

from collections.abc import Sequence

from relief.services.preview import preview
from relief.store import db
from tests.bench import world
from tests.bench.harness import Figure, Line, place, timed, watch
from tests.make import NOW


async def run(rows: int) -> Sequence[Figure]:
    """A county's households of four people with their accounts, all located, previewed by their activation's playbook."""
    async with place() as here:
        at = await world.event(here.owner)
        await world.households(here.owner, at, rows, "located")
        await world.people(here.owner, at)
        await world.places(here.owner, at)
        await world.funds(here.owner, at)
        await here.owner.execute("VACUUM ANALYZE household, person, account, location")
        playbook = await here.owner.fetchval("SELECT playbook FROM activation WHERE id = $1", at.activation)
        with watch(here) as seen:
            async with db.read(here.house.pool) as tx:
                told = await preview(tx, at.officer, at.incident, at.zone, playbook, NOW)
    assert told.registered == rows
    return [
        timed("preview", rows, seen, 5.0, 1_000_000),
        Line(name="preview lines", rows=rows, unit="cells", value=len(told.lines) + len(told.categories) + len(told.stages)),
    ]
