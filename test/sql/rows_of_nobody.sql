\i test/include/prelude.psql
-- seeme_protect tells of rows that name no scope: nobody will see them. It reads no more of a table
-- than it needs, and it never fails.
\set told `psql -XAtq -h :'HOST' -p :PORT -U :USER -d :DBNAME -f test/include/rows_of_nobody_notice.psql 2>&1`
BEGIN;
\i test/include/people.psql
SELECT plan(12);

SELECT matches(:'told'::text, 'all have one:\nfour have none:\n',
  'a table whose rows all have a scope or an owner is told nothing of');
SELECT matches(:'told'::text, 'four have none:\n.*'
  'NOTICE:  4 rows of public.t_comment name no scope, and are nobody''s: ticket_id is null there\n'
  'HINT:  The policies show such rows to nobody\.',
  'rows without a scope are counted, with a hint');
SELECT unalike(:'told'::text, '%runs as a superuser: t%',
  'threat: code of a table''s owner runs with the rights of the superuser who protects the table');

CREATE FUNCTION pg_temp.found(relation regclass, choice jsonb) RETURNS bigint LANGUAGE sql AS $$
  SELECT seeme.rows_of_nobody(jsonb_populate_record(NULL::seeme.protected_tables, choice
    || jsonb_build_object('table_name', relation::oid, 'owner_alone',
                          coalesce(choice -> 'owner_alone', 'true'))))
$$;
CREATE TABLE t_few (id integer, project_id uuid, team_id uuid, owner_id uuid, is_public boolean);
INSERT INTO t_few VALUES (1, :alpha, NULL, NULL, NULL), (2, NULL, :research, NULL, NULL),
  (3, NULL, NULL, :olga, NULL), (4, NULL, NULL, NULL, true), (5, NULL, NULL, NULL, false);
SELECT is(pg_temp.found('t_few', choice), wanted, format('%s rows: %s', wanted, choice))
  FROM (VALUES
  ('{"project_column": "project_id"}'::jsonb, 4::bigint),
  ('{"project_column": "project_id", "team_column": "team_id"}', 3),
  ('{"project_column": "project_id", "team_column": "team_id", "owner_column": "owner_id"}', 2),
  ('{"project_column": "project_id", "team_column": "team_id", "owner_column": "owner_id",
     "owner_alone": false}', 3),
  ('{"project_column": "project_id", "team_column": "team_id", "owner_column": "owner_id",
     "public_column": "is_public"}', 1)) AS v (choice, wanted);
CREATE TABLE t_many AS SELECT n AS id, NULL::uuid AS project_id FROM generate_series(1, 3000) AS n;
SELECT is(pg_temp.found('t_many', '{"project_column": "project_id"}'), 1000::bigint,
  'it counts to 1,000');
CREATE INDEX ON t_many (project_id);
SELECT is(pg_temp.found('t_many', '{"project_column": "project_id"}'), 1000::bigint,
  'by an index, too');
ALTER TABLE t_few ADD COLUMN home uuid NOT NULL DEFAULT gen_random_uuid();
SELECT is(pg_temp.found('t_few', '{"organization_column": "home"}'), 0::bigint,
  'a column that is NOT NULL is in every row');
-- A foreign table among the partitions
CREATE FOREIGN DATA WRAPPER t_wrapper;
CREATE SERVER t_server FOREIGN DATA WRAPPER t_wrapper;
CREATE TABLE t_parts (id integer, project_id uuid) PARTITION BY LIST (id);
CREATE FOREIGN TABLE t_far PARTITION OF t_parts FOR VALUES IN (1) SERVER t_server;
SELECT is(pg_temp.found('t_parts', '{"project_column": "project_id"}'), 0::bigint,
  'a foreign table is not read');

SELECT * FROM finish();
ROLLBACK;
