\i test/include/prelude.psql
-- The name of an assigned resource: that of the protected table's row where there is one, and
-- follows it; else as it was given.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(59);

CREATE TABLE t_model (id uuid PRIMARY KEY, project_id uuid, owner_id uuid, name text);
CREATE TABLE t_paper (id uuid PRIMARY KEY, project_id uuid, title varchar(100));
CREATE TABLE t_both (id uuid PRIMARY KEY, project_id uuid, title text, name text);
CREATE TABLE t_number (id uuid PRIMARY KEY, project_id uuid, name integer);
CREATE TABLE t_keyed (n integer PRIMARY KEY, thing uuid, project_id uuid, name text);
CREATE TABLE t_none (id uuid PRIMARY KEY, project_id uuid, label text);
INSERT INTO thing SELECT 'x' || n, (
  'f1000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid
  FROM generate_series(1, 24) AS n;
INSERT INTO t_model VALUES (pg_temp.id('x1'), :alpha, NULL, 'First'),
  (pg_temp.id('x2'), :alpha, :vera, 'Second'), (pg_temp.id('x3'), :alpha, NULL, NULL);
INSERT INTO t_paper VALUES (pg_temp.id('x5'), :alpha, 'On naming');
INSERT INTO t_both VALUES (pg_temp.id('x6'), :alpha, 'Title', 'Name');
INSERT INTO t_number VALUES (pg_temp.id('x7'), :alpha, 7);
INSERT INTO t_keyed VALUES (1, pg_temp.id('x8'), :alpha, 'By its own column');
INSERT INTO t_none VALUES (pg_temp.id('x9'), :alpha, 'Label');
GRANT SELECT, INSERT, UPDATE, DELETE ON t_model, t_paper, t_both, t_number, t_keyed,
  t_none TO t_app;

CREATE FUNCTION pg_temp.name_of(
  resource text, project uuid = 'd0000000-0000-4000-8000-000000000001') RETURNS text
  LANGUAGE sql AS $$
  SELECT coalesce(resource_name, 'null') FROM seeme.project_resources
    WHERE resource_id = pg_temp.id(resource) AND project_id = project $$;
CREATE FUNCTION pg_temp.assign(
  type text, resource text, given text, project uuid = 'd0000000-0000-4000-8000-000000000001')
  RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
    VALUES (project, type, pg_temp.id(resource), given);
  RETURN pg_temp.name_of(resource, project);
END $$;

-- Where no table is protected, as it is given
SELECT is(pg_temp.assign('model', 'x1', 'As given'), 'As given',
  'without a protected table a name is as it is given');
SELECT is(pg_temp.assign('model', 'x3', NULL), 'null', 'or is not');
SELECT is(pg_temp.assign('model', 'x4', 'Of no row'), 'Of no row', 'whether or not there is a row');
UPDATE t_model SET name = 'First renamed' WHERE id = pg_temp.id('x1');
SELECT is(pg_temp.name_of('x1'), 'As given', 'and does not follow one');
SELECT is(pg_temp.try(NULL, format(
  'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name) '
  'VALUES ({alpha}, ''graph'', {x10}, %L)', repeat('x', 1001))), '22001',
  'a name that is too long is refused');

-- At protecting
SELECT seeme_protect('t_model', 'models', project_column => 'project_id',
  owner_column => 'owner_id') \g /dev/null
SELECT is(pg_temp.name_of('x1'), 'First renamed',
  'protecting the table names what is assigned already');
SELECT is(pg_temp.name_of('x3'), 'null', 'a row whose name is null leaves the assignment''s');
SELECT is(pg_temp.name_of('x4'), 'Of no row', 'one without a row stays as given');
SELECT is(
  pg_temp.rows(NULL,
  'SELECT count(*) FROM seeme.protected_tables WHERE table_name = ''t_model''::regclass'), '{1}',
  'once it is protected');

-- At assignment
SELECT is(pg_temp.assign('model', 'x2', NULL), 'Second', 'an assignment takes the row''s name');
SELECT is(pg_temp.assign('model', 'x2', 'Something else', :beta), 'Second', 'whatever is given');
SELECT is(pg_temp.assign('model', 'x11', 'Not there yet'), 'Not there yet',
  'without a row it is as given');
SELECT is(pg_temp.assign('model', 'x3', 'Unnamed', :beta), 'Unnamed',
  'and with a row that has no name');
SELECT is(pg_temp.assign('dataset', 'x1', 'A dataset of that id', :beta), 'A dataset of that id',
  'a resource of another type is not that row');
SELECT is(pg_temp.assign('model', 'x1', NULL, :gamma), 'First renamed', 'in another project, too');

-- At rename
UPDATE t_model SET name = 'Second renamed' WHERE id = pg_temp.id('x2');
SELECT is(pg_temp.name_of('x2') || ', ' || pg_temp.name_of('x2', :beta),
  'Second renamed, Second renamed', 'a rename is followed in every project');
UPDATE t_model SET name = 'All' WHERE project_id = :alpha;
SELECT is(
  pg_temp.rows(NULL, $$SELECT DISTINCT resource_name FROM seeme.project_resources
    WHERE resource_type = 'model' AND resource_id IN ({x1}, {x2}, {x3})$$), '{All}',
    'of many rows at once, too');
SELECT is(pg_temp.name_of('x1', :beta), 'A dataset of that id',
  'not by resources of another type with the same id');
UPDATE t_model SET name = repeat('ä', 3000) WHERE id = pg_temp.id('x2');
SELECT is(pg_temp.name_of('x2'), repeat('ä', 1000), 'a name that is too long is cut');
UPDATE t_model SET name = 'First' WHERE id = pg_temp.id('x1');
UPDATE t_model SET owner_id = :vera, name = 'Second' WHERE id = pg_temp.id('x2');
SELECT is(pg_temp.rows(NULL, 'UPDATE t_model SET name = ''Changed by a trigger'' WHERE id = {x1}',
  $$SELECT resource_name FROM seeme.project_resources WHERE resource_type = 'model'
    AND resource_id = {x1} AND project_id = {gamma}$$), '{"Changed by a trigger"}',
    'a rename by privileged code');
SELECT is(pg_temp.rows('edith', 'UPDATE t_model SET name = ''By edith'' WHERE id = {x1}',
  'SELECT pg_temp.become(NULL)', $$SELECT DISTINCT resource_name FROM seeme.project_resources
    WHERE resource_type = 'model' AND resource_id = {x1}$$), '{"By edith"}',
    'a rename by somebody who may rename the row and no project');
SELECT is(pg_temp.rows('vera', 'UPDATE t_model SET name = ''By vera'' WHERE id = {x2}',
  'SELECT pg_temp.become(NULL)', $$SELECT DISTINCT resource_name FROM seeme.project_resources
    WHERE resource_type = 'model' AND resource_id = {x2}$$), '{"By vera"}', 'or who owns it');
SELECT is(pg_temp.rows('edith', 'INSERT INTO t_model VALUES ({x11}, {gamma}, NULL, ''It came'')',
  'SELECT pg_temp.become(NULL)',
  'SELECT resource_name FROM seeme.project_resources WHERE resource_id = {x11}'),
  '{"Not there yet"}', 'a row that is added later: the assignment is as given until it is renamed');
SELECT is(pg_temp.rows(NULL, 'UPDATE t_model SET name = NULL WHERE id = {x1}',
  $$SELECT count(*) FROM seeme.project_resources WHERE resource_type = 'model'
    AND resource_id = {x1} AND resource_name = 'First'$$), '{0}',
    'a row that loses its name does not leave the old one standing');
SELECT is(pg_temp.rows(NULL, 'UPDATE t_model SET id = {x12} WHERE id = {x1}',
  $$SELECT count(*) FROM seeme.project_resources WHERE resource_id = {x12}$$), '{0}',
  'a row that gets another id takes no assignment along');
SELECT is(pg_temp.rows(NULL, 'UPDATE t_model SET id = {x4}, name = ''Both'' WHERE id = {x1}',
  $$SELECT resource_name FROM seeme.project_resources WHERE resource_id = {x4}$$), '{Both}',
  'a row that gets another id and name names what is assigned by that id');
SELECT is(
  pg_temp.rows('mike',
  'SELECT resource_name FROM seeme.project_resources WHERE resource_id = {x2} AND project_id = '
  '{alpha}'), '{Second}', 'what members read');

-- Threats
SELECT is(
  pg_temp.rows('adam',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
    VALUES ({beta}, 'model', {x1}, 'Approved') RETURNING resource_name$$), '{First}',
      'threat: assigning a resource under a false name');
SELECT is(pg_temp.try('adam', $$UPDATE seeme.project_resources SET resource_name = 'Approved'$$),
  '42501', 'threat: writing the name of an assignment');
SELECT is(pg_temp.rows('vera', 'UPDATE t_model SET name = ''Mine'' WHERE id = {x1}',
  'SELECT pg_temp.become(NULL)', $$SELECT DISTINCT resource_name FROM seeme.project_resources
    WHERE resource_type = 'model' AND resource_id = {x1}$$), '{First}',
    'threat: renaming by somebody who may not change the row');
SELECT ok(
  pg_temp.try('oscar',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({delta}, 'model', {x1}) RETURNING resource_name$$) = '42501',
      'threat: learning the name of another organization''s resource by assigning it');
SELECT is(
  pg_temp.complaint('oscar',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({delta}, 'model', {x1})$$), pg_temp.complaint(
      'oscar', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
        VALUES ({delta}, 'model', {x20})$$), 'threat: or whether there is one');
SELECT is(pg_temp.rows('adam', $$SELECT seeme.name_of_resource('model', {x1})$$), '{42501}',
  'threat: by the function that looks it up');
SELECT is(pg_temp.rows('adam', $$SELECT seeme.text_of_row('t_model', 'id', {x1}, 'name')$$),
  '{42501}', 'threat: or the one below it');
CREATE TABLE t_trap (id uuid PRIMARY KEY, name text);
INSERT INTO t_trap VALUES (pg_temp.id('x1'), 'Safe');
GRANT ALL ON t_trap TO t_app;
SELECT is(
  pg_temp.try(NULL, $$CREATE TRIGGER x AFTER UPDATE ON t_trap FOR EACH ROW
    EXECUTE FUNCTION seeme.follow_resource('model', 'id', 'name')$$), '0 rows',
      'the trigger on a table of somebody''s');
SELECT is(
  pg_temp.rows(NULL, $$CREATE TRIGGER x AFTER UPDATE ON t_trap FOR EACH ROW
    EXECUTE FUNCTION seeme.follow_resource('model', 'id', 'name')$$,
      $$UPDATE t_trap SET name = 'Approved'$$,
      $$SELECT DISTINCT resource_name FROM seeme.project_resources WHERE resource_type = 'model'
        AND resource_id = {x1}$$), '{First}', 'threat: renames nothing that is not that table''s');
SELECT is(pg_temp.rows(NULL, 'GRANT CREATE ON SCHEMA public TO t_edith',
  $$SELECT pg_temp.become('edith')$$, 'CREATE TABLE public.t_own (id uuid PRIMARY KEY, name text)',
  $$CREATE TRIGGER x AFTER UPDATE ON public.t_own FOR EACH ROW
    EXECUTE FUNCTION seeme.follow_resource('model', 'id', 'name')$$, 'SELECT 1'), '{42501}',
      'threat: nor may an application''s role put it there');

-- Which column
SELECT is(pg_temp.assign('dataset', 'x5', 'Given'), 'Given', 'before the table is protected');
SELECT seeme_protect('t_paper', 'datasets', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.name_of('x5'), 'On naming', 'a table with a title and no name: the title');
UPDATE t_paper SET title = 'On renaming' WHERE id = pg_temp.id('x5');
SELECT is(pg_temp.name_of('x5'), 'On renaming', 'which is followed');
SELECT seeme_protect('t_both', 'workflows', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.assign('workflow', 'x6', NULL), 'Name', 'a table with both: the name');
UPDATE t_both SET title = 'Other title' WHERE id = pg_temp.id('x6');
SELECT is(pg_temp.name_of('x6'), 'Name', 'which a new title does not change');
SELECT seeme_protect('t_number', 'graphs', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.assign('graph', 'x7', 'Given'), 'Given', 'a name that is no text does not count');
UPDATE t_number SET name = 8 WHERE id = pg_temp.id('x7');
SELECT is(pg_temp.name_of('x7'), 'Given', 'nor is it followed');
SELECT seeme_protect('t_keyed', 't_widgets', project_column => 'project_id',
  resource_id_column => 'thing') \g /dev/null
SELECT is(pg_temp.assign('t_widget', 'x8', NULL), 'By its own column',
  'a registered type, by its resource_id_column');
UPDATE t_keyed SET name = 'Renamed' WHERE n = 1;
SELECT is(pg_temp.name_of('x8'), 'Renamed', 'is followed by it');
SELECT seeme_protect('t_none', 't_gadgets', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.assign('t_gadget', 'x9', 'Given'), 'Given', 'a table without either: as given');

-- At the end
SELECT is(pg_temp.rows(NULL, 'DELETE FROM t_model WHERE id = {x1}',
  $$SELECT count(*) FROM seeme.project_resources WHERE resource_type = 'model'
    AND resource_id = {x1}$$), '{0}', 'an assignment goes with its row');
SELECT seeme_unprotect('t_model') \g /dev/null
SELECT is(pg_temp.name_of('x1', :gamma), 'First', 'unprotecting the table leaves the name');
UPDATE t_model SET name = 'Changed since' WHERE id = pg_temp.id('x1');
SELECT is(pg_temp.name_of('x1', :gamma), 'First', 'which is not followed any more');
SELECT is(pg_temp.assign('model', 'x13', 'Given'), 'Given', 'and is as given');
SELECT is((SELECT count(*)::int FROM pg_trigger WHERE tgrelid = 't_model'::regclass
  AND NOT tgisinternal), 0, 'no trigger is left');
SELECT is(pg_temp.try(NULL, 'ALTER TABLE t_paper DROP COLUMN title'), '0 rows',
  'a name column may be dropped');
SELECT is(pg_temp.rows(NULL, 'ALTER TABLE t_paper DROP COLUMN title',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
    VALUES ({beta}, 'dataset', {x5}, 'Given') RETURNING resource_name$$), '{Given}',
      'without it: as given');

-- A partitioned table
CREATE TABLE t_parted (id uuid, project_id uuid, name text, PRIMARY KEY (id)) PARTITION BY HASH
  (id);
CREATE TABLE t_parted_0 PARTITION OF t_parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE t_parted_1 PARTITION OF t_parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO t_parted SELECT pg_temp.id('x' || n), :alpha,
  'part ' || n FROM generate_series(14, 19) AS n;
SELECT pg_temp.assign('model', 'x' || n, 'Given') FROM generate_series(14, 16) AS n \g /dev/null
SELECT seeme_protect('t_parted', 'models', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.name_of('x14') || ', ' || pg_temp.assign('model', 'x17', NULL),
  'part 14, part 17', 'a partitioned table names at protecting and at assignment');
UPDATE t_parted SET name = 'new ' || name;
SELECT is(
  pg_temp.rows(NULL, $$SELECT string_agg(resource_name, ', ' ORDER BY resource_name)
    FROM seeme.project_resources WHERE resource_id IN ({x14}, {x15}, {x16}, {x17})$$),
    '{"new part 14, new part 15, new part 16, new part 17"}', 'and at rename');
-- A row that moves to another partition is deleted there and inserted here.
CREATE TABLE t_moved (id uuid NOT NULL, project_id uuid, name text, year int) PARTITION BY LIST
  (year);
CREATE TABLE t_moved_1 PARTITION OF t_moved FOR VALUES IN (1);
CREATE TABLE t_moved_2 PARTITION OF t_moved FOR VALUES IN (2);
INSERT INTO t_moved SELECT pg_temp.id('x' || n), :alpha, 'row ' || n,
  1 FROM generate_series(20, 22) AS n;
SELECT seeme_protect('t_moved', 'models', project_column => 'project_id',
  resource_id_column => 'id') \g /dev/null
SELECT pg_temp.assign('model', 'x' || n, NULL) FROM generate_series(20, 22) AS n \g /dev/null
UPDATE t_moved SET year = 2, name = 'moved ' || name WHERE id <> pg_temp.id('x22');
SELECT is(pg_temp.name_of('x20') || ', ' || pg_temp.name_of('x21') || ', '
  || pg_temp.name_of('x22'), 'moved row 20, moved row 21, row 22',
  'a row that moves to another partition takes its new name along');
UPDATE t_moved SET year = 1 WHERE id = pg_temp.id('x20');
SELECT is(pg_temp.name_of('x20'), 'moved row 20', 'and keeps it when it moves back');
UPDATE t_moved SET year = 3 - year, id = pg_temp.id('x23') WHERE id = pg_temp.id('x21');
SELECT is(pg_temp.name_of('x21'), NULL, 'one that has another id there is another resource');

SELECT * FROM finish();
ROLLBACK;
