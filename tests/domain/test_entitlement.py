"""The columns say what an independent, plain reading of the playbook says, one household at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from relief.domain import playbook
from relief.domain.entitlement import decide
from relief.domain.facts import Facts
from relief.domain.facts import facts as as_facts
from relief.domain.playbook import Aid, Cap, Gate, Playbook
from relief.domain.reasons import explain

BOOK = playbook.read((Path(__file__).resolve().parents[2] / "playbooks" / "earthquake.toml").read_text("utf-8"))
COUNTS = ("dead", "missing", "injured", "rooms_collapsed", "rooms_severe", "rooms_moderate")
FLAGS = ("edge", "relocated", "only_home", "occupied")
FAMILIES = ("ordinary", "low_income", "low_income_margin", "extreme_hardship", "disabled")
NAMES = ("collapsed", "severe", "moderate", "dead", "missing", "injured", "relocated", "only_home", "occupied", "family.low_income")

House = dict[str, Any]


def read_plainly(book: Playbook, aid: Aid, figures: dict[str, int], house: House) -> tuple[int, list[str], bool]:
    """Second, slow interpreter: amount in fen, reasons as a set in a list, capped. Shares nothing with the first."""
    if house["level"] == 0:
        return 0, ["zone.outside"] + ["zone.edge"] * house["edge"], False
    why = [f"band.{house['level']}"] if house["level"] in [b.level for b in book.bands] else []
    why += ["zone.edge"] * house["edge"]
    gates = [g for g in aid.gates if house["level"] in g.levels]
    if not gates:
        return 0, [*why, "gate.none"], False
    (gate,) = gates
    met = [n for n in (*gate.all, *gate.any) if _holds(n, house)]
    lacks = [n for n in gate.all if n not in met]
    nothing = bool(gate.any) and not set(gate.any) & set(met)
    why += [f"has.{n}" for n in met] + [f"lacks.{n}" for n in lacks] + ["need.none"] * nothing
    if lacks or nothing:
        return 0, why, False
    heads = house["members"] if aid.unit == "person" else 1
    full = figures[aid.figure] * aid.days * heads
    if full == 0:
        return 0, [*why, "amount.none"] + ["guard.held"] * (aid.code in house["held"]), False
    limits = {c.figure: figures[c.figure] * (house["members"] if c.per == "person" else 1) for c in aid.caps}
    amount = min([full, *limits.values()])
    why += ["amount.none"] * (amount == 0)
    binding = [f"cap.{k}" for k, limit in limits.items() if limit == amount < full]
    if aid.code in house["held"]:
        return 0, [*why, *binding, "guard.held"], False
    return amount, why + binding, bool(binding)


def _holds(name: str, house: House) -> bool:
    if name.startswith("family."):
        return bool(house["family"] == FAMILIES.index(name[7:]))
    if name in ("collapsed", "severe", "moderate"):
        return bool(house["rooms_" + name] > 0)
    return bool(house[name])


houses = st.fixed_dictionaries(
    {
        "level": st.sampled_from([0, 6, 7, 8, 9]),
        "members": st.integers(1, 30),
        "adults": st.integers(0, 30),
        "family": st.integers(0, 4),
        "held": st.sets(st.sampled_from(["EMERG", "HOUSE"])),
        **{n: st.integers(0, 2) for n in COUNTS},
        **{n: st.booleans() for n in FLAGS},
    }
)
amounts = st.fixed_dictionaries({k: st.integers(0, 10**11) | st.integers(0, 300_000) for k in BOOK.figure_keys})
names = st.lists(st.sampled_from(NAMES), unique=True, max_size=10)


@st.composite
def books(draw: st.DrawFn) -> Playbook:
    """Playbooks other than the shipped one: any gates, any caps."""
    aids = []
    for aid in BOOK.aids:
        gates, free = [], [6, 7, 8, 9]
        for _ in range(draw(st.integers(1, 3))):
            if free:
                levels = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
                asked = draw(names.filter(bool))
                cut = draw(st.integers(0, len(asked)))
                gates.append(Gate(tuple(levels), tuple(asked[:cut]), tuple(asked[cut:])))
                free = [f for f in free if f not in levels]
        caps = draw(
            st.lists(
                st.builds(Cap, st.sampled_from(BOOK.figure_keys), st.sampled_from(["person", "household"])),
                max_size=3,
                unique_by=lambda c: c.figure,
            )
        )
        aids.append(replace(aid, gates=tuple(gates), caps=tuple(caps), days=draw(st.integers(1, 366))))
    return replace(BOOK, aids=tuple(aids))


def columns(rows: list[House]) -> Facts:
    def column(name: str, kind: Any) -> Any:
        return np.array([r[name] for r in rows], kind)

    return as_facts(
        {n: column(n, np.int16) for n in ("level", "members", "adults", "family", *COUNTS)} | {n: column(n, np.bool_) for n in FLAGS},
        held={aid: np.array([aid in r["held"] for r in rows], np.bool_) for aid in ("EMERG", "HOUSE")},
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(book=st.just(BOOK) | books(), figures=amounts, rows=st.lists(houses, min_size=1, max_size=30))
def test_columns_agree_with_a_plain_reading(book: Playbook, figures: dict[str, int], rows: list[House]) -> None:
    verdicts = decide(book, figures, columns(rows))
    for aid in book.aids:
        verdict = verdicts[aid.code]
        for i, house in enumerate(rows):
            amount, why, capped = read_plainly(book, aid, figures, house)
            assert int(verdict.amount_fen[i]) == amount
            assert sorted(verdict.why(i)) == sorted(why)
            assert bool(verdict.capped[i]) == capped
            assert all(t.zh and t.en for t in explain(verdict.why(i)))


@settings(max_examples=50, deadline=None)
@given(figures=amounts, rows=st.lists(houses, min_size=1, max_size=40))
def test_one_household_is_a_column_of_length_one(figures: dict[str, int], rows: list[House]) -> None:
    together = decide(BOOK, figures, columns(rows))
    for i, row in enumerate(rows):
        alone = decide(BOOK, figures, columns([row]))
        for aid in together:
            assert alone[aid].why(0) == together[aid].why(i)
            assert alone[aid].amount_fen[0] == together[aid].amount_fen[i]


@settings(max_examples=50, deadline=None)
@given(figures=amounts, rows=st.lists(houses, max_size=60))
def test_outcomes_are_the_distinct_pairs_and_lose_nothing(figures: dict[str, int], rows: list[House]) -> None:
    for verdict in decide(BOOK, figures, columns(rows)).values():
        index, amounts_, reasons_ = verdict.outcomes()
        pairs = list(zip(amounts_, reasons_, strict=True))
        assert len(set(pairs)) == len(pairs)
        assert [pairs[i] for i in index] == [(int(verdict.amount_fen[i]), verdict.why(i)) for i in range(len(rows))]
        assert sum(verdict.count_reasons().values()) == sum(len(pairs[i][1]) for i in index)


def test_no_household_is_a_column_of_length_nothing() -> None:
    assert all(len(v.amount_fen) == 0 and v.table == () for v in decide(BOOK, dict.fromkeys(BOOK.figure_keys, 100), columns([])).values())


def test_more_than_thirty_two_reasons_are_told_apart() -> None:
    gates = tuple(Gate((level,), all=NAMES, any=()) for level in (6, 7, 8, 9))
    aid = replace(BOOK.aids[0], gates=gates)
    book = replace(BOOK, aids=(aid,))
    usual: House = {"members": 2, "adults": 1, "family": 1, "held": set(), **dict.fromkeys(COUNTS, 1), **dict.fromkeys(FLAGS, True)}
    rows = [{**usual, "level": level, "dead": dead} for level in (0, 6, 7, 8, 9) for dead in (0, 1)]
    verdict = decide(book, dict.fromkeys(BOOK.figure_keys, 100), columns(rows))["EMERG"]
    for i, row in enumerate(rows):
        assert sorted(verdict.why(i)) == sorted(read_plainly(book, aid, dict.fromkeys(BOOK.figure_keys, 100), row)[1])
