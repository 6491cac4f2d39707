\i test/include/prelude.psql
-- The documented calls on logos, and the invitation, one SQL statement each: with the right,
-- without it, and once it is taken away again. An assertion bears the name of the call.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(189);

-- For an organization, a team and a project: the statement of each call.
CREATE TEMP TABLE call (kind text, thing text, others text, upload text, get text, remove text);
INSERT INTO call
SELECT kind, thing, others,
       format($$INSERT INTO seeme.logos (%s, filename, content)
         VALUES ({%s}, '%s_logo.png', '\x89504e470d0a1a0a01')
         ON CONFLICT ON CONSTRAINT logos_thing_key DO UPDATE SET filename = excluded.filename,
         content = excluded.content$$, kind || '_id', thing, kind),
       format('SELECT filename, media_type, content FROM seeme.logos WHERE %s', one),
       format('DELETE FROM seeme.logos WHERE %s', one)
  FROM (VALUES ('organization', 'acme', 'globex',
  'organization_id = {acme} AND team_id IS NULL AND project_id IS NULL'),
               ('team', 'sales', 'labs', 'team_id = {sales}'),
               ('project', 'gamma', 'delta', 'project_id = {gamma}'))
               AS v (kind, thing, others, one);
CREATE FUNCTION pg_temp.upload(kind text) RETURNS text
  LANGUAGE sql AS $$ SELECT c.upload FROM pg_temp.call c WHERE c.kind = upload.kind $$;
-- Gives everything of the cast a logo.
CREATE FUNCTION pg_temp.decorate() RETURNS void LANGUAGE sql AS $$
  INSERT INTO seeme.logos (organization_id, team_id, project_id, filename, content)
    SELECT o.id, NULL::uuid, NULL::uuid, o.slug || '.gif',
      'GIF89a'::bytea || convert_to(o.slug, 'UTF8') FROM seeme.organizations o
    UNION ALL SELECT NULL, t.id, NULL, t.slug || '.gif',
    'GIF89a'::bytea || convert_to(t.slug, 'UTF8') FROM seeme.teams t
    UNION ALL SELECT NULL, NULL, p.id, p.slug || '.gif',
    'GIF89a'::bytea || convert_to(p.slug, 'UTF8') FROM seeme.projects p
$$;

-- upload_organization_logo, upload_team_logo, upload_project_logo
SELECT pg_temp.needs(format('upload_%s_logo', kind), ARRAY[kind || 's:read'],
  ARRAY[kind || 's:update'], upload, '42501', '1 row') FROM call;
SELECT is(
  pg_temp.rows('adam', upload || ' RETURNING filename, media_type, organization_id = {acme}'),
  ARRAY[kind || '_logo.png|image/png|true'], format(
  'upload_%s_logo answers with the logo; its type and organization are filled in', kind)) FROM call;
SELECT is(pg_temp.rows('adam', upload, format(
  'SELECT name, has_logo FROM seeme.%ss WHERE organization_id = {acme} AND has_logo', kind)),
  ARRAY[initcap(thing) || '|true'], format(
  'upload_%s_logo sets has_logo, of this %1$s alone', kind)) FROM call WHERE kind <> 'organization';
SELECT is(pg_temp.rows('adam', pg_temp.upload('organization'),
  'SELECT name, has_logo FROM seeme.organizations'), '{Acme|true}',
  'upload_organization_logo sets has_logo');
SELECT is(pg_temp.rows('adam', pg_temp.upload('organization'),
  'SELECT bool_or(t.has_logo), bool_or(p.has_logo) FROM seeme.teams t, seeme.projects p'),
  '{false|false}', 'upload_organization_logo is not one of a team or a project');
SELECT pg_temp.decorate() \g /dev/null
SELECT is(pg_temp.rows('adam', upload, get),
  ARRAY[kind || '_logo.png|image/png|\x89504e470d0a1a0a01'],
  format('upload_%s_logo replaces a logo', kind)) FROM call;
