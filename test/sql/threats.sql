\i test/include/prelude.psql
-- Ways in which a person might come by more than was given to them, each with the honest act that
-- works beside it. What a table's owner or a careless administrator might bring about is in
-- threats_administrator.sql.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(75);

-- stan has an organization of his own, with a team, a project and a member; nothing of it concerns
-- Acme or Globex.
INSERT INTO thing VALUES ('stanley', 'b0000000-0000-4000-8000-0000000000f1'),
  ('crew', 'c0000000-0000-4000-8000-0000000000f1'), ('own', 'd0000000-0000-4000-8000-0000000000f1');
INSERT INTO seeme.organizations (id, name, slug, owner_id)
  VALUES (pg_temp.id('stanley'), 'Stanley', 'stanley', :stan);
INSERT INTO seeme.teams (id, organization_id, name)
  VALUES (pg_temp.id('crew'), pg_temp.id('stanley'), 'Crew');
INSERT INTO seeme.projects (id, organization_id, name)
  VALUES (pg_temp.id('own'), pg_temp.id('stanley'), 'Own');
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (pg_temp.id('stanley'), :mike);

-- An id that was deleted comes back under another owner, and with it what still bears the id
CREATE TABLE t_kept (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, project_id uuid,
  team_id uuid, organization_id uuid);
CREATE INDEX ON t_kept (project_id);
CREATE INDEX ON t_kept (team_id);
CREATE INDEX ON t_kept (organization_id);
INSERT INTO t_kept (name, project_id, team_id, organization_id)
  VALUES ('of Globex', NULL, NULL, :globex), ('of Labs', NULL, :labs, NULL),
    ('of Delta', :delta, NULL, NULL), ('of Sales', NULL, :sales, NULL),
    ('of Gamma', :gamma, NULL, NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_kept TO t_app;
SELECT seeme_protect('t_kept', 'jobs', project_column => 'project_id', team_column => 'team_id',
  organization_column => 'organization_id') \g /dev/null
CREATE TEMP TABLE revival (what text, gone text, statement text);
INSERT INTO revival VALUES
  ('organization', 'globex', $$INSERT INTO seeme.organizations (id, name)
    VALUES ({globex}, 'Mine')$$),
  ('team of a deleted organization', 'labs', $$
    INSERT INTO seeme.teams (id, organization_id, name) VALUES ({labs}, {stanley}, 'Mine')$$),
  ('project of a deleted organization', 'delta',
  $$INSERT INTO seeme.projects (id, organization_id, name) VALUES ({delta}, {stanley}, 'Mine')$$),
  ('team', 'sales', $$INSERT INTO seeme.teams (id, organization_id, name)
    VALUES ({sales}, {stanley}, 'Mine')$$),
  ('project', 'gamma', $$INSERT INTO seeme.projects (id, organization_id, name)
    VALUES ({gamma}, {stanley}, 'Mine')$$);
SELECT is(pg_temp.rows('oscar', 'SELECT name FROM t_kept ORDER BY name'),
  '{of Delta,of Globex,of Labs}',
  'threat: ids that come back: before, the rows are their organization''s');
SAVEPOINT deleted;
SELECT pg_temp.become('oscar') \g /dev/null
DELETE FROM seeme.organizations WHERE id = :globex;
SELECT pg_temp.become('olga') \g /dev/null
DELETE FROM seeme.teams WHERE id = :sales;
DELETE FROM seeme.projects WHERE id = :gamma;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is((SELECT count(*)::integer FROM seeme.organizations o FULL JOIN seeme.teams t ON false FULL
  JOIN seeme.projects p ON false WHERE coalesce(o.id, t.id, p.id) IN
  (:globex, :labs, :delta, :sales, :gamma)), 0, 'threat: ids that come back: all five are gone');
SELECT is(pg_temp.try('stan', statement), '23505', 'threat: taking the id of a deleted ' || what)
  FROM revival;
SELECT is(pg_temp.try('stan', replace(statement, '{' || gone || '}', 'gen_random_uuid()')), '1 row',
  'threat: taking the id of a deleted ' || what || ': while one of one''s own choice is well')
  FROM revival;
SELECT is(
  pg_temp.try('olga', $$INSERT INTO seeme.teams (id, organization_id, name)
    VALUES ({sales}, {acme}, 'Again')$$), '23505',
      'threat: taking the id of a deleted team: the one who deleted it cannot, either');
SELECT is(pg_temp.rows('stan', $$UPDATE seeme.projects SET name = 'Renamed' WHERE id = {own}$$,
  'SELECT name FROM t_kept'), '{}',
  'threat: ids that come back: nobody else sees the rows that bear them');
SELECT is(pg_temp.try(NULL, replace(
  replace(statement, '(id, name)', '(id, owner_id, name)'), '({globex},', '({globex}, {oscar},')),
  '1 row', 'threat: taking the id of a deleted ' || what
  || ': while privileged code may use it again') FROM revival;
ROLLBACK TO deleted;

-- A row that moves to another partition
CREATE TABLE t_parted (id uuid NOT NULL, name text, project_id uuid NOT NULL, owner_id uuid,
  PRIMARY KEY (id, project_id)) PARTITION BY LIST (project_id);
CREATE TABLE t_parted_alpha PARTITION OF t_parted FOR
  VALUES IN ('d0000000-0000-4000-8000-000000000001');
CREATE TABLE t_parted_beta PARTITION OF t_parted FOR
  VALUES IN ('d0000000-0000-4000-8000-000000000002');
CREATE TABLE t_parted_others PARTITION OF t_parted DEFAULT;
CREATE INDEX ON t_parted (project_id);
CREATE INDEX ON t_parted (owner_id);
INSERT INTO thing SELECT 'row ' || n, ('99000000-0000-4000-8000-00000000000' || n)::uuid
  FROM generate_series(1, 4) AS n;
INSERT INTO t_parted VALUES (pg_temp.id('row 1'), 'of paul', :alpha, :paul),
  (pg_temp.id('row 2'), 'assigned', :alpha, NULL), (pg_temp.id('row 3'), 'of tess', :alpha, :tess);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_parted TO t_app;
SELECT seeme_protect('t_parted', 'models', project_column => 'project_id',
  resource_id_column => 'id', owner_column => 'owner_id') \g /dev/null
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'model', pg_temp.id('row 2'));
SELECT is(pg_temp.try('paul', $$UPDATE t_parted SET name = 'mine' WHERE id = {row 1}$$), '1 row',
  'threat: moving a row of one''s own across partitions: its owner may change it');
