-- 评议、公示、异议: the steps before a larger approval; papers that follow an advance; changes, leads, rosters, forms and the case file.

SELECT set_config('relief.scope', '%', true);

-- What a playbook demands of an aid, where SQL can see it: written when households are decided by it. `since` keeps the gate from judging
-- what was approved before there was one.
CREATE TABLE step_rule (
    playbook     uuid NOT NULL REFERENCES playbook (id),
    aid          text NOT NULL,
    review       text NOT NULL CHECK (review IN ('required', 'skip_if_undisputed', 'none')),
    notice       text NOT NULL CHECK (notice IN ('before_payment', 'after_payment', 'none')),
    notice_days  integer NOT NULL CHECK (notice_days >= 0),   -- working days
    papers_hold  boolean NOT NULL DEFAULT false,              -- papers of an advance overdue: the household waits
    pause_from   integer CHECK (pause_from > 0),              -- so many overdue in a village: no further advances there
    papers       text[] NOT NULL DEFAULT '{}',                -- documents that may follow the money
    since        timestamptz NOT NULL,
    PRIMARY KEY (playbook, aid)
);

-- Photos and scans of the case file 一户一档. Sealed as they came; never replaced, never deleted.
CREATE TABLE document (
    county        text NOT NULL,
    id            uuid NOT NULL,
    household     uuid,                      -- null where it belongs to a whole village: a notice on its board, minutes
    award         uuid,
    village       text NOT NULL,
    kind          text NOT NULL,             -- a key of DOCUMENTS in domain/vocabulary.py
    media         text NOT NULL CHECK (media IN ('image/jpeg', 'image/png', 'application/pdf')),
    size          integer NOT NULL CHECK (size > 0),
    digest        bytea NOT NULL,            -- SHA-256 of the bytes as received
    sealed        bytea NOT NULL,
    submitted_by  uuid,                      -- null: another system handed it in
    received_at   timestamptz NOT NULL,
    PRIMARY KEY (county, id)
);
CREATE UNIQUE INDEX document_once ON document (county, coalesce(household, '00000000-0000-0000-0000-000000000000'::uuid), kind, digest);
CREATE INDEX document_of_household ON document (county, household) WHERE household IS NOT NULL;

-- 民主评议: the meeting of a village about a list.
CREATE TABLE review (
    county        text NOT NULL,
    id            uuid NOT NULL,
    activation    uuid NOT NULL,
    aid           text NOT NULL,
    village       text NOT NULL,
    held_on       date NOT NULL,
    participants  integer NOT NULL CHECK (participants >= 3),
    sealed        bytea NOT NULL,            -- the minutes
    document      uuid,                      -- photo of the signed sheet
    recorded_by   uuid NOT NULL,
    recorded_at   timestamptz NOT NULL,
    PRIMARY KEY (county, id)
);
CREATE INDEX review_of_village ON review (county, activation, aid, village);
CREATE TABLE review_item (
    county     text NOT NULL,
    review     uuid NOT NULL,
    award      uuid NOT NULL,
    supported  boolean NOT NULL,
    PRIMARY KEY (county, review, award)
);
CREATE INDEX review_item_award ON review_item (county, award);

-- 公示: one list of one village. Its rows are frozen when it is drafted.
CREATE TABLE notice (
    county        text NOT NULL,
    id            uuid NOT NULL,
    incident      uuid NOT NULL,
    activation    uuid NOT NULL,
    aid           text NOT NULL,
    village       text NOT NULL,
    timing        text NOT NULL CHECK (timing IN ('before_payment', 'after_payment')),
    days          integer NOT NULL CHECK (days > 0),
    status        text NOT NULL CHECK (status IN ('drafted', 'posted', 'reported', 'withdrawn')),
    households    integer NOT NULL CHECK (households > 0),
    total_fen     bigint NOT NULL CHECK (total_fen > 0),
    digest        bytea NOT NULL,            -- over (award, fen) as approvals compute it
    drafted_by    uuid NOT NULL,
    drafted_at    timestamptz NOT NULL,
    posted_by     uuid,
    posted_at     timestamptz,
    photo         uuid,                      -- of the notice as it hangs
    ends_on       date,                      -- last day on which anybody may object
    reported_by   uuid,
    reported_at   timestamptz,
    end_photo     uuid,
    sealed        bytea,                     -- 乡镇审核意见
    PRIMARY KEY (county, id),
    CONSTRAINT notice_posted CHECK (status NOT IN ('posted', 'reported')
        OR (posted_by IS NOT NULL AND posted_at IS NOT NULL AND photo IS NOT NULL AND ends_on IS NOT NULL)),
    CONSTRAINT notice_reported CHECK (status <> 'reported' OR (reported_by IS NOT NULL AND reported_at IS NOT NULL AND end_photo IS NOT NULL)),
    CONSTRAINT notice_two_people CHECK (reported_by IS NULL OR reported_by <> posted_by)
);
CREATE INDEX notice_open ON notice (county, village) WHERE status IN ('drafted', 'posted');
CREATE TABLE notice_item (
    county      text NOT NULL,
    notice      uuid NOT NULL,
    award       uuid NOT NULL,
    household   uuid NOT NULL,
    amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
    line        integer NOT NULL,
    PRIMARY KEY (county, notice, award)
);
CREATE INDEX notice_item_award ON notice_item (county, award);

