"""The registers as spreadsheets: which columns a form has, what may stand in them, and which heading is which.

Columns of 应急统表10 carry the ministry's field codes D03001–D03010; those of the registers of dead and missing and of damaged houses
follow the forms in use, whose own codes are not public. Only the household register can be loaded; the others are forms to fill and check.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from relief.domain.household import CIRCUMSTANCES, FAMILY_TYPES
from relief.domain.project import BANKS

Kind = Literal["text", "name", "id", "phone", "account", "bank", "village", "choice", "words", "count", "yes", "degrees", "yuan", "date"]

RELATIONS: Final = ("户主", "配偶", "子女", "父母", "祖父母", "孙子女", "兄弟姐妹", "其他")
RELOCATIONS: Final = {"none": "未转移", "centralised": "集中安置", "dispersed": "分散安置"}
SEXES: Final = ("男", "女")
STRUCTURES: Final = ("钢混", "砖混", "砖木", "土木", "其他")


class Column(msgspec.Struct, frozen=True):
    """One column: its key, headings in Chinese and English, what stands in it. `choices` are the words allowed; `code` the ministry's."""

    key: str
    zh: str
    en: str
    kind: Kind
    required: bool = False
    choices: tuple[str, ...] = ()
    code: str = ""
    most: int = 50

    @property
    def heading(self) -> str:
        """As templates write it."""
        return f"{self.zh} {self.code}".strip()


class Form(msgspec.Struct, frozen=True):
    """A register. `loads` says whether its rows can become households here."""

    key: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    loads: bool = False


