-- The phone: devices of reporters, what they pushed record by record, what else was seen at a household, photos, and second versions of a record.

-- Enrolled by its person's own sign-in. The token is 256 random bits; only its SHA-256 is kept.
CREATE TABLE device (
    county       text NOT NULL,
    id           uuid NOT NULL,
    person       uuid NOT NULL REFERENCES staff (id),
    area         text NOT NULL,           -- where that person registers: whoever is in charge there may revoke it
    name         text NOT NULL,
    token_hash   bytea NOT NULL,
    status       text NOT NULL CHECK (status IN ('enrolled', 'revoked')),
    enrolled_at  timestamptz NOT NULL,
    seen_at      timestamptz,             -- last contact, by the server's clock
    version      integer,                 -- of the page it runs
    waiting      integer NOT NULL DEFAULT 0,   -- records it says it still holds
    records      integer NOT NULL DEFAULT 0,   -- sequence numbers received
    highest      bigint NOT NULL DEFAULT 0,    -- the highest of them: above `records`, something is missing
    wipe         boolean NOT NULL DEFAULT false,  -- revoked because it was lost: at next contact it empties itself
    wiped_at     timestamptz,             -- that contact
    revoked_by   uuid REFERENCES staff (id),
    revoked_at   timestamptz,
    reason       text,
    PRIMARY KEY (county, id),
    CONSTRAINT device_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL AND reason IS NOT NULL))
);
CREATE UNIQUE INDEX device_id_once ON device (id);
CREATE INDEX device_of_person ON device (person);

-- One row a sequence number of a device: what became of that record.
CREATE TABLE device_record (
    county       text NOT NULL,           -- the device's
    device       uuid NOT NULL,
    seq          bigint NOT NULL CHECK (seq > 0),
    record       uuid NOT NULL,           -- made on the device
    outcome      text NOT NULL CHECK (outcome IN ('accepted', 'case', 'refused')),
    code         text,
    field        text,
    place        text,                    -- the household's county
    household    uuid,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (county, device, seq)
);
CREATE INDEX device_record_refused ON device_record (county, device) WHERE outcome = 'refused';

-- What was seen and said at the door beyond the facts a rule may ask for.
CREATE TABLE visit (
    county     text NOT NULL,
    household  uuid NOT NULL,
    channel    text NOT NULL CHECK (channel IN ('visit', 'walk_in', 'found', 'hotline', 'online')),
    presence   text NOT NULL CHECK (presence IN ('resident', 'tenant', 'traveller')),
    structure  text CHECK (structure IN ('steel_concrete', 'brick_concrete', 'brick_wood', 'earth_wood', 'other')),
    place_by   text NOT NULL CHECK (place_by IN ('gps', 'tap', 'village')),
    needs      text[] NOT NULL,
    flags      text[] NOT NULL,           -- what somebody should look at: 'inaccurate', 'far_from_village', 'few_photos', 'proxy', 'no_papers', 'clock'
    sealed     bytea NOT NULL,            -- landmark, note, who receives in whose place and why
    PRIMARY KEY (county, household)
);

-- A photo is announced by its record and comes after it; the file lies sealed under the data directory.
CREATE TABLE photo (
    county      text NOT NULL,
    id          uuid NOT NULL,
    household   uuid NOT NULL,
    digest      bytea NOT NULL,           -- SHA-256 of the JPEG, computed on the phone
    kind        text NOT NULL CHECK (kind IN ('damage', 'signature', 'paper', 'place')),
    size        integer NOT NULL CHECK (size > 0),
    status      text NOT NULL CHECK (status IN ('announced', 'received')),
    taken_at    timestamptz NOT NULL,     -- time and place are claims
    lon         double precision,
    lat         double precision,
    accuracy_m  real,
    device      uuid,
    received_at timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT photo_once UNIQUE (county, household, digest),
    CONSTRAINT photo_received CHECK ((status = 'received') = (received_at IS NOT NULL))
);
CREATE INDEX photo_digest ON photo (county, digest);

-- Another content under an id that stands for a household already: both are kept, an officer says which one holds.
CREATE TABLE second_version (
    county       text NOT NULL,           -- the household's
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    household    uuid NOT NULL,
    device       uuid,
    sent_by      uuid NOT NULL REFERENCES staff (id),
    digest       bytea NOT NULL,
    sealed       bytea NOT NULL,
    status       text NOT NULL CHECK (status IN ('open', 'closed')),
    received_at  timestamptz NOT NULL,
    verdict      text CHECK (verdict IN ('first', 'second')),
    reason       text,
    closed_by    uuid REFERENCES staff (id),
    closed_at    timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT second_version_once UNIQUE (county, household, digest),
    CONSTRAINT second_version_closed CHECK ((status = 'closed') = (verdict IS NOT NULL AND reason IS NOT NULL AND closed_at IS NOT NULL))
);
CREATE INDEX second_version_open ON second_version (county, household) WHERE status = 'open';

-- A person without papers has a temporary number: counted once by it, and nothing but the first advance until identified.
ALTER TABLE person ADD COLUMN provisional boolean NOT NULL DEFAULT false;
CREATE INDEX person_provisional ON person (county, household) WHERE provisional;

CREATE OR REPLACE VIEW suspected WITH (security_invoker = true) AS
SELECT county, household, blocks FROM suspicion WHERE status = 'open' AND blocks <> 'nothing'
UNION ALL
SELECT other_county, other, blocks FROM suspicion WHERE status = 'open' AND blocks <> 'nothing'
UNION ALL
SELECT county, household, 'stages' FROM person WHERE provisional;

GRANT SELECT, INSERT ON device, device_record, visit, photo, second_version TO relief_app;
GRANT UPDATE (seen_at, version, waiting, records, highest, status, wipe, wiped_at, revoked_by, revoked_at, reason) ON device TO relief_app;
GRANT UPDATE (outcome, code, field, place, household, received_at) ON device_record TO relief_app;
GRANT UPDATE (status, device, received_at) ON photo TO relief_app;
GRANT UPDATE (status, verdict, reason, closed_by, closed_at) ON second_version TO relief_app;

DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['device', 'device_record', 'visit', 'photo', 'second_version'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;
