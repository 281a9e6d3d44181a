-- The incident register, what was reported of a disaster and when, what each government declared, and the alerts that proposed it.

-- A duplicate is closed and points to the incident that survives. What the thing is (kind, place, time, drill) can never be edited.
ALTER TABLE incident
    ADD COLUMN merged_into    uuid REFERENCES incident (id),
    ADD COLUMN stable_at      timestamptz,   -- 灾情稳定: from here the final report is due
    ADD COLUMN closed_at      timestamptz,
    ADD COLUMN closed_reason  text,
    ADD CONSTRAINT incident_merged CHECK (merged_into IS NULL OR (status = 'closed' AND merged_into <> id));
CREATE INDEX incident_survivor ON incident (merged_into) WHERE merged_into IS NOT NULL;
REVOKE UPDATE ON incident FROM relief_app;
GRANT UPDATE (status, merged_into, stable_at, closed_at, closed_reason) ON incident TO relief_app;

-- Aid that one person has in two households: money to be asked back, or a decision to be taken back. One case per claim.
CREATE TABLE recovery_case (
    county         text NOT NULL,
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    incident       uuid NOT NULL,            -- the surviving one
    household      uuid NOT NULL,            -- the claim that came second
    aid            text NOT NULL,
    period         text NOT NULL,
    holder_county  text NOT NULL,
    holder         uuid NOT NULL,            -- the household that keeps the entitlement
    people         integer NOT NULL CHECK (people > 0),
    award          uuid,                     -- of `household`; none where nothing was awarded
    reason         text NOT NULL CHECK (reason IN ('incidents merged')),
    status         text NOT NULL CHECK (status IN ('open', 'closed')),
    owner          text NOT NULL,            -- role that must act
    due_on         date NOT NULL,
    opened_at      timestamptz NOT NULL,
    closed_by      uuid,
    closed_at      timestamptz,
    answer         text,
    PRIMARY KEY (county, id),
    CONSTRAINT recovery_case_once UNIQUE (county, household, aid, period, holder),
    CONSTRAINT recovery_case_answered CHECK ((status = 'closed') = (answer IS NOT NULL))
);

-- 初报, 续报, 核报: every version stands for ever; the indicators carry their units.
CREATE TABLE incident_report (
    county       text NOT NULL REFERENCES region (code),
    incident     uuid NOT NULL REFERENCES incident (id),
    version      integer NOT NULL CHECK (version > 0),
    kind         text NOT NULL CHECK (kind IN ('first', 'follow-up', 'final')),
    zero         boolean NOT NULL,           -- 零报告: nothing has changed, said on purpose
    indicators   jsonb NOT NULL,             -- {"deaths": {"value": "55", "unit": "人"}, …}
    source       text NOT NULL,
    note         text NOT NULL,
    as_of        timestamptz NOT NULL,       -- 截至: the figures are those of this moment
    reported_at  timestamptz NOT NULL,
    author       uuid NOT NULL REFERENCES staff (id),
    PRIMARY KEY (county, incident, version)
);
CREATE UNIQUE INDEX incident_report_one_first ON incident_report (county, incident) WHERE kind = 'first';
CREATE INDEX incident_report_of ON incident_report (incident);

-- City and province check a version and pass it on; a severe one the county also sends straight to province and ministry.
CREATE TABLE report_relay (
    county    text NOT NULL,
    incident  uuid NOT NULL,
    version   integer NOT NULL,
    level     text NOT NULL CHECK (level IN ('city', 'province', 'direct')),
    person    uuid NOT NULL REFERENCES staff (id),
    at        timestamptz NOT NULL,
    PRIMARY KEY (county, incident, version, level),
    CONSTRAINT report_relay_report FOREIGN KEY (county, incident, version) REFERENCES incident_report (county, incident, version)
);

-- A deadline that passed unmet, written once when it was noticed.
CREATE TABLE report_reminder (
    county      text NOT NULL,
    incident    uuid NOT NULL REFERENCES incident (id),
    level       text NOT NULL CHECK (level IN ('county', 'city', 'province')),
    duty        text NOT NULL,
    due_at      timestamptz NOT NULL,
    noticed_at  timestamptz NOT NULL,
    PRIMARY KEY (county, incident, level, duty, due_at)
);

CREATE TABLE response_plan (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key          text NOT NULL,
    version      text NOT NULL,
    issuer       text NOT NULL CHECK (issuer IN ('national', 'province', 'city', 'county')),
    area         text NOT NULL,              -- region code; '00' for a national plan
    valid_from   date NOT NULL,
    valid_to     date,
    verified     boolean NOT NULL,
    digest       bytea NOT NULL CONSTRAINT response_plan_digest UNIQUE,
    body         text NOT NULL,              -- the TOML as imported; never changes
    imported_at  timestamptz NOT NULL,
    CONSTRAINT response_plan_version UNIQUE (key, version)
);

