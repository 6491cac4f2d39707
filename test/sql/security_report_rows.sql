\i test/include/prelude.psql
-- What seeme_security_report() finds of the rows of the model: what triggers and foreign keys keep
-- from being so, unless somebody switched them off. Cases as in security_report.sql.
SET client_min_messages = error;
BEGIN;
\i test/include/security_report.psql
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(62);

-- Executes a statement as somebody does who switched the triggers off.
CREATE FUNCTION pg_temp.past_triggers(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL session_replication_role = replica;
  EXECUTE statement;
  SET LOCAL session_replication_role = origin;
END $$;
CREATE FUNCTION pg_temp.membership(person text) RETURNS text LANGUAGE sql
RETURN (SELECT 'seeme.memberships ' || m.id FROM seeme.memberships m
  WHERE m.user_id = pg_temp.id(person) AND m.team_id IS NULL AND m.project_id IS NULL);
CREATE FUNCTION pg_temp.membership_below(person text) RETURNS text LANGUAGE sql
RETURN (SELECT 'seeme.memberships ' || m.id FROM seeme.memberships m
  WHERE m.user_id = pg_temp.id(person) AND coalesce(m.team_id, m.project_id) IS NOT NULL);

CREATE TABLE r_paper (id uuid PRIMARY KEY, name text, project_id uuid);
CREATE INDEX ON r_paper (project_id);
SELECT seeme_protect('r_paper', 'papers', project_column => 'project_id') \g /dev/null
INSERT INTO seeme.invitations (id, organization_id, email, token_hash, expires_at)
  VALUES ('f2000000-0000-4000-8000-000000000001', :acme, 'new@example.com', sha256('1'),
    now() + interval '1 day');
INSERT INTO seeme.api_keys (id, user_id, permissions, name, key_prefix, key_hash, expires_at)
  VALUES ('f1000000-0000-4000-8000-000000000001', :stan, '{models:read}', 'a key', 'seeme_key_',
    sha256('1'), now() + interval '1 day');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'model', 'f3000000-0000-4000-8000-000000000001');
SELECT is(pg_temp.lines(), NULL, 'people, invitations and keys as they should be have no findings');

