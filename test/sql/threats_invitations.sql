\i test/include/prelude.psql
-- What an invitation from before is worth after its person was taken out, its maker was expelled,
-- or its role is to go; and who brings strangers into an organization (rule 7.10).
BEGIN;
\i test/include/people.psql
SELECT plan(46);

CREATE FUNCTION pg_temp.invite(person text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE token text;
BEGIN
  PERFORM pg_temp.become(person);
  EXECUTE format('SELECT token FROM seeme_invite(%s)', arguments) INTO token;
  PERFORM pg_temp.become(NULL);
  RETURN token;
END $$;
-- play(person who accepts, who does what before): 'accepted', or what was refused; undone.
CREATE FUNCTION pg_temp.play(person text, token text, VARIADIC steps text[]) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  step text;
  answer text;
BEGIN
  BEGIN
    FOREACH step IN ARRAY steps LOOP
      PERFORM pg_temp.become(nullif(split_part(step, ': ', 1), 'admin'));
      EXECUTE substr(step, strpos(step, ': ') + 2);
    END LOOP;
    PERFORM pg_temp.become(person);
    PERFORM seeme_accept_invitation(token);
    answer := 'accepted';
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION
    WHEN SQLSTATE 'UNDO0' THEN NULL;
    WHEN OTHERS THEN answer := SQLSTATE;
  END;
  RETURN answer;
END $$;

-- An invitation, a direct addition, a removal
SELECT pg_temp.invite('adam',
  $$'stan@example.com', organization => 'b0000000-0000-4000-8000-000000000001', role_id => '00000000-0000-4000-8000-000000000003'$$) AS to_acme \gset
SELECT pg_temp.invite('adam',
  $$'Stan@Example.com', team => 'c0000000-0000-4000-8000-000000000001'$$) AS to_team \gset
SELECT pg_temp.invite('adam',
  $$'stan@example.com', project => 'd0000000-0000-4000-8000-000000000001'$$) AS to_alpha \gset
SELECT pg_temp.invite('adam',
  $$'stan@example.com', project => 'd0000000-0000-4000-8000-000000000002'$$) AS to_beta \gset
\set add      'olga: INSERT INTO seeme.organization_members (organization_id, user_id) VALUES (''b0000000-0000-4000-8000-000000000001'', ''a0000000-0000-4000-8000-00000000000e'')'
\set add_team 'olga: INSERT INTO seeme.team_members (team_id, user_id) VALUES (''c0000000-0000-4000-8000-000000000001'', ''a0000000-0000-4000-8000-00000000000e'')'
\set add_alpha 'olga: INSERT INTO seeme.project_members (project_id, user_id) VALUES (''d0000000-0000-4000-8000-000000000001'', ''a0000000-0000-4000-8000-00000000000e'')'
\set expel    'olga: DELETE FROM seeme.organization_members WHERE user_id = ''a0000000-0000-4000-8000-00000000000e'''
\set out_team 'olga: DELETE FROM seeme.team_members WHERE user_id = ''a0000000-0000-4000-8000-00000000000e'''
\set out_alpha 'olga: DELETE FROM seeme.project_members WHERE user_id = ''a0000000-0000-4000-8000-00000000000e'''
\set leave    'stan: DELETE FROM seeme.organization_members WHERE user_id = ''a0000000-0000-4000-8000-00000000000e'''
\set leave_team 'stan: DELETE FROM seeme.team_members WHERE user_id = ''a0000000-0000-4000-8000-00000000000e'''
SELECT is(pg_temp.play('stan', t, 'admin: SELECT'), 'accepted', 'an invitation is accepted: ' || n)
  FROM (VALUES (1, :'to_acme', 'to the organization'), (2, :'to_team', 'to a team'),
  (3, :'to_alpha', 'to a project'), (4, :'to_beta', 'to another')) AS v (i, t, n) ORDER BY i;
SELECT is(pg_temp.play('stan', :'to_team', :'add', :'add_team', :'out_team'), '22023',
  'threat: back into a team by an invitation from before');
SELECT is(pg_temp.play('stan', :'to_team', :'add', :'add_team', :'leave_team'), '22023',
  'threat: having left by oneself');
SELECT is(pg_temp.play('stan', :'to_alpha', :'add', :'add_alpha', :'out_alpha'), '22023',
  'threat: back into a project');
SELECT is(pg_temp.play('stan', :'to_acme', :'add', :'expel'), '22023',
  'threat: back into the organization');
SELECT is(pg_temp.play('stan', t, :'add', :'expel'), '22023',
  'threat: or into what lies in it: ' || n) FROM
  (VALUES (1, :'to_team', 'a team'), (2, :'to_alpha', 'a project'), (3, :'to_beta', 'another'))
  AS v (i, t, n) ORDER BY i;
SELECT is(pg_temp.play('stan', t, :'add', :'leave'), '22023',
  'threat: after leaving by oneself, into ' || n)
  FROM (VALUES (1, :'to_acme', 'the organization'), (2, :'to_team', 'a team')) AS v (i, t, n)
  ORDER BY i;
SELECT is(pg_temp.play('stan', :'to_alpha', :'add', :'add_team', :'out_team'), '22023',
  'threat: taken out of a team, into a project of that team');
SELECT is(pg_temp.play('stan', :'to_beta', :'add', :'add_team', :'out_team'), 'accepted',
  'while another team''s is another matter');
SELECT is(pg_temp.play('stan', :'to_team', :'add', :'add_alpha', :'out_alpha'), 'accepted',
  'as is the team itself for who was taken out of a project');
SELECT is(pg_temp.play('stan', :'to_acme', :'add'), '22023',
  'who was added directly needs no invitation any more');
SELECT is(pg_temp.play('stan', :'to_alpha', :'add'), 'accepted', 'but to what lies below');
SELECT is(pg_temp.play('stan', :'to_acme', format(
  'stan: SELECT seeme_accept_invitation(%L)', :'to_alpha')), 'accepted',
  'accepting one does not end another');
SELECT is(pg_temp.play('stan', :'to_acme', format(
  'stan: SELECT seeme_accept_invitation(%L)', :'to_alpha'), :'expel'), '22023',
  'threat: but being taken out does');
SELECT is(pg_temp.play('stan', :'to_acme', format(
  'stan: SELECT seeme_accept_invitation(%L)', :'to_acme')), '22023', 'threat: once more');
-- Under another address
SELECT is(pg_temp.play('stan', :'to_alpha', :'add',
  'admin: UPDATE seeme.users SET email = ''s@example.com'' WHERE username = ''stan''', :'expel',
                       'admin: UPDATE seeme.users SET email = ''stan@example.com'' WHERE username '
                       '= ''stan'''), '22023',
                       'threat: with another address while one is taken out');
SELECT is(pg_temp.play('stan', :'to_alpha', :'add',
  'admin: UPDATE seeme.users SET email = ''STAN@example.com'' WHERE username = ''stan'''),
  'accepted', 'capitals make no other address');
SELECT is(
  pg_temp.play('stan', :'to_alpha',
  'admin: UPDATE seeme.users SET email = ''s@example.com'' WHERE username = ''stan''',
  'admin: UPDATE seeme.users SET email = ''stan@example.com'' WHERE username = ''stan'''),
          'accepted', 'who is no member keeps their invitations');
SELECT is(pg_temp.play('gina', :'to_alpha', :'add',
  'admin: DELETE FROM seeme.users WHERE username = ''stan''',
  'admin: UPDATE seeme.users SET email = ''stan@example.com'' WHERE username = ''gina'''),
          '22023', 'threat: a member is deleted, and somebody comes by their address');
SELECT is(
  pg_temp.play('gina', :'to_alpha', 'admin: DELETE FROM seeme.users WHERE username = ''stan''',
  'admin: UPDATE seeme.users SET email = ''stan@example.com'' WHERE username = ''gina'''),
          'accepted', 'as the address of who was none may be somebody else''s later');
-- Its maker
\set rehire   'olga: INSERT INTO seeme.organization_members (organization_id, user_id, role_id) VALUES (''b0000000-0000-4000-8000-000000000001'', ''a0000000-0000-4000-8000-000000000002'', ''00000000-0000-4000-8000-000000000002'')'
CREATE TEMP TABLE dumped AS SELECT * FROM seeme.invitations;
SELECT is(
  pg_temp.play('stan', :'to_acme',
  'olga: DELETE FROM seeme.organization_members WHERE user_id '
  '= ''a0000000-0000-4000-8000-000000000002''', :'rehire'), '22023',
  'threat: the maker of an invitation is expelled, and comes back');
SELECT is(
  pg_temp.play('stan', :'to_acme',
  'olga: DELETE FROM seeme.organization_members WHERE user_id '
  '= ''a0000000-0000-4000-8000-000000000002''', :'rehire',
  'admin: INSERT INTO seeme.invitations SELECT * FROM pg_temp.dumped'),
          '22023', 'threat: also when its row is written back');
SELECT is(pg_temp.play('stan', :'to_acme', 'admin: DELETE FROM seeme.invitations',
  'admin: INSERT INTO seeme.invitations SELECT * FROM pg_temp.dumped'), 'accepted',
  'which is well while the maker is there');
SELECT is(
  pg_temp.play('stan', :'to_acme',
  'olga: UPDATE seeme.organization_members SET role_id = NULL WHERE user_id '
  '= ''a0000000-0000-4000-8000-000000000002'''), '22023', 'threat: or is demoted');
SELECT is(
  pg_temp.play('stan', :'to_acme',
  'admin: UPDATE seeme.organizations SET owner_id = ''a0000000-0000-4000-8000-000000000002'' WHERE '
  'slug = ''acme'''), 'accepted', 'an owner''s is as good as an Admin''s');

-- Rule 7.10: bringing a stranger in
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES ('e0000000-0000-4000-8000-0000000000f3', :acme, 'Lead',
    '{projects:read,projects:update,teams:read,teams:update}'),
  ('e0000000-0000-4000-8000-0000000000f4', :acme, 'Below',
  '{projects:read,projects:update,organizations:manage_members}');
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :beta, :vera, 'e0000000-0000-4000-8000-0000000000f3'),
    (:acme, :beta, :edith, 'e0000000-0000-4000-8000-0000000000f4');
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, :sales, :vera, 'e0000000-0000-4000-8000-0000000000f3');
SELECT throws_ok(format('SELECT pg_temp.invite(%L, %L)', p, format('%L, %s', e, s)), '42501',
  'you do not hold organizations:manage_members in this organization',
  format('threat: who manages %s brings a stranger into the organization: %s, %s', n, p, e))
  FROM (VALUES (1, 'vera', 'gina@example.com',
  'project => ''d0000000-0000-4000-8000-000000000002''', 'a project'),
  (2, 'vera', 'new@example.com', 'team => ''c0000000-0000-4000-8000-000000000002''', 'a team'),
               (3, 'edith', 'gina@example.com',
               'project => ''d0000000-0000-4000-8000-000000000002''', 'the members of a project'))
               AS v (i, p, e, s, n) ORDER BY i;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT pg_temp.invite('vera',
  $$'NORA@example.com', project => 'd0000000-0000-4000-8000-000000000002'$$) AS for_nora \gset
