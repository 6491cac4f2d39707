\i test/include/prelude.psql
-- A public column: who might make rows public without the right, see more than these rows, or lose
-- the check; and what seeme_protect refuses.
BEGIN;
\i test/include/security_report.psql
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(77);
SET LOCAL jit = off;

CREATE ROLE t_migrator CREATEROLE;
GRANT CREATE ON SCHEMA public TO t_migrator;
SET LOCAL ROLE t_migrator;
CREATE TABLE t_post (id integer PRIMARY KEY, project_id uuid, is_public boolean, secret text);
CREATE TABLE t_part (id integer, project_id uuid, is_public boolean) PARTITION BY LIST (id);
CREATE TABLE t_part_1 PARTITION OF t_part FOR VALUES IN (1);
CREATE TABLE t_part_2 PARTITION OF t_part FOR VALUES IN (2);
CREATE TABLE t_base (id integer, project_id uuid, is_public boolean);
CREATE TABLE t_state (id integer PRIMARY KEY, project_id uuid, state text,
  "is ""open" boolean GENERATED ALWAYS AS (state = 'open') STORED);
RESET ROLE;
CREATE INDEX ON t_post (project_id);
CREATE INDEX ON t_post (is_public) WHERE is_public;
CREATE INDEX ON t_part (project_id);
CREATE INDEX ON t_part (is_public);
CREATE INDEX ON t_base (project_id);
CREATE INDEX ON t_base (id) WHERE is_public = true;
CREATE INDEX ON t_state (project_id);
CREATE INDEX ON t_state ("is ""open", id);
INSERT INTO t_post VALUES (1, :alpha, false, 'hidden'), (2, :alpha, true, 'open'),
  (3, :delta, NULL, 'hidden'), (4, :delta, true, 'open');
INSERT INTO t_part SELECT id, project_id, is_public FROM t_post WHERE id < 3;
INSERT INTO t_base SELECT id, project_id, is_public FROM t_post;
INSERT INTO t_state VALUES (1, :alpha, 'draft'), (2, :alpha, 'open');
SELECT seeme_protect(t, 'models', project_column => 'project_id', public_column => 'is_public')
  FROM unnest('{t_post,t_part,t_base}'::regclass[]) AS t \g /dev/null
SELECT seeme_protect('t_state', 'models', project_column => 'project_id',
  public_column => 'is "open', listing_columns => '{id}') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_post, t_part, t_base, t_state TO t_app;

-- cora is a Contributor: she changes and creates models, and shares none. edith shares.
SELECT is(pg_temp.complaint('cora', 'UPDATE t_post SET is_public = true WHERE id = 1'),
  '42501: you do not hold models:share where this row would be public |  | Making a row public is '
  'granting access to it: everybody may read it then.',
  'who may change a row and not share it does not make it public');
SELECT is(pg_temp.try('edith', 'UPDATE t_post SET is_public = true WHERE id = 1'), '1 row',
  'who may share it does');
SELECT is(pg_temp.try('cora', 'UPDATE t_post SET secret = ''x'' WHERE id = 2'), '1 row',
  'the content of a public row is changed by who may change rows there');
SELECT is(pg_temp.try('oscar', 'UPDATE t_post SET is_public = NOT is_public'), '2 rows',
  'a null is not public');
SELECT is(pg_temp.try('stan', s), '0 rows', 'a stranger changes no public row: ' || s)
  FROM unnest(ARRAY['UPDATE t_post SET is_public = false', 'DELETE FROM t_post',
                    'SELECT FROM t_post FOR UPDATE', 'SELECT FROM t_post FOR KEY SHARE']) AS s;
SELECT is(pg_temp.try('ghost', s), '0 rows', 'nobody changes a public row: ' || s)
  FROM unnest(ARRAY['UPDATE t_post SET is_public = false', 'DELETE FROM t_post']) AS s;
SELECT is(pg_temp.try(p, 'INSERT INTO t_post VALUES (9, {alpha}, true)'), '42501',
  'threat: a row that is public from its beginning, added as ' || p)
  FROM unnest('{cora,stan,ghost,vera}'::text[]) AS p;
SELECT is(pg_temp.try('cora', 'INSERT INTO t_post VALUES (9, {alpha}, ' || v || ')'), '1 row',
  'who may create rows adds one that is not public: ' || v)
  FROM unnest(ARRAY['false', 'NULL']) AS v;
