"""One-time codes of RFC 6238 (six digits, thirty seconds, SHA-1 as every phone knows it) and codes for the day the phone is lost."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import pyotp

from relief.domain import identity

#: A proof counts for so long after the code was given.
FRESH: Final = timedelta(minutes=5)
STEP_S: Final = 30
#: Clocks may differ by one step either way.
DRIFT: Final = 1
RECOVERY_CODES: Final = 10
ISSUER: Final = "relief"
#: Letters and digits that nobody mistakes for each other on paper.
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_secret() -> str:
    """160 random bits in base 32."""
    return pyotp.random_base32(32)


def new_recovery_codes() -> list[str]:
    """'7K2M-9QXA-…': about 59 bits each."""
    return ["-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3)) for _ in range(RECOVERY_CODES)]


def uri(secret: str, login: str) -> str:
    """What the square on the screen says to the phone."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def step_of(now: datetime) -> int:
    """The number of the thirty seconds."""
    return int(now.timestamp()) // STEP_S


def code_at(secret: str, step: int) -> str:
    """The code of those thirty seconds."""
    return str(pyotp.TOTP(secret).generate_otp(step))


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The step around now whose code this is."""
    around = range(step_of(now) - DRIFT, step_of(now) + DRIFT + 1)
    return next((s for s in around if hmac.compare_digest(code_at(secret, s).encode(), code.encode())), None)


def clean(typed: str) -> str:
    """'１２３ 456' and '7k2m 9qxa-…' as people type them: full width, spaces, lower case."""
    return "".join(c for c in identity.narrow(typed).upper() if c.isalnum())[:32]
