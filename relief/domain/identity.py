"""Numbers that name a person: resident identity number (GB 11643-1999), phone, card account. Check, normalise, mask."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from operator import mul

from relief.domain.errors import Invalid

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
#: Twice a digit, its own digits added up.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_SPACES = re.compile(r"[\s\-\u2010-\u2015]")
_DOTS = re.compile(r"[・•‧∙．]")
_ID = re.compile(r"[0-9]{17}[0-9X]")
_MAINLAND = re.compile(r"1[3-9][0-9]{9}")
_FOREIGN = re.compile(r"\+[1-9][0-9]{6,14}")
_ACCOUNT = re.compile(r"[0-9]{16,19}")

#: Marks of invented people (never assigned to anybody): identity prefix, account prefix, mainland phone prefix.
TEST_ID_PREFIX = "519999"
TEST_ACCOUNT_PREFIX = "629999"
TEST_PHONE_PREFIX = "1540"


def narrow(text: str) -> str:
    """Full-width to half-width, spaces and dashes out: people type numbers in many ways."""
    if text.isascii() and text.isalnum():
        return text
    return _SPACES.sub("", unicodedata.normalize("NFKC", text))


def id_check_digit(first17: str) -> str:
    """The 18th character for the first 17 digits."""
    return _CHECK[sum(map(mul, map(int, first17), _WEIGHTS)) % 11]


#: A person without papers: T, five letters or digits, birth date, three digits, check digit. Eighteen characters, built like the others.
_TEMPORARY = re.compile(r"T[0-9A-Z]{5}[0-9]{11}[0-9X]")
#: Residence permits of Hong Kong 香港, Macao 澳门 and Taiwan 台湾 have the form of the resident number (国办发〔2018〕81号).
_PERMITS = ("810000", "820000", "830000")


def document(number: str) -> str:
    """What paper a number in its one form stands on: 'resident', 'hmt_resident' 港澳台居民居住证, 'foreign_resident' 外国人永久居留身份证, 'temporary': none."""
    if number.startswith("T"):
        return "temporary"
    if number.startswith(_PERMITS):
        return "hmt_resident"
    return "foreign_resident" if number.startswith("9") else "resident"


def temporary_number(scattered: str, born: date) -> str:
    """The temporary number of a person without papers: `scattered` are five random letters or digits and three digits made on the device."""
    body = f"T{scattered[:5]}{born:%Y%m%d}{scattered[5:8]}"
    return body + _temporary_check(body)


def _temporary_check(first17: str) -> str:
    return _CHECK[sum(int(c, 36) * w for c, w in zip(first17, _WEIGHTS, strict=True)) % 11]


def id_number(text: str, today: date) -> str:
    """An identity number in its one form, or a refusal that says what is wrong (never repeating the number).

    Resident number, residence permit of Hong Kong, Macao or Taiwan, permanent residence of a foreigner (2023), or a temporary number.
    """
    number = narrow(text).upper()
    if _TEMPORARY.fullmatch(number):
        if _temporary_check(number[:17]) != number[17]:
            raise Invalid("id_checksum", "临时编号校验位不符，请核对 · the check digit of the temporary number is wrong")
        return _born(number, today)
    if re.fullmatch(r"[A-Z]{3}[0-9]{12}", number):
        raise Invalid(
            "id_old_permit",
            "旧版永久居留证号请换填新版18位号码，没有的按无证件登记 · give the 18-character number of the new permit, or register without papers",
        )
    if re.fullmatch(r"[0-9]{15}", number):
        raise Invalid("id_15", "15位旧身份证号已停用，请填18位 · the old 15-digit number is no longer valid, give 18 digits")
    if _ID.fullmatch(number) is None:
        raise Invalid("id_form", "身份证号须为18位 · an identity number has 18 characters")
    if id_check_digit(number[:17]) != number[17]:
        raise Invalid("id_checksum", "身份证号校验位不符，请核对 · the check digit is wrong, please compare with the card")
    return _born(number, today)


def _born(number: str, today: date) -> str:
    born = birth_date(number)
    if born > today or today.year - born.year > 125:
        raise Invalid("id_birth", "身份证号中的出生日期不可能 · the birth date in the number is impossible")
    return number


def birth_date(number: str) -> date:
    """The birth date inside an identity number of 18 characters."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise Invalid("id_birth", "身份证号中的出生日期不存在 · the birth date in the number does not exist") from None


def adult(number: str, today: date) -> bool:
    """Eighteen or older on that day."""
    born = birth_date(number)
    return (today.year - born.year) - ((today.month, today.day) < (born.month, born.day)) >= 18


def phone(text: str) -> str:
    """One E.164 form ('+8615400001234'); mainland numbers are mobile ones, others need their country code."""
    number = narrow(text)
    if number.startswith("00"):
        number = "+" + number[2:]
    bare = number.removeprefix("+86") if number.startswith("+86") else number
    if _MAINLAND.fullmatch(bare):
        return "+86" + bare
    if number.startswith("+86") or _FOREIGN.fullmatch(number) is None:
        raise Invalid("phone_form", "手机号须为11位（境外须带国家码） · give an 11-digit mobile number, or a country code")
    return number


def phone_route(e164: str | None) -> str:
    """How a number can answer: +86 is one way (carrier rules: no two-way SMS), other countries are two way."""
    if e164 is None:
        return "none"
    return "one way" if e164.startswith("+86") else "two way"


def luhn(number: str) -> bool:
    """The Luhn check of payment cards."""
    digits = list(map(int, reversed(number)))
    return (sum(digits[::2]) + sum(map(_DOUBLED.__getitem__, digits[1::2]))) % 10 == 0


def account(text: str, *, sure: bool = False) -> str:
    """A 社保卡 bank account: 16 to 19 digits beginning with 62, Luhn-valid unless somebody is `sure`: a few banks' accounts never were."""
    if "E+" in text.upper() or "." in text:
        raise Invalid("precision_lost", "账号被电子表格改成了科学计数，请按文本填写 · the number was mangled by a spreadsheet")
    number = narrow(text)
    if _ACCOUNT.fullmatch(number) is None or not number.startswith("62"):
        raise Invalid("account_form", "社保卡账号为62开头的16至19位数字 · a card account has 16–19 digits and begins with 62")
    if not sure and not luhn(number):
        raise Invalid("account_checksum", "社保卡账号校验位不符，请核对 · the account's check digit is wrong")
    return number


def person_name(text: str) -> str:
    """A name as written, with the dots of minority names brought to one form (·)."""
    name = _DOTS.sub("·", unicodedata.normalize("NFC", text.strip()))
    if not 2 <= len(name) <= 50 or any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Nd", "So") for c in name):
        raise Invalid("name_form", "姓名须为2至50个字，不含数字和符号 · a name has 2–50 letters, no digits or symbols")
    return name


def mask_id(number: str) -> str:
    """4 + 10 stars + 4."""
    return number[:4] + "*" * 10 + number[-4:]


def mask_phone(e164: str) -> str:
    """+86 138****1234."""
    bare = e164.removeprefix("+86")
    return bare[:3] + "****" + bare[-4:]


def mask_account(number: str) -> str:
    """Only the last four."""
    return "**** " + number[-4:]


def mask_name(name: str) -> str:
    """Family name and stars."""
    return name[:1] + "*" * max(1, len(name) - 1)
