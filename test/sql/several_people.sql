-- seeme_rbac.several_people: a test names one person after another in one transaction. Each
-- statement then sees the rows and the decisions of the person named last, whatever the session
-- remembers of the person before.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(39);
CREATE ROLE t_gateway LOGIN IN ROLE t_app;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO t_gateway;
CREATE TABLE t_model (id integer PRIMARY KEY, project_id uuid, owner_id uuid, name text);
INSERT INTO t_model VALUES (1, :alpha, :olga, 'in alpha'), (2, :beta, :olga, 'in beta'),
  (3, :gamma, :olga, 'in gamma'), (4, :delta, :oscar, 'in delta');
INSERT INTO t_model SELECT n, :delta, :oscar, 'filler' FROM generate_series(5, 2000) AS n;
CREATE INDEX ON t_model (project_id);
ANALYZE t_model;
GRANT SELECT, UPDATE ON t_model TO t_app;
SELECT seeme_protect('t_model', 'models', project_column => 'project_id') \g /dev/null
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:globex, :delta, :gina, pg_temp.builtin('Editor'));

CREATE FUNCTION pg_temp.gateway(is_on boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.become(NULL);
  PERFORM pg_catalog.set_config('seeme_rbac.several_people', is_on::text, true);
  PERFORM pg_catalog.set_config('session_authorization', 't_gateway', false);
END $$;
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT coalesce(string_agg(id::text, ',' ORDER BY id), 'none') FROM public.t_model
           WHERE id < 5);
END $$;
-- What a person may do, as they ask themselves
CREATE FUNCTION pg_temp.decisions() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN concat_ws(' ',
    seeme_has_permission('models:read', project => 'd0000000-0000-4000-8000-000000000001'),
    seeme_has_permission('models:read', project => 'd0000000-0000-4000-8000-000000000002'),
    seeme_has_permission('models:update', project => 'd0000000-0000-4000-8000-000000000004'));
END $$;
-- The same as an administrator reads it from the tables, without the library: whether a membership
-- of that very project or of its organization has a role that holds the code
CREATE FUNCTION pg_temp.told(person uuid) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
  SELECT string_agg(CASE WHEN EXISTS (
      SELECT FROM seeme.projects p
        JOIN seeme.organizations o ON o.id = p.organization_id
        LEFT JOIN seeme.memberships m ON m.organization_id = o.id AND m.user_id = person
             AND (m.project_id = p.id OR m.project_id IS NULL AND m.team_id IS NULL)
        LEFT JOIN seeme.roles r ON r.id = m.role_id
       WHERE p.id = w.project AND (o.owner_id = person OR r.permissions && ARRAY[
             '*', w.code, 'models:*', '*:' || split_part(w.code, ':', 2)]))
    THEN 't' ELSE 'f' END, ' ' ORDER BY n)
    FROM (VALUES
      (1, 'd0000000-0000-4000-8000-000000000001'::uuid, 'models:read'),
      (2, 'd0000000-0000-4000-8000-000000000002', 'models:read'),
      (3, 'd0000000-0000-4000-8000-000000000004', 'models:update')) AS w (n, project, code)
$$;

-- Without the setting
SELECT pg_temp.gateway(false);
SELECT throws_ok($$SET seeme_rbac.several_people = on$$, '42501', NULL,
  'an application that turns the setting on is refused');
SELECT seeme_assume(:vera) \g /dev/null
SELECT throws_ok(format('SELECT seeme_assume(%L)', :gina), '28000', NULL,
  'without the setting, a transaction speaks for one person');

-- One person after another, back again, and with the plans of before
SELECT pg_temp.gateway(true);
PREPARE t_rows AS SELECT coalesce(string_agg(id::text, ',' ORDER BY id), 'none') FROM t_model
  WHERE id < $1;
PREPARE t_count AS SELECT count(*) FROM t_model;
SET plan_cache_mode = force_generic_plan;
SELECT seeme_assume(:vera) \g /dev/null
EXECUTE t_rows(5) \gset vera_
EXECUTE t_count \gset vera_
SELECT is(pg_temp.rows(), '1,2,3', 'the first person sees the rows of Acme');
SELECT is(:'vera_coalesce'::text, '1,2,3', 'so does a prepared statement');
SELECT is(pg_temp.decisions(), pg_temp.told(:vera), 'and the decisions are those of the tables');
CREATE TEMP TABLE t_scratch AS SELECT * FROM t_model;
SELECT seeme_assume(:gina) \g /dev/null
EXECUTE t_rows(5) \gset gina_
EXECUTE t_count \gset gina_
SELECT is(seeme_user_id(), :gina, 'the second person is asking');
SELECT is(pg_temp.rows(), '4', 'the second person sees the rows of Globex');
SELECT is(:'gina_coalesce'::text, '4',
  'a generic plan of the first person gives the rows of the second');
SELECT is(:gina_count, 1997, 'all of them');
SELECT is(:vera_count, 3, 'the first person had other ones');
SELECT is(pg_temp.decisions(), pg_temp.told(:gina), 'decisions change with the person');
SELECT isnt(pg_temp.told(:gina), pg_temp.told(:vera), '(they differ)');
SELECT is((SELECT count(*) FROM t_scratch), 3::bigint,
  'a temporary table of the first person is no obstacle');
WITH u AS (UPDATE t_model SET name = name RETURNING id)
  SELECT is((SELECT count(*) FROM u), 1997::bigint,
    'an UPDATE reaches the rows of the second person');
SELECT seeme_assume(:paul) \g /dev/null
WITH u AS (UPDATE t_model SET name = name RETURNING id)
  SELECT is((SELECT count(*) FROM u), 0::bigint, 'and none for a third person, who may only read');
