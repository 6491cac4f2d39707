\i test/include/prelude.psql
-- An organization has one owner, who is a member of it and holds everything: how that passes on,
-- and that nothing else takes it away. What concurrent sessions make of it is in the isolation
-- specs.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(85);

\set seats '''SELECT username, role_name FROM seeme.organization_members WHERE organization_id = {acme} AND (role_id = {Owner} OR user_id IN ({olga}, {adam}, {edith})) ORDER BY username'''
CREATE FUNCTION pg_temp.transfer(organization text, person text) RETURNS text
  LANGUAGE sql AS $$ SELECT format(
    'SELECT seeme_transfer_ownership({%s}, {%s})', organization, person) $$;
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES ('e0000000-0000-4000-8000-0000000000a1', :acme, 'All', '{*}');
INSERT INTO thing VALUES ('all', 'e0000000-0000-4000-8000-0000000000a1');

-- The transfer
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'), :seats),
  '{adam|Admin,edith|Owner,olga|Admin}',
  'the owner hands the organization to a member, and stays as Admin');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  'SELECT owner_id = {edith} FROM seeme.organizations WHERE id = {acme}'), '{true}',
  'who is the owner then');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', p),
  format('SELECT username FROM seeme.organization_members WHERE organization_id = {acme} AND '
         'role_id = {Owner}')), ARRAY[p], 'whatever their role was: ' || p)
  FROM unnest(ARRAY['adam','vera','mike','nora','tess','paul']) AS p;
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'tess'),
  'SELECT count(*) FROM seeme.memberships WHERE user_id = {tess}'), '{2}',
  'what they hold in a team stays');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  $$SELECT seeme_has_permission('organizations:delete', organization => {acme}),
    seeme_has_permission('models:delete', project => {alpha})$$), '{false|true}',
    'the former owner holds what an Admin holds, at once');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  $$SELECT pg_temp.become('edith')$$, $$SELECT seeme_has_permission('*', organization => {acme}),
    seeme_has_permission('*', project => {alpha})$$), '{true|true}', 'the new one everything');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'), pg_temp.transfer('acme', 'olga')),
  '{42501}', 'threat: taking it back');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  $$SELECT pg_temp.become('edith')$$, pg_temp.transfer('acme', 'olga'), :seats),
  '{adam|Admin,edith|Admin,olga|Owner}', 'the new owner may hand it on, or back');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  $$SELECT pg_temp.become('edith')$$, $$DELETE FROM seeme.organization_members
    WHERE user_id = {olga} RETURNING user_id = {olga}$$), '{true}', 'and remove the former one');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  $$DELETE FROM seeme.organization_members WHERE user_id = {olga} RETURNING username$$), '{olga}',
  'who may leave, too');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  $$DELETE FROM seeme.organization_members WHERE user_id = {edith}$$, 'SELECT 1'), '{42501}',
  'threat: the former owner throws out the new one');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  $$UPDATE seeme.organization_members SET role_id = {Editor} WHERE user_id = {edith}$$, 'SELECT 1'),
  '{42501}', 'threat: or makes them an Editor again');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  $$WITH d AS (DELETE FROM seeme.organizations WHERE id = {acme} RETURNING id) SELECT count(*)
    FROM d$$), '{0}', 'threat: or deletes the organization');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'olga'), :seats),
  '{adam|Admin,edith|Editor,olga|Owner}', 'to oneself: nothing changes');
SELECT is(
  pg_temp.rows('olga',
  'SELECT seeme_transfer_ownership(new_owner_id => {edith}, organization_id => {acme})',
  'SELECT owner_id = {edith} FROM seeme.organizations'), '{true}', 'by named arguments');
UPDATE seeme.memberships SET valid_from = clock_timestamp() - interval '1 day',
  valid_until = clock_timestamp() + interval '1 day' WHERE user_id = :edith;
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'),
  'SELECT valid_from IS NULL, valid_until IS NULL FROM seeme.memberships WHERE user_id = {edith}'),
  '{true|true}', 'the owner''s membership is for good');
