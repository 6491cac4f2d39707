\i test/include/prelude.psql
-- What migration tools and reset scripts do by accident, as the owner of protected tables, who is
-- no superuser: nothing of the protection comes off but by seeme_unprotect; what an owner
-- ordinarily does goes on; a table that is dropped and made again is not forgotten.
SET client_min_messages = error;
BEGIN;
CREATE ROLE t_jobs LOGIN BYPASSRLS;
\i test/include/security_report.psql
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(189);

CREATE ROLE t_migrator LOGIN;
GRANT t_migrator TO t_jobs;
GRANT CREATE, USAGE ON SCHEMA public TO t_migrator;
CREATE SCHEMA app AUTHORIZATION t_migrator;
CREATE SCHEMA app_new AUTHORIZATION t_migrator;
SELECT format('GRANT CREATE ON DATABASE %I TO t_migrator', current_database()) \gexec
SET LOCAL ROLE t_migrator;
CREATE TABLE app.issues (id uuid PRIMARY KEY, title text, project_id uuid, owner_id uuid,
  amount integer);
CREATE INDEX ON app.issues (project_id);
CREATE INDEX ON app.issues (owner_id);
CREATE TABLE app.years (id uuid, project_id uuid, y integer) PARTITION BY LIST (y);
CREATE TABLE app.years_1 PARTITION OF app.years FOR VALUES IN (1);
CREATE TABLE app.years_2 PARTITION OF app.years FOR VALUES IN (2);
CREATE INDEX ON app.years (project_id);
CREATE TABLE app.notes (id uuid, project_id uuid, team_id uuid);
CREATE INDEX ON app.notes (project_id);
CREATE INDEX ON app.notes (team_id);
CREATE TABLE app.heirs () INHERITS (app.notes);
CREATE FUNCTION app.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
GRANT USAGE ON SCHEMA app TO t_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON app.issues, app.years, app.years_1, app.notes,
  app.heirs TO t_app;
RESET ROLE;
SELECT seeme_protect('app.issues', 'issues', project_column => 'project_id',
  owner_column => 'owner_id', listing_columns => '{id,title}'),
       seeme_protect('app.years', 'years', project_column => 'project_id'),
       seeme_protect('app.notes', 'notes', project_column => 'project_id', team_column => 'team_id')
       \g /dev/null
ALTER VIEW app.issues_listing OWNER TO t_migrator;
INSERT INTO app.issues VALUES (pg_temp.id('stan'), 'a', :alpha), (pg_temp.id('nora'), 'b', :delta);
SELECT is(pg_temp.lines(), NULL, 'nothing is to be found to begin with');

-- tries(role, statements): runs them one after the other as that role and undoes them; the SQLSTATE
-- of the one that fails, or done.
CREATE FUNCTION pg_temp.tries(role_name text, VARIADIC statements text[]) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  s text;
BEGIN
  BEGIN
    PERFORM set_config('session_authorization', role_name, false);
    FOREACH s IN ARRAY statements LOOP
      EXECUTE s;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION
    WHEN SQLSTATE 'UNDO0' THEN RETURN 'done';
    WHEN OTHERS THEN RETURN SQLSTATE;
  END;
END $$;

