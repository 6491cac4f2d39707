-- Who sees which rows of the extension's own tables, compared with a plain SQL oracle: every
-- person, with and without an API key, on every table, by every kind of plan. The oracle says the
-- rules of the documentation in its own words, and shares nothing with the policies.
\i test/include/prelude.psql
-- In a database of its own: each person is asked in a transaction, and what they see is committed
-- before.
SELECT current_database() AS home \gset
DROP DATABASE IF EXISTS seeme_own_lists;
CREATE DATABASE seeme_own_lists;
\c seeme_own_lists
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
CREATE EXTENSION seeme_rbac;
SELECT plan(17);

CREATE SCHEMA oracle;
SELECT setseed(0.42);

-- A small world in which every combination is likely: roles with any entries, memberships that have
-- ended or not begun yet, disabled people, owners, guests of one team or project.
CREATE FUNCTION oracle.id(kind text, n int) RETURNS uuid
  LANGUAGE sql IMMUTABLE RETURN md5(kind || n)::uuid;
CREATE FUNCTION oracle.pick(n int) RETURNS int
  LANGUAGE sql VOLATILE RETURN 1 + floor(random() * n)::int;

INSERT INTO seeme.users (id, username, email, disabled_at)
SELECT oracle.id('user', n), 'user ' || n, 'user' || n || '@example.com',
       CASE WHEN n % 10 = 0 THEN now() - interval '1 day' WHEN n % 10 = 5
       THEN now() + interval '1 day' END
  FROM generate_series(1, 16) AS n;
INSERT INTO seeme.organizations (id, name, owner_id)
SELECT oracle.id('organization', n), 'Organization ' || n,
  oracle.id('user', n) FROM generate_series(1, 6) AS n;
INSERT INTO seeme.teams (id, organization_id, name)
SELECT oracle.id('team', n), oracle.id('organization', 1 + n % 6),
  'Team ' || n FROM generate_series(1, 12) AS n;
INSERT INTO seeme.projects (id, organization_id, team_id, name)
SELECT oracle.id('project', n), oracle.id('organization', 1 + n % 6),
       CASE WHEN n % 4 < 2 THEN oracle.id('team', n % 6 + CASE WHEN n % 8 < 4 THEN 6 ELSE 0 END)
       END, 'Project ' || n
  FROM generate_series(1, 36) AS n WHERE n % 6 <> 0 OR n % 4 > 1 OR n % 8 < 4;
INSERT INTO seeme.roles (id, organization_id, name, permissions)
SELECT oracle.id('role', n), oracle.id('organization', 1 + n % 6), 'Role ' || n,
       ARRAY(SELECT DISTINCT (ARRAY['organizations:read', 'organizations:list',
       'organizations:manage_members', 'teams:read',
               'teams:list', 'teams:update', 'teams:*', 'projects:read', 'projects:list',
               'projects:update', 'projects:*',
               'roles:read', 'roles:list', '*:list', '*:read'])[oracle.pick(15)]
               FROM generate_series(1, 1 + n % 4) WHERE n > 0)
  FROM generate_series(1, 24) AS n;
INSERT INTO seeme.memberships (organization_id, user_id, role_id, valid_from, valid_until)
SELECT oracle.id('organization', o), oracle.id('user', u),
       CASE oracle.pick(5) WHEN 1 THEN NULL WHEN 2
       THEN (SELECT r.id FROM seeme.roles r WHERE r.name = 'Member' AND r.is_system_role)
         WHEN 3 THEN (SELECT r.id FROM seeme.roles r WHERE r.name = 'Admin' AND r.is_system_role)
         ELSE oracle.id('role', o - 1 + 6 * (oracle.pick(4) - CASE WHEN o = 1 THEN 0 ELSE 1 END))
         END,
       CASE WHEN oracle.pick(12) = 1 THEN now() + interval '1 day' END, NULL
  FROM generate_series(1, 6) AS o, generate_series(1, 15) AS u WHERE u <> o AND oracle.pick(3) = 1;
