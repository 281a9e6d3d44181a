"""GDACS footprints: GeoJSON in which an event's centroid, its affected area and the frame around it stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from geo.model import Warn

#: Alert colours of the classes `Poly_Red` … → level.
_COLOURS: Final = {"Poly_Red": 3, "Poly_Orange": 2, "Poly_Green": 1}


def footprints(features: Sequence[Any], warnings: list[Warn]) -> Sequence[Any]:
    """The features unless they are GDACS': then the affected polygons, without the centroid and the frame, with levels by colour."""
    if not features or not all(_is_gdacs(f) for f in features):
        return features
    polygons = [f for f in features if str(f["properties"].get("Class", "")).startswith("Poly")]
    affected = [f for f in polygons if f["properties"]["Class"] != "Poly_Global"] or polygons
    if len(affected) < len(features):
        warnings.append(
            Warn("gdacs_frame_dropped", "GDACS 的中心点和总范围框未采用，只用受影响区 · the centroid and the frame were left out")
        )
    return [_levelled(f) for f in affected]


def _is_gdacs(feature: Any) -> bool:
    said = feature.get("properties") if isinstance(feature, dict) else None
    return isinstance(said, dict) and "eventtype" in said and "episodeid" in said and "Class" in said


def _levelled(feature: dict[str, Any]) -> dict[str, Any]:
    said = feature["properties"]
    kept = {"label": said.get("polygonlabel")}
    if said["Class"] in _COLOURS:
        kept["level"] = _COLOURS[said["Class"]]
    return {**feature, "properties": kept}
