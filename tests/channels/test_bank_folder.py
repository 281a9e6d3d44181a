"""The folder shared with the bank: handed over once, complete or not at all, and nothing strange is read."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from relief.channels.bank import Answer, FolderBank
from relief.domain.errors import Conflict, Invalid

NUMBER = "513322-EMERG-202209-402-0001"


def leave(folder: Path, name: str, content: bytes = b"x", mark: bool = True) -> None:
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / name).write_bytes(content)
    if mark:
        (folder / "in" / f"{name}.ok").touch()


async def test_a_delivered_batch_is_complete_and_marked(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    assert await bank.delivered(NUMBER) is None
    await bank.deliver(NUMBER, b"bytes")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"{NUMBER}.csv", f"{NUMBER}.csv.ok"]
    assert await bank.delivered(NUMBER) == hashlib.sha256(b"bytes").digest()


async def test_delivering_the_same_bytes_again_does_nothing(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    await bank.deliver(NUMBER, b"bytes")
    before = (tmp_path / "out" / f"{NUMBER}.csv").stat()
    await bank.deliver(NUMBER, b"bytes")
    after = (tmp_path / "out" / f"{NUMBER}.csv").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


async def test_other_bytes_under_a_used_number_are_refused(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    await bank.deliver(NUMBER, b"bytes")
    with pytest.raises(Conflict, match="other bytes"):
        await bank.deliver(NUMBER, b"other")
    assert (tmp_path / "out" / f"{NUMBER}.csv").read_bytes() == b"bytes"


async def test_a_sender_killed_before_the_mark_is_completed_by_the_next(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    await bank.deliver(NUMBER, b"bytes")
    (tmp_path / "out" / f"{NUMBER}.csv.ok").unlink()
    assert await bank.delivered(NUMBER) is None
    await bank.deliver(NUMBER, b"bytes")
    assert await bank.delivered(NUMBER) == hashlib.sha256(b"bytes").digest()


async def test_two_senders_at_once_leave_one_file(tmp_path: Path) -> None:
    banks = [FolderBank(tmp_path) for _ in range(8)]
    outcomes = await asyncio.gather(*(bank.deliver(NUMBER, bytes([i])) for i, bank in enumerate(banks)), return_exceptions=True)
    assert sum(o is None for o in outcomes) == 1
    assert all(o is None or isinstance(o, Conflict) for o in outcomes)
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("number", ["", "..", "../x", "513322-E-1-402-1", NUMBER + "/..", NUMBER + "\n"])
async def test_a_number_that_is_none_never_becomes_a_path(tmp_path: Path, number: str) -> None:
    with pytest.raises(Invalid):
        await FolderBank(tmp_path).deliver(number, b"bytes")
    with pytest.raises(Invalid):
        await FolderBank(tmp_path).delivered(number)
    assert os.listdir(tmp_path) == []


async def test_answers_come_in_a_stable_order_and_only_when_complete(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    assert await bank.collect() == []
    for name in ("b.csv", "a.csv"):
        leave(tmp_path, name, name.encode())
    leave(tmp_path, "half.csv", mark=False)
    (tmp_path / "in" / "missing.csv.ok").touch()
    assert await bank.collect() == [Answer("a.csv", b"a.csv"), Answer("b.csv", b"b.csv")]


async def test_no_more_files_are_read_at_once_than_agreed(tmp_path: Path) -> None:
    for i in range(5):
        leave(tmp_path, f"{i}.csv")
    assert [a.name for a in await FolderBank(tmp_path, most_files=2).collect()] == ["0.csv", "1.csv"]


async def test_links_odd_names_pipes_folders_and_giants_are_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.csv").symlink_to(secret)
    (tmp_path / "in" / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "in" / "pipe.csv")
    for name in ("link.csv", "folder.csv", "pipe.csv"):
        (tmp_path / "in" / f"{name}.ok").touch()
    for name in ("a\nb.csv", ".hidden.csv", "回执.csv", "a b.csv", "x.exe", "-rf.csv"):
        leave(tmp_path, name)
    leave(tmp_path, "giant.csv", b"x" * 2000)
    leave(tmp_path, "good.csv")
    assert [a.name for a in await FolderBank(tmp_path, most_bytes=1000).collect()] == ["good.csv"]
    assert "secret" not in caplog.text
    assert caplog.text.count("bank answer ignored") == 10


async def test_an_answer_done_with_moves_to_the_archive(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    for content in (b"one", b"two"):
        leave(tmp_path, "a.csv", content)
        await bank.done("a.csv")
        assert await bank.collect() == []
    await bank.done("a.csv")
    assert sorted(p.read_bytes() for p in (tmp_path / "in" / "archive").iterdir()) == [b"one", b"two"]


async def test_only_an_answer_can_be_done_with(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        await FolderBank(tmp_path).done("../out/x.csv")
