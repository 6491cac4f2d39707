\i test/include/prelude.psql
-- What seeme_security_report() finds, and that each finding is gone once its own remedy was
-- executed. Every case starts from a database in which it finds nothing, makes one weakness, and is
-- undone.
SET client_min_messages = error;
BEGIN;
\i test/include/security_report.psql
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(223);

-- A database as it should be: an application's role, protected tables of every kind, a person with
-- a role of their own.
CREATE ROLE r_app LOGIN;
SELECT seeme_grant_usage('r_app') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_assume TO r_app;
CREATE ROLE r_signup LOGIN;
SELECT seeme_grant_provisioning('r_signup') \g /dev/null
CREATE ROLE "r Odd ""one" LOGIN;
CREATE ROLE r_owner;
CREATE ROLE r_bypass BYPASSRLS;
CREATE ROLE r_group;
CREATE ROLE r_bi LOGIN;
GRANT CREATE ON SCHEMA public TO r_owner;

CREATE TABLE r_model (id uuid PRIMARY KEY, name text, project_id uuid, owner_id uuid);
CREATE INDEX ON r_model (project_id);
CREATE INDEX ON r_model (owner_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON r_model TO r_app;
SELECT seeme_protect('r_model', 'models', project_column => 'project_id',
  resource_id_column => 'id', owner_column => 'owner_id', listing_columns => '{id,name}')
  \g /dev/null
CREATE TABLE r_item (id uuid, dataset_id uuid);
CREATE INDEX ON r_item (dataset_id);
SELECT seeme_protect('r_item', 'dataset_items', resource_id_column => 'dataset_id',
  resource_type => 'dataset') \g /dev/null
CREATE TABLE r_run (id uuid, team_id uuid, organization_id uuid, at date) PARTITION BY RANGE (at);
CREATE TABLE r_run_2025 PARTITION OF r_run FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX ON r_run (team_id);
CREATE INDEX ON r_run (organization_id);
SELECT seeme_protect('r_run', 'training_runs', team_column => 'team_id',
  organization_column => 'organization_id') \g /dev/null
CREATE SCHEMA "R Odd";
CREATE TABLE "R Odd"."Data ""set""" ("Id" uuid PRIMARY KEY, "Project Id" uuid);
CREATE INDEX ON "R Odd"."Data ""set""" ("Project Id");
SELECT seeme_protect('"R Odd"."Data ""set"""', 'datasets', project_column => 'Project Id',
  resource_id_column => 'Id') \g /dev/null
-- none of these is a weakness
CREATE VIEW r_invoked WITH (security_invoker) AS SELECT * FROM r_model;
CREATE VIEW r_counted AS SELECT 1 AS one;
CREATE TABLE r_colour (id uuid, name text);
CREATE FUNCTION r_safe() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog,
  pg_temp AS 'SELECT count(*) FROM public.r_colour';
CREATE FUNCTION r_private() RETURNS bigint LANGUAGE sql SECURITY DEFINER
  AS 'SELECT count(*) FROM public.r_model';
REVOKE ALL ON FUNCTION r_private() FROM PUBLIC;
CREATE POLICY r_restrict ON r_model AS RESTRICTIVE USING (name <> 'secret');
CREATE MATERIALIZED VIEW r_unshared AS SELECT * FROM r_model;

SELECT is(pg_temp.lines(), NULL, 'a database as it should be has no findings');

SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why, c.mend) FROM (VALUES
  -- The guards of protected tables
  (1, 'row security is off', 'critical', 'public.r_model',
  $$ALTER TABLE r_model DISABLE ROW LEVEL SECURITY$$, 'a protected table is opened', NULL),
  (2, 'row security is off', 'critical', 'seeme.memberships',
  $$ALTER TABLE seeme.memberships DISABLE ROW LEVEL SECURITY$$,
  'a table of the extension is opened', NULL),
  (3, 'row security is not forced', 'high', 'public.r_model',
  $$ALTER TABLE r_model NO FORCE ROW LEVEL SECURITY$$, 'the owner of a protected table is let off',
  NULL),
  (4, 'row security is not forced', 'high', '"R Odd"."Data ""set"""',
  $$ALTER TABLE "R Odd"."Data ""set""" NO FORCE ROW LEVEL SECURITY$$, 'names that need quoting',
  NULL),
  (5, 'policy was changed', 'critical', 'public.r_model',
  $$ALTER POLICY seeme_select ON r_model USING (true)$$, 'a policy lets everything through', NULL),
  (6, 'policy was changed', 'critical', 'public.r_model',
  $$ALTER POLICY seeme_update ON r_model USING
    (seeme_has_permission('models:read', project => project_id))$$,
    'a policy asks for another code', NULL),
  (7, 'policy was changed', 'critical', 'public.r_model',
  $$ALTER POLICY seeme_update ON r_model WITH CHECK (true)$$,
  'a policy checks the new row otherwise', NULL),
  (8, 'policy was changed', 'critical', 'public.r_model',
  $$ALTER POLICY seeme_delete ON r_model TO r_group$$, 'a policy holds for some roles only', NULL),
  (9, 'policy was changed', 'critical', 'public.r_run',
  $$ALTER POLICY seeme_insert ON r_run WITH CHECK (team_id IS NOT NULL)$$,
  'a policy of inserts lets everything through', NULL),
  (10, 'policy was changed', 'critical', '"R Odd"."Data ""set"""',
  $$DROP POLICY seeme_insert ON "R Odd"."Data ""set"""$$, 'a policy is gone', NULL),
  (11, 'policy was changed', 'critical', 'public.r_item',
  $$DROP POLICY seeme_delete ON r_item; CREATE POLICY seeme_delete ON r_item
    AS RESTRICTIVE FOR DELETE USING (true)$$, 'a policy became a restrictive one', NULL),
  (12, 'additional permissive policy', 'high', 'public.r_model',
  $$CREATE POLICY "r wide ""open" ON r_model USING (true)$$, 'somebody added a way in', NULL),
  (13, 'scope column is gone', 'high', 'public.r_model',
  $$ALTER EVENT TRIGGER seeme_adopt_names DISABLE; ALTER TABLE r_model RENAME project_id TO place;
    ALTER EVENT TRIGGER seeme_adopt_names ENABLE ALWAYS$$,
      'a scope column was renamed while nobody looked',
   $$SELECT seeme_unprotect('r_model'), seeme_protect(
     'r_model', 'models', project_column => 'place', resource_id_column => 'id',
     owner_column => 'owner_id')$$),
  (14, 'trigger is missing', 'high', 'public.r_model',
  $$DROP TRIGGER zz_seeme_check_moved_row ON r_model$$, 'rows move unseen', NULL),
  (15, 'trigger is missing', 'high', '"R Odd"."Data ""set"""',
  $$DROP TRIGGER seeme_forget_resource ON "R Odd"."Data ""set"""$$,
  'assignments outlive their rows', NULL),
  (16, 'trigger is missing', 'high', 'public.r_run',
  $$DROP TRIGGER seeme_after_wait ON r_run; CREATE TRIGGER seeme_after_wait BEFORE INSERT ON r_run
    FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()$$,
      'another trigger goes by its name', NULL),
  (65, 'trigger is missing', 'high', 'public.r_model',
  $$DROP TRIGGER seeme_after_wait ON r_model; CREATE TRIGGER seeme_after_wait BEFORE UPDATE ON
    r_model FOR EACH ROW EXECUTE FUNCTION seeme.recheck_after_lock()$$,
    'a trigger fires for one command alone', NULL),
  (17, 'trigger is disabled', 'high', 'public.r_model',
  $$ALTER TABLE r_model DISABLE TRIGGER seeme_after_wait$$,
  'what waited for a lock is not decided anew', NULL),
  (18, 'trigger is disabled', 'high', 'public.r_model',
  $$ALTER TABLE r_model ENABLE REPLICA TRIGGER seeme_after_wait$$,
  'a trigger fires on replicas alone', NULL),
  (19, 'trigger is disabled', 'high', 'seeme.audit_log',
  $$ALTER TABLE seeme.audit_log DISABLE TRIGGER keep_rows$$, 'the audit log may be edited', NULL),
  (20, 'partition is open', 'critical', 'public.r_run_2025',
  $$ALTER EVENT TRIGGER seeme_close_new_tables_below DISABLE; ALTER TABLE r_run_2025 DISABLE ROW
    LEVEL SECURITY; ALTER EVENT TRIGGER seeme_close_new_tables_below ENABLE ALWAYS$$,
    'a partition without row security', NULL),
  (21, 'partition is open', 'critical', 'public.r_run_2025',
  $$ALTER POLICY seeme_closed ON r_run_2025 USING (true)$$, 'a partition that was opened', NULL),
  (22, 'partition is open', 'critical', 'public.r_run_2026',
  $$ALTER EVENT TRIGGER seeme_close_new_tables_below DISABLE; CREATE TABLE r_run_2026 PARTITION OF
    r_run FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); ALTER EVENT TRIGGER
    seeme_close_new_tables_below ENABLE ALWAYS$$, 'a partition that came while nobody looked',
    NULL),
  (23, 'partition is open', 'critical', 'public.r_heir',
  $$ALTER EVENT TRIGGER seeme_close_new_tables_below DISABLE; CREATE TABLE r_heir () INHERITS
    (r_item); ALTER EVENT TRIGGER seeme_close_new_tables_below ENABLE ALWAYS$$,
    'a table that inherits', NULL),
  (24, 'scope column has no index', 'low', 'public.r_item', $$DROP INDEX r_item_dataset_id_idx$$,
  'an index is gone', NULL),
  (25, 'resource id is not unique', 'medium', 'public.r_model',
  $$ALTER TABLE r_model DROP CONSTRAINT r_model_pkey; CREATE INDEX ON r_model (id)$$,
  'two rows may be one resource', NULL),
  (26, 'rule on a protected table', 'medium', 'public.r_model',
  $$CREATE RULE "r copy" AS ON INSERT TO r_model DO ALSO NOTIFY r$$, 'a rule', NULL),
  (27, 'listing view is no barrier', 'high', 'public.r_model_listing',
  $$ALTER VIEW r_model_listing RESET (security_barrier)$$, 'a listing view lets conditions in',
  NULL),
  -- The extension's own
  (30, 'guard was changed', 'critical', 'seeme.memberships',
  $$ALTER POLICY seeme_select ON seeme.memberships USING (true)$$,
  'a policy of the extension lets everything through', NULL),
  (31, 'guard was changed', 'critical', 'seeme.roles', $$DROP POLICY seeme_update ON seeme.roles$$,
  'a policy of the extension is gone', NULL),
  (32, 'guard was changed', 'critical', 'seeme.memberships',
  $$DROP TRIGGER write_audit_log_of_insert ON seeme.memberships$$, 'the audit log is cut off', NULL),
  (33, 'guard was changed', 'critical', 'seeme.roles',
  $$DROP TRIGGER authorize ON seeme.roles; CREATE TRIGGER authorize BEFORE INSERT ON seeme.roles
    FOR EACH ROW WHEN (false) EXECUTE FUNCTION seeme.recheck_after_lock()$$,
      'another trigger goes by its name', NULL),
  (34, 'additional policy', 'critical', 'seeme.users',
  $$CREATE POLICY r_open ON seeme.users USING (true)$$, 'somebody added a way in', NULL),
  (35, 'additional trigger', 'medium', 'seeme.users',
  $$CREATE TRIGGER r_spy BEFORE UPDATE ON seeme.users FOR EACH ROW
    EXECUTE FUNCTION suppress_redundant_updates_trigger()$$, 'code of somebody else runs there',
      NULL),
  (36, 'event trigger is disabled', 'high', 'seeme_close_new_tables_below',
  $$ALTER EVENT TRIGGER seeme_close_new_tables_below DISABLE$$, 'new partitions stay open', NULL),
  (37, 'event trigger is disabled', 'high', 'seeme_guard_own_tables',
  $$ALTER EVENT TRIGGER seeme_guard_own_tables ENABLE REPLICA$$, 'triggers of others get in', NULL),
  (38, 'not the extension''s', 'medium', 'seeme.r_planted',
  $$CREATE TABLE seeme.r_planted (id uuid)$$, 'a planted table', NULL),
  (39, 'not the extension''s', 'medium', 'seeme."r Planted"(uuid)',
  $$CREATE FUNCTION seeme."r Planted"(id uuid) RETURNS uuid LANGUAGE sql AS 'SELECT id'$$,
  'a planted function', NULL),
  -- Tables that were forgotten
  (40, 'table without row security', 'high', 'public.r_note',
  $$CREATE TABLE r_note (id uuid, project_id uuid); CREATE INDEX ON r_note (project_id); GRANT
    SELECT ON r_note TO r_app$$, 'a table with a project column', NULL),
  (41, 'table without row security', 'low', 'public.r_note',
  $$CREATE TABLE r_note (id uuid, organization_id uuid); CREATE INDEX ON r_note (organization_id)$$,
  'that nobody was granted yet', NULL),
  (42, 'table without row security', 'high', 'public.r_note',
  $$CREATE TABLE r_note (id uuid, place uuid REFERENCES seeme.teams); CREATE INDEX ON r_note
    (place); GRANT SELECT ON r_note TO "r Odd ""one"$$,
    'a table that refers to a team by another name', NULL),
  (43, 'table without row security', 'low', 'public.r_part',
  $$CREATE TABLE r_part (id uuid, model uuid REFERENCES r_model)$$,
  'a table that refers to a protected one', NULL),
  (44, 'table without row security', 'high', '"R Odd"."My Notes"',
  $$CREATE TABLE "R Odd"."My Notes" (id uuid, project_id uuid); GRANT
    SELECT ON "R Odd"."My Notes" TO r_app$$, 'a table whose name makes no resource', NULL),
  -- Ways around
  (50, 'view runs with its owner''s rights', 'high', 'public.r_view',
  $$CREATE VIEW r_view AS SELECT * FROM r_model$$, 'a view of a superuser', NULL),
  (51, 'view runs with its owner''s rights', 'high', 'public."r View"',
  $$CREATE VIEW "r View" AS SELECT * FROM r_invoked$$, 'over a view that asks as its reader', NULL),
  (52, 'view runs with its owner''s rights', 'high', 'public.r_view',
  $$CREATE VIEW r_view WITH (security_invoker = off) AS SELECT id FROM seeme.users$$,
  'over the extension''s rows', NULL),
  (53, 'view runs with its owner''s rights', 'high', 'public.r_view',
  $$CREATE VIEW r_view AS SELECT * FROM r_model; ALTER VIEW r_view OWNER TO r_bypass$$,
  'a view of a role with BYPASSRLS', NULL),
  (54, 'materialized view holds rows', 'high', 'public.r_kept',
  $$CREATE MATERIALIZED VIEW r_kept AS SELECT * FROM r_invoked; GRANT SELECT ON r_kept TO r_app,
    "r Odd ""one", PUBLIC$$, 'rows that were kept are shown', NULL),
  (55, 'SECURITY DEFINER function reads protected tables', 'high', 'public.r_read()',
  $$CREATE FUNCTION r_read() RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM public.R_model'$$,
      'a function whose text names one', NULL),
  (56, 'SECURITY DEFINER function reads protected tables', 'high', 'public.r_read(uuid)',
  $$CREATE FUNCTION r_read(id uuid) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = public RETURN (SELECT count(*) FROM r_run); REVOKE ALL ON FUNCTION r_read
      FROM PUBLIC; GRANT EXECUTE ON FUNCTION r_read TO r_app$$, 'a function that depends on one',
      NULL),
  (57, 'SECURITY DEFINER function reads protected tables', 'high', 'public.r_read()',
  $$CREATE PROCEDURE r_read() LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog,
    pg_temp AS 'BEGIN DELETE FROM seeme.memberships; END'$$,
    'a procedure over the extension''s rows', NULL),
  (58, 'SECURITY DEFINER function without a search_path', 'high', 'public.r_loose()',
  $$CREATE FUNCTION r_loose() RETURNS text LANGUAGE sql SECURITY DEFINER
    AS 'SELECT current_user::text'$$, 'the caller chooses what its names mean', NULL),
  (59, 'function is LEAKPROOF', 'medium', 'public.r_leak(text)',
  $$CREATE FUNCTION r_leak(t text) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT t IS NULL'$$,
  'a function that is asked before the policies', NULL),
  (60, 'publication carries protected rows', 'medium', 'publication "r pub"',
  $$CREATE PUBLICATION "r pub" FOR TABLE r_model, r_colour$$, 'of a protected table', NULL),
  (61, 'publication carries protected rows', 'medium', 'publication r_pub',
  $$CREATE PUBLICATION r_pub FOR TABLES IN SCHEMA "R Odd"$$, 'of its schema', NULL),
  (62, 'publication carries protected rows', 'medium', 'publication r_pub',
  $$CREATE PUBLICATION r_pub FOR ALL TABLES$$, 'of everything', NULL),
  -- Privileges
  (70, 'TRUNCATE is granted', 'high', 'public.r_model', $$GRANT TRUNCATE ON r_model TO r_app$$,
  'the application may empty a table', NULL),
  (71, 'TRUNCATE is granted', 'high', 'seeme.audit_log',
  $$GRANT TRUNCATE ON seeme.audit_log TO "r Odd ""one"$$, 'somebody may empty the audit log', NULL),
  (72, 'REFERENCES is granted', 'medium', 'public.r_model',
  $$GRANT REFERENCES (id) ON r_model TO r_app$$, 'the application may probe for ids', NULL),
  (69, 'TRUNCATE is granted', 'high', 'public.r_model', $$GRANT TRUNCATE ON r_model TO PUBLIC$$,
  'everybody may empty a table', NULL),
  (73, 'TRIGGER is granted', 'high', 'public.r_model', $$GRANT TRIGGER ON r_model TO r_app$$,
  'the application may hang code on a table', NULL),
  (74, 'granted to PUBLIC', 'medium', 'public.r_model',
  $$GRANT SELECT, UPDATE (name) ON r_model TO PUBLIC$$, 'everybody may use a protected table',
  NULL),
  (75, 'granted to PUBLIC', 'medium', 'seeme.users', $$GRANT SELECT ON seeme.users TO PUBLIC$$,
  'everybody may use a table of the extension', NULL),
  (76, 'granted to PUBLIC', 'low', 'schema seeme', $$GRANT USAGE ON SCHEMA seeme TO PUBLIC$$,
  'everybody may use the schema', NULL),
  (77, 'may be passed on', 'medium', 'public.r_model',
  $$GRANT SELECT, DELETE ON r_model TO r_app WITH GRANT OPTION;
    SET LOCAL ROLE r_app; GRANT DELETE ON r_model TO r_bi; RESET ROLE$$,
      'the application hands out a table', NULL),
  (78, 'may be passed on', 'critical', 'public.seeme_assume(uuid)',
  $$GRANT EXECUTE ON FUNCTION seeme_assume TO r_app WITH GRANT OPTION$$,
  'the application hands out the right to be anybody', NULL),
  (79, 'secret is readable', 'high', 'seeme.api_keys',
  $$GRANT SELECT (key_hash) ON seeme.api_keys TO r_app$$, 'the hashes of keys are shown', NULL),
  (80, 'secret is readable', 'high', 'seeme.invitations',
  $$GRANT SELECT ON seeme.invitations TO r_app$$, 'the hashes of invitations are shown', NULL),
  (81, 'database_role is writable', 'high', 'seeme.users',
  $$GRANT UPDATE (database_role) ON seeme.users TO r_signup$$,
  'a provisioning role may make itself somebody', NULL),
  (82, 'database_role is writable', 'high', 'seeme.users',
  $$GRANT INSERT, UPDATE ON seeme.users TO r_signup$$, 'with the whole table', NULL),
  (83, 'table of the extension is writable', 'medium', 'seeme.audit_log',
  $$GRANT INSERT, DELETE ON seeme.audit_log TO r_app$$, 'the audit log', NULL),
  (84, 'table of the extension is writable', 'medium', 'seeme.api_keys',
  $$GRANT UPDATE (expires_at) ON seeme.api_keys TO r_app$$, 'keys', NULL),
  (85, 'application role provisions users', 'high', 'r_app',
  $$SELECT seeme_grant_provisioning('r_app')$$, 'one role for everything', NULL),
  (86, 'function is granted to PUBLIC', 'medium', 'public.seeme_assume(uuid)',
  $$GRANT EXECUTE ON FUNCTION seeme_assume TO PUBLIC$$, 'everybody may call a function', NULL),
  (87, 'function is granted to PUBLIC', 'high', 'seeme.sees_user(uuid)',
  $$GRANT EXECUTE ON FUNCTION seeme.sees_user TO PUBLIC$$, 'everybody may call an internal one',
  NULL),
  (88, 'internal function is granted', 'critical', 'seeme.login_by_key(uuid,uuid,boolean)',
  $$GRANT EXECUTE ON FUNCTION seeme.login_by_key TO r_app$$,
  'the application is anybody without being asked', NULL),
  (89, 'seeme_assume is granted to a group', 'low', 'r_group',
  $$GRANT EXECUTE ON FUNCTION seeme_assume TO r_group$$, 'a grant that does nothing', NULL),
  (90, 'CREATE is granted', 'high', 'schema seeme',
  $$GRANT CREATE ON SCHEMA seeme TO "r Odd ""one"$$, 'in the schema of the extension''s tables',
  NULL),
  (91, 'CREATE is granted', 'medium', 'schema public', $$GRANT CREATE ON SCHEMA public TO PUBLIC$$,
  'in the schema of its functions', NULL),
  (92, 'new tables are open', 'medium', 'default privileges of postgres in public',
  $$ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT SELECT ON TABLES TO r_app$$,
  'to the application', NULL),
  (93, 'new tables are open', 'medium', 'default privileges of r_owner',
  $$ALTER DEFAULT PRIVILEGES FOR ROLE r_owner GRANT ALL ON TABLES TO PUBLIC$$, 'to everybody',
  NULL),
  -- Database roles
  (100, 'application role bypasses row security', 'critical', 'r_app',
  $$ALTER ROLE r_app BYPASSRLS$$, 'by BYPASSRLS', NULL),
  (101, 'application role bypasses row security', 'critical', '"r Odd ""one"',
  $$SELECT seeme_grant_usage('r Odd "one'); ALTER ROLE "r Odd ""one" SUPERUSER$$, 'as a superuser',
  NULL),
  (102, 'application role may become one that bypasses row security', 'critical', 'r_app',
  $$GRANT r_bypass TO r_group; GRANT r_group TO r_app$$, 'through a group', NULL),
  (103, 'application role has CREATEROLE', 'high', 'r_app', $$ALTER ROLE r_app CREATEROLE$$,
  'it makes roles', NULL),
  (104, 'application role has REPLICATION', 'high', 'r_app', $$ALTER ROLE r_app REPLICATION$$,
  'it copies the cluster', NULL),
  (105, 'application role is in a predefined role', 'high', 'r_app',
  $$GRANT pg_read_all_data TO r_app$$, 'that reads everything', NULL),
  (106, 'application role is in a predefined role', 'critical', 'r_app',
  $$GRANT pg_execute_server_program TO r_app$$, 'that runs programs', NULL),
  (107, 'application role is in a predefined role', 'low', 'r_app', $$GRANT pg_monitor TO r_app$$,
  'that sees queries of others', NULL),
  (108, 'application role owns a protected table', 'high', 'public.r_item',
  $$ALTER TABLE r_item OWNER TO r_app; GRANT ALL ON r_item TO r_app$$, 'and may drop its policies',
  NULL),
  (109, 'application role owns a protected table', 'high', 'public.r_item',
  $$ALTER TABLE r_item OWNER TO r_owner; GRANT r_owner TO r_app$$, 'as a member of the owner',
  NULL),
  (110, 'application role owns the database', 'high', format('database %I', current_database()),
  format('ALTER DATABASE %I OWNER TO r_app', current_database()), 'and decides what search_path is',
  NULL),
  (111, 'login role has BYPASSRLS', 'medium', 'r_bi', $$ALTER ROLE r_bi BYPASSRLS$$,
  'somebody sees everything', NULL),
  (112, 'row_security is off', 'high', 'ROLE r_app', $$ALTER ROLE r_app SET row_security = off$$,
  'for a role', NULL),
  (113, 'row_security is off', 'high', format(
  'ROLE "r Odd ""one" IN DATABASE %I', current_database()),
  format('ALTER ROLE "r Odd ""one" IN DATABASE %I SET row_security = no', current_database()),
  'for a role in this database', NULL),
  (114, 'triggers are switched off', 'high', format('DATABASE %I', current_database()),
  format('ALTER DATABASE %I SET session_replication_role = replica', current_database()),
  'for this database', NULL),
  (115, 'triggers are switched off', 'high', 'ROLE ALL',
  'ALTER ROLE ALL SET session_replication_role = local', 'for every role', NULL),
  (116, 'rows count as restored', 'critical', format('DATABASE %I', current_database()),
  format('ALTER DATABASE %I SET seeme_rbac.restoring = on', current_database()),
  'for this database', NULL),
  -- People
  (120, 'person''s role bypasses row security', 'critical', 'seeme.users ' || pg_temp.id('stan'),
  $$UPDATE seeme.users SET database_role = 'r_bypass' WHERE username = 'stan'$$,
  'somebody connects as a role that does', NULL),
  (121, 'person''s role does not exist', 'medium', 'seeme.users ' || pg_temp.id('stan'),
  $$UPDATE seeme.users SET database_role = 'r "missing' WHERE username = 'stan'$$,
  'whoever makes it becomes somebody', NULL),
  (122, 'key never expires', 'low', 'seeme.api_keys f1000000-0000-4000-8000-000000000001',
  $$INSERT INTO seeme.api_keys (id, user_id, permissions, name, key_prefix, key_hash)
    VALUES ('f1000000-0000-4000-8000-000000000001', pg_temp.id('stan'), '{models:read}', 'it''s',
      'seeme_key_', sha256('1'))$$, 'a key for good', NULL),
  (123, 'key holds everything', 'medium', 'seeme.api_keys f1000000-0000-4000-8000-000000000001',
  $$INSERT INTO seeme.api_keys (id, user_id, permissions, name, key_prefix, key_hash, expires_at)
    VALUES ('f1000000-0000-4000-8000-000000000001', pg_temp.id('stan'), '{models:read,*}', 'all',
      'seeme_key_', sha256('1'), now() + interval '1 day')$$, 'a key for all', NULL),
  (124, 'owner is disabled', 'medium', 'seeme.organizations ' || pg_temp.id('acme'),
  $$UPDATE seeme.users SET disabled_at = now() - interval '1 day' WHERE username = 'olga'$$,
  'with an Admin to take over', NULL),
  (125, 'owner is disabled', 'medium', 'seeme.organizations ' || pg_temp.id('globex'),
  $$DELETE FROM seeme.memberships WHERE user_id = pg_temp.id('gina'); UPDATE seeme.users
    SET disabled_at = now() - interval '1 day' WHERE username = 'oscar'$$,
      'with nobody to take over',
   $$UPDATE seeme.organizations SET owner_id = pg_temp.id('stan')
     WHERE id = pg_temp.id('globex')$$),
  (126, 'role holds everything', 'info', 'seeme.roles ' || pg_temp.id('annotator'),
  $$UPDATE seeme.roles SET permissions = permissions || '{*}' WHERE id = pg_temp.id('annotator')$$,
  'as an owner does', NULL)
) AS c (n, name, severity, object, weakness, why, mend) ORDER BY c.n;