EXECUTE t_rows(5) \gset paul_
SELECT is(:'paul_coalesce'::text, '1', 'who sees one row by the prepared statement');
SELECT is(pg_temp.decisions(), pg_temp.told(:paul), 'and has decisions of their own');
SELECT seeme_assume(:stan) \g /dev/null
EXECUTE t_rows(5) \gset stan_
SELECT is(:'stan_coalesce'::text, 'none', 'a person without membership sees nothing');
SELECT is(pg_temp.decisions(), 'f f f', 'and may do nothing');
SELECT seeme_assume(:vera) \g /dev/null
EXECUTE t_rows(5) \gset vera_
SELECT is(:'vera_coalesce'::text, '1,2,3', 'the first person again sees the same as before');
SELECT is(pg_temp.decisions(), pg_temp.told(:vera), 'and has the same decisions');
RESET plan_cache_mode;

-- The same with the plan of each call, until a generic one is taken
SELECT is(string_agg(seen, ' ' ORDER BY n), string_agg(expected, ' ' ORDER BY n),
          'twelve calls in turn: each person sees their own rows')
  FROM (SELECT n, CASE n % 3 WHEN 0 THEN '1,2,3' WHEN 1 THEN '4' ELSE '1' END AS expected,
               (SELECT pg_temp.rows()
                  FROM seeme_assume((ARRAY[:vera, :gina, :paul])[n % 3 + 1]::uuid)
                 WHERE seeme_assume IS NOT NULL OFFSET n * 0) AS seen
          FROM generate_series(1, 12) AS n) AS s;

-- Savepoints
SELECT seeme_assume(:vera) \g /dev/null
SAVEPOINT s;
SELECT seeme_assume(:gina) \g /dev/null
SELECT is(pg_temp.rows(), '4', 'in a savepoint, the second person asks');
ROLLBACK TO SAVEPOINT s;
SELECT is(seeme_user_id(), :vera, 'its rollback brings the first person back');
SELECT is(pg_temp.rows(), '1,2,3', 'with their rows');
SELECT is(pg_temp.decisions(), pg_temp.told(:vera), 'and decisions');
SELECT seeme_assume(:gina) \g /dev/null
RELEASE SAVEPOINT s;
SELECT is(pg_temp.rows(), '4', 'a savepoint that is released leaves the second person');
SELECT is(pg_temp.decisions(), pg_temp.told(:gina), 'with their decisions');

-- Cursors. Nobody sees by them what they may not see.
CREATE FUNCTION pg_temp.fetched(reader refcursor) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  id    integer;
  seen  text := '';
BEGIN
  FETCH reader INTO id;
  WHILE FOUND LOOP
    seen := concat_ws(',', nullif(seen, ''), id);
    FETCH reader INTO id;
  END LOOP;
  RETURN coalesce(nullif(seen, ''), 'none');
END $$;
SELECT seeme_assume(:vera) \g /dev/null
DECLARE every_row CURSOR FOR SELECT id FROM t_model WHERE id < 5 ORDER BY id;
DECLARE no_order CURSOR FOR SELECT id FROM t_model WHERE id < 5;
DECLARE of_alpha CURSOR FOR SELECT id FROM t_model
  WHERE project_id = 'd0000000-0000-4000-8000-000000000001';
DECLARE unread CURSOR FOR SELECT id FROM t_model WHERE id < 5;
FETCH every_row \g /dev/null
FETCH no_order \g /dev/null
SELECT seeme_assume(:gina) \g /dev/null
SELECT pg_temp.fetched('every_row') AS a, pg_temp.fetched('no_order') AS b,
  pg_temp.fetched('of_alpha') AS c, pg_temp.fetched('unread') AS d \gset
SELECT ok(:'a' IN ('none', '4'), 'a cursor of the first person gives no more rows of theirs');
SELECT ok(:'b' IN ('none', '4'), 'nor in the order of the table');
SELECT ok(:'c' = 'none', 'nor of one project');
SELECT ok(:'d' IN ('none', '4'), 'nor where nothing was fetched yet');
CLOSE ALL;
DECLARE own CURSOR FOR SELECT id FROM t_model WHERE id < 5 ORDER BY id;
SELECT is(pg_temp.fetched('own'), '4', 'a new cursor has the rows of the second person');
CLOSE ALL;

-- What is not changed by it
SELECT throws_ok(format('SELECT seeme_assume(%L)', :dora), '28000', NULL,
  'a disabled person is still refused');
SELECT throws_ok(format('SELECT seeme_assume(%L)', :nobody_known), '28000', NULL,
  'so is an unknown one');
SELECT is(pg_temp.rows(), '4', 'and the person before goes on asking');
SELECT pg_temp.become(NULL);
ALTER ROLE t_vera SET seeme_rbac.several_people = on;
SELECT pg_temp.become('vera');
SELECT throws_ok(format('SELECT seeme_assume(%L)', :gina), '42501', NULL,
  'somebody without EXECUTE on seeme_assume names nobody');
SELECT pg_temp.gateway(true);
SELECT seeme_assume(:gina) \g /dev/null
SELECT pg_temp.become(NULL);
SET LOCAL seeme_rbac.several_people = off;
SET SESSION AUTHORIZATION t_gateway;
SELECT throws_ok(format('SELECT seeme_assume(%L)', :vera), '28000', NULL,
  'once the setting is off, the last person is the only one');
DEALLOCATE ALL;
SELECT throws_ok(format('SELECT seeme_assume(%L)', :gina), '55006', NULL,
  'who is not named again while a temporary table of an earlier person is there');
RESET SESSION AUTHORIZATION;
SELECT * FROM finish();
ROLLBACK;
