"""Proposed awards whose lists have hung out: reviewed, posted three weeks ago, reported this morning, by a few statements."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from relief.store.db import Tx
from tests import make

_HUNG_OUT = """
WITH a AS (
    SELECT a.* FROM award a JOIN decision d ON d.county = a.county AND d.id = a.decision
    JOIN step_rule s ON s.playbook = d.playbook AND s.aid = a.aid AND s.notice = 'before_payment'
    WHERE a.status = 'proposed' AND NOT EXISTS (SELECT FROM notice_item i WHERE i.county = a.county AND i.award = a.id)
), n AS (SELECT county, incident, activation, aid, village, gen_random_uuid() AS id, count(*) AS households, sum(amount_fen) AS fen FROM a
         GROUP BY county, incident, activation, aid, village
), r AS (
    INSERT INTO review (county, id, activation, aid, village, held_on, participants, sealed, recorded_by, recorded_at)
    SELECT county, id, activation, aid, village, $1::date, 5, '', $4, $1 FROM n
), ri AS (
    INSERT INTO review_item (county, review, award, supported) SELECT a.county, n.id, a.id, true FROM a JOIN n USING (county, activation, aid, village)
), o AS (
    INSERT INTO notice (county, id, incident, activation, aid, village, timing, days, status, households, total_fen, digest, drafted_by, drafted_at,
                        posted_by, posted_at, photo, ends_on, reported_by, reported_at, end_photo)
    SELECT county, id, incident, activation, aid, village, 'before_payment', 7, 'reported', households, fen, '', $4, $1, $4, $1, $4, $3, $5, $2, $4 FROM n
)
INSERT INTO notice_item (county, notice, award, household, amount_fen, line)
SELECT a.county, n.id, a.id, a.household, a.amount_fen, row_number() OVER (PARTITION BY n.id ORDER BY a.id) FROM a JOIN n USING (county, activation, aid, village)
"""


async def hang_out(tx: Tx, now: datetime = make.NOW) -> None:
    """For every proposed award that must hang out and stands on no list."""
    posted = now - timedelta(days=21)
    await tx.execute(_HUNG_OUT, posted, now, (now - timedelta(days=10)).date(), uuid4(), uuid4())
