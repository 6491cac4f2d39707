\i test/include/prelude.psql
-- What is remembered of decisions is never another answer than the tables give: within one session,
-- through every kind of change. The counters of seeme.cache_statistics show that it is remembered
-- at all. What other sessions change is in test/isolation.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(132);

-- One call site for each level, warm from call to call as long as this transaction lasts: an
-- answer, or the SQLSTATE.
CREATE FUNCTION pg_temp.may(person text, code text, level text, id uuid, type text = NULL)
  RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  PERFORM pg_temp.become(person);
  IF level = 'organization' THEN answer := seeme_has_permission(
    code, organization => id, resource_type => type);
  ELSIF level = 'team' THEN answer := seeme_has_permission(code, team => id, resource_type => type);
  ELSIF level = 'project' THEN answer := seeme_has_permission(
  code, project => id, resource_type => type);
  ELSIF level = 'resource' THEN answer := seeme_has_permission(
  code, resource => id, resource_type => type);
  ELSE answer := seeme_has_permission(
  code, project => id, team => CASE level WHEN 'two' THEN id END,
  resource => CASE level WHEN 'any' THEN NULL::uuid END);
  END IF;
  PERFORM pg_temp.become(NULL);
  RETURN answer;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
-- The same by a form of the question that remembers nothing.
CREATE FUNCTION pg_temp.really(person text, code text, level text, id uuid, type text = NULL)
  RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  PERFORM pg_temp.become(person);
  SELECT coalesce(bool_or(e.granted), false) INTO answer
    FROM seeme_explain_permission(
    seeme_user_id(), code, organization => CASE level WHEN 'organization' THEN id END,
    team => CASE level WHEN 'team' THEN id END,
           project => CASE level WHEN 'project' THEN id END,
           resource => CASE level WHEN 'resource' THEN id END, resource_type => type) AS e;
  PERFORM pg_temp.become(NULL);
  RETURN answer;
END $$;

CREATE TEMP TABLE counted (hits bigint, probes bigint, bulk_loads bigint, evictions bigint,
  resets bigint, bypasses bigint);
-- Runs a query as somebody; its one value, and what it cost.
CREATE FUNCTION pg_temp.cost(person text, statement text, OUT value text, OUT hits bigint,
  OUT probes bigint, OUT bulk_loads bigint, OUT evictions bigint) LANGUAGE plpgsql AS $$
DECLARE
  was seeme.cache_statistics;
BEGIN
  was := (SELECT s FROM seeme.cache_statistics s);
  PERFORM pg_temp.become(person);
  EXECUTE statement INTO value;
  PERFORM pg_temp.become(NULL);
  SELECT s.hits - was.hits, s.probes - was.probes, s.bulk_loads - was.bulk_loads,
    s.evictions - was.evictions INTO hits, probes, bulk_loads,
    evictions FROM seeme.cache_statistics s;
END $$;

