\i test/include/prelude.psql
-- seeme_has_permission: who may do what where. Every answer is compared with an oracle in plain
-- SQL, then each rule is shown by itself: it holds, it refuses, and it no longer holds once it is
-- taken away.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(196);

-- The truth table: each person of the cast, in every scope, for every code and wildcard
SELECT cmp_ok((SELECT count(*) FROM question), '>', 900::bigint,
  'the truth table has more than 900 questions for each person');
SELECT is_empty(format('SELECT * FROM pg_temp.differences(%L)', p),
  'every answer is right for ' || p)
  FROM unnest(
  ARRAY['olga','adam','edith','cora','vera','mike','nora','dora','tess','paul','ann','oscar','gina',
  'stan']) AS p;

-- The same for every built-in role at every level, held by nora
CREATE FUNCTION pg_temp.nora_is(role_name text, scope text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM seeme.memberships WHERE user_id = pg_temp.id('nora')
    AND (team_id IS NOT NULL OR project_id IS NOT NULL);
  UPDATE seeme.memberships SET role_id = NULL WHERE user_id = pg_temp.id('nora');
  IF scope = 'acme' THEN
    UPDATE seeme.memberships SET role_id = pg_temp.id(role_name) WHERE user_id = pg_temp.id('nora');
  ELSIF role_name IS NOT NULL THEN
    INSERT INTO seeme.memberships (organization_id, team_id, project_id, user_id, role_id)
      SELECT s.organization_id, CASE s.level WHEN 'team' THEN s.id END,
        CASE s.level WHEN 'project' THEN s.id END,
             pg_temp.id('nora'), pg_temp.id(role_name)
        FROM pg_temp.scope s WHERE s.name = nora_is.scope;
  END IF;
END $$;
CREATE FUNCTION pg_temp.truth_of(role_name text, scope text) RETURNS SETOF text
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.nora_is(role_name, scope);
  RETURN QUERY SELECT is_empty(
    'SELECT * FROM pg_temp.differences(''nora'')',
    'every answer is right for ' || role_name || ' in ' || scope);
  RETURN NEXT is((SELECT string_agg(DISTINCT s.name, ' ' ORDER BY s.name)
    FROM pg_temp.answered('nora') a JOIN pg_temp.scope s ON s.name = a.scope
                   WHERE a.answer AND a.code = 'projects:read'),
                 CASE WHEN role_name NOT IN ('Editor', 'Contributor') THEN
                   CASE scope WHEN 'acme' THEN 'acme alpha beta gamma research sales'
                   WHEN 'research' THEN 'alpha research' ELSE 'gamma' END
                 ELSE (SELECT string_agg(DISTINCT s.name, ' ' ORDER BY s.name)
                 FROM pg_temp.held('nora') h
                         JOIN pg_temp.scope s ON s.id = h.scope_id WHERE h.code = 'projects:read')
                         END,
                 role_name || ' in ' || scope || ' reaches down, never up or sideways');
END $$;
SELECT pg_temp.truth_of(r, s)
  FROM unnest(ARRAY['Admin','Editor','Contributor','Viewer','Member'])
  WITH ORDINALITY AS roles (r, n),
       unnest(ARRAY['acme','research','gamma']) WITH ORDINALITY AS scopes (s, m) ORDER BY n, m;
SELECT pg_temp.nora_is(NULL, NULL) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.answered('nora') WHERE answer$$,
  'and a member without any role again may do nothing');

-- Everybody for whom the answer is true
CREATE FUNCTION pg_temp.all_who_may(arguments text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.who('SELECT WHERE seeme_has_permission(' || arguments || ')')
$$;

-- The owner
SELECT is(pg_temp.all_who_may($$'organizations:delete', organization => {acme}$$), 'olga',
  'only the owner may delete the organization');
SELECT is(pg_temp.all_who_may($$'organizations:delete', team => {research}$$), 'olga',
  'the owner holds everything in the teams');
SELECT is(pg_temp.all_who_may($$'*', project => {gamma}$$), 'olga',
  'the owner alone holds * in the projects');
SELECT is(pg_temp.all_who_may($$'models:delete', project => {delta}$$), 'oscar',
  'an owner holds nothing in another organization');
SELECT is(pg_temp.all_who_may($$'organizations:manage_members', organization => {acme}$$),
  'adam olga', 'owner and Admin manage the members');
DELETE FROM seeme.memberships WHERE user_id = :nora AND organization_id = :acme;
UPDATE seeme.organizations SET name = 'Acme' WHERE id = :acme;
SELECT is_empty($$SELECT * FROM pg_temp.answered('nora') WHERE answer$$,
  'somebody taken out of the organization may do nothing');
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :nora);

