"""The language of playbooks: what a rule text can say. A playbook is data; `playbook` reads it, `scrutiny` refuses it, `entitlement` obeys it.

Amounts never stand here. A rule names a figure; what it is worth is dated and local (see `standard`).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

import msgspec

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
FigureKey = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]+(\.[a-z_]+)+$")]
AidCode = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2,12}$")]
Days = Annotated[int, msgspec.Meta(ge=0, le=90)]
MonthDay = Annotated[str, msgspec.Meta(pattern="^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]

#: What an instalment may wait for, in the order in which a building site reaches it. 'none' waits for nothing but its day.
CONDITIONS: Final = ("none", "materials_ready", "ground_broken", "first_storey_done", "repair_begun", "completed")
#: Who gives the single approval of a mode (township for advances, county for staged aid and what a meeting adopted).
APPROVERS: Final = {"A": "township", "B": "county", "C": "county"}
#: The newest form of the language. Texts of form 1 (imported before) stay readable, so that old decisions can be replayed.
FORM: Final = 2
#: A household has at most so many members.
MOST_MEMBERS: Final = 30

Mode = Literal["A", "B", "C"]
#: What an amount is multiplied by: members, the household once, members in need, dead and missing, rooms.
Quantity = Literal["person", "household", "in_need", "lost", "room_collapsed", "room_damaged"]
Unit = Literal["person", "person_day", "person_month", "household", "lost", "room"]


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in both languages."""

    zh: Word
    en: Word


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A band of the zone this playbook speaks of: seismic intensity 1…12 and its sign on maps; level 1 alone is “the zone”."""

    level: Annotated[int, msgspec.Meta(ge=1, le=12)]
    label: Word


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure the rules use. Its amount is not here: it is dated and local (see `standard`). `unit` is what the amount is for."""

    key: FigureKey
    title: Text
    legal_basis: Word
    unit: Unit | None = None


class Floor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure may not be less than another times a ratio in basis points (特困 ≥ 1.3 × 低保)."""

    figure: str
    at_least: str
    ratio_bp: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    legal_basis: Word


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another figure in place of the aid's own, for those who meet all of `all`, one of `any`, and are that many members."""

    figure: str
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    members_from: Annotated[int, msgspec.Meta(ge=1, le=MOST_MEMBERS)] = 1
    members_to: Annotated[int, msgspec.Meta(ge=1, le=MOST_MEMBERS)] = MOST_MEMBERS


