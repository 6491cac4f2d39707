\i test/include/prelude.psql
-- A settings page: the roles that one may hand out, what a role covers, invitations that are
-- accepted without their token, the dates in the member views, whom one may edit.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(82);

-- A small world by chance. An oracle in plain SQL says which roles each person may hand out where.
SAVEPOINT world;
SELECT setseed(0.42) \g /dev/null
INSERT INTO seeme.roles (organization_id, name, permissions)
  SELECT o.id, 'Role ' || n, ARRAY(
    SELECT e FROM unnest('{models:read,models:list,models:*,*:read,*:update,projects:update,teams:*,
      teams:update,projects:*,organizations:manage_members,organizations:read,datasets:read}'
      ::text[]) AS e
     WHERE random() < 0.25 AND n > 0)
    FROM (VALUES (:acme::uuid), (:globex)) AS o (id), generate_series(0, 12) AS n;
INSERT INTO seeme.roles (organization_id, name, permissions) VALUES (:acme, 'All', '{*}');
UPDATE seeme.memberships m SET role_id = (
    SELECT r.id FROM seeme.roles r WHERE r.organization_id = m.organization_id AND m.id IS NOT NULL
     ORDER BY random() LIMIT 1)
 WHERE m.role_id <> seeme.owner_role() AND m.user_id <> :adam;
INSERT INTO seeme.users (id, username) VALUES
  ('a0000000-0000-4000-8000-0000000000fe', 'new'), ('a0000000-0000-4000-8000-0000000000ff', 'zoe');
-- Half of the people also belong to a team or a project, some of them not now.
INSERT INTO seeme.memberships (organization_id, team_id, project_id, user_id, role_id, valid_until)
  SELECT s.organization_id, s.team_id, s.project_id, m.user_id,
         (SELECT r.id FROM seeme.roles r
           WHERE r.organization_id = s.organization_id AND m.id IS NOT NULL AND s.n IS NOT NULL
           ORDER BY random() LIMIT 1),
         CASE WHEN random() < 0.2 THEN '2020-01-01'::timestamptz END
    FROM seeme.memberships m
    JOIN (SELECT t.organization_id, t.id AS team_id, NULL::uuid AS project_id, 1 AS n
            FROM seeme.teams t
          UNION ALL SELECT p.organization_id, NULL, p.id, 2 FROM seeme.projects p) AS s
      USING (organization_id)
   WHERE m.team_id IS NULL AND m.project_id IS NULL AND random() < 0.6
  ON CONFLICT DO NOTHING;
UPDATE seeme.memberships SET valid_until = '2020-01-01' WHERE user_id = :cora AND team_id IS NULL
   AND project_id IS NULL;

INSERT INTO seeme.memberships (organization_id, user_id)
  SELECT o.id, 'a0000000-0000-4000-8000-0000000000ff' FROM seeme.organizations o;

CREATE TEMP TABLE place AS
  SELECT o.id AS organization_id, NULL::uuid AS team_id, NULL::uuid AS project_id,
         NULL::uuid AS team_above, format('organization => %L', o.id) AS argument
    FROM seeme.organizations o
  UNION ALL SELECT t.organization_id, t.id, NULL, t.id, format('team => %L', t.id)
    FROM seeme.teams t
  UNION ALL SELECT p.organization_id, NULL, p.id, p.team_id, format('project => %L', p.id)
    FROM seeme.projects p;
-- The entries of all roles that a person has in a place. The owner has everything.
CREATE TEMP VIEW entry AS
  SELECT p.argument, u.username AS person, e.entry
    FROM pg_temp.place p CROSS JOIN seeme.users u
    JOIN seeme.memberships m ON m.user_id = u.id AND m.organization_id = p.organization_id
      AND (m.team_id IS NULL OR m.team_id = p.team_above)
      AND (m.project_id IS NULL OR m.project_id = p.project_id)
    JOIN seeme.memberships own ON own.user_id = u.id AND own.organization_id = p.organization_id
      AND own.team_id IS NULL AND own.project_id IS NULL
    JOIN seeme.roles r ON r.id = m.role_id, unnest(r.permissions) AS e (entry)
   WHERE u.disabled_at IS NULL
     AND coalesce(m.valid_until, 'infinity') > now()
     AND coalesce(own.valid_until, 'infinity') > now();
