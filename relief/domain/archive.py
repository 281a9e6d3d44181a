"""The export of a case file 一户一档: one ZIP, a manifest with the digest of every file in it, one signature over the manifest."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from relief.domain.errors import Invalid

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
#: Bytes all files of an archive may have when it is verified: more is a bomb, not a case file.
MOST: Final = 500_000_000


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the archive: its size in bytes, its SHA-256 in hex."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the archive holds, whose it is, the how many-th export this is, by whom and when it was made."""

    county: str
    household: str
    serial: int
    made_by: str
    made_at: datetime
    files: list[File]
    form: int = 1


def pack(county: str, household: str, serial: int, made_by: str, at: datetime, files: Mapping[str, bytes], key: Ed25519PrivateKey) -> bytes:
    """The ZIP. The same contents make the same bytes: names in order, no times of their own."""
    listed = [File(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in sorted(files.items())]
    manifest = msgspec.json.format(msgspec.json.encode(Manifest(county, household, serial, made_by, at, listed)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [(MANIFEST, manifest), (SIGNATURE, key.sign(manifest).hex().encode()), *sorted(files.items())]:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def verify(content: bytes, key: Ed25519PublicKey) -> Manifest:
    """The manifest, where every file is as it was signed; else Invalid naming the first that is not. Nothing is written anywhere."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
        if sum(e.file_size for e in entries) > MOST:
            raise Invalid("dossier_size", "档案过大 · the archive is too large to be a case file")
        held = {e.filename: archive.read(e) for e in entries}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError):
        raise Invalid("dossier_form", "不是完整的 ZIP 档案 · this is not a whole ZIP archive") from None
    if len(held) != len(entries) or MANIFEST not in held or SIGNATURE not in held:
        raise Invalid("dossier_form", "缺少清单或签名，或有重名文件 · manifest or signature is missing, or a name stands twice")
    try:
        key.verify(bytes.fromhex(held[SIGNATURE].decode()), held[MANIFEST])
        manifest = msgspec.json.decode(held[MANIFEST], type=Manifest)
    except (InvalidSignature, ValueError, msgspec.MsgspecError):
        raise Invalid(
            "dossier_signature", "签名不符：清单被改动，或不是这个密钥所签 · the manifest was altered, or another key signed it"
        ) from None
    for file in manifest.files:
        found = held.pop(file.name, None)
        if found is None or len(found) != file.size or hashlib.sha256(found).hexdigest() != file.sha256:
            raise Invalid("dossier_file", f"{file.name} 缺失或被改动 · {file.name} is missing or was altered", file=file.name)
    if extra := sorted(set(held) - {MANIFEST, SIGNATURE}):
        raise Invalid("dossier_file", f"{extra[0]} 不在清单中 · {extra[0]} is not in the manifest", file=extra[0])
    return manifest
