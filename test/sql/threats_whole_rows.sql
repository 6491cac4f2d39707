\i test/include/prelude.psql
-- Conditions that read a row as a whole, or the table that it is in: `may_see(t_shelf)`, tableoid.
-- A permissive policy of the application has one, and the recheck trigger asks it about a new row
-- (src/planner/other_policies.c). PostgreSQL's own row security is asked the same beside it.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(15);

CREATE TABLE t_shelf (id integer PRIMARY KEY, place text, project_id uuid,
  shelf text GENERATED ALWAYS AS (lower(place)) STORED);
CREATE TABLE t_part (project_id uuid, place text, id integer NOT NULL,
  shelf text GENERATED ALWAYS AS (lower(place)) STORED) PARTITION BY RANGE (id);
CREATE TABLE t_part_order (gone text, id integer NOT NULL, project_id uuid, place text,
  shelf text GENERATED ALWAYS AS (lower(place)) STORED);
ALTER TABLE t_part_order DROP COLUMN gone;
ALTER TABLE t_part ATTACH PARTITION t_part_order FOR VALUES FROM (0) TO (10);
CREATE TABLE t_plain (LIKE t_shelf INCLUDING GENERATED);
-- 1 lies in alpha, where nora has all rights; 2 in beta.
INSERT INTO t_shelf VALUES (1, 'A', :alpha), (2, 'A', :beta);
INSERT INTO t_part (id, place, project_id) SELECT id, place, project_id FROM t_shelf;
INSERT INTO t_plain (id, place, project_id) SELECT id, place, project_id FROM t_shelf;
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['t_shelf', 't_part']::regclass[]) AS t \g /dev/null
ALTER TABLE t_plain ENABLE ROW LEVEL SECURITY;
CREATE POLICY in_alpha ON t_plain USING (project_id = 'd0000000-0000-4000-8000-000000000001');
GRANT SELECT, UPDATE ON t_shelf, t_part, t_plain TO t_app;
SELECT pg_temp.hold_in('alpha', '{models:list,models:read,models:update}') \g /dev/null
CREATE FUNCTION stands_on(place text, r t_shelf) RETURNS boolean LANGUAGE plpgsql STABLE
  AS $$ BEGIN RETURN r.shelf = place; END $$;
CREATE FUNCTION stands_on(place text, r t_part) RETURNS boolean LANGUAGE plpgsql STABLE
  AS $$ BEGIN RETURN r.shelf = place; END $$;
CREATE FUNCTION stands_on(place text, r t_plain) RETURNS boolean LANGUAGE plpgsql STABLE
  AS $$ BEGIN RETURN r.shelf = place; END $$;
CREATE FUNCTION pg_temp.with_policy(relation text, policy text, new_place text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE outcome text;
BEGIN
  EXECUTE format('CREATE POLICY see ON %s FOR SELECT USING (true)', relation);
  EXECUTE format('CREATE POLICY move ON %s FOR UPDATE ', relation) ||
          replace(policy, '{t}', relation);
  outcome := pg_temp.try('nora', format('UPDATE %s SET place = %L WHERE id = 2', relation,
                                        new_place));
  EXECUTE format('DROP POLICY move ON %1$s; DROP POLICY see ON %1$s', relation);
  RETURN outcome;
END $$;
SELECT is(pg_temp.with_policy(t, policy, place), pg_temp.with_policy('t_plain', policy, place),
          format('%s, to %s: %s', t, place, policy))
  FROM unnest(ARRAY['t_shelf', 't_part']) AS t, (VALUES
  ('USING (stands_on(''a'', {t})) WITH CHECK (stands_on(''b'', {t}))', 'B'),
  ('USING (stands_on(''a'', {t})) WITH CHECK (stands_on(''b'', {t}))', 'C'),
  ('USING (EXISTS (SELECT FROM thing WHERE stands_on(''a'', {t}))) '
   'WITH CHECK (EXISTS (SELECT FROM thing WHERE stands_on(''b'', {t})))', 'B'),
  ('USING (tableoid > 0)', 'B'),
  ('USING (tableoid > 0 AND shelf <> ''c'')', 'B'),
  ('USING (tableoid > 0 AND shelf <> ''c'')', 'C'),
  ('USING (EXISTS (SELECT FROM pg_class c WHERE c.oid = {t}.tableoid))', 'B')) AS v (policy, place);

-- A mirror's triggers read stored rows, in which virtual generated columns (18) are null.
CREATE TABLE t_people (id uuid, email text, gone boolean);
DO $$ BEGIN
  IF current_setting('server_version_num')::integer >= 180000 THEN
    EXECUTE 'ALTER TABLE t_people ADD live boolean GENERATED ALWAYS AS (NOT gone) VIRTUAL';
  END IF;
END $$;
CREATE FUNCTION is_live(t_people) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN to_jsonb($1) ->> 'live' = 'true';
SELECT is(seeme.depends_on_row_alone('t_people', seeme.parsed_condition('t_people',
            'is_live(t_people)')), current_setting('server_version_num')::integer < 180000,
          'threat: a mirror counts people by the whole row, in which a column is missing');

SELECT * FROM finish();
ROLLBACK;
