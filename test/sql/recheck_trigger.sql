\i test/include/prelude.psql
-- seeme.recheck_after_lock() (src/planner/recheck_trigger.c): a protected table's policy is asked again
-- with the row locked, of the table and of its partitions, whatever their columns are called and
-- wherever they lie; and where a row may be moved to. A right that is lost while a statement waits
-- is in test/isolation; here it is lost before the row is locked, by a trigger that fires first.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(131);

-- In projects: one table alone, one in partitions. One partition has its columns in another order,
-- one has dropped one, one has both and partitions of its own.
CREATE TABLE t_note (id integer PRIMARY KEY, note text, project_id uuid);
CREATE INDEX ON t_note (project_id);
CREATE TABLE t_part (id integer NOT NULL, note text, project_id uuid) PARTITION BY RANGE (id);
CREATE INDEX ON t_part (project_id);
CREATE TABLE t_part_same PARTITION OF t_part FOR VALUES FROM (0) TO (10);
CREATE TABLE t_part_order (project_id uuid, note text, id integer NOT NULL);
ALTER TABLE t_part ATTACH PARTITION t_part_order FOR VALUES FROM (10) TO (20);
CREATE TABLE t_part_dropped (gone uuid, id integer NOT NULL, gone_too uuid, note text,
  project_id uuid);
INSERT INTO t_part_dropped VALUES (:beta, 23, :beta, 'from before', :alpha);
ALTER TABLE t_part_dropped DROP COLUMN gone, DROP COLUMN gone_too;
ALTER TABLE t_part ATTACH PARTITION t_part_dropped FOR VALUES FROM (20) TO (30);
CREATE TABLE t_part_parts (gone uuid, project_id uuid, note text, id integer NOT NULL) PARTITION BY
  LIST (id);
ALTER TABLE t_part_parts DROP COLUMN gone;
CREATE TABLE t_part_below (note text, gone uuid, id integer NOT NULL, project_id uuid);
ALTER TABLE t_part_below DROP COLUMN gone;
ALTER TABLE t_part_parts ATTACH PARTITION t_part_below FOR VALUES IN (31, 32, 33);
ALTER TABLE t_part ATTACH PARTITION t_part_parts FOR VALUES FROM (30) TO (40);
-- ... 1: alpha, 2: beta, 3: alpha
INSERT INTO t_note SELECT n, 'a note', CASE n WHEN 2 THEN :beta::uuid ELSE :alpha::uuid END
  FROM generate_series(1, 3) AS n;
INSERT INTO t_part SELECT 10 * p + n, 'a note',
  CASE n WHEN 2 THEN :beta::uuid ELSE :alpha::uuid END FROM generate_series(0, 3) AS p,
  generate_series(1, 3) AS n WHERE (p, n) <> (2, 3);
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['t_note', 't_part']::regclass[]) AS t \g /dev/null
-- Added to a table that is protected
CREATE TABLE t_part_late (note text, project_id uuid, id integer NOT NULL);
ALTER TABLE t_part ATTACH PARTITION t_part_late FOR VALUES FROM (40) TO (50);
INSERT INTO t_part VALUES (41, 'a note', :alpha), (42, 'a note', :beta), (43, 'a note', :alpha);
CREATE TABLE t_several (id integer PRIMARY KEY, note text, project_id uuid, team_id uuid);
CREATE TABLE t_owned (id integer PRIMARY KEY, note text, project_id uuid, owner_id uuid);
CREATE TABLE t_team (id integer PRIMARY KEY, note text, team_id uuid);
CREATE TABLE t_item (id integer PRIMARY KEY, note text, dataset_id uuid);
CREATE TABLE t_held (id uuid PRIMARY KEY, note text);
INSERT INTO t_several VALUES (1, 'a note', :alpha, NULL), (2, 'a note', :beta, NULL),
  (3, 'a note', NULL, :research);
INSERT INTO t_owned VALUES (1, 'a note', :alpha, NULL), (2, 'a note', NULL, :stan);
INSERT INTO t_team VALUES (1, 'a note', :research), (2, 'a note', :sales);
SELECT seeme_protect('t_several', 'models', project_column => 'project_id',
  team_column => 'team_id') \g /dev/null
