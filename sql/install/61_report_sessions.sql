-- The security report on the sessions of application roles: whether they load the library at their
-- start, and whether one person may leave temporary objects in them.

-- The first of these settings decides: for the role in this database, for the role, for the
-- database, for ALL, for the server. The server's value is the one of this session, if nothing
-- else set that.
CREATE FUNCTION seeme.preloaded_libraries(role_id oid, OUT libraries text, OUT is_of_role boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.value, s.of_role
    FROM (SELECT substr(v.entry, strpos(v.entry, '=') + 1) AS value, x.setrole <> 0 AS of_role,
                 CASE WHEN x.setrole <> 0 AND x.setdatabase <> 0 THEN 1 WHEN x.setrole <> 0 THEN 2
                      WHEN x.setdatabase <> 0 THEN 3 ELSE 4 END AS place
            FROM pg_db_role_setting x, unnest(x.setconfig) AS v (entry)
           WHERE lower(split_part(v.entry, '=', 1) COLLATE "C") = 'session_preload_libraries'
             AND x.setrole IN (0, role_id)
             AND x.setdatabase IN (
                   0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
          UNION ALL
          SELECT p.reset_val, false, 5 FROM pg_settings p
           WHERE p.name = 'session_preload_libraries'
             AND p.source NOT IN ('client', 'user', 'database user')
          UNION ALL
          SELECT '', false, 6) AS s
   ORDER BY s.place LIMIT 1
$$;
COMMENT ON FUNCTION seeme.preloaded_libraries(oid) IS
  'The value of session_preload_libraries in a session of a role in this database, and whether it '
  'is set for the role';

CREATE FUNCTION seeme.names_library(libraries text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM regexp_split_to_table(libraries, ',') AS l (entry)
                WHERE btrim(l.entry, ' "''') ~ '(^|/)seeme_rbac(\.so)?$');
COMMENT ON FUNCTION seeme.names_library(text) IS
  'Whether a list of libraries contains this extension''s library';

CREATE FUNCTION seeme.with_library(libraries text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg(quote_literal(btrim(l.entry, ' "''')), ', ' ORDER BY l.n)
          FROM regexp_split_to_table(
                 concat_ws(',', nullif(btrim(libraries), ''), 'seeme_rbac'), ',')
               WITH ORDINALITY AS l (entry, n));
COMMENT ON FUNCTION seeme.with_library(text) IS
  'A list of libraries with this extension''s library at its end, as it is written in a statement';

-- Without the library, functions that a foreign key runs see rows as if row security were not
-- forced (src/guards/key_functions.c). CREATE TABLE and ALTER TABLE load the library (an event
-- trigger does). So this takes a table that an earlier session made, or a trigger on a table that
-- has a foreign key already.
CREATE FUNCTION seeme.may_use_foreign_keys(role oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
  WITH reached AS MATERIALIZED (
    SELECT may_use_foreign_keys.role AS oid
    UNION
    SELECT m.reaches FROM seeme.memberships_of_roles() m WHERE m.member = may_use_foreign_keys.role)
  SELECT EXISTS (
           SELECT FROM reached r
            WHERE has_database_privilege(r.oid, current_database(), 'CREATE')
               OR EXISTS (SELECT FROM pg_namespace n
                           WHERE n.nspname !~ '^pg_'
                             AND has_schema_privilege(r.oid, n.oid, 'CREATE')))
         OR EXISTS (
           SELECT FROM reached r
            WHERE has_database_privilege(r.oid, current_database(), 'TEMPORARY'))
            AND EXISTS (
              SELECT FROM pg_class c JOIN reached r
                ON c.relowner = r.oid
                   OR has_table_privilege(r.oid, c.oid, 'TRIGGER')
                      AND EXISTS (SELECT FROM pg_constraint k
                                   WHERE k.conrelid = c.oid AND k.contype = 'f')
               WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'));
COMMENT ON FUNCTION seeme.may_use_foreign_keys(oid) IS
  'Whether a foreign key may run a function of this role in a session that has not loaded the '
  'library: the role may make tables, or functions and a trigger on a table with a foreign key';

CREATE FUNCTION seeme.findings_on_sessions()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH application AS MATERIALIZED (
    SELECT r.oid, r.rolcanlogin, l.libraries, l.is_of_role
      FROM seeme.application_roles() a JOIN pg_roles r ON r.oid = a.role,
           seeme.preloaded_libraries(r.oid) AS l
     WHERE r.oid NOT IN (SELECT b.role FROM seeme.bypassing_roles() b)
  ), without AS (
    -- A caller who may not read shared_preload_libraries gets no finding about it.
    SELECT a.*, seeme.may_use_foreign_keys(a.oid) AS uses_keys FROM application a
     WHERE a.rolcanlogin AND NOT seeme.names_library(a.libraries)
       AND EXISTS (SELECT FROM pg_settings s
                    WHERE s.name = 'shared_preload_libraries'
                      AND NOT seeme.names_library(s.setting))
  ), temporary AS (
    SELECT x.grantee, string_agg(DISTINCT a.oid::regrole::text, ', ') AS roles
      FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS x
      JOIN application a ON x.grantee IN (0, a.oid)
           OR EXISTS (SELECT FROM seeme.memberships_of_roles() m
                       WHERE m.member = a.oid AND m.reaches = x.grantee)
     WHERE d.datname = current_database() AND x.privilege_type = 'TEMPORARY'
       AND x.grantee <> d.datdba
     GROUP BY x.grantee
  )
  SELECT CASE WHEN w.uses_keys THEN 'high' ELSE 'medium' END,
         'database ' || quote_ident(current_database()),
         format('library is not loaded when a session begins: until a person is named in the '
                'session, %sLOCK TABLE by %s may make all decisions wait',
                CASE WHEN w.uses_keys
                     THEN 'functions that a foreign key runs may read every row of protected '
                          'tables, and ' END,
                string_agg(w.oid::regrole::text, ', ' ORDER BY w.oid::regrole::text)),
         format('ALTER DATABASE %I SET session_preload_libraries = %s;',
                current_database(), seeme.with_library(w.libraries))
    FROM without w WHERE NOT w.is_of_role
   GROUP BY w.libraries, w.uses_keys
  UNION ALL
  SELECT CASE WHEN w.uses_keys THEN 'high' ELSE 'medium' END, w.oid::regrole::text,
         format('library is not loaded when a session begins: the role has a setting of its own; '
                'until a person is named in its sessions, %sLOCK TABLE may make all decisions wait',
                CASE WHEN w.uses_keys
                     THEN 'functions that a foreign key runs may read every row of protected '
                          'tables, and ' END),
         format('ALTER ROLE %s IN DATABASE %I SET session_preload_libraries = %s;',
                w.oid::regrole, current_database(), seeme.with_library(w.libraries))
    FROM without w WHERE w.is_of_role
  UNION ALL
  SELECT 'low', 'database ' || quote_ident(current_database()),
         format('application role may create temporary objects: while one person''s objects are '
                'left in a pooled connection, the next person is refused; %s may by a grant to %s',
                t.roles, seeme.grantee_name(t.grantee)),
         format('REVOKE TEMPORARY ON DATABASE %I FROM %s;',
                current_database(), seeme.grantee_name(t.grantee))
    FROM temporary t
$$;
COMMENT ON FUNCTION seeme.findings_on_sessions() IS
  'Part of the security report: whether sessions of application roles load the library at their '
  'start, and whether they may create temporary objects';
