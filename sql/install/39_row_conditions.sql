-- The SQL conditions of a protected table's policies and of its listing view.

-- Each call gives all arguments, by position. For an argument that is left out, PostgreSQL parses
-- its default from text whenever it plans a query; for a named one, it copies the name.
CREATE FUNCTION seeme.check_of(
  code text, scope text, column_name name, resource_type text = NULL) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format('@extschema@.seeme_has_permission(%L, %s, %L)', code,
  (SELECT string_agg(CASE level WHEN scope THEN quote_ident(column_name) ELSE 'NULL' END, ', '
                     ORDER BY n)
     FROM unnest('{organization,team,project,resource}'::text[]) WITH ORDINALITY AS l (level, n)),
  resource_type);
COMMENT ON FUNCTION seeme.check_of(text, text, name, text) IS
  'The SQL expression that asks for a code in one scope, whose id is in a column';

CREATE FUNCTION seeme.assigned_by(p seeme.protected_tables) RETURNS name
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(p.resource_id_column, p.id_column);
COMMENT ON FUNCTION seeme.assigned_by(seeme.protected_tables) IS
  'The column by which the resources of a protected table are assigned to projects; null: none';

CREATE FUNCTION seeme.parent_condition(p seeme.protected_tables, code text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format('seeme.parent_has_permission(%L, %L::regclass, %L::regclass, %I)', code,
              p.table_name, p.parent_table, p.parent_column);
COMMENT ON FUNCTION seeme.parent_condition(seeme.protected_tables, text) IS
  'The SQL condition for rows whose parent lies where the asking person holds a code';

CREATE FUNCTION seeme.owner_condition(p seeme.protected_tables, code text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format('seeme.%s(%L, %s%s, %s, %s, %s, %L, %I, %L)',
              CASE WHEN p.parent_column IS NULL THEN 'owns_row' ELSE 'owns_child' END, code,
              CASE WHEN p.parent_column IS NOT NULL
                   THEN format('%L::regclass, %L::regclass, %I, ', p.table_name, p.parent_table,
                               p.parent_column) END,
              coalesce(quote_ident(p.organization_column), 'NULL'),
              coalesce(quote_ident(p.team_column), 'NULL'),
              coalesce(quote_ident(p.project_column), 'NULL'),
              coalesce(quote_ident(seeme.assigned_by(p)), 'NULL'),
              CASE WHEN seeme.assigned_by(p) IS NOT NULL THEN p.resource_type END,
              p.owner_column, p.owner_alone);
COMMENT ON FUNCTION seeme.owner_condition(seeme.protected_tables, text) IS
  'The SQL condition for rows that the asking person owns, where that ownership counts';

-- A person may do with a row what any of its scopes allows. The owner may do everything with it.
CREATE FUNCTION seeme.row_condition(p seeme.protected_tables, code text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN concat_ws(' OR ',
  CASE WHEN p.project_column IS NOT NULL
       THEN seeme.check_of(code, 'project', p.project_column) END,
  CASE WHEN p.team_column IS NOT NULL
       THEN seeme.check_of(code, 'team', p.team_column) END,
  CASE WHEN p.organization_column IS NOT NULL
       THEN seeme.check_of(code, 'organization', p.organization_column) END,
  CASE WHEN p.resource_id_column IS NOT NULL
       THEN seeme.check_of(code, 'resource', p.resource_id_column, p.resource_type) END,
  CASE WHEN p.parent_column IS NOT NULL THEN seeme.parent_condition(p, code) END,
  -- The owner comes last: PostgreSQL keeps the order of OR, and permissions let more rows through.
  CASE WHEN p.owner_column IS NOT NULL THEN seeme.owner_condition(p, code) END);
COMMENT ON FUNCTION seeme.row_condition(seeme.protected_tables, text) IS
  'The SQL condition for rows of a protected table on which the asking person holds a code. It '
  'is arms with OR between them (src/planner/policy_arms.c)';

-- The public column comes first: it is the cheapest arm, and all that counts if nobody asks.
CREATE FUNCTION seeme.read_condition(p seeme.protected_tables) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat_ws(' OR ', quote_ident(p.public_column),
                   seeme.row_condition(p, p.resource || ':read'))
$$;
COMMENT ON FUNCTION seeme.read_condition(seeme.protected_tables) IS
  'The SQL condition for rows of a protected table that the asking person may read';

-- Codes may be registered later. The condition of a policy is stored, so it asks for the code each
-- time.
CREATE FUNCTION seeme.publishing_code(resource text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN publishing_code.resource
       || CASE WHEN EXISTS (SELECT FROM seeme.permissions p
                             WHERE p.name = publishing_code.resource || ':share')
               THEN ':share' ELSE ':*' END;
COMMENT ON FUNCTION seeme.publishing_code(text) IS
  'The permission that making a row public needs: share, or everything if the resource has no '
  'share';

CREATE FUNCTION seeme.publish_condition(p seeme.protected_tables) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT replace(seeme.row_condition(p, p.resource || ':share'),
                 quote_literal(p.resource || ':share'),
                 format('seeme.publishing_code(%L)', p.resource))
$$;
COMMENT ON FUNCTION seeme.publish_condition(seeme.protected_tables) IS
  'The SQL condition for rows of a protected table that the asking person may make public: they '
  'hold share there, or own the row';

CREATE FUNCTION seeme.listing_query(p seeme.protected_tables) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('SELECT %s FROM %s WHERE %s',
                (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
                   FROM unnest(p.listing_columns) WITH ORDINALITY AS l (c, n)),
                p.table_name, seeme.row_condition(p, p.resource || ':list'))
$$;
COMMENT ON FUNCTION seeme.listing_query(seeme.protected_tables) IS
  'The query of a protected table''s listing view';

-- With one scope, a new row and a moved row obey the same condition, so the policy of UPDATE says
-- all. This is not so for a row that is itself the resource that is assigned.
CREATE FUNCTION seeme.has_owner_above(p seeme.protected_tables) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE above (oid) AS (
    SELECT (p).parent_table::oid
    UNION
    SELECT t.parent_table FROM seeme.protected_tables t JOIN above a ON t.table_name = a.oid)
  SELECT EXISTS (SELECT FROM seeme.protected_tables t JOIN above a ON t.table_name = a.oid
                  WHERE t.owner_column IS NOT NULL)
$$;
COMMENT ON FUNCTION seeme.has_owner_above(seeme.protected_tables) IS
  'Whether the rows of a parent, or of its parent, may have an owner';

CREATE FUNCTION seeme.has_one_scope(p seeme.protected_tables) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN num_nonnulls(p.project_column, p.team_column, p.organization_column,
                    p.resource_id_column, p.parent_column) = 1
   AND p.owner_column IS NULL AND NOT seeme.has_owner_above(p)
   AND NOT (p.holds_resource AND p.resource_id_column IS NOT NULL);
COMMENT ON FUNCTION seeme.has_one_scope(seeme.protected_tables) IS
  'Whether one column, of a container or a parent, tells the scope of a protected table''s rows';

-- The policy of UPDATE does not know the old row: it cannot tell that a row becomes public.
CREATE FUNCTION seeme.checks_moved_rows(p seeme.protected_tables) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN NOT seeme.has_one_scope(p) OR p.public_column IS NOT NULL;
COMMENT ON FUNCTION seeme.checks_moved_rows(seeme.protected_tables) IS
  'Whether a protected table needs the trigger seeme.check_moved_row';

CREATE FUNCTION seeme.insert_condition(p seeme.protected_tables) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code     text := p.resource || ':create';
  checks   text[] := ARRAY[]::text[];
  anywhere text[] := ARRAY[]::text[];
  everything text;
  bare     seeme.protected_tables := p;
  publishes text := CASE WHEN p.public_column IS NOT NULL
                         THEN format(' AND (%I IS NOT TRUE OR %s)', p.public_column,
                                     seeme.publish_condition(p)) END;
BEGIN
  -- The person holds the code in each container that the new row names. A container that contains
  -- another one of them needs no check: it follows from that one.
  IF p.project_column IS NOT NULL THEN
    checks := checks || format('(%I IS NULL OR %s)', p.project_column,
                               seeme.check_of(code, 'project', p.project_column));
    anywhere := anywhere || format('%I IS NOT NULL', p.project_column);
  END IF;
  IF p.team_column IS NOT NULL THEN
    checks := checks || format('(%I IS NULL OR %s%s)', p.team_column,
      seeme.check_of(code, 'team', p.team_column),
      CASE WHEN p.project_column IS NOT NULL
           THEN format(' OR seeme.lies_in(NULL, %I, %I)', p.team_column, p.project_column) END);
    anywhere := anywhere || format('%I IS NOT NULL', p.team_column);
  END IF;
  IF p.organization_column IS NOT NULL THEN
    checks := checks || format('(%I IS NULL OR %s%s)', p.organization_column,
      seeme.check_of(code, 'organization', p.organization_column),
      CASE WHEN p.project_column IS NOT NULL OR p.team_column IS NOT NULL
           THEN format(' OR seeme.lies_in(%I, %s, %s)', p.organization_column,
                       coalesce(quote_ident(p.team_column), 'NULL'),
                       coalesce(quote_ident(p.project_column), 'NULL')) END);
    anywhere := anywhere || format('%I IS NOT NULL', p.organization_column);
  END IF;
  IF p.resource_id_column IS NOT NULL THEN
    IF p.holds_resource THEN
      -- A new resource is assigned nowhere. One that is assigned belongs to its projects.
      checks := checks || format('seeme.may_claim(%L, %L, %I)', code, p.resource_type,
                                 p.resource_id_column);
      anywhere := anywhere || seeme.check_of(code, 'resource', p.resource_id_column,
                                             p.resource_type);
    ELSE
      checks := checks || format('(%I IS NULL OR %s)', p.resource_id_column,
        seeme.check_of(code, 'resource', p.resource_id_column, p.resource_type));
      anywhere := anywhere || format('%I IS NOT NULL', p.resource_id_column);
    END IF;
  END IF;
  IF p.parent_column IS NOT NULL THEN
    checks := checks || format('(%1$I IS NULL OR seeme.may_hang_on(%2$L, %3$L::regclass, %1$I))',
                               p.parent_column, code, p.table_name);
    anywhere := anywhere || format('%I IS NOT NULL', p.parent_column);
  END IF;
  IF p.owner_column IS NOT NULL THEN
    -- The owner may do everything with a row. Only a person with all permissions there may name
    -- another owner.
    bare.owner_column := NULL;
    everything := seeme.row_condition(bare, p.resource || ':*');
    checks := checks || format('(%1$I IS NULL OR %1$I = seeme.own_user_id(%3$L)%2$s)',
                               p.owner_column,
                               CASE WHEN everything <> '' THEN ' OR ' || everything END, code);
    anywhere := anywhere || seeme.owner_condition(p, code);
  END IF;
  IF p.parent_column IS NOT NULL AND cardinality(checks) = 1 THEN
    RETURN format('seeme.may_hang_on(%L, %L::regclass, %I)', code, p.table_name, p.parent_column)
           || coalesce(publishes, '');
  ELSIF seeme.has_one_scope(p) THEN
    RETURN seeme.row_condition(p, code) || coalesce(publishes, '');
  END IF;
  RETURN format('(%s) AND %s', array_to_string(anywhere, ' OR '), array_to_string(checks, ' AND '))
         || coalesce(publishes, '');
END $$;
COMMENT ON FUNCTION seeme.insert_condition(seeme.protected_tables) IS
  'The SQL condition under which the asking person may insert a row into a protected table';
