\i test/include/prelude.psql
-- Children of a protected table: what must not be set up, what must not come off, and what nobody
-- gets by a parent.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(53);

CREATE TABLE tickets (id integer PRIMARY KEY, project_id uuid, title text, ref text UNIQUE,
  number numeric UNIQUE, UNIQUE (id, ref));
CREATE TABLE comments (id integer PRIMARY KEY, ticket_id integer REFERENCES tickets
  ON DELETE CASCADE, body text, parent_id integer REFERENCES comments, free integer,
  number numeric REFERENCES tickets (number), pair_id integer, pair_ref text,
  FOREIGN KEY (pair_id, pair_ref) REFERENCES tickets (id, ref));
CREATE TABLE likes (id integer PRIMARY KEY, comment_id integer REFERENCES comments
  ON DELETE CASCADE);
CREATE INDEX ON comments (ticket_id); CREATE INDEX ON likes (comment_id);
CREATE INDEX ON tickets (project_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON tickets, comments, likes TO t_app;

-- What cannot be set up: a clear error, and nothing is changed
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('comments', 'comments', parent_column => 'ticket_id')$$),
  '^55000: column "ticket_id" of table (public\.)?comments refers to table (public\.)?tickets, '
  'which is not protected .*seeme_protect', 'a parent that is not protected is refused');
SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id') \g /dev/null
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('comments', 'comments', parent_column => 'free')$$),
  '^42830: column "free" of table (public\.)?comments has no foreign key .*ADD FOREIGN KEY',
  'a parent column without a foreign key is refused');
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('comments', 'comments', parent_column => 'nothing')$$),
  '^42703: table (public\.)?comments has no column "nothing"',
  'a parent column that does not exist is refused');
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('comments', 'comments', parent_column => 'parent_id')$$),
  '^42830: column "parent_id" of table (public\.)?comments refers to the table itself',
  'a table that is its own parent is refused');
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('comments', 'comments', parent_column => 'pair_id')$$),
  '^42830: column "pair_id" of .* together with other columns',
  'a parent column that is one of two of a key is refused');
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('comments', 'comments', parent_column => 'number')$$),
  '^42804: column "number" of .* is of type numeric', 'a parent column of another type is refused');
CREATE TABLE ring_a (id integer PRIMARY KEY, b_id integer);
CREATE TABLE ring_b (id integer PRIMARY KEY, a_id integer REFERENCES ring_a);
ALTER TABLE ring_a ADD FOREIGN KEY (b_id) REFERENCES ring_b;
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('ring_a', 'rings', parent_column => 'b_id')$$),
  '^42830: tables (public\.)?ring_a and (public\.)?ring_b refer to each other',
  'two tables that are each other''s parents are refused');
SELECT is((SELECT count(*) FROM seeme.permissions WHERE resource IN ('comments', 'rings')),
  0::bigint,
  'nothing is left of any of these');

SELECT seeme_protect('comments', 'comments', parent_column => 'ticket_id') \g /dev/null
SELECT seeme_protect('likes', 'likes', parent_column => 'comment_id') \g /dev/null
SELECT matches(pg_temp.complaint(NULL, $$SELECT seeme_unprotect('tickets')$$),
  '^2BP01: table (public\.)?tickets is the parent of protected tables: (public\.)?comments ',
  'a parent stays protected while a child names it');
SELECT is(pg_temp.try(NULL, $$SELECT seeme_unprotect('comments')$$), '2BP01',
  'a child that is a parent itself stays protected, too');
SELECT is((SELECT string_agg(finding, E'\n') FROM seeme_security_report()
            WHERE object ~ '(tickets|likes)$' OR finding LIKE '%ticket_id%'), NULL,
  'the report finds nothing about the tables and their foreign keys');

INSERT INTO tickets VALUES (1, :alpha, 'a'), (2, :beta, 'b'), (3, :delta, 'd'), (4, NULL, 'none');
INSERT INTO comments (id, ticket_id, body) VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'd'),
  (4, 4, 'none'), (5, NULL, 'alone');
INSERT INTO likes VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);

-- The child's codes are asked for, not the parent's
SELECT pg_temp.hold_in('alpha', '{tickets:*}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments'), '{}',
  'threat: whoever may do everything with a ticket reads its comments');
SELECT is(pg_temp.try('nora', 'INSERT INTO comments (id, ticket_id) VALUES (9, 1)'), '42501',
  'threat: whoever may do everything with a ticket adds comments to it');
SELECT pg_temp.hold_in('alpha', '{comments:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments'), '{1}',
  'comments can be read by who sees no ticket');
SELECT is(pg_temp.rows('nora', 'SELECT id FROM likes'), '{}',
  'threat: a comment''s right is good for its likes');
