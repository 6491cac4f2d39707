-- The rows, once per contender: tables of the same rows in the same physical order, with the same
-- indexes, that differ by their policies alone. psql variables: organizations, projects, rows,
-- assets.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET maintenance_work_mem = '512MB';
SET work_mem = '256MB';

-- What is published on protecting tenants' rows, applied to this model: a function that is asked
-- for each row, and one that lists what is permitted, once a statement. That an owner holds
-- everything follows from the role Owner of the owner's membership. SECURITY DEFINER, for the
-- tables that they read have row security themselves.
CREATE FUNCTION bench.may(permission text, project uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM seeme.projects p
      JOIN seeme.memberships o ON o.organization_id = p.organization_id AND o.user_id = current_setting('app.user_id', true)::uuid
           AND o.project_id IS NULL AND o.team_id IS NULL
      JOIN seeme.memberships m ON m.organization_id = p.organization_id AND m.user_id = current_setting('app.user_id', true)::uuid
           AND (m.project_id = p.id OR m.team_id = p.team_id OR m.project_id IS NULL AND m.team_id IS NULL)
      JOIN seeme.roles r ON r.id = m.role_id
     WHERE p.id = project
       AND coalesce(o.valid_from <= clock_timestamp(), true) AND coalesce(o.valid_until > clock_timestamp(), true)
       AND coalesce(m.valid_from <= clock_timestamp(), true) AND coalesce(m.valid_until > clock_timestamp(), true)
       AND r.permissions && ARRAY['*', permission, split_part(permission, ':', 1) || ':*', '*:' || split_part(permission, ':', 2)]);
END $$;
COMMENT ON FUNCTION bench.may(text, uuid) IS
  'Contender: whether app.user_id holds a permission in a project, asked for each row';

