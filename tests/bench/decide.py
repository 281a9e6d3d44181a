"""Deciding: every household of a county by the earthquake playbook, awards proposed with their instalments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relief.domain import entitlement, playbook
from relief.domain.facts import FAMILY_CODES
from relief.services.decide import decide, facts_of, figures_of
from relief.store import activations, db, facts
from relief.store.activations import Band
from relief.store.facts import Columns
from tests.bench import world
from tests.bench.harness import Figure, Line, Place, Watch, compared, copied, place, timed, watch
from tests.make import LUDING, NOW, ROOT

TABLES = ("decision", "award", "instalment", "signature", "entitlement_guard")
PEER = "bare INSERT … SELECT"


async def run(rows: int) -> Sequence[Figure]:
    """Decide and store against a bare copy of the same rows; then the decision alone."""
    async with place() as here:
        at = await world.event(here.owner)
        await world.households(here.owner, at, rows, "located")
        await world.people(here.owner, at)
        await world.places(here.owner, at)
        await here.owner.execute("CHECKPOINT")
        with watch(here) as seen:
            async with db.begin(here.house.pool) as tx:
                done = await decide(tx, at.officer, LUDING, at.activation, NOW)
        bare = await copied(here, *TABLES)
        async with db.read(here.house.pool) as tx:
            columns = await facts.read(tx, [LUDING], at.incident, at.zone, FAMILY_CODES)
            bands = await activations.bands(tx, at.zone)
            book = playbook.read((ROOT / "playbooks" / "earthquake.toml").read_text("utf-8"))
            figures = await figures_of(tx, LUDING, book, NOW)
        alone = [_alone(here, book, figures.amounts, columns, bands) for _ in range(3)]
    made = sum(a.count for a in done.new_awards.values())
    return [
        compared("decide and store", rows, seen, PEER, bare, 3.0),
        Line(name="decide and store rate", rows=rows, unit="awards/s", value=round(made / seen.seconds)),
        timed("decide alone", rows, min(alone, key=lambda w: w.seconds), 0.5, 1_000_000),
    ]


def _alone(here: Place, book: playbook.Playbook, amounts: Mapping[str, int], columns: Columns, bands: list[Band]) -> Watch:
    with watch(here) as seen:
        for verdict in entitlement.decide(book, amounts, facts_of(columns, bands, {})).values():
            verdict.outcomes()
    return seen
