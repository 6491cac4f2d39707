-- Rows that lie where their parent's row lies, beside the same rows with a project column of their
-- own; both are protected.
--   comments, comments_own   one level: tickets lie in projects, ten comments on each
--   marks, marks_own         the same, and the parent has text keys of 25 characters, as cuid makes
--                            them
--   replies, replies_own     two levels: ten posts in each thread, ten replies to each post
-- psql variables: projects, items.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET maintenance_work_mem = '512MB';
SET work_mem = '256MB';

CREATE TABLE bench.tickets (id uuid PRIMARY KEY, project_id uuid NOT NULL);
INSERT INTO bench.tickets
  SELECT bench.id('ticket', n), bench.id('project', 1 + (n - 1) % :projects)
    FROM generate_series(1, :items / 10) AS n;
CREATE TABLE bench.comments (id uuid NOT NULL, ticket_id uuid NOT NULL, value integer NOT NULL);
INSERT INTO bench.comments
  SELECT bench.id('comment', n),
         bench.id('ticket', 1 + ((hashint8extended(n, 5) & 1073741823) % (:items / 10))::integer),
         n % 1000
    FROM generate_series(1, :items) AS n;
CREATE TABLE bench.comments_own AS
  SELECT c.*, t.project_id FROM bench.comments c JOIN bench.tickets t ON t.id = c.ticket_id
   ORDER BY c.ctid;

CREATE TABLE bench.cards (id text PRIMARY KEY, project_id uuid NOT NULL);
INSERT INTO bench.cards
  SELECT 'c' || left(md5(n::text), 24), bench.id('project', 1 + (n - 1) % :projects)
    FROM generate_series(1, :items / 10) AS n;
CREATE TABLE bench.marks (id uuid NOT NULL, card_id text NOT NULL, value integer NOT NULL);
INSERT INTO bench.marks
  SELECT bench.id('mark', n),
         'c' || left(md5((1 + (hashint8extended(n, 8) & 1073741823) % (:items / 10))::text), 24),
         n % 1000
    FROM generate_series(1, :items) AS n;
CREATE TABLE bench.marks_own AS
  SELECT m.*, c.project_id FROM bench.marks m JOIN bench.cards c ON c.id = m.card_id
   ORDER BY m.ctid;

CREATE TABLE bench.threads (id bigint PRIMARY KEY, project_id uuid NOT NULL);
INSERT INTO bench.threads
  SELECT n, bench.id('project', 1 + (n - 1) % :projects) FROM generate_series(1, :items / 100) AS n;
CREATE TABLE bench.posts (id bigint PRIMARY KEY, thread_id bigint NOT NULL);
INSERT INTO bench.posts
  SELECT n, 1 + (hashint8extended(n, 6) & 1073741823) % (:items / 100)
    FROM generate_series(1, :items / 10) AS n;
CREATE TABLE bench.replies (id uuid NOT NULL, post_id bigint NOT NULL, value integer NOT NULL);
INSERT INTO bench.replies
  SELECT bench.id('reply', n), 1 + (hashint8extended(n, 7) & 1073741823) % (:items / 10), n % 1000
    FROM generate_series(1, :items) AS n;
CREATE TABLE bench.replies_own AS
  SELECT r.*, t.project_id
    FROM bench.replies r JOIN bench.posts p ON p.id = r.post_id
    JOIN bench.threads t ON t.id = p.thread_id
   ORDER BY r.ctid;

ALTER TABLE bench.comments ADD PRIMARY KEY (id),
  ADD FOREIGN KEY (ticket_id) REFERENCES bench.tickets;
ALTER TABLE bench.comments_own ADD PRIMARY KEY (id);
ALTER TABLE bench.marks ADD PRIMARY KEY (id), ADD FOREIGN KEY (card_id) REFERENCES bench.cards;
ALTER TABLE bench.marks_own ADD PRIMARY KEY (id);
ALTER TABLE bench.posts ADD FOREIGN KEY (thread_id) REFERENCES bench.threads;
ALTER TABLE bench.replies ADD PRIMARY KEY (id), ADD FOREIGN KEY (post_id) REFERENCES bench.posts;
ALTER TABLE bench.replies_own ADD PRIMARY KEY (id);
CREATE INDEX ON bench.tickets (project_id);
CREATE INDEX ON bench.comments (ticket_id);
CREATE INDEX ON bench.comments_own (project_id);
CREATE INDEX ON bench.cards (project_id);
CREATE INDEX ON bench.marks (card_id);
CREATE INDEX ON bench.marks_own (project_id);
CREATE INDEX ON bench.threads (project_id);
CREATE INDEX ON bench.posts (thread_id);
CREATE INDEX ON bench.replies (post_id);
CREATE INDEX ON bench.replies_own (project_id);

SELECT seeme_protect('bench.tickets', 'models', project_column => 'project_id'),
       seeme_protect('bench.comments', 'models', parent_column => 'ticket_id'),
       seeme_protect('bench.comments_own', 'models', project_column => 'project_id'),
       seeme_protect('bench.cards', 'models', project_column => 'project_id'),
       seeme_protect('bench.marks', 'models', parent_column => 'card_id'),
       seeme_protect('bench.marks_own', 'models', project_column => 'project_id'),
       seeme_protect('bench.threads', 'models', project_column => 'project_id'),
       seeme_protect('bench.posts', 'models', parent_column => 'thread_id'),
       seeme_protect('bench.replies', 'models', parent_column => 'post_id'),
       seeme_protect('bench.replies_own', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT, UPDATE ON bench.comments, bench.comments_own, bench.marks, bench.marks_own,
  bench.replies, bench.replies_own TO app;
VACUUM ANALYZE bench.tickets, bench.comments, bench.comments_own, bench.cards, bench.marks,
  bench.marks_own, bench.threads, bench.posts, bench.replies, bench.replies_own;
SELECT sum(pg_prewarm(c.oid)) FROM pg_class c
 WHERE c.relnamespace = 'bench'::regnamespace AND c.relkind IN ('r', 'i')
   AND c.relname ~ '^(tickets|comments|cards|marks|threads|posts|replies)' \g /dev/null
CHECKPOINT;
