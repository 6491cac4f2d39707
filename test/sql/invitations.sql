\i test/include/prelude.psql
-- Invitations: who may make one, to what, and with which role; who may accept it, when, and how
-- often; what cancels it.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(210);

-- play(step, …): what the last of the steps returns, a text a row, or what it was refused with. A
-- step is 'person: statement', 'person: invite ARGUMENTS' or 'person: accept' (the invitation made
-- last; {token} in any statement). 'admin' is a superuser with nobody identified. All of it is
-- undone.
CREATE FUNCTION pg_temp.play(VARIADIC steps text[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  step text;
  statement text;
  token text;
  hint text;
  r record;
  line text;
  outcome text[];
  filled text[] := '{}';
BEGIN
  FOREACH step IN ARRAY steps LOOP
    filled := filled || pg_temp.fill(step);
  END LOOP;
  BEGIN
    FOREACH step IN ARRAY filled LOOP
      PERFORM pg_temp.become(nullif(split_part(step, ': ', 1), 'admin'));
      statement := substr(step, strpos(step, ': ') + 2);
      outcome := '{}';
      IF statement LIKE 'invite %' THEN
        EXECUTE 'SELECT token FROM seeme_invite(' || substr(statement, 8) || ')' INTO STRICT token;
      ELSE
        statement := replace(statement, '{token}', quote_nullable(token));
        IF statement = 'accept' THEN
          statement :=
          format('SELECT ''accepted'' FROM (SELECT seeme_accept_invitation(%L) AS id) AS a WHERE '
                 'id IS NOT NULL', token);
        END IF;
        IF statement ~* '^(SELECT|WITH)|RETURNING' THEN
          FOR r IN EXECUTE statement LOOP
            SELECT string_agg(coalesce(j.value, 'null'), '|' ORDER BY j.ordinality) INTO line
              FROM json_each_text(row_to_json(r)) WITH ORDINALITY AS j;
            outcome := outcome || coalesce(line, '');
          END LOOP;
        ELSE
          EXECUTE statement;
        END IF;
      END IF;
      PERFORM pg_temp.become(NULL);
    END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION
    WHEN SQLSTATE 'UNDO0' THEN NULL;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
      outcome := ARRAY[CASE WHEN statement LIKE '%seeme_accept_invitation%'
      THEN SQLSTATE || ': ' || SQLERRM || ' | ' || hint ELSE SQLSTATE END];
  END;
  RETURN outcome;
END $$;
-- Where a person is a member, and as what.
CREATE FUNCTION pg_temp.places(person text) RETURNS text LANGUAGE sql AS $$
  SELECT format(
    $q$admin: SELECT coalesce(p.name, t.name, o.name), r.name FROM seeme.memberships m
      JOIN seeme.organizations o ON o.id = m.organization_id
    LEFT JOIN seeme.teams t ON t.id = m.team_id LEFT
      JOIN seeme.projects p ON p.id = m.project_id LEFT JOIN seeme.roles r ON r.id = m.role_id
    WHERE m.user_id = {%s} ORDER BY m.team_id IS NOT NULL, m.project_id IS NOT NULL, 1$q$, person)
$$;
-- How many invitations are open.
\set open '''admin: SELECT count(*) FROM seeme.invitations WHERE accepted_at IS NULL'''
-- The one refusal of an acceptance.
SELECT (pg_temp.play('stan: SELECT seeme_accept_invitation(''nonsense'')'))[1] AS refusal \gset

INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-0000000000a1', :acme, 'Reader', '{models:read}'),
  ('e0000000-0000-4000-8000-0000000000a2', :acme, 'Deleter', '{models:read,models:delete}'),
  ('e0000000-0000-4000-8000-0000000000a3', :acme, 'Manager',
  '{organizations:read,organizations:manage_members,models:read}');
INSERT INTO thing VALUES ('reader', 'e0000000-0000-4000-8000-0000000000a1'),
  ('deleter', 'e0000000-0000-4000-8000-0000000000a2'),
  ('manager', 'e0000000-0000-4000-8000-0000000000a3');

-- What inviting answers
SELECT is(
  pg_temp.rows('adam', $$SELECT organization_id = {acme}, team_id, project_id, email,
    role_id = {Editor}, invited_by = {adam}, accepted_at
    FROM seeme_invite('new@example.com', organization => {acme}, role_id => {Editor})$$),
  '{true|null|null|new@example.com|true|true|null}', 'inviting answers with the invitation');
SELECT is(
  pg_temp.rows('adam', $$SELECT string_agg(k, ' ')
    FROM seeme_invite('new@example.com', organization => {acme}) AS i,
    json_object_keys(row_to_json(i)) AS k$$),
  '{id organization_id team_id project_id email role_id invited_by token expires_at accepted_at '
  'created_at}', 'in the documented columns');
SELECT is(
  pg_temp.rows('adam', $$SELECT organization_id = {acme}, team_id = {research},
    project_id FROM seeme_invite('new@example.com', team => {research})$$), '{true|true|null}',
    'the organization of a team is told');
SELECT is(
  pg_temp.rows('adam', $$SELECT organization_id = {acme}, team_id,
    project_id = {alpha} FROM seeme_invite('new@example.com', project => {alpha})$$),
    '{true|null|true}', 'the organization of a project is told');
SELECT is(
  pg_temp.rows('adam', $$SELECT count(DISTINCT token),
    min(length(token)) >= 43 FROM generate_series(1, 20) AS n,
    seeme_invite('new' || n || '@example.com', organization => {acme})$$), '{20|true}',
    'every token is another, long enough for 256 bits');
SELECT is(
  pg_temp.rows('adam',
  $$SELECT abs(extract(epoch FROM expires_at - clock_timestamp()) - 7 * 86400) < 60,
    created_at <= clock_timestamp() FROM seeme_invite('new@example.com', organization => {acme})$$),
    '{true|true}', 'it is open for seven days');
SELECT is(
  pg_temp.rows('adam', $$SELECT abs(extract(epoch FROM expires_at - clock_timestamp()) - 3600) < 60
    FROM seeme_invite('new@example.com', organization => {acme}, valid_for => '1 hour')$$),
    '{true}', 'or as long as is said');
SELECT is(
  pg_temp.rows('adam',
  $$SELECT email FROM seeme_invite(E' new@example.com\n', organization => {acme})$$),
  '{new@example.com}', 'space around an address is not part of it');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'admin: SELECT token_hash = sha256(convert_to({token}, ''UTF8'')), to_jsonb(i)::text '
  'LIKE ''%'' || {token} || ''%'' FROM seeme.invitations i'),
  '{true|false}', 'only the SHA-256 of the token is stored');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', 'stan: accept',
    'admin: SELECT count(*) > 0, bool_or(concat(a.before, a.after) LIKE ''%'' || {token} '
    '|| ''%'' OR concat(a.before, a.after) LIKE ''%'' || '
    'encode(sha256(convert_to({token}, ''UTF8'')), ''hex'') || ''%'') FROM seeme.audit_log a WHERE '
    'a.table_name = ''invitations'''),
  '{true|false}', 'the audit log tells of the invitation, and neither token nor hash');
