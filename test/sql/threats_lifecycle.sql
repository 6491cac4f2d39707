\i test/include/prelude.psql
-- What becomes of a protected table's guards when it, or a part of it, is given away, detached,
-- left behind or restored by itself.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(56);
CREATE ROLE t_migrator; CREATE ROLE t_heir;
GRANT CREATE, USAGE ON SCHEMA public TO t_migrator, t_heir;
GRANT t_heir TO t_migrator;
CREATE FUNCTION pg_temp.as_role(role text, VARIADIC statements text[]) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  statement text;
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', role);
  FOREACH statement IN ARRAY statements LOOP EXECUTE statement; END LOOP;
  RESET ROLE;
  RETURN 'done';
EXCEPTION WHEN OTHERS THEN
  RESET ROLE;
  RETURN SQLSTATE;
END $$;
CREATE FUNCTION pg_temp.found(object text, finding text) RETURNS text LANGUAGE sql
AS $$ SELECT string_agg(f.severity, ' ') FROM seeme_security_report() f
  WHERE f.object = found.object AND f.finding LIKE found.finding || '%' $$;
CREATE FUNCTION pg_temp.mend(object text, finding text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE (SELECT f.remedy FROM seeme_security_report() f WHERE f.object = mend.object
    AND f.finding LIKE mend.finding || '%');
END $$;

SET LOCAL ROLE t_migrator;
CREATE TABLE t_note (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, project_id uuid,
  owner_id uuid);
CREATE TABLE t_parted (k integer, name text, project_id uuid) PARTITION BY LIST (k);
CREATE TABLE t_parted_1 PARTITION OF t_parted FOR VALUES IN (1);
CREATE TABLE t_parted_2 PARTITION OF t_parted FOR VALUES IN (2);
CREATE TABLE t_base (id integer, project_id uuid, owner_id uuid);
CREATE TABLE t_kid () INHERITS (t_base);
RESET ROLE;
SELECT seeme_protect('t_note', 'models', project_column => 'project_id', owner_column => 'owner_id',
  listing_columns => '{id,name}'),
       seeme_protect('t_parted', 'workflows', project_column => 'project_id'),
       seeme_protect('t_base', 'graphs', project_column => 'project_id', owner_column => 'owner_id')
       \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_note, t_parted, t_parted_1, t_parted_2, t_base,
  t_kid TO t_app;
GRANT SELECT ON t_note_listing TO t_heir, t_app;
INSERT INTO t_note (name, project_id) VALUES ('in alpha', :alpha), ('in delta', :delta);
INSERT INTO t_parted VALUES (1, 'in alpha', :alpha), (1, 'in delta', :delta),
  (2, 'in alpha', :alpha);
INSERT INTO t_kid VALUES (1, :alpha, NULL), (2, :delta, NULL);

-- Another owner
SAVEPOINT given;
SELECT is(pg_temp.as_role('t_migrator', 'ALTER TABLE t_note OWNER TO t_heir',
  'ALTER TABLE t_parted OWNER TO t_heir'), 'done', 'a table is given to somebody else');
SELECT is(pg_temp.as_role('t_heir', 'SELECT count(*) FROM t_note', 'UPDATE t_note SET name = ''x''',
  'CREATE TABLE t_parted_3 PARTITION OF t_parted FOR VALUES IN (3)'), 'done',
          'the new owner is not refused for want of the guards'' functions');
ROLLBACK TO given;
REASSIGN OWNED BY t_migrator TO t_heir;
SELECT is(pg_temp.found('public.t_note', 'owner may not call the guards'), 'medium',
  'REASSIGN OWNED, of which no event trigger is told, is found');
SELECT pg_temp.mend('public.t_note', 'owner may not call the guards') \g /dev/null
SELECT is(pg_temp.as_role('t_heir', 'SELECT count(*) FROM t_note',
  'CREATE TABLE t_parted_3 PARTITION OF t_parted FOR VALUES IN (3)'), 'done',
  'and its remedy mends it');
ROLLBACK TO given;

-- What is left behind when the whole is dropped
SELECT is(pg_temp.as_role('t_migrator', 'ALTER TABLE t_parted DETACH PARTITION t_parted_1',
  'ALTER TABLE t_kid NO INHERIT t_base', 'DROP TABLE t_parted', 'DROP TABLE t_base'), 'done',
  'a part is detached, and the whole dropped');
SELECT is(pg_temp.rows('olga', 'SELECT count(*) FROM ' || part), '{0}',
  'the part stays closed: ' || part) FROM unnest(ARRAY['t_parted_1', 't_kid']) AS part;
SELECT is(pg_temp.found('public.' || part, 'table was protected before'), 'critical',
  'threat: nobody remembers what a detached part held: ' || part)
  FROM unnest(ARRAY['t_parted_1', 't_kid']) AS part;
SELECT is(pg_temp.as_role('t_migrator', 'ALTER TABLE t_parted_1 DISABLE ROW LEVEL SECURITY'),
  'done', 'its owner may open it then');
SELECT is(pg_temp.found('public.t_parted_1', 'table was protected before'), 'critical',
  'which is still found');
SAVEPOINT left_behind;
SELECT pg_temp.mend('public.' || part, 'table was protected before')
  FROM unnest(ARRAY['t_parted_1', 't_kid']) AS part \g /dev/null
SELECT is(pg_temp.rows('olga', 'SELECT count(*) FROM ' || part), '{1}',
  'the remedy protects it as the whole was, and shows each person their rows: ' || part)
  FROM unnest(ARRAY['t_parted_1', 't_kid']) AS part;
SELECT seeme_unprotect('t_parted_1'), seeme_unprotect('t_kid') \g /dev/null
SELECT is(pg_temp.rows('olga', 'SELECT count(*) FROM ' || part), '{2}',
  'and seeme_unprotect opens it: ' || part) FROM unnest(ARRAY['t_parted_1', 't_kid']) AS part;
ROLLBACK TO left_behind;
SELECT seeme_unprotect('t_parted_1'), seeme_unprotect('t_kid') \g /dev/null
SELECT is((SELECT count(*) FROM pg_policy WHERE polrelid = part::regclass) +
  (SELECT count(*) FROM pg_trigger WHERE tgrelid = part::regclass) +
  (SELECT count(*) FROM seeme.dropped_tables d WHERE d.table_name = part), 0::bigint,
          'said to stay open, nothing of its guards is left: ' || part)
          FROM unnest(ARRAY['t_parted_1', 't_kid']) AS part;
ROLLBACK TO given;

-- A detached part that is protected itself
SELECT pg_temp.as_role('t_migrator', 'ALTER TABLE t_parted DETACH PARTITION t_parted_1')
  \g /dev/null
SELECT seeme_protect('t_parted_1', 'workflows', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.rows('olga', 'SELECT count(*) FROM t_parted_1'), '{1}',
  'a detached partition that is protected shows each person their rows');
SELECT is((SELECT closed_partitions FROM seeme.protected_tables
  WHERE table_name = 't_parted'::regclass), '{t_parted_2}'::regclass[],
  'and is a matter of the former whole''s no more');
SELECT seeme_unprotect('t_parted_1') \g /dev/null
SELECT is((SELECT relrowsecurity FROM pg_class WHERE oid = 't_parted_1'::regclass), false,
  'it is as it was before it was a part, once it is unprotected');
ROLLBACK TO given;

-- A table that was restored by itself, its listing view along: it has all that, and is not known
DELETE FROM seeme.protected_tables WHERE table_name = 't_note'::regclass;
SELECT is(
  pg_temp.rows(NULL,
  $$SELECT seeme_protect('t_note', 'models', project_column => 'project_id',
    owner_column => 'owner_id', listing_columns => '{id,name}')$$), '{""}',
    'it is protected anew, over what was restored of its listing view');
SELECT seeme_protect('t_note', 'models', project_column => 'project_id', owner_column => 'owner_id',
  listing_columns => '{id,name}') \g /dev/null
SELECT is(has_table_privilege('t_heir', 't_note_listing', 'SELECT'), true,
  'who was granted the view has it still');
SELECT is(pg_temp.rows('olga', 'SELECT name FROM t_note_listing'), '{"in alpha"}',
  'which shows each person their rows');
ROLLBACK TO given;
DELETE FROM seeme.protected_tables WHERE table_name = 't_note'::regclass;
DROP VIEW t_note_listing; CREATE VIEW t_note_listing AS SELECT 1 AS one;
SELECT throws_ok($$SELECT seeme_protect(
    't_note', 'models', project_column => 'project_id', listing_columns => '{id,name}')$$, '42P07',
    NULL, 'a view of somebody''s own of that name is not dropped');
ROLLBACK TO given;

-- A dump that leaves out one protected table restores what is remembered of none
CREATE TABLE "t Odd" (id uuid PRIMARY KEY, name text, "the, project" uuid, organization_id uuid,
  "his""own" uuid);
CREATE TABLE t_item (id integer, dataset_id uuid); CREATE TABLE t_alone
  (id uuid PRIMARY KEY, owner_id uuid); CREATE TABLE t_case (id uuid PRIMARY KEY);
SELECT seeme_protect('"t Odd"', 't_odds', project_column => 'the, project',
  organization_column => 'organization_id', owner_column => 'his"own', owner_alone => false,
  listing_columns => '{name,id}'),
       seeme_protect('t_item', 'dataset_items', resource_id_column => 'dataset_id',
       resource_type => 'dataset'), seeme_protect(
       't_alone', 't_alones', owner_column => 'owner_id'),
       seeme_protect('t_case', 't_cases', resource_id_column => 'id') \g /dev/null
CREATE TEMP TABLE told AS SELECT p.table_name,
  seeme.protect_arguments(p) AS arguments FROM seeme.protected_tables p;
SELECT is((SELECT count(*) FROM seeme.guards_without_record()), 0::bigint,
  'what is protected is known to be');
DELETE FROM seeme.protected_tables;
SELECT is((SELECT count(*) FROM told), 7::bigint, 'protected in seven ways');
SELECT is(
  (SELECT array_agg(g.relation::text || ': ' || (g.arguments - 'listing_columns')::text
  ORDER BY g.relation::text COLLATE "C") FROM seeme.guards_without_record() g),
          (SELECT array_agg(t.table_name::text || ': '
          || (t.arguments - ARRAY['listing_columns',
          CASE WHEN t.table_name IN ('t_base'::regclass, 't_parted'::regclass) THEN 'resource_type'
          END])::text ORDER BY t.table_name::text COLLATE "C") FROM told t),
          'what they were protected by is read from their guards, but for a type that is the '
          'resource''s own');
SELECT is((SELECT g.arguments -> 'listing_columns' FROM seeme.guards_without_record() g
  WHERE g.relation = '"t Odd"'::regclass), '["name", "id"]', 'and from their listing views');
SELECT is(pg_temp.found('public.' || t.table_name, 'table is not known to be protected'), 'high',
  'threat: guards that nobody keeps: ' || t.table_name) FROM told t
  WHERE t.table_name = '"t Odd"'::regclass;
SELECT pg_temp.mend('public.' || t.table_name, 'table is not known to be protected')
  FROM told t \g /dev/null
SELECT is((SELECT count(*) FROM seeme.guards_without_record()), 0::bigint,
  'the remedies make them known');
SELECT results_eq(
  'SELECT p.table_name, seeme.protect_arguments(p) FROM seeme.protected_tables p ORDER BY 1',
  'SELECT * FROM told ORDER BY 1', 'as they were');
ROLLBACK TO given;

-- Rows of a table that inherits: its own triggers are called, not those of the table that they are
-- reached by
SELECT pg_temp.as_role('t_migrator', 'CREATE TABLE t_kid_2 (LIKE t_base)',
  'ALTER TABLE t_kid_2 ENABLE ROW LEVEL SECURITY', 'ALTER TABLE t_kid_2 INHERIT t_base',
  'CREATE TABLE t_kid_3 () INHERITS (t_base)',
                       'CREATE TABLE t_kid_4 () INHERITS (t_base)',
                       'CREATE TABLE t_base_2 (id integer, project_id uuid, owner_id uuid)',
                       'CREATE TABLE t_kid_5 () INHERITS (t_base, t_base_2)') \g /dev/null
SELECT seeme_unprotect('t_base'), seeme_protect(
  't_base', 'graphs', project_column => 'project_id', owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('t_kid_3', 'graphs', project_column => 'project_id',
  owner_column => 'owner_id'), seeme_protect(
  't_kid_4', 'graphs', project_column => 'project_id', owner_column => 'owner_id'),
       seeme_protect('t_base_2', 'graphs', project_column => 'project_id',
       owner_column => 'owner_id') \g /dev/null
SELECT seeme_unprotect('t_kid_3'), seeme_unprotect('t_base_2') \g /dev/null
SELECT format('INSERT INTO %I VALUES (%s, %L, %L)', k, n + 10, :alpha, :nora)
  FROM unnest(ARRAY['t_base', 't_kid', 't_kid_2', 't_kid_3', 't_kid_4', 't_kid_5'])
  WITH ORDINALITY AS u (k, n) \gexec
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:globex, :nora, pg_temp.builtin('Editor'));
SELECT is(pg_temp.try('nora', format(
  'UPDATE t_base SET project_id = {delta} WHERE id = %s', n + 10)), '42501',
  'threat: an owner takes a row out of the organization by way of what it inherits from: ' || k)
  FROM unnest(ARRAY['t_base', 't_kid', 't_kid_2', 't_kid_3', 't_kid_4', 't_kid_5'])
  WITH ORDINALITY AS u (k, n);
SELECT is((SELECT count(*) FROM seeme.protected_tables p, seeme.guards_down(p)), 0::bigint,
  'nothing of what guards them is down, nor held to be');
SELECT is((SELECT count(*) FROM seeme.lowered_guards), 0::bigint, 'and nothing is set aside');
DROP TRIGGER zz_seeme_check_moved_row ON t_kid_3;
SELECT is(pg_temp.found('public.t_kid_3', 'trigger is missing'), 'high',
  'one that is missing is found');
SELECT pg_temp.mend('public.t_kid_3', 'trigger is missing') \g /dev/null
SELECT is(pg_temp.try('nora', 'UPDATE t_base SET project_id = {delta} WHERE id = 14'), '42501',
  'and its remedy mends it');
SELECT is(pg_temp.as_role('t_migrator', 'DROP TRIGGER seeme_after_wait ON t_kid_2'), '42501',
  'accident: the owner drops one');
SELECT seeme.renew_protection('t_base') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.protected_tables p, seeme.guards_down(p)), 0::bigint,
  'they are renewed with the table''s');
