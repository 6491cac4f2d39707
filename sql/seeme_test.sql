-- Helpers of one line for tests with pgTAP: include this file in a test, in its transaction.
--
--   BEGIN;
--   SET LOCAL seeme_test.role = 'app';
--   \i `pg_config --sharedir`/extension/seeme_test.sql
--   SELECT plan(3);
--   SELECT seeme_test.sees(:bob, 'SELECT name FROM models', '{moonshot}', 'Bob sees his model');
--   SELECT seeme_test.may(:bob, 'DELETE FROM models', 'Bob deletes it');
--   SELECT seeme_test.may_not(NULL, 'DELETE FROM models', 'nobody else does');
--
-- Each helper names the person by seeme_assume, in the database role that seeme_test.role names,
-- and runs the statement. Then everything is as it was before: what the statement changed, the
-- person, and the role. A person that is null is nobody. The role needs EXECUTE on seeme_assume.
-- The test runs as a superuser. doc/testing.md has an example.

CREATE SCHEMA seeme_test;

CREATE FUNCTION seeme_test.run(
  person uuid, statement text, reads boolean, OUT n bigint, OUT rows text[], OUT error text)
LANGUAGE plpgsql AS $$
DECLARE
  role text := nullif(current_setting('seeme_test.role', true), '');
BEGIN
  IF role IS NULL THEN
    RAISE EXCEPTION 'seeme_test.role is not set'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Name the database role of the application: SET LOCAL seeme_test.role = ''app'';';
  END IF;
  BEGIN
    PERFORM set_config('seeme_rbac.several_people', 'on', true);
    EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', role);
    IF person IS NOT NULL THEN
      PERFORM seeme_assume(person);
    END IF;
    IF reads THEN
      EXECUTE format('SELECT coalesce(array_agg(q.v::text ORDER BY q.v::text COLLATE "C"), ''{}'') '
                     'FROM (%s) AS q (v)', statement) INTO rows;
    ELSE
      EXECUTE statement;
      GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    -- Undoes it all. The answers are kept.
    RAISE EXCEPTION 'undone' USING ERRCODE = 'ST000';
  EXCEPTION
    WHEN SQLSTATE 'ST000' THEN NULL;
    -- A hidden row, or a missing right
    WHEN insufficient_privilege THEN error := SQLERRM;
  END;
END $$;
COMMENT ON FUNCTION seeme_test.run(uuid, text, boolean) IS
  'Runs a statement as a person, and undoes it. n: how many rows it changed or returned. reads: '
  'takes the values of its one column instead. error: of a missing right (42501); other errors are '
  'raised';

CREATE FUNCTION seeme_test.sees(
  person uuid, query text, rows text[], description text = NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  answer record := seeme_test.run(person, query, true);
BEGIN
  RETURN is(coalesce(answer.rows::text, answer.error),
            (SELECT coalesce(array_agg(v ORDER BY v COLLATE "C"), '{}') FROM unnest(rows) AS v)::text,
            description);
END $$;
COMMENT ON FUNCTION seeme_test.sees(uuid, text, text[], text) IS
  'Whether a query of one column returns just these values to a person, in any order';

CREATE FUNCTION seeme_test.may(
  person uuid, statement text, description text = NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  answer record := seeme_test.run(person, statement, false);
BEGIN
  RETURN ok(coalesce(answer.n, 0) > 0, description)
         || CASE WHEN coalesce(answer.n, 0) > 0 THEN ''
                 ELSE E'\n' || diag(coalesce(answer.error, 'no row was found')) END;
END $$;
COMMENT ON FUNCTION seeme_test.may(uuid, text, text) IS
  'Whether a statement of a person changes or returns a row. It is undone';

CREATE FUNCTION seeme_test.may_not(
  person uuid, statement text, description text = NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  answer record := seeme_test.run(person, statement, false);
BEGIN
  RETURN ok(coalesce(answer.n, 0) = 0, description)
         || CASE WHEN coalesce(answer.n, 0) = 0 THEN ''
                 ELSE E'\n' || diag(format('rows: %s', answer.n)) END;
END $$;
COMMENT ON FUNCTION seeme_test.may_not(uuid, text, text) IS
  'Whether a statement of a person changes and returns no row, or is refused (42501). Every other '
  'error is raised';
