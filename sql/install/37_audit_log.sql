-- The audit log: every change to access, with who, when, from where, and what it was before.

CREATE TABLE seeme.audit_log (
  id              bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  organization_id uuid,
  occurred_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  user_id         uuid,
  database_role   name NOT NULL DEFAULT session_user,
  client_address  inet DEFAULT inet_client_addr(),
  application     text DEFAULT current_setting('application_name', true),
  transaction_id  xid8 NOT NULL DEFAULT pg_current_xact_id(),
  table_name      text NOT NULL,
  command         text NOT NULL,
  row_id          text NOT NULL,
  before          jsonb,
  after           jsonb
);
CREATE INDEX audit_log_organization_id_idx ON seeme.audit_log (organization_id, id);
COMMENT ON TABLE seeme.audit_log IS 'Every change to access. Nobody edits it; it outlives what it speaks of.';
COMMENT ON COLUMN seeme.audit_log.id IS 'Ascending, in the order of writing';
COMMENT ON COLUMN seeme.audit_log.organization_id IS 'The organization that the change belongs to; null: to none (users, registered codes)';
COMMENT ON COLUMN seeme.audit_log.occurred_at IS 'When, by the clock';
COMMENT ON COLUMN seeme.audit_log.user_id IS 'The person who was identified; null: privileged code';
COMMENT ON COLUMN seeme.audit_log.database_role IS 'The database role that was connected';
COMMENT ON COLUMN seeme.audit_log.client_address IS 'From where; null: a local socket';
COMMENT ON COLUMN seeme.audit_log.application IS 'application_name of the connection';
COMMENT ON COLUMN seeme.audit_log.transaction_id IS 'The transaction: entries of one belong together';
COMMENT ON COLUMN seeme.audit_log.table_name IS 'The table in the schema seeme';
COMMENT ON COLUMN seeme.audit_log.command IS 'INSERT, UPDATE, DELETE or TRUNCATE';
COMMENT ON COLUMN seeme.audit_log.row_id IS 'Its key; * for TRUNCATE';
COMMENT ON COLUMN seeme.audit_log.before IS 'The row before, without secrets and images';
COMMENT ON COLUMN seeme.audit_log.after IS 'The row after, without secrets and images';

CREATE FUNCTION seeme.write_audit_log() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  secret   text[] := ARRAY['token_hash', 'key_hash', 'content', 'jwk'];
  before   jsonb;
  after    jsonb;
  subject  jsonb;
  person   uuid;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NULL;
  END IF;
  -- While the versions differ, nothing but DDL writes a row: a partition that is closed.
  IF seeme.is_of_this_version() THEN
    person := @extschema@.seeme_user_id();
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO seeme.audit_log (user_id, table_name, command, row_id)
    VALUES (person, TG_TABLE_NAME, TG_OP, '*');
    RETURN NULL;
  END IF;
  -- What is secret counts here, though the log does not show it.
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'updated_at' = to_jsonb(NEW) - 'updated_at' THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    before := to_jsonb(OLD) - secret;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    after := to_jsonb(NEW) - secret;
  END IF;
  subject := coalesce(after, before);
  INSERT INTO seeme.audit_log (organization_id, user_id, table_name, command, row_id, before, after)
  VALUES (CASE WHEN TG_TABLE_NAME = 'organizations' THEN subject ->> 'id' ELSE subject ->> 'organization_id' END::uuid,
          person, TG_TABLE_NAME, TG_OP,
          coalesce(subject ->> 'id', subject ->> 'name', subject ->> 'table_name', subject ->> 'subject'), before, after);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.write_audit_log() IS 'Trigger: writes a change to the audit log';

CREATE FUNCTION seeme.keep_audit_log() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'nobody edits the audit log' USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION seeme.keep_audit_log() IS 'Trigger: entries are added, never changed or removed';
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON seeme.audit_log
  FOR EACH ROW EXECUTE FUNCTION seeme.keep_audit_log();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON seeme.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.keep_audit_log();

ALTER TABLE seeme.audit_log ENABLE ALWAYS TRIGGER keep_rows, ENABLE ALWAYS TRIGGER keep_table;

ALTER TABLE seeme.audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.audit_log FOR SELECT USING (
  @extschema@.seeme_has_permission('organizations:manage_members', organization => organization_id));

SELECT pg_extension_config_dump('seeme.audit_log', '');
SELECT pg_extension_config_dump('seeme.audit_log_id_seq', '');
