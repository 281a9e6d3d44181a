"""What an answer of the bank that cannot be booked means, whose it is, until when, and what may be done about it. One line a code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from relief.domain.days import add_working_days, beijing_day
from relief.domain.rules import Text

#: What ends an exception. 'verdict' is written when two people have booked the payment by a document of the bank; the others are chosen.
ANSWERS: Final[Mapping[str, Text]] = {
    "not ours": Text("不属本单位，已书面告知银行", "not ours; the bank was told in writing"),
    "bank corrects": Text("已请银行更正并重发文件", "the bank was asked to correct and send again"),
    "answered": Text("已由银行其他文件办结", "settled by another file of the bank"),
    "lifted": Text("已核清，解除暂停", "found to be in order; the hold ends"),
    "verdict": Text("已按银行凭证双人认定", "booked by two people on a document of the bank"),
}


class Case(msgspec.Struct, frozen=True):
    """`owner` is a role of the county; `days` are working days from receipt; `may` holds answers a person may choose."""

    title: Text
    what: Text
    owner: str
    days: int
    may: tuple[str, ...]


def _case(zh: str, en: str, what_zh: str, what_en: str, owner: str, days: int, may: str) -> Case:
    return Case(Text(zh, en), Text(what_zh, what_en), owner, days, tuple(m.strip() for m in may.split("|")))


_STRANGE: Final = "not ours | bank corrects"
_DIFFERS: Final = "bank corrects | answered"
_PREPARER, _CHECKER = "finance_preparer", "finance_checker"
_ASK: Final = ("向银行核对该笔，请其更正后重发；资金未动。", "Ask the bank about the line and have it sent again; no money moved.")

CASES: Final[Mapping[str, Case]] = {
    "unknown_batch": _case("批次号不是我们的", "not a batch of ours", "银行回了一个本单位没有的批次。", "The bank answers for a batch we never numbered.", _PREPARER, 1, _STRANGE),
    "unknown_line": _case("流水号不是我们的", "not a line of ours", "批次中没有这一笔；对账单上的其他支出也列在此。", "The batch has no such line; other entries of the statement stand here too.", _PREPARER, 1, _STRANGE),
    "other_batch": _case("流水号属于另一批次", "a line of another batch", *_ASK, _PREPARER, 1, "bank corrects | answered"),
    "not_sent": _case("该笔尚未发出", "not sent yet", "银行回了一笔我们还没有发出的支付。", "The bank answers for a payment that has not left.", _CHECKER, 1, _STRANGE),
    "amount_differs": _case("金额不符", "the amount differs", *_ASK, _PREPARER, 1, _DIFFERS),
    "account_differs": _case("账号不符", "the account differs", *_ASK, _PREPARER, 1, _DIFFERS),
    "twice_in_file": _case("同一文件一成一败", "success and failure in one file", "银行自相矛盾，该救助已暂停支付。", "The bank contradicts itself; the award is held.", _CHECKER, 1, "answered | lifted"),
    "fail_after_success": _case("先成功后失败", "failure after success", "已入账的又报失败，该救助已暂停；查清是否真的退回。", "Paid, then said to have failed; the award is held. Find out whether it came back.", _CHECKER, 1, "bank corrects | lifted"),
    "success_after_fail": _case("先失败后成功", "success after failure", "已退回的又报成功：可能重复付款，该救助已暂停。", "Returned, then said to be paid: perhaps paid twice; the award is held.", _CHECKER, 1, "bank corrects | lifted"),
    "paid_twice": _case("疑似重复入账", "perhaps credited twice", "同一笔有两个银行流水号，该救助已暂停；请银行冲正多付的一笔。", "One line has two bank serials; the award is held. Have the bank take the second back.", _CHECKER, 1, "bank corrects | lifted"),
    "reversal_without_payment": _case("退票先到", "a return before its payment", "退票所指的入账还没有到；到了会自动入账并办结。", "Its payment has not been reported yet; when it is, this closes by itself.", _PREPARER, 2, "answered"),
    "status_word": _case("状态无法识别", "a status nobody knows", *_ASK, _PREPARER, 1, _DIFFERS),
    "reference": _case("没有可识别的流水号", "no reference of ours", *_ASK, _PREPARER, 1, "not ours | bank corrects | answered"),
    "time": _case("入账时间无法识别", "a time nobody can read", *_ASK, _PREPARER, 1, _DIFFERS),
    "account": _case("账号无法识别", "an account nobody can read", *_ASK, _PREPARER, 1, _DIFFERS),
    "amount": _case("金额无法识别", "an amount nobody can read", *_ASK, _PREPARER, 1, _DIFFERS),
    "dated_before_sending": _case("入账早于发出", "dated before it was sent", *_ASK, _PREPARER, 1, _DIFFERS),
    "dated_in_future": _case("入账日期在将来", "dated in the future", *_ASK, _PREPARER, 1, _DIFFERS),
    "dated_late": _case("入账晚于发出三十天以上", "dated more than thirty days after it was sent", *_ASK, _PREPARER, 1, _DIFFERS),
}  # fmt: skip
#: Codes that put a hold on the award, which ends when the last of them is answered.
CONTRADICTIONS: Final = frozenset({"fail_after_success", "success_after_fail", "twice_in_file", "paid_twice"})


def due_on(code: str, received_at: datetime) -> date:
    """The last day (Beijing) on which this exception should be answered."""
    return add_working_days(beijing_day(received_at), CASES[code].days)


#: After so long without an answer an unknown payment is an alarm, and after this the county's approver is told.
ALARM_AFTER: Final = timedelta(days=1)
ESCALATE_AFTER: Final = timedelta(days=3)


def alarm(sent_at: datetime, now: datetime) -> str:
    """How grave the silence is: 'watch', 'alarm' or 'escalated'."""
    silent = now - sent_at
    return "escalated" if silent >= ESCALATE_AFTER else "alarm" if silent >= ALARM_AFTER else "watch"