-- Each as the owner, who is refused; as the owner with BYPASSRLS, who is, too; and as a superuser,
-- who is not.
CREATE TEMP TABLE taking (n integer GENERATED ALWAYS AS IDENTITY, what text, statement text);
INSERT INTO taking (what, statement) VALUES
  ('drizzle-kit push', 'ALTER TABLE "app"."issues" DISABLE ROW LEVEL SECURITY'),
  ('drizzle-kit push', 'DROP POLICY "seeme_select" ON "app"."issues" CASCADE'),
  ('a policy that is dropped', 'DROP POLICY IF EXISTS seeme_delete ON app.issues'),
  ('row security that is not forced', 'ALTER TABLE app.issues NO FORCE ROW LEVEL SECURITY'),
  ('among other actions',
  'ALTER TABLE app.issues ADD COLUMN note text, DISABLE ROW LEVEL SECURITY, ADD CHECK (title '
  '<> '''')'),
  ('a policy that lets everything through', 'ALTER POLICY seeme_select ON app.issues USING (true)'),
  ('a policy that checks nothing', 'ALTER POLICY seeme_update ON app.issues WITH CHECK (true)'),
  ('a policy for some roles', 'ALTER POLICY seeme_delete ON app.issues TO t_migrator'),
  ('a policy of another name', 'ALTER POLICY seeme_insert ON app.issues RENAME TO mine'),
  ('pg_dump --data-only --disable-triggers', 'ALTER TABLE app.issues DISABLE TRIGGER USER'),
  ('a trigger that is disabled', 'ALTER TABLE app.issues DISABLE TRIGGER seeme_after_wait'),
  ('a trigger for replicas',
  'ALTER TABLE app.issues ENABLE REPLICA TRIGGER zz_seeme_check_moved_row'),
  ('a trigger that is dropped', 'DROP TRIGGER zz_seeme_check_moved_row ON app.issues'),
  ('a trigger of another name', 'ALTER TRIGGER seeme_after_wait ON app.issues RENAME TO mine'),
  ('a trigger that does something else',
  'CREATE OR REPLACE TRIGGER seeme_after_wait BEFORE UPDATE OR DELETE ON app.issues FOR EACH ROW '
  'EXECUTE FUNCTION app.nothing()'),
  ('a scope column, and what depends on it',
  'ALTER TABLE app.issues DROP COLUMN project_id CASCADE'),
  ('a partition that is opened', 'ALTER TABLE app.years_1 DISABLE ROW LEVEL SECURITY'),
  ('a partition that is not forced', 'ALTER TABLE app.years_1 NO FORCE ROW LEVEL SECURITY'),
  ('a partition''s policy', 'DROP POLICY seeme_closed ON app.years_1'),
  ('a partition''s policy that lets through',
  'ALTER POLICY seeme_closed ON app.years_1 USING (true)'),
  ('a partition''s triggers', 'ALTER TABLE app.years_1 DISABLE TRIGGER USER'),
  ('a partitioned table''s triggers', 'ALTER TABLE app.years DISABLE TRIGGER USER'),
  ('a table that inherits', 'ALTER TABLE app.heirs DISABLE ROW LEVEL SECURITY'),
  ('the triggers of one that inherits', 'DROP TRIGGER seeme_after_wait ON app.heirs'),
  ('disabled triggers of one that inherits',
  'ALTER TABLE app.heirs DISABLE TRIGGER zz_seeme_check_moved_row'),
  ('a listing view without its barrier',
  'ALTER VIEW app.issues_listing SET (security_barrier = false)'),
  ('a listing view without its options', 'ALTER VIEW app.issues_listing RESET (security_barrier)'),
  ('a listing view that shows everything',
  'CREATE OR REPLACE VIEW app.issues_listing WITH (security_barrier = true) AS SELECT id, title '
  'FROM app.issues'),
  ('a listing view by its rule',
  'CREATE OR REPLACE RULE "_RETURN" AS ON SELECT TO app.issues_listing DO INSTEAD SELECT id, title '
  'FROM app.issues'),
  ('a listing view that is written', 'DROP TRIGGER seeme_read_only ON app.issues_listing'),
  ('a listing view with a rule',
  'CREATE RULE pass AS ON DELETE TO app.issues_listing DO INSTEAD DELETE FROM app.issues WHERE id '
  '= OLD.id');
SELECT is(pg_temp.tries('t_migrator', statement), '42501',
  format('threat: a migration tool takes the protection apart: %s (%s)', what, n)) FROM taking
  ORDER BY n;
SELECT is(pg_temp.tries('t_jobs', statement), '42501',
  format('threat: or a role that bypasses row security: %s (%s)', what, n)) FROM taking ORDER BY n;
SELECT is_empty($$SELECT n, statement FROM taking
    WHERE pg_temp.tries((SELECT rolname FROM pg_roles WHERE oid = 10), statement) <> 'done'$$,
    'a superuser may do all of it');

-- Whole tables whose rows are reached in another way
SELECT is(
  pg_temp.tries('t_migrator',
  'CREATE TABLE app.above (id uuid, project_id uuid, y integer) PARTITION BY LIST (y)',
  'ALTER TABLE app.above ATTACH PARTITION app.years FOR VALUES IN (1, 2)'),
  '42501', 'threat: a protected table becomes a partition of an open one');
SELECT is(pg_temp.tries('t_migrator', 'CREATE TABLE app.above (id uuid, project_id uuid)',
  'ALTER TABLE app.notes INHERIT app.above'), '42501', 'threat: or inherits from an open one');
SELECT is(pg_temp.tries('t_migrator', 'CREATE TABLE app.above (id uuid, project_id uuid)',
  'ALTER TABLE app.heirs INHERIT app.above'), 'done',
  'a table below is another matter: it is closed itself');
SELECT is(pg_temp.tries('t_migrator', 'ALTER TABLE app.years DETACH PARTITION app.years_1',
  'ALTER TABLE app.years_1 DISABLE ROW LEVEL SECURITY'),
  '42501', 'threat: a partition is detached and opened');
SELECT is(pg_temp.tries('t_migrator', 'ALTER TABLE app.heirs NO INHERIT app.notes',
  'ALTER TABLE app.heirs DISABLE ROW LEVEL SECURITY'), '42501',
  'threat: so is a table that inherited');
SELECT is(pg_temp.rows('olga', 'SELECT count(*) FROM app.issues'), '{1}',
  'and each sees what they saw');

-- What the error says
SELECT is(pg_temp.complaint('olga', 'DROP POLICY seeme_select ON app.issues'),
  '42501: must be owner of relation issues |  | ', 'nobody else is told anything');
CREATE FUNCTION pg_temp.says(role_name text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; hint text;
BEGIN
  PERFORM set_config('session_authorization', role_name, false);
  EXECUTE statement;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
  RETURN message || ' | ' || hint;
END $$;
SELECT is(pg_temp.says('t_migrator', 'ALTER TABLE app.issues DISABLE ROW LEVEL SECURITY'),
  'table app.issues is protected, and this statement would take away or change: row security | '
  'Leave out of the migration what seeme_protect made. SELECT '
  'public.seeme_unprotect(''app.issues'') is the way to end the protection.',
  'the owner is told what, and by what it ends');
SELECT is(pg_temp.says('t_migrator', 'ALTER TABLE app.years DISABLE TRIGGER ALL'),
  'table app.years is protected, and this statement would take away or change: trigger '
  'seeme_after_wait, trigger seeme_after_wait (app.years_1), trigger seeme_after_wait '
  '(app.years_2) | Leave out of the migration what seeme_protect made. SELECT '
  'public.seeme_unprotect(''app.years'') is the way to end the protection.',
  'of partitions, too');

-- What goes on
SELECT is(pg_temp.tries('t_migrator', VARIADIC s), 'done',
  format('an ordinary migration: %s', s[1])) FROM (VALUES
  ('{ALTER TABLE app.issues ADD COLUMN note text NOT NULL DEFAULT ''x''}'::text[]),
  ('{ALTER TABLE app.issues DROP COLUMN amount}'),
  ('{ALTER TABLE app.issues ALTER COLUMN amount TYPE bigint}'),
  ('{ALTER TABLE app.issues RENAME COLUMN amount TO total}'),
  ('{CREATE INDEX ON app.issues (amount)}'),
  ('{ALTER TABLE app.issues ADD CONSTRAINT c CHECK (amount > 0) NOT VALID}'),
  ('{ALTER TABLE app.issues RENAME TO tickets,ALTER TABLE app.tickets ADD COLUMN note text}'),
  ('{ALTER TABLE app.issues SET SCHEMA public}'),
  ('{ALTER SCHEMA app RENAME TO apps}'),
  ('{CREATE TRIGGER own BEFORE UPDATE ON app.issues FOR EACH ROW EXECUTE FUNCTION '
   'app.nothing(),ALTER TABLE app.issues DISABLE TRIGGER own,DROP TRIGGER own ON app.issues}'),
  ('{CREATE POLICY own ON app.issues AS RESTRICTIVE USING (amount > 0),ALTER POLICY own ON '
   'app.issues RENAME TO mine,DROP POLICY mine ON app.issues}'),
  ('{ALTER TABLE app.issues ENABLE ROW LEVEL SECURITY}'),
  ('{ALTER TABLE app.issues ENABLE TRIGGER ALL}'),
  ('{GRANT SELECT ON app.issues TO PUBLIC,COMMENT ON TABLE app.issues IS ''x''}'),
  ('{CREATE TABLE app.years_3 PARTITION OF app.years FOR VALUES IN (3),ALTER TABLE app.years '
   'DETACH PARTITION app.years_3,DROP TABLE app.years_3}'),
  ('{"CREATE TABLE app.years_4 (y integer, id uuid, project_id uuid)",ALTER TABLE app.years ATTACH '
   'PARTITION app.years_4 FOR VALUES IN (4)}'),
  ('{ALTER TABLE app.years ADD COLUMN note text}'),
  ('{DROP TABLE app.years_1}'),
  ('{CREATE TABLE app.more () INHERITS (app.notes),DROP TABLE app.more}'),
  ('{DROP VIEW app.issues_listing}'),
  ('{DROP TABLE app.issues CASCADE}'),
  ('{DROP TABLE app.years,DROP TABLE app.notes CASCADE}'),
  ('{DROP SCHEMA app CASCADE}'),
  ('{CREATE TABLE app.other (id integer),ALTER TABLE app.other ENABLE ROW LEVEL SECURITY,ALTER '
   'TABLE app.other DISABLE ROW LEVEL SECURITY,DROP TABLE app.other}')) AS v (s);
SELECT is(pg_temp.tries('t_migrator', 'ALTER TABLE app.issues ALTER COLUMN project_id TYPE text'),
  '0A000', 'the type of a scope column is kept by PostgreSQL itself');
SELECT is(pg_temp.tries('t_migrator', 'ALTER TABLE app.issues DROP COLUMN project_id'), '2BP01',
  'TypeORM: a scope column is not dropped to be made anew');

-- Columns that are renamed
SELECT is(
  pg_temp.found($$ALTER TABLE app.issues RENAME COLUMN project_id TO place; ALTER TABLE app.issues
    RENAME COLUMN title TO name; ALTER TABLE app.issues RENAME COLUMN owner_id TO "Whose"$$),
  NULL, 'renamed scope columns are followed: nothing is to be found');
SET LOCAL ROLE t_migrator;
ALTER TABLE app.notes RENAME COLUMN team_id TO "the team";
ALTER TABLE app.issues RENAME COLUMN title TO name;
ALTER TABLE app.issues RENAME COLUMN amount TO title;
RESET ROLE;
SELECT is((SELECT (project_column, team_column)::text FROM seeme.protected_tables
  WHERE table_name = 'app.notes'::regclass), '(project_id,"the team")',
  'by the table''s owner, too');
SELECT is((SELECT (name_column, listing_columns)::text FROM seeme.protected_tables
  WHERE table_name = 'app.issues'::regclass), '(name,"{id,name}")',
  'and columns that are shown, or give their name');
INSERT INTO app.notes (id, project_id, "the team") VALUES (:alpha, :alpha, :research);
SELECT is(pg_temp.try('tess', 'UPDATE app.notes SET "the team" = {sales}'), '42501',
  'a row does not move by the new name where one may not put it');
SELECT is(pg_temp.try('adam', 'UPDATE app.notes SET "the team" = {sales}'), '1 row',
  'and does where one may');
SELECT is(pg_temp.lines(), NULL, 'nothing is to be found');

-- What a superuser took away is not the owner's fault
SAVEPOINT lowered;
ALTER TABLE app.issues DISABLE ROW LEVEL SECURITY;
DROP POLICY seeme_delete ON app.issues;
SELECT is(pg_temp.tries('t_migrator', 'ALTER TABLE app.issues ADD COLUMN note text',
  'ALTER TABLE app.issues ENABLE ROW LEVEL SECURITY'), 'done',
  'what a superuser took away does not stand in the way of the owner''s migrations');
SELECT is(pg_temp.tries('t_migrator', 'ALTER TABLE app.issues NO FORCE ROW LEVEL SECURITY'),
  '42501', 'who takes no more away');
SELECT is(pg_temp.tries('t_migrator', 'ALTER TABLE app.issues ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE app.issues DISABLE ROW LEVEL SECURITY'), '42501', 'nor what was put back');
SELECT is((SELECT array_agg(guard ORDER BY guard) FROM seeme.lowered_guards),
  '{"policy seeme_delete","row security"}', 'it is noted');
ALTER TABLE app.issues ENABLE ROW LEVEL SECURITY;
SELECT is((SELECT array_agg(guard) FROM seeme.lowered_guards), '{"policy seeme_delete"}',
  'until it is mended');
ROLLBACK TO lowered;
SELECT is_empty('SELECT * FROM seeme.lowered_guards', 'nothing is noted without need');
SELECT is((SELECT count(*) FROM pg_temp.thing t,
  pg_temp.tries('t_jobs', 'UPDATE seeme.lowered_guards SET guard = ''*''', 'SELECT 1') r
  WHERE r = 'done'), 0::bigint, 'threat: the owner says that something is down');

