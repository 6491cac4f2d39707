\i test/include/prelude.psql
-- A database in another encoding than UTF8 takes the extension, makes slugs, and decides. Only UTF8
-- has normalize(), which takes the accent off a letter; elsewhere such a letter falls out of the
-- slug.
\set home :DBNAME
DROP DATABASE IF EXISTS other_encoding;
CREATE DATABASE other_encoding TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';
\c other_encoding
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
CREATE EXTENSION seeme_rbac;
SELECT plan(6);

INSERT INTO seeme.users (id, username) VALUES ('11111111-1111-4111-8111-111111111111', 'ada');
INSERT INTO seeme.organizations (id, name, owner_id) VALUES
  ('33333333-3333-4333-8333-333333333333', 'Acme & Co', '11111111-1111-4111-8111-111111111111'),
  ('44444444-4444-4444-8444-444444444444', U&'Caf\00e9 Nord',
  '11111111-1111-4111-8111-111111111111');
INSERT INTO seeme.teams (organization_id, name)
  VALUES ('33333333-3333-4333-8333-333333333333', 'Research Team');
INSERT INTO seeme.projects (organization_id, name)
  VALUES ('33333333-3333-4333-8333-333333333333', 'Vision 1.0');
SELECT is(current_setting('server_encoding'), 'LATIN1', 'the database is in another encoding');
SELECT is((SELECT slug FROM seeme.organizations WHERE id = '33333333-3333-4333-8333-333333333333'),
  'acme-co', 'an organization gets a slug of its name');
SELECT is((SELECT slug FROM seeme.organizations WHERE id = '44444444-4444-4444-8444-444444444444'),
  'caf-nord', 'so does one whose name has an accent');
SELECT is((SELECT slug FROM seeme.teams), 'research-team', 'a team does');
SELECT is((SELECT slug FROM seeme.projects), 'vision-1-0', 'and a project');
BEGIN;
SELECT seeme_assume('11111111-1111-4111-8111-111111111111') \g /dev/null
SELECT ok(seeme_has_permission(
  'models:read', organization => '33333333-3333-4333-8333-333333333333'), 'and decisions are made');
COMMIT;
SELECT * FROM finish();
\c :home
DROP DATABASE other_encoding;
