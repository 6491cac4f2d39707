-- What is archived: nobody holds anything there, and nothing is deleted.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(49);

CREATE FUNCTION pg_temp.holds(person text, code text, VARIADIC scope uuid[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  held boolean;
BEGIN
  PERFORM pg_temp.become(person);
  held := seeme_has_permission(
  code, organization => scope[1], team => scope[2], project => scope[3]);
  PERFORM pg_temp.become(NULL);
  RETURN held;
END $$;

-- A project
SELECT ok(pg_temp.holds('olga', 'projects:read', NULL, NULL, :alpha),
  'the owner holds everything in a project');
UPDATE seeme.projects SET archived_at = now() WHERE id = :alpha;
SELECT ok(NOT pg_temp.holds('olga', 'projects:read', NULL, NULL, :alpha),
  'and nothing while it is archived');
SELECT ok(NOT pg_temp.holds('paul', 'projects:read', NULL, NULL, :alpha),
  'nor does a member of the project');
SELECT ok(pg_temp.holds('olga', 'projects:read', NULL, NULL, :beta),
  'another project is as it was');
SELECT pg_temp.become('adam') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.projects WHERE id = :alpha), 0::bigint,
  'an Admin does not see an archived project');
SELECT ok(NOT :alpha::uuid = ANY (seeme_permitted_projects('projects:read')),
  'nor is it in the list of what they may read');
UPDATE seeme.projects SET archived_at = NULL WHERE id = :alpha;
SELECT pg_temp.become('olga') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.projects WHERE id = :alpha AND archived_at IS NOT NULL),
  1::bigint,
          'threat: an Admin brings back what was archived. The owner sees it');
SELECT throws_ok(format($$UPDATE seeme.projects SET name = 'Other' WHERE id = %L$$, :alpha),
  '42501', NULL, 'what is archived does not change');
UPDATE seeme.projects SET archived_at = NULL WHERE id = :alpha;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(pg_temp.holds('paul', 'projects:read', NULL, NULL, :alpha),
  'the owner brings it back, and all is as it was');

-- Who may archive
SELECT pg_temp.become('edith') \g /dev/null
UPDATE seeme.projects SET archived_at = now() WHERE id = :alpha;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok((SELECT archived_at IS NULL FROM seeme.projects WHERE id = :alpha),
  'threat: an Editor archives a project');
SELECT pg_temp.become('adam') \g /dev/null
UPDATE seeme.projects SET archived_at = now() WHERE id = :gamma;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok((SELECT archived_at IS NOT NULL FROM seeme.projects WHERE id = :gamma),
  'who may delete a project may archive it');
INSERT INTO seeme.roles (id, organization_id, name, permissions)
VALUES ('e0000000-0000-4000-8000-0000000000f1', :acme, 'Remover',
  '{projects:read,projects:delete}');
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:acme, :stan, 'e0000000-0000-4000-8000-0000000000f1');
SELECT pg_temp.become('stan') \g /dev/null
SELECT throws_ok(format($$UPDATE seeme.projects SET name = 'Mine' WHERE id = %L$$, :beta), '42501',
  NULL,
                 'threat: who may delete a project and not change it changes its name');
SELECT throws_ok(
  format($$UPDATE seeme.projects SET name = 'Mine', archived_at = now() WHERE id = %L$$, :beta),
  '42501', NULL,
                 'threat: or does so while archiving it');
SELECT lives_ok(format($$UPDATE seeme.projects SET archived_at = now() WHERE id = %L$$, :beta),
  'they may archive it');
SELECT pg_temp.become(NULL) \g /dev/null

-- A team
SELECT ok(pg_temp.holds('tess', 'datasets:update', NULL, NULL, :alpha),
  'a member of a team holds something in its projects');
UPDATE seeme.teams SET archived_at = now() WHERE id = :research;
SELECT ok(NOT pg_temp.holds('tess', 'datasets:update', NULL, NULL, :alpha),
  'and not while the team is archived');
SELECT ok(NOT pg_temp.holds('olga', 'teams:read', NULL, :research, NULL),
  'nobody holds anything in the team');