-- seeme_unprotect by the owner, who bypasses row security
SAVEPOINT jobs;
GRANT t_app TO t_jobs;
GRANT ALL ON seeme.protected_tables, seeme.permissions, seeme.resource_types TO t_jobs;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme TO t_jobs;
GRANT EXECUTE ON FUNCTION seeme_unprotect(regclass) TO t_jobs;
SELECT is(
  pg_temp.tries('t_jobs',
  'SELECT seeme_unprotect(''app.issues''), seeme_unprotect(''app.years''), '
  'seeme_unprotect(''app.notes'')', 'ALTER TABLE app.issues DISABLE ROW LEVEL SECURITY',
  'ALTER TABLE app.years_1 DISABLE ROW LEVEL SECURITY'),
  'done', 'seeme_unprotect by the owner, who bypasses row security');
SELECT is(pg_temp.tries('t_migrator', 'SELECT seeme_unprotect(''app.issues'')'), '42501',
  'and not by one who does not');
ROLLBACK TO jobs;

-- A partition that was detached stays closed until somebody says otherwise
SET LOCAL ROLE t_migrator;
ALTER TABLE app.years DETACH PARTITION app.years_2;
GRANT SELECT ON app.years_2 TO t_app;
RESET ROLE;
INSERT INTO app.years_2 VALUES (:alpha, :alpha, 2);
SELECT is(pg_temp.try('olga', 'SELECT FROM app.years_2'), '0 rows',
  'a detached partition is closed');
