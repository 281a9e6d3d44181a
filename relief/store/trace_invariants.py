"""What must be true of the trace at every moment (the numbers in brackets: see `invariants`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relief.store.invariant import Invariant

TRACE: Final[Sequence[Invariant]] = (
    Invariant(
        "trace_is_chained",
        "per county the seals count without gaps, and each binds its act to the one before [30]",
        "SELECT count(*) FROM audit_seal",
        """SELECT county || '/' || seq AS row FROM (
               SELECT s.county, s.seq, s.chain, a.id, lag(s.seq, 1, 0::bigint) OVER w AS before, lag(s.chain) OVER w AS chained,
                      jsonb_build_array(a.county, a.id, (extract(epoch FROM a.at) * 1000000)::bigint, a.actor, a.act, a.subject, a.count,
                                        encode(a.digest, 'hex'), a.detail)::text AS line
               FROM audit_seal s LEFT JOIN audit a ON a.county = s.county AND a.id = s.id WINDOW w AS (PARTITION BY s.county ORDER BY s.seq)) c
           WHERE id IS NULL OR seq <> before + 1
              OR chain <> sha256(coalesce(chained, sha256(convert_to('relief audit ' || county, 'UTF8'))) || convert_to(seq || E'\\t' || line, 'UTF8'))
           ORDER BY county, seq""",
    ),
    Invariant(
        "trace_is_sealed",
        "every act is sealed, or has waited for the sealer less than a minute [29, 30]",
        "SELECT count(*) FROM audit",
        """SELECT a.county || '/' || a.id AS row FROM audit a LEFT JOIN audit_pending p ON p.county = a.county AND p.id = a.id
           WHERE (p.id IS NULL OR p.since < clock_timestamp() - interval '1 minute')
             AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.county = a.county AND s.id = a.id)""",
    ),
)
