\i test/include/prelude.psql
-- Of whom a change makes a session forget, and what is remembered of places, whoever asks
-- (src/cache/preload.c). The answers are compared with seeme_user_has_permission(), which always
-- reads the tables, and with plain SQL.
BEGIN;
SET LOCAL client_min_messages = warning;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(184);

-- Of whom a change makes this session forget
CREATE TEMP TABLE person (name text);
INSERT INTO person SELECT unnest(
  ARRAY['olga','adam','edith','cora','vera','mike','nora','dora','tess','paul','ann','oscar','gina',
  'stan']);
CREATE TEMP TABLE asked (step integer, name text, answer boolean, probes bigint, wanted boolean);
-- A query of its own: what it gives, and for how many checks it read tables
CREATE FUNCTION pg_temp.cost(person text, statement text, OUT value text, OUT probes bigint)
  LANGUAGE plpgsql AS $$
DECLARE was bigint := (SELECT s.probes FROM seeme.cache_statistics s);
BEGIN
  PERFORM pg_temp.become(person);
  EXECUTE statement INTO value;
  PERFORM pg_temp.become(NULL);
  probes := (SELECT s.probes FROM seeme.cache_statistics s) - was;
END $$;
CREATE FUNCTION pg_temp.ask(step integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO pg_temp.asked SELECT step, p.name, c.value::boolean, c.probes,
    pg_temp.holds(p.name, 'models:read', pg_temp.id('alpha'))
    FROM pg_temp.person p, LATERAL pg_temp.cost(
    p.name, 'SELECT seeme_has_permission(''models:read'', project '
            '=> ''d0000000-0000-4000-8000-000000000001'')') c $$;
-- Everybody's answers: the first letters of those who may, then how many had to be read
CREATE FUNCTION pg_temp.everybody() RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', string_agg(p.name, ' ' ORDER BY p.name) FILTER (WHERE c.value = 'true'),
    sum(c.probes))
    FROM pg_temp.person p, LATERAL pg_temp.cost(
    p.name, 'SELECT seeme_has_permission(''models:read'', project '
            '=> ''d0000000-0000-4000-8000-000000000001'')') c $$;
SELECT pg_temp.ask(0) \g /dev/null
SELECT is((SELECT count(*) FROM asked WHERE probes = 1), 14::bigint,
  'the first check of each of 14 people reads tables');
SELECT is(pg_temp.everybody(), 'adam cora edith olga paul tess vera 0', 'and no other one');
CREATE TEMP TABLE step (n integer GENERATED ALWAYS AS IDENTITY, what text, changed text[],
  answer boolean, statement text);
