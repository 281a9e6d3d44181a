"""What is kept with a decision decides it again, what is told adds up, and no difference between two versions is overlooked."""

from __future__ import annotations

import itertools
from datetime import date

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from relief.domain import explanation, forecast
from relief.domain.entitlement import decide
from relief.domain.errors import Invalid
from relief.domain.facts import COLUMNS, FAMILY_CODES
from relief.domain.household import CIRCUMSTANCES
from relief.domain.playbook import Playbook
from relief.domain.revision import revise
from relief.domain.rules import Text
from relief.domain.snapshot import again, alike
from relief.domain.standard import Figures, Standard
from relief.domain.standard import again as figures_again
from relief.domain.supposed import Group, suppose
from tests.domain.plainly import House
from tests.domain.test_entitlement import BOOK, KEYS, SHIPPED, any_book, books, columns, fen, houses
from tests.make import NOW

pytestmark = pytest.mark.slow

some = st.lists(houses, min_size=1, max_size=12)
standards = st.builds(
    Standard, key=st.sampled_from(KEYS), area=st.just("51"), amount_fen=fen, valid_from=st.just(date(2020, 1, 1)), valid_to=st.none(),
    document=st.text(max_size=5), verified=st.booleans(),
)  # fmt: skip


def kept(rows: list[House], aid: str, held: bool) -> tuple[list[dict[str, object]], list[int]]:
    """Snapshots of the distinct kinds, as the database gives them back, and every row's kind."""
    found = alike(columns(rows))
    return [msgspec.json.decode(t) for t in found.closed(found.written(), aid, held)], found.kind.tolist()


@settings(max_examples=12, deadline=None)
@given(book=any_book, rows=some, amount=fen, held=st.booleans())
def test_what_is_kept_decides_it_again_exactly(book: Playbook, rows: list[House], amount: int, held: bool) -> None:
    figures = dict.fromkeys((*KEYS, *book.figure_keys), amount)
    everyone = {a.code: np.full(len(rows), held) for a in book.aids}
    first = decide(book, figures, replace(columns(rows), held=everyone))
    for aid in book.aids:
        snapshots, kind = kept(rows, aid.code, held)
        later = decide(book, figures, again(snapshots, aid.code))[aid.code]
        for i, k in enumerate(kind):
            assert (later.amount_fen[k], later.why(k)) == (first[aid.code].amount_fen[i], first[aid.code].why(i))


def test_households_alike_are_one_kind_and_a_fact_nobody_knew_of_counts_as_none() -> None:
    row = dict(
        level=8, members=3, adults=2, family="ordinary", circumstances=set(), held=set(), adopted={}, dead=0, missing=0, injured=0,
        rooms_collapsed=1, rooms_severe=0, rooms_moderate=0, in_need=0, edge=False, relocated=True, only_home=True, occupied=True, away=False, checked=False,
    )  # fmt: skip
    found = alike(columns([row, row, {**row, "members": 4}]))
    assert (found.kinds.rows, len(set(found.kind[:2].tolist()))) == (2, 1)
    old = {k: v for k, v in kept([row], "EMERG", False)[0][0].items() if k != "held"}
    assert not {"circumstances", "in_need", "away", "checked"} & set(old)
    assert all((getattr(again([old], "EMERG"), n) == getattr(columns([row]), n)).all() for n in COLUMNS)


@settings(max_examples=20, deadline=None)
@given(book=any_book, row=houses, amounts=st.lists(fen, min_size=1, max_size=6))
def test_the_working_told_is_the_amount_decided(book: Playbook, row: House, amounts: list[int]) -> None:
    keys = list(dict.fromkeys((*KEYS, *book.figure_keys)))
    figures = Figures(tuple(Standard(k, "51", amounts[i % len(amounts)], NOW.date(), None, "文号", True) for i, k in enumerate(keys)))
    for aid in book.aids:
        verdict = decide(book, figures.amounts, columns([{**row, "held": set()}]))[aid.code]
        (snapshot,), _ = kept([{**row, "held": set()}], aid.code, False)
        total, codes = int(verdict.amount_fen[0]), verdict.why(0)
        steps = explanation.working(aid, figures, snapshot, codes, total)
        if total == 0:
            assert steps == []
            continue
        words = [s.says.en for s in steps]
        full = sum(s.fen for s, w in zip(steps, words, strict=True) if w in ("figure × quantity", "added", "adopted by the meeting"))
        assert steps[-1].fen == total == min([full, *(s.fen for s, w in zip(steps, words, strict=True) if w == "capped at")])
        told = explanation.stated(snapshot)
        assert all(s.label.zh and s.label.en and s.value.zh and s.value.en for s in told)
        assert {s.key for s in told} == set(snapshot)


