"""The doors beside console and API, one a line: for machines that watch, carriers that report, and people without an account."""

from __future__ import annotations

from typing import Any, Final

from relief.web import (
    applicant,
    bystander,
    form_hook,
    health,
    hooks,
    metrics,
    resident,
    stranger,
)

DOORS: Final[list[Any]] = [
    health.health,
    metrics.metrics,
    hooks.ROUTER,
    form_hook.ROUTER,
    resident.ROUTER,
    stranger.ROUTER,
    bystander.ROUTER,
    applicant.ROUTER,
]