INSERT INTO step (what, changed, answer, statement) VALUES
  ('a membership in the project given', '{mike}', true,
  'INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES ({acme}, '
  '{alpha}, {mike}, {Viewer})'),
  ('its role taken', '{mike}', false,
  'UPDATE seeme.memberships SET role_id = NULL WHERE user_id = {mike} AND project_id = {alpha}'),
  ('another role given', '{mike}', true,
  'UPDATE seeme.memberships SET role_id = {Editor} WHERE user_id = {mike} AND project_id = '
  '{alpha}'),
  ('a membership that begins later', '{mike}', false,
  'UPDATE seeme.memberships SET valid_from = clock_timestamp() + interval ''1 hour'' WHERE user_id '
  '= {mike} AND project_id = {alpha}'),
  ('one that has begun', '{mike}', true,
  'UPDATE seeme.memberships SET valid_from = clock_timestamp() - interval ''1 hour'' WHERE user_id '
  '= {mike} AND project_id = {alpha}'),
  ('one that has ended', '{mike}', false,
  'UPDATE seeme.memberships SET valid_until = clock_timestamp() WHERE user_id = {mike} AND '
  'project_id = {alpha}'),
  ('one that ends later', '{mike}', true,
  'UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval ''1 hour'' WHERE '
  'user_id = {mike} AND project_id = {alpha}'),
  ('a membership in the project taken', '{mike}', false,
  'DELETE FROM seeme.memberships WHERE user_id = {mike} AND project_id = {alpha}'),
  ('a membership in the team taken', '{tess}', false,
  'DELETE FROM seeme.memberships WHERE user_id = {tess} AND team_id = {research}'),
  ('a membership in the team given', '{nora}', true,
  'INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id) VALUES ({acme}, '
  '{research}, {nora}, {Viewer})'),
  ('the membership in the organization taken', '{paul}', false,
  'DELETE FROM seeme.memberships WHERE user_id = {paul} AND team_id IS NULL AND project_id IS '
  'NULL'),
  ('a membership in the organization given', '{stan}', true,
  'INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({acme}, {stan}, '
  '{Viewer})'),
  ('the same in an organization where nobody is asked about', '{stan}', true,
  'INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({globex}, {stan}, '
  '{Viewer})'),
  ('a person disabled', '{vera}', false,
  'UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = {vera}'),
  ('a person enabled', '{vera}', true,
  'UPDATE seeme.users SET disabled_at = NULL WHERE id = {vera}'),
  ('a person who will be disabled later', '{vera}', true,
  'UPDATE seeme.users SET disabled_at = clock_timestamp() + interval ''1 hour'' WHERE id = {vera}'),
  ('somebody enabled who was disabled all the time', '{dora}', true,
  'UPDATE seeme.users SET disabled_at = NULL WHERE id = {dora}'),
  ('the owner disabled', '{olga}', false,
  'UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = {olga}'),
  ('the owner enabled', '{olga}', true,
  'UPDATE seeme.users SET disabled_at = NULL WHERE id = {olga}'),
  ('two people in one statement', '{adam,edith}', false,
  'UPDATE seeme.memberships SET role_id = {Member} WHERE user_id IN ({adam}, {edith})'),
  ('two people given back what they had', '{adam,edith}', true,
  'UPDATE seeme.memberships SET role_id = {Admin} WHERE user_id IN ({adam}, {edith})'),
  ('a person deleted', '{cora}', false, 'DELETE FROM seeme.users WHERE id = {cora}'),
  ('a person created', '{}', NULL,
  'INSERT INTO seeme.users (id, username, email, database_role) VALUES '
  '({cora}, ''cora'', ''cora@example.com'', ''t_cora'')'),
  ('a membership of theirs', '{cora}', true,
  'INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({acme}, {cora}, '
  '{Viewer})'),
  ('what logical replication changes', '{cora}', false,
  'SET LOCAL session_replication_role = replica; UPDATE seeme.memberships SET role_id = NULL WHERE '
  'user_id = {cora}; SET LOCAL session_replication_role = origin'),
  ('a membership that is now another person''s', '{nora,gina}', NULL,
  'SET LOCAL session_replication_role = replica; UPDATE seeme.memberships SET user_id = {gina} '
  'WHERE user_id = {nora} AND organization_id = {acme}; SET LOCAL session_replication_role = '
  'origin'),
  ('a role that loses a code', NULL, false,
  'UPDATE seeme.roles SET permissions = ''{datasets:list}'' WHERE id = {annotator}'),
  ('a project that goes to another team', NULL, NULL,
  'UPDATE seeme.projects SET team_id = {sales} WHERE id = {alpha}'),
  ('a project that comes back', NULL, NULL,
  'UPDATE seeme.projects SET team_id = {research} WHERE id = {alpha}'),
  ('a code registered', NULL, NULL,
  'INSERT INTO seeme.permissions (name) VALUES (''telescopes:read'')');
SELECT s FROM step, LATERAL unnest(
  ARRAY[pg_temp.fill(statement), format('SELECT pg_temp.ask(%s)', n)]) WITH ORDINALITY AS u (s, nth)
  ORDER BY n, nth \o /dev/null \gexec
\o
SELECT is((SELECT array_agg(a.name) FROM asked a WHERE a.step = s.n AND a.answer IS DISTINCT
  FROM a.wanted), NULL, s.what || ': everybody may what they may') FROM step s ORDER BY n;