-- The levels
SELECT is(pg_temp.all_who_may($$'models:create', project => {alpha}$$), 'adam cora edith olga tess',
  'a team''s role reaches the team''s project');
SELECT is(pg_temp.all_who_may($$'models:create', project => {beta}$$), 'adam cora edith olga',
  'but not a project of another team');
SELECT is(pg_temp.all_who_may($$'models:create', project => {gamma}$$), 'adam cora edith olga',
  'nor a project without a team');
SELECT is(pg_temp.all_who_may($$'models:create', team => {research}$$), 'adam cora edith olga tess',
  'it holds in the team itself');
SELECT is(pg_temp.all_who_may($$'models:create', organization => {acme}$$), 'adam cora edith olga',
  'and not in the organization above');
SELECT is(pg_temp.all_who_may($$'datasets:read', project => {alpha}$$),
  'adam ann cora edith olga paul tess vera', 'a project''s roles hold in the project');
SELECT is(pg_temp.all_who_may($$'datasets:read', team => {research}$$),
  'adam cora edith olga tess vera', 'and not in the team above');
SELECT is(pg_temp.all_who_may($$'annotations:*', project => {alpha}$$), 'adam ann olga',
  'a custom role''s wildcard is held where the role is');
SELECT is(pg_temp.all_who_may($$'datasets:read', project => {delta}$$), 'oscar',
  'nobody of one organization may do anything in another');
SELECT is(pg_temp.all_who_may($$'models:delete', project => {alpha}$$), 'adam olga',
  'no Editor deletes');
SELECT is(pg_temp.all_who_may($$'models:share', project => {alpha}$$), 'adam edith olga tess',
  'no Contributor shares');

UPDATE seeme.projects SET team_id = :sales WHERE id = :alpha;
SELECT is(pg_temp.all_who_may($$'models:create', project => {alpha}$$), 'adam cora edith olga',
  'a project that moves to another team leaves the first team''s people behind');
UPDATE seeme.projects SET team_id = NULL WHERE id = :alpha;
SELECT is(pg_temp.all_who_may($$'models:create', project => {alpha}$$), 'adam cora edith olga',
  'so does one that leaves the team');
UPDATE seeme.projects SET team_id = :research WHERE id = :alpha;
SELECT is(pg_temp.all_who_may($$'models:create', project => {alpha}$$), 'adam cora edith olga tess',
  'and the people have it again when it comes back');


-- Roles add up; nothing subtracts
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, :sales, :mike, pg_temp.id('Contributor'));
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :beta, :mike, :annotator), (:acme, :alpha, :tess, pg_temp.id('Viewer')),
    (:acme, :gamma, :edith, pg_temp.id('Viewer')),
         (:acme, :beta, :olga, pg_temp.id('Member'));
SELECT is_empty(format('SELECT * FROM pg_temp.differences(%L)', p),
  'roles of several levels add up for ' || p)
  FROM unnest(ARRAY['mike','tess','edith','olga']) AS p;
SELECT is(pg_temp.all_who_may($$'annotations:delete', project => {beta}$$), 'adam mike olga',
  'what only the project''s role gives is held');
SELECT is(pg_temp.all_who_may($$'models:create', project => {beta}$$), 'adam cora edith mike olga',
  'and what only the team''s role gives');
SELECT is(pg_temp.all_who_may($$'annotations:*', project => {beta}$$), 'adam mike olga',
  'and a wildcard that it gives');
SELECT is(pg_temp.all_who_may($$'models:create', project => {gamma}$$), 'adam cora edith olga',
  'a lesser role below takes nothing away');
SELECT is(pg_temp.all_who_may($$'organizations:delete', project => {beta}$$), 'olga',
  'not even from the owner');
DELETE FROM seeme.memberships WHERE user_id = :mike AND team_id = :sales;
SELECT is(pg_temp.all_who_may($$'models:create', project => {beta}$$), 'adam cora edith olga',
  'without the team''s role its part is gone');
