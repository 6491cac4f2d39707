\i test/include/prelude.psql
-- The owner of a row with a parent gives it to somebody else, while they belong to where the parent
-- lies. Keys of each type: a key that is read wrongly is another parent's, or ends the server.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(38);

-- A parent in Alpha (Acme), one in Delta (Globex), and one with the key that is nothing but zeroes.
CREATE TABLE key (type text, alpha text, delta text, zero text);
INSERT INTO key VALUES
  ('integer', '1', '2', '0'), ('bigint', '1', '2', '0'),
  ('uuid', 'e0000000-0000-4000-8000-00000000000a', 'e0000000-0000-4000-8000-00000000000d',
   '00000000-0000-0000-0000-000000000000'),
  ('text', 'a long key of a ticket', 'd', ''), ('varchar', 'a', 'a long key of another ticket', '');
CREATE PROCEDURE pg_temp.set_up(k key) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE t_%s (id %1$s PRIMARY KEY, project_id uuid)', k.type);
  EXECUTE format('CREATE TABLE c_%s (n integer PRIMARY KEY, t_id %1$s REFERENCES t_%1$s, '
                 'author_id uuid)', k.type);
  EXECUTE format('CREATE INDEX ON c_%s (t_id)', k.type);
  EXECUTE format('INSERT INTO t_%s SELECT v.key::%1$s, p.id FROM (VALUES (%L, ''alpha''), '
                 '(%L, ''delta''), (%L, ''alpha'')) AS v (key, name) JOIN thing p USING (name)',
                 k.type, k.alpha, k.delta, k.zero);
  EXECUTE format('INSERT INTO c_%s SELECT v.n, t.id, u.id FROM (VALUES (1, %2$L, ''nora''), '
                 '(2, %3$L, ''nora''), (3, %3$L, ''mike'')) AS v (n, key, name) '
                 'JOIN thing u USING (name) JOIN t_%1$s t ON t.id::text = v.key',
                 k.type, k.delta, k.alpha);
  PERFORM seeme_protect(format('t_%s', k.type)::regclass, 'datasets',
                        project_column => 'project_id'),
          seeme_protect(format('c_%s', k.type)::regclass, 'models', parent_column => 't_id',
                        owner_column => 'author_id');
  EXECUTE format('GRANT ALL ON t_%s, c_%1$s TO t_app', k.type);
END $$;
SET client_min_messages = error;
DO $$
DECLARE k key;
BEGIN
  FOR k IN SELECT * FROM key LOOP
    CALL pg_temp.set_up(k);
  END LOOP;
END $$;

-- Nora changes everybody's rows in Alpha, and gives away her own.
SELECT pg_temp.hold_in('alpha', '{models:list,models:read,models:update}') \g /dev/null
SELECT is(pg_temp.try('nora', format('UPDATE c_%s SET author_id = {mike} WHERE n = 2', type)),
  '1 row', format('an owner gives a row away: %s', type)) FROM key;
SELECT is(pg_temp.try('nora', format('UPDATE c_%s SET author_id = {nora} WHERE n = 3', type)),
  '42501', format('threat: a person takes somebody else''s row: %s', type)) FROM key;
SELECT is(pg_temp.try('nora', format('UPDATE c_%s SET author_id = {mike} WHERE n = 1', type)),
  '0 rows', format('threat: a row below a parent where the owner does not belong: %s', type))
  FROM key;
SELECT is(pg_temp.try('nora', format('UPDATE c_%s SET t_id = %L WHERE n = 3', type, zero)),
  '1 row', format('a row moves to another parent: %s', type)) FROM key;
SELECT is(pg_temp.try('nora', format('UPDATE c_%s SET t_id = %L WHERE n = 3', type, delta)),
  '42501', format('threat: a row moves to a hidden parent: %s', type)) FROM key;

-- The trigger's own question
SELECT pg_temp.become('nora') \g /dev/null
SELECT seeme.child_ownership_counts(format('c_%s', v.type)::regclass, v.key, NULL, NULL, NULL, NULL,
                                    NULL, true) AS counts, v.type, v.place
  INTO TEMP answer
  FROM (VALUES ('integer', '1', 'alpha'), ('integer', '2', 'delta'), ('integer', '3', 'nowhere'),
               ('uuid', 'e0000000-0000-4000-8000-00000000000a', 'alpha'),
               ('uuid', 'e0000000-0000-4000-8000-00000000000d', 'delta'),
               ('uuid', 'e0000000-0000-4000-8000-00000000000f', 'nowhere'),
               ('text', 'a long key of a ticket', 'alpha'), ('text', 'd', 'delta'),
               ('text', 'x', 'nowhere'), ('varchar', 'a', 'alpha'),
               ('varchar', 'a long key of another ticket', 'delta'),
               ('varchar', 'x', 'nowhere')) AS v (type, key, place);
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(counts, place = 'alpha', format('ownership counts below a parent: %s, %s', type, place))
  FROM answer;

UPDATE t_integer SET project_id = :delta WHERE id = 1;
SELECT is(pg_temp.try('nora', 'UPDATE c_integer SET author_id = {mike} WHERE n = 2'), '0 rows',
  'threat: the parent has moved to another organization');

SELECT * FROM finish();
ROLLBACK;