-- Each decision of each government on an incident; the level in force is that of the last one.
CREATE TABLE response (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    incident     uuid NOT NULL REFERENCES incident (id),
    issuer       text NOT NULL CHECK (issuer IN ('national', 'province', 'city', 'county')),
    area         text NOT NULL REFERENCES region (code),   -- of a national response: the province it is for
    seq          integer NOT NULL CHECK (seq > 0),
    act          text NOT NULL CHECK (act IN ('launch', 'raise', 'lower', 'end')),
    level        integer CHECK (level BETWEEN 1 AND 4),
    plan         uuid REFERENCES response_plan (id),
    indicator    text,                       -- the one that triggered it; none where it was held to be necessary
    proposed     integer CHECK (proposed BETWEEN 1 AND 4), -- what the engine proposed at that moment
    figures      jsonb NOT NULL,             -- the indicators it was decided on
    document     text NOT NULL,              -- 文号
    decided_by   text NOT NULL,              -- office that decides by the plan
    reason       text NOT NULL,
    person       uuid NOT NULL REFERENCES staff (id),
    decided_at   timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    CONSTRAINT response_seq UNIQUE (incident, issuer, area, seq),
    CONSTRAINT response_level CHECK ((act = 'end') = (level IS NULL))
);

-- What feeds said, once per message. An alert only ever proposes; an officer opens the incident.
CREATE TABLE alert (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source       text NOT NULL CHECK (source IN ('cap', 'comcat')),
    sender       text NOT NULL,
    identifier   text NOT NULL,
    sent         timestamptz NOT NULL,
    nature       text NOT NULL CHECK (nature IN ('actual', 'exercise', 'system', 'test', 'draft')),
    kind         text NOT NULL CHECK (kind IN ('alert', 'update', 'cancel', 'ack', 'error')),
    event        text NOT NULL,
    headline     text NOT NULL,
    severity     text NOT NULL,
    urgency      text NOT NULL,
    certainty    text NOT NULL,
    hazard       text,                       -- GB/T 28921, where the words or codes tell it
    area         text REFERENCES region (code),   -- the county it most concerns
    areas        text[] NOT NULL,            -- every county it names or touches
    lon          double precision,           -- EPSG:4490
    lat          double precision,
    magnitude    double precision,
    occurred_at  timestamptz NOT NULL,
    expires_at   timestamptz,
    digest       bytea NOT NULL,             -- SHA-256 of what it says
    body         bytea NOT NULL,             -- as received
    link         text NOT NULL,              -- the feed's own name of the entry, so that it is fetched once
    status       text NOT NULL CHECK (status IN ('parked', 'proposed', 'accepted', 'dismissed', 'superseded', 'withdrawn', 'noted')),
    why          text,                       -- code: why it is only noted
    incident     uuid REFERENCES incident (id),
    received_at  timestamptz NOT NULL,
    decided_by   uuid REFERENCES staff (id),
    decided_at   timestamptz,
    reason       text,
    CONSTRAINT alert_once UNIQUE (source, sender, identifier, sent),
    CONSTRAINT alert_accepted CHECK (status <> 'accepted' OR incident IS NOT NULL),
    CONSTRAINT alert_only_actual CHECK (status NOT IN ('proposed', 'accepted') OR nature = 'actual')
);
CREATE INDEX alert_waiting ON alert (status, received_at) WHERE status IN ('parked', 'proposed');
CREATE INDEX alert_received ON alert (received_at);

CREATE TABLE alert_reference (
    alert       uuid NOT NULL REFERENCES alert (id),
    sender      text NOT NULL,
    identifier  text NOT NULL,
    sent        timestamptz NOT NULL,
    PRIMARY KEY (alert, sender, identifier, sent)
);
CREATE INDEX alert_referenced ON alert_reference (sender, identifier, sent);

-- The same message name with other content: one of the two is not what it says. Kept until somebody has looked.
CREATE TABLE alert_conflict (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    alert        uuid NOT NULL REFERENCES alert (id),
    digest       bytea NOT NULL,
    body         bytea NOT NULL,
    received_at  timestamptz NOT NULL,
    status       text NOT NULL CHECK (status IN ('open', 'closed')),
    closed_by    uuid REFERENCES staff (id),
    closed_at    timestamptz,
    answer       text,
    CONSTRAINT alert_conflict_once UNIQUE (alert, digest)
);

-- Which actual message takes the place of which: a later one of the same sender that refers to it, or to what it refers to itself;
-- a catalogue event is replaced by its own later edition. A test never touches an actual one.
CREATE VIEW alert_succession AS
SELECT x.id AS earlier, y.id AS later, y.kind, y.status AS later_status
FROM alert x JOIN alert y ON y.source = x.source AND y.sender = x.sender AND y.sent > x.sent
WHERE x.nature = 'actual' AND y.nature = 'actual' AND (
    y.source = 'comcat' AND y.identifier = x.identifier
    OR y.kind IN ('update', 'cancel') AND EXISTS (
        SELECT FROM alert_reference r WHERE r.alert = y.id AND r.sender = y.sender AND (
            (r.identifier, r.sent) = (x.identifier, x.sent)
            OR x.kind = 'update' AND EXISTS (
                SELECT FROM alert_reference s
                WHERE s.alert = x.id AND (s.sender, s.identifier, s.sent) = (r.sender, r.identifier, r.sent)))));

-- Something done every so often by whichever worker comes first.
CREATE TABLE errand (
    name    text PRIMARY KEY,
    due_at  timestamptz NOT NULL
);

GRANT SELECT, INSERT ON recovery_case, incident_report, report_relay, report_reminder, response_plan, response, alert, alert_reference,
    alert_conflict, errand TO relief_app;
GRANT SELECT ON alert_succession TO relief_app;
GRANT UPDATE (status, closed_by, closed_at, answer) ON recovery_case, alert_conflict TO relief_app;
GRANT UPDATE (status, why, incident, decided_by, decided_at, reason) ON alert TO relief_app;
GRANT UPDATE ON errand TO relief_app;

DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['recovery_case', 'incident_report', 'report_relay', 'report_reminder'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;