SELECT is(
  pg_temp.rows('adam', upload, 'SELECT count(*) FROM seeme.logos WHERE organization_id = {acme}'),
  '{6}', format('upload_%s_logo leaves one logo a thing', kind)) FROM call;
SELECT pg_temp.needs(format('upload_%s_logo, replacing one,', kind), ARRAY[kind || 's:read'],
  ARRAY[kind || 's:update'], upload, '42501', '1 row') FROM call;
SELECT is(pg_temp.try(p, replace(upload, '{' || thing || '}', '{' || others || '}')), '42501',
  format('upload_%s_logo is refused in another organization, to %s', kind, p)) FROM call,
  unnest(ARRAY['adam', 'olga']) AS p;
DELETE FROM seeme.logos;
SELECT pg_temp.hold_in('gamma', '{projects:read,projects:update}'),
  pg_temp.hold_in('sales', '{teams:read,teams:update}') \g /dev/null
SELECT is(pg_temp.try('nora', upload), CASE kind WHEN 'organization' THEN '42501' ELSE '1 row' END,
  format('upload_%s_logo by who holds the right in a team and in a project', kind)) FROM call;
SELECT is(pg_temp.try('nora', replace(
  upload, '{' || thing || '}', CASE kind WHEN 'team' THEN '{research}' ELSE '{alpha}' END)),
  '42501', format('upload_%s_logo to the one beside it is refused', kind)) FROM call
  WHERE kind <> 'organization';
SELECT pg_temp.hold_in('gamma', '{}'), pg_temp.hold_in('sales', '{}') \g /dev/null
SELECT is(pg_temp.try(p, upload), '42501', format('upload_%s_logo is refused to %s', kind, p))
  FROM call, unnest(ARRAY['ghost', 'dora', 'vera']) AS p;

-- get_organization_logo, get_team_logo, get_project_logo
SELECT pg_temp.decorate() \g /dev/null
SELECT is(pg_temp.rows('olga', get),
  ARRAY[format('%s.gif|image/gif|\x%s%s', thing, encode('GIF89a', 'hex'),
  encode(convert_to(thing, 'UTF8'), 'hex'))], format('get_%s_logo', kind)) FROM call;
SELECT is(pg_temp.try('nora', get), '1 row', 'get_organization_logo works for every member')
  FROM call WHERE kind = 'organization';
SELECT pg_temp.needs(format('get_%s_logo', kind), '{}', ARRAY[kind || 's:' || a], get, '0 rows',
  '1 row') FROM call, unnest(ARRAY['read', 'list']) AS a WHERE kind <> 'organization';
SELECT is(pg_temp.try(p, get), '0 rows', format('get_%s_logo finds nothing, for %s', kind, p))
  FROM call, unnest(ARRAY['stan', 'gina', 'oscar', 'ghost', 'dora']) AS p;
SELECT is(pg_temp.rows('paul', 'SELECT filename FROM seeme.logos ORDER BY filename'),
  '{acme.gif,alpha.gif}', 'threat: reading the logo of a hidden project');
SELECT is(pg_temp.rows('tess', 'SELECT filename FROM seeme.logos ORDER BY filename'),
  '{acme.gif,research.gif}', 'threat: or of a hidden team');
SELECT is(pg_temp.rows(p, 'SELECT filename FROM seeme.logos ORDER BY filename'),
  pg_temp.rows(p, $$SELECT slug || '.gif' FROM
    (SELECT slug FROM seeme.organizations UNION ALL SELECT slug FROM seeme.teams UNION ALL
    SELECT slug FROM seeme.projects) AS s (slug) ORDER BY 1$$),
      'who sees a thing sees its logo, and nobody else: ' || p)
  FROM unnest(
  ARRAY['adam','edith','cora','vera','mike','nora','tess','paul','ann','oscar','gina','stan']) AS p;
