"""Corrections and allotments: what must be true of them at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relief.store.invariant import Invariant

STANDING: Final[Sequence[Invariant]] = (
    Invariant(
        "correction_is_the_opposite",
        "a correction is the opposite of exactly one entry of its own fund, and is not corrected itself [6]",
        "SELECT count(*) FROM transfer",
        """SELECT c.county || '/' || c.id AS row FROM transfer c LEFT JOIN transfer t ON t.county = c.county AND t.id = c.corrects
           WHERE c.corrects IS NOT NULL AND (t.id IS NULL OR t.corrects IS NOT NULL
                 OR (t.fund, t.source, t.target, t.amount_fen) <> (c.fund, c.target, c.source, c.amount_fen))""",
    ),
    Invariant(
        "allotted_once",
        "what a level has passed on is what the allotments and funds below it were given, and no more than it has [4, 8]",
        "SELECT (SELECT count(*) FROM allotment) + (SELECT count(*) FROM fund)",
        """SELECT a.id::text AS row FROM allotment a WHERE a.passed_fen > a.amount_fen OR a.passed_fen <>
               coalesce((SELECT sum(b.amount_fen) FROM allotment b WHERE b.parent = a.id), 0)
               + coalesce((SELECT sum(f.allocated_fen) FROM fund f WHERE f.allotment = a.id), 0)""",
    ),
    Invariant(
        "cancelled_is_not_paid",
        "no payment lives of a stage that was cancelled",
        "SELECT count(*) FROM instalment WHERE status = 'cancelled'",
        """SELECT p.county || '/' || p.id AS row FROM payment p JOIN instalment i ON i.county = p.county AND i.id = p.instalment
           WHERE i.status = 'cancelled' AND p.status NOT IN ('returned', 'cancelled')""",
    ),
)
