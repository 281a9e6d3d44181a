-- Money in bulk: a status move of a payment or an instalment touches no index.
--
-- PostgreSQL writes an update on the row's own page (HOT) as long as no indexed column changes; an index over `status`, or one whose
-- predicate names it, makes every move write all indexes again, some 70 µs a payment instead of 5. So what must be found by status
-- stands in columns that change only where it matters: `ended` and `trouble` when the bank gives money back or is silent, `open` when a
-- later stage waits. Payments ready for a batch stand in a queue of their own, and a batch knows its lines in their order.

SELECT set_config('relief.scope', '%', true);

ALTER TABLE payment SET (fillfactor = 50);
ALTER TABLE payment
    -- 0 while the attempt is alive, its number when it has ended: with this in the key an instalment has one living attempt at most.
    ADD COLUMN ended integer NOT NULL GENERATED ALWAYS AS (CASE WHEN status IN ('returned', 'cancelled') THEN attempt ELSE 0 END) STORED,
    ADD COLUMN trouble text GENERATED ALWAYS AS (CASE WHEN status IN ('returned', 'unknown', 'cancelled') THEN status END) STORED;
DROP INDEX payment_one_alive;
DROP INDEX payment_status;
DROP INDEX payment_of_batch;
ALTER TABLE payment DROP CONSTRAINT payment_attempt;
CREATE UNIQUE INDEX payment_one_alive ON payment (county, instalment, ended);
CREATE INDEX payment_trouble ON payment (county, trouble, id) WHERE trouble IS NOT NULL;

-- Approved payments wait here for their batch; they leave the queue when they are frozen or cancelled and come back when a batch is voided.
CREATE TABLE payable (
    county   text NOT NULL,
    payment  uuid NOT NULL,
    PRIMARY KEY (county, payment)
);
INSERT INTO payable (county, payment) SELECT county, id FROM payment WHERE status = 'approved' ORDER BY county, id;
GRANT SELECT, INSERT, DELETE ON payable TO relief_app;
ALTER TABLE payable ENABLE ROW LEVEL SECURITY;
ALTER TABLE payable FORCE ROW LEVEL SECURITY;
CREATE POLICY area ON payable USING (county LIKE ANY ((SELECT relief_scope())::text[]));

-- The payments on the lines of a batch, line 1 first. A voided batch keeps what it was frozen with.
ALTER TABLE batch ADD COLUMN payments uuid[] NOT NULL DEFAULT '{}';
UPDATE batch b SET payments = p.ids
FROM (SELECT county, batch, array_agg(id ORDER BY line) AS ids FROM payment WHERE batch IS NOT NULL GROUP BY county, batch) p
WHERE p.county = b.county AND p.batch = b.id;

ALTER TABLE instalment SET (fillfactor = 50);
ALTER TABLE instalment
    -- The first stage that waits for nothing falls due with its approval; all others stand here until they are released.
    ADD COLUMN open text GENERATED ALWAYS AS (CASE WHEN status IN ('waiting', 'due') AND (seq > 1 OR condition <> 'none') THEN status END) STORED;
DROP INDEX instalment_due;
CREATE INDEX instalment_open ON instalment (county, open, id) WHERE open IS NOT NULL;

-- Approving and completing leave the keys of an award alone; withdrawing it does not, which is rare. Who waits for an approval stands in
-- a queue like the payments'. A row whose award has moved on meanwhile says nothing: readers look at the award.
ALTER TABLE award SET (fillfactor = 50);
ALTER TABLE award
    ADD COLUMN ended boolean NOT NULL GENERATED ALWAYS AS (status IN ('withdrawn', 'superseded')) STORED,
    ADD COLUMN topping_up boolean NOT NULL GENERATED ALWAYS AS (status = 'proposed' AND tops_up IS NOT NULL) STORED;
DROP INDEX award_once;
DROP INDEX award_top_up_once;
DROP INDEX award_top_up;
DROP INDEX award_ended;
DROP INDEX award_waiting;
CREATE UNIQUE INDEX award_once ON award (county, household, incident, aid, period) WHERE NOT ended AND tops_up IS NULL;
CREATE UNIQUE INDEX award_top_up_once ON award (county, household, incident, aid, period) WHERE topping_up;
CREATE INDEX award_of_household ON award (county, household) WHERE ended OR tops_up IS NOT NULL;   -- the others are in award_once

CREATE TABLE proposal (
    county  text NOT NULL,
    award   uuid NOT NULL,
    PRIMARY KEY (county, award)
);
INSERT INTO proposal (county, award) SELECT county, id FROM award WHERE status = 'proposed' ORDER BY county, id;
GRANT SELECT, INSERT, DELETE ON proposal TO relief_app;
ALTER TABLE proposal ENABLE ROW LEVEL SECURITY;
ALTER TABLE proposal FORCE ROW LEVEL SECURITY;
CREATE POLICY area ON proposal USING (county LIKE ANY ((SELECT relief_scope())::text[]));

-- What the county has approved under an activation, beside its cap: the guarded update that raises it is the last judge of the cap.
ALTER TABLE county_activation ADD COLUMN committed_fen bigint NOT NULL DEFAULT 0 CHECK (committed_fen >= 0);
UPDATE county_activation p SET committed_fen = a.fen
FROM (SELECT county, activation, sum(amount_fen) AS fen FROM award WHERE status IN ('approved', 'completed') GROUP BY county, activation) a
WHERE a.county = p.county AND a.activation = p.activation;
