\i test/include/prelude.psql
-- API keys: that a key is its user as far as its codes and its organization go, and that nothing
-- which its bearer may try makes it more. A transaction knows one key, so the people are committed,
-- have names of their own, and are removed at the end.
SET client_min_messages = error;
DROP SCHEMA IF EXISTS k_test CASCADE;
CREATE SCHEMA k_test;
GRANT USAGE ON SCHEMA k_test TO PUBLIC;
CREATE PROCEDURE k_test.clean() LANGUAGE plpgsql AS $$
DECLARE r name;
BEGIN
  IF EXISTS (SELECT FROM pg_policy WHERE polrelid = to_regclass('k_model')) THEN
    PERFORM seeme_unprotect('k_model');
  END IF;
  DROP TABLE IF EXISTS k_model;
  DELETE FROM seeme.organizations WHERE slug LIKE 'k-%-test';
  DELETE FROM seeme.users WHERE username LIKE 'k\_%';
  FOR r IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'k\_%' ORDER BY rolname = 'k_app' LOOP
    EXECUTE format('DROP OWNED BY %I', r);
    EXECUTE format('DROP ROLE %I', r);
  END LOOP;
END $$;
CALL k_test.clean();

-- Acme: olga its owner, adam Admin, edith Editor, vera Viewer, mike Manager (members, and reading
-- models), nora without a role, tess Editor in team Research, dora Editor; the service bot Viewer.
-- Globex: oscar its owner, edith Viewer, bot Member, and a service of its own, far. stan belongs
-- nowhere.
CREATE TABLE k_test.thing (name text PRIMARY KEY, value text NOT NULL);
INSERT INTO k_test.thing
  SELECT p, 'a2000000-0000-4000-8000-0000000000' || lpad(to_hex(n), 2, '0')
    FROM unnest(
    ARRAY['olga','adam','edith','vera','mike','nora','tess','dora','oscar','stan','bot','far'])
    WITH ORDINALITY AS v (p, n)
  UNION ALL VALUES ('acme', 'b2000000-0000-4000-8000-000000000001'),
  ('globex', 'b2000000-0000-4000-8000-000000000002'),
    ('research', 'c2000000-0000-4000-8000-000000000001'),
    ('labs', 'c2000000-0000-4000-8000-000000000002'),
    ('alpha', 'd2000000-0000-4000-8000-000000000001'),
    ('beta', 'd2000000-0000-4000-8000-000000000002'),
    ('delta', 'd2000000-0000-4000-8000-000000000003'),
    ('reader', 'e2000000-0000-4000-8000-000000000001'),
    ('manager', 'e2000000-0000-4000-8000-000000000002'),
    ('spare', 'e2000000-0000-4000-8000-000000000003'),
    ('vera_row', 'f2000000-0000-4000-8000-000000000001'),
    ('adam_row', 'f2000000-0000-4000-8000-000000000002'),
    ('beta_row', 'f2000000-0000-4000-8000-000000000003'),
    ('unknown', 'f2000000-0000-4000-8000-00000000ffff');
INSERT INTO k_test.thing SELECT r.name, r.id::text FROM seeme.roles r
  WHERE r.organization_id IS NULL;
CREATE FUNCTION k_test.id(thing_name text) RETURNS uuid
  LANGUAGE sql STABLE AS $$ SELECT t.value::uuid FROM k_test.thing t WHERE t.name = thing_name $$;
CREATE FUNCTION k_test.fill(statement text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE t record;
BEGIN
  FOR t IN SELECT * FROM k_test.thing LOOP
    statement := replace(statement, '{' || t.name || '}', quote_literal(t.value));
  END LOOP;
  RETURN statement;
END $$;
-- What a statement comes to, its error included
CREATE FUNCTION k_test.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE statement INTO answer;
  RETURN coalesce(answer, 'null');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

CREATE ROLE k_app NOLOGIN;
SELECT seeme_grant_usage('k_app') \g /dev/null
CREATE ROLE k_door LOGIN IN ROLE k_app;
CREATE ROLE k_gateway LOGIN IN ROLE k_app;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO k_gateway;
CREATE ROLE k_provisioner LOGIN IN ROLE k_app;
SELECT seeme_grant_provisioning('k_provisioner') \g /dev/null
DO $$
DECLARE person text;
BEGIN
  FOREACH person IN ARRAY
  ARRAY['olga','adam','edith','vera','mike','nora','tess','dora','oscar','stan','bot','far'] LOOP
    INSERT INTO seeme.users (id, username, email, firstname, name, is_service, database_role)
    VALUES (k_test.id(person), 'k_' || person, 'k_' || person || '@example.com', initcap(person),
      'Key', person IN ('bot', 'far'),
            CASE WHEN person NOT IN ('bot', 'far') THEN 'k_' || person END);
    IF person NOT IN ('bot', 'far') THEN
      EXECUTE format('CREATE ROLE %I LOGIN IN ROLE k_app', 'k_' || person);
    END IF;
  END LOOP;
END $$;
INSERT INTO seeme.organizations (id, name, slug, owner_id) VALUES
  (k_test.id('acme'), 'Acme of keys', 'k-acme-test', k_test.id('olga')),
  (k_test.id('globex'), 'Globex of keys', 'k-globex-test', k_test.id('oscar'));
UPDATE seeme.users SET service_organization_id
  = k_test.id(CASE username WHEN 'k_bot' THEN 'acme' ELSE 'globex' END) WHERE is_service
  AND username LIKE 'k\_%';
INSERT INTO seeme.teams (id, organization_id, name)
  VALUES (k_test.id('research'), k_test.id('acme'), 'Research'),
    (k_test.id('labs'), k_test.id('globex'), 'Labs');
INSERT INTO seeme.projects (id, organization_id, team_id, name) VALUES
  (k_test.id('alpha'), k_test.id('acme'), k_test.id('research'), 'Alpha'),
  (k_test.id('beta'), k_test.id('acme'), NULL, 'Beta'),
  (k_test.id('delta'), k_test.id('globex'), k_test.id('labs'), 'Delta');
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  (k_test.id('reader'), k_test.id('acme'), 'Reader', '{models:read}'),
  (k_test.id('manager'), k_test.id('acme'), 'Manager',
  '{organizations:manage_members,organizations:read,models:read}'),
  (k_test.id('spare'), k_test.id('acme'), 'Spare', '{roles:read,roles:update}');
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  SELECT k_test.id(o), k_test.id(p), k_test.id(r)
    FROM (VALUES ('acme', 'adam', 'Admin'), ('acme', 'edith', 'Editor'), ('acme', 'vera', 'Viewer'),
    ('acme', 'mike', 'manager'), ('acme', 'nora', NULL), ('acme', 'tess', NULL),
                 ('acme', 'dora', 'Editor'), ('acme', 'bot', 'Viewer'),
                 ('globex', 'edith', 'Viewer'), ('globex', 'bot', 'Member'),
                 ('globex', 'far', 'Viewer')) AS v (o, p, r);
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (k_test.id('acme'), k_test.id('research'), k_test.id('tess'), k_test.id('Editor'));
-- 800 models in Alpha, 700 in Beta, 500 in Delta of Globex; vera and adam own one each that is in
-- no project.
CREATE TABLE k_model (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), project_id uuid, owner_id uuid,
  name text);
INSERT INTO k_model (project_id, name) SELECT k_test.id(p),
  'model ' || n FROM (VALUES ('alpha', 800), ('beta', 699), ('delta', 500)) AS v (p, c),
  generate_series(1, c) AS n;
INSERT INTO k_model VALUES (k_test.id('vera_row'), NULL, k_test.id('vera'), 'vera''s'),
  (k_test.id('adam_row'), NULL, k_test.id('adam'), 'adam''s'),
  (k_test.id('beta_row'), k_test.id('beta'), NULL, 'of Beta');
