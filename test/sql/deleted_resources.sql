\i test/include/prelude.psql
-- Rows that are assigned to no project are deleted and renamed without a function in PL/pgSQL for
-- each of them. The assignments of others follow, also where a partition has its columns in another
-- order.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(10);
SET LOCAL track_functions = 'pl';
CREATE FUNCTION pg_temp.followed() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_xact_user_functions
   WHERE schemaname = 'seeme' AND funcname LIKE 'follow%resource'
$$;
CREATE FUNCTION pg_temp.model(n integer) RETURNS uuid LANGUAGE sql
AS $$ SELECT md5(n::text)::uuid $$;
CREATE FUNCTION pg_temp.assigned() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(string_agg(coalesce(resource_name, 'null'), ',' ORDER BY resource_name), 'none')
    FROM seeme.project_resources
$$;

CREATE TABLE models (id uuid PRIMARY KEY, name text, n integer);
SELECT seeme_protect('models', 'models', resource_id_column => 'id') \g /dev/null
INSERT INTO models SELECT pg_temp.model(n), 'model ' || n, n FROM generate_series(1, 100) AS n;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  SELECT :alpha, 'model', pg_temp.model(n) FROM generate_series(1, 3) AS n;
SELECT is(pg_temp.assigned(), 'model 1,model 2,model 3', 'three of a hundred models are assigned');

DELETE FROM models WHERE n BETWEEN 51 AND 100;
UPDATE models SET name = 'renamed ' || n WHERE n BETWEEN 11 AND 50;
SELECT is(pg_temp.followed(), 0::bigint, 'nothing follows models that are not assigned');
UPDATE models SET name = 'renamed ' || n WHERE n = 2;
SELECT is(pg_temp.assigned(), 'model 1,model 3,renamed 2', 'a name follows its model');
UPDATE models SET id = pg_temp.model(1003) WHERE n = 3;
SELECT is(pg_temp.assigned(), 'model 1,renamed 2',
  'a model that gets another id is assigned no more');
DELETE FROM models WHERE n <= 2;
SELECT is(pg_temp.assigned(), 'none', 'threat: an assignment outlives its model');
SELECT is(pg_temp.followed(), 4::bigint, 'one call followed each of the four changes');

-- Taken back first: then it is a released resource, whose record follows, too
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'model', pg_temp.model(20));
DELETE FROM seeme.project_resources;
DELETE FROM models WHERE n = 20;
SELECT is((SELECT count(*) FROM seeme.released_resources), 0::bigint,
  'the record of a released model goes with the model');

-- A trigger that comes first and names another column
ALTER TABLE models ADD COLUMN other uuid;
CREATE TRIGGER a_first AFTER UPDATE OF other ON models FOR EACH ROW
  EXECUTE FUNCTION seeme.follow_resource('model');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'model', pg_temp.model(30));
DELETE FROM models WHERE n = 30;
SELECT is(pg_temp.assigned(), 'none',
  'threat: a trigger of the table''s owner says which column has the ids');

-- A partition with its columns in another order
CREATE TABLE datasets (id uuid, name text, n integer) PARTITION BY RANGE (n);
CREATE TABLE datasets_1 (gone integer, n integer, name text, other uuid, id uuid);
ALTER TABLE datasets_1 DROP COLUMN gone, DROP COLUMN other;
ALTER TABLE datasets ATTACH PARTITION datasets_1 FOR VALUES FROM (0) TO (1000);
SELECT seeme_protect('datasets', 'datasets', resource_id_column => 'id') \g /dev/null
INSERT INTO datasets SELECT pg_temp.model(n), 'dataset ' || n, n FROM generate_series(1, 20) AS n;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  SELECT :alpha, 'dataset', pg_temp.model(n) FROM generate_series(1, 3) AS n;
DELETE FROM datasets WHERE n IN (1, 10, 11);
DELETE FROM datasets_1 WHERE n IN (2, 12);
SELECT is(pg_temp.assigned(), 'dataset 3', 'assignments follow the rows of partitions');
TRUNCATE datasets;
SELECT is(pg_temp.assigned(), 'none', 'assignments follow TRUNCATE');
SELECT * FROM finish();
ROLLBACK;
