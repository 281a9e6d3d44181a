"""Numbers of people who do not exist: valid in form, unmistakable in kind, the n-th always the same.

Identity numbers begin with 519999 (a county that was never assigned), accounts with 629999, mainland phones with 1540 (a segment no
carrier uses), two-way phones are +1 … 555 01XX (kept free for fiction).
"""

from __future__ import annotations

from datetime import date, timedelta

from relief.domain.identity import TEST_ACCOUNT_PREFIX, TEST_ID_PREFIX, TEST_PHONE_PREFIX, id_check_digit, luhn

_OLDEST_ADULT, _ADULT_DAYS = date(1942, 1, 1), 21_000  # to mid 1999
_OLDEST, _DAYS = date(1938, 1, 1), 30_000  # to early 2020


def householder_id(n: int) -> str:
    """Identity number of the n-th householder, an adult; distinct for n < 10,000,000."""
    return _identity(_OLDEST_ADULT + timedelta(days=n * 7919 % _ADULT_DAYS), n // _ADULT_DAYS)


def member_id(n: int) -> str:
    """Identity number of the n-th other member, of any age; distinct for n < 15,000,000 and from all householders."""
    return _identity(_OLDEST + timedelta(days=n * 7919 % _DAYS), 500 + n // _DAYS)


def _identity(born: date, sequence: int) -> str:
    first17 = f"{TEST_ID_PREFIX}{born:%Y%m%d}{sequence:03d}"
    return first17 + id_check_digit(first17)


def account(n: int) -> str:
    """The n-th card account: 19 digits, Luhn-valid."""
    body = f"{TEST_ACCOUNT_PREFIX}{n:012d}"
    return next(body + d for d in "0123456789" if luhn(body + d))


def mainland_phone(n: int) -> str:
    """The n-th +86 number; they repeat after ten million."""
    return f"{TEST_PHONE_PREFIX}{n % 10_000_000:07d}"


def two_way_phone(n: int) -> str:
    """The n-th number on a route that can answer; they repeat after 80,000."""
    return f"+1{200 + n // 100 % 800}55501{n % 100:02d}"