SELECT seeme_unprotect('t_base') \g /dev/null
SELECT is((SELECT array_agg(DISTINCT tgrelid::regclass) FROM pg_trigger
  WHERE tgname IN ('seeme_after_wait', 'zz_seeme_check_moved_row')
  AND tgrelid::regclass::text LIKE 't\_kid%'), '{t_kid_4}'::regclass[],
  'those of one that is protected itself stay when the table is unprotected');
ROLLBACK TO given;

-- The listing view
DROP VIEW t_note_listing;
SELECT is((SELECT listing_view FROM seeme.protected_tables WHERE table_name = 't_note'::regclass),
  NULL, 'a listing view that is dropped is forgotten: its number may be another''s');
ROLLBACK TO given;
SELECT is(pg_temp.found('public.t_note_listing', 'listing view'), NULL,
  'a listing view as seeme_protect made it');
ALTER TABLE t_note RENAME COLUMN name TO heading; ALTER TABLE t_note RENAME COLUMN project_id TO
  "its project"; ALTER TABLE t_note RENAME TO "t Note";
SELECT is(pg_temp.found('public.t_note_listing', 'listing view'), NULL,
  'whose columns and table were renamed');
ROLLBACK TO given;
CREATE OR REPLACE VIEW t_note_listing WITH (security_barrier) AS SELECT id, name FROM t_note;
SELECT is(pg_temp.found('public.t_note_listing', 'listing view was changed'), 'critical',
  'threat: a listing view that shows all rows');
