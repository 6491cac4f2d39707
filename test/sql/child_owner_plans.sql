\i test/include/prelude.psql
-- Rows that have a parent and an owner, as a comment has a ticket and an author: where little is
-- visible, both are found by indexes. Compared with the rows by the rules, in plain SQL.
BEGIN;
\i test/include/people.psql
SELECT plan(13);
SET LOCAL max_parallel_workers_per_gather = 0;
INSERT INTO seeme.projects (id, organization_id, name, slug)
  SELECT ('d2000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme, 'P' || n, 'p-' || n
    FROM generate_series(1, 100) AS n;
CREATE TABLE tickets (id integer PRIMARY KEY, project_id uuid);
CREATE TABLE comments (
  id integer PRIMARY KEY, ticket_id integer REFERENCES tickets, author_id uuid, body text);
CREATE TABLE replies (
  id integer PRIMARY KEY, comment_id integer REFERENCES comments, author_id uuid, body text);
-- Every 100th ticket lies in Alpha, every 50th in Globex's Delta.
INSERT INTO tickets
  SELECT n, CASE WHEN n % 100 = 0 THEN :alpha WHEN n % 50 = 0 THEN :delta
                 ELSE ('d2000000-0000-4000-8000-' || lpad(to_hex(n % 100), 12, '0')) END::uuid
    FROM generate_series(1, 2000) AS n;
-- Paul and Stan write in every organization, and below no ticket.
INSERT INTO comments
  SELECT n, CASE WHEN n % 997 <> 0 THEN 1 + n * 7 % 2000 END,
         CASE WHEN n % 450 = 0 OR n % 997 = 0 THEN :paul WHEN n % 451 = 0 THEN :stan
              ELSE gen_random_uuid() END::uuid, repeat('x', 100)
    FROM generate_series(1, 20000) AS n;
UPDATE comments SET author_id = :paul
 WHERE id IN (SELECT c.id FROM comments c JOIN tickets t ON t.id = c.ticket_id
               WHERE t.project_id = :delta ORDER BY c.id LIMIT 7);
INSERT INTO replies
  SELECT n, 1 + n * 11 % 20000, CASE WHEN n % 700 = 0 THEN :paul ELSE gen_random_uuid() END::uuid,
         repeat('x', 100)
    FROM generate_series(1, 20000) AS n;
CREATE INDEX ON tickets (project_id);
CREATE INDEX ON comments (ticket_id);
CREATE INDEX ON comments (author_id);
CREATE INDEX ON replies (comment_id);
CREATE INDEX ON replies (author_id);
ANALYZE tickets; ANALYZE comments; ANALYZE replies;
SELECT seeme_protect('tickets', 'datasets', project_column => 'project_id'),
       seeme_protect('comments', 'models', parent_column => 'ticket_id',
                     owner_column => 'author_id'),
       seeme_protect('replies', 'models', parent_column => 'comment_id',
                     owner_column => 'author_id') \g /dev/null
GRANT SELECT ON tickets, comments, replies TO t_app;

-- The rules. Paul is a Viewer in Alpha and a member of Acme; Stan is a member of nothing.
CREATE TEMP TABLE by_rule ON COMMIT DROP AS
  SELECT p.person, k.kind, k.id
    FROM (VALUES ('paul', :paul::uuid), ('stan', :stan)) AS p (person, id),
         LATERAL (
           SELECT 'comments' AS kind, c.id
             FROM comments c LEFT JOIN tickets t ON t.id = c.ticket_id
            WHERE p.person = 'paul' AND t.project_id = :alpha
               OR c.author_id = p.id
                  AND (t.id IS NULL OR p.person = 'paul' AND t.project_id <> :delta)
           UNION ALL
           SELECT 'replies', r.id
             FROM replies r JOIN comments c ON c.id = r.comment_id
             LEFT JOIN tickets t ON t.id = c.ticket_id
            WHERE p.person = 'paul' AND t.project_id = :alpha
               OR p.id IN (c.author_id, r.author_id)
                  AND (t.id IS NULL AND c.author_id = p.id
                       OR t.id IS NULL AND r.author_id = p.id
                       OR p.person = 'paul' AND t.project_id <> :delta)) AS k;
GRANT SELECT ON by_rule TO t_app;

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
CREATE FUNCTION pg_temp.differs(who text, kind text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  PERFORM pg_temp.become(who);
  EXECUTE format('SELECT count(*) FROM (SELECT id FROM %I) AS a FULL JOIN (SELECT id FROM by_rule '
                 'WHERE person = %L AND kind = %L) AS b USING (id) '
                 'WHERE a.id IS NULL OR b.id IS NULL', kind, who, kind) INTO n;
  PERFORM pg_temp.become(NULL);
  RETURN n;
END $$;

SELECT matches(pg_temp.plan_of('paul', 'SELECT count(body) FROM comments'),
  'BitmapOr.*permitted_parents\(.*Index Cond: \(author_id = seeme\.own_user_id\(',
  'a narrow person''s comments by their tickets and by their author');
SELECT matches(pg_temp.plan_of('paul', 'SELECT count(body) FROM replies'),
  'BitmapOr.*permitted_parents\(.*Index Cond: \(author_id = seeme\.own_user_id\(',
  'and replies, which are two levels deep');
SELECT matches(pg_temp.plan_of('olga', 'SELECT count(body) FROM comments'), 'Permission Scan',
  'a wide person''s in blocks');

SELECT cmp_ok((SELECT count(*) FROM by_rule WHERE person = 'paul' AND kind = k), '>', 200::bigint,
  'there are rows to compare: ' || k) FROM unnest('{comments,replies}'::text[]) AS k;
SELECT is(pg_temp.differs(p, k), 0::bigint, format('the rows of %s by index: %s', p, k))
  FROM unnest('{paul,stan}'::text[]) AS p, unnest('{comments,replies}'::text[]) AS k;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_indexscan = off;
SELECT is(pg_temp.differs(p, k), 0::bigint,
    format('and in a scan of the whole table, those of %s: %s', p, k))
  FROM unnest('{paul,stan}'::text[]) AS p, unnest('{comments,replies}'::text[]) AS k;

SELECT * FROM finish();
ROLLBACK;
