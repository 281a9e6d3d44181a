"""The timetable: APScheduler ticks, PostgreSQL decides. Every beat is claim (tx) → call (no tx) → record (tx).

Several workers may run: rows are claimed with SKIP LOCKED and leased, so what a killed worker held comes back when its lease ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from relief import keyring
from relief.channels.bank import Bank
from relief.channels.checkpoints import FolderCheckpoints
from relief.channels.feeds import Feeds
from relief.channels.form_server import FormServer
from relief.channels.sms import Sms, send_all
from relief.channels.sms_webhook import STATUS_PATH
from relief.domain import trail
from relief.domain.batch import Layout
from relief.domain.errors import ReliefError
from relief.domain.likeness import Limits
from relief.domain.message import Absent
from relief.domain.sealing import Keys
from relief.services import alerts, disburse, forms, keep, load, notify, papers, report, seal, settle, sign_in, stages, suspect
from relief.settings import Settings
from relief.store import db, errands, squares

log = logging.getLogger("relief.jobs")
#: A tick that finds its beat still at work is skipped on purpose; the scheduler would call that a warning.
logging.getLogger("apscheduler").setLevel(logging.ERROR)

#: Messages taken in one claim: enough to keep the connections busy, few enough to lose little when killed.
MESSAGES_PER_CLAIM: Final = 200
#: A beat goes on while it finds work, up to this many rounds, so that others get their turn.
MOST_ROUNDS: Final = 50
#: How often reporting deadlines are looked at.
CHASE_EVERY: Final = timedelta(minutes=1)
#: Photos of forms fetched in one round.
FORM_PHOTOS: Final = 20
#: How often the papers of advances are looked at.
PAPERS_EVERY: Final = timedelta(minutes=10)
#: How often the background process says that it lives. The console calls it dead when nothing was heard for four times as long.
LIVES_EVERY: Final = timedelta(seconds=15)


class Work(msgspec.Struct, frozen=True):
    """What the beats work with."""

    pool: db.Pool
    keys: Keys
    settings: Settings
    clock: Callable[[], datetime]
    bank: Bank
    layout: Layout
    sms: Sms
    feeds: Feeds
    forms: FormServer | None = None
    running: set[asyncio.Task[None]] = msgspec.field(default_factory=set)

    @property
    def lease(self) -> timedelta:
        """How long a claimed row is ours."""
        return timedelta(seconds=self.settings.lease_seconds)

    def point(self, name: str) -> None:
        """A labelled place where a fault run kills this very process: between two steps of a beat, where it hurts most."""
        if self.settings.crash_at == name:
            os.kill(os.getpid(), signal.SIGKILL)


Beat = Callable[[Work], Awaitable[int]]


async def deliver_batches(work: Work) -> int:
    """Hand authorised batches to the bank."""
    async with db.begin(work.pool) as tx:
        claimed = await disburse.claim(tx, work.clock(), work.lease, work.settings.real_channels)
    for batch in claimed:
        work.point("batch claimed")
        await work.bank.deliver(batch.number, disburse.content(batch, work.keys))
        work.point("batch delivered")
        async with db.begin(work.pool) as tx:
            await disburse.record_sent(tx, batch, work.clock())
            work.point("batch recorded, not committed")
        work.point("batch recorded")
    return len(claimed)


async def ask_about_batches(work: Work) -> int:
    """A sender died while sending: ask the channel; only a file that never became visible is handed over, same number, same bytes."""
    async with db.begin(work.pool) as tx:
        claimed = await disburse.claim_stale(tx, work.clock(), work.lease, work.settings.real_channels)
    for batch in claimed:
        if await work.bank.delivered(batch.number) != batch.digest:
            await work.bank.deliver(batch.number, disburse.content(batch, work.keys))
        async with db.begin(work.pool) as tx:
            await disburse.record_sent(tx, batch, work.clock())
    return len(claimed)


async def collect_answers(work: Work) -> int:
    """Import what the bank has put down, each file in a transaction of its own; a file is put away only after its commit.

    A file that cannot be imported stays where it is and is tried again; it does not keep the others waiting.
    """
    done = 0
    for answer in await work.bank.collect():
        work.point("answer collected")
        try:
            async with db.begin(work.pool) as tx:
                await settle.import_answer(tx, work.layout, answer.name, answer.content, work.clock(), work.keys)
                work.point("answer imported, not committed")
        except ReliefError as error:
            log.error("bank file %s is not imported: %s", hashlib.sha256(answer.content).hexdigest()[:12], error.code)
            continue
        work.point("answer imported")
        await work.bank.done(answer.name)
        done += 1
    return done


async def notice_silence(work: Work) -> int:
    """Sent payments that the bank should have answered by now become unknown; only evidence takes them out of it."""
    async with db.begin(work.pool) as tx:
        return await settle.overdue(tx, work.clock(), timedelta(seconds=work.settings.bank_answer_seconds))


async def send_messages(work: Work) -> int:
    """Send queued texts, most urgent first."""
    async with db.begin(work.pool) as tx:
        claimed = await notify.claim(tx, MESSAGES_PER_CLAIM, work.clock(), work.lease, work.keys, real=work.settings.real_channels)
    if not claimed:
        return 0
    work.point("messages claimed")
    outcomes = await send_all(work.sms, claimed, work.settings.public_url + STATUS_PATH, work.settings.sms_concurrency, work.clock)
    work.point("messages sent")
    async with db.begin(work.pool) as tx:
        await notify.record(tx, outcomes, work.clock())
        work.point("messages recorded, not committed")
    work.point("messages recorded")
    return len(claimed)


async def ask_about_messages(work: Work) -> int:
    """Texts that may or may not have gone: look them up before anything else."""
    async with db.begin(work.pool) as tx:
        asked = await notify.to_ask(tx, MESSAGES_PER_CLAIM, work.clock(), work.keys)
    found = [(message, await work.sms.find(message.to, message.text, message.since) or Absent()) for message in asked]
    if found:
        async with db.begin(work.pool) as tx:
            await notify.record(tx, found, work.clock())
    return len(asked)


async def poll_feeds(work: Work) -> int:
    """Ask the configured hazard feeds whose turn it is; what they say is kept and proposed, never acted on."""
    if not work.feeds.sources:
        return 0
    async with db.begin(work.pool) as tx:
        visits = await alerts.claim(tx, work.feeds.sources, work.clock(), timedelta(seconds=work.settings.feed_poll_seconds))
    for fetched in [await work.feeds.fetch(v.source, v.known) for v in visits]:
        if fetched.faults:
            log.warning("feed %s: not understood or not fetched: %s", fetched.source, ", ".join(sorted(set(fetched.faults))))
        async with db.begin(work.pool) as tx:
            await alerts.receive(tx, fetched.messages, work.clock())
            await alerts.visited(tx, fetched.source, fetched.heard, fetched.faults, work.clock())
    return len(visits)


async def chase_reports(work: Work) -> int:
    """Write down reporting deadlines that passed unmet."""
    async with db.begin(work.pool) as tx:
        if not await errands.claim(tx, ["chase reports"], work.clock(), CHASE_EVERY):
            return 0
        return await report.chase(tx, work.clock())


async def show_life(work: Work) -> int:
    """Put down that somebody is doing the background work: without it no file leaves and no text is sent, and people must see that."""
    async with db.begin(work.pool) as tx:
        await errands.claim(tx, [errands.LIFE], work.clock(), LIVES_EVERY)
    return 0


async def find_duplicates(work: Work) -> int:
    """Compare new registrations with all others; what may be one household waits for an officer."""
    said = work.settings
    limits = Limits(said.duplicate_score, said.account_households, said.phone_households, said.duplicate_stops)
    async with db.begin(work.pool) as tx:
        return (await suspect.find(tx, limits, work.clock(), work.keys)).households


async def load_sheets(work: Work) -> int:
    """Register the next portion of a confirmed spreadsheet."""
    async with db.begin(work.pool) as tx:
        done = await load.advance(tx, work.clock(), work.keys)
        work.point("sheet portion loaded, not committed")
    return done


async def queue_older_households(work: Work) -> int:
    """Households registered before there were blocks are compared too, a few at a time."""
    async with db.begin(work.pool) as tx:
        return await suspect.queue_older(tx, work.clock(), work.keys)


async def pay_by_the_month(work: Work) -> int:
    """Instalments that waited for a day and nothing else fall due."""
    async with db.begin(work.pool) as tx:
        return await stages.fall_due(tx, work.clock())


async def chase_papers(work: Work) -> int:
    """Remind of papers that follow an advance; hold and pause where the playbook says so once their day has passed."""
    async with db.begin(work.pool) as tx:
        if await errands.claim(tx, ["chase papers"], work.clock(), PAPERS_EVERY):
            await papers.chase(tx, work.clock())
    return 0


async def fetch_form_photos(work: Work) -> int:
    """Fetch photos of submitted forms whose turn it is; one that does not come is tried again, later each time."""
    if work.forms is None or not work.forms.configured:
        return 0
    async with db.begin(work.pool) as tx:
        due = await forms.photos_due(tx, FORM_PHOTOS, work.clock())
    for photo in due:
        try:
            content = await work.forms.photo(photo.url, keep.MOST)
            async with db.begin(work.pool) as tx:
                await forms.keep_photo(tx, photo, content, work.clock(), work.keys)
        except ReliefError as error:
            log.warning("form photo of %s is not kept: %s", photo.root, error.code)
    return len(due)


async def gather_squares(work: Work) -> int:
    """Add up what came to and went from the squares of the map, a county at a time."""
    async with db.begin(work.pool) as tx:
        county = await squares.waiting(tx)
        return await squares.gather(tx, county) if county else 0


async def tidy_sign_ins(work: Work) -> int:
    """Forget sessions that have run out."""
    async with db.begin(work.pool) as tx:
        return await sign_in.tidy(tx, work.clock())


async def seal_trace(work: Work) -> int:
    """Number and chain the acts committed since the last tick."""
    async with db.begin(work.pool) as tx:
        return await seal.seal(tx, work.clock())


async def set_checkpoint(work: Work) -> int:
    """Once an hour: how far every county's chain has come, signed and written outside the database."""
    outside = FolderCheckpoints.of(work.settings)
    last = await outside.last()
    async with db.begin(work.pool) as tx:
        checkpoint = await seal.claim_checkpoint(tx, last.serial + 1, last.digest, work.clock())
    if checkpoint is not None:
        key = keyring.signing_key(work.settings.home)
        content = trail.sign(checkpoint, key)
        await outside.write(checkpoint.serial, content, key.public_key())
        async with db.begin(work.pool) as tx:
            await seal.record_checkpoint(tx, checkpoint, hashlib.sha256(content).digest())
    return 0


