-- The security report on tables that nobody protected, and on foreign keys that reach hidden rows.

CREATE FUNCTION seeme.scope_named(identifier name) RETURNS text
LANGUAGE sql IMMUTABLE
-- For example project_id, projectKey, workspace_slug or tenant; and the tables, as projects.
RETURN CASE substring(lower(identifier) COLLATE "C" FROM
                      '^(project|team|organi[sz]ation|org|tenant|workspace)s?'
                      '(?:_?(?:id|uuid|key|slug|code|ref|no|number))?$')
         WHEN 'project' THEN 'project' WHEN 'team' THEN 'team'
         WHEN 'organization' THEN 'organization' WHEN 'organisation' THEN 'organization'
         WHEN 'org' THEN 'organization'
         WHEN 'tenant' THEN 'organization' WHEN 'workspace' THEN 'organization' END;
COMMENT ON FUNCTION seeme.scope_named(name) IS
  'The level (project, team, organization) that the name of a column or table suggests, whatever '
  'kind of key it is; null: none';

-- What somebody writes for an id of each mirrored table: company_id, where companies are mirrored
-- as the organizations.
CREATE FUNCTION seeme.mirrored_scopes()
RETURNS TABLE (relation oid, scope text, column_pattern text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.table_name::oid, v.scope,
         CASE WHEN v.scope <> 'owner'
              THEN format('^%s_?(?:id|uuid|key|slug|code|ref|no|number)$',
                          regexp_replace(seeme.type_named_after(lower(c.relname COLLATE "C")),
                                         '[^a-z0-9_]', '.', 'g')) END
    FROM seeme.mirrors m JOIN pg_class c ON c.oid = m.table_name,
         LATERAL (SELECT CASE m.kind WHEN 'projects' THEN 'project' WHEN 'teams' THEN 'team'
                                     WHEN 'organizations' THEN 'organization'
                                     WHEN 'users' THEN 'owner' END AS scope) AS v
   WHERE v.scope IS NOT NULL
$$;
COMMENT ON FUNCTION seeme.mirrored_scopes() IS
  'The mirrored tables of organizations, teams, projects and users (scope: owner), and a pattern '
  'for the names of columns that hold their ids';

-- Tables without row security, and the signs that they should have it.
CREATE FUNCTION seeme.tables_left_out()
RETURNS TABLE (relation oid, scope text, column_name name, is_uuid boolean, is_mirrored boolean,
               belongs_to oid, is_open boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE application AS MATERIALIZED (SELECT a.role FROM seeme.application_roles() a),
  mirrored AS MATERIALIZED (SELECT m.* FROM seeme.mirrored_scopes() m),
  candidate AS MATERIALIZED (
    SELECT c.oid, c.relname,
           c.relowner IN (SELECT role FROM application)
           OR EXISTS (SELECT FROM aclexplode(c.relacl) AS a
                       WHERE a.grantee <> c.relowner) AS is_open
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
       AND NOT c.relispartition AND NOT c.relrowsecurity
       AND n.nspname NOT IN ('seeme', 'pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
       AND NOT EXISTS (SELECT FROM seeme.protected_tables p WHERE p.table_name = c.oid)
       -- findings_on_mirrors() tells of these
       AND NOT EXISTS (SELECT FROM seeme.mirrors m WHERE m.table_name = c.oid)
       AND NOT seeme.is_of_extension('pg_class', c.oid)
  ), reference AS MATERIALIZED (
    SELECT k.conrelid, k.confrelid, k.conkey FROM pg_constraint k
     WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
  ), told AS MATERIALIZED (
    -- Columns that seeme_protect can use come first, then the narrowest scope: a project also
    -- implies the team and the organization. People come last.
    SELECT DISTINCT ON (c.oid) c.oid, v.scope, a.attname, a.atttypid = 'uuid'::regtype AS is_uuid
      FROM candidate c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
                        AND (t.oid = 'uuid'::regtype OR t.typcategory IN ('N', 'S')),
           LATERAL (SELECT coalesce(
             (SELECT CASE r.confrelid WHEN 'seeme.projects'::regclass THEN 'project'
                                      WHEN 'seeme.teams'::regclass THEN 'team'
                                      WHEN 'seeme.organizations'::regclass THEN 'organization'
                                      WHEN 'seeme.users'::regclass THEN 'owner'
                                      ELSE coalesce((SELECT m.scope FROM mirrored m
                                                      WHERE m.relation = r.confrelid),
                                                    seeme.scope_named(f.relname)) END AS scope
                FROM reference r JOIN pg_class f ON f.oid = r.confrelid
               WHERE r.conrelid = c.oid AND a.attnum = ANY (r.conkey)
               ORDER BY scope LIMIT 1),
             (SELECT m.scope FROM mirrored m
               WHERE lower(a.attname) COLLATE "C" ~ m.column_pattern ORDER BY m.scope LIMIT 1),
             -- A text column named "project" alone probably holds a name, not a key.
             CASE WHEN t.typcategory <> 'S'
                       OR a.attname ~* '(id|uuid|key|slug|code|ref|no|number)$'
                  THEN seeme.scope_named(a.attname) END) AS scope) AS v
     WHERE v.scope IS NOT NULL
     ORDER BY c.oid, v.scope = 'owner', a.atttypid = 'uuid'::regtype DESC,
              array_position('{project,team,organization}', v.scope), a.attnum
  ), below (oid, belongs_to) AS (
    SELECT r.conrelid, r.confrelid FROM reference r
     WHERE r.confrelid IN (SELECT t.oid FROM told t
                           UNION SELECT p.table_name FROM seeme.protected_tables p)
    UNION
    SELECT r.conrelid, r.confrelid FROM below b JOIN reference r ON r.confrelid = b.oid
     WHERE r.conrelid IN (SELECT c.oid FROM candidate c)
  )
  SELECT c.oid, coalesce(t.scope, seeme.scope_named(c.relname)), t.attname,
         coalesce(t.is_uuid, false),
         EXISTS (SELECT FROM mirrored m WHERE m.scope = t.scope), b.belongs_to, c.is_open
    FROM candidate c LEFT JOIN told t ON t.oid = c.oid
    LEFT JOIN (SELECT b.oid, min(b.belongs_to) AS belongs_to
                 FROM below b GROUP BY b.oid) AS b ON b.oid = c.oid
$$;
COMMENT ON FUNCTION seeme.tables_left_out() IS
  'The tables without row security: the scope that one of their columns (or, without one, their '
  'name) suggests (owner: a person), whether a table of such things is mirrored, the table whose '
  'rows theirs belong to, and whether any role but an administrator''s reaches them';

CREATE FUNCTION seeme.resource_for_table(table_name name) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
-- ProjectNote, as some object mappers write it, is project_note.
RETURN (SELECT v.name
          FROM (SELECT lower(regexp_replace(table_name::text COLLATE "C",
                                            '([a-z0-9])([A-Z])', '\1_\2', 'g')) AS name) AS v
         WHERE v.name ~ '^[a-z][a-z0-9_]*$'
           AND v.name NOT IN ('organizations', 'teams', 'projects', 'roles', 'permissions'));
COMMENT ON FUNCTION seeme.resource_for_table(name) IS
  'The resource that the report proposes for the rows of a table; null: the name is none that a '
  'resource can have';

CREATE FUNCTION seeme.possible_parent_column(relation regclass) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT a.attname
          FROM pg_attribute a JOIN seeme.parent_keys(relation, a.attname) k ON true
          JOIN seeme.protected_tables p ON p.table_name = k.parent
         WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
           AND k.parent <> relation
           AND a.atttypid IN ('uuid'::regtype, 'smallint'::regtype, 'integer'::regtype,
                              'bigint'::regtype, 'text'::regtype, 'varchar'::regtype)
         GROUP BY a.attname, a.attnum, a.attnotnull HAVING count(DISTINCT k.key) = 1
         ORDER BY NOT a.attnotnull, a.attnum LIMIT 1);
COMMENT ON FUNCTION seeme.possible_parent_column(regclass) IS
  'The column of a table that seeme_protect may take for its parent_column: the first one that is '
  'never null, else the first; null: there is none';

CREATE FUNCTION seeme.findings_beside_protected_tables()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH left_out AS MATERIALIZED (
    SELECT l.*, c.oid::regclass AS name, seeme.resource_for_table(c.relname) AS resource,
           -- A column of its own tells more than a parent. A person's column tells less: it may be
           -- the author's.
           CASE WHEN coalesce(l.scope, 'owner') = 'owner'
                THEN seeme.possible_parent_column(c.oid) END AS parent_column
      FROM seeme.tables_left_out() l JOIN pg_class c ON c.oid = l.relation)
  SELECT CASE WHEN NOT l.is_open THEN 'low' WHEN l.scope = 'owner' AND l.belongs_to IS NULL
              THEN 'medium' ELSE 'high' END, l.name::text,
         format('table without row security: its rows %s, and whoever is granted it sees them all',
                CASE WHEN l.parent_column IS NOT NULL
                     THEN format('belong to those of %s (%I)',
                                 (SELECT k.parent
                                    FROM seeme.parent_keys(l.name, l.parent_column) k LIMIT 1),
                                 l.parent_column)
                     WHEN l.column_name IS NOT NULL
                     THEN format('belong to %s (%I)',
                                 CASE l.scope WHEN 'owner' THEN 'people' ELSE l.scope || 's' END,
                                 l.column_name)
                     WHEN l.scope IS NOT NULL THEN format('are %ss', l.scope)
                     ELSE format('belong to those of %s', l.belongs_to::regclass) END),
         CASE WHEN l.resource IS NOT NULL AND l.parent_column IS NOT NULL
              THEN format('SELECT %s;', seeme.protect_statement(l.name::text, jsonb_build_object(
                     'resource', l.resource, 'parent_column', l.parent_column)))
              WHEN l.resource IS NOT NULL AND l.column_name IS NOT NULL
                   AND (l.is_uuid OR l.is_mirrored
                        AND seeme.key_expression(l.name, l.column_name, 'user') IS NOT NULL)
              THEN seeme.statement_for_keys(l.name, jsonb_build_object(
                     'resource', l.resource, l.scope || '_column', l.column_name))
              ELSE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;%s',
                          l.name, '-- which closes it; seeme_protect with a column of its project, '
                                  'team, organization or owner opens it to the people whose rows '
                                  'they are') END
    FROM left_out l WHERE l.scope IS NOT NULL OR l.belongs_to IS NOT NULL
  UNION ALL
  SELECT 'info', l.name::text,
         'table is not protected: nothing shows to whom its rows belong, and whoever is granted it '
         'sees them all; that is right if its rows are for everybody',
         format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; '
                '-- which closes it, unless its rows are for everybody', l.name)
    FROM left_out l WHERE l.is_open AND l.scope IS NULL AND l.belongs_to IS NULL