SELECT is(
  pg_temp.rows(NULL, $$SELECT invited_by FROM
    seeme_invite('new@example.com', organization => {acme}, role_id => {Admin})$$), ARRAY['null'],
    'a superuser with nobody identified may invite');
SELECT is(
  pg_temp.play('admin: invite ''stan@example.com'', organization => {acme}, role_id => {Admin}',
  'stan: accept', pg_temp.places('stan')), '{Acme|Admin}', 'and that may be accepted');

-- What cannot be invited
SELECT is(pg_temp.try(p, format($$SELECT FROM seeme_invite('new@example.com'%s)$$, s)), '22023',
  format('exactly one scope:%s, for %s', s, coalesce(p, 'a superuser')))
  FROM unnest(ARRAY['adam', NULL]) AS p, unnest(
  ARRAY['', ', organization => {acme}, team => {research}',
  ', team => {research}, project => {alpha}',
  ', organization => {acme}, team => {research}, project => {alpha}']) AS s;
SELECT is(pg_temp.try('adam', format('SELECT FROM seeme_invite(%L, organization => {acme})', e)),
  '22023', 'not an address: ' || coalesce(replace(e, E'\n', '\n'), 'null'))
  FROM unnest(ARRAY['nobody', '', ' ', '@', 'new@', '@example.com', 'new person@example.com',
  'a@b@c', E'new@example.com\nBcc: stan@example.com', NULL]) AS e;
SELECT ok(pg_temp.try('adam', format(
  'SELECT FROM seeme_invite(%L, organization => {acme})', repeat('a', 400) || '@example.com')) IN
  ('22001', '22023'), 'nor a far too long one');
SELECT is(pg_temp.try('adam', format(
  $$SELECT FROM seeme_invite('new@example.com', organization => {acme}, valid_for => %L)$$, v)),
  '22023', 'not a validity: ' || coalesce(v, 'null'))
  FROM unnest(ARRAY['0', '-1 day', '-1 second', '1 year 1 day', '2 years', '400 days', NULL]) AS v;
