-- The application connects as relief_app: it owns nothing, cannot bypass row-level security, and may not edit what is append-only.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'relief_app') THEN
        CREATE ROLE relief_app LOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;   -- two databases of one server migrating at once
END $$;

GRANT USAGE ON SCHEMA public TO relief_app;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO relief_app;
-- A guard is given back when its household turns out to be a duplicate; the act is in the trace.
GRANT DELETE ON staff_session, sign_in_attempt, location, entitlement_guard TO relief_app;
REVOKE UPDATE ON transfer, signature, audit, bank_row, message_event, device_guard, entitlement_guard, idempotency,
    playbook, migration FROM relief_app;
REVOKE INSERT ON migration FROM relief_app;
GRANT UPDATE (closed_at) ON bank_row TO relief_app;

-- The area of the person who acts, set per transaction: patterns such as '5133%'. Unset means nothing is seen.
CREATE FUNCTION relief_scope() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT string_to_array(current_setting('relief.scope', true), ',') $$;

DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT table_name FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'county'
               AND table_name NOT IN ('incident', 'zone_county', 'device_guard', 'entitlement_guard')
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;
-- Acts on reference tables have no county; whoever acts may write and read their trace.
CREATE POLICY shared ON audit USING (county = '000000');
