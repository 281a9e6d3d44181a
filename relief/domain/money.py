"""Money is a whole number of fen (1 yuan = 100 fen). No float ever touches it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from relief.domain.errors import Invalid

_YUAN = re.compile(r"(0|[1-9][0-9]{0,12})\.([0-9]{2})")


def yuan(fen: int) -> str:
    """Plain yuan with two decimals, as bank files want it: 123456 fen → '1234.56'."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole}.{rest:02d}"


def display(fen: int) -> str:
    """Yuan for people, with thousands separators: '12,345.00'."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d}"


def parse_yuan(text: str) -> int:
    """Read exactly 'digits.dd' into fen; anything else (signs, commas, three decimals, full-width digits) is refused."""
    match = _YUAN.fullmatch(text)
    if match is None:
        raise Invalid("amount", "金额须为两位小数的元，如 1234.50 · an amount is yuan with two decimals, such as 1234.50")
    return int(match[1]) * 100 + int(match[2])


def split(total_fen: int, shares_bp: Sequence[int]) -> list[int]:
    """Split by shares in basis points (summing to 10,000) with the largest remainder: nothing is lost or added.

    Equal remainders go to the earlier part, so the split is deterministic.
    """
    if sum(shares_bp) != 10_000 or any(s <= 0 for s in shares_bp):
        raise Invalid("shares", "各期比例之和须为 100% · shares must be positive and sum to 100 %")
    parts = [total_fen * s // 10_000 for s in shares_bp]
    remainders = [total_fen * s % 10_000 for s in shares_bp]
    for i in sorted(range(len(parts)), key=lambda i: -remainders[i])[: total_fen - sum(parts)]:
        parts[i] += 1
    return parts
