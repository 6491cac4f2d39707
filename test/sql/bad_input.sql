\i test/include/prelude.psql
-- Bad input to the tables of the model: each a clear error with its SQLSTATE, and nothing changed.
-- And what is made of good input: slugs, spaces between validity, e-mail without regard to case.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(74);

CREATE TEMP TABLE before AS SELECT
  (SELECT count(*) FROM seeme.organizations) AS organizations,
  (SELECT count(*) FROM seeme.teams) AS teams, (SELECT count(*) FROM seeme.projects) AS projects,
  (SELECT count(*) FROM seeme.roles) AS roles,
  (SELECT count(*) FROM seeme.memberships) AS memberships,
  (SELECT count(*) FROM seeme.users) AS users,
  (SELECT count(*) FROM seeme.permissions) AS permissions;

CREATE TEMP TABLE bad (code text, what text, statement text);
INSERT INTO bad VALUES
  ('22P02', 'a malformed uuid', $$SELECT seeme_has_permission('models:read', project => 'alpha')$$),
  ('22P02', 'a malformed uuid in a table', $$UPDATE seeme.projects SET team_id = 'research'
    WHERE id = {alpha}$$),
  ('23505', 'an organization''s slug that is taken',
  $$INSERT INTO seeme.organizations (name, slug, owner_id) VALUES ('Other', 'acme', {olga})$$),
  ('23505', 'a team''s slug that is taken', $$
    INSERT INTO seeme.teams (organization_id, name, slug) VALUES ({acme}, 'Other', 'research')$$),
  ('23505', 'a project''s slug that is taken',
  $$INSERT INTO seeme.projects (organization_id, name, slug) VALUES ({acme}, 'Other', 'alpha')$$),
  ('23505', 'a project''s slug that is taken, by UPDATE',
  $$UPDATE seeme.projects SET slug = 'alpha' WHERE id = {beta}$$),
  ('23505', 'a role''s name that is taken', $$
    INSERT INTO seeme.roles (organization_id, name, permissions)
      VALUES ({acme}, 'Annotator', '{models:read}')$$),
  ('23505', 'an e-mail that is taken', $$INSERT INTO seeme.users (username, email, firstname, name)
    VALUES ('vera2', 'vera@example.com', 'V', 'T')$$),
  ('23505', 'an e-mail that is taken but for its case',
  $$INSERT INTO seeme.users (username, email, firstname, name)
    VALUES ('vera2', 'VERA@Example.COM', 'V', 'T')$$),
  ('23505', 'a database role that is taken', $$
    INSERT INTO seeme.users (username, email, firstname, name, database_role)
      VALUES ('vera2', 'vera2@example.com', 'V', 'T', 't_vera')$$),
  ('23505', 'a second membership in an organization',
  $$INSERT INTO seeme.memberships (organization_id, user_id) VALUES ({acme}, {vera})$$),
  ('23505', 'a second membership in a team', $$
    INSERT INTO seeme.team_members (team_id, user_id, role_id)
      VALUES ({research}, {tess}, {Viewer})$$),
  ('23505', 'a second membership in a project',
  $$INSERT INTO seeme.project_members (project_id, user_id) VALUES ({alpha}, {paul})$$),
  ('22001', 'an over-long organization''s name',
  $$UPDATE seeme.organizations SET name = repeat('x', 10000) WHERE id = {acme}$$),
  ('22001', 'an over-long team''s name', $$UPDATE seeme.teams SET name = repeat('x', 10000)
    WHERE id = {sales}$$),
  ('22001', 'an over-long project''s name', $$
    UPDATE seeme.projects SET name = repeat('x', 10000) WHERE id = {beta}$$),
  ('22001', 'an over-long role''s name', $$UPDATE seeme.roles SET name = repeat('x', 10000)
    WHERE id = {annotator}$$),
  ('23502', 'an organization without a name',
  $$INSERT INTO seeme.organizations (name, owner_id) VALUES (NULL, {olga})$$),
  ('23502', 'a team without a name', $$INSERT INTO seeme.teams (organization_id) VALUES ({acme})$$),
  ('23502', 'a project without an organization',
  $$INSERT INTO seeme.projects (name) VALUES ('New')$$),
  ('23514', 'a slug with a space', $$UPDATE seeme.projects SET slug = 'al pha'
    WHERE id = {alpha}$$),
  ('23514', 'a slug with capitals', $$UPDATE seeme.teams SET slug = 'Sales' WHERE id = {sales}$$),
  ('23514', 'an empty slug', $$UPDATE seeme.organizations SET slug = '' WHERE id = {acme}$$),
  ('23514', 'a slug with a slash', $$INSERT INTO seeme.projects (organization_id, name, slug)
    VALUES ({acme}, 'New', '../etc')$$),
  ('23514', 'a membership that ends before it begins',
  $$UPDATE seeme.memberships SET valid_from = '2030-01-02',
    valid_until = '2030-01-01' WHERE user_id = {vera}$$),
  ('23514', 'a membership that ends as it begins',
  $$UPDATE seeme.memberships SET valid_from = '2030-01-01',
    valid_until = '2030-01-01' WHERE user_id = {vera}$$),
  ('23514', 'a membership in a team and a project at once',
  $$INSERT INTO seeme.memberships (organization_id, team_id, project_id, user_id)
    VALUES ({acme}, {research}, {alpha}, {vera})$$),
  ('22023', 'a role of an unknown code',
  $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{models:raed}')$$),
  ('22023', 'a role of an unknown code among known ones',
  $$UPDATE seeme.roles SET permissions = '{models:read,nothing:here}' WHERE id = {annotator}$$),
  ('22023', 'a role of a wildcard that covers nothing',
  $$UPDATE seeme.roles SET permissions = '{nothing:*}' WHERE id = {annotator}$$),
  ('22023', 'a role of *:*', $$UPDATE seeme.roles SET permissions = '{*:*}'
    WHERE id = {annotator}$$),
  ('22023', 'a role of an empty code', $$UPDATE seeme.roles SET permissions = ARRAY['']
    WHERE id = {annotator}$$),
  ('23505', 'an assignment twice',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({alpha}, 'model', {vera}), ({alpha}, 'model', {vera})$$),
  ('23503', 'an assignment of an unknown type',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({alpha}, 'spaceship', {vera})$$),
  ('23503', 'an assignment to a project that does not exist',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({nobody_known}, 'model', {vera})$$),
  ('23502', 'an organization without an owner',
  $$UPDATE seeme.organizations SET owner_id = NULL WHERE id = {acme}$$),
  ('23503', 'removing a person who owns an organization',
  $$DELETE FROM seeme.users WHERE id = {olga}$$);
SELECT is(pg_temp.try(NULL, statement), code, 'refused: ' || what) FROM bad;
SELECT matches(pg_temp.complaint(
  NULL, format($$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', ARRAY['models:list', %L])$$, wrong)), '^22023: .*\|.*\|.*' || nearest,
      'with a hint at the nearest code: ' || wrong)
  FROM (VALUES ('models:raed', 'models:read'), ('dataset:share', 'datasets:share'),
  ('annotation:create', 'annotations:create')) AS v (wrong, nearest);
SELECT isnt(
  pg_temp.try(NULL, $$UPDATE seeme.roles SET permissions = ARRAY['models:read', NULL]
    WHERE id = {annotator}$$), '1 row', 'refused: a role with a null among its codes');
SELECT isnt(
  pg_temp.rows(NULL, $$UPDATE seeme.roles SET permissions = NULL WHERE id = {annotator}
    RETURNING permissions$$), ARRAY['null'], 'a role always has a list of codes');
SELECT isnt(pg_temp.try(NULL, format(
  $$INSERT INTO seeme.permissions (name, description) VALUES (%L, 'x')$$, wrong)), '1 row',
  'refused: registering the code "' || wrong || '"')
  FROM unnest(ARRAY['models', 'models:', ':read', 'a:b:c', 'Models:Fly', 'mo dels:fly', '*:*', ''])
  AS wrong;
SELECT is((SELECT count(*) FROM before b WHERE (b.*)
  = ((SELECT count(*) FROM seeme.organizations), (SELECT count(*) FROM seeme.teams),
  (SELECT count(*) FROM seeme.projects),
    (SELECT count(*) FROM seeme.roles), (SELECT count(*) FROM seeme.memberships),
    (SELECT count(*) FROM seeme.users), (SELECT count(*) FROM seeme.permissions))), 1::bigint,
    'nothing changed');

-- What is allowed beside it
CREATE TEMP TABLE good (what text, statement text);
INSERT INTO good VALUES
  ('the same team''s slug in another organization',
  $$INSERT INTO seeme.teams (organization_id, name, slug)
    VALUES ({globex}, 'Research', 'research')$$),
  ('the same project''s slug in another organization',
  $$INSERT INTO seeme.projects (organization_id, name, slug) VALUES ({globex}, 'Alpha', 'alpha')$$),
  ('the same role''s name in another organization',
  $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({globex}, 'Annotator', '{models:read}')$$),
  ('a team and a project of one slug', $$INSERT INTO seeme.teams (organization_id, name, slug)
    VALUES ({acme}, 'Alpha', 'alpha')$$),
  ('a role without any code', $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'Nothing', '{}')$$),
  ('an organization''s slug of digits and hyphens',
  $$UPDATE seeme.organizations SET slug = 'acme-2-go' WHERE id = {acme}$$),
  ('one resource in two projects',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({alpha}, 'model', {vera}), ({beta}, 'model', {vera})$$),
  ('one id as two types',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({alpha}, 'model', {vera}), ({alpha}, 'dataset', {vera})$$),
  ('several people without a database role', $$
    INSERT INTO seeme.users (username, email, firstname, name)
      VALUES ('n1', 'n1@example.com', 'N', 'N'), ('n2', 'n2@example.com', 'N', 'N')$$);
SELECT matches(pg_temp.try(NULL, statement), '^[12] rows?$', 'allowed: ' || what) FROM good;

-- Slugs
CREATE FUNCTION pg_temp.slug(name text) RETURNS text LANGUAGE sql
AS $$ SELECT
  (pg_temp.rows(NULL,
  format('INSERT INTO seeme.projects (organization_id, name) VALUES ({acme}, %L) RETURNING slug',
  name)))[1] $$;
SELECT is(pg_temp.slug('Image Classification Project'), 'image-classification-project',
  'a slug not given is made from the name');
SELECT is(pg_temp.slug('  Two   spaces -- and, signs! '), 'two-spaces-and-signs',
  'of its letters and digits alone');
SELECT matches(pg_temp.slug('Alpha'), '^alpha-?[0-9]+$', 'with a number when it is taken');
SELECT matches(pg_temp.slug(n), '^[a-z0-9]+(-[a-z0-9]+)*$',
  'it is valid whatever the name is: ' || left(n, 20))
  FROM unnest(ARRAY['日本語', '!!!', 'Žluťoučký kůň', '---', repeat('a b', 60)]) AS n;
INSERT INTO seeme.projects (organization_id, name) SELECT :acme, 'Same' FROM generate_series(1, 12);
SELECT is((SELECT count(DISTINCT slug)::integer FROM seeme.projects WHERE name = 'Same'), 12,
  'twelve projects of one name have twelve slugs');
INSERT INTO seeme.organizations (name, owner_id) VALUES ('Acme', :olga), ('Acme', :adam);
SELECT is((SELECT count(DISTINCT slug)::integer FROM seeme.organizations WHERE name = 'Acme'), 3,
  'and three organizations of one name three');
INSERT INTO seeme.teams (organization_id, name) VALUES (:globex, 'Research');
SELECT is((SELECT slug FROM seeme.teams WHERE organization_id = :globex AND name = 'Research'),
  'research', 'a team''s slug is taken in its own organization alone');

-- What belongs to generated columns stays generated
SELECT is(pg_temp.try(NULL, statement), '428C9', 'refused: ' || statement)
  FROM unnest(ARRAY['UPDATE seeme.roles SET is_system_role = true',
  'UPDATE seeme.roles SET scope = ''system''']) AS statement;
SELECT isnt(pg_temp.rows(NULL, $$UPDATE seeme.organizations SET has_logo = true WHERE id = {acme}$$,
  $$SELECT has_logo FROM seeme.organizations WHERE id = {acme}$$), '{true}',
  'has_logo is not to be had without a logo');

SELECT * FROM finish();
ROLLBACK;