SELECT is(pg_temp.try('paul', $$UPDATE t_parted SET project_id = {beta} WHERE id = {row 1}$$),
  '42501',
  'threat: moving a row of one''s own across partitions into a project where one holds nothing');
SELECT is(pg_temp.try('paul', $$UPDATE t_parted SET project_id = {delta} WHERE id = {row 1}$$),
  '42501', 'threat: moving a row of one''s own across partitions into another organization');
SELECT is(
  pg_temp.try('paul', $$UPDATE t_parted SET project_id = {own},
    owner_id = {stan} WHERE id = {row 1}$$), '42501',
    'threat: moving a row of one''s own across partitions and giving it away at once');
SELECT is(pg_temp.try('edith', $$UPDATE t_parted SET project_id = {beta} WHERE id = {row 1}$$),
  '1 row', 'threat: moving a row across partitions: who may update in both projects may');
SELECT is(pg_temp.try('edith', $$UPDATE t_parted SET project_id = {delta} WHERE id = {row 1}$$),
  '42501', 'threat: moving a row across partitions into a project of another organization');
SELECT is(pg_temp.try('edith', $$UPDATE t_parted SET owner_id = {edith} WHERE id = {row 1}$$),
  '42501', 'threat: making oneself a row''s owner in its partition');
SELECT is(
  pg_temp.try('edith', $$UPDATE t_parted SET project_id = {beta},
    owner_id = {edith} WHERE id = {row 1}$$), '42501',
    'threat: making oneself a row''s owner while moving it across partitions');
SELECT is(
  pg_temp.try('adam', $$UPDATE t_parted SET project_id = {beta},
    owner_id = {edith} WHERE id = {row 1}$$), '1 row',
    'threat: making somebody a row''s owner across partitions: who holds everything there may');
SELECT is(
  pg_temp.rows('adam', $$UPDATE t_parted SET project_id = {beta},
    owner_id = {edith} WHERE id = {row 1}$$, $$
    SELECT tableoid::regclass, project_id = {beta},
      owner_id = {edith} FROM t_parted WHERE id = {row 1}$$), '{t_parted_beta|true|true}',
      'threat: moving a row across partitions: and it lies in the other one then');
SELECT is(
  (SELECT array_agg(concat_ws('|', tableoid::regclass, name, project_id = :alpha, owner_id = :paul))
  FROM t_parted WHERE id = pg_temp.id('row 1')), '{t_parted_alpha|of paul|t|t}',
  'threat: moving a row across partitions: what was refused moved nothing');
SELECT is(pg_temp.rows('adam', $$UPDATE t_parted SET project_id = {beta} WHERE id = {row 2}$$,
  $$SELECT project_id = {alpha} FROM seeme.project_resources WHERE resource_id = {row 2}$$),
  '{true}', 'threat: moving a row across partitions takes away its assignments: they stay');