SELECT is((SELECT string_agg(DISTINCT a.answer::text, ' ') FROM asked a WHERE a.step = s.n
  AND a.name = ANY (s.changed)), s.answer::text, s.what || ': it is another answer') FROM step s
  WHERE answer IS NOT NULL AND changed IS NOT NULL ORDER BY n;
SELECT is((SELECT string_agg(a.name || ' ' || a.probes, ' ' ORDER BY a.name) FROM asked a
  WHERE a.step = s.n AND a.name = ANY (s.changed)),
  (SELECT string_agg(c || ' 1', ' ' ORDER BY c) FROM unnest(s.changed) AS c),
  s.what || ': they were forgotten')
  FROM step s WHERE changed <> '{}' AND what <> 'a person deleted' ORDER BY n;
SELECT ok((SELECT sum(a.probes) <= cardinality(s.changed) FROM asked a WHERE a.step = s.n
  AND a.name <> ALL (s.changed)),
  s.what || ': and nobody else (one of two people could lie in one group)') FROM step s
  WHERE changed <> '{}' ORDER BY n;
SELECT is((SELECT count(*) FROM asked a WHERE a.step = s.n AND a.probes = 1), 14::bigint,
  s.what || ': everybody was forgotten') FROM step s WHERE changed IS NULL ORDER BY n;
SELECT is(pg_temp.try(NULL, 'UPDATE seeme.memberships SET user_id = {paul} WHERE user_id = {gina}'),
  '23514', 'what is no replication gives no membership to another person');

-- TRUNCATE
CREATE ROLE t_bypassing LOGIN BYPASSRLS IN ROLE t_app;
GRANT TRUNCATE ON seeme.memberships TO t_ghost, t_bypassing;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.try('ghost', 'TRUNCATE seeme.memberships'), '42501',
  'threat: who is under row security truncates no memberships, whatever was granted');
SELECT is(pg_temp.try('bypassing', 'TRUNCATE seeme.memberships'), '0 rows',
  'who bypasses row security may');
SELECT pg_temp.everybody() AS before \gset t_
SAVEPOINT truncated;
TRUNCATE seeme.memberships;
SELECT pg_temp.everybody() AS truncated \gset t_
SELECT pg_temp.everybody() AS again \gset t_
ROLLBACK TO truncated;
SELECT pg_temp.everybody() AS undone \gset t_
SET LOCAL session_replication_role = replica;
TRUNCATE seeme.memberships;
SET LOCAL session_replication_role = origin;
SELECT pg_temp.everybody() AS replicated \gset t_
ROLLBACK TO truncated;
SELECT pg_temp.everybody() AS undone_too \gset t_
TRUNCATE seeme.organizations CASCADE;
SELECT pg_temp.everybody() AS of_places \gset t_
ROLLBACK TO truncated;
SELECT pg_temp.everybody() AS undone_all \gset t_
SELECT is(:'t_truncated'::text, 'olga 14',
  'TRUNCATE of the memberships makes this session forget everybody; the owner alone is left');
SELECT is(:'t_again'::text, 'olga 0', 'which is remembered, too');
SELECT is(:'t_replicated'::text, 'olga 14', 'so does one that is replicated');
SELECT is(:'t_of_places'::text, '14', 'one of all organizations leaves nobody anything');
SELECT is(regexp_replace(u, ' [0-9]+$', ''), regexp_replace(:'t_before', ' [0-9]+$', ''),
  'undone, everybody may what they might before')
  FROM unnest(ARRAY[:'t_undone', :'t_undone_too', :'t_undone_all']) AS u;

