"""What meetings adopted, as a column of the facts: mode C is paid exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from relief.domain.forecast import Longs
from relief.domain.playbook import Playbook
from relief.store import minutes
from relief.store.db import Tx


async def columns(tx: Tx, counties: Sequence[str], incident: UUID, book: Playbook, ids: npt.NDArray[Any]) -> dict[str, Longs]:
    """Fen by household (packed ids) for every aid of mode C some meeting has decided on; nothing where none has."""
    aids = [a.code for a in book.aids if a.mode == "C"]
    found = await minutes.adopted(tx, counties, incident, aids) if aids else []
    if not found:
        return {}
    wanted = {(m.household.bytes, m.aid): m.amount_fen for m in found}
    heads = np.array(sorted({int.from_bytes(m.household.bytes[:8], "big") for m in found}), np.uint64)
    filled: dict[str, Longs] = {aid: np.zeros(len(ids), np.int64) for aid in aids}
    for row in np.flatnonzero(np.isin(ids.view(">u8")[::2], heads)).tolist():
        for aid in aids:
            filled[aid][row] = wanted.get((ids[row].tobytes(), aid), 0)
    return filled
