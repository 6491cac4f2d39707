\i test/include/prelude.psql
-- What seeme_security_report() finds of the extension's own policies, triggers, views, functions,
-- columns, constraints and indexes: whichever version of PostgreSQL recorded them, as after
-- pg_upgrade. Cases as in security_report.sql.
SET client_min_messages = error;
BEGIN;
\i test/include/security_report.psql
SELECT plan(89);

SELECT is(pg_temp.lines(), NULL, 'a new database has no findings');
CREATE ROLE r_other;
CREATE ROLE r_admin SUPERUSER;
CREATE FUNCTION pg_temp.spoilt(text, spoil text, good text) RETURNS text
  LANGUAGE sql AS $$ SELECT replace(pg_get_functiondef($1::regprocedure), good, spoil) $$;

SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why, c.mend) FROM (VALUES
  (1, 'guard was changed', 'critical', 'seeme.roles',
  $$ALTER POLICY seeme_select ON seeme.roles USING (true)$$, 'a policy lets everything through',
  NULL),
  (2, 'guard was changed', 'critical', 'seeme.roles',
  $$ALTER POLICY seeme_insert ON seeme.roles TO r_other$$, 'a policy holds for some roles only',
  NULL),
  (3, 'guard was changed', 'critical', 'seeme.organizations',
  $$DROP TRIGGER seat_new_owner ON seeme.organizations;
     CREATE TRIGGER seat_new_owner AFTER UPDATE OF owner_id ON seeme.organizations FOR EACH ROW
       WHEN (OLD.id IS DISTINCT FROM NEW.id) EXECUTE FUNCTION seeme.seat_owner()$$,
       'a trigger has another condition', NULL),
  (4, 'guard was changed', 'critical', 'seeme.organizations',
  $$DROP TRIGGER seat_new_owner ON seeme.organizations;
     CREATE TRIGGER seat_new_owner AFTER UPDATE OF name ON seeme.organizations FOR EACH ROW
       WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id) EXECUTE FUNCTION seeme.seat_owner()$$,
       'a trigger looks at another column', NULL),
  (5, 'guard was changed', 'critical', 'seeme.memberships',
  $$DROP TRIGGER a_note_change_made ON seeme.memberships$$,
  'a trigger that fires always is gone, and always fires again', NULL),
  (6, 'guard was changed', 'critical', 'seeme_guard_own_tables',
  $$ALTER EXTENSION seeme_rbac DROP EVENT TRIGGER seeme_guard_own_tables; DROP EVENT TRIGGER
    seeme_guard_own_tables$$, 'an event trigger is gone', NULL),
  (7, 'function was changed', 'critical', 'seeme.provisions_users()',
  $$CREATE OR REPLACE FUNCTION seeme.provisions_users() RETURNS boolean
    LANGUAGE sql STABLE RETURN true$$, 'a function that is kept parsed says otherwise', NULL),
  (8, 'function was changed', 'critical', 'seeme.enforce_role_rules()',
  pg_temp.spoilt('seeme.enforce_role_rules()', 'IF true THEN', 'IF seeme.restoring() THEN'),
  'a function that is kept as text', NULL),
  (9, 'function was changed', 'critical', 'seeme.sees_user(uuid)',
  $$CREATE OR REPLACE FUNCTION seeme.sees_user(user_id uuid) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS 'SELECT true'$$,
    'a function of the library became another one', NULL),
  (10, 'function was changed', 'critical',
  'public.seeme_has_permission(text,uuid,uuid,uuid,uuid,text)',
  $$ALTER FUNCTION seeme_has_permission SUPPORT generate_series_int4_support$$,
  'the planner is told otherwise', NULL),
  (11, 'function was changed', 'critical', 'seeme.is_invited(text)',
  $$ALTER FUNCTION seeme.is_invited(text) SECURITY INVOKER$$, 'its rights', NULL),
  (12, 'function was changed', 'critical', 'seeme.is_invited(text)',
  $$ALTER FUNCTION seeme.is_invited(text) LEAKPROOF$$, 'it is said to leak nothing', NULL),
  (13, 'function was changed', 'critical', 'seeme.retire_ids()',
  $$ALTER FUNCTION seeme.retire_ids() RESET search_path$$, 'where it looks names up', NULL),
  (14, 'function was changed', 'critical', 'seeme.missing_permissions_below(uuid,uuid)',
  $$ALTER EXTENSION seeme_rbac DROP FUNCTION seeme.missing_permissions_below(uuid, uuid); DROP
    FUNCTION
    seeme.missing_permissions_below(uuid, uuid)$$, 'a function is gone', NULL),
  (15, 'view was changed', 'critical', 'seeme.team_members',
  $$ALTER VIEW seeme.team_members SET (security_invoker = false)$$,
  'a view shows what its owner sees', NULL),
  (16, 'view was changed', 'critical', 'seeme.organization_members',
  $$CREATE OR REPLACE VIEW seeme.organization_members
    WITH (security_invoker = true, check_option = local) AS
     SELECT id, organization_id, user_id, role_id, ''::text AS role_name, ''::text AS email,
       ''::text AS username, ''::text AS firstname, ''::text AS name, valid_from, valid_until
       FROM seeme.memberships$$,
       'a view has another query', NULL),
  (17, 'column was changed', 'high', 'seeme.memberships',
  $$ALTER TABLE seeme.memberships ALTER COLUMN user_id DROP NOT NULL$$, 'a membership of nobody',
  NULL),
  (18, 'column was changed', 'high', 'seeme.users',
  $$ALTER TABLE seeme.users ALTER COLUMN id DROP DEFAULT$$, 'ids are not made any more', NULL),
  (19, 'column was changed', 'high', 'seeme.organizations',
  $$ALTER TABLE seeme.organizations ALTER COLUMN website TYPE varchar(20)$$,
  'a column of another type', NULL),
  (20, 'constraint was changed', 'high', 'seeme.api_keys',
  $$ALTER TABLE seeme.api_keys DROP CONSTRAINT api_keys_id_is_not_zero$$, 'a constraint is gone',
  NULL),
  (21, 'constraint was changed', 'high', 'seeme.roles',
  $$ALTER TABLE seeme.roles DROP CONSTRAINT roles_name_is_given,
    ADD CONSTRAINT roles_name_is_given CHECK (name <> '') NOT VALID$$,
    'a constraint that is not valid', NULL),
  (22, 'constraint was changed', 'high', 'seeme.roles',
  $$ALTER TABLE seeme.roles DROP CONSTRAINT roles_name_is_given,
    ADD CONSTRAINT roles_name_is_given CHECK (name <> 'x')$$, 'a constraint says otherwise', NULL),
  (23, 'constraint was changed', 'high', 'seeme.teams',
  $$ALTER TABLE seeme.teams DROP CONSTRAINT teams_organization_id_fkey,
    ADD CONSTRAINT teams_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES
    seeme.organizations (id)$$, 'a foreign key takes nothing along', NULL),
  (24, 'index was changed', 'high', 'seeme.token_keys', $$DROP INDEX seeme.token_keys_kid_idx$$,
  'an index by which the library finds rows is gone', NULL),
  (25, 'index was changed', 'high', 'seeme.memberships',
  $$DROP INDEX seeme.memberships_role_id_idx; CREATE INDEX memberships_role_id_idx ON
    seeme.memberships (user_id)$$, 'another one goes by its name', NULL),
  (26, 'index was changed', 'high', 'seeme.logos',
  $$UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'seeme.logos_team_id_idx'::regclass$$,
  'an index is not valid', NULL),
  (27, 'owner was changed', 'high', 'seeme.memberships',
  $$ALTER TABLE seeme.memberships OWNER TO r_other$$, 'somebody else owns a table of the extension',
  NULL),
  (28, 'owner was changed', 'high', 'seeme.retire_ids()',
  $$ALTER FUNCTION seeme.retire_ids() OWNER TO r_other$$, 'with whose rights a function runs',
  NULL),
  (29, 'owner was changed', 'high', 'seeme_guard_own_tables',
  $$ALTER EVENT TRIGGER seeme_guard_own_tables OWNER TO r_admin$$, 'an event trigger', NULL),
  (36, 'extension''s owner is no superuser', 'high', 'r_other',
  $$UPDATE pg_extension SET extowner = 'r_other'::regrole WHERE extname = 'seeme_rbac'$$,
  'with whose rights its triggers run', $$UPDATE pg_extension SET extowner = 10
    WHERE extname = 'seeme_rbac'$$),
  (37, 'no part of the extension any more', 'high', 'seeme.token_keys',
  $$ALTER EXTENSION seeme_rbac DROP TABLE seeme.token_keys$$, 'a table', NULL),
  (38, 'no part of the extension any more', 'high', 'seeme.organization_members',
  $$ALTER EXTENSION seeme_rbac DROP VIEW seeme.organization_members$$, 'a view', NULL),
  (39, 'no part of the extension any more', 'high', 'public.seeme_review(uuid,interval)',
  $$ALTER EXTENSION seeme_rbac DROP FUNCTION seeme_review(uuid, interval)$$, 'a function', NULL),
  (40, 'no part of the extension any more', 'high', 'seeme_guard_own_tables',
  $$ALTER EXTENSION seeme_rbac DROP EVENT TRIGGER seeme_guard_own_tables$$, 'an event trigger',
  NULL),
  -- Records that say nothing
  (30, 'guard cannot be compared', 'high', 'seeme.installed_guards',
  $$DELETE FROM seeme.installed_guards$$, 'nothing is recorded',
  $$SELECT seeme.remember_guards()$$),
  (31, 'guard cannot be compared', 'high', 'seeme.logos',
  $$DELETE FROM seeme.installed_guards WHERE object = 'seeme.logos'$$, 'nothing of one table is',
  $$SELECT seeme.remember_guards()$$),
  (32, 'guard cannot be compared', 'high', 'seeme.logos',
  $$UPDATE seeme.installed_guards SET condition = 'seeme.was_there_once(id)'
    WHERE (kind, object, name) = ('policy', 'seeme.logos', 'seeme_select')$$,
    'a recorded condition names what is gone', $$SELECT seeme.remember_guards()$$),
  (33, 'guard cannot be compared', 'high', 'seeme.is_invited(text)',
  $$UPDATE seeme.installed_guards SET condition = 'RETURN seeme.was_there_once(email)'
    WHERE object = 'seeme.is_invited(text)'$$, 'so does a recorded body',
    $$SELECT seeme.remember_guards()$$),
  (34, 'guard cannot be compared', 'high', 'seeme.organizations',
  $$UPDATE seeme.installed_guards SET condition = 'seeme.was_there_once(OLD.id)'
    WHERE (kind, object, name) = ('trigger', 'seeme.organizations', 'seat_new_owner')$$,
    'and a condition of a trigger', $$SELECT seeme.remember_guards()$$),
  (35, 'table of the extension is gone', 'critical', 'seeme.logos',
  $$ALTER TABLE seeme.logos SET SCHEMA public$$, 'it was moved',
  $$ALTER TABLE public.logos SET SCHEMA seeme$$)
) AS c (n, name, severity, object, weakness, why, mend) ORDER BY c.n;

