"""Which counties a zone touches, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from geo import area, counties
from geo.model import Band
from geo.model import Share as Share

#: Less than a hundred square metres is the rounding of a shared border, not a county that was hit.
NEGLIGIBLE_KM2 = 1e-4


#: Degrees, a tenth of a millimetre: cutting on a grid is slower and never loses a piece.
GRID = 1e-9


def band_shares(wkb: bytes) -> list[Share]:
    """The counties one band touches, by code. Cutting may be slow on unkind shapes: it belongs into the child."""
    known, shape = counties.load(), shapely.from_wkb(wkb)
    touched = np.sort(shapely.STRtree(known.shapes).query(shape, predicate="intersects"))
    cuts = shapely.intersection(known.shapes[touched], shape)
    if shapely.area(cuts).sum() < shapely.area(shape) * (1 - 1e-9):  # beyond our counties, or a piece lost along nearly equal borders
        partly = shapely.area(cuts) < shapely.area(known.shapes[touched]) * (1 - 1e-9)
        cuts[partly] = shapely.intersection(known.shapes[touched[partly]], shape, grid_size=GRID)
    shares = []
    for i, cut in zip(touched.tolist(), cuts, strict=True):
        km2 = area.km2(_areas(cut)) if shapely.area(cut) > 0 else 0.0
        if km2 > NEGLIGIBLE_KM2:
            shares.append(Share(known.codes[i], known.names[i], km2, float(km2 / known.areas_km2[i])))
    return shares


def _areas(cut: object) -> object:
    """Without the lines and points along which two shapes only touch."""
    return shapely.multipolygons([p for p in shapely.get_parts(cut) if p.geom_type == "Polygon"])


def zone_shares(bands: Sequence[Band]) -> list[Share]:
    """The counties a zone of disjoint bands touches, by code; what its bands take of a county is summed."""
    found: dict[str, Share] = {}
    for share in (s for band in bands for s in band.counties):
        before = found.get(share.code)
        found[share.code] = share if before is None else Share(
            share.code, share.name, before.area_km2 + share.area_km2, before.share + share.share
        )  # fmt: skip
    return [found[code] for code in sorted(found)]
