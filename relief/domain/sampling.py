"""How a post-audit sample is spread over the strata of risk, and what its findings say about all payments.

A payment belongs to the first stratum that fits it. Riskier strata are looked at more closely, none is left out; within a stratum the
seed alone decides, so whoever has the seed draws the same sample again.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Final

import msgspec

#: Stratum → how much more closely it is looked at than an ordinary payment, most urgent first.
RISKS: Final[Mapping[str, int]] = {
    "disputed": 8,  # the household says the money did not come, or complained
    "shared": 6,  # the account is also somebody else's
    "corrected": 4,  # the account was corrected on the way
    "edge": 3,  # the house stands on a zone's border, within the accuracy of its point
    "large": 2,  # among the largest tenth
    "silent": 2,  # nobody has said that it came
    "ordinary": 1,
}


class Stratum(msgspec.Struct, frozen=True):
    """Payments in it and their fen, how many were drawn and examined, how many of those were wrong, by how many fen and its square."""

    payments: int
    examined: int
    wrong: int
    wrong_fen: int
    wrong_fen_squared: int


class Estimate(msgspec.Struct, frozen=True):
    """What all payments hold by extrapolation: wrong payments, wrong fen, and half the width of its 95 % interval."""

    wrong: float
    wrong_fen: int
    within_fen: int


def allocate(counts: Mapping[str, int], size: int) -> dict[str, int]:
    """How many to draw from each stratum: every one that holds payments gets one, the rest goes by payments × risk."""
    left = {s: n for s, n in counts.items() if n > 0}
    size = min(size, sum(left.values()))
    drawn = dict.fromkeys(sorted(left, key=list(RISKS).index)[:size], 1)
    while (rest := size - sum(drawn.values())) > 0:
        room = {s: n - drawn.get(s, 0) for s, n in left.items() if n > drawn.get(s, 0)}
        weight = {s: left[s] * RISKS[s] for s in room}
        shares = {s: rest * w // sum(weight.values()) for s, w in weight.items()}
        if not any(shares.values()):  # fewer left than strata: the riskiest first
            shares = {s: 1 for s in sorted(room, key=list(RISKS).index)[:rest]}
        for s, n in shares.items():
            drawn[s] = drawn.get(s, 0) + min(n, room[s])
    return drawn


def estimate(strata: Mapping[str, Stratum]) -> Estimate | None:
    """Stratified estimate (normal approximation, finite population); None until two of every stratum are examined, or all of it."""
    if not strata or any(s.examined < min(2, s.payments) for s in strata.values()):
        return None
    wrong = fen = variance = 0.0
    for s in strata.values():
        if not s.payments:
            continue
        n, mean = s.examined, s.wrong_fen / s.examined
        wrong += s.payments * s.wrong / n
        fen += s.payments * mean
        if n > 1:
            spread = max(0.0, (s.wrong_fen_squared - n * mean * mean) / (n - 1))
            variance += s.payments * (s.payments - n) * spread / n
    return Estimate(wrong, round(fen), round(1.96 * sqrt(variance)))
