"""One cell of a register: its value, or the code of what is wrong with it. Nothing is guessed; what a spreadsheet has mangled is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from relief.domain import identity
from relief.domain.errors import Invalid
from relief.domain.project import BANKS
from relief.domain.sheet_form import Column

#: As `relief.sheets.model` gives it: text, or ('number', as written), or ('fault', code).
Cell = str | tuple[str, str]
Value = str | int | float | bool | None

_WHOLE: Final = re.compile(r"([0-9]{1,15})(\.0+)?")
_SCIENTIFIC: Final = re.compile(r"[0-9]+(\.[0-9]*)?[eE]\+?[0-9]+")
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")
_YUAN: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_VILLAGE: Final = re.compile(r"([0-9]{12})(\s+\S{1,40})?")
_DATE: Final = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")

#: Code → what a clerk does about it. Codes of numbers and names have their words in `identity`.
SAYS: Final[Mapping[str, str]] = {
    "precision_lost": "数字已被电子表格改动（科学计数、尾数变0或丢了前导0），请把该列设为“文本”后按证件重新填写 · the number was mangled by the spreadsheet; format the column as text and type it again",
    "required": "必填 · this must be filled in",
    "choice": "不在可选项中，请用下拉列表 · not one of the choices; use the drop-down list",
    "count": "须为不小于0的整数 · a whole number is wanted",
    "range": "数值超出允许范围 · the number is outside what is allowed",
    "type_number": "此处须为文字 · text is wanted here",
    "degrees": "须为度数，如 102.1103 · degrees are wanted, such as 102.1103",
    "amount": "须为元，最多两位小数，不写单位和千分位 · yuan with at most two decimals, without unit or separator",
    "date": "须为日期，如 2022-09-05 · a date is wanted, such as 2022-09-05",
    "text_long": "最多200个字 · at most 200 characters",
    "bank_not_supported": "不是本系统代发的银行，请用下拉列表 · payments do not go through that bank; use the list",
    "village_form": "村（社区）代码为12位数字 · a village code has 12 digits",
    "village_unknown": "没有该村（社区）代码 · no such village code",
    "other_county": "该村不属于本县，请分县导入 · that village lies in another county; load each county by itself",
    "outside_area": "该村不在您的辖区 · that village is outside your area",
    "formula": "单元格是公式，请粘贴为数值 · the cell is a formula; paste its value",
    "error_value": "单元格是错误值（如 #REF!），请改正 · the cell holds an error value",
    "control_char": "含不可见的控制字符，请重新录入 · the cell holds control characters; type it again",
    "field_too_long": "内容过长 · the content is too long",
    "bad_encoding": "文字无法按该编码读出，请换编码或另存为 UTF-8 · the text does not fit the encoding; choose another or save as UTF-8",
    "ragged": "该行的列数与表头不同 · the row has another number of columns than the heading",
    "merged": "该行有合并单元格，请取消合并 · the row has merged cells; unmerge them",
    "header_twice": "该行像是第二行表头，请删除 · this looks like a second heading; remove it",
    "column_missing": "缺少此列 · this column is missing",
    "column_twice": "此列出现两次 · this column stands twice",
    "column_unknown": "不认识的列，请用模板的表头 · an unknown column; use the headings of the template",
    "householder_missing": "本户没有户主 · the household has no householder",
    "householder_twice": "本户有两个户主 · the household has two householders",
    "household_split": "同一户编号的行没有连在一起 · rows of one household do not stand together",
    "household_too_large": "一户最多30人，请核对户编号 · at most 30 people; check the household number",
    "id_twice": "同一身份证号在本户出现两次 · one identity number stands twice in this household",
    "id_twice_in_file": "同一身份证号在文件的两户中出现，两户都不导入 · one identity number stands in two households of the file; neither is loaded",
    "registered_already": "此人在本次灾害中已登记 · this person is registered in this incident already",
    "householder_differs": "与户主行所填不同，户的信息只填在户主行 · differs from the householder's row; fill household facts in there only",
    "place_missing": "该村没有坐标，请填经纬度 · the village has no point; give longitude and latitude",
    "point_half": "经度和纬度须一起填 · longitude and latitude go together",
    "axes_swapped": "经纬度填反了 · longitude and latitude are swapped",
    "outside_box": "坐标不在本省范围内 · the point lies outside the province",
    "people_in_need": "需救助人口多于家庭人口 · more people in need than members",
    "home_county": "县级代码为6位数字 · a county code has 6 digits",
}  # fmt: skip


class Wrong(Exception):
    """The cell cannot be used; `code` says why, `says` is the sentence where it is not in SAYS."""

    def __init__(self, code: str, says: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.says = says or SAYS[code]


def value(column: Column, cell: Cell, today: date, typed: bool) -> Value:
    """The value of a cell; None where it is empty. Raises Wrong. `typed`: the file keeps text apart from numbers (a workbook does)."""
    if not isinstance(cell, str):
        if cell[0] == "fault":
            raise Wrong(cell[1])
        return _READERS[column.kind](column, _number(column, cell[1]), today, True)
    if not cell:
        if column.required:
            raise Wrong("required")
        return None
    return _READERS[column.kind](column, cell, today, typed)


def _number(column: Column, written: str) -> str:
    """A number cell where text is wanted: whole and short it is exact, anything else has lost what it was."""
    if column.kind in ("count", "degrees", "yuan"):
        return written
    if column.kind in ("name", "choice", "yes", "words"):
        raise Wrong("type_number")
    match = _WHOLE.fullmatch(written)
    if match is None or column.kind in ("id", "account", "date"):
        raise Wrong("precision_lost")
    return match[1]


def _text(column: Column, text: str, today: date, typed: bool) -> Value:
    if len(text) > 200:
        raise Wrong("text_long")
    return text


def _identity(read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except Invalid as error:
        raise Wrong(error.code, error.message) from None


def _mangled(text: str) -> None:
    """What a spreadsheet leaves behind: an exponent, or the apostrophe that was to prevent one."""
    if text[0] in "'’" or _SCIENTIFIC.fullmatch(text):
        raise Wrong("precision_lost")


def _name(column: Column, text: str, today: date, typed: bool) -> Value:
    return _identity(identity.person_name, text)


def _id(column: Column, text: str, today: date, typed: bool) -> Value:
    _mangled(text)
    number = identity.narrow(text)
    try:
        return _identity(lambda t: identity.id_number(t, today), text)
    except Wrong as wrong:
        if wrong.code == "id_checksum" and number.endswith("000"):
            raise Wrong("precision_lost") from None  # fifteen digits are what a spreadsheet keeps
        raise


def _account(column: Column, text: str, today: date, typed: bool) -> Value:
    _mangled(text)
    number = identity.narrow(text)
    rounded = len(number) > 16 and not number[15:].strip("0")
    try:
        found = _identity(identity.account, text)
    except Wrong as wrong:
        if rounded and wrong.code == "account_checksum":
            raise Wrong("precision_lost") from None
        raise
    if rounded and not typed:
        raise Wrong("precision_lost")
    return found


def _phone(column: Column, text: str, today: date, typed: bool) -> Value:
    _mangled(text)
    return _identity(identity.phone, text)


def _village(column: Column, text: str, today: date, typed: bool) -> Value:
    _mangled(text)
    match = _VILLAGE.fullmatch(text)  # the drop-down of the template says '513322103205 蔡阳村'
    if match is None:
        raise Wrong("village_form")
    return match[1]


def _bank(column: Column, text: str, today: date, typed: bool) -> Value:
    number = identity.narrow(text)
    for code, name in BANKS.items():
        if number in (code, name):
            return code
    raise Wrong("bank_not_supported")


def _choice(column: Column, text: str, today: date, typed: bool) -> Value:
    if text not in column.choices:
        raise Wrong("choice")
    return text


def _yes(column: Column, text: str, today: date, typed: bool) -> Value:
    if text not in column.choices:
        raise Wrong("choice")
    return text == column.choices[0]


def _words(column: Column, text: str, today: date, typed: bool) -> Value:
    words = [w for w in re.split("[;；、\n]", text) if w]
    if any(w not in column.choices for w in words):
        raise Wrong("choice")
    return "、".join(words)


def _count(column: Column, text: str, today: date, typed: bool) -> Value:
    match = _WHOLE.fullmatch(unicodedata.normalize("NFKC", text))
    if match is None:
        raise Wrong("count")
    number = int(match[1])
    if number > column.most:
        raise Wrong("range")
    return number


def _degrees(column: Column, text: str, today: date, typed: bool) -> Value:
    if _DEGREES.fullmatch(text) is None:
        raise Wrong("degrees")
    number = float(text)
    if abs(number) > 180:
        raise Wrong("degrees")
    return number


def _yuan(column: Column, text: str, today: date, typed: bool) -> Value:
    """Whole fen."""
    if _YUAN.fullmatch(text) is None:
        raise Wrong("amount")
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def _date(column: Column, text: str, today: date, typed: bool) -> Value:
    match = _DATE.fullmatch(text)
    try:
        day = date(*(int(n) for n in match.groups())) if match else None
    except ValueError:
        day = None
    if day is None or day > today:
        raise Wrong("date")
    return day.isoformat()


_READERS: Final[Mapping[str, Callable[[Column, str, date, bool], Value]]] = {
    "text": _text, "name": _name, "id": _id, "phone": _phone, "account": _account, "bank": _bank, "village": _village, "choice": _choice,
    "words": _words, "count": _count, "yes": _yes, "degrees": _degrees, "yuan": _yuan, "date": _date,
}  # fmt: skip