CREATE INDEX ON k_model (project_id);
CREATE INDEX ON k_model (owner_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON k_model TO k_app;
SELECT seeme_protect('k_model', 'models', project_column => 'project_id',
  owner_column => 'owner_id') \g /dev/null
ANALYZE k_model;

-- A key of that name, made by a person ('super': a superuser with nobody identified); {key_NAME}
-- and {id_NAME} stand for it.
CREATE PROCEDURE k_test.make(key_name text, person text, arguments text) LANGUAGE plpgsql AS $$
DECLARE made record; statement text := k_test.fill(
  format('SELECT * FROM seeme_create_api_key(%L, %s)', key_name, arguments));
BEGIN
  IF person <> 'super' THEN PERFORM set_config('session_authorization', 'k_' || person, false);
    END IF;
  EXECUTE statement INTO made;
  PERFORM set_config('session_authorization', (SELECT rolname FROM pg_roles WHERE oid = 10), false);
  INSERT INTO k_test.thing VALUES ('key_' || key_name, made.key),
    ('id_' || key_name, made.id::text);
END $$;

-- Asks in a transaction of its own, which is undone, and keeps what came of the last of the
-- statements: its rows, or how many they were, or the SQLSTATE of whichever was refused. how: the
-- name of a key, logged in with from the application's role k_door; @person: by direct login;
-- @door: as that role with nobody identified; @super: as a superuser with nobody identified.
CREATE TABLE k_test.result (n integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, got text,
  expected text, description text);
CREATE FUNCTION k_test.run(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; line text; lines text[] := '{}'; n bigint;
BEGIN
  IF statement ~* '^\s*(select|with|explain)\M' OR statement ~* '\mreturning\M' THEN
    FOR r IN EXECUTE statement LOOP
      SELECT string_agg(coalesce(j.value, 'null'), '|' ORDER BY j.ordinality) INTO line
        FROM json_each_text(row_to_json(r)) WITH ORDINALITY AS j;
      lines := lines || coalesce(line, '');
    END LOOP;
    RETURN CASE WHEN cardinality(lines) = 0 THEN 'none' ELSE array_to_string(lines, ', ') END;
  END IF;
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n || CASE n WHEN 1 THEN ' row' ELSE ' rows' END;
END $$;
CREATE PROCEDURE k_test.ask(how text, statements text[], expected text, description text)
  LANGUAGE plpgsql AS $$
DECLARE
  outcome text; i integer; login text; filled text[] := '{}';
BEGIN
  FOR i IN 1 .. cardinality(statements) LOOP filled := filled || k_test.fill(statements[i]);
    END LOOP;
  IF how NOT LIKE '@%' THEN
    SELECT format('SELECT seeme_login(%L)', t.value) INTO STRICT login FROM k_test.thing t
      WHERE t.name = 'key_' || how;
  END IF;
  BEGIN
    IF how <> '@super' THEN
      PERFORM set_config('session_authorization',
        CASE WHEN how LIKE '@%' THEN 'k_' || substr(how, 2) ELSE 'k_door' END, false);
    END IF;
    IF login IS NOT NULL THEN EXECUTE login; END IF;
    FOR i IN 1 .. cardinality(filled) LOOP outcome := k_test.run(filled[i]); END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;
  EXCEPTION WHEN OTHERS THEN outcome := SQLSTATE;
  END;
  ROLLBACK;
  INSERT INTO k_test.result (got, expected, description)
    VALUES (outcome, ask.expected, ask.description);
  COMMIT;
END $$;
CREATE PROCEDURE k_test.keep(got text, expected text, description text) LANGUAGE sql AS $$
  INSERT INTO k_test.result (got, expected, description) VALUES (got, expected, description) $$;

-- What the asking person may do, as 'scope code', by each form of the question
CREATE FUNCTION k_test.covers(entry text, code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT entry = '*' OR entry = code
      OR entry LIKE '%:*' AND split_part(entry, ':', 1) = split_part(code, ':', 1)
      OR entry LIKE '*:%' AND split_part(entry, ':', 2) = split_part(code, ':', 2)
$$;
CREATE TABLE k_test.scope AS
  SELECT 'organization' AS level, o.id, o.id AS organization_id FROM seeme.organizations o
    WHERE o.slug LIKE 'k-%-test'
  UNION ALL SELECT 'team', t.id, t.organization_id FROM seeme.teams t
  WHERE t.id IN (k_test.id('research'), k_test.id('labs'))
  UNION ALL SELECT 'project', p.id, p.organization_id FROM seeme.projects p
  WHERE p.id IN (k_test.id('alpha'), k_test.id('beta'), k_test.id('delta'));
CREATE TABLE k_test.code AS
  SELECT name, name LIKE '%*%' AS is_wildcard FROM seeme.permissions
  UNION SELECT '*:' || split_part(name, ':', 2),
  true FROM seeme.permissions WHERE name NOT LIKE '%*%'
  UNION SELECT split_part(name, ':', 1) || ':*',
  true FROM seeme.permissions WHERE name NOT LIKE '%*%';
GRANT SELECT ON k_test.scope, k_test.code TO PUBLIC;
CREATE FUNCTION k_test.answers(form text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE answer text[];
BEGIN
  SELECT array_agg(s.id || ' ' || c.name ORDER BY s.id, c.name COLLATE "C") INTO answer
    FROM (SELECT z.*, CASE level WHEN 'organization' THEN id END AS o,
    CASE level WHEN 'team' THEN id END AS t, CASE level WHEN 'project' THEN id END AS p
    FROM k_test.scope z) AS s, k_test.code c
   WHERE CASE form
     WHEN 'check' THEN seeme_has_permission(c.name, organization => o, team => t, project => p)
     WHEN 'check about oneself' THEN seeme_user_has_permission(
     seeme_user_id(), c.name, organization => o, team => t, project => p)
     WHEN 'list' THEN NOT c.is_wildcard AND c.name
     = ANY (seeme_permissions(organization => o, team => t, project => p))
     WHEN 'places' THEN s.id = ANY (
     CASE level WHEN 'organization' THEN seeme_permitted_organizations(c.name) WHEN 'team'
     THEN seeme_permitted_teams(c.name) ELSE seeme_permitted_projects(c.name) END)
     WHEN 'explanation' THEN (SELECT bool_or(e.granted)
     FROM seeme_explain_permission(
     seeme_user_id(), c.name, organization => o, team => t, project => p) e) END;
  RETURN coalesce(answer, '{}');
END $$;
CREATE PROCEDURE k_test.agree(key_name text, person text) LANGUAGE plpgsql AS $$
DECLARE
  "all" text[]; expected text[]; concrete text[]; form text; got text[]; login text; narrowed
  seeme.api_keys;
BEGIN
  SELECT k.* INTO STRICT narrowed FROM seeme.api_keys k WHERE k.id = k_test.id('id_' || key_name);
  SELECT format('SELECT seeme_login(%L)', t.value) INTO STRICT login FROM k_test.thing t
    WHERE t.name = 'key_' || key_name;
  IF person IN ('bot', 'far') THEN  -- who has no database role
    PERFORM set_config('session_authorization', 'k_gateway', false);
    PERFORM seeme_assume(narrowed.user_id);
  ELSE
    PERFORM set_config('session_authorization', 'k_' || person, false);
  END IF;
  "all" := k_test.answers('check');
  ROLLBACK;
  SELECT coalesce(array_agg(a.line ORDER BY a.n), '{}') INTO expected
    FROM unnest("all") WITH ORDINALITY AS a (line, n)
    JOIN k_test.scope s ON s.id = split_part(a.line, ' ', 1)::uuid
   WHERE coalesce(narrowed.organization_id = s.organization_id, true)
     AND NOT EXISTS (SELECT FROM seeme.permissions p
                      WHERE p.name NOT LIKE '%*%'
                      AND k_test.covers(split_part(a.line, ' ', 2), p.name)
                        AND NOT EXISTS (
                        SELECT FROM unnest(narrowed.permissions) AS e
                          WHERE k_test.covers(e, p.name)));
  concrete := ARRAY(SELECT e FROM unnest(expected) WITH ORDINALITY AS u (e, n)
  WHERE e NOT LIKE '%*%' ORDER BY n);
  FOREACH form IN ARRAY ARRAY['check', 'check about oneself', 'list', 'places', 'explanation'] LOOP
    PERFORM set_config('session_authorization', 'k_door', false);
    EXECUTE login;
    got := k_test.answers(form);
    ROLLBACK;
    INSERT INTO k_test.result (got, expected, description)
    SELECT coalesce(string_agg(d, '; '), 'nothing'), 'nothing',
           format('agreement, %s by %s, of %s: held without the key and covered by it; what '
                  'differs', key_name, form, person)
      FROM (SELECT '+ ' || g FROM unnest(got) AS g WHERE g <> ALL (expected)
            UNION ALL SELECT '- ' || g FROM unnest(
            CASE form WHEN 'list' THEN concrete ELSE expected END) AS g WHERE g <> ALL (got)
            LIMIT 5) AS v (d);
    COMMIT;
  END LOOP;
END $$;

-- The keys
CALL k_test.make('edith_read', 'edith', $$'{models:read}'$$);
CALL k_test.make('edith_data', 'edith', $$'{datasets:read}'$$);
CALL k_test.make('edith_models', 'edith', $$'{models:*}'$$);
CALL k_test.make('edith_reads', 'edith', $$'{*:read}'$$);
CALL k_test.make('edith_all', 'edith', $$'{*}'$$);
CALL k_test.make('edith_acme', 'edith', $$'{*}', organization => {acme}$$);
CALL k_test.make('edith_globex', 'edith', $$'{models:*,*:list}', organization => {globex}$$);
CALL k_test.make('edith_delete', 'edith', $$'{models:delete,models:read}'$$);
CALL k_test.make('vera_all', 'vera', $$'{*}'$$);
CALL k_test.make('vera_read', 'vera', $$'{models:read}'$$);
CALL k_test.make('vera_write', 'vera', $$'{models:read,models:create,models:update}'$$);
CALL k_test.make('vera_delete', 'vera', $$'{models:delete,models:read}'$$);
CALL k_test.make('vera_data', 'vera', $$'{datasets:*}'$$);
CALL k_test.make('vera_acme', 'vera', $$'{*}', organization => {acme}$$);
CALL k_test.make('nora_all', 'nora', $$'{*}'$$);
CALL k_test.make('nora_own', 'nora', $$'{organizations:read}'$$);
CALL k_test.make('nora_leave', 'nora', $$'{organizations:read,organizations:manage_members}'$$);
CALL k_test.make('nora_read', 'nora', $$'{models:read}'$$);
CALL k_test.make('nora_acme', 'nora', $$'{*}', organization => {acme}$$);
CALL k_test.make('tess_all', 'tess', $$'{*}'$$);
CALL k_test.make('tess_read', 'tess', $$'{models:read}'$$);
CALL k_test.make('adam_all', 'adam', $$'{*}'$$);
CALL k_test.make('adam_members', 'adam', $$'{organizations:read,organizations:manage_members}'$$);
CALL k_test.make('adam_members_models', 'adam',
  $$'{organizations:read,organizations:manage_members,models:read}'$$);
CALL k_test.make('adam_roles', 'adam', $$'{roles:*}'$$);
CALL k_test.make('adam_projects', 'adam', $$'{projects:read,projects:update}'$$);
CALL k_test.make('adam_share', 'adam', $$'{projects:read,projects:update,models:share}'$$);
CALL k_test.make('olga_all', 'olga', $$'{*}'$$);
CALL k_test.make('olga_reads', 'olga', $$'{*:read,*:list}'$$);
CALL k_test.make('olga_acme', 'olga', $$'{*}', organization => {acme}$$);
CALL k_test.make('stan_all', 'stan', $$'{*}'$$);
CALL k_test.make('stan_read', 'stan', $$'{models:read}'$$);
CALL k_test.make('mike_bot', 'mike', $$'{models:read}', organization => {acme}, user_id => {bot}$$);
CALL k_test.make('olga_bot', 'olga', $$'{*}', organization => {acme}, user_id => {bot}$$);
CALL k_test.make('bot_all', 'super', $$'{*}', user_id => {bot}$$);
CALL k_test.make('dora', 'dora', $$'{models:read}'$$);
CALL k_test.make('expired', 'edith', $$'{models:read}', valid_for => '1 day'$$);
CALL k_test.make('revoked', 'edith', $$'{models:read}'$$);
UPDATE seeme.users SET disabled_at = '2020-01-01' WHERE id = k_test.id('dora');
UPDATE seeme.api_keys SET expires_at = clock_timestamp() - interval '1 second'
  WHERE id = k_test.id('id_expired');
DELETE FROM seeme.api_keys WHERE id = k_test.id('id_revoked');

-- Making one
\set create 'SELECT count(*) FROM seeme_create_api_key'
CALL k_test.ask('@edith',
  ARRAY[$$SELECT (k).id IS NOT NULL AS i, (k).user_id = {edith} AS u,
    (k).organization_id = {acme} AS o, (k).name, (k).permissions,
    (k).expires_at - (k).created_at BETWEEN '6 days 23:59:00' AND '7 days 00:01:00' AS e,
  (k).key ~ '^[[:graph:]]{43,}$' AS k FROM (
  SELECT seeme_create_api_key(name => 'Nightly', permissions => '{models:read,datasets:*}',
    organization => {acme}, valid_for => '7 days') AS k OFFSET 0) AS v$$],
  'true|true|true|Nightly|["models:read","datasets:*"]|true|true',
  'a key comes with its id, user, organization, name, permissions, text and dates');
CALL k_test.ask('@edith',
  ARRAY[$$SELECT (seeme_create_api_key('Nightly', '{models:read}')).expires_at$$], 'null',
  'without valid_for it does not expire');
CALL k_test.ask('@edith',
  ARRAY[$$SELECT count(DISTINCT (seeme_create_api_key('Nightly', '{models:read}')).key)
    FROM generate_series(1, 50)$$], '50', 'no two keys are alike');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{*}')$$], '1',
  'a key for oneself may name what one does not hold: it only narrows');
CALL k_test.ask('@stan', ARRAY[:'create' || $$('x', '{organizations:delete,*:read}')$$], '1',
  'also by somebody who belongs nowhere');
CALL k_test.ask('@vera', ARRAY[:'create' || $$('x', '{*}', user_id => {vera})$$], '1',
  'oneself may be named');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{models:fly}')$$], '22023',
  'an unknown code');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{models:read,model:read}')$$], '22023',
  'an unknown code among known ones');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{*:*}')$$], '22023',
  'a wildcard that is none');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{unicorns:*}')$$], '22023',
  'a wildcard that covers nothing');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{models:read,NULL}')$$], '22004',
  'a code that is null');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{}')$$], '22023', 'no codes');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', NULL)$$], '22023', 'codes that are null');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{*}', valid_for => '0')$$], '22023',
  'valid for no time');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{*}', valid_for => '-1 second')$$], '22023',
  'valid for less than that');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('x', '{*}', valid_for => '1 month -31 days')$$],
  '22023', 'valid until a day that has passed, by the calendar or by the count of days');
