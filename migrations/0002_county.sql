-- County tables: the county is the shard, the tenant and the jurisdiction, so every key begins with it.
-- People are sealed: one encrypted blob per person (algorithm and key version in its header), keyed hashes for equality.

CREATE TABLE county_activation (
    county        text NOT NULL REFERENCES region (code),
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    activation    uuid NOT NULL REFERENCES activation (id),
    status        text NOT NULL CHECK (status IN ('drafted', 'active', 'ended')),
    document      text NOT NULL,           -- 文号 of the county's own decision
    cap_fen       bigint NOT NULL CHECK (cap_fen > 0),
    drafted_by    uuid NOT NULL REFERENCES staff (id),
    drafted_at    timestamptz NOT NULL,
    activated_by  uuid REFERENCES staff (id),
    activated_at  timestamptz,             -- the county's clock starts here
    PRIMARY KEY (county, id),
    CONSTRAINT county_activation_once UNIQUE (county, activation),
    CONSTRAINT county_activation_two_people CHECK (activated_by IS NULL OR activated_by <> drafted_by)
);

CREATE TABLE household (
    county           text NOT NULL,
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    incident         uuid NOT NULL,
    device_id        uuid NOT NULL,        -- made on the device; also in device_guard
    content_digest   bytea NOT NULL,
    village          text NOT NULL,        -- 12 digits
    lon              double precision NOT NULL,   -- EPSG:4490
    lat              double precision NOT NULL,
    accuracy_m       real NOT NULL,
    synthetic_point  boolean NOT NULL,     -- true for a made-up place (demo): marked on every map
    status           text NOT NULL CHECK (status IN ('staged', 'located', 'verified', 'duplicate', 'rejected')),
    family_type      text NOT NULL,
    members          integer NOT NULL CHECK (members BETWEEN 1 AND 30),
    dead             integer NOT NULL DEFAULT 0,
    missing          integer NOT NULL DEFAULT 0,
    injured          integer NOT NULL DEFAULT 0,
    rooms_collapsed  integer NOT NULL DEFAULT 0,
    rooms_severe     integer NOT NULL DEFAULT 0,
    rooms_moderate   integer NOT NULL DEFAULT 0,
    relocated        text NOT NULL DEFAULT 'none' CHECK (relocated IN ('none', 'centralised', 'dispersed')),
    only_home        boolean NOT NULL,
    occupied         boolean NOT NULL,
    slip             text NOT NULL,        -- reference on the resident's receipt slip
    slip_code_hash   bytea NOT NULL,       -- keyed hash of the slip's secret
    registered_by    uuid NOT NULL,
    captured_at      timestamptz NOT NULL, -- what the device claims
    received_at      timestamptz NOT NULL, -- what the server knows
    PRIMARY KEY (county, id),
    CONSTRAINT household_slip UNIQUE (county, slip)
) WITH (fillfactor = 50);                  -- every household is located and verified once: room on its page makes both moves cheap
CREATE INDEX household_incident ON household (county, incident, id);
CREATE INDEX household_place ON household (incident, lon, lat);

CREATE TABLE person (
    county       text NOT NULL,
    id           uuid NOT NULL,
    household    uuid NOT NULL,
    role         text NOT NULL CHECK (role IN ('householder', 'member')),
    sealed       bytea NOT NULL,           -- name, id type and number, phone
    id_hash      bytea NOT NULL,           -- keyed hash of the normalised id number
    phone_hash   bytea,                    -- keyed hash of the E.164 number
    phone_route  text NOT NULL CHECK (phone_route IN ('none', 'one way', 'two way')),
    adult        boolean NOT NULL,
    PRIMARY KEY (county, id),
    CONSTRAINT person_household FOREIGN KEY (county, household) REFERENCES household (county, id)
);
CREATE INDEX person_of_household ON person (county, household);
CREATE INDEX person_id_hash ON person (id_hash);
CREATE INDEX person_phone_hash ON person (phone_hash);
CREATE UNIQUE INDEX person_one_householder ON person (county, household) WHERE role = 'householder';

