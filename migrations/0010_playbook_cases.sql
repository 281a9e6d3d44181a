-- Worked cases stay with the version they were brought with: the console runs them beside the rule.
CREATE TABLE playbook_cases (
    playbook  uuid PRIMARY KEY REFERENCES playbook (id),
    body      text NOT NULL,             -- the TOML as brought; never changes
    added_by  uuid REFERENCES staff (id),
    added_at  timestamptz NOT NULL
);
GRANT SELECT, INSERT ON playbook_cases TO relief_app;