SELECT seeme_unprotect('app.years_2') \g /dev/null
SELECT is(pg_temp.try('olga', 'SELECT FROM app.years_2'), '1 row', 'until seeme_unprotect of it');
SELECT throws_ok('SELECT seeme_unprotect(''app.years_2'')', '55000', NULL, 'which does so once');
SELECT is(pg_temp.tries('t_migrator', 'ALTER TABLE app.years_2 ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE app.years_2 DISABLE ROW LEVEL SECURITY'), 'done', 'from then on it is the owner''s');

-- Dropped, and made again
CREATE FUNCTION pg_temp.again() RETURNS text LANGUAGE sql
AS $$ SELECT string_agg(r.object || ': ' || r.remedy, ' ' ORDER BY r.object)
  FROM seeme_security_report() r WHERE r.severity = 'critical'
  AND r.finding LIKE 'table was protected before:%' $$;
CREATE FUNCTION pg_temp.after(VARIADIC statements text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s text;
  found_it text;
BEGIN
  BEGIN
    SET LOCAL ROLE t_migrator;
    FOREACH s IN ARRAY statements LOOP
      EXECUTE s;
    END LOOP;
    RESET ROLE;
    found_it := coalesce(pg_temp.again(), 'nothing');
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION
    WHEN SQLSTATE 'UNDO0' THEN RETURN found_it;
    WHEN OTHERS THEN RETURN SQLSTATE || SQLERRM;
  END;
END $$;
SELECT E'app.notes: SELECT public.seeme_protect(''app.notes'', ''notes'', project_column => ''project_id'', team_column => ''the team'', resource_type => ''note'');' AS again \gset
SELECT is(pg_temp.after(VARIADIC s), CASE WHEN finds THEN :'again' ELSE 'nothing' END,
  'made again: ' || what) FROM (VALUES
  ('a table that is dropped is nothing yet', false, '{DROP TABLE app.notes CASCADE}'::text[]),
  ('CREATE TABLE', true, '{DROP TABLE app.notes CASCADE,CREATE TABLE app.notes (id uuid)}'),
  ('CREATE TABLE AS', true,
  '{DROP TABLE app.notes CASCADE,CREATE TABLE app.notes AS SELECT 1 AS id}'),
  ('a new one, filled, in place of the old one (SQLite''s way)', true,
  '{CREATE TABLE app.new_notes AS SELECT * FROM app.notes,DROP TABLE app.notes CASCADE,ALTER TABLE '
  'app.new_notes RENAME TO notes}'),
  ('the old one renamed, the new one in its place, the old one dropped', true,
  '{ALTER TABLE app.notes RENAME TO old_notes,CREATE TABLE app.notes (id uuid),DROP TABLE '
  'app.old_notes CASCADE}'),
  ('the old one kept under another name', true,
  '{ALTER TABLE app.notes RENAME TO old_notes,CREATE TABLE app.new_notes (id uuid),ALTER TABLE '
  'app.new_notes RENAME TO notes}'),
  ('from another schema', true,
  '{DROP TABLE app.notes CASCADE,CREATE TABLE app_new.notes (id uuid),ALTER TABLE app_new.notes '
  'SET SCHEMA app}'),
  ('the old one moved to another schema', true,
  '{ALTER TABLE app.notes SET SCHEMA app_new,CREATE TABLE app.notes (id uuid)}'),
  ('with its schema', true,
  '{DROP SCHEMA app CASCADE,CREATE SCHEMA app CREATE TABLE notes (id uuid)}'),
  ('with a schema that takes the place of the old one', true,
  '{CREATE TABLE app_new.notes (id uuid),ALTER SCHEMA app RENAME TO app_old,ALTER SCHEMA app_new '
  'RENAME TO app}'),
  ('as a partitioned table', true,
  '{DROP TABLE app.notes CASCADE,CREATE TABLE app.notes (id uuid) PARTITION BY HASH (id)}'),
  ('as a materialized view', true,
  '{DROP TABLE app.notes CASCADE,CREATE MATERIALIZED VIEW app.notes AS SELECT 1 AS id}'),
  ('as a partition of a protected table, which is closed', false,
  '{DROP TABLE app.notes CASCADE,CREATE TABLE app.notes PARTITION OF app.years FOR VALUES IN (9)}'),
  ('and dropped again', false,
  '{DROP TABLE app.notes CASCADE,CREATE TABLE app.notes (id uuid),DROP TABLE app.notes}'),
  ('renamed there and back', false,
  '{ALTER TABLE app.notes RENAME TO n,ALTER TABLE app.n RENAME TO notes}'),
  ('in another schema, which is another name', false,
  '{DROP TABLE app.notes CASCADE,CREATE TABLE app_new.notes (id uuid)}')) AS v (what, finds, s);
-- A table of a type, dropped with the type, and one of another extension
SET LOCAL ROLE t_migrator;
CREATE TYPE app.note AS (id uuid, project_id uuid);
CREATE TABLE app.typed OF app.note;
RESET ROLE;
SELECT seeme_protect('app.typed', 'notes', project_column => 'project_id') \g /dev/null
DROP TYPE app.note CASCADE;
SELECT is((SELECT count(*)::integer FROM seeme.protected_tables p
  WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = p.table_name)), 0,
  'accident: a protected table goes with its type: it is forgotten');