SELECT ok(pg_temp.holds('adam', 'datasets:update', NULL, NULL, :alpha),
  'the team''s project is the organization''s still');
SELECT pg_temp.become('tess') \g /dev/null
SELECT is(seeme_permitted_projects('datasets:update'), '{}',
  'nor is there a project in the list of what they may do there');
SELECT pg_temp.become('olga') \g /dev/null
UPDATE seeme.teams SET archived_at = NULL WHERE id = :research;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(pg_temp.holds('tess', 'datasets:update', NULL, NULL, :alpha), 'the owner brings it back');

-- An organization
SELECT pg_temp.become('adam') \g /dev/null
SELECT throws_ok(format('UPDATE seeme.organizations SET archived_at = now() WHERE id = %L', :acme),
  '42501', NULL,
                 'threat: an Admin, who may not delete the organization, archives it');
SELECT pg_temp.become('olga') \g /dev/null
UPDATE seeme.organizations SET archived_at = now() WHERE id = :acme;
SELECT ok(NOT seeme_has_permission('organizations:read', organization => :acme),
  'the owner holds nothing in an archived organization');
SELECT is(seeme_permissions(project => :alpha), '{}', 'nor in its projects');
SELECT is((SELECT count(*) FROM seeme.projects), 0::bigint, 'whose rows they do not see');
SELECT throws_ok(format('INSERT INTO seeme.projects (organization_id, name) VALUES (%L, %L)', :acme,
  'New'), '42501', NULL, 'nor make any');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(NOT pg_temp.holds('adam', 'datasets:read', NULL, NULL, :alpha),
  'its members hold nothing');
SELECT pg_temp.become('olga') \g /dev/null
UPDATE seeme.organizations SET archived_at = NULL WHERE id = :acme;
SELECT ok(seeme_has_permission('projects:read', project => :alpha), 'the owner brings it back');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(pg_temp.holds('adam', 'datasets:read', NULL, NULL, :alpha),
  'and its members hold what they held');

SELECT throws_ok(
  format($$UPDATE seeme.projects SET archived_at = now() + interval '1 day' WHERE id = %L$$,
  :alpha), '22023', NULL,
                 'a time to come is refused');
UPDATE seeme.projects SET archived_at = now() + interval '10 seconds' WHERE id = :alpha;
SELECT ok((SELECT archived_at <= clock_timestamp() FROM seeme.projects WHERE id = :alpha),
  'a clock that is a little fast is not');
SELECT is((SELECT count(*) FROM seeme_security_report() WHERE object LIKE 'seeme.%'
  AND finding LIKE '%archiv%'), 0::bigint, 'the report finds nothing about it');

UPDATE seeme.projects SET archived_at = NULL;

