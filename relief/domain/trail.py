"""The chain of the trace: how an act's line is bound to the one before it, what a checkpoint says, and how an export is verified.

An export has one line an act, ordered by county and number: `county TAB number TAB chain TAB act`. The act is JSON as PostgreSQL writes it
(`jsonb_build_array(county, id, microseconds, actor, act, subject, count, digest, detail)`), so what is verified is byte for byte what was
sealed. `chain` is the SHA-256 of (chain before it ‖ number ‖ TAB ‖ act); the first one of a county stands on `genesis`. A line's chain
needs only the line before, so any part of an export can be verified alone.

A chain shows what was changed inside it. It cannot show that its end was cut, or that somebody who owns the database has rewritten it from
some place on: that is what checkpoints are for, signed (Ed25519) and kept outside.
"""

from __future__ import annotations

import hashlib
from binascii import hexlify
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from relief.domain.errors import Invalid


class Head(msgspec.Struct, frozen=True, array_like=True):
    """How far a county's chain had come."""

    seq: int
    chain: str


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All counties at one moment; `previous` is the SHA-256 of the checkpoint file before it, empty for the first."""

    serial: int
    at: datetime
    previous: str
    heads: dict[str, Head]


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint's file: the exact bytes that were signed, as text, and the signature in hex."""

    checkpoint: str
    signature: str


class Broken(msgspec.Struct, frozen=True):
    """The first row that is not as it was sealed: 'county/number', and why."""

    row: str
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """What verifying found: rows read, last number and chain of each county, the first broken row of all."""

    rows: int
    heads: dict[str, Head]
    broken: Broken | None


#: Why a row is broken, in words for people.
WHY: Final[Mapping[str, str]] = {
    "unreadable": "该行无法读懂 · the line cannot be read",
    "unsealed": "未封存的留痕：不在链上，也不在待封存队列 · an act that is neither sealed nor waiting to be",
    "gap": "编号不连续：有行被删除、插入或调换 · the numbers do not follow each other: rows were deleted, inserted or moved",
    "chain": "内容或链值被改动 · the act or its chain was changed",
    "order": "县的次序不对 · the counties are not in order",
    "tail": "链尾被截去，检查点记录的编号更大 · the end was cut: a checkpoint has seen more",
    "checkpoint": "与检查点不符：链被重写 · not what a checkpoint has seen: the chain was rewritten",
}


def genesis(county: str) -> bytes:
    """What the first act of a county stands on."""
    return hashlib.sha256(f"relief audit {county}".encode()).digest()


def link(before: bytes, seq: int, line: bytes) -> bytes:
    """The chain value of an act."""
    return hashlib.sha256(b"%b%d\t%b" % (before, seq, line)).digest()


def verify(lines: Iterable[bytes], before: bytes | None = None, wanted: Mapping[str, Mapping[int, str]] = {}) -> Verdict:
    """Read an export up to its first broken row.

    `before` is the line that stands before these ones when they are a part of an export (it is trusted here: another part verifies it).
    `wanted` are chain values that checkpoints have seen, by county and number.
    """
    county, seq, chain = _end(before)
    heads: dict[str, Head] = {}
    seen = wanted.get(_text(county), {})
    rows, sha256 = 0, hashlib.sha256
    for raw in lines:
        parts = raw.split(b"\t", 3)
        if parts[0] != county and len(parts) == 4 and parts[1]:
            if parts[0] < county:
                return Verdict(rows, heads, Broken(f"{_text(parts[0])}/{_text(parts[1])}", "order"))
            heads[_text(county)] = Head(seq, chain.hex())
            county, seq, chain = parts[0], 0, genesis(_text(parts[0]))
            seen = wanted.get(_text(county), {})
        seq += 1
        if len(parts) != 4 or parts[1] != b"%d" % seq:
            return Verdict(rows, heads, _fault(parts, county, seq))
        chain = sha256(b"%b%b\t%b" % (chain, parts[1], parts[3].rstrip(b"\n"))).digest()
        if hexlify(chain) != parts[2]:
            return Verdict(rows, heads, Broken(f"{_text(county)}/{seq}", "chain"))
        if seen and seq in seen and seen[seq] != _text(parts[2]):
            return Verdict(rows, heads, Broken(f"{_text(county)}/{seq}", "checkpoint"))
        rows += 1
    heads[_text(county)] = Head(seq, chain.hex())
    heads.pop("", None)
    return Verdict(rows, heads, None)


def _end(line: bytes | None) -> tuple[bytes, int, bytes]:
    """County, number and chain of the line before a part; one that cannot be read is told by the part it belongs to."""
    parts = (line or b"").split(b"\t", 3)
    try:
        return parts[0], int(parts[1]), bytes.fromhex(parts[2].decode())
    except (ValueError, IndexError):
        return b"", 0, b""


def _fault(parts: Sequence[bytes], county: bytes, seq: int) -> Broken:
    if len(parts) != 4:
        return Broken(f"{_text(county)}/{seq}", "unreadable")
    if not parts[1]:
        return Broken(f"{_text(parts[0])}/{_text(parts[3].rstrip())}", "unsealed")
    return Broken(f"{_text(parts[0])}/{_text(parts[1])}", "gap")


def cut(heads: Mapping[str, Head], wanted: Mapping[str, Mapping[int, str]], counties: Iterable[str] | None = None) -> Broken | None:
    """The first county whose chain ends before what a checkpoint has seen; the export is about codes that begin so (None: all)."""
    asked = tuple(counties) if counties is not None else ("",)
    for county in sorted(c for c in wanted if c.startswith(asked)):
        last, had = max(wanted[county]), heads.get(county, Head(0, ""))
        if had.seq < last:
            return Broken(f"{county}/{had.seq + 1}", "tail")
    return None


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """The file of a checkpoint."""
    text = msgspec.json.encode(checkpoint, order="deterministic")
    return msgspec.json.encode(Signed(text.decode(), key.sign(text).hex())) + b"\n"


def read(files: Sequence[tuple[str, bytes]], key: Ed25519PublicKey) -> list[Checkpoint]:
    """Checkpoints from their files, in order; refused when one is not signed by the key or one between them is missing."""
    found: list[Checkpoint] = []
    before = ""
    for name, content in files:
        try:
            signed = msgspec.json.decode(content, type=Signed)
            key.verify(bytes.fromhex(signed.signature), signed.checkpoint.encode())
            checkpoint = msgspec.json.decode(signed.checkpoint, type=Checkpoint)
        except (InvalidSignature, ValueError, msgspec.DecodeError):
            raise Invalid("checkpoint_forged", f"检查点 {name} 的签名不对 · checkpoint {name} is not signed by this key") from None
        if checkpoint.previous != before or checkpoint.serial != len(found) + 1:
            raise Invalid("checkpoint_missing", f"检查点 {name} 之前缺少文件 · a checkpoint before {name} is missing")
        before = hashlib.sha256(content).hexdigest()
        found.append(checkpoint)
    return found


def wanted(checkpoints: Iterable[Checkpoint]) -> dict[str, dict[int, str]]:
    """Chain values that checkpoints have seen, by county and number."""
    seen: dict[str, dict[int, str]] = {}
    for checkpoint in checkpoints:
        for county, head in checkpoint.heads.items():
            seen.setdefault(county, {})[head.seq] = head.chain
    return seen


def _text(part: bytes) -> str:
    return part.decode("utf-8", "replace")