-- Many projects, some of them of a team, some with a resource; nora reads a few
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme,
    CASE n % 3 WHEN 0 THEN :research::uuid WHEN 1 THEN :sales::uuid END, 'P' || n,
    'p-' || n FROM generate_series(1, 400) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT :acme, ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :nora,
    pg_temp.id('Viewer') FROM generate_series(1, 400, 40) AS n;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'model',
    ('91000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    'm' FROM generate_series(1, 400) AS n;
CREATE TEMP TABLE row_of AS
  SELECT n, ('d1000000-0000-4000-8000-' || lpad(to_hex(1 + n % 400), 12, '0'))::uuid AS project_id,
    ('91000000-0000-4000-8000-' || lpad(to_hex(1 + n % 400), 12, '0'))::uuid AS resource_id
    FROM generate_series(1, 10000) AS n;
GRANT SELECT ON row_of TO PUBLIC;

-- Counters
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(c.probes, 1::bigint, 'the first check of a person in a project reads the tables')
  FROM pg_temp.cost('vera',
  $$SELECT seeme_has_permission('models:read', project => 'd0000000-0000-4000-8000-000000000001')$$)
  c;
SELECT is(format('%s %s', c.hits, c.probes), '1 0',
  'the second is a hit, also in another statement')
  FROM pg_temp.cost('vera',
  $$SELECT seeme_has_permission('models:read', project => 'd0000000-0000-4000-8000-000000000001')$$)
  c;
SELECT is(format('%s %s', c.hits, c.probes), '1 0', 'and so is one for another code there')
  FROM pg_temp.cost('vera',
  $$SELECT seeme_has_permission(
    'datasets:delete', project => 'd0000000-0000-4000-8000-000000000001')$$) c;
SELECT is(c.probes, 1::bigint, 'another person''s first is not')
  FROM pg_temp.cost('paul',
  $$SELECT seeme_has_permission('models:read', project => 'd0000000-0000-4000-8000-000000000001')$$)
  c;
SELECT is(format('%s %s %s', c.probes, c.bulk_loads, c.value), '16 0 1',
  '16 projects are read one by one') FROM pg_temp.cost(
  'nora', $$SELECT count(*) FILTER (
    WHERE seeme_has_permission('models:read', project => project_id)) FROM row_of
    WHERE n BETWEEN 40 AND 55$$) c;
SELECT ok(c.probes <= 17 AND c.probes + c.hits = 10000 AND c.bulk_loads = 1 AND c.value = '250',
  '10,000 rows of 400 projects cost 17 reads of tables at most, and one bulk load')
  FROM pg_temp.cost('nora', $$SELECT count(*) FROM row_of
    WHERE seeme_has_permission('models:read', project => project_id)$$) c;
SELECT is(format('%s %s %s', c.probes, c.bulk_loads, c.value), '0 0 250',
  'and none the second time') FROM pg_temp.cost(
  'nora', $$SELECT count(*) FROM row_of WHERE
    seeme_has_permission('models:read', project => project_id)$$) c;
SELECT ok(c.probes <= 17 AND c.bulk_loads = 1 AND c.value = '250', '10,000 resources, too')
  FROM pg_temp.cost('nora', $$SELECT count(*) FROM row_of
    WHERE seeme_has_permission('models:read', resource => resource_id)$$) c;
SELECT ok(c.probes <= 17 AND c.value = '10000', 'and for somebody who sees them all')
  FROM pg_temp.cost('adam', $$SELECT count(*) FROM row_of
    WHERE seeme_has_permission('models:read', project => project_id)$$) c;
SELECT ok(c.probes <= 17 AND c.value = '0', 'and for somebody who sees none')
  FROM pg_temp.cost('stan', $$SELECT count(*) FROM row_of
    WHERE seeme_has_permission('models:read', project => project_id)$$) c;
SELECT ok(c.probes <= 1 AND c.value = '0', 'and for nobody')
  FROM pg_temp.cost('ghost', $$SELECT count(*) FROM row_of
    WHERE seeme_has_permission('models:read', project => project_id)$$) c;
SELECT ok(c.probes <= 1 AND c.value = '0', '10,000 rows without a project cost nothing')
  FROM pg_temp.cost('vera', $$SELECT count(*) FROM row_of
    WHERE seeme_has_permission('models:read', project => CASE WHEN n < 0 THEN project_id END)$$) c;
SELECT ok(c.probes <= 17 AND c.value = '5250', 'codes that come from a column are remembered, too')
  FROM pg_temp.cost('edith', $$SELECT count(*) FROM row_of
    WHERE seeme_has_permission(
    CASE WHEN n % 2 = 0 THEN 'models:read' WHEN n % 40 = 1 THEN 'models:share'
    ELSE 'organizations:delete' END, project => project_id)$$) c;
SELECT ok(bytes > 0 AND bytes < 16 * 1024 * 1024, 'bytes says how much memory is in use')
  FROM seeme.cache_statistics;

-- Everything that everybody may do, against the plain SQL of the oracle, cold and warm
SELECT is((SELECT count(*) FROM pg_temp.differences(person)), 0::bigint,
  'as the oracle says, cold: ' || person)
  FROM unnest(ARRAY['olga','adam','nora','dora','tess','ann','gina']) AS person;
SELECT is((SELECT count(*) FROM pg_temp.differences(person)), 0::bigint,
  'as the oracle says, warm: ' || person) FROM unnest(ARRAY['nora','tess']) AS person;

-- With no more memory than the least: forgotten again and again, and never wrong
SET seeme_rbac.cache_memory = '64kB';
SELECT evictions FROM seeme.cache_statistics \gset was_
SELECT is((SELECT count(*) FROM pg_temp.differences(person)), 0::bigint,
  'as the oracle says, with 64 kB: ' || person)
  FROM unnest(ARRAY['adam','nora','tess','nora']) AS person;
SELECT is((SELECT c.value FROM pg_temp.cost(
  person, $$SELECT count(*) FROM row_of WHERE
    seeme_has_permission('models:read', project => project_id)$$) c), wanted,
    'a wide scan with 64 kB: ' || person)
  FROM (VALUES ('adam', '10000'), ('nora', '250'), ('tess', '3325'), ('adam', '10000'),
  ('stan', '0')) AS v (person, wanted);
SELECT is((SELECT c.value FROM pg_temp.cost(
  person, $$SELECT count(*) FROM row_of WHERE
    seeme_has_permission('models:read', resource => resource_id)$$) c), wanted,
    'resources with 64 kB: ' || person) FROM (VALUES ('adam', '10000'), ('nora', '250'))
    AS v (person, wanted);
SELECT is(format('%s %s', c.bulk_loads, c.value), '1 0',
  'threat: who was put into more projects than memory takes does not have them all read again '
  'after every few rows')
  FROM pg_temp.cost('adam', $$SELECT count(*) FROM row_of WHERE n <= 400
    AND seeme_has_permission('models:read', project => md5(n::text)::uuid)$$) c;
-- One call site that stays, while what it knew of is forgotten again and again
CREATE FUNCTION pg_temp.while_forgotten(person text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE held text := '';
BEGIN
  PERFORM pg_temp.become(person);
  FOR i IN 1 .. 45 LOOP
    IF seeme_has_permission('models:read', project
      => ('d1000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid)
      THEN held := held || i || ' '; END IF;
    PERFORM count(*) FROM row_of WHERE n <= 400
      AND seeme_has_permission('models:read', resource => resource_id);
    PERFORM count(*) FROM row_of WHERE n <= 400
      AND seeme_has_permission('models:read', project => md5(n::text || i)::uuid);
    IF seeme_has_permission('models:delete', project
      => ('d1000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid)
      THEN held := held || 'delete ' || i || ' '; END IF;
  END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN held;
END $$;
SELECT is(pg_temp.while_forgotten('nora'), '1 41 ', 'a call site that stays while memory goes');
SELECT ok(evictions > :was_evictions, 'memory was short') FROM seeme.cache_statistics;
SELECT ok(bytes < 256 * 1024, 'and is kept to about that') FROM seeme.cache_statistics;
RESET seeme_rbac.cache_memory;

-- Each kind of change
\set flips 'true false true'
\set what 'a membership in the project removed'
\set asked '''paul'', ''models:read'', ''project'', :alpha'
\set change 'DELETE FROM seeme.memberships WHERE user_id = :paul AND project_id = :alpha'
\i test/include/cache_change.psql
\set what 'the membership in the organization removed'
\set change 'DELETE FROM seeme.memberships WHERE user_id = :paul AND project_id IS NULL'
\i test/include/cache_change.psql
\set what 'another role'
\set change 'UPDATE seeme.memberships SET role_id = pg_temp.id(''Member'') WHERE user_id = :paul AND project_id = :alpha'
\i test/include/cache_change.psql
\set what 'a membership ended'
\set change 'UPDATE seeme.memberships SET valid_until = clock_timestamp() WHERE user_id = :paul AND project_id = :alpha'
\i test/include/cache_change.psql
\set what 'a person disabled'
\set change 'UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = :paul'
\i test/include/cache_change.psql
\set what 'a project deleted'
\set change 'DELETE FROM seeme.projects WHERE id = :alpha'
\i test/include/cache_change.psql
\set what 'an organization deleted'
\set change 'DELETE FROM seeme.organizations WHERE id = :acme'
\i test/include/cache_change.psql
\set what 'a person deleted'
\set change 'DELETE FROM seeme.users WHERE id = :paul'
\i test/include/cache_change.psql
\set what 'a database role that becomes another person''s'
\set change 'WITH u AS (UPDATE seeme.users SET database_role = NULL WHERE id = :paul RETURNING 1) SELECT count(*) FROM u'
\i test/include/cache_change.psql
\set what 'a role that loses a code'
\set asked '''ann'', ''datasets:read'', ''project'', :alpha'
\set change 'UPDATE seeme.roles SET permissions = ''{datasets:list}'' WHERE id = :annotator'
\i test/include/cache_change.psql
\set what 'a project that leaves its team'
\set asked '''tess'', ''models:update'', ''project'', :alpha'
\set change 'UPDATE seeme.projects SET team_id = NULL WHERE id = :alpha'
\i test/include/cache_change.psql
\set what 'a team deleted'
\set change 'DELETE FROM seeme.teams WHERE id = :research'
\i test/include/cache_change.psql
\set what 'a team deleted, asked about the team'
\set asked '''tess'', ''models:update'', ''team'', :research'
\i test/include/cache_change.psql
\set what 'ownership that is handed over'
\set asked '''oscar'', ''organizations:delete'', ''organization'', :globex'
\set change 'SELECT pg_temp.become(''oscar''), seeme_transfer_ownership(:globex, :gina), pg_temp.become(NULL)'
\i test/include/cache_change.psql
\set what 'a resource that is assigned no more'
\set asked '''nora'', ''models:read'', ''resource'', ''91000000-0000-4000-8000-000000000001'''
\set change 'DELETE FROM seeme.project_resources WHERE resource_id = ''91000000-0000-4000-8000-000000000001'''
\i test/include/cache_change.psql
\set flips 'false true false'
\set what 'a resource that is assigned'
\set asked '''paul'', ''models:read'', ''resource'', ''91000000-0000-4000-8000-000000000001'''
\set change 'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name) VALUES (:alpha, ''model'', ''91000000-0000-4000-8000-000000000001'', ''m'')'
\i test/include/cache_change.psql
\set what 'a membership given'
\set asked '''stan'', ''models:read'', ''organization'', :globex'
\set change 'INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (:globex, :stan, pg_temp.id(''Viewer''))'
\i test/include/cache_change.psql
\set what 'a person enabled'
\set asked '''dora'', ''models:read'', ''organization'', :acme'
\set change 'UPDATE seeme.users SET disabled_at = NULL WHERE id = :dora'
\i test/include/cache_change.psql
\set flips '22023 true 22023'
\set what 'a code registered'
\set asked '''vera'', ''telescopes:read'', ''project'', :alpha'
\set change 'INSERT INTO seeme.permissions (name) VALUES (''telescopes:read'')'
\i test/include/cache_change.psql
\set flips '22023 false 22023'
\set what 'a resource type registered'
\set asked '''vera'', ''datasets:read'', ''resource'', :alpha, ''telescope'''
\set change 'INSERT INTO seeme.resource_types (name, resource) VALUES (''telescope'', ''telescopes'')'
\i test/include/cache_change.psql

-- A key that is revoked, in the transaction that it speaks in
SELECT (seeme_create_api_key('ci', '{models:read}', user_id => :edith)).key AS key \gset
SAVEPOINT key;
SET SESSION AUTHORIZATION t_ghost;
SELECT seeme_login(:'key') \g /dev/null
CREATE FUNCTION pg_temp.keyed(code text) RETURNS boolean
  LANGUAGE plpgsql AS $$ BEGIN RETURN seeme_has_permission(
    code, project => 'd0000000-0000-4000-8000-000000000001'); END $$;
SELECT pg_temp.keyed('models:read') AS reads, pg_temp.keyed('models:update') AS updates \gset
RESET SESSION AUTHORIZATION;
UPDATE seeme.api_keys SET permissions = '{models:update}';
SELECT pg_temp.keyed('models:read') AS changed_reads,
  pg_temp.keyed('models:update') AS changed_updates \gset
UPDATE seeme.api_keys SET expires_at = clock_timestamp() + interval '0.2 s';
SELECT pg_temp.keyed('models:update') AS expiring \gset
SELECT pg_sleep(0.25) \g /dev/null
SELECT pg_temp.keyed('models:update') AS expired \gset
UPDATE seeme.api_keys SET expires_at = NULL;
SELECT pg_temp.keyed('models:update') AS lasting \gset
DELETE FROM seeme.api_keys;
SELECT pg_temp.keyed('models:update') AS revoked \gset
ROLLBACK TO key;
SELECT is(format('%s %s', :'reads', :'updates'), 't f',
  'an API key narrows what is remembered of its user');
SELECT is(format('%s %s', :'changed_reads', :'changed_updates'), 'f t',
  'what it reaches may change');
SELECT is(format('%s %s %s', :'expiring', :'expired', :'lasting'), 't f t',
  'it expires while it is remembered');
SELECT is(:'revoked'::text, 'f', 'and is revoked');
SELECT is(pg_temp.may('edith', 'models:update', 'project', :alpha), 'true',
  'its user is not narrowed by that');

-- Errors are errors when everything is warm, too
SELECT is(pg_temp.may('vera', 'models:read', 'any', :alpha), 'true',
  'a call site that asks about one scope');
SELECT is(pg_temp.may('vera', 'models:read', 'two', :alpha), '22023', 'and then about two');
SELECT is(pg_temp.may('vera', 'models:read', 'any', NULL), 'false', 'and then about none');
SELECT is(pg_temp.may('vera', NULL, 'any', :alpha), '22004', 'then for no code');
SELECT is(pg_temp.may('vera', 'modles:read', 'any', :alpha), '22023',
  'then for one that is not registered');
SELECT is(pg_temp.may('vera', 'modles:read', 'any', NULL), '22023', 'nowhere');
SELECT is(pg_temp.may('vera', 'models:read', 'any', :alpha), 'true', 'and goes on well');
SELECT is(pg_temp.may(p, 'models:read', 'two', :alpha), '22023', 'two scopes: ' || p)
  FROM unnest(ARRAY['stan', 'dora', 'ghost']) AS p;
SELECT is(format('%s %s %s', pg_temp.may(p, 'dataset_items:read', 'resource', :alpha, 'dataset'),
  pg_temp.may(p, 'dataset_items:read', 'resource', :alpha),
  pg_temp.may(p, 'dataset_items:read', 'resource', :alpha, 'nothing')), 'false 22023 22023',
  'a resource of a type that is given, missing, unknown: ' || p)
  FROM unnest(ARRAY['vera', 'dora', 'ghost']) AS p;
CREATE FUNCTION pg_temp.last_of(person text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer boolean;
BEGIN
  PERFORM pg_temp.become(person);
  FOR i IN 1 .. 2 LOOP
    answer := seeme_has_permission(
    'dataset_items:read', project => CASE i WHEN 1 THEN pg_temp.id('alpha') END,
    resource => CASE i WHEN 2 THEN pg_temp.id('alpha') END);
  END LOOP;
  RETURN answer;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.last_of(p), '22023',
  'a type is missing although the same call was asked about a project: ' || p)
  FROM unnest(ARRAY['vera', 'dora', 'ghost']) AS p;
SELECT is(format('%s %s %s', pg_temp.may(
  'nora', 'models:read', 'resource', '91000000-0000-4000-8000-000000000001'),
  pg_temp.may('nora', 'models:read', 'resource', '91000000-0000-4000-8000-000000000001', 'dataset'),
  pg_temp.may('nora', 'models:read', 'resource', '91000000-0000-4000-8000-000000000001', 'model')),
  'true false true', 'a resource under one id is another one under another type');

-- Ids
SAVEPOINT ids;
INSERT INTO seeme.organizations (id, name, slug, owner_id)
  VALUES ('00000000-0000-0000-0000-000000000000', 'Zero', 'zero', :stan);
SELECT pg_temp.may('stan', 'models:read', 'organization', '00000000-0000-0000-0000-000000000000')
  AS zero,
       concat(pg_temp.may('stan', 'models:read', 'organization', :nobody_known),
       pg_temp.may('stan', 'models:read', 'team', :nobody_known),
       pg_temp.may('stan', 'models:read', 'project', :nobody_known)) AS stan_elsewhere,
       concat(pg_temp.may('vera', 'models:read', 'project', '00000000-0000-0000-0000-000000000000'),
       pg_temp.may('stan', 'models:read', 'project', '00000000-0000-0000-0000-000000000000'),
       pg_temp.may('stan', 'models:read', 'project', :nobody_known)) AS zero_project \gset
ROLLBACK TO ids;
SELECT is(:'zero'::text, 'true',
  'the owner of the organization with the id of all zeroes holds everything there');
SELECT is(:'stan_elsewhere'::text, 'falsefalsefalse',
  'threat: and nothing in organizations, teams and projects that do not exist');
SELECT is(:'zero_project'::text, 'falsefalsefalse',
  'threat: nor in a project without an id, nor after somebody else asked');
CREATE TEMP TABLE alike AS
  SELECT DISTINCT id FROM (
    SELECT overlay('d2000000-0000-4000-8000-000000000000' PLACING lpad(to_hex(n), 4, '0')
      FROM at)::uuid AS id, n FROM generate_series(0, 249) AS n,
      unnest(ARRAY[5, 10, 20, 25, 33]) AS at) AS a;
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug) SELECT id, :acme,
  CASE WHEN get_byte(uuid_send(id), 15) % 2 = 0 THEN :research::uuid END, id, id FROM alike;
GRANT SELECT ON alike TO PUBLIC;
SELECT is(c.value, n::text, 'ids that are much alike are told apart')
  FROM (SELECT count(*) AS n FROM seeme.projects p JOIN alike USING (id)
  WHERE p.team_id = :research) AS r, pg_temp.cost(
  'tess', $$SELECT count(*) FROM alike WHERE seeme_has_permission('models:update', project => id)$$)
  c;
DELETE FROM seeme.projects WHERE id IN (SELECT id FROM alike);

-- A resource in several projects, too many for a list to be read whole: never decided by a part of
-- its projects
SAVEPOINT many;
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES ('e1000000-0000-4000-8000-000000000001', :acme, 'Reads models', '{models:read}'),
    ('e1000000-0000-4000-8000-000000000002', :acme, 'Updates models', '{models:update}');
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :alpha, :mike, 'e1000000-0000-4000-8000-000000000001'),
    (:acme, :beta, :mike, 'e1000000-0000-4000-8000-000000000002');
UPDATE seeme.memberships SET role_id = NULL WHERE user_id = :mike AND project_id IS NULL;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  SELECT p, 'model', ('92000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    'm' FROM generate_series(1, 2600) AS n, unnest(ARRAY[:alpha, :beta]::uuid[]) AS p;
CREATE TABLE t_models AS SELECT n, ('92000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
  AS id FROM generate_series(1, 2600) AS n;
GRANT SELECT ON t_models TO PUBLIC;
SELECT (pg_temp.cost('mike', $$SELECT string_agg(may || ':' || n, ' ')
    FROM (SELECT 'read' AS may, count(*) AS n FROM t_models WHERE n = 2590
    AND seeme_has_permission('models:read', resource => id)
  UNION ALL SELECT 'update', count(*) FROM t_models WHERE n = 2590
  AND seeme_has_permission('models:update', resource => id)) AS a$$)).value AS both_rights \gset
ROLLBACK TO many;
SELECT is(:'both_rights'::text, 'read:1 update:1',
  'a resource in two projects has what both give, also when planning gave up counting such');

-- Dates that pass while everything is warm
CREATE FUNCTION pg_temp.two_sites(person text, early uuid, late uuid) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE answers text := ''; asked uuid;
BEGIN
  PERFORM pg_temp.become(person);
  FOR i IN 1 .. 3 LOOP
    asked := CASE i WHEN 1 THEN early ELSE late END;
    IF i = 2 THEN
      answers := answers || seeme_has_permission('models:read', project => asked) || ' ';
      PERFORM pg_sleep(0.35);
    ELSE
      answers := answers || seeme_has_permission('models:read', project => asked) || ' ';
    END IF;
  END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN answers;
END $$;
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:acme, :gina, pg_temp.id('Viewer'));
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer'),
  valid_until = clock_timestamp() + interval '0.3 s' WHERE user_id = :gina
  AND organization_id = :globex;
SELECT is(pg_temp.two_sites('gina', :alpha, :delta), 'true true false ',
  'a date that one call site has read ends what another one answers');
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '0.3 s'
  WHERE user_id = :vera;
UPDATE seeme.memberships SET valid_from = clock_timestamp() + interval '0.3 s'
  WHERE user_id = :cora;
UPDATE seeme.users SET disabled_at = clock_timestamp() + interval '0.3 s' WHERE id = :mike;
SELECT concat_ws(' ', pg_temp.may('vera', 'models:read', 'project', :alpha),
  pg_temp.may('cora', 'models:read', 'project', :alpha),
  pg_temp.may('mike', 'teams:read', 'organization', :acme)) AS before,
       (pg_temp.cost('vera', $$SELECT count(*) FROM row_of
         WHERE seeme_has_permission('models:read', project => project_id)$$)).value AS rows_before,
       pg_sleep(0.35),
       concat_ws(' ', pg_temp.may('vera', 'models:read', 'project', :alpha),
       pg_temp.may('cora', 'models:read', 'project', :alpha),
       pg_temp.may('mike', 'teams:read', 'organization', :acme)) AS after,
       (pg_temp.cost('vera', $$SELECT count(*) FROM row_of
         WHERE seeme_has_permission('models:read', project => project_id)$$)).value AS rows_after
         \gset
SELECT is(:'before'::text, 'true false true',
  'a membership that ends, one that begins, an account that ends: before');
SELECT is(:'after'::text, 'false true false', 'and after, in the same statement');
SELECT is(format('%s %s', :rows_before, :rows_after), '10000 0', 'also after a bulk load');
UPDATE seeme.memberships SET valid_until = NULL,
  valid_from = NULL WHERE user_id IN (:vera, :cora, :gina);
UPDATE seeme.users SET disabled_at = NULL WHERE id = :mike;

-- Statements that change rights and ask meanwhile
SELECT pg_temp.may('paul', 'models:read', 'project', :alpha) \g /dev/null
CREATE FUNCTION pg_temp.take_and_give(n integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answers text := '';
BEGIN
  FOR i IN 1 .. n LOOP
    DELETE FROM seeme.memberships WHERE user_id = pg_temp.id('paul') AND project_id IS NOT NULL;
    answers := answers || left(
    pg_temp.may('paul', 'models:read', 'project', pg_temp.id('alpha')), 1);
    INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
      VALUES (pg_temp.id('acme'), pg_temp.id('alpha'), pg_temp.id('paul'), pg_temp.id('Viewer'));
    answers := answers || left(
    pg_temp.may('paul', 'models:read', 'project', pg_temp.id('alpha')), 1);
    BEGIN
      UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = pg_temp.id('paul');
      answers := answers || left(
      pg_temp.may('paul', 'models:read', 'project', pg_temp.id('alpha')), 1);
      RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
    END;
    answers := answers || left(
    pg_temp.may('paul', 'models:read', 'project', pg_temp.id('alpha')), 1) || ' ';
  END LOOP;
  RETURN answers;
END $$;
SELECT is(pg_temp.take_and_give(4), 'ftft ftft ftft ftft ',
  'a function that takes, gives and undoes, asking by the same expression all the while');
SELECT is(pg_temp.may('paul', 'models:read', 'project', :alpha), 'true', 'and the next statement');
SELECT ok(bypasses > 0, 'such checks go past the cache') FROM seeme.cache_statistics;

CREATE TEMP TABLE meanwhile (step text, remembered text, really text);
WITH gone AS (DELETE FROM seeme.memberships WHERE user_id IN (:paul, :vera, :edith)
  AND role_id IS NOT NULL RETURNING user_id),
     asked AS (SELECT 'a deleting WITH' AS step,
     pg_temp.may(u.username, 'models:read', 'project', :alpha) AS remembered,
     pg_temp.really(u.username, 'models:read', 'project', :alpha) AS really
                 FROM gone g JOIN seeme.users u ON u.id = g.user_id)
INSERT INTO meanwhile SELECT * FROM asked;
INSERT INTO meanwhile SELECT 'after it', pg_temp.may(p, 'models:read', 'project', :alpha),
  pg_temp.really(p, 'models:read', 'project', :alpha)
  FROM unnest(ARRAY['paul', 'vera', 'edith']) AS p;
WITH made AS (INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT :acme, :alpha, id, pg_temp.id('Viewer') FROM seeme.users
    WHERE username IN ('paul', 'nora', 'stan', 'mike') AND id <> :stan
                RETURNING user_id, pg_temp.may(
                (SELECT username FROM seeme.users WHERE id = user_id), 'models:read', 'project',
                :alpha) AS remembered, pg_temp.really(
                (SELECT username FROM seeme.users WHERE id = user_id), 'models:read', 'project',
                :alpha) AS really)
INSERT INTO meanwhile SELECT 'RETURNING', remembered, really FROM made;
INSERT INTO meanwhile SELECT 'after that', pg_temp.may(p, 'models:read', 'project', :alpha),
  pg_temp.really(p, 'models:read', 'project', :alpha)
  FROM unnest(ARRAY['paul', 'nora', 'mike']) AS p;
SELECT is((SELECT count(*) FROM meanwhile WHERE remembered IS DISTINCT FROM really), 0::bigint,
  'whatever the moment, the answer is that of the tables');
SELECT is((SELECT string_agg(step || ' ' || n, ', ' ORDER BY step)
  FROM (SELECT step, count(*) AS n FROM meanwhile GROUP BY step) AS s),
  'RETURNING 3, a deleting WITH 3, after it 3, after that 3', 'at all these moments');
SELECT is((SELECT string_agg(remembered, ' ' ORDER BY remembered) FROM meanwhile
  WHERE step IN ('after it', 'after that')), 'false false false true true true',
  'and afterwards it is as changed');

-- Between what tells of a change and the row's being written somebody may ask, and the answer is no
-- longer true when the row is there
SAVEPOINT between;
CREATE FUNCTION pg_temp.ask_between() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.may('paul', 'models:read', 'project', pg_temp.id('alpha'));
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER zz_ask BEFORE INSERT OR UPDATE OR DELETE ON seeme.memberships FOR EACH ROW
  EXECUTE FUNCTION pg_temp.ask_between();
DELETE FROM seeme.memberships WHERE user_id = :paul AND project_id IS NOT NULL;
CREATE TEMP TABLE between_rows AS SELECT * FROM meanwhile WITH NO DATA;
WITH made AS (INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :alpha, :paul, pg_temp.id('Viewer'))
                RETURNING pg_temp.may('paul', 'models:read', 'project', :alpha) AS remembered,
                pg_temp.really('paul', 'models:read', 'project', :alpha) AS really)
INSERT INTO between_rows SELECT 'insert', remembered, really FROM made;
WITH gone AS (DELETE FROM seeme.memberships WHERE user_id = :paul AND project_id IS NOT NULL
                RETURNING pg_temp.may('paul', 'models:read', 'project', :alpha) AS remembered,
                pg_temp.really('paul', 'models:read', 'project', :alpha) AS really)
INSERT INTO between_rows SELECT 'delete', remembered, really FROM gone;
SELECT string_agg(step || ' ' || remembered || ' ' || really, ', ' ORDER BY step) AS between_rows
  FROM between_rows \gset
ROLLBACK TO between;
SELECT is(:'between_rows'::text, 'delete false false, insert true true',
  'what is asked before a row is written is not answered to whoever asks after it');

-- A query that is open while rights change: its rows are decided as they are fetched
CREATE TABLE t_paper AS SELECT n, CASE n % 2 WHEN 0 THEN :alpha::uuid ELSE :beta::uuid
  END AS project_id FROM generate_series(1, 40) AS n;
GRANT SELECT ON t_paper TO PUBLIC;
SELECT pg_temp.become('nora') \g /dev/null
DECLARE c CURSOR FOR SELECT n, seeme_has_permission('models:read', project => project_id) AS may
  FROM t_paper;
MOVE 1 IN c;
FETCH 1 FROM c \gset had_
SELECT pg_temp.become(NULL) \g /dev/null
SAVEPOINT open;
DELETE FROM seeme.memberships WHERE user_id = :nora AND project_id = :alpha;
MOVE 1 IN c;
FETCH 1 FROM c \gset revoked_
ROLLBACK TO open;
SELECT format('%s %s %s', :'had_may', :'revoked_may', :'revoked_n') AS fetched \gset
SELECT pg_temp.become('nora') \g /dev/null
FETCH 2 FROM c \g /dev/null
FETCH 1 FROM c \gset back_
CLOSE c;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(:'fetched'::text, 't f 4', 'a cursor that was open before a right was taken');
SELECT is(:'back_may'::text, (CASE WHEN :back_n % 2 = 0 THEN 't' ELSE 'f' END),
  'and after that was undone');

-- Savepoints, one in another
CREATE FUNCTION pg_temp.three() RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', pg_temp.may('cora', 'models:read', 'project', pg_temp.id('alpha')),
    pg_temp.may('cora', 'models:read', 'project', pg_temp.id('beta')),
    pg_temp.may('cora', 'models:read', 'project', pg_temp.id('gamma'))) $$;
UPDATE seeme.memberships SET role_id = NULL WHERE user_id = :cora;
SELECT pg_temp.three() AS s0 \gset
SAVEPOINT one;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :alpha, :cora, pg_temp.id('Viewer'));
SELECT pg_temp.three() AS s1 \gset
SAVEPOINT two;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :beta, :cora, pg_temp.id('Viewer'));
SELECT pg_temp.three() AS s2 \gset
SAVEPOINT three;
DELETE FROM seeme.memberships WHERE user_id = :cora AND project_id = :alpha;
SELECT pg_temp.three() AS s3 \gset
RELEASE three;
SELECT pg_temp.three() AS s4 \gset
ROLLBACK TO two;
SELECT pg_temp.three() AS s5 \gset
ROLLBACK TO one;
SELECT pg_temp.three() AS s6 \gset
SELECT is(:'s0'::text, 'false false false', 'no right');
SELECT is(:'s1'::text, 'true false false', 'a savepoint: one is given');
SELECT is(:'s2'::text, 'true true false', 'one within: a second');
SELECT is(:'s3'::text, 'false true false', 'one within that: the first is taken');
SELECT is(:'s4'::text, 'false true false', 'which is released');
SELECT is(:'s5'::text, 'true false false', 'and undone with the one around it');
SELECT is(:'s6'::text, 'false false false', 'all undone');

-- One plan, one function, one prepared statement, for everybody in turn
PREPARE t_seen (text) AS SELECT count(*) AS n FROM row_of
  WHERE seeme_has_permission($1, project => project_id);
CREATE TEMP TABLE in_turn (mode text, person text, n text, wanted text);
CREATE FUNCTION pg_temp.seen() RETURNS bigint
  LANGUAGE plpgsql AS $$ BEGIN RETURN (
    SELECT count(*) FROM row_of WHERE seeme_has_permission('models:read', project => project_id));
      END $$;
CREATE FUNCTION pg_temp.take_turns(this_mode text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE p record;
BEGIN
  FOR p IN SELECT * FROM generate_series(1, 4) AS i,
    (VALUES ('nora', '250'), ('adam', '10000'), ('ghost', '0'), ('tess', '3325'), ('stan', '0'),
    ('nora', '250')) AS v (person, wanted) LOOP
    INSERT INTO in_turn SELECT this_mode, p.person,
      (pg_temp.cost(p.person, $q$EXECUTE t_seen ('models:read')$q$)).value, p.wanted;
    INSERT INTO in_turn SELECT this_mode, p.person,
      (pg_temp.cost(p.person, 'SELECT pg_temp.seen()')).value, p.wanted;
  END LOOP;
END $$;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT pg_temp.take_turns('generic') \g /dev/null
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT pg_temp.take_turns('custom') \g /dev/null
SET LOCAL plan_cache_mode = auto;
SELECT pg_temp.take_turns('auto') \g /dev/null
SELECT is((SELECT count(*) FROM in_turn WHERE n IS DISTINCT FROM wanted), 0::bigint,
  'whose turn it is, their rows');
SELECT is((SELECT count(*) FROM in_turn), 144::bigint, 'all of them');
DEALLOCATE t_seen;

-- Not to be worked out again and again
DELETE FROM seeme.projects WHERE id::text LIKE 'd1%';

-- At random: a change, then what several people may do, against plain SQL. Statements of their own,
-- for within one that changes rights nothing is remembered.
CREATE TEMP TABLE asked_code AS SELECT * FROM
  unnest(ARRAY['models:read','models:update','datasets:delete','projects:update',
  'organizations:manage_members','annotations:create','roles:list']) AS c (code);
GRANT SELECT ON asked_code TO PUBLIC;
CREATE TEMP TABLE asked_scope AS SELECT * FROM pg_temp.scope;
GRANT SELECT ON asked_scope TO PUBLIC;
CREATE TEMP TABLE difference (step integer, person text, what text);
CREATE TEMP TABLE changed (step integer, what text);

CREATE FUNCTION pg_temp.all_of(person text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE held text[];
BEGIN
  PERFORM pg_temp.become(person);
  SELECT array_agg(s.id || c.code ORDER BY s.id || c.code) INTO held FROM pg_temp.asked_scope s,
    pg_temp.asked_code c
   WHERE CASE s.level WHEN 'organization' THEN seeme_has_permission(c.code, organization => s.id)
   WHEN 'team' THEN seeme_has_permission(c.code, team => s.id)
   ELSE seeme_has_permission(c.code, project => s.id) END;
  PERFORM pg_temp.become(NULL);
  RETURN held;
END $$;
-- By call sites that stay from step to step
CREATE FUNCTION pg_temp.one_by_one(person text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE held text[]; s record; may boolean;
BEGIN
  PERFORM pg_temp.become(person);
  FOR s IN SELECT a.level, a.id, c.code FROM pg_temp.asked_scope a,
    pg_temp.asked_code c ORDER BY a.id || c.code LOOP
    IF s.level = 'organization' THEN may := seeme_has_permission(s.code, organization => s.id);
    ELSIF s.level = 'team' THEN may := seeme_has_permission(s.code, team => s.id);
    ELSE may := seeme_has_permission(s.code, project => s.id);
    END IF;
    IF may THEN held := held || (s.id || s.code); END IF;
  END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN held;
END $$;
CREATE FUNCTION pg_temp.listed(person text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE held text[];
BEGIN
  PERFORM pg_temp.become(person);
  SELECT array_agg(i || c.code ORDER BY i || c.code) INTO held FROM pg_temp.asked_code c,
    unnest(seeme_permitted_organizations(c.code) || seeme_permitted_teams(c.code)
    || seeme_permitted_projects(c.code)) AS i
   WHERE i IN (SELECT id FROM pg_temp.asked_scope);
  PERFORM pg_temp.become(NULL);
  RETURN held;
END $$;
CREATE FUNCTION pg_temp.should(who text) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(h.scope_id || h.code ORDER BY h.scope_id || h.code) FROM pg_temp.held(who) h
    WHERE h.code IN (SELECT code FROM pg_temp.asked_code)
    AND h.scope_id IN (SELECT id FROM pg_temp.asked_scope) $$;
CREATE FUNCTION pg_temp.compare(this_step integer, who text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE before text[]; after text[]; was text[]; form text;
BEGIN
  FOREACH form IN ARRAY ARRAY['query', 'expressions', 'lists'] LOOP
    LOOP -- a date may pass between
      before := pg_temp.should(who);
      was := CASE form WHEN 'query' THEN pg_temp.all_of(who) WHEN 'expressions'
      THEN pg_temp.one_by_one(who) ELSE pg_temp.listed(who) END;
      after := pg_temp.should(who);
      EXIT WHEN before IS NOT DISTINCT FROM after;
    END LOOP;
    IF was IS DISTINCT FROM before THEN
      INSERT INTO difference VALUES (
        this_step, who, form || ': ' || (
        SELECT count(*) FROM (SELECT unnest(was) EXCEPT SELECT unnest(before)) AS a)
          || ' too many, ' || (
          SELECT count(*) FROM (SELECT unnest(before) EXCEPT SELECT unnest(was)) AS a)
            || ' too few');
    END IF;
  END LOOP;
END $$;
CREATE FUNCTION pg_temp.one_of(things text[]) RETURNS text
  LANGUAGE sql VOLATILE AS $$ SELECT things[1 + floor(random() * cardinality(things))::integer] $$;
CREATE FUNCTION pg_temp.any_membership() RETURNS uuid
  LANGUAGE sql VOLATILE AS $$ SELECT id FROM seeme.memberships WHERE role_id IS DISTINCT
    FROM pg_temp.id('Owner') ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION pg_temp.change(this_step integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  kind integer := floor(random() * 16);
  person uuid := pg_temp.id(pg_temp.one_of('{nora,tess,paul,ann,gina,cora,mike,stan}'));
  role uuid := pg_temp.id(pg_temp.one_of('{Viewer,Editor,Admin,Member,Contributor,annotator}'));
  container record;
  what text;
  n integer;
BEGIN
  SELECT * INTO container FROM pg_temp.asked_scope s
    WHERE EXISTS (SELECT FROM pg_temp.scope x WHERE x.id = s.id) ORDER BY random() LIMIT 1;
  IF kind < 5 THEN
    what := 'a membership in a ' || container.level || ' is given';
    INSERT INTO seeme.memberships (organization_id, team_id, project_id, user_id, role_id)
      VALUES (container.organization_id, CASE container.level WHEN 'team' THEN container.id END,
        CASE container.level WHEN 'project' THEN container.id END, person, role)
        ON CONFLICT DO NOTHING;
  ELSIF kind < 8 THEN
    what := 'a membership is taken';
    DELETE FROM seeme.memberships WHERE id = pg_temp.any_membership();
  ELSIF kind = 8 THEN
    what := 'another role';
    UPDATE seeme.memberships SET role_id = role WHERE id = pg_temp.any_membership();
  ELSIF kind = 9 THEN
    what := 'what a role holds';
    UPDATE seeme.roles SET permissions
      = ARRAY[pg_temp.one_of('{models:read,models:*,*:read,projects:update}'),
      pg_temp.one_of('{annotations:create,datasets:delete,*:list}')]
      WHERE id = pg_temp.id('annotator');
  ELSIF kind = 10 THEN
    what := 'a project goes to another team';
    UPDATE seeme.projects SET team_id = pg_temp.id(pg_temp.one_of('{research,sales,nothing}'))
      WHERE id = pg_temp.id(pg_temp.one_of('{alpha,beta,gamma}'));
  ELSIF kind < 13 THEN
    what := 'a membership gets dates';
    UPDATE seeme.memberships SET valid_from = CASE WHEN random() < 0.3
      THEN clock_timestamp() + random() * interval '30 ms' END,
      valid_until = CASE WHEN random() < 0.5 THEN clock_timestamp() + interval '40 ms' + random() *
      interval '30 ms' END
     WHERE id = pg_temp.any_membership();
  ELSIF kind = 13 THEN
    what := 'an account is disabled, or not';
    UPDATE seeme.users SET disabled_at = CASE WHEN random() < 0.4
      THEN clock_timestamp() + (random() - 0.5) * interval '60 ms' END WHERE id = person;
  ELSIF kind = 14 THEN
    what := 'another owner';
    UPDATE seeme.memberships SET valid_from = NULL,
      valid_until = NULL WHERE user_id = person AND organization_id = pg_temp.id('globex');
    PERFORM pg_temp.become((SELECT u.username FROM seeme.organizations o
      JOIN seeme.users u ON u.id = o.owner_id WHERE o.id = pg_temp.id('globex')));
    PERFORM seeme_transfer_ownership(pg_temp.id('globex'), person);
    PERFORM pg_temp.become(NULL);
  ELSE
    what := 'a project is made or deleted';
    DELETE FROM seeme.projects WHERE name = 'New';
    IF NOT FOUND THEN
      INSERT INTO seeme.projects (organization_id, team_id, name)
        VALUES (pg_temp.id('acme'), pg_temp.id(pg_temp.one_of('{research,nothing}')), 'New');
    END IF;
    DELETE FROM pg_temp.asked_scope WHERE name = 'new';
    INSERT INTO pg_temp.asked_scope SELECT * FROM pg_temp.scope WHERE name = 'new';
  END IF;
  INSERT INTO changed VALUES (this_step, what);
EXCEPTION WHEN OTHERS THEN
  PERFORM pg_temp.become(NULL); -- what rules forbid is not done
END $$;
SELECT setseed(0.4711) \g /dev/null
SET seeme_rbac.cache_memory = '16MB';
\o /dev/null
SELECT statement
  FROM generate_series(1, 210) AS step,
       LATERAL unnest(ARRAY['nora', 'tess', 'paul', 'ann', 'gina', 'cora', 'mike', 'stan'])
       WITH ORDINALITY AS p (person, which),
       LATERAL unnest(ARRAY[
         CASE WHEN which = 1 AND step % 7 = 0 THEN 'SAVEPOINT random' END,
         CASE WHEN which = 1 THEN format('SELECT pg_temp.change(%s)', step) END,
         CASE WHEN (which + step) % 4 = 0 THEN
         format('SELECT pg_temp.compare(%s, %L)', step, person) END,
         CASE WHEN which = 8 AND step % 7 = 0 THEN 'ROLLBACK TO random' END,
         CASE WHEN which = 8 AND step % 7 = 0
         THEN format('SELECT pg_temp.compare(%s, %L)', step, 'nora') END,
         CASE WHEN which = 8 AND step = 100 THEN 'SET seeme_rbac.cache_memory = ''64kB''' END,
         CASE WHEN which = 8 AND step = 150 THEN 'RESET seeme_rbac.cache_memory' END])
         WITH ORDINALITY AS s (statement, nth)
 WHERE statement IS NOT NULL
 ORDER BY step, which, nth \gexec
\o
SELECT is((SELECT array_agg(format('step %s (%s): %s %s', d.step, c.what, d.person, d.what))
  FROM difference d LEFT JOIN changed c USING (step)), NULL,
  'after each of many changes at random, everybody may what plain SQL says');
SELECT ok((SELECT count(*) FROM changed) > 120 AND (SELECT count(DISTINCT what) FROM changed) >= 10,
  'they were many, and of all kinds');

-- Nothing of the table that stands for changes is ever needed
SELECT is((SELECT count(*) FROM seeme.changes_of_places) +
  (SELECT count(*) FROM seeme.changes_of_rights) +
  (SELECT count(*) FROM seeme.changes_of_vocabulary) +
  (SELECT count(*) FROM seeme.changes_of_assignments), 0::bigint,
  'the tables that stand for changes are empty');
SELECT is((SELECT array_agg(t.tgrelid::regclass::text ORDER BY 1) FROM pg_trigger t
  WHERE t.tgfoid = 'seeme.send_invalidation'::regproc
  AND (t.tgenabled <> 'A' OR t.tgtype & 1 = 0 AND t.tgtype & 32 = 0)), NULL,
  'what tells of changes fires always, and for each row: logical replication fires nothing else');
SELECT is((SELECT array_agg(DISTINCT t.tgrelid::regclass::text ORDER BY t.tgrelid::regclass::text)
  FROM pg_trigger t WHERE t.tgfoid = 'seeme.send_invalidation'::regproc),
  '{seeme.api_keys,seeme.external_identities,seeme.memberships,seeme.organizations,'
  'seeme.permissions,seeme.project_resources,seeme.projects,seeme.resource_types,seeme.roles,'
  'seeme.teams,seeme.users}', 'on every table that decisions are made from');

SELECT * FROM finish();
ROLLBACK;