$$;
COMMENT ON FUNCTION seeme.findings_beside_protected_tables() IS
  'Part of the security report: tables that nobody protected';

-- PostgreSQL checks a foreign key with the rights of the table's owner: the writer's policies do
-- not apply. A foreign key that includes the scope column reaches only rows of the same scope.
CREATE FUNCTION seeme.foreign_keys_across_scopes()
RETURNS TABLE (constraint_id oid, child_scope name, parent_scope name)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.oid, CASE WHEN b.are_keys THEN b.child[1] ELSE s.child END,
         CASE WHEN b.are_keys THEN b.parent[1] ELSE s.parent END
    FROM pg_constraint k
    JOIN seeme.protected_tables c ON c.table_name = k.conrelid
    JOIN seeme.protected_tables r ON r.table_name = k.confrelid,
         LATERAL (SELECT CASE WHEN r.project_column IS NOT NULL THEN c.project_column
                              WHEN r.team_column IS NOT NULL THEN c.team_column
                              ELSE c.organization_column END AS child,
                         coalesce(r.project_column, r.team_column, r.organization_column) AS parent)
           AS s,
         -- Where both columns are generated, the key carries the columns that they are made of.
         LATERAL (SELECT n.*, seeme.is_same_key(c.table_name, s.child, n.child[1],
                                                r.table_name, s.parent, n.parent[1])
                              AND cardinality(n.child || n.parent) = 2 AS are_keys
                    FROM (SELECT seeme.base_columns(c.table_name, s.child) AS child,
                                 seeme.base_columns(r.table_name, s.parent) AS parent) AS n) AS b
   WHERE k.contype = 'f' AND k.conparentid = 0
     AND NOT EXISTS (
       SELECT FROM unnest(seeme.column_names(k.conrelid, k.conkey),
                          seeme.column_names(k.confrelid, k.confkey)) AS pair (child, parent)
        WHERE seeme.is_same_key(c.table_name, s.child, pair.child,
                                r.table_name, s.parent, pair.parent)
           -- the referencing column itself is the one that places the row
           OR NOT c.holds_resource AND r.holds_resource AND c.resource_type = r.resource_type
              AND seeme.is_same_key(c.table_name, c.resource_id_column, pair.child,
                                    r.table_name, r.id_column, pair.parent))
