"""What is checked at the door: temporary numbers, permits, photos that are photos."""

from __future__ import annotations

import io
from datetime import date

import pytest
from PIL import Image

from relief.domain import identity, jpeg, questions
from relief.domain.errors import Invalid
from relief.domain.playbook import Playbook
from relief.domain.toml import decode
from tests.make import ROOT

TODAY = date(2022, 9, 5)


@pytest.mark.parametrize(
    ("number", "paper"),
    [
        ("519999196001011016", "resident"),
        ("810000199001011011", "hmt_resident"),
        ("820000197512123034", "hmt_resident"),
        ("830000198808082020", "hmt_resident"),
        (identity.temporary_number("AB3D5174", date(1980, 3, 1)), "temporary"),
    ],
)
def test_every_paper_is_recognised_by_its_number(number: str, paper: str) -> None:
    assert identity.id_number(f" {number.lower()} ", TODAY) == number
    assert identity.document(number) == paper


def test_a_foreigners_new_permit_has_the_same_check() -> None:
    body = "951840" + "19850615" + "202"
    number = body + identity.id_check_digit(body)
    assert identity.document(identity.id_number(number, TODAY)) == "foreign_resident"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("CAN110080010101", "id_old_permit"),
        ("T" + "AB3D5" + "19800301" + "174" + "X", "id_checksum"),
        (identity.temporary_number("AB3D5174", date(2030, 1, 1)), "id_birth"),
        ("511025196001011", "id_15"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_its_code(number: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        identity.id_number(number, TODAY)
    assert refused.value.code == code


def a_photo(width: int = 64, height: int = 48, **more: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, height), 90).convert("RGB").save(out, "JPEG", quality=80, **more)
    return out.getvalue()


def test_a_photo_is_recognised_and_measured() -> None:
    assert jpeg.check(a_photo()) == jpeg.Picture(64, 48)
    assert jpeg.check(a_photo(progressive=True, icc_profile=b"x" * 300)) == jpeg.Picture(64, 48)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<svg onload='x'/>", "photo_kind"),
        (b"\x89PNG\r\n\x1a\n", "photo_kind"),
        (b"", "photo_kind"),
        (a_photo()[:-30], "photo_broken"),
        (a_photo() + b"PK\x03\x04", "photo_tail"),
        (a_photo(comment=b"<script>"), "photo_metadata"),
        (a_photo(exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"), "photo_metadata"),
        (a_photo(5000, 8), "photo_pixels"),
        (b"\xff\xd8\xff\xd9", "photo_broken"),
        (b"\xff\xd8" + b"\xff\xc4\xff\xff", "photo_broken"),
    ],
)
def test_what_is_no_plain_photo_is_refused_with_its_code(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        jpeg.check(content)
    assert refused.value.code == code


def test_only_what_the_activated_playbooks_need_is_asked() -> None:
    earthquake, winter = (
        decode((ROOT / "playbooks" / f"{n}.toml").read_text("utf-8"), Playbook, "playbook") for n in ("earthquake", "winter")
    )
    asked = questions.questions([earthquake])
    assert {"rooms", "casualties", "relocated", "photos", "circumstance.absent"} <= set(asked)
    assert "people_in_need" not in asked
    assert "people_in_need" in questions.questions([winter])
    assert "rooms" not in questions.questions([winter])