#: Name → beat. A test compares this table with what the scheduler runs.
TIMETABLE: Final[dict[str, Beat]] = {
    "deliver batches": deliver_batches,
    "ask about batches": ask_about_batches,
    "collect answers": collect_answers,
    "notice silence": notice_silence,
    "find duplicates": find_duplicates,
    "load sheets": load_sheets,
    "queue older households": queue_older_households,
    "pay by the month": pay_by_the_month,
    "tidy sign-ins": tidy_sign_ins,
    "send messages": send_messages,
    "ask about messages": ask_about_messages,
    "poll feeds": poll_feeds,
    "chase reports": chase_reports,
    "show life": show_life,
    "seal trace": seal_trace,
    "set checkpoint": set_checkpoint,
    "gather squares": gather_squares,
    "chase papers": chase_papers,
    "fetch form photos": fetch_form_photos,
}


async def tick(work: Work, name: str) -> None:
    """What the scheduler calls: one beat, known to `drain` while it runs."""
    task = asyncio.ensure_future(_quietly(work, name))
    work.running.add(task)
    try:
        await task
    finally:
        work.running.discard(task)


async def drain(work: Work, patience_s: float = 25.0) -> None:
    """Let the beats in hand end; what does not end in time keeps its lease and comes back."""
    if work.running:
        await asyncio.wait(work.running, timeout=patience_s)


