"""Tell people that money was paid: queue in the payment's own transaction, claim, record, and hear what became of it.

Talking to the carrier happens between two transactions: claim (tx) → `channels.sms.send_all` (no tx) → record (tx). What may have been
sent is asked about (`to_ask` → `find` → record), never sent again on a guess, and at most once more in all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import msgspec

from relief.domain.message import (
    PAID,
    WORDS,
    Absent,
    Facts,
    Outcome,
    Outgoing,
    Rejected,
    Sent,
    Throttled,
    Unknown,
    compose,
    disposition,
    short_code,
)
from relief.domain.moves import MESSAGE_RANK
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.store import audits, messages
from relief.store.db import Tx
from relief.store.messages import Claimed, Event, Key, Paid, Queued

#: A message is handed to the carrier at most so often: the second time only after the carrier said it has no such message.
TRIES: Final = 2
#: Time the carrier gets to list a message before it is asked whether it has it.
ASK_AFTER: Final = timedelta(seconds=15)

Result = tuple[Outgoing, Outcome]
#: Messages being written in a thread.
Letters = asyncio.Future[list[Queued]]


class _Letter(msgspec.Struct, frozen=True):
    to: str
    text: str


class _Person(msgspec.Struct, frozen=True):
    name: str
    phone: str


class _Account(msgspec.Struct, frozen=True):
    number: str


class Heard(msgspec.Struct, frozen=True):
    """A status callback: the carrier's sid, its word and its error code."""

    sid: str
    word: str
    error: str | None = None


async def queue_paid(tx: Tx, county: str, payments: Sequence[UUID], now: datetime, keys: Keys) -> int:
    """Queue one message for each paid payment whose householder has a phone; once per payment. Returns how many are new."""
    return await post(tx, county, await write(tx, county, payments, keys), now)


async def write(tx: Tx, county: str, payments: Sequence[UUID], keys: Keys) -> Letters:
    """Begin to compose and seal in a thread, so that neither the loop nor the transaction waits for it before `post`."""
    facts = await messages.paid(tx, county, payments)
    return asyncio.ensure_future(asyncio.to_thread(lambda: [_compose(fact, keys) for fact in facts]))


async def post(tx: Tx, county: str, written: Letters, now: datetime) -> int:
    """Queue what was written; how many are new."""
    new = await messages.queue(tx, county, PAID, await written, now)
    await _audit(tx, "message.queue", new, now)
    return len(new)


async def claim(tx: Tx, limit: int, now: datetime, lease: timedelta, keys: Keys, real: bool) -> list[Outgoing]:
    """queued → sending for at most `limit` messages, to be sent before `now + lease`.

    `real` says whether the channel reaches real phones: then a drill's message is ended as failed ('drill') and never handed out.
    Where it does not, what concerns a real incident waits: a twin would say 'delivered' of a text nobody got.
    """
    if real:
        await _audit(tx, "message.refuse_drill", await messages.refuse_drills(tx, now), now)
    until = now + lease
    return [_open(c, until, keys) for c in await messages.claim(tx, limit, now, until, real)]


async def to_ask(tx: Tx, limit: int, now: datetime, keys: Keys, again: timedelta = ASK_AFTER) -> list[Outgoing]:
    """What may have been sent (unknown, or left behind by a worker that died): ask the carrier, then `record` Sent or Absent.

    Where the carrier cannot say, record nothing: it is asked again after `again`.
    """
    return [_open(c, now + again, keys) for c in await messages.to_ask(tx, limit, now, now + again)]


async def record(tx: Tx, results: Sequence[Result], now: datetime) -> None:
    """Write down what became of a batch, whatever the mixture: one statement for each kind of outcome."""
    await record_sent(tx, [(o, r) for o, r in results if isinstance(r, Sent)], now)
    await record_rejected(tx, [(o, r) for o, r in results if isinstance(r, Rejected)], now)
    await record_throttled(tx, [(o, r) for o, r in results if isinstance(r, Throttled)], now)
    await record_unknown(tx, [(o, r) for o, r in results if isinstance(r, Unknown)], now)
    await record_absent(tx, [o for o, r in results if isinstance(r, Absent)], now)


