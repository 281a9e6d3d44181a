"""What must be true of what phones send (the numbers in brackets: see `invariants`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relief.store.invariant import Invariant

FIELD: Final[Sequence[Invariant]] = (
    Invariant(
        "a_receipt_stands_for_a_household",
        "every record a device was told is kept stands in the register under its id, once [36]",
        "SELECT count(*) FROM device_record WHERE outcome <> 'refused'",
        """SELECT r.county || '/' || r.device || '/' || r.seq AS row FROM device_record r
           LEFT JOIN device_guard g ON g.device_id = r.record
           LEFT JOIN household h ON h.county = g.county AND h.id = g.household
           WHERE r.outcome <> 'refused' AND (h.id IS NULL OR h.id IS DISTINCT FROM r.household OR h.county IS DISTINCT FROM r.place)""",
    ),
    Invariant(
        "devices_count_their_records",
        "a device's counts are those of its records [36]",
        "SELECT count(*) FROM device",
        """SELECT d.county || '/' || d.id AS row FROM device d LEFT JOIN (
               SELECT county, device, count(*) AS records, max(seq) AS highest FROM device_record GROUP BY county, device
           ) r ON r.county = d.county AND r.device = d.id
           WHERE d.records <> coalesce(r.records, 0) OR d.highest <> coalesce(r.highest, 0)""",
    ),
    Invariant(
        "two_versions_are_two",
        "a second version differs from what stands under its id, and its household is there [37]",
        "SELECT count(*) FROM second_version",
        """SELECT v.county || '/' || v.id AS row FROM second_version v LEFT JOIN household h ON h.county = v.county AND h.id = v.household
           WHERE h.id IS NULL OR h.content_digest = v.digest""",
    ),
)
