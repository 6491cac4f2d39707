-- A parent is removed, gets another key, or another owner, and its children stay: whoever does that
-- takes them along.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(20);

CREATE TABLE tickets (id integer PRIMARY KEY, project_id uuid, owner_id uuid);
CREATE TABLE comments (id integer PRIMARY KEY, ticket_id integer, body text);
ALTER TABLE comments ADD CONSTRAINT key FOREIGN KEY (ticket_id) REFERENCES tickets
  DEFERRABLE INITIALLY IMMEDIATE;
CREATE TABLE likes (id integer PRIMARY KEY, comment_id integer REFERENCES comments
  ON DELETE CASCADE);
CREATE INDEX ON comments (ticket_id); CREATE INDEX ON likes (comment_id);
CREATE INDEX ON tickets (project_id); CREATE INDEX ON tickets (owner_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON tickets, comments, likes TO t_app;
INSERT INTO tickets VALUES (1, :alpha), (2, :beta), (3, :beta), (91, :alpha);
INSERT INTO comments VALUES (1, 1, 'of alpha'), (2, 2, 'of beta');
INSERT INTO likes VALUES (1, 1), (2, 2);
SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id',
                     owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('comments', 'comments', parent_column => 'ticket_id') \g /dev/null
SELECT seeme_protect('likes', 'likes', parent_column => 'comment_id') \g /dev/null

-- Nora may do everything with the tickets of Beta, and everything in Alpha.
SELECT pg_temp.hold_in('beta', '{tickets:*}') \g /dev/null
SELECT pg_temp.hold_in('alpha', '{tickets:*,comments:*,likes:*}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments'), '{1}',
  'Nora sees the comments of Alpha alone');

-- Another row takes the key
SELECT is(pg_temp.try('nora', format($$WITH gone AS (DELETE FROM tickets WHERE id = 2 RETURNING id)
    INSERT INTO tickets SELECT id, %L FROM gone$$, :alpha)), '42501',
  'threat: a ticket is replaced by one of another project, which has its comments: one statement');
SELECT is(pg_temp.try('nora', $$UPDATE tickets SET id = CASE id WHEN 2 THEN 90 ELSE 2 END
    WHERE id IN (2, 91)$$), '42501', 'threat: two tickets exchange keys');
SELECT is(pg_temp.try('nora', format($$MERGE INTO tickets t USING (VALUES (2), (-1)) AS v (n)
    ON t.id = v.n WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT VALUES (2, %L)$$, :alpha)) IN ('42501', '23503'), true,
  'threat: MERGE replaces the ticket');
SET CONSTRAINTS ALL DEFERRED;
SELECT is(pg_temp.try('nora', 'DELETE FROM tickets WHERE id = 2'), '42501',
  'threat: a ticket is deleted, its key is checked later, and it is added again elsewhere');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.try('nora', 'UPDATE tickets SET id = 92 WHERE id = 2'), '23503',
  'a key that is in use does not change');
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments'), '{1}', 'nothing is shown');
SELECT is((SELECT project_id FROM tickets WHERE id = 2), :beta::uuid, 'nothing has moved');

-- What is allowed still
SELECT is(pg_temp.try('nora', 'DELETE FROM tickets WHERE id = 3'), '1 row',
  'a ticket without comments is deleted');
SELECT is(pg_temp.try('nora', 'UPDATE tickets SET id = 93 WHERE id = 3'), '1 row',
  'a ticket without comments gets another key');
SELECT is(pg_temp.try('nora', $$UPDATE tickets SET id = CASE id WHEN 1 THEN 90 ELSE 1 END
    WHERE id IN (1, 91)$$), '2 rows',
  'keys are exchanged by a person who may do so with the comments');
SELECT pg_temp.hold_in('beta', '{tickets:*,comments:*}') \g /dev/null
SELECT is(pg_temp.try('nora', $$UPDATE tickets SET id = CASE id WHEN 2 THEN 90 ELSE 2 END
    WHERE id IN (2, 91)$$), '42501', 'the comments'' likes are children, too');
SELECT pg_temp.hold_in('beta', '{tickets:*,comments:*,likes:update}') \g /dev/null
SELECT is(pg_temp.try('nora', $$UPDATE tickets SET id = CASE id WHEN 2 THEN 90 ELSE 2 END
    WHERE id IN (2, 91)$$), '2 rows',
  'whoever may change tickets, comments and likes replaces a ticket');
SELECT pg_temp.hold_in('beta', '{tickets:*}') \g /dev/null
INSERT INTO comments VALUES (3, 3, 'of beta');
SELECT is(pg_temp.try('nora', 'DELETE FROM tickets WHERE id = 3'), '23503',
  'a key that is in use keeps its ticket');

-- Ownership of a parent is ownership of its children
SELECT is(pg_temp.try('nora', 'UPDATE tickets SET owner_id = {nora} WHERE id = 2'), '42501',
  'threat: whoever may do everything with a ticket takes it, and its comments with it');
SELECT is(pg_temp.try('nora', 'UPDATE tickets SET owner_id = {mike} WHERE id = 2'), '42501',
  'threat: whoever may do everything with a ticket gives it to an accomplice');
SELECT is(pg_temp.try('nora', 'UPDATE tickets SET owner_id = {nora} WHERE id = 1'), '1 row',
  'whoever may do everything with the comments, too, takes a ticket');
UPDATE tickets SET owner_id = :nora WHERE id = 2;
SELECT is(pg_temp.try('nora', 'UPDATE tickets SET owner_id = {mike} WHERE id = 2'), '1 row',
  'the owner of a ticket gives it away');

SELECT ok((SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = 'tickets'::regclass
            AND t.tgname LIKE 'zz_seeme_check_%' AND t.tgenabled <> 'D') = 5,
  'the triggers of a parent are there');
SELECT seeme_unprotect('likes'), seeme_unprotect('comments') \g /dev/null
SELECT is((SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = 'tickets'::regclass
            AND t.tgname ~ 'parent|left'), 0::bigint,
  'the triggers of a parent go with the last child');

SELECT * FROM finish();
ROLLBACK;