-- What another version of PostgreSQL put into words, or another one again: what means the same is
-- the same, and what was changed is found.
SELECT is(
  pg_temp.found($$UPDATE seeme.installed_guards SET condition = format('((%s))', condition)
    WHERE kind IN ('policy', 'constraint', 'trigger') AND condition IS NOT NULL;
    UPDATE seeme.installed_guards SET check_condition = format('((%s))', check_condition)
      WHERE check_condition IS NOT NULL;
    UPDATE seeme.installed_guards SET condition
      = regexp_replace(condition, '^ ?RETURN (.*)$', 'RETURN ((\1))') WHERE kind = 'function'
      AND condition LIKE '%RETURN%';
    UPDATE seeme.installed_guards SET condition
      = replace(replace(condition, E'\n', '  '), 'SELECT ', 'SELECT  ') WHERE kind = 'view'$$),
  NULL, 'after pg_upgrade: conditions, bodies and queries that another version put into other '
        'words are the same');
SELECT isnt((SELECT count(*) FROM seeme.installed_guards WHERE kind = 'view'
  AND replace(condition, E'\n', '  ') <> condition), 0::bigint,
  'after pg_upgrade: views among them');
SELECT is(
  pg_temp.found($$UPDATE seeme.installed_guards SET condition = format('((%s))', condition)
    WHERE condition IS NOT NULL AND kind = 'policy'; ALTER POLICY seeme_select ON seeme.memberships
    USING (true)$$),
  '{"critical | seeme.memberships | guard was changed: the policy seeme_select is not the one that '
  'the extension installed"}', 'after pg_upgrade: a policy that was changed is found all the same');