SELECT is((SELECT count(*)::integer FROM seeme.dropped_tables WHERE table_name = 'typed'), 1,
  'but for its name');
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE app.listed (id uuid, project_id uuid);
SELECT seeme_protect('app.listed', 'notes', project_column => 'project_id') \g /dev/null
ALTER EXTENSION citext ADD TABLE app.listed;
DROP EXTENSION citext CASCADE;
SELECT is((SELECT count(*)::integer FROM seeme.protected_tables p
  WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = p.table_name)), 0,
  'accident: or with an extension');

-- The warning, and its end
DROP TABLE app.notes CASCADE;
SELECT is((SELECT count(*) FROM seeme.dropped_tables), 3::bigint, 'names are remembered');
SET LOCAL ROLE t_migrator;
SET LOCAL client_min_messages = warning;
CREATE TABLE app.notes (id uuid, project_id uuid, "the team" uuid);
ALTER TABLE app.notes ADD COLUMN note text;
SET LOCAL client_min_messages = error;
RESET ROLE;
SELECT is(pg_temp.again(), :'again', 'a table made again is critical');
SELECT seeme_protect('app.notes', 'notes', project_column => 'project_id',
  team_column => 'the team', resource_type => 'note') \g /dev/null
SELECT is(pg_temp.again(), NULL, 'until it is protected');
SELECT seeme_unprotect('app.notes') \g /dev/null
ALTER TABLE app.notes ADD COLUMN more text;
SELECT is(pg_temp.again(), NULL, 'or was unprotected');
SELECT 1 AS id INTO app.typed;
SELECT isnt(pg_temp.again(), NULL, 'another one is found, made by SELECT INTO');
SELECT is(pg_temp.tries('t_migrator', 'SELECT seeme_unprotect(''app.typed'')'), '42501',
  'threat: a person says that it is to stay open');