-- An API key, in the transaction that it speaks in, and its user's and everybody's beside
SELECT (seeme_create_api_key('first', '{models:read}', user_id => :edith)).key AS key \gset
SELECT (seeme_create_api_key('second', '{models:read}', user_id => :edith)).id AS second \gset
SELECT pg_temp.everybody() \g /dev/null
SAVEPOINT key;
SET SESSION AUTHORIZATION t_ghost;
SELECT seeme_login(:'key') \g /dev/null
RESET SESSION AUTHORIZATION;
CREATE FUNCTION pg_temp.by_key() RETURNS text LANGUAGE plpgsql AS $$
DECLARE was bigint := (SELECT s.probes FROM seeme.cache_statistics s); may boolean;
BEGIN
  EXECUTE 'SELECT seeme_has_permission(''models:read'', project '
          '=> ''d0000000-0000-4000-8000-000000000001'')' INTO may;
  RETURN may || ' ' || (SELECT s.probes FROM seeme.cache_statistics s) - was;
END $$;
SELECT pg_temp.by_key() AS first, pg_temp.by_key() AS again \gset key_
-- The changes are nobody's who would have to hold what they give
SET LOCAL session_replication_role = replica;
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer') WHERE user_id = :stan
  AND organization_id = :acme;
SELECT pg_temp.by_key() AS other \gset key_
DELETE FROM seeme.api_keys WHERE id = :'second';
SELECT pg_temp.by_key() AS second, pg_temp.by_key() AS second_again \gset key_
UPDATE seeme.memberships SET role_id = NULL WHERE user_id = :edith;
SELECT pg_temp.by_key() AS of_user \gset key_
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer') WHERE user_id = :edith;
SELECT pg_temp.by_key() AS of_user_back \gset key_
DELETE FROM seeme.api_keys WHERE user_id = :edith;
SELECT pg_temp.by_key() AS revoked \gset key_
ROLLBACK TO key;
SELECT coalesce(string_agg(p.name || ' ' || c.probes, ' '), '') AS others FROM person p,
  LATERAL pg_temp.cost(p.name,
  'SELECT seeme_has_permission(''models:read'', project '
  '=> ''d0000000-0000-4000-8000-000000000001'')') c WHERE c.probes > 0
  AND p.name NOT IN ('edith', 'stan') \gset key_
SELECT is(format('%s, %s', :'key_first', :'key_again'), 'true 1, true 0',
  'what is held by a key is remembered');
SELECT is(:'key_other'::text, 'true 0', 'and not forgotten for another person''s change');
SELECT is(format('%s, %s', :'key_second', :'key_second_again'), 'true 1, true 0',
  'that another key of the same person is revoked makes it read anew, to the same answer');
SELECT is(format('%s, %s', :'key_of_user', :'key_of_user_back'), 'false 1, true 1',
  'what its user may no more, and may again, is followed');
SELECT matches(:'key_revoked'::text, '^false ',
  'threat: a key that is revoked is no good from the next statement on');
SELECT is(:'key_others'::text, '', 'everybody else is remembered through all that');

-- Many projects and organizations. Of Acme's 900 projects nora sees 23, paul 36, tess those of team
-- Research; of 300 organizations stan, gina, oscar and mike own a quarter each, vera is Viewer in
-- 30, paul in the one project of 30 others.
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme,
    CASE n % 3 WHEN 0 THEN :research::uuid WHEN 1 THEN :sales::uuid END, 'P' || n,
    'p-' || n FROM generate_series(1, 900) AS n;
