\i test/include/prelude.psql
-- Findings of seeme_security_report() about keys and invitations that people made, and about
-- services.
SET client_min_messages = error;
BEGIN;
\i test/include/people.psql
CREATE FUNCTION pg_temp.silence(key_user uuid, organization uuid, creator uuid) RETURNS void
  LANGUAGE sql AS $$
  INSERT INTO seeme.api_keys (id, user_id, organization_id, permissions, name, key_prefix, key_hash,
    created_by, expires_at)
  VALUES ('f3000000-0000-4000-8000-000000000001', key_user, organization, '{models:read}', 'k', 'x',
    sha256('k'), creator, now() + interval '1 day') $$;
INSERT INTO seeme.users (id, username, is_service, service_organization_id) VALUES
  ('a0000000-0000-4000-8000-0000000000b0', 'bot', true, :acme),
  ('a0000000-0000-4000-8000-0000000000b2', 'free', true, NULL);
INSERT INTO seeme.memberships (organization_id, user_id)
  VALUES (:acme, 'a0000000-0000-4000-8000-0000000000b0'),
    (:acme, 'a0000000-0000-4000-8000-0000000000b2');
SELECT plan(13);
\i test/include/security_report.psql

SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why) FROM (VALUES
  (1, 'key is silenced', 'medium', 'seeme.api_keys f3000000-0000-4000-8000-000000000001',
   $$SELECT pg_temp.silence('a0000000-0000-4000-8000-0000000000b0',
     'b0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000003')$$,
     'made by somebody who manages no members'),
  (2, 'key is silenced', 'medium', 'seeme.api_keys f3000000-0000-4000-8000-000000000001',
   $$SELECT pg_temp.silence('a0000000-0000-4000-8000-00000000000e',
     'b0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-00000000000e')$$,
     'for an organization that one does not belong to'),
  (3, 'service belongs to no organization', 'medium',
  'seeme.users a0000000-0000-4000-8000-0000000000b2',
   $$SELECT pg_temp.silence('a0000000-0000-4000-8000-0000000000b2',
     'b0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001')$$,
     'and a person made a key'),
  (4, 'service of an organization that is gone', 'low',
  'seeme.users a0000000-0000-4000-8000-0000000000b0',
   $$DELETE FROM seeme.organizations WHERE slug = 'acme'$$, 'with the organization deleted'),
  (5, 'invitation counts for nothing', 'low',
  'seeme.invitations f3000000-0000-4000-8000-000000000002',
   $$INSERT INTO seeme.invitations (id, organization_id, email, invited_by, token_hash, expires_at)
     VALUES ('f3000000-0000-4000-8000-000000000002', 'b0000000-0000-4000-8000-000000000001',
       'x@example.com', 'a0000000-0000-4000-8000-00000000000e', sha256('i'),
       now() + interval '1 day')$$, 'of somebody who is no member')
) AS c (n, name, severity, object, weakness, why) ORDER BY c.n;

-- What is not a weakness
SELECT is(pg_temp.found(s), NULL, 'no finding: ' || n) FROM (VALUES
  (1, $$SELECT pg_temp.silence(
    'a0000000-0000-4000-8000-0000000000b0', 'b0000000-0000-4000-8000-000000000001',
    'a0000000-0000-4000-8000-000000000001')$$, 'a service''s key that the owner made'),
  (2, $$SELECT pg_temp.silence('a0000000-0000-4000-8000-0000000000b2', NULL, NULL)$$,
  'one that an administrator made'),
  (3, $$SELECT pg_temp.silence(
    'a0000000-0000-4000-8000-0000000000b2', NULL, 'a0000000-0000-4000-8000-0000000000b2')$$,
    'one that the service itself made')) AS v (i, s, n) ORDER BY i;

SELECT * FROM finish();
ROLLBACK;