SELECT seeme_unprotect('app.typed') \g /dev/null
SELECT is(pg_temp.again(), NULL, 'until an administrator says that it is to stay open');
SELECT throws_ok('SELECT seeme_unprotect(''app.typed'')', '55000', NULL, 'once');

SELECT is(pg_temp.tries('t_migrator', 'DROP OWNED BY t_migrator'), '2BP01',
  'DROP OWNED by the owner of the tables, without what depends on them');
SAVEPOINT owned;
DROP OWNED BY t_migrator CASCADE;
SELECT is((SELECT array_agg(table_name::text ORDER BY table_name) FROM seeme.dropped_tables),
  '{issues,listed,years}', 'with it, they are dropped and remembered');
ROLLBACK TO owned;
-- What pg_restore --clean --table makes: the guards, and nobody who knows of them
ALTER EVENT TRIGGER seeme_forget_dropped_tables DISABLE;
DELETE FROM seeme.protected_tables WHERE table_name = 'app.issues'::regclass;
ALTER EVENT TRIGGER seeme_forget_dropped_tables ENABLE ALWAYS;
DROP VIEW app.issues_listing;
SELECT seeme_protect('app.issues', 'issues', project_column => 'project_id',
  owner_column => 'owner_id', listing_columns => '{id,name}') \g /dev/null
SELECT is((SELECT (had_row_security, had_force)::text FROM seeme.protected_tables
  WHERE table_name = 'app.issues'::regclass), '(f,f)',
  'a table that was restored by itself, with its guards, is protected anew');