-- Payee accounts are versions: a payment names the version that was checked, a correction is a new one.
CREATE TABLE account (
    county        text NOT NULL,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    person        uuid NOT NULL,
    version       integer NOT NULL CHECK (version > 0),
    status        text NOT NULL CHECK (status IN ('proposed', 'current', 'replaced', 'refused')),
    sealed        bytea NOT NULL,          -- holder name and account number
    account_hash  bytea NOT NULL,
    bank          text NOT NULL,           -- 3-digit bank part of the CNAPS code: '402' 农信, '403' 邮储
    proposed_by   uuid NOT NULL,
    proposed_at   timestamptz NOT NULL,
    PRIMARY KEY (county, id),
    CONSTRAINT account_version UNIQUE (county, person, version),
    CONSTRAINT account_person FOREIGN KEY (county, person) REFERENCES person (county, id)
);
CREATE INDEX account_hash ON account (account_hash);
CREATE UNIQUE INDEX account_one_current ON account (county, person) WHERE status = 'current';

CREATE TABLE location (
    county     text NOT NULL,
    zone       uuid NOT NULL,
    household  uuid NOT NULL,
    rank       integer NOT NULL,           -- band rank in that zone; -1 outside
    edge       boolean NOT NULL,           -- the border is nearer than the point's accuracy
    PRIMARY KEY (county, zone, household)
);

CREATE TABLE decision (
    county         text NOT NULL,
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    household      uuid NOT NULL,
    activation     uuid NOT NULL,
    zone           uuid NOT NULL,
    playbook       uuid NOT NULL,
    aid            text NOT NULL,
    status         text NOT NULL CHECK (status IN ('current', 'superseded')),
    amount_fen     bigint NOT NULL CHECK (amount_fen >= 0),
    reasons        text[] NOT NULL,        -- codes, in the order they were met
    facts          jsonb NOT NULL,         -- what was known at that hour
    standards      bytea NOT NULL,         -- digest of the figures used
    decided_at     timestamptz NOT NULL,
    PRIMARY KEY (county, id)
);
CREATE UNIQUE INDEX decision_one_current ON decision (county, household, activation, aid) WHERE status = 'current';

CREATE TABLE fund (
    county         text NOT NULL,
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    source         text NOT NULL CHECK (source IN ('central', 'province', 'city', 'county', 'donation')),
    year           integer NOT NULL,
    document       text NOT NULL,
    budget_item    text NOT NULL,          -- 2240703 自然灾害救灾补助, 2240704 自然灾害灾后重建补助
    purpose        text NOT NULL,          -- aid code
    incident       uuid NOT NULL,
    drill          boolean NOT NULL,
    allocated_fen  bigint NOT NULL CHECK (allocated_fen >= 0),
    available_fen  bigint NOT NULL CONSTRAINT fund_available CHECK (available_fen >= 0),
    reserved_fen   bigint NOT NULL DEFAULT 0 CONSTRAINT fund_reserved CHECK (reserved_fen >= 0),
    in_flight_fen  bigint NOT NULL DEFAULT 0 CONSTRAINT fund_in_flight CHECK (in_flight_fen >= 0),
    paid_fen       bigint NOT NULL DEFAULT 0 CONSTRAINT fund_paid CHECK (paid_fen >= 0),
    PRIMARY KEY (county, id),
    CONSTRAINT fund_document UNIQUE (county, document, purpose, incident),
    CONSTRAINT fund_equation CHECK (allocated_fen = available_fen + reserved_fen + in_flight_fen + paid_fen)
);

-- Who pays: the county's office and its zero-balance account 零余额账户, as they stand on every batch file.
CREATE TABLE payer (
    county   text PRIMARY KEY REFERENCES region (code),
    name     text NOT NULL,
    account  text NOT NULL CONSTRAINT payer_account UNIQUE
);

