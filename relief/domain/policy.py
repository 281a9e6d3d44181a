"""Who may do what, where: role × action × area, in one table. Nothing else in the house grants anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

import msgspec

from relief.domain.errors import Refused
from relief.domain.vocabulary import DEPARTMENTS

#: Role → its Chinese name on screens.
ROLES: Final[Mapping[str, str]] = {
    "reporter": "灾害信息员",
    "township_reviewer": "乡镇审核员",
    "county_officer": "县应急业务员",
    "county_approver": "县应急审批人",
    "finance_preparer": "财政经办",
    "finance_checker": "财政复核",
    "finance_authoriser": "财政审批",
    "city_officer": "市州应急",
    "province_officer": "省应急",
    "auditor": "审计纪检",
    "system_admin": "系统管理员",
    "security_admin": "安全管理员",
    "audit_admin": "审计管理员",
    # Other departments see what is passed on to them and nothing else.
    **{f"partner_{key}": f"协办（{name.zh}）" for key, name in DEPARTMENTS.items()},
}
_PARTNERS: Final = " ".join(f"partner_{key}" for key in DEPARTMENTS)

_READERS: Final = "reporter township_reviewer county_officer county_approver finance_preparer finance_checker finance_authoriser city_officer province_officer auditor"

_TABLE: Final[Mapping[str, str]] = {
    "incident.read": _READERS,
    "incident.open": "county_officer city_officer province_officer",
    "incident.move": "county_officer city_officer province_officer",
    "incident.merge": "county_approver city_officer province_officer",
    "incident.report": "county_officer",
    "report.relay.city": "city_officer",
    "report.relay.province": "province_officer",
    "report.relay.direct": "county_officer",
    "plan.import": "province_officer",
    "response.decide.county": "county_approver",
    "response.decide.city": "city_officer",
    "response.decide.province": "province_officer",
    "response.decide.national": "province_officer",  # recorded from the document: the nation has no account here
    "recovery.close": "county_officer county_approver",
    "recovery.release": "county_approver",
    "population.give": "county_officer city_officer province_officer",
    "zone.draft": "county_officer city_officer province_officer",
    "zone.force": "county_approver city_officer province_officer",
    "playbook.import": "province_officer",
    "playbook.force": "province_officer",  # another one than the drafter
    "figure.draft": "county_officer city_officer province_officer",
    "figure.force": "county_approver city_officer province_officer",
    "activation.preview": "county_officer county_approver city_officer province_officer auditor",
    "activation.propose": "city_officer province_officer",
    "activation.draft": "county_officer",
    "activation.activate": "county_approver",
    "household.register": "reporter township_reviewer",
    "device.read": "reporter township_reviewer county_officer security_admin auditor",
    "device.revoke": "reporter township_reviewer county_officer security_admin",  # a reporter: their own
    "household.read": "reporter township_reviewer county_officer county_approver finance_preparer finance_checker finance_authoriser auditor",
    "second_version.read": "township_reviewer county_officer county_approver auditor",
    "second_version.decide": "township_reviewer county_officer",
    "person.identify": "township_reviewer county_officer",
    "duplicate.read": "township_reviewer county_officer county_approver city_officer province_officer auditor",
    "duplicate.decide": "township_reviewer county_officer county_approver city_officer province_officer",
    "sheet.load": "township_reviewer",
    "household.decide": "county_officer",
    "household.reassess": "township_reviewer county_officer",
    "decision.read": "township_reviewer county_officer county_approver finance_preparer finance_checker finance_authoriser city_officer province_officer auditor",
    "award.read": "township_reviewer county_officer county_approver city_officer finance_preparer finance_checker finance_authoriser auditor",
    "award.supervise": "county_officer county_approver city_officer auditor",
    # By the office the playbook's approval band names; up to its delegation the township signs in the county's name.
    "award.approve.township": "township_reviewer",
    "award.approve.county": "county_approver",
    "award.approve.meeting": "county_approver",
    "award.approve.city": "city_officer",
    "minutes.record": "county_officer",
    "minutes.adopt": "county_approver",
    "payee.name": "reporter township_reviewer",
    "payee.check": "township_reviewer county_officer",
    "check.import": "county_officer",
    "award.withdraw": "township_reviewer county_approver",
    "evidence.submit": "reporter township_reviewer",
    "evidence.accept": "township_reviewer county_officer",
    "fund.read": "county_officer county_approver finance_preparer finance_checker finance_authoriser city_officer province_officer auditor",
    "fund.allocate": "finance_preparer province_officer",
    "fund.correct": "finance_checker province_officer",
    "fund.allot": "city_officer province_officer",
    "award.cancel_rest": "county_approver",
    "hold.read": "township_reviewer county_officer county_approver finance_preparer finance_checker finance_authoriser auditor",
    "hold.place.village": "county_officer county_approver",
    "hold.place.household": "township_reviewer county_officer county_approver",
    "hold.place.award": "township_reviewer county_officer county_approver",
    "hold.place.account": "township_reviewer county_officer finance_checker finance_authoriser",
    "hold.place.fund": "finance_checker finance_authoriser",
    "hold.place.batch": "finance_checker finance_authoriser",
    "batch.read": "county_officer county_approver finance_preparer finance_checker finance_authoriser auditor",
    "batch.freeze": "finance_preparer county_officer",
    "batch.prepare": "finance_preparer",
    "batch.check": "finance_checker",
    "batch.authorise": "finance_authoriser",
    "batch.void": "finance_checker finance_authoriser",
    "bank.import": "finance_preparer",
    "bank.read": "county_officer county_approver finance_preparer finance_checker finance_authoriser auditor",
    "bank.case": "finance_preparer finance_checker",
    "bank.verdict": "finance_preparer finance_checker",
    "bank.verdict.confirm": "finance_checker finance_authoriser",
    "payment.again": "finance_checker",
    "account.release": "county_approver",
    "day.close": "finance_checker",
    "day.reopen": "finance_authoriser",
    "recovery.work": "county_officer finance_preparer",
    "recovery.decide": "county_approver finance_checker",
    "account.propose": "reporter township_reviewer",
    "account.confirm": "township_reviewer county_officer",
    "message.read": "township_reviewer county_officer county_approver auditor",
    "confirm.report": "reporter township_reviewer",
    "notice.read": _READERS,
    "review.record": "reporter township_reviewer",
    "notice.post": "reporter township_reviewer",
    "notice.report": "township_reviewer",  # another one than posted it
    "objection.take": "reporter township_reviewer county_officer",
    "objection.answer": "township_reviewer county_officer",
    "papers.accept": "township_reviewer county_officer",
    "dossier.export": "township_reviewer county_officer county_approver auditor",
    "lead.take": "reporter township_reviewer county_officer",
    "lead.work": "township_reviewer county_officer",
    "roster.read": "reporter township_reviewer county_officer county_approver city_officer province_officer",
    "roster.set": "township_reviewer county_officer",
    "change.report": "reporter township_reviewer county_officer",
    "change.answer": "township_reviewer county_officer",
    "document.hand_in": "reporter township_reviewer county_officer",
    "referral.open": "reporter township_reviewer county_officer",
    "referral.read": f"township_reviewer county_officer county_approver auditor {_PARTNERS}",
    "referral.pass": "county_officer",
    **{f"referral.answer.{key}": f"partner_{key} county_officer" for key in DEPARTMENTS},
    "complaint.take": "reporter township_reviewer county_officer",
    "complaint.read": "township_reviewer county_officer county_approver finance_checker finance_authoriser auditor",
    "complaint.answer.township": "township_reviewer county_officer",
    "complaint.answer.county": "county_officer county_approver",
    "complaint.answer.finance": "finance_checker finance_authoriser",
    "complaint.answer.discipline": "auditor",
    "audit.read": "auditor audit_admin",
    "person.reveal": "township_reviewer county_officer auditor",
    "audit.follow": "auditor",
    "audit.sample": "auditor",
    "audit.find": "auditor",
    "trace.watch": "system_admin audit_admin",
    "figures.watch": "system_admin",
    "staff.read": "system_admin security_admin audit_admin",
    "staff.create": "system_admin",
    "staff.close": "system_admin security_admin",
    "staff.grant": "security_admin",
    "staff.reset": "security_admin",
}  # fmt: skip

ACTIONS: Final[Mapping[str, frozenset[str]]] = {action: frozenset(roles.split()) for action, roles in _TABLE.items()}


class Grant(msgspec.Struct, frozen=True):
    """A role in an area (a region code of any level; it covers everything below), already checked for validity dates."""

    role: str
    area: str


class Actor(msgspec.Struct, frozen=True):
    """Who acts. The system itself has no id and may do everything the timetable does."""

    id: UUID | None
    name: str
    grants: tuple[Grant, ...] = ()

    @property
    def person(self) -> UUID:
        """The acting person; the system is not one and may not sign."""
        if self.id is None:
            raise Refused("not_a_person", "系统不能代替人签署 · the system may not act in place of a person")
        return self.id

    def areas(self, action: str) -> list[str]:
        """The areas in which this actor may do that."""
        return sorted({g.area for g in self.grants if g.role in ACTIONS[action]})

    def may(self, action: str, area: str) -> bool:
        """True where some grant covers the area (`area` is a region code or a longer one inside it)."""
        return self.id is None or any(area.startswith(a) or a == "00" for a in self.areas(action))

    def touches(self, action: str, area: str) -> bool:
        """True where some grant covers the area or lies inside it: a township's people come to their county's rooms."""
        return self.may(action, area) or any(a.startswith(area) for a in self.areas(action))

    def roles(self) -> list[str]:
        """All roles held, in the order of the table."""
        held = {g.role for g in self.grants}
        return [r for r in ROLES if r in held]


#: The timetable acting by itself.
SYSTEM: Final = Actor(id=None, name="system")


def require(actor: Actor, action: str, areas: str | Iterable[str]) -> None:
    """Refuse unless the actor may do `action` in every given area."""
    for area in [areas] if isinstance(areas, str) else sorted(set(areas)):
        if not actor.may(action, area):
            raise Refused("not_permitted", "您在该辖区没有此项权限 · you do not hold this right in this area", action=action, area=area)


def scope(actor: Actor, action: str) -> list[str]:
    """County patterns for row-level security: what the database lets this transaction see."""
    if actor.id is None:
        return ["%"]
    return sorted({a[:6] if len(a) >= 6 else a + "%" for a in actor.areas(action)})