SELECT seeme_protect('t_owned', 'models', project_column => 'project_id',
  owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('t_team', 'models', team_column => 'team_id') \g /dev/null
SELECT seeme_protect('t_item', 'dataset_items', resource_id_column => 'dataset_id',
  resource_type => 'dataset') \g /dev/null
SELECT seeme_protect('t_held', 'graphs', resource_id_column => 'id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_note, t_part, t_several, t_owned, t_team TO t_app;

-- Which triggers there are
SELECT is((SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger
  WHERE tgrelid = t::regclass AND tgname ~ 'after_wait|moved_row'), triggers,
  'the triggers of ' || t)
  FROM (VALUES ('t_note', 'seeme_after_wait'), ('t_part', 'seeme_after_wait'),
  ('t_part_order', 'seeme_after_wait'), ('t_part_below', 'seeme_after_wait'),
               ('t_part_late', 'seeme_after_wait'), ('t_team', 'seeme_after_wait'),
               ('t_item', 'seeme_after_wait'),
               ('t_several', 'seeme_after_wait zz_seeme_check_moved_row'),
               ('t_owned', 'seeme_after_wait zz_seeme_check_moved_row'),
               ('t_held', 'seeme_after_wait zz_seeme_check_moved_row')) AS v (t, triggers);

-- A right that goes between the policy and the lock: a trigger that fires first takes it from the
-- role that nora holds
CREATE FUNCTION t_take() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF current_setting('t.take', true) <> '' THEN UPDATE seeme.roles
    SET permissions = array_remove(permissions, current_setting('t.take')) WHERE name = 'Just this';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER a_take BEFORE UPDATE OR DELETE ON t_note FOR EACH ROW EXECUTE FUNCTION t_take();
CREATE TRIGGER a_take BEFORE UPDATE OR DELETE ON t_part FOR EACH ROW EXECUTE FUNCTION t_take();
CREATE TRIGGER a_take BEFORE UPDATE OR DELETE ON t_several FOR EACH ROW EXECUTE FUNCTION t_take();
CREATE TRIGGER a_take BEFORE UPDATE OR DELETE ON t_team FOR EACH ROW EXECUTE FUNCTION t_take();
CREATE FUNCTION pg_temp.while_taking(what text, person text, statement text) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE outcome text;
BEGIN
  PERFORM set_config('t.take', what, true);
  outcome := pg_temp.try(person, statement);
  PERFORM set_config('t.take', '', true);
  RETURN outcome;
END $$;
-- nora holds exactly this, in Acme as a whole
SELECT pg_temp.hold('{models:list,models:read,models:update,models:delete,models:create}')
  \g /dev/null
SELECT is(pg_temp.while_taking(what, 'nora', statement), wanted,
  format('%s, while what is taken is: %s', statement,
  CASE what WHEN '' THEN 'nothing' ELSE what END))
  FROM (VALUES ('', 'UPDATE t_note SET note = ''x''', '3 rows'),
  ('models:update', 'UPDATE t_note SET note = ''x''', '0 rows'),
  ('models:delete', 'UPDATE t_note SET note = ''x''', '3 rows'),
  ('', 'DELETE FROM t_note', '3 rows'), ('models:delete', 'DELETE FROM t_note', '0 rows'),
  ('models:update', 'DELETE FROM t_note', '3 rows'),
    ('models:update',
    'INSERT INTO t_note VALUES (1, ''x'', {alpha}) ON CONFLICT (id) DO UPDATE SET note = ''y''',
    '0 rows'),
    ('', 'INSERT INTO t_note VALUES (1, ''x'', {alpha}) ON CONFLICT (id) DO UPDATE SET note '
         '= ''y''', '1 row'),
    ('models:update',
    'MERGE INTO t_note t USING (SELECT 1 AS id) s ON s.id = t.id WHEN MATCHED THEN UPDATE SET note '
    '= ''m''', '0 rows'),
    ('models:delete',
    'MERGE INTO t_note t USING (SELECT 1 AS id) s ON s.id = t.id WHEN MATCHED THEN DELETE',
    '0 rows'),
    ('models:update', 'WITH u AS (UPDATE t_note SET note = ''x'' RETURNING id) SELECT id FROM u',
    '0 rows'),
    ('models:update', 'UPDATE t_several SET note = ''x''', '0 rows'),
    ('', 'UPDATE t_several SET note = ''x''', '3 rows'),
    ('models:update', 'UPDATE t_team SET note = ''x''', '0 rows'),
    ('', 'UPDATE t_team SET note = ''x''', '2 rows'),
    ('models:delete', 'DELETE FROM t_team', '0 rows')) AS v (what, statement, wanted);
SELECT is(pg_temp.while_taking(
  what, 'nora', format('%s WHERE id BETWEEN %s AND %s', statement, p * 10, p * 10 + 9)), wanted,
  format('%s of partition %s, while what is taken is: %s', split_part(statement, ' ', 1), p,
  CASE what WHEN '' THEN 'nothing' ELSE what END))
  FROM generate_series(0, 4) AS p, (
  VALUES ('', 'UPDATE t_part SET note = ''x''', '3 rows'),
    ('models:update', 'UPDATE t_part SET note = ''x''', '0 rows'),
    ('', 'DELETE FROM t_part', '3 rows'), ('models:delete', 'DELETE FROM t_part', '0 rows'))
    AS v (what, statement, wanted);
SELECT pg_temp.hold('{}') \g /dev/null

-- In one project alone, so that the column that is asked about matters
SELECT pg_temp.hold_in('alpha',
  '{models:list,models:read,models:update,models:delete,models:create}') \g /dev/null
SELECT is(pg_temp.rows('nora', format(
  'WITH u AS (UPDATE t_part SET note = ''x'' WHERE id BETWEEN %s AND %s RETURNING id) SELECT '
  'string_agg(id::text, '' '' ORDER BY id) FROM u', p * 10, p * 10 + 9)),
  ARRAY[format('%s %s', p * 10 + 1, p * 10 + 3)], 'the rows of alpha in partition ' || p)
  FROM generate_series(0, 4) AS p;
SELECT is(
  pg_temp.rows('nora',
  'WITH u AS (DELETE FROM t_part RETURNING id) SELECT string_agg(id::text, '' '' ORDER BY id) FROM '
  'u'), '{"1 3 11 13 21 23 31 33 41 43"}', 'removed of all partitions');

-- Moving a row needs the right where it goes: it is refused by name
SELECT is(pg_temp.try('nora', s), wanted, s)
  FROM (VALUES ('UPDATE t_note SET project_id = {beta}', '42501'),
  ('UPDATE t_note SET project_id = {delta}', '42501'),
  ('UPDATE t_note SET project_id = {nobody_known}', '42501'),
  ('UPDATE t_note SET project_id = NULL', '42501'),
  ('UPDATE t_note SET project_id = {alpha}', '2 rows'),
    ('UPDATE t_part SET project_id = {beta} WHERE id < 10', '42501'),
    ('UPDATE t_part SET project_id = {beta} WHERE id = 11', '42501'),
    ('UPDATE t_part SET project_id = {beta} WHERE id = 31', '42501'),
    -- To another partition, with the right and without, at once with another project and without
    ('UPDATE t_part SET id = id + 14 WHERE id IN (1, 3)', '2 rows'),
    ('UPDATE t_part SET id = id + 5 WHERE id = 11', '1 row'),
    ('UPDATE t_part SET id = id + 14, project_id = {beta} WHERE id = 1', '42501'),
    ('UPDATE t_part SET id = 32, project_id = {delta} WHERE id = 1', '42501'),
    ('UPDATE t_part SET id = 24, project_id = NULL WHERE id = 41', '42501'),
    ('UPDATE t_part SET id = 34 WHERE id = 1', '23514'),
    ('UPDATE t_part SET id = id + 5 WHERE id % 10 = 2', '0 rows'),
    ('INSERT INTO t_note VALUES (1, ''x'', {alpha}) ON CONFLICT (id) DO UPDATE SET project_id = '
     '{beta}', '42501'),
     ('MERGE INTO t_note t USING (SELECT 1 AS id) s ON s.id = t.id WHEN MATCHED THEN UPDATE SET '
      'project_id = {beta}', '42501'),
    ('MERGE INTO t_part t USING (SELECT 1 AS id) s ON s.id = t.id WHEN MATCHED THEN UPDATE SET id '
     '= 15, project_id = {beta}', '42501'),
    ('UPDATE t_several SET project_id = {beta} WHERE id = 1', '42501'),
    ('UPDATE t_several SET team_id = {sales} WHERE id = 1', '42501'),
    ('UPDATE t_several SET note = ''x'' WHERE id = 1', '1 row'),
    ('UPDATE t_owned SET owner_id = {nora} WHERE id = 1', '42501')) AS v (s, wanted);
SELECT pg_temp.hold_in('beta', '{models:list,models:read,models:update}') \g /dev/null
SELECT is(pg_temp.try('nora', s), wanted, 'with update where it goes: ' || s)
  FROM (VALUES ('UPDATE t_note SET project_id = {beta}', '3 rows'),
  ('UPDATE t_part SET project_id = {beta}', '15 rows'),
  ('UPDATE t_part SET id = 15, project_id = {beta} WHERE id = 1', '1 row'),
  ('UPDATE t_part SET id = 16 WHERE id = 2', '1 row'),
  ('UPDATE t_several SET project_id = {beta} WHERE id = 1', '1 row'),
  ('DELETE FROM t_note WHERE id = 2', '0 rows'),
    ('DELETE FROM t_part WHERE id % 10 = 2', '0 rows')) AS v (s, wanted);
-- A right to update that goes just before a row is taken out of its partition
SELECT pg_temp.hold_in('beta', '{}'), pg_temp.hold_in('alpha', '{}'),
  pg_temp.hold('{models:list,models:read,models:update}') \g /dev/null
SELECT is(pg_temp.while_taking(
  'models:update', 'nora', 'UPDATE t_part SET id = id + 14 WHERE id = 1'), '0 rows',
  'a row does not go to another partition once the right is gone');
SELECT is(pg_temp.while_taking('', 'nora', 'UPDATE t_part SET id = id + 14 WHERE id = 1'), '1 row',
  'with update alone, without delete, it does');
SELECT pg_temp.hold('{models:list,models:read,models:update,models:delete}') \g /dev/null
SELECT is(pg_temp.while_taking(
  'models:update', 'nora', 'UPDATE t_part SET id = id + 14 WHERE id = 1'), '0 rows',
  'nor if delete is left');

-- A trigger of the application that moves a row
SELECT pg_temp.hold('{}'), pg_temp.hold_in(
  'alpha', '{models:list,models:read,models:update,models:delete,models:create}') \g /dev/null
CREATE FUNCTION t_move() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN IF NEW.note = 'move' THEN NEW.project_id := 'd0000000-0000-4000-8000-000000000002';
    END IF; RETURN NEW; END $$;
CREATE TRIGGER zzz_move BEFORE UPDATE ON t_note FOR EACH ROW EXECUTE FUNCTION t_move();
CREATE TRIGGER a_move BEFORE UPDATE ON t_several FOR EACH ROW EXECUTE FUNCTION t_move();
CREATE TRIGGER a_move BEFORE UPDATE ON t_part FOR EACH ROW EXECUTE FUNCTION t_move();
CREATE TRIGGER b_move BEFORE INSERT ON t_part FOR EACH ROW EXECUTE FUNCTION t_move();
SELECT is(pg_temp.try('nora', s), wanted, 'threat: a trigger moves a row: ' || s)
  FROM (VALUES ('UPDATE t_note SET note = ''move'' WHERE id = 1', '42501'),
  ('UPDATE t_note SET note = ''stay'' WHERE id = 1', '1 row'),
  ('UPDATE t_several SET note = ''move'' WHERE id = 1', '42501'),
  ('UPDATE t_part SET note = ''move'' WHERE id = 11', '42501'),
  ('UPDATE t_part SET note = ''move'', id = 25 WHERE id = 11', '42501'),
  ('UPDATE t_part SET note = ''stay'', id = 25 WHERE id = 11', '1 row')) AS v (s, wanted);

-- A column that is renamed, one that is added, one that is dropped
ALTER TABLE t_note RENAME project_id TO place;
ALTER TABLE t_part RENAME project_id TO place;
ALTER TABLE t_note DROP COLUMN note;
ALTER TABLE t_note ADD COLUMN note text DEFAULT 'new';
SELECT is(pg_temp.try('nora', s), wanted, 'a renamed column: ' || s)
  FROM (VALUES ('UPDATE t_note SET note = ''x''', '2 rows'), ('DELETE FROM t_note', '2 rows'),
  ('UPDATE t_note SET place = {beta}', '42501'), ('UPDATE t_part SET note = ''x''', '10 rows'),
  ('UPDATE t_part SET place = {beta} WHERE id = 11', '42501'),
  ('UPDATE t_part SET id = 15, place = {beta} WHERE id = 1', '42501'),
  ('DELETE FROM t_part', '10 rows')) AS v (s, wanted);
SELECT pg_temp.hold_in('alpha', '{}'), pg_temp.hold(
  '{models:list,models:read,models:update,models:delete,models:create}') \g /dev/null
SELECT is(pg_temp.while_taking('models:update', 'nora', s), '0 rows',
  'and is asked about again: ' || s) FROM unnest(
  ARRAY['UPDATE t_note SET note = ''x''', 'UPDATE t_part SET note = ''x'' WHERE id = 11',
  'UPDATE t_part SET note = ''x'' WHERE id = 31']) AS s;

-- Whom row security does not concern
SELECT pg_temp.hold('{}'), pg_temp.hold_in(
  'alpha', '{models:list,models:read,models:update,models:delete,models:create}') \g /dev/null
SELECT is(pg_temp.try(NULL, s), wanted, 'a superuser: ' || s)
  FROM (VALUES ('UPDATE t_note SET note = ''x''', '3 rows'),
  ('UPDATE t_part SET note = ''x''', '15 rows'), ('DELETE FROM t_part', '15 rows'),
  ('UPDATE t_part SET id = 15 WHERE id = 1', '1 row'),
  ('UPDATE t_part_order SET note = ''x''', '3 rows'),
  ('UPDATE t_note SET place = {delta}', '3 rows')) AS v (s, wanted);
CREATE ROLE t_batch LOGIN BYPASSRLS IN ROLE t_app;
SELECT is(pg_temp.try('batch', s), wanted, 'a role that bypasses row security: ' || s)
  FROM (VALUES ('UPDATE t_note SET note = ''x''', '3 rows'), ('DELETE FROM t_part', '15 rows'))
  AS v (s, wanted);
CREATE ROLE t_restore LOGIN BYPASSRLS;
GRANT SELECT, UPDATE, DELETE ON t_note, t_part TO t_restore;
SELECT is(pg_temp.try('restore', s), wanted,
  'a role that bypasses row security, and may not execute anything here: ' || s)
  FROM (VALUES ('UPDATE t_note SET note = ''x''', '3 rows'), ('DELETE FROM t_part', '15 rows'))
  AS v (s, wanted);
-- A referential action is the table owner's
CREATE TABLE t_parent (id integer PRIMARY KEY);
INSERT INTO t_parent VALUES (1), (2), (3);
ALTER TABLE t_note ADD FOREIGN KEY (id) REFERENCES t_parent ON UPDATE CASCADE ON DELETE CASCADE;
GRANT SELECT, UPDATE, DELETE ON t_parent TO t_app;
SELECT is(pg_temp.rows(NULL, format('SELECT %L', pg_temp.try('stan', 'DELETE FROM t_parent'))),
  '{"3 rows"}', 'a row of a table that is not protected takes those that refer to it along');

-- When a policy is not there, or is another
SAVEPOINT other;
DROP POLICY seeme_update ON t_note;
CREATE POLICY own ON t_note FOR UPDATE USING (true);
SELECT is(pg_temp.try('nora', 'UPDATE t_note SET note = ''x'''), '0 rows',
  'without its policy nothing is let through');
SELECT is(pg_temp.try(NULL, 'UPDATE t_note SET note = ''x'''), '3 rows', 'but for a superuser');
ROLLBACK TO other;
ALTER POLICY seeme_update ON t_note USING (place IN (SELECT p.id FROM seeme.projects p));
SELECT matches(pg_temp.complaint('nora', 'UPDATE t_note SET note = ''x'''),
  '^0A000: .*seeme_update.*seeme_security_report',
  'a sub-select in it is refused, with what to do');
ROLLBACK TO other;
ALTER POLICY seeme_update ON t_note USING (seeme_has_permission('models:delete', project => place));
SELECT is(pg_temp.while_taking('models:update', 'nora', 'UPDATE t_note SET note = ''x'''), '2 rows',
  'it is the policy that is asked, as it is');
ROLLBACK TO other;

-- Not a function for anything else
CREATE TABLE t_free (id integer);
INSERT INTO t_free VALUES (1);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_free TO t_app;
SELECT is(pg_temp.try(NULL, 'SELECT seeme.recheck_after_lock()'), '39P01', 'it is a trigger function');
SELECT is(pg_temp.try('olga', 'SELECT seeme.recheck_after_lock()'), '42501',
  'that nobody else may execute');
SAVEPOINT free;
CREATE TRIGGER wrong AFTER UPDATE ON t_free FOR EACH ROW EXECUTE FUNCTION seeme.recheck_after_lock();
SELECT is(pg_temp.try(NULL, 'UPDATE t_free SET id = 2'), '39P01', 'not AFTER');
ROLLBACK TO free;
CREATE TRIGGER wrong BEFORE INSERT ON t_free FOR EACH ROW EXECUTE FUNCTION seeme.recheck_after_lock();
SELECT is(pg_temp.try(NULL, 'INSERT INTO t_free VALUES (2)'), '39P01', 'not of INSERT');
ROLLBACK TO free;
CREATE TRIGGER wrong BEFORE UPDATE ON t_free FOR EACH STATEMENT
  EXECUTE FUNCTION seeme.recheck_after_lock();
SELECT is(pg_temp.try(NULL, 'UPDATE t_free SET id = 2'), '39P01', 'not of a statement');
ROLLBACK TO free;
CREATE TRIGGER idle BEFORE UPDATE OR DELETE ON t_free FOR EACH ROW
  EXECUTE FUNCTION seeme.recheck_after_lock();
SELECT is(pg_temp.try('stan', s), '1 row', 'on a table without row security it does nothing: ' || s)
  FROM unnest(ARRAY['UPDATE t_free SET id = 2', 'DELETE FROM t_free']) AS s;

-- Threat: a view whose owner bypasses row security moves no row past the policy
SELECT pg_temp.hold('{}'), pg_temp.hold_in('alpha', '{models:list,models:read,models:update}')
  \g /dev/null
CREATE VIEW t_view AS SELECT * FROM t_note;
GRANT SELECT, UPDATE ON t_view TO t_app;
SELECT is(pg_temp.try('nora', 'UPDATE t_view SET place = {beta} WHERE id = 1'), '42501',
  'threat: a view whose owner bypasses row security: a row is not moved where one may not update');
SELECT is(pg_temp.try('nora', 'UPDATE t_view SET note = ''x'' WHERE id = 1'), '1 row',
  'changed it is');

-- Who may update and not delete moves a row to another partition, also when a trigger of the
-- application does other updates on the way
CREATE FUNCTION t_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.id < 30 THEN UPDATE t_part SET note = 'touched' WHERE id = 43; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER zy_touch BEFORE UPDATE ON t_part FOR EACH ROW EXECUTE FUNCTION t_touch();
SELECT is(
  pg_temp.rows('nora',
  'WITH moved AS (UPDATE t_part SET id = id + 5 WHERE id IN (1, 11) RETURNING id, tableoid) SELECT '
  'id, tableoid::regclass::text FROM moved ORDER BY id'),
  '{6|t_part_same,16|t_part_order}', 'a row stays in its partition');
SELECT is(
  pg_temp.rows('nora',
  'WITH moved AS (UPDATE t_part SET id = id + 14 WHERE id IN (1, 3, 11) RETURNING id, tableoid) '
  'SELECT id, tableoid::regclass::text FROM moved ORDER BY id'),
  '{15|t_part_order,17|t_part_order,25|t_part_dropped}',
  'and goes to another one, while another row is changed within');
SELECT is(pg_temp.try('nora', 'DELETE FROM t_part WHERE id = 1'), '0 rows', 'but is not deleted');
DROP TRIGGER zy_touch ON t_part;

-- Threat: the owner of a protected table gives names and texts to what the extension makes triggers
-- from
CREATE ROLE t_owner LOGIN;
CREATE SCHEMA t_own AUTHORIZATION t_owner;
SET LOCAL ROLE t_owner;
CREATE TABLE t_own.t (id integer, note text, project_id uuid, team_id uuid);
RESET ROLE;
SELECT seeme_protect('t_own.t', 'models', project_column => 'project_id', team_column => 'team_id')
  \g /dev/null
DROP TRIGGER seeme_after_wait ON t_own.t;
SET LOCAL ROLE t_owner;
CREATE FUNCTION t_own.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER seeme_after_wait BEFORE UPDATE ON t_own.t FOR EACH ROW
  WHEN (OLD.note <> ' ON t_own.t FOR EACH ROW') EXECUTE FUNCTION t_own.f();
CREATE TABLE t_own."x'))EXECUTE FUNCTION t_own.f();ALTER ROLE t_owner SUPERUSER--" () INHERITS
  (t_own.t);
RESET ROLE;
SELECT ok(NOT rolsuper, 'threat: an owner becomes superuser by the name of a table that inherits')
  FROM pg_roles WHERE rolname = 't_owner';
SELECT is((SELECT string_agg(t.tgname || ' ' || t.tgfoid::regproc, ', ' ORDER BY t.tgname)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relname LIKE 'x''%'),
  'seeme_after_wait seeme.recheck_after_lock, zz_seeme_check_moved_row seeme.check_moved_row',
  'which has the triggers that it should have');
SET LOCAL ROLE t_owner;
ALTER TABLE t_own.t RENAME team_id TO " ON t_own.t FOR EACH ROW";
RESET ROLE;
DROP TRIGGER zz_seeme_check_moved_row ON
  t_own."x'))EXECUTE FUNCTION t_own.f();ALTER ROLE t_owner SUPERUSER--";
RESET ROLE;
SET LOCAL client_min_messages = error;
SELECT lives_ok('CREATE TABLE t_elsewhere (id integer)',
  'threat: an owner who renames a column keeps everybody from making tables');

-- An owner whom the application's privileges were given first
CREATE ROLE t_maker LOGIN;
SELECT seeme_grant_usage('t_maker') \g /dev/null
CREATE SCHEMA t_made AUTHORIZATION t_maker;
SET LOCAL ROLE t_maker;
CREATE TABLE t_made.t (id integer, project_id uuid) PARTITION BY LIST (id);
RESET ROLE;
SELECT seeme_protect('t_made.t', 'models', project_column => 'project_id') \g /dev/null
SET LOCAL ROLE t_maker;
CREATE TABLE t_made.t_1 PARTITION OF t_made.t FOR VALUES IN (1);
RESET ROLE;
SELECT is((SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE tgrelid = 't_made.t_1'::regclass),
  'seeme_after_wait',
  'the owner of a protected table, who was granted its use before, adds a partition');

SELECT * FROM finish();
ROLLBACK;
