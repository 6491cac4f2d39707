\i test/include/prelude.psql
-- A mirrored table with policies is a guarded table: the security report finds the ways around
-- these, as it does for a table of seeme_protect. Each fault is made, found, mended by the remedy
-- and gone.
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(27);

SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}') \g /dev/null
SELECT seeme_mirror('app.workspaces', 'organizations',
  '{"id": "id", "name": "title", "owner_id": "owner"}', condition => 'deleted_at IS NULL')
  \g /dev/null
SELECT seeme_mirror('app.boards', 'projects',
  '{"id": "id", "organization_id": "workspace_id", "name": "title"}', protect => true)
  \g /dev/null
CREATE ROLE t_new_owner;
GRANT USAGE, CREATE ON SCHEMA app TO t_new_owner;
SELECT seeme_grant_usage('t_new_owner') \g /dev/null
-- The server may be one that publishes nothing.
SET LOCAL client_min_messages = error;

CREATE TEMP TABLE fault (n integer, finding text, object text, made text);
INSERT INTO fault VALUES
  (1, 'SECURITY DEFINER function reads protected tables', 'app.reads()',
   $$CREATE FUNCTION app.reads() RETURNS bigint LANGUAGE sql SECURITY DEFINER
     SET search_path = app AS 'SELECT count(*) FROM boards'$$),
  (2, 'SECURITY DEFINER function reads protected tables', 'app.parsed()',
   $$CREATE FUNCTION app.parsed() RETURNS bigint LANGUAGE sql SECURITY DEFINER
     SET search_path = app BEGIN ATOMIC SELECT count(*) FROM app.boards; END$$),
  (3, 'view runs with its owner''s rights', 'app.shown',
   'CREATE VIEW app.shown AS SELECT * FROM app.boards'),
  (4, 'materialized view holds rows', 'app.kept',
   $$CREATE MATERIALIZED VIEW app.kept AS SELECT * FROM app.boards; GRANT SELECT ON app.kept
     TO t_app$$),
  (5, 'rule on a protected table', 'app.boards',
   'CREATE RULE also AS ON UPDATE TO app.boards DO ALSO NOTIFY boards'),
  (6, 'TRUNCATE is granted', 'app.boards', 'GRANT TRUNCATE ON app.boards TO t_app'),
  (7, 'granted to PUBLIC', 'app.boards', 'GRANT SELECT ON app.boards TO PUBLIC'),
  (8, 'publication carries protected rows', 'publication boards',
   'CREATE PUBLICATION boards FOR TABLE app.boards'),
  (9, 'application role owns a protected table', 'app.boards',
   'ALTER TABLE app.boards OWNER TO t_new_owner');

CREATE FUNCTION pg_temp.found(f pg_temp.fault) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM seeme_security_report() r
   WHERE r.object = f.object AND r.finding LIKE f.finding || ':%' $$;
CREATE FUNCTION pg_temp.made_and_mended(f pg_temp.fault) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT is(pg_temp.found(f), 0::bigint, 'not found before: ' || f.finding);
  EXECUTE f.made;
  RETURN NEXT is(pg_temp.found(f), 1::bigint, 'threat: ' || f.finding);
  EXECUTE (SELECT r.remedy FROM seeme_security_report() r
            WHERE r.object = f.object AND r.finding LIKE f.finding || ':%');
  RETURN NEXT is(pg_temp.found(f), 0::bigint, 'mended: ' || f.finding);
END $$;
SELECT m FROM (SELECT f FROM fault f ORDER BY f.n) AS o, pg_temp.made_and_mended(f) AS m;

SELECT * FROM finish();
ROLLBACK;
