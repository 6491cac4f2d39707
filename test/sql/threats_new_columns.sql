-- A column that is added to a table of the extension is protected until a rule lists it among the
-- columns that may change. This test adds a column to each table that an application's role may
-- UPDATE, and tries to change it.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(25);

INSERT INTO seeme.logos (project_id, filename, content)
  VALUES (:alpha, 'a.png', '\x89504e470d0a1a0a');
INSERT INTO seeme.permissions (name) VALUES ('notes:read');

SELECT set_eq($$
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'seeme' AND c.relkind = 'r'
       AND has_any_column_privilege('t_app', c.oid, 'UPDATE')$$,
  '{organizations,teams,projects,roles,memberships,logos}'::text[],
  'these are the tables that an application''s role may UPDATE');

CREATE ROLE t_provisioning NOLOGIN;
SELECT seeme_grant_provisioning('t_provisioning');
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY '{organizations,teams,projects,roles,memberships,logos,users,permissions,'
                        'resource_types}'::text[] LOOP
    EXECUTE format('ALTER TABLE seeme.%I ADD COLUMN t_new text DEFAULT ''old''', name);
  END LOOP;
END $$;
GRANT UPDATE ON seeme.users TO t_provisioning;

-- The owner of the organization may change everything that anybody may change.
SELECT pg_temp.become('olga') \g /dev/null
SELECT throws_ok(format('UPDATE seeme.%I SET t_new = %L', name, 'new'), '23514', NULL,
         format('threat: a member sets a new column of seeme.%s', name))
  FROM unnest('{organizations,teams,projects,memberships,logos}'::text[]) AS t (name);
SELECT throws_ok($$UPDATE seeme.roles SET t_new = 'new' WHERE organization_id IS NOT NULL$$,
  '23514',
  NULL, 'threat: a member sets a new column of seeme.roles');
SELECT throws_ok($$UPDATE seeme.organizations SET t_new = 'new', name = 'Other'$$, '23514',
  'column "t_new" of seeme.organizations never changes',
  'a new column does not change together with one that may change');
SELECT lives_ok(format('UPDATE seeme.%I SET t_new = t_new', name),
         format('a statement may set a new column of seeme.%s to the value that it has', name))
  FROM unnest('{organizations,teams,projects,memberships,logos}'::text[]) AS t (name);
SELECT lives_ok(s, 'what may change still changes: ' || s)
  FROM unnest(ARRAY[
    $$UPDATE seeme.organizations SET name = 'Acme Inc.', description = 'd', website = 'w'$$,
    $$UPDATE seeme.teams SET name = name || ' 2', description = 'd', slug = slug || '-2'$$,
    $$UPDATE seeme.projects SET team_id = NULL, description = 'd'$$,
    $$UPDATE seeme.roles SET name = name || ' 2', description = 'd', permissions = '{models:read}'
       WHERE organization_id IS NOT NULL$$,
    $$UPDATE seeme.memberships SET valid_until = 'infinity' WHERE project_id IS NOT NULL$$,
    $$UPDATE seeme.logos SET filename = 'b.gif', content = '\x474946383961'$$]) AS s;
SELECT is((SELECT array_agg(DISTINCT t_new) FROM (
             SELECT t_new FROM seeme.organizations UNION SELECT t_new FROM seeme.teams
             UNION SELECT t_new FROM seeme.projects UNION SELECT t_new FROM seeme.memberships
             UNION SELECT t_new FROM seeme.logos) AS r), '{old}', 'and the new columns did not');
UPDATE seeme.logos SET created_at = '2001-01-01';
SELECT is((SELECT count(*) FROM seeme.logos WHERE created_at = '2001-01-01'), 0::bigint,
  'threat: a member changes the time at which a logo was added');

-- A role that provisions users, whatever it was granted
SELECT pg_temp.become(NULL) \g /dev/null
SET ROLE t_provisioning;
SELECT throws_ok($$UPDATE seeme.users SET t_new = 'new'$$, '42501',
  'only an administrator changes column "t_new" of seeme.users',
  'threat: a provisioning role sets a new column of seeme.users');
SELECT lives_ok($$UPDATE seeme.users SET name = 'N', disabled_at = NULL,
    tokens_valid_from = now()$$,
  'what a provisioning role may change still changes');
RESET ROLE;

-- The catalogue of codes
SELECT throws_ok($$UPDATE seeme.permissions SET t_new = 'new' WHERE name = 'notes:read'$$, '23514',
  NULL, 'a new column of a registered code does not change');
SELECT lives_ok($$UPDATE seeme.permissions SET description = 'd', grouped_by_projects = true
                   WHERE name = 'notes:read'$$, 'its description does');

SELECT * FROM finish();
ROLLBACK;
