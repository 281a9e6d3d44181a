-- Who signs what, and how many: the approval bands of the playbook stand on each award, and the database counts the signatures.

SELECT set_config('relief.scope', '%', true);

ALTER TABLE award
    ADD COLUMN office     text NOT NULL DEFAULT 'county' CHECK (office IN ('township', 'county', 'meeting', 'city')),
    ADD COLUMN needed     smallint NOT NULL DEFAULT 1 CHECK (needed BETWEEN 1 AND 5),  -- signatures the playbook's band asks for
    ADD COLUMN signed     smallint NOT NULL DEFAULT 0 CHECK (signed >= 0),             -- and those given, as `signature` has them
    ADD COLUMN delegated  boolean NOT NULL DEFAULT false;                              -- the township signs in the county's name
UPDATE award SET office = CASE WHEN mode = 'A' THEN 'township' ELSE 'county' END,
                 signed = CASE WHEN approved_at IS NULL THEN 0 ELSE 1 END;
ALTER TABLE award ADD CONSTRAINT award_signatures CHECK (signed <= needed AND (status NOT IN ('approved', 'completed') OR signed = needed));

-- A top-up follows the award it adds to, stage by stage.
CREATE INDEX award_tops_up ON award (county, tops_up) WHERE tops_up IS NOT NULL;
-- What was decided in the county's name, newest first.
CREATE INDEX signature_delegated ON signature (county, signed_at DESC, subject) WHERE delegator IS NOT NULL;

-- 一事一议: what a meeting adopted for one household, recorded by one person and adopted by a higher one. Who sat there and why is sealed.
CREATE TABLE minutes (
    county           text NOT NULL,
    id               uuid NOT NULL,
    household        uuid NOT NULL,
    incident         uuid NOT NULL,
    activation       uuid NOT NULL,
    aid              text NOT NULL,
    amount_fen       bigint NOT NULL CHECK (amount_fen > 0),
    held_on          date NOT NULL,
    participants     integer NOT NULL CHECK (participants > 0),
    votes_for        integer NOT NULL CHECK (votes_for >= 0),
    votes_against    integer NOT NULL CHECK (votes_against >= 0),
    votes_abstained  integer NOT NULL CHECK (votes_abstained >= 0),
    legal_basis      text NOT NULL,
    attachment       bytea NOT NULL CHECK (length(attachment) = 32),   -- SHA-256 of the signed minutes
    sealed           bytea NOT NULL,                                   -- participants and reason
    status           text NOT NULL CHECK (status IN ('recorded', 'adopted', 'superseded', 'withdrawn')),
    recorded_by      uuid NOT NULL REFERENCES staff (id),
    recorded_at      timestamptz NOT NULL,
    adopted_by       uuid REFERENCES staff (id),
    adopted_at       timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT minutes_household FOREIGN KEY (county, household) REFERENCES household (county, id),
    CONSTRAINT minutes_votes CHECK (votes_for + votes_against + votes_abstained = participants AND votes_for * 2 > participants),
    CONSTRAINT minutes_two_people CHECK (adopted_by IS NULL OR adopted_by <> recorded_by)
);
CREATE UNIQUE INDEX minutes_one_adopted ON minutes (county, household, incident, aid) WHERE status = 'adopted';
CREATE INDEX minutes_of_incident ON minutes (county, incident, aid);

