"""The parts the composition root hands to the web and to the background process: pool, keys, settings, clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec

from relief.channels import bank_layouts
from relief.channels.bank_layouts import Layouts
from relief.domain.sealing import Keys
from relief.services.disburse import Writer
from relief.settings import Settings
from relief.store.db import Pool


class House(msgspec.Struct, frozen=True):
    """What a process works with."""

    pool: Pool
    keys: Keys
    settings: Settings
    clock: Callable[[], datetime]
    development: bool = False  # shows /dev/parts

    @property
    def demands_factor(self) -> bool:
        """Whether 审批 needs a second factor here."""
        return self.settings.second_factor == "required"

    @property
    def writer(self) -> Writer:
        """How batch files are written here."""
        return Writer(layout=_layouts(self.settings.layouts), max_lines=self.settings.batch_lines)


@cache
def _layouts(folder: Path | None) -> Layouts:
    return bank_layouts.load_all(folder)