SELECT is(pg_temp.all_who_may($$'annotations:delete', project => {beta}$$), 'adam mike olga',
  'and the project''s part stays');

-- A role's contents
UPDATE seeme.roles SET permissions = permissions || '{models:delete}' WHERE id = :annotator;
SELECT is(pg_temp.all_who_may($$'models:delete', project => {alpha}$$), 'adam ann olga',
  'a code added to a role is held by its holders at once');
UPDATE seeme.roles SET permissions = '{annotations:create}' WHERE id = :annotator;
SELECT is(pg_temp.all_who_may($$'models:delete', project => {alpha}$$), 'adam olga',
  'and a code taken out of it is not');
SELECT is_empty($$SELECT * FROM pg_temp.differences('ann')$$,
  'every answer is right for ann after her role was changed');
UPDATE seeme.memberships SET role_id = NULL WHERE user_id = :ann AND project_id = :alpha;
SELECT is_empty($$SELECT * FROM pg_temp.answered('ann') WHERE answer$$,
  'a membership without a role gives nothing');
UPDATE seeme.memberships SET role_id = :annotator WHERE user_id = :ann AND project_id = :alpha;
SELECT is(pg_temp.all_who_may($$'annotations:create', project => {alpha}$$),
  'adam ann cora edith olga tess', 'and with it again everything that it gave');

-- Wildcards, held and asked for
SELECT pg_temp.hold('{datasets:*}') \g /dev/null
SELECT is(
  pg_temp.rows('nora', $$SELECT seeme_has_permission('datasets:delete', organization => {acme}),
    seeme_has_permission('datasets:*', organization => {acme}),
    seeme_has_permission('dataset_labels:read', organization => {acme}),
    seeme_has_permission('dataset_items:list', organization => {acme})$$),
  '{true|true|false|false}',
  'datasets:* is every action on datasets, and nothing on dataset_labels or dataset_items');
SELECT pg_temp.hold(
  '{datasets:list,datasets:read,datasets:create,datasets:update,datasets:delete,datasets:share}')
  \g /dev/null
SELECT is(
  pg_temp.rows('nora', $$SELECT seeme_has_permission('datasets:*', organization => {acme})$$),
  '{true}', 'a wildcard asked for is held when every action of it is');
SELECT pg_temp.hold('{datasets:list,datasets:read,datasets:create,datasets:update,datasets:delete}')
  \g /dev/null
SELECT is(
  pg_temp.rows('nora', $$SELECT seeme_has_permission('datasets:*', organization => {acme})$$),
  '{false}', 'and not when one is missing');
SELECT pg_temp.hold('{*:read}') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.differences('nora')$$,
  'every answer is right for a role that holds *:read');
SELECT is(
  pg_temp.rows('nora', $$SELECT seeme_has_permission('graphs:read', project => {gamma}),
    seeme_has_permission('*:read', project => {gamma}),
    seeme_has_permission('graphs:list', project => {gamma}),
    seeme_has_permission('*', project => {gamma})$$),
  '{true|true|false|false}', '*:read is every resource''s read and nothing else');
SELECT pg_temp.hold('{*}') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.differences('nora')$$,
  'every answer is right for a custom role that holds *');
SELECT pg_temp.hold('{dataset_labels:*,roles:*}') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.differences('nora')$$,
  'every answer is right for wildcards of resources that the catalogue lists none for');

-- Resource kinds registered later
SELECT pg_temp.hold('{*:read}') \g /dev/null
SELECT matches(pg_temp.complaint(
  'edith', $$SELECT seeme_has_permission('satellites:read', organization => {acme})$$), '^22023:',
  'a code not registered yet is an error');
INSERT INTO seeme.permissions (name, description) VALUES ('satellites:read', 'View one satellite'),
  ('satellites:launch', 'Launch a satellite');
SELECT is(pg_temp.all_who_may($$'satellites:read', organization => {acme}$$), 'adam nora olga vera',
  'once registered it is held by owner, Admin, Viewer and *:read');
SELECT is(pg_temp.all_who_may($$'satellites:launch', organization => {acme}$$), 'adam olga',
  'and its other actions by owner and Admin');
SELECT is(pg_temp.all_who_may($$'satellites:*', organization => {acme}$$), 'adam olga',
  'its wildcard may be asked for too');
