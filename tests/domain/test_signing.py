"""Approval bands and delegation, against the playbooks that are shipped."""

from __future__ import annotations

import msgspec

from relief.domain import playbook
from relief.domain.playbook import Playbook
from relief.domain.signing import Signing, signing
from tests import make

FIGURES = {"ADVANCE.household": 150_000, "HOUSE.one_signature": 5_000_000}


def _book(name: str) -> Playbook:
    return playbook.read((make.ROOT / "playbooks" / f"{name}.toml").read_text("utf-8"))


def test_one_signs_up_to_the_limit_and_two_above_it() -> None:
    house = _book("earthquake").aid("HOUSE")
    assert signing(house, FIGURES, 5_000_000) == Signing("county", 1, False)
    assert signing(house, FIGURES, 5_000_001) == Signing("county", 2, False)


def test_the_township_signs_in_the_countys_name_only_up_to_what_was_left_to_it() -> None:
    advance = _book("earthquake").aid("EMERG")
    assert signing(advance, FIGURES, 150_000) == Signing("township", 1, True)
    assert signing(advance, FIGURES, 150_001) == Signing("county", 1, False)


def test_staged_aid_left_to_the_township_is_its_own_only_up_to_the_limit() -> None:
    house = _book("earthquake").aid("HOUSE")
    assert house.procedure is not None
    left = msgspec.structs.replace(house, procedure=msgspec.structs.replace(house.procedure, delegate_up_to="ADVANCE.household"))
    assert signing(left, FIGURES, 150_000) == Signing("township", 1, True)
    assert signing(left, FIGURES, 6_000_000) == Signing("county", 2, False)


def test_what_a_meeting_decides_is_signed_by_two_of_it() -> None:
    assert signing(_book("hardship").aid("CASE"), FIGURES, 1) == Signing("meeting", 2, False)


def test_a_text_of_the_first_form_is_signed_as_its_mode_says() -> None:
    house = _book("earthquake").aid("HOUSE")
    assert signing(msgspec.structs.replace(house, approvals=(), procedure=None), {}, 1) == Signing("county", 1, False)