SELECT is(pg_temp.try('adam', format(
  $$SELECT FROM seeme_invite('new@example.com', organization => {acme}, valid_for => %L)$$, v)),
  '1 row', 'a validity: ' || v)
  FROM unnest(ARRAY['1 second', '30 days', '6 months', '52 weeks', '365 days', '1 year']) AS v;
SELECT is(
  pg_temp.try('olga',
  $$SELECT FROM seeme_invite('new@example.com', organization => {acme}, role_id => {analyst})$$),
  '23503', 'a role of another organization');
SELECT is(
  pg_temp.try('olga',
  $$SELECT FROM seeme_invite('new@example.com', project => {alpha}, role_id => {nobody_known})$$),
  '23503', 'a role that is none');
SELECT is(pg_temp.try('olga', format(
  $$SELECT FROM seeme_invite('new@example.com', %s, role_id => {Owner})$$, s)), '23514',
  'the role Owner: ' || s)
  FROM unnest(ARRAY['organization => {acme}', 'team => {research}', 'project => {alpha}']) AS s;
SELECT is(
  pg_temp.try(NULL,
  $$SELECT FROM seeme_invite('new@example.com', organization => {acme}, role_id => {Owner})$$),
  '23514', 'the role Owner, for a superuser too');
SELECT is(
  pg_temp.try(NULL,
  $$SELECT FROM seeme_invite('new@example.com', organization => {acme}, role_id => {analyst})$$),
  '23503', 'and a role of another organization');

-- Who may invite
SELECT pg_temp.needs('inviting to an organization', '{organizations:read}',
  '{organizations:manage_members}',
  $$SELECT FROM seeme_invite('new@example.com', organization => {acme})$$, '42501', '1 row');
SELECT pg_temp.needs('inviting to a team', '{teams:read}', '{teams:update}',
  $$SELECT FROM seeme_invite('vera@example.com', team => {research})$$, '42501', '1 row');
SELECT pg_temp.needs('inviting to a team', '{teams:read}', '{organizations:manage_members}',
  $$SELECT FROM seeme_invite('new@example.com', team => {research})$$, '42501', '1 row');
SELECT pg_temp.needs('inviting to a project', '{projects:read}', '{projects:update}',
  $$SELECT FROM seeme_invite('vera@example.com', project => {gamma})$$, '42501', '1 row');
SELECT pg_temp.needs('inviting to a project', '{projects:read}', '{organizations:manage_members}',
  $$SELECT FROM seeme_invite('new@example.com', project => {gamma})$$, '42501', '1 row');
SELECT pg_temp.needs('inviting with a role', '{organizations:manage_members}', '{models:read}',
  $$SELECT FROM seeme_invite('new@example.com', organization => {acme}, role_id => {reader})$$,
  '42501', '1 row');
SELECT pg_temp.hold_in('alpha', '{projects:read,projects:update,models:read}'),
  pg_temp.hold_in('research', '{teams:read,teams:update}') \g /dev/null
SELECT is(
  pg_temp.try('nora',
  $$SELECT FROM seeme_invite('vera@example.com', project => {alpha}, role_id => {reader})$$),
  '1 row', 'what is held in a project is enough there');
SELECT is(pg_temp.try('nora', $$SELECT FROM seeme_invite('new@example.com', project => {gamma})$$),
  '42501', 'and nowhere else');
SELECT is(pg_temp.try('nora', $$SELECT FROM seeme_invite('vera@example.com', team => {research})$$),
  '1 row', 'what is held in a team is enough there');
SELECT is(
  pg_temp.try('nora',
  $$SELECT FROM seeme_invite('new@example.com', team => {research}, role_id => {reader})$$),
  '42501', 'threat: a role in the team of which one holds the codes in one of its projects');
SELECT is(
  pg_temp.try('nora', $$SELECT FROM seeme_invite('new@example.com', organization => {acme})$$),
  '42501', 'threat: inviting to the organization out of one of its projects');
SELECT pg_temp.hold_in('alpha', '{}'), pg_temp.hold_in('research', '{}') \g /dev/null
SELECT is(pg_temp.try(p, $$SELECT FROM seeme_invite('new@example.com', organization => {acme})$$),
  '42501', p || ' may not')
  FROM unnest(ARRAY['edith','vera','mike','stan','oscar','dora','ghost']) AS p;
SELECT is(pg_temp.complaint('adam', format(
  $$SELECT FROM seeme_invite('new@example.com', %s => {%s})$$, k, t)),
  pg_temp.complaint('adam', format(
  $$SELECT FROM seeme_invite('new@example.com', %s => {nobody_known})$$, k)),
  format('threat: finding out whether a %s exists by inviting to it', k))
  FROM (VALUES ('organization', 'globex'), ('team', 'labs'), ('project', 'delta')) AS v (k, t);

