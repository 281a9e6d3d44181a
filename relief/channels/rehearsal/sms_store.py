"""What the rehearsal carrier remembers: messages by sid and by number, newest first, never more than so many."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec


class Stored(msgspec.Struct):
    """One message as Twilio would show it. `direction` is 'outbound-api', 'outbound-reply' or 'inbound'."""

    sid: str
    to: str
    sender: str
    body: str
    direction: str
    created: datetime
    callback: str = ""
    status: str = "queued"
    error: int | None = None
    sent: datetime | None = None

    @property
    def phone(self) -> str:
        """The resident's side of it."""
        return self.sender if self.direction == "inbound" else self.to


class Phones:
    """All phones of the rehearsal. The oldest messages go when there are more than `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_sid: OrderedDict[str, Stored] = OrderedDict()
        self._by_phone: OrderedDict[str, list[Stored]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, message: Stored) -> None:
        """Keep it, and put its phone on top."""
        self._by_sid[message.sid] = message
        self._by_phone.setdefault(message.phone, []).append(message)
        self._by_phone.move_to_end(message.phone)
        if len(self._by_sid) > self._limit:
            _, oldest = self._by_sid.popitem(last=False)
            kept = self._by_phone[oldest.phone]
            kept.remove(oldest)
            if not kept:
                del self._by_phone[oldest.phone]

    def get(self, sid: str) -> Stored | None:
        """By its sid."""
        return self._by_sid.get(sid)

    def of(self, phone: str) -> list[Stored]:
        """Everything on one phone, oldest first."""
        return list(self._by_phone.get(phone, ()))

    def find(self, to: str | None, since: datetime | None, before: datetime | None) -> list[Stored]:
        """Newest first, by receiver and by the day it was sent."""
        pool = self._by_phone.get(to, []) if to else list(self._by_sid.values())
        return [m for m in reversed(pool) if (to is None or m.to == to) and _between(m.sent, since, before)]

    def phones(self, count: int) -> list[tuple[str, Stored]]:
        """The phones with the latest messages, and that message."""
        recent = []
        for phone in reversed(self._by_phone):
            recent.append((phone, self._by_phone[phone][-1]))
            if len(recent) == count:
                break
        return recent


def new_sid() -> str:
    """'SM' and 32 hexadecimal digits."""
    return "SM" + uuid.uuid4().hex


def now() -> datetime:
    """The twin's clock: it lies outside the house, so it has one of its own."""
    return datetime.now(UTC)


def resource(message: Stored, account: str, segments: int) -> dict[str, Any]:
    """Twilio's Message resource."""
    return {
        "sid": message.sid,
        "account_sid": account,
        "to": message.to,
        "from": message.sender,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "date_created": format_datetime(message.created),
        "date_updated": format_datetime(message.sent or message.created),
        "date_sent": None if message.sent is None else format_datetime(message.sent),
        "num_segments": str(segments),
        "num_media": "0",
        "error_code": message.error,
        "error_message": None,
        "price": None,
        "price_unit": "USD",
        "messaging_service_sid": None,
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{account}/Messages/{message.sid}.json",
        "subresource_uris": {"media": f"/2010-04-01/Accounts/{account}/Messages/{message.sid}/Media.json"},
    }


def _between(sent: datetime | None, since: datetime | None, before: datetime | None) -> bool:
    if since is None and before is None:
        return True
    return sent is not None and (since is None or sent >= since) and (before is None or sent <= before)