CALL k_test.ask('@edith', ARRAY[:'create' || $$(NULL, '{*}')$$], '22023', 'without a name');
CALL k_test.ask('@edith', ARRAY[:'create' || $$('  ', '{*}')$$], '23514', 'with an empty one');
CALL k_test.ask('@edith', ARRAY[:'create' || $$(repeat('x', 1000), '{*}')$$], '22001',
  'with one that is too long');
CALL k_test.ask('@door', ARRAY[:'create' || $$('x', '{*}')$$], '22023',
  'nobody makes a key of nobody');
CALL k_test.ask('@door', ARRAY[:'create' || $$('x', '{*}', user_id => {edith})$$], '42501',
  'threat: nobody makes a key of somebody');
CALL k_test.ask('@gateway', ARRAY[:'create' || $$('x', '{*}', user_id => {edith})$$], '42501',
  'threat: the gateway itself does');
CALL k_test.ask('@super', ARRAY[:'create' || $$('x', '{*}', user_id => {edith})$$], '1',
  'a superuser with nobody identified makes keys for anybody');
CALL k_test.ask('@dora',
  ARRAY[$$SELECT k_test.try('SELECT seeme_create_api_key(''x'', ''{*}'')') ~ '^(42501|22023)$'
    AS refused$$], 'true', 'threat: somebody disabled makes a key');
CALL k_test.ask('@vera', ARRAY[:'create' || $$('x', '{*}', organization => {globex})$$], '42501',
  'a key for an organization that one does not belong to');
CALL k_test.ask('@vera', ARRAY[:'create' || $$('x', '{*}', organization => {unknown})$$], '42501',
  'for one that does not exist: the same error');
CALL k_test.ask('@edith',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {acme}, user_id => {vera})$$],
  '42501', 'threat: a key of somebody else');
CALL k_test.ask('@adam',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {acme}, user_id => {vera})$$],
  '42501', 'threat: by the Admin');
CALL k_test.ask('@olga',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {acme}, user_id => {adam})$$],
  '42501', 'threat: by the owner');
CALL k_test.ask('@adam',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {acme}, user_id => {unknown})$$],
  '42501', 'of somebody unknown: the same error');

-- Of a service
CALL k_test.ask('@mike',
  ARRAY[$$SELECT (k).user_id = {bot} AS u, (k).organization_id = {acme} AS o
    FROM seeme_create_api_key('x', '{models:read}', organization => {acme}, user_id => {bot}) k$$],
    'true|true', 'who manages the members makes a key of a service among them');
CALL k_test.ask('@mike',
  ARRAY[:'create' || $$('x', '{models:read,datasets:read}', organization => {acme},
    user_id => {bot})$$], '42501',
    'threat: with a code that they do not hold, for the service does');
CALL k_test.ask('@mike',
  ARRAY[:'create' || $$('x', '{*:read}', organization => {acme}, user_id => {bot})$$], '42501',
  'threat: with a wildcard');
CALL k_test.ask('@mike',
  ARRAY[:'create' || $$('x', '{models:*}', organization => {acme}, user_id => {bot})$$], '42501',
  'threat: with a wildcard of which they hold a part');
CALL k_test.ask('@adam',
  ARRAY[:'create' || $$('x', '{*}', organization => {acme}, user_id => {bot})$$], '42501',
  'threat: an Admin, who does not hold everything, with *');
CALL k_test.ask('@adam',
  ARRAY[:'create' || $$('x', '{models:*,*:read}', organization => {acme}, user_id => {bot})$$], '1',
  'while wildcards that they hold are well');
CALL k_test.ask('@edith',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {acme}, user_id => {bot})$$], '42501',
  'threat: an Editor, who manages no members');
CALL k_test.ask('@mike', ARRAY[:'create' || $$('x', '{models:read}', user_id => {bot})$$], '42501',
  'threat: of the service everywhere');
CALL k_test.ask('@mike',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {globex}, user_id => {bot})$$],
  '42501', 'threat: of the service in its other organization');
CALL k_test.ask('@mike',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {acme}, user_id => {far})$$], '42501',
  'of a service that is no member');
CALL k_test.ask('@oscar',
  ARRAY[:'create' || $$('x', '{*}', organization => {acme}, user_id => {bot})$$], '42501',
  'threat: another organization''s owner');