-- An entry is held through itself, or through a wider one.
CREATE FUNCTION pg_temp.holds(who text, place text, wanted text) RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT EXISTS (SELECT FROM pg_temp.entry e WHERE e.person = who AND e.argument = place
  AND e.entry IN ('*', wanted, split_part(wanted, ':', 1) || ':*',
                  '*:' || split_part(wanted, ':', 2))) $$;
CREATE TEMP TABLE expected AS
  SELECT u.username AS person, p.argument, r.id AS role_id, r.name
    FROM seeme.users u CROSS JOIN pg_temp.place p
    JOIN seeme.roles r ON coalesce(r.organization_id, p.organization_id) = p.organization_id
   WHERE r.name <> 'Owner'
     AND (pg_temp.holds(u.username, p.argument, 'organizations:manage_members')
          OR p.team_id IS NOT NULL AND pg_temp.holds(u.username, p.argument, 'teams:update')
          OR p.project_id IS NOT NULL AND pg_temp.holds(u.username, p.argument, 'projects:update'))
     AND NOT EXISTS (SELECT FROM unnest(r.permissions) AS wanted
                      WHERE NOT pg_temp.holds(u.username, p.argument, wanted));

CREATE TEMP TABLE answered (person text, argument text, role_id uuid, name text);
CREATE TEMP TABLE accepted (person text, argument text, role_id uuid, name text);
DO $$
DECLARE
  u record;
  p record;
  r record;
  answers jsonb;
  taken boolean;
BEGIN
  FOR u IN SELECT username FROM seeme.users WHERE database_role IS NOT NULL ORDER BY username LOOP
    FOR p IN SELECT * FROM pg_temp.place LOOP
      PERFORM pg_temp.become(u.username);
      EXECUTE format('SELECT jsonb_agg(a) FROM seeme_assignable_roles(%s) a', p.argument)
        INTO answers;
      PERFORM pg_temp.become(NULL);
      INSERT INTO pg_temp.answered
        SELECT u.username, p.argument, a.role_id, a.name
          FROM jsonb_to_recordset(answers) AS a (role_id uuid, name text);
      -- What an INSERT takes. Zoe is a member of both organizations, and of nothing below.
      FOR r IN SELECT * FROM seeme.roles
                WHERE coalesce(organization_id, p.organization_id) = p.organization_id LOOP
        taken := pg_temp.try(u.username, CASE
          WHEN p.team_id IS NOT NULL THEN format('INSERT INTO seeme.team_members (team_id, user_id,
            role_id) VALUES (%L, %L, %L)', p.team_id, 'a0000000-0000-4000-8000-0000000000ff', r.id)
          WHEN p.project_id IS NOT NULL THEN format('INSERT INTO seeme.project_members (project_id,
            user_id, role_id) VALUES (%L, %L, %L)', p.project_id,
            'a0000000-0000-4000-8000-0000000000ff', r.id)
          ELSE format('INSERT INTO seeme.organization_members (organization_id, user_id, role_id)
            VALUES (%L, %L, %L)', p.organization_id, 'a0000000-0000-4000-8000-0000000000fe', r.id)
          END) = '1 row';
        IF taken THEN
          INSERT INTO pg_temp.accepted VALUES (u.username, p.argument, r.id, r.name);
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
END $$;
SELECT is_empty('TABLE answered EXCEPT TABLE expected',
  'no role is offered that the oracle does not allow');
SELECT is_empty('TABLE expected EXCEPT TABLE answered', 'every role is offered that it allows');
SELECT cmp_ok((SELECT count(*) FROM answered), '>', 100::bigint, 'the world has many of them');
SELECT cmp_ok((SELECT count(DISTINCT person) FROM answered), '>', 4::bigint, 'for several people');
SELECT cmp_ok((SELECT count(*) FROM seeme.users u CROSS JOIN place p CROSS JOIN seeme.roles r)
  - (SELECT count(*) FROM answered), '>', 500::bigint, 'and many that are not offered');
SELECT is_empty('TABLE accepted EXCEPT TABLE answered',
  'every role that an INSERT takes is offered');
SELECT is_empty('TABLE answered EXCEPT TABLE accepted',
  'every role that is offered an INSERT takes');

-- What a role covers
CREATE TEMP TABLE covered AS
  SELECT r.id, seeme_role_permissions(r.id) AS codes FROM seeme.roles r;
