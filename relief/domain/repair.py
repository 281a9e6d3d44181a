"""Why a bank gives money back, and what mends it: who, what, and when it may be tried again. F01–F13 and F99, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from relief.domain.rules import Text

#: 'change': on a corrected account. 'same': on the same account once that is done. 'never': not at all. 'query': the bank is asked first.
Retry = Literal["change", "same", "never", "query"]


class Repair(msgspec.Struct, frozen=True):
    """The repair path of one reason; `iso` is the ISO 20022 reason it goes with."""

    iso: str
    who: Text
    what: Text
    when: Text
    retry: Retry


def _repair(iso: str, who: Text, zh: str, en: str, when: Text, retry: Retry) -> Repair:
    return Repair(iso, who, Text(zh, en), when, retry)


_TOWNSHIP: Final = Text("村、乡镇", "village and township")
_RESIDENT: Final = Text("本人，村协助", "the resident, helped by the village")
_FINANCE: Final = Text("财政", "county finance")
_COUNTY: Final = Text("县应急", "county officers")
_CHANGED: Final = Text("更正并经第二人核对后", "after a correction that a second person confirmed")
_AGAIN: Final = Text("办妥后，可用原账号", "when done; the same account may be used")
_NEVER: Final = Text("不再发放", "never")
_BY_HAND: Final = Text("查清后人工决定", "when somebody has found out and decided")

REPAIRS: Final[Mapping[str, Repair]] = {
    "F01": _repair("AC01", _TOWNSHIP, "重新采集社保卡账号", "collect the card number again", _CHANGED, "change"),
    "F02": _repair("BE01", _TOWNSHIP, "核对姓名与卡面（生僻字、同音字）", "compare the name with the card (rare characters)", _CHANGED, "change"),
    "F03": _repair("BE01", _TOWNSHIP, "核对证件号与开户证件", "compare the ID with the one the account was opened with", _CHANGED, "change"),
    "F04": _repair("AC04", _RESIDENT, "持证到网点办新卡，报新账号", "get a new card at the counter, report its number", _CHANGED, "change"),
    "F05": _repair("AC06", _RESIDENT, "解挂或补卡", "lift the report of loss or get a new card", _AGAIN, "same"),
    "F06": _repair("AC06", _RESIDENT, "到银行查明冻结原因；必要时改用经批准的其他账户", "ask the bank why it is frozen; else another approved account", _CHANGED, "change"),
    "F07": _repair("AC06", _RESIDENT, "到柜台激活金融功能；村里列名单帮办", "activate the card at the counter; the village helps by list", _AGAIN, "same"),
    "F08": _repair("RC01", _FINANCE, "更正联行号或开户行", "correct the bank's identifier", _CHANGED, "change"),
    "F09": _repair("MD07", _COUNTY, "核实死亡；抚慰金转亲属，其他救助停发", "verify the death; solace goes to kin, other aid stops", _NEVER, "never"),
    "F10": _repair("AM05", _FINANCE, "查明是否已付；已付的不得再发", "find out whether it was paid; then never again", _BY_HAND, "never"),
    "F11": _repair("AG01", _RESIDENT, "Ⅱ、Ⅲ类户限额：到柜台升级或换Ⅰ类户", "a limited account: upgrade it at the counter or use another", _CHANGED, "change"),
    "F12": _repair("AM04", _FINANCE, "补足零余额账户额度或指标", "fund the paying account", Text("资金到位后，可用原账号", "when funded; the same account may be used"), "same"),
    "F13": _repair("MS03", _FINANCE, "先向银行查询，不得直接重发", "ask the bank first; never send again blindly", Text("查明未付后", "when the bank has shown that it was not paid"), "query"),
    "F99": _repair("NARR", _FINANCE, "看银行附言，电话核实", "read the bank's words, ask by phone", _CHANGED, "change"),
}  # fmt: skip


def repair(reason: str | None) -> Repair:
    """The path of a reason; one nobody gave is 其他."""
    return REPAIRS.get(reason or "F99", REPAIRS["F99"])


#: Reasons after which no correction leads to a new attempt.
NO_RETRY: Final = frozenset(code for code, found in REPAIRS.items() if found.retry in ("never", "query"))
