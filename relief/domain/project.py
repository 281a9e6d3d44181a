"""Names that stand on bank files: what is paid (补贴项目) and where (代发银行)."""

from __future__ import annotations

from typing import Final

#: Aid code → its name on screens and files (domain glossary; the six kinds of 受灾人员救助 and temporary assistance).
AIDS: Final = {
    "EMERG": "应急期救助",
    "TRANS": "过渡期生活救助",
    "DROUGHT": "旱灾临时生活困难救助",
    "WINTER": "冬春临时生活困难救助",
    "HOUSE": "因灾倒损民房恢复重建补助",
    "SOLACE": "遇难人员家属抚慰金",
    "REPAIR": "因灾损坏住房维修补助",
    "TEMP": "急难型临时救助",
    "CASE": "一事一议临时救助",
    "PRICE": "价格临时补贴",
}

#: The bank part of a CNAPS code → name; the province's card banks.
BANKS: Final = {
    "102": "中国工商银行",
    "103": "中国农业银行",
    "104": "中国银行",
    "105": "中国建设银行",
    "301": "交通银行",
    "313": "城市商业银行",
    "314": "农村商业银行",
    "402": "农村信用社",
    "403": "中国邮政储蓄银行",
}


def code(aid: str, stage: int) -> str:
    """Project code of one stage of an aid: 'HOUSE_2'."""
    return f"{aid}_{stage}"


def name(project: str) -> str:
    """'因灾倒损民房恢复重建补助（第2期）'."""
    aid, _, stage = project.rpartition("_")
    return f"{AIDS.get(aid, aid)}（第{stage}期）"