$$;
COMMENT ON FUNCTION seeme.foreign_keys_across_scopes() IS
  'Foreign keys between protected tables that may refer to a row in another scope, and the columns '
  'that would carry the scope; null if a table has no column of that level';

CREATE FUNCTION seeme.foreign_key_with(key pg_constraint, child_column name, parent_column name)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format('ALTER TABLE %1$s DROP CONSTRAINT %2$I, ADD CONSTRAINT %2$I '
              'FOREIGN KEY (%3$s, %4$I) REFERENCES %5$s (%6$s, %7$I)%8$s%9$s%10$s%11$s;',
  (key).conrelid::regclass, (key).conname,
  (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
     FROM unnest(seeme.column_names((key).conrelid, (key).conkey)) WITH ORDINALITY AS u (c, n)),
  child_column, (key).confrelid::regclass,
  (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
     FROM unnest(seeme.column_names((key).confrelid, (key).confkey)) WITH ORDINALITY AS u (c, n)),
  parent_column,
  CASE (key).confmatchtype WHEN 'f' THEN ' MATCH FULL' END,
  CASE (key).confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT' WHEN 'c' THEN ' ON UPDATE CASCADE'
                         WHEN 'n' THEN ' ON UPDATE SET NULL'
                         WHEN 'd' THEN ' ON UPDATE SET DEFAULT' END,
  CASE (key).confdeltype WHEN 'r' THEN ' ON DELETE RESTRICT' WHEN 'c' THEN ' ON DELETE CASCADE'
       -- Only the former columns are set: the row stays in its scope.
       WHEN 'n' THEN format(' ON DELETE SET NULL (%s)', (
         SELECT string_agg(quote_ident(c), ', ')
           FROM unnest(seeme.column_names((key).conrelid,
                                          coalesce((key).confdelsetcols, (key).conkey))) AS c))
       WHEN 'd' THEN format(' ON DELETE SET DEFAULT (%s)', (
         SELECT string_agg(quote_ident(c), ', ')
           FROM unnest(seeme.column_names((key).conrelid,
                                          coalesce((key).confdelsetcols, (key).conkey))) AS c)) END,
  CASE WHEN (key).condeferred THEN ' DEFERRABLE INITIALLY DEFERRED'
       WHEN (key).condeferrable THEN ' DEFERRABLE' END);