CREATE FUNCTION bench.permitted_projects(permission text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH standing AS (
    SELECT m.organization_id, m.team_id, m.project_id,
           r.permissions && ARRAY['*', permission, split_part(permission, ':', 1) || ':*', '*:' || split_part(permission, ':', 2)] AS grants
      FROM seeme.memberships m LEFT JOIN seeme.roles r ON r.id = m.role_id
     WHERE m.user_id = current_setting('app.user_id', true)::uuid
       AND coalesce(m.valid_from <= clock_timestamp(), true) AND coalesce(m.valid_until > clock_timestamp(), true)
  ), granted AS (
    SELECT s.* FROM standing s
     WHERE s.grants AND EXISTS (SELECT FROM standing o
                                 WHERE o.organization_id = s.organization_id AND o.team_id IS NULL AND o.project_id IS NULL)
  )
  SELECT project_id FROM granted WHERE project_id IS NOT NULL
  UNION SELECT p.id FROM granted g JOIN seeme.projects p ON p.team_id = g.team_id
  UNION SELECT p.id FROM granted g JOIN seeme.projects p ON p.organization_id = g.organization_id
         WHERE g.team_id IS NULL AND g.project_id IS NULL
$$;
COMMENT ON FUNCTION bench.permitted_projects(text) IS
  'Contender: the projects in which app.user_id holds a permission';

CREATE PROCEDURE bench.protect_by_hand(relation regclass, condition text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE POLICY bench_select ON %s FOR SELECT USING (%s)',
                 relation, format(condition, 'models:read'));
  EXECUTE format('CREATE POLICY bench_insert ON %s FOR INSERT WITH CHECK (%s)',
                 relation, format(condition, 'models:create'));
  EXECUTE format('CREATE POLICY bench_update ON %s FOR UPDATE USING (%s)',
                 relation, format(condition, 'models:update'));
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', relation);
END $$;
COMMENT ON PROCEDURE bench.protect_by_hand(regclass, text) IS
  'Policies with a condition in which %L is the permission code';

-- A family of tables: FAMILY_none and its copies.
CREATE PROCEDURE bench.make_family(family text) LANGUAGE plpgsql AS $$
DECLARE
  contender text;
  relation text;
BEGIN
  -- named: without policies, too, but for transactions that say who is asking. floor: what
  -- policies cost that ask nothing.
  FOREACH contender IN ARRAY '{none,seeme,in,any,plpgsql}'::text[] || CASE family WHEN 'models' THEN ARRAY['named', 'floor'] END LOOP
    relation := format('bench.%I', family || '_' || contender);
    IF contender <> 'none' THEN
      EXECUTE format('CREATE TABLE %s (LIKE bench.%I)', relation, family || '_none');
      EXECUTE format('INSERT INTO %s SELECT * FROM bench.%I', relation, family || '_none');
    END IF;
    EXECUTE format('ALTER TABLE %s SET (fillfactor = 90)', relation);
    EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (id)', relation);
    EXECUTE format('CREATE INDEX ON %s (project_id, created_at)', relation);
    EXECUTE format('CREATE INDEX ON %s (created_at)', relation);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO app', relation);
    CASE contender
      WHEN 'seeme' THEN PERFORM public.seeme_protect(relation, 'models', project_column => 'project_id');
      WHEN 'in' THEN CALL bench.protect_by_hand(relation, 'project_id IN (SELECT bench.permitted_projects(%L))');
      WHEN 'any' THEN CALL bench.protect_by_hand(relation, 'project_id = ANY (ARRAY(SELECT bench.permitted_projects(%L)))');
      WHEN 'floor' THEN CALL bench.protect_by_hand(relation, 'bench.empty(%L, NULL, NULL, project_id, NULL, NULL)');
      WHEN 'plpgsql' THEN CALL bench.protect_by_hand(relation, 'bench.may(%L, project_id)');
      ELSE NULL;
    END CASE;
    COMMIT;
  END LOOP;
END $$;
COMMENT ON PROCEDURE bench.make_family(text) IS
  'The copies of a table, one per contender, with indexes, grants and policies';

-- Rows lie in no order of their projects, as they came; created_at follows where they lie.
CREATE TABLE bench.models_none (id uuid NOT NULL, project_id uuid NOT NULL, created_at timestamptz NOT NULL, value int NOT NULL, name text NOT NULL);
INSERT INTO bench.models_none
SELECT bench.id('row', r), bench.id('project', 1 + (r - 1) % :projects), '2020-01-01'::timestamptz + n * interval '1 second', r % 1000, 'model number ' || r
  FROM (SELECT r, row_number() OVER (ORDER BY hashint8extended(r, 42)) AS n FROM generate_series(1, :rows) AS r) AS shuffled ORDER BY n;
CALL bench.make_family('models');

CREATE TABLE bench.wide_none (LIKE bench.models_none);
INSERT INTO bench.wide_none
SELECT bench.id('row', r), bench.id('wide', 1 + (r - 1) % :projects), '2020-01-01'::timestamptz + n * interval '1 second', r % 1000, 'model number ' || r
  FROM (SELECT r, row_number() OVER (ORDER BY hashint8extended(r, 43)) AS n FROM generate_series(1, :rows / 4) AS r) AS shuffled ORDER BY n;
CALL bench.make_family('wide');

CREATE TABLE bench.bulk_none (LIKE bench.models_none);
CALL bench.make_family('bulk');
-- What goes into them: rows of ten projects of one organization.
CREATE TABLE bench.load (LIKE bench.models_none);
INSERT INTO bench.load
SELECT bench.id('load', r), bench.id('project', 2 + :organizations * (r % 10)), '2030-01-01'::timestamptz + r * interval '1 second', r % 1000, 'model number ' || r
  FROM generate_series(1, :assets) AS r;
GRANT SELECT ON bench.load TO app;

-- Resources that are assigned to projects; every tenth to two of them.
CREATE TABLE bench.assets_none (id uuid PRIMARY KEY, value int NOT NULL, label text NOT NULL);
CREATE TABLE bench.assets_seeme (LIKE bench.assets_none INCLUDING ALL);
SELECT seeme_protect('bench.assets_seeme', 'datasets', resource_id_column => 'id') \g /dev/null
INSERT INTO bench.assets_none
SELECT bench.id('asset', r), r % 1000, 'asset number ' || r FROM generate_series(1, :assets) AS r ORDER BY hashint8extended(r, 44);
INSERT INTO bench.assets_seeme SELECT * FROM bench.assets_none;
GRANT SELECT ON bench.assets_none, bench.assets_seeme TO app;
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, organization_id)
SELECT bench.id('project', n), 'dataset', bench.id('asset', r), bench.id('organization', 1 + (n - 1) % :organizations)
  FROM (SELECT r, 1 + (r - 1) % :projects AS n FROM generate_series(1, :assets) AS r
        UNION SELECT r, 1 + (r * 7) % :projects FROM generate_series(1, :assets, 10) AS r) AS assignment
 ORDER BY hashint8extended(r, 45);
COMMIT;
CREATE TABLE bench.assignments (project_id uuid, resource_id uuid, PRIMARY KEY (project_id, resource_id));
COMMENT ON TABLE bench.assignments IS 'The assignments without row security, for a join by hand';
INSERT INTO bench.assignments SELECT project_id, resource_id FROM seeme.project_resources WHERE resource_type = 'dataset';
CREATE INDEX ON bench.assignments (resource_id);
GRANT SELECT ON bench.assignments TO app;

-- What the check by itself is asked about: the same project again and again, a thousand in turn,
-- every one.
CREATE TABLE bench.key_same AS SELECT bench.id('project', 2) AS id FROM generate_series(1, :calls);
CREATE TABLE bench.key_thousand AS SELECT bench.id('project', 1 + n % 1000) AS id FROM generate_series(1, :calls) AS n;
CREATE TABLE bench.key_every AS SELECT bench.id('project', n) AS id FROM generate_series(1, :projects) AS n ORDER BY hashint8extended(n, 46);
GRANT SELECT ON bench.key_same, bench.key_thousand, bench.key_every TO app;
GRANT EXECUTE ON FUNCTION bench.may, bench.permitted_projects TO app;

VACUUM ANALYZE;
-- Read all of it once, so that no contender finds the disk in its way.
CREATE EXTENSION pg_prewarm;
SELECT sum(pg_prewarm(c.oid)) FROM pg_class c
 WHERE c.relnamespace IN ('bench'::regnamespace, 'seeme'::regnamespace) AND c.relkind IN ('r', 'i') \g /dev/null
CHECKPOINT;