class Extra(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """增发: figure × quantity × times, added before the caps for whoever meets the same kind of conditions as a rate."""

    figure: str
    per: Quantity
    times: Annotated[int, msgspec.Meta(ge=1, le=366)] = 1
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    members_from: Annotated[int, msgspec.Meta(ge=1, le=MOST_MEMBERS)] = 1
    members_to: Annotated[int, msgspec.Meta(ge=1, le=MOST_MEMBERS)] = MOST_MEMBERS


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount never exceeds this figure × times, taken once per household, for each member, or for each of another quantity."""

    figure: str
    per: Quantity
    times: Annotated[int, msgspec.Meta(ge=1, le=366)] = 1


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who passes in these bands: all of `all`, at least one of `any` where any are named, and nothing of `none` (exclusions)."""

    levels: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One instalment: its share in basis points, the evidence it waits for, and days after approval before which it is not paid."""

    share_bp: Annotated[int, msgspec.Meta(gt=0, le=10_000)]
    condition: str
    after_days: Annotated[int, msgspec.Meta(ge=0, le=730)] = 0


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An approval band: awards up to this figure are signed by so many people of that office. The last band has no limit."""

    by: Literal["township", "county", "meeting", "city"]
    signatures: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    up_to: str | None = None


class Procedure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Steps and their deadlines in working days, and what may be left out (意见 clause 18). 0 days: the step is not taken.

    `review` 民主评议, `visit` 入户调查, `notice` 公示; `delegate_up_to` is the figure up to which the county leaves it to the township.
    """

    legal_basis: Word
    apply_days: Days
    review_days: Days
    notice_days: Days
    submit_days: Days
    township_days: Days
    county_days: Days
    review: Literal["required", "skip_if_undisputed", "none"]
    visit: Literal["required", "skip_if_checked", "none"]
    notice: Literal["before_payment", "after_payment", "none"]
    delegate_up_to: str | None = None


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document of the case file and when it must be there (`vocabulary.DOCUMENTS`)."""

    kind: str
    when: Literal["application", "approval", "afterwards"]


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When something happens (`vocabulary.STOPS`), so many times, this is what stops."""

    when: str
    does: Literal["hold_household", "hold_stage", "cancel_rest", "pause_village"]
    count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How receipt is confirmed: within so many days, and what a silence leads to. Money never waits for it."""

    within_days: Annotated[int, msgspec.Meta(ge=1, le=60)]
    silence: Literal["visit", "call", "none"]


class Minutes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """一事一议: what the minutes of the meeting must name before its amount counts (`vocabulary.MINUTES`), and the least attendance."""

    must_name: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    participants: Annotated[int, msgspec.Meta(ge=3, le=50)]


class Aid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of aid. The amount is figure × days × unit, plus extras, then the caps; in mode C what the meeting adopted, then the caps.

    Of daily aid the first day is `first_day` (1: the day of the disaster); two aids of a playbook never pay the same day.
    """

    code: AidCode
    title: Text
    mode: Mode
    unit: Quantity
    figure: str
    legal_basis: Word
    period: Literal["once"]
    guard: Literal["member", "adult"]  # for whom the entitlement is taken: every member, or every adult
    approver: Literal["township", "county"]
    gates: Annotated[tuple[Gate, ...], msgspec.Meta(min_length=1)]
    stages: Annotated[tuple[Stage, ...], msgspec.Meta(min_length=1)]
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 1
    first_day: Annotated[int, msgspec.Meta(ge=1, le=730)] = 1
    rates: Annotated[tuple[Rate, ...], msgspec.Meta(max_length=12)] = ()
    extras: Annotated[tuple[Extra, ...], msgspec.Meta(max_length=8)] = ()
    caps: Annotated[tuple[Cap, ...], msgspec.Meta(max_length=4)] = ()
    papers_due_working_days: Annotated[int, msgspec.Meta(ge=1, le=60)] | None = None
    within_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] | None = None  # first payment after registration, in mode A
    payee: Literal["householder", "person"] = "householder"
    approvals: tuple[Approval, ...] = ()
    procedure: Procedure | None = None
    documents: tuple[Document, ...] = ()
    stops: tuple[Stop, ...] = ()
    minutes: Minutes | None = None
    sms: Annotated[tuple[str, ...], msgspec.Meta(max_length=8)] = ()
    confirmation: Confirmation | None = None


class Season(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the year, both days included; `first` may be later in the year than `last` (12-01 … 05-31)."""

    title: Text
    first: MonthDay
    last: MonthDay


class Referral(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """转办: a household with this fact is passed on to that department (`vocabulary.DEPARTMENTS`), at once where it is urgent."""

    when: str
    to: str
    legal_basis: Word
    urgent: bool = False


class Playbook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `course` says whether it answers one disaster, a season, or stands all year; `area` what its zone is.

    `responses` are the response levels it serves (1…4); none named means that no response needs to be declared for it.
    """

    key: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{2,30}$")]
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)*$")]
    title: Text
    hazards: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    bands: Annotated[tuple[Band, ...], msgspec.Meta(min_length=1)]
    figures: Annotated[tuple[Figure, ...], msgspec.Meta(min_length=1)]
    aids: Annotated[tuple[Aid, ...], msgspec.Meta(min_length=1)]
    form: Annotated[int, msgspec.Meta(ge=1, le=FORM)] = 1
    legal_basis: Word | None = None
    course: Literal["event", "season", "standing"] = "event"
    area: Literal["bands", "county"] = "bands"
    responses: tuple[Annotated[int, msgspec.Meta(ge=1, le=4)], ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    seasons: tuple[Season, ...] = ()
    floors: tuple[Floor, ...] = ()
    referrals: tuple[Referral, ...] = ()

    def aid(self, code: str) -> Aid:
        """The aid of that code."""
        return next(a for a in self.aids if a.code == code)

    def figure(self, key: str) -> Figure:
        """The figure of that key."""
        return next(f for f in self.figures if f.key == key)

    @property
    def figure_keys(self) -> list[str]:
        """The keys of every figure used, in the order of the file."""
        return [f.key for f in self.figures]
