"""Sealing of personal data: SM4-GCM (GB/T 32907) by default, AES-256-GCM by setting; keyed hashes with HMAC-SM3.

A sealed blob is `algorithm (1 byte) ‖ key version (1) ‖ nonce (12) ‖ tag (16) ‖ ciphertext`. The associated data binds table,
row and column, so a blob copied to another row does not open. Keys live outside the database; without them nothing starts.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from relief.domain.errors import ReliefError

SM4: Final = 1
AES: Final = 2


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of the key material: 32 bytes to seal (SM4 uses the first 16), 32 bytes to hash."""

    version: int
    seal: bytes
    index: bytes


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The live versions; the last seals, every one opens. The index key is that of the first version."""

    algorithm: int
    versions: tuple[Key, ...]

    def seal(self, table: str, row: UUID, column: str, plain: bytes) -> bytes:
        """Seal for exactly one place."""
        key, nonce = self.versions[-1], os.urandom(12)
        sealer = Cipher(_cipher(self.algorithm, key.seal), modes.GCM(nonce)).encryptor()
        sealer.authenticate_additional_data(_place(table, row, column))
        text = sealer.update(plain) + sealer.finalize()
        return bytes((self.algorithm, key.version)) + nonce + sealer.tag + text

    def open(self, table: str, row: UUID, column: str, sealed: bytes) -> bytes:
        """Open what was sealed for that place; anything else is an error, never a guess."""
        for key in self.versions:
            if key.version == sealed[1]:
                break
        else:
            raise ReliefError("key_missing", "该记录所用密钥版本不在 · the key version of this record is not loaded")
        opener = Cipher(_cipher(sealed[0], key.seal), modes.GCM(sealed[2:14], sealed[14:30])).decryptor()
        opener.authenticate_additional_data(_place(table, row, column))
        try:
            return opener.update(sealed[30:]) + opener.finalize()
        except InvalidTag:
            raise ReliefError("seal_broken", "密封数据被改动或错位 · sealed data was altered or moved") from None

    def index(self, kind: str, value: str) -> bytes:
        """Keyed hash for equality (`kind` keeps an account from matching an identity number)."""
        digest = _hasher(self.versions[0].index).copy()
        digest.update(f"{kind}\x00{value}".encode())
        return digest.finalize()

    def block(self, value: str) -> int:
        """Keyed hash of 64 bits (signed), for finding what may be alike; two different values may share one."""
        return int.from_bytes(self.index("block", value)[:8], "big", signed=True)


@lru_cache(maxsize=16)
def _hasher(index: bytes) -> hmac.HMAC:
    """Keyed once; a copy of it is cheaper than keying again."""
    return hmac.HMAC(index, hashes.SM3())


@lru_cache(maxsize=16)
def _cipher(algorithm: int, seal: bytes) -> algorithms.SM4 | algorithms.AES:
    return algorithms.SM4(seal[:16]) if algorithm == SM4 else algorithms.AES(seal)


def _place(table: str, row: UUID, column: str) -> bytes:
    return f"{table}|{row}|{column}".encode()


def new_key(version: int) -> Key:
    """Fresh random key material."""
    return Key(version=version, seal=os.urandom(32), index=os.urandom(32))
