"""Is this really a JPEG, and nothing but one? Its frame is walked, nothing is decoded: what carries places, notes or a second file is refused."""

from __future__ import annotations

from typing import Final, NoReturn

import msgspec

from relief.domain.errors import Invalid

#: Pixels of the longer side. The phone shrinks to 1,600.
MOST_PIXELS: Final = 4_096
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
#: Baseline, extended and progressive frames; tables; restart interval; JFIF's own header.
_FRAMES: Final = frozenset((0xC0, 0xC1, 0xC2))
_TABLES: Final = frozenset((0xC4, 0xDB, 0xDD))
_JFIF: Final = 0xE0
#: EXIF and the like (place, owner, thumbnail), comments.
_SAYS_MORE: Final = frozenset((*range(0xE1, 0xF0), 0xFE))
_COLOUR_PROFILE: Final = (0xE2, b"ICC_PROFILE\0")


class Picture(msgspec.Struct, frozen=True):
    """Its size in pixels."""

    width: int
    height: int


def check(content: bytes) -> Picture:
    """Width and height, or a refusal with its code."""
    if content[:2] != b"\xff\xd8":
        _refuse("photo_kind", "不是JPEG照片 · this is not a JPEG photo")
    picture, at, scanned = None, 2, False
    while True:
        marker, at = _marker(content, at)
        if marker == _END:
            break
        body, after = _segment(content, at)
        if marker in _FRAMES:
            picture = _size(body)
        elif marker == _SCAN:
            scanned, after = True, _skip_scan(content, after)
        elif marker in _SAYS_MORE and not (marker == _COLOUR_PROFILE[0] and body.startswith(_COLOUR_PROFILE[1])):
            _refuse("photo_metadata", "照片带有拍摄信息，请由登记页重新压缩 · the photo carries metadata; let the page shrink it again")
        elif marker not in _TABLES and marker != _JFIF and marker not in _SAYS_MORE:
            _refuse("photo_kind", "不支持这种JPEG · that kind of JPEG is not taken")
        at = after
    if picture is None or not scanned:
        _refuse("photo_broken", "照片不完整 · the photo is incomplete")
    if at != len(content):
        _refuse("photo_tail", "照片末尾附有别的内容 · something else follows the photo")
    return picture


def _refuse(code: str, message: str) -> NoReturn:
    raise Invalid(code, message, field="photo")


def _marker(content: bytes, at: int) -> tuple[int, int]:
    while content[at : at + 2] == b"\xff\xff":
        at += 1
    if at + 2 > len(content) or content[at] != 0xFF:
        _refuse("photo_broken", "照片不完整 · the photo is incomplete")
    return content[at + 1], at + 2


def _segment(content: bytes, at: int) -> tuple[bytes, int]:
    length = int.from_bytes(content[at : at + 2], "big")
    if length < 2 or at + length > len(content):
        _refuse("photo_broken", "照片不完整 · the photo is incomplete")
    return content[at + 2 : at + length], at + length


def _size(body: bytes) -> Picture:
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        _refuse("photo_pixels", f"照片边长须在1至{MOST_PIXELS}像素 · a side has 1 to {MOST_PIXELS} pixels")
    return Picture(width, height)


def _skip_scan(content: bytes, at: int) -> int:
    """To the next marker that is neither a stuffed byte nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            _refuse("photo_broken", "照片不完整 · the photo is incomplete")
        if content[at + 1] != 0 and not 0xD0 <= content[at + 1] <= 0xD7 and content[at + 1] != 0xFF:
            return at
        at += 1 if content[at + 1] == 0xFF else 2