-- Two legs in one row: what leaves one place enters the other, so a transfer cannot be unbalanced.
CREATE TABLE transfer (
    county      text NOT NULL,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    fund        uuid NOT NULL,
    source      text NOT NULL CHECK (source IN ('allocated', 'available', 'reserved', 'in flight', 'paid')),
    target      text NOT NULL CHECK (target IN ('allocated', 'available', 'reserved', 'in flight', 'paid')),
    amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
    subject     text NOT NULL CHECK (subject IN ('fund', 'award', 'payment')),
    subject_id  uuid NOT NULL,
    act         uuid NOT NULL,             -- the audit row of the act that moved it
    at          timestamptz NOT NULL,
    PRIMARY KEY (county, id),
    CONSTRAINT transfer_moves CHECK (source <> target)
);
CREATE INDEX transfer_subject ON transfer (county, subject_id);

-- Awards, instalments, payments and transfers are only ever written by INSERT … SELECT from the row they belong to, and nothing may
-- delete those. A foreign key would look the parent up again, one row at a time, for half the cost of the whole act; the invariant
-- nothing_is_orphaned proves the same for every row.
CREATE TABLE award (
    county       text NOT NULL,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    household    uuid NOT NULL,
    payee        uuid NOT NULL,            -- person; aid funds refuse any payee that is not one
    incident     uuid NOT NULL,
    activation   uuid NOT NULL,
    decision     uuid NOT NULL,
    aid          text NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('A', 'B', 'C')),
    period       text NOT NULL,
    amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
    status       text NOT NULL CHECK (status IN ('proposed', 'approved', 'completed', 'withdrawn', 'superseded')),
    fund         uuid,
    village      text NOT NULL,
    proposed_at  timestamptz NOT NULL,
    approved_at  timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT award_funded CHECK (status NOT IN ('approved', 'completed') OR fund IS NOT NULL)
);
CREATE UNIQUE INDEX award_once ON award (county, household, incident, aid, period)
    WHERE status IN ('proposed', 'approved', 'completed');
CREATE INDEX award_waiting ON award (county, status, aid, id);

CREATE TABLE instalment (
    county      text NOT NULL,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    award       uuid NOT NULL,
    seq         integer NOT NULL CHECK (seq > 0),
    amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
    condition   text NOT NULL,             -- 'none' or the evidence kind it waits for
    status      text NOT NULL CHECK (status IN ('waiting', 'due', 'released', 'settled', 'cancelled')),
    due_at      timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT instalment_seq UNIQUE (county, award, seq)
);
CREATE INDEX instalment_due ON instalment (county, status, id);

CREATE TABLE evidence (
    county        text NOT NULL,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    instalment    uuid NOT NULL,
    kind          text NOT NULL,
    digest        bytea NOT NULL,          -- SHA-256 of the document or photo
    note          text NOT NULL,
    status        text NOT NULL CHECK (status IN ('submitted', 'accepted', 'refused')),
    submitted_by  uuid NOT NULL,
    submitted_at  timestamptz NOT NULL,
    accepted_by   uuid,
    accepted_at   timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT evidence_instalment FOREIGN KEY (county, instalment) REFERENCES instalment (county, id),
    CONSTRAINT evidence_two_people CHECK (accepted_by IS NULL OR accepted_by <> submitted_by)
);
CREATE UNIQUE INDEX evidence_one_accepted ON evidence (county, instalment) WHERE status = 'accepted';

CREATE TABLE batch (
    county       text NOT NULL,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    number       text NOT NULL CONSTRAINT batch_number UNIQUE,
    incident     uuid NOT NULL,
    project      text NOT NULL,
    period       text NOT NULL,
    bank         text NOT NULL,
    drill        boolean NOT NULL,
    layout       text NOT NULL,
    status       text NOT NULL CHECK (status IN ('frozen', 'prepared', 'checked', 'authorised', 'sending', 'sent', 'unknown',
                                                 'acknowledged', 'settled', 'voided', 'rejected')),
    lines        integer NOT NULL CHECK (lines > 0),
    total_fen    bigint NOT NULL CHECK (total_fen > 0),
    digest       bytea NOT NULL,           -- SHA-256 of the file, byte for byte what is signed and sent
    sealed_file  bytea NOT NULL,
    frozen_at    timestamptz NOT NULL,
    claimed_at   timestamptz,
    lease_until  timestamptz,
    sent_at      timestamptz,
    PRIMARY KEY (county, id)
);
CREATE INDEX batch_work ON batch (status, lease_until);