ALTER TABLE t_post ALTER is_public SET DEFAULT true;
SELECT is(pg_temp.try('cora', 'INSERT INTO t_post (id, project_id) VALUES (9, {alpha})'), '42501',
  'threat: by a default');
ALTER TABLE t_post ALTER is_public DROP DEFAULT;
SELECT is(pg_temp.try('cora', s), '42501', 'threat: making it public by ' || s)
  FROM unnest(ARRAY[
    'INSERT INTO t_post VALUES (1, {alpha}, false) ON CONFLICT (id) DO UPDATE SET is_public = true',
    'INSERT INTO t_post VALUES (1, {alpha}, true) ON CONFLICT (id) DO UPDATE SET secret = ''x''',
    'INSERT INTO t_post VALUES (1, {alpha}, true) ON CONFLICT (id) DO NOTHING',
    'MERGE INTO t_post USING (VALUES (1)) v (n) ON id = n WHEN MATCHED THEN UPDATE SET is_public = '
      'true',
    'MERGE INTO t_post USING (VALUES (9)) v (n) ON id = n WHEN NOT MATCHED THEN INSERT VALUES (n, '
      '{alpha}, true)',
    'WITH x AS (UPDATE t_post SET is_public = true WHERE id = 1 RETURNING 1) SELECT FROM x',
    'UPDATE t_post SET is_public = o.is_public FROM (SELECT true AS is_public) o WHERE id = 1',
    'UPDATE t_part SET is_public = true WHERE id = 1',
    'UPDATE t_part SET is_public = true, id = 2 WHERE id = 1',
    'UPDATE t_base SET is_public = true WHERE id = 1',
    'UPDATE t_state SET state = ''open'' WHERE id = 1',
    'INSERT INTO t_state VALUES (9, {alpha}, ''open'')']) AS s;
SELECT is(pg_temp.try('edith', s), '1 row', 'who may share does so: ' || s)
  FROM unnest(ARRAY['UPDATE t_part SET is_public = true WHERE id = 1',
                    'UPDATE t_part SET is_public = true, id = 2 WHERE id = 1',
                    'UPDATE t_state SET state = ''open'' WHERE id = 1']) AS s;

-- Through views: with the reader's rights, and with a superuser's
CREATE VIEW t_view WITH (security_invoker) AS SELECT id, is_public AS shown FROM t_post;
CREATE VIEW t_of_owner AS SELECT * FROM t_post;
GRANT SELECT, UPDATE ON t_view, t_of_owner TO t_app;
SELECT is(pg_temp.try('cora', 'UPDATE t_view SET shown = true WHERE id = 1'), '42501',
  'threat: through a view');
SELECT is(pg_temp.try('cora', 'UPDATE t_of_owner SET is_public = true WHERE id = 1'), '42501',
  'threat: through a view whose owner bypasses row security');
-- A trigger of the application that fires late
CREATE FUNCTION pg_temp.publish() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN NEW.is_public := true; RETURN NEW; END';
CREATE TRIGGER zzzz BEFORE UPDATE ON t_post FOR EACH ROW EXECUTE FUNCTION pg_temp.publish();
SELECT is(pg_temp.try('cora', 'UPDATE t_post SET secret = ''x'' WHERE id = 1'), '42501',
  'threat: a trigger of the application''s makes it public');
DROP TRIGGER zzzz ON t_post;
-- Another place
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:globex, :edith, pg_temp.builtin('Contributor'));
SELECT is(pg_temp.try('edith', 'UPDATE t_post SET project_id = {delta} WHERE id = 1'), '1 row',
  'a row moves to where one may change rows');
SELECT is(pg_temp.try('edith', 'UPDATE t_post SET project_id = {delta} WHERE id = 2'), '42501',
  'threat: a public row, moved to where one may not make rows public');

-- Rows that are not public stay hidden, whatever the plan
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
  IF $1 = 'hidden' THEN
    RAISE EXCEPTION 'seen';
  END IF;
  RETURN true;