-- Escalation
SELECT pg_temp.hold('{organizations:read,organizations:manage_members,models:read}') \g /dev/null
SELECT ok(c LIKE '42501:%models:delete%' AND c NOT LIKE '%models:read%',
  'threat: inviting with a role that one does not hold; what is missing is named')
  FROM pg_temp.complaint('nora',
  $$SELECT FROM seeme_invite('stan@example.com', organization => {acme}, role_id => {deleter})$$)
  AS c;
SELECT is(pg_temp.try('nora', format(
  $$SELECT FROM seeme_invite('nora+2@example.com', organization => {acme}, role_id => {%s})$$, r)),
  '42501', 'threat: inviting a second address of one''s own as ' || r)
  FROM unnest(ARRAY['Admin','Editor','Viewer','Owner']) AS r;
SELECT is(
  pg_temp.try('nora',
  $$SELECT FROM seeme_invite('stan@example.com', project => {gamma}, role_id => {deleter})$$),
  '42501', 'threat: the same in a project');
SELECT is(
  pg_temp.try('adam',
  $$SELECT FROM seeme_invite('stan@example.com', organization => {acme}, role_id => {Owner})$$),
  '42501', 'threat: an Admin invites an Owner');
SELECT is(
  pg_temp.play('nora: invite ''nora@example.com'', organization => {acme}, role_id => {reader}',
  'nora: accept', pg_temp.places('nora')), '{"Acme|Just this"}',
  'threat: inviting oneself changes nothing');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Editor}',
  'nora: invite ''stan@example.com'', organization => {acme}', :open), '{42501}',
  'threat: replacing an invitation with a role that one does not hold');
SELECT pg_temp.hold('{}') \g /dev/null

-- Accepting
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Editor}',
  'stan: accept', pg_temp.places('stan')), '{Acme|Editor}', 'to an organization, with a role');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', 'stan: accept',
  pg_temp.places('stan')), '{Acme|null}', 'to an organization, without a role');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', 'stan: accept',
  'stan: SELECT cardinality(seeme_permissions(organization => {acme}))'), '{0}',
  'which is membership and nothing else');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', team => {research}, role_id => {Editor}',
  'stan: accept', pg_temp.places('stan')), '{Acme|null,Research|Editor}',
  'to a team: the organization''s membership comes along, without a role');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', project => {alpha}, role_id => {annotator}',
  'stan: accept', pg_temp.places('stan')), '{Acme|null,Alpha|Annotator}', 'to a project likewise');
SELECT is(pg_temp.play('adam: invite ''vera@example.com'', project => {alpha}, role_id => {Editor}',
  'vera: accept', pg_temp.places('vera')), '{Acme|Viewer,Alpha|Editor}',
  'who is a member of the organization already stays so');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', project => {alpha}, role_id => {Editor}',
  'stan: accept',
  'stan: SELECT seeme_has_permission(''models:update'', project => {alpha}), '
  'seeme_has_permission(''models:update'', project => {beta})'), '{true|false}',
  'it counts at once, and where it is');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'admin: CREATE TEMP TABLE t_answer (id uuid)', 'admin: GRANT INSERT ON t_answer TO PUBLIC',
  'stan: INSERT INTO t_answer SELECT seeme_accept_invitation({token})',
    'admin: SELECT m.id = a.id, m.user_id = {stan}, m.created_by = {adam} FROM seeme.memberships '
    'm, t_answer a WHERE m.user_id = {stan}'),
  '{true|true|true}', 'the answer is the membership''s id, and the inviter is on record');
SELECT is(
  pg_temp.play('nora: SELECT 1',
  'adam: invite ''edith@example.com'', organization => {acme}, role_id => {Viewer}',
  'edith: SELECT seeme_accept_invitation({token}) = (SELECT id FROM seeme.organization_members '
  'WHERE user_id = {edith})'), '{true}', 'who is there already: the id of that membership');
SELECT is(
  pg_temp.play('adam: invite ''edith@example.com'', organization => {acme}, role_id => {Viewer}',
  'edith: accept', pg_temp.places('edith')), '{Acme|Editor}', 'which stays as it is');
SELECT is(
  pg_temp.play('adam: invite ''mike@example.com'', organization => {acme}, role_id => {Admin}',
  'mike: accept', pg_temp.places('mike')), '{Acme|Member}', 'also when the other role is better');
SELECT is(pg_temp.play('adam: invite ''edith@example.com'', organization => {acme}',
  'edith: accept', 'edith: accept'), ARRAY[:'refusal'], 'and the invitation is used');
