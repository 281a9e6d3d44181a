-- Reference tables: small, shared by every county. Codes are GB/T 2260 (6 digits) and the 12-digit statistical code.

CREATE TABLE region (
    code        text PRIMARY KEY CHECK (code ~ '^[0-9]{2}([0-9]{2}){0,2}([0-9]{3}){0,2}$'),
    name        text NOT NULL,
    level       text NOT NULL CHECK (level IN ('province', 'city', 'county', 'township', 'village')),
    parent      text REFERENCES region (code),
    lon         double precision,          -- EPSG:4490 degrees; synthetic for townships and villages
    lat         double precision,
    synthetic   boolean NOT NULL DEFAULT true,
    valid_from  date NOT NULL,
    valid_to    date
);
CREATE INDEX region_parent ON region (parent);

CREATE TABLE staff (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    login          text NOT NULL CONSTRAINT staff_login UNIQUE,
    name           text NOT NULL,
    password_hash  text NOT NULL,          -- Argon2id, PHC string
    active         boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL
);

-- Who may do what, where, from when to when. An area is a region code of any level; it covers everything below it.
CREATE TABLE role_grant (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    person      uuid NOT NULL REFERENCES staff (id),
    role        text NOT NULL,
    area        text NOT NULL REFERENCES region (code),
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz,
    CONSTRAINT role_grant_once UNIQUE (person, role, area, valid_from)
);

CREATE TABLE staff_session (
    token_hash  bytea PRIMARY KEY,         -- SHA-256 of the cookie; the cookie itself is never stored
    person      uuid NOT NULL REFERENCES staff (id),
    csrf        text NOT NULL,
    opened_at   timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);

CREATE TABLE sign_in_attempt (
    subject     text NOT NULL,             -- 'login:…' or 'slip:…'; throttling that holds across processes
    at          timestamptz NOT NULL,
    ok          boolean NOT NULL
);
CREATE INDEX sign_in_attempt_recent ON sign_in_attempt (subject, at);

CREATE TABLE incident (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name         text NOT NULL,            -- date + county + hazard, 灾害名称规则
    hazard       text NOT NULL CHECK (hazard ~ '^[0-9]{6}$'),   -- GB/T 28921
    county       text NOT NULL REFERENCES region (code),
    occurred_at  timestamptz NOT NULL,
    status       text NOT NULL CHECK (status IN ('reported', 'active', 'recovery', 'closed')),
    drill        boolean NOT NULL,
    opened_by    uuid NOT NULL REFERENCES staff (id),
    opened_at    timestamptz NOT NULL,
    CONSTRAINT incident_name UNIQUE (name, drill)
);

CREATE TABLE zone (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    incident       uuid NOT NULL REFERENCES incident (id),
    version        integer NOT NULL CHECK (version > 0),
    status         text NOT NULL CHECK (status IN ('draft', 'in force', 'superseded')),
    title          text NOT NULL,
    reason         text NOT NULL,
    source_digest  bytea NOT NULL,         -- SHA-256 of the file as received
    area_km2       double precision NOT NULL,
    drafted_by     uuid NOT NULL REFERENCES staff (id),
    drafted_at     timestamptz NOT NULL,
    approved_by    uuid REFERENCES staff (id),
    in_force_at    timestamptz,
    CONSTRAINT zone_version UNIQUE (incident, version),
    CONSTRAINT zone_two_people CHECK (approved_by IS NULL OR approved_by <> drafted_by)
);
CREATE UNIQUE INDEX zone_one_in_force ON zone (incident) WHERE status = 'in force';

CREATE TABLE zone_band (
    zone      uuid NOT NULL REFERENCES zone (id),
    rank      integer NOT NULL,            -- 0 is the most severe; a border belongs to the lower rank
    label     text NOT NULL,               -- 'Ⅸ'
    level     integer NOT NULL,            -- 9
    geometry  bytea NOT NULL,              -- WKB, EPSG:4490
    west      double precision NOT NULL,
    south     double precision NOT NULL,
    east      double precision NOT NULL,
    north     double precision NOT NULL,
    area_km2  double precision NOT NULL,
    PRIMARY KEY (zone, rank)
);

CREATE TABLE zone_county (
    zone      uuid NOT NULL REFERENCES zone (id),
    county    text NOT NULL REFERENCES region (code),
    area_km2  double precision NOT NULL,
    share     double precision NOT NULL CHECK (share >= 0 AND share <= 1.000001),
    PRIMARY KEY (zone, county)
);

CREATE TABLE playbook (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key          text NOT NULL,            -- 'earthquake'
    version      text NOT NULL,
    digest       bytea NOT NULL CONSTRAINT playbook_digest UNIQUE,
    body         text NOT NULL,            -- the TOML as imported; never changes
    imported_at  timestamptz NOT NULL,
    CONSTRAINT playbook_version UNIQUE (key, version)
);

-- A dated figure for an area. The most specific area whose validity covers the day wins.
CREATE TABLE standard (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key         text NOT NULL,             -- 'EMERG.per_person_day'
    area        text NOT NULL REFERENCES region (code),
    amount_fen  bigint NOT NULL CHECK (amount_fen >= 0),
    valid_from  date NOT NULL,
    valid_to    date,
    document    text NOT NULL,
    verified    boolean NOT NULL,
    CONSTRAINT standard_once UNIQUE (key, area, valid_from)
);

CREATE TABLE activation (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    incident     uuid NOT NULL REFERENCES incident (id),
    zone         uuid NOT NULL REFERENCES zone (id),
    playbook     uuid NOT NULL REFERENCES playbook (id),
    status       text NOT NULL CHECK (status IN ('drafted', 'active', 'ended')),
    proposed_by  uuid NOT NULL REFERENCES staff (id),
    proposed_at  timestamptz NOT NULL
);

-- Guards that cross counties: one record per device id, one entitlement per person, incident, aid and period.
CREATE TABLE device_guard (
    device_id       uuid PRIMARY KEY,
    county          text NOT NULL,
    household       uuid NOT NULL,
    content_digest  bytea NOT NULL,
    received_at     timestamptz NOT NULL
);

CREATE TABLE entitlement_guard (
    id_hash    bytea NOT NULL,
    incident   uuid NOT NULL,
    aid        text NOT NULL,
    period     text NOT NULL,
    county     text NOT NULL,
    household  uuid NOT NULL,
    CONSTRAINT entitlement_once PRIMARY KEY (id_hash, incident, aid, period)
);
CREATE INDEX entitlement_guard_household ON entitlement_guard (county, household);

-- Kept for the life of the payment: the same key gives the same answer for ever.
CREATE TABLE idempotency (
    person       uuid NOT NULL,
    key          text NOT NULL,
    route        text NOT NULL,
    fingerprint  bytea NOT NULL,
    status       integer NOT NULL,
    response     bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (person, key)
);