END $$;
SELECT is(pg_temp.rows(p, 'SET LOCAL enable_seqscan = ' || s,
                       'SELECT id FROM t_post WHERE pg_temp.leak(secret) ORDER BY id'), '{2,4}',
  format('threat: a function that tells of rows before the policy does, as %s, enable_seqscan %s',
         p, s))
  FROM unnest('{stan,ghost}'::text[]) AS p, unnest('{on,off}'::text[]) AS s;

-- Privileged roles
CREATE ROLE t_etl BYPASSRLS;
GRANT t_app TO t_etl;
SET LOCAL ROLE t_etl;
SELECT lives_ok('UPDATE t_post SET is_public = true WHERE id = 3',
  'a role that bypasses row security makes rows public');
RESET ROLE;
UPDATE t_post SET is_public = NULL WHERE id = 3;
REVOKE t_app FROM t_etl;

-- A code that is registered later. The stored policies ask for it.
SET LOCAL ROLE t_migrator;
CREATE TABLE t_gadget (id integer, project_id uuid, is_public boolean);
RESET ROLE;
CREATE INDEX ON t_gadget (project_id);
CREATE INDEX ON t_gadget (is_public) WHERE is_public;
SELECT seeme_protect('t_gadget', 'gadgets', project_column => 'project_id',
  public_column => 'is_public') \g /dev/null
GRANT SELECT, INSERT, UPDATE ON t_gadget TO t_app;
INSERT INTO t_gadget VALUES (1, :alpha, false);
SELECT pg_temp.hold('{gadgets:read,gadgets:create,gadgets:update,gadgets:list}') \g /dev/null
SELECT is(pg_temp.try('nora', s), '42501', 'without a share code everything is needed: ' || s)
  FROM unnest(ARRAY['UPDATE t_gadget SET is_public = true',
                    'INSERT INTO t_gadget VALUES (2, {alpha}, true)']) AS s;
SELECT pg_temp.hold('{gadgets:*}') \g /dev/null
SELECT is(pg_temp.try('nora', s), '1 row', 'with everything: ' || s)
  FROM unnest(ARRAY['UPDATE t_gadget SET is_public = true',
                    'INSERT INTO t_gadget VALUES (2, {alpha}, true)']) AS s;
INSERT INTO seeme.permissions (name, description) VALUES ('gadgets:share', 'Share gadgets');
SELECT pg_temp.hold('{gadgets:read,gadgets:create,gadgets:update,gadgets:share}') \g /dev/null
SELECT is(pg_temp.try('nora', s), '1 row', 'once share is registered, it is what is needed: ' || s)
  FROM unnest(ARRAY['UPDATE t_gadget SET is_public = true',
                    'INSERT INTO t_gadget VALUES (2, {alpha}, true)']) AS s;
SELECT pg_temp.hold('{}') \g /dev/null
DROP VIEW t_view, t_of_owner;
SELECT is(pg_temp.lines(), NULL, 'the report finds nothing on tables with public rows');

-- Names that change, guards that are lost
SAVEPOINT whole;
ALTER TABLE t_post RENAME is_public TO "every ""body";
SELECT is((SELECT public_column FROM seeme.protected_tables WHERE table_name = 't_post'::regclass),
  'every "body', 'a renamed column is followed');
SELECT is(pg_temp.try('cora', 'UPDATE t_post SET "every ""body" = true WHERE id = 1'), '42501',
  'threat: renaming takes the check away');
SELECT is(pg_temp.try('edith', 'UPDATE t_post SET "every ""body" = true WHERE id = 1'), '1 row',
  'and who may make rows public still does');
SELECT is(pg_temp.lines(), NULL, 'the report finds nothing on it');
SELECT matches(seeme.protect_again(p), 'public_column => ''every "body''',
  'the call that protects it again has the name of now')
  FROM seeme.protected_tables p WHERE p.table_name = 't_post'::regclass;
ROLLBACK TO whole;
SET LOCAL ROLE t_migrator;
SELECT throws_ok('ALTER TABLE t_post DROP is_public', '2BP01', NULL,
  'the column is not dropped: the policies depend on it');
SELECT throws_ok('ALTER TABLE t_post DROP is_public CASCADE', '42501', NULL,
  'threat: the owner drops it with the policies');
SELECT throws_ok('DROP TRIGGER zz_seeme_check_moved_row ON t_post', '42501', NULL,
  'threat: the owner drops the trigger');
