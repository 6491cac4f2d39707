\i test/include/prelude.psql
-- What seeme_security_report() finds in grants of seeme_act_for.
SET client_min_messages = error;
BEGIN;
\i test/include/security_report.psql
SELECT plan(14);

CREATE ROLE r_app LOGIN;
SELECT seeme_grant_usage('r_app') \g /dev/null
CREATE ROLE r_desk LOGIN;
SELECT seeme_grant_usage('r_desk') \g /dev/null
CREATE ROLE r_group;
CREATE ROLE r_tool LOGIN;
GRANT EXECUTE ON FUNCTION seeme_assume TO r_app;
GRANT EXECUTE ON FUNCTION seeme_act_for TO r_desk;

SELECT is(pg_temp.lines(), NULL,
  'an application that assumes people, and a support tool of a role of its own');
SELECT pg_temp.both_ways('may be passed on', 'critical', 'public.seeme_act_for(uuid,uuid)',
  'GRANT EXECUTE ON FUNCTION seeme_act_for TO r_desk WITH GRANT OPTION',
  'the support tool decides who else acts for people');
SELECT pg_temp.both_ways('function is granted to PUBLIC', 'medium',
  'public.seeme_act_for(uuid,uuid)', 'GRANT EXECUTE ON FUNCTION seeme_act_for TO PUBLIC',
  'as for seeme_assume, whose grant to PUBLIC has no effect either');
SELECT pg_temp.both_ways('seeme_act_for is granted to a group', 'low', 'r_group',
  'GRANT EXECUTE ON FUNCTION seeme_act_for TO r_group', 'a grant that does nothing');
SELECT pg_temp.both_ways('application role provisions users', 'high', 'r_desk',
  $$SELECT seeme_grant_provisioning('r_desk')$$, 'the support tool also adds and deletes users');
SELECT pg_temp.both_ways('application role acts for people', 'low', 'r_app',
  'GRANT EXECUTE ON FUNCTION seeme_act_for TO r_app', 'one role for both');
SELECT is(pg_temp.found('GRANT EXECUTE ON FUNCTION seeme_act_for TO PUBLIC'),
  ARRAY['medium | public.seeme_act_for(uuid,uuid) | function is granted to PUBLIC: every role of '
        'the cluster may call it; seeme_grant_usage grants it to the roles that need it'],
  'a grant to PUBLIC is one finding');
-- Whoever may act for people uses the extension, and is looked at as an application.
SELECT is(
  (SELECT count(*) FROM seeme.application_roles() WHERE role = 'r_tool'::regrole), 0::bigint,
  'a role without grants is no application');
GRANT EXECUTE ON FUNCTION seeme_act_for TO r_tool;
SELECT is(
  (SELECT count(*) FROM seeme.application_roles() WHERE role = 'r_tool'::regrole), 1::bigint,
  'a role that may act for people is one');
SELECT * FROM finish();
ROLLBACK;
