"""Delivery by SFTP against a real OpenSSH server: host key known, our key taken, complete or not at all, one content a number."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import subprocess
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path

import msgspec
import pytest

from relief.channels.bank import Answer
from relief.channels.bank_sftp import SftpBank
from relief.domain.errors import Conflict, Invalid, Refused, Unavailable
from relief.settings import Settings

pytestmark = pytest.mark.slow

NUMBER = "513322-EMERG-202209-402-0001"


class Far(msgspec.Struct, frozen=True):
    """A server that runs, and what it takes to enter it."""

    port: int
    keys: Path

    def bank(self, folder: Path, key: str = "ours", known: str = "known", most_bytes: int = 1000) -> SftpBank:
        return SftpBank(f"sftp://{getuser()}@127.0.0.1:{self.port}{folder}", str(self.keys / key), str(self.keys / known), most_bytes)


def _key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text()


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """OpenSSH on loopback, on a free port, as whoever runs the tests."""
    sshd = Path("/usr/sbin/sshd")
    assert sshd.is_file(), "the tests of SFTP need Debian's openssh-server: run `make sshd`"
    keys = tmp_path_factory.mktemp("ssh")
    os.makedirs("/run/sshd", exist_ok=True)
    host, ours = _key(keys / "host"), _key(keys / "ours")
    other = _key(keys / "stranger")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (keys / "authorized").write_text(ours)
    (keys / "known").write_text(f"[127.0.0.1]:{port} {host}")
    (keys / "changed").write_text(f"[127.0.0.1]:{port} {other}")
    (keys / "empty").write_text("")
    (keys / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys}/host\nAuthorizedKeysFile {keys}/authorized\nPidFile none\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nStrictModes no\nSubsystem sftp internal-sftp\n"
    )
    server = subprocess.Popen([str(sshd), "-D", "-e", "-f", str(keys / "config")], stderr=subprocess.PIPE)
    assert server.stderr is not None
    try:
        while b"Server listening" not in (line := server.stderr.readline()):
            assert line, "sshd ended"
        yield Far(port, keys)
    finally:
        server.terminate()
        server.wait()
        server.stderr.close()


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The bank's folder at the far end."""
    for name in ("out", "in"):
        (tmp_path / name).mkdir()
    return tmp_path


async def test_a_batch_arrives_whole_and_marked_and_the_same_again_does_nothing(far: Far, there: Path) -> None:
    bank = far.bank(there)
    assert await bank.delivered(NUMBER) is None
    await bank.deliver(NUMBER, b"a,bytes")
    before = (there / "out" / f"{NUMBER}.csv").stat()
    await bank.deliver(NUMBER, b"a,bytes")
    after = (there / "out" / f"{NUMBER}.csv").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert sorted(p.name for p in (there / "out").iterdir()) == [f"{NUMBER}.csv", f"{NUMBER}.csv.ok"]
    assert await bank.delivered(NUMBER) == hashlib.sha256(b"a,bytes").digest()


async def test_other_bytes_or_another_form_under_a_used_number_are_refused(far: Far, there: Path) -> None:
    bank = far.bank(there)
    await bank.deliver(NUMBER, b"a,bytes")
    for other in (b"b,bytes", b"<?xml ?><a/>"):
        with pytest.raises(Conflict, match="other bytes"):
            await bank.deliver(NUMBER, other)
    assert (there / "out" / f"{NUMBER}.csv").read_bytes() == b"a,bytes"


async def test_a_sender_that_died_before_the_mark_or_in_the_middle_of_writing_is_completed(far: Far, there: Path) -> None:
    bank = far.bank(there)
    (there / "out" / ".0123.part").write_bytes(b"a,by")
    await bank.deliver(NUMBER, b"a,bytes")
    (there / "out" / f"{NUMBER}.csv.ok").unlink()
    assert await bank.delivered(NUMBER) is None
    await bank.deliver(NUMBER, b"a,bytes")
    assert await bank.delivered(NUMBER) == hashlib.sha256(b"a,bytes").digest()


async def test_two_senders_at_once_leave_one_file(far: Far, there: Path) -> None:
    outcomes = await asyncio.gather(*(far.bank(there).deliver(NUMBER, b"%d,x" % i) for i in range(4)), return_exceptions=True)
    assert sum(o is None for o in outcomes) == 1
    assert all(o is None or isinstance(o, Conflict) for o in outcomes)
    assert sorted(p.name for p in (there / "out").iterdir()) == [f"{NUMBER}.csv", f"{NUMBER}.csv.ok"]


async def test_answers_are_collected_when_complete_and_archived_when_done_with(far: Far, there: Path) -> None:
    bank = far.bank(there)
    for name in ("b.csv", "a.xml", "half.csv"):
        (there / "in" / name).write_bytes(name.encode())
    for name in ("b.csv", "a.xml"):
        (there / "in" / f"{name}.ok").touch()
    assert await bank.collect() == [Answer("a.xml", b"a.xml"), Answer("b.csv", b"b.csv")]
    await bank.done("a.xml")
    await bank.done("a.xml")
    assert [a.name for a in await bank.collect()] == ["b.csv"]
    assert (there / "in" / "archive" / "a.xml").read_bytes() == b"a.xml"


async def test_links_odd_names_folders_and_giants_are_ignored(far: Far, there: Path, caplog: pytest.LogCaptureFixture) -> None:
    (there / "secret").write_text("secret")
    (there / "in" / "link.csv").symlink_to(there / "secret")
    (there / "in" / "folder.csv").mkdir()
    for name in ("a\nb.csv", ".hidden.csv", "回执.csv", "a b.csv", "x.exe", "giant.csv", "good.csv"):
        (there / "in" / name).write_bytes(b"x" * (2000 if name == "giant.csv" else 1))
    for path in list((there / "in").iterdir()):
        (there / "in" / f"{path.name}.ok").touch()
    assert [a.name for a in await far.bank(there).collect()] == ["good.csv"]
    assert caplog.text.count("bank answer ignored") == 8


@pytest.mark.parametrize("known", ["changed", "empty"])
async def test_a_host_that_is_not_known_by_its_key_gets_nothing(far: Far, there: Path, known: str) -> None:
    with pytest.raises(Refused) as caught:
        await far.bank(there, known=known).deliver(NUMBER, b"a,bytes")
    assert caught.value.code == "bank_host_key"
    assert list((there / "out").iterdir()) == []


async def test_a_key_the_bank_does_not_know_is_refused(far: Far, there: Path) -> None:
    with pytest.raises(Refused) as caught:
        await far.bank(there, key="stranger").delivered(NUMBER)
    assert caught.value.code == "bank_login"


async def test_a_bank_that_is_away_is_asked_again_later(far: Far, there: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = SftpBank(f"sftp://x@127.0.0.1:{nobody.getsockname()[1]}/", str(far.keys / "ours"), str(far.keys / "known"))
        with pytest.raises(Unavailable):
            await away.collect()


@pytest.mark.parametrize("url", ["http://u@h/x", "sftp://h/x", "sftp://u:secret@h/x", ""])
def test_an_address_with_a_password_or_without_a_user_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        SftpBank(url, "k", "h")
    assert "secret" not in caught.value.message


def test_sftp_needs_real_channels_a_key_and_known_hosts() -> None:
    with pytest.raises(Refused):
        SftpBank.of(Settings(bank_sftp="sftp://u@h/x"))
    with pytest.raises(Invalid):
        SftpBank.of(Settings(bank_sftp="sftp://u@h/x", real_channels=True))
