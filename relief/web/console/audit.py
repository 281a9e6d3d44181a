"""The auditor's room: acts with their seals, one payment from phone to statement, samples and findings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Stream

from relief.domain.days import BEIJING
from relief.domain.errors import Invalid, NotFound
from relief.domain.money import parse_yuan
from relief.domain.policy import ACTIONS, Actor
from relief.domain.reasons import explain
from relief.domain.sampling import RISKS, Stratum, estimate
from relief.services import masked, post_audit, seal
from relief.services.post_audit import FINDINGS, Finding
from relief.store import db
from relief.store.views import audits as views
from relief.store.views.audits import Beside, Filter, Item, Sample, Step
from relief.web import access, given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.console.door import Token
from relief.web.given import Req

#: Acts on reference tables belong to no county; whoever reads a whole province sees them.
SHARED: Final = "000000"


class Asked(Token, frozen=True):
    """The reference of one payment, 业务流水号."""

    reference: str = ""


class ExportForm(Token, frozen=True):
    """Which counties: a code or the beginning of one."""

    county: str = ""


class DrawForm(MoneyForm, frozen=True):
    """A sample to draw."""

    county: str
    incident: str
    seed: str
    size: int


class FindForm(MoneyForm, frozen=True):
    """What was found about one payment; the wrong amount in yuan where there is one."""

    payment: str
    finding: str
    amount: str = ""
    note: str = ""


class Told(msgspec.Struct, frozen=True):
    """A moment on a payment's way: what is on record, and the acts at exactly that moment."""

    at: datetime
    steps: list[Step]
    acts: list[Beside]


class Row(msgspec.Struct, frozen=True):
    """A payment of a sample as shown."""

    item: Item
    name: str


def _patterns(actor: Actor) -> list[str]:
    found = common.county_patterns(actor, "audit.read")
    return [*found, SHARED] if any(len(p) <= 3 for p in found) else found


@get("/audit", action="audit.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromQuery[str] = "", who: given.FromQuery[str] = "",
    act: given.FromQuery[str] = "", day: given.FromQuery[str] = "", subject: given.FromQuery[str] = "", after: given.FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """Acts, newest first, by county, person, act, day or the id of what they were done to."""
    since = _day(day)
    wanted = Filter(
        county or None, who.strip() or None, act.strip() or None, since, since and since + timedelta(days=1),
        seal.digest_of(common.uuids(subject.strip())) if subject.strip() else None,
    )  # fmt: skip
    found = await views.acts(read, _patterns(actor), wanted, _place(after), common.PAGE)
    async with db.read(house.of(request).pool) as everywhere:  # counts and times only
        trail = await seal.state(everywhere, now)
    query = common.query(county=county, who=who, act=act, day=day, subject=subject)
    more = (
        f"{query or '?'}{'&' if query else ''}after={int(found[-1].at.timestamp() * 1e6)}-{found[-1].id}"
        if len(found) == common.PAGE
        else None
    )
    return pages.page(
        request, "audit.html", acts=found, more=more, trail=trail, now=now, given=Filter(county, who, act), day=day, subject=subject,
        follows=bool(actor.areas("audit.follow")), known=sorted(ACTIONS), done=common.done_of(request),
    )  # fmt: skip


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), BEIJING)
    except ValueError:
        raise Invalid("day", "日期写作 2022-09-05 · a day is written 2022-09-05", field="day") from None


def _place(cursor: str) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    micros, _, id_ = cursor.partition("-")
    try:
        return datetime.fromtimestamp(0, BEIJING) + timedelta(microseconds=int(micros[:17])), UUID(id_)
    except (ValueError, OverflowError):
        raise Invalid("cursor", "翻页标记无效，请从第一页开始 · that cursor is not ours, start from the first page") from None