-- The server's minor release
SELECT is((SELECT array_agg(v || ' ' || n ORDER BY v)
  FROM (SELECT v, count(c.cve) AS n FROM unnest(
  ARRAY[150002,150003,150004,150008,150013,150018,150019,150020,160004,160016,170000,170012,180000,
  180006,180007,190000]) AS v LEFT JOIN LATERAL seeme.row_security_cves(v) c ON true GROUP BY v)
  AS x),
  '{150002 10,150003 9,150004 8,150008 7,150013 5,150018 4,150019 3,150020 0,160004 7,160016 '
  '0,170000 7,170012 0,180000 4,180006 3,180007 0,190000 0}',
  'vulnerabilities of row security, release by release');
SELECT is(
  (SELECT string_agg(severity || ' ' || split_part(finding, ',', 1) || ' '
  || (remedy LIKE '-- update the server to PostgreSQL 15.20 %'), '; ')
  FROM seeme.findings_on_server(150019) WHERE finding LIKE '%CVE-2026-120154%'),
  'high server lacks a fix: CVE-2026-120154 true',
  'server lacks a fix: an old minor release is found, and which one mends it is said');
SELECT is_empty('SELECT * FROM seeme.findings_on_server(150020)',
  'server lacks a fix: and gone with that release');
SELECT set_eq($$SELECT finding FROM seeme_security_report()
    WHERE finding LIKE 'server lacks a fix:%'$$,
    $$SELECT finding FROM seeme.findings_on_server(
      current_setting('server_version_num')::integer)$$,
      'the report asks about the server that it runs on');

