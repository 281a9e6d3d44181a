"""Documents of the case file: photos and scans are taken as they come, sealed, and never replaced."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import msgspec

from relief.domain.errors import Invalid
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.domain.vocabulary import DOCUMENTS
from relief.store import audits, documents
from relief.store.db import Tx

#: Bytes of one photo or scan.
MOST: Final = 8_000_000
_MARKS: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"%PDF-": "application/pdf"}


class Given(msgspec.Struct, frozen=True):
    """A photo or scan and what it shows; without a household it belongs to the village."""

    kind: str
    village: str
    content: bytes
    household: UUID | None = None
    award: UUID | None = None


def media_of(content: bytes) -> str:
    """What kind of file it is, by its first bytes; Invalid `document` where it is none of those taken. Nothing here opens it."""
    if not content or len(content) > MOST:
        raise Invalid(
            "document", f"请提供照片或扫描件，不超过{MOST // 1_000_000}MB · a photo or scan of at most {MOST // 1_000_000} MB", field="file"
        )
    for mark, media in _MARKS.items():
        if content.startswith(mark):
            return media
    raise Invalid("document", "只接收 JPEG、PNG 或 PDF · only JPEG, PNG or PDF is taken", field="file")


async def keep(tx: Tx, actor: Actor, county: str, items: Sequence[Given], now: datetime, keys: Keys) -> list[UUID]:
    """Keep documents; their ids in the order given. The same bytes for the same household and purpose are kept once."""
    new = []
    for item in items:
        if item.kind not in DOCUMENTS:
            raise Invalid("document_kind", "请选择材料种类 · choose what the document is", field="kind")
        media, id_ = media_of(item.content), uuid4()
        sealed = keys.seal("document", id_, "sealed", item.content)
        digest = hashlib.sha256(item.content).digest()
        new.append(documents.New(id_, item.household, item.award, item.village, item.kind, media, len(item.content), digest, sealed))
    ids = await documents.add(tx, county, new, actor.id, now)
    await audits.add(tx, county, actor, "document.keep", "document", ids, now)
    return ids


async def hand_in(tx: Tx, actor: Actor, county: str, items: Sequence[Given], now: datetime, keys: Keys) -> list[UUID]:
    """`keep` for people: within their area."""
    require(actor, "document.hand_in", {i.village for i in items})
    return await keep(tx, actor, county, items, now, keys)


async def read(tx: Tx, actor: Actor, county: str, id_: UUID, keys: Keys) -> tuple[documents.Document, bytes]:
    """One document and its bytes as they came; refused to whoever may read neither the village's notices nor, where it is one household's,
    households there."""
    found = await documents.get(tx, county, id_)
    require(actor, "household.read" if found.household else "notice.read", found.village)
    return found, opened(found, keys)


def opened(document: documents.Document, keys: Keys) -> bytes:
    """The bytes as they came."""
    return keys.open("document", document.id, "sealed", document.sealed)
