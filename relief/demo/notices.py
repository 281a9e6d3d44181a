"""评议 and 公示 of the staged awards: the villagers meet, the list hangs, its days pass, the township reports it. Time is played: the list
is posted three weeks before it is reported, because times are arguments and nobody waits for a demo."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from relief.demo.scene import Scene
from relief.domain.days import beijing_day
from relief.domain.errors import ReliefError
from relief.domain.policy import Actor
from relief.services import announce, contest
from relief.services.announce import Minutes
from relief.services.contest import Objection
from relief.store.scenes import Pick

#: Long enough for seven working days across the longest holiday.
_PLAYED: Final = timedelta(days=21)
#: The staged aid of the story's playbook.
_STAGED: Final = "HOUSE"


async def hang_out(scene: Scene, county: str, staged: Sequence[Pick]) -> None:
    """Everything between the decision and the county's approval, township by township."""
    for township, group in groupby(sorted(staged, key=lambda a: a.village), key=lambda a: a.village[:9]):
        await _township(scene, county, township, list(group))


async def _township(scene: Scene, county: str, township: str, awards: Sequence[Pick]) -> None:
    now, keys = scene.house.clock(), scene.house.keys
    then, reporter, reviewer = now - _PLAYED, scene.at(township, "reporter"), scene.at(township, "reviewer")
    async with scene.tx() as tx:
        for village, group in groupby(awards, key=lambda a: a.village):
            minutes = Minutes(
                scene.activation,
                _STAGED,
                beijing_day(then),
                9,
                "逐户宣读受损情况，无异议，同意上报。（演练）",
                [a.id for a in group],
                (),
                photo(village),
            )
            await announce.deliberate(tx, reporter, county, minutes, then, keys)
        drafted = await announce.draft(tx, reporter, county, scene.activation, _STAGED, township, then)
        await announce.post(tx, reporter, county, {n: photo(f"start {n}") for n in drafted.notices}, then, keys)
    if not scene.objected:
        await _object(scene, county, drafted.notices[0], then, reviewer)
    if "notice_running" not in scene.refusals:
        try:
            async with scene.tx() as tx:
                await announce.report(tx, reviewer, county, _ends(drafted.notices), "属实", then + timedelta(days=1), keys)
        except ReliefError as error:
            scene.refused(error.code, error.message)
    async with scene.tx() as tx:
        await announce.report(tx, reviewer, county, _ends(drafted.notices), "公示期满无异议，情况属实，同意上报。（演练）", now, keys)


async def _object(scene: Scene, county: str, notice: UUID, then: datetime, reviewer: Actor) -> None:
    """Somebody objects to the first line on the public page; the township looks, and answers that it stands."""
    scene.objected = True
    async with scene.tx() as tx:
        said = Objection(county, notice, "这户常年在外务工，房子没人住。（演练）", 1)
        receipt = await contest.from_stranger(tx, "203.0.113.7", said, then + timedelta(days=2), scene.house.keys)
        told = await contest.look(tx, county, receipt.reference)
        words = "经入户核实，该户老人常年居住，有邻居证明，异议不成立。（演练）"
        await contest.answer(tx, reviewer, county, told.id, "rejected", words, then + timedelta(days=3), scene.house.keys)


def _ends(notices: Sequence[UUID]) -> dict[UUID, bytes]:
    return {n: photo(f"end {n}") for n in notices}


def photo(what: str) -> bytes:
    """A picture of one grey point that says what it stands for: the drill has no village and no board."""
    pieces = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)), (b"tEXt", b"Comment\x00drill: " + what.encode()),
        (b"IDAT", zlib.compress(b"\x00\x80")), (b"IEND", b""),
    ):  # fmt: skip
        pieces.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(pieces)
