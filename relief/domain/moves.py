"""Every noun's life on one page: from which status to which. The guarded UPDATE in the store is the last judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Moves = Mapping[str, frozenset[str]]


def _moves(**table: str) -> Moves:
    return {k.replace("_", " "): frozenset(x.strip() for x in v.split("|") if x.strip()) for k, v in table.items()}


#: reported → closed is a duplicate, or an alarm that was none.
INCIDENT: Final = _moves(reported="active | closed", active="recovery | closed", recovery="closed", closed="")
#: A message waits for the one it speaks of, is proposed to an officer, or is only kept.
ALERT: Final = _moves(
    parked="proposed | superseded | withdrawn | noted", proposed="accepted | dismissed | superseded | withdrawn",
    accepted="", dismissed="", superseded="", withdrawn="", noted="",
)  # fmt: skip
#: A playbook version, a figure, a move of a running activation: drafted by one, put in force by another.
RULES: Final = _moves(draft="in force | withdrawn", in_force="", withdrawn="")
RECOVERY: Final = _moves(open="closed", closed="")
ZONE: Final = _moves(draft="in force | discarded", in_force="superseded", superseded="", discarded="")
ACTIVATION: Final = _moves(drafted="active", active="ended", ended="")
REGISTRATION: Final = _moves(
    staged="located | duplicate | rejected", located="verified | duplicate | rejected", verified="duplicate", duplicate="", rejected=""
)
DECISION: Final = _moves(current="superseded", superseded="")
AWARD: Final = _moves(
    proposed="approved | withdrawn | superseded", approved="completed | withdrawn | superseded", completed="", withdrawn="", superseded=""
)
#: released → due is a returned first attempt waiting for its corrected account.
INSTALMENT: Final = _moves(
    waiting="due | cancelled", due="released | cancelled", released="settled | cancelled", settled="released", cancelled=""
)
PAYMENT: Final = _moves(
    approved="batched | cancelled", batched="sent | approved", sent="paid | returned | unknown", unknown="paid | returned", paid="returned",
    returned="", cancelled="",
)  # fmt: skip
BATCH: Final = _moves(
    frozen="prepared | voided", prepared="checked | voided", checked="authorised | voided", authorised="sending", sending="sent | unknown",
    unknown="sent | acknowledged | settled", sent="acknowledged | settled | rejected", acknowledged="settled", settled="acknowledged", voided="", rejected="",
)  # fmt: skip
#: closed → open: whoever complained is not satisfied.
COMPLAINT: Final = _moves(open="closed", closed="open")
SUSPICION: Final = _moves(open="decided", decided="")
SHEET: Final = _moves(staged="loading | dropped", loading="loaded", loaded="", dropped="")
DEVICE: Final = _moves(enrolled="revoked", revoked="")
PHOTO: Final = _moves(announced="received", received="")
SECOND_VERSION: Final = _moves(open="closed", closed="")
#: returned → open: the county passes it on to another department.
MINUTES: Final = _moves(recorded="adopted | withdrawn", adopted="superseded", superseded="", withdrawn="")
#: Who an aid is paid to where the playbook names a person.
PAYEE: Final = _moves(named="current | refused", current="replaced", replaced="", refused="")
REFERRAL: Final = _moves(open="accepted | returned | closed", accepted="returned | closed", returned="open", closed="")
#: A village's list 公示, and an objection to one of its lines.
NOTICE: Final = _moves(drafted="posted | withdrawn", posted="reported | withdrawn", reported="", withdrawn="")
OBJECTION: Final = _moves(open="rejected | upheld", rejected="", upheld="")
#: What came to the desk; a change somebody told of.
LEAD: Final = _moves(open="taken | registered | closed", taken="registered | closed", registered="", closed="")
CHANGE: Final = _moves(open="closed", closed="")
MESSAGE_RANK: Final = {"queued": 0, "sending": 1, "unknown": 2, "sent": 3, "delivered": 4, "failed": 4}
CONFIRMATION: Final = _moves(
    awaited="confirmed | disputed | silent | void", silent="confirmed | disputed | void", confirmed="void", disputed="void", void=""
)

ALL: Final[Mapping[str, Moves]] = {
    "incident": INCIDENT, "zone": ZONE, "activation": ACTIVATION, "registration": REGISTRATION, "decision": DECISION, "award": AWARD,
    "instalment": INSTALMENT, "payment": PAYMENT, "batch": BATCH, "confirmation": CONFIRMATION, "complaint": COMPLAINT, "alert": ALERT, "recovery": RECOVERY,
    "referral": REFERRAL, "minutes": MINUTES, "payee": PAYEE,
    "rules": RULES, "notice": NOTICE, "objection": OBJECTION, "lead": LEAD, "change": CHANGE,
    "suspicion": SUSPICION, "sheet": SHEET,
    "device": DEVICE, "photo": PHOTO, "second_version": SECOND_VERSION,
}  # fmt: skip


def sources(moves: Moves, target: str) -> list[str]:
    """The statuses from which `target` may be reached: what the guarded UPDATE names."""
    return sorted(s for s, targets in moves.items() if target in targets)