SELECT is(
  pg_temp.rows(NULL, $$UPDATE seeme.memberships SET valid_until = clock_timestamp()
    WHERE user_id = {paul} AND project_id IS NOT NULL$$, $$SELECT pg_temp.become('paul')$$,
    'SELECT filename FROM seeme.logos'), '{acme.gif}', 'threat: or one that one saw until now');
SELECT is(pg_temp.complaint('nora', replace(upload, '{' || thing || '}', '{' || t || '}')),
  pg_temp.complaint('nora', replace(upload, '{' || thing || '}', '{nobody_known}')),
  format('threat: finding out whether a %s exists by a logo: %s', kind, t))
  FROM call, LATERAL unnest(ARRAY[others, CASE WHEN kind <> 'organization' THEN thing END]) AS t
  WHERE t IS NOT NULL;
SELECT is_empty(
  format($$SELECT 1 FROM seeme.logos l WHERE NOT EXISTS
    (SELECT FROM seeme.%1$ss x WHERE x.has_logo AND x.id = %2$s) AND %2$s IS NOT NULL$$, kind,
    CASE kind WHEN 'organization'
    THEN 'CASE WHEN coalesce(l.team_id, l.project_id) IS NULL THEN l.organization_id END'
    ELSE 'l.' || kind || '_id' END),
  format('has_logo is true of every %s that has one', kind)) FROM call;
CREATE FUNCTION pg_temp.plan_of(person text, statement text) RETURNS text
  LANGUAGE sql AS $$ SELECT array_to_string(
    pg_temp.rows(person, 'EXPLAIN (VERBOSE) ' || statement), E'\n') $$;
SELECT unalike(pg_temp.plan_of('olga', format('SELECT * FROM seeme.%ss', kind)), '%logos%',
  format('listing %ss reads no image', kind)) FROM call;

-- delete_organization_logo, delete_team_logo, delete_project_logo
SELECT pg_temp.needs(format('delete_%s_logo', kind), ARRAY[kind || 's:read'],
  ARRAY[kind || 's:update'], remove, '0 rows', '1 row') FROM call;
SELECT is(pg_temp.rows('adam', remove, get), '{}', format('delete_%s_logo leaves nothing', kind))
  FROM call;
SELECT is(pg_temp.rows('adam', remove, format(
  'SELECT has_logo FROM seeme.%ss WHERE id = {%s}', kind, thing)), '{false}',
  format('delete_%s_logo takes has_logo back', kind)) FROM call;
SELECT is(pg_temp.try('oscar', remove), '0 rows',
  format('delete_%s_logo is refused in another organization', kind)) FROM call;
SELECT is(pg_temp.rows('olga', format('DELETE FROM seeme.%ss WHERE id = {%s}', kind, thing), get),
  '{}', format('a %s takes its logo along', kind)) FROM call;

-- A logo stays with its thing
SELECT is(pg_temp.try('olga', 'UPDATE seeme.logos SET ' || s), '23514',
  'threat: moving a logo to another thing: ' || s)
  FROM unnest(ARRAY['project_id = {beta} WHERE project_id = {alpha}',
  'project_id = NULL WHERE project_id = {alpha}',
  'team_id = {sales}, project_id = NULL WHERE project_id = {alpha}',
  'team_id = {research} WHERE team_id = {sales}',
  'organization_id = {globex} WHERE project_id = {alpha}',
  'id = gen_random_uuid() WHERE project_id = {alpha}']) AS s;
SELECT ok(
  pg_temp.try('oscar', $$UPDATE seeme.logos SET project_id = {delta},
    organization_id = {globex} WHERE project_id = {alpha}$$) = '0 rows',
    'threat: taking somebody else''s');
SELECT is(
  pg_temp.try('olga', $$INSERT INTO seeme.logos (organization_id, project_id, filename, content)
    VALUES ({globex}, {gamma}, 'l', '\xffd8ff')$$), '23503',
      'a project of another organization than was said');