SELECT pg_temp.mend('public.t_note_listing', 'listing view was changed') \g /dev/null
SELECT is(pg_temp.rows('olga', 'SELECT name FROM t_note_listing'), '{"in alpha"}',
  'and its remedy mends it');
CREATE RULE t_write AS ON INSERT TO t_note_listing DO INSTEAD INSERT INTO t_note (name, project_id)
  VALUES (NEW.name, NULL);
SELECT is(pg_temp.found('public.t_note_listing', 'rule on a protected table'), 'medium',
  'threat: a rule of a listing view');
ROLLBACK TO given;

-- Event triggers as a whole, from PostgreSQL 17 on
SELECT format('ALTER DATABASE %I SET event_triggers = off', current_database())
  WHERE current_setting('server_version_num')::integer >= 170000 \gexec
SELECT is((SELECT count(*) FROM seeme_security_report() f
  WHERE split_part(f.finding, ':', 1) = 'event triggers are off'),
  (current_setting('server_version_num')::integer >= 170000)::integer::bigint,
  'threat: event triggers that are off');

-- Of a foreign key's columns those that it sets
CREATE TABLE t_section (id uuid PRIMARY KEY, project_id uuid, UNIQUE (id, project_id));
CREATE TABLE t_task (id uuid PRIMARY KEY, section_id uuid, project_id uuid, owner_id uuid);
CREATE TABLE t_part (id uuid PRIMARY KEY, section_id uuid REFERENCES t_section ON DELETE SET NULL,
  owner_id uuid);
