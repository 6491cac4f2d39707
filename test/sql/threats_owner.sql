\i test/include/prelude.psql
-- What somebody keeps of their own rows who has left where these lie, and what ownership alone may
-- not do: on every way to a row, by every column that tells where it lies.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(175);

-- Nora is a member of Acme without a role: what she may do with a row she may as its owner.
INSERT INTO thing VALUES ('x1', '9a000000-0000-4000-8000-000000000001'),
  ('x2', '9a000000-0000-4000-8000-000000000002'), ('x3', '9a000000-0000-4000-8000-000000000003'),
  ('x4', '9a000000-0000-4000-8000-000000000004'), ('x5', '9a000000-0000-4000-8000-000000000005'),
  ('x6', '9a000000-0000-4000-8000-000000000006'),
  ('x7', '9a000000-0000-4000-8000-000000000007');
CREATE TABLE t_project (id uuid PRIMARY KEY, name text, project_id uuid, owner_id uuid);
CREATE TABLE t_team (id uuid PRIMARY KEY, name text, team_id uuid, owner_id uuid);
CREATE TABLE t_organization (id uuid PRIMARY KEY, name text, organization_id uuid, owner_id uuid);
CREATE TABLE t_resource (id uuid PRIMARY KEY, name text, owner_id uuid);
CREATE TABLE t_part (id integer PRIMARY KEY, name text, dataset_id uuid, owner_id uuid);
CREATE TABLE t_several (id integer PRIMARY KEY, name text, project_id uuid, team_id uuid,
  organization_id uuid, owner_id uuid);
CREATE TABLE t_parted (id integer, name text, project_id uuid, owner_id uuid) PARTITION BY LIST
  (id);
CREATE TABLE t_parted_1 PARTITION OF t_parted FOR VALUES IN (1);
CREATE TABLE t_parted_2 (owner_id uuid, name text, project_id uuid, id integer);
ALTER TABLE t_parted ATTACH PARTITION t_parted_2 DEFAULT;
INSERT INTO t_project VALUES (pg_temp.id('x1'), 'in alpha', :alpha, :nora);
INSERT INTO t_team VALUES (pg_temp.id('x1'), 'in research', :research, :nora);
INSERT INTO t_organization VALUES (pg_temp.id('x1'), 'in acme', :acme, :nora);
INSERT INTO t_resource VALUES (pg_temp.id('x1'), 'assigned to alpha', :nora);
INSERT INTO t_part VALUES (1, 'part of what is in alpha', pg_temp.id('x1'), :nora);
INSERT INTO t_several VALUES (1, 'in acme', :alpha, :research, :acme, :nora);
INSERT INTO t_parted VALUES (1, 'in alpha', :alpha, :nora);
CREATE INDEX ON t_project (owner_id);
SELECT seeme_protect('t_project', 'models', project_column => 'project_id',
  owner_column => 'owner_id', listing_columns => '{id,name}') \g /dev/null
SELECT seeme_protect('t_team', 'workflows', team_column => 'team_id', owner_column => 'owner_id',
  listing_columns => '{id,name}') \g /dev/null
SELECT seeme_protect('t_organization', 'graphs', organization_column => 'organization_id',
  owner_column => 'owner_id', listing_columns => '{id,name}') \g /dev/null
SELECT seeme_protect('t_resource', 'datasets', resource_id_column => 'id',
  owner_column => 'owner_id', listing_columns => '{id,name}') \g /dev/null
SELECT seeme_protect('t_part', 'dataset_items', resource_id_column => 'dataset_id',
  resource_type => 'dataset', owner_column => 'owner_id', listing_columns => '{id,name}')
  \g /dev/null
SELECT seeme_protect('t_several', 'jobs', project_column => 'project_id', team_column => 'team_id',
  organization_column => 'organization_id', owner_column => 'owner_id',
  listing_columns => '{id,name}') \g /dev/null
SELECT seeme_protect('t_parted', 'post_processors', project_column => 'project_id',
  owner_column => 'owner_id', listing_columns => '{id,name}') \g /dev/null
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'dataset', pg_temp.id('x1'));
CREATE TEMP TABLE tables AS SELECT * FROM unnest(
  ARRAY['t_project','t_team','t_organization','t_resource','t_part','t_several','t_parted'])
  AS t (rel);
GRANT SELECT ON tables TO PUBLIC;
SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO t_app', rel),
  format('GRANT SELECT ON %I TO t_app', rel || '_listing') FROM tables \gexec

