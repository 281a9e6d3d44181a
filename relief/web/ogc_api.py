"""The description of `/ogc` in OpenAPI 3.0, as map programs read it; the whole house is described in 3.1 at `/api/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_NAMES: Final = ("limit", "offset", "bbox", "datetime")


def described(server: str, collections: Mapping[str, tuple[str, str]], most: int) -> dict[str, Any]:
    """Paths and parameters below `server`; at most `most` features a page."""
    paths = {
        "/": _get("landing page"),
        "/conformance": _get("what is kept of the standard"),
        "/collections": _get("the collections"),
    }
    for name, (title, _) in collections.items():
        paths[f"/collections/{name}"] = _get(title)
        paths[f"/collections/{name}/items"] = _get(
            f"{title}: a page of features", [{"$ref": f"#/components/parameters/{n}"} for n in _NAMES]
        )
        paths[f"/collections/{name}/items/{{featureId}}"] = _get(
            f"{title}: one feature", [{"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}]
        )
    return {
        "openapi": "3.0.3",
        "info": {"title": "relief: OGC API – Features", "version": "1.0.0"},
        "servers": [{"url": server}],
        "security": [{"basic": []}],
        "paths": paths,
        "components": {"parameters": _parameters(most), "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
    }


def _get(summary: str, parameters: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": {"200": {"description": "JSON or GeoJSON"}}}}


def _parameters(most: int) -> dict[str, Any]:
    text: Mapping[str, Any] = {"type": "string"}
    schemas: dict[str, Mapping[str, Any]] = {
        "limit": {"type": "integer", "minimum": 1, "maximum": most, "default": 100},
        "offset": {"type": "integer", "minimum": 0, "default": 0},
        "bbox": {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}},
        "datetime": text,
    }
    plain = {"style": "form", "explode": False}
    return {n: {"name": n, "in": "query", "required": False, "schema": schema, **plain} for n, schema in schemas.items()}
