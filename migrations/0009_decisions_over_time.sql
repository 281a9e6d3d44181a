-- Decisions over time: the figures a decision used stay readable, facts are re-assessed without losing the old ones, a change of
-- outcome is a top-up or a recovery, and rules and figures come into force by a second person.

SELECT set_config('relief.scope', '%', true);

-- The figures a decision was taken with, once per distinct set; decision.standards names one.
CREATE TABLE figure_set (
    digest  bytea PRIMARY KEY,
    body    text NOT NULL,               -- JSON, sorted by key: key, area, amount in fen, dates, document, verified
    CONSTRAINT figure_set_digest CHECK (digest = sha256(convert_to(body, 'UTF8')))
);

-- Like the members, the adults are counted once, when the household is registered.
ALTER TABLE household ADD COLUMN adults integer CHECK (adults BETWEEN 0 AND 30);
UPDATE household h SET adults = (SELECT count(*) FROM person p WHERE p.county = h.county AND p.household = h.id AND p.adult);

-- The snapshot holds exactly what the rule saw: the level of the band (its rank is the zone's affair), whether relocated, and
-- whether a member already had this aid through another household.
UPDATE decision SET facts = facts - 'rank'
    || CASE WHEN facts ? 'relocated' THEN jsonb_build_object('relocated', facts ->> 'relocated' <> 'none') ELSE '{}' END
    || jsonb_build_object('held', 'guard.held' = ANY (reasons))
WHERE facts <> '{}';
CREATE INDEX decision_of_old ON decision (county, household) WHERE status = 'superseded';   -- the current ones have decision_one_current

-- What was known of a household before and after somebody looked again. `version` 1 replaces what was registered.
CREATE TABLE assessment (
    county     text NOT NULL,
    household  uuid NOT NULL,
    version    integer NOT NULL CHECK (version > 0),
    before     jsonb NOT NULL,
    after      jsonb NOT NULL,
    reason     text NOT NULL,
    person     uuid NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (county, household, version),
    CONSTRAINT assessment_household FOREIGN KEY (county, household) REFERENCES household (county, id)
);

-- A further award of the same aid: what a later decision grants beyond what was approved. The first one has none.
ALTER TABLE award ADD COLUMN tops_up uuid;
DROP INDEX award_once;
CREATE UNIQUE INDEX award_once ON award (county, household, incident, aid, period)
    WHERE status IN ('proposed', 'approved', 'completed') AND tops_up IS NULL;
CREATE UNIQUE INDEX award_top_up_once ON award (county, household, incident, aid, period) WHERE status = 'proposed' AND tops_up IS NOT NULL;
CREATE INDEX award_top_up ON award (county, household) WHERE tops_up IS NOT NULL;
CREATE INDEX award_ended ON award (county, household) WHERE status IN ('withdrawn', 'superseded');

-- A recovery case may also rest on a later decision that grants less than was approved.
ALTER TABLE recovery_case
    DROP CONSTRAINT recovery_case_once,
    DROP CONSTRAINT recovery_case_reason_check,
    ADD CONSTRAINT recovery_case_reason_check CHECK (reason IN ('incidents merged', 'decision changed')),
    ADD COLUMN decision    uuid,         -- the later decision
    ADD COLUMN amount_fen  bigint CHECK (amount_fen > 0),   -- approved beyond what it grants; none where the whole claim is in doubt
    ADD CONSTRAINT recovery_case_decided CHECK ((reason = 'decision changed') = (decision IS NOT NULL AND amount_fen IS NOT NULL));
CREATE UNIQUE INDEX recovery_case_once ON recovery_case (county, household, aid, period, holder) WHERE reason = 'incidents merged';
CREATE UNIQUE INDEX recovery_case_of_decision ON recovery_case (county, decision) WHERE decision IS NOT NULL;

-- Rules and figures are drafted by one person and put in force by another; what the installation brings has neither.
ALTER TABLE playbook
    ADD COLUMN status       text NOT NULL DEFAULT 'in force' CHECK (status IN ('draft', 'in force', 'withdrawn')),
    ADD COLUMN drafted_by   uuid REFERENCES staff (id),
    ADD COLUMN approved_by  uuid REFERENCES staff (id),
    ADD COLUMN in_force_at  timestamptz,
    ADD CONSTRAINT playbook_two_people CHECK (approved_by IS NULL OR approved_by <> drafted_by);
ALTER TABLE playbook ALTER COLUMN status SET DEFAULT 'draft';
GRANT UPDATE (status, approved_by, in_force_at) ON playbook TO relief_app;

ALTER TABLE standard
    ADD COLUMN status       text NOT NULL DEFAULT 'in force' CHECK (status IN ('draft', 'in force', 'withdrawn')),
    ADD COLUMN drafted_by   uuid REFERENCES staff (id),
    ADD COLUMN drafted_at   timestamptz,
    ADD COLUMN approved_by  uuid REFERENCES staff (id),
    ADD COLUMN in_force_at  timestamptz,
    ADD CONSTRAINT standard_two_people CHECK (approved_by IS NULL OR approved_by <> drafted_by),
    DROP CONSTRAINT standard_once;
ALTER TABLE standard ALTER COLUMN status SET DEFAULT 'draft';
CREATE UNIQUE INDEX standard_once ON standard (key, area, valid_from) WHERE status <> 'withdrawn';
REVOKE UPDATE ON standard FROM relief_app;
GRANT UPDATE (status, approved_by, in_force_at) ON standard TO relief_app;

-- Moving a running activation to another playbook or zone version: drafted, its effect looked at, confirmed by a second person.
CREATE TABLE activation_move (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    activation     uuid NOT NULL REFERENCES activation (id),
    status         text NOT NULL CHECK (status IN ('draft', 'in force', 'withdrawn')),
    from_zone      uuid NOT NULL REFERENCES zone (id),
    from_playbook  uuid NOT NULL REFERENCES playbook (id),
    zone           uuid NOT NULL REFERENCES zone (id),
    playbook       uuid NOT NULL REFERENCES playbook (id),
    reason         text NOT NULL,
    drafted_by     uuid NOT NULL REFERENCES staff (id),
    drafted_at     timestamptz NOT NULL,
    confirmed_by   uuid REFERENCES staff (id),
    confirmed_at   timestamptz,
    CONSTRAINT activation_move_two_people CHECK (confirmed_by IS NULL OR confirmed_by <> drafted_by)
);
CREATE UNIQUE INDEX activation_move_one_draft ON activation_move (activation) WHERE status = 'draft';

GRANT SELECT, INSERT ON figure_set, assessment, activation_move TO relief_app;
GRANT UPDATE (status, confirmed_by, confirmed_at) ON activation_move TO relief_app;

ALTER TABLE assessment ENABLE ROW LEVEL SECURITY;
ALTER TABLE assessment FORCE ROW LEVEL SECURITY;
CREATE POLICY area ON assessment USING (county LIKE ANY ((SELECT relief_scope())::text[]));
