-- Threat: code that runs inside a check or an action of a foreign key. PostgreSQL makes those
-- without FORCE ROW LEVEL SECURITY. What the owner of a protected table lends, a view or a SECURITY
-- DEFINER function, must still show a person only their rows.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(13);

CREATE ROLE t_owner;
CREATE TABLE t_models (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  name text NOT NULL
);
CREATE INDEX ON t_models (project_id);
ALTER TABLE t_models OWNER TO t_owner;
GRANT SELECT ON t_models TO t_app;
SELECT seeme_protect('t_models', 'models', project_column => 'project_id');
INSERT INTO t_models (project_id, name) VALUES (:alpha, 'in Alpha'), (:delta, 'in Delta');

CREATE VIEW t_lent AS SELECT name FROM t_models;
CREATE FUNCTION t_names() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER
  SET search_path = public, pg_temp AS 'SELECT name FROM t_models';
ALTER VIEW t_lent OWNER TO t_owner;
ALTER FUNCTION t_names() OWNER TO t_owner;
GRANT SELECT ON t_lent TO t_app;

SELECT pg_temp.become('vera');
CREATE TEMP TABLE t_loot (name text);
CREATE FUNCTION pg_temp.take() RETURNS void LANGUAGE sql AS $$
  DELETE FROM t_loot;
  INSERT INTO t_loot SELECT name FROM t_lent UNION ALL SELECT * FROM t_names();
$$;
CREATE FUNCTION pg_temp.on_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.take();
  RETURN coalesce(NEW, OLD);
END $$;