SELECT is_empty($$SELECT r.name, p.name FROM seeme.roles r JOIN covered c USING (id)
    CROSS JOIN seeme.permissions p
    WHERE NOT p.is_wildcard AND (p.name = ANY (c.codes)) <> EXISTS (
      SELECT FROM unnest(r.permissions) AS e WHERE e IN ('*', p.name)
         OR e LIKE '%:*' AND p.name LIKE replace(replace(e, '_', '\_'), ':*', ':%')
         OR e LIKE '*:%' AND p.name LIKE '%' || replace(replace(e, '_', '\_'), '*:', ':'))$$,
  'a role covers the codes that its entries match, and no others');
SELECT is_empty($$SELECT FROM covered WHERE codes IS DISTINCT FROM ARRAY(
    SELECT DISTINCT c COLLATE "C" FROM unnest(codes) AS c ORDER BY 1)$$, 'they are sorted');
SELECT is_empty($$SELECT FROM covered WHERE array_to_string(codes, ' ') LIKE '%*%'$$,
  'there are no wildcards among them');
ROLLBACK TO world;

\set assignable 'SELECT name FROM seeme_assignable_roles'
SELECT is(pg_temp.rows('adam', :'assignable' ||
  '(organization => {acme}) WHERE name NOT LIKE ''Just this%'''),
  '{Admin,Annotator,Contributor,Editor,Member,Viewer}',
  'an Admin hands out every role but Owner, sorted by name');
SELECT is(pg_temp.rows('olga', :'assignable' ||
  '(organization => {acme}) WHERE name NOT LIKE ''Just this%'''),
  '{Admin,Annotator,Contributor,Editor,Member,Viewer}', 'so does the owner');
SELECT is(pg_temp.rows('oscar', :'assignable' || '(team => {labs})'),
  '{Admin,Analyst,Contributor,Editor,Member,Viewer}', 'in a team');
SELECT is(pg_temp.rows('oscar', :'assignable' || '(project => {delta})'),
  '{Admin,Analyst,Contributor,Editor,Member,Viewer}', 'in a project');
SELECT is(pg_temp.rows('edith', :'assignable' || a), '{}', 'threat: a member who wants more: ' || a)
  FROM unnest(ARRAY['(organization => {acme})', '(team => {research})', '(project => {alpha})',
    '(organization => {globex})', '(team => {labs})', '(project => {delta})']) AS a;
SELECT is(pg_temp.rows(p, :'assignable' || '(organization => {acme})'), '{}',
  'threat: handing out by ' || p) FROM unnest('{oscar,stan,dora,ghost}'::text[]) AS p;
SELECT is(pg_temp.rows('adam', :'assignable' || a), '{}', 'no scope, or none that exists: ' || a)
  FROM unnest(ARRAY['()', '(organization => {nobody_known})', '(project => NULL)',
    '(team => {alpha})']) AS a;
SELECT is(pg_temp.complaint('adam', :'assignable' || a),
  '22023: more than one scope is given |  | Give one of organization, team and project: the '
  'narrowest says it all.', 'two scopes are an error: ' || a)
  FROM unnest(ARRAY['({acme}, {research})', '({acme}, NULL, {alpha})',
    '(NULL, {research}, {alpha})',
    '({acme}, {research}, {alpha})', '({nobody_known}, {nobody_known})']) AS a;
SELECT is(pg_temp.complaint('stan', :'assignable' || '({acme}, {research})'),
  pg_temp.complaint('adam', :'assignable' || '({acme}, {research})'), 'for a stranger, too');
SELECT pg_temp.hold('{organizations:manage_members,models:read}') \g /dev/null
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-0000000000b1', :acme, 'Reads', '{models:read}'),
  ('e0000000-0000-4000-8000-0000000000b2', :acme, 'Reads all', '{*:read}'),
  ('e0000000-0000-4000-8000-0000000000b3', :acme, 'Nothing', '{}');
INSERT INTO thing VALUES ('reads', 'e0000000-0000-4000-8000-0000000000b1'),
  ('readsall', 'e0000000-0000-4000-8000-0000000000b2');
SELECT is(pg_temp.rows('nora', :'assignable' ||
  '(organization => {acme}) WHERE name NOT LIKE ''Just this in%'''),
  '{Just this,Nothing,Reads}', 'a manager hands out only roles of which they hold everything');
UPDATE seeme.organizations SET archived_at = '2020-01-01' WHERE id = :acme;
SELECT is(pg_temp.rows('adam', :'assignable' || '(organization => {acme})'), '{}',
  'nothing is handed out in an archived organization');
UPDATE seeme.organizations SET archived_at = NULL WHERE id = :acme;