UPDATE seeme.memberships SET valid_until = now() - interval '1 hour'
 WHERE valid_from IS NULL AND role_id IS DISTINCT FROM '00000000-0000-4000-8000-000000000001'
 AND ascii(right(id::text, 1)) % 8 = 0;
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id, valid_until)
SELECT t.organization_id, t.id, m.user_id,
       (SELECT r.id FROM seeme.roles r WHERE r.organization_id = t.organization_id
       ORDER BY md5(r.id::text || m.user_id || t.id) LIMIT 1),
       CASE WHEN oracle.pick(8) = 1 THEN now() - interval '1 hour' END
  FROM seeme.teams t JOIN seeme.memberships m ON m.organization_id = t.organization_id
  AND m.team_id IS NULL AND m.project_id IS NULL
 WHERE oracle.pick(3) = 1;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT p.organization_id, p.id, m.user_id,
       CASE WHEN oracle.pick(4) > 1 THEN
         (SELECT r.id FROM seeme.roles r WHERE r.organization_id = p.organization_id
         ORDER BY md5(r.id::text || m.user_id || p.id) LIMIT 1) END
  FROM seeme.projects p JOIN seeme.memberships m ON m.organization_id = p.organization_id
  AND m.team_id IS NULL AND m.project_id IS NULL
 WHERE oracle.pick(4) = 1;
INSERT INTO seeme.invitations (organization_id, team_id, project_id, email, token_hash, expires_at)
SELECT oracle.id('organization', 1 + n % 6), CASE WHEN n % 3 = 1
  THEN (SELECT t.id FROM seeme.teams t WHERE t.organization_id
  = oracle.id('organization', 1 + n % 6) ORDER BY t.id LIMIT 1) END,
       CASE WHEN n % 3 = 2 THEN (
       SELECT p.id FROM seeme.projects p WHERE p.organization_id
         = oracle.id('organization', 1 + n % 6) ORDER BY p.id OFFSET n % 2 LIMIT 1) END,
       'USER' || 1 + n % 16 || '@example.com', sha256(n::text::bytea), now() + interval '1 day'
  FROM generate_series(1, 24) AS n;
INSERT INTO seeme.logos (organization_id, team_id, project_id, filename, content)
SELECT x.organization_id, x.team_id, x.project_id, 'x.png', '\x89504e470d0a1a0a'
  FROM (SELECT o.id AS organization_id, NULL::uuid AS team_id,
  NULL::uuid AS project_id FROM seeme.organizations o
        UNION ALL SELECT t.organization_id, t.id, NULL FROM seeme.teams t
        UNION ALL SELECT p.organization_id, NULL, p.id FROM seeme.projects p) AS x;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
SELECT p.id, 'model', oracle.id('model', n::int) FROM seeme.projects p, generate_series(1, 2) AS n;
INSERT INTO seeme.api_keys (id, user_id, organization_id, permissions, name, key_prefix, key_hash)
SELECT oracle.id('key', n), oracle.id('user', n),
  CASE WHEN n % 2 = 0 THEN (SELECT m.organization_id FROM seeme.memberships m
  WHERE m.user_id = oracle.id('user', n) ORDER BY m.id LIMIT 1) END,
       CASE n % 5 WHEN 0 THEN '{*:read}' WHEN 1 THEN '{*}' WHEN 2
       THEN '{projects:list,organizations:list}' WHEN 3
       THEN '{teams:*,organizations:manage_members}'
         ELSE '{organizations:read,projects:read,roles:list}' END::text[], 'key ' || n,
         'seeme_key_x', sha256(convert_to('seeme_key_oracle' || n, 'UTF8'))
  FROM generate_series(1, 16) AS n;

-- The rules. A person (p), perhaps by a key (k).
CREATE FUNCTION oracle.covers(entries text[], code text) RETURNS boolean
  LANGUAGE sql IMMUTABLE RETURN
  entries && ARRAY['*', code, split_part(code, ':', 1) || ':*', '*:' || split_part(code, ':', 2)];
CREATE FUNCTION oracle.reaches(k uuid, o uuid, code text) RETURNS boolean LANGUAGE sql STABLE RETURN
  k IS NULL OR EXISTS (SELECT FROM seeme.api_keys a WHERE a.id = k
  AND (a.organization_id IS NULL OR a.organization_id = o)
                         AND (code IS NULL OR oracle.covers(a.permissions, code)));