-- The report itself
SELECT is(
  pg_temp.found($$ALTER TABLE r_model RENAME TO "R Model"; ALTER SCHEMA "R Odd" RENAME TO r_even;
    ALTER TABLE r_item ADD COLUMN note text;
  ALTER TABLE r_run OWNER TO r_owner; CREATE INDEX ON r_item (id); COMMENT ON POLICY seeme_select ON
    seeme.users IS 'mine'$$),
  NULL, 'renaming tables and schemas, another owner, more columns, indexes, comments: nothing to '
        'be found');
SELECT pg_temp.become(NULL) \g /dev/null
ALTER TABLE r_model DISABLE ROW LEVEL SECURITY;
ALTER TABLE r_item DISABLE ROW LEVEL SECURITY;
GRANT TRUNCATE ON r_model TO r_app;
GRANT REFERENCES ON r_item TO r_app;
DROP INDEX r_item_dataset_id_idx;
SELECT is((SELECT array_agg(severity || ' ' || object) FROM pg_temp.report()),
  '{critical public.r_item,critical public.r_model,high public.r_model,medium public.r_item,low '
  'public.r_item}', 'the worst comes first, then by object');
SELECT is(pg_temp.try(p, 'SELECT * FROM seeme_security_report()'), '42501',
  'threat: the report is a map for attackers: refused to ' || p)
  FROM unnest(ARRAY['olga', 'ghost']) AS p;