-- What a role covers
SELECT is(pg_temp.rows('nora', 'SELECT seeme_role_permissions({reads})'), '{"null"}',
  'threat: what a hidden role covers');
SELECT is(pg_temp.rows('nora', 'SELECT seeme_role_permissions({nobody_known})'), '{"null"}',
  'is the same as what a missing one covers');
SELECT is(pg_temp.rows('vera', 'SELECT array_to_string(seeme_role_permissions({reads}), '' '')'),
  '{models:read}', 'a person who sees the role learns what it covers');
SELECT is(pg_temp.rows('oscar', 'SELECT seeme_role_permissions({readsall})'), '{"null"}',
  'threat: what a role of another organization covers');
SELECT is(pg_temp.rows('ghost', 'SELECT seeme_role_permissions({Admin})'), '{"null"}',
  'nobody learns nothing');
SELECT is(pg_temp.rows('stan', $$SELECT cardinality(seeme_role_permissions({Admin})),
    'organizations:delete' = ANY (seeme_role_permissions({Admin})),
    cardinality(seeme_role_permissions({Owner}))$$), '{79|false|80}',
  'built-in roles are everybody''s to see');
INSERT INTO seeme.permissions (name) VALUES ('reports:read');
SELECT is(pg_temp.rows('vera', $$SELECT 'reports:read' = ANY (seeme_role_permissions({readsall})),
    'reports:read' = ANY (seeme_role_permissions({reads}))$$), '{true|false}',
  'a role with a wildcard covers a code from the moment that it is registered');

-- Accepting an invitation without its token
SELECT pg_temp.become('adam') \g /dev/null
SELECT id AS invited FROM
  seeme_invite('stan@example.com', team => :research, role_id => pg_temp.builtin('Viewer')) \gset
