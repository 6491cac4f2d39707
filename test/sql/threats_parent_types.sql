\i test/include/prelude.psql
-- A foreign key to a column of a type that the keys of parents do not have. Its values would be
-- read as what they are not.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(9);

CREATE TABLE names (id name PRIMARY KEY, project_id uuid);
CREATE TABLE named (id integer PRIMARY KEY, parent_id text REFERENCES names);
CREATE INDEX ON named (parent_id);
SELECT seeme_protect('names', 'names', project_column => 'project_id') \g /dev/null
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('named', 'named', parent_column => 'parent_id')$$), '^42804: ',
  'threat: a name is read as a text');

-- The foreign key is exchanged later
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE tickets (id integer PRIMARY KEY, amount numeric UNIQUE, project_id uuid);
CREATE TABLE boards (id text PRIMARY KEY, title name UNIQUE, folded text COLLATE any_case UNIQUE,
  project_id uuid);
CREATE TABLE comments (id integer PRIMARY KEY,
  ticket_id integer CONSTRAINT parent REFERENCES tickets);
CREATE TABLE cards (id integer PRIMARY KEY, board_id text CONSTRAINT parent REFERENCES boards);
CREATE INDEX ON tickets (project_id); CREATE INDEX ON boards (project_id);
CREATE INDEX ON comments (ticket_id); CREATE INDEX ON cards (board_id);
INSERT INTO tickets VALUES (1, 1, :alpha);
INSERT INTO boards VALUES ('one', 'one', 'one', :alpha);
INSERT INTO comments VALUES (1, 1), (2, 1);
INSERT INTO cards VALUES (1, 'one'), (2, 'one');
SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id'),
       seeme_protect('boards', 'boards', project_column => 'project_id'),
       seeme_protect('comments', 'comments', parent_column => 'ticket_id'),
       seeme_protect('cards', 'cards', parent_column => 'board_id') \g /dev/null
GRANT SELECT, INSERT, UPDATE ON tickets, boards, comments, cards TO t_app;
SELECT pg_temp.hold_in('alpha', '{comments:*,cards:*}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments UNION ALL SELECT id FROM cards'),
  '{1,2,1,2}', 'with the first foreign keys children are visible');

ALTER TABLE comments DROP CONSTRAINT parent,
  ADD CONSTRAINT parent FOREIGN KEY (ticket_id) REFERENCES tickets (amount);
SELECT matches(pg_temp.complaint('nora', 'SELECT * FROM comments'),
  '^55000: .* refers to a key of another type',
  'threat: an integer is searched in an index of numbers, which ends the server');
SELECT matches(pg_temp.complaint('nora', 'INSERT INTO comments VALUES (3, 1)'), '^55000: ',
  'threat: likewise for a new row');

ALTER TABLE cards DROP CONSTRAINT parent,
  ADD CONSTRAINT parent FOREIGN KEY (board_id) REFERENCES boards (title);
SELECT matches(pg_temp.complaint('nora', 'SELECT * FROM cards'), '^55000: ',
  'threat: a name is read as a text after the foreign key was exchanged');
SELECT matches(pg_temp.complaint('nora', 'INSERT INTO cards VALUES (3, $$one$$)'), '^55000: ',
  'threat: likewise for a new row');
-- From 18 on PostgreSQL refuses such a foreign key
SELECT current_setting('server_version_num')::integer >= 180000 AS is_refused \gset
\if :is_refused
SELECT pass('threat: keys are compared by their bytes that are equal by their collation');
\else
ALTER TABLE cards DROP CONSTRAINT parent,
  ADD CONSTRAINT parent FOREIGN KEY (board_id) REFERENCES boards (folded);
SELECT matches(pg_temp.complaint('nora', 'SELECT * FROM cards'), '^55000: ',
  'threat: keys are compared by their bytes that are equal by their collation');
\endif

ALTER TABLE comments DROP CONSTRAINT parent,
  ADD CONSTRAINT parent FOREIGN KEY (ticket_id) REFERENCES tickets;
ALTER TABLE cards DROP CONSTRAINT parent,
  ADD CONSTRAINT parent FOREIGN KEY (board_id) REFERENCES boards;
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments'), '{1,2}',
  'with the first foreign key comments are visible again');
SELECT is(pg_temp.rows('nora', 'SELECT id FROM cards'), '{1,2}', 'and cards');
SELECT * FROM finish();
ROLLBACK;
