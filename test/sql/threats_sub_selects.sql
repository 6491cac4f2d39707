\i test/include/prelude.psql
-- Attacks by sub-selects. A sub-select in a condition is evaluated for each row that gets there, so
-- an error in it tells that a row got there. And a set operation is planned piece by piece.
BEGIN;
\i test/include/people.psql
SELECT plan(9);
CREATE TABLE t_doc (id integer PRIMARY KEY, project_id uuid, title text);
INSERT INTO t_doc
SELECT n, CASE WHEN n = 1 THEN :gamma::uuid ELSE :alpha::uuid END,
       CASE WHEN n = 1 THEN 'secret' ELSE 'seen ' || n END
  FROM generate_series(1, 200) AS n;
SELECT seeme_protect('t_doc', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_doc TO t_app;
-- A table of the attacker's own: records with a column of type json cannot be sorted.
CREATE TABLE t_own (id integer, data json);
INSERT INTO t_own VALUES (1001, '1'), (1002, '2');
GRANT SELECT ON t_own TO t_app;
ANALYZE t_doc;
ANALYZE t_own;

CREATE FUNCTION pg_temp.answer(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
  EXECUTE statement INTO found;
  RETURN found;
EXCEPTION WHEN others THEN RETURN SQLSTATE;
END $$;

-- Conditions are evaluated in the order of their costs. The policy costs most.
ALTER FUNCTION seeme_has_permission COST 1000000;
SET LOCAL seeme_rbac.enable_permission_scan = off;

SELECT pg_temp.become('paul');
SELECT is((SELECT count(*) FROM t_doc WHERE title = 'secret'), 0::bigint, 'Paul does not see it');
SELECT is(
  pg_temp.answer(format('SELECT count(*) FROM t_doc AS d WHERE title = %L AND ' || attack,
  'secret')),
  pg_temp.answer(format('SELECT count(*) FROM t_doc AS d WHERE title = %L AND ' || attack, 'none')),
  'an error does not tell whether a hidden row matches: ' || threat)
  FROM (VALUES
    ('a negative OFFSET', 'EXISTS (SELECT WHERE d.id IS NOT NULL OFFSET -1)'),
    ('a negative LIMIT', 'id IN (SELECT 1 WHERE d.id IS NOT NULL LIMIT -1)'),
    ('a negative LIMIT further in',
     'EXISTS (SELECT FROM (SELECT FROM t_own WHERE d.id IS NOT NULL OFFSET -1) AS o)'),
    ('ORDER BY',
     'id NOT IN (SELECT o.id FROM t_own AS o WHERE o.id <> d.id ORDER BY ROW(o.data))'),
    ('DISTINCT',
     'id NOT IN (SELECT DISTINCT ON (ROW(o.data)) o.id FROM t_own AS o WHERE o.id <> d.id)'),
    ('GROUP BY',
     'id NOT IN (SELECT 1 FROM t_own AS o WHERE o.id <> d.id GROUP BY ROW(o.data))'))
    AS threats (threat, attack);

-- While the second member is planned, the first has sub-selects that are planned already.
SELECT is(pg_temp.answer(
  'SELECT id FROM t_own WHERE id NOT IN (SELECT id FROM t_own WHERE id > 1001)
   EXCEPT ALL SELECT id FROM t_doc'), '1001',
  'a set operation with a sub-select in an earlier member does not end the server');
SELECT is(pg_temp.answer(
  'SELECT id FROM t_own WHERE id NOT IN (SELECT id FROM t_own WHERE id > 1001)
   EXCEPT (SELECT id FROM t_doc WHERE id NOT IN (SELECT id FROM t_own)
           INTERSECT SELECT id FROM t_doc LIMIT 5)'), '1001', 'nor does one in another');
SELECT pg_temp.become(NULL);
SELECT * FROM finish();
ROLLBACK;