-- One attempt to pay one instalment. At most one attempt of an instalment is alive.
CREATE TABLE payment (
    county      text NOT NULL,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    instalment  uuid NOT NULL,
    award       uuid NOT NULL,
    household   uuid NOT NULL,
    payee       uuid NOT NULL,
    account     uuid NOT NULL,
    bank        text NOT NULL,
    fund        uuid NOT NULL,
    attempt     integer NOT NULL CHECK (attempt > 0),
    reference   text NOT NULL,             -- 业务流水号, the end-to-end id
    amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
    status      text NOT NULL CHECK (status IN ('approved', 'batched', 'sent', 'paid', 'returned', 'unknown', 'cancelled')),
    batch       uuid,
    line        integer,
    reason      text,                      -- F01–F99 when returned
    created_at  timestamptz NOT NULL,
    sent_at     timestamptz,
    settled_at  timestamptz,
    bank_ref    text,
    PRIMARY KEY (county, id),
    CONSTRAINT payment_reference UNIQUE (county, reference),
    CONSTRAINT payment_attempt UNIQUE (county, instalment, attempt),
    CONSTRAINT payment_batched CHECK (status IN ('approved', 'cancelled') OR batch IS NOT NULL)
);
CREATE UNIQUE INDEX payment_one_alive ON payment (county, instalment)
    WHERE status IN ('approved', 'batched', 'sent', 'unknown', 'paid');
CREATE INDEX payment_status ON payment (county, status, id);
CREATE INDEX payment_of_batch ON payment (county, batch, line) WHERE batch IS NOT NULL;
CREATE INDEX payment_of_household ON payment (county, household);

-- A signature is a row. The unique key is what keeps the same person from acting twice on one subject: the registrar of a
-- household is written as the first signature of its award, the signers of the awards as signatures of the batch.
CREATE TABLE signature (
    county     text NOT NULL,
    subject    uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('award', 'batch', 'account')),
    step       text NOT NULL,
    person     uuid NOT NULL,
    delegator  uuid,
    digest     bytea NOT NULL,
    signed_at  timestamptz NOT NULL,
    CONSTRAINT signature_once PRIMARY KEY (county, subject, person)
);
CREATE UNIQUE INDEX signature_one_per_step ON signature (county, subject, step)
    WHERE step NOT IN ('line', 'register');

CREATE TABLE hold (
    county      text NOT NULL,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    kind        text NOT NULL CHECK (kind IN ('household', 'village', 'account', 'fund', 'batch', 'award')),
    subject     text NOT NULL,             -- uuid or village code
    reason      text NOT NULL,
    placed_by   uuid NOT NULL,
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz,
    PRIMARY KEY (county, id)
);
CREATE INDEX hold_subject ON hold (county, kind, subject);

CREATE TABLE paperwork (
    county   text NOT NULL,
    award    uuid NOT NULL,
    due_on   date NOT NULL,                -- working days after the advance
    status   text NOT NULL CHECK (status IN ('open', 'closed')),
    PRIMARY KEY (county, award)
);

-- What the bank said, kept raw, once. A row is matched, a repeat, or an exception with an owner; never dropped.
CREATE TABLE bank_file (
    county       text NOT NULL,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    batch        uuid,
    kind         text NOT NULL CHECK (kind IN ('result', 'statement')),
    name         text NOT NULL,
    digest       bytea NOT NULL,
    sealed       bytea NOT NULL,
    status       text NOT NULL CHECK (status IN ('imported', 'refused')),
    code         text,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (county, id),
    CONSTRAINT bank_file_once UNIQUE (county, digest)
);