CREATE FUNCTION oracle.acts(p uuid) RETURNS boolean LANGUAGE sql STABLE RETURN
  EXISTS (SELECT FROM seeme.users u WHERE u.id = p
  AND (u.disabled_at IS NULL OR u.disabled_at > clock_timestamp()));
CREATE FUNCTION oracle.in_use(o uuid, t uuid, j uuid) RETURNS boolean LANGUAGE sql STABLE RETURN
  NOT EXISTS (SELECT FROM seeme.organizations x WHERE x.id = o AND x.archived_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM seeme.teams x WHERE x.id = t AND x.archived_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM seeme.projects x WHERE x.id = j AND x.archived_at IS NOT NULL);
CREATE FUNCTION oracle.owns_archived(p uuid, o uuid) RETURNS boolean LANGUAGE sql STABLE RETURN
  EXISTS (SELECT FROM seeme.organizations x WHERE x.id = o AND x.owner_id = p);
CREATE FUNCTION oracle.owns(p uuid, o uuid) RETURNS boolean LANGUAGE sql STABLE RETURN
  oracle.owns_archived(p, o) AND oracle.in_use(o, NULL, NULL);
CREATE FUNCTION oracle.is_in(p uuid, o uuid, t uuid, j uuid) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  EXISTS (SELECT FROM seeme.memberships m WHERE m.user_id = p AND m.organization_id = o
            AND m.team_id IS NOT DISTINCT FROM t AND m.project_id IS NOT DISTINCT FROM j
            AND oracle.in_use(o, t, j)
            AND coalesce(m.valid_from <= clock_timestamp(), true)
            AND coalesce(clock_timestamp() < m.valid_until, true));
CREATE FUNCTION oracle.role_covers(p uuid, o uuid, t uuid, j uuid, code text) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  EXISTS (SELECT FROM seeme.memberships m JOIN seeme.roles r ON r.id = m.role_id
           WHERE m.user_id = p AND m.organization_id = o AND m.team_id IS NOT DISTINCT FROM t
           AND m.project_id IS NOT DISTINCT FROM j AND oracle.in_use(o, t, j)
             AND coalesce(m.valid_from <= clock_timestamp(), true)
             AND coalesce(clock_timestamp() < m.valid_until, true)
             AND oracle.covers(r.permissions, code));
CREATE FUNCTION oracle.holds(p uuid, k uuid, code text, o uuid, t uuid, j uuid) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  oracle.acts(p) AND oracle.reaches(k, o, code)
  -- A project is in use although its team is archived.
  AND oracle.in_use(o, CASE WHEN j IS NULL THEN t END, j)
  AND (oracle.owns(p, o)
       OR oracle.is_in(p, o, NULL, NULL)
          AND (oracle.role_covers(p, o, NULL, NULL, code)
               OR t IS NOT NULL AND oracle.role_covers(p, o, t, NULL, code)
               OR j IS NOT NULL AND oracle.role_covers(p, o, NULL, j, code)));
CREATE FUNCTION oracle.team_of(j uuid) RETURNS uuid
  LANGUAGE sql STABLE RETURN (SELECT p.team_id FROM seeme.projects p WHERE p.id = j);
CREATE FUNCTION oracle.holds_at(p uuid, k uuid, code text, o uuid, t uuid, j uuid) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  oracle.holds(p, k, code, o, CASE WHEN j IS NOT NULL THEN oracle.team_of(j) ELSE t END, j);
CREATE FUNCTION oracle.is_as_everywhere(p uuid, k uuid) RETURNS boolean LANGUAGE sql STABLE RETURN
  oracle.acts(p) AND (k IS NULL OR EXISTS (
  SELECT FROM seeme.api_keys a WHERE a.id = k AND a.organization_id IS NULL
                                             AND oracle.covers(
                                             a.permissions, 'organizations:read')));
-- The owner may bring back what is archived, and therefore sees it.
CREATE FUNCTION oracle.brings_back(p uuid, k uuid, o uuid, kind text) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  oracle.acts(p) AND oracle.owns(p, o) AND oracle.reaches(k, o, kind || ':delete')
  AND (oracle.reaches(k, o, kind || ':list') OR oracle.reaches(k, o, kind || ':read'));
