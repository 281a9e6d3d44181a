"""Checkpoints outside the database: one file each in RELIEF_HOME/checkpoints, written once, never changed; the key to check them beside.

Whoever wants to be sure copies the folder to a place that neither the database's nor this machine's owner can write to.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from relief.domain.errors import Invalid
from relief.settings import Settings

PUBLIC_KEY: Final = "checkpoint.pub"


class Last(msgspec.Struct, frozen=True):
    """The newest file: its number and SHA-256 in hex; 0 and nothing when there is none."""

    serial: int
    digest: str


class FolderCheckpoints:
    """A folder of files named 00000001.json and so on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, settings: Settings) -> FolderCheckpoints:
        """The one in RELIEF_HOME."""
        return cls(settings.home / "checkpoints")

    async def last(self) -> Last:
        """The newest file."""
        files = await self.read()
        return Last(len(files), hashlib.sha256(files[-1][1]).hexdigest()) if files else Last(0, "")

    async def read(self) -> list[tuple[str, bytes]]:
        """Every file by name, oldest first."""
        return await asyncio.to_thread(lambda: [(p.name, p.read_bytes()) for p in sorted(self._folder.glob("[0-9]*.json"))])

    async def write(self, serial: int, content: bytes, key: Ed25519PublicKey) -> None:
        """One more file; it is an error when that number exists."""
        await asyncio.to_thread(self._write, serial, content, key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def key(self) -> Ed25519PublicKey:
        """The key beside the files; an auditor had better use a copy of their own."""
        return public_key(self._folder / PUBLIC_KEY)

    def _write(self, serial: int, content: bytes, key: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / PUBLIC_KEY).exists():
            (self._folder / PUBLIC_KEY).write_bytes(key)
        handle = os.open(self._folder / f"{serial:08d}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def public_key(path: Path) -> Ed25519PublicKey:
    """An Ed25519 public key from a PEM file."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise Invalid("checkpoint_key", f"无法读取公钥 {path} · the public key {path} cannot be read") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("checkpoint_key", f"{path} 不是 Ed25519 公钥 · {path} is not an Ed25519 public key")
    return key