CALL k_test.ask('@stan',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {acme}, user_id => {bot})$$], '42501',
  'threat: a stranger');

-- Logging in
CALL k_test.ask('edith_read', ARRAY['SELECT seeme_user_id() = {edith} AS me'], 'true',
  'who bears a key is its user');
CALL k_test.ask('mike_bot', ARRAY['SELECT seeme_user_id() = {bot} AS me'], 'true',
  'a service, too');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login({key_edith_read}) = {edith} AS me'], 'true',
  'seeme_login answers with the user');
CREATE FUNCTION k_test.complaint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE m text; d text; h text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
  RETURN concat_ws(' / ', SQLSTATE, m, d, h);
END $$;
CALL k_test.ask('@door', ARRAY['SELECT seeme_login({key_expired})'], '28000', 'an expired key');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login({key_revoked})'], '28000', 'a revoked key');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login({key_dora})'], '28000',
  'a key of somebody disabled');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login(''seeme_key_'' || repeat(''0'', 64))'], '28000',
  'an unknown key');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login(NULL)'], '28000', 'no key');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login('''')'], '28000', 'an empty one');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login(repeat(''x'', 1000000))'], '28000',
  'a very long one');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login(left({key_edith_read}, 16))'], '28000',
  'threat: the prefix that is shown');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login({key_edith_read} || '' '')'], '28000',
  'threat: a key with something after it');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login(upper({key_edith_read}))'], '28000',
  'threat: a key in capitals');
CALL k_test.ask('@door', ARRAY['SELECT seeme_login({id_edith_read})'], '28000',
  'threat: the key''s id');
CALL k_test.ask('@door',
  ARRAY[$$SELECT count(DISTINCT k_test.complaint(format('SELECT seeme_login(%L)', k)))
    FROM unnest(ARRAY[{key_expired}, {key_revoked}, {key_dora}, 'unknown', NULL]) AS k$$], '1',
    'threat: telling from the error which it was');
CALL k_test.ask('@door',
  ARRAY[$$SELECT k_test.complaint('SELECT seeme_login(''s3cret'')') LIKE '%s3cret%' AS shown$$],
  'false', 'the error does not repeat the key');
CALL k_test.ask('@door',
  ARRAY[$$SELECT k_test.try(format('SELECT seeme_login(%L)', {key_revoked})),
    coalesce(seeme_user_id()::text, 'nobody') AS who, (SELECT count(*) FROM k_model) AS seen$$],
    '28000|nobody|0', 'a refused login leaves nobody');
CALL k_test.ask('edith_read', ARRAY['SELECT count(*) FROM k_model'], '2000',
  'a key that reaches models:read shows the models that its user sees');
CALL k_test.ask('edith_data', ARRAY['SELECT count(*) FROM k_model'], '0',
  'one that does not shows none');
CALL k_test.ask('vera_all', ARRAY['SELECT count(*) FROM k_model'], '1501',
  'a key of everything: what its user sees, their own included');
CALL k_test.ask('@vera', ARRAY['SELECT count(*) FROM k_model'], '1501', 'as they do without it');
CALL k_test.ask('stan_all', ARRAY['SELECT count(*) FROM k_model'], '0',
  'threat: * of somebody who belongs nowhere');
CALL k_test.ask('tess_all', ARRAY['SELECT count(*), bool_and(project_id = {alpha}) FROM k_model'],
  '800|true', 'threat: * of somebody who has one team''s projects');
CALL k_test.ask('mike_bot', ARRAY['SELECT count(*) FROM k_model'], '1500',
  'a service sees what it may where its key is for');
CALL k_test.ask('edith_read', ARRAY['UPDATE k_model SET name = name'], '0 rows',
  'threat: writing with a key for reading');
CALL k_test.ask('edith_read', ARRAY['DELETE FROM k_model'], '0 rows', 'threat: deleting with it');
CALL k_test.ask('edith_read',
  ARRAY[$$INSERT INTO k_model (project_id, name) VALUES ({alpha}, 'x')$$], '42501',
  'threat: adding with it');
CALL k_test.ask('edith_models',
  ARRAY[$$INSERT INTO k_model (project_id, name) VALUES ({alpha}, 'x')$$], '1 row',
  'which a key for models does');
CALL k_test.ask('edith_models', ARRAY['UPDATE k_model SET name = name'], '1500 rows',
  'and changing, where its user may');
CALL k_test.ask('edith_delete', ARRAY['DELETE FROM k_model'], '0 rows',
  'threat: a key for what its user may not do');

-- Once per transaction
\set narrow '(SELECT seeme_has_permission(''models:read'', project => {beta})) AS r, (SELECT seeme_has_permission(''models:update'', project => {beta})) AS u'
CALL k_test.ask('edith_read', ARRAY['SELECT seeme_login({key_edith_all})'], '28000',
  'threat: a second key of the same person, that is wider');
CALL k_test.ask('edith_read',
  ARRAY['SELECT k_test.try(format(''SELECT seeme_login(%L)'', {key_edith_all})), seeme_user_id() = '
        '{edith} AS me, ' || :'narrow'], '28000|true|true|false', 'after which the first counts');
CALL k_test.ask('edith_read', ARRAY['SELECT seeme_login({key_olga_all})'], '28000',
  'threat: a second key, somebody else''s');
CALL k_test.ask('edith_all', ARRAY['SELECT seeme_login({key_edith_read})'], '28000',
  'nor a second that is narrower');
CALL k_test.ask('edith_read', ARRAY['SELECT seeme_login({key_edith_read}) = {edith} AS me'], 'true',
  'while the same key again is well');
CALL k_test.ask('@edith', ARRAY['SELECT seeme_login({key_edith_all})'], '28000',
  'somebody who connected with their own database role is somebody already');
CALL k_test.ask('@edith', ARRAY['SELECT seeme_login({key_olga_all})'], '28000',
  'threat: and does not become another by a key');
CALL k_test.ask('@gateway', ARRAY['SELECT seeme_login({key_edith_read})',
  'SELECT seeme_assume({edith})'], '28000',
  'threat: seeme_assume of the same person after a login');
CALL k_test.ask('@gateway', ARRAY['SELECT seeme_login({key_edith_read})',
  'SELECT seeme_assume({olga})'], '28000', 'threat: of another');
CALL k_test.ask('@gateway', ARRAY['SELECT seeme_login({key_edith_read})',
  'SELECT k_test.try(format(''SELECT seeme_assume(%L)'', {edith})), ' || :'narrow'],
  '28000|true|false', 'after which the key counts');
CALL k_test.ask('@gateway', ARRAY['SELECT seeme_assume({edith})',
  'SELECT seeme_login({key_edith_all})'], '28000', 'nor a login after seeme_assume');
CALL k_test.ask('edith_read', ARRAY['SELECT seeme_assume({edith})'], '42501',
  'the application''s role may not call it at all');
-- Logs in within a subtransaction, and undoes that
CREATE FUNCTION k_test.undone(login text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM seeme_login(login);
  RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN coalesce(seeme_user_id()::text, 'nobody');
END $$;
CALL k_test.ask('@gateway', ARRAY['SELECT k_test.undone({key_edith_read})'], 'nobody',
  'a rollback to a savepoint undoes a login');
CALL k_test.ask('@gateway', ARRAY['SELECT k_test.undone({key_edith_read})',
  'SELECT seeme_login({key_edith_all})'], '28000',
  'threat: undoing the login in order to log in with a wider key');
CALL k_test.ask('@gateway', ARRAY['SELECT k_test.undone({key_edith_read})',
  'SELECT seeme_assume({edith})'], '28000', 'threat: or to be assumed');
CALL k_test.ask('@gateway', ARRAY['SELECT k_test.undone({key_edith_read})',
  'SELECT seeme_login({key_edith_read})', 'SELECT ' || :'narrow'], 'true|false',
  'while the same key is well');

-- Forging
CALL k_test.ask('edith_read',
  ARRAY[$$SELECT k_test.try(s) ~ '^[0-9A-Z]{5}$' AS refused, seeme_user_id() = {edith} AS me, $$
  || :'narrow' || $$ FROM unnest(ARRAY[
  format('SELECT set_config(''seeme_rbac.user_id'', %L, true)', {olga}),
    format('SELECT set_config(''seeme_rbac.user_id'', %L, true)', {edith}),
    format('SELECT set_config(''seeme_rbac.user_id'', %L, false)', {edith}),
  format('SELECT set_config(''seeme_rbac.user_id'', %L, true)',
    concat({edith}, '/', {id_edith_all})),
    'SELECT set_config(''seeme_rbac.user_id'', NULL, true)',
    format('SET LOCAL seeme_rbac.user_id = %L', {edith}), 'RESET seeme_rbac.user_id',
  format('SELECT seeme.login_by_key(%L, %L, false)', {edith}, {id_edith_all})]) AS s$$],
  'true|true|true|false, true|true|true|false, true|true|true|false, true|true|true|false, '
  'true|true|true|false, true|true|true|false, true|true|true|false, true|true|true|false',
  'threat: forging seeme_rbac.user_id, with a wider key or with none');
CALL k_test.ask('edith_read', ARRAY['RESET ALL',
  'SELECT seeme_user_id() = {edith} AS me, ' || :'narrow'], 'true|true|false', 'threat: RESET ALL');
CALL k_test.ask('edith_read',
  ARRAY[$$SELECT set_config('seeme_rbac.current_organization', {globex}, true)$$,
  'SELECT ' || :'narrow'], 'true|false', 'threat: another current organization');
CALL k_test.ask('edith_read', ARRAY['SET ROLE k_app', 'SELECT ' || :'narrow'], 'true|false',
  'threat: SET ROLE');
CREATE FUNCTION k_test.become(uuid, uuid) RETURNS void
  LANGUAGE sql SECURITY DEFINER AS $$ SELECT seeme.login_by_key($1, $2, false) $$;
GRANT EXECUTE ON FUNCTION seeme.login_by_key(uuid, uuid, boolean) TO k_gateway;
ALTER FUNCTION k_test.become(uuid, uuid) OWNER TO k_gateway;
CALL k_test.ask('@door', ARRAY['SELECT k_test.become({edith}, {id_edith_all})'], '42501',
  'threat: seeme.login_by_key, granted by mistake');
REVOKE EXECUTE ON FUNCTION seeme.login_by_key(uuid, uuid, boolean) FROM k_gateway;

-- Keys by key
CALL k_test.ask('edith_read', ARRAY[:'create' || $$('x', '{*}')$$], '42501',
  'threat: a wider key made by a narrow one');
CALL k_test.ask('edith_all', ARRAY[:'create' || $$('x', '{models:read}')$$], '42501',
  'nor a narrower one by one of everything');
CALL k_test.ask('adam_all',
  ARRAY[:'create' || $$('x', '{models:read}', organization => {acme}, user_id => {bot})$$], '42501',
  'threat: a key of a service, by key');
CALL k_test.ask('edith_all', ARRAY['SELECT count(*) FROM seeme.api_keys'], '0',
  'a key shows no keys');
CALL k_test.ask('adam_all', ARRAY['SELECT count(*) FROM seeme.api_keys'], '0',
  'threat: nor an Admin''s those of the organization');
CALL k_test.ask('edith_all', ARRAY['DELETE FROM seeme.api_keys'], '0 rows',
  'threat: revoking its user''s other keys');
CALL k_test.ask('adam_all', ARRAY['DELETE FROM seeme.api_keys'], '0 rows',
  'threat: revoking those of the organization');
CALL k_test.ask('edith_all', ARRAY[$$UPDATE seeme.api_keys SET permissions = '{*}'$$], '42501',
  'threat: widening a key in its row');
CALL k_test.ask('@edith', ARRAY[$$UPDATE seeme.api_keys SET permissions = '{*}'$$], '42501',
  'not without a key either');
CALL k_test.ask('@edith',
  ARRAY[$$INSERT INTO seeme.api_keys (user_id, permissions, name, key_prefix, key_hash)
    VALUES ({olga}, '{*}', 'x', 'x', sha256('x'))$$], '42501',
      'threat: writing a key''s row oneself');
CALL k_test.ask('@edith', ARRAY['SELECT key_hash FROM seeme.api_keys'], '42501',
  'threat: reading the hashes of keys');
CALL k_test.ask('@edith', ARRAY['SELECT * FROM seeme.api_keys'], '42501',
  'threat: with all other columns');
CALL k_test.ask('@adam',
  ARRAY[$$SELECT count(*) FROM seeme.api_keys WHERE key_hash = sha256('x')$$], '42501',
  'threat: comparing them');
CALL k_test.ask('@adam', ARRAY['SELECT k FROM seeme.api_keys k'], '42501', 'threat: as whole rows');
CALL k_test.ask('@edith', ARRAY['DELETE FROM seeme.api_keys RETURNING key_hash'], '42501',
  'threat: by RETURNING');
CALL k_test.ask('edith_all', ARRAY['SELECT key_hash FROM seeme.api_keys'], '42501',
  'threat: by key');
CALL k_test.ask('@super',
  ARRAY[$$SELECT count(*) > 30 AS logged, count(*) FILTER (WHERE a::text ~ 'key_hash') AS hashes,
    count(*) FILTER (WHERE EXISTS (
    SELECT FROM k_test.thing t WHERE t.name LIKE 'key\_%' AND position(t.value IN a::text) > 0))
      AS keys
  FROM seeme.audit_log a WHERE a.table_name = 'api_keys'
  AND a.row_id IN (SELECT value FROM k_test.thing)$$], 'true|0|0',
  'the audit log has no hash and no key');
CALL k_test.ask('@super',
  ARRAY[$$SELECT command, user_id = {edith} AS by_edith,
    coalesce(after, before) ->> 'name' FROM seeme.audit_log WHERE row_id = {id_edith_models}
    ORDER BY id$$], 'INSERT|true|edith_models', 'but says who made which');
CALL k_test.ask('@super',
  ARRAY[$$SELECT count(*) FROM seeme.api_keys k JOIN k_test.thing i ON i.value = k.id::text
    JOIN k_test.thing t ON t.name = replace(i.name, 'id_', 'key_')
    WHERE k.key_hash <> sha256(t.value::bytea) OR k::text LIKE '%' || t.value || '%'$$], '0',
    'what is stored is the SHA-256 of a key and never the key');
CALL k_test.ask('@super',
  ARRAY[$$SELECT count(*) FROM seeme.api_keys k JOIN k_test.thing i ON i.value = k.id::text
    JOIN k_test.thing t ON t.name = replace(i.name, 'id_', 'key_')
    WHERE k.key_prefix <> left(t.value, length(k.key_prefix))
    OR length(t.value) - length(k.key_prefix) < 43$$], '0',
    'and a prefix that leaves the most of it secret');

-- Keys without a key
CALL k_test.ask('@edith',
  ARRAY[$$SELECT count(*), bool_and(user_id = {edith}) FROM seeme.api_keys
    WHERE name LIKE 'edith%'$$], '8|true', 'one sees one''s own keys');
CALL k_test.ask('@edith', ARRAY['SELECT count(*) FROM seeme.api_keys WHERE user_id <> {edith}'],
  '0', 'and nobody else''s');
CALL k_test.ask('@adam',
  ARRAY['SELECT string_agg(name, '' '' ORDER BY name) FROM seeme.api_keys WHERE user_id <> {adam}'],
  'edith_acme mike_bot nora_acme olga_acme olga_bot vera_acme',
  'who manages members sees the keys for their organization');
CALL k_test.ask('@oscar', ARRAY['SELECT string_agg(name, '' '' ORDER BY name) FROM seeme.api_keys'],
  'edith_globex', 'each for theirs');
CALL k_test.ask('@door', ARRAY['SELECT count(*) FROM seeme.api_keys'], '0', 'nobody none');
CALL k_test.ask('@edith', ARRAY['DELETE FROM seeme.api_keys WHERE id = {id_edith_all}'], '1 row',
  'one revokes one''s own');
CALL k_test.ask('@edith', ARRAY['DELETE FROM seeme.api_keys WHERE id = {id_vera_all}'], '0 rows',
  'and nobody else''s');
CALL k_test.ask('@mike',
  ARRAY['DELETE FROM seeme.api_keys WHERE id IN ({id_mike_bot}, {id_edith_acme}, {id_edith_all}, '
        '{id_edith_globex})'], '2 rows', 'who manages members those for their organization');

-- What needs no role: owned rows, leaving, one's own rows
CALL k_test.ask('vera_read', ARRAY['SELECT name FROM k_model WHERE id = {vera_row}'], 'vera''s',
  'a key for reading shows the row that its user owns');
CALL k_test.ask('vera_read', ARRAY['DELETE FROM k_model WHERE id = {vera_row}'], '0 rows',
  'threat: deleting what the user owns, with a key for reading');
CALL k_test.ask('vera_read', ARRAY['UPDATE k_model SET name = ''x'' WHERE id = {vera_row}'],
  '0 rows', 'threat: changing it');
CALL k_test.ask('vera_write', ARRAY['UPDATE k_model SET name = ''x'' WHERE id = {vera_row}'],
  '1 row', 'which takes models:update');
CALL k_test.ask('vera_write', ARRAY['DELETE FROM k_model WHERE id = {vera_row}'], '0 rows',
  'threat: deleting it with a key for writing');
CALL k_test.ask('vera_delete', ARRAY['DELETE FROM k_model WHERE id = {vera_row}'], '1 row',
  'which takes models:delete');
CALL k_test.ask('vera_delete', ARRAY['UPDATE k_model SET name = ''x'' WHERE id = {vera_row}'],
  '0 rows', 'and no more');
CALL k_test.ask('vera_all', ARRAY['DELETE FROM k_model'], '1 row',
  'a key of everything deletes what its user owns, and nothing else of a Viewer''s');
CALL k_test.ask('vera_data', ARRAY['SELECT count(*) FROM k_model'], '0',
  'a key for something else shows none');
CALL k_test.ask('vera_acme',
  ARRAY['SELECT count(*) FILTER (WHERE owner_id IS NOT NULL), count(*) FROM k_model'], '0|1500',
  'nor does one for Acme show what is in no organization');
CALL k_test.ask('vera_acme', ARRAY['DELETE FROM k_model'], '0 rows',
  'threat: deleting it with a key for Acme');
CALL k_test.ask('vera_acme', ARRAY[$$INSERT INTO k_model (owner_id, name) VALUES ({vera}, 'x')$$],
  '42501', 'threat: adding such a row with it');
CALL k_test.ask('vera_read', ARRAY[$$INSERT INTO k_model (owner_id, name) VALUES ({vera}, 'x')$$],
  '42501', 'threat: with a key for reading');
CALL k_test.ask('vera_write', ARRAY[$$INSERT INTO k_model (owner_id, name) VALUES ({vera}, 'x')$$],
  '1 row', 'which takes models:create');
CALL k_test.ask('vera_delete', ARRAY['UPDATE k_model SET owner_id = {stan} WHERE id = {vera_row}'],
  '0 rows', 'threat: giving the row away with a key for deleting');
CALL k_test.ask('edith_acme',
  ARRAY['UPDATE k_model SET project_id = {delta} WHERE id = {beta_row}'], '42501',
  'threat: moving a row out of Acme with a key for Acme');
CALL k_test.ask('nora_own', ARRAY['SELECT count(*) FROM seeme.memberships'], '1',
  'a key for organizations:read shows the user''s own membership');
CALL k_test.ask('nora_all', ARRAY['SELECT count(*) FROM seeme.memberships'], '1',
  'so does one of everything');
CALL k_test.ask('nora_read', ARRAY['SELECT count(*) FROM seeme.memberships'], '0',
  'one for models does not');
CALL k_test.ask('nora_acme', ARRAY['SELECT count(*) FROM seeme.memberships'], '0',
  'nor one for an organization alone');
CALL k_test.ask('nora_leave', ARRAY['DELETE FROM seeme.memberships WHERE user_id = {nora}'],
  '1 row', 'leaving takes organizations:manage_members');
CALL k_test.ask('nora_all', ARRAY['DELETE FROM seeme.organization_members WHERE user_id = {nora}'],
  '1 row', 'or everything');
CALL k_test.ask('nora_own', ARRAY['DELETE FROM seeme.memberships'], '0 rows',
  'threat: making the user leave with a key for reading');
CALL k_test.ask('nora_read', ARRAY['DELETE FROM seeme.memberships'], '0 rows',
  'threat: with a key for models');
CALL k_test.ask('nora_acme', ARRAY['DELETE FROM seeme.memberships'], '0 rows',
  'threat: with a key for Acme');
CALL k_test.ask('stan_all',
  ARRAY[$$INSERT INTO seeme.organizations (name, owner_id) VALUES ('K', {stan})$$], '1 row',
  'making an organization takes a key that reaches organizations:create');
CALL k_test.ask('stan_read',
  ARRAY[$$INSERT INTO seeme.organizations (name, owner_id) VALUES ('K', {stan})$$], '42501',
  'threat: an organization made with a key for models');
CALL k_test.ask('edith_acme',
  ARRAY[$$INSERT INTO seeme.organizations (name, owner_id) VALUES ('K', {edith})$$], '42501',
  'threat: with a key for Acme');
CALL k_test.ask('olga_reads', ARRAY['DELETE FROM seeme.organizations'], '0 rows',
  'threat: deleting the organization that the user owns, with a key for reading');
CALL k_test.ask('olga_reads', ARRAY[$$UPDATE seeme.organizations SET name = 'x'$$], '0 rows',
  'threat: renaming it');
CALL k_test.ask('olga_acme', ARRAY['DELETE FROM seeme.organizations RETURNING name'],
  'Acme of keys', 'an owner''s key of everything in Acme deletes it');

CALL k_test.ask('nora_own', ARRAY['SELECT name FROM seeme.organizations'], 'Acme of keys',
  'a key for organizations:read shows the user''s organization');
CALL k_test.ask('nora_read', ARRAY['SELECT name FROM seeme.organizations'], 'none',
  'threat: reading the user''s organizations with a key for models');
CALL k_test.ask('tess_read', ARRAY['SELECT name FROM seeme.teams'], 'none',
  'threat: reading the user''s teams with it');
CALL k_test.ask('tess_read', ARRAY['SELECT name FROM seeme.projects'], 'none',
  'threat: reading their projects');

-- Members and roles
CALL k_test.ask('adam_roles',
  ARRAY['INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({acme}, {stan}, '
        'NULL)'], '42501', 'threat: adding a member with an Admin''s key for something else');
CALL k_test.ask('adam_members',
  ARRAY['INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({acme}, {stan}, '
        'NULL)'], '1 row', 'which takes organizations:manage_members');
CALL k_test.ask('adam_members',
  ARRAY['INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({acme}, {stan}, '
        '{reader})'], '42501', 'threat: with a role whose codes the key does not reach');
CALL k_test.ask('adam_members_models',
  ARRAY['INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({acme}, {stan}, '
        '{reader})'], '1 row', 'which is well where it does');
CALL k_test.ask('adam_members_models',
  ARRAY['INSERT INTO seeme.organization_members (organization_id, user_id, role_id) VALUES '
        '({acme}, {stan}, {Admin})'], '42501', 'threat: an accomplice as Admin');
CALL k_test.ask('adam_members',
  ARRAY['UPDATE seeme.organization_members SET role_id = {Admin} WHERE user_id = {nora}'], '42501',
  'threat: making an accomplice Admin');
CALL k_test.ask('adam_members',
  ARRAY['DELETE FROM seeme.organization_members WHERE user_id = {edith}'], '42501',
  'threat: throwing out who holds what the key does not reach');
CALL k_test.ask('adam_members',
  ARRAY[$$SELECT seeme_invite('accomplice@example.com', organization => {acme},
    role_id => {Admin})$$], '42501', 'threat: inviting an Admin');
CALL k_test.ask('adam_roles',
  ARRAY[$$SELECT seeme_invite('accomplice@example.com', organization => {acme})$$], '42501',
  'threat: inviting at all with a key for something else');
CALL k_test.ask('edith_acme',
  ARRAY['INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({acme}, {stan}, '
        '{Viewer})'], '42501', 'threat: * of somebody who manages no members');
CALL k_test.ask('adam_roles',
  ARRAY[$$UPDATE seeme.roles SET permissions = '{models:read,models:delete}' WHERE id = {reader}$$],
  '42501', 'threat: a role that the key may edit is given what it does not reach');
CALL k_test.ask('adam_roles',
  ARRAY[$$UPDATE seeme.roles SET permissions = '{*}' WHERE id = {spare}$$], '42501',
  'threat: or everything');
CALL k_test.ask('adam_roles',
  ARRAY[$$UPDATE seeme.roles SET permissions = '{}' WHERE id = {reader}$$], '42501',
  'threat: or has that taken away');
CALL k_test.ask('adam_roles',
  ARRAY[$$UPDATE seeme.roles SET permissions = '{roles:*}' WHERE id = {spare}$$], '1 row',
  'what it reaches is well');
CALL k_test.ask('adam_roles',
  ARRAY[$$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{models:read}')$$], '42501', 'threat: a new role with more');
CALL k_test.ask('adam_members',
  ARRAY[$$UPDATE seeme.roles SET permissions = permissions || '{organizations:read}'
    WHERE id = {reader}$$], '0 rows', 'threat: editing a role with a key for members');
UPDATE seeme.roles SET permissions = '{*}' WHERE id = k_test.id('manager');
CALL k_test.make('mike_read', 'mike', $$'{models:read}'$$);
CALL k_test.ask('mike_read', ARRAY['SELECT ' || :'narrow'
  || $$, seeme_permissions(project => {beta})$$], 'true|false|["models:read"]',
  'a role that becomes more makes its user''s keys no more');
UPDATE seeme.roles SET permissions = '{organizations:manage_members,organizations:read}'
  WHERE id = k_test.id('manager');
CALL k_test.ask('mike_read', ARRAY['SELECT ' || :'narrow'], 'false|false',
  'one that becomes less makes them less');
CALL k_test.ask('mike_bot', ARRAY['SELECT ' || :'narrow'], '28000',
  'and silences that of the service, which they could not make now');
UPDATE seeme.roles SET permissions = '{organizations:manage_members,organizations:read,models:read}'
  WHERE id = k_test.id('manager');

-- Assigning, invitations, ownership, logos, provisioning
CALL k_test.ask('adam_projects',
  ARRAY[$$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({beta}, 'model', {adam_row})$$], '42501',
      'threat: assigning what the user owns, with a key that does not reach models:share');
CALL k_test.ask('adam_share',
  ARRAY[$$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({beta}, 'model', {adam_row})$$], '1 row', 'which is well where it does');
CALL k_test.ask('adam_projects',
  ARRAY[$$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({beta}, 'dataset', gen_random_uuid())$$], '42501',
      'threat: assigning what is new, with a key that does not reach its create');
SELECT (seeme_invite('k_stan@example.com', organization => k_test.id('acme'),
  role_id => k_test.id('reader'))).token AS token \gset
INSERT INTO k_test.thing VALUES ('token', :'token');
CALL k_test.ask('stan_all', ARRAY['SELECT seeme_accept_invitation({token})'], '22023',
  'threat: accepting the user''s invitation by key');
CALL k_test.ask('@stan', ARRAY['SELECT seeme_accept_invitation({token}) IS NOT NULL AS accepted'],
  'true', 'which they do themselves');
CALL k_test.ask('stan_all', ARRAY['SELECT seeme_login({token})'], '28000',
  'an invitation''s token is no key');
CALL k_test.ask('@stan', ARRAY['SELECT seeme_accept_invitation({key_stan_all})'], '22023',
  'nor a key an invitation');
CALL k_test.ask('stan_read', ARRAY['SELECT count(*) FROM seeme.invitations'], '0',
  'threat: reading the user''s invitations with a key for models');
CALL k_test.ask('stan_all', ARRAY['SELECT count(*) FROM seeme.invitations'], '1',
  'which a key of everything shows');
CALL k_test.ask('olga_all', ARRAY['SELECT seeme_transfer_ownership({acme}, {adam})'], '42501',
  'threat: transferring what the user owns by key');
CALL k_test.ask('olga_acme', ARRAY['SELECT seeme_transfer_ownership({acme}, {adam})'], '42501',
  'threat: by a key for that organization');
CALL k_test.ask('olga_all',
  ARRAY['UPDATE seeme.organizations SET owner_id = {adam} WHERE id = {acme}'], '42501',
  'threat: by writing owner_id');
CALL k_test.ask('adam_projects',
  ARRAY[$$INSERT INTO seeme.logos (organization_id, filename, content)
    VALUES ({acme}, 'x.png', '\x89504e470d0a1a0a')$$], '42501',
      'threat: the organization''s logo with a key for projects');
CALL k_test.ask('@provisioner', ARRAY['SELECT seeme_login({key_stan_all})',
  $$UPDATE seeme.users SET email = 'k_thief@example.com' WHERE id = {olga}$$], '0 rows',
  'threat: a key that comes through the provisioning role''s connection');
CALL k_test.ask('@provisioner', ARRAY['SELECT seeme_login({key_stan_all})',
  $$INSERT INTO seeme.users (username, email) VALUES ('k_new', 'k_new@example.com')$$], '42501',
  'threat: and adds users');
CALL k_test.ask('edith_all', ARRAY['SELECT count(*) FROM seeme.audit_log'], '0',
  'a key shows no audit log that its user does not see');
CALL k_test.ask('adam_roles', ARRAY['SELECT count(*) FROM seeme.audit_log'], '0',
  'threat: reading the audit log with an Admin''s key for roles');
CALL k_test.ask('adam_roles',
  ARRAY[$$SELECT seeme_user_has_permission({vera}, 'models:read', project => {alpha}) AS told,
    (SELECT count(*) FROM seeme_permitted_users('models:read', project => {alpha}) AS u
    WHERE u <> {adam}) AS others, (
    SELECT count(*) FROM seeme_explain_permission({vera}, 'models:read', project => {alpha}))
      AS why$$],
  'false|0|0', 'threat: asking about others with an Admin''s key for roles');
CALL k_test.ask('adam_roles',
  ARRAY[$$SELECT count(*) FROM seeme_permission_matrix(organization => {acme}) m
    WHERE m.permission NOT LIKE 'roles:%'$$], '0', 'threat: or by the matrix');
CALL k_test.ask('adam_roles', ARRAY['SELECT count(*) FROM seeme.memberships'], '0',
  'threat: listing members with it');
CALL k_test.ask('adam_roles', ARRAY['SELECT count(*) FROM seeme.teams'], '0',
  'threat: listing teams with it');
CALL k_test.ask('edith_read',
  ARRAY[$$SELECT c ->> 'user_id' = {edith} AS me,
    c -> 'permissions' FROM (SELECT set_config('seeme_rbac.current_organization', {acme}, true)
    OFFSET 0) AS s, LATERAL (SELECT seeme_current_user_context() AS c) AS v$$],
    'true|["models:read"]', 'the context shows what the key reaches');

-- One organization
CALL k_test.ask('edith_acme',
  ARRAY['SELECT count(*), count(*) FILTER (WHERE project_id = {delta}) FROM k_model'], '1500|0',
  'threat: a key for Acme in Globex: rows');
CALL k_test.ask('edith_acme',
  ARRAY[$$SELECT seeme_has_permission('models:read', project => {delta}) AS p,
    seeme_has_permission('models:read', team => {labs}) AS t,
    seeme_has_permission('models:read', organization => {globex}) AS o,
    seeme_has_permission('models:read', project => {alpha}) AS a$$], 'false|false|false|true',
    'threat: checks');
CALL k_test.ask('edith_acme',
  ARRAY[$$SELECT array_length(seeme_permissions(project => {delta}), 1) AS p,
    {delta} = ANY (seeme_permitted_projects('models:read')::text[]) AS l,
    {alpha} = ANY (seeme_permitted_projects('models:read')::text[]) AS a$$], 'null|false|true',
    'threat: lists');
CALL k_test.ask('edith_acme',
  ARRAY['SELECT count(*) FROM seeme.memberships WHERE organization_id = {globex}'], '0',
  'threat: members');
CALL k_test.ask('edith_acme',
  ARRAY['SELECT name FROM seeme.projects WHERE organization_id = {globex}'], 'none',
  'threat: projects');
CALL k_test.ask('edith_acme', ARRAY['SELECT name FROM seeme.organizations WHERE id = {globex}'],
  'none', 'threat: the organization itself');
CALL k_test.ask('edith_acme',
  ARRAY[$$SELECT set_config('seeme_rbac.current_organization', {globex}, true)$$,
  $$SELECT (c -> 'current_organization' ->> 'id') = {acme} AS acme,
    jsonb_array_length(c -> 'organizations') AS organizations
    FROM seeme_current_user_context() AS c$$], 'true|1',
    'threat: by making it the current organization: the only one is Acme');
CALL k_test.ask('edith_globex',
  ARRAY['SELECT count(*), bool_and(project_id = {delta}) FROM k_model'], '500|true',
  'a key for Globex, where its user is a Viewer, shows what is there');
CALL k_test.ask('edith_globex', ARRAY['UPDATE k_model SET name = name'], '0 rows',
  'threat: and does not do there what they may in Acme');
CALL k_test.ask('olga_bot',
  ARRAY['SELECT count(*), count(*) FILTER (WHERE project_id = {delta}), '
        'bool_or(seeme_has_permission(''projects:list'', organization => {globex})) FROM k_model'],
        '1500|0|false', 'threat: a service''s key for Acme in its other organization');
CALL k_test.ask('olga_bot',
  ARRAY['SELECT seeme_has_permission(''models:update'', project => {alpha})'], 'false',
  'threat: a service''s key of everything, made by the owner, is no more than the service');

-- What changes meanwhile, in the open transaction: each time what is seen before and after
CREATE PROCEDURE k_test.meanwhile(key_name text, change text, expected text, description text)
  LANGUAGE plpgsql AS $$
DECLARE
  super name := session_user; login text; before text; after text; statement text :=
  k_test.fill(change);
  seen text :=
  k_test.fill(
  'SELECT (seeme_user_id() IS NOT NULL) || '' '' || seeme_has_permission(''models:read'', project '
  '=> {alpha}) || '' '' || (SELECT count(*) FROM k_model)');
BEGIN
  SELECT t.value INTO STRICT login FROM k_test.thing t WHERE t.name = 'key_' || key_name;
  PERFORM set_config('session_authorization', 'k_door', false);
  PERFORM seeme_login(login);
  EXECUTE seen INTO before;
  PERFORM set_config('session_authorization', super, false);
  EXECUTE statement;
  PERFORM set_config('session_authorization', 'k_door', false);
  EXECUTE seen INTO after;
  after := after || ' ' || k_test.try(format('SELECT seeme_login(%L) IS NOT NULL', login));
  ROLLBACK;
  INSERT INTO k_test.result (got, expected, description)
    VALUES (before || ', ' || after, meanwhile.expected, meanwhile.description);
  COMMIT;
END $$;
CALL k_test.meanwhile('edith_read', 'SELECT 1', 'true true 2000, true true 2000 true',
  'a key that stays is good for the whole transaction');
CALL k_test.meanwhile('edith_read', 'DELETE FROM seeme.api_keys WHERE id = {id_edith_read}',
  'true true 2000, false false 0 28000',
  'a key that is deleted is no good from the next statement on');
CALL k_test.meanwhile('edith_read',
  'UPDATE seeme.api_keys SET expires_at = clock_timestamp() WHERE id = {id_edith_read}',
  'true true 2000, false false 0 28000', 'one that expires neither');
CALL k_test.meanwhile('edith_read',
  'UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = {edith}',
  'true true 2000, false false 0 28000', 'one of somebody who is disabled neither');
CALL k_test.meanwhile('edith_read',
  'UPDATE seeme.api_keys SET permissions = ''{datasets:read}'' WHERE id = {id_edith_read}',
  'true true 2000, true false 0 true', 'one that is narrowed by an administrator narrows at once');
CALL k_test.meanwhile('edith_read',
  'UPDATE seeme.api_keys SET user_id = {olga} WHERE id = {id_edith_read}',
  'true true 2000, false false 0 28000',
  'one that is given to somebody else is not the former one''s');
CALL k_test.meanwhile('edith_read',
  'DELETE FROM seeme.memberships WHERE user_id = {edith} AND organization_id = {acme}',
  'true true 2000, true false 500 true',
  'somebody who is taken out of the organization has nothing left in it');
CALL k_test.meanwhile('edith_acme', 'DELETE FROM seeme.organizations WHERE id = {acme}',
  'true true 1500, false false 0 28000', 'a key for an organization goes with it');
CALL k_test.ask('@super', ARRAY['DELETE FROM seeme.users WHERE id = {bot}',
  'SELECT count(*) FROM seeme.api_keys WHERE id IN ({id_bot_all}, {id_mike_bot})'], '0',
  'keys go with their user');
CALL k_test.meanwhile('mike_bot',
  'DELETE FROM seeme.memberships WHERE user_id = {bot} AND organization_id = {acme}',
  'true true 1500, false false 0 28000',
  'a service that is taken out of the organization has nothing left in it');

-- One connection, several keys in turn, one statement prepared before any of them; then parallel
-- workers
\c -
\i test/include/prelude.psql
SET client_min_messages = error;
SET SESSION AUTHORIZATION k_gateway;
PREPARE k_count AS SELECT count(*) FROM k_model;
RESET SESSION AUTHORIZATION;
SELECT k_test.id('edith') AS edith, (SELECT value FROM k_test.thing WHERE name = 'key_edith_acme')
  AS acme_key, (SELECT value FROM k_test.thing WHERE name = 'key_edith_data') AS data_key,
       (SELECT value FROM k_test.thing WHERE name = 'key_edith_read') AS read_key \gset
SET SESSION AUTHORIZATION k_gateway;
BEGIN; SELECT seeme_login(:'acme_key') AS p \gset
EXECUTE k_count \gset acme_
COMMIT;
SELECT coalesce(seeme_user_id()::text, 'nobody') AS between \gset
BEGIN; SELECT seeme_assume(:'edith') AS p \gset
EXECUTE k_count \gset assumed_
COMMIT;
BEGIN; SELECT seeme_login(:'data_key') AS p \gset
EXECUTE k_count \gset data_
ROLLBACK;
BEGIN; SELECT seeme_login(:'read_key') AS p \gset
EXECUTE k_count \gset read_
ROLLBACK;
EXECUTE k_count \gset nobody_
DEALLOCATE k_count;
RESET SESSION AUTHORIZATION;
CALL k_test.keep(concat_ws(' ', :'acme_count', :'assumed_count', :'data_count', :'read_count',
  :'nobody_count'), '1500 2000 0 2000 0', 'a prepared statement serves one key after the other');
CALL k_test.keep(:'between', 'nobody', 'a login ends with its transaction');
CREATE FUNCTION k_test.workers(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; launched boolean := false;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    launched := launched OR line ~ 'Workers Launched: [1-9]';
  END LOOP;
  RETURN CASE WHEN launched THEN 'launched' ELSE 'none' END;
END $$;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SET SESSION AUTHORIZATION k_door;
BEGIN; SELECT seeme_login(:'acme_key') AS p \gset
SELECT k_test.workers('SELECT count(*) FROM k_model WHERE name <> ''y''') AS workers \gset
SELECT count(*) AS count, count(*) FILTER (WHERE project_id::text LIKE '%3') AS elsewhere
  FROM k_model WHERE name <> 'y' \gset parallel_