SELECT is((SELECT array_agg(split_part(l, ':', 1))
  FROM unnest(
  pg_temp.found($$UPDATE seeme.installed_guards SET condition = format('((%s))', condition)
    WHERE condition IS NOT NULL AND kind = 'trigger';
    DROP TRIGGER seat_new_owner ON seeme.organizations; CREATE TRIGGER seat_new_owner AFTER UPDATE
      OF owner_id ON seeme.organizations FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id)
      EXECUTE FUNCTION seeme.seat_owner()$$)) AS l),
  '{"critical | seeme.organizations | guard was changed"}',
  'after pg_upgrade: so is a trigger''s condition');
SELECT is((SELECT count(*) FROM seeme.installed_guards WHERE condition IS NOT NULL
  AND kind NOT IN ('trigger', 'view') AND seeme.recorded_in_words(kind, object, condition) IS
  DISTINCT FROM condition), 0::bigint,
  'what is recorded here is what this server says of it');

SELECT lives_ok($$ALTER EXTENSION seeme_rbac DROP TABLE seeme.token_keys; DROP TABLE
    seeme.token_keys; ALTER TABLE seeme.logos RENAME TO pictures; SELECT *
    FROM seeme_security_report()$$,
  'tables of the extension that are gone do the report no harm');
SELECT is((SELECT array_agg(severity || ' ' || object || ' ' || split_part(finding, ':', 1))
  FROM seeme_security_report() WHERE object IN
  ('seeme.pictures', 'seeme.logos', 'seeme.token_keys')),
  '{"critical seeme.logos table of the extension is gone","critical seeme.token_keys table of the '
  'extension is gone","high seeme.pictures guard cannot be compared"}', 'which says so');
ALTER TABLE seeme.api_keys RENAME COLUMN permissions TO codes;
SELECT is((SELECT array_agg(severity || ' ' || object || ' ' || split_part(finding, ':', 1))
  FROM seeme_security_report() WHERE object LIKE 'seeme.findings%' OR object = 'seeme.api_keys'
  AND finding LIKE 'column%'),
  '{"critical seeme.findings_on_model() report is incomplete","critical seeme.findings_on_people() '
  'report is incomplete","high seeme.api_keys column was changed"}',
  'report is incomplete: a part that fails does not hide the others');
SELECT * FROM finish();
ROLLBACK;
