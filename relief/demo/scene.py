"""What the acts of the story share: the open house, the people, what was made so far, and how progress is shown."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar
from uuid import UUID

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from relief.channels import bank_layouts
from relief.demo.people import People
from relief.domain.batch import Layout
from relief.domain.policy import Actor
from relief.house import House
from relief.services.disburse import Writer
from relief.services.field import Device
from relief.store import db

T = TypeVar("T")


class Phone(msgspec.Struct, frozen=True):
    """A reporter's enrolled phone, and how many records it has sent."""

    reporter: Actor
    device: Device
    sent: int = 0


class Scene(msgspec.Struct):
    """The state of the story; `seconds` is the time of each finished stage."""

    house: House
    screen: Console
    households: int
    people: People
    counties: Mapping[str, str]
    townships: Mapping[str, str]
    incident: UUID
    layout: Layout = msgspec.field(default_factory=lambda: bank_layouts.load_all())
    zone: UUID = UUID(int=0)
    activation: UUID = UUID(int=0)
    active: list[str] = msgspec.field(default_factory=list)  # counties that have activated, by code
    slips: dict[UUID, tuple[str, str]] = msgspec.field(default_factory=dict)  # household → reference and code on its slip
    phones: dict[str, Phone] = msgspec.field(default_factory=dict)  # by township
    seconds: dict[str, float] = msgspec.field(default_factory=dict)
    objected: bool = False  # one objection to a notice was played
    refusals: list[str] = msgspec.field(default_factory=list)  # codes of what was rightly refused

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[db.Tx]:
        """One transaction over every county."""
        async with db.begin(self.house.pool) as tx:
            yield tx

    def at(self, area: str, desk: str) -> Actor:
        """The person at a desk: at('513322', 'prepare')."""
        return self.people[f"{area}.{desk}"]

    def writer(self) -> Writer:
        """How batch files are written here."""
        return Writer(layout=self.layout, max_lines=self.house.settings.batch_lines)

    @contextmanager
    def stage(self, number: int, title: str) -> Iterator[None]:
        """Print a heading and keep the time."""
        self.screen.print(f"\n[bold]{number}. {title}[/bold]")
        started = time.monotonic()
        yield
        took = round(time.monotonic() - started, 2)
        self.seconds[f"{number:02d} {title.rsplit(' · ', 1)[-1]}"] = took
        self.screen.print(f"   [dim]{took:.1f} s[/dim]")

    def say(self, text: str) -> None:
        """One line of the story."""
        self.screen.print(f"   {text}")

    def refused(self, code: str, text: str) -> None:
        """Something that had to be refused, and was."""
        self.refusals.append(code)
        self.say(f"[green]✓ 已拒绝 refused, as it should be:[/green] {code} · {text}")

    def track(self, items: Sequence[T], what: str, unit: int = 1) -> Iterable[T]:
        """A progress bar over a list; `unit` is how many things an item stands for."""
        with self.bar() as bar:
            task = bar.add_task(what, total=len(items) * unit)
            for item in items:
                yield item
                bar.advance(task, unit)

    def bar(self) -> Progress:
        """A progress bar in the house style."""
        return Progress(
            TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=self.screen, transient=True
        )