UPDATE seeme.memberships SET valid_from = NULL, valid_until = NULL WHERE user_id = :edith;
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'), $$SELECT pg_temp.become(NULL)$$,
  $$SELECT bool_and(user_id = {olga}), bool_or(table_name = 'organizations'),
    bool_or(after ->> 'role_id' = {Admin}::text) FROM seeme.audit_log WHERE command = 'UPDATE'
    AND organization_id = {acme} AND transaction_id = pg_current_xact_id()
    AND user_id IS NOT NULL$$),
  '{true|true|true}', 'the audit log says who handed it over');

-- By the owner alone
SELECT is(pg_temp.try(p, pg_temp.transfer('acme', 'edith')), '42501',
  'not by ' || coalesce(p, 'a superuser with nobody identified'))
  FROM unnest(ARRAY['adam','edith','nora','stan','oscar','dora','ghost',NULL]) AS p;
UPDATE seeme.memberships SET role_id = pg_temp.id('all') WHERE user_id = :vera;
SELECT is(pg_temp.try('vera', pg_temp.transfer('acme', 'vera')), '42501',
  'threat: somebody who holds * takes the organization');
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer') WHERE user_id = :vera;
SELECT is(pg_temp.complaint('adam', pg_temp.transfer(o, 'adam')),
  pg_temp.complaint('adam', pg_temp.transfer('acme', 'adam')), 'one and the same refusal: ' || o)
  FROM unnest(ARRAY['globex', 'nobody_known']) AS o;
SELECT is(pg_temp.try('adam', 'SELECT seeme_transfer_ownership(NULL, {adam})'), '42501',
  'nor of nothing');

-- To a member
SELECT is(pg_temp.try('olga', pg_temp.transfer('acme', p)), '23503', 'not to ' || what)
  FROM (VALUES ('stan', 'somebody who is no member'), ('oscar', 'another organization''s owner'),
  ('gina', 'another organization''s member'), ('dora', 'a disabled member'),
  ('nobody_known', 'nobody known')) AS v (p, what);
SELECT is(pg_temp.try('olga', 'SELECT seeme_transfer_ownership({acme}, NULL)'), '23503',
  'not to null');
SELECT is(pg_temp.complaint('olga', pg_temp.transfer('acme', p)),
  pg_temp.complaint('olga', pg_temp.transfer('acme', 'nobody_known')),
  'threat: finding out whether there is such a person: ' || p)
  FROM unnest(ARRAY['stan', 'gina']) AS p;
SELECT is(pg_temp.rows(NULL, format('UPDATE seeme.memberships SET %s WHERE user_id = {edith}', s),
  $$SELECT pg_temp.become('olga')$$, pg_temp.transfer('acme', 'edith')), '{23503}',
  'not to a member whose membership ' || what)
  FROM (VALUES ('valid_until = clock_timestamp()', 'has ended'),
  ('valid_from = clock_timestamp() + interval ''1 hour''', 'has not begun')) AS v (s, what);
SELECT is(
  pg_temp.rows(NULL,
  'UPDATE seeme.users SET disabled_at = clock_timestamp() + interval ''1 hour'' WHERE id = {edith}',
  $$SELECT pg_temp.become('olga')$$, pg_temp.transfer('acme', 'edith'),
  'SELECT owner_id = {edith} FROM seeme.organizations'), '{true}',
  'who will be disabled later is not yet');

-- The owner is neither removed, demoted nor deleted
SELECT is(pg_temp.try(p, s), '42501', format(
  'the owner stays: %s, by %s', what, coalesce(p, 'a superuser')))
  FROM unnest(ARRAY['olga', 'adam', NULL]) AS p,
       (VALUES ('removing', 'DELETE FROM seeme.organization_members WHERE user_id = {olga}'),
       ('demoting',
       'UPDATE seeme.organization_members SET role_id = {Admin} WHERE user_id = {olga}'),
               ('taking the role away',
               'UPDATE seeme.memberships SET role_id = NULL WHERE user_id = {olga}'),
               ('an end',
               'UPDATE seeme.memberships SET valid_until = ''2100-01-01'' WHERE user_id = {olga}'),
               ('a beginning',
               'UPDATE seeme.memberships SET valid_from = ''2000-01-01'' WHERE user_id = {olga}'))
               AS v (what, s);