SELECT is((SELECT count(*)::integer FROM pg_proc p,
  aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
            WHERE (p.proname IN (
            'seeme_security_report', 'parsed_condition', 'condition_in_words', 'row_security_cves')
            OR p.proname LIKE 'findings_on_%') AND a.grantee <> p.proowner), 0,
            'nobody is granted any part of it');
GRANT EXECUTE ON FUNCTION seeme_security_report() TO t_ghost;
SELECT is(pg_temp.try('ghost', 'SELECT * FROM seeme_security_report()'), '42501',
  'who is under row security is refused a report that would miss most, even when granted it');
SELECT is((SELECT prosecdef OR provolatile <> 's' FROM pg_proc
  WHERE proname = 'seeme_security_report'), false,
  'it runs with the rights of its caller, and changes nothing');

-- Whatever is left in the catalogs
CREATE TABLE r_gone (id uuid, project_id uuid);
SELECT seeme_protect('r_gone', 'models', project_column => 'project_id') \g /dev/null
ALTER EVENT TRIGGER seeme_forget_dropped_tables DISABLE;
DROP TABLE r_gone;
DROP VIEW r_model_listing;
ALTER TABLE r_run DROP COLUMN team_id CASCADE;
SELECT lives_ok('SELECT * FROM seeme_security_report()',
  'a protected table, a column and a listing view that are gone do no harm');
SELECT * FROM finish();
ROLLBACK;
