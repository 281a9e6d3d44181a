"""Which counties a zone touches, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import shapely

from geo import area, counties

#: Less than a hundred square metres is the rounding of a shared border, not a county that was hit.
NEGLIGIBLE_KM2 = 1e-4


class Share(msgspec.Struct, frozen=True):
    """The part of one county inside a shape."""

    code: str
    name: str
    area_km2: float
    share: float


def band_shares(wkb: bytes) -> list[Share]:
    """The counties one band touches, by code."""
    known, shape = counties.load(), shapely.from_wkb(wkb)
    touched = np.sort(shapely.STRtree(known.shapes).query(shape, predicate="intersects"))
    shares = []
    for i, cut in zip(touched.tolist(), shapely.intersection(known.shapes[touched], shape), strict=True):
        km2 = area.km2(cut) if shapely.area(cut) > 0 else 0.0
        if km2 > NEGLIGIBLE_KM2:
            shares.append(Share(known.codes[i], known.names[i], km2, float(km2 / known.areas_km2[i])))
    return shares


def county_shares(bands_wkb: Sequence[bytes]) -> list[Share]:
    """The counties a zone of disjoint bands touches, by code; what its bands take of a county is summed."""
    found: dict[str, Share] = {}
    for share in (s for wkb in bands_wkb for s in band_shares(wkb)):
        before = found.get(share.code)
        found[share.code] = share if before is None else Share(
            share.code, share.name, before.area_km2 + share.area_km2, before.share + share.share
        )  # fmt: skip
    return [found[code] for code in sorted(found)]
