-- Rows with a column of each kind that applications search by. Tables of the same rows in the same
-- physical order, which differ by their policies alone:
--   items_none        no row security
--   items_seeme       seeme_protect, project column
--   items_floor       policies that call an empty C function
--   items_documented  what is commonly published: roles app_in and app_any, each with its policy
--   items_owned, items_owned_documented  project column OR owner column
--   items_restricted  seeme_protect, project column, and a RESTRICTIVE policy of the application
-- psql variables: organizations, projects, people, items. Each search condition of the benchmark
-- is true for some 100 rows, whatever their number.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET maintenance_work_mem = '512MB';
SET work_mem = '256MB';
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;

CREATE TYPE bench.state AS ENUM ('draft', 'active', 'archived', 'disputed');
COMMENT ON TYPE bench.state IS 'An enum to search by';

-- A row in 50 of the organizations in which sees-0.1 is a member belongs to that person; the others
-- to a person whose home is the row's organization.
CREATE TABLE bench.items_none (
  id uuid NOT NULL, project_id uuid NOT NULL, owner_id uuid NOT NULL,
  created_at timestamptz NOT NULL, deleted_at timestamptz, value int NOT NULL,
  name text NOT NULL, title text NOT NULL, body tsvector NOT NULL, meta jsonb NOT NULL, tags text[] NOT NULL, amount numeric NOT NULL,
  state bench.state NOT NULL, email citext NOT NULL, period tstzrange NOT NULL);
INSERT INTO bench.items_none
SELECT bench.id('item', r), bench.id('project', n),
       CASE WHEN r % 50 = 0 AND o <= greatest(:projects / 1000, 1) THEN bench.person('sees-0.1')
            ELSE bench.id('person', o + :organizations * (r % (:people / :organizations))) END,
       '2020-01-01'::timestamptz + at * interval '1 minute',
       CASE WHEN r % 20 = 0 THEN '2024-01-01'::timestamptz END, r % 1000,
       'Name ' || k, left(md5('title' || k), 10) || ' report of row ' || r,
       to_tsvector('simple', 'some words of item ' || r % 997 || ' w' || k),
       jsonb_build_object('sku', 's-' || k, 'size', r % 7, 'note', md5(r::text)),
       ARRAY['t' || k, 'u' || r % 11], k + 0.25,
       (CASE WHEN k = 1 THEN 'disputed' WHEN r % 3 = 0 THEN 'draft' WHEN r % 3 = 1 THEN 'active'
             ELSE 'archived' END)::bench.state,
       'person' || k || '@example.org',
       tstzrange('2020-01-01'::timestamptz + at * interval '1 minute',
                 '2020-01-01'::timestamptz + (at + 50) * interval '1 minute')
  FROM (SELECT r, 1 + (r - 1) % :projects AS n, 1 + (r - 1) % :organizations AS o,
               (hashint8extended(r, 48) & 1073741823) % (:items / 100) AS k,
               row_number() OVER (ORDER BY hashint8extended(r, 47)) AS at
          FROM generate_series(1, :items) AS r) AS numbered
 ORDER BY at;

CREATE PROCEDURE bench.make_items(contender text, searched boolean) LANGUAGE plpgsql AS $$
DECLARE
  relation text := format('bench.items_%s', contender);
  column_list text;
  columns text[] := '{(project_id),(owner_id),(created_at),(amount)}';
BEGIN
  IF contender <> 'none' THEN
    EXECUTE format('CREATE TABLE %s (LIKE bench.items_none)', relation);
    EXECUTE format('INSERT INTO %s SELECT * FROM bench.items_none', relation);
  END IF;
  EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (id)', relation);
  IF searched THEN
    columns := columns || '{(state),(email),(lower(name)),(title text_pattern_ops)}'::text[]
      || '{((meta ->> ''sku'')),gin(title gin_trgm_ops),gin(body)}'::text[]
      || '{gin(meta jsonb_path_ops),gin(tags)}'::text[]
      || '{gist(period)}'::text[];
  END IF;
  FOREACH column_list IN ARRAY columns LOOP
    EXECUTE format('CREATE INDEX ON %s %s %s', relation,
      CASE WHEN column_list ~ '^gi' THEN 'USING' ELSE '' END, column_list);
  END LOOP;
  EXECUTE format('GRANT SELECT ON %s TO app, app_in, app_any', relation);
END $$;
COMMENT ON PROCEDURE bench.make_items(text, boolean) IS
  'A copy of bench.items_none, with indexes and grants; with those that search uses, or without';

CALL bench.make_items('none', true);
CALL bench.make_items('seeme', true);
SELECT seeme_protect('bench.items_seeme', 'models', project_column => 'project_id') \g /dev/null

CALL bench.make_items('floor', true);
CALL bench.protect_by_hand('bench.items_floor',
  'bench.empty(%L, NULL, NULL, project_id, NULL, NULL)');

CALL bench.make_items('documented', true);
ALTER TABLE bench.items_documented ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY by_list ON bench.items_documented FOR SELECT TO app_in
  USING (project_id IN (SELECT bench.permitted_projects('models:read')));
CREATE POLICY by_array ON bench.items_documented FOR SELECT TO app_any
  USING (project_id = ANY (ARRAY(SELECT bench.permitted_projects('models:read'))));

CALL bench.make_items('owned', false);
SELECT seeme_protect('bench.items_owned', 'models', project_column => 'project_id',
                     owner_column => 'owner_id') \g /dev/null
CALL bench.make_items('owned_documented', false);
ALTER TABLE bench.items_owned_documented ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY by_list ON bench.items_owned_documented FOR SELECT TO app_in
  USING (project_id IN (SELECT bench.permitted_projects('models:read'))
         OR owner_id = (SELECT current_setting('app.user_id', true)::uuid));
CREATE POLICY by_array ON bench.items_owned_documented FOR SELECT TO app_any
  USING (project_id = ANY (ARRAY(SELECT bench.permitted_projects('models:read')))
         OR owner_id = (SELECT current_setting('app.user_id', true)::uuid));

CALL bench.make_items('restricted', false);
SELECT seeme_protect('bench.items_restricted', 'models',
                     project_column => 'project_id') \g /dev/null
CREATE POLICY not_deleted ON bench.items_restricted AS RESTRICTIVE FOR SELECT
  USING (deleted_at IS NULL);

GRANT USAGE ON SCHEMA bench TO app_in, app_any;
GRANT SELECT ON bench.models_none TO app_in, app_any;
GRANT EXECUTE ON FUNCTION bench.permitted_projects, seeme_assume TO app_in, app_any;
SELECT seeme_grant_usage(role) FROM unnest('{app_in,app_any}'::name[]) AS role \g /dev/null

VACUUM ANALYZE;
SELECT sum(pg_prewarm(c.oid)) FROM pg_class c
 WHERE c.relnamespace = 'bench'::regnamespace AND c.relname ~ '^items' AND c.relkind IN ('r', 'i')
\g /dev/null
CHECKPOINT;