CREATE TABLE bank_row (
    county       text NOT NULL,
    file         uuid NOT NULL,
    row          integer NOT NULL,
    reference    text NOT NULL,
    outcome      text NOT NULL,            -- 'paid', 'returned', 'pending', 'reversed', 'unreadable'
    amount_fen   bigint NOT NULL,
    reason       text,
    bank_ref     text,
    payment      uuid,
    disposition  text NOT NULL CHECK (disposition IN ('matched', 'repeat', 'pending', 'exception')),
    code         text,                     -- why it is an exception
    closed_at    timestamptz,
    PRIMARY KEY (county, file, row)
);
CREATE INDEX bank_row_payment ON bank_row (county, payment);

CREATE TABLE message (
    county       text NOT NULL,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    payment      uuid NOT NULL,
    person       uuid NOT NULL,
    event        text NOT NULL,            -- 'paid'
    template     text NOT NULL,            -- key and version of the text
    sealed       bytea NOT NULL,           -- number and text
    to_hash      bytea NOT NULL,
    route        text NOT NULL CHECK (route IN ('one way', 'two way')),
    short_code   text NOT NULL,
    status       text NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'unknown')),
    sid          text,
    error        text,
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    lease_until  timestamptz,
    queued_at    timestamptz NOT NULL,
    sent_at      timestamptz,
    ended_at     timestamptz,
    drill        boolean NOT NULL,
    PRIMARY KEY (county, id),
    CONSTRAINT message_once UNIQUE (county, payment, event)
);
CREATE INDEX message_work ON message (due_at) WHERE status IN ('queued', 'sending', 'unknown');
CREATE UNIQUE INDEX message_sid ON message (sid) WHERE sid IS NOT NULL;
CREATE INDEX message_to ON message (to_hash);

-- A callback is kept even when it comes before our own write of its sid.
CREATE TABLE message_event (
    id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sid     text NOT NULL,
    status  text NOT NULL,
    error   text,
    at      timestamptz NOT NULL,
    CONSTRAINT message_event_once UNIQUE (sid, status)
);

CREATE TABLE confirmation (
    county      text NOT NULL,
    payment     uuid NOT NULL,
    household   uuid NOT NULL,
    status      text NOT NULL CHECK (status IN ('awaited', 'confirmed', 'disputed', 'silent', 'void')),
    way         text CHECK (way IN ('sms', 'page', 'reporter', 'desk', 'hotline')),
    by_person   uuid,
    awaited_at  timestamptz NOT NULL,
    given_at    timestamptz,
    PRIMARY KEY (county, payment)
);

CREATE TABLE complaint (
    county     text NOT NULL,
    id         uuid NOT NULL DEFAULT gen_random_uuid(),
    payment    uuid,
    household  uuid,
    kind       text NOT NULL,
    status     text NOT NULL CHECK (status IN ('open', 'closed')),
    owner      text NOT NULL,              -- role that must act
    due_at     timestamptz NOT NULL,
    opened_at  timestamptz NOT NULL,
    closed_at  timestamptz,
    answer     text,
    sealed     bytea,                      -- the resident's own words
    PRIMARY KEY (county, id)
);
CREATE UNIQUE INDEX complaint_open ON complaint (county, payment, kind) WHERE status = 'open';

-- One row an act; a bulk act is one row with the size and digest of its set. Written in the act's own transaction.
CREATE TABLE audit (
    county   text NOT NULL,                -- '000000' for acts on reference tables
    id       uuid NOT NULL DEFAULT gen_random_uuid(),
    at       timestamptz NOT NULL,
    actor    uuid,                         -- null: the system itself
    act      text NOT NULL,
    subject  text NOT NULL,
    count    integer NOT NULL,
    digest   bytea NOT NULL,
    detail   jsonb NOT NULL,
    PRIMARY KEY (county, id)
);
CREATE INDEX audit_time ON audit (county, at);