SELECT is(pg_temp.rows('olga', $$DELETE FROM t_parted WHERE id = {row 2}$$,
  $$SELECT project_id = {alpha} FROM seeme.project_resources WHERE resource_id = {row 2}$$), '{}',
  'threat: moving a row across partitions takes away its assignments: while those of a deleted row '
  'go');

-- A row with the id of somebody else's
SELECT is(
  pg_temp.try('olga', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({alpha}, 'model', {row 3})$$), '1 row',
      'threat: assigning by a second row with the same id: who holds the right on the one row '
      'assigns it');
SELECT is(
  pg_temp.try('stan', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({own}, 'model', {row 3})$$), '42501',
      'threat: assigning another''s unassigned row to one''s own project');
SELECT pg_temp.become('stan') \g /dev/null
INSERT INTO t_parted VALUES ((SELECT t.id FROM thing t WHERE t.name = 'row 4'), 'new',
  (SELECT t.id FROM thing t WHERE t.name = 'own'), :stan);
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(
  pg_temp.try('stan', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({own}, 'model', {row 4})$$), '1 row',
      'threat: assigning by a second row with the same id: one''s own row with an id of its own '
      'can be');
SAVEPOINT second_row;
INSERT INTO t_parted VALUES (pg_temp.id('row 3'), 'squatting', pg_temp.id('own'), :stan);
SELECT is(pg_temp.rows('stan', $$SELECT name FROM t_parted WHERE id = {row 3}$$), '{squatting}',
  'threat: assigning by a second row with the same id: there it is, and the other is hidden');
SELECT is(
  pg_temp.try('stan', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({own}, 'model', {row 3})$$), '42501',
      'threat: assigning by a second row with the same id, which would show the first');
SELECT is((SELECT count(*)::integer FROM seeme.project_resources
  WHERE resource_id = pg_temp.id('row 3')), 0,
  'threat: assigning by a second row with the same id: nothing was assigned');
ROLLBACK TO second_row;
SELECT isnt(
  pg_temp.rows('stan', $$INSERT INTO t_parted VALUES ({row 3}, 'squatting', {own}, {stan})$$,
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({own}, 'model', {row 3})$$, $$SELECT name FROM t_parted WHERE id = {row 3}
      AND name = 'of tess'$$), '{of tess}',
      'threat: assigning by a second row with the same id, all of it by oneself');

-- A project that leaves a team which is deleted by the same statement, for one that rule 7.1
-- forbids
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, :sales, :paul, pg_temp.builtin('Editor'));
SELECT pg_temp.hold('{teams:read,teams:delete,projects:read,projects:update}') \g /dev/null
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.teams WHERE id = {research}$$), '1 row',
  'threat: moving a project out of a team that goes: one may delete the team');
SELECT is(pg_temp.try('nora', $$UPDATE seeme.projects SET team_id = {sales} WHERE id = {gamma}$$),
  '42501', 'threat: moving a project into a team whose members hold more than oneself');
SELECT is(
  pg_temp.try('nora', $$WITH d AS (DELETE FROM seeme.teams WHERE id = {research} RETURNING id)
    UPDATE seeme.projects SET team_id = {sales} FROM d WHERE projects.id = {alpha}$$), '42501',
      'threat: moving a project out of a team that goes, into one whose members hold more than '
      'oneself');
SELECT is((SELECT team_id FROM seeme.projects WHERE id = :alpha), :research::uuid,
  'threat: moving a project out of a team that goes: it stays where it was, and so does the team');
SELECT is(
  pg_temp.rows('adam',
  $$WITH d AS (DELETE FROM seeme.teams WHERE id = {research} RETURNING id) UPDATE seeme.projects
    SET team_id = {sales} FROM d WHERE projects.id = {alpha}$$,
      'SELECT team_id = {sales} FROM seeme.projects WHERE id = {alpha}'), '{true}',
      'threat: moving a project out of a team that goes: who holds it all may');
DELETE FROM seeme.memberships WHERE team_id = :sales;
SELECT is(
  pg_temp.rows('nora',
  $$WITH d AS (DELETE FROM seeme.teams WHERE id = {research} RETURNING id) UPDATE seeme.projects
    SET team_id = {sales} FROM d WHERE projects.id = {gamma}$$,
      'SELECT team_id = {sales} FROM seeme.projects WHERE id = {gamma}'), '{true}',
      'threat: moving a project into another team: into one without members anybody may who may '
      'update both');
SELECT pg_temp.hold('{}') \g /dev/null

-- Helpers of the policies tell nothing
SELECT is(pg_temp.rows('tess', format('SELECT seeme.lies_in(%s)', a)), '{true}',
  'threat: asking how an organization is built: a member learns that ' || what)
  FROM (VALUES ('{acme}, {research}, {alpha}', 'a project lies in a team'),
  ('{acme}, {research}, NULL', 'a team lies in an organization'),
  ('{acme}, NULL, {gamma}', 'a project lies in an organization')) AS v (a, what);
