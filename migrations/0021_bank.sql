-- The bank's word and what people make of it: receipts, exceptions answered, verdicts by hand, lines set aside before sending, days closed,
-- money asked back.

SELECT set_config('relief.scope', '%', true);

-- A receipt says only whether the bank takes the file as a whole.
ALTER TABLE bank_file DROP CONSTRAINT bank_file_kind_check;
ALTER TABLE bank_file ADD CONSTRAINT bank_file_kind_check CHECK (kind IN ('result', 'statement', 'receipt'));
CREATE INDEX bank_file_time ON bank_file (county, received_at);
CREATE INDEX bank_row_open ON bank_row (county, file, row) WHERE disposition = 'exception' AND closed_at IS NULL;

-- How an exception was worked off. The row keeps what the bank said; whose it is and until when follows from its code and file.
CREATE TABLE bank_row_answer (
    county     text NOT NULL,
    file       uuid NOT NULL,
    row        integer NOT NULL,
    answer     text NOT NULL CHECK (answer IN ('not ours', 'bank corrects', 'answered', 'verdict', 'lifted')),
    note       text NOT NULL,
    by_person  uuid NOT NULL REFERENCES staff (id),
    at         timestamptz NOT NULL,
    PRIMARY KEY (county, file, row),
    CONSTRAINT bank_row_answer_row FOREIGN KEY (county, file, row) REFERENCES bank_row (county, file, row)
);

-- What became of a payment as two people found it in a document of the bank, where no file of the bank says so.
CREATE TABLE verdict (
    county       text NOT NULL,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    payment      uuid NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('paid', 'returned')),
    reason       text NOT NULL DEFAULT '',
    document     text NOT NULL,            -- number of the bank's letter or slip
    digest       bytea NOT NULL,           -- SHA-256 of its scan
    note         text NOT NULL,
    status       text NOT NULL CHECK (status IN ('proposed', 'confirmed', 'refused')),
    proposed_by  uuid NOT NULL REFERENCES staff (id),
    proposed_at  timestamptz NOT NULL,
    decided_by   uuid REFERENCES staff (id),
    decided_at   timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT verdict_two_people CHECK (decided_by <> proposed_by),
    CONSTRAINT verdict_decided CHECK ((status = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL))
);
CREATE UNIQUE INDEX verdict_one_open ON verdict (county, payment) WHERE status = 'proposed';
CREATE INDEX verdict_of_payment ON verdict (county, payment);

-- Payments whose line the bank's file cannot hold: set aside when the batch is frozen, their account under a hold until it is written otherwise.
CREATE TABLE unfit_line (
    county     text NOT NULL,
    payment    uuid NOT NULL,
    account    uuid NOT NULL,
    layout     text NOT NULL,
    field      text NOT NULL,              -- which column cannot be written
    due_on     date NOT NULL,
    opened_at  timestamptz NOT NULL,
    closed_at  timestamptz,
    PRIMARY KEY (county, payment, opened_at)
);
CREATE UNIQUE INDEX unfit_line_open ON unfit_line (county, payment) WHERE closed_at IS NULL;

-- A day that finance has closed: the three totals as they stood, and the digest of every line under them. Opening it again is an act.
CREATE TABLE day_close (
    county         text NOT NULL,
    day            date NOT NULL,
    turn           integer NOT NULL CHECK (turn > 0),
    until          timestamptz NOT NULL,   -- what came later belongs to the next day
    batches        integer NOT NULL,
    ledger_fen     bigint NOT NULL,
    files_fen      bigint NOT NULL,
    bank_fen       bigint NOT NULL,
    returns_fen    bigint NOT NULL,
    digest         bytea NOT NULL,
    closed_by      uuid NOT NULL REFERENCES staff (id),
    closed_at      timestamptz NOT NULL,
    reopened_by    uuid REFERENCES staff (id),
    reopened_at    timestamptz,
    reopen_reason  text,
    PRIMARY KEY (county, day, turn),
    CONSTRAINT day_close_reopened CHECK ((reopened_by IS NULL) = (reopened_at IS NULL) AND (reopened_by IS NULL) = (reopen_reason IS NULL))
);
CREATE UNIQUE INDEX day_close_one ON day_close (county, day) WHERE reopened_at IS NULL;

-- Asking money back: what is claimed, written, repaid, set off and written off. Rows are never edited but decided once.
ALTER TABLE recovery_case DROP CONSTRAINT recovery_case_reason_check;
ALTER TABLE recovery_case ADD CONSTRAINT recovery_case_reason_check
    CHECK (reason IN ('incidents merged', 'decision changed', 'registered twice', 'paid in error'));
CREATE TABLE recovery_entry (
    county       text NOT NULL,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    recovery     uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('claim', 'letter', 'repayment', 'offset', 'write off')),
    amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
    instalment   uuid,
    ground       text NOT NULL DEFAULT '' CHECK (ground IN ('', 'consent', 'decision')),
    document     text NOT NULL DEFAULT '',
    note         text NOT NULL DEFAULT '',
    status       text NOT NULL CHECK (status IN ('proposed', 'done', 'refused')),
    by_person    uuid NOT NULL REFERENCES staff (id),
    at           timestamptz NOT NULL,
    decided_by   uuid REFERENCES staff (id),
    decided_at   timestamptz,
    PRIMARY KEY (county, id),
    CONSTRAINT recovery_entry_two_people CHECK (decided_by <> by_person),
    CONSTRAINT recovery_entry_case FOREIGN KEY (county, recovery) REFERENCES recovery_case (county, id),
    CONSTRAINT recovery_entry_offset CHECK ((kind = 'offset') = (instalment IS NOT NULL AND ground <> '')),
    CONSTRAINT recovery_entry_second CHECK (kind NOT IN ('write off', 'offset') OR status = 'proposed' OR decided_by IS NOT NULL)
);
CREATE INDEX recovery_entry_of_case ON recovery_entry (county, recovery, at);
ALTER TABLE transfer DROP CONSTRAINT transfer_subject_check;
ALTER TABLE transfer ADD CONSTRAINT transfer_subject_check CHECK (subject IN ('fund', 'award', 'payment', 'recovery'));

GRANT SELECT, INSERT ON bank_row_answer, verdict, unfit_line, day_close, recovery_entry TO relief_app;
GRANT UPDATE (status, decided_by, decided_at) ON verdict, recovery_entry TO relief_app;
GRANT UPDATE (closed_at) ON unfit_line TO relief_app;
GRANT UPDATE (reopened_by, reopened_at, reopen_reason) ON day_close TO relief_app;
DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['bank_row_answer', 'verdict', 'unfit_line', 'day_close', 'recovery_entry'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;