-- Every way to a row: which of them nora has
CREATE FUNCTION pg_temp.ways(rel text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(w.way, ' ' ORDER BY w.n)
    FROM (VALUES (1, 'select', format('SELECT FROM %I', rel)),
    (2, 'listing', format('SELECT FROM %I', rel || '_listing')),
                 (3, 'update', format('UPDATE %I SET name = ''hers''', rel)),
                 (4, 'returning', format('UPDATE %I SET name = ''hers'' RETURNING *', rel)),
                 (5, 'delete', format('DELETE FROM %I', rel)),
                 (6, 'lock', format('SELECT FROM %I FOR UPDATE', rel)),
                 (7, 'give', format('UPDATE %I SET owner_id = {mike}', rel)),
                 (8, 'merge', format(
                 'MERGE INTO %I t USING (SELECT 1) AS s ON true WHEN MATCHED THEN UPDATE SET name '
                 '= ''hers''', rel)),
                 (9, 'exists', format('SELECT WHERE EXISTS (SELECT FROM %I)', rel)))
                 AS w (n, way, statement)
   WHERE pg_temp.try('nora', w.statement) = '1 row'
$$;
-- giving it away is refused: she would not see it any more
SELECT is(pg_temp.ways(rel), 'select listing update returning delete lock merge exists',
  'a member does everything with a row of theirs: ' || rel) FROM tables;
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({beta}, 'dataset', {x1})$$), '42501', 'but assigns it nowhere without projects:update');
SELECT pg_temp.hold_in('beta', '{projects:update}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({beta}, 'dataset', {x1})$$), '1 row', 'with that she does, as the owner');
SELECT pg_temp.hold_in('beta', '{}') \g /dev/null

-- Plans that are made, and a session that is warm
PREPARE of_project AS SELECT count(*) FROM t_project;
PREPARE of_resource AS SELECT count(*) FROM t_resource;
CREATE FUNCTION pg_temp.executed(person text) RETURNS text LANGUAGE sql
AS $$ SELECT pg_temp.rows(person, 'EXECUTE of_project')::text
  || pg_temp.rows(person, 'EXECUTE of_resource')::text $$;
SELECT is(pg_temp.executed('nora'), '{1}{1}', 'a prepared query finds them')
  FROM generate_series(1, 7);

-- Leaving, by each end of a membership
SAVEPOINT leaving;
DELETE FROM seeme.memberships WHERE user_id = :nora AND organization_id = :acme;
SELECT is(pg_temp.ways(rel), NULL, 'threat: an expelled owner goes on: ' || rel) FROM tables;
SELECT is(pg_temp.executed('nora'), '{0}{0}',
  'threat: an expelled owner asks by a query prepared before');
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (:globex, :nora, NULL);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:globex, :delta, :nora, pg_temp.builtin('Admin'));
SELECT is(pg_temp.ways(rel), NULL,
  'threat: an expelled owner goes on, as an Admin of another organization''s project: ' || rel)
  FROM tables;
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({delta}, 'dataset', {x1})$$), '42501',
      'threat: an expelled owner assigns a row to a project of their own');
SELECT is(pg_temp.try('nora', 'UPDATE t_project SET project_id = {delta}'), '0 rows',
  'threat: an expelled owner takes a row along to another organization');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO t_project VALUES ({x1}, 'x', {delta}, {nora})
    ON CONFLICT (id) DO UPDATE SET name = 'hers'$$), '42501',
    'threat: an expelled owner changes a row by ON CONFLICT');
SELECT is(pg_temp.try('nora', $$INSERT INTO t_project VALUES ({x2}, 'x', {alpha}, {nora})$$),
  '42501', 'threat: an expelled owner adds a row where they were');
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (:acme, :nora, NULL);
SELECT is(pg_temp.ways(rel), 'select listing update returning delete lock merge exists',
  'who comes back has them again: ' || rel) FROM tables;
SELECT is(pg_temp.executed('nora'), '{1}{1}', 'also by a query prepared before');
UPDATE seeme.memberships SET valid_until = '2020-01-01' WHERE user_id = :nora
  AND organization_id = :acme;
SELECT is(pg_temp.ways(rel), NULL, 'threat: an owner whose membership has ended: ' || rel)
  FROM tables;
SELECT is(pg_temp.executed('nora'), '{0}{0}',
  'threat: an owner whose membership has ended, by a query prepared before');
UPDATE seeme.memberships SET valid_until = NULL,
  valid_from = now() + interval '1 day' WHERE user_id = :nora AND organization_id = :acme;
SELECT is(pg_temp.ways(rel), NULL, 'threat: an owner whose membership has not begun: ' || rel)
  FROM tables;
UPDATE seeme.memberships SET valid_from = NULL WHERE user_id = :nora AND organization_id = :acme;
SELECT is(pg_temp.ways(rel), 'select listing update returning delete lock merge exists',
  'its dates taken away, they have them again: ' || rel) FROM tables;
UPDATE seeme.users SET disabled_at = now() WHERE id = :nora;
SELECT is(pg_temp.ways(rel), NULL, 'threat: a disabled owner: ' || rel) FROM tables;
ROLLBACK TO leaving;
SELECT is(pg_temp.ways('t_project'), 'select listing update returning delete lock merge exists',
  'what is rolled back counts again');
-- Within the statement that ends it: none of what was remembered is used.
SELECT is(
  pg_temp.rows('nora',
  $$WITH gone AS (DELETE FROM seeme.memberships WHERE user_id = {nora} AND organization_id = {acme}
    RETURNING id) SELECT count(*) FROM gone$$, 'SELECT count(*) FROM t_project'), '{0}',
    'threat: an owner who has left in the same transaction');
SELECT is(pg_temp.rows('nora', 'DECLARE c CURSOR FOR SELECT name FROM t_project',
  'DELETE FROM seeme.memberships WHERE user_id = {nora} AND organization_id = {acme}',
  'FETCH ALL c'), '{}', 'threat: an owner who has left since a cursor was opened');