SELECT is(pg_temp.play('nora', :'for_nora', 'admin: SELECT'), 'accepted',
  'a member of the organization is invited by who manages a project');
SELECT is(
  pg_temp.play('nora', :'for_nora',
  'olga: DELETE FROM seeme.organization_members WHERE user_id '
  '= ''a0000000-0000-4000-8000-000000000007'''), '22023',
  'threat: who has left the organization comes back by a project''s invitation');
SELECT is(
  pg_temp.play('gina', :'for_nora',
  'admin: UPDATE seeme.users SET email = NULL WHERE username = ''nora''',
  'admin: UPDATE seeme.invitations SET expires_at = ''2100-01-01''',
  'admin: UPDATE seeme.users SET email = ''nora@example.com'' WHERE username = ''gina'''),
          '22023', 'threat: a stranger has come by the address of a member, when it is accepted');
SELECT is(
  pg_temp.play('stan', :'to_beta',
  'olga: UPDATE seeme.organization_members SET role_id = NULL WHERE user_id '
  '= ''a0000000-0000-4000-8000-000000000002''',
                       'admin: INSERT INTO seeme.memberships (organization_id, project_id, '
                       'user_id, role_id) VALUES '
                       '(''b0000000-0000-4000-8000-000000000001'', ''d0000000-0000-4000-8000-000000000002'', ''a0000000-0000-4000-8000-000000000002'', ''e0000000-0000-4000-8000-0000000000f3'')'),
          '22023', 'threat: its maker manages the project alone, when it is accepted');
