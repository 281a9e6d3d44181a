"""What must be true of the bank's word and of what people made of it (the numbers in brackets: see `invariants`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relief.store.invariant import Invariant

BANK_WORD: Final[Sequence[Invariant]] = (
    Invariant(
        "every_row_is_kept",
        "of every file taken in, each row is kept once: matched, repeated, pending or an exception [21]",
        "SELECT count(*) FROM bank_file WHERE status = 'imported'",
        """SELECT f.county || '/' || f.id AS row FROM bank_file f
           JOIN audit a ON a.county = f.county AND a.act = 'bank.import' AND a.subject = f.id::text
           LEFT JOIN (SELECT county, file, count(*) AS rows FROM bank_row GROUP BY county, file) r ON r.county = f.county AND r.file = f.id
           WHERE f.status = 'imported' AND (a.detail->>'rows')::bigint <> coalesce(r.rows, 0)
           UNION ALL
           SELECT county || '/' || file || ':' || row FROM bank_row
           WHERE (disposition = 'exception') <> (code IS NOT NULL) OR closed_at IS NOT NULL AND disposition <> 'exception'""",
    ),
    Invariant(
        "exceptions_end_by_a_word",
        "an exception that is closed has its answer, or was a return that its own payment took up [21]",
        "SELECT count(*) FROM bank_row",
        """SELECT r.county || '/' || r.file || ':' || r.row AS row FROM bank_row r WHERE r.disposition = 'exception' AND r.closed_at IS NOT NULL
           AND r.code <> 'reversal_without_payment'
           AND NOT EXISTS (SELECT FROM bank_row_answer a WHERE a.county = r.county AND a.file = r.file AND a.row = r.row)
           UNION ALL
           SELECT a.county || '/' || a.file || ':' || a.row FROM bank_row_answer a
           JOIN bank_row r ON r.county = a.county AND r.file = a.file AND r.row = a.row WHERE r.closed_at IS NULL""",
    ),
    Invariant(
        "contradictions_are_held",
        "while the bank contradicts itself about a payment, its award is held [13]",
        "SELECT count(*) FROM bank_row",
        """SELECT r.county || '/' || r.file || ':' || r.row AS row FROM bank_row r JOIN payment p ON p.county = r.county AND p.id = r.payment
           WHERE r.code IN ('fail_after_success', 'success_after_fail', 'twice_in_file', 'paid_twice') AND r.closed_at IS NULL
           AND NOT EXISTS (SELECT FROM hold h WHERE h.county = r.county AND h.kind = 'award' AND h.subject = p.award::text AND h.valid_to IS NULL)""",
    ),
    Invariant(
        "unfit_lines_wait",
        "a line a bank's file cannot hold has not left, and its account is held [16]",
        "SELECT (SELECT count(*) FROM payment) + (SELECT count(*) FROM unfit_line)",
        """SELECT u.county || '/' || u.payment AS row FROM unfit_line u JOIN payment p ON p.county = u.county AND p.id = u.payment
           WHERE u.closed_at IS NULL AND p.status <> 'cancelled' AND (p.status <> 'approved' OR NOT EXISTS (
               SELECT FROM hold h WHERE h.county = u.county AND h.kind = 'account' AND h.subject = u.account::text AND h.valid_to IS NULL))""",
    ),
    Invariant(
        "closed_day_stands",
        "the figures a day was closed on are what the ledger says of that moment [24]",
        "SELECT count(*) FROM day_close",
        """SELECT d.county || '/' || d.day AS row FROM day_close d CROSS JOIN LATERAL (
               SELECT coalesce(sum(t.amount_fen) FILTER (WHERE t.source = 'reserved' AND t.target = 'in flight'), 0) AS out,
                      coalesce(sum(t.amount_fen * ((t.target = 'paid')::int - (t.source = 'paid')::int)), 0) AS paid,
                      coalesce(sum(t.amount_fen) FILTER (WHERE t.target = 'reserved'), 0) AS back
               FROM transfer t WHERE t.county = d.county AND t.subject = 'payment' AND t.at <= d.until) l
           WHERE (d.ledger_fen, d.files_fen, d.bank_fen, d.returns_fen) IS DISTINCT FROM (l.out, l.out, l.paid, l.back)
              OR d.reopened_by = d.closed_by""",
    ),
    Invariant(
        "recoveries_add_up",
        "of a recovery no more comes back than is claimed and no more is claimed than was paid; what was repaid is in the ledger",
        "SELECT count(*) FROM recovery_case",
        """SELECT c.county || '/' || c.id AS row FROM recovery_case c JOIN (
               SELECT county, recovery, sum(amount_fen) FILTER (WHERE kind = 'claim') AS claimed,
                      coalesce(sum(amount_fen) FILTER (WHERE kind IN ('repayment', 'offset', 'write off') AND status = 'done'), 0) AS met,
                      coalesce(sum(amount_fen) FILTER (WHERE kind = 'repayment'), 0) AS repaid
               FROM recovery_entry GROUP BY county, recovery) e ON e.county = c.county AND e.recovery = c.id
           WHERE e.claimed IS NULL OR e.met > e.claimed OR (c.status = 'closed' AND e.met <> e.claimed)
              OR e.repaid <> (SELECT coalesce(sum(t.amount_fen), 0) FROM transfer t
                              WHERE t.county = c.county AND t.subject = 'recovery' AND t.subject_id = c.id AND t.source = 'paid')""",
    ),
)