COMMIT;
RESET SESSION AUTHORIZATION;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET
max_parallel_workers_per_gather; RESET parallel_leader_participation;
CALL k_test.keep(concat_ws(' ', :'workers', :'parallel_count', :'parallel_elsewhere'),
  'launched 1500 0', 'parallel workers know of the key');

-- When it was last used
CREATE FUNCTION k_test.used(key_name text) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(extract(epoch FROM clock_timestamp() - max(used_at))::int::text, 'never')
    FROM seeme.api_key_uses WHERE key_id = k_test.id('id_' || key_name) $$;
SELECT value AS key FROM k_test.thing WHERE name = 'key_tess_all' \gset
SELECT k_test.used('tess_all') AS at_first \gset
SET SESSION AUTHORIZATION k_door;
BEGIN READ ONLY; SELECT seeme_login(:'key') AS p \gset
SELECT count(*) AS read_only FROM k_model \gset
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT seeme_login(:'key') AS p \gset
SELECT count(*) AS repeatable FROM k_model \gset
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT seeme_login(:'key') AS p \gset
SELECT count(*) AS serializable FROM k_model \gset
COMMIT;
RESET SESSION AUTHORIZATION;
CALL k_test.keep(concat_ws(' ', :'read_only', :'repeatable', :'serializable'), '800 800 800',
  'a key is good in READ ONLY, REPEATABLE READ and SERIALIZABLE transactions');
