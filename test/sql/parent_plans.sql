\i test/include/prelude.psql
-- How children are read: by the permitted parents and an index where little is visible, in blocks
-- where much is.
BEGIN;
\i test/include/people.psql
SELECT plan(6);
SET LOCAL max_parallel_workers_per_gather = 0;
INSERT INTO seeme.projects (id, organization_id, name, slug)
  SELECT ('d2000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme, 'P' || n, 'p-' || n
    FROM generate_series(1, 100) AS n;
CREATE TABLE tickets (id integer PRIMARY KEY, project_id uuid);
CREATE TABLE comments (id integer PRIMARY KEY, ticket_id integer REFERENCES tickets, body text);
INSERT INTO tickets
  SELECT n, CASE WHEN n % 100 = 0 THEN :alpha
                 ELSE ('d2000000-0000-4000-8000-' || lpad(to_hex(n % 100), 12, '0')) END::uuid
    FROM generate_series(1, 2000) AS n;
INSERT INTO comments
  SELECT n, 1 + n * 7 % 2000, repeat('x', 100) FROM generate_series(1, 20000) AS n;
CREATE INDEX ON tickets (project_id);
CREATE INDEX ON comments (ticket_id);
ANALYZE tickets; ANALYZE comments;
SELECT seeme_protect('tickets', 'datasets', project_column => 'project_id'),
       seeme_protect('comments', 'models', parent_column => 'ticket_id') \g /dev/null
GRANT SELECT ON tickets, comments TO t_app;

CREATE FUNCTION pg_temp.plan_of(person text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  plan text := '';
BEGIN
  PERFORM pg_temp.become(person);
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    plan := plan || line || E'\n';
  END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN plan;
END $$;
SELECT matches(pg_temp.plan_of('paul', 'SELECT count(body) FROM comments'),
  'Index Cond: \(ticket_id = ANY \(seeme\.permitted_parents\(', 'a narrow person''s by an index');
SELECT doesnt_match(pg_temp.plan_of('paul', 'SELECT count(body) FROM comments'),
  'Filter: seeme\.parent_has_permission', 'which proves the rows');
SELECT matches(pg_temp.plan_of('olga', 'SELECT count(body) FROM comments'),
  'Permission Scan', 'a wide person''s in blocks');
SELECT matches(pg_temp.plan_of('paul', 'SELECT body FROM comments WHERE id = 5'),
  'Index Scan using comments_pkey.*Filter: seeme\.parent_has_permission',
  'a single row by its key');
SELECT pg_temp.become('paul') \g /dev/null
SELECT is((SELECT count(*) FROM comments), 200::bigint, 'a narrow person sees them');
SELECT pg_temp.become('olga') \g /dev/null
SELECT is((SELECT count(*) FROM comments), 20000::bigint, 'and a wide one');
SELECT * FROM finish();
ROLLBACK;
