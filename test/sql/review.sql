\i test/include/prelude.psql
-- Who may do what, as somebody who is responsible for access looks at it: seeme_permitted_users,
-- the matrix of members and permissions, and the findings of seeme_review. Each tells what the
-- asking person may know, and no more.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(75);

CREATE FUNCTION pg_temp.permitted(person text, question text) RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(t.name, ' ' ORDER BY t.name), '')
  FROM unnest(pg_temp.rows(person, 'SELECT seeme_permitted_users(' || question || ')')) AS r (id)
  LEFT JOIN pg_temp.thing t ON t.id::text = r.id $$;

-- seeme_permitted_users
SELECT is(pg_temp.permitted('adam', q), e, 'who may ' || q)
  FROM (VALUES ($$'models:read', organization => {acme}$$, 'adam cora edith olga vera'),
  ($$'models:read', team => {research}$$, 'adam cora edith olga tess vera'),
  ($$'models:read', project => {alpha}$$, 'adam cora edith olga paul tess vera'),
               ($$'annotations:*', project => {alpha}$$, 'adam ann olga'),
               ($$'organizations:delete', organization => {acme}$$, 'olga'),
               ($$'organizations:manage_members', organization => {acme}$$, 'adam olga'),
               ($$'models:share', project => {beta}$$, 'adam edith olga'),
               ($$'models:read', organization => NULL$$, '')) AS v (q, e);
SELECT is(pg_temp.permitted(NULL, $$'models:read', project => {alpha}$$),
  'adam cora edith olga paul tess vera', 'a superuser is told as well');
SELECT is(pg_temp.permitted(p, $$'models:read', project => {alpha}$$), e,
  format('%s is told: %s', p, coalesce(nullif(e, ''), 'nothing')))
  FROM (VALUES ('olga', 'adam cora edith olga paul tess vera'), ('edith', 'edith'),
  ('vera', 'vera'), ('nora', ''), ('oscar', ''), ('gina', ''), ('ghost', ''), ('dora', ''))
  AS v (p, e);
SELECT pg_temp.hold('{organizations:manage_members}') \g /dev/null
SELECT is(pg_temp.permitted('nora', $$'models:read', organization => {acme}$$),
  'adam cora edith olga vera', 'who manages members is told');
SELECT pg_temp.hold('{}'), pg_temp.hold_in('alpha', '{projects:update}') \g /dev/null
SELECT is(pg_temp.permitted('nora', $$'models:read', project => {alpha}$$),
  'adam cora edith olga paul tess vera', 'who manages those of a project is told of the project');
SELECT is(pg_temp.permitted('nora', $$'models:read', project => {beta}$$), '',
  'threat: and of no other');
SELECT is(pg_temp.permitted('nora', $$'models:read', organization => {acme}$$), '',
  'threat: nor of the organization');
SELECT pg_temp.hold_in('alpha', '{}') \g /dev/null
SELECT is(
  pg_temp.try('adam', $$SELECT seeme_permitted_users('model:read', organization => {acme})$$),
  '22023', 'an unknown code');
SELECT is(
  pg_temp.try('adam',
  $$SELECT seeme_permitted_users('models:read', organization => {acme}, project => {alpha})$$),
  '22023', 'two scopes');

-- seeme_permission_matrix
\set whole '''SELECT DISTINCT member FROM seeme_permission_matrix({acme}) ORDER BY 1'''
SELECT is(
  pg_temp.rows('adam',
  'SELECT string_agg(k, '' '') FROM (SELECT m FROM seeme_permission_matrix({acme}) AS m LIMIT 1) '
  'AS r, json_object_keys(row_to_json(r.m)) AS k'), '{member permission held}',
  'the matrix: a row a member and permission');
SELECT is(pg_temp.rows('adam', :whole), '{adam,cora,edith,mike,olga,vera}',
  'those who hold anything in the organization');
CREATE TEMP TABLE should_be AS
  SELECT s.name AS scope, u.username || ' ' || h.code AS line FROM seeme.users u,
    LATERAL pg_temp.held(u.username) AS h JOIN pg_temp.scope s ON s.id = h.scope_id
    WHERE u.database_role LIKE 't\_%';
