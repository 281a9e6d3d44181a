"""The columns say what an independent, plain reading of the playbook says, one household at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from relief.domain import playbook
from relief.domain.entitlement import decide
from relief.domain.facts import PREDICATES, Facts
from relief.domain.facts import facts as as_facts
from relief.domain.grouping import distinct
from relief.domain.playbook import Cap, Extra, Gate, Playbook, Rate
from relief.domain.reasons import explain
from tests.domain.plainly import CIRCUMSTANCES, FAMILIES, House, read_plainly
from tests.make import ROOT

SHIPPED = [playbook.read(p.read_text("utf-8")) for p in sorted((ROOT / "playbooks").glob("*.toml")) if not p.name.endswith(".cases.toml")]
BOOK = next(b for b in SHIPPED if b.key == "earthquake")
COUNTS = ("dead", "missing", "injured", "rooms_collapsed", "rooms_severe", "rooms_moderate", "in_need")
FLAGS = ("edge", "relocated", "only_home", "occupied", "away", "checked")
CODES = ("EMERG", "HOUSE", "TEMP", "CASE")
QUANTITIES = ("person", "household", "in_need", "lost", "room_collapsed", "room_damaged")
NAMES = tuple(PREDICATES)
KEYS = ("A.one", "B.two", "C.three", "D.four")

FIELDS: dict[str, Any] = {
    "level": st.sampled_from([0, 1, 6, 7, 8, 9]),
    "members": st.integers(1, 30) | st.integers(1, 4),
    "adults": st.integers(0, 2),
    "family": st.sampled_from(FAMILIES),
    "circumstances": st.sets(st.sampled_from(CIRCUMSTANCES)),
    "held": st.sets(st.sampled_from(CODES)),
    "adopted": st.dictionaries(st.sampled_from(CODES), st.integers(0, 10**12) | st.integers(0, 200_000), max_size=2),
    **{n: st.integers(0, 2) for n in COUNTS},
    **{n: st.booleans() for n in FLAGS},
}
houses = st.fixed_dictionaries(FIELDS)
fen = st.integers(0, 10**11) | st.integers(0, 300_000)
names = st.lists(st.sampled_from(NAMES), unique=True, max_size=4).map(tuple)
key = st.sampled_from(KEYS)
sizes = st.integers(1, 30) | st.integers(1, 4)
conditions: dict[str, Any] = {"all": names.map(lambda n: n[:2]), "any": names, "members_from": sizes, "members_to": sizes | st.just(30)}
rates = st.lists(st.builds(Rate, key, **conditions), max_size=3).map(tuple)
extras = st.lists(
    st.builds(Extra, key, st.sampled_from(QUANTITIES), st.integers(1, 366), **conditions), max_size=3, unique_by=lambda e: e.figure
).map(tuple)
caps = st.lists(st.builds(Cap, key, st.sampled_from(QUANTITIES), st.integers(1, 366)), max_size=3, unique_by=lambda c: c.figure).map(tuple)


@st.composite
def gates(draw: st.DrawFn) -> tuple[Gate, ...]:
    made, free = [], [1, 6, 7, 8, 9]
    for _ in range(draw(st.integers(1, 3))):
        if free:
            levels = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
            asked = draw(st.permutations(NAMES))[: draw(st.integers(1, 7))]
            cut, end = draw(st.integers(0, len(asked))), draw(st.integers(0, len(asked)))
            made.append(Gate(tuple(levels), tuple(asked[:cut]), tuple(asked[cut : max(cut, end)]), tuple(asked[max(cut, end) :])))
            free = [f for f in free if f not in levels]
    return tuple(made)


@st.composite
def books(draw: st.DrawFn) -> Playbook:
    """Playbooks other than the shipped ones: any gates, rates, extras, caps, quantities and modes."""
    aids = []
    for code in CODES[: draw(st.integers(1, 4))]:
        rules: dict[str, Any] = {"gates": draw(gates()), "rates": draw(rates), "extras": draw(extras), "caps": draw(caps)}
        aids.append(
            replace(
                BOOK.aids[0], code=code, mode=draw(st.sampled_from("ABC")), unit=draw(st.sampled_from(QUANTITIES)), figure=draw(key),
                days=draw(st.integers(1, 366)), **rules,
            )
        )  # fmt: skip
    return replace(BOOK, aids=tuple(aids))


def columns(rows: list[House]) -> Facts:
    def column(name: str, kind: Any) -> Any:
        return np.array([r[name] for r in rows], kind)

    bits = np.array([sum(1 << CIRCUMSTANCES.index(c) for c in r["circumstances"]) for r in rows], np.int32)
    family = np.array([FAMILIES.index(r["family"]) for r in rows], np.int16)
    return as_facts(
        {n: column(n, np.int16) for n in ("level", "members", "adults", *COUNTS)} | {n: column(n, np.bool_) for n in FLAGS}
        | {"circumstances": bits, "family": family},
        held={aid: np.array([aid in r["held"] for r in rows], np.bool_) for aid in CODES},
        adopted={aid: np.array([r["adopted"].get(aid, 0) for r in rows], np.int64) for aid in CODES},
    )  # fmt: skip


any_book = st.sampled_from(SHIPPED) | books()
some_rows = st.lists(houses, min_size=1, max_size=12)
one_amount_each = st.dictionaries(st.sampled_from(sorted({*KEYS, *(k for b in SHIPPED for k in b.figure_keys)})), fen, max_size=12)


def agree(book: Playbook, given_amounts: dict[str, int], rows: list[House]) -> None:
    figures = {k: given_amounts.get(k, 7_300) for k in (*KEYS, *book.figure_keys)}
    verdicts = decide(book, figures, columns(rows))
    for aid in book.aids:
        verdict = verdicts[aid.code]
        for i, house in enumerate(rows):
            amount, why, capped = read_plainly(book, aid, figures, house)
            assert int(verdict.amount_fen[i]) == amount
            assert sorted(verdict.why(i)) == sorted(why)
            assert bool(verdict.capped[i]) == capped
            assert all(t.zh and t.en for t in explain(verdict.why(i), book))


@settings(max_examples=25, deadline=None)
@given(book=any_book, amounts=one_amount_each, rows=some_rows)
def test_columns_agree_with_a_plain_reading(book: Playbook, amounts: dict[str, int], rows: list[House]) -> None:
    agree(book, amounts, rows)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(book=any_book, amounts=one_amount_each, rows=some_rows)
def test_columns_agree_with_a_plain_reading_of_many_more(book: Playbook, amounts: dict[str, int], rows: list[House]) -> None:
    agree(book, amounts, rows)


IN_NEED: House = {
    "members": 3, "adults": 1, "family": "low_income", "circumstances": {"no_means", "no_income", "need_water", "need_grain"}, "held": set(),
    "adopted": {"CASE": 100_000}, **dict.fromkeys(COUNTS, 1), **dict.fromkeys(FLAGS, True), "rooms_severe": 0, "edge": False, "away": False, "checked": False,
}  # fmt: skip
OTHERWISE: House = {
    "members": 7, "adults": 0, "family": "ordinary", "circumstances": {"no_means", "absent"}, "held": {"EMERG", "TEMP", "HOUSE"},
    "adopted": {"CASE": 1}, **dict.fromkeys(COUNTS, 0), **dict.fromkeys(FLAGS, False), "rooms_severe": 2, "edge": True, "away": True, "checked": True,
}  # fmt: skip


@pytest.mark.parametrize("book", SHIPPED, ids=lambda b: b.key)
def test_households_that_differ_in_one_thing_only_are_not_taken_for_one(book: Playbook) -> None:
    """Whatever a rule or a reason can see tells two households apart, however alike they are otherwise."""
    base = {**IN_NEED, "level": book.bands[-1].level}
    agree(book, {}, [base, {**base, "level": 0}, *({**base, name: other} for name, other in OTHERWISE.items())])


@settings(max_examples=25, deadline=None)
@given(book=st.sampled_from(SHIPPED), amount=fen, rows=st.lists(houses, min_size=1, max_size=20))
def test_one_household_is_a_column_of_length_one(book: Playbook, amount: int, rows: list[House]) -> None:
    figures = dict.fromkeys(book.figure_keys, amount)
    together = decide(book, figures, columns(rows))
    for i, row in enumerate(rows):
        alone = decide(book, figures, columns([row]))
        for aid in together:
            assert alone[aid].why(0) == together[aid].why(i)
            assert alone[aid].amount_fen[0] == together[aid].amount_fen[i]


@settings(max_examples=25, deadline=None)
@given(amount=fen, rows=st.lists(houses, max_size=60))
def test_outcomes_are_the_distinct_pairs_and_lose_nothing(amount: int, rows: list[House]) -> None:
    for verdict in decide(BOOK, dict.fromkeys(BOOK.figure_keys, amount), columns(rows)).values():
        index, amounts_, reasons_ = verdict.outcomes()
        pairs = list(zip(amounts_, reasons_, strict=True))
        assert len(set(pairs)) == len(pairs)
        assert [pairs[i] for i in index] == [(int(verdict.amount_fen[i]), verdict.why(i)) for i in range(len(rows))]
        assert sum(verdict.count_reasons().values()) == sum(len(pairs[i][1]) for i in index)


def test_no_household_is_a_column_of_length_nothing() -> None:
    assert all(len(v.amount_fen) == 0 and v.table == () for v in decide(BOOK, dict.fromkeys(BOOK.figure_keys, 100), columns([])).values())


def test_more_than_thirty_two_reasons_are_told_apart() -> None:
    """Facts, exclusions, rates and extras of all kinds at once: more codes than a machine word of marks."""
    aid = replace(
        BOOK.aids[0], gates=(Gate((6, 7), all=NAMES[:12], any=NAMES[12:20], none=NAMES[20:]), Gate((8, 9), all=NAMES)),
        rates=tuple(Rate("A.one", members_from=n, members_to=n) for n in range(2, 6)),
    )  # fmt: skip
    book, figures = replace(BOOK, aids=(aid,)), dict.fromkeys([*BOOK.figure_keys, *KEYS], 100)
    usual: House = {"adults": 0, "family": "lone", "held": set(), "adopted": {}, **dict.fromkeys(COUNTS, 1), **dict.fromkeys(FLAGS, True)}
    some, everything = set(CIRCUMSTANCES[::2]), set(CIRCUMSTANCES)
    rows = [{**usual, "level": n, "members": n or 1, "circumstances": c} for n in (0, 6, 7, 8, 9) for c in (set(), some, everything)]
    verdict = decide(book, figures, columns(rows))["EMERG"]
    for i, row in enumerate(rows):
        assert set(verdict.why(i)) == read_plainly(book, aid, figures, row)[1]


@settings(max_examples=50, deadline=None)
@given(columns=st.lists(st.lists(st.integers(0, 10**12) | st.integers(0, 3), min_size=7, max_size=7), max_size=12))
def test_rows_are_of_one_group_exactly_when_all_columns_agree(columns: list[list[int]]) -> None:
    group, one = distinct([np.array(c) for c in columns], 7)
    rows = list(zip(*columns, strict=True)) if columns else [()] * 7
    for i in range(7):
        assert rows[one[group[i]]] == rows[i]
        assert [bool(group[i] == group[j]) for j in range(7)] == [rows[i] == rows[j] for j in range(7)]
    assert len(one) == len(set(rows))


@pytest.mark.parametrize("book", SHIPPED, ids=lambda b: b.key)
def test_every_sign_a_playbook_can_show_is_called_by_its_own_words(book: Playbook) -> None:
    named = {f"{kind}.{f.key}": f.title for f in book.figures for kind in ("rate", "extra", "cap")}
    for code, title in named.items():
        (text,) = explain([code], book)
        assert title.zh in text.zh
        assert title.en in text.en
