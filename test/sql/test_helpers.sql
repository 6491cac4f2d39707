-- The helpers for tests of an application (sql/seeme_test.sql, doc/testing.md).
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i sql/seeme_test.sql
SELECT plan(31);

CREATE TABLE t_models (id integer PRIMARY KEY, project_id uuid, name text);
CREATE INDEX ON t_models (project_id);
INSERT INTO t_models VALUES (1, :alpha, 'moon'), (2, :alpha, 'Mars'), (3, :gamma, 'Pluto');
SELECT seeme_protect('t_models', 'models', project_column => 'project_id');
GRANT SELECT, INSERT, UPDATE, DELETE ON t_models TO t_app;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO t_app;
SELECT throws_ok(format('SELECT seeme_test.sees(%L, ''SELECT 1'', ''{1}'')', :olga), '55000',
  'seeme_test.role is not set', 'without a role the helpers say what to set');
SET LOCAL seeme_test.role = 't_app';

SELECT seeme_test.sees(:olga, 'SELECT name FROM t_models WHERE project_id = ''' || :alpha || '''',
  '{moon,Mars}', 'a person sees just these rows, in any order');
SELECT seeme_test.sees(NULL, 'SELECT name FROM t_models', '{}', 'nobody sees none');
SELECT seeme_test.may(:olga, 'UPDATE t_models SET name = ''Venus'' WHERE id = 1', 'a person may');
SELECT is((SELECT name FROM t_models WHERE id = 1), 'moon', 'what a statement changed is undone');
SELECT seeme_test.may_not(:stan, 'UPDATE t_models SET name = ''Venus''', 'a stranger may not');
SELECT seeme_test.may_not(:stan,
  'INSERT INTO t_models VALUES (4, ''' || :alpha || ''', ''x'')', 'an INSERT that is refused');
SELECT seeme_test.may_not(NULL, 'SELECT FROM t_models', 'nobody may not');
SELECT ok((SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user),
  'the role is the test''s own again');
SELECT is(seeme_user_id(), NULL, 'and nobody is named');
SELECT is(current_setting('seeme_rbac.several_people'), 'off', 'the setting is as it was');

-- They fail where they should: check_test() of pgTAP says so of an assertion, its description and
-- its diagnostics.
SELECT * FROM check_test(
  seeme_test.sees(:olga, 'SELECT name FROM t_models WHERE id < 3', '{moon}', ''),
  false, 'a row too many', '', 'Mars', true);
SELECT * FROM check_test(
  seeme_test.sees(:olga, 'SELECT name FROM t_models WHERE id = 1', '{moon,Mars}', ''),
  false, 'a missing row', '', 'Mars', true);
SELECT * FROM check_test(seeme_test.sees(NULL, 'SELECT id FROM seeme.token_keys', '{}', ''),
  false, 'a table that the role may not read', '', 'permission denied', true);
SELECT * FROM check_test(seeme_test.may(:stan, 'DELETE FROM t_models', ''),
  false, 'may, where no row is found', '', 'no row was found', true);
SELECT * FROM check_test(
  seeme_test.may(:stan, format('INSERT INTO t_models VALUES (4, %L, NULL)', :alpha), ''),
  false, 'may, where the statement is refused', '', 'row-level security', true);
SELECT * FROM check_test(seeme_test.may_not(:olga, 'DELETE FROM t_models WHERE id = 1', ''),
  false, 'may_not, where a row is changed', '', 'rows: 1', true);
SELECT throws_ok(format('SELECT seeme_test.may_not(%L, ''DELETE FROM t_modles'')', :stan), '42P01',
  NULL, 'a mistake in the statement is no refusal');
SELECT throws_ok('SELECT seeme_test.may_not(gen_random_uuid(), ''DELETE FROM t_models'')', '28000',
  NULL, 'and an unknown person is none');

SELECT * FROM finish();
ROLLBACK;