-- What is about an archived team or project, or in it
INSERT INTO seeme.logos (organization_id, team_id, filename, content)
VALUES (:acme, :research, 'x.png', '\x89504e470d0a1a0a');
INSERT INTO seeme.invitations (organization_id, team_id, email, token_hash, expires_at)
VALUES (:acme, :research, 'new@example.com', sha256('x'), now() + interval '1 day');
CREATE FUNCTION pg_temp.shown(person text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  shown jsonb;
BEGIN
  PERFORM pg_temp.become(person);
  shown := jsonb_build_object(
    'organizations', (SELECT jsonb_agg(o.slug ORDER BY o.slug) FROM seeme.organizations o),
    'teams', (SELECT jsonb_agg(t.slug ORDER BY t.slug) FROM seeme.teams t),
    'projects', (SELECT jsonb_agg(p.slug ORDER BY p.slug) FROM seeme.projects p),
    'memberships', (SELECT jsonb_agg(m.id ORDER BY m.id) FROM seeme.memberships m),
    'users', (SELECT jsonb_agg(u.username ORDER BY u.username) FROM seeme.users u),
    'roles', (SELECT jsonb_agg(r.id ORDER BY r.id) FROM seeme.roles r),
    'logos', (SELECT jsonb_agg(l.id ORDER BY l.id) FROM seeme.logos l),
    'invitations', (SELECT jsonb_agg(i.id ORDER BY i.id) FROM seeme.invitations i),
    'permitted', to_jsonb(seeme_permitted_organizations('organizations:read'))
      || to_jsonb(seeme_permitted_teams('teams:read'))
      || to_jsonb(seeme_permitted_projects('projects:read')),
    'context', seeme_current_user_context(),
    'review', (SELECT jsonb_agg(r ORDER BY r::text) FROM seeme_review() AS r));
  PERFORM pg_temp.become(NULL);
  RETURN shown;
END $$;
CREATE TEMP TABLE before AS
  SELECT person, pg_temp.shown(person) AS shown
    FROM unnest('{olga,adam,tess,paul,ann,mike,oscar}'::text[]) AS person;

CREATE FUNCTION pg_temp.matrix(person text, VARIADIC scope uuid[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  PERFORM pg_temp.become(person);
  n := (SELECT count(*) FROM seeme_permission_matrix(scope[1], scope[2], scope[3]));
  PERFORM pg_temp.become(NULL);
  RETURN n;
END $$;
SELECT ok(pg_temp.matrix('adam', NULL, :research, NULL) > 0, 'a team has a permission matrix');
UPDATE seeme.teams SET archived_at = now() WHERE id = :research;
UPDATE seeme.projects SET archived_at = now() WHERE id = :alpha;
SELECT is(pg_temp.matrix('adam', NULL, :research, NULL), 0::bigint,
  'while it is archived, its matrix is empty');
SELECT is(pg_temp.matrix('olga', NULL, NULL, :alpha), 0::bigint,
  'as is that of an archived project, for the owner, too');
SELECT is(pg_temp.shown('adam') -> 'logos', 'null', 'the team''s logo is not shown');
SELECT is(pg_temp.shown('olga') -> 'invitations', 'null', 'nor is an invitation to it');
SELECT pg_temp.become('adam') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.memberships WHERE team_id = :research OR project_id = :alpha),
  0::bigint, 'threat: a list of an archived team''s or project''s members');
SELECT pg_temp.become('tess') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.memberships WHERE team_id = :research), 1::bigint,
  'a member of the team sees their own membership in it');
SELECT is(seeme_current_user_context() -> 'roles', '[]',
  'whose role is not in their context');
SELECT is((SELECT count(*) FROM seeme.users), 1::bigint, 'nor do they see other people');
SELECT pg_temp.become('ann') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.roles WHERE id = :annotator), 0::bigint,
  'nor is a role seen by a membership in an archived project');
SELECT pg_temp.become('oscar') \g /dev/null
SELECT ok(NOT seeme.is_in_use(:acme, team => :sales)
          AND NOT seeme.is_in_use(:acme, team => :research)
          AND NOT seeme.is_in_use(:acme, team => :nobody_known),
  'threat: a stranger asks which ids are teams');
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.organizations SET archived_at = now() WHERE id = :acme;
SELECT is(pg_temp.matrix('olga', :acme, NULL, NULL), 0::bigint,
  'an archived organization has an empty matrix');
SELECT is(pg_temp.shown('olga') #> '{context,organizations}', '[]',
  'it is not in the context of its owner');
SELECT is(pg_temp.shown('olga') -> 'organizations', '["acme"]', 'who sees its row');
SELECT is(pg_temp.shown('adam') -> 'permitted', '[]', 'a member is permitted nothing');
SELECT is(pg_temp.shown('olga') -> 'review', 'null', 'there is nothing to review');
SELECT is((SELECT pg_temp.shown('oscar') = b.shown FROM before b WHERE b.person = 'oscar'), true,
  'another organization is as it was');
UPDATE seeme.organizations SET archived_at = NULL WHERE id = :acme;
UPDATE seeme.teams SET archived_at = NULL WHERE id = :research;
UPDATE seeme.projects SET archived_at = NULL WHERE id = :alpha;
SELECT is((SELECT string_agg(b.person, ', ') FROM before b
            WHERE pg_temp.shown(b.person) <> b.shown), NULL,
  'brought back, everybody is shown what they were shown before');

SELECT * FROM finish();
ROLLBACK;
