\i test/include/prelude.psql
-- What a planner's estimate may cost, and how long it may be wrong.
BEGIN;
\i test/include/people.psql
SELECT plan(6);

CREATE FUNCTION pg_temp.rows_of(who text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  PERFORM pg_temp.become(who);
  EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM t_row' INTO plan;
  PERFORM pg_temp.become(NULL);
  RETURN plan -> 0 -> 'Plan' -> 'Plan Rows';
END $$;
-- The entries of the indexes of seeme.projects that this transaction has read.
CREATE FUNCTION pg_temp.entries_read() RETURNS bigint LANGUAGE sql AS $$
  SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid))::bigint FROM pg_index
   WHERE indrelid = 'seeme.projects'::regclass $$;

-- Paul sees Alpha, which has a tenth of the rows.
CREATE TABLE t_row (id integer, project_id uuid) WITH (fillfactor = 30);
INSERT INTO t_row
SELECT n, CASE WHEN n % 10 = 0 THEN :alpha ELSE :beta END::uuid FROM generate_series(1, 10000) AS n;
SELECT seeme_protect('t_row', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_row TO t_app;
ANALYZE t_row;
SELECT is(pg_temp.rows_of('paul'), 1000::numeric, 'a tenth of the rows is estimated');
SET LOCAL session_replication_role = replica;
UPDATE t_row SET project_id = CASE WHEN project_id = :alpha THEN :beta ELSE :alpha END::uuid;
SET LOCAL session_replication_role = origin;
SELECT relpages AS pages, reltuples AS tuples FROM pg_class WHERE oid = 't_row'::regclass \gset
ANALYZE t_row;
SELECT is((SELECT (relpages, reltuples)::text FROM pg_class WHERE oid = 't_row'::regclass),
  (:pages, :tuples::real)::text, 'the table has the same size as before');
SELECT is(pg_temp.rows_of('paul'), 9000::numeric,
  'new statistics of a table of the same size count at once');

-- Tess is in team Research, which gets 12,000 projects.
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
SELECT md5('project' || n)::uuid, :acme, :research, 'P' || n, 'p-' || n
  FROM generate_series(1, 12000) AS n;
SET LOCAL session_replication_role = origin;
UPDATE seeme.memberships SET updated_at = now() WHERE user_id = :tess;
UPDATE seeme.projects SET updated_at = now() WHERE id = :alpha;
SELECT pg_temp.entries_read() AS before \gset
SELECT pg_temp.rows_of('tess') > 0 AS is_estimated \gset
SELECT cmp_ok(pg_temp.entries_read() - :before, '<', 10000::bigint,
  'planning for a member of a huge team does not read all of its projects');
SELECT pg_temp.become('tess');
SELECT cardinality(seeme_permitted_projects('models:read')) AS projects,
       seeme_permitted_teams('models:read')::text AS teams \gset
SELECT pg_temp.become(NULL);
SELECT is(:projects, 12001, 'they see all of them');
SELECT is(:'teams', ARRAY[:research]::text, 'and the team');

SELECT * FROM finish();
ROLLBACK;
