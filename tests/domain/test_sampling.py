"""Samples spread over strata of risk."""

from __future__ import annotations

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from relief.domain.sampling import RISKS, Stratum, allocate, estimate


@given(st.dictionaries(st.sampled_from(list(RISKS)), st.integers(0, 500)), st.integers(1, 1_000))
def test_a_sample_has_its_size_and_leaves_no_stratum_out(counts: dict[str, int], size: int) -> None:
    drawn = allocate(counts, size)
    held = {s: n for s, n in counts.items() if n}
    assert sum(drawn.values()) == min(size, sum(held.values()))
    assert all(0 < n <= held[s] for s, n in drawn.items())
    if size >= len(held):
        assert set(drawn) == set(held)
    else:
        assert list(drawn) == [s for s in RISKS if s in held][:size], "the riskiest first"


def test_risk_is_looked_at_more_closely() -> None:
    drawn = allocate({"disputed": 100, "ordinary": 800}, 101)
    assert drawn == {"disputed": 51, "ordinary": 50}


def test_an_estimate_weighs_each_stratum_by_its_payments() -> None:
    assert estimate({"ordinary": Stratum(1_000, 0, 0, 0, 0)}) is None
    found = estimate({"disputed": Stratum(10, 10, 2, 2_000, 2_000_000), "ordinary": Stratum(1_000, 100, 1, 500, 250_000)})
    assert found is not None
    assert isclose(found.wrong, 2 + 10)
    assert found.wrong_fen == 2_000 + 5_000
    assert found.within_fen == round(1.96 * (1_000 * 900 * ((250_000 - 100 * 5 * 5) / 99) / 100) ** 0.5), (
        "what is examined whole adds no doubt"
    )