-- 异议: anybody may object to one line, or say who was left out. While it is open the line's award is on hold, nothing else.
CREATE TABLE objection (
    county         text NOT NULL,
    id             uuid NOT NULL,
    notice         uuid NOT NULL,
    award          uuid,                     -- null: somebody was left out
    village        text NOT NULL,
    way            text NOT NULL CHECK (way IN ('page', 'desk', 'hotline', 'reporter')),
    reference      text NOT NULL,
    status         text NOT NULL CHECK (status IN ('open', 'rejected', 'upheld')),
    due_on         date NOT NULL,
    sealed         bytea NOT NULL,           -- what is said
    opened_by      uuid,                     -- null: without a login
    opened_at      timestamptz NOT NULL,
    closed_by      uuid,
    closed_at      timestamptz,
    sealed_answer  bytea,
    PRIMARY KEY (county, id),
    CONSTRAINT objection_reference UNIQUE (county, reference),
    CONSTRAINT objection_answered CHECK ((status = 'open') = (closed_by IS NULL) AND (status = 'open') = (sealed_answer IS NULL))
);
CREATE INDEX objection_of_notice ON objection (county, notice);
CREATE INDEX objection_of_award ON objection (county, award) WHERE award IS NOT NULL;
CREATE INDEX objection_waiting ON objection (county, due_on) WHERE status = 'open';

-- 先救助后补手续: who took the papers, and that somebody was reminded.
ALTER TABLE paperwork
    ADD COLUMN reminded_at  timestamptz,
    ADD COLUMN overdue_at   timestamptz,       -- when the timetable noticed that the day had passed
    ADD COLUMN closed_by    uuid,
    ADD COLUMN closed_at    timestamptz;
CREATE INDEX paperwork_open ON paperwork (county, due_on) WHERE status = 'open';
-- A village whose papers are overdue gives no further advances; everything else goes on there.
ALTER TABLE hold DROP CONSTRAINT hold_kind_check;
ALTER TABLE hold ADD CONSTRAINT hold_kind_check CHECK (kind IN ('household', 'village', 'account', 'fund', 'batch', 'award', 'advances'));

-- 一户一档: every export of a case file is a file of its own, numbered, and its digest is remembered.
CREATE TABLE dossier_export (
    county     text NOT NULL,
    household  uuid NOT NULL,
    serial     integer NOT NULL CHECK (serial > 0),
    digest     bytea NOT NULL,               -- SHA-256 of the ZIP
    files      integer NOT NULL CHECK (files > 0),
    made_by    uuid NOT NULL,
    made_at    timestamptz NOT NULL,
    PRIMARY KEY (county, household, serial)
);
GRANT SELECT, INSERT ON dossier_export TO relief_app;

-- 一门受理: what comes to the desk, the hotline or the public page is a lead with an owner and a deadline; it is no registration yet.
CREATE TABLE lead (
    county         text NOT NULL,
    id             uuid NOT NULL,
    village        text NOT NULL,             -- village, township or county code
    kind           text NOT NULL CHECK (kind IN ('disaster', 'fire', 'accident', 'illness', 'stranded', 'hardship', 'other')),
    way            text NOT NULL CHECK (way IN ('page', 'desk', 'hotline', 'reporter')),
    status         text NOT NULL CHECK (status IN ('open', 'taken', 'registered', 'closed')),
    owner          text NOT NULL CHECK (owner IN ('township', 'county')),
    reference      text NOT NULL,
    due_at         timestamptz NOT NULL,
    sealed         bytea NOT NULL,            -- name, telephone, what happened
    opened_by      uuid,                      -- null: without a login
    opened_at      timestamptz NOT NULL,
    taken_by       uuid,
    taken_at       timestamptz,
    household      uuid,
    closed_by      uuid,
    closed_at      timestamptz,
    sealed_answer  bytea,
    PRIMARY KEY (county, id),
    CONSTRAINT lead_reference UNIQUE (county, reference),
    CONSTRAINT lead_registered CHECK ((status = 'registered') = (household IS NOT NULL)),
    CONSTRAINT lead_closed CHECK ((status IN ('registered', 'closed')) = (closed_by IS NOT NULL AND closed_at IS NOT NULL)),
    CONSTRAINT lead_answered CHECK (status <> 'closed' OR sealed_answer IS NOT NULL)
);
CREATE INDEX lead_waiting ON lead (county, due_at) WHERE status IN ('open', 'taken');

