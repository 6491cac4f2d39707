\i test/include/prelude.psql
-- Several protected tables may hold rows of one type of resource. Whoever may put a row into one of
-- them, under whatever id, gains nothing on what another one holds under that id: Oscar, who owns
-- another organization, knows the ids of Acme's models.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(16);

CREATE TABLE t_first (id uuid PRIMARY KEY, project_id uuid, name text, secret text);
CREATE TABLE t_second (id uuid PRIMARY KEY, project_id uuid, owner_id uuid, name text, other uuid,
  other_name text);
INSERT INTO thing SELECT 'x' || n, (
  'f1000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid
  FROM generate_series(1, 9) AS n;
INSERT INTO t_first SELECT pg_temp.id('x' || n), :alpha, 'Plan ' || n,
  'secret' FROM generate_series(1, 4) AS n;
INSERT INTO t_second VALUES (pg_temp.id('x4'), :alpha, NULL, 'Plan 4'),
  (pg_temp.id('x5'), :delta, NULL, 'Oscar''s');
SELECT seeme_protect('t_first', 'models', project_column => 'project_id',
  resource_id_column => 'id') \g /dev/null
SELECT seeme_protect('t_second', 'models', project_column => 'project_id',
  owner_column => 'owner_id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_first, t_second TO t_app;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:gamma, 'model', pg_temp.id('x2'));
CREATE FUNCTION pg_temp.assigning(resource text, project text) RETURNS text LANGUAGE sql AS $$
  SELECT format(
    'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES '
    '({%s}, ''model'', {%s}) RETURNING resource_name', project, resource) $$;
CREATE FUNCTION pg_temp.name_of(resource text) RETURNS text LANGUAGE sql AS $$
  SELECT format(
    'SELECT string_agg(concat(resource_name), '', '') FROM seeme.project_resources WHERE '
    'resource_id = {%s}', resource) $$;

-- What is meant to be
SELECT is(pg_temp.rows('oscar', pg_temp.assigning('x5', 'delta')), '{Oscar''s}',
  'a row of one table decides about its resource');
SELECT is(pg_temp.rows('adam', pg_temp.assigning('x4', 'gamma')), '{"Plan 4"}',
  'rows of two do where both allow it');
SELECT is(pg_temp.rows('adam', pg_temp.assigning('x1', 'gamma')), '{"Plan 1"}',
  'a table without a row of it has no say');
SELECT is(pg_temp.rows('oscar', 'SELECT count(*) FROM t_first'), '{0}',
  'Oscar sees nothing of Acme''s');

-- A row of one's own under somebody else's id
SELECT is(pg_temp.rows('oscar', 'INSERT INTO t_second VALUES ({x1}, {delta}, NULL, ''zzz'')',
  pg_temp.assigning('x1', 'delta')), '{42501}',
  'threat: sharing with oneself what another table holds, by a row in one''s own project');
SELECT is(pg_temp.rows('oscar', 'INSERT INTO t_second VALUES ({x2}, {delta}, NULL, ''zzz'')',
  pg_temp.assigning('x2', 'delta')), '{42501}',
  'threat: or what is assigned already');
SELECT is(pg_temp.rows('oscar', 'INSERT INTO t_second VALUES ({x9}, {delta}, {oscar}, ''zzz'')',
  'UPDATE t_second SET id = {x2} WHERE id = {x9}', pg_temp.assigning('x2', 'delta')), '{42501}',
  'threat: or by owning a row, and giving it that id');
SELECT is(pg_temp.rows('oscar', 'INSERT INTO t_second VALUES ({x1}, {delta}, NULL, ''AAA'')',
  pg_temp.assigning('x1', 'delta'), 'DELETE FROM t_second WHERE id = {x1}',
  'SELECT resource_name FROM seeme.project_resources'), '{42501}',
  'threat: learning its name by deleting the row again');
SELECT is(pg_temp.rows('oscar', 'INSERT INTO t_second VALUES ({x2}, {delta}, NULL, ''AAA'')',
  'UPDATE t_second SET name = ''renamed'' WHERE id = {x2}', 'SELECT pg_temp.become(NULL)',
  pg_temp.name_of('x2')), '{"Plan 2"}',
  'threat: renaming what another organization has assigned');
SELECT is(pg_temp.rows('oscar', 'INSERT INTO t_second VALUES ({x2}, {delta}, NULL, ''AAA'')',
  'DELETE FROM t_second WHERE id = {x2}', 'SELECT pg_temp.become(NULL)', pg_temp.name_of('x2')),
  '{"Plan 2"}',
  'threat: or having it forgotten');
SELECT is(pg_temp.rows('adam', 'UPDATE t_first SET name = ''Plan B'' WHERE id = {x2}',
  'SELECT pg_temp.become(NULL)', pg_temp.name_of('x2')), '{"Plan B"}', 'who may rename it does');
SELECT is(pg_temp.rows('oscar', 'UPDATE t_second SET name = ''Still Oscar''''s'' WHERE id = {x5}',
  pg_temp.assigning('x5', 'delta')), '{"Still Oscar''s"}', 'and Oscar what is his');

-- The trigger function, hung on one's own protected table with other columns
CREATE TRIGGER mine AFTER UPDATE OR DELETE ON t_second FOR EACH ROW
  EXECUTE FUNCTION seeme.follow_resource('model', 'other', 'other_name');
SELECT is(
  pg_temp.rows('oscar',
  'UPDATE t_second SET other = {x2}, other_name = ''renamed'' WHERE id = {x5}',
  'SELECT pg_temp.become(NULL)', pg_temp.name_of('x2')), '{"Plan 2"}',
  'threat: a trigger of the table''s owner with other columns names nothing');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  VALUES (:gamma, 'model', pg_temp.id('x8'), 'Without a row');
SELECT is(pg_temp.rows('oscar', 'UPDATE t_second SET other = {x8} WHERE id = {x5}',
  'UPDATE t_second SET other = NULL WHERE id = {x5}', 'DELETE FROM t_second WHERE id = {x5}',
  'SELECT pg_temp.become(NULL)', pg_temp.name_of('x8')), '{"Without a row"}',
  'threat: and has nothing forgotten');
SELECT is(pg_temp.rows(NULL, 'DELETE FROM t_first WHERE id = {x2}', pg_temp.name_of('x2')),
  '{"null"}', 'a row that is gone is forgotten');

-- Several rows of one table, where its ids are not unique. Of a row that belongs to nobody the
-- condition is null, not false.
CREATE TABLE t_loose (id uuid, project_id uuid, owner_id uuid);
INSERT INTO t_loose VALUES (pg_temp.id('x6'), :alpha, NULL);
SELECT seeme_protect('t_loose', 'datasets', project_column => 'project_id',
  owner_column => 'owner_id', resource_id_column => 'id') \g /dev/null
GRANT SELECT, INSERT ON t_loose TO t_app;
SELECT is(pg_temp.rows('oscar', 'INSERT INTO t_loose VALUES ({x6}, {delta}, NULL)',
  'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES '
  '({delta}, ''dataset'', {x6})', 'SELECT count(*) FROM t_loose'), '{42501}',
  'threat: sharing a row by another one of the same id');

SELECT * FROM finish();
ROLLBACK;
