"""一户一档: the whole file, exported signed, verifiable offline, never twice under one number."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from relief.__main__ import _run
from relief.domain import archive
from relief.domain.errors import Invalid, Refused
from relief.domain.sealing import Keys
from relief.services import dossier, keep
from relief.services.keep import Given
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, MOXI, NOW, VILLAGE
from tests.services.test_announce import AFTER, END, PHOTO, Village

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


async def _lived_through(tx: Tx, keys: Keys) -> tuple[Village, UUID]:
    """A household that was reviewed, listed, objected to and answered, approved, and handed in a paper."""
    village = await Village(tx, keys).open(1)
    await village.review()
    notice = await village.post()
    receipt = await village.object(notice)
    await village.answer(receipt, "rejected")
    await village.report(notice)
    await village.approve()
    await tx.execute("UPDATE decision SET reasons = '{band.9}'")  # a word the rules know
    household: UUID = await tx.fetchval("SELECT household FROM award WHERE id = $1", village.awards[0])
    await keep.hand_in(tx, village.reporter, LUDING, [Given("identity", VILLAGE, END, household)], AFTER, keys)
    return village, household


async def test_the_file_holds_everything_that_happened_and_every_photo(tx: Tx, keys: Keys) -> None:
    _, household = await _lived_through(tx, keys)
    officer = await make.staff(tx, ("county_officer", LUDING))
    made = await dossier.export(tx, officer, LUDING, household, lambda _: None, KEY, AFTER, keys)
    manifest = archive.verify(made.content, KEY.public_key())
    assert (manifest.household, manifest.serial, manifest.made_by) == (str(household), 1, officer.name)
    kinds = sorted(f.name.split("-")[1] for f in manifest.files if f.name.startswith("documents/"))
    assert kinds == ["identity", "notice_photo", "notice_photo", "review_record"]
    with zipfile.ZipFile(io.BytesIO(made.content)) as opened:
        plain = json.loads(opened.read("dossier.json"))
        assert opened.read(next(f.name for f in manifest.files if "review_record" in f.name)) == PHOTO
    assert plain["reviews"][0]["minutes"] == "无异议"
    assert plain["notices"][0]["opinion"] == "属实，同意上报"
    assert (plain["objections"][0]["words"], plain["objections"][0]["answer"]) == ("他家没有倒房", "经入户核实")
    assert {e["noun"] for e in plain["story"]} >= {"household", "decision", "award"}
    text = json.dumps(plain, ensure_ascii=False)
    assert "sealed" not in text
    assert "甄演一" not in text


async def test_every_export_has_a_number_of_its_own(tx: Tx, keys: Keys) -> None:
    _, household = await _lived_through(tx, keys)
    officer = await make.staff(tx, ("county_officer", LUDING))
    serials = [(await dossier.export(tx, officer, LUDING, household, lambda _: None, KEY, AFTER, keys)).serial for _ in range(3)]
    assert serials == [1, 2, 3]
    assert len((await dossier.gather(tx, officer, LUDING, household, keys)).exports) == 3


async def test_a_reporter_and_another_county_export_nothing(tx: Tx, keys: Keys) -> None:
    _, household = await _lived_through(tx, keys)
    for role, area in (("reporter", MOXI), ("county_officer", "511824"), ("township_reviewer", "513322101")):
        with pytest.raises(Refused):
            await dossier.export(tx, await make.staff(tx, (role, area)), LUDING, household, lambda _: None, KEY, NOW, keys)


def _zip(**changes: bytes | None) -> bytes:
    """A signed archive of two files, some of its entries replaced, added (bytes) or left out (None)."""
    made = archive.pack(LUDING, "h", 1, "officer", NOW, {"a.txt": b"a", "b.txt": b"b"}, KEY)
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        held = {n: opened.read(n) for n in opened.namelist()} | {k.replace("_", "."): v for k, v in changes.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as again:
        for name, content in held.items():
            if content is not None:
                again.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [(_zip(a_txt=b"A"), "dossier_file"), (_zip(a_txt=None), "dossier_file"), (_zip(c_txt=b"c"), "dossier_file"),
     (_zip(manifest_json=b"{}"), "dossier_signature"), (_zip(manifest_sig=b"00"), "dossier_signature"), (_zip(manifest_sig=None), "dossier_form"),
     (b"PK\x03\x04 cut", "dossier_form"), (_zip()[:-40], "dossier_form")],
    ids=["altered", "missing", "added", "manifest", "signature", "unsigned", "no zip", "cut"],
)  # fmt: skip
def test_whatever_is_not_as_it_was_signed_is_found(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        archive.verify(content, KEY.public_key())
    assert refusal.value.code == code


def test_another_key_does_not_vouch_for_it() -> None:
    assert archive.verify(_zip(), KEY.public_key()).serial == 1
    with pytest.raises(Invalid) as refusal:
        archive.verify(_zip(), Ed25519PrivateKey.generate().public_key())
    assert refusal.value.code == "dossier_signature"


def test_the_command_verifies_without_a_database(tmp_path: Path) -> None:
    pem = tmp_path / "auditor.pub"
    pem.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for name, content, ends in (("good.zip", _zip(), 0), ("bad.zip", _zip(a_txt=b"A"), 1)):
        (tmp_path / name).write_bytes(content)
        assert _run(["verify-dossier", str(tmp_path / name), "--key", str(pem)]) == ends