COMMENT ON FUNCTION seeme.foreign_key_with(pg_constraint, name, name) IS
  'The statement that adds one more column to a foreign key';

CREATE FUNCTION seeme.findings_on_foreign_keys()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'medium', k.conrelid::regclass::text,
         format('foreign key does not carry the scope: by %I a row may refer to a row of %s that '
                'its '
                'writer cannot see; the statement''s success shows that it exists, and the new row '
                '%s',
                k.conname, k.confrelid::regclass,
                CASE k.confdeltype WHEN 'c' THEN 'is deleted with it'
                                   WHEN 'n' THEN 'changes when it is deleted'
                                   WHEN 'd' THEN 'changes when it is deleted'
                                   ELSE 'keeps it from being deleted' END),
         CASE WHEN f.child_scope IS NOT NULL AND f.parent_scope IS NOT NULL
              THEN concat(CASE WHEN NOT EXISTS (
                                 SELECT FROM pg_index i
                                  WHERE i.indrelid = k.confrelid AND i.indisunique AND i.indisvalid
                                    AND i.indpred IS NULL AND i.indimmediate
                                    AND ARRAY(SELECT c
                                                FROM unnest(
                                                       (i.indkey::smallint[])[0:i.indnkeyatts - 1])
                                                     AS c ORDER BY c)
                                        = ARRAY(SELECT c FROM unnest(k.confkey || a.attnum) AS c
                                                 ORDER BY c))
                               THEN format('ALTER TABLE %s ADD UNIQUE (%s, %I); ',
                                           k.confrelid::regclass,
                                           (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
                                              FROM unnest(
                                                     seeme.column_names(k.confrelid, k.confkey))
                                                   WITH ORDINALITY AS u (c, n)),
                                           f.parent_scope) END,
                          seeme.foreign_key_with(k, f.child_scope, f.parent_scope))
              ELSE format('-- give both tables a column of the same scope, and let %I on %s carry '
                          'it',
                          k.conname, k.conrelid::regclass) END
    FROM seeme.foreign_keys_across_scopes() f JOIN pg_constraint k ON k.oid = f.constraint_id
    LEFT JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attname = f.parent_scope
   -- Whoever adds a child needs a permission where its parent lies.
   WHERE NOT EXISTS (
     SELECT FROM seeme.protected_tables p
      WHERE p.table_name = k.conrelid AND p.parent_table = k.confrelid
        AND seeme.column_names(k.conrelid, k.conkey) = ARRAY[p.parent_column])
  UNION ALL
  SELECT 'medium', k.conrelid::regclass::text,
         format('foreign key keeps others from deleting: by %I a row refers to %s, but does not '
                'lie '
                'there; its writer needs no right there, and %s', k.conname, k.confrelid::regclass,
                CASE WHEN k.confdeltype IN ('c', 'n', 'd') THEN 'learns of a DELETE there'
                     ELSE 'keeps the referenced row from being deleted' END),
         format('ALTER TABLE %s DROP CONSTRAINT %I; -- or protect the table by that column',
                k.conrelid::regclass, k.conname)
    FROM pg_constraint k JOIN seeme.protected_tables p ON p.table_name = k.conrelid
   WHERE k.contype = 'f' AND k.conparentid = 0
     AND k.confrelid IN ('seeme.projects'::regclass, 'seeme.teams'::regclass,
                         'seeme.organizations'::regclass)
     AND NOT seeme.column_names(k.conrelid, k.conkey) && array_remove(
           ARRAY[CASE k.confrelid WHEN 'seeme.projects'::regclass THEN p.project_column
                                  WHEN 'seeme.teams'::regclass THEN p.team_column
                                  ELSE p.organization_column END], NULL)
$$;
COMMENT ON FUNCTION seeme.findings_on_foreign_keys() IS
  'Part of the security report: foreign keys that reach rows which the policies hide';
