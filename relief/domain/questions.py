"""What a reporter asks at the door: what the activated playbooks can tell two households apart by, and nothing they do not need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from relief.domain.household import CIRCUMSTANCES
from relief.domain.rules import Playbook

#: A fact of a rule or a quantity of an amount → the question that answers it. Village, people, phone, account and place are always asked.
_FACTS: Final = {
    "collapsed": "rooms", "severe": "rooms", "moderate": "rooms", "room_collapsed": "rooms", "room_damaged": "rooms", "annex_only": "rooms",
    "dead": "casualties", "missing": "casualties", "injured": "casualties", "lost": "casualties",
    "relocated": "relocated", "only_home": "only_home", "occupied": "occupied", "in_need": "people_in_need", "away": "home_county",
}  # fmt: skip
#: In the order in which they are asked.
ORDER: Final = ("family", "rooms", "casualties", "relocated", "only_home", "occupied", "people_in_need", "home_county", "photos")


def questions(playbooks: Sequence[Playbook]) -> list[str]:
    """Question keys in order, then `circumstance.X` for each fact only a word answers. Without a playbook everything but seasons is asked."""
    if not playbooks:
        return [q for q in ORDER if q not in ("people_in_need", "home_county")]
    asked = {name for p in playbooks for name in _names(p)}
    found = {_FACTS[n] for n in asked if n in _FACTS} | ({"family"} if any(n.startswith("family.") for n in asked) else set())
    if any(d.kind == "damage_photo" for p in playbooks for a in p.aids for d in a.documents):
        found.add("photos")
    return [q for q in ORDER if q in found] + [f"circumstance.{c}" for c in CIRCUMSTANCES if c in asked]


def _names(playbook: Playbook) -> Iterable[str]:
    for aid in playbook.aids:
        yield aid.unit
        for gate in aid.gates:
            yield from (*gate.all, *gate.any, *gate.none)
        for rate in aid.rates:
            yield from (*rate.all, *rate.any)
        for extra in aid.extras:
            yield from (extra.per, *extra.all, *extra.any)
        for cap in aid.caps:
            yield cap.per
    yield from (r.when for r in playbook.referrals)
