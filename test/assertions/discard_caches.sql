-- With debug_discard_caches every access to a catalog has all messages lost: nothing that is
-- remembered counts, and whatever is looked at is looked up again. Everything still ends, and is
-- right. Run by scripts/check-assertions: PostgreSQL has the setting only where it was built with
-- assertions.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
CREATE EXTENSION seeme_rbac;
SELECT plan(14);

CREATE ROLE t_discard LOGIN;
SELECT seeme_grant_usage('t_discard') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_assume TO t_discard;
INSERT INTO seeme.users (id, username, email)
  SELECT ('a0000000-0000-4000-8000-00000000000' || n)::uuid, 'u' || n,
    'u' || n || '@example.com' FROM generate_series(1, 3) AS n;
INSERT INTO seeme.organizations (id, name, slug, owner_id)
  VALUES ('b0000000-0000-4000-8000-000000000001', 'O', 'o', 'a0000000-0000-4000-8000-000000000001');
INSERT INTO seeme.projects (id, organization_id, name, slug)
  SELECT ('c0000000-0000-4000-8000-00000000000' || n)::uuid, 'b0000000-0000-4000-8000-000000000001',
    'p' || n, 'p' || n FROM generate_series(1, 5) AS n;
INSERT INTO seeme.memberships (organization_id, user_id)
  SELECT 'b0000000-0000-4000-8000-000000000001',
    ('a0000000-0000-4000-8000-00000000000' || n)::uuid FROM generate_series(2, 3) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT 'b0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001',
    'a0000000-0000-4000-8000-000000000002', id
    FROM seeme.roles WHERE name = 'Editor' AND organization_id IS NULL;
CREATE TABLE t_model (id integer PRIMARY KEY, project_id uuid, value integer);
INSERT INTO t_model SELECT n, ('c0000000-0000-4000-8000-00000000000' || 1 + n % 5)::uuid,
  0 FROM generate_series(1, 50) AS n;
CREATE INDEX ON t_model (project_id);
SELECT seeme_protect('t_model', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT, UPDATE ON t_model TO t_discard;

\set look_held 'SELECT concat_ws('' '', seeme_has_permission(''models:read'', project => ''c0000000-0000-4000-8000-000000000001''), seeme_has_permission(''models:read'', project => ''c0000000-0000-4000-8000-000000000002''), cardinality(seeme_permitted_projects(''models:update''))) AS held \\gset'
\set look_seen 'SELECT count(*) AS seen FROM t_model \\gset'
\set look_asked_for 'SELECT count(*) AS asked_for FROM t_model WHERE project_id = ''c0000000-0000-4000-8000-000000000001'' \\gset'

SET debug_discard_caches = 1;
SET SESSION AUTHORIZATION t_discard;
BEGIN;
SELECT seeme_assume('a0000000-0000-4000-8000-000000000001') \g /dev/null
:look_held
:look_seen
UPDATE t_model SET value = value + 1 WHERE id <= 10;
\set changed :ROW_COUNT
COMMIT;
RESET SESSION AUTHORIZATION;
SET debug_discard_caches = 0;
SELECT is(:'held'::text, 't t 5', 'the owner holds everything');
SELECT is(:seen::int, 50, 'and sees it');
SELECT is(:changed::int, 10, 'and changes it');

SET debug_discard_caches = 1;
SET SESSION AUTHORIZATION t_discard;
BEGIN;
SELECT seeme_assume('a0000000-0000-4000-8000-000000000002') \g /dev/null
:look_held
:look_held
:look_seen
:look_asked_for
UPDATE t_model SET value = value + 1 WHERE id <= 10;
\set changed :ROW_COUNT
COMMIT;
RESET SESSION AUTHORIZATION;
SET debug_discard_caches = 0;
SELECT is(:'held'::text, 't f 1', 'who is in one project holds what that gives');
SELECT is(:seen::int, 10, 'and sees that');
SELECT is(:asked_for::int, 10, 'and sees it when asking for it');
SELECT is(:changed::int, 2, 'and changes that');

SET debug_discard_caches = 1;
SET SESSION AUTHORIZATION t_discard;
BEGIN;
SELECT seeme_assume('a0000000-0000-4000-8000-000000000003') \g /dev/null
:look_held
:look_seen
COMMIT;
RESET SESSION AUTHORIZATION;
SET debug_discard_caches = 0;
SELECT is(:'held'::text, 'f f 0', 'who has no role holds nothing');
SELECT is(:seen::int, 0, 'and sees nothing');

DELETE FROM seeme.memberships WHERE project_id IS NOT NULL;
SET debug_discard_caches = 1;
SET SESSION AUTHORIZATION t_discard;
BEGIN;
SELECT seeme_assume('a0000000-0000-4000-8000-000000000002') \g /dev/null
:look_held
:look_seen
:look_asked_for
COMMIT;
RESET SESSION AUTHORIZATION;
SET debug_discard_caches = 0;
SELECT is(:'held'::text, 'f f 0', 'threat: nothing is left of a membership that was taken');
SELECT is(:seen::int, 0, 'threat: no row');
SELECT is(:asked_for::int, 0, 'threat: also when asking for one project');

UPDATE seeme.users SET disabled_at = now() WHERE id = 'a0000000-0000-4000-8000-000000000003';
SET debug_discard_caches = 1;
SET SESSION AUTHORIZATION t_discard;
\set ON_ERROR_STOP off
BEGIN;
SELECT seeme_assume('a0000000-0000-4000-8000-000000000003') \g /dev/null
\set refused :SQLSTATE
ROLLBACK;
\set ON_ERROR_STOP on
RESET SESSION AUTHORIZATION;
SET debug_discard_caches = 0;
SELECT is(:'refused'::text, '28000', 'threat: who is disabled is not let in');
SELECT cmp_ok(resets, '>', 100::bigint, 'all this while everything was forgotten again and again')
  FROM seeme.cache_statistics;
SELECT * FROM finish();
