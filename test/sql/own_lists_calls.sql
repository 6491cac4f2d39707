-- The functions of the extension's own policies, called by hand: the answer is about this row's
-- arguments, whatever the rows before it were about. They keep something from row to row, and
-- policies always ask about the same column.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(16);

INSERT INTO seeme.memberships (organization_id, project_id, user_id) VALUES (:acme, :beta, :nora);
INSERT INTO seeme.memberships (organization_id, team_id, user_id) VALUES (:acme, :sales, :nora);

-- Sixty rows about teams and projects in turn. After some of them the whole list is read.
CREATE TEMP TABLE scope AS
  SELECT n, CASE WHEN n % 2 = 0 THEN t.id END AS team, CASE WHEN n % 2 = 1 THEN p.id END AS project,
         CASE WHEN n % 3 = 0 THEN '{models:read}' ELSE '{datasets:read}' END::text[]
         AS codes
    FROM generate_series(1, 60) AS n,
         LATERAL (SELECT id FROM seeme.teams ORDER BY id OFFSET n / 2 % 3 LIMIT 1) AS t,
         LATERAL (SELECT id FROM seeme.projects ORDER BY id OFFSET n / 2 % 4 LIMIT 1) AS p;
GRANT SELECT ON scope TO PUBLIC;

SELECT pg_temp.become('nora');
SELECT is((SELECT count(*) FROM scope
            WHERE seeme.is_direct_member(team => team, project => project)
                  IS DISTINCT FROM coalesce(team = :sales OR project = :beta, false)), 0::bigint,
          'threat: the memberships of teams answer for projects');
SELECT is((SELECT count(*) FROM scope
            WHERE seeme.is_direct_member(team => team, project => project)),
          (SELECT count(*) FROM scope WHERE team = :sales OR project = :beta),
          'a member without a role is a member');
SELECT is(seeme.member_teams() || seeme.member_projects(), ARRAY[:sales, :beta]::uuid[],
          'also in the lists');
SELECT pg_temp.become('tess');
SELECT is((SELECT count(*) FROM scope
            WHERE seeme.holds_below('{models:read}', team => team, project => project)
                  IS DISTINCT FROM coalesce(team = :research OR project = :alpha, false)), 0::bigint,
          'threat: the permissions in teams answer for projects');
SELECT is((SELECT count(*) FROM scope
            WHERE seeme.holds_below(codes, team => team, project => project)
                  IS DISTINCT FROM coalesce(team = :research OR project = :alpha, false)), 0::bigint,
          'threat: one row''s permissions answer for another row''s');
SELECT pg_temp.become('ann');
SELECT is((SELECT count(*) FROM scope
            WHERE seeme.holds_below(codes, team => team, project => project)
                  IS DISTINCT FROM coalesce(project = :alpha AND n % 3 <> 0, false)), 0::bigint,
          'also where the person has some of them only');
SELECT is((SELECT count(*) FROM scope WHERE seeme.holds_throughout(codes, :acme)), 0::bigint,
          'and nothing in the whole organization');
SELECT pg_temp.become('vera');
SELECT is((SELECT count(*) FROM scope WHERE seeme.holds_throughout(codes, :acme)), 60::bigint,
          'a Viewer of the organization has them there');
SELECT is((SELECT count(*) FROM scope WHERE seeme.holds_below(codes, team, project)), 0::bigint,
          'so none of them is told of again below it');

-- Nothing, or two scopes
SELECT is(seeme.is_direct_member(team => :sales, project => :beta), false,
          'a team and a project are no question');
SELECT is(seeme.is_direct_member(), false, 'nor is nothing');
SELECT is(seeme.holds_throughout(NULL, :acme), false, 'no codes');
SELECT is(seeme.holds_throughout('{}', :acme), false, 'an empty list of codes');
SELECT is(seeme.holds_throughout('{no:code,NULL,models:read}', :acme), true,
          'a code that is not registered, and one that is');
SELECT is(seeme.holds_throughout('{no:code}', :acme), false, 'a code that is not registered');
SELECT is(cardinality(seeme.organizations_held('{no:code}')), 0, 'also in a list');
SELECT pg_temp.become(NULL);

SELECT * FROM finish();
ROLLBACK;