SELECT ok((SELECT count(*) = 0 FROM seeme.roles r,
  unnest(r.permissions) AS e WHERE r.name = 'Admin' AND pg_temp.covers(e, 'organizations:delete'))
  AND
          (SELECT count(*) > 0 FROM seeme.roles r,
          unnest(r.permissions) AS e WHERE r.name = 'Admin'
          AND pg_temp.covers(e, 'satellites:launch')),
  'what the role Admin shows agrees with what is decided for it');
SELECT pg_temp.hold('{}') \g /dev/null

-- Validity
CREATE FUNCTION pg_temp.valid(person text, scope text, from_ interval, until_ interval) RETURNS void
  LANGUAGE sql AS $$
  UPDATE seeme.memberships SET valid_from = clock_timestamp() + from_,
    valid_until = clock_timestamp() + until_
   WHERE user_id = pg_temp.id(person)
     AND CASE WHEN scope = 'acme' THEN team_id IS NULL AND project_id IS NULL
     ELSE pg_temp.id(scope) IN (team_id, project_id) END
$$;
CREATE FUNCTION pg_temp.over_time(person text, level text, question text) RETURNS SETOF text
  LANGUAGE plpgsql AS $$
DECLARE
  ask text := 'SELECT seeme_has_permission(' || question || ')';
BEGIN
  PERFORM pg_temp.valid(person, level, '-1 day', '1 day');
  RETURN NEXT is(pg_temp.rows(person, ask), '{true}',
    level || ': between valid_from and valid_until a membership counts');
  PERFORM pg_temp.valid(person, level, '-2 days', '-1 day');
  RETURN NEXT is(pg_temp.rows(person, ask), '{false}', level || ': after valid_until it does not');
  PERFORM pg_temp.valid(person, level, '1 day', '2 days');
  RETURN NEXT is(pg_temp.rows(person, ask), '{false}', level || ': before valid_from it does not');
  PERFORM pg_temp.valid(person, level, NULL, '-1 second');
  RETURN NEXT is(pg_temp.rows(person, ask), '{false}', level || ': an end without a beginning');
  PERFORM pg_temp.valid(person, level, '-1 second', NULL);
  RETURN NEXT is(pg_temp.rows(person, ask), '{true}', level || ': a beginning without an end');
  PERFORM pg_temp.valid(person, level, '1 hour', NULL);
  RETURN NEXT is(pg_temp.rows(person, ask), '{false}',
    level || ': a beginning that is still to come');
  PERFORM pg_temp.valid(person, level, NULL, '200 milliseconds');
  RETURN NEXT is(pg_temp.rows(person, ask, 'SELECT pg_sleep(0.3)', ask), '{false}',
    level || ': it ends by the clock, not by when the transaction began');
  PERFORM pg_temp.valid(person, level, NULL, NULL);
  RETURN NEXT is(pg_temp.rows(person, ask), '{true}',
    level || ': and counts again without any bounds');
END $$;
SELECT pg_temp.over_time('edith', 'acme', $$'models:create', project => {gamma}$$);
SELECT pg_temp.over_time('tess', 'research', $$'models:create', project => {alpha}$$);
SELECT pg_temp.over_time('paul', 'alpha', $$'models:read', project => {alpha}$$);
SELECT pg_temp.valid('paul', 'acme', NULL, '-1 day'),
  pg_temp.valid('tess', 'acme', '1 day', NULL) \g /dev/null
SELECT is(pg_temp.all_who_may($$'models:read', project => {alpha}$$), 'adam cora edith olga vera',
  'a team''s or project''s role counts only while the membership in the organization is current');
SELECT is_empty($$SELECT * FROM pg_temp.answered('paul') WHERE answer$$,
  'nothing at all is left to somebody whose membership in the organization has ended');
SELECT is_empty($$SELECT * FROM pg_temp.differences('tess')$$,
  'nor is anything there before it has begun');
SELECT pg_temp.valid('paul', 'acme', NULL, NULL),
  pg_temp.valid('tess', 'acme', NULL, NULL) \g /dev/null
SELECT is(pg_temp.all_who_may($$'models:read', project => {alpha}$$),
  'adam cora edith olga paul tess vera', 'and everything is back with it');
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id, valid_until)
  VALUES (:acme, :research, :paul, pg_temp.id('Editor'), clock_timestamp() - interval '1 day');
