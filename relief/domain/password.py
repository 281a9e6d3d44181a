"""Rules for passwords after OWASP ASVS 5.0, 6.2: length instead of composition, nothing guessable, no forced rotation.

Guessable is what zxcvbn estimates below 10⁸ guesses: its lists hold 30,000 leaked passwords, names, words, keyboard walks, dates and repeats.
Rotation is a setting for places whose 等保 assessment asks for it.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from relief.domain.errors import Invalid
from relief.later import Later

if TYPE_CHECKING:
    import zxcvbn
else:
    zxcvbn = Later("zxcvbn")

SHORTEST: Final = 12
LONGEST: Final = 200
_STRONG: Final = 3
#: zxcvbn takes long for long ones, and they are not weaker for their end.
_LOOKED_AT: Final = 40
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"


def check(password: str, login: str) -> None:
    """Refuse what is too short, too long, or guessable."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid("password_form", f"口令须为{SHORTEST}至{LONGEST}个字符 · a password has {SHORTEST}–{LONGEST} characters")
    name = login.rsplit(".", 1)[-1]
    rest = password.lower().replace(login.lower(), "").replace(name.lower() if len(name) > 3 else login.lower(), "")
    if len(rest) < SHORTEST // 2 or _score(password[:_LOOKED_AT]) < _STRONG:
        raise Invalid(
            "password_guessable",
            "口令太容易被猜到，请用几个不相干的词组成一句 · too easy to guess: take a phrase of several unrelated words",
        )


def temporary() -> str:
    """A password for the first sign-in, easy to read out: 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


@lru_cache(maxsize=64)
def _score(password: str) -> int:
    return int(zxcvbn.zxcvbn(password)["score"])
