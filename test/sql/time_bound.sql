\i test/include/prelude.psql
-- valid_from and valid_until of memberships: they count from the instant and until the instant, by
-- the clock, also inside one long transaction, for somebody who has been asking all along, and in
-- plans made before.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(83);

CREATE TABLE t_paper (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text,
  project_id uuid NOT NULL);
CREATE INDEX ON t_paper (project_id);
INSERT INTO t_paper (name, project_id) VALUES ('of Alpha', :alpha), ('of Beta', :beta),
  ('of Gamma', :gamma);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_paper TO t_app;
SELECT seeme_protect('t_paper', 'models', project_column => 'project_id') \g /dev/null

-- Every form of the question, asked about project Alpha.
CREATE FUNCTION pg_temp.forms() RETURNS TABLE (form text, answer boolean) LANGUAGE plpgsql AS $$
DECLARE
  alpha uuid := pg_temp.id('alpha');
  acme uuid := pg_temp.id('acme');
BEGIN
  RETURN QUERY SELECT 'seeme_has_permission', seeme_has_permission('models:read', project => alpha);
  RETURN QUERY SELECT 'seeme_user_has_permission',
    seeme_user_has_permission(seeme_user_id(), 'models:read', project => alpha);
  RETURN QUERY SELECT 'seeme_permissions', 'models:read'
    = ANY (seeme_permissions(project => alpha));
  RETURN QUERY SELECT 'seeme_permitted_projects',
    alpha = ANY (seeme_permitted_projects('models:read'));
  RETURN QUERY SELECT 'seeme_permitted_users',
    seeme_user_id() IN (SELECT seeme_permitted_users('models:read', project => alpha));
  RETURN QUERY SELECT 'seeme_explain_permission',
    coalesce(bool_or(e.granted), false) FROM seeme_explain_permission(
    seeme_user_id(), 'models:read', project => alpha) AS e;
  RETURN QUERY SELECT 'the rows of a protected table',
    EXISTS (SELECT FROM t_paper p WHERE p.name = 'of Alpha');
  RETURN QUERY SELECT 'one of them by its project',
    EXISTS (SELECT FROM t_paper p WHERE p.project_id = alpha);
END $$;
-- The forms that answer no ('every form' or 'no form' but these), asked by somebody who stays the
-- one asking.
CREATE FUNCTION pg_temp.answers(expected boolean) RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(f.form, ', '), 'as expected') FROM pg_temp.forms() f
  WHERE f.answer IS DISTINCT FROM expected $$;
CREATE FUNCTION pg_temp.answers_of(person text, expected boolean) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE answers text;
BEGIN
  PERFORM pg_temp.become(person);
  answers := pg_temp.answers(expected);
  PERFORM pg_temp.become(NULL);
  RETURN answers;
END $$;

-- What passes a moment from now: a membership in the organization (edith; tess, whose role is in
-- the team), in the team (gina), in the project (paul), and an account (mike). And what begins
-- then: vera's, ann's in the project, and nora's.
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :gina), (:acme, :stan);
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, :research, :gina, pg_temp.id('Viewer'));
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :alpha, :stan, pg_temp.id('Viewer')), (:acme, :alpha, :mike, pg_temp.id('Viewer'));
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer') WHERE user_id = :ann
  AND project_id = :alpha;
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer') WHERE user_id = :nora;
CREATE TEMP TABLE moment AS SELECT clock_timestamp() + interval '1.2 seconds' AS at;
GRANT SELECT ON moment TO PUBLIC;
UPDATE seeme.memberships SET valid_until = moment.at FROM moment
 WHERE user_id IN (:edith, :tess) AND organization_id = :acme AND team_id IS NULL
    OR user_id = :gina AND team_id IS NOT NULL OR user_id = :paul AND project_id IS NOT NULL;
UPDATE seeme.memberships SET valid_from = moment.at FROM moment
 WHERE user_id IN (:vera, :stan) AND organization_id = :acme AND team_id IS NULL
 AND project_id IS NULL OR user_id = :ann AND project_id IS NOT NULL;