SELECT is(pg_temp.try(NULL, 'DELETE FROM seeme.users WHERE id = {olga}'), '23503',
  'nor is the owner''s account deleted');
SELECT is(pg_temp.rows('olga', pg_temp.transfer('acme', 'edith'), $$SELECT pg_temp.become(NULL)$$,
  'DELETE FROM seeme.users WHERE id = {olga} RETURNING username'), '{olga}',
  'which is well once the organization is handed over');
SELECT is(pg_temp.rows('olga', 'DELETE FROM seeme.organizations WHERE id = {acme} RETURNING name'),
  '{Acme}', 'the owner''s membership goes with the organization');
SELECT is(pg_temp.rows('olga', 'DELETE FROM seeme.organizations WHERE id = {acme}',
  $$SELECT pg_temp.become(NULL)$$, 'DELETE FROM seeme.users WHERE id = {olga} RETURNING username'),
  '{olga}', 'and the account may be deleted then');

-- owner_id by itself
SELECT is(pg_temp.try(p, 'UPDATE seeme.organizations SET owner_id = {adam} WHERE id = {acme}'),
  '42501', 'threat: writing owner_id, as ' || p) FROM unnest(ARRAY['adam', 'olga']) AS p;
SELECT ok(pg_temp.try(p, 'UPDATE seeme.organizations SET owner_id = {adam} WHERE id = {acme}') IN
  ('42501', '0 rows'), 'threat: writing owner_id, as ' || p)
  FROM unnest(ARRAY['edith', 'oscar', 'ghost', 'dora']) AS p;
SELECT is(pg_temp.rows(NULL, 'UPDATE seeme.organizations SET owner_id = {adam} WHERE id = {acme}',
  :seats), '{adam|Owner,edith|Editor,olga|Admin}',
  'a superuser with nobody identified reassigns; the memberships follow');
SELECT is(pg_temp.rows(NULL, 'UPDATE seeme.organizations SET owner_id = {stan} WHERE id = {acme}',
  :seats), '{adam|Admin,edith|Editor,olga|Admin,stan|Owner}', 'to somebody who was no member, too');
SELECT is(pg_temp.try(NULL, 'UPDATE seeme.organizations SET owner_id = NULL WHERE id = {acme}'),
  '23502', 'there is always an owner');
SELECT is(
  pg_temp.try(NULL, 'UPDATE seeme.organizations SET owner_id = {nobody_known} WHERE id = {acme}'),
  '23503', 'who exists');

-- A disabled owner
\set disabled '''SELECT finding, subject FROM seeme_review({acme}) WHERE finding = $$owner is disabled$$'''
SELECT is(pg_temp.rows(NULL, :disabled), '{}', 'the review says nothing of an owner who is there');
UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = :olga;
SELECT is(pg_temp.try('olga', pg_temp.transfer('acme', 'edith')), '42501',
  'a disabled owner hands over nothing');
SELECT is(pg_temp.try('adam', pg_temp.transfer('acme', 'edith')), '42501',
  'and nobody acts for them');
SELECT is(pg_temp.try('olga', 'SELECT FROM seeme.organizations WHERE id = {acme}'), '0 rows',
  'they see nothing');
SELECT is(
  pg_temp.rows('olga',
  $$SELECT seeme_has_permission('organizations:read', organization => {acme})$$), '{false}',
  'and may do nothing');
SELECT is(pg_temp.rows(p, :disabled), '{"owner is disabled|Acme"}',
  'the review shows it to ' || coalesce(p, 'a superuser')) FROM unnest(ARRAY['adam', NULL]) AS p;
SELECT is(pg_temp.rows('gina', :disabled), '{}', 'and to nobody outside');
SELECT is(pg_temp.rows(NULL, 'UPDATE seeme.organizations SET owner_id = {adam} WHERE id = {acme}',
  :disabled), '{}', 'until a database administrator reassigns');
SELECT is(pg_temp.try('adam', 'DELETE FROM seeme.organization_members WHERE user_id = {olga}'),
  '42501', 'threat: throwing out a disabled owner');
SELECT is(pg_temp.try(NULL, 'DELETE FROM seeme.users WHERE id = {olga}'), '23503',
  'who is not deleted either');

SELECT * FROM finish();
ROLLBACK;
