"""People as screens show them: never the whole name, number or account."""

from __future__ import annotations

from uuid import uuid4

import msgspec

from relief.domain.sealing import Keys
from relief.services import masked


def seal(keys: Keys, table: str, row: object, plain: dict[str, str | None]) -> bytes:
    return keys.seal(table, row, "sealed", msgspec.json.encode(plain))  # type: ignore[arg-type]


def test_a_name_keeps_its_first_letter_only(keys: Keys) -> None:
    row = uuid4()
    sealed = seal(keys, "person", row, {"name": "演珠·卓玛", "id_type": "resident", "id_number": "519999198001010016", "phone": None})
    assert masked.name(keys, row, sealed) == "演****"


def test_an_account_keeps_its_last_four_digits(keys: Keys) -> None:
    row = uuid4()
    assert masked.account(keys, row, seal(keys, "account", row, {"holder": "甄演一", "number": "6299990000000000007"})) == "**** 0007"


def test_a_message_greets_nobody_by_name_on_a_screen(keys: Keys) -> None:
    row = uuid4()
    text = "【四川救灾】演珠·卓玛您好，应急救助金已发到尾号0007社保卡，请查收。"
    to, shown = masked.message(keys, row, seal(keys, "message", row, {"to": "+8615400000001", "text": text}))
    assert to == "154****0001"
    assert "演****您好" in shown
    assert "卓玛" not in shown
