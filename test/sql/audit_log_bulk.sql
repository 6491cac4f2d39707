-- The log is written once for a statement, and says what it said when it was written once for a row: of cascades, too.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(8);

-- What each row's own trigger would write: the function that wrote the log row by row.
CREATE TABLE t_log (LIKE seeme.audit_log);
ALTER TABLE t_log ALTER id DROP NOT NULL, ALTER database_role DROP NOT NULL, ALTER transaction_id DROP NOT NULL, ALTER occurred_at DROP NOT NULL;
CREATE FUNCTION t_write_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  secret  text[] := ARRAY['token_hash', 'key_hash', 'content', 'jwk'];
  before  jsonb;
  after   jsonb;
  subject jsonb;
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'updated_at' = to_jsonb(NEW) - 'updated_at' THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD) - secret; END IF;
  IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW) - secret; END IF;
  subject := coalesce(after, before);
  INSERT INTO public.t_log (organization_id, user_id, table_name, command, row_id, before, after)
  VALUES (CASE WHEN TG_TABLE_NAME = 'organizations' THEN subject ->> 'id' ELSE subject ->> 'organization_id' END::uuid,
          public.seeme_user_id(), TG_TABLE_NAME, TG_OP,
          coalesce(subject ->> 'id', subject ->> 'name', subject ->> 'table_name', subject ->> 'subject'), before, after);
  RETURN NULL;
END $$;
DO $$
DECLARE name regclass;
BEGIN
  FOR name IN SELECT DISTINCT t.tgrelid FROM pg_trigger t WHERE t.tgfoid = 'seeme.write_audit_log'::regproc LOOP
    EXECUTE format('CREATE TRIGGER zzz_log AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION t_write_log()', name);
  END LOOP;
END $$;
SELECT max(id) AS last FROM seeme.audit_log \gset
SELECT count(*) AS retired FROM seeme.retired_ids WHERE table_name = 'projects' \gset
CREATE FUNCTION pg_temp.differences(last bigint) RETURNS TABLE (side text, entry text) LANGUAGE sql AS $$
  WITH written AS (SELECT organization_id, user_id, table_name, command, row_id, before, after FROM seeme.audit_log WHERE id > last),
       expected AS (SELECT organization_id, user_id, table_name, command, row_id, before, after FROM t_log)
  SELECT 'missing', d::text FROM (TABLE expected EXCEPT ALL TABLE written) AS d
  UNION ALL SELECT 'too many', d::text FROM (TABLE written EXCEPT ALL TABLE expected) AS d
$$;

-- As a superuser
INSERT INTO seeme.users (id, username, email) SELECT ('a1000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'crowd' || n, 'crowd' || n || '@example.com' FROM generate_series(1, 300) AS n;
INSERT INTO seeme.memberships (organization_id, user_id, role_id) SELECT :acme, id, pg_temp.builtin('Member') FROM seeme.users WHERE username LIKE 'crowd%';
INSERT INTO seeme.projects (organization_id, team_id, name) SELECT :acme, :research, 'Project ' || n FROM generate_series(1, 50) AS n;
INSERT INTO seeme.memberships (project_id, user_id) SELECT p.id, u.id FROM seeme.projects p, seeme.users u WHERE p.name LIKE 'Project %' AND u.username LIKE 'crowd1_';
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) SELECT id, 'model', gen_random_uuid() FROM seeme.projects;
UPDATE seeme.users SET name = 'Crowd' || (length(username) % 2), updated_at = now() WHERE username LIKE 'crowd%';
UPDATE seeme.users SET name = 'Crowd0' WHERE username LIKE 'crowd%';
UPDATE seeme.users SET email = 'x' || email WHERE username LIKE 'crowd2%';
INSERT INTO seeme.permissions (name) VALUES ('papers:read'), ('papers:write');
UPDATE seeme.permissions SET description = 'Papers' WHERE resource = 'papers';
INSERT INTO seeme.resource_types (name, resource) VALUES ('paper', 'papers');
INSERT INTO seeme.external_identities (issuer, subject, user_id) SELECT 'https://issuer.example', username, id FROM seeme.users WHERE username LIKE 'crowd3%';
INSERT INTO seeme.organizations (name, owner_id) SELECT 'Organization ' || n, :olga FROM generate_series(1, 30) AS n;
SELECT is((SELECT count(*) > 1000 FROM t_log), true, 'much has changed');
SELECT is_empty(format('SELECT * FROM pg_temp.differences(%s)', :last), 'by a superuser: the log has an entry of each row');

-- As somebody, with secrets
SELECT pg_temp.become('olga') \g /dev/null
UPDATE seeme.memberships SET role_id = pg_temp.builtin('Viewer') WHERE role_id = pg_temp.builtin('Member');
UPDATE seeme.memberships SET valid_until = '2100-01-01' WHERE role_id = pg_temp.builtin('Viewer');
UPDATE seeme.projects SET description = 'x';
SELECT seeme_invite('new' || n || '@example.com', organization => :acme) FROM generate_series(1, 5) AS n \g /dev/null
SELECT seeme_create_api_key('key', '{*}') \g /dev/null
INSERT INTO seeme.roles (organization_id, name, permissions) SELECT :acme, 'Role ' || n, '{models:read}' FROM generate_series(1, 10) AS n;
DELETE FROM seeme.roles WHERE name LIKE 'Role %';
INSERT INTO seeme.logos (organization_id, filename, content) VALUES (:acme, 'logo.png', '\x89504e470d0a1a0a');
DELETE FROM seeme.memberships WHERE user_id IN (SELECT id FROM seeme.users WHERE username LIKE 'crowd1%');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is_empty(format('SELECT * FROM pg_temp.differences(%s)', :last), 'by somebody: the log has an entry of each row');
SELECT is_empty(format($$SELECT * FROM seeme.audit_log WHERE id > %s AND concat(before, after) ~ 'token_hash|key_hash|content|jwk'$$, :last), 'and no secret');

-- Cascades
DELETE FROM seeme.teams WHERE id = :research;
DELETE FROM seeme.organizations WHERE id = :acme;
DELETE FROM seeme.users WHERE username LIKE 'crowd%';
SELECT is_empty(format('SELECT * FROM pg_temp.differences(%s)', :last), 'of cascades: the log has an entry of each row');
SELECT ok((SELECT count(*) FROM seeme.audit_log WHERE id > :last AND command = 'DELETE' AND table_name = 'memberships') > 250, 'of all memberships that went');
SELECT is_empty(format($$SELECT * FROM seeme.audit_log WHERE id > %s AND (transaction_id <> pg_current_xact_id() OR database_role IS NULL OR occurred_at < now() OR application IS NULL)$$, :last),
  'each entry says when, and from where');
SELECT is((SELECT count(*) FROM seeme.retired_ids WHERE table_name = 'projects') - :retired, (SELECT count(*) FROM t_log WHERE command = 'DELETE' AND table_name = 'projects'), 'and the ids of what is deleted are retired');

SELECT * FROM finish();
ROLLBACK;
