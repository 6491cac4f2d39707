\i test/include/prelude.psql
-- Parents whose keys are texts, as Prisma makes them: of 15 characters and less, of 16 and more. A
-- scan of the children reads each page of a parent once, and not once for each child. Decisions are
-- those of plain SQL.
BEGIN;
\i test/include/people.psql
SELECT plan(14);
SET LOCAL max_parallel_workers_per_gather = 0;

-- Keys that differ in their length, in the first, a middle or the last byte, and in blanks.
CREATE TABLE t_card (id text PRIMARY KEY, project_id uuid NOT NULL);
CREATE TABLE t_part (id varchar PRIMARY KEY, card_id text NOT NULL REFERENCES t_card);
CREATE TABLE t_note (id integer PRIMARY KEY, part_id varchar NOT NULL REFERENCES t_part);
INSERT INTO t_card
  SELECT key, CASE WHEN row_number() OVER (ORDER BY md5(key)) % 3 = 0 THEN :alpha::uuid
                   ELSE :gamma END
    FROM (SELECT repeat('x', n) FROM generate_series(0, 300) AS n
          UNION SELECT repeat('x', 40) || repeat(' ', n) FROM generate_series(1, 40) AS n
          UNION SELECT overlay(repeat('x', length) PLACING c FROM place)
            FROM generate_series(1, 60) AS length, unnest('{a,b,é,€}'::text[]) AS c,
                 unnest(ARRAY[1, length / 2 + 1, length]) AS place
          UNION SELECT 'ck' || substr(md5(n::text), 1, 23) FROM generate_series(1, 2000) AS n
          UNION SELECT md5(n::text)::uuid::text FROM generate_series(1, 500) AS n) AS k (key);
INSERT INTO t_part SELECT 'part of ' || md5(c.id), c.id FROM t_card c;
INSERT INTO t_note SELECT row_number() OVER (ORDER BY md5(p.id || n)), p.id
  FROM t_part p, generate_series(1, 3) AS n;
CREATE INDEX ON t_card (project_id);
SELECT seeme_protect('t_card', 'datasets', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_part', 'datasets', parent_column => 'card_id') \g /dev/null
SELECT seeme_protect('t_note', 'datasets', parent_column => 'part_id') \g /dev/null
GRANT SELECT ON t_card, t_part, t_note TO t_app;
ANALYZE t_card; ANALYZE t_part; ANALYZE t_note;

-- The oracle: paul sees what lies in Alpha.
SELECT array_agg(p.id::text ORDER BY p.id COLLATE "C") AS parts
  FROM t_part p JOIN t_card c ON c.id = p.card_id WHERE c.project_id = :alpha \gset
SELECT array_agg(n.id ORDER BY n.id) AS notes
  FROM t_note n JOIN t_part p ON p.id = n.part_id JOIN t_card c ON c.id = p.card_id
 WHERE c.project_id = :alpha \gset
SELECT cmp_ok(cardinality(:'notes'::integer[]), '>', 3000, 'paul should see thousands of rows');
SELECT sum(pg_relation_size(t) / 8192) AS pages
  FROM unnest('{t_card,t_part,t_note}'::regclass[]) AS t \gset

CREATE FUNCTION pg_temp.buffers(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || statement INTO plan;
  RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint
       + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;
CREATE FUNCTION pg_temp.plan(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    plan := plan || line || E'\n';
  END LOOP;
  RETURN plan;
END $$;

SELECT pg_temp.become('paul') \g /dev/null
SET LOCAL enable_indexscan = off;
SET LOCAL enable_indexonlyscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT matches(pg_temp.plan('SELECT FROM t_note'), 'Permission Scan', 'a scan of all rows');
SELECT is(array_agg(id::text ORDER BY id COLLATE "C"), :'parts'::text[], 'one level') FROM t_part;
SELECT is(array_agg(id ORDER BY id), :'notes'::integer[], 'two levels') FROM t_note;
SELECT cmp_ok(pg_temp.buffers('SELECT count(*) FROM t_part'), '<', (3 * :pages)::bigint,
  'one level: pages are read once');
SELECT cmp_ok(pg_temp.buffers('SELECT count(*) FROM t_note'), '<', (3 * :pages)::bigint,
  'two levels: pages are read once');
SET LOCAL seeme_rbac.enable_permission_scan = off;
SELECT doesnt_match(pg_temp.plan('SELECT FROM t_note'), 'Permission Scan', 'a filter of each row');
SELECT is(array_agg(id::text ORDER BY id COLLATE "C"), :'parts'::text[], 'one level, by filter')
  FROM t_part;
SELECT is(array_agg(id ORDER BY id), :'notes'::integer[], 'two levels, by filter') FROM t_note;
SELECT cmp_ok(pg_temp.buffers('SELECT count(*) FROM t_note'), '<', (12 * :pages)::bigint,
  'two levels, by filter: most pages are read once');
RESET enable_indexscan; RESET enable_indexonlyscan; RESET enable_bitmapscan;
RESET seeme_rbac.enable_permission_scan;
SELECT pg_temp.become(NULL) \g /dev/null
CREATE INDEX ON t_part (card_id);
CREATE INDEX ON t_note (part_id);
SELECT pg_temp.become('paul') \g /dev/null
SET LOCAL enable_seqscan = off;
SELECT is(array_agg(id::text ORDER BY id COLLATE "C"), :'parts'::text[],
  'one level, without a scan of all rows')
  FROM t_part;
SELECT is(array_agg(id ORDER BY id), :'notes'::integer[], 'two levels, without one') FROM t_note;
SELECT pg_temp.become(NULL) \g /dev/null

-- What was decided of one key is not taken for another one's, nor for a later state of it.
UPDATE t_card SET project_id = CASE WHEN project_id = :alpha THEN :gamma::uuid ELSE :alpha END;
SELECT array_agg(n.id ORDER BY n.id) AS notes
  FROM t_note n JOIN t_part p ON p.id = n.part_id JOIN t_card c ON c.id = p.card_id
 WHERE c.project_id = :alpha \gset
SELECT pg_temp.become('paul') \g /dev/null
RESET enable_seqscan;
SELECT is(array_agg(id ORDER BY id), :'notes'::integer[], 'after all cards have moved')
  FROM t_note;
SELECT is((SELECT count(*) FROM t_card), (SELECT count(DISTINCT card_id) FROM t_part),
  'each visible card has its part');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT * FROM finish();
ROLLBACK;
