-- The trace is sealed after the fact, so that no writer waits for another: an act and its place in the queue are written by one
-- statement; a sealer takes what is committed, numbers it per county without gaps and chains it. Numbers follow the order of sealing,
-- never the time of the act: an act whose transaction ends late gets a late number, and none is ever left out.

CREATE TABLE audit_pending (
    county  text NOT NULL,
    id      uuid NOT NULL,
    since   timestamptz NOT NULL DEFAULT clock_timestamp(),   -- the machine's own time: how long the sealer has let it wait
    PRIMARY KEY (county, id)
);
INSERT INTO audit_pending (county, id) SELECT county, id FROM audit;

CREATE TABLE audit_seal (
    county     text NOT NULL,
    seq        bigint NOT NULL CHECK (seq > 0),
    id         uuid NOT NULL,
    chain      bytea NOT NULL,             -- SHA-256 over the chain before it, the number and the act's line; see domain/trail.py
    sealed_at  timestamptz NOT NULL,
    PRIMARY KEY (county, seq),
    CONSTRAINT audit_seal_once UNIQUE (county, id)
);

-- What was written outside the database, so that a page can say when. The file and its signature are what counts.
CREATE TABLE audit_checkpoint (
    digest    bytea PRIMARY KEY,           -- SHA-256 of the file
    serial    bigint NOT NULL,             -- within its folder: every machine that writes checkpoints has one of its own
    at        timestamptz NOT NULL,
    counties  integer NOT NULL,
    acts      bigint NOT NULL
);

GRANT SELECT, INSERT ON audit_pending, audit_seal, audit_checkpoint TO relief_app;
GRANT DELETE ON audit_pending TO relief_app;

DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['audit_pending', 'audit_seal'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
        EXECUTE format('CREATE POLICY shared ON %I USING (county = ''000000'')', t);
    END LOOP;
END $$;

CREATE INDEX audit_recent ON audit (at, id);

-- Post-audit 抽查: a sample anybody can draw again from its seed, and what was found about each payment in it.
CREATE TABLE post_audit (
    county      text NOT NULL,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    incident    uuid NOT NULL,
    seed        text NOT NULL CHECK (seed <> ''),
    size        integer NOT NULL CHECK (size > 0),
    strata      jsonb NOT NULL,            -- stratum → [paid payments in it, drawn]
    drawn_by    uuid NOT NULL,
    drawn_at    timestamptz NOT NULL,
    PRIMARY KEY (county, id),
    CONSTRAINT post_audit_seed UNIQUE (county, incident, seed)
);
CREATE TABLE post_audit_item (
    county      text NOT NULL,
    post_audit  uuid NOT NULL,
    payment     uuid NOT NULL,
    stratum     text NOT NULL,
    finding     text CHECK (finding IN ('fine', 'mend', 'recover')),
    wrong_fen   bigint NOT NULL DEFAULT 0 CHECK (wrong_fen >= 0),
    note        text NOT NULL DEFAULT '',
    found_by    uuid,
    found_at    timestamptz,
    PRIMARY KEY (county, post_audit, payment),
    CONSTRAINT post_audit_item_sample FOREIGN KEY (county, post_audit) REFERENCES post_audit (county, id),
    CONSTRAINT post_audit_item_found CHECK ((finding IS NULL) = (found_by IS NULL) AND (finding IS NULL) = (found_at IS NULL)),
    CONSTRAINT post_audit_item_wrong CHECK (wrong_fen = 0 OR finding = 'recover')
);
CREATE INDEX post_audit_item_payment ON post_audit_item (county, payment);

GRANT SELECT, INSERT ON post_audit, post_audit_item TO relief_app;
GRANT UPDATE (finding, wrong_fen, note, found_by, found_at) ON post_audit_item TO relief_app;

DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['post_audit', 'post_audit_item'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;

-- The second factor 第二因素: a shared secret (RFC 6238), sealed; codes for the day the phone is lost; and proofs, each bound to the
-- digest of what is being signed.
CREATE TABLE second_factor (
    person       uuid PRIMARY KEY REFERENCES staff (id),
    sealed       bytea NOT NULL,
    status       text NOT NULL CHECK (status IN ('offered', 'active')),
    last_step    bigint NOT NULL DEFAULT 0,   -- the thirty seconds whose code was taken last: no code is taken twice
    enrolled_at  timestamptz NOT NULL
);
CREATE TABLE recovery_code (
    person     uuid NOT NULL REFERENCES staff (id),
    code_hash  bytea NOT NULL,               -- keyed hash
    used_at    timestamptz,
    PRIMARY KEY (person, code_hash)
);
CREATE TABLE factor_proof (
    person  uuid NOT NULL,
    digest  bytea NOT NULL,
    at      timestamptz NOT NULL,
    way     text NOT NULL CHECK (way IN ('totp', 'recovery')),
    PRIMARY KEY (person, digest, at)
);
GRANT SELECT, INSERT, UPDATE ON second_factor TO relief_app;
GRANT SELECT, INSERT ON recovery_code, factor_proof TO relief_app;
GRANT UPDATE (used_at) ON recovery_code TO relief_app;

-- People and sessions: who made an account may not give it rights; where a session was opened; attempts by account and address.
ALTER TABLE staff ADD COLUMN created_by uuid, ADD COLUMN password_at timestamptz;   -- no password_at: to be changed at the next sign-in
UPDATE staff SET password_at = created_at;
ALTER TABLE role_grant ADD COLUMN granted_by uuid;
ALTER TABLE staff_session ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(), ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN agent text NOT NULL DEFAULT '';
ALTER TABLE sign_in_attempt ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(), ADD COLUMN address text NOT NULL DEFAULT '';
CREATE INDEX sign_in_attempt_address ON sign_in_attempt (address, at) WHERE address <> '';