SELECT k_test.used('tess_all') AS still \gset
CALL k_test.keep(concat_ws(' ', :'at_first', :'still'), 'never never',
  'which do not keep when it was used');
SET SESSION AUTHORIZATION k_door;
BEGIN; SELECT seeme_login(:'key') AS p \gset
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT k_test.used('tess_all') AS undone \gset
SET SESSION AUTHORIZATION k_door;
BEGIN; SELECT seeme_login(:'key') AS p \gset
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT k_test.used('tess_all')::int < 60 AS now,
  max(used_at) AS first FROM seeme.api_key_uses WHERE key_id = k_test.id('id_tess_all') \gset
SET SESSION AUTHORIZATION k_door;
BEGIN; SELECT seeme_login(:'key') AS p \gset
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT max(used_at) = :'first' AS same FROM seeme.api_key_uses
  WHERE key_id = k_test.id('id_tess_all') \gset
UPDATE seeme.api_key_uses SET used_at = clock_timestamp() - interval '61 seconds'
  WHERE key_id = k_test.id('id_tess_all');
SET SESSION AUTHORIZATION k_door;
BEGIN; SELECT seeme_login(:'key') AS p \gset
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT k_test.used('tess_all')::int < 60 AS anew \gset
CALL k_test.keep(concat_ws(' ', :'undone', :'now', :'same', :'anew'), 'never t t t',
  'a READ COMMITTED one does, when it commits, once a minute');
