"""The key files: made once in RELIEF_HOME, readable by their owner only, never in the database. No key, no start."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

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
        _write(path, msgspec.json.encode(Keys(algorithm=_CIPHERS[cipher], versions=(new_key(1),))))
    keys = msgspec.json.decode(path.read_bytes(), type=Keys)
    return msgspec.structs.replace(keys, algorithm=_CIPHERS[cipher])


def signing_key(home: Path) -> Ed25519PrivateKey:
    """The key that signs checkpoints of the trace: home/checkpoint.key, made when it is missing."""
    path = home / "checkpoint.key"
    if not path.exists():
        _write(path, Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("checkpoint_key", f"{path} 不是 Ed25519 私钥 · {path} is not an Ed25519 private key")
    return key


def _write(path: Path, content: bytes) -> None:
    """Exclusively created, so that two processes starting at once agree on one key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(part, path)  # fails when another process was first; its key is then ours too
    except FileExistsError:
        pass
    finally:
        part.unlink()
