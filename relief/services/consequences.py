"""What a zone version costs against another one, by every playbook that is proposed or running for the incident; nothing is written."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain import playbook as playbooks_
from relief.domain.errors import Invalid
from relief.domain.policy import Actor
from relief.services import activate
from relief.services.compare import Change, Comparison, Differing, compare
from relief.services.preview import Scenario
from relief.store import activations, playbooks, zones
from relief.store.db import Tx


class Cost(msgspec.Struct, frozen=True):
    """One activation under both versions: households entitled and money (fen), who gets more or less by county, where the change is largest.

    `refused`: why this playbook cannot be applied to one of them (it says nothing of a band, or a figure has no amount); then nothing else is
    told. What was paid stays paid: less here is what newcomers and open decisions would no longer get.
    """

    activation: UUID
    playbook: str
    before_households: int = 0
    after_households: int = 0
    before_fen: int = 0
    after_fen: int = 0
    changes: list[Change] = []
    largest: list[Differing] = []
    refused: str | None = None

    @property
    def more_fen(self) -> int:
        """What the new version costs more; negative where it costs less."""
        return self.after_fen - self.before_fen

    @property
    def more(self) -> int:
        """Households that would get more, or something at all."""
        return sum(c.more for c in self.changes)

    @property
    def less(self) -> int:
        """Households that would get less, or nothing."""
        return sum(c.less for c in self.changes)


async def costs(tx: Tx, actor: Actor, old: UUID, new: UUID, now: datetime) -> list[Cost]:
    """By each activation of the incident that has not ended, oldest first; among the households this transaction may see."""
    incident = (await zones.get(tx, old)).incident
    return [await _cost(tx, actor, act, old, new, now) for act in await activations.open_in(tx, incident)]


async def _cost(tx: Tx, actor: Actor, act: activations.Activation, old: UUID, new: UUID, now: datetime) -> Cost:
    stored = await playbooks.get(tx, act.playbook)
    named = f"{stored.key} {stored.version}"
    try:
        activate.check_bands(playbooks_.read(stored.body), [b.level for b in await activations.bands(tx, new)])
        found = await compare(tx, actor, act.incident, Scenario(old, act.playbook), Scenario(new, act.playbook), now)
    except Invalid as error:
        return Cost(act.id, named, refused=error.message)
    return _told(act.id, named, found)


def _told(activation: UUID, named: str, found: Comparison) -> Cost:
    return Cost(
        activation, named, found.before.households, found.after.households, found.before.amount_fen, found.after.amount_fen,
        [c for c in found.together if c.more or c.less or c.same], found.largest,
    )  # fmt: skip