-- The owner of the organization is a member without any role's help; a service key narrows as
-- before.
INSERT INTO t_project VALUES (pg_temp.id('x3'), 'of olga', :alpha, :olga);
SELECT is(
  pg_temp.rows('olga', 'SELECT seeme.ownership_counts(NULL, NULL, {alpha}, NULL, NULL, true)'),
  '{true}', 'the organization''s owner belongs to it');

-- What an id of nothing is
SELECT is(pg_temp.rows('nora', format('SELECT seeme.ownership_counts(%s, NULL, false)', args)),
  ARRAY[wanted], 'ids: ' || args)
  FROM (VALUES ('NULL, NULL, {nobody_known}, NULL', 'false'),
  ('NULL, {nobody_known}, NULL, NULL', 'false'), ('{nobody_known}, NULL, NULL, NULL', 'false'),
               ('{acme}, NULL, {nobody_known}, NULL', 'false'),
               ('{acme}, {research}, {alpha}, NULL', 'true'),
               ('{globex}, NULL, {alpha}, NULL', 'false'),
               ('{acme}, {labs}, NULL, NULL', 'false'), ('{alpha}, NULL, NULL, NULL', 'false'),
               ('NULL, NULL, {acme}, NULL', 'false')) AS v (args, wanted);
SELECT is(pg_temp.rows('nora', format(
  'SELECT seeme.ownership_counts(NULL, NULL, NULL, %s, %s)', args, alone)), ARRAY[wanted],
  format('a resource: %s, alone: %s', args, alone))
  FROM (VALUES ('NULL, NULL', 'true', 'true'), ('NULL, NULL', 'false', 'false'),
  ('{x7}, ''dataset''', 'true', 'true'), ('{x7}, ''dataset''', 'false', 'false'),
  ('{x1}, ''dataset''', 'false', 'true'),
               ('{x1}, ''model''', 'true', 'true'), ('{x1}, ''model''', 'false', 'false'),
               ('{x7}, ''dataset''', 'NULL', 'false')) AS v (args, alone, wanted);
SELECT is(pg_temp.rows(p, 'SELECT seeme.ownership_counts(NULL, NULL, NULL, NULL, NULL, true)'),
  ARRAY[wanted], 'nobody in particular: ' || coalesce(p, 'no one'))
  FROM (VALUES ('ghost', 'false'), ('dora', 'false'), (NULL, 'false'), ('stan', 'true'))
  AS v (p, wanted);
SELECT is(
  pg_temp.rows('stan', 'SELECT seeme.ownership_counts(NULL, NULL, NULL, {x1}, ''dataset'', true)'),
  '{false}', 'a stranger where it is assigned');
SELECT is(
  pg_temp.rows('stan',
  'SELECT seeme.ownership_counts(NULL, NULL, NULL, {x1}, ''no such type'', true)'), '{22023}',
  'a type that is not registered is an error');

-- Assigned in several organizations: one is enough; and one that is not the columns'
SELECT is(pg_temp.rows('gina', 'SELECT pg_temp.become(NULL)',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({delta}, 'dataset', {x1})$$, 'UPDATE t_resource SET owner_id = {gina}',
  $$SELECT pg_temp.become('gina')$$, 'SELECT name FROM t_resource'), '{"assigned to alpha"}',
  'assigned in two organizations: a member of either');
SELECT is(pg_temp.rows('gina', 'SELECT pg_temp.become(NULL)',
  'UPDATE t_resource SET owner_id = {gina}', $$SELECT pg_temp.become('gina')$$,
  'SELECT name FROM t_resource'), '{}', 'in one: not of the other');
SELECT is(pg_temp.rows('gina', 'SELECT pg_temp.become(NULL)',
  'INSERT INTO t_project VALUES ({x4}, ''both'', {delta}, {gina})',
  'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES '
  '({alpha}, ''model'', {x4})',
  $$SELECT pg_temp.become('gina')$$, 'SELECT name FROM t_project'), '{}',
  'of its column''s organization alone, and assigned in another: no');
SELECT is(pg_temp.rows('gina', 'SELECT pg_temp.become(NULL)',
  'INSERT INTO t_several VALUES (2, ''two'', {alpha}, NULL, {globex}, {gina}), (3, ''hers'', '
  '{delta}, {labs}, {globex}, {gina}), (4, ''lone'', NULL, NULL, NULL, {gina})',
  $$SELECT pg_temp.become('gina')$$, 'SELECT name FROM t_several ORDER BY id'), '{hers,lone}',
  'threat: a row of two organizations is its owner''s who belongs to one');

-- Rows that lie nowhere
CREATE TABLE t_alone (id integer PRIMARY KEY, name text, project_id uuid, owner_id uuid);
CREATE TABLE t_never_alone (LIKE t_alone INCLUDING ALL);
INSERT INTO t_alone VALUES (1, 'in alpha', :alpha, :nora), (2, 'nowhere', NULL, :nora),
  (3, 'lost', :nobody_known, :nora);
