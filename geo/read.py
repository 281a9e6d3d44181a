"""The killable child: limits itself, reads one file from standard input, writes one JSON answer, ends.

    python -m geo.read < request

The request is one line of JSON (`Request`), then the bytes of the file. Started by `geo.sandbox`.
"""

from __future__ import annotations

import resource
import sys

import msgspec
import shapely

from geo import zonefile
from geo.model import Box, Place, ZoneFile, ZoneFileError

CPU_SECONDS = 5
MEMORY_BYTES = 1 << 30
_LIMITS = (
    (resource.RLIMIT_CPU, CPU_SECONDS, CPU_SECONDS + 1),
    (resource.RLIMIT_AS, MEMORY_BYTES, MEMORY_BYTES),
    (resource.RLIMIT_NOFILE, 64, 64),
    (resource.RLIMIT_FSIZE, 1 << 20, 1 << 20),
    (resource.RLIMIT_CORE, 0, 0),
)


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands before the file."""

    name: str
    box: Box


class Refusal(msgspec.Struct, frozen=True):
    """A ZoneFileError on the wire."""

    code: str
    message: str
    at: Place | None


class Answer(msgspec.Struct, frozen=True):
    """Exactly one of the two."""

    zone: ZoneFile | None = None
    refusal: Refusal | None = None


def answer(request: bytes, content: bytes) -> Answer:
    """The file understood, or why not."""
    asked = msgspec.json.decode(request, type=Request)
    try:
        return Answer(zone=zonefile.read(content, asked.name, asked.box))
    except ZoneFileError as error:
        return Answer(refusal=Refusal(error.code, error.message, error.at))
    except (MemoryError, shapely.GEOSException):
        return Answer(refusal=Refusal("file_too_heavy", "文件过于复杂，请简化后再导入 · the file is too complex; simplify it", None))


def main() -> None:
    """Nothing of the file is looked at before the limits hold."""
    for which, soft, hard in _LIMITS:
        resource.setrlimit(which, (soft, hard))
    head, _, content = sys.stdin.buffer.read().partition(b"\n")
    sys.stdout.buffer.write(msgspec.json.encode(answer(head, content)))


if __name__ == "__main__":
    main()