SELECT is(pg_temp.rows('olga', 'SELECT count(*) FROM app.issues'), '{1}',
  'and each sees what they saw');

-- Below a protected table, temporarily
SELECT seeme_protect('app.notes', 'notes', project_column => 'project_id') \g /dev/null
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO t_migrator', current_database());
    END $$;
SELECT is(pg_temp.tries('t_migrator', 'CREATE TEMP TABLE mine () INHERITS (app.notes)',
  'DROP TRIGGER seeme_after_wait ON mine'), '42501',
  'threat: the owner of a temporary heir drops its triggers');
SELECT is(pg_temp.tries('t_migrator', 'CREATE TEMP TABLE mine () INHERITS (app.notes)',
  'ALTER TABLE mine DISABLE ROW LEVEL SECURITY'), '42501', 'threat: or opens it');
SELECT is(pg_temp.tries('t_migrator', 'CREATE TEMP TABLE mine () INHERITS (app.notes)',
  'DROP TABLE mine', 'CREATE TABLE app.other (id uuid)'), 'done',
  'while it may be made and dropped');

-- The extension goes by DROP EXTENSION
SELECT is(pg_temp.tries((SELECT rolname FROM pg_roles WHERE oid = 10), s), code, 'accident: ' || s)
  FROM (VALUES
  ('DROP SCHEMA public CASCADE', '2BP01'), ('DROP SCHEMA public, app CASCADE', '2BP01'),
  ('DROP SCHEMA seeme CASCADE', '2BP01'),
  ('DROP SCHEMA app CASCADE', 'done'), ('DROP EXTENSION seeme_rbac CASCADE', 'done'))
  AS v (s, code);
CREATE ROLE t_installer SUPERUSER;
SAVEPOINT installer;
UPDATE pg_extension SET extowner = 't_installer'::regrole WHERE extname = 'seeme_rbac';
UPDATE pg_shdepend SET refobjid = 't_installer'::regrole WHERE classid = 'pg_extension'::regclass
  AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database());
INSERT INTO pg_shdepend (dbid, classid, objid, objsubid, refclassid, refobjid, deptype)
SELECT d.oid, 'pg_extension'::regclass, e.oid, 0, 'pg_authid'::regclass, 't_installer'::regrole,
  'o' FROM pg_database d, pg_extension e WHERE d.datname = current_database()
  AND e.extname = 'seeme_rbac';
SELECT throws_ok('DROP OWNED BY t_installer CASCADE', '2BP01',
  'extension seeme_rbac is not dropped along with something else',
  'accident: DROP OWNED BY the extension''s owner');
SELECT ok(EXISTS (SELECT FROM pg_extension WHERE extname = 'seeme_rbac')
  AND EXISTS (SELECT FROM seeme.memberships), 'it is there, with its rows');
ROLLBACK TO installer;

-- The extension's own triggers
DROP TABLE app.years_2;
CREATE INDEX ON app.notes (project_id);
SELECT is(pg_temp.lines(), NULL, 'nothing is to be found once more');
CREATE TEMP TABLE always AS SELECT tgrelid::regclass AS t,
  tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = 'seeme'::regnamespace AND tgenabled = 'A';