-- Which reporter 灾害信息员 answers for which village.
CREATE TABLE roster (
    county   text NOT NULL,
    village  text NOT NULL,
    person   uuid NOT NULL REFERENCES staff (id),
    since    timestamptz NOT NULL,
    until    timestamptz,
    set_by   uuid NOT NULL,
    PRIMARY KEY (county, village, person, since)
);
CREATE UNIQUE INDEX roster_now ON roster (county, village, person) WHERE until IS NULL;

-- 情况变更: moved, died, found, rebuilt elsewhere; or looked at again and unchanged.
CREATE TABLE change_report (
    county         text NOT NULL,
    id             uuid NOT NULL,
    household      uuid NOT NULL,
    village        text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('moved_out', 'payee_died', 'found', 'rebuilt_elsewhere', 'unchanged')),
    status         text NOT NULL CHECK (status IN ('open', 'closed')),
    due_on         date NOT NULL,
    sealed         bytea NOT NULL,
    opened_by      uuid NOT NULL,
    opened_at      timestamptz NOT NULL,
    closed_by      uuid,
    closed_at      timestamptz,
    sealed_answer  bytea,
    PRIMARY KEY (county, id),
    CONSTRAINT change_report_closed CHECK ((status = 'closed') = (closed_by IS NOT NULL AND closed_at IS NOT NULL)),
    CONSTRAINT change_report_two_people CHECK (kind = 'unchanged' OR closed_by IS NULL OR closed_by <> opened_by)
);
CREATE INDEX change_report_of ON change_report (county, household);
CREATE INDEX change_report_open ON change_report (county, due_on) WHERE status = 'open';

-- What a form's server (Kobo, ODK) sent: once by root id, whatever became of it; and photos still to be fetched.
CREATE TABLE form_submission (
    county       text NOT NULL,
    root         uuid NOT NULL,
    form         text NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('registered', 'edited', 'refused')),
    code         text,                        -- why it was refused
    field        text,
    household    uuid,
    sealed       bytea NOT NULL,              -- as it came, the last time
    times        integer NOT NULL DEFAULT 1,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (county, root)
);
CREATE TABLE form_photo (
    county     text NOT NULL,
    root       uuid NOT NULL,
    name       text NOT NULL,
    kind       text NOT NULL,
    url        text NOT NULL,
    household  uuid NOT NULL,
    status     text NOT NULL CHECK (status IN ('waiting', 'kept', 'given up')),
    tries      integer NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL,
    document   uuid,
    PRIMARY KEY (county, root, name)
);
CREATE INDEX form_photo_due ON form_photo (due_at) WHERE status = 'waiting';
GRANT SELECT, INSERT, UPDATE ON form_submission, form_photo TO relief_app;

GRANT SELECT, INSERT ON lead, roster, change_report TO relief_app;
GRANT UPDATE (status, owner, due_at, taken_by, taken_at, household, closed_by, closed_at, sealed_answer) ON lead TO relief_app;
GRANT UPDATE (until) ON roster TO relief_app;
GRANT UPDATE (status, closed_by, closed_at, sealed_answer) ON change_report TO relief_app;

-- The fuzzy blocks are made of other clues now: what was compared before is given blocks anew, a few households at a time.
TRUNCATE block;
INSERT INTO block_backfill (county, before, after)
SELECT DISTINCT county, now(), '00000000-0000-0000-0000-000000000000'::uuid FROM household
ON CONFLICT (county) DO UPDATE SET before = excluded.before, after = excluded.after, done_at = NULL;

GRANT SELECT, INSERT ON step_rule, document, review, review_item, notice, notice_item, objection TO relief_app;
GRANT UPDATE (status, posted_by, posted_at, photo, ends_on, reported_by, reported_at, end_photo, sealed) ON notice TO relief_app;
GRANT UPDATE (status, closed_by, closed_at, sealed_answer) ON objection TO relief_app;

DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['document', 'review', 'review_item', 'notice', 'notice_item', 'objection', 'dossier_export', 'lead', 'roster', 'change_report',
                              'form_submission', 'form_photo'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;