SELECT is(
  pg_temp.play('adam: invite ''olga@example.com'', organization => {acme}, role_id => {Viewer}',
  'olga: accept', pg_temp.places('olga')), '{Acme|Owner}',
  'threat: demoting the owner by an invitation');
SELECT is(pg_temp.play('adam: invite ''StAn@Example.COM'', organization => {acme}', 'stan: accept',
  pg_temp.places('stan')), '{Acme|null}', 'an address is compared without regard to case');
SELECT is(
  pg_temp.play('adam: invite ''later@example.com'', project => {alpha}, role_id => {Viewer}',
  'admin: INSERT INTO seeme.users (username, email, database_role) VALUES '
  '(''later'', ''Later@example.com'', ''t_later'')',
  'admin: CREATE ROLE t_later LOGIN IN ROLE t_app', 'later: accept',
    'later: SELECT name FROM seeme.projects'), '{Alpha}',
    'somebody without an account yet accepts once they have one');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Viewer}',
  'adam: invite ''stan@example.com'', team => {research}, role_id => {Editor}', 'stan: accept',
  :open), '{1}', 'invitations to several places are several');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Editor}',
  'stan: accept', 'admin: SELECT accepted_at IS NOT NULL FROM seeme.invitations'), '{true}',
  'when it was accepted is kept');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', team => {research}, role_id => {Editor}',
  'stan: accept',
  'admin: SELECT command, user_id = {stan} FROM seeme.audit_log WHERE table_name '
  '= ''memberships'' AND after ->> ''user_id'' = {stan}::text AND before IS NULL'),
  '{INSERT|true,INSERT|true}', 'the audit log says who accepted');

-- Inviting the same address again
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Editor}',
  'adam: invite ''STAN@example.com'', organization => {acme}, role_id => {Viewer}',
  'admin: SELECT r.name FROM seeme.invitations i JOIN seeme.roles r ON r.id = i.role_id'),
  '{Viewer}', 'the new invitation takes the place of the open one');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Editor}',
  'admin: CREATE TEMP TABLE t_first AS SELECT {token} AS token',
  'admin: GRANT SELECT ON t_first TO PUBLIC',
  'adam: invite ''stan@example.com'', organization => {acme}',
    'stan: SELECT seeme_accept_invitation(token) FROM t_first'), ARRAY[:'refusal'],
    'whose token is worth nothing any more');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Editor}',
  'olga: invite ''stan@example.com'', organization => {acme}, role_id => {Viewer}', 'stan: accept',
  pg_temp.places('stan')), '{Acme|Viewer}', 'also when somebody else invites');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', 'stan: accept',
  'stan: DELETE FROM seeme.organization_members WHERE user_id = {stan}',
  'adam: invite ''stan@example.com'', organization => {acme}, role_id => {Viewer}', 'stan: accept',
  pg_temp.places('stan')), '{Acme|Viewer}', 'who left may be invited again');

-- One and the same error
SELECT matches(:'refusal'::text, '^22023: .+ \| .+',
  'a token that there is not: 22023, with a hint');
SELECT is(pg_temp.play(format('stan: SELECT seeme_accept_invitation(%L)', t)), ARRAY[:'refusal'],
  'the same error: ' || what)
  FROM (VALUES ('an empty token', ''), ('a null token', NULL), ('a long one', repeat('x', 100000)))
  AS v (what, t);
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', 'stan: accept',
  'stan: accept'), ARRAY[:'refusal'], 'the same error: used');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', 'stan: accept',
  'stan: DELETE FROM seeme.organization_members WHERE user_id = {stan}', 'stan: accept'),
  ARRAY[:'refusal'], 'threat: coming back with a used one');
SELECT is(
  pg_temp.play(
  'adam: invite ''stan@example.com'', organization => {acme}, valid_for => ''0.1 seconds''',
  'admin: SELECT pg_sleep(0.15)', 'stan: accept'), ARRAY[:'refusal'],
  'the same error: expired, within one transaction');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Viewer}',
  p || ': accept'), ARRAY[:'refusal'], 'threat: accepting somebody else''s invitation, as ' || p)
  FROM unnest(ARRAY['mike','nora','gina','olga','adam','ghost']) AS p;