CREATE FUNCTION oracle.sees_organization(p uuid, k uuid, o uuid) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  oracle.acts(p) AND (oracle.owns(p, o) OR oracle.is_in(p, o, NULL, NULL))
  AND (oracle.reaches(k, o, 'organizations:list') OR oracle.reaches(k, o, 'organizations:read'))
  OR oracle.owns_archived(p, o) AND oracle.is_as_everywhere(p, k);
CREATE FUNCTION oracle.sees_team(p uuid, k uuid, o uuid, t uuid) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  oracle.holds(p, k, 'teams:list', o, t, NULL) OR oracle.holds(p, k, 'teams:read', o, t, NULL)
  OR oracle.acts(p) AND oracle.is_in(p, o, NULL, NULL) AND oracle.is_in(p, o, t, NULL)
     AND (oracle.reaches(k, o, 'teams:list') OR oracle.reaches(k, o, 'teams:read'))
  OR NOT oracle.in_use(NULL, t, NULL) AND oracle.brings_back(p, k, o, 'teams');
CREATE FUNCTION oracle.sees_project(p uuid, k uuid, o uuid, j uuid) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  oracle.holds_at(p, k, 'projects:list', o, NULL, j)
  OR oracle.holds_at(p, k, 'projects:read', o, NULL, j)
  OR oracle.acts(p) AND oracle.is_in(p, o, NULL, NULL) AND oracle.is_in(p, o, NULL, j)
     AND (oracle.reaches(k, o, 'projects:list') OR oracle.reaches(k, o, 'projects:read'))
  OR NOT oracle.in_use(NULL, NULL, j) AND oracle.brings_back(p, k, o, 'projects');
CREATE FUNCTION oracle.sees_membership(p uuid, k uuid, m seeme.memberships) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  m.user_id = p AND oracle.is_as_everywhere(p, k)
  OR oracle.holds_at(p, k, CASE WHEN m.project_id IS NOT NULL THEN 'projects:read'
  WHEN m.team_id IS NOT NULL THEN 'teams:read'
                             ELSE 'organizations:read' END, m.organization_id, m.team_id,
                             m.project_id);
CREATE FUNCTION oracle.manages(p uuid, k uuid, o uuid, t uuid, j uuid) RETURNS boolean
  LANGUAGE sql STABLE RETURN
  oracle.holds_at(p, k, 'organizations:manage_members', o, t, j)
  OR j IS NOT NULL AND oracle.holds_at(p, k, 'projects:update', o, NULL, j)
  OR t IS NOT NULL AND oracle.holds(p, k, 'teams:update', o, t, NULL);

CREATE TABLE oracle.askers (n int PRIMARY KEY, person uuid, key uuid, secret text);
INSERT INTO oracle.askers
SELECT n, oracle.id('user', n), NULL, NULL FROM generate_series(1, 16) AS n WHERE n % 10 <> 0
UNION ALL
SELECT 100 + n, oracle.id('user', n), oracle.id('key', n),
  'seeme_key_oracle' || n FROM generate_series(1, 16) AS n WHERE n % 10 <> 0;