SELECT is(array_agg(DISTINCT pg_temp.rows(p, format('SELECT seeme.lies_in(%s)', a))::text),
  '{"{false}"}', 'threat: asking how an organization is built that one is no member of: ' || a)
  FROM unnest(ARRAY['gina','oscar','stan','ghost']) AS p,
  unnest(ARRAY['{acme}, {research}, {alpha}','{acme}, {research}, NULL',
  '{acme}, NULL, {gamma}','NULL, {research}, {alpha}']) AS a GROUP BY a ORDER BY a COLLATE "C";
SELECT is(pg_temp.who('SELECT seeme.is_assigned(''model'', {row 2})'), NULL,
  'threat: asking whether something hidden is assigned');
SELECT is(pg_temp.try('olga', 'SELECT seeme.is_assigned(''model'', {row 2})'), '42501',
  'threat: asking whether something is assigned: by the policies or not at all');
SELECT is(
  pg_temp.rows('olga',
  'SELECT project_id = {alpha} FROM seeme.project_resources WHERE resource_id = {row 2}'), '{true}',
  'threat: asking whether something is assigned: who may read the project sees it');

-- Whoever somebody names, the error is the same
CREATE TEMP TABLE named AS SELECT * FROM unnest(
  ARRAY['gina','oscar','vera','stan','mike','nobody_known']) AS n (person);
SELECT is(
  pg_temp.try('stan',
  'INSERT INTO seeme.memberships (organization_id, project_id, user_id) VALUES ({stanley}, {own}, '
  '{mike})'), '1 row',
  'threat: asking who is a member elsewhere: one''s own project takes one''s own members');
SELECT is(
  pg_temp.try('stan',
  'INSERT INTO seeme.memberships (organization_id, team_id, user_id) VALUES ({stanley}, {crew}, '
  '{mike})'), '1 row', 'threat: asking who is a member elsewhere: and so does one''s own team');
SELECT is(
  (SELECT array_agg(DISTINCT pg_temp.complaint(
  'stan', format('INSERT INTO seeme.memberships (organization_id, %s_id, user_id) VALUES (%s, '
                 '{%s}, {%s})', kind, o, mine, person))) FROM named,
                 unnest(ARRAY['{globex}','{acme}','{nobody_known}']) AS o),
    '{"23503: there is no such team or project in this organization |  | Leave organization_id '
    'out: it is that of the team or project."}',
    'threat: asking who is a member elsewhere by naming that organization with one''s own ' || kind)
  FROM (VALUES ('project', 'own'), ('team', 'crew')) AS v (kind, mine);

-- The identity is set by nothing but the extension
SELECT is(pg_temp.rows(p, statement, 'SELECT 1'), '{42501}',
  format('threat: setting who is asking, as %s: %s', coalesce(p, 'a superuser'), statement))
  FROM unnest(ARRAY[NULL, 'vera']) WITH ORDINALITY AS p (p, n),
       unnest(ARRAY['SET LOCAL seeme_rbac.user_id = ''''',
       'SELECT set_config(''seeme_rbac.user_id'', '''', true)',
       'SELECT set_config(''seeme_rbac.user_id'', '''', false)',
       'SELECT set_config(''seeme_rbac.user_id'', {edith}::text, true)'])
       WITH ORDINALITY AS s (statement, m)
 ORDER BY n, m;
SELECT is(pg_temp.rows('vera', 'SET LOCAL seeme_rbac.current_organization = ''''',
  'SELECT seeme_user_id() = {vera}'), '{true}',
  'threat: setting who is asking: while the settings that are for clients can be set');

-- A disabled person learns nothing, and a null code is no code
SELECT is(
  pg_temp.rows('edith', $$SELECT DISTINCT granted,
    role_name FROM seeme_explain_permission({edith}, 'models:read', project => {alpha})
    WHERE granted$$), '{true|Editor}',
    'threat: a disabled person asking about themselves: somebody in the same role who is not '
    'disabled learns why');
SELECT is(
  pg_temp.rows('dora',
  $$SELECT granted FROM seeme_explain_permission({dora}, 'models:read', project => {alpha})$$),
  '{}', 'threat: a disabled person asking about themselves');
SELECT is(pg_temp.try('edith', format('SELECT seeme_permitted_%s(NULL)', f)), '22004',
  'threat: asking without a code where something is permitted: ' || f)
  FROM unnest(ARRAY['organizations','teams','projects','resources']) AS f;
SELECT is(pg_temp.rows('edith', $$SELECT cardinality(seeme_permitted_projects('models:read'))$$),
  '{3}', 'threat: asking without a code where something is permitted: with one there is an answer');

SELECT * FROM finish();
ROLLBACK;
