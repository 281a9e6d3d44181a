"""A second, slow reading of playbooks: one household, one aid, straight from the rule text. It shares nothing with the product's engine."""

from __future__ import annotations

from typing import Any

from relief.domain.playbook import Aid, Extra, Gate, Playbook, Rate

House = dict[str, Any]
CIRCUMSTANCES = (
    "absent", "annex_only", "other_scheme", "rebuilt_before", "no_income", "no_means", "cannot_return", "heavy_costs",
    "need_water", "need_grain", "need_clothing", "need_heating",
)  # fmt: skip
FAMILIES = ("ordinary", "low_income", "low_income_margin", "extreme_hardship", "disabled", "orphan", "lone", "monitored")


def holds(name: str, house: House) -> bool:
    """Whether a fact is true of a household."""
    if name.startswith("family."):
        return bool(house["family"] == name.removeprefix("family."))
    if name in ("collapsed", "severe", "moderate"):
        return bool(house["rooms_" + name] >= 1)
    if name == "no_adult":
        return bool(house["adults"] == 0)
    if name in CIRCUMSTANCES:
        return name in house["circumstances"]
    return bool(house[name])  # dead, missing, injured and in_need are counts; relocated, only_home, occupied, away, checked are said


def quantity(name: str, house: House) -> int:
    """How often a figure is counted."""
    match name:
        case "person":
            return int(house["members"])
        case "household":
            return 1
        case "in_need":
            return int(house["in_need"])
        case "lost":
            return int(house["dead"]) + int(house["missing"])
        case "room_collapsed":
            return int(house["rooms_collapsed"])
    assert name == "room_damaged"
    return int(house["rooms_severe"]) + int(house["rooms_moderate"])


def meets(rule: Rate | Extra, house: House) -> bool:
    """Whether a special rate or an extra is for this household."""
    if not rule.members_from <= house["members"] <= rule.members_to:
        return False
    return all(holds(n, house) for n in rule.all) and (not rule.any or any(holds(n, house) for n in rule.any))


def gate(found: Gate, house: House) -> tuple[bool, list[str]]:
    """Whether a household passes, and what was found at the gate."""
    why, passes = [], True
    for name in found.all:
        why.append(f"has.{name}" if holds(name, house) else f"lacks.{name}")
        passes = passes and holds(name, house)
    if found.any:
        met = [n for n in found.any if holds(n, house)]
        why += [f"has.{n}" for n in met] or ["need.none"]
        passes = passes and bool(met)
    for name in found.none:
        if holds(name, house):
            why.append(f"barred.{name}")
            passes = False
    return passes, why


def before_caps(aid: Aid, figures: dict[str, int], house: House) -> tuple[int, list[str]]:
    """Fen by the rules, without the caps."""
    why = []
    if aid.mode == "C":
        adopted = int(house["adopted"].get(aid.code, 0))
        return adopted, ["minutes.adopted" if adopted else "minutes.none"]
    figure = aid.figure
    for rate in aid.rates:
        if meets(rate, house):
            figure = rate.figure
            why.append(f"rate.{figure}")
            break
    total = figures[figure] * aid.days * quantity(aid.unit, house)
    for extra in aid.extras:
        more = figures[extra.figure] * quantity(extra.per, house) * extra.times
        if meets(extra, house) and more:
            total += more
            why.append(f"extra.{extra.figure}")
    return total, why


def read_plainly(book: Playbook, aid: Aid, figures: dict[str, int], house: House) -> tuple[int, set[str], bool]:
    """Amount in fen, reasons, and whether a cap is what binds."""
    why = {"zone.edge"} if house["edge"] else set()
    if house["level"] == 0:
        return 0, why | {"zone.outside"}, False
    if house["level"] in [b.level for b in book.bands]:
        why.add(f"band.{house['level']}")
    gates = [g for g in aid.gates if house["level"] in g.levels]
    if not gates:
        return 0, why | {"gate.none"}, False
    passes, found = gate(gates[0], house)
    why |= set(found)
    if not passes:
        return 0, why, False
    total, rules = before_caps(aid, figures, house)
    why |= set(rules)
    limits = {c.figure: figures[c.figure] * c.times * quantity(c.per, house) for c in aid.caps}
    amount = min([total, *limits.values()])
    binding = {f"cap.{k}" for k, limit in limits.items() if limit == amount and limit < total}
    why |= binding
    if amount == 0 and "minutes.none" not in why:
        why.add("amount.none")
    if house["away"]:
        why.add("home.elsewhere")
    if house["checked"] and aid.procedure and aid.procedure.visit == "skip_if_checked":
        why.add("visit.checked")
    if aid.code in house["held"]:
        return 0, why | {"guard.held"}, False
    return amount, why, bool(binding)
