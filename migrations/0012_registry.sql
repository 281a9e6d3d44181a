-- The register knows its duplicates, and takes spreadsheets.
-- Blocks are keyed hashes of what two records of one household would have in common: nothing of a name, number or birth can be read from
-- them. They are computed when a household is registered, wait in `unmatched`, and move to `block` when it has been compared.

ALTER TABLE household ADD COLUMN duplicate_of uuid;          -- the household that was kept, in the same or another county

CREATE TABLE unmatched (
    county     text NOT NULL,
    household  uuid NOT NULL,
    blocks     bigint[] NOT NULL,
    PRIMARY KEY (county, household)
);

-- Crosses counties like the guards: the same family may be written down on both sides of a border.
CREATE TABLE block (
    block      bigint NOT NULL,
    county     text NOT NULL,
    household  uuid NOT NULL
);
CREATE INDEX block_value ON block (block);

-- Households registered before there were blocks: one cursor a county, walked by the timetable.
CREATE TABLE block_backfill (
    county     text PRIMARY KEY,
    before     timestamptz NOT NULL,
    after      uuid NOT NULL,
    done_at    timestamptz
);
INSERT INTO block_backfill (county, before, after)
SELECT DISTINCT county, now(), '00000000-0000-0000-0000-000000000000'::uuid FROM household;

-- Two registrations that may be one. `household` is the later of the two and its county owns the row; both counties see it.
CREATE TABLE suspicion (
    county        text NOT NULL,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    household     uuid NOT NULL,
    other_county  text NOT NULL,
    other         uuid NOT NULL,
    incident      uuid NOT NULL,          -- of the later registration
    keys          text[] NOT NULL,        -- exact keys that agree: 'id', 'account', 'phone'
    score         integer NOT NULL CHECK (score BETWEEN 0 AND 100),
    reasons       text[] NOT NULL,        -- what speaks for it, as 'code points'
    people        bytea NOT NULL,         -- identity hashes of the people who look alike, two by two
    blocks        text NOT NULL CHECK (blocks IN ('payment', 'stages', 'nothing')),
    status        text NOT NULL CHECK (status IN ('open', 'decided')),
    found_at      timestamptz NOT NULL,
    verdict       text CHECK (verdict IN ('same', 'different', 'merge')),
    kept          uuid,
    reason        text,
    decided_by    uuid REFERENCES staff (id),
    decided_at    timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT suspicion_once UNIQUE (county, household, other_county, other),
    CONSTRAINT suspicion_decided CHECK ((status = 'decided') = (verdict IS NOT NULL AND reason IS NOT NULL AND decided_at IS NOT NULL))
);
CREATE INDEX suspicion_open ON suspicion (county, household) WHERE status = 'open';
CREATE INDEX suspicion_open_other ON suspicion (other_county, other) WHERE status = 'open';

-- What an open suspicion stops, on both of its sides.
CREATE VIEW suspected WITH (security_invoker = true) AS
SELECT county, household, blocks FROM suspicion WHERE status = 'open' AND blocks <> 'nothing'
UNION ALL
SELECT other_county, other, blocks FROM suspicion WHERE status = 'open' AND blocks <> 'nothing';

-- A household that was registered twice may have been paid twice.
ALTER TABLE recovery_case DROP CONSTRAINT recovery_case_reason_check;
ALTER TABLE recovery_case ADD CONSTRAINT recovery_case_reason_check CHECK (reason IN ('incidents merged', 'decision changed', 'registered twice'));

-- What was decided about two people, by their identity hashes: remembered when both register again after the next disaster.
CREATE TABLE known_pair (
    low         bytea NOT NULL,
    high        bytea NOT NULL,
    verdict     text NOT NULL CHECK (verdict IN ('same', 'different')),
    decided_by  uuid NOT NULL REFERENCES staff (id),
    decided_at  timestamptz NOT NULL,
    PRIMARY KEY (low, high)
);

-- A spreadsheet on its way in: read, judged cell by cell, and nothing of it in the register until a person confirms it.
CREATE TABLE sheet (
    county        text NOT NULL,
    id            uuid NOT NULL,
    incident      uuid NOT NULL,
    register      text NOT NULL,
    name          text NOT NULL,
    digest        bytea NOT NULL,         -- SHA-256 of the file
    encoding      text NOT NULL,
    status        text NOT NULL CHECK (status IN ('staged', 'loading', 'loaded', 'dropped')),
    rows          integer NOT NULL,       -- rows with something in them
    households    integer NOT NULL,       -- of which so many may be loaded
    faulty        integer NOT NULL,       -- households with a fault
    skipped       integer[] NOT NULL,     -- rows left out by rule: blank, totals, notes
    words         jsonb NOT NULL,         -- fault code → sentence
    loaded        integer NOT NULL DEFAULT 0,
    seen          integer NOT NULL DEFAULT 0,     -- households that were in the register already
    refused       integer NOT NULL DEFAULT 0,     -- households the register did not take after all
    left_out      integer[] NOT NULL DEFAULT '{}',
    staged_by     uuid NOT NULL REFERENCES staff (id),
    staged_at     timestamptz NOT NULL,
    confirmed_by  uuid REFERENCES staff (id),
    confirmed_at  timestamptz,
    ended_at      timestamptz,
    PRIMARY KEY (county, id)
);
CREATE UNIQUE INDEX sheet_once ON sheet (county, incident, digest) WHERE status <> 'dropped';
CREATE INDEX sheet_work ON sheet (confirmed_at) WHERE status = 'loading';

-- The households of a sheet in portions, sealed; emptied as they are loaded.
CREATE TABLE sheet_part (
    county      text NOT NULL,
    sheet       uuid NOT NULL,
    part        integer NOT NULL,
    households  integer NOT NULL,
    sealed      bytea NOT NULL,
    PRIMARY KEY (county, sheet, part)
);

-- Where it is wrong. Never what stands there.
CREATE TABLE sheet_fault (
    county  text NOT NULL,
    sheet   uuid NOT NULL,
    seq     integer NOT NULL,
    row     integer NOT NULL,
    place   text NOT NULL,               -- heading of the column; '' for the whole row
    code    text NOT NULL,
    PRIMARY KEY (county, sheet, seq)
);

GRANT SELECT, INSERT ON unmatched, block, suspicion, known_pair, sheet, sheet_part, sheet_fault TO relief_app;
GRANT SELECT ON block_backfill, suspected TO relief_app;
GRANT UPDATE ON unmatched, sheet, known_pair TO relief_app;
GRANT DELETE ON unmatched, sheet_part TO relief_app;
GRANT UPDATE (after, done_at) ON block_backfill TO relief_app;
GRANT UPDATE (status, verdict, kept, reason, decided_by, decided_at) ON suspicion TO relief_app;

DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['unmatched', 'block_backfill', 'sheet', 'sheet_part', 'sheet_fault'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;
ALTER TABLE suspicion ENABLE ROW LEVEL SECURITY;
ALTER TABLE suspicion FORCE ROW LEVEL SECURITY;
CREATE POLICY area ON suspicion USING (county LIKE ANY ((SELECT relief_scope())::text[]) OR other_county LIKE ANY ((SELECT relief_scope())::text[]));
