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
