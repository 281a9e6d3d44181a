"""Referrals 转办: a household passed on to the department whose duty it is. It ends with an answer, or comes back; it is never dropped."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from relief.domain.days import add_working_days
from relief.domain.errors import Invalid
from relief.domain.vocabulary import DEPARTMENTS

#: Working days for an answer; what is urgent is answered the next day, working day or not.
DUE_WORKING_DAYS: Final = 10
URGENT_DAYS: Final = 1
BY_HAND: Final = "by hand"
#: Seen by their own department and the county only, not by townships: minors without parents.
RESTRICTED: Final = frozenset({"child_protection"})
LENGTH: Final = 500


def due_on(today: date, urgent: bool) -> date:
    """The day by which it is answered."""
    return today + timedelta(days=URGENT_DAYS) if urgent else add_working_days(today, DUE_WORKING_DAYS)


def department_of(text: str) -> str:
    """One of the departments; Invalid `referral_department` otherwise."""
    if text not in DEPARTMENTS:
        raise Invalid("referral_department", "请选择转办部门 · choose the department it is passed on to", field="department")
    return text


def words_of(text: str, code: str) -> str:
    """What must be said in writing, without the blanks around it."""
    text = text.strip()
    if not 1 <= len(text) <= LENGTH:
        raise Invalid(code, f"请写明情况，不超过{LENGTH}字 · say it in writing, in at most {LENGTH} characters")
    return text