INSERT INTO t_never_alone SELECT * FROM t_alone;
SELECT seeme_protect('t_alone', 'models', project_column => 'project_id',
  owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('t_never_alone', 'models', project_column => 'project_id',
  owner_column => 'owner_id', owner_alone => false) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_alone, t_never_alone TO t_app;
SELECT is((SELECT string_agg(owner_alone::text, ' ' ORDER BY table_name::text)
  FROM seeme.protected_tables WHERE table_name::text LIKE 't%alone'), 'true false',
  'what seeme_protect was told is remembered');
SELECT is(pg_temp.rows('nora', 'SELECT name FROM t_alone ORDER BY id'), '{"in alpha",nowhere}',
  'a row that lies nowhere is its owner''s own, one in what is gone is nobody''s');
SELECT is(pg_temp.rows('nora', 'SELECT name FROM t_never_alone ORDER BY id'), '{"in alpha"}',
  'unless owner_alone is false');
SELECT is(pg_temp.try('nora', 'INSERT INTO t_alone VALUES (4, ''new'', NULL, {nora})'), '1 row',
  'owners add such rows');
SELECT is(pg_temp.try('nora', 'INSERT INTO t_never_alone VALUES (4, ''new'', NULL, {nora})'),
  '42501', 'unless owner_alone is false');
SELECT is(pg_temp.rows('edith', 'INSERT INTO t_never_alone VALUES (4, ''new'', {alpha}, {edith})',
  'UPDATE t_never_alone SET project_id = NULL WHERE id = 4', 'SELECT 1'), '{42501}',
  'threat: making a row everybody''s but its owner''s nobody''s');
SELECT is(
  pg_temp.try(NULL,
  'SELECT seeme_protect(''tables'', ''models'', owner_column => ''rel'', owner_alone => NULL)'),
  '22004', 'owner_alone is true or false');
SELECT ok(seeme.protect_again(p) LIKE '%owner_alone => false%',
  'the statement that protects it again says so, too') FROM seeme.protected_tables p
  WHERE p.table_name = 't_never_alone'::regclass;

-- Ownership alone moves no row out of an organization
CREATE FUNCTION pg_temp.moves(person text, changes text) RETURNS text LANGUAGE sql AS $$
  SELECT (pg_temp.rows(person, 'SELECT pg_temp.become(NULL)',
    format('INSERT INTO t_several VALUES (9, ''moving'', {alpha}, NULL, NULL, {%s})', person),
    format('SELECT pg_temp.become(%L)', person),
    format('UPDATE t_several SET %s WHERE id = 9 RETURNING ''moved''', changes)))[1]
$$;
SELECT is(pg_temp.moves('nora', changes), '42501',
  'threat: ownership alone moves a row: ' || changes)
  FROM unnest(ARRAY['project_id = NULL', 'project_id = {delta}',
  'project_id = NULL, organization_id = {globex}', 'project_id = NULL, team_id = {labs}',
  'project_id = {beta}', 'organization_id = {globex}', 'project_id = {nobody_known}']) AS changes;
SELECT is(pg_temp.moves('nora', changes), 'moved',
  'what stays in the organization may: ' || changes)
  FROM unnest(ARRAY['name = ''x''', 'organization_id = {acme}', 'project_id = {alpha}']) AS changes;
SELECT pg_temp.hold('{jobs:delete}') \g /dev/null
SELECT is(pg_temp.moves('nora', 'project_id = NULL'), 'moved',
  'an owner who may delete there may take it out');
SELECT pg_temp.hold('{jobs:create,jobs:read,jobs:update}') \g /dev/null
SELECT is(pg_temp.moves('nora', 'project_id = NULL'), '42501',
  'threat: the right to update, and ownership, take a row out');
SELECT is(pg_temp.moves('nora', 'project_id = {beta}'), 'moved',
  'within the organization it suffices');
SELECT is(pg_temp.moves('nora', 'project_id = {delta}'), '42501', 'but not for another one');
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (:globex, :nora, NULL);
SELECT is(pg_temp.moves('nora', 'project_id = {delta}'), '42501',
  'nor for another one where one is a member');
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:globex, :delta, :nora, pg_temp.builtin('Editor'));
SELECT is(pg_temp.moves('nora', 'project_id = {delta}'), 'moved',
  'with update where it was and where it goes anybody moves it, its owner, too');
SELECT pg_temp.hold('{}') \g /dev/null
SELECT is(pg_temp.moves('nora', 'project_id = {delta}'), '42501',
  'threat: an owner takes a row along to where they may update');
-- in two steps: first into an organization of one's own, too
CREATE FUNCTION pg_temp.steps(VARIADIC steps text[]) RETURNS text LANGUAGE sql AS $$
  SELECT (pg_temp.rows('nora', VARIADIC ARRAY['SELECT pg_temp.become(NULL)',
    'INSERT INTO t_several VALUES (9, ''moving'', {alpha}, NULL, NULL, {nora})',
    'SELECT pg_temp.become(''nora'')'] || steps || 'SELECT ''moved'''::text))[1]
$$;
UPDATE seeme.organizations SET owner_id = :nora WHERE id = :globex;
SELECT is(pg_temp.steps('UPDATE t_several SET organization_id = {globex} WHERE id = 9'), 'moved',
  'an owner puts a row into an organization of theirs, too');
