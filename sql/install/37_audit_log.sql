-- The audit log: every change to access, with who, when and from where, and the row before it.

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
  after           jsonb,
  actor_id        uuid,
  api_key_id      uuid
);
CREATE INDEX audit_log_organization_id_idx ON seeme.audit_log (organization_id, id);
COMMENT ON TABLE seeme.audit_log IS
  'Every change to access. Nobody edits it. Entries stay when their rows are deleted.';
COMMENT ON COLUMN seeme.audit_log.id IS 'Ascending, in the order of writing';
COMMENT ON COLUMN seeme.audit_log.organization_id IS
  'The organization that the change belongs to; null: to none (users, registered codes)';
COMMENT ON COLUMN seeme.audit_log.occurred_at IS 'When, by the clock';
COMMENT ON COLUMN seeme.audit_log.user_id IS 'The person who was identified; null: privileged code';
COMMENT ON COLUMN seeme.audit_log.database_role IS 'The database role that was connected';
COMMENT ON COLUMN seeme.audit_log.client_address IS
  'The address of the client; null: a local socket';
COMMENT ON COLUMN seeme.audit_log.application IS 'application_name of the connection';
COMMENT ON COLUMN seeme.audit_log.transaction_id IS
  'The transaction: entries of one belong together';
COMMENT ON COLUMN seeme.audit_log.table_name IS 'The table in the schema seeme';
COMMENT ON COLUMN seeme.audit_log.command IS 'INSERT, UPDATE, DELETE or TRUNCATE';
COMMENT ON COLUMN seeme.audit_log.row_id IS 'The key of the row; * for TRUNCATE';
COMMENT ON COLUMN seeme.audit_log.before IS 'The row before, without secrets and images';
COMMENT ON COLUMN seeme.audit_log.after IS 'The row after, without secrets and images';
COMMENT ON COLUMN seeme.audit_log.actor_id IS
  'The person who acted for user_id (seeme_act_for); null: nobody did';
COMMENT ON COLUMN seeme.audit_log.api_key_id IS
  'The API key by which user_id was identified; null: none';

-- Fires once for a statement and writes an entry for each row (src/rules/audit_log.c). Its plan is
-- kept. It was made for few rows and must also serve many, hence no nested loops.
CREATE FUNCTION seeme.write_audit_log() RETURNS trigger
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_nestloop = off
AS 'MODULE_PATHNAME', 'seeme_write_audit_log';
COMMENT ON FUNCTION seeme.write_audit_log() IS 'Trigger: writes a change to the audit log';

CREATE FUNCTION seeme.keep_audit_log() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'nobody edits the audit log' USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION seeme.keep_audit_log() IS
  'Trigger: entries are added, never changed or removed';
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON seeme.audit_log
  FOR EACH ROW EXECUTE FUNCTION seeme.keep_audit_log();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON seeme.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.keep_audit_log();

ALTER TABLE seeme.audit_log ENABLE ALWAYS TRIGGER keep_rows, ENABLE ALWAYS TRIGGER keep_table;

ALTER TABLE seeme.audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.audit_log FOR SELECT USING (
  @extschema@.seeme_has_permission('organizations:manage_members',
                                   organization => organization_id));

SELECT pg_extension_config_dump('seeme.audit_log', '');
SELECT pg_extension_config_dump('seeme.audit_log_id_seq', '');
