-- Statements on protected tables while nobody is identified: what seeme_rbac.when_nobody_asks
-- makes of them. And foreign keys that the owner of a protected table adds.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(59);

CREATE ROLE t_owner LOGIN;
GRANT CREATE, USAGE ON SCHEMA public TO t_owner;
SELECT pg_temp.become('owner') \g /dev/null
CREATE TABLE t_doc (id integer PRIMARY KEY, project_id uuid, title text);
CREATE TABLE t_part (id integer PRIMARY KEY, project_id uuid, doc_id integer);
CREATE TABLE t_open (id integer PRIMARY KEY, doc_id integer);
INSERT INTO t_open VALUES (1, 1), (2, 2);
CREATE VIEW t_plain_view AS SELECT id FROM t_doc;
CREATE VIEW t_invoker_view WITH (security_invoker = true) AS SELECT id FROM t_doc;
CREATE VIEW t_open_view AS SELECT id FROM t_open;
SELECT pg_temp.become(NULL) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_doc, t_part, t_open TO t_app;
GRANT SELECT ON t_plain_view, t_invoker_view, t_open_view TO t_app;
INSERT INTO t_doc VALUES (1, :alpha, 'a'), (2, :beta, 'b'), (3, :delta, 'c');
INSERT INTO t_part VALUES (1, :alpha, 1), (2, :beta, 2);
CREATE INDEX ON t_doc (project_id);
CREATE INDEX ON t_part (project_id);
SELECT seeme_protect('t_doc', 'datasets', project_column => 'project_id',
                     listing_columns => '{id,title}') \g /dev/null
