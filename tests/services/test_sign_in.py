"""Signing in, where the typed login is not one."""

from __future__ import annotations

from relief.services import sign_in
from relief.store.db import Tx
from tests import make


async def test_a_login_with_a_nul_is_an_unknown_login_and_no_fault(tx: Tx) -> None:
    known = await sign_in.look_up(tx, "a\x00b", make.NOW)
    assert (known.subject, known.person) == ("login:ab", None)