SELECT is(pg_temp.steps('UPDATE t_several SET organization_id = {globex} WHERE id = 9',
  'UPDATE t_several SET project_id = NULL WHERE id = 9'), '42501',
  'threat: and then takes it out of the other');
SELECT is(pg_temp.steps('UPDATE t_several SET organization_id = {globex} WHERE id = 9',
  'UPDATE t_several SET owner_id = NULL WHERE id = 9',
  'UPDATE t_several SET project_id = NULL WHERE id = 9'), '42501',
  'threat: having given it away before');
SELECT is(pg_temp.steps('UPDATE t_several SET organization_id = {globex} WHERE id = 9',
  'UPDATE t_several SET owner_id = NULL, project_id = NULL WHERE id = 9'), '42501',
  'threat: or at once');
SELECT pg_temp.hold('{jobs:update}') \g /dev/null
SELECT is(pg_temp.steps('UPDATE t_several SET organization_id = {globex} WHERE id = 9',
  'UPDATE t_several SET project_id = NULL WHERE id = 9'), 'moved',
  'with the right to update in both it goes');
SELECT pg_temp.hold('{}') \g /dev/null
UPDATE seeme.organizations SET owner_id = :oscar WHERE id = :globex;
SELECT is(pg_temp.complaint('nora', 'UPDATE t_project SET project_id = NULL'),
  '42501: you do not hold models:delete in the organization that this row would leave |  | '
  'Ownership alone moves no row out of an organization.', 'it is told what is missing');
DELETE FROM seeme.memberships WHERE user_id = :nora AND organization_id = :globex;
-- another id for what is assigned
SELECT is(pg_temp.try('nora', 'UPDATE t_resource SET id = {x5}'), '42501',
  'threat: another id takes a row out of where it is assigned');
SELECT is(pg_temp.try('nora', 'UPDATE t_part SET dataset_id = NULL'), '42501',
  'threat: a part is taken out of what it is a part of');
SELECT is(pg_temp.rows('nora', 'SELECT pg_temp.become(NULL)',
  'INSERT INTO t_project VALUES ({x4}, ''lone'', NULL, {nora})',
  'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES '
  '({alpha}, ''model'', {x4})', $$SELECT pg_temp.become('nora')$$,
  'UPDATE t_project SET id = {x5} WHERE id = {x4}', 'SELECT 1'), '{42501}',
  'threat: also of a table that is not protected by that id');
SELECT is(pg_temp.try('nora', 'UPDATE t_project SET id = {x5}'), '1 row',
  'what stays in the organization by its column may have another');
-- may_move_out tells nothing of others
SELECT is(
  pg_temp.rows(p,
  'SELECT seeme.may_move_out(''models:delete'', NULL, NULL, {delta}, NULL, NULL, {labs}, NULL, '
  'NULL, NULL), seeme.may_move_out(''models:delete'', NULL, NULL, {nobody_known}, NULL, NULL, '
  '{labs}, NULL, NULL, NULL)'), ARRAY[wanted],
  'threat: learning that a project and a team are of one organization: ' || p)
  FROM (VALUES ('nora', 'false|false'), ('adam', 'false|false'), ('ghost', 'false|false'),
  ('gina', 'true|false')) AS v (p, wanted);

-- Random rows, against plain SQL
CREATE TABLE t_random (id uuid PRIMARY KEY, n integer, project_id uuid, team_id uuid,
  organization_id uuid, owner_id uuid);
INSERT INTO t_random
  SELECT md5('r' || n)::uuid, n, (
    ARRAY[NULL, :alpha, :beta, :gamma, :delta, :nobody_known]::uuid[])[1 + hashint4(n) % 6 *
    sign(hashint4(n))::int % 6],
         (ARRAY[NULL, NULL, :research, :sales, :labs]::uuid[])[1 + abs(hashint4(n + 1000)) % 5],
         (ARRAY[NULL, NULL, :acme, :globex]::uuid[])[1 + abs(hashint4(n + 2000)) % 4],
         (SELECT array_agg(u.id ORDER BY u.username) FROM seeme.users u
         WHERE u.database_role LIKE 't\_%')[1 + abs(hashint4(n + 3000)) % 14]
    FROM generate_series(1, 400) AS n;
UPDATE t_random SET project_id = NULL, team_id = NULL, organization_id = NULL WHERE n % 4 = 0;
UPDATE t_random SET team_id = NULL, organization_id = NULL WHERE n % 4 = 1;
CREATE TABLE t_random_2 (LIKE t_random INCLUDING ALL);
INSERT INTO t_random_2 SELECT * FROM t_random;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  SELECT p.id, 'model', r.id FROM t_random r JOIN unnest(ARRAY[:alpha, :beta, :delta]::uuid[])
    WITH ORDINALITY AS p (id, k) ON abs(hashint8(r.n * 10 + k)) % 5 = 0;
SELECT seeme_protect('t_random', 'models', project_column => 'project_id', team_column => 'team_id',
  organization_column => 'organization_id', resource_id_column => 'id', owner_column => 'owner_id')
  \g /dev/null
