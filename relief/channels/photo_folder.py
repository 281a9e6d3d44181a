"""Photos on disk, sealed: in parts while they come over a line that breaks, whole once they are proven. Whoever copies the folder sees nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final
from uuid import UUID

from relief.domain.errors import Conflict, NotFound
from relief.domain.sealing import Keys

#: Bytes of one part.
PART: Final = 64 * 1024


class PhotoFolder:
    """The folder `photos` of the data directory; names are ids, never words."""

    def __init__(self, root: Path, keys: Keys) -> None:
        self._root, self._keys = root, keys

    def have(self, photo: UUID) -> int:
        """How many bytes of it have come, from the beginning and without a hole."""
        total = 0
        for at, size in sorted(self._parts(photo)):
            if at != total:
                break
            total += size
        return total

    def add(self, photo: UUID, at: int, content: bytes) -> int:
        """Keep a part that begins where the others end; what came before is not written again. How many bytes there are now."""
        have = self.have(photo)
        if at > have:
            raise Conflict("photo_gap", "照片分段不连续，请从已收到处续传 · go on where the parts received end", have=have)
        if at == have and content:
            folder = self._coming(photo)
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / f"{at}-{len(content)}", self._keys.seal("photo", photo, f"part {at}", content))
            have += len(content)
        return have

    def whole(self, photo: UUID) -> bytes:
        """All parts together."""
        return b"".join(
            self._keys.open("photo", photo, f"part {at}", (self._coming(photo) / f"{at}-{size}").read_bytes())
            for at, size in sorted(self._parts(photo))
        )

    def forget(self, photo: UUID) -> None:
        """Remove its parts."""
        shutil.rmtree(self._coming(photo), ignore_errors=True)

    def keep(self, county: str, photo: UUID, content: bytes) -> None:
        """Put the whole photo where it stays."""
        place = self._place(county, photo)
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, self._keys.seal("photo", photo, "file", content))

    def read(self, county: str, photo: UUID) -> bytes:
        """The whole photo, opened."""
        try:
            return self._keys.open("photo", photo, "file", self._place(county, photo).read_bytes())
        except FileNotFoundError:
            raise NotFound("photo_missing", "照片文件不在本机 · the photo's file is not here") from None

    def _parts(self, photo: UUID) -> list[tuple[int, int]]:
        folder = self._coming(photo)
        names = [p.name.split("-") for p in folder.iterdir() if p.suffix != ".new"] if folder.is_dir() else []
        return [(int(at), int(size)) for at, size in names]

    def _coming(self, photo: UUID) -> Path:
        return self._root / "coming" / str(photo)

    def _place(self, county: str, photo: UUID) -> Path:
        return self._root / county / photo.hex[:2] / f"{photo}.sealed"


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, on the disk before the name is."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
