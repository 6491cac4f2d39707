\i test/include/prelude.psql
-- A column with several foreign keys: which of them tells where a row lies must not be chance.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/security_report.psql
SELECT plan(15);

-- Ticket 5 lies in Alpha. The ticket with number 5 lies in Beta.
CREATE TABLE tickets (id integer PRIMARY KEY, number integer UNIQUE, project_id uuid);
CREATE TABLE boards (id integer PRIMARY KEY, project_id uuid);
CREATE TABLE kinds (id integer PRIMARY KEY);
CREATE TABLE comments (id integer PRIMARY KEY, ticket integer);
CREATE INDEX ON tickets (project_id); CREATE INDEX ON boards (project_id);
CREATE INDEX ON comments (ticket);
INSERT INTO tickets VALUES (5, 6, :alpha), (7, 5, :beta);
INSERT INTO boards VALUES (5, :alpha);
INSERT INTO kinds VALUES (5);
INSERT INTO comments VALUES (1, 5);
SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id'),
       seeme_protect('boards', 'boards', project_column => 'project_id') \g /dev/null

CREATE FUNCTION pg_temp.protected_with(VARIADIC keys text[]) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.complaint(NULL, format('%s SELECT seeme_protect(%L, %L, parent_column => %L)',
    (SELECT string_agg(format('ALTER TABLE comments ADD FOREIGN KEY (ticket) REFERENCES %s;', k),
                       ' ') FROM unnest(keys) AS k), 'comments', 'comments', 'ticket')) $$;
SELECT is(pg_temp.protected_with('tickets', 'tickets (number)'),
  '42830: column "ticket" of table public.comments refers to several keys of protected tables | '
  'The foreign keys: comments_ticket_fkey to public.tickets (id), comments_ticket_fkey1 to '
  'public.tickets (number). | Leave the one to the parent, and drop the others: ALTER TABLE '
  'public.comments DROP CONSTRAINT comments_ticket_fkey; or ALTER TABLE public.comments DROP '
  'CONSTRAINT comments_ticket_fkey1;',
  'threat: the oldest of two foreign keys to one parent tells where rows lie');
SELECT matches(pg_temp.protected_with('tickets (number)', 'tickets'), '^42830: .* several keys',
  'the order of the foreign keys does not matter');
SELECT matches(pg_temp.protected_with('tickets', 'boards'),
  '^42830: .*_fkey to public\.tickets \(id\), comments_ticket_fkey1 to public\.boards \(id\)\.',
  'threat: the oldest of two foreign keys to different protected tables tells where rows lie');
SELECT is(pg_temp.protected_with('kinds', 'tickets', 'kinds'), NULL,
  'a foreign key to a table that is not protected is beside the point');
SELECT is(pg_temp.protected_with('tickets', 'tickets'), NULL,
  'two foreign keys to the same key say the same');

-- Later ones
ALTER TABLE comments ADD CONSTRAINT z_first FOREIGN KEY (ticket) REFERENCES tickets;
SELECT seeme_protect('comments', 'comments', parent_column => 'ticket') \g /dev/null
GRANT SELECT ON comments TO t_app;
DELETE FROM found_before;
INSERT INTO found_before SELECT * FROM seeme_security_report();
SELECT pg_temp.hold_in('alpha', '{comments:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM comments'), '{1}',
  'the comment of a ticket in Alpha is read there');
SELECT pg_temp.both_ways('parent has several keys', 'high', 'public.comments',
  'ALTER TABLE comments ADD CONSTRAINT a_later FOREIGN KEY (ticket) REFERENCES tickets (number)',
  'a second foreign key to the parent');
SELECT pg_temp.both_ways('parent has several keys', 'high', 'public.comments',
  'ALTER TABLE comments ADD CONSTRAINT a_later FOREIGN KEY (ticket) REFERENCES tickets (number) '
  'NOT VALID', 'a second foreign key that is not valid');
SELECT unalike(array_to_string(pg_temp.found('ALTER TABLE comments ADD FOREIGN KEY (ticket) '
    'REFERENCES boards'), E'\n'), '%several keys%',
  'a later foreign key to another protected table is no such finding');
SELECT is(pg_temp.found('ALTER TABLE comments ADD FOREIGN KEY (ticket) REFERENCES tickets'), NULL,
  'a later foreign key to the same key changes nothing');
SELECT is(pg_temp.rows(NULL, 'ALTER TABLE comments ADD FOREIGN KEY (ticket) REFERENCES boards',
    'SELECT pg_temp.become(''nora'')', 'SELECT id FROM comments'), '{1}',
  'a later foreign key to another protected table leaves the comment where it lies');

-- As a restore of a dump makes the foreign keys: in the order of their names
SELECT is(pg_temp.found('ALTER TABLE comments ADD CONSTRAINT a_later FOREIGN KEY (ticket) '
    'REFERENCES tickets (number); ALTER TABLE comments DROP CONSTRAINT z_first; ALTER TABLE '
    'comments ADD CONSTRAINT z_first FOREIGN KEY (ticket) REFERENCES tickets'),
  ARRAY['high | public.comments | parent has several keys: column ticket refers to public.tickets '
        '(number), which tells where the rows lie, and by z_first to public.tickets (id); a dump '
        'may restore the foreign keys in another order, and then other people see the rows'],
  'threat: the foreign keys change places without anybody noticing');
SELECT is(pg_temp.rows(NULL, 'ALTER TABLE comments ADD CONSTRAINT a_later FOREIGN KEY (ticket) '
    'REFERENCES tickets (number)', 'ALTER TABLE comments DROP CONSTRAINT z_first',
    'ALTER TABLE comments ADD CONSTRAINT z_first FOREIGN KEY (ticket) REFERENCES tickets',
    'SELECT pg_temp.become(''nora'')', 'SELECT id FROM comments'), '{}',
  'what the report warns of: by the other key, the comment lies in Beta');
SELECT * FROM finish();
ROLLBACK;
