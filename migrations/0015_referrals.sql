-- 转办: a household that needs more than this house gives is passed on to the department whose duty it is, and not forgotten.

CREATE TABLE referral (
    county         text NOT NULL,
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    household      uuid NOT NULL,
    department     text NOT NULL,             -- a key of DEPARTMENTS in domain/vocabulary.py
    reason         text NOT NULL,             -- the fact that triggered it (a predicate of playbooks), or 'by hand'
    legal_basis    text NOT NULL,
    playbook       uuid,                      -- whose rule it was; null by hand
    urgent         boolean NOT NULL,
    status         text NOT NULL CHECK (status IN ('open', 'accepted', 'returned', 'closed')),
    village        text NOT NULL,
    opened_by      uuid,                      -- null: the rule
    opened_at      timestamptz NOT NULL,
    due_on         date NOT NULL,
    accepted_by    uuid,
    accepted_at    timestamptz,
    closed_by      uuid,
    closed_at      timestamptz,
    sealed_note    bytea,                     -- why, when it was passed on by hand; why not, when it was returned
    sealed_answer  bytea,                     -- 办结: what was done
    PRIMARY KEY (county, id),
    CONSTRAINT referral_answered CHECK (status <> 'closed' OR (sealed_answer IS NOT NULL AND closed_by IS NOT NULL))
);
CREATE UNIQUE INDEX referral_once ON referral (county, household, department, reason) WHERE reason <> 'by hand';
CREATE INDEX referral_waiting ON referral (county, department, status, due_on);
GRANT SELECT, INSERT, UPDATE ON referral TO relief_app;
ALTER TABLE referral ENABLE ROW LEVEL SECURITY;
ALTER TABLE referral FORCE ROW LEVEL SECURITY;
CREATE POLICY area ON referral USING (county LIKE ANY ((SELECT relief_scope())::text[]));