SELECT is(
  (SELECT coalesce(string_agg(coalesce('missing: ' || b.line, 'too much: ' || a.line), ', '),
  'the same')
             FROM (SELECT line FROM should_be WHERE scope = p.scope) AS b
             FULL JOIN unnest(pg_temp.rows(
             'adam', format('SELECT member || '' '' || permission FROM seeme_permission_matrix(%s '
                            '=> {%s})', p.kind, p.scope))) AS a (line) USING (line)
                            WHERE a.line IS NULL OR b.line IS NULL),
  'the same', 'the matrix of ' || p.scope || ' is what people hold there')
  FROM (VALUES ('organization', 'acme'), ('team', 'research'), ('project', 'alpha'),
  ('project', 'gamma')) AS p (kind, scope);
SELECT is(
  pg_temp.rows('adam', $$SELECT count(*) FROM seeme_permission_matrix({acme})
    WHERE permission LIKE '%*%' OR held IS DISTINCT FROM 'x' OR member IS NULL$$), '{0}',
    'every cell is filled, every column a code');
\set fit '''SELECT bool_and(n = 1), count(DISTINCT permission) <= 1600 FROM (SELECT member, permission, count(*) AS n FROM seeme_permission_matrix({acme}) GROUP BY 1, 2) AS c'''
SELECT is(pg_temp.rows('adam', :fit), '{true|true}', 'which is fit for \crosstabview');
UPDATE seeme.users SET username = 'edith' WHERE id = :cora;
SELECT is(pg_temp.rows('adam', :fit), '{true|true}', 'also when two members bear the same name');
UPDATE seeme.users SET username = NULL WHERE id IN (:cora, :edith);
UPDATE seeme.users SET email = NULL WHERE id = :edith;
SELECT is(pg_temp.rows('adam', :fit), '{true|true}', 'or none');
UPDATE seeme.users SET username = 'cora' WHERE id = :cora;
UPDATE seeme.users SET username = 'edith', email = 'edith@example.com' WHERE id = :edith;
SELECT pg_temp.become('adam') \g /dev/null
\o /dev/null
SELECT member, permission, held FROM seeme_permission_matrix(:acme) \crosstabview
\set crosstab :ERROR
\o
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(:'crosstab'::text, 'false', 'psql makes a table of it');
SELECT is(pg_temp.rows(p, :whole), e::text[],
  format('the matrix, asked for by %s', coalesce(p, 'a superuser')))
  FROM (VALUES ('olga', '{adam,cora,edith,mike,olga,vera}'),
  (NULL, '{adam,cora,edith,mike,olga,vera}'), ('edith', '{edith}'), ('mike', '{mike}'),
  ('nora', '{}'), ('oscar', '{}'), ('gina', '{}'), ('ghost', '{}'), ('dora', '{}')) AS v (p, e);
SELECT is(
  pg_temp.rows('paul', 'SELECT DISTINCT member FROM seeme_permission_matrix(project => {alpha})'),
  '{paul}', 'threat: a viewer of a project learns who else may do what');
SELECT is(pg_temp.rows('adam', 'SELECT * FROM seeme_permission_matrix()'), '{}',
  'of nothing: nothing');
SELECT is(pg_temp.rows('adam', 'SELECT * FROM seeme_permission_matrix({acme}, project => {alpha})'),
  '{22023}', 'of two scopes: an error');

-- seeme_review: members without a role
\set roleless '''SELECT subject, detail FROM seeme_review({acme}) WHERE finding = $$member without a role$$ ORDER BY 1'''
SELECT is(pg_temp.rows('adam', :roleless), '{"nora|at no level"}',
  'members without a role at any level');
SELECT is(
  pg_temp.rows(NULL, 'DELETE FROM seeme.memberships WHERE user_id = {tess} AND team_id IS NOT NULL',
  'INSERT INTO seeme.memberships (organization_id, user_id) VALUES ({acme}, {stan})',
  $$SELECT pg_temp.become('olga')$$, :roleless),
  '{"nora|at no level","stan|at no level","tess|at no level"}', 'nor in a team or project');
SELECT is(
  pg_temp.rows(NULL, 'INSERT INTO seeme.memberships (project_id, user_id) VALUES ({alpha}, {nora})',
  $$SELECT pg_temp.become('adam')$$, :roleless), '{"nora|at no level"}',
  'a membership of a project without a role is none either');
SELECT is(
  pg_temp.rows(NULL,
  'INSERT INTO seeme.memberships (project_id, user_id, role_id) VALUES ({alpha}, {nora}, {Viewer})',
  $$SELECT pg_temp.become('adam')$$, :roleless), '{}', 'one with a role is');
