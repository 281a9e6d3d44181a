-- How each hazard feed answered when it was last asked, so that a dead one is seen by the officer who relies on it.

CREATE TABLE feed (
    source    text PRIMARY KEY CHECK (source IN ('cap', 'comcat')),
    asked_at  timestamptz NOT NULL,
    heard_at  timestamptz,               -- the last answer that could be read
    silent    integer NOT NULL CHECK (silent >= 0),   -- visits in a row without one
    fault     text,                      -- code of the last fault; it stays when the feed is heard again
    fault_at  timestamptz,
    CONSTRAINT feed_fault CHECK ((fault IS NULL) = (fault_at IS NULL))
);

GRANT SELECT, INSERT, UPDATE ON feed TO relief_app;