RESET ROLE;
SELECT pg_temp.both_ways('trigger is missing', 'high', 'public.t_post',
  'DROP TRIGGER zz_seeme_check_moved_row ON public.t_post', 'public rows are not checked');
SELECT pg_temp.both_ways('public column has no index', 'low', 'public.t_base',
  'DROP INDEX public.t_base_id_idx', 'few visible rows are not found');
SELECT pg_temp.both_ways('policy was changed', 'critical', 'public.t_post',
  'ALTER POLICY seeme_select ON public.t_post USING (is_public IS NOT false OR '
  'public.seeme_has_permission(''models:read'', NULL, NULL, project_id, NULL, NULL))',
  'nulls are public');
SELECT seeme.renew_protection('t_state') \g /dev/null
SELECT is(pg_temp.lines(), NULL, 'protection that is renewed is the same');
SELECT is(pg_temp.try('cora', 'UPDATE t_state SET state = ''open'' WHERE id = 1'), '42501',
  'and is in force');
-- New partitions and tables that inherit
CREATE TABLE t_part_3 PARTITION OF t_part FOR VALUES IN (3);
CREATE TABLE t_kid () INHERITS (t_base);
INSERT INTO t_part VALUES (3, :alpha, false);
INSERT INTO t_kid VALUES (5, :alpha, false);
SELECT is(pg_temp.try('cora', s), '42501', 'threat: in a new table below: ' || s)
  FROM unnest(ARRAY['UPDATE t_part SET is_public = true WHERE id = 3',
                    'UPDATE t_base SET is_public = true WHERE id = 5']) AS s;
-- What a partial restore leaves
CREATE TEMP TABLE told AS
  SELECT p.table_name, seeme.protect_arguments(p) ->> 'public_column' AS public_column
    FROM seeme.protected_tables p;
DELETE FROM seeme.protected_tables;
SELECT results_eq(
  'SELECT relation, arguments ->> ''public_column'' FROM seeme.guards_without_record() ORDER BY 1',
  'SELECT * FROM told ORDER BY 1', 'the public column is read from the guards');
ROLLBACK TO whole;
SELECT seeme_unprotect(t)
  FROM unnest('{t_post,t_part,t_base,t_state}'::regclass[]) AS t \g /dev/null
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = ANY ('{t_post,t_part,t_part_1,t_base}'
  ::regclass[])) + (SELECT count(*) FROM pg_policy WHERE polrelid = ANY (
  '{t_post,t_part,t_part_1,t_base}'::regclass[])), 0::bigint, 'seeme_unprotect leaves nothing');
ROLLBACK TO whole;

-- Bad input: a clear error, and nothing is changed
CREATE DOMAIN t_yes AS boolean;
CREATE TABLE t_bare (id integer, project_id uuid, word text, flag boolean, yes t_yes);
CREATE TABLE t_bare_parts (id integer, project_id uuid, state text,
  open boolean GENERATED ALWAYS AS (state = 'open') STORED) PARTITION BY LIST (id);
SELECT throws_ok(format('SELECT seeme_protect(%L, ''models'', project_column => ''project_id'', '
                        'public_column => %L)', t, c), code, message, 'refused: ' || message)
  FROM (VALUES ('t_bare', 'gone', '42703', 'table public.t_bare has no column "gone"'),
               ('t_bare', 'word', '42804', 'column "word" of table public.t_bare is of type text'),
               ('t_bare', 'yes', '42804',
                'column "yes" of table public.t_bare is of type public.t_yes'),
               ('t_bare', 'project_id', '42804',
                'column "project_id" of table public.t_bare is of type uuid'),
               ('t_bare', 'ctid', '42703', 'table public.t_bare has no column "ctid"'),
               ('t_bare_parts', 'open', '0A000',
                'generated column "open" of table public.t_bare_parts cannot tell which rows are '
                'public')) AS bad (t, c, code, message);
SELECT throws_ok('SELECT seeme_protect(''t_bare'', ''models'', public_column => ''flag'')', '22023',
  'nothing tells the scope of a row of public.t_bare', 'a public column alone tells no scope');
SELECT is((SELECT relrowsecurity FROM pg_class WHERE oid = 't_bare'::regclass), false,
  'and nothing was changed');
SELECT * FROM finish();
ROLLBACK;