SELECT seeme_protect('t_random_2', 'models', project_column => 'project_id',
  team_column => 'team_id', organization_column => 'organization_id', owner_column => 'owner_id',
  owner_alone => false) \g /dev/null
GRANT SELECT, UPDATE, DELETE ON t_random, t_random_2 TO t_app;
-- by resource_id_column the assignments let rows through, too; in both they tell where a row lies
CREATE FUNCTION pg_temp.should_reach(person text, wanted text, by_assignment boolean, alone boolean)
  RETURNS bigint[] LANGUAGE sql AS $$
  WITH me AS (SELECT u.id FROM seeme.users u WHERE u.username = person
    AND (u.disabled_at IS NULL OR u.disabled_at > clock_timestamp())),
  -- as pg_temp.held() has it, of the one code
  held AS MATERIALIZED (
    SELECT s.id AS scope_id FROM pg_temp.scope s
      JOIN seeme.organizations o ON o.id = s.organization_id, me
     WHERE o.owner_id = me.id
        OR EXISTS (SELECT FROM pg_temp.current_membership m WHERE m.user_id = me.id
        AND m.organization_id = o.id AND m.team_id IS NULL AND m.project_id IS NULL)
           AND EXISTS (SELECT FROM pg_temp.current_membership m
           JOIN seeme.roles r ON r.id = m.role_id, unnest(r.permissions) AS e (entry)
                        WHERE m.user_id = me.id AND m.organization_id = o.id
                        AND pg_temp.covers(e.entry, wanted)
                          AND (m.team_id IS NULL AND m.project_id IS NULL OR m.team_id = s.team_id
                          OR m.project_id = s.project_id))),
  mine AS MATERIALIZED (
    SELECT o.id FROM seeme.organizations o, me
     WHERE o.owner_id = me.id OR EXISTS (
     SELECT FROM pg_temp.current_membership m WHERE m.user_id = me.id AND m.organization_id = o.id
       AND m.team_id IS NULL AND m.project_id IS NULL)),
  named AS MATERIALIZED (
    SELECT r.id, v.id AS scope, s.organization_id
      FROM public.t_random r, LATERAL unnest(ARRAY[r.project_id, r.team_id, r.organization_id])
      AS v (id) LEFT JOIN pg_temp.scope s ON s.id = v.id WHERE v.id IS NOT NULL),
  assigned AS MATERIALIZED (SELECT a.resource_id AS id, a.project_id AS scope,
  a.organization_id FROM seeme.project_resources a WHERE a.resource_type = 'model')
  SELECT array_agg(r.n ORDER BY r.n) FROM public.t_random r
   WHERE EXISTS (SELECT FROM named n JOIN held h ON h.scope_id = n.scope WHERE n.id = r.id)
      OR by_assignment AND EXISTS (
      SELECT FROM assigned n JOIN held h ON h.scope_id = n.scope WHERE n.id = r.id)
      OR r.owner_id = (SELECT id FROM me)
         AND NOT EXISTS (SELECT FROM named n WHERE n.id = r.id
         AND NOT coalesce(n.organization_id IN (SELECT id FROM mine), false))
         AND CASE WHEN EXISTS (SELECT FROM assigned a WHERE a.id = r.id)
         THEN EXISTS (SELECT FROM assigned a WHERE a.id = r.id
         AND a.organization_id IN (SELECT id FROM mine))
                  ELSE alone OR EXISTS (SELECT FROM named n WHERE n.id = r.id) END
$$;
CREATE FUNCTION pg_temp.disagreements() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  p text; c record; had bigint[]; wrong text := '';
BEGIN
  FOREACH p IN ARRAY
  ARRAY['adam','ann','cora','dora','edith','gina','mike','nora','olga','oscar','paul','stan','tess',
  'vera'] LOOP
    FOR c IN SELECT * FROM (VALUES (
      'SELECT n::bigint FROM t_random ORDER BY n', 'models:read', true, true),
      ('SELECT n::bigint FROM t_random_2 ORDER BY n', 'models:read', false, false),
                                   ('WITH u AS (UPDATE t_random SET n = n RETURNING n) SELECT '
                                    'n::bigint FROM u ORDER BY n', 'models:update', true, true),
                                   ('WITH u AS (DELETE FROM t_random_2 RETURNING n) SELECT '
                                    'n::bigint FROM u ORDER BY n', 'models:delete', false, false))
                                    AS v (statement, code, by_assignment, alone) LOOP
      had := pg_temp.rows(p, c.statement)::bigint[];
      IF coalesce(had, '{}') IS DISTINCT FROM
        coalesce(pg_temp.should_reach(p, c.code, c.by_assignment, c.alone), '{}') THEN
        wrong := wrong || p || ': ' || c.statement || E'\n';
      END IF;
    END LOOP;
  END LOOP;
  RETURN wrong;
END $$;
SELECT ok(cardinality(pg_temp.should_reach('nora', 'models:read', true, true)) BETWEEN 5 AND 100,
  'the oracle has something to say');
SELECT ok(pg_temp.should_reach('nora', 'models:read', true, true) <>
  pg_temp.should_reach('nora', 'models:read', false, false), 'in more than one way');