CALL k_test.ask('@super',
  ARRAY[$$SELECT count(*) FROM seeme.audit_log WHERE row_id = {id_tess_all}
    AND command = 'UPDATE'$$], '0', 'using a key writes nothing to the audit log');
DELETE FROM seeme.api_key_uses WHERE key_id IN
  (k_test.id('id_edith_all'), k_test.id('id_edith_acme'));
INSERT INTO seeme.api_key_uses VALUES (
  k_test.id('id_edith_all'), clock_timestamp() - interval '100 days'),
  (k_test.id('id_edith_acme'), clock_timestamp() - interval '100 days');
CALL k_test.ask('@edith',
  ARRAY[$$SELECT string_agg(subject, ' ' ORDER BY subject) FROM seeme_review(NULL)
    WHERE finding = 'key is dormant'$$], 'edith_acme edith_all',
    'the review shows one''s own keys that nobody used');
CALL k_test.ask('@adam',
  ARRAY[$$SELECT string_agg(subject, ' ' ORDER BY subject) FROM seeme_review({acme})
    WHERE finding = 'key is dormant'$$], 'edith_acme',
    'and those for an organization to who manages its members');
CALL k_test.ask('edith_all',
  ARRAY[$$SELECT count(*) FROM seeme_review() WHERE finding LIKE 'key%'$$], '0',
  'and none to who came by a key');