SELECT pg_temp.both_ways(c.name, c.severity, c.object,
  format('SELECT pg_temp.past_triggers(%L)', c.weakness), c.why, c.mend) FROM (VALUES
  (1, 'owner is not a member', 'medium', 'seeme.organizations ' || pg_temp.id('acme'),
  $$DELETE FROM seeme.memberships WHERE user_id = pg_temp.id('olga')$$, 'nobody sees who owns it',
  NULL),
  (2, 'owner''s membership is another', 'medium', pg_temp.membership('olga'),
  $$UPDATE seeme.memberships SET role_id = pg_temp.builtin('Viewer')
    WHERE user_id = pg_temp.id('olga')$$, 'with another role', NULL),
  (3, 'owner''s membership is another', 'medium', pg_temp.membership('olga'),
  $$UPDATE seeme.memberships SET valid_until = now() - interval '1 day'
    WHERE user_id = pg_temp.id('olga')$$, 'that is over', NULL),
  (4, 'stray role Owner', 'high', pg_temp.membership('mike'),
  $$UPDATE seeme.memberships SET role_id = seeme.owner_role() WHERE user_id = pg_temp.id('mike')$$,
  'on somebody else''s membership', NULL),
  (5, 'stray role Owner', 'high', pg_temp.membership_below('tess'),
  $$UPDATE seeme.memberships SET role_id = seeme.owner_role() WHERE user_id = pg_temp.id('tess')
    AND team_id IS NOT NULL$$, 'in a team', NULL),
  (6, 'stray role Owner', 'high', pg_temp.membership_below('paul'),
  $$UPDATE seeme.memberships SET role_id = seeme.owner_role() WHERE user_id = pg_temp.id('paul')
    AND project_id IS NOT NULL$$, 'in a project', NULL),
  (7, 'stray role Owner', 'high', 'seeme.invitations f2000000-0000-4000-8000-000000000001',
  $$UPDATE seeme.invitations SET role_id = seeme.owner_role()$$, 'in an invitation', NULL),
  (8, 'membership without one above', 'medium', pg_temp.membership_below('tess'),
  $$DELETE FROM seeme.memberships WHERE user_id = pg_temp.id('tess') AND team_id IS NULL$$,
  'of a team', NULL),
  (9, 'membership without one above', 'medium', pg_temp.membership_below('paul'),
  $$DELETE FROM seeme.memberships WHERE user_id = pg_temp.id('paul') AND project_id IS NULL$$,
  'of a project', NULL),
  (10, 'role of another organization', 'high', pg_temp.membership('nora'),
  $$UPDATE seeme.memberships SET role_id = pg_temp.id('analyst')
    WHERE user_id = pg_temp.id('nora')$$, 'on a membership', NULL),
  (11, 'role of another organization', 'high',
  'seeme.invitations f2000000-0000-4000-8000-000000000001',
  $$UPDATE seeme.invitations SET role_id = pg_temp.id('analyst')$$, 'in an invitation', NULL),
  (12, 'built-in role was changed', 'high', 'seeme.roles 00000000-0000-4000-8000-000000000005',
  $$UPDATE seeme.roles SET permissions = '{*}' WHERE name = 'Viewer'$$, 'a Viewer holds everything',
  NULL),
  (13, 'built-in role was changed', 'high', 'seeme.roles 00000000-0000-4000-8000-000000000003',
  $$UPDATE seeme.roles SET permissions = array_remove(permissions, 'papers:read')
    WHERE name = 'Editor'$$,
    'an Editor lacks an application''s codes, as after a restore with the triggers off', NULL),
  (14, 'built-in role was changed', 'high', 'seeme.roles 00000000-0000-4000-8000-000000000006',
  $$UPDATE seeme.roles SET name = 'Guest' WHERE name = 'Member'$$, 'a role has another name', NULL),
  (15, 'built-in role was changed', 'high', 'seeme.roles 00000000-0000-4000-8000-000000000004',
  $$UPDATE seeme.roles SET organization_id = pg_temp.id('acme') WHERE name = 'Contributor'$$,
  'a role became an organization''s', NULL),
  (16, 'built-in role was changed', 'high', 'seeme.roles 00000000-0000-4000-8000-000000000005',
  $$DELETE FROM seeme.memberships WHERE role_id = pg_temp.builtin('Viewer'); DELETE FROM seeme.roles
    WHERE name = 'Viewer'$$, 'a role is gone', NULL),
  (17, 'role holds unknown codes', 'low', 'seeme.roles ' || pg_temp.id('annotator'),
  $$UPDATE seeme.roles SET permissions = permissions || '{ghosts:read,ghosts:*,*:haunt}'
    WHERE id = pg_temp.id('annotator')$$, 'which nobody registered', NULL),
  (18, 'key holds unknown codes', 'low', 'seeme.api_keys f1000000-0000-4000-8000-000000000001',
  $$UPDATE seeme.api_keys SET permissions = '{models:read,ghosts:read}'$$,
  'which nobody registered', NULL),
  (19, 'code is gone', 'medium', 'public.r_paper',
  $$DELETE FROM seeme.permissions WHERE name IN ('papers:read', 'papers:list'); UPDATE seeme.roles
    SET permissions = seeme.builtin_permissions(name) WHERE organization_id IS NULL$$,
      'of a protected table', NULL),
  (20, 'row refers to nothing', 'medium', 'seeme.memberships',
  $$DELETE FROM seeme.users WHERE username = 'vera'$$, 'a membership of nobody', NULL),
  (21, 'row refers to nothing', 'medium', 'seeme.memberships',
  $$UPDATE seeme.memberships SET role_id = 'f4000000-0000-4000-8000-000000000001'
    WHERE user_id = pg_temp.id('nora')$$, 'a role that is not there', NULL),
  (22, 'row refers to nothing', 'medium', 'seeme.memberships',
  $$UPDATE seeme.memberships SET team_id = pg_temp.id('labs') WHERE user_id = pg_temp.id('tess')
    AND team_id IS NOT NULL$$, 'a team of another organization', NULL),
  (23, 'row refers to nothing', 'medium', 'seeme.project_resources',
  $$UPDATE seeme.project_resources SET resource_type = 'unheard_of'$$,
  'an assignment of an unknown type', NULL),
  (24, 'row refers to nothing', 'medium', 'seeme.project_resources',
  $$UPDATE seeme.project_resources SET organization_id = pg_temp.id('globex')$$,
  'an assignment to a project of another organization', NULL),
  (25, 'row refers to nothing', 'medium', 'seeme.projects',
  $$UPDATE seeme.projects SET team_id = pg_temp.id('labs') WHERE slug = 'gamma'$$,
  'a project of another organization''s team', NULL),
  (26, 'row refers to nothing', 'medium', 'seeme.organizations',
  $$UPDATE seeme.organizations SET owner_id = 'f4000000-0000-4000-8000-000000000002'
    WHERE slug = 'globex'; DELETE FROM seeme.memberships WHERE user_id = pg_temp.id('oscar')$$,
    'an organization of nobody',
   $$UPDATE seeme.organizations SET owner_id = pg_temp.id('oscar') WHERE slug = 'globex'$$)
) AS c (n, name, severity, object, weakness, why, mend) ORDER BY c.n;

-- Roles and settings
CREATE ROLE r_app LOGIN;
SELECT seeme_grant_usage('r_app') \g /dev/null
CREATE ROLE r_direct LOGIN;
CREATE ROLE r_between;
CREATE ROLE r_bypass BYPASSRLS;
SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why, NULL) FROM (VALUES
  (1, 'person''s role may become one that bypasses row security', 'critical', 'r_direct',
  $$UPDATE seeme.users SET database_role = 'r_direct'
    WHERE username = 'stan'; GRANT r_between TO r_direct; GRANT r_bypass TO r_between$$,
    'at a distance'),
  (2, 'setting is granted', 'critical', 'parameter session_replication_role',
  'GRANT SET ON PARAMETER session_replication_role TO r_app',
  'the application switches triggers off'),
  (3, 'setting is granted', 'critical', 'parameter seeme_rbac.trust_request_claims',
  'GRANT SET ON PARAMETER seeme_rbac.trust_request_claims TO PUBLIC',
  'everybody says who they are'),
  (4, 'setting is granted', 'critical', 'parameter session_preload_libraries',
  'GRANT ALTER SYSTEM ON PARAMETER session_preload_libraries TO r_app WITH GRANT OPTION',
  'the application has a library loaded')
) AS c (n, name, severity, object, weakness, why) ORDER BY c.n;
GRANT SET ON PARAMETER work_mem TO r_app;
SELECT is(pg_temp.lines(), NULL, 'a setting that the model does not stand on may be granted');

SELECT * FROM finish();
ROLLBACK;
