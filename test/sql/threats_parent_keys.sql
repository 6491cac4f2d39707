\i test/include/prelude.psql
-- The keys of parents: two unique columns of one parent, keys of type varchar, and a partitioned
-- parent whose scope is a generated column. And children that their owners make public.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(20);

-- Two children refer to one parent by different columns. The number of a ticket of Beta is the id
-- of a ticket of Alpha.
CREATE TABLE tickets (id integer PRIMARY KEY, number integer UNIQUE, project_id uuid);
CREATE TABLE comments (id integer PRIMARY KEY, ticket_id integer REFERENCES tickets);
CREATE TABLE notes (id integer PRIMARY KEY, number integer REFERENCES tickets (number));
CREATE INDEX ON tickets (project_id);
CREATE INDEX ON comments (ticket_id); CREATE INDEX ON notes (number);
INSERT INTO tickets VALUES (5, 6, :alpha), (7, 5, :beta);
INSERT INTO comments VALUES (1, 5), (2, 7);
INSERT INTO notes VALUES (1, 6), (2, 5);
SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id'),
       seeme_protect('comments', 'comments', parent_column => 'ticket_id'),
       seeme_protect('notes', 'notes', parent_column => 'number') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON tickets, comments, notes TO t_app;
SELECT pg_temp.hold_in('alpha', '{comments:*,notes:*}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments WHERE id = 1',
  'SELECT id FROM notes WHERE number = 5'), '{}',
  'threat: a ticket that was read by its id is taken for one with that number');
SELECT is(pg_temp.rows('nora', 'SELECT c.id, n.id FROM comments c JOIN notes n ON true
  WHERE c.ticket_id = 5 AND n.number = 5'), '{}',
  'threat: in one statement a ticket is taken for one with that number');
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments WHERE id = 1',
  'DELETE FROM notes WHERE number = 5 RETURNING id'), '{}',
  'threat: a ticket read by its id lets somebody delete a note of another one');
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments WHERE id = 2',
  'SELECT id FROM notes WHERE number = 6'), '{1}', 'the note of the own project is found');
SELECT is(pg_temp.rows('nora', 'SELECT id FROM notes WHERE id = 2',
  'SELECT id FROM comments WHERE ticket_id = 5'), '{1}',
  'the comment of the own project is found after a hidden note was read');

-- Whoever owns the table adds a key that comes first by name
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments'), '{1}',
  'the comments of the project are read');
ALTER TABLE comments ADD CONSTRAINT a_first FOREIGN KEY (ticket_id) REFERENCES tickets (number)
  NOT VALID;
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments'), '{1}',
  'threat: another foreign key of the column tells where comments lie');

-- Keys of type varchar
CREATE TABLE boards (id varchar(20) PRIMARY KEY, project_id uuid);
CREATE TABLE cards (id integer PRIMARY KEY, board_id varchar(20) REFERENCES boards);
CREATE INDEX ON boards (project_id); CREATE INDEX ON cards (board_id);
INSERT INTO boards SELECT 'board ' || n, (CASE n WHEN 1 THEN :alpha WHEN 2 THEN :beta END)::uuid
  FROM generate_series(1, 100) AS n;
INSERT INTO cards SELECT n, 'board ' || n % 100 + 1 FROM generate_series(0, 999) AS n;
ANALYZE boards; ANALYZE cards;
SELECT seeme_protect('boards', 'boards', project_column => 'project_id'),
       seeme_protect('cards', 'cards', parent_column => 'board_id') \g /dev/null
GRANT SELECT, UPDATE ON boards, cards TO t_app;
SELECT pg_temp.hold_in('alpha', '{cards:*}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT count(*) FROM cards'), '{10}',
  'children are found by keys of type varchar');
SELECT is(pg_temp.rows('nora', 'SET LOCAL enable_seqscan = off', 'SELECT count(*) FROM cards'),
  '{10}', 'children are found by an index on keys of type varchar');
SELECT matches(array_to_string(pg_temp.rows('nora', 'EXPLAIN SELECT count(*) FROM cards'), ' '),
  'Index Cond: .*permitted_parents', 'the planner chooses the index by itself');