SELECT is(pg_temp.play('adam: invite ''dora@example.com'', project => {alpha}', 'dora: accept'),
  ARRAY[:'refusal'], 'the same error: a disabled person');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'admin: SELECT seeme_accept_invitation({token})'), ARRAY[:'refusal'],
  'the same error: nobody identified, superuser or not');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'adam: DELETE FROM seeme.pending_members', 'stan: accept'), ARRAY[:'refusal'],
  'the same error: cancelled');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Viewer}',
  v.change, 'stan: accept'), ARRAY[:'refusal'], 'threat: an invitation by somebody ' || v.what)
  FROM (VALUES ('demoted since',
  'olga: UPDATE seeme.organization_members SET role_id = {Editor} WHERE user_id = {adam}'),
               ('who has no role any more',
               'olga: UPDATE seeme.organization_members SET role_id = NULL WHERE user_id = {adam}'),
               ('thrown out since',
               'olga: DELETE FROM seeme.organization_members WHERE user_id = {adam}'),
               ('who left', 'adam: DELETE FROM seeme.organization_members WHERE user_id = {adam}'),
               ('whose membership has ended',
               'admin: UPDATE seeme.memberships SET valid_until = clock_timestamp() WHERE user_id '
               '= {adam}'),
               ('whose membership has not begun',
               'admin: UPDATE seeme.memberships SET valid_from = clock_timestamp() + interval ''1 '
               'day'' WHERE user_id = {adam}'),
               ('disabled since',
               'admin: UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = {adam}'),
               ('deleted since', 'admin: DELETE FROM seeme.users WHERE id = {adam}'),
               ('who may manage members, and no longer holds the role',
               'olga: UPDATE seeme.organization_members SET role_id = {manager} WHERE user_id = '
               '{adam}')) AS v (what, change);
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Viewer}',
  'olga: DELETE FROM seeme.organization_members WHERE user_id = {adam}',
    'olga: INSERT INTO seeme.organization_members (organization_id, user_id, role_id) VALUES '
    '({acme}, {adam}, {Admin})', 'stan: accept'), ARRAY[:'refusal'],
    'threat: it does not come back to life with the inviter');
SELECT is(
  pg_temp.play(
  'olga: UPDATE seeme.organization_members SET role_id = {manager} WHERE user_id = {adam}',
  'adam: invite ''stan@example.com'', organization => {acme}, role_id => {reader}',
  'olga: UPDATE seeme.roles SET permissions = ''{models:read,models:delete}'' WHERE id = {reader}',
  'stan: accept'),
  ARRAY[:'refusal'], 'threat: an invitation whose role holds more by now than the inviter does');
SELECT is(
  pg_temp.play(
  'olga: UPDATE seeme.organization_members SET role_id = {manager} WHERE user_id = {adam}',
  'adam: invite ''stan@example.com'', organization => {acme}, role_id => {reader}',
  'olga: UPDATE seeme.organization_members SET role_id = {Admin} WHERE user_id = {adam}',
  'stan: accept', pg_temp.places('stan')),
  '{Acme|Reader}', 'who was promoted since still may');
SELECT is(
  pg_temp.play('olga: invite ''stan@example.com'', organization => {acme}, role_id => {Admin}',
  'olga: SELECT seeme_transfer_ownership({acme}, {edith})', 'stan: accept', pg_temp.places('stan')),
  '{Acme|Admin}', 'a former owner is an Admin, and may invite one');
SELECT is(pg_temp.play('olga: invite ''stan@example.com'', organization => {acme}',
  'admin: UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = {olga}',
  'stan: accept'), ARRAY[:'refusal'], 'nobody acts for a disabled owner');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', ' || p.place, p.gone, 'stan: accept'),
  ARRAY[:'refusal'], 'it goes with what it is to: ' || p.place)
  FROM (VALUES ('team => {research}', 'olga: DELETE FROM seeme.teams WHERE id = {research}'),
  ('project => {alpha}', 'olga: DELETE FROM seeme.projects WHERE id = {alpha}'),
               ('organization => {acme}',
               'olga: DELETE FROM seeme.organizations WHERE id = {acme}'),
               ('project => {gamma}', 'olga: DELETE FROM seeme.organizations WHERE id = {acme}'))
               AS p (place, gone);
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'mike: SELECT (SELECT seeme_accept_invitation(id::text) FROM seeme.pending_members LIMIT 1), 1',
  'stan: SELECT seeme_accept_invitation(id::text) FROM seeme.invitations'), ARRAY[:'refusal'],
  'threat: the invitation''s id is not its token');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'stan: SELECT seeme_accept_invitation(encode(sha256(convert_to({token}, ''UTF8'')), ''hex''))'),
  ARRAY[:'refusal'], 'threat: the hash is not the token');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'stan: SELECT seeme_accept_invitation(upper({token}))'), ARRAY[:'refusal'],
  'nor is the token in capitals');