SELECT is(pg_temp.disagreements(), '', 'owners, among random rows, as plain SQL has it');
UPDATE seeme.memberships SET valid_until = '2020-01-01' WHERE user_id IN (:mike, :tess)
  AND organization_id = :acme AND team_id IS NULL AND project_id IS NULL;
DELETE FROM seeme.memberships WHERE user_id IN (:edith, :paul, :gina);
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (:globex, :nora, NULL),
  (:globex, :vera, pg_temp.builtin('Viewer')), (:acme, :oscar, NULL);
SELECT is(pg_temp.disagreements(), '', 'and when people have come and gone');
DELETE FROM seeme.project_resources WHERE project_id = :alpha;
UPDATE seeme.organizations SET owner_id = :vera WHERE id = :globex;
DELETE FROM seeme.projects WHERE id = :beta;
SELECT is(pg_temp.disagreements(), '', 'and assignments, owners and projects');

-- Rows that came after what is assigned
CREATE TABLE t_claim (id uuid PRIMARY KEY, name text, project_id uuid, owner_id uuid);
SELECT seeme_protect('t_claim', 'workflows', project_column => 'project_id',
  owner_column => 'owner_id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_claim TO t_app;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  VALUES (:alpha, 'workflow', pg_temp.id('x6'), 'Ours'),
    (:alpha, 'workflow', pg_temp.id('x7'), 'Released');
DELETE FROM seeme.project_resources WHERE resource_id = pg_temp.id('x7');
SELECT is(
  pg_temp.rows(NULL, 'SELECT had_row FROM seeme.project_resources WHERE resource_id = {x6}'),
  '{false}', 'an assignment remembers that it had no row');
INSERT INTO seeme.memberships (organization_id, user_id, role_id) SELECT :acme, id,
  NULL FROM seeme.users WHERE id = :stan;
SELECT pg_temp.become('vera') \g /dev/null
INSERT INTO t_claim VALUES (pg_temp.id('x6'), 'Mine', :delta, :vera),
  (pg_temp.id('x7'), 'Mine, too', :delta, :vera);
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.try('vera', format(
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({delta}, 'workflow', {%s})$$, x)), '42501',
      'threat: assigning what was assigned before one made a row of it: ' || x)
      FROM unnest(ARRAY['x6','x7']) AS x;
SELECT is(pg_temp.rows('vera', 'UPDATE t_claim SET name = ''Renamed''',
  'SELECT pg_temp.become(NULL)',
  'SELECT resource_name FROM seeme.project_resources WHERE resource_id = {x6}'), '{Ours}',
  'threat: renaming it');
SELECT is(pg_temp.rows('vera', 'DELETE FROM t_claim', 'SELECT pg_temp.become(NULL)',
  'SELECT resource_name FROM seeme.project_resources WHERE resource_id = {x6}'), '{Ours}',
  'threat: having it forgotten');
SELECT is(pg_temp.rows('vera', 'DELETE FROM t_claim', 'SELECT pg_temp.become(NULL)',
  'SELECT count(*) FROM seeme.released_resources WHERE resource_id = {x7}'), '{1}',
  'threat: or that it ever was assigned');
SELECT is(pg_temp.rows('vera', 'UPDATE t_claim SET id = gen_random_uuid()',
  'SELECT pg_temp.become(NULL)',
  'SELECT resource_name FROM seeme.project_resources WHERE resource_id = {x6}'), '{42501}',
  'threat: or by another id, which would take it out of where it is assigned');
SELECT is(
  pg_temp.try('vera', $$INSERT INTO seeme.project_resources
    (project_id, resource_type, resource_id, had_row) VALUES ({delta}, 'workflow', {x6}, true)$$),
    '42501', 'threat: saying that it had one');
SELECT is(
  pg_temp.rows('vera',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, had_row)
    VALUES ({delta}, 'model', gen_random_uuid(), true) RETURNING had_row$$), '{42501}',
      'threat: or of what nobody knows');
SELECT is(pg_temp.try('vera', 'UPDATE seeme.project_resources SET had_row = true'), '42501',
  'threat: writing it');
-- who may share the resource, but not that row, does not make it known
SELECT pg_temp.become('adam') \g /dev/null
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:gamma, 'workflow', pg_temp.id('x6'));
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(
  pg_temp.rows(NULL,
  'SELECT DISTINCT had_row FROM seeme.project_resources WHERE resource_id = {x6}'), '{false}',
  'who holds share on the resource assigns it; the row stays what it was');
SELECT is(
  pg_temp.try('vera', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({delta}, 'workflow', {x6})$$), '42501', 'threat: assigning it then');
-- whose row it may be
SELECT is(pg_temp.rows('adam', 'SELECT pg_temp.become(NULL)',
  'UPDATE t_claim SET project_id = {alpha}, owner_id = NULL WHERE id = {x6}',
  'DELETE FROM seeme.project_resources WHERE resource_id = {x6} AND project_id = {gamma}',
  $$SELECT pg_temp.become('adam')$$,
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({gamma}, 'workflow', {x6})$$, 'SELECT pg_temp.become(NULL)',
      'SELECT DISTINCT had_row, resource_name FROM seeme.project_resources WHERE resource_id = '
      '{x6} AND project_id = {gamma}'), '{true|Mine}', 'who may share both has it known');
