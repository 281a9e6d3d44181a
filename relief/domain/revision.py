"""What one version of a playbook says differently from another, in words. It walks the whole text, so no change can be overlooked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from relief.domain.rules import Playbook, Text
from relief.domain.vocabulary import DOCUMENTS, EVIDENCE, QUANTITIES, STOPS

State = Literal["changed", "added", "removed"]

#: What tells the members of a list apart; members of other lists are told by their place.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "aids": ("code",), "figures": ("key",), "bands": ("level",), "gates": ("levels",), "caps": ("figure", "per"), "rates": ("figure", "all", "any"),
    "extras": ("figure", "per"), "documents": ("kind",), "stops": ("when",), "floors": ("figure", "at_least"), "referrals": ("when", "to"),
}  # fmt: skip
_WORDS: Final[Mapping[str, Text]] = {
    "aids": Text("救助", "aid"), "figures": Text("标准", "figure"), "bands": Text("分区", "band"), "gates": Text("条件·分区", "gate for levels"),
    "caps": Text("封顶", "cap"), "rates": Text("分档标准", "rate"), "extras": Text("增发", "extra"), "stages": Text("分期", "stage"),
    "documents": Text("材料", "document"), "stops": Text("停发情形", "stop"), "floors": Text("底线", "floor"), "referrals": Text("转办", "referral"),
    "approvals": Text("审批权限", "approval band"), "seasons": Text("时段", "season"), "procedure": Text("程序", "procedure"),
    "minutes": Text("会议纪要", "minutes"), "confirmation": Text("确认", "confirmation"), "title": Text("名称", "title"),
    "version": Text("版本", "version"), "hazards": Text("灾种", "hazards"), "legal_basis": Text("依据", "legal basis"), "figure": Text("适用标准", "figure used"),
    "days": Text("天数", "days"), "first_day": Text("起始日", "first day"), "unit": Text("计量", "counted by"), "mode": Text("方式", "mode"),
    "period": Text("周期", "period"), "guard": Text("防重对象", "guarded for"), "approver": Text("审批", "approver"), "payee": Text("领款人", "payee"),
    "papers_due_working_days": Text("补办手续工作日", "working days until papers are due"), "within_hours": Text("办结小时", "hours to first payment"),
    "share_bp": Text("比例（万分之）", "share in basis points"), "condition": Text("拨付条件", "release condition"),
    "after_days": Text("间隔天数", "days after approval"), "all": Text("须全部具备", "all of"), "any": Text("具备其一", "any of"),
    "none": Text("不得有", "none of"), "levels": Text("分区等级", "levels"), "label": Text("名称", "label"), "per": Text("按", "per"),
    "times": Text("倍数", "times"), "by": Text("由", "by"), "signatures": Text("签署人数", "signatures"), "up_to": Text("上限标准", "up to figure"),
    "responses": Text("响应等级", "response levels"), "valid_from": Text("生效日", "valid from"), "valid_to": Text("失效日", "valid to"),
    "ratio_bp": Text("倍率（万分之）", "ratio in basis points"), "review": Text("民主评议", "villagers' review"), "visit": Text("入户调查", "visit"),
    "notice": Text("公示", "public notice"), "delegate_up_to": Text("委托乡镇上限", "delegated up to"), "sms": Text("短信模板", "SMS templates"),
    "notice_days": Text("公示天数", "days of notice"), "apply_days": Text("申请天数", "days to apply"), "review_days": Text("评议天数", "days of review"),
    "submit_days": Text("上报天数", "days to submit"), "township_days": Text("乡镇审核天数", "days of the township"),
    "county_days": Text("县级审批天数", "days of the county"), "within_days": Text("确认天数", "days to confirm"), "silence": Text("未确认时", "on silence"),
    "does": Text("后果", "does"), "count": Text("次数", "times it happens"), "when": Text("时点", "when"), "must_name": Text("须载明", "must name"),
    "participants": Text("最少参会人数", "least participants"), "members_from": Text("人口起", "members from"), "members_to": Text("人口至", "members to"),
    "urgent": Text("紧急", "urgent"), "at_least": Text("不低于", "at least"), "course": Text("类型", "course"), "area": Text("范围", "area"),
    "form": Text("文本格式", "form of the text"), "hazard": Text("灾种", "hazard"),
}  # fmt: skip
_VALUES: Final[Mapping[str, Text]] = {**EVIDENCE, **QUANTITIES, **DOCUMENTS, **STOPS}

_Path = tuple[tuple[str, str], ...]  # (field, which member) down to the leaf


class Revision(msgspec.Struct, frozen=True):
    """One difference. `path` is stable (`aids[EMERG].days`), `where` says it in words; `before` and `after` are empty where there was nothing."""

    state: State
    path: str
    where: Text
    before: Text | None
    after: Text | None


def revise(old: Playbook, new: Playbook) -> list[Revision]:
    """Every difference, in the order of the new version; what is no longer there comes last. A new or lost member is one difference."""
    was, now = dict(_leaves(old)), dict(_leaves(new))
    titles = {**_titles(old), **_titles(new)}
    starts_was, starts_now = _starts(was), _starts(now)
    found = []
    seen: set[_Path] = set()
    for path in [*now, *(p for p in was if p not in now)]:
        if was.get(path) == now.get(path):
            continue
        state: State = "changed" if path in was and path in now else "added" if path in now else "removed"
        whole = path if state == "changed" else _member(path, starts_was if state == "added" else starts_now)
        if whole in seen:
            continue
        seen.add(whole)
        values = (was.get(path), now.get(path)) if whole == path else (None, None)
        found.append(Revision(state, _written(whole), _where(whole, titles), *(None if v is None else _value(v) for v in values)))
    return found


def _leaves(book: Playbook) -> Iterator[tuple[_Path, Any]]:
    yield from _walk((), "", msgspec.to_builtins(book, builtin_types=()))


def _walk(path: _Path, field: str, value: Any) -> Iterator[tuple[_Path, Any]]:
    if isinstance(value, dict) and set(value) == {"zh", "en"}:
        yield path, Text(**value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk((*path, (name, "")), name, inner)
    elif isinstance(value, list | tuple) and any(isinstance(v, dict) for v in value):
        for place, inner in enumerate(value, start=1):
            keys = [inner[k] for k in _KEYS.get(field, ())]
            name = " ".join(",".join(map(str, k)) if isinstance(k, list | tuple) else str(k) for k in keys if k not in ([], ())) or str(
                place
            )
            yield from _walk((*path[:-1], (field, name)), "", inner)
    else:
        yield path, tuple(value) if isinstance(value, list | tuple) else value


def _starts(leaves: Mapping[_Path, Any]) -> set[_Path]:
    """Every member either whole or in part."""
    return {path[:size] for path in leaves for size in range(1, len(path) + 1)}


def _member(path: _Path, other: set[_Path]) -> _Path:
    """The widest part of the path that the other version knows nothing of."""
    return next(path[:size] for size in range(1, len(path) + 1) if path[:size] not in other)


def _titles(book: Playbook) -> dict[tuple[str, str], Text]:
    return {("aids", a.code): a.title for a in book.aids} | {("figures", f.key): f.title for f in book.figures}


def _written(path: _Path) -> str:
    return ".".join(f"{name}[{which}]" if which else name for name, which in path)


def _where(path: _Path, titles: Mapping[tuple[str, str], Text]) -> Text:
    zh, en = [], []
    for step in path:
        word, title = _WORDS.get(step[0], Text(step[0], step[0])), titles.get(step)
        which = f" {step[1]}" if step[1] else ""
        zh.append(word.zh + which + (f" {title.zh}" if title else ""))
        en.append(word.en + which + (f" ({title.en})" if title else ""))
    return Text(" › ".join(zh), " › ".join(en))


def _value(value: Any) -> Text:
    if isinstance(value, Text):
        return value
    if isinstance(value, tuple):
        return Text("、".join(map(str, value)) or "无", ", ".join(map(str, value)) or "none")
    if isinstance(value, bool) or value is None:
        return {True: Text("是", "yes"), False: Text("否", "no"), None: Text("无", "none")}[value]
    return _VALUES.get(value, Text(str(value), str(value))) if isinstance(value, str) else Text(str(value), str(value))