INSERT INTO seeme.organizations (id, name, slug, owner_id)
  SELECT ('b1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'O' || n, 'o-' || n,
    (ARRAY[:stan, :gina, :oscar, :mike]::uuid[])[1 + n % 4] FROM generate_series(1, 300) AS n;
INSERT INTO seeme.projects (id, organization_id, name, slug)
  SELECT ('d2000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    ('b1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Q' || n,
    'q-' || n FROM generate_series(1, 300) AS n;
DELETE FROM seeme.memberships WHERE organization_id = :acme
  AND user_id IN (:nora, :paul, :tess, :mike, :stan, :gina);
INSERT INTO seeme.memberships (organization_id, user_id) SELECT :acme,
  unnest(ARRAY[:nora, :paul, :tess, :mike]::uuid[]);
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, :research, :tess, pg_temp.id('Editor'));
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT :acme, ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    CASE WHEN n % 40 = 1 THEN :nora::uuid ELSE :paul::uuid END,
    pg_temp.id('Viewer') FROM generate_series(1, 900) AS n WHERE n % 40 = 1 OR n % 25 = 3;
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  SELECT ('b1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    CASE n % 10 WHEN 5 THEN :vera::uuid ELSE :paul::uuid END,
    CASE n % 10 WHEN 5 THEN pg_temp.id('Viewer') END FROM generate_series(1, 300) AS n
    WHERE n % 10 IN (5, 7);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT ('b1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    ('d2000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :paul,
    pg_temp.id('Editor') FROM generate_series(7, 300, 10) AS n;
INSERT INTO thing VALUES ('new project', 'd3000000-0000-4000-8000-000000000001'),
  ('new organization', 'b3000000-0000-4000-8000-000000000001'),
  ('its project', 'd3000000-0000-4000-8000-000000000002'),
  ('of stan', 'b1000000-0000-4000-8000-000000000004'),
  ('of stan''s', 'd2000000-0000-4000-8000-000000000004');
-- All places, those that are still to come, and some that never are
CREATE TEMP TABLE place AS
  SELECT 'project' AS level, id FROM seeme.projects UNION ALL SELECT 'organization',
    id FROM seeme.organizations
  UNION ALL SELECT CASE WHEN id::text LIKE 'b%' THEN 'organization' ELSE 'project' END,
  id FROM thing WHERE name IN ('new project', 'new organization', 'its project')
  UNION ALL SELECT l, md5(n::text)::uuid FROM generate_series(1, 50) AS n,
  unnest(ARRAY['project', 'organization']) AS l;
GRANT SELECT ON place TO PUBLIC;
ANALYZE place;
-- For how many places somebody is answered otherwise than by the form of the question that reads
-- the tables
CREATE FUNCTION pg_temp.wrong(person text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n text := '';
BEGIN
  PERFORM pg_temp.become(person);
  n := (SELECT string_agg(level || ' ' || id, ', ') FROM pg_temp.place
         WHERE CASE level WHEN 'project' THEN seeme_has_permission('models:read', project => id)
         ELSE seeme_has_permission('models:read', organization => id) END
               IS DISTINCT FROM CASE level WHEN 'project'
               THEN seeme_user_has_permission(seeme_user_id(), 'models:read', project => id)
               ELSE seeme_user_has_permission(seeme_user_id(), 'models:read', organization => id)
               END);
  PERFORM pg_temp.become(NULL);
  RETURN n;
END $$;
-- Asks for places of a kind one by one, by a query of its own for each, and for each again: which
-- were answered otherwise than the tables say; whether tables were read at most once for each; and
-- for how many they were the second time
CREATE FUNCTION pg_temp.one_by_one(
  person text, level text, prefix text, first integer, last integer) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  id uuid; may boolean; should boolean; wrong text := ''; n bigint[] := '{}';
BEGIN
  FOR turn IN 1 .. 2 LOOP
    n := n || (SELECT s.probes FROM seeme.cache_statistics s);
    PERFORM pg_temp.become(person);
    FOR i IN first .. last LOOP
      id := prefix || '000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0');
      EXECUTE format('SELECT seeme_has_permission(''models:read'', %s => %L)', level, id) INTO may;
      should := CASE level WHEN 'project' THEN
      seeme_user_has_permission(seeme_user_id(), 'models:read', project => id)
      ELSE seeme_user_has_permission(seeme_user_id(), 'models:read', organization => id) END;
      IF may IS DISTINCT FROM should THEN wrong := wrong || i || ' '; END IF;
    END LOOP;
    PERFORM pg_temp.become(NULL);
  END LOOP;
  n := n || (SELECT s.probes FROM seeme.cache_statistics s);
  RETURN format('wrong: %s, each read once at most: %s, the second time: %s',
    coalesce(nullif(wrong, ''), 'none'), n[2] - n[1] <= last - first + 1, n[3] - n[2]);
END $$;
-- Who may do something somewhere, each asked by a query of their own
CREATE FUNCTION pg_temp.who_may(code text, level text, place text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(p.name, ' ' ORDER BY p.name) FROM pg_temp.person p,
    LATERAL pg_temp.cost(p.name, format(
    'SELECT seeme_has_permission(%L, %s => %L)', code, level, pg_temp.id(place))) c
    WHERE c.value = 'true' $$;

TRUNCATE step;
ALTER TABLE step ADD wanted text;
INSERT INTO step (what, statement, wanted) SELECT v.* FROM (VALUES
  (NULL, 'SET seeme_rbac.cache_memory = {memory}', NULL),
  ('{mode}: nora asks for 150 projects', $$pg_temp.one_by_one('nora', 'project', 'd1', 1, 150)$$,
  'once'),
  ('{mode}: paul for others, and the same',
  $$pg_temp.one_by_one('paul', 'project', 'd1', 100, 300)$$, 'once'),
  ('{mode}: tess for others', $$pg_temp.one_by_one('tess', 'project', 'd1', 250, 450)$$, 'once'),
  ('{mode}: adam for some that there are not',
  $$pg_temp.one_by_one('adam', 'project', 'd1', 880, 950)$$, 'once'),
  ('{mode}: vera for each the only one in its organization',
  $$pg_temp.one_by_one('vera', 'project', 'd2', 1, 150)$$, 'once'),
  ('{mode}: paul for others of that kind',
  $$pg_temp.one_by_one('paul', 'project', 'd2', 100, 300)$$, 'once'),
  ('{mode}: stan for 150 organizations',
  $$pg_temp.one_by_one('stan', 'organization', 'b1', 1, 150)$$, 'once'),
  ('{mode}: vera for others', $$pg_temp.one_by_one('vera', 'organization', 'b1', 140, 300)$$,
  'once'),
  ('{mode}: oscar for some that there are not',
  $$pg_temp.one_by_one('oscar', 'organization', 'b1', 290, 350)$$, 'once'),
  ('{mode}: nobody is answered otherwise than the tables say', 'everybody', NULL),
  (NULL, 'INSERT INTO seeme.projects (id, organization_id, team_id, name, slug) VALUES ({new '
         'project}, {acme}, {research}, ''New'', ''new'')', NULL),
  ('{mode}: a project created afterwards is found',
  $$pg_temp.who_may('models:read', 'project', 'new project')$$, 'adam dora edith olga tess vera'),
  (NULL, 'UPDATE seeme.projects SET team_id = {sales} WHERE id = {new project}', NULL),
  ('{mode}: threat: one that moved is not seen by the former team',
  $$pg_temp.who_may('models:read', 'project', 'new project')$$, 'adam dora edith olga vera'),
  (NULL, 'UPDATE seeme.projects SET team_id = {research} WHERE id = {new project}', NULL),
  ('{mode}: one that came back is', $$pg_temp.who_may('models:read', 'project', 'new project')$$,
  'adam dora edith olga tess vera'),
  (NULL, 'INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES '
         '({acme}, {new project}, {nora}, {Viewer})', NULL),
  ('{mode}: a membership in it counts',
  $$pg_temp.who_may('models:read', 'project', 'new project')$$,
  'adam dora edith nora olga tess vera'),
  ('{mode}: with one project more nobody is answered otherwise than the tables say', 'everybody',
  NULL),
  (NULL, 'DELETE FROM seeme.projects WHERE id = {new project}', NULL),
  ('{mode}: threat: one that was deleted is nobody''s, the owner''s of its organization neither',
  $$pg_temp.who_may('models:read', 'project', 'new project')$$, NULL),
  (NULL, 'INSERT INTO seeme.organizations (id, name, slug, owner_id) VALUES ({new '
         'organization}, ''New'', ''new'', {stan})', NULL),
  (NULL, 'INSERT INTO seeme.projects (id, organization_id, name, slug) VALUES ({its project}, {new '
         'organization}, ''New'', ''new'')', NULL),
  ('{mode}: an organization created afterwards is its owner''s',
  $$concat_ws(', ', pg_temp.who_may('models:read', 'organization', 'new organization'), pg_temp.who_may('models:read', 'project', 'its project'))$$, 'stan, stan'),
  (NULL, 'INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({new '
         'organization}, {gina}, NULL)', NULL),
  (NULL, $x$DO $do$ BEGIN PERFORM pg_temp.become('stan'),
    seeme_transfer_ownership({new organization}, {gina}), pg_temp.become(NULL); END $do$$x$, NULL),
  ('{mode}: threat: who handed it over does not own it',
  $$concat_ws(', ', pg_temp.who_may('organizations:delete', 'organization', 'new organization'), pg_temp.who_may('models:read', 'organization', 'new organization'), pg_temp.who_may('models:read', 'project', 'its project'))$$, 'gina, gina stan, gina stan'),
  ('{mode}: with another owner nobody is answered otherwise than the tables say', 'everybody',
  NULL),
  (NULL, 'DELETE FROM seeme.organizations WHERE id = {new organization}', NULL),
  ('{mode}: threat: an organization that was deleted is nobody''s, nor are its projects',
  $$concat(pg_temp.who_may('models:read', 'organization', 'new organization'),
    pg_temp.who_may('models:read', 'project', 'its project'))$$, ''),
  (NULL, 'UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = {mike}', NULL),
  ('{mode}: threat: a disabled owner''s organizations are nobody''s',
  $$(pg_temp.cost('mike', 'SELECT count(*) FROM pg_temp.place WHERE level = ''organization'' AND '
                          'seeme_has_permission(''models:read'', organization => id)')).value$$,
                          '0'),
  (NULL, 'UPDATE seeme.users SET disabled_at = NULL WHERE id = {mike}', NULL),
  ('{mode}: and an enabled one''s are again theirs',
  $$(pg_temp.cost('mike', 'SELECT count(*) FROM pg_temp.place WHERE level = ''organization'' AND '
                          'seeme_has_permission(''models:read'', organization => id)')).value$$,
                          '75'),
  (NULL, 'UPDATE seeme.projects SET team_id = CASE WHEN team_id = {research} THEN {sales} WHEN '
         'team_id = {sales} THEN {research} END WHERE organization_id = {acme}', NULL),
  ('{mode}: after all projects changed places nobody is answered otherwise than the tables say',
  'everybody', NULL),
  (NULL, 'UPDATE seeme.projects SET team_id = CASE WHEN team_id = {research} THEN {sales} WHEN '
         'team_id = {sales} THEN {research} END WHERE organization_id = {acme}', NULL))
         AS v (what, statement, wanted);
SELECT CASE WHEN what IS NULL THEN pg_temp.fill(replace(statement, '{memory}', memory))
            WHEN statement = 'everybody' THEN
            format('SELECT is((SELECT string_agg(p.name || '': '' || '
                   'pg_temp.wrong(p.name), ''; '') FROM pg_temp.person p WHERE p.name NOT IN '
                   '(''ann'', ''cora'', ''dora'', ''edith'')), NULL, %L)',
                   replace(what, '{mode}', mode))
            ELSE format('SELECT is(%s, %L, %L)',
            CASE WHEN wanted = 'once' AND m = 2
            THEN format('split_part(%s, '', each'', 1)', statement) ELSE statement END,
            CASE wanted WHEN 'once' THEN CASE m WHEN 1
            THEN 'wrong: none, each read once at most: t, the second time: 0' ELSE 'wrong: none' END
            ELSE wanted END, replace(what, '{mode}', mode)) END
  FROM (VALUES (1, 'with the memory that there is by default', 'DEFAULT'),
  (2, 'with 64 kB', '''64kB''')) AS m (m, mode, memory), step
 ORDER BY m, n \gexec
RESET seeme_rbac.cache_memory;
-- By plain SQL
SELECT is((SELECT array_agg(l.id) FROM place l
  WHERE (l.id IN (SELECT h.scope_id FROM pg_temp.held(p) h WHERE h.code = 'models:read')) IS
  DISTINCT FROM
  (l.id::text = ANY (string_to_array(
  (pg_temp.cost(p, 'SELECT string_agg(id::text, '' '') FROM pg_temp.place WHERE CASE level '
                   'WHEN ''project'' THEN seeme_has_permission(''models:read'', project => id) '
                   'ELSE seeme_has_permission(''models:read'', organization => id) END')).value,
                   ' ')))), NULL, 'as plain SQL says: ' || p)
  FROM unnest(ARRAY['paul', 'stan']) AS p;

-- Changes of this session's own and their being undone, when everything has been read as a whole
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(', ', pg_temp.who_may('models:read', 'project', 'new project'),
    pg_temp.who_may('organizations:delete', 'organization', 'of stan'),
    pg_temp.who_may('models:read', 'project', 'of stan''s'),
                   (SELECT string_agg(p || pg_temp.wrong(p), ' ')
                   FROM unnest(ARRAY['tess', 'stan', 'nora']) AS p)) $$;
SELECT pg_temp.one_by_one('tess', 'project', 'd1', 1, 200),
  pg_temp.one_by_one('stan', 'organization', 'b1', 1, 200), pg_temp.wrong('tess'),
  pg_temp.wrong('stan') \g /dev/null
INSERT INTO seeme.memberships (organization_id, user_id) SELECT o, :tess FROM thing t,
  LATERAL (SELECT t.id AS o) x WHERE t.name = 'of stan';
SELECT pg_temp.state() AS s0 \gset
SAVEPOINT one;
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  VALUES (pg_temp.id('new project'), :acme, :research, 'New', 'new');
SELECT pg_temp.state() AS s1 \gset
SAVEPOINT two;
UPDATE seeme.projects SET team_id = NULL WHERE id = pg_temp.id('new project');
SELECT pg_temp.state() AS s2 \gset
SAVEPOINT three;
SELECT pg_temp.become('stan'), seeme_transfer_ownership(pg_temp.id('of stan'), :tess),
  pg_temp.become(NULL) \g /dev/null
SELECT pg_temp.state() AS s3 \gset
SAVEPOINT four;
UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = :tess;
DELETE FROM seeme.projects WHERE id = pg_temp.id('new project');
SELECT pg_temp.state() AS s4 \gset
ROLLBACK TO four;
SELECT pg_temp.state() AS s5 \gset
SAVEPOINT five;
DELETE FROM seeme.organizations WHERE id = pg_temp.id('of stan');
SELECT pg_temp.state() AS s6 \gset
RELEASE five;
SELECT pg_temp.state() AS s7 \gset
ROLLBACK TO three;
SELECT pg_temp.state() AS s8 \gset
ROLLBACK TO two;
SELECT pg_temp.state() AS s9 \gset
ROLLBACK TO one;
SELECT pg_temp.state() AS s10 \gset
SELECT is(:'s0'::text, 'stan, stan', 'before anything is changed');
SELECT is(:'s1'::text, 'adam dora edith olga tess vera, stan, stan',
  'a savepoint: a project is created');
SELECT is(:'s2'::text, 'adam dora edith olga vera, stan, stan', 'one within: it leaves its team');
SELECT is(:'s3'::text, 'adam dora edith olga vera, tess, stan tess',
  'one within that: an organization is handed over');
SELECT is(:'s4'::text, 'stan', 'one within that: the new owner is disabled, the project deleted');
SELECT is(:'s5'::text, :'s3'::text, 'that is undone');
SELECT is(:'s6'::text, 'adam dora edith olga vera', 'the organization is deleted');
SELECT is(:'s7'::text, :'s6'::text, 'which is released');
SELECT is(:'s8'::text, :'s2'::text, 'and undone together with the handing over');
SELECT is(:'s9'::text, :'s1'::text, 'the project is of its team again');
SELECT is(:'s10'::text, :'s0'::text, 'and never was');

SELECT * FROM finish();
ROLLBACK;