UPDATE seeme.memberships SET valid_from = moment.at,
  valid_until = moment.at + interval '0.6 seconds' FROM moment WHERE user_id = :nora;
UPDATE seeme.users SET disabled_at = moment.at FROM moment WHERE id = :mike;

CREATE TEMP TABLE bounded (person text, what text, before boolean, after boolean, later boolean);
INSERT INTO bounded VALUES ('edith', 'a membership in the organization', true, false, false),
  ('tess', 'one in the organization, with a role in the team', true, false, false),
  ('gina', 'one in the team', true, false, false),
  ('paul', 'one in the project', true, false, false), ('mike', 'an account', true, false, false),
  ('vera', 'one in the organization that begins', false, true, true),
  ('stan', 'one in the organization that begins, with a role in the project', false, true, true),
  ('ann', 'one in the project that begins', false, true, true),
  ('nora', 'one that begins and ends', false, true, false),
  ('cora', 'one without bounds', true, true, true);
SELECT is(pg_temp.answers_of(person, before), 'as expected', 'before: ' || what) FROM bounded;
SELECT is(pg_temp.rows('edith', 'SELECT name FROM seeme.organizations'), '{Acme}',
  'before: the organization is seen');
SELECT is(pg_temp.rows('vera', 'SELECT name FROM seeme.organizations'), '{}', 'before: or not yet');
SELECT is(
  pg_temp.rows('adam', $$SELECT string_agg(u.username, ' ' ORDER BY u.username)
    FROM seeme_permitted_users('models:read', project => {alpha}) AS p (id) JOIN seeme.users u
    USING (id)$$),
  '{"adam cora edith gina mike olga paul tess"}', 'before: who may, as told to an Admin');

-- One who stays the asking person while it passes, with a statement prepared and a plan that is
-- kept
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE t_papers AS SELECT count(*) AS n FROM t_paper;
PREPARE t_paper_of (uuid) AS SELECT count(*) AS n FROM t_paper WHERE project_id = $1;
SELECT pg_temp.become('edith') \g /dev/null
SELECT pg_temp.answers(true) AS warm, (SELECT clock_timestamp() < at FROM moment) AS in_time \gset
EXECUTE t_papers \gset papers_
EXECUTE t_paper_of (:alpha) \gset one_
SELECT pg_sleep(extract(epoch FROM at - clock_timestamp()) + 0.02) FROM moment \g /dev/null
SELECT pg_temp.answers(false) AS cold \gset
EXECUTE t_papers \gset papers_after_
EXECUTE t_paper_of (:alpha) \gset one_after_
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok(:'in_time', 'all of that was asked before the moment passed');
SELECT is(:'warm'::text, 'as expected',
  'one who goes on asking: every form of the question, before');
SELECT is(:'cold'::text, 'as expected',
  'one who goes on asking: every form of the question, after');
SELECT is(format('%s %s', :papers_n, :one_n), '3 1', 'prepared statements, before');
SELECT is(format('%s %s', :papers_after_n, :one_after_n), '0 0', 'prepared statements, after');

SELECT is(pg_temp.answers_of(person, after), 'as expected', 'after: ' || what) FROM bounded;
SELECT is(pg_temp.rows('edith', 'SELECT name FROM seeme.organizations'), '{}',
  'after: the organization is not seen any more');
SELECT is(pg_temp.rows('vera', 'SELECT name FROM seeme.organizations'), '{Acme}',
  'after: or now it is');
SELECT is(
  pg_temp.rows('adam', $$SELECT string_agg(u.username, ' ' ORDER BY u.username)
    FROM seeme_permitted_users('models:read', project => {alpha}) AS p (id) JOIN seeme.users u
    USING (id)$$),
  '{"adam ann cora nora olga stan vera"}', 'after: who may, as told to an Admin');
