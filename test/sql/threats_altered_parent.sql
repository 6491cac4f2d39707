\i test/include/prelude.psql
-- A session keeps what it knows of a parent table. Then somebody alters one of the tables.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(15);

CREATE TABLE tickets (id integer PRIMARY KEY, number integer UNIQUE, project_id uuid,
  reporting_project_id uuid);
CREATE TABLE comments (id integer PRIMARY KEY, ticket_id integer REFERENCES tickets);
CREATE INDEX ON tickets (project_id); CREATE INDEX ON comments (ticket_id);
-- The number of each ticket is the id of the other one.
INSERT INTO tickets VALUES (1, 2, :alpha, :beta), (2, 1, :beta, :alpha);
INSERT INTO comments VALUES (10, 1), (20, 2);
SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id'),
       seeme_protect('comments', 'comments', parent_column => 'ticket_id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON tickets, comments TO t_app;
SELECT pg_temp.hold_in('alpha', '{tickets:*,comments:*}') \g /dev/null
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE visible AS SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM comments;

-- The comments that nora sees, by a plan that is made each time, and by a prepared one
CREATE FUNCTION pg_temp.visible() RETURNS text LANGUAGE plpgsql AS $$
DECLARE now_planned text; prepared text;
BEGIN
  PERFORM pg_temp.become('nora');
  EXECUTE $q$SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM comments$q$
    INTO now_planned;
  EXECUTE 'EXECUTE visible' INTO prepared;
  PERFORM pg_temp.become(NULL);
  RETURN CASE WHEN now_planned = prepared THEN now_planned
              ELSE now_planned || ' and, prepared, ' || prepared END;
EXCEPTION WHEN OTHERS THEN
  PERFORM pg_temp.become(NULL);
  RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

CREATE FUNCTION pg_temp.protect_by(project_column text) RETURNS void LANGUAGE sql AS $$
  SELECT seeme_unprotect('comments'), seeme_unprotect('tickets');
  SELECT seeme_protect('tickets', 'tickets', project_column => project_column),
         seeme_protect('comments', 'comments', parent_column => 'ticket_id') $$;

SELECT is(pg_temp.visible(), '10', 'the comment on the ticket of the own project is visible');
SELECT is(pg_temp.visible(), '10', 'a second time, too');

SELECT pg_temp.protect_by('reporting_project_id') \g /dev/null
SELECT is(pg_temp.visible(), '20',
  'threat: comments lie where tickets lay before these were protected by another column');
SELECT pg_temp.protect_by('project_id') \g /dev/null
SELECT is(pg_temp.visible(), '10', 'the first column counts again');

ALTER TABLE comments DROP CONSTRAINT comments_ticket_id_fkey,
  ADD FOREIGN KEY (ticket_id) REFERENCES tickets (number);
SELECT is(pg_temp.visible(), '20',
  'threat: comments lie where the former foreign key pointed');
ALTER TABLE comments DROP CONSTRAINT comments_ticket_id_fkey;
SELECT matches(pg_temp.visible(), '^55000: .* does not have any more',
  'threat: comments are shown after their foreign key was dropped');
ALTER TABLE comments ADD FOREIGN KEY (ticket_id) REFERENCES tickets;
SELECT is(pg_temp.visible(), '10', 'the comments are visible again with a foreign key');

SELECT seeme_unprotect('comments'), seeme_unprotect('tickets') \g /dev/null
SELECT is(pg_temp.visible(), '10,20', 'without protection all comments are visible');
SELECT seeme_protect('tickets', 'tickets', project_column => 'reporting_project_id'),
       seeme_protect('comments', 'comments', parent_column => 'ticket_id') \g /dev/null
SELECT is(pg_temp.visible(), '20',
  'threat: a table that is protected again is taken for what it was before');

-- What is undone counts for nothing
SAVEPOINT altered;
SELECT pg_temp.protect_by('project_id') \g /dev/null
SELECT is(pg_temp.visible(), '10', 'a column that a subtransaction has named counts within it');
ROLLBACK TO altered;
SELECT is(pg_temp.visible(), '20', 'threat: it counts after the subtransaction was undone');

-- Indexes and partitions of a parent
ALTER TABLE comments DROP CONSTRAINT comments_ticket_id_fkey;
ALTER TABLE tickets DROP CONSTRAINT tickets_pkey;
ALTER TABLE tickets ADD PRIMARY KEY (id);
ALTER TABLE comments ADD FOREIGN KEY (ticket_id) REFERENCES tickets;
SELECT is(pg_temp.visible(), '20', 'a new primary key takes the place of the former one');

CREATE TABLE folders (id integer PRIMARY KEY, project_id uuid) PARTITION BY RANGE (id);
CREATE TABLE folders_1 PARTITION OF folders FOR VALUES FROM (0) TO (100);
CREATE TABLE pages (id integer PRIMARY KEY, folder_id integer REFERENCES folders);
INSERT INTO folders VALUES (1, :alpha);
INSERT INTO pages VALUES (1, 1);
SELECT seeme_protect('folders', 'folders', project_column => 'project_id'),
       seeme_protect('pages', 'pages', parent_column => 'folder_id') \g /dev/null
GRANT SELECT ON folders, pages TO t_app;
SELECT pg_temp.hold_in('alpha', '{pages:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM pages'), '{1}',
  'pages are in folders of a partition');
CREATE TABLE folders_2 PARTITION OF folders FOR VALUES FROM (100) TO (200);
INSERT INTO folders VALUES (100, :alpha);
INSERT INTO pages VALUES (100, 100);
SELECT is(pg_temp.rows('nora', 'SELECT id FROM pages ORDER BY id'), '{1,100}',
  'pages are in folders of a partition that was added later');
DELETE FROM pages WHERE id = 100;
ALTER TABLE folders DETACH PARTITION folders_2;
SELECT is(pg_temp.rows('nora', 'SELECT id FROM pages ORDER BY id'), '{1}',
  'a partition that was detached is not searched any more');
SELECT * FROM finish();
ROLLBACK;