SELECT is(pg_temp.all_who_may($$'models:create', project => {alpha}$$), 'adam cora edith olga tess',
  'an ended role in the team adds nothing to a current one in the project');

-- Taken out of the organization: one DELETE, and nothing is left
DELETE FROM seeme.memberships WHERE user_id = :paul AND organization_id = :acme AND team_id IS NULL
  AND project_id IS NULL;
SELECT is((SELECT count(*) FROM seeme.memberships WHERE user_id = :paul), 0::bigint,
  'leaving the organization takes the memberships in its teams and projects along');
SELECT is(pg_temp.all_who_may($$'models:read', project => {alpha}$$),
  'adam cora edith olga tess vera', 'and with them everything that they gave');
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :paul);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :alpha, :paul, pg_temp.id('Viewer'));
SELECT is(pg_temp.all_who_may($$'models:read', project => {alpha}$$),
  'adam cora edith olga paul tess vera', 'somebody who was out may be taken in again');

-- Disabled people
SELECT is_empty($$SELECT * FROM pg_temp.answered('dora') WHERE answer$$,
  'a disabled person may do nothing');
UPDATE seeme.users SET disabled_at = NULL WHERE id = :dora;
SELECT is(pg_temp.all_who_may($$'models:create', project => {gamma}$$), 'adam cora dora edith olga',
  'and may again what she could before, once she is enabled');
UPDATE seeme.users SET disabled_at = clock_timestamp() + interval '1 hour' WHERE id = :dora;
SELECT is(pg_temp.all_who_may($$'models:create', project => {gamma}$$), 'adam cora dora edith olga',
  'somebody who will be disabled later still may');
UPDATE seeme.users SET disabled_at = clock_timestamp() + interval '200 milliseconds'
  WHERE id = :dora;
SELECT pg_sleep(0.3) \g /dev/null
SELECT is(pg_temp.all_who_may($$'models:create', project => {gamma}$$), 'adam cora edith olga',
  'until that moment passes, by the clock');
UPDATE seeme.users SET disabled_at = clock_timestamp() - interval '1 second' WHERE id = :olga;
SELECT is_empty($$SELECT * FROM pg_temp.answered('olga') WHERE answer$$,
  'a disabled owner may do nothing');
SELECT is(pg_temp.all_who_may($$'organizations:delete', organization => {acme}$$), NULL,
  'and nobody acts in a disabled owner''s stead');
SELECT is(pg_temp.all_who_may($$'models:create', project => {gamma}$$), 'adam cora edith',
  'while everybody else goes on as before');
UPDATE seeme.users SET disabled_at = NULL WHERE id = :olga;
SELECT is(pg_temp.all_who_may($$'organizations:delete', organization => {acme}$$), 'olga',
  'enabled again, the owner is the owner');

-- Nobody, and nothing
SELECT is_empty($$SELECT * FROM pg_temp.answered('ghost') WHERE answer$$,
  'a database role that is nobody may do nothing');
SELECT is_empty($$SELECT * FROM pg_temp.answered(NULL) WHERE answer$$,
  'with nobody identified the answer is false even for a superuser');
SELECT is(seeme_user_id(), NULL, 'for whom seeme_user_id() is null');
SELECT is(pg_temp.rows('edith', 'SELECT seeme_user_id() = {edith}'), '{true}',
  'somebody with a database role of their own is who that role says');
SELECT is(
  pg_temp.rows('olga', $$SELECT seeme_has_permission('models:read'),
    seeme_has_permission('models:read', project => NULL),
    seeme_has_permission('*', organization => NULL, team => NULL),
    seeme_has_permission('models:read', resource => NULL)$$), '{false|false|false|false}',
    'a null scope is false, even for an owner');
SELECT is(
  pg_temp.rows('olga', $$SELECT seeme_has_permission('models:read', organization => {nobody_known}),
    seeme_has_permission('models:read', team => {nobody_known}),
    seeme_has_permission('models:read', project => {nobody_known}),
    seeme_has_permission('models:read', resource => {nobody_known})$$), '{false|false|false|false}',
  'a scope that does not exist is false, like one that is out of reach');