SELECT pg_temp.hold_in('alpha', '{likes:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM likes'), '{1}', 'likes lie where the ticket lies');
SELECT pg_temp.hold_in('alpha', '{}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM likes'), '{}',
  'after a revocation no likes are read');
SELECT is(pg_temp.rows('ghost', 'SELECT id FROM comments'), '{}',
  'with nobody identified no likes are read');

-- A hidden parent and a missing one are the same
SELECT pg_temp.hold_in('alpha', '{comments:*,tickets:*}') \g /dev/null
SELECT is(pg_temp.complaint('nora', 'INSERT INTO comments (id, ticket_id) VALUES (9, 2)'),
  pg_temp.complaint('nora', 'INSERT INTO comments (id, ticket_id) VALUES (9, 99)'),
  'threat: an INSERT tells whether a hidden ticket exists');
SELECT is(pg_temp.try('nora', 'INSERT INTO comments (id, ticket_id) VALUES (9, 2)'), '42501',
  'threat: a comment is hung on a ticket of another project');
SELECT is(pg_temp.complaint('nora', 'UPDATE comments SET ticket_id = 2'),
  pg_temp.complaint('nora', 'UPDATE comments SET ticket_id = 99'),
  'threat: an UPDATE tells whether a hidden ticket exists');
SELECT is(pg_temp.try('nora', 'UPDATE comments SET ticket_id = 2'), '42501',
  'threat: a comment is moved to a ticket of another project');
SELECT is(pg_temp.try('nora', $$INSERT INTO comments (id, ticket_id) VALUES (1, 1)
  ON CONFLICT (id) DO UPDATE SET ticket_id = 2$$), '42501',
  'threat: ON CONFLICT moves a comment to a ticket of another project');
SELECT is(pg_temp.try('nora', 'INSERT INTO comments (id, ticket_id) VALUES (9, NULL)'), '42501',
  'threat: a comment without a ticket');
SELECT is(pg_temp.try('nora', 'INSERT INTO comments (id, ticket_id) VALUES (9, 1)'), '1 row',
  'one on an own ticket is added');

-- What policies, plans and triggers call tells nobody about hidden tickets
SELECT is(pg_temp.try('nora', $$SELECT seeme.permitted_parents('comments:read', 'comments',
  'tickets', NULL::integer)$$), '42501', 'threat: listing the tickets of a project');
SELECT is(pg_temp.try('nora', $$SELECT seeme.may_move_child_out('tickets:read', 'comments', '2',
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)$$), '22023',
  'threat: asking with another code where a ticket lies');
SELECT is(pg_temp.rows('nora', $$SELECT seeme.may_hang_on('comments:create', 'comments', n)
  FROM unnest(ARRAY[2, 99]) AS n$$), '{false,false}',
  'threat: a hidden ticket differs from a missing one');

-- Moving a parent
SELECT pg_temp.hold_in('beta', '{tickets:*}') \g /dev/null
SELECT pg_temp.hold_in('alpha', '{tickets:*}') \g /dev/null
SELECT matches(pg_temp.complaint('nora', $$UPDATE tickets SET project_id = {beta} WHERE id = 1$$),
  '^42501: you do not hold (comments|likes):update where this row of "tickets" lies',
  'threat: comments that somebody may not change are taken to another project');
SELECT pg_temp.hold_in('alpha', '{tickets:*,comments:update}') \g /dev/null
SELECT is(pg_temp.try('nora', $$UPDATE tickets SET project_id = {beta} WHERE id = 1$$), '42501',
  'threat: likes that somebody may not change are taken to another project');
SELECT pg_temp.hold_in('alpha', '{tickets:*,comments:update,likes:update}') \g /dev/null
SELECT is(pg_temp.try('nora', $$UPDATE tickets SET project_id = {beta} WHERE id = 1$$), '1 row',
  'whoever may change all three moves them');
SELECT is(pg_temp.try('nora', $$UPDATE tickets SET title = 'x' WHERE id = 1$$), '1 row',
  'changing the title of a ticket takes no right on its comments');
SELECT pg_temp.hold_in('alpha', '{}') \g /dev/null
SELECT pg_temp.hold_in('beta', '{}') \g /dev/null