SELECT ok(
  pg_temp.try('olga', $$INSERT INTO seeme.logos (team_id, project_id, filename, content)
    VALUES ({sales}, {gamma}, 'l', '\xffd8ff')$$) IN ('23514', '23503'), 'a logo is of one thing');
SELECT is(
  pg_temp.try('olga', $$INSERT INTO seeme.logos (project_id, filename, content)
    VALUES ({gamma}, 'l', '\xffd8ff')$$), '23505', 'a thing has one logo');
SELECT is(pg_temp.rows('olga', format(
  'UPDATE seeme.%ss SET has_logo = false WHERE id = {%s} RETURNING has_logo', kind, thing)),
  '{true}', format('has_logo of a %s is not for anybody to say', kind)) FROM call;
DELETE FROM seeme.logos;
SELECT is(pg_temp.rows('olga', format(
  'UPDATE seeme.%ss SET has_logo = true WHERE id = {%s} RETURNING has_logo', kind, thing)),
  '{false}', format('and it is not claimed of a %s', kind)) FROM call;
SELECT is(
  pg_temp.rows('olga', $$INSERT INTO seeme.organizations (name, has_logo) VALUES ('New', true)
    RETURNING has_logo$$), '{false}', 'nor of a new one');

-- Only images
CREATE FUNCTION pg_temp.put(content text, more text = 'NULL') RETURNS text LANGUAGE sql
AS $$ SELECT pg_temp.try('olga', format(
  'INSERT INTO seeme.logos (project_id, filename, content, media_type) VALUES '
  '({gamma}, ''logo.png'', %s, %s)', content, more)) $$;
SELECT is(pg_temp.rows('olga', format(
  'INSERT INTO seeme.logos (project_id, filename, content) VALUES ({gamma}, ''logo'', %s) '
  'RETURNING media_type', c)), ARRAY[m], 'an image: ' || m)
  FROM (VALUES ('image/png', $$'\x89504e470d0a1a0a0000'$$), ('image/jpeg', $$'\xffd8ffe0'$$),
  ('image/gif', $$'GIF87a'$$), ('image/gif', $$'GIF89a'$$),
  ('image/webp', $$'RIFF\x04\x00\x00\x00WEBPVP8 '$$)) AS v (m, raw),
  LATERAL (SELECT replace(raw, '\x04\x00\x00\x00', '1234') AS c) AS r;
SELECT is(pg_temp.put(content), '22023', 'threat: as a logo, ' || what)
  FROM (VALUES ('an SVG', $$'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'$$),
  ('an SVG with a declaration', $$'<?xml version="1.0"?><svg/>'$$),
  ('HTML', $$'<!DOCTYPE html><script>alert(1)</script>'$$),
               ('HTML with a byte order mark', $$'\xefbbbf3c68746d6c3e'$$),
               ('HTML in UTF-16', $$'\xfffe3c006800'$$), ('a script', $$'alert(1)'$$),
               ('a PDF', $$'%PDF-1.7'$$), ('a BMP', $$'BM000000'$$), ('an icon', $$'\x00000100'$$),
               ('a sound', $$'RIFF1234WAVE'$$), ('an image after a space', $$' GIF89a'$$),
               ('half a signature', $$'\x89504e47'$$), ('nothing', $$''$$)) AS v (what, content);
SELECT is(pg_temp.put($$'<svg/>'$$, $$'image/png'$$), '22023',
  'threat: an SVG that calls itself a PNG');
SELECT is(pg_temp.put($$'GIF89a'$$, $$'image/png'$$), '22023',
  'a media type that the content is not of');
SELECT is(pg_temp.put($$'GIF89a'$$, $$'image/svg+xml'$$), '22023',
  'threat: an image served as an SVG');