SELECT is(pg_temp.try('edith', s), o, 'after: what one could write: ' || s)
  FROM (VALUES ($$UPDATE t_paper SET name = 'mine'$$, '0 rows'),
  ($$INSERT INTO t_paper (name, project_id) VALUES ('new', {alpha})$$, '42501'),
  ($$UPDATE seeme.projects SET name = 'Mine' WHERE id = {alpha}$$, '0 rows')) AS v (s, o);
SELECT is(
  pg_temp.rows('tess', $$SELECT cardinality(seeme_permitted_teams('models:read')),
    cardinality(seeme_permitted_organizations('models:read')),
    cardinality(seeme_permissions(team => {research}))$$), '{0|0|0}',
    'after: what lies below an organization counts while the membership there does');
SELECT is(pg_temp.rows('edith', $$SELECT seeme_current_user_context() -> 'organizations'$$), '{[]}',
  'after: the context knows nothing of it');
SELECT is(pg_temp.rows('edith', $$SELECT cardinality(seeme_permissions(organization => {acme}))$$),
  '{0}', 'after: nor do the permissions of the organization');

SELECT pg_sleep(greatest(0, extract(epoch FROM at + interval '0.62 seconds' - clock_timestamp())))
  FROM moment \g /dev/null
SELECT is(pg_temp.answers_of(person, later), 'as expected', 'later: ' || what) FROM bounded;

-- The bounds themselves
CREATE FUNCTION pg_temp.bound(valid_from timestamptz, valid_until timestamptz) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  UPDATE seeme.memberships m SET valid_from = bound.valid_from,
    valid_until = bound.valid_until WHERE m.user_id = pg_temp.id('cora');
  PERFORM pg_temp.become('cora');
  answer := seeme_has_permission('models:read', organization => pg_temp.id('acme'));
  PERFORM pg_temp.become(NULL);
  RETURN answer;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.bound(NULL, NULL), 'true', 'no bounds');
SELECT is(pg_temp.bound(clock_timestamp(), NULL), 'true',
  'from this instant on, this instant included');
SELECT is(pg_temp.bound(NULL, clock_timestamp()), 'false',
  'until this instant, this instant excluded');
SELECT is(pg_temp.bound(clock_timestamp() + interval '1 hour', NULL), 'false', 'from later on');
SELECT is(pg_temp.bound(now() + interval '1 hour', now() + interval '2 hours'), 'false',
  'later, for a while');
SELECT is(pg_temp.bound(now() - interval '2 hours', now() - interval '1 hour'), 'false',
  'once, for a while');
SELECT is(pg_temp.bound(now() - interval '1 hour', now() + interval '1 hour'), 'true',
  'these hours');
SELECT is(pg_temp.bound('-infinity', 'infinity'), 'true', 'for ever and ever');
SELECT is(pg_temp.bound('infinity', NULL), 'false', 'never yet');
SELECT is(pg_temp.bound(NULL, '-infinity'), 'false', 'never any more');
SELECT is(pg_temp.bound(now(), now()), '23514', 'no time at all is refused');
SELECT is(pg_temp.bound(now(), now() - interval '1 second'), '23514',
  'an end before the beginning, too');
SELECT is(pg_temp.bound(NULL, NULL), 'true', 'and none again');

-- Who says so
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.memberships SET valid_until = '2100-01-01'
    WHERE user_id = {cora} RETURNING valid_until = '2100-01-01'$$), '{true}',
    'who manages members says until when');
SELECT is(
  pg_temp.try('cora', $$UPDATE seeme.memberships SET valid_until = '2100-01-01'
    WHERE user_id = {cora}$$), '0 rows', 'others do not');
SELECT is(
  pg_temp.rows(NULL, $$UPDATE seeme.memberships
    SET valid_until = clock_timestamp() + interval '1 hour' WHERE user_id = {adam}$$,
      $$SELECT pg_temp.become('adam')$$,
      'UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = {adam}', 'SELECT 1'),
      '{42501}', 'threat: prolonging one''s own membership');
SELECT is(
  pg_temp.rows(NULL, $$UPDATE seeme.memberships SET valid_until = clock_timestamp()
    WHERE user_id = {adam}$$, $$SELECT pg_temp.become('adam')$$,
    'WITH u AS (UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = {adam} RETURNING '
    '1) SELECT count(*) FROM u'), '{0}', 'threat: reviving it');