async def record_sent(tx: Tx, results: Sequence[tuple[Outgoing, Sent]], now: datetime) -> None:
    """The carrier has them. Callbacks that came before us count as if they came now."""
    if results:
        sids = [s.sid for _, s in results]
        await messages.lock_sids(tx, sids)
        done = await messages.sent(
            tx, _keys(o for o, _ in results), sids, [s.status for _, s in results], [s.error for _, s in results], WORDS, MESSAGE_RANK, now
        )
        await _audit(tx, "message.sent", done, now)


async def record_rejected(tx: Tx, results: Sequence[tuple[Outgoing, Rejected]], now: datetime) -> None:
    """Surely not sent, for good; a number that is wrong or wants silence gets nothing more."""
    if results:
        codes = [r.code for _, r in results]
        closing = sorted({c for c in codes if c.isdecimal() and disposition(int(c)) == "stop"})
        await _audit(tx, "message.rejected", await messages.rejected(tx, _keys(o for o, _ in results), codes, closing, now), now)


async def record_throttled(tx: Tx, results: Sequence[tuple[Outgoing, Throttled]], now: datetime) -> None:
    """Surely not sent, to be tried again."""
    if results:
        await messages.throttled(tx, _keys(o for o, _ in results), [t.after_s for _, t in results], now)


async def record_unknown(tx: Tx, results: Sequence[tuple[Outgoing, Unknown]], now: datetime, ask_after: timedelta = ASK_AFTER) -> None:
    """May have been sent."""
    if results:
        await _audit(tx, "message.unknown", await messages.unknown(tx, _keys(o for o, _ in results), now + ask_after), now)


async def record_found(tx: Tx, asked: Outgoing, found: Sent | None, now: datetime) -> None:
    """What the carrier said about one message it was asked for."""
    await record(tx, [(asked, found or Absent())], now)


async def record_absent(tx: Tx, asked: Sequence[Outgoing], now: datetime) -> None:
    """The carrier has no such messages: once more, or failed."""
    if asked:
        await _audit(tx, "message.absent", await messages.absent(tx, _keys(asked), TRIES, now), now)


async def apply_events(tx: Tx, heard: Sequence[Heard], now: datetime) -> int:
    """Keep callbacks once and move messages forward, never back. Words we do not know are left alone. Returns how many were known words.

    One statement. Only where no message bears the sid yet (the callback overtook our own write) is it done again under a lock on the sid:
    either `record_sent` then sees the kept callback, or we see its sid; the two can never miss each other.
    """
    events = [Event(h.sid, h.word, h.error, WORDS[h.word], MESSAGE_RANK[WORDS[h.word]]) for h in heard if h.word in WORDS]
    if events:
        early = await messages.events(tx, events, now)
        if early:
            await messages.lock_sids(tx, early)
            await messages.events(tx, [e for e in events if e.sid in set(early)], now)
    return len(events)


def _compose(fact: Paid, keys: Keys) -> Queued:
    person = msgspec.json.decode(keys.open("person", fact.person, "sealed", fact.person_sealed), type=_Person)
    account = msgspec.json.decode(keys.open("account", fact.account, "sealed", fact.account_sealed), type=_Account)
    code, row = short_code(fact.payment, keys), uuid4()
    stage = fact.seq if fact.mode == "B" else None
    told = Facts(person.name, fact.aid, fact.amount_fen, account.number[-4:], code, stage, fact.drill)
    template, text = compose(fact.phone_route, told)
    sealed = keys.seal("message", row, "sealed", msgspec.json.encode(_Letter(person.phone, text)))
    return Queued(row, fact.payment, fact.person, template, sealed, fact.phone_hash, fact.phone_route, code, fact.drill)


def _open(claimed: Claimed, until: datetime, keys: Keys) -> Outgoing:
    letter = msgspec.json.decode(keys.open("message", claimed.id, "sealed", claimed.sealed), type=_Letter)
    return Outgoing(claimed.county, claimed.id, letter.to, letter.text, until, claimed.queued_at)


def _keys(items: Iterable[Outgoing]) -> list[Key]:
    return [Key(i.county, i.id) for i in items]


async def _audit(tx: Tx, act: str, done: Sequence[Key], now: datetime) -> None:
    sets: dict[str, list[UUID]] = {}
    for key in done:
        sets.setdefault(key.county, []).append(key.id)
    if sets:
        await audits.add_each(tx, sets, SYSTEM, act, "message", now)