@post("/audit/export", action="audit.read", status_code=200)
async def export(request: Req, data: given.Form[ExportForm], tx: given.Write, actor: given.Me, now: given.Now) -> Stream:
    """The sealed trace of one's areas as a file, for `relief verify-audit`; that it was taken is an act too."""
    asked = data.county.strip()
    if not ((asked.isdigit() and asked.isascii()) or not asked) or len(asked) > 6:
        raise Invalid("county", "请填县区代码 · a county is its code", field="county")
    wanted = [p for p in _patterns(actor) if p.startswith(asked)] or ([f"{asked}%"] if actor.may("audit.read", asked) else [])
    if not wanted:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    await seal.note_export(tx, actor, wanted, now)
    pool, scope = house.of(request).pool, access.scope_of(request)

    async def lines() -> AsyncIterator[bytes]:
        async with db.read(pool, scope) as snapshot:
            async for line in seal.export(snapshot, wanted):
                yield line.encode() + b"\n"

    name = f"audit-{asked or 'all'}-{now:%Y%m%dT%H%M%SZ}.tsv"
    return Stream(lines(), media_type="text/tab-separated-values", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@post("/audit/payment", action="audit.follow")
async def ask(read: given.Read, data: given.Form[Asked], actor: given.Me) -> Response[bytes]:
    """From a reference to its payment."""
    found = await views.by_reference(read, data.reference.strip(), common.patterns(actor, "audit.follow"))
    if found is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    return common.go(f"/audit/payments/{found.county}/{found.id}")


@get("/audit/payments/{county:str}/{payment:uuid}", action="audit.follow")
async def follow(
    request: Req, read: given.Read, actor: given.Me, county: given.FromPath[str], payment: given.FromPath[UUID]
) -> Response[str]:
    """One payment from the phone to the statement, the acts beside the facts."""
    found, keys = await views.payment(read, county, payment, common.patterns(actor, "audit.follow")), house.of(request).keys
    steps = await views.way(read, county, payment)
    acts = {at: list(group) for at, group in groupby(await views.beside(read, county, [s.at for s in steps]), lambda a: a.at)}
    told = [Told(at, list(group), acts.get(at, [])) for at, group in groupby(steps, lambda s: s.at)]
    return pages.page(
        request, "audit_payment.html", payment=found, told=told, drill=found.drill, reasons=explain(found.reasons or []),
        name=masked.name(keys, found.person, found.sealed_person), account=masked.account(keys, found.account, found.sealed_account),
        facts=msgspec.json.decode(found.facts or "{}"),
    )  # fmt: skip


@get("/audit/samples", action="audit.sample")
async def samples(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromQuery[UUID | None] = None
) -> Response[str]:
    """Samples drawn, and the form to draw one."""
    areas = common.county_patterns(actor, "audit.sample")
    chosen = await common.chosen(read, actor, incident)
    return pages.page(
        request, "audit_samples.html", samples=await views.samples(read, areas), incident=chosen, now=now, risks=RISKS,
        counties=[(c.code, c.name) for c in await views.counties(read, chosen.id, areas)] if chosen else [], drill=bool(chosen and chosen.drill), done=common.done_of(request),
    )  # fmt: skip


@post("/audit/samples", action="audit.sample")
async def draw(request: Req, data: given.Form[DrawForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Draw a sample."""
    incident = common.uuids(data.incident)[0]
    content = (data.county, data.incident, data.seed, data.size)
    reply = await common.once(
        request, tx, actor, data.key, content, now, lambda: post_audit.draw(tx, actor, data.county, incident, data.seed, data.size, now)
    )
    return common.go(f"/audit/samples/{data.county}/{msgspec.json.decode(reply.response)}", "drawn")


@get("/audit/samples/{county:str}/{sample:uuid}", action="audit.sample")
async def sample(
    request: Req, read: given.Read, actor: given.Me, county: given.FromPath[str], sample: given.FromPath[UUID]
) -> Response[str]:
    """One sample with its payments: those to look at first, then what was found."""
    found = await views.samples(read, common.county_patterns(actor, "audit.sample"), sample)
    if not found:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    items, keys = await views.items(read, county, sample), house.of(request).keys
    return pages.page(
        request, "audit_sample.html", sample=found[0], rows=[Row(i, masked.name(keys, i.person, i.sealed_person)) for i in items], findings=FINDINGS,
        estimate=estimate(strata(found[0], items)), drill=found[0].drill, done=common.done_of(request),
    )  # fmt: skip


def strata(of: Sample, items: list[Item]) -> dict[str, Stratum]:
    """The sample's strata with what was found so far."""
    made: dict[str, Any] = {}
    for name, (payments, _) in of.strata.items():
        found = [i for i in items if i.stratum == name and i.finding]
        wrong = [i.wrong_fen for i in found if i.finding == "recover"]
        made[name] = Stratum(payments, len(found), len(wrong), sum(wrong), sum(w * w for w in wrong))
    return made


@post("/audit/samples/{county:str}/{sample:uuid}", action="audit.find")
async def find(
    request: Req, data: given.Form[FindForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    sample: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Write down one finding."""
    wrong = parse_yuan(data.amount.strip()) if data.amount.strip() else 0
    findings = [Finding(p, data.finding, wrong, data.note) for p in common.uuids(data.payment)]
    content = (county, str(sample), data.payment, data.finding, wrong, data.note)
    await common.once(request, tx, actor, data.key, content, now, lambda: post_audit.record(tx, actor, county, sample, findings, now))
    return common.go(f"/audit/samples/{county}/{sample}", "found")


HANDLERS: Final = [page, export, ask, follow, samples, draw, sample, find]