SELECT is(
  pg_temp.rows('olga', $$SELECT seeme_has_permission('models:read', team => {acme}),
    seeme_has_permission('models:read', project => {research}),
    seeme_has_permission('models:read', organization => {alpha})$$),
  '{false|false|false}', 'an id of another kind of scope is no scope');

-- Mistakes in the question
SELECT is(pg_temp.try('olga', 'SELECT seeme_has_permission(''models:read'', ' || two || ')'),
  '22023', 'two scopes are an error: ' || regexp_replace(two, '[{}]', '', 'g'))
  FROM unnest(ARRAY['organization => {acme}, team => {research}',
  'organization => {acme}, project => {alpha}', 'team => {research}, project => {alpha}',
                    'project => {alpha}, resource => {alpha}',
                    'organization => {acme}, resource => {alpha}',
                    'organization => {acme}, team => {research}, project => {alpha}']) AS two;
SELECT is(
  pg_temp.try(NULL,
  $$SELECT seeme_has_permission('models:read', organization => {acme}, team => {research})$$),
  '22023', 'two scopes are an error even with nobody identified');
SELECT matches(pg_temp.complaint(
  'edith', format('SELECT seeme_has_permission(%L, project => {alpha})', wrong)),
  '^22023: .*' || regexp_replace(nearest, '([*])', '\\\1', 'g'),
    'an unknown code is an error that names the nearest: ' || wrong)
  FROM (VALUES ('models:raed', 'models:read'), ('model:read', 'models:read'),
  ('dataset:*', 'datasets:*'), ('organizations:manage_member', 'organizations:manage_members'),
               ('workflow_execution:list', 'workflow_executions:list')) AS v (wrong, nearest);
SELECT matches(pg_temp.complaint(
  'edith', format('SELECT seeme_has_permission(%L, project => {alpha})', wrong)), '^22023:',
  'an unknown code is an error: "' || left(wrong, 20) || '"')
  FROM unnest(ARRAY['', ':', 'models', 'models:', ':read', '*:*', '*:', ':*', '**', 'nothing:*',
  '*:nothing', 'models:read ', ' models:read', 'Models:Read', 'models:read:all', 'models.read',
  'models:%', 'model%:read', repeat('x', 3000)]) AS wrong;
SELECT is(pg_temp.try('edith', $$SELECT seeme_has_permission('models:raed', project => NULL)$$),
  '22023', 'a wrong code is an error even where the scope is null');
SELECT is(pg_temp.try('edith', $$SELECT seeme_has_permission('models:raed')$$), '22023',
  'and where there is no scope');
SELECT is(pg_temp.try(NULL, $$SELECT seeme_has_permission('models:raed', project => {alpha})$$),
  '22023', 'and with nobody identified');
SELECT is(pg_temp.try('edith', $$SELECT seeme_has_permission(NULL, project => {alpha})$$), '22004',
  'no code is an error');

-- Resources
UPDATE seeme.roles SET permissions = '{datasets:list,datasets:read,annotations:*}'
  WHERE id = :annotator;
\set thing '''99000000-0000-4000-8000-000000000001'''
\set other '''99000000-0000-4000-8000-000000000002'''
INSERT INTO thing VALUES ('thing', :thing), ('other', :other);
SELECT is(pg_temp.all_who_may($$'models:read', resource => {thing}$$), NULL,
  'what is in no project is nobody''s');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'model', :thing), (:beta, 'dataset', :other);
SELECT is(pg_temp.all_who_may($$'models:read', resource => {thing}$$),
  'adam cora edith olga paul tess vera',
  'a resource may be read by those who may read in its project');
SELECT is(pg_temp.all_who_may($$'models:update', resource => {thing}$$),
  'adam cora edith olga tess', 'and changed by those who may change there');
SELECT is(pg_temp.all_who_may($$'models:read', resource => {thing}, resource_type => 'model'$$),
  'adam cora edith olga paul tess vera', 'the type that the code names may be spelled out');
SELECT is(pg_temp.all_who_may($$'datasets:read', resource => {thing}$$), NULL,
  'a model is not a dataset');
SELECT is(pg_temp.all_who_may($$'datasets:read', resource => {other}$$),
  'adam cora edith mike olga vera', 'another resource is in another project');

INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:beta, 'model', :thing);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :beta, :nora, pg_temp.id('Editor'));
SELECT is(pg_temp.all_who_may($$'models:update', resource => {thing}$$),
  'adam cora edith nora olga tess', 'of a resource in several projects any one is enough');