HOUSEHOLD: Final = Form(
    "household", "受灾户登记花名册（一户一档）", "Register of households", loads=True,
    columns=(
        Column("number", "户编号", "household no.", "text", True),
        Column("relation", "与户主关系", "relation", "choice", True, RELATIONS),
        Column("name", "姓名", "name", "name", True),
        Column("id_number", "身份证号", "ID number", "id", True),
        Column("village", "村（社区）代码", "village code", "village"),
        Column("phone", "手机号", "mobile phone", "phone"),
        Column("bank", "开户银行", "bank", "bank", choices=tuple(BANKS.values())),
        Column("account", "社保卡银行账号", "account", "account"),
        Column("family_type", "家庭类型", "family type", "choice", choices=tuple(FAMILY_TYPES.values())),
        Column("rooms_collapsed", "倒塌间数", "rooms collapsed", "count"),
        Column("rooms_severe", "严重损坏间数", "rooms severely damaged", "count"),
        Column("rooms_moderate", "一般损坏间数", "rooms damaged", "count"),
        Column("dead", "死亡人数", "dead", "count", most=30),
        Column("missing", "失踪人数", "missing", "count", most=30),
        Column("injured", "受伤人数", "injured", "count", most=30),
        Column("relocated", "转移安置", "relocation", "choice", choices=tuple(RELOCATIONS.values())),
        Column("only_home", "唯一住房", "only home", "yes", choices=("是", "否")),
        Column("occupied", "受灾时居住", "lived in", "yes", choices=("是", "否")),
        Column("people_in_need", "需救助人口", "people in need", "count", most=30),
        Column("circumstances", "其他情形", "circumstances", "words", choices=tuple(CIRCUMSTANCES.values())),
        Column("home_county", "户籍地县级代码", "home county", "text"),
        Column("lon", "经度", "longitude", "degrees"),
        Column("lat", "纬度", "latitude", "degrees"),
    ),
)  # fmt: skip
WINTER: Final = Form(
    "winter", "应急统表10 受灾人员冬春生活政府救助人口一览表", "Form 10: people given winter-spring relief",
    columns=(
        Column("name", "户主姓名", "householder", "name", True, code="D03001"),
        Column("id_number", "户主身份证号", "ID number", "id", True, code="D03002"),
        Column("phone", "户主联系方式", "phone", "phone", code="D03003"),
        Column("family_type", "家庭类型", "family type", "choice", True, tuple(FAMILY_TYPES.values()), "D03004"),
        Column("members", "家庭人口", "members", "count", True, code="D03005", most=30),
        Column("address", "家庭住址", "address", "text", True, code="D03006"),
        Column("people_in_need", "需救助人口", "people in need", "count", True, code="D03007", most=30),
        Column("paid", "已发放救助款（元）", "paid, yuan", "yuan", code="D03008"),
        Column("goods", "已发放救助物资折款（元）", "goods given, yuan", "yuan", code="D03009"),
        Column("way", "救助资金发放形式", "how it was paid", "choice", choices=("一卡通", "现金", "其他"), code="D03010"),
    ),
)  # fmt: skip
DEAD: Final = Form(
    "dead", "因灾死亡失踪人口一览表", "Dead and missing",
    columns=(
        Column("name", "姓名", "name", "name", True),
        Column("sex", "性别", "sex", "choice", True, SEXES),
        Column("age", "年龄", "age", "count", True, most=125),
        Column("nation", "民族", "ethnic group", "text"),
        Column("id_number", "身份证号", "ID number", "id"),
        Column("origin", "户籍地", "place of registration", "text"),
        Column("what", "死亡/失踪", "dead or missing", "choice", True, ("死亡", "失踪")),
        Column("when", "时间", "when", "date", True),
        Column("where", "地点", "where", "text", True),
        Column("cause", "原因（灾种）", "cause", "text", True),
        Column("relative", "家属姓名", "relative", "name"),
        Column("relative_phone", "家属联系方式", "relative's phone", "phone"),
        Column("solace", "抚慰金金额（元）", "solace, yuan", "yuan"),
        Column("note", "备注", "note", "text"),
    ),
)  # fmt: skip
DAMAGED: Final = Form(
    "damaged", "因灾倒塌损坏住房户一览表", "Damaged houses",
    columns=(
        Column("name", "户主姓名", "householder", "name", True),
        Column("id_number", "身份证号", "ID number", "id", True),
        Column("phone", "联系方式", "phone", "phone"),
        Column("family_type", "家庭类型", "family type", "choice", choices=tuple(FAMILY_TYPES.values())),
        Column("members", "家庭人口", "members", "count", True, most=30),
        Column("address", "住址", "address", "text", True),
        Column("structure", "房屋结构", "structure", "choice", choices=STRUCTURES),
        Column("rooms_collapsed", "倒塌间数", "rooms collapsed", "count"),
        Column("rooms_severe", "严重损坏间数", "rooms severely damaged", "count"),
        Column("rooms_moderate", "一般损坏间数", "rooms damaged", "count"),
        Column("rebuild", "是否需重建", "to be rebuilt", "yes", choices=("是", "否")),
        Column("way", "重建方式", "how", "choice", choices=("自建", "统建", "购房", "其他")),
        Column("begun", "开工时间", "begun", "date"),
        Column("done", "竣工时间", "finished", "date"),
        Column("amount", "补助金额（元）", "aid, yuan", "yuan"),
        Column("paid_by", "发放方式", "how it is paid", "choice", choices=("一卡通", "现金", "其他")),
    ),
)  # fmt: skip
#: 核对结论 as reports write it.
FINDINGS: Final = {"within": "符合", "exceeds": "不符合", "unclear": "待核实"}
CHECK: Final = Form(
    "check", "居民家庭经济状况核对报告", "Report of an economic check",
    columns=(
        Column("name", "姓名", "name", "name"),
        Column("id_number", "身份证号", "ID number", "id", True),
        Column("checked_on", "核对日期", "checked on", "date", True),
        Column("finding", "核对结论", "finding", "choice", True, tuple(FINDINGS.values())),
        Column("note", "说明", "note", "text"),
    ),
)  # fmt: skip
FORMS: Final[Mapping[str, Form]] = {f.key: f for f in (HOUSEHOLD, WINTER, DEAD, DAMAGED, CHECK)}


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and where: row of the file, heading of the column ('' for the whole row), stable code."""

    row: int
    place: str
    code: str


def located(form: Form, headings: Sequence[str], row: int) -> tuple[dict[str, int], list[Fault]]:
    """Which column stands where, by heading only; one fault a heading that is missing, double or unknown."""
    names = {_plain(n): c.key for c in form.columns for n in (c.zh, c.heading, c.en, c.code) if n}
    places: dict[str, int] = {}
    faults = []
    for place, heading in enumerate(headings):
        key = names.get(_plain(heading))
        if key is None:
            if heading:
                faults.append(Fault(row, heading[:50], "column_unknown"))
        elif key in places:
            faults.append(Fault(row, heading[:50], "column_twice"))
        else:
            places[key] = place
    needed = [c for c in form.columns if c.required or (form.loads and c.key in ("village", "bank", "account"))]
    faults += [Fault(row, c.zh, "column_missing") for c in needed if c.key not in places]
    return places, faults


def _plain(heading: str) -> str:
    """A heading without spaces, stars and width differences."""
    return re.sub(r"[\s*＊:：]", "", unicodedata.normalize("NFKC", heading)).lower()
