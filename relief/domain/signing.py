"""Who signs an award: the playbook's approval bands and what the county leaves to the township, by the amount a household is granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from relief.domain.rules import APPROVERS, Aid, Approval

Office = Literal["township", "county", "meeting", "city"]


class Signing(msgspec.Struct, frozen=True):
    """So many people of this office; `delegated`: a township that signs in the county's name."""

    office: Office
    needed: int
    delegated: bool


def signing(aid: Aid, figures: Mapping[str, int], granted_fen: int) -> Signing:
    """Who approves when a household is granted so much in all: a small top-up does not slip below a band the whole has reached.

    Up to `delegate_up_to` the township signs in the county's name; what is above is the county's own, whatever the band says of the township.
    """
    band = _band(aid, figures, granted_fen)
    limit = aid.procedure.delegate_up_to if aid.procedure else None
    if limit is None:
        return Signing(band.by, band.signatures, False)
    if granted_fen <= figures[limit]:
        return Signing("township", band.signatures if band.by == "township" else 1, True)
    return Signing("county" if band.by == "township" else band.by, band.signatures, False)


def _band(aid: Aid, figures: Mapping[str, int], granted_fen: int) -> Approval:
    for band in aid.approvals:
        if band.up_to is None or granted_fen <= figures[band.up_to]:
            return band
    return Approval(by="township" if APPROVERS[aid.mode] == "township" else "county")  # form 1 has no bands
