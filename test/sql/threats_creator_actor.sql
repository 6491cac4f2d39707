-- Somebody of the support staff creates a project or team for a person. Nobody gets a membership by
-- that, because the person did not ask for it.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(5);

SET LOCAL seeme_rbac.several_people = on;
\set founder '''e0000000-0000-4000-8000-0000000000c1'''
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  (:founder, :acme, 'Founder', '{teams:create,teams:read,projects:create,projects:read}');
UPDATE seeme.memberships SET role_id = :founder
 WHERE organization_id = :acme AND user_id = :nora AND team_id IS NULL AND project_id IS NULL;
CREATE FUNCTION pg_temp.seats(container uuid) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS
$$ SELECT count(*) FROM seeme.memberships m WHERE container IN (m.team_id, m.project_id) $$;

CREATE ROLE t_desk;
SELECT seeme_grant_usage('t_desk') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_act_for(uuid, uuid), seeme_assume(uuid) TO t_desk;
SET SESSION AUTHORIZATION t_desk;
SELECT seeme_act_for(:nora, :mike) = :nora AS acts \gset
SELECT ok(:'acts', 'a support person acts for somebody who may create projects');
INSERT INTO seeme.projects (id, organization_id, name)
  VALUES ('d0000000-0000-4000-8000-0000000000d1', :acme, 'By support');
INSERT INTO seeme.teams (id, organization_id, name)
  VALUES ('c0000000-0000-4000-8000-0000000000d1', :acme, 'By support') RETURNING name;
RESET SESSION AUTHORIZATION;
SELECT is(pg_temp.seats('d0000000-0000-4000-8000-0000000000d1'), 0::bigint,
  'threat: acting for a creator makes memberships that the creator did not ask for: a project');
SELECT is(pg_temp.seats('c0000000-0000-4000-8000-0000000000d1'), 0::bigint, 'a team');
SET SESSION AUTHORIZATION t_desk;
SELECT seeme_assume(:nora) = :nora AS assumes \gset
SELECT ok(:'assumes', 'the person themselves');
INSERT INTO seeme.projects (id, organization_id, name)
  VALUES ('d0000000-0000-4000-8000-0000000000d2', :acme, 'By Nora');
RESET SESSION AUTHORIZATION;
SELECT is(pg_temp.seats('d0000000-0000-4000-8000-0000000000d2'), 1::bigint,
  'gets a membership in what they create');

SELECT * FROM finish();
ROLLBACK;