SELECT is(pg_temp.play('stan', :'to_beta', :'add',
  'olga: UPDATE seeme.organization_members SET role_id = NULL WHERE user_id '
  '= ''a0000000-0000-4000-8000-000000000002''',
                       'admin: INSERT INTO seeme.memberships (organization_id, project_id, '
                       'user_id, role_id) VALUES '
                       '(''b0000000-0000-4000-8000-000000000001'', ''d0000000-0000-4000-8000-000000000002'', ''a0000000-0000-4000-8000-000000000002'', ''e0000000-0000-4000-8000-0000000000f3'')'),
          'accepted', 'which is enough for who is a member by then');
SELECT lives_ok($$SELECT pg_temp.invite(
    NULL, $q$'else@example.com', project => 'd0000000-0000-4000-8000-000000000002'$q$)$$,
    'privileged code invites whom it likes');

-- What keeps a role
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES ('e0000000-0000-4000-8000-0000000000f5', :acme, 'Spare', '{models:read}');
SELECT pg_temp.invite('olga',
  $$'spare@example.com', organization => 'b0000000-0000-4000-8000-000000000001', role_id => 'e0000000-0000-4000-8000-0000000000f5'$$) AS spare \gset
SELECT is('e0000000-0000-4000-8000-0000000000f5'
          IN (SELECT seeme.unused_roles(ARRAY[:acme::uuid])), false,
  'a role that somebody is invited in is in use');
SELECT throws_ok($$DELETE FROM seeme.roles WHERE name = 'Spare'$$, '23503',
  'role "Spare" is in use', 'and stays');
SAVEPOINT before;
INSERT INTO seeme.retired_ids (id, table_name) SELECT id,
  'invitations' FROM seeme.invitations WHERE email = 'spare@example.com';
SELECT is('e0000000-0000-4000-8000-0000000000f5'
          IN (SELECT seeme.unused_roles(ARRAY[:acme::uuid])), true,
  'threat: one that ended while somebody was accepting it keeps its role');
SELECT lives_ok($$DELETE FROM seeme.roles WHERE name = 'Spare'$$, 'which can be deleted');
ROLLBACK TO before;
UPDATE seeme.invitations SET expires_at = clock_timestamp() WHERE email = 'spare@example.com';
SELECT is('e0000000-0000-4000-8000-0000000000f5'
          IN (SELECT seeme.unused_roles(ARRAY[:acme::uuid])), true,
  'an invitation that has expired keeps none');
SELECT lives_ok($$DELETE FROM seeme.roles WHERE name = 'Spare'$$, 'so that it can be deleted');

SELECT * FROM finish();
ROLLBACK;
