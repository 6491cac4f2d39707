-- What is archived: nobody holds anything there, and nothing is deleted.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(31);

CREATE FUNCTION pg_temp.holds(person text, code text, VARIADIC scope uuid[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  held boolean;
BEGIN
  PERFORM pg_temp.become(person);
  held := seeme_has_permission(code, organization => scope[1], team => scope[2], project => scope[3]);
  PERFORM pg_temp.become(NULL);
  RETURN held;
END $$;

-- A project
SELECT ok(pg_temp.holds('olga', 'projects:read', NULL, NULL, :alpha), 'the owner holds everything in a project');
UPDATE seeme.projects SET archived_at = now() WHERE id = :alpha;
SELECT ok(NOT pg_temp.holds('olga', 'projects:read', NULL, NULL, :alpha), 'and nothing while it is archived');
SELECT ok(NOT pg_temp.holds('paul', 'projects:read', NULL, NULL, :alpha), 'nor does a member of the project');
SELECT ok(pg_temp.holds('olga', 'projects:read', NULL, NULL, :beta), 'another project is as it was');
SELECT pg_temp.become('adam') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.projects WHERE id = :alpha), 0::bigint, 'an Admin does not see an archived project');
SELECT ok(NOT :alpha::uuid = ANY (seeme_permitted_projects('projects:read')), 'nor is it in the list of what they may read');
UPDATE seeme.projects SET archived_at = NULL WHERE id = :alpha;
SELECT pg_temp.become('olga') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.projects WHERE id = :alpha AND archived_at IS NOT NULL), 1::bigint,
          'threat: an Admin brings back what was archived. The owner sees it');
SELECT throws_ok(format($$UPDATE seeme.projects SET name = 'Other' WHERE id = %L$$, :alpha), '42501', NULL, 'what is archived does not change');
UPDATE seeme.projects SET archived_at = NULL WHERE id = :alpha;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(pg_temp.holds('paul', 'projects:read', NULL, NULL, :alpha), 'the owner brings it back, and all is as it was');

-- Who may archive
SELECT pg_temp.become('edith') \g /dev/null
UPDATE seeme.projects SET archived_at = now() WHERE id = :alpha;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok((SELECT archived_at IS NULL FROM seeme.projects WHERE id = :alpha), 'threat: an Editor archives a project');
SELECT pg_temp.become('adam') \g /dev/null
UPDATE seeme.projects SET archived_at = now() WHERE id = :gamma;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok((SELECT archived_at IS NOT NULL FROM seeme.projects WHERE id = :gamma), 'who may delete a project may archive it');
INSERT INTO seeme.roles (id, organization_id, name, permissions)
VALUES ('e0000000-0000-4000-8000-0000000000f1', :acme, 'Remover', '{projects:read,projects:delete}');
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (:acme, :stan, 'e0000000-0000-4000-8000-0000000000f1');
SELECT pg_temp.become('stan') \g /dev/null
SELECT throws_ok(format($$UPDATE seeme.projects SET name = 'Mine' WHERE id = %L$$, :beta), '42501', NULL,
                 'threat: who may delete a project and not change it changes its name');
SELECT throws_ok(format($$UPDATE seeme.projects SET name = 'Mine', archived_at = now() WHERE id = %L$$, :beta), '42501', NULL,
                 'threat: or does so while archiving it');
SELECT lives_ok(format($$UPDATE seeme.projects SET archived_at = now() WHERE id = %L$$, :beta), 'they may archive it');
SELECT pg_temp.become(NULL) \g /dev/null

-- A team
SELECT ok(pg_temp.holds('tess', 'datasets:update', NULL, NULL, :alpha), 'a member of a team holds something in its projects');
UPDATE seeme.teams SET archived_at = now() WHERE id = :research;
SELECT ok(NOT pg_temp.holds('tess', 'datasets:update', NULL, NULL, :alpha), 'and not while the team is archived');
SELECT ok(NOT pg_temp.holds('olga', 'teams:read', NULL, :research, NULL), 'nobody holds anything in the team');
SELECT ok(pg_temp.holds('adam', 'datasets:update', NULL, NULL, :alpha), 'the team''s project is the organization''s still');
SELECT pg_temp.become('tess') \g /dev/null
SELECT is(seeme_permitted_projects('datasets:update'), '{}', 'nor is there a project in the list of what they may do there');
SELECT pg_temp.become('olga') \g /dev/null
UPDATE seeme.teams SET archived_at = NULL WHERE id = :research;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(pg_temp.holds('tess', 'datasets:update', NULL, NULL, :alpha), 'the owner brings it back');

-- An organization
SELECT pg_temp.become('adam') \g /dev/null
SELECT throws_ok(format('UPDATE seeme.organizations SET archived_at = now() WHERE id = %L', :acme), '42501', NULL,
                 'threat: an Admin, who may not delete the organization, archives it');
SELECT pg_temp.become('olga') \g /dev/null
UPDATE seeme.organizations SET archived_at = now() WHERE id = :acme;
SELECT ok(NOT seeme_has_permission('organizations:read', organization => :acme), 'the owner holds nothing in an archived organization');
SELECT is(seeme_permissions(project => :alpha), '{}', 'nor in its projects');
SELECT is((SELECT count(*) FROM seeme.projects), 0::bigint, 'whose rows they do not see');
SELECT throws_ok(format('INSERT INTO seeme.projects (organization_id, name) VALUES (%L, %L)', :acme, 'New'), '42501', NULL, 'nor make any');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(NOT pg_temp.holds('adam', 'datasets:read', NULL, NULL, :alpha), 'its members hold nothing');
SELECT pg_temp.become('olga') \g /dev/null
UPDATE seeme.organizations SET archived_at = NULL WHERE id = :acme;
SELECT ok(seeme_has_permission('projects:read', project => :alpha), 'the owner brings it back');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(pg_temp.holds('adam', 'datasets:read', NULL, NULL, :alpha), 'and its members hold what they held');

SELECT throws_ok(format($$UPDATE seeme.projects SET archived_at = now() + interval '1 day' WHERE id = %L$$, :alpha), '22023', NULL,
                 'a time to come is refused');
UPDATE seeme.projects SET archived_at = now() + interval '10 seconds' WHERE id = :alpha;
SELECT ok((SELECT archived_at <= clock_timestamp() FROM seeme.projects WHERE id = :alpha), 'a clock that is a little fast is not');
SELECT is((SELECT count(*) FROM seeme_security_report() WHERE object LIKE 'seeme.%' AND finding LIKE '%archiv%'), 0::bigint, 'the report finds nothing about it');

SELECT * FROM finish();
ROLLBACK;
