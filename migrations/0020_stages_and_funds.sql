-- Money that stands still and money from above: who placed and ended a hold by hand, what comes down the levels before it is a county's
-- fund, for whom a donation is meant, until when a fund may be used, and corrections that name what they correct.

SELECT set_config('relief.scope', '%', true);

ALTER TABLE hold
    ADD COLUMN by_hand      boolean NOT NULL DEFAULT false,   -- ended by a person on the page of holds, not by what placed it
    ADD COLUMN lifted_by    uuid REFERENCES staff (id),
    ADD COLUMN lift_reason  text,
    ADD CONSTRAINT hold_lifted CHECK (lifted_by IS NULL OR (valid_to IS NOT NULL AND lift_reason <> ''));
CREATE INDEX hold_by_hand ON hold (county, valid_from) WHERE by_hand AND valid_to IS NULL;

-- 指标分解下达: what a level above has and passes on. `passed_fen` is raised by guarded updates, so nothing is passed on twice.
CREATE TABLE allotment (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    parent       uuid REFERENCES allotment (id),
    area         text NOT NULL REFERENCES region (code),   -- whose it is: the nation, a province, a city
    source       text NOT NULL CHECK (source IN ('central', 'province', 'city', 'donation')),
    year         integer NOT NULL,
    document     text NOT NULL,
    budget_item  text NOT NULL,
    purpose      text NOT NULL,
    incident     uuid NOT NULL REFERENCES incident (id),
    amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
    passed_fen   bigint NOT NULL DEFAULT 0 CHECK (passed_fen >= 0),
    by_person    uuid NOT NULL REFERENCES staff (id),
    at           timestamptz NOT NULL,
    CONSTRAINT allotment_document UNIQUE (area, document, purpose, incident),
    CONSTRAINT allotment_passed CHECK (passed_fen <= amount_fen)
);
GRANT SELECT, INSERT ON allotment TO relief_app;
GRANT UPDATE (passed_fen) ON allotment TO relief_app;

ALTER TABLE fund
    ADD COLUMN allotment      uuid REFERENCES allotment (id),
    ADD COLUMN donor_purpose  text NOT NULL DEFAULT '',    -- what the donor gave it for, in the donor's words
    ADD COLUMN valid_to       date,                        -- the last day on which anything may be reserved from it; none: no limit
    ADD CONSTRAINT fund_donation CHECK (donor_purpose = '' OR source = 'donation');

-- A correction is the opposite transfer and names the original, once.
ALTER TABLE transfer ADD COLUMN corrects uuid;
CREATE UNIQUE INDEX transfer_corrected_once ON transfer (county, corrects) WHERE corrects IS NOT NULL;
-- The history of a fund by day; transfers of payments are read through their subjects.
CREATE INDEX transfer_of_fund ON transfer (county, fund, at) WHERE subject = 'fund';
