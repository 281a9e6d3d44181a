"""The key file: made once in RELIEF_HOME, readable by its owner only, never in the database. No key, no start."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from relief.domain.errors import Invalid
from relief.domain.sealing import AES, SM4, Keys, new_key

_CIPHERS = {"sm4": SM4, "aes": AES}


def load_or_make(home: Path, cipher: str, may_make: bool) -> Keys:
    """Read home/keys.json; make it when it is missing and `may_make` (that is: when nothing has been sealed yet)."""
    if cipher not in _CIPHERS:
        raise Invalid("settings", "RELIEF_CIPHER 只能是 sm4 或 aes · RELIEF_CIPHER is sm4 or aes")
    path = home / "keys.json"
    if not path.exists():
        if not may_make:
            raise Invalid(
                "key_missing",
                f"缺少密钥文件 {path}，库中已有密封数据，拒绝启动 · the key file is missing but the database holds sealed data",
            )
        _write(path, Keys(algorithm=_CIPHERS[cipher], versions=(new_key(1),)))
    keys = msgspec.json.decode(path.read_bytes(), type=Keys)
    return msgspec.structs.replace(keys, algorithm=_CIPHERS[cipher])


def _write(path: Path, keys: Keys) -> None:
    """Exclusively created, so that two processes starting at once agree on one key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(msgspec.json.encode(keys))
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(part, path)  # fails when another process was first; its key is then ours too
    except FileExistsError:
        pass
    finally:
        part.unlink()