-- What a migration tool, as the owner of the tables, must not take off
CREATE ROLE t_owner;
GRANT CREATE, USAGE ON SCHEMA public TO t_owner;
ALTER TABLE tickets OWNER TO t_owner; ALTER TABLE comments OWNER TO t_owner;
ALTER TABLE likes OWNER TO t_owner;
CREATE FUNCTION pg_temp.as_owner(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL ROLE t_owner;
  EXECUTE statement;
  RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'done';
EXCEPTION
  WHEN SQLSTATE 'UNDO0' THEN RETURN 'done';
  WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT matches(pg_temp.as_owner('ALTER TABLE comments DROP CONSTRAINT comments_ticket_id_fkey'),
  '^42501 .*foreign key of ticket_id', 'threat: the foreign key to the parent is dropped');
SELECT matches(pg_temp.as_owner('ALTER TABLE tickets DROP CONSTRAINT tickets_pkey CASCADE'),
  '^42501 .*foreign key of ticket_id', 'threat: the key of the parent is dropped');
SELECT matches(pg_temp.as_owner('DROP TABLE tickets CASCADE'),
  '^42501 .*(foreign key of ticket_id|policy seeme_)',
  'threat: the parent is dropped with all that depends on it');
SELECT matches(pg_temp.as_owner('DROP TABLE tickets'), '^2BP01',
  'threat: the parent alone is dropped');
SELECT matches(pg_temp.as_owner('DROP TRIGGER zz_seeme_check_moved_parent ON tickets'),
  '^42501 .*zz_seeme_check_moved_parent', 'threat: the trigger for a parent that moves is dropped');
SELECT matches(pg_temp.as_owner('ALTER TABLE comments DROP COLUMN ticket_id CASCADE'),
  '^42501 ', 'threat: the parent column is dropped');
SELECT is(pg_temp.as_owner('ALTER TABLE comments DROP CONSTRAINT comments_parent_id_fkey'), 'done',
  'another foreign key is not ours');

-- Names change, and what is recorded follows
ALTER TABLE comments RENAME COLUMN ticket_id TO about_id;
ALTER TABLE tickets RENAME TO issues;
ALTER TABLE issues RENAME COLUMN id TO number_id;
SELECT is((SELECT parent_column || ' ' || (parent_table = 'issues'::regclass)
             FROM seeme.protected_tables WHERE table_name = 'comments'::regclass),
  'about_id true', 'a renamed column and a renamed parent are known');
SELECT is(pg_temp.rows('olga', 'SELECT id FROM likes ORDER BY id'), '{1,2}',
  'a renamed column and a renamed parent still decide');
SELECT is(pg_temp.try('olga', 'UPDATE comments SET about_id = 2 WHERE id = 1'), '1 row',
  'comments still move after the renames');
SELECT seeme.renew_protection('comments'), seeme.renew_protection('issues') \g /dev/null
SELECT is(pg_temp.rows('olga', 'SELECT id FROM likes ORDER BY id'), '{1,2}',
  'a renewed protection is the same');
SELECT is((SELECT count(*) FROM seeme.protected_tables p, seeme.guards_down(p)), 0::bigint,
  'a renewed protection is complete');

-- A dump without the extension's rows: the policies tell the arguments
SAVEPOINT forgotten;
DELETE FROM seeme.protected_tables WHERE table_name = 'comments'::regclass;
SELECT is((SELECT (arguments ->> 'resource') || ' ' || (arguments ->> 'parent_column')
             FROM seeme.guards_without_record() WHERE relation = 'comments'::regclass),
  'comments about_id', 'what is not recorded of a child is read from its policies');
ROLLBACK TO forgotten;

-- A superuser's doing is found
SAVEPOINT without;
ALTER TABLE comments DROP CONSTRAINT comments_ticket_id_fkey;
SELECT is(pg_temp.try('olga', 'SELECT FROM comments'), '55000',
  'without the foreign key every statement is an error that says so');
SELECT is((SELECT string_agg(severity, ',') FROM seeme_security_report()
            WHERE finding LIKE 'parent is gone:%'), 'critical',
  'the report finds the missing foreign key');
ROLLBACK TO without;

-- A child that is dropped is no longer asked about
SELECT is((SELECT encode(tgargs, 'escape') FROM pg_trigger
            WHERE tgname = 'zz_seeme_check_moved_parent' AND tgrelid = 'issues'::regclass),
  'comments:update\000likes:update\000',
  'the parent''s trigger names comments:update and likes:update');
DROP TABLE likes;
SELECT is((SELECT encode(tgargs, 'escape') FROM pg_trigger
            WHERE tgname = 'zz_seeme_check_moved_parent' AND tgrelid = 'issues'::regclass),
  'comments:update\000', 'after DROP TABLE the trigger names only comments:update');
SELECT seeme_unprotect('comments') \g /dev/null
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgname = 'zz_seeme_check_moved_parent'), 0::bigint,
  'a table without children has no trigger of a parent');
SELECT lives_ok($$SELECT seeme_unprotect('issues')$$, 'a former parent can be unprotected');
SELECT is((SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
            WHERE c.relname IN ('issues', 'comments') AND NOT tgisinternal), 0::bigint,
  'no trigger is left on a table that was a parent or a child');
SELECT is((SELECT count(*) FROM pg_policy y JOIN pg_class c ON c.oid = y.polrelid
            WHERE c.relname IN ('issues', 'comments')), 0::bigint,
  'no policy is left on a table that was a parent or a child');
SELECT * FROM finish();
ROLLBACK;
