-- One statement that deletes and adds: what is deleted is noted after the statement, and nobody
-- gains by the time between.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(17);

-- Mike may delete projects and teams in Acme, and reads no model there. He owns an organization of
-- his own.
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-00000000000a', :acme, 'Caretaker',
   '{organizations:read,teams:read,teams:create,teams:delete,projects:read,projects:create,'
   'projects:delete}'),
  ('e0000000-0000-4000-8000-00000000000b', :acme, 'Librarian',
  '{projects:read,projects:update,workflows:create,workflows:read}'),
  ('e0000000-0000-4000-8000-00000000000c', :acme, 'Personnel',
   '{organizations:read,organizations:manage_members,roles:read,roles:create,roles:update,'
   'roles:delete}'),
  ('e0000000-0000-4000-8000-00000000000d', :acme, 'Unused', '{organizations:read}');
UPDATE seeme.memberships SET role_id = 'e0000000-0000-4000-8000-00000000000a' WHERE user_id = :mike;
UPDATE seeme.memberships SET role_id = 'e0000000-0000-4000-8000-00000000000b' WHERE user_id = :nora;
UPDATE seeme.memberships SET role_id = 'e0000000-0000-4000-8000-00000000000c' WHERE user_id = :vera;
\set mikes '''b0000000-0000-4000-8000-00000000000a'''
\set veras '''b0000000-0000-4000-8000-00000000000b'''
INSERT INTO seeme.organizations (id, name, owner_id) VALUES (:mikes, 'Mikes', :mike),
  (:veras, 'Veras', :vera);
\set work '''f0000000-0000-4000-8000-000000000001'''
\set late '''f0000000-0000-4000-8000-000000000002'''
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'workflow', :work);

-- Functions of the application, which a statement calls in its RETURNING.
CREATE FUNCTION pg_temp.add_project(id uuid, organization uuid) RETURNS uuid LANGUAGE sql VOLATILE
  AS
'INSERT INTO seeme.projects (id, organization_id, name) VALUES ($1, $2, ''Taken'') RETURNING id';
CREATE FUNCTION pg_temp.assign(resource uuid, project uuid) RETURNS uuid LANGUAGE sql VOLATILE AS
'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
   VALUES ($2, ''workflow'', $1) RETURNING resource_id';

-- What a statement answers, as somebody. It leaves nothing behind.
CREATE FUNCTION pg_temp.answer(person text, VARIADIC statements text[]) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  affected bigint;
  statement text;
  state text; message text;
BEGIN
  PERFORM pg_temp.become(person);
  BEGIN
    FOREACH statement IN ARRAY statements LOOP
      EXECUTE statement;
      GET DIAGNOSTICS affected = ROW_COUNT;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = affected || ' rows';
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
  END;
  PERFORM pg_temp.become(NULL);
  RETURN CASE WHEN state = 'ZZ000' THEN message ELSE state || ': ' || message END;
END $$;

-- Ids of what is deleted
\set taken '''23505: this id is taken'''
SELECT is(pg_temp.answer('mike', format('DELETE FROM seeme.projects WHERE id = %L', :gamma),
    format('INSERT INTO seeme.projects (id, organization_id, name) VALUES (%L, %L, ''Taken'')',
    :gamma, :mikes)),
  :taken, 'in two statements: the id of a project that was deleted is not to be had');
SELECT is(pg_temp.answer('mike', format(
  'WITH d AS (DELETE FROM seeme.projects WHERE id = %L RETURNING id)
    INSERT INTO seeme.projects (id, organization_id, name) SELECT id, %L, ''Taken'' FROM d', :gamma,
      :mikes)),
  :taken, 'nor in one: WITH … DELETE, INSERT');
SELECT is(pg_temp.answer('mike', format(
  'MERGE INTO seeme.projects p USING (VALUES (%1$L::uuid, 1), (%1$L, 2)) AS v (id, n)
    ON p.id = v.id AND v.n = 1 WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT (id, organization_id, name) VALUES (v.id, %2$L, ''Taken'')',
    :gamma, :mikes)),
  :taken, 'nor by MERGE');
SELECT is(pg_temp.answer('mike', format(
  'DELETE FROM seeme.projects WHERE id = %L RETURNING pg_temp.add_project(id, %L)', :gamma,
  :mikes)),
  :taken, 'nor by a function that RETURNING calls');
