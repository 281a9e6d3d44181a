"""What the page of reports and responses reads beside the services: decisions made, names of areas."""

from __future__ import annotations

from relief.store.regions import names
from relief.store.responses import Response, history

__all__ = ["Response", "history", "names"]
