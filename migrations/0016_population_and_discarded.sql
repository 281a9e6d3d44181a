-- How many people live in an area, as somebody published it: for estimates of how many a zone reaches, never for money.
CREATE TABLE region_population (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    region      text NOT NULL REFERENCES region (code),
    counted_on  date NOT NULL,              -- the day the figure speaks of, not the day it was given
    given_at    timestamptz NOT NULL,       -- a figure is corrected by giving it again: the last one given for a day counts
    people      integer NOT NULL CHECK (people > 0),
    source      text NOT NULL,              -- who published it where
    given_by    uuid REFERENCES staff (id), -- null: whoever runs the server
    UNIQUE (region, counted_on, given_at)
);
GRANT SELECT, INSERT ON region_population TO relief_app;

-- A draft that will not be used is given up by a named person with a reason; it is never deleted.
ALTER TABLE zone DROP CONSTRAINT zone_status_check;
ALTER TABLE zone ADD CONSTRAINT zone_status_check CHECK (status IN ('draft', 'in force', 'superseded', 'discarded'));
ALTER TABLE zone ADD COLUMN discarded_by uuid REFERENCES staff (id);
ALTER TABLE zone ADD COLUMN discarded_at timestamptz;
ALTER TABLE zone ADD COLUMN discard_reason text;
ALTER TABLE zone ADD CONSTRAINT zone_discarded CHECK (
    (status = 'discarded') = (discarded_by IS NOT NULL AND discarded_at IS NOT NULL AND discard_reason IS NOT NULL)
    AND (status <> 'discarded' OR approved_by IS NULL));