DELETE FROM seeme.project_resources WHERE resource_id = :thing AND project_id = :alpha;
SELECT is(pg_temp.all_who_may($$'models:read', resource => {thing}$$),
  'adam cora edith nora olga vera', 'taken out of one, those of the others remain');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:delta, 'model', :thing);
SELECT is(pg_temp.all_who_may($$'models:update', resource => {thing}$$),
  'adam cora edith nora olga oscar', 'the projects may be of several organizations');
SELECT is(pg_temp.all_who_may($$'models:*', resource => {thing}$$), 'adam olga oscar',
  'a wildcard may be asked for of a resource');
SELECT pg_temp.hold_in('beta', '{models:list,models:read,models:create,models:update}') \g /dev/null
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:gamma, 'model', :thing);
SELECT pg_temp.hold_in('gamma', '{models:delete,models:upload,models:share}') \g /dev/null
SELECT is(
  pg_temp.rows('nora', $$SELECT seeme_has_permission('models:delete', resource => {thing}),
    seeme_has_permission('models:read', resource => {thing}),
    seeme_has_permission('models:delete', project => {beta}),
    seeme_has_permission('models:read', project => {gamma})$$), '{true|true|false|false}',
  'each project gives a resource what is held there, and the projects none of each other''s');
DELETE FROM seeme.project_resources WHERE resource_id = :thing;
SELECT is(pg_temp.all_who_may($$'models:read', resource => {thing}$$), NULL,
  'taken out of all of them, it is nobody''s again');

-- Resources whose codes are tied to no type
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'dataset', :thing);
SELECT is(
  pg_temp.all_who_may($$'dataset_items:read', resource => {thing}, resource_type => 'dataset'$$),
  'adam cora edith olga paul tess vera', 'a dataset''s items are asked for by the dataset');
SELECT is(
  pg_temp.all_who_may($$'annotations:create', resource => {thing}, resource_type => 'dataset'$$),
  'adam ann cora edith olga tess', 'so are their annotations');
SELECT is(
  pg_temp.all_who_may($$'dataset_items:read', resource => {thing}, resource_type => 'model'$$),
  NULL, 'a model of the same id is another thing');
SELECT matches(pg_temp.complaint(
  'edith', $$SELECT seeme_has_permission('dataset_items:read', resource => {thing})$$),
  'resource_type',
  'a code tied to no resource type needs one spelled out, and the error says so');
SELECT isnt(
  pg_temp.complaint('edith', $$SELECT seeme_has_permission('projects:read', resource => {thing})$$),
  NULL, 'so does projects:read, which is no resource''s code');
SELECT isnt(
  pg_temp.complaint('nora',
  $$SELECT seeme_has_permission('dataset_items:read', resource => {thing})$$), NULL,
  'whoever asks');
DELETE FROM seeme.memberships WHERE user_id = :nora
  AND (team_id IS NOT NULL OR project_id IS NOT NULL);

-- One prepared statement, one function, several people
SET plan_cache_mode = force_generic_plan;
PREPARE may_create AS SELECT seeme_has_permission(
  'models:create', project => 'd0000000-0000-4000-8000-000000000003');
CREATE FUNCTION pg_temp.may_create() RETURNS boolean LANGUAGE plpgsql STABLE
AS $$ BEGIN RETURN seeme_has_permission(
  'models:create', project => 'd0000000-0000-4000-8000-000000000003'); END $$;
SELECT is(string_agg((pg_temp.rows(p, 'EXECUTE may_create'))[1] || ' '
  || (pg_temp.rows(p, 'SELECT pg_temp.may_create()'))[1], ', ' ORDER BY n),
    'true true, false false, true true, false false, true true, false false, true true, false '
    'false',
    'a cached plan answers for whoever asks now')
  FROM unnest(ARRAY['edith','vera','adam','ghost','olga','oscar','cora','paul'])
  WITH ORDINALITY AS v (p, n);
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer') WHERE user_id = :edith
  AND project_id IS NULL;
SELECT is(pg_temp.rows('edith', 'EXECUTE may_create')
  || pg_temp.rows('edith', 'SELECT pg_temp.may_create()'), '{false,false}',
  'and by what they hold now');

SELECT * FROM finish();
ROLLBACK;
