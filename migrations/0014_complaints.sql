-- A complaint 投诉举报 is a case: whose it is and was, what was said, by when it must be answered. Nobody's words are kept in clear.

SELECT set_config('relief.scope', '%', true);

ALTER TABLE complaint
    ADD COLUMN village          text,          -- where it belongs: village, township or county code
    ADD COLUMN reference        text,          -- what whoever complained keeps to ask again
    ADD COLUMN way              text NOT NULL DEFAULT 'page' CHECK (way IN ('page', 'sms', 'reporter', 'desk', 'hotline', 'anonymous')),
    ADD COLUMN about            uuid,          -- the member of staff it is about, once that is known
    ADD COLUMN acknowledged_at  timestamptz,   -- 受理
    ADD COLUMN acknowledged_by  uuid,
    ADD COLUMN closed_by        uuid,
    ADD COLUMN sealed_answer    bytea,         -- the answer in writing
    ADD COLUMN reopened         integer NOT NULL DEFAULT 0;

UPDATE complaint SET owner = 'township' WHERE owner = 'township_reviewer';
UPDATE complaint c SET village = h.village FROM household h WHERE h.county = c.county AND h.id = c.household;
UPDATE complaint SET village = county WHERE village IS NULL;
ALTER TABLE complaint ALTER COLUMN village SET NOT NULL;

CREATE UNIQUE INDEX complaint_reference ON complaint (county, reference) WHERE reference IS NOT NULL;
CREATE INDEX complaint_of_household ON complaint (county, household) WHERE household IS NOT NULL;
CREATE INDEX complaint_waiting ON complaint (due_at) WHERE status = 'open';

-- What happened to it: never edited.
CREATE TABLE complaint_event (
    county      text NOT NULL,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    complaint   uuid NOT NULL,
    act         text NOT NULL CHECK (act IN ('opened', 'acknowledged', 'passed on', 'answered', 'reopened')),
    department  text NOT NULL,                 -- whose it is after the act
    by_person   uuid,                          -- null: the resident, or the system
    sealed      bytea,                         -- note to the next department, answer, or why it was opened again
    at          timestamptz NOT NULL,
    PRIMARY KEY (county, id)
);
CREATE INDEX complaint_event_of ON complaint_event (county, complaint, at);
GRANT SELECT, INSERT ON complaint_event TO relief_app;
ALTER TABLE complaint_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE complaint_event FORCE ROW LEVEL SECURITY;
CREATE POLICY area ON complaint_event USING (county LIKE ANY ((SELECT relief_scope())::text[]));

-- A hold that a rule of the playbook places is nobody's act.
ALTER TABLE hold ALTER COLUMN placed_by DROP NOT NULL;