-- Who an aid is paid to where the playbook says: to the person, not to the householder's account. Named by one, checked by another.
CREATE TABLE aid_payee (
    county        text NOT NULL,
    id            uuid NOT NULL,
    household     uuid NOT NULL,
    aid           text NOT NULL,
    sealed        bytea NOT NULL,          -- name, number, phone, account
    id_hash       bytea NOT NULL,
    account_hash  bytea NOT NULL,
    bank          text NOT NULL,
    relation      text NOT NULL,           -- to the dead or missing person
    proof         bytea NOT NULL CHECK (length(proof) = 32),   -- SHA-256 of the document that shows it
    status        text NOT NULL CHECK (status IN ('named', 'current', 'replaced', 'refused')),
    person        uuid,                    -- once checked: who is paid
    named_by      uuid NOT NULL REFERENCES staff (id),
    named_at      timestamptz NOT NULL,
    checked_by    uuid REFERENCES staff (id),
    checked_at    timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT aid_payee_household FOREIGN KEY (county, household) REFERENCES household (county, id),
    CONSTRAINT aid_payee_two_people CHECK (checked_by IS NULL OR checked_by <> named_by),
    CONSTRAINT aid_payee_checked CHECK ((status IN ('current', 'replaced')) = (person IS NOT NULL))
);
CREATE UNIQUE INDEX aid_payee_current ON aid_payee (county, household, aid) WHERE status = 'current';
CREATE INDEX aid_payee_waiting ON aid_payee (county, named_at) WHERE status = 'named';
-- 'kin' is only ever paid; 'left' has died or moved away since: neither counts as a member.
ALTER TABLE person DROP CONSTRAINT person_role_check, ADD CONSTRAINT person_role_check CHECK (role IN ('householder', 'member', 'kin', 'left'));
ALTER TABLE award ADD COLUMN to_person boolean NOT NULL DEFAULT false;   -- the playbook pays the person named for it

-- 核对: reports of the economic check, a file at a time, never changed. Rows meet people by the keyed hash of their number, also people who
-- are registered later.
CREATE TABLE economic_check (
    county       text NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    digest       bytea NOT NULL,           -- SHA-256 of the file
    rows         integer NOT NULL,
    kept         integer NOT NULL,
    refused      integer NOT NULL,
    imported_by  uuid NOT NULL REFERENCES staff (id),
    imported_at  timestamptz NOT NULL,
    PRIMARY KEY (county, id),
    CONSTRAINT economic_check_once UNIQUE (county, digest),
    CONSTRAINT economic_check_whole CHECK (rows = kept + refused)
);
CREATE TABLE economic_check_row (
    county      text NOT NULL,
    file        uuid NOT NULL,
    row         integer NOT NULL,
    id_hash     bytea NOT NULL,
    checked_on  date NOT NULL,
    finding     text NOT NULL CHECK (finding IN ('within', 'exceeds', 'unclear')),
    sealed      bytea,                     -- what the report says beside it
    PRIMARY KEY (county, file, row)
);
CREATE INDEX economic_check_row_of ON economic_check_row (county, id_hash);
CREATE TABLE economic_check_fault (
    county  text NOT NULL,
    file    uuid NOT NULL,
    row     integer NOT NULL,
    place   text NOT NULL,                 -- heading of the column
    code    text NOT NULL,
    PRIMARY KEY (county, file, row, place)
);
ALTER TABLE household ADD COLUMN checked boolean NOT NULL DEFAULT false;   -- the newest report on every adult says: within

GRANT SELECT, INSERT ON minutes, aid_payee, economic_check, economic_check_row, economic_check_fault TO relief_app;
GRANT UPDATE (status, adopted_by, adopted_at) ON minutes TO relief_app;
GRANT UPDATE (status, person, checked_by, checked_at) ON aid_payee TO relief_app;

-- The response an activation rests on, where one was in force when the clock started.
ALTER TABLE county_activation ADD COLUMN response uuid REFERENCES response (id);

DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['minutes', 'aid_payee', 'economic_check', 'economic_check_row', 'economic_check_fault'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;

-- Who lacks an account is asked of everybody before an activation: answered from the index alone.
DROP INDEX person_one_householder;
CREATE UNIQUE INDEX person_one_householder ON person (county, household) INCLUDE (id) WHERE role = 'householder';

-- The bereaved are few, and somebody has to be named to be paid for them.
CREATE INDEX household_bereaved ON household (county, id) WHERE dead + missing > 0;
CREATE INDEX minutes_waiting ON minutes (county, recorded_at) WHERE status = 'recorded';