-- A partitioned parent whose scope is a generated column
INSERT INTO seeme.projects (id, organization_id, name) VALUES
  (seeme_uuid('project', 1), :acme, 'One'), (seeme_uuid('project', 2), :acme, 'Two');
CREATE TABLE folders (id integer PRIMARY KEY, project integer, title text, project_id uuid
  GENERATED ALWAYS AS (seeme_uuid('project', project)) STORED) PARTITION BY RANGE (id);
CREATE TABLE folders_1 PARTITION OF folders FOR VALUES FROM (0) TO (100);
CREATE TABLE folders_2 PARTITION OF folders FOR VALUES FROM (100) TO (200);
CREATE TABLE pages (id integer PRIMARY KEY, folder_id integer REFERENCES folders
  ON UPDATE CASCADE);
CREATE INDEX ON folders (project_id); CREATE INDEX ON pages (folder_id);
INSERT INTO folders VALUES (1, 1), (2, 2);
INSERT INTO pages VALUES (1, 1), (2, 2);
SELECT seeme_protect('folders', 'folders', project_column => 'project_id') \g /dev/null
SELECT lives_ok($$SELECT seeme_protect('pages', 'pages', parent_column => 'folder_id')$$,
  'the parent may be partitioned and have a generated scope column');
GRANT SELECT, UPDATE ON folders, pages TO t_app;
SELECT pg_temp.hold('{folders:*,pages:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM pages ORDER BY id'), '{1,2}',
  'pages of a partitioned parent are read');
SELECT is(pg_temp.try('nora', 'UPDATE folders SET project = 2 WHERE id = 1'), '42501',
  'threat: pages are taken along by whoever may not change them');
SELECT is(pg_temp.try('nora', 'UPDATE folders SET project = 2, id = 101 WHERE id = 1'), '42501',
  'threat: pages are taken along to another partition');
SELECT is(pg_temp.try('nora', $$UPDATE folders SET title = 'x' WHERE id = 1$$), '1 row',
  'changing the title of a folder takes no right on its pages');
SELECT pg_temp.hold('{folders:*,pages:update,pages:read}') \g /dev/null
SELECT is(pg_temp.try('nora', 'UPDATE folders SET project = 2 WHERE id = 1'), '1 row',
  'whoever may change folders and pages moves both');

-- Keys that are equal although their bytes differ
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE places (id text COLLATE any_case PRIMARY KEY, project_id uuid);
CREATE TABLE signs (id integer PRIMARY KEY, place_id text COLLATE any_case REFERENCES places);
SELECT seeme_protect('places', 'places', project_column => 'project_id') \g /dev/null
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('signs', 'signs', parent_column => 'place_id')$$),
  '^42804: column "place_id" .* collation that is not deterministic',
  'a key with a collation that is not deterministic is refused');

-- Children with an owner and a public column
CREATE TABLE drafts (id integer PRIMARY KEY, ticket_id integer REFERENCES tickets, owner_id uuid,
  is_public boolean NOT NULL DEFAULT false);
CREATE INDEX ON drafts (ticket_id); CREATE INDEX ON drafts (owner_id);
INSERT INTO drafts VALUES (1, 5, :nora), (2, 5, :vera), (3, NULL, :nora);
SELECT seeme_protect('drafts', 'drafts', parent_column => 'ticket_id', owner_column => 'owner_id',
  public_column => 'is_public') \g /dev/null
GRANT SELECT, INSERT, UPDATE ON drafts TO t_app;
SELECT pg_temp.hold_in('alpha', '{drafts:create,drafts:read,drafts:update}') \g /dev/null
SELECT is(pg_temp.try('nora', 'UPDATE drafts SET is_public = true WHERE id IN (1, 3)'), '2 rows',
  'an owner makes rows with and without a parent public');
SELECT is(pg_temp.try('nora', 'INSERT INTO drafts VALUES (9, 5, {nora}, true)'), '1 row',
  'an owner adds public rows');
SELECT is(pg_temp.try('nora', 'UPDATE drafts SET is_public = true WHERE id = 2'), '42501',
  'threat: somebody else''s row is made public without share');
SELECT * FROM finish();
ROLLBACK;
