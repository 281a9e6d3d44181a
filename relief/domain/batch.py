"""A batch file as a noun: what is sent to the bank, what comes back, and the three digests that tie them together.

The words a particular bank uses (column titles, encoding, status words) are a layout's business, not this file's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from relief.domain.errors import Invalid

_COUNTY: Final = re.compile(r"[0-9]{6}")
_PART: Final = re.compile(r"[A-Za-z0-9_]{1,24}")
_NUMBER: Final = re.compile(r"[0-9]{6}(-[A-Za-z0-9_]{1,24}){3}-[0-9]{4,6}")
_MAX_SERIAL: Final = 999_999
_DIGEST_BYTES: Final = 32

#: Failure reasons of the bank, as the house names them; F99 is every other one.
REASONS: Final = frozenset({*(f"F{n:02d}" for n in range(1, 14)), "F99"})


class BatchLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One credit to one account. Clear personal data: lives in memory and in the sealed file only."""

    seq: int  # 1 … count, no gaps
    reference: str  # 业务流水号, the payment's end-to-end id
    name: str
    id_type: str  # 'resident', …: a key of the layout's table of document types
    id_number: str
    account: str
    bank_name: str
    cnaps: str  # 联行号, 12 digits, or '' where the bank does not ask for it
    amount_fen: int
    phone: str  # E.164 or ''
    area: str  # 12-digit statistical code
    kind: str  # 发放类别: kind of aid and stage
    note: str


class BatchFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole batch. Count and total are derived, so they cannot disagree with the lines."""

    number: str
    project: str  # 补贴项目代码
    project_name: str
    period: str  # 发放期次 YYYYMM[NN]
    payer: str
    payer_account: str
    bank: str
    lines: tuple[BatchLine, ...]
    summary: str
    made_at: datetime | None = None  # when it was frozen; some layouts write it

    @property
    def count(self) -> int:
        """How many credits."""
        return len(self.lines)

    @property
    def total_fen(self) -> int:
        """Their sum in fen."""
        return sum(line.amount_fen for line in self.lines)


class ResultRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What the bank says about one line. `code` tells why a row cannot be read; its money then never moves."""

    row: int  # line of the file as an officer sees it when opening it, from 1
    batch_number: str
    reference: str  # '' when missing or malformed
    outcome: str  # 'paid' | 'returned' | 'pending' | 'reversed' | 'unreadable'
    amount_fen: int
    reason: str | None = None  # F01…F99 when returned or reversed
    bank_ref: str | None = None  # 银行流水号
    at: datetime | None = None  # 入账时间
    account: str | None = None  # the account the bank says it used, compared by keyed hash and not stored
    code: str | None = None


class ResultFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A result file (one batch, perhaps a part of it), a statement (`batch_number` is '', rows name their batches), or a receipt: no
    rows, only whether the bank takes the file as a whole, and if not why."""

    kind: str  # 'result' | 'statement' | 'receipt'
    batch_number: str
    rows: tuple[ResultRow, ...]
    accepted: bool = True
    reason: str | None = None


class Glimpse(msgspec.Struct, frozen=True):
    """What can be told of a file without trusting it: enough to file a refused one under its county."""

    kind: str
    batch_number: str


class Layout(Protocol):
    """What services need of a bank's layout; the layouts themselves live with the channels."""

    @property
    def name(self) -> str:
        """Kept with every batch."""

    def of(self, bank: str) -> Layout:
        """The layout that bank is written to in."""

    def encode(self, batch: BatchFile) -> bytes:
        """The bytes that are signed and sent; the same batch gives the same bytes."""

    def parse_result(self, content: bytes) -> ResultFile:
        """Read a result file, or raise Invalid for the whole of it."""

    def parse_statement(self, content: bytes) -> ResultFile:
        """Read a statement, or raise Invalid for the whole of it."""

    def glimpse(self, content: bytes) -> Glimpse:
        """Kind and batch number if they can be seen; never raises."""


def number(county: str, project: str, period: str, bank: str, serial: int) -> str:
    """The batch number: '513322-EMERG-202209-402-0001'. ASCII, safe as a file name, never reused.

    `serial` counts the batches of that county, project, period and bank from 1.
    """
    if _COUNTY.fullmatch(county) is None or not all(_PART.fullmatch(p) for p in (project, period, bank)) or not 1 <= serial <= _MAX_SERIAL:
        raise Invalid(
            "batch_number",
            "批次号由县代码、项目、期次、银行和序号组成 · a batch number is county, project, period, bank and serial in ASCII",
        )
    return f"{county}-{project}-{period}-{bank}-{serial:04d}"


def is_number(text: str) -> bool:
    """True for what `number` makes; anything else is neither looked up nor used as a file name."""
    return _NUMBER.fullmatch(text) is not None


def county_of(text: str) -> str | None:
    """The county a batch number begins with; None when it is no batch number."""
    return text[:6] if is_number(text) else None


def digest(content: bytes) -> bytes:
    """SHA-256 of a file, byte for byte: what officers sign, what is sent, what is asked for afterwards."""
    return hashlib.sha256(content).digest()


def envelope(digests: Sequence[bytes]) -> bytes:
    """One digest over many batch digests, so that one signature with one second factor can seal them all.

    Order does not matter; the same batch twice, none at all, or anything but SHA-256 digests is refused.
    """
    members = sorted(digests)
    if not members or len(set(members)) != len(members) or any(len(d) != _DIGEST_BYTES for d in members):
        raise Invalid("envelope", "信封须含一个以上互不相同的批次摘要 · an envelope holds distinct batch digests, at least one")
    return hashlib.sha256(b"relief-envelope-1\x00" + b"".join(members)).digest()