-- Pending ones
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {annotator}',
  'adam: SELECT organization_id = {acme}, user_id, role_id = {annotator}, role_name, email, '
  'username, firstname, name FROM seeme.pending_members'),
  '{true|null|true|Annotator|stan@example.com|null|null|null}',
  'a member list shows who is invited, in the columns of the member views');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Viewer}',
  'adam: SELECT email, role_name
    FROM (SELECT id, organization_id, user_id, role_id, role_name, email, username, firstname, name FROM seeme.organization_members
    UNION ALL SELECT id, organization_id, user_id, role_id, role_name, email, username, firstname, name FROM seeme.pending_members WHERE team_id IS NULL AND project_id IS NULL) AS m WHERE email > ''p'' ORDER BY email'),
  '{paul@example.com|null,stan@example.com|Viewer,tess@example.com|null,vera@example.com|Viewer}',
  'so that the two make one list');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', 'stan: accept',
  'adam: SELECT count(*) FROM seeme.pending_members'), '{0}', 'not those that were accepted');
SELECT is(
  pg_temp.play(
  'adam: invite ''stan@example.com'', organization => {acme}, valid_for => ''0.1 seconds''',
  'admin: SELECT pg_sleep(0.15)', 'adam: SELECT count(*) FROM seeme.pending_members'), '{0}',
  'nor those that have expired');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', project => {delta}'), '{42501}',
  'nobody invites to another organization''s project');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', project => {alpha}, role_id => {Viewer}',
  p || ': SELECT email, role_name FROM seeme.pending_members'), w::text[], 'pending ones: ' || what)
  FROM (VALUES ('olga', '{stan@example.com|Viewer}', 'who manages members sees them'),
  ('stan', '{stan@example.com|Viewer}', 'the invited person sees their own'),
  ('mike', '{}', 'other members do not'), ('paul', '{}', 'nor a viewer of the project'),
               ('gina', '{}', 'nor another organization'), ('oscar', '{}', 'nor its owner'),
               ('ghost', '{}', 'nor nobody'), ('dora', '{}', 'nor a disabled person'))
               AS v (p, w, what);
SELECT is(pg_temp.play('olga: invite ''stan@example.com'', project => {alpha}',
  'olga: invite ''stan@example.com'', project => {beta}',
  'olga: invite ''stan@example.com'', organization => {acme}',
  'olga: UPDATE seeme.roles SET permissions = ''{projects:read,projects:update}'' WHERE id = '
  '{annotator}', 'ann: SELECT project_id = {alpha} FROM seeme.pending_members'), '{true}',
  'who manages one project sees its own');

-- Cancelling
SELECT pg_temp.hold('{organizations:read,organizations:manage_members}') \g /dev/null
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  format('nora: WITH d AS (DELETE FROM seeme.%s RETURNING id) SELECT count(*) FROM d', v)), '{1}',
  'who may add the membership may cancel, in ' || v)
  FROM unnest(ARRAY['pending_members', 'invitations']) AS v;
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {reader}',
  format('nora: DELETE FROM seeme.%s', v)), '{42501}',
  'but only who holds what the role holds, in ' || v)
  FROM unnest(ARRAY['pending_members', 'invitations']) AS v;
SELECT is(
  pg_temp.play(
  'admin: UPDATE seeme.roles SET permissions = permissions || ''{models:read}'' WHERE id = {just '
  'this}', 'nora: invite ''stan@example.com'', organization => {acme}, role_id => {reader}',
  'admin: UPDATE seeme.roles SET permissions = array_remove(permissions, ''models:read'') WHERE id '
  '= {just this}',
    'nora: WITH d AS (DELETE FROM seeme.pending_members RETURNING id) SELECT count(*) FROM d'),
    '{1}', 'or who made it');
SELECT is(pg_temp.play('nora: invite ''stan@example.com'', organization => {acme}',
  'admin: UPDATE seeme.roles SET permissions = ''{organizations:read}'' WHERE id = {just this}',
  'nora: WITH d AS (DELETE FROM seeme.pending_members RETURNING id) SELECT count(*) FROM d'), '{0}',
  'as long as one manages members at all');
SELECT pg_temp.hold('{}') \g /dev/null
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  p || ': WITH d AS (DELETE FROM seeme.invitations RETURNING id) SELECT count(*) FROM d'), '{0}',
  'threat: cancelling what is not one''s business, as ' || p)
  FROM unnest(ARRAY['mike','edith','stan','oscar','ghost']) AS p;
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'olga: DELETE FROM seeme.organization_members WHERE user_id = {adam}', :open), '{0}',
  'open invitations go with the membership of who made them');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', 'stan: accept',
  'olga: DELETE FROM seeme.organization_members WHERE user_id = {adam}', pg_temp.places('stan')),
  '{Acme|null}', 'what was accepted stays');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', project => {alpha}, role_id => {Viewer}',
  'olga: DELETE FROM seeme.organization_members WHERE user_id = {adam}', :open), '{0}',
  'those to projects, too');