SELECT seeme_protect('t_section', 'datasets', project_column => 'project_id'),
  seeme_protect('t_task', 'annotations', project_column => 'project_id',
  owner_column => 'owner_id'),
       seeme_protect('t_part', 'dataset_items', resource_id_column => 'section_id',
       resource_type => 'dataset', owner_column => 'owner_id') \g /dev/null
ALTER TABLE t_task ADD CONSTRAINT k FOREIGN KEY (section_id, project_id) REFERENCES t_section
  (id, project_id) ON DELETE SET NULL (section_id);
SELECT is(pg_temp.found('public.t_task', 'row is left to its owner'), NULL,
  'a foreign key that leaves the scope alone when it sets the reference to null');
ALTER TABLE t_task DROP CONSTRAINT k, ADD CONSTRAINT k FOREIGN KEY (section_id, project_id)
  REFERENCES t_section (id, project_id) ON DELETE SET NULL;
SELECT is(pg_temp.found('public.t_task', 'row is left to its owner'), 'medium',
  'one that sets the scope, too');
SELECT is(pg_temp.found('public.t_part', 'row is left to its owner'), 'medium',
  'threat: a part whose whole is deleted becomes its owner''s own');
SELECT pg_temp.mend('public.' || t, 'row is left to its owner')
  FROM unnest(ARRAY['t_task', 't_part']) AS t \g /dev/null
SELECT is(pg_temp.found('public.' || t, 'row is left to its owner'), NULL,
  'and the remedy mends it: ' || t) FROM unnest(ARRAY['t_task', 't_part']) AS t;

SELECT * FROM finish();
ROLLBACK;