SELECT cmp_ok((SELECT count(*) FROM always), '>', 30::bigint, 'triggers that always fire');
-- How many of these triggers a statement leaves in another state. The statement is undone.
CREATE FUNCTION pg_temp.demoted_by(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE statement;
  SELECT count(*) INTO n
    FROM pg_trigger t JOIN always a ON a.t = t.tgrelid AND a.tgname = t.tgname
   WHERE t.tgenabled <> 'A';
  RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
  RETURN n;
END $$;
SELECT is_empty($$
  SELECT t FROM (SELECT DISTINCT t FROM always) a
   WHERE pg_temp.demoted_by(format(
   'ALTER TABLE %s DISABLE TRIGGER ALL; ALTER TABLE %1$s ENABLE TRIGGER ALL', t)) > 0$$,
  'accident: DISABLE TRIGGER ALL, ENABLE TRIGGER ALL: they always fire again');
SELECT is_empty($$
  SELECT t, tgname FROM always
   WHERE pg_temp.demoted_by(format(
   'ALTER TABLE %s DISABLE TRIGGER %I; ALTER TABLE %1$s ENABLE TRIGGER %2$I', t, tgname)) > 0$$,
  'and each by itself');
SELECT matches(array_to_string(
  pg_temp.found('ALTER TABLE seeme.memberships DISABLE TRIGGER ALL'), ' '),
  'trigger is disabled: a_note_change enforces.*trigger is disabled: a_note_change_made',
  'a superuser may disable them, which is found');
SELECT matches(array_to_string(
  pg_temp.found('ALTER TABLE seeme.memberships DISABLE TRIGGER ALL'), ' '),
  'foreign key is not enforced: the triggers of memberships_', 'with the foreign keys');
SELECT is(
  pg_temp.found(
  'SET LOCAL session_replication_role = replica; ALTER TABLE seeme.memberships DISABLE TRIGGER '
  'ALL; ALTER TABLE seeme.memberships ENABLE TRIGGER ALL'), NULL, 'on a replica, too');

-- Built-in roles hold the codes that came while triggers were off
ALTER TABLE seeme.permissions DISABLE TRIGGER ALL;
INSERT INTO seeme.permissions (name, grouped_by_projects) VALUES ('moons:read', true),
  ('moons:land', true);
SELECT ok(NOT 'moons:read' = ANY (permissions),
  'accident: codes are loaded with triggers disabled: an Editor does not hold them')
  FROM seeme.roles WHERE name = 'Editor' AND organization_id IS NULL;
ALTER TABLE seeme.permissions ENABLE TRIGGER ALL;
SELECT ok('moons:read' = ANY (permissions), 'until triggers are enabled') FROM seeme.roles
  WHERE name = 'Editor' AND organization_id IS NULL;
SELECT is(
  pg_temp.rows('edith', $$SELECT seeme_has_permission('moons:read', organization => {acme})$$),
  '{true}', 'and so it is decided');

-- Findings, and that their remedies mend them
SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why, c.mend) FROM (VALUES
  (1, 'table was protected before', 'critical', 'app.issues',
  $$DROP TABLE app.issues CASCADE; CREATE TABLE app.issues
    (id uuid PRIMARY KEY, name text, project_id uuid, owner_id uuid); CREATE INDEX ON app.issues
    (project_id); CREATE INDEX ON app.issues (owner_id)$$, 'a table dropped and made again', NULL),
  (2, 'rows are reached from above', 'critical', 'app.above',
  $$CREATE TABLE app.above (id uuid); ALTER TABLE app.issues INHERIT app.above$$,
  'a protected table inherits from an open one', NULL),
  (3, 'rows are reached from above', 'critical', 'app.above',
  $$CREATE TABLE app.above (id uuid, project_id uuid, y integer) PARTITION BY LIST (y); ALTER TABLE
    app.above ATTACH PARTITION app.years FOR VALUES IN (1)$$, 'or is a partition of one',
    $$ALTER TABLE app.above DETACH PARTITION app.years; DROP TABLE app.above$$),
  (4, 'trigger is demoted', 'high', 'seeme.memberships',
  $$ALTER EVENT TRIGGER seeme_keep_triggers_always DISABLE; ALTER TABLE seeme.memberships ENABLE
    TRIGGER a_note_change; ALTER EVENT TRIGGER seeme_keep_triggers_always ENABLE ALWAYS$$,
    'a trigger that is to fire always', NULL),
  (5, 'trigger is disabled', 'high', 'seeme.memberships',
  $$ALTER TABLE seeme.memberships ENABLE REPLICA TRIGGER a_note_change$$,
  'one that fires on replicas alone', NULL),
  (6, 'foreign key is not enforced', 'high', 'seeme.memberships',
  $$SET LOCAL allow_system_table_mods = on; UPDATE pg_trigger SET tgenabled = 'D'
    WHERE oid = (SELECT t.oid FROM pg_trigger t WHERE t.tgrelid = 'seeme.memberships'::regclass
    AND t.tgisinternal ORDER BY t.oid LIMIT 1)$$, 'rows without what they refer to', NULL),
  (7, 'trigger is disabled', 'high', 'app.years_1',
  $$ALTER TABLE app.years_1 DISABLE TRIGGER seeme_after_wait$$, 'of a partition', NULL),
  (8, 'listing view is writable', 'high', 'app.issues_listing',
  $$DROP TRIGGER seeme_read_only ON app.issues_listing$$, 'with its owner''s rights', NULL),
  (9, 'event trigger is demoted', 'high', 'seeme_keep_protection',
  $$ALTER EVENT TRIGGER seeme_keep_protection ENABLE$$, 'it does not fire on a replica', NULL),
  (10, 'event trigger is disabled', 'high', 'seeme_guard_extension',
  $$ALTER EVENT TRIGGER seeme_guard_extension DISABLE$$, 'the extension goes along', NULL)
) AS c (n, name, severity, object, weakness, why, mend) ORDER BY c.n;
SELECT * FROM finish();
ROLLBACK;