SELECT is(
  pg_temp.play(
  'admin: INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({globex}, '
  '{adam}, {Admin})', 'adam: invite ''stan@example.com'', organization => {globex}',
  'olga: DELETE FROM seeme.organization_members WHERE user_id = {adam}', :open), '{1}',
  'those of another organization stay');
-- nora manages members and holds nothing else; adam was demoted after he had invited an Editor
SELECT pg_temp.hold('{organizations:read,organizations:manage_members}') \g /dev/null
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Editor}',
  'olga: UPDATE seeme.organization_members SET role_id = NULL WHERE user_id = {adam}',
  'nora: DELETE FROM seeme.organization_members WHERE user_id = {adam}', :open), '{0}',
  'an open invitation does not keep its maker in the organization');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {Editor}',
  'olga: UPDATE seeme.organization_members SET role_id = NULL WHERE user_id = {adam}',
  'olga: INSERT INTO seeme.team_members (team_id, user_id) VALUES ({research}, {adam})',
  'nora: DELETE FROM seeme.organization_members WHERE user_id = {adam}', :open), '{0}',
  'nor does one whose maker is in a team as well');
SELECT pg_temp.hold('{}') \g /dev/null
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {reader}',
  'olga: DELETE FROM seeme.roles WHERE id = {reader}'), '{23503}',
  'a role that somebody is invited in is in use');
SELECT is(
  pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}, role_id => {reader}',
  'adam: DELETE FROM seeme.pending_members',
  'olga: WITH d AS (DELETE FROM seeme.roles WHERE id = {reader} RETURNING name) SELECT name FROM '
  'd'), '{Reader}', 'until that is cancelled');

-- The table itself
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}', p || ': ' || s),
  '{42501}', format('threat: reading token hashes, as %s: %s', p, s))
  FROM unnest(ARRAY['adam', 'stan']) AS p, unnest(
  ARRAY['SELECT token_hash FROM seeme.invitations', 'SELECT * FROM seeme.invitations',
  'SELECT i FROM seeme.invitations i',
  'SELECT id FROM seeme.invitations WHERE token_hash > ''\x80''']) AS s;
SELECT is(pg_temp.try('adam', 'DELETE FROM seeme.invitations RETURNING token_hash'), '42501',
  'threat: reading token hashes while deleting them');
SELECT is(pg_temp.try('adam', 'DELETE FROM seeme.invitations WHERE token_hash > ''\x80'''), '42501',
  'threat: or by trying');
SELECT is(
  pg_temp.try(p, $$INSERT INTO seeme.invitations
    (organization_id, email, role_id, invited_by, token_hash, expires_at)
    VALUES ({acme}, 'stan@example.com', {Admin}, {olga}, sha256('x'), '2100-01-01')$$), '42501',
      'threat: inserting into seeme.invitations, as ' || p)
  FROM unnest(ARRAY['stan','adam','olga']) AS p;
SELECT is(
  pg_temp.try('stan', $$INSERT INTO seeme.pending_members
    (organization_id, email, role_id, invited_by, expires_at)
    VALUES ({acme}, 'stan@example.com', {Admin}, {olga}, '2100-01-01')$$), '42501',
      'threat: or into the view');
SELECT is(pg_temp.play('adam: invite ''stan@example.com'', organization => {acme}',
  'stan: UPDATE seeme.' || t || ' SET ' || s), '{42501}',
  format('threat: changing %s of an invitation in %s', s, t))
  FROM unnest(ARRAY['invitations', 'pending_members']) AS t,
  unnest(ARRAY['role_id = {Admin}', 'email = ''mike@example.com''', 'expires_at = ''2100-01-01''',
  'organization_id = {globex}']) AS s;
SELECT is(
  pg_temp.try('mike', $$UPDATE seeme.users SET email = 'stan@example.com' WHERE id = {mike}$$),
  '42501', 'threat: taking the invited address');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'seeme'::regnamespace
    AND p.proname IN ('could_invite', 'random_token', 'enforce_invitation_rules', 'cancel_invitations_of',
    'require_role_held') AND has_function_privilege('t_app', p.oid, 'EXECUTE')$$,
  'threat: calling what invitations are made of');
SELECT ok(c LIKE '42501:%' AND c NOT LIKE '%stan@example.com%',
  'threat: an invitation is not made by somebody else''s hand')
  FROM pg_temp.complaint('mike',
  $$SELECT FROM seeme_invite('stan@example.com', organization => {acme}, role_id => {Member})$$)
  AS c;

SELECT * FROM finish();
ROLLBACK;
