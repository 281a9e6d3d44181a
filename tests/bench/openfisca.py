"""The two aids of the earthquake playbook as an OpenFisca rule system: one variable each, formulas over whole columns as its idiom is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from openfisca_core.entities import Entity
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from relief.domain.facts import FAMILY_CODES, Facts
from relief.domain.household import CIRCUMSTANCES

_MONTH: Final = "2022-09"
_HOUSE: Final = Entity("household", "households", "household", "")
_ASKED: Final = (
    "level", "members", "dead", "missing", "injured", "rooms_collapsed", "rooms_severe", "rooms_moderate", "relocated", "only_home", "occupied",
    "family", "circumstances",
)  # fmt: skip
_HARDSHIP: Final = tuple(FAMILY_CODES.index(f) for f in ("low_income", "extreme_hardship", "disabled", "orphan", "lone"))
_BIT: Final = {name: 1 << n for n, name in enumerate(CIRCUMSTANCES)}


def _variable(name: str, kind: type, formula: Any = None) -> type[Variable]:
    fields = {"value_type": kind, "entity": _HOUSE, "definition_period": DateUnit.MONTH, "label": name}
    return type(name, (Variable,), {**fields, "formula": formula} if formula else fields)


class Peer:
    """The rule system with a register's columns as its input; `amounts` after `calculate` (fen)."""

    def __init__(self, figures: Mapping[str, int], known: Facts) -> None:
        self.figures, self.known = figures, known
        self.system = TaxBenefitSystem([_HOUSE])
        for name in _ASKED:
            self.system.add_variable(_variable(name, bool if getattr(known, name).dtype == np.bool_ else int))
        self.system.add_variable(_variable("EMERG", float, self._emergency()))
        self.system.add_variable(_variable("HOUSE", float, self._rebuilding()))
        self.amounts: dict[str, Any] = {}

    def calculate(self) -> None:
        """Both aids for everybody, from a fresh simulation."""
        simulation = SimulationBuilder().build_default_simulation(self.system, count=self.known.rows)
        for name in _ASKED:
            simulation.set_input(name, _MONTH, getattr(self.known, name))
        self.amounts = {aid: np.rint(simulation.calculate(aid, _MONTH)).astype(np.int64) for aid in ("EMERG", "HOUSE")}

    def _emergency(self) -> Any:
        day, dibao, most = (self.figures[k] for k in ("EMERG.per_person_day", "DIBAO.month", "ADVANCE.household"))

        def formula(household: Any, period: Any) -> Any:
            level, members = household("level", period), household("members", period)
            hard = household("relocated", period) | (household("rooms_collapsed", period) > 0) | (household("rooms_severe", period) > 0)
            any_need = hard | (household("rooms_moderate", period) > 0) | (household("injured", period) > 0)
            any_need = any_need | (household("dead", period) > 0) | (household("missing", period) > 0)
            there = (household("circumstances", period) & _BIT["absent"]) == 0
            entitled = there & ((level >= 7) & any_need | (level == 6) & hard)
            return entitled * np.minimum(np.minimum(day * 15 * members, dibao * members), most)

        return formula

    def _rebuilding(self) -> Any:
        base, medium, large, poor = (self.figures[f"HOUSE.{k}"] for k in ("rebuild", "medium_family", "large_family", "hardship"))
        barred = _BIT["annex_only"] | _BIT["other_scheme"] | _BIT["rebuilt_before"]

        def formula(household: Any, period: Any) -> Any:
            members = household("members", period)
            lost = (household("rooms_collapsed", period) > 0) & household("only_home", period) & household("occupied", period)
            entitled = lost & (household("level", period) >= 6) & ((household("circumstances", period) & barred) == 0)
            more = (
                ((members >= 4) & (members <= 5)) * medium + (members >= 6) * large + np.isin(household("family", period), _HARDSHIP) * poor
            )
            return entitled * (base + more)

        return formula