async def _quietly(work: Work, name: str) -> None:
    await run_beat(work, name)


#: Beats that nobody waits for come round more rarely than a tick.
EVERY_S: Final = {
    "tidy sign-ins": 3_600.0,
    "pay by the month": 600.0,
    "chase reports": 60.0,
    "chase papers": 60.0,
    "set checkpoint": 60.0,
    "queue older households": 60.0,
}


async def run_beat(work: Work, name: str) -> int:
    """One tick of one beat: rounds until it finds nothing. An error is logged and the next tick tries again; rows keep their lease."""
    done = 0
    try:
        for _ in range(MOST_ROUNDS):
            found = await TIMETABLE[name](work)
            done += found
            if not found or name == "notice silence":
                break
    except ReliefError as error:
        log.warning("%s: %s %s", name, error.code, error.data)
    except Exception:
        log.exception("%s failed; it is tried again at the next tick", name)
    return done


def schedule(work: Work) -> AsyncIOScheduler:
    """APScheduler as a ticker only: no job store, missed ticks are made up by the next one, never two of a beat at once."""
    scheduler = AsyncIOScheduler(job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1})
    for name in TIMETABLE:
        seconds = EVERY_S.get(name, work.settings.tick_seconds)
        scheduler.add_job(tick, "interval", seconds=seconds, args=[work, name], id=name, next_run_time=work.clock())
    return scheduler
