\i test/include/prelude.psql
-- A role names a code of a table that is not protected yet: the hint says how. Most names of an
-- application's tables are a few letters away from a code that is there.
BEGIN;
\i test/include/people.psql
SELECT plan(14);

CREATE FUNCTION pg_temp.hint_of(code text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  INSERT INTO seeme.roles (organization_id, name, permissions)
  SELECT id, 'New', ARRAY[code] FROM seeme.organizations WHERE slug = 'acme';
  RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN hint;
END $$;

SELECT matches(pg_temp.hint_of(code), format('INSERT INTO seeme\.permissions .* VALUES \(''%s''',
    replace(code, ':*', ':read')), 'the hint registers ' || code)
  FROM unnest('{boards:read,cards:list,tasks:archive,boards:*,cards:*,milestones:*}'::text[])
       AS code;
SELECT is(pg_temp.hint_of(typo), format('Perhaps you mean "%s".', meant),
    'a slip of the pen is no new code: ' || typo)
  FROM (VALUES ('dataset:read', 'datasets:read'), ('models:raed', 'models:read'),
               ('Models:read', 'models:read'), ('dataset:*', 'datasets:*')) AS v (typo, meant);
SELECT is(pg_temp.hint_of(wrong), 'A permission is resource:action, and seeme.permissions lists '
    'them; wildcards are *, resource:* and *:action.', 'what cannot be a code: ' || wrong)
  FROM unnest('{"","?"}'::text[]) AS wrong;

SELECT lives_ok(substring(pg_temp.hint_of('boards:*') FROM 'INSERT INTO .*\);'),
  'the statement of the hint runs');
SELECT is(pg_temp.hint_of('boards:*'), 'accepted', 'then a role names the wildcard');

SELECT * FROM finish();
ROLLBACK;