CREATE TABLE oracle.expected (n int, relation text, ids text[], PRIMARY KEY (n, relation));
CREATE FUNCTION oracle.foresee() RETURNS void LANGUAGE sql AS $$
  DELETE FROM oracle.expected;
  INSERT INTO oracle.expected
  SELECT a.n, x.relation, array_agg(x.id ORDER BY x.id COLLATE "C") FILTER (WHERE x.seen)
    FROM oracle.askers a, LATERAL (
      SELECT 'organizations' AS relation, o.id::text AS id,
        oracle.sees_organization(a.person, a.key, o.id) AS seen FROM seeme.organizations o
      UNION ALL SELECT 'teams', t.id::text, oracle.sees_team(
      a.person, a.key, t.organization_id, t.id) FROM seeme.teams t
      UNION ALL SELECT 'projects', p.id::text,
      oracle.sees_project(a.person, a.key, p.organization_id, p.id) FROM seeme.projects p
      UNION ALL SELECT 'memberships', m.id::text,
      oracle.sees_membership(a.person, a.key, m) FROM seeme.memberships m
      UNION ALL SELECT 'users', u.id::text, oracle.acts(a.person) AND u.id = a.person
                         OR EXISTS (
                         SELECT FROM seeme.memberships m WHERE m.user_id = u.id
                           AND m.user_id <> a.person AND oracle.sees_membership(a.person, a.key, m))
                  FROM seeme.users u
      UNION ALL SELECT 'roles', r.id::text, CASE WHEN r.organization_id IS NULL
      THEN oracle.acts(a.person) ELSE
                         oracle.holds(a.person, a.key, 'roles:list', r.organization_id, NULL, NULL)
                         OR oracle.holds(
                         a.person, a.key, 'roles:read', r.organization_id, NULL, NULL)
                         OR oracle.acts(a.person) AND oracle.reaches(a.key, r.organization_id, NULL)
                         AND oracle.is_in(a.person, r.organization_id, NULL, NULL)
                            AND EXISTS (
                            SELECT FROM seeme.memberships m WHERE m.user_id = a.person
                              AND m.role_id = r.id
                              AND oracle.in_use(m.organization_id, m.team_id, m.project_id)
                                          AND coalesce(m.valid_from <= clock_timestamp(), true)
                                          AND coalesce(clock_timestamp() < m.valid_until, true)) END
                  FROM seeme.roles r
      UNION ALL SELECT 'project_resources', r.id::text,
      oracle.holds_at(a.person, a.key, 'projects:read', r.organization_id, NULL, r.project_id)
      FROM seeme.project_resources r
      UNION ALL SELECT 'invitations', i.id::text,
      oracle.manages(a.person, a.key, i.organization_id, i.team_id, i.project_id)
                         OR oracle.is_as_everywhere(a.person, a.key)
                         AND lower(i.email) =
                         (SELECT u.email FROM seeme.users u WHERE u.id = a.person)
                  FROM seeme.invitations i
      UNION ALL SELECT 'logos', l.id::text,
      oracle.in_use(l.organization_id, l.team_id, l.project_id) AND CASE
      WHEN l.project_id IS NOT NULL
      THEN oracle.sees_project(a.person, a.key, l.organization_id, l.project_id)
                         WHEN l.team_id IS NOT NULL
                         THEN oracle.sees_team(a.person, a.key, l.organization_id, l.team_id)
                         ELSE oracle.sees_organization(a.person, a.key, l.organization_id) END
                         FROM seeme.logos l
      UNION ALL SELECT 'api_keys', k.id::text, a.key IS NULL AND oracle.acts(a.person)
                         AND (k.user_id = a.person
                         OR oracle.holds(
                         a.person, NULL, 'organizations:manage_members', k.organization_id, NULL,
                         NULL))
                  FROM seeme.api_keys k) AS x
   GROUP BY a.n, x.relation
$$;
SELECT oracle.foresee() \g /dev/null
SELECT ok((SELECT count(*) FILTER (WHERE cardinality(ids) > 0) > 60
  AND count(*) FILTER (WHERE ids IS NULL) > 60 FROM oracle.expected),
          'the oracle foresees much, and little, for many');

