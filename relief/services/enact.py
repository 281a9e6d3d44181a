"""Rules and figures come into force: drafted by one person, looked at, put in force by another. What stands is never changed.

What the installation itself brings (the system acting, no person) is in force at once: playbooks it ships and placeholder figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from relief.domain import playbook as playbooks_
from relief.domain import standard
from relief.domain.errors import Conflict, NotFound, Refused
from relief.domain.policy import Actor, require
from relief.domain.review import rules_of
from relief.domain.revision import Revision, revise
from relief.domain.standard import Standard
from relief.store import audits, playbooks, reviews, standards
from relief.store.db import Tx
from relief.store.standards import Listed

#: Playbooks are the province's.
PROVINCE: Final = "51"


async def draft_playbook(tx: Tx, actor: Actor, text: str, now: datetime) -> UUID:
    """Keep a playbook's text for ever, as a draft; the same text again is the same playbook.

    Invalid with every fault by its path; Conflict where this key and version already stand for another text.
    """
    require(actor, "playbook.import", PROVINCE)
    book = playbooks_.read(text)
    digest = hashlib.sha256(text.encode()).digest()
    if known := await playbooks.by_digest(tx, digest):
        return known
    status = "in force" if actor.id is None else "draft"
    made = await playbooks.insert(tx, book.key, book.version, digest, text, now, status, actor.id)
    if made is None:
        raise Conflict(
            "playbook_version", "该预案版本号已用于另一文本，请改版本号 · this version stands for another text, give a new version",
            key=book.key, version=book.version,
        )  # fmt: skip
    await reviews.keep_rules(tx, [(made, rule) for rule in rules_of(book)], now)
    detail = {"key": book.key, "version": book.version, "status": status}
    await audits.add(tx, audits.SHARED, actor, "playbook.import", "playbook", [made], now, detail)
    return made


async def force_playbook(tx: Tx, actor: Actor, playbook: UUID, now: datetime) -> None:
    """Another person than the drafter puts a version in force: from now on it may be activated. Conflict where it is no draft."""
    await _judge_playbook(tx, actor, playbook, "in force", now)


async def difference(tx: Tx, old: UUID, new: UUID) -> list[Revision]:
    """What one version says differently from another, in words of both languages; everybody may read the rules."""
    before, after = [playbooks_.read((await playbooks.get(tx, p)).body) for p in (old, new)]
    return revise(before, after)


async def withdraw_playbook(tx: Tx, actor: Actor, playbook: UUID, now: datetime) -> None:
    """A draft that will never be used; its drafter may do it too. Conflict where it is no draft."""
    await _judge_playbook(tx, actor, playbook, "withdrawn", now)


async def _judge_playbook(tx: Tx, actor: Actor, playbook: UUID, target: str, now: datetime) -> None:
    require(actor, "playbook.force" if target == "in force" else "playbook.import", PROVINCE)
    draft = await playbooks.get(tx, playbook)
    if target == "in force" and draft.drafted_by == actor.person:
        raise Refused("same_person", "处置方案须由另一人确认生效 · another person must put the playbook in force")
    if await playbooks.move(tx, playbook, target, actor.person, now) != 1:
        raise Conflict("not_a_draft", "只有草稿可以如此处理 · only a draft can be dealt with like this", status=draft.status)
    detail = {"key": draft.key, "version": draft.version}
    await audits.add(tx, audits.SHARED, actor, f"playbook.{_ACT[target]}", "playbook", [playbook], now, detail)


async def draft_figures(tx: Tx, actor: Actor, figures: Sequence[Standard], now: datetime) -> list[UUID]:
    """Draft dated figures for areas the actor answers for; the ids of those that are new.

    What stands already is never changed: another amount needs another day (Conflict). Whether a figure may be called verified is for
    the second person to judge against the document it names.
    """
    require(actor, "figure.draft", {f.area for f in figures})
    standard.check(figures)
    made = await standards.insert(tx, figures, "in force" if actor.id is None else "draft", actor.id, now)
    if differing := sorted({s.key for s in set(figures) - set(await standards.same(tx, figures))}):
        raise Conflict(
            "standard_exists",
            "同一地区同一日期已有不同的标准，请用新的生效日期 · another amount stands for that area and day, give a new date",
            keys=differing,
        )
    if made:
        detail = {"new": len(made), "keys": sorted({f.key for f in figures})}
        await audits.add(tx, audits.SHARED, actor, "figure.draft", "standard", made, now, detail)
    return made


async def force_figures(tx: Tx, actor: Actor, ids: Sequence[UUID], now: datetime) -> None:
    """Another person than the drafter puts figures in force; past decisions stay as they were, the next decision uses them."""
    found = await _drafts(tx, ids)
    require(actor, "figure.force", {f.area for f in found})
    if any(f.drafted_by == actor.person for f in found):
        raise Refused("same_person", "标准须由另一人确认生效 · another person must put the figures in force")
    await _judge_figures(tx, actor, found, "in force", now)


async def withdraw_figures(tx: Tx, actor: Actor, ids: Sequence[UUID], now: datetime) -> None:
    """Drafts that will never be used; their drafter may do it too."""
    found = await _drafts(tx, ids)
    require(actor, "figure.draft", {f.area for f in found})
    await _judge_figures(tx, actor, found, "withdrawn", now)


async def _drafts(tx: Tx, ids: Sequence[UUID]) -> list[Listed]:
    found = await standards.lock(tx, sorted(set(ids)))
    if not found or len(found) != len(set(ids)):
        raise NotFound("standard_unknown", "没有该标准 · there is no such figure")
    return found


async def _judge_figures(tx: Tx, actor: Actor, found: Sequence[Listed], target: str, now: datetime) -> None:
    ids = [f.id for f in found]
    if await standards.move(tx, ids, target, actor.person, now) != len(ids):
        raise Conflict("not_a_draft", "只有草稿可以如此处理 · only drafts can be dealt with like this")
    detail = {"keys": sorted({f.key for f in found}), "areas": sorted({f.area for f in found})}
    await audits.add(tx, audits.SHARED, actor, f"figure.{_ACT[target]}", "standard", ids, now, detail)


_ACT: Final = {"in force": "force", "withdrawn": "withdraw"}