SELECT is(
  pg_temp.rows('adam', $$SELECT subject FROM seeme_review({acme})
    WHERE finding = 'member is disabled'$$), '{dora}', 'disabled members');

-- Unused roles
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES ('e0000000-0000-4000-8000-0000000000a1', :acme, 'Idle', '{models:read,models:update}'),
    ('e0000000-0000-4000-8000-0000000000a2', :globex, 'Idle too', '{models:read}');
DELETE FROM seeme.roles WHERE name LIKE 'Just this in %';
\set unused '''SELECT subject, detail FROM seeme_review() WHERE finding = $$role is unused$$ AND subject <> $$Just this$$ ORDER BY 1'''
SELECT is(pg_temp.rows('adam', :unused), '{"Idle|models:read, models:update"}',
  'roles that nobody has');
SELECT is(
  pg_temp.rows(NULL,
  'UPDATE seeme.memberships SET role_id = ''e0000000-0000-4000-8000-0000000000a1'' WHERE user_id = '
  '{paul} AND project_id IS NOT NULL', $$SELECT pg_temp.become('adam')$$, :unused), '{}',
  'a role in a project is in use');
SELECT is(pg_temp.rows(NULL, 'DELETE FROM seeme.memberships WHERE user_id = {ann}',
  $$SELECT pg_temp.become('adam')$$, :unused),
  '{"Annotator|datasets:list, datasets:read, annotations:*","Idle|models:read, models:update"}',
  'until it is not');
SELECT is(pg_temp.rows(NULL, :unused),
  '{"Analyst|models:list, models:read","Idle|models:read, models:update","Idle too|models:read"}',
  'a superuser sees those of all organizations, and no built-in role');
SELECT is(pg_temp.rows(p, :unused), e::text[], 'unused roles, asked for by ' || p)
  FROM (VALUES ('oscar', '{"Analyst|models:list, models:read","Idle too|models:read"}'),
  ('nora', '{}'), ('ann', '{}'), ('stan', '{}'), ('ghost', '{}'), ('dora', '{}')) AS v (p, e);
SELECT is(pg_temp.rows('ann', $$SELECT name FROM seeme.roles WHERE name = 'Annotator'$$,
  $$SELECT pg_temp.become(NULL)$$,
  'UPDATE seeme.memberships SET role_id = NULL WHERE user_id = {ann}',
  $$SELECT pg_temp.become('ann')$$, :unused), '{}',
  'threat: learning that nobody has a role any more');

-- Open invitations
SELECT pg_temp.become('adam') \g /dev/null
SELECT FROM seeme_invite('new@example.com', organization => :acme, role_id => :annotator)
  \g /dev/null
SELECT pg_temp.become(NULL) \g /dev/null
\set invited '''SELECT subject, detail FROM seeme_review() WHERE finding = $$invitation is open$$'''
SELECT is(pg_temp.rows(p, :invited), e::text[],
  'open invitations, asked for by ' || coalesce(p, 'a superuser'))
  FROM (VALUES ('adam', '{new@example.com|Annotator}'), ('olga', '{new@example.com|Annotator}'),
  ('mike', '{}'), ('oscar', '{}'), ('ghost', '{}')) AS v (p, e);
SELECT is(pg_temp.rows(NULL, :invited), '{new@example.com|Annotator}',
  'and by a superuser, with the role');

-- What the findings leave out
SELECT is(pg_temp.rows(p, 'SELECT DISTINCT finding FROM seeme_review({acme})'), '{}',
  'threat: reviewing an organization that one is no member of, as ' || p)
  FROM unnest(ARRAY['oscar', 'gina', 'stan', 'ghost']) AS p;
SELECT is(pg_temp.rows('oscar', 'SELECT DISTINCT organization = {globex} FROM seeme_review()'),
  '{true}', 'without an organization: one''s own');
SELECT is(pg_temp.rows('adam', 'SELECT * FROM seeme_review({nobody_known})'), '{}',
  'an organization that there is not');
SELECT pg_temp.hold('{organizations:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', :roleless), '{}',
  'who sees the organization''s members alone is not told that somebody with a role in a project '
  'has none');
SELECT pg_temp.hold('{}') \g /dev/null

SELECT * FROM finish();
ROLLBACK;
