"""What the pages of reports and responses read beside the services: versions, missed deadlines, decisions made, names of areas."""

from __future__ import annotations

from relief.store.incidents import counties
from relief.store.regions import names
from relief.store.reports import Missed, Named, Report, latest, missed, named
from relief.store.responses import Response, current, history

__all__ = ["Missed", "Named", "Report", "Response", "counties", "current", "history", "latest", "missed", "named", "names"]