SELECT is(pg_temp.put($$'GIF89a'$$, $$'text/html'$$), '22023', 'threat: or as HTML');
SELECT is(pg_temp.put($$'GIF89a'$$, $$'image/gif'$$), '1 row', 'while the right one may be said');
SELECT is(
  pg_temp.try('olga', $$INSERT INTO seeme.logos (project_id, content) VALUES ({gamma}, 'GIF89a')$$),
  '23502', 'a logo has a filename');
SELECT pg_temp.decorate() \g /dev/null
SELECT is(
  pg_temp.try('olga', $$UPDATE seeme.logos SET content = '<svg/>' WHERE project_id = {gamma}$$),
  '22023', 'threat: an SVG in the place of an image');
SELECT is(pg_temp.try('olga', replace(upload, '\x89504e470d0a1a0a01', '<svg/>')), '22023',
  'threat: an SVG by way of a replacement of a logo of a ' || kind) FROM call;
SELECT is(
  pg_temp.try('olga', $$UPDATE seeme.logos SET media_type = 'image/png'
    WHERE project_id = {gamma}$$), '22023', 'threat: another media type afterwards');
SELECT is(
  pg_temp.rows('olga', $$UPDATE seeme.logos SET content = '\xffd8ff00' WHERE project_id = {gamma}
    RETURNING media_type$$), '{image/jpeg}', 'another content has its own');
DELETE FROM seeme.logos;

-- And not too large
SELECT is(pg_temp.rows('mike', 'SHOW seeme_rbac.max_logo_size'), '{1MB}', 'at most a megabyte');
SELECT is(pg_temp.put($$'GIF89a'::bytea || convert_to(repeat('x', 1048576 - 6), 'UTF8')$$), '1 row',
  'which is allowed');
SELECT is(pg_temp.put($$'GIF89a'::bytea || convert_to(repeat('x', 1048576 - 5), 'UTF8')$$), '54000',
  'a byte more is not');
SELECT is(pg_temp.try('olga', $$SELECT set_config('seeme_rbac.max_logo_size', '1GB', true)$$),
  '42501', 'threat: raising the limit oneself');
SET LOCAL seeme_rbac.max_logo_size = '2kB';
SELECT is(pg_temp.put($$'GIF89a'::bytea || convert_to(repeat('x', 2042), 'UTF8')$$), '1 row',
  'another limit');
SELECT is(pg_temp.put($$'GIF89a'::bytea || convert_to(repeat('x', 2043), 'UTF8')$$), '54000',
  'holds likewise');
SELECT is(pg_temp.rows('adam', pg_temp.upload('organization'),
  $$SELECT count(*) > 0, bool_or(concat(before, after) LIKE '%content%') FROM seeme.audit_log
    WHERE table_name = 'logos'$$), '{true|false}',
    'the audit log tells of logos, without the images');

-- invite_to_organization
SELECT pg_temp.needs('invite_to_organization', '{organizations:read,models:read}',
  '{organizations:manage_members}', $$SELECT *
    FROM seeme_invite('colleague@example.com', organization => {acme}, role_id => {just this})$$,
    '42501', '1 row');
SELECT is(
  pg_temp.rows('adam', $$SELECT organization_id = {acme}, email, role_id = {Editor},
    invited_by = {adam}, token <> '', expires_at > now(),
    accepted_at IS NULL FROM seeme_invite(
    organization => {acme}, email => 'colleague@example.com', role_id => {Editor})$$),
  '{true|colleague@example.com|true|true|true|true|true}',
  'invite_to_organization answers with the documented properties');
SELECT is(
  pg_temp.rows('adam', $$SELECT role_id IS NULL
    FROM seeme_invite('colleague@example.com', {acme})$$), '{true}',
    'invite_to_organization may leave the role out');
SELECT is(
  pg_temp.try('adam',
  $$SELECT * FROM seeme_invite('colleague@example.com', organization => {globex})$$), '42501',
  'invite_to_organization is refused in another organization');

SELECT * FROM finish();
ROLLBACK;