SELECT pg_temp.become(NULL) \g /dev/null
INSERT INTO thing VALUES ('invited', :'invited');
UPDATE seeme.users SET email_verified_at = '2026-01-01' WHERE username = 'gina';
\set accept 'SELECT seeme_accept_invitation_by_id({invited}) IS NOT NULL'
-- after(who accepts, what privileged code does before): what comes of it; undone
CREATE FUNCTION pg_temp.after(person text, VARIADIC statements text[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
  outcome text[];
BEGIN
  FOR i IN 1 .. array_length(statements, 1) LOOP
    EXECUTE pg_temp.fill(statements[i]);
  END LOOP;
  outcome := pg_temp.rows(person,
    'SELECT seeme_accept_invitation_by_id({invited}) IS NOT NULL');
  RAISE EXCEPTION USING ERRCODE = 'UNDO1', MESSAGE = outcome::text;
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
  RETURN SQLERRM::text[];
END $$;
\set verify 'UPDATE seeme.users SET email_verified_at = now() WHERE username = ''stan'''
SELECT is(pg_temp.rows('stan', 'SELECT id = {invited}, role_name FROM seeme.pending_members'),
  '{true|Viewer}', 'the invited person sees the invitation');
SELECT is(pg_temp.after('stan', 'SELECT 1'), '{22023}', 'threat: an address that nobody verified');
SELECT is(pg_temp.after('stan', :'verify'), '{true}', 'a verified one accepts');
SELECT is(pg_temp.after('gina', :'verify'), '{22023}', 'threat: the invitation of somebody else');
SELECT is(pg_temp.after('adam', 'UPDATE seeme.users SET email_verified_at = now()'), '{22023}',
  'threat: its maker accepts it');
SELECT is(pg_temp.after('ghost', :'verify'), '{22023}', 'threat: nobody accepts it');
SELECT is(pg_temp.after('gina', :'verify', 'DELETE FROM seeme.users WHERE username = ''stan''',
  'UPDATE seeme.users SET email = ''stan@example.com'' WHERE username = ''gina'''), '{22023}',
  'threat: the address is changed after it was verified');
SELECT is(pg_temp.after('gina', 'DELETE FROM seeme.users WHERE username = ''stan''',
  'UPDATE seeme.users SET email = ''Stan@Example.com'', email_verified_at = now() '
  'WHERE username = ''gina'''), '{true}', 'unless the new one is verified, too');
SELECT is(pg_temp.after('stan', :'verify',
  'UPDATE seeme.users SET email_verified_at = NULL WHERE username = ''stan'''), '{22023}',
  'threat: the verification is taken back');
SELECT is(pg_temp.after('stan', :'verify',
  'UPDATE seeme.users SET disabled_at = now() WHERE username = ''stan'''), '{22023}',
  'threat: a disabled person');
SELECT is(pg_temp.after('stan', :'verify',
  'UPDATE seeme.invitations SET expires_at = clock_timestamp()'), '{22023}', 'threat: expired');
SELECT is(pg_temp.after('stan', :'verify', 'DELETE FROM seeme.invitations'), '{22023}',
  'threat: cancelled');
SELECT is(pg_temp.after('stan', :'verify',
  'UPDATE seeme.invitations SET accepted_at = ''2026-01-01'''), '{22023}', 'threat: once more');
SELECT is(pg_temp.after('stan', :'verify',
  'DELETE FROM seeme.memberships WHERE user_id = {adam}'), '{22023}',
  'threat: the inviter has left');
SELECT is(pg_temp.after('stan', :'verify',
  'UPDATE seeme.memberships SET role_id = {Viewer} WHERE user_id = {adam}'), '{22023}',
  'threat: the inviter may not invite any more');
SELECT is(pg_temp.complaint('gina', 'SELECT seeme_accept_invitation_by_id({invited})'),
  pg_temp.complaint('gina', 'SELECT seeme_accept_invitation_by_id({nobody_known})'),
  'a hidden invitation and a missing one are refused in the same words');
SELECT is(pg_temp.complaint('gina', 'SELECT seeme_accept_invitation_by_id({invited})'),
  pg_temp.complaint('gina', 'SELECT seeme_accept_invitation(''seeme_inv_0'')'),
  'as an unknown token is');
SELECT is(pg_temp.rows('gina', 'SELECT seeme_accept_invitation_by_id(NULL)'), '{22023}',
  'so is none');
UPDATE seeme.users SET email_verified_at = now() WHERE username = 'stan';
SELECT is(pg_temp.rows('stan', :'accept', $$SELECT role_name, team_id = {research} FROM
  seeme.team_members WHERE username = 'stan'$$), '{Viewer|true}',
  'it makes the person a member as they were invited');
SELECT is(pg_temp.rows('stan', :'accept', :'accept'), '{22023}', 'once');

SELECT pg_temp.become('stan') \g /dev/null
SELECT key FROM seeme_create_api_key('scripts', '{*}') \gset
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.rows('ghost', format('SELECT seeme_login(%L)', :'key'),
  'SELECT seeme_user_id() = {stan}'), '{true}', 'an API key names the person');
SELECT is(pg_temp.rows('ghost', format('SELECT seeme_login(%L)', :'key'), :'accept'), '{22023}',
  'threat: an API key accepts its user''s invitation');

-- Dates in the member views
SELECT is(pg_temp.rows('adam', format($$INSERT INTO seeme.%1$s (%2$s, user_id, valid_from,
    valid_until) VALUES (%3$s, {gina}, '2026-01-01 00:00Z', '2099-01-01 00:00Z')
    RETURNING valid_from = '2026-01-01 00:00Z', valid_until = '2099-01-01 00:00Z'$$, v, c, s)),
  '{true|true}', v || ': a member is added with dates')
  FROM (VALUES ('organization_members', 'organization_id', '{acme}')) AS x (v, c, s);
SELECT is(pg_temp.rows('adam', format($$UPDATE seeme.%s SET valid_until = '2099-01-01 00:00Z'
    WHERE user_id = %s RETURNING valid_until = '2099-01-01 00:00Z'$$, v, u)), '{true}',
  v || ': the dates may be changed')
  FROM (VALUES ('organization_members', '{paul}'), ('team_members', '{tess}'),
    ('project_members', '{paul}')) AS x (v, u);
SELECT is(pg_temp.try('tess', $$UPDATE seeme.team_members SET valid_until = NULL
    WHERE user_id = {tess}$$), '0 rows', 'threat: nobody extends their own membership by a view');

-- Whom one may edit, by the query of doc/settings.md
UPDATE seeme.memberships SET valid_until = NULL WHERE valid_until IS NOT NULL;
SELECT pg_temp.hold('{organizations:manage_members,organizations:read,models:read}') \g /dev/null
CREATE TEMP TABLE editable AS
  SELECT p AS person, m.id, pg_temp.rows(p, format($$SELECT
       seeme_has_permission('organizations:manage_members', organization => {acme})
       AND (m.role_id IS NULL OR m.role_id IN (
             SELECT a.role_id FROM seeme_assignable_roles(organization => {acme}) a)) AS may_edit
      FROM seeme.organization_members m WHERE m.id = %L$$, m.id)) = '{true}' AS may_edit,
    pg_temp.try(p, format('UPDATE seeme.organization_members SET role_id = {reads}
      WHERE id = %L', m.id)) = '1 row' AS edited
    FROM unnest('{olga,adam,nora,vera,edith,oscar}'::text[]) AS p
    JOIN seeme.memberships m ON m.organization_id = :acme AND m.team_id IS NULL
      AND m.project_id IS NULL;
SELECT is_empty('SELECT * FROM editable WHERE may_edit IS DISTINCT FROM edited',
  'the query tells whom an UPDATE changes');
SELECT cmp_ok((SELECT count(*) FROM editable WHERE may_edit), '>', 15::bigint, 'many');
SELECT is((SELECT count(*) FROM editable WHERE may_edit AND person = 'nora'),
  (SELECT count(*) FROM seeme.memberships m WHERE organization_id = :acme AND team_id IS NULL
    AND project_id IS NULL AND (role_id IS NULL OR user_id = :nora)),
  'a manager edits themselves and members without a role, not those who hold more');
SELECT is((SELECT count(*) FROM editable WHERE may_edit AND person IN ('vera', 'edith', 'oscar')),
  0::bigint, 'others edit nobody');

-- The SDK's member list and its removal, as in doc/calls.md
SELECT pg_temp.become('adam') \g /dev/null
SELECT id AS pending FROM
  seeme_invite('pia@example.com', organization => :acme, role_id => pg_temp.builtin('Viewer')) \gset
SELECT id AS below FROM seeme_invite('pia@example.com', team => :research) \gset
SELECT pg_temp.become(NULL) \g /dev/null
INSERT INTO thing VALUES ('pending', :'pending'), ('below', :'below');
INSERT INTO thing SELECT 'member_edith', id FROM seeme.memberships WHERE user_id = :edith;
\set list 'SELECT user_id, role_name FROM (SELECT id, organization_id, user_id::text, role_id, role_name, email, username, firstname, name FROM seeme.organization_members WHERE organization_id = {acme} UNION ALL SELECT id, organization_id, '''', role_id, role_name, email, username, firstname, name FROM seeme.pending_members WHERE organization_id = {acme} AND team_id IS NULL AND project_id IS NULL) AS m WHERE email IN (''pia@example.com'', ''edith@example.com'') ORDER BY email'
\set remove 'WITH member AS (DELETE FROM seeme.organization_members WHERE organization_id = {acme} AND id = $1 RETURNING id), invitation AS (DELETE FROM seeme.pending_members WHERE organization_id = {acme} AND team_id IS NULL AND project_id IS NULL AND id = $1 RETURNING id) SELECT id FROM member UNION ALL SELECT id FROM invitation'
SELECT is(pg_temp.rows('adam', :'list'),
  '{a0000000-0000-4000-8000-000000000003|Editor,|Viewer}',
  'get_organization_members gives invited people an empty user_id');
SELECT is(pg_temp.rows('adam', replace(:'remove', '$1', '{pending}'), :'list'),
  '{a0000000-0000-4000-8000-000000000003|Editor}',
  'remove_organization_member cancels an invitation');
SELECT is(pg_temp.rows('adam', replace(:'remove', '$1', '{member_edith}'), :'list'), '{|Viewer}',
  'and removes a member');
SELECT is(pg_temp.try('adam', replace(:'remove', '$1', '{below}')), '0 rows',
  'not an invitation to a team');
SELECT is(pg_temp.try(p, replace(:'remove', '$1', '{pending}')), '0 rows',
  'threat: an invitation is cancelled by ' || p) FROM unnest('{vera,oscar}'::text[]) AS p;

-- image/jpg
SELECT is(pg_temp.rows('adam', $$INSERT INTO seeme.logos (organization_id, filename, media_type,
    content) VALUES ({acme}, 'a.jpg', 'image/jpg', '\xffd8ffe0') RETURNING media_type$$),
  '{image/jpeg}', 'image/jpg is image/jpeg');
SELECT is(pg_temp.rows('adam', $$INSERT INTO seeme.logos (organization_id, filename, media_type,
    content) VALUES ({acme}, 'a.jpg', 'image/jpg', '\x89504e470d0a1a0a00') RETURNING media_type$$),
  '{22023}', 'threat: another image that says image/jpg');

SELECT * FROM finish();
ROLLBACK;
