-- The report on tables whose rows are parts of protected rows: it proposes parent_column.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(11);

CREATE TABLE t_card (id text PRIMARY KEY, project_id uuid, title text);
CREATE TABLE t_comment (id integer PRIMARY KEY, "cardId" text NOT NULL REFERENCES t_card);
INSERT INTO t_card VALUES ('a', :alpha, 'A'), ('b', :beta, 'B');
INSERT INTO t_comment VALUES (1, 'a'), (2, 'a'), (3, 'b');
SELECT seeme_protect('t_card', 'cards', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_comment', 'comments', parent_column => 'cardId') \g /dev/null
CREATE TABLE t_reaction (
  id integer PRIMARY KEY, user_id uuid REFERENCES seeme.users,
  other_id integer REFERENCES t_comment, comment_id integer NOT NULL REFERENCES t_comment,
  emoji text);
INSERT INTO t_reaction VALUES (1, :olga, NULL, 1, '+'), (2, :paul, NULL, 2, '-'),
  (3, :adam, 1, 3, '+');
CREATE TABLE t_label (id integer PRIMARY KEY, "cardId" varchar(10) REFERENCES t_card, label text);
CREATE TABLE t_step (id integer PRIMARY KEY, card text REFERENCES t_card, project_id uuid);
CREATE TABLE t_weight (id integer PRIMARY KEY, card text REFERENCES t_card, weight numeric,
  UNIQUE (card));
CREATE TABLE t_price (card_id text REFERENCES t_weight (card), amount numeric);
CREATE TABLE t_pair (id integer, card text, other text, user_id uuid REFERENCES seeme.users);
ALTER TABLE t_card ADD UNIQUE (id, title);
ALTER TABLE t_pair ADD FOREIGN KEY (card, other) REFERENCES t_card (id, title);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO t_app;

CREATE FUNCTION pg_temp.finding(relation text, OUT severity text, OUT finding text,
                                OUT remedy text) LANGUAGE sql AS $$
  SELECT f.severity, f.finding, f.remedy FROM seeme_security_report() f
   WHERE f.object = relation AND f.finding LIKE 'table without row security:%'
$$;
SELECT is(f.finding, 'table without row security: its rows belong to those of public.t_comment '
  '(comment_id), and whoever is granted it sees them all',
  'a foreign key to a protected table tells more than one to a person') FROM
  pg_temp.finding('public.t_reaction') f;
SELECT is(f.severity, 'high', 'which is high') FROM pg_temp.finding('public.t_reaction') f;
SELECT is(f.remedy, 'SELECT public.seeme_protect(''public.t_reaction'', ''t_reaction'', '
  'parent_column => ''comment_id'');', 'the column that is never null is proposed')
  FROM pg_temp.finding('public.t_reaction') f;
SELECT is(f.remedy, 'SELECT public.seeme_protect(''public.t_label'', ''t_label'', '
  'parent_column => ''cardId'');', 'a column of varchar, with a name that needs quoting')
  FROM pg_temp.finding('public.t_label') f;
SELECT matches(f.remedy, 'project_column => ''project_id''', 'a project goes first')
  FROM pg_temp.finding('public.t_step') f;
SELECT doesnt_match(f.remedy, 'parent_column',
  'a table below one that is not protected has no parent')
  FROM pg_temp.finding('public.t_price') f;
SELECT matches(f.remedy, 'owner_column => ''user_id''', 'nor has a key of two columns')
  FROM pg_temp.finding('public.t_pair') f;

-- The remedies run, and are right.
SELECT rtrim(f.remedy, ';') AS remedy FROM pg_temp.finding('public.t_reaction') f \gset
:remedy \g /dev/null
SELECT rtrim(f.remedy, ';') AS remedy FROM pg_temp.finding('public.t_weight') f \gset
:remedy \g /dev/null
SELECT rtrim(f.remedy, ';') AS remedy FROM pg_temp.finding('public.t_price') f \gset
SELECT matches(:'remedy'::text, 'parent_column => ''card_id''',
  'a table below has one once that table is protected');
:remedy \g /dev/null
SELECT is((SELECT count(*) FROM seeme_security_report() f
            WHERE f.object IN ('public.t_reaction', 'public.t_weight', 'public.t_price')
              AND f.finding LIKE 'table without row security:%'), 0::bigint,
  'after the remedies nothing is found');
INSERT INTO seeme.roles (organization_id, name, permissions)
VALUES (:acme, 'Reader', '{cards:read,comments:read,t_reaction:read}');
UPDATE seeme.project_members SET role_id = (SELECT id FROM seeme.roles WHERE name = 'Reader')
 WHERE user_id = :paul;
SELECT pg_temp.become('paul') \g /dev/null
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM t_comment), '1 2',
  'a person sees the comments of a project');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM t_reaction), '1 2',
  'threat: a remedy of the report hides the rows of other authors');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT * FROM finish();
ROLLBACK;
