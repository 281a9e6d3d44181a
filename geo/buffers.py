"""Points and lines with a distance become areas: an epicentre, a fault, a river.

Circles are geodesics of the ellipsoid (128 corners: the area is 0.04 % short); around lines the distance is measured in an equidistant
frame at the middle of the line, right to 0.02 % within 200 km. Long edges are given corners every 5 km, so that an edge that is straight
in degrees strays less than a metre from the one meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyproj
import shapely

from geo.model import MAX_BUFFER_KM, Feature, Options, Place, Warn, ZoneFileError

#: Properties that may state the distance in km; the option of the import stands in where a shape says nothing.
KEYS: Final = ("buffer_km", "radius_km", "distance_km")
_CORNERS: Final = 128
_STEP_M: Final = 5_000.0
_STEP_DEGREES: Final = 0.05
_GEOD: Final = pyproj.Geod(ellps="GRS80")


def widened(features: Sequence[Feature], options: Options, warnings: list[Warn]) -> Sequence[Feature]:
    """Only areas: those of the file, and what its points and lines become. Points without a distance beside areas are labels."""
    areas = any(_is_area(f.geometry) for f in features)
    kept, dropped = [], 0
    for feature in features:
        if _is_area(feature.geometry):
            kept.append(feature)
        elif (km := _distance(feature, options)) is not None:
            kept.append(Feature(feature.properties, around(feature.geometry, km)))
        elif areas and feature.geometry.geom_type in ("Point", "MultiPoint"):
            dropped += 1
        else:
            kind = feature.geometry.geom_type
            raise ZoneFileError(
                "not_polygon",
                f"灾区须为面，文件中有 {kind}；点或线须给出距离（buffer_km）"
                f" · a zone is made of polygons; the file holds a {kind}: give a distance (buffer_km)",
                _somewhere(feature.geometry),
            )
    if dropped:
        warnings.append(Warn("points_dropped", f"{dropped}个没有距离的点未采用 · {dropped} points without a distance were left out"))
    return kept


def _is_area(geometry: Any) -> bool:
    return geometry.geom_type in ("Polygon", "MultiPolygon")


def _somewhere(geometry: Any) -> Place:
    lon, lat = shapely.get_coordinates(geometry)[0]
    return float(lon), float(lat)


def _distance(feature: Feature, options: Options) -> float | None:
    said = next((feature.properties[k] for k in KEYS if feature.properties.get(k) is not None), options.buffer_km)
    if said is None:
        return None
    try:
        km = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else np.nan
    except ValueError:
        km = np.nan
    if not 0 < km <= MAX_BUFFER_KM:
        raise ZoneFileError(
            "buffer", f"距离须大于0且不超过{MAX_BUFFER_KM:g}公里 · a distance must be above 0 and at most {MAX_BUFFER_KM:g} km",
            _somewhere(feature.geometry),
        )  # fmt: skip
    return km


def around(geometry: Any, km: float) -> Any:
    """Everything within a distance of a point or a line, degrees of EPSG:4490."""
    if geometry.geom_type in ("Point", "MultiPoint"):
        shapes = [_circle(lon, lat, km) for lon, lat in shapely.get_coordinates(geometry)]
    else:
        shapes = [_along(line, km) for line in shapely.get_parts(geometry)]
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)


def _circle(lon: float, lat: float, km: float) -> Any:
    azimuths = np.linspace(360, 0, _CORNERS, endpoint=False)
    x, y, _ = _GEOD.fwd(np.full(_CORNERS, lon), np.full(_CORNERS, lat), azimuths, np.full(_CORNERS, km * 1000))
    return shapely.Polygon(np.column_stack([x, y]))


def _along(line: Any, km: float) -> Any:
    west, south, east, north = shapely.bounds(line)
    frame = pyproj.CRS.from_dict(
        {"proj": "aeqd", "lat_0": float(south + north) / 2, "lon_0": float(west + east) / 2, "ellps": "GRS80", "units": "m"}
    )
    forth = pyproj.Transformer.from_crs(frame.geodetic_crs, frame, always_xy=True)
    back = pyproj.Transformer.from_crs(frame, frame.geodetic_crs, always_xy=True)
    metric = shapely.transform(shapely.segmentize(line, _STEP_DEGREES), lambda xy: np.column_stack(forth.transform(*xy.T)))
    wide = shapely.segmentize(shapely.buffer(metric, km * 1000, quad_segs=32), _STEP_M)
    return shapely.transform(wide, lambda xy: np.column_stack(back.transform(*xy.T)))