SELECT is(pg_temp.answer('mike', format(
  'WITH d AS (DELETE FROM seeme.projects WHERE id = %L RETURNING id)
    SELECT pg_temp.add_project(id, %L) FROM d', :gamma, :mikes)),
  :taken, 'nor by a function that the statement calls');
SELECT is(pg_temp.answer('mike', format(
  'WITH d AS (DELETE FROM seeme.teams WHERE id = %L RETURNING id)
    INSERT INTO seeme.teams (id, organization_id, name) SELECT id, %L, ''Taken'' FROM d', :sales,
      :mikes)),
  :taken, 'nor that of a team');
SELECT is(pg_temp.answer('mike', format(
  'WITH d AS (DELETE FROM seeme.teams WHERE id = %L RETURNING id)
    INSERT INTO seeme.projects (id, organization_id, name) SELECT id, %L, ''Taken'' FROM d', :sales,
      :mikes)),
  :taken, 'nor that of a team for a project');
SELECT is(pg_temp.answer('mike', format(
  'WITH d AS (DELETE FROM seeme.organizations WHERE id = %L RETURNING id)
    INSERT INTO seeme.organizations (id, name) SELECT id, ''Taken'' FROM d', :mikes)),
  :taken, 'nor that of an organization');
SELECT pg_temp.become('mike');
SAVEPOINT s;
DELETE FROM seeme.projects WHERE id = :gamma;
ROLLBACK TO SAVEPOINT s;
SELECT lives_ok(
  format('INSERT INTO seeme.projects (id, organization_id, name) VALUES (%L, %L, ''New'')
    ON CONFLICT (id) DO NOTHING', :gamma, :acme), 'a DELETE that was rolled back takes no id');
SELECT pg_temp.become(NULL);
UPDATE seeme.projects SET description = 'changed' WHERE id = :gamma;
SELECT pg_temp.become('mike');
SELECT lives_ok(
  format('INSERT INTO seeme.projects (id, organization_id, name) VALUES (%L, %L, ''New'')
    ON CONFLICT (id) DO NOTHING', :gamma, :acme), 'nor does an UPDATE');
SELECT pg_temp.become(NULL);

-- Roles: an id that comes to name a role of another organization
SELECT is(pg_temp.answer('vera', format(
  'WITH d AS (DELETE FROM seeme.roles WHERE id = %L RETURNING id)
    INSERT INTO seeme.roles (id, organization_id, name, permissions)
      SELECT id, %L, ''Taken'', ''{organizations:read}'' FROM d',
    'e0000000-0000-4000-8000-00000000000d', :veras)),
  :taken, 'a role is not moved to another organization by deleting and adding it in one statement');
SELECT is(pg_temp.answer(NULL, format(
  'WITH d AS (DELETE FROM seeme.roles WHERE id = %L RETURNING id)
    INSERT INTO seeme.roles (id, organization_id, name, permissions)
      SELECT id, %L, ''Taken'', ''{organizations:read}'' FROM d',
    'e0000000-0000-4000-8000-00000000000d', :veras)),
  :taken, 'not even by a superuser');

-- Resources that are taken out of a project and assigned anew
\set no_share '''42501: you do not hold workflows:update on this workflow'''
SELECT is(pg_temp.answer('nora', format(
  'WITH d AS (DELETE FROM seeme.project_resources WHERE resource_id = %L RETURNING resource_id)
    INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
      SELECT %L, ''workflow'', resource_id FROM d', :work, :beta)),
  :no_share,
  'a resource that the same statement takes out of a project is not one that was never assigned');
SELECT is(pg_temp.answer('nora', format(
  'MERGE INTO seeme.project_resources r USING (VALUES (%1$L::uuid, 1), (%1$L, 2)) AS v (id, n)
    ON r.resource_id = v.id AND v.n = 1 WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT (project_id, resource_type, resource_id)
      VALUES (%2$L, ''workflow'', v.id)', :work, :beta)),
  :no_share, 'nor is it in a MERGE');
SELECT is(pg_temp.answer('nora', format('DELETE FROM seeme.project_resources WHERE resource_id = %L
    RETURNING pg_temp.assign(resource_id, %L)', :work, :beta)),
  :no_share, 'nor in a function that RETURNING calls');
UPDATE seeme.roles SET permissions
  = '{projects:read,projects:update,workflows:read,workflows:update}'
 WHERE id = 'e0000000-0000-4000-8000-00000000000b';
SELECT is(pg_temp.answer('nora', format(
  'WITH d AS (DELETE FROM seeme.project_resources WHERE resource_id = %L RETURNING resource_id)
    INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
      SELECT %L, ''workflow'', resource_id FROM d', :work, :beta)),
  '1 rows', 'whoever may share it where it was moves it in one statement');

-- A row that came after the assignment stays one.
CREATE TABLE late_rows (id uuid PRIMARY KEY, owner_id uuid);
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'graph', :late);
SELECT seeme_protect('late_rows', 'graphs', resource_id_column => 'id', owner_column => 'owner_id');
INSERT INTO late_rows VALUES (:late, :nora);
GRANT SELECT ON late_rows TO t_app;
SELECT is(pg_temp.answer('nora', format(
  'WITH d AS (DELETE FROM seeme.project_resources WHERE resource_id = %L RETURNING resource_id)
    INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
      SELECT %L, ''graph'', resource_id FROM d', :late, :beta)),
  '42501: you do not hold graphs:update on this graph',
  'the owner of a row that came later does not become the owner of the resource that way');

SELECT * FROM finish();
ROLLBACK;
