-- What a member may try with organizations.creator_role_id.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(34);

\set founder  '''e0000000-0000-4000-8000-0000000000c1'''
\set steward  '''e0000000-0000-4000-8000-0000000000c2'''
\set reader   '''e0000000-0000-4000-8000-0000000000c3'''
\set wild     '''e0000000-0000-4000-8000-0000000000c4'''
-- Nora may create projects. Mike may change the organization and its roles, and read datasets.
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  (:founder, :acme, 'Founder', '{projects:create,projects:read}'),
  (:steward, :acme, 'Steward', '{organizations:update,roles:read,roles:update,projects:create,
    projects:read,datasets:read}'),
  (:reader, :acme, 'Reader', '{datasets:read}'),
  (:wild, :acme, 'Wild', '{annotations:*}');
UPDATE seeme.memberships SET role_id = :founder WHERE organization_id = :acme AND user_id = :nora;
UPDATE seeme.memberships SET role_id = :steward WHERE organization_id = :acme AND user_id = :mike;

CREATE FUNCTION pg_temp.set_role_to(role_id text) RETURNS text LANGUAGE sql
RETURN format('UPDATE seeme.organizations SET creator_role_id = %L
  WHERE id = ''b0000000-0000-4000-8000-000000000001''', role_id);
CREATE FUNCTION pg_temp.memberships() RETURNS bigint LANGUAGE sql SECURITY DEFINER
AS 'SELECT count(*) FROM seeme.memberships';

-- The setting
SELECT pg_temp.become('mike') \g /dev/null
SELECT throws_ok(pg_temp.set_role_to(:reader), '42501', NULL,
  'threat: a member replaces a role that is wider than what they hold');
SELECT throws_ok(pg_temp.set_role_to(NULL), '42501', NULL,
  'threat: a member takes it away from everybody who creates');
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.organizations SET creator_role_id = NULL WHERE id = :acme;
SELECT pg_temp.become('mike') \g /dev/null
SELECT throws_ok(pg_temp.set_role_to(pg_temp.builtin('Viewer')::text), '42501', NULL,
  'threat: a member sets a role that is wider than what they hold');
SELECT throws_ok(pg_temp.set_role_to(:wild), '42501',
  'you do not hold annotations:* in this organization', 'and the message names what is missing');
SELECT lives_ok(pg_temp.set_role_to(:reader), 'a role of which they hold everything they may set');
SELECT throws_ok(format('UPDATE seeme.roles SET permissions = %L WHERE id = %L',
  '{datasets:read,datasets:delete}', :reader), '42501', NULL,
  'threat: a member widens the role that creators get');
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.roles SET permissions = '{organizations:update}' || ARRAY(
  SELECT name FROM seeme.permissions WHERE resource = 'annotations' AND NOT is_wildcard)
 WHERE id = :steward;
SELECT pg_temp.become('mike') \g /dev/null
SELECT throws_ok(pg_temp.set_role_to(:wild), '42501', NULL,
  'threat: all codes that a wildcard covers today stand in for the wildcard');
SELECT pg_temp.become('nora') \g /dev/null
UPDATE seeme.organizations SET creator_role_id = pg_temp.builtin('Admin') WHERE id = :acme;
SELECT pg_temp.become('olga') \g /dev/null
SELECT is((SELECT creator_role_id FROM seeme.organizations WHERE id = :acme), :reader::uuid,
  'threat: a member without organizations:update changes it');
SELECT pg_temp.become('gina') \g /dev/null
UPDATE seeme.organizations SET creator_role_id = NULL WHERE id = :acme;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is((SELECT creator_role_id FROM seeme.organizations WHERE id = :acme), :reader::uuid,
  'threat: a member of another organization changes it');

-- Creating
SELECT pg_temp.become('olga') \g /dev/null
UPDATE seeme.organizations SET creator_role_id = pg_temp.builtin('Editor') WHERE id = :acme;
SELECT pg_temp.become('nora') \g /dev/null
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Noras')
  RETURNING id AS noras \gset
SELECT is(seeme_permissions(project => :'noras') @> '{models:create}'
          AND NOT seeme_permissions(project => :'noras') && '{models:delete,projects:update}', true,
  'the creator holds what the organization says');
UPDATE seeme.memberships SET role_id = pg_temp.builtin('Admin') WHERE project_id = :'noras';
SELECT is((SELECT array_agg(role_name) FROM seeme.project_members WHERE project_id = :'noras'),
  '{Editor}', 'threat: the creator makes more of their membership');
SELECT throws_ok(format($$INSERT INTO seeme.memberships (project_id, user_id, role_id)
  VALUES (%L, %L, %L)$$, :'noras', :stan, pg_temp.builtin('Editor')), '42501', NULL,
  'threat: the creator adds others');
SELECT throws_ok(format($$INSERT INTO seeme.memberships (project_id, user_id, role_id)
  VALUES (%L, %L, %L)$$, :gamma, :nora, pg_temp.builtin('Editor')), '42501', NULL,
  'threat: the creator of one project seats themselves in another');
SELECT throws_ok(format($$WITH p AS (INSERT INTO seeme.projects (organization_id, name)
    VALUES (%1$L, 'Bait'))
  INSERT INTO seeme.memberships (project_id, user_id, role_id) VALUES (%2$L, %3$L, %4$L)$$,
  :acme, :gamma, :nora, pg_temp.builtin('Editor')), '42501', NULL,
  'threat: the same in the statement that creates a project');
SELECT pg_temp.memberships() AS before \gset
SELECT throws_ok(format($$WITH p AS (INSERT INTO seeme.projects (organization_id, name)
    VALUES (%1$L, 'Bait') RETURNING id)
  INSERT INTO seeme.memberships (project_id, user_id, role_id)
  SELECT id, %2$L, %3$L FROM p$$, :acme, :nora, pg_temp.builtin('Admin')), '42501', NULL,
  'threat: the statement that creates a project also gives a wider role in it');
SELECT throws_ok(format($$INSERT INTO seeme.projects (id, organization_id, name)
  VALUES (%L, %L, 'Again')$$, :gamma, :acme), '23505', NULL,
  'threat: a project is created under the id of another one');
INSERT INTO seeme.projects (id, organization_id, name) VALUES (:gamma, :acme, 'Again')
  ON CONFLICT DO NOTHING;
INSERT INTO seeme.projects (id, organization_id, name) VALUES (:gamma, :acme, 'Gamma')
  ON CONFLICT DO NOTHING;
SELECT is(pg_temp.memberships(), :'before'::bigint,
  'threat: an INSERT that finds the project there seats its author in it');
SELECT throws_ok(format($$INSERT INTO seeme.projects (id, organization_id, name)
  VALUES (%L, %L, 'Again') ON CONFLICT (id) DO UPDATE SET description = 'mine'$$, :gamma, :acme),
  '42501', NULL, 'threat: the same with DO UPDATE');
SELECT is(pg_temp.memberships(), :'before'::bigint, 'no membership is left of that');
SELECT throws_ok(format($$INSERT INTO seeme.projects (organization_id, name)
  VALUES (%L, 'Theirs')$$, :globex), '42501', NULL,
  'threat: a project in an organization where one creates none');

-- An application's trigger that adds a membership while the creator's is being added
SELECT pg_temp.become(NULL) \g /dev/null
CREATE FUNCTION public.t_more() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF pg_trigger_depth() < 3 AND NEW.project_id IS NOT NULL THEN
    INSERT INTO seeme.memberships (project_id, user_id, role_id)
      VALUES ('d0000000-0000-4000-8000-000000000003', NEW.user_id, NEW.role_id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER t_more AFTER INSERT ON seeme.memberships FOR EACH ROW EXECUTE FUNCTION t_more();
SELECT pg_temp.become('nora') \g /dev/null
SELECT throws_ok(format($$INSERT INTO seeme.projects (organization_id, name)
  VALUES (%L, 'With more')$$, :acme), '42501', NULL,
  'threat: another membership rides on the creator''s');
SELECT pg_temp.become(NULL) \g /dev/null
DROP TRIGGER t_more ON seeme.memberships;
SELECT pg_temp.become('nora') \g /dev/null
SELECT throws_ok(format($$INSERT INTO seeme.memberships (project_id, user_id, role_id)
  VALUES (%L, %L, %L)$$, :gamma, :nora, pg_temp.builtin('Editor')), '42501', NULL,
  'threat: an error while the creator''s membership is added leaves the door open');

-- What is shown to the creator before the membership is there
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.roles SET permissions = '{projects:create}' WHERE id = :founder;
INSERT INTO seeme.projects (id, organization_id, name) VALUES
  ('d0000000-0000-4000-8000-0000000000d1', :globex, 'Hidden');
SELECT pg_temp.become('nora') \g /dev/null
SELECT throws_ok($$WITH p AS (INSERT INTO seeme.projects (id, organization_id, name)
    VALUES ('d0000000-0000-4000-8000-0000000000d1', 'b0000000-0000-4000-8000-000000000001',
            'Hidden, too')
    ON CONFLICT DO NOTHING RETURNING id)
  SELECT id::text FROM p UNION ALL
  SELECT name FROM seeme.projects WHERE id = 'd0000000-0000-4000-8000-0000000000d1'$$,
  '42501', NULL, 'threat: an INSERT under the id of a hidden project shows that project');
SELECT is_empty($$SELECT name FROM seeme.projects
  WHERE id = 'd0000000-0000-4000-8000-0000000000d1'$$, 'nor does a statement after it');
SELECT throws_ok(format($$INSERT INTO seeme.projects (id, organization_id, name)
    VALUES ('d0000000-0000-4000-8000-0000000000d1', %L, 'Hidden, too')
    ON CONFLICT (id) DO UPDATE SET description = 'mine' RETURNING name$$, :acme),
  '42501', NULL, 'threat: the same with DO UPDATE');
SELECT throws_ok(format($$INSERT INTO seeme.projects (id, organization_id, name, slug)
    VALUES ('d0000000-0000-4000-8000-0000000000d2', %L, 'Slug', 'gamma') RETURNING name$$, :acme),
  '23505', NULL, 'an INSERT that fails');
SELECT pg_temp.become(NULL) \g /dev/null
INSERT INTO seeme.projects (id, organization_id, name) VALUES
  ('d0000000-0000-4000-8000-0000000000d2', :acme, 'Not theirs');
SELECT pg_temp.become('nora') \g /dev/null
SELECT is_empty($$SELECT name FROM seeme.projects
  WHERE id = 'd0000000-0000-4000-8000-0000000000d2'$$,
  'threat: a failed INSERT opens the project that somebody else creates under that id');
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.roles SET permissions = '{projects:create,projects:read}' WHERE id = :founder;

-- Leaving
SELECT pg_temp.become('olga') \g /dev/null
DELETE FROM seeme.organization_members WHERE organization_id = :acme AND user_id = :nora;
SELECT pg_temp.become('nora') \g /dev/null
SELECT is(seeme_permissions(project => :'noras'), '{}',
  'threat: whoever was taken out of the organization keeps the projects that they created');
SELECT pg_temp.become(NULL) \g /dev/null
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :nora);
SELECT pg_temp.become('nora') \g /dev/null
SELECT is(seeme_permissions(project => :'noras'), '{}', 'also after coming back');

-- The trigger function on a table of one's own
SELECT pg_temp.become(NULL) \g /dev/null
CREATE TABLE public.projects (id uuid, organization_id uuid, team_id uuid);
CREATE TRIGGER t AFTER INSERT ON public.projects REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.seat_creator();
GRANT INSERT ON public.projects TO t_app;
SELECT pg_temp.become('paul') \g /dev/null
SELECT throws_ok(format('INSERT INTO public.projects VALUES (%L, %L)', :gamma, :acme), '42501',
  'this trigger is for tables of the schema seeme',
  'threat: the trigger that adds the membership, on another table');
SELECT throws_ok('CREATE TRIGGER t AFTER INSERT ON seeme.projects REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.seat_creator()', '42501', NULL,
  'threat: a member makes that trigger');
SELECT ok(NOT has_function_privilege('t_app', 'seeme.is_creator_role(uuid, uuid)', 'EXECUTE'),
  'threat: a member asks which roles other organizations'' creators get');

-- An application's own table of members is the one that is written.
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.organizations SET creator_role_id = DEFAULT WHERE id = :acme;
UPDATE seeme.memberships SET role_id = :founder WHERE organization_id = :acme AND user_id = :nora;
CREATE TABLE public.workers (workspace uuid, worker uuid, PRIMARY KEY (workspace, worker));
SELECT seeme_mirror('public.workers', 'project_members',
  '{"project_id": "workspace", "user_id": "worker"}') \g /dev/null
SELECT count(*) AS differences FROM seeme_mirror_differences('public.workers') \gset
SELECT pg_temp.become('nora') \g /dev/null
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Mirrored')
  RETURNING id AS mirrored \gset
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is((SELECT count(*) FROM seeme.memberships WHERE project_id = :'mirrored'), 0::bigint,
  'where the members of projects are mirrored, the creator is added by the application');
SELECT is((SELECT count(*) FROM seeme_mirror_differences('public.workers')),
  :'differences'::bigint, 'and the mirror has no more differences');

SELECT * FROM finish();
ROLLBACK;