SELECT is(pg_temp.rows('adam', 'SELECT pg_temp.become(NULL)',
  'UPDATE t_claim SET project_id = {alpha}, owner_id = NULL, name = ''Before'' WHERE id = {x6}',
  $$SELECT pg_temp.become('adam')$$, 'UPDATE t_claim SET name = ''After'' WHERE id = {x6}',
  'SELECT DISTINCT resource_name FROM seeme.project_resources WHERE resource_id = {x6}'),
  '{After}', 'who may change both renames it');
SELECT is(pg_temp.rows('adam', 'SELECT pg_temp.become(NULL)',
  'UPDATE t_claim SET project_id = {alpha}, owner_id = NULL WHERE id = {x6}',
  $$SELECT pg_temp.become('adam')$$, 'DELETE FROM t_claim WHERE id = {x6}',
  'SELECT count(*) FROM seeme.project_resources WHERE resource_id = {x6}'),
  '{0}', 'and who may delete both has it forgotten');
SELECT is(pg_temp.rows('vera', 'SELECT pg_temp.become(NULL)',
  'SELECT seeme_unprotect(''t_claim''), seeme_protect(''t_claim'', ''workflows'', project_column '
  '=> ''project_id'', owner_column => ''owner_id'')',
  'SELECT DISTINCT had_row FROM seeme.project_resources WHERE resource_id = {x6}'), '{true}',
  'protecting the table anew takes its rows for what they say');
SELECT is(pg_temp.rows('vera', 'SELECT pg_temp.become(NULL)',
  'UPDATE seeme.project_resources SET had_row = true', 'SELECT seeme_unprotect(''t_claim'')',
  'SELECT DISTINCT had_row FROM seeme.project_resources WHERE resource_id = {x6}'), '{false}',
  'one that is not protected any more has none');
SELECT is(pg_temp.rows(NULL, 'UPDATE seeme.project_resources SET had_row = true',
  'DROP TABLE t_claim',
  'SELECT DISTINCT had_row FROM seeme.project_resources WHERE resource_id = {x6}'), '{false}',
  'nor has one that is dropped');

-- may_claim tells what an INSERT tells, of whoever may make one
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:delta, 'dataset', pg_temp.id('x5'));
SELECT is(pg_temp.rows('mike', format(
  'SELECT seeme.may_claim(''datasets:create'', ''dataset'', {%s})', x)), ARRAY[claim],
  'known: whether an id is assigned somewhere: ' || x)
  FROM (VALUES ('x5', 'false'), ('x7', 'true')) AS v (x, claim);
SELECT is(pg_temp.try('mike', format('INSERT INTO t_resource VALUES ({%s}, ''x'', {mike})', x)),
  inserted, 'as is learned by making a row of it: ' || x)
  FROM (VALUES ('x5', '42501'), ('x7', '1 row')) AS v (x, inserted);

-- What the report says
CREATE TABLE t_kept (id integer PRIMARY KEY, project_id uuid CONSTRAINT t_kept_project REFERENCES
  seeme.projects ON DELETE SET NULL, organization_id uuid REFERENCES seeme.organizations (id) ON
  DELETE CASCADE, owner_id uuid REFERENCES seeme.users ON DELETE SET NULL);
SELECT seeme_protect('t_kept', 'jobs', project_column => 'project_id',
  organization_column => 'organization_id', owner_column => 'owner_id') \g /dev/null
SELECT is((SELECT array_agg(split_part(f.finding, ':', 1) || ', ' || f.severity)
  FROM seeme.findings_on_owner_columns() f WHERE f.object = 'public.t_kept'),
  '{"row is left to its owner, medium"}',
  'ON DELETE SET NULL on a scope column beside an owner column is a finding, once');
SELECT remedy AS mended FROM seeme_security_report() WHERE object = 'public.t_kept'
  AND finding LIKE 'row is left to its owner:%' \gset
:mended
SELECT is((SELECT count(*)::integer FROM seeme.findings_on_owner_columns()), 0,
  'its remedy mends it');
SELECT is((SELECT confdeltype FROM pg_constraint WHERE conname = 't_kept_project'), 'r',
  'by refusing to delete what rows refer to');
SELECT is((SELECT array_agg(object || ': ' || finding) FROM seeme_security_report()
  WHERE finding LIKE 'policy was changed%' OR finding LIKE 'trigger is missing%'), NULL,
  'and what seeme_protect made is what belongs there');

-- A table of the application's that is called as one of the extension's
CREATE TABLE projects (id uuid PRIMARY KEY, organization_id uuid);
SELECT is(
  pg_temp.complaint(NULL,
  'SELECT seeme_protect(''projects'', ''projects'', organization_column => ''organization_id'')'),
  '22023: the codes of "projects" are about the rows of seeme.projects |  | Give the rows of '
  'public.projects a resource of their own: SELECT '
  'seeme_protect(''public.projects'', ''app_projects'', ...);',
  'the resource of one''s own projects is another');
SELECT is(
  pg_temp.try(NULL,
  'SELECT seeme_protect(''projects'', ''app_projects'', organization_column '
  '=> ''organization_id'')'), '1 row', 'as the hint says');

SELECT * FROM finish();
ROLLBACK;