-- What they see indeed. Planned anew each time:
CREATE FUNCTION oracle.seen_anew(relation text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  ids text[];
BEGIN
  EXECUTE format(
    'SELECT array_agg(id::text ORDER BY id::text COLLATE "C") FROM (SELECT id FROM seeme.%I) AS t',
    relation) INTO ids;
  RETURN ids;
END $$;
-- by a plan that was made for somebody else, and is kept:
CREATE FUNCTION oracle.seen_cached(relation text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  ids text[];
BEGIN
  CASE relation
    WHEN 'organizations' THEN ids := (
    SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
      FROM (SELECT id FROM seeme.organizations) AS t);
    WHEN 'teams' THEN ids := (SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
    FROM (SELECT id FROM seeme.teams) AS t);
    WHEN 'projects' THEN ids := (
    SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
      FROM (SELECT id FROM seeme.projects) AS t);
    WHEN 'memberships' THEN ids := (
    SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
      FROM (SELECT id FROM seeme.memberships) AS t);
    WHEN 'users' THEN ids := (SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
    FROM (SELECT id FROM seeme.users) AS t);
    WHEN 'roles' THEN ids := (SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
    FROM (SELECT id FROM seeme.roles) AS t);
    WHEN 'project_resources' THEN ids := (
    SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
      FROM (SELECT id FROM seeme.project_resources) AS t);
    WHEN 'invitations' THEN ids := (
    SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
      FROM (SELECT id FROM seeme.invitations) AS t);
    WHEN 'logos' THEN ids := (SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
    FROM (SELECT id FROM seeme.logos) AS t);
    WHEN 'api_keys' THEN ids := (
    SELECT array_agg(id::text ORDER BY id::text COLLATE "C")
      FROM (SELECT id FROM seeme.api_keys) AS t);
  END CASE;
  RETURN ids;
END $$;
-- and row by row, as a join asks, a quarter of the rows:
CREATE FUNCTION oracle.seen_by_id(relation text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  ids text[] := '{}';
  one text;
  wanted text;
BEGIN
  FOR wanted IN SELECT e.id FROM oracle.every_id e WHERE e.relation = seen_by_id.relation
    AND e.id COLLATE "C" < '4' LOOP
    EXECUTE format('SELECT id::text FROM seeme.%I WHERE id = $1::uuid', relation) INTO one
      USING wanted;
    IF one IS NOT NULL THEN
      ids := ids || one;
    END IF;
  END LOOP;
  RETURN CASE WHEN ids <> '{}' THEN (
    SELECT array_agg(id ORDER BY id COLLATE "C") FROM unnest(ids) AS id) END;
END $$;
CREATE TABLE oracle.every_id AS
  SELECT 'organizations' AS relation, id::text FROM seeme.organizations UNION ALL SELECT 'teams',
    id::text FROM seeme.teams
  UNION ALL SELECT 'projects', id::text FROM seeme.projects UNION ALL SELECT 'memberships',
  id::text FROM seeme.memberships
  UNION ALL SELECT 'users', id::text FROM seeme.users UNION ALL SELECT 'roles',
  id::text FROM seeme.roles
  UNION ALL SELECT 'project_resources', id::text FROM seeme.project_resources UNION ALL
  SELECT 'invitations', id::text FROM seeme.invitations
  UNION ALL SELECT 'logos', id::text FROM seeme.logos UNION ALL SELECT 'api_keys',
  id::text FROM seeme.api_keys;

-- A change of rights in the same statement: decisions then read the tables, not what is remembered.
CREATE FUNCTION oracle.touch() RETURNS void LANGUAGE sql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp AS $$
  UPDATE seeme.users SET username = username WHERE id = oracle.id('user', 16)
$$;

-- One asker after the other, each in a transaction of their own.
CREATE PROCEDURE oracle.compare(how text, INOUT differences text, touch boolean = false)
  LANGUAGE plpgsql AS $$
DECLARE
  askers int[] := ARRAY(SELECT n FROM oracle.askers ORDER BY md5(n::text));
  relations text[] := ARRAY(SELECT DISTINCT relation FROM oracle.every_id ORDER BY 1);
  asker int;
  relation_name text;
  seen text[];
  foreseen text[];
BEGIN
  FOREACH asker IN ARRAY askers LOOP
    -- past all that is remembered each row takes some reading
    CONTINUE WHEN touch AND asker % 3 <> 0;
    COMMIT;
    IF touch THEN
      PERFORM oracle.touch();
    END IF;
    IF asker > 100 THEN
      PERFORM seeme_login((SELECT a.secret FROM oracle.askers a WHERE a.n = asker));
    ELSE
      PERFORM seeme_assume((SELECT a.person FROM oracle.askers a WHERE a.n = asker));
    END IF;
    FOREACH relation_name IN ARRAY relations LOOP
      seen := CASE how WHEN 'cached' THEN oracle.seen_cached(relation_name)
                       WHEN 'by id' THEN oracle.seen_by_id(relation_name)
                       ELSE oracle.seen_anew(relation_name) END;
      foreseen := (SELECT e.ids FROM oracle.expected e WHERE e.n = asker
      AND e.relation = relation_name);
      IF how = 'by id' THEN
        foreseen := (SELECT array_agg(id ORDER BY id COLLATE "C") FROM unnest(foreseen) AS id
        WHERE id COLLATE "C" < '4');
      END IF;
      IF seen IS DISTINCT FROM foreseen THEN
        differences := left(differences || format(
        'asker %s sees %s rows of %s, and not %s; ', asker,
                            coalesce(cardinality(seen), 0), relation_name,
                            coalesce(cardinality(foreseen), 0)), 2000);
      END IF;
    END LOOP;
  END LOOP;
  COMMIT;
END $$;

DROP ROLE IF EXISTS t_lister;
CREATE ROLE t_lister LOGIN;
SELECT seeme_grant_usage('t_lister') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO t_lister;
GRANT USAGE ON SCHEMA oracle TO t_lister;
GRANT SELECT ON ALL TABLES IN SCHEMA oracle TO t_lister;
ANALYZE seeme.organizations, seeme.teams, seeme.projects, seeme.memberships, seeme.users,
seeme.roles, seeme.invitations, seeme.logos;

SET SESSION AUTHORIZATION t_lister;
SET client_min_messages = error;
CALL oracle.compare('anew', '') \gset d1_
CALL oracle.compare('cached', '') \gset d2_
SET enable_seqscan = off;
CALL oracle.compare('anew', '') \gset d3_
CALL oracle.compare('cached', '') \gset d4_
SET enable_bitmapscan = off;
CALL oracle.compare('anew', '') \gset d5_
RESET enable_bitmapscan;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
CALL oracle.compare('anew', '') \gset d6_
RESET enable_seqscan;
SET enable_bitmapscan = off;
CALL oracle.compare('anew', '') \gset d7_
RESET enable_bitmapscan;
RESET enable_indexscan;
RESET enable_indexonlyscan;
CALL oracle.compare('anew', '', true) \gset d8_
SET enable_seqscan = off;
CALL oracle.compare('anew', '', true) \gset d9_
RESET enable_seqscan;
CALL oracle.compare('by id', '') \gset d10_
RESET SESSION AUTHORIZATION;
SELECT is(:'d1_differences'::text, ''::text, 'everybody sees what the rules say');
SELECT is(:'d2_differences'::text, ''::text,
  'threat: a plan that is kept shows what the person that it was made for sees');
SELECT is(:'d3_differences'::text, ''::text, 'by index, too');
SELECT is(:'d4_differences'::text, ''::text, 'and by a kept plan after the settings changed');
SELECT is(:'d5_differences'::text, ''::text, 'by plain index scans');
SELECT is(:'d6_differences'::text, ''::text, 'by bitmap scans alone');
SELECT is(:'d7_differences'::text, ''::text, 'by reading whole tables');
SELECT is(:'d8_differences'::text, ''::text, 'past all that is remembered');
SELECT is(:'d9_differences'::text, ''::text, 'and past it by index');
SELECT is(:'d10_differences'::text, ''::text, 'row by row');

-- The cache has no room: each call keeps its own list.
SET seeme_rbac.cache_memory = '64kB';
SET SESSION AUTHORIZATION t_lister;
SET client_min_messages = error;
CALL oracle.compare('anew', '') \gset d11_
SET enable_seqscan = off;
CALL oracle.compare('cached', '') \gset d12_
RESET enable_seqscan;
RESET SESSION AUTHORIZATION;
RESET seeme_rbac.cache_memory;
SELECT is(:'d11_differences' || :'d12_differences', ''::text,
  'and without room for what is remembered');

-- Everything moves: roles, memberships, teams of projects, people.
UPDATE seeme.roles SET permissions = '{projects:read}' WHERE organization_id IS NOT NULL
  AND ascii(right(id::text, 1)) % 3 = 0;
DELETE FROM seeme.memberships WHERE project_id IS NOT NULL AND ascii(right(id::text, 1)) % 4 = 0;
UPDATE seeme.memberships SET valid_until = now() - interval '1 hour' WHERE team_id IS NOT NULL
  AND ascii(right(id::text, 1)) % 3 = 0 AND valid_from IS NULL;
UPDATE seeme.projects SET team_id = NULL WHERE ascii(right(id::text, 1)) % 2 = 0;
UPDATE seeme.organizations SET owner_id = (
  SELECT m.user_id FROM seeme.memberships m WHERE m.organization_id = organizations.id
    AND m.user_id <> owner_id AND m.team_id IS NULL AND m.project_id IS NULL ORDER BY m.user_id
    LIMIT 1)
 WHERE id = oracle.id('organization', 2);
SELECT oracle.foresee() \g /dev/null
SET SESSION AUTHORIZATION t_lister;
SET client_min_messages = error;
CALL oracle.compare('cached', '') \gset d13_
SET enable_seqscan = off;
CALL oracle.compare('anew', '') \gset d14_
RESET SESSION AUTHORIZATION;
SELECT is(:'d13_differences' || :'d14_differences', ''::text,
  'threat: something remembered outlives a change');

-- Archived: the owner sees the row, to bring it back. Nobody sees, or is shown by, what lies there.
CREATE TABLE oracle.before AS SELECT * FROM oracle.expected;
UPDATE seeme.organizations SET archived_at = now() WHERE id = oracle.id('organization', 3);
UPDATE seeme.teams SET archived_at = now()
 WHERE id IN (SELECT oracle.id('team', n) FROM generate_series(1, 12) AS n WHERE n % 4 < 2);
UPDATE seeme.projects SET archived_at = now()
 WHERE id IN (SELECT oracle.id('project', n) FROM generate_series(1, 36) AS n WHERE n % 3 = 1);
SELECT oracle.foresee() \g /dev/null
SELECT cmp_ok((SELECT count(DISTINCT relation) FROM oracle.expected e JOIN oracle.before b
  USING (n, relation) WHERE e.ids IS DISTINCT FROM b.ids), '>=', 8::bigint,
          'what is archived makes a difference to eight tables');
SET SESSION AUTHORIZATION t_lister;
SET client_min_messages = error;
CALL oracle.compare('cached', '') \gset d16_
CALL oracle.compare('anew', '') \gset d17_
SET enable_seqscan = off;
CALL oracle.compare('anew', '') \gset d18_
CALL oracle.compare('anew', '', true) \gset d19_
RESET enable_seqscan;
CALL oracle.compare('by id', '') \gset d20_
RESET SESSION AUTHORIZATION;
SELECT is(:'d16_differences' || :'d17_differences' || :'d18_differences' || :'d19_differences'
  || :'d20_differences', ''::text, 'threat: somebody has something in what is archived');
-- Brought back: as before.
UPDATE seeme.organizations SET archived_at = NULL WHERE archived_at IS NOT NULL;
UPDATE seeme.teams SET archived_at = NULL WHERE archived_at IS NOT NULL;
UPDATE seeme.projects SET archived_at = NULL WHERE archived_at IS NOT NULL;
DELETE FROM oracle.expected;
INSERT INTO oracle.expected SELECT * FROM oracle.before;
SET SESSION AUTHORIZATION t_lister;
SET client_min_messages = error;
CALL oracle.compare('cached', '') \gset d21_
CALL oracle.compare('anew', '') \gset d22_
RESET SESSION AUTHORIZATION;
SELECT is(:'d21_differences' || :'d22_differences', ''::text,
  'and when it is brought back, all is as it was');

-- With nobody identified: no rows at all.
SET SESSION AUTHORIZATION t_lister;
SET client_min_messages = error;
SELECT coalesce(string_agg(relation, ', '), '') AS d15
  FROM (SELECT DISTINCT relation FROM oracle.every_id) AS r
  WHERE oracle.seen_anew(relation) IS NOT NULL \gset
RESET SESSION AUTHORIZATION;
SELECT is(:'d15'::text, ''::text, 'nobody sees nothing');
SELECT * FROM finish();
\c :home
SET client_min_messages = warning;
DROP DATABASE seeme_own_lists;
DROP ROLE t_lister;