SELECT is(
  pg_temp.rows(NULL, $$UPDATE seeme.memberships SET valid_until = clock_timestamp()
    WHERE user_id = {adam}$$, $$SELECT pg_temp.become('adam')$$,
    $$INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
      VALUES ({acme}, {alpha}, {adam}, {Admin})$$, 'SELECT 1'), '{42501}',
        'threat: by another one');

-- What expires soon
DELETE FROM seeme.memberships WHERE user_id = :stan;
UPDATE seeme.memberships SET role_id = NULL WHERE user_id = :nora;
UPDATE seeme.users SET disabled_at = NULL WHERE id = :mike;
UPDATE seeme.memberships SET valid_from = NULL,
  valid_until = NULL WHERE role_id IS DISTINCT FROM pg_temp.id('Owner');
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '2 days'
  WHERE user_id = :edith;
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '1 day'
  WHERE user_id = :tess AND team_id IS NOT NULL;
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '20 days'
  WHERE user_id = :paul AND project_id IS NOT NULL;
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '60 days'
  WHERE user_id = :cora;
UPDATE seeme.memberships SET valid_until = clock_timestamp() - interval '1 hour'
  WHERE user_id = :vera;
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '5 days'
  WHERE user_id = :gina AND organization_id = :globex;
SELECT is(pg_temp.rows('adam', format(
  $$SELECT subject, detail FROM seeme_review({acme}%s) WHERE finding = 'membership expires'
    ORDER BY at$$, w)), e::text[], 'what expires soon' || w)
  FROM (VALUES ('', '{tess|team,edith|organization,paul|project}'),
  (', within => ''3 days''', '{tess|team,edith|organization}'),
  (', within => ''90 days''', '{tess|team,edith|organization,paul|project,cora|organization}'),
  (', within => ''1 hour''', '{}')) AS v (w, e);
SELECT is(
  pg_temp.rows('adam', $$SELECT r.subject_id = m.id, r.at = m.valid_until,
    r.organization = {acme} FROM seeme_review({acme}) AS r
    JOIN seeme.memberships m ON m.id = r.subject_id WHERE r.finding = 'membership expires'
    AND r.subject = 'edith'$$), '{true|true|true}', 'it says when, and which membership');
SELECT is(
  pg_temp.rows('adam', $$SELECT subject, detail FROM seeme_review({acme})
    WHERE finding = 'membership has ended'$$), '{vera|organization}', 'and what has ended');
SELECT is(pg_temp.rows(p, format(
  $$SELECT subject FROM seeme_review() WHERE finding = 'membership expires' ORDER BY at$$)),
  e::text[], 'of what one sees: ' || coalesce(p, 'a superuser'))
  FROM (VALUES ('olga', '{tess,edith,paul}'), (NULL, '{tess,edith,gina,paul}'), ('oscar', '{gina}'),
  ('nora', '{}'), ('tess', '{tess}'), ('ghost', '{}'), ('stan', '{}')) AS v (p, e);
SELECT is(pg_temp.rows(p, $$SELECT subject FROM seeme_review({acme})$$), '{}',
  'threat: reviewing somebody else''s organization, as ' || p)
  FROM unnest(ARRAY['oscar', 'ghost', 'dora']) AS p;
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '0.3 seconds'
  WHERE user_id = :cora;
SELECT is(pg_temp.rows('adam', $$SELECT finding FROM seeme_review({acme}) WHERE subject = 'cora'$$),
  '{"membership expires"}', 'what is about to pass');
SELECT pg_sleep(0.32) \g /dev/null
SELECT is(pg_temp.rows('adam', $$SELECT finding FROM seeme_review({acme}) WHERE subject = 'cora'$$),
  '{"membership has ended"}', 'is over in the same transaction');

DEALLOCATE t_papers;
DEALLOCATE t_paper_of;
SELECT * FROM finish();
ROLLBACK;