CREATE TEMP TABLE t_above (id integer PRIMARY KEY);
CREATE TEMP TABLE t_below (id integer REFERENCES t_above ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TRIGGER on_row BEFORE UPDATE OR DELETE ON t_below FOR EACH ROW
  EXECUTE FUNCTION pg_temp.on_row();
INSERT INTO t_above VALUES (1);
INSERT INTO t_below VALUES (1);
SELECT is_empty('TABLE t_loot', 'nothing was taken so far');
UPDATE t_above SET id = 2;
SELECT results_eq('TABLE t_loot', $$VALUES ('in Alpha'), ('in Alpha')$$,
  'threat: a trigger on rows that ON UPDATE CASCADE changes');
DELETE FROM t_loot;
DELETE FROM t_above;
SELECT results_eq('TABLE t_loot', $$VALUES ('in Alpha'), ('in Alpha')$$,
  'threat: a trigger on rows that ON DELETE CASCADE removes');

CREATE TYPE pg_temp.t_key AS ENUM ('a');
CREATE FUNCTION pg_temp.to_uuid(pg_temp.t_key) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.take();
  RETURN 'a0000000-0000-4000-8000-000000000001';
END $$;
CREATE CAST (pg_temp.t_key AS uuid) WITH FUNCTION pg_temp.to_uuid(pg_temp.t_key) AS IMPLICIT;
CREATE TEMP TABLE t_uuids (id uuid PRIMARY KEY);
INSERT INTO t_uuids VALUES ('a0000000-0000-4000-8000-000000000001');
CREATE TEMP TABLE t_keys (id pg_temp.t_key);
ALTER TABLE t_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everything ON t_keys USING (true);
INSERT INTO t_keys VALUES ('a');
DELETE FROM t_loot;
ALTER TABLE t_keys ADD FOREIGN KEY (id) REFERENCES t_uuids;
SELECT results_eq('TABLE t_loot', $$VALUES ('in Alpha'), ('in Alpha')$$,
  'threat: a conversion while a foreign key is added');
DELETE FROM t_loot;
INSERT INTO t_keys VALUES ('a');
SELECT results_eq('TABLE t_loot', $$VALUES ('in Alpha'), ('in Alpha')$$,
  'threat: a conversion while a row is checked');

-- PostgreSQL prepares the calls of subtype_diff once for the session.
CREATE FUNCTION pg_temp.diff(float8, float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE names text;
BEGIN
  EXECUTE 'SELECT string_agg(name, '','') FROM t_lent' INTO names;
  PERFORM set_config('t.names', names, true);
  RETURN $1 - $2;
END $$;
CREATE TYPE pg_temp.t_range AS RANGE (subtype = float8, subtype_diff = pg_temp.diff);
CREATE TEMP TABLE t_ranges (
  id integer REFERENCES t_above ON DELETE SET NULL, r pg_temp.t_range);
CREATE INDEX ON t_ranges USING gist (r);
CREATE INDEX ON t_ranges (id);
INSERT INTO t_above SELECT generate_series(1, 500);
INSERT INTO t_ranges SELECT n, pg_temp.t_range(n, n + 1) FROM generate_series(1, 500) n;
SELECT is(current_setting('t.names'), 'in Alpha', 'subtype_diff is called before');
SELECT set_config('t.names', '', true) \g /dev/null
DELETE FROM t_above;
SELECT is(current_setting('t.names'), 'in Alpha',
  'threat: subtype_diff of an index while ON DELETE SET NULL changes rows');

-- The query of the foreign key itself stays as it was, also after such a function, and after one
-- that failed.
CREATE FUNCTION pg_temp.fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    RAISE 'caught';
  EXCEPTION WHEN raise_exception THEN
    PERFORM pg_temp.take();
  END;
  RETURN OLD;
END $$;
CREATE TRIGGER a_fails BEFORE DELETE ON t_below FOR EACH ROW EXECUTE FUNCTION pg_temp.fails();
ALTER TABLE t_below ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
INSERT INTO t_above VALUES (1), (2);
SELECT lives_ok($$CREATE POLICY everything ON t_below USING (false) WITH CHECK (true);
  INSERT INTO t_below VALUES (1), (1), (2)$$, 'rows that their owner does not see');
DELETE FROM t_above;
SELECT results_eq('TABLE t_loot', $$VALUES ('in Alpha'), ('in Alpha')$$,
  'threat: after an error that was caught');
ALTER TABLE t_below DISABLE ROW LEVEL SECURITY;
SELECT is_empty('TABLE t_below', 'the action reached them all');

SELECT pg_temp.become(NULL);

-- The check of a key runs with the rights of the owner of the table that is referred to.
CREATE ROLE t_developer;
GRANT CREATE ON SCHEMA public TO t_developer;
GRANT USAGE ON SCHEMA seeme TO t_developer;
GRANT REFERENCES (id) ON seeme.projects TO t_developer;
SET LOCAL ROLE t_developer;
CREATE TYPE t_kind AS ENUM ('a');
CREATE FUNCTION t_to_uuid(t_kind) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  ALTER ROLE t_developer SUPERUSER;
  RETURN 'd0000000-0000-4000-8000-000000000001';
END $$;
CREATE CAST (t_kind AS uuid) WITH FUNCTION t_to_uuid(t_kind) AS IMPLICIT;
CREATE TABLE t_mine (project_id t_kind);
INSERT INTO t_mine VALUES ('a');
SELECT throws_ok('ALTER TABLE t_mine ADD FOREIGN KEY (project_id) REFERENCES seeme.projects (id)',
  '42501', 'the check of a foreign key does not run function "t_to_uuid"',
  'threat: a conversion runs as the owner of the schema seeme, a superuser');
RESET ROLE;
CREATE TABLE t_theirs (id uuid PRIMARY KEY);
GRANT REFERENCES ON t_theirs TO t_developer;
INSERT INTO t_theirs VALUES (:alpha);
SET LOCAL ROLE t_developer;
SELECT throws_ok('ALTER TABLE t_mine ADD FOREIGN KEY (project_id) REFERENCES t_theirs',
  '42501', 'the check of a foreign key does not run function "t_to_uuid"',
  'threat: the same with any table of a superuser');
RESET ROLE;
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 't_developer'), false,
  'nobody became a superuser');

SELECT * FROM finish();
ROLLBACK;
