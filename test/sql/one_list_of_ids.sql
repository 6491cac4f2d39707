\i test/include/prelude.psql
-- UPDATE and DELETE are under two policies, each of which has a list of permitted ids. One of the
-- lists is an index condition. Of two arrays for one column, PostgreSQL before 17 would search the
-- index for each pair of their elements: 30,000 parents took 25 seconds.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(8);

CREATE TABLE tickets (id integer PRIMARY KEY, project_id uuid, value integer);
CREATE TABLE comments (id integer PRIMARY KEY, ticket_id integer REFERENCES tickets,
  value integer);
CREATE INDEX ON tickets (project_id);
CREATE INDEX ON comments (ticket_id);
INSERT INTO seeme.projects (id, organization_id, name, slug)
  SELECT md5(n::text)::uuid, :acme, n::text, 'p' || n FROM generate_series(1, 1000) AS n;
INSERT INTO tickets SELECT n, md5((n % 1000 + 1)::text)::uuid, 0 FROM generate_series(1, 5000) AS n;
INSERT INTO comments SELECT n, n % 5000 + 1, 0 FROM generate_series(1, 20000) AS n;
ANALYZE tickets; ANALYZE comments;
SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id'),
       seeme_protect('comments', 'comments', parent_column => 'ticket_id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON tickets, comments TO t_app;
-- nora may read in twenty projects, and write in ten of them
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-000000000011', :acme, 'Reads', '{tickets:read,comments:read}'),
  ('e0000000-0000-4000-8000-000000000012', :acme, 'Writes', '{tickets:*,comments:*}');
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT :acme, md5(n::text)::uuid, :nora,
         ('e0000000-0000-4000-8000-00000000001' || (1 + n % 2))::uuid
    FROM generate_series(1, 20) AS n;

CREATE FUNCTION pg_temp.lists(statement text) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM regexp_matches(
    array_to_string(pg_temp.rows('nora', 'EXPLAIN (COSTS OFF) ' || statement), E'\n'),
    'ANY \(seeme\S*permitted_', 'g')
$$;
SELECT is(pg_temp.lists('UPDATE tickets SET value = value + 1 WHERE value = 0'), 1::bigint,
  'an UPDATE has one list of projects');
SELECT is(pg_temp.lists('DELETE FROM tickets WHERE value = 0'), 1::bigint, 'a DELETE, too');
SELECT is(pg_temp.lists('UPDATE comments SET value = value + 1 WHERE value = 0'), 1::bigint,
  'an UPDATE of children has one list of parents');
SELECT is(pg_temp.lists('DELETE FROM comments WHERE value = 0'), 1::bigint,
  'a DELETE of children, too');
SELECT is(pg_temp.lists('SELECT count(*) FROM tickets'), 1::bigint, 'as a SELECT has');

-- The other condition still counts
SELECT is(pg_temp.rows('nora', 'WITH changed AS (UPDATE tickets SET value = 1 RETURNING id)
    SELECT array_agg(id ORDER BY id) = ARRAY(SELECT n FROM generate_series(1, 5000) AS n
      WHERE n % 1000 + 1 <= 20 AND n % 2 = 0) FROM changed'), '{true}',
  'the tickets of the ten projects are updated');
SELECT is(pg_temp.rows('nora', 'WITH gone AS (DELETE FROM comments RETURNING ticket_id, id)
    SELECT array_agg(id ORDER BY id) = ARRAY(SELECT n FROM generate_series(1, 20000) AS n
      WHERE (n % 5000 + 1) % 1000 + 1 <= 20 AND (n % 5000 + 1) % 2 = 0) FROM gone'), '{true}',
  'the comments on these are deleted');
SELECT pg_temp.hold_in('alpha', '{tickets:update,tickets:delete}') \g /dev/null
DELETE FROM seeme.memberships WHERE role_id = 'e0000000-0000-4000-8000-000000000012';
SELECT is(pg_temp.rows('nora', 'WITH changed AS (UPDATE tickets SET value = 1 RETURNING id)
    SELECT count(*) FROM changed'), '{0}',
  'threat: rows of projects that may be read only are updated');
SELECT * FROM finish();
ROLLBACK;
