\i test/include/prelude.psql
-- Public children whose parent moves: they stay public, and nobody reads more than before.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(7);
CREATE TABLE folders (id integer PRIMARY KEY, project_id uuid);
CREATE TABLE pages (id integer PRIMARY KEY, folder_id integer REFERENCES folders,
  is_public boolean NOT NULL);
CREATE INDEX ON folders (project_id); CREATE INDEX ON pages (folder_id);
CREATE INDEX ON pages (is_public) WHERE is_public;
INSERT INTO folders VALUES (1, :alpha), (2, :beta);
INSERT INTO pages VALUES (1, 1, true), (2, 1, false), (3, 2, false);
SELECT seeme_protect('folders', 'folders', project_column => 'project_id'),
       seeme_protect('pages', 'pages', parent_column => 'folder_id', public_column => 'is_public')
\g /dev/null
GRANT SELECT, UPDATE ON folders, pages TO t_app;

SELECT pg_temp.hold_in('alpha', '{folders:*,pages:read,pages:update}'),
       pg_temp.hold_in('beta', '{folders:*,pages:read,pages:update}') \g /dev/null
SELECT is(pg_temp.try('nora', 'UPDATE pages SET folder_id = 2 WHERE id = 1'), '42501',
  'threat: a public page is moved by somebody who may not share pages there');
SELECT is(pg_temp.try('nora', 'UPDATE pages SET folder_id = 2 WHERE id = 2'), '1 row',
  'a page that is not public is moved by update alone');
SELECT is(pg_temp.try('nora', 'UPDATE folders SET project_id = {beta} WHERE id = 1'), '1 row',
  'a folder with public pages is moved without the right to share them');
SELECT is(pg_temp.rows('stan', 'SELECT id FROM pages ORDER BY id'), '{1}',
  'before the folder moves, a stranger reads the public page');
UPDATE folders SET project_id = :beta WHERE id = 1;
SELECT is(pg_temp.rows('stan', 'SELECT id FROM pages ORDER BY id'), '{1}',
  'after the folder moved, a stranger reads the same page and no other');
SELECT is(pg_temp.try('nora', 'UPDATE pages SET is_public = true WHERE id = 2'), '42501',
  'threat: the move lets somebody make other pages public');
SELECT is(pg_temp.try('nora', 'UPDATE pages SET is_public = false WHERE id = 1'), '1 row',
  'whoever may update pages in the new place takes the public page back');
SELECT * FROM finish();
ROLLBACK;