@settings(max_examples=20, deadline=None)
@given(st.lists(standards, max_size=6))
def test_figures_read_back_are_the_same_figures(found: list[Standard]) -> None:
    figures = Figures(tuple(sorted(found, key=lambda s: s.key)))
    assert figures_again(figures.written()) == figures
    assert figures_again(figures.written()).digest() == figures.digest()


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_no_difference_between_two_versions_is_overlooked(data: st.DataObject) -> None:
    old, new = data.draw(books()), data.draw(books())
    found = revise(old, new)
    assert bool(found) == (old != new)
    assert revise(old, old) == []
    back = revise(new, old)
    assert {(r.path, r.before, r.after) for r in found if r.state == "changed"} == {
        (r.path, r.after, r.before) for r in back if r.state == "changed"
    }
    assert {r.path for r in found if r.state == "added"} == {r.path for r in back if r.state == "removed"}
    assert all(r.where.zh and r.where.en for r in found)


def test_a_difference_is_said_in_words() -> None:
    emerg, house = BOOK.aid("EMERG"), BOOK.aid("HOUSE")
    changed = replace(BOOK, aids=(replace(emerg, days=20, caps=emerg.caps[:-1]), house))
    lines = {(r.state, r.where.zh, r.where.en): (r.before, r.after) for r in revise(BOOK, changed)}
    assert lines["changed", "救助 EMERG 应急期救助 › 天数", "aid EMERG (Emergency aid) › days"] == (Text("15", "15"), Text("20", "20"))
    (lost,) = [k for k in lines if k[0] == "removed"]
    assert lost[1].startswith("救助 EMERG 应急期救助 › 封顶 ")
    assert len(lines) == 2
    fewer = revise(BOOK, replace(BOOK, aids=(emerg,)))
    assert [(r.state, r.path) for r in fewer] == [("removed", "aids[HOUSE]")]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(houses, st.integers(1, 50), st.integers(0, 2)), min_size=1, max_size=12))
def test_the_table_of_a_preview_is_what_counting_by_hand_gives(rows: list[tuple[House, int, int]]) -> None:
    known = columns([h for h, _, _ in rows])
    weight, place = np.array([w for _, w, _ in rows]), np.array([p for _, _, p in rows])
    rank = np.where(known.level == 0, -1, 9 - known.level.astype(np.int64))
    amounts = {"EMERG": np.where(known.level > 0, known.members.astype(np.int64) * 100, 0)}
    table = forecast.cells(place, rank, known, weight, amounts)
    for cell in table:
        here = [
            i for i, (h, _, p) in enumerate(rows) if (p, 9 - h["level"], h["family"]) == (cell.place, cell.rank, cell.family) and h["level"]
        ]
        assert cell.households == sum(rows[i][1] for i in here)
        assert cell.people == sum(rows[i][1] * rows[i][0]["members"] for i in here)
        assert cell.amount_fen == sum(rows[i][1] * rows[i][0]["members"] * 100 for i in here)
    assert sum(c.amount_fen for c in table) == int((weight * amounts["EMERG"]).sum())
    stages = forecast.stages([BOOK.aid("EMERG")], weight, amounts, NOW)
    assert sum(s.amount_fen for s in stages) == sum(c.amount_fen for c in table)


def test_the_odd_one_out_is_the_strangest_with_its_rare_facts() -> None:
    plain = dict(level=8, people=3, relocated=True)
    groups = [Group("513322", households=1_000, **{**plain, "people": 3_000}), Group("513322", **{**plain, "people": 9}, injured=2)]
    found = suppose(groups)
    first = forecast.strangest(found.known, found.weight, 1)[0]
    assert found.group[first.row] == 1
    assert {(r.fact, r.value) for r in first.rare} >= {("members", 9), ("injured", 2)}
    assert first.rare[0].per_10_000 == 10


@given(st.integers(1, 40), st.integers(0, 200), st.integers(0, 60), st.sampled_from(FAMILY_CODES))
def test_counts_by_hand_are_spread_evenly_and_lose_nobody(households: int, extra: int, rooms: int, family: str) -> None:
    people = households + min(extra, 29 * households)
    found = suppose([Group("513322", 8, people, households, rooms_collapsed=rooms, family=family, circumstances=["no_income"])])  # type: ignore[arg-type]
    assert int(found.weight.sum()) == households
    for name, total in (("members", people), ("adults", people), ("rooms_collapsed", rooms)):
        column = getattr(found.known, name)
        assert int((column * found.weight).sum()) == total
        assert column.max() - column.min() <= 1
    assert set(found.known.circumstances.tolist()) == {1 << list(CIRCUMSTANCES).index("no_income")}


def test_nobody_at_all_is_refused() -> None:
    with pytest.raises(Invalid):
        suppose([])


def test_every_shipped_playbook_tells_its_difference_from_every_other() -> None:
    for old, new in itertools.pairwise(SHIPPED):
        assert revise(old, new)
        assert revise(old, old) == []
