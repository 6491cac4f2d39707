-- Statements with many rows: each row meets every rule, and nobody gains by what the statement does on the way.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(58);

-- Some more people, of nobody's.
INSERT INTO seeme.users (id, username, email)
SELECT ('a1000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'crowd' || n, 'crowd' || n || '@example.com'
  FROM generate_series(1, 2000) AS n;
CREATE TEMP TABLE crowd AS SELECT id, substr(username, 6)::int AS n FROM seeme.users WHERE username LIKE 'crowd%';
GRANT SELECT ON crowd TO t_app;
SELECT id AS admin FROM seeme.roles WHERE organization_id IS NULL AND name = 'Admin' \gset
SELECT id AS owner FROM seeme.roles WHERE organization_id IS NULL AND name = 'Owner' \gset
SELECT id AS member FROM seeme.roles WHERE organization_id IS NULL AND name = 'Member' \gset
SELECT id AS editor FROM seeme.roles WHERE organization_id IS NULL AND name = 'Editor' \gset

-- What a statement answers, as somebody: its rows, or the error with its words. It leaves nothing behind.
CREATE FUNCTION pg_temp.answer(person text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  affected bigint;
  state text; message text; detail text;
BEGIN
  PERFORM pg_temp.become(person);
  BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS affected = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = affected || ' rows';
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  END;
  PERFORM pg_temp.become(NULL);
  RETURN CASE WHEN state = 'ZZ000' THEN message ELSE state || ': ' || message END
      || CASE WHEN detail <> '' THEN ' [' || detail || ']' ELSE '' END;
END $$;

-- One bad row among 2,000, in the middle.
CREATE FUNCTION pg_temp.with_bad_row(bad text) RETURNS text LANGUAGE sql
RETURN format('INSERT INTO seeme.memberships (organization_id, team_id, project_id, user_id, role_id, valid_from, valid_until)
  SELECT organization, team, project, person, role, begins, ends FROM (
    SELECT %L::uuid AS organization, NULL::uuid AS team, NULL::uuid AS project, c.id AS person, %L::uuid AS role,
           NULL::timestamptz AS begins, NULL::timestamptz AS ends, c.n FROM crowd c
    UNION ALL SELECT b.*, 1000.5 FROM (VALUES %s) AS b
    ORDER BY n) AS l', 'b0000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000006', bad);
CREATE TEMP TABLE bad_row (n int, bad text, whoever text, answer text);
INSERT INTO bad_row VALUES
  (1, format('(%L::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :acme, :stan, :'owner'), 'adam',
     '42501: you do not hold * in this organization'),
  (2, format('(%L::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :acme, :stan, :'owner'), NULL,
     '23514: the role Owner is on the owner''s membership of the organization and on no other'),
  (3, format('(%L::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :globex, :stan, :'member'), 'adam',
     '42501: you do not hold organizations:manage_members in this organization'),
  (4, format('(NULL::uuid, %L::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :labs, :adam, :'member'), 'adam',
     '42501: you do not hold organizations:manage_members or teams:update in this team'),
  (5, format('(NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :delta, :adam, :'member'), 'adam',
     '42501: you do not hold organizations:manage_members or projects:update in this project'),
  (6, format('(%L::uuid, %L::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :globex, :research, :adam, :'member'), NULL,
     '23503: there is no such team or project in this organization'),
  (7, format('(NULL::uuid, %L::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :nobody_known, :adam, :'member'), NULL,
     '23503: there is no such team or project in this organization'),
  (8, format('(NULL::uuid, %L::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :research, :stan, :'member'), 'adam',
     '23503: this person is not a member of the organization'),
  (9, format('(%L::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :acme, :stan, :analyst), 'adam',
     '23503: there is no such role in this organization'),
  (10, format('(%L::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, ''2026-01-02''::timestamptz, ''2026-01-01''::timestamptz)', :acme, :stan, :'member'), 'adam',
     '23514: a membership ends after it begins'),
  (11, format('(%L::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :globex, :oscar, :'member'), NULL,
     '23505: duplicate key value violates unique constraint "memberships_person_and_scope_key"'),
  (12, format('(%L::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :acme, :stan, :'member'), 'edith',
     '42501: you do not hold organizations:manage_members in this organization'),
  (13, format('(%L::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :acme, :stan, :'member'), 'adam', '2001 rows'),
  (14, format('(NULL::uuid, NULL::uuid, NULL::uuid, %L::uuid, %L::uuid, NULL::timestamptz, NULL::timestamptz)', :stan, :'member'), NULL,
     '23503: there is no such team or project in this organization');
SELECT is(split_part(pg_temp.answer(whoever, pg_temp.with_bad_row(bad)), ' [', 1), answer,
          'threat: a bad row among 2,000 good ones: ' || coalesce(whoever, 'a superuser') || ', ' || answer) FROM bad_row ORDER BY n;
-- The same row alone has the same answer.
SELECT is(split_part(pg_temp.answer(whoever, format('INSERT INTO seeme.memberships (organization_id, team_id, project_id, user_id, role_id, valid_from, valid_until) VALUES %s', bad)), ' [', 1),
          CASE WHEN answer = '2001 rows' THEN '1 rows' ELSE answer END, 'and alone: ' || n) FROM bad_row ORDER BY n;

-- Errors name the row for those alone who could read the table anyway.
SELECT is(pg_temp.answer(NULL, pg_temp.with_bad_row(bad)),
          format('23503: there is no such team or project in this organization [The membership is of person %s in team %s.]', :adam, :nobody_known),
          'an error of a bulk load names the row for a superuser') FROM bad_row WHERE n = 7;
SELECT is_empty($$SELECT whoever, n FROM bad_row WHERE whoever IS NOT NULL AND pg_temp.answer(whoever, pg_temp.with_bad_row(bad)) LIKE '%[%'$$,
  'threat: an error names a row to somebody who is identified');
SELECT is(pg_temp.answer(NULL, format('INSERT INTO seeme.users (username, email) SELECT ''n'' || n, CASE n WHEN 7 THEN ''Olga@Example.com'' ELSE ''n'' || n || ''@x.org'' END FROM generate_series(1, 10) n')) LIKE
          '23505: there is a user with this e-mail address already [The user is %, Olga@Example.com.]', true, 'of users, too');
SELECT is(pg_temp.answer('adam', format('INSERT INTO seeme.projects (organization_id, name, slug) VALUES (%L, ''One'', ''one''), (%L, ''Two'', ''alpha'')', :acme, :acme)),
          '23505: the slug "alpha" is taken', 'of projects not for a member');

-- Who makes themselves Admin in the same statement, in every form.
CREATE TEMP TABLE self_made (n int, whoever text, statement text);
INSERT INTO self_made VALUES
  (1, 'vera', format('INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES (%1$L, %2$L, %3$L, %4$L), (%1$L, NULL, %5$L, %4$L)', :acme, :alpha, :vera, :'admin', :stan)),
  (2, 'vera', format('WITH me AS (INSERT INTO seeme.project_members (project_id, user_id, role_id) VALUES (%L, %L, %L) RETURNING id) INSERT INTO seeme.memberships (organization_id, user_id, role_id) SELECT %L, %L, %L FROM me', :alpha, :vera, :'admin', :acme, :stan, :'admin')),
  (3, 'vera', format('UPDATE seeme.memberships SET role_id = %L WHERE organization_id = %L', :'admin', :acme)),
  (4, 'vera', format('WITH me AS (UPDATE seeme.memberships SET role_id = %L WHERE user_id = %L RETURNING id) INSERT INTO seeme.memberships (organization_id, user_id, role_id) SELECT %L, %L, %L', :'admin', :vera, :acme, :stan, :'admin')),
  (5, 'tess', format('MERGE INTO seeme.memberships m USING (VALUES (%1$L::uuid), (%2$L)) AS s (person) ON m.user_id = s.person AND m.project_id = %3$L WHEN NOT MATCHED THEN INSERT (organization_id, project_id, user_id, role_id) VALUES (%4$L, %3$L, s.person, %5$L)', :tess, :vera, :alpha, :acme, :'admin')),
  (6, 'vera', format('MERGE INTO seeme.memberships m USING seeme.memberships s ON m.id = s.id WHEN MATCHED THEN UPDATE SET role_id = %L', :'admin')),
  (7, 'vera', format('INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (%L, %L, %L) ON CONFLICT ON CONSTRAINT memberships_person_and_scope_key DO UPDATE SET role_id = excluded.role_id', :acme, :vera, :'admin')),
  (8, 'adam', format('INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (%1$L, %2$L, %3$L), (%4$L, %2$L, %3$L)', :acme, :stan, :'admin', :globex));
SELECT ok(pg_temp.answer(whoever, statement) ~ '^(42501|0 rows|23505)', format('threat: somebody makes themselves Admin in the same statement: form %s, as %s', n, whoever))
  FROM self_made ORDER BY n;
-- Rows that one may hand out, handed to oneself in the same statement, give no more than one holds.
SELECT is(pg_temp.answer('adam', format('INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES (%1$L, %2$L, %3$L, %4$L), (%1$L, %2$L, %5$L, %4$L)', :acme, :gamma, :adam, :'admin', :vera)),
          '2 rows', 'an Admin hands out Admin, to themselves and to others');
SELECT is(pg_temp.answer('adam', format('INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES (%1$L, %2$L, %3$L, %4$L), (%1$L, %2$L, %5$L, %6$L)', :acme, :gamma, :adam, :'admin', :vera, :'owner')),
          '42501: you do not hold * in this project', 'threat: but nothing beyond');
-- A statement that takes its own author out goes by what held before it.
SELECT is(pg_temp.answer('adam', format('DELETE FROM seeme.memberships WHERE organization_id = %L AND role_id = %L', :acme, :'admin')), '1 rows', 'leaving, by a bulk statement');
SELECT is(pg_temp.answer('adam', format('DELETE FROM seeme.memberships WHERE organization_id = %L AND user_id NOT IN (%L, %L) AND project_id IS NULL AND team_id IS NULL', :acme, :olga, :adam)), '9 rows', 'everybody else but the owner, in one statement');
SELECT is(pg_temp.answer('adam', format('DELETE FROM seeme.memberships WHERE organization_id = %L AND team_id IS NULL AND project_id IS NULL', :acme)),
          '42501: the owner of an organization stays its member, in the role Owner', 'threat: the owner goes among 10 others');

-- An organization's member and a project's, in one statement, in this order and by a CTE.
SELECT is(pg_temp.answer(whoever, format('INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES (%1$L, NULL, %2$L, NULL), (%1$L, %3$L, %2$L, %4$L)', :acme, :stan, :alpha, :'editor')), '2 rows',
          'a statement adds somebody to an organization and to its project, as ' || coalesce(whoever, 'a superuser')) FROM unnest(ARRAY['adam', NULL]) AS whoever;
SELECT is(pg_temp.answer(NULL, format('WITH p AS (INSERT INTO seeme.projects (id, organization_id, name) VALUES (%L, %L, ''New'') RETURNING id) INSERT INTO seeme.memberships (project_id, user_id) SELECT id, %L FROM p', :nobody_known, :acme, :vera)), '1 rows',
          'and makes the project as well');

-- ON CONFLICT DO NOTHING passes over the owner, as over everybody who is there already.
SELECT is(pg_temp.answer(whoever, format('INSERT INTO seeme.organization_members (organization_id, user_id, role_id) SELECT %L, id, %L FROM seeme.users WHERE username IN (''olga'', ''vera'', ''mike'') ON CONFLICT DO NOTHING', :acme, :'member')), '0 rows',
          'ON CONFLICT DO NOTHING passes over the owner, as ' || coalesce(whoever, 'a superuser')) FROM unnest(ARRAY['adam', 'olga', NULL]) AS whoever;
SELECT is(pg_temp.answer(NULL, format('INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (%L, %L, %L) ON CONFLICT ON CONSTRAINT memberships_person_and_scope_key DO UPDATE SET role_id = excluded.role_id', :acme, :olga, :'member')),
          format('42501: the owner of an organization stays its member, in the role Owner [The membership is of person %s in organization %s.]', :olga, :acme), 'threat: DO UPDATE makes the owner a Member');
SELECT is((SELECT role_id FROM seeme.memberships WHERE user_id = :olga), :'owner'::uuid, 'the owner is the Owner');

-- Slugs: the C function against the SQL that it took the place of.
CREATE FUNCTION pg_temp.slug_base(name text, fallback text) RETURNS text LANGUAGE sql STABLE
RETURN coalesce(nullif(btrim(left(btrim(regexp_replace(lower(
  coalesce(regexp_replace(normalize((SELECT name WHERE getdatabaseencoding() = 'UTF8'), NFKD), '[\u0300-\u036F]', '', 'g'), name) COLLATE "C"),
  '[^a-z0-9]+', '-', 'g'), '-'), 50), '-'), ''), fallback);
SELECT is_empty($$
  SELECT name, seeme.slug_base(name, 'x'), pg_temp.slug_base(name, 'x')
    FROM (SELECT string_agg(substr('abcXYZ019 -_.,éÅßüñİı中ﬁ½', 1 + (hashint4(i * 131 + j) & 1023) % 25, 1), '') AS name
            FROM generate_series(1, 2000) AS i, generate_series(1, 3 + i % 70) AS j GROUP BY i
          UNION ALL VALUES (''), ('-'), (NULL), (repeat('a', 49) || '-b'), (repeat('a', 50) || 'b'), (repeat('é', 60)), ('Ünïcode  Näme!')) AS names (name)
   WHERE seeme.slug_base(name, 'x') IS DISTINCT FROM pg_temp.slug_base(name, 'x')$$, 'a slug is what it was');

-- 20,000 projects in one statement, and in one transaction: locks are no more than a handful.
INSERT INTO seeme.projects (organization_id, name) SELECT :acme, 'Project ' || n FROM generate_series(1, 20000) AS n;
SELECT is((SELECT count(DISTINCT slug) FROM seeme.projects WHERE name LIKE 'Project %'), 20000::bigint, '20,000 projects in one statement');
INSERT INTO seeme.projects (organization_id, name) SELECT :acme, 'Same' FROM generate_series(1, 2000) AS n;
SELECT is((SELECT array_agg(slug ORDER BY length(slug), slug) FROM seeme.projects WHERE name = 'Same'), ARRAY['same'] || ARRAY(SELECT 'same-' || n FROM generate_series(2, 2000) AS n), '2,000 of one name are numbered');
DO $$ BEGIN
  FOR n IN 1..3000 LOOP
    INSERT INTO seeme.teams (organization_id, name) VALUES ('b0000000-0000-4000-8000-000000000001', 'Team ' || n);
  END LOOP;
END $$;
-- 3,000 first assignments and invitations by somebody
SELECT pg_temp.become('olga') \g /dev/null
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) SELECT :gamma, 'model', ('a2000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 3000) AS n;
SELECT seeme_invite('new' || n || '@example.com', organization => :acme) FROM generate_series(1, 300) AS n \g /dev/null
SELECT pg_temp.become(NULL) \g /dev/null
SELECT cmp_ok((SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid IN ('seeme.projects'::regclass, 'seeme.teams'::regclass, 'seeme.organizations'::regclass, 'seeme.project_resources'::regclass, 'seeme.invitations'::regclass)), '=', 0::bigint,
  'no lock of a name stays');

-- What every session is told stays little, whatever the number of people: by one statement, and by many.
SELECT sum(used_bytes) AS before FROM pg_backend_memory_contexts WHERE name = 'TopTransactionContext' \gset
INSERT INTO seeme.memberships (organization_id, user_id, role_id) SELECT :acme, id, :'member' FROM crowd;
DO $$
DECLARE person uuid;
BEGIN
  FOR person IN SELECT id FROM crowd LOOP
    UPDATE seeme.memberships SET role_id = NULL WHERE user_id = person;
    UPDATE seeme.memberships SET role_id = '00000000-0000-4000-8000-000000000006' WHERE user_id = person;
  END LOOP;
END $$;
SELECT cmp_ok((SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE name = 'TopTransactionContext') - :before, '<', 65536::numeric,
  'the memory of a transaction does not grow with the people whose rights it changes');

SELECT * FROM finish();
ROLLBACK;
