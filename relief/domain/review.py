"""评议、公示、异议: the steps between a decision and a larger approval, counted in working days as the playbook says."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal
from uuid import UUID

import msgspec

from relief.domain import slip
from relief.domain.days import add_working_days
from relief.domain.errors import Invalid
from relief.domain.rules import Aid, Playbook
from relief.domain.sealing import Keys

Way = Literal["page", "desk", "hotline", "reporter"]

#: Characters of an objection, an answer, an opinion.
LENGTH: Final = 500
#: Characters of the minutes of a villagers' meeting.
MINUTES: Final = 4_000
#: A meeting with fewer is none (`minutes.participants` of playbooks begins there, too).
FEWEST: Final = 3
#: An objection is answered within so many working days. No rule names a figure: three is what a village's review has by the playbooks.
ANSWER_WORKING_DAYS: Final = 3
#: A list that follows its payment hangs within so many working days; no rule names a figure either.
AFTER_WORKING_DAYS: Final = 5

#: Documents this house makes or collects by itself: nobody is asked for them as papers that follow an advance.
HOUSE_MADE: Final = frozenset({"notice_photo", "review_record", "township_opinion", "county_reply", "payment_proof", "acceptance"})
#: Whoever owes papers is reminded from so many days before.
REMIND_DAYS: Final = 3


class Rule(msgspec.Struct, frozen=True):
    """What a playbook demands of one aid before (or after) its money: review, notice, papers that may follow and what their absence stops."""

    aid: str
    review: str
    notice: str
    notice_days: int
    papers_hold: bool = False
    pause_from: int | None = None
    papers: tuple[str, ...] = ()


def rules_of(book: Playbook) -> list[Rule]:
    """What the playbook demands of each of its aids; an aid without a procedure demands nothing."""
    return [_rule(aid) for aid in book.aids]


def _rule(aid: Aid) -> Rule:
    steps = aid.procedure
    pauses = [s.count for s in aid.stops if s.when == "village_papers_overdue" and s.does == "pause_village"]
    return Rule(
        aid.code,
        steps.review if steps else "none",
        steps.notice if steps and steps.notice_days else "none",
        steps.notice_days if steps else 0,
        any(s.when == "papers_overdue" and s.does == "hold_household" for s in aid.stops),
        min(pauses, default=None),
        tuple(d.kind for d in aid.documents if d.when == "afterwards" and d.kind not in HOUSE_MADE),
    )


def last_day(posted_on: date, working_days: int) -> date:
    """The last day on which anybody may object: so many working days, counted from the day after the list was posted."""
    return add_working_days(posted_on, working_days)


def over(ends_on: date, today: date) -> bool:
    """True once the last day has passed whole."""
    return today > ends_on


def may_be_listed(review: str, supported: bool | None, disputed: bool) -> bool:
    """Whether an award may go on a list: who was opposed never; a review where it is required, or where somebody objected before."""
    if supported is False:
        return False
    return supported is True or review == "none" or (review == "skip_if_undisputed" and not disputed)


def said(text: str, field: str, most: int = LENGTH) -> str:
    """What is said, without the blanks around it; it must say something."""
    text = text.strip()
    if not 1 <= len(text) <= most:
        raise Invalid(field, f"请写明情况，不超过{most}字 · say it in writing, in at most {most} characters", field=field)
    return text


def reference_of(objection: UUID, keys: Keys) -> str:
    """Twelve letters that open the objection's answer: whoever objects without a login has only these."""
    return slip.letters(keys.index("objection", str(objection)), 12)
