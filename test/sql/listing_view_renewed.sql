\i test/include/prelude.psql
-- A listing view gets its query anew when protection is renewed, as after an upgrade: the view stays
-- the same view, with its grants, its triggers, and the views over it.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(13);
CREATE TABLE t_note (id integer PRIMARY KEY, project_id uuid, owner_id uuid, title text);
INSERT INTO t_note VALUES (1, :alpha, NULL, 'in alpha'), (2, :delta, :nora, 'in delta'), (3, NULL, :nora, 'nora''s');
SELECT seeme_protect('t_note', 'models', project_column => 'project_id', owner_column => 'owner_id', listing_columns => '{id,title}') \g /dev/null
GRANT SELECT ON t_note TO t_app;
CREATE ROLE t_reader;
GRANT SELECT ON t_note_listing TO t_app, t_reader;
CREATE VIEW t_over AS SELECT title FROM t_note_listing;
GRANT SELECT ON t_over TO t_app;
CREATE TEMP TABLE before AS SELECT oid, relacl FROM pg_class WHERE relname = 't_note_listing';
SELECT is(pg_temp.rows('nora', 'SELECT id FROM t_note_listing ORDER BY id'), '{3}', 'who owns a row lists it');
SELECT is(pg_temp.rows('edith', 'SELECT title FROM t_over'), '{"in alpha"}', 'who holds list in a project lists its rows, by a view over it, too');

-- Somebody with the rights for it has opened the view, and says that it may be flattened
CREATE OR REPLACE VIEW t_note_listing WITH (security_barrier = false, security_invoker = true) AS SELECT id, title FROM t_note;
SELECT seeme.renew_protection('t_note') \g /dev/null
SELECT is((SELECT oid FROM pg_class WHERE relname = 't_note_listing'), (SELECT oid FROM before), 'the view stays the same');
SELECT is((SELECT relacl FROM pg_class WHERE relname = 't_note_listing'), (SELECT relacl FROM before), 'with its grants');
SELECT is((SELECT reloptions FROM pg_class WHERE relname = 't_note_listing'), '{security_barrier=true}', 'with the options that seeme_protect gives it');
SELECT is(pg_temp.rows('nora', 'SELECT id FROM t_note_listing ORDER BY id'), '{3}', 'and with its query: for an owner');
SELECT is(pg_temp.rows('edith', 'SELECT title FROM t_over'), '{"in alpha"}', 'in the view over it');
SELECT is(pg_temp.try('edith', 'DELETE FROM t_note_listing'), '42501', 'nobody writes to it');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 't_note_listing'::regclass AND tgname = 'seeme_read_only'), 1::bigint, 'it has its trigger');

-- What gives a view its query takes views alone, of the same columns, for nobody but a superuser
SELECT throws_ok('SELECT seeme.set_view_query(''t_note'', ''SELECT 1'')', '42809', NULL, 'a table gets no query');
SELECT throws_like('SELECT seeme.set_view_query(''t_over'', ''SELECT 1 AS one, 2 AS two'')', '%different column name%', 'a view keeps its columns');
SELECT throws_ok('SELECT seeme.set_view_query(''t_over'', ''DELETE FROM t_note RETURNING title'')', '42601', NULL, 'a view''s query changes nothing');
SELECT is(pg_temp.try('edith', 'SELECT seeme.set_view_query(''t_over'', ''SELECT title FROM t_note'')'), '42501', 'threat: a person gives a view another query');
SELECT * FROM finish();
ROLLBACK;