SELECT seeme_protect('t_part', 'datasets', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_doc_listing TO t_app, t_owner;

\i test/include/when_nobody_asks.psql

-- The setting
SELECT is(current_setting('seeme_rbac.when_nobody_asks'), 'silent', 'it is silent by default');
SELECT is(pg_temp.try('ghost', 'SET seeme_rbac.when_nobody_asks = error'), '0 rows',
  'anybody may set it');
SELECT throws_ok('SET seeme_rbac.when_nobody_asks = loud', '22023', NULL, 'it has three values');

-- What an owner's migration does silently, and what it gets with error
\set update 'UPDATE t_doc SET title = upper(title)'
\set copy 'CREATE TABLE t_copy AS SELECT * FROM t_doc'
SELECT is(pg_temp.under('silent', 'owner', :'update'), '0 rows', 'a backfill is silent: 0 rows');
SELECT is(pg_temp.under('error', 'owner', :'update'), '42501',
  'threat: a backfill reports success and changes no row');
SELECT is(pg_temp.under('error', 'owner', 'DELETE FROM t_doc'), '42501', 'so does DELETE');
SELECT is(pg_temp.under('error', 'owner', 'SELECT * FROM t_doc'), '42501', 'SELECT');
SELECT is(pg_temp.under('error', 'owner', 'SELECT count(*) FROM t_doc'), '42501', 'count(*)');
SELECT is(pg_temp.under('error', 'owner', 'SELECT id FROM t_doc FOR UPDATE'), '42501',
  'SELECT FOR UPDATE');
SELECT is(pg_temp.under('error', 'owner', 'INSERT INTO t_doc SELECT 9, NULL, ''x'' WHERE false'),
  '42501', 'INSERT, also of no rows');
SELECT is(pg_temp.under('error', 'owner', $$MERGE INTO t_doc d USING t_open o ON o.id = d.id
  WHEN MATCHED THEN UPDATE SET title = 'm'$$), '42501', 'MERGE');
SELECT is(pg_temp.under('silent', 'owner', :'copy'), '0 rows', 'a copy is silent: it is empty');
SELECT is(pg_temp.under('error', 'owner', :'copy'), '42501',
  'threat: a tool copies a table, drops it and renames the copy: all rows are lost');
SELECT is(pg_temp.under('error', 'owner', 'INSERT INTO t_open SELECT id, 1 FROM t_doc'), '42501',
  'INSERT … SELECT from it');
SELECT is(pg_temp.under('error', 'owner', 'CREATE MATERIALIZED VIEW t_m AS SELECT * FROM t_doc'),
  '42501', 'CREATE MATERIALIZED VIEW');
SELECT is(pg_temp.under('error', 'owner', 'DECLARE c CURSOR FOR SELECT * FROM t_doc'), '42501',
  'DECLARE CURSOR');
SELECT is(pg_temp.under('error', 'owner', 'DO $do$BEGIN UPDATE t_doc SET title = ''x''; END$do$'),
  '42501', 'a statement in a function');
SELECT is(pg_temp.under('error', 'owner', 'WITH w AS (SELECT 1) SELECT 1 FROM w WHERE EXISTS '
  '(SELECT FROM t_doc)'), '42501', 'a sub-select');
SELECT is(pg_temp.under('error', 'owner', 'SELECT 1 FROM t_doc WHERE false'), '42501',
  'a condition that no row meets: the tables decide, not the rows');
SELECT is(pg_temp.under('error', 'owner', 'EXPLAIN SELECT * FROM t_doc'), '2 rows',
  'EXPLAIN reads nothing and works');
SELECT is(pg_temp.under('error', 'owner', 'EXPLAIN ANALYZE SELECT * FROM t_doc'), '42501',
  'EXPLAIN ANALYZE reads');

-- The application
SELECT is(pg_temp.under('error', 'ghost', 'SELECT * FROM t_doc'), '42501',
  'an application that forgot the transaction gets an error');
SELECT is(pg_temp.under('error', 'ghost', 'SELECT * FROM t_invoker_view'), '42501',
  'a view that runs as its reader');
SELECT is(pg_temp.under('error', 'ghost', 'SELECT * FROM t_plain_view'), '42501',
  'a view that runs as the owner of the table');
SELECT is(pg_temp.under('error', 'ghost', 'SELECT * FROM t_doc_listing'), '42501',
  'the listing view');
SELECT is(pg_temp.under('error', 'ghost', 'SELECT * FROM t_open_view'), '2 rows',
  'a view over a table that is not protected works');
SELECT is(pg_temp.under('error', 'ghost', 'SELECT * FROM t_open'), '2 rows',
  'a table that is not protected works');
SELECT is(pg_temp.under('error', 'ghost', 'SELECT * FROM seeme.organizations'), '0 rows',
  'the extension''s own tables work: sign-up needs them before anybody is identified');
SELECT is(pg_temp.under('error', 'ghost', 'TRUNCATE t_doc'), '42501',
  'without the privilege the error is PostgreSQL''s');
SELECT matches(pg_temp.complaint('ghost', 'SET LOCAL seeme_rbac.when_nobody_asks = error; '
  'SELECT 1 FROM t_doc'), '^42501: nobody is identified, and table "t_doc" is protected \| This '
  'statement sees none of its rows, and can add none. \| Call seeme_assume\(\) or seeme_login\(\) '
  'first, in the same transaction. For migrations and background jobs, use a role made by '
  'seeme_grant_system\(\).$', 'the error says what to do');
REVOKE SELECT ON t_part FROM t_app;
SELECT matches(pg_temp.complaint('ghost', 'SET LOCAL seeme_rbac.when_nobody_asks = error; '
  'SELECT 1 FROM t_part'), '^42501: permission denied for table t_part',
  'threat: somebody without privileges learns which tables are protected');
GRANT SELECT ON t_part TO t_app;

-- A warning
CREATE FUNCTION pg_temp.warned(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  -- A warning cannot be caught; with error as the least level shown, the statement goes on.
  SET LOCAL client_min_messages = error;
  RETURN pg_temp.under('warning', 'owner', statement);
END $$;
SELECT is(pg_temp.warned(:'update'), '0 rows', 'with warning the statement goes on');

-- Who is identified, and who is not concerned
SELECT is(pg_temp.under('error', 'olga', 'SELECT * FROM t_doc'), '2 rows',
  'an identified person sees what they see');
SELECT is(pg_temp.under('error', 'stan', 'SELECT * FROM t_doc'), '0 rows',
  'an identified person who may see nothing sees no rows: that is no error');
SELECT is(pg_temp.under('error', 'dora', 'SELECT * FROM t_doc'), '0 rows',
  'threat: the setting tells whether a person is disabled');
SELECT is(pg_temp.under('error', 'stan', 'SELECT * FROM t_doc_listing'), '0 rows',
  'the same for the listing view');
SELECT is(pg_temp.under('error', NULL, 'SELECT * FROM t_doc'), '3 rows',
  'superusers are not concerned');
SELECT is(pg_temp.under('error', NULL, 'SELECT * FROM t_doc_listing'), '0 rows',
  'superusers are not concerned by the listing view');
SET LOCAL client_min_messages = error;
CREATE ROLE t_job LOGIN;
SELECT seeme_grant_system('t_job') \g /dev/null
GRANT SELECT, UPDATE ON t_doc TO t_job;
SELECT is(pg_temp.under('error', 'job', :'update'), '3 rows',
  'a system role is not concerned');
ALTER ROLE t_job NOBYPASSRLS;
SELECT is(pg_temp.under('error', 'job', :'update'), '42501',
  'a system role that lost BYPASSRLS is');
CREATE FUNCTION pg_temp.count_docs() RETURNS bigint LANGUAGE sql SECURITY DEFINER
AS 'SELECT count(*) FROM public.t_doc';
GRANT EXECUTE ON FUNCTION pg_temp.count_docs() TO PUBLIC;
SELECT is(pg_temp.under('error', 'ghost', 'SELECT pg_temp.count_docs()'), '1 row',
  'nor a function of a superuser with SECURITY DEFINER');

-- COPY
SELECT pg_temp.become('owner') \g /dev/null
SET seeme_rbac.when_nobody_asks = error;
SAVEPOINT s;
\set ON_ERROR_STOP off
COPY t_doc TO STDOUT;
ROLLBACK TO s;
COPY (SELECT id FROM t_doc) TO STDOUT;
ROLLBACK TO s;
SET seeme_rbac.when_nobody_asks = warning;
SET LOCAL client_min_messages = warning;
COPY t_doc TO STDOUT;
UPDATE t_doc SET title = 'x';
SET LOCAL client_min_messages = error;
\set ON_ERROR_STOP on
RESET seeme_rbac.when_nobody_asks;
SELECT pg_temp.become(NULL) \g /dev/null

-- Foreign keys: PostgreSQL's own checks see every row, and are no statement of anybody
SELECT is(pg_temp.under('error', 'owner',
  'ALTER TABLE t_open ADD FOREIGN KEY (doc_id) REFERENCES t_doc'), '0 rows',
  'ADD FOREIGN KEY to a protected table accepts rows that fit, for its owner');
SELECT is(pg_temp.under('silent', 'owner',
  'ALTER TABLE t_part ADD FOREIGN KEY (doc_id) REFERENCES t_doc'), '0 rows',
  'ADD FOREIGN KEY between protected tables accepts rows that fit, for their owner');
INSERT INTO t_open VALUES (9, 9);
SELECT is(pg_temp.under('silent', 'owner',
  'ALTER TABLE t_open ADD FOREIGN KEY (doc_id) REFERENCES t_doc'), '23503',
  'ADD FOREIGN KEY to a protected table finds a row that does not fit');
DELETE FROM t_open WHERE id = 9;
INSERT INTO t_part VALUES (9, :delta, 9);
SELECT is(pg_temp.under('silent', 'owner',
  'ALTER TABLE t_part ADD FOREIGN KEY (doc_id) REFERENCES t_doc'), '23503',
  'threat: a key from a protected table is called valid although no row was checked');
SELECT is(pg_temp.rows('owner',
  'ALTER TABLE t_part ADD CONSTRAINT k FOREIGN KEY (doc_id) REFERENCES t_doc NOT VALID',
  'ALTER TABLE t_part VALIDATE CONSTRAINT k', 'SELECT 1'), '{23503}',
  'VALIDATE CONSTRAINT finds it, too');
SELECT is(pg_temp.complaint('owner', 'ALTER TABLE t_part ADD CONSTRAINT k FOREIGN KEY (doc_id) '
  'REFERENCES t_doc'), '23503: insert or update on table "t_part" violates foreign key constraint '
  '"k" |  | The key is not shown, because row security may hide its row. A role made by '
  'seeme_grant_system() sees it.',
  'threat: the error shows a value of a row that the owner does not see');
SELECT is(pg_temp.complaint(NULL, 'ALTER TABLE t_part ADD CONSTRAINT k FOREIGN KEY (doc_id) '
  'REFERENCES t_doc'), '23503: insert or update on table "t_part" violates foreign key constraint '
  '"k" | Key (doc_id)=(9) is not present in table "t_doc". | ', 'a superuser is shown it');
DELETE FROM t_part WHERE id = 9;
SELECT is(pg_temp.rows('owner',
  'ALTER TABLE t_part ADD CONSTRAINT k FOREIGN KEY (doc_id) REFERENCES t_doc NOT VALID',
  'ALTER TABLE t_part VALIDATE CONSTRAINT k', 'SELECT count(*) FROM t_part'), '{0}',
  'threat: after ADD FOREIGN KEY the owner sees rows');
SELECT is(pg_temp.rows('owner',
  'DO $do$BEGIN ALTER TABLE t_part ADD FOREIGN KEY (doc_id) REFERENCES t_open;
     EXCEPTION WHEN OTHERS THEN END$do$', 'SELECT count(*) FROM t_part'), '{0}',
  'threat: after an ADD FOREIGN KEY that failed the owner sees rows');
CREATE FUNCTION t_count() RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT count(*) FROM public.t_doc);
END $$;
SELECT is(pg_temp.rows('owner',
  'ALTER TABLE t_open ADD COLUMN docs integer DEFAULT t_count(),
                      ADD FOREIGN KEY (doc_id) REFERENCES t_doc NOT VALID',
  'SELECT DISTINCT docs FROM t_open'), '{0}',
  'threat: a default beside ADD FOREIGN KEY counts hidden rows');
SELECT is(pg_temp.rows('owner',
  'ALTER TABLE t_open ADD CONSTRAINT c CHECK (t_count() = 0) NOT VALID',
  'ALTER TABLE t_open VALIDATE CONSTRAINT c', 'SELECT 1'), '{1}',
  'threat: a CHECK that is validated counts hidden rows');
INSERT INTO t_part VALUES (9, :delta, 9);
SELECT is(pg_temp.under('error', 'owner',
  'ALTER TABLE t_part ADD COLUMN note text, ADD FOREIGN KEY (doc_id) REFERENCES t_doc'), '42501',
  'threat: a key that is added beside something else is called valid although no row was checked');
CREATE TABLE t_year (id integer, project_id uuid, doc_id integer, year integer)
  PARTITION BY LIST (year);
CREATE TABLE t_year_25 PARTITION OF t_year FOR VALUES IN (2025);
ALTER TABLE t_year OWNER TO t_owner;
ALTER TABLE t_year_25 OWNER TO t_owner;
INSERT INTO t_year VALUES (1, :alpha, 1, 2025);
CREATE INDEX ON t_year (project_id);
SELECT seeme_protect('t_year', 'datasets', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.under('error', 'owner',
  'ALTER TABLE t_year ADD FOREIGN KEY (doc_id) REFERENCES t_doc'), '0 rows',
  'ADD FOREIGN KEY to a partitioned protected table accepts rows that fit');
INSERT INTO t_year VALUES (9, :alpha, 9, 2025);
SELECT is(pg_temp.under('error', 'owner',
  'ALTER TABLE t_year ADD FOREIGN KEY (doc_id) REFERENCES t_doc'), '23503',
  'and finds a row that does not fit');
DELETE FROM t_part WHERE id = 9;
ALTER TABLE t_part ADD CONSTRAINT t_part_doc FOREIGN KEY (doc_id) REFERENCES t_doc
  ON DELETE CASCADE;
ALTER TABLE t_open ADD CONSTRAINT t_open_doc FOREIGN KEY (doc_id) REFERENCES t_doc
  ON UPDATE CASCADE;
SELECT is(pg_temp.under('error', 'owner', 'INSERT INTO t_open VALUES (3, 3)'), '1 row',
  'a row that refers to a protected table is added: the check of its key is no statement');
SELECT is(pg_temp.under('error', 'owner', 'INSERT INTO t_open VALUES (3, 33)'), '23503',
  'and a row that refers to nothing is not');
SELECT is(pg_temp.rows('olga', 'SET LOCAL seeme_rbac.when_nobody_asks = error',
  'DELETE FROM t_part WHERE id = 1', 'SELECT count(*) FROM t_part'), '{1}',
  'an identified person deletes as always');

-- A table with a public column is exempt
SELECT CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attname = 'public_column'
                            AND a.attrelid = 'seeme.protected_tables'::regclass)
  THEN (SELECT is(pg_temp.rows(NULL,
    $$UPDATE seeme.protected_tables SET public_column = 'title'
       WHERE table_name = 't_doc'::regclass$$,
    'SET LOCAL seeme_rbac.when_nobody_asks = error',
    'SELECT pg_temp.become(''ghost'')', 'SELECT count(*) FROM t_doc'), '{0}',
    'a table with a public column is read by nobody identified'))
  ELSE pass('a table with a public column is read by nobody identified') END;
SELECT finish();
ROLLBACK;
