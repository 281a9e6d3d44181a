"""Five kinds of error. Each carries a stable code, one sentence a person can act on, and harmless figures."""

from __future__ import annotations


class ReliefError(Exception):
    """Base of all refusals; `code` is stable, `data` never holds a name, a number of a person or an account."""

    def __init__(self, code: str, message: str, **data: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class NotFound(ReliefError):
    """There is no such thing, or it lies outside the caller's area (the answer is the same on purpose)."""


class Refused(ReliefError):
    """The caller may not do this."""


class Conflict(ReliefError):
    """It was right once, but the state has moved on, or somebody else came first."""


class Invalid(ReliefError):
    """The input is readable but wrong."""


class Unavailable(ReliefError):
    """Try again later; nothing was done."""