-- Agreement: held without the key, and covered by it
CALL k_test.agree('edith_read', 'edith');
CALL k_test.agree('edith_models', 'edith');
CALL k_test.agree('edith_reads', 'edith');
CALL k_test.agree('edith_all', 'edith');
CALL k_test.agree('edith_acme', 'edith');
CALL k_test.agree('edith_globex', 'edith');
CALL k_test.agree('vera_all', 'vera');
CALL k_test.agree('tess_all', 'tess');
CALL k_test.agree('adam_all', 'adam');
CALL k_test.agree('adam_members_models', 'adam');
CALL k_test.agree('olga_all', 'olga');
CALL k_test.agree('olga_reads', 'olga');
CALL k_test.agree('stan_all', 'stan');
CALL k_test.agree('olga_bot', 'bot');
CALL k_test.agree('bot_all', 'bot');

SELECT plan(304);
SELECT is(r.got, r.expected, r.description) FROM k_test.result r ORDER BY r.n;
SELECT throws_ok($$UPDATE seeme.api_keys SET id = '00000000-0000-0000-0000-000000000000'
    WHERE id = (SELECT min(id::text)::uuid FROM seeme.api_keys)$$, '23514', NULL,
                 'threat: no key has the id under which a person without a key is remembered');
SELECT * FROM finish();

CALL k_test.clean();
DROP SCHEMA k_test CASCADE;
