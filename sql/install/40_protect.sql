-- Putting an application's own tables under the model: seeme_protect.

CREATE FUNCTION seeme.check_scope_column(
  table_name regclass, column_name name, parameter text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  attribute pg_attribute;
BEGIN
  IF column_name IS NULL THEN
    RETURN;
  END IF;
  attribute := seeme.named_column(
    table_name, column_name, format('%s names a column of the table; it has: %s.', parameter,
                                    seeme.names_of_columns(table_name, 'uuid')));
  IF attribute.atttypid <> 'uuid'::regtype THEN
    RAISE EXCEPTION 'column "%" of table % is of type %', column_name, table_name,
                    format_type(attribute.atttypid, attribute.atttypmod)
      USING ERRCODE = 'datatype_mismatch',
            HINT = format('%s names a column of type uuid. @extschema@.seeme_uuid makes one of '
                          'text and integer keys, and of no others: have such a key first.',
                          parameter);
  END IF;
  PERFORM FROM pg_index i
    WHERE i.indrelid = table_name AND i.indkey[0] = attribute.attnum AND i.indisvalid
      AND i.indpred IS NULL;
  IF NOT FOUND THEN
    RAISE NOTICE 'no index on %(%)', table_name, quote_ident(column_name)
      USING HINT = format('CREATE INDEX ON %s (%I);', table_name, column_name);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.check_scope_column(regclass, name, text) IS
  'Raises an error unless the column exists (42703) and is a uuid (42804). A NOTICE has the '
  'statement to run when no index begins with it';

CREATE FUNCTION seeme.has_public_index(table_name regclass, column_name name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = column_name
     WHERE i.indrelid = table_name AND i.indisvalid
       AND CASE WHEN i.indpred IS NULL THEN i.indkey[0] = a.attnum
                ELSE pg_get_expr(i.indpred, i.indrelid)
                     IN (quote_ident(column_name), format('(%I = true)', column_name)) END)
$$;
COMMENT ON FUNCTION seeme.has_public_index(regclass, name) IS
  'Whether an index finds the public rows of a table: one that begins with the column, or one of '
  'these rows alone';

CREATE FUNCTION seeme.check_public_column(
  table_name regclass, column_name name, has_parent boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  attribute pg_attribute;
  may_be_generated boolean;
BEGIN
  IF column_name IS NULL THEN
    RETURN;
  END IF;
  attribute := seeme.named_column(
    table_name, column_name, format('public_column names a column of the table; it has: %s.',
                                    seeme.names_of_columns(table_name, 'boolean')));
  may_be_generated := NOT has_parent AND (SELECT c.relkind FROM pg_class c
                                           WHERE c.oid = table_name) <> 'p';
  IF attribute.atttypid <> 'boolean'::regtype THEN
    RAISE EXCEPTION 'column "%" of table % is of type %', column_name, table_name,
                    format_type(attribute.atttypid, attribute.atttypmod)
      USING ERRCODE = 'datatype_mismatch',
            HINT = format('public_column names a column of type boolean. For example: %s%s',
                          seeme.public_column_statement(table_name, column_name, may_be_generated),
                          CASE WHEN NOT may_be_generated
                               THEN ' Let a BEFORE trigger, or the application, keep it so.' END);
  END IF;
  -- The check that a row becomes public is a trigger. It does not see these values.
  IF attribute.attgenerated = 'v' OR attribute.attgenerated <> '' AND NOT may_be_generated THEN
    RAISE EXCEPTION 'generated column "%" of table % cannot tell which rows are public',
                    column_name, table_name
      USING ERRCODE = 'feature_not_supported',
            HINT = 'A generated column can do so if it is STORED and the table is not '
                   'partitioned and has no parent_column.';
  END IF;
  IF NOT seeme.has_public_index(table_name, column_name) THEN
    RAISE NOTICE 'no index finds the rows of % whose % is true', table_name,
                 quote_ident(column_name)
      USING HINT = format('CREATE INDEX ON %s (%2$I) WHERE %2$I;', table_name, column_name);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.check_public_column(regclass, name, boolean) IS
  'Raises an error unless the column exists (42703), is a boolean (42804), and triggers see its '
  'value (0A000). A NOTICE has the statement to run when no index finds the public rows';

CREATE FUNCTION seeme.create_policies(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE POLICY seeme_select ON %s FOR SELECT USING (%s)', p.table_name,
                 seeme.read_condition(p));
  EXECUTE format('CREATE POLICY seeme_insert ON %s FOR INSERT WITH CHECK (%s)', p.table_name,
                 seeme.insert_condition(p));
  EXECUTE format('CREATE POLICY seeme_update ON %s FOR UPDATE USING (%s)', p.table_name,
                 seeme.row_condition(p, p.resource || ':update'));
  EXECUTE format('CREATE POLICY seeme_delete ON %s FOR DELETE USING (%s)', p.table_name,
                 seeme.row_condition(p, p.resource || ':delete'));
END $$;
COMMENT ON FUNCTION seeme.create_policies(seeme.protected_tables) IS
  'Makes the four policies of a protected table';

CREATE FUNCTION seeme.create_resource_triggers(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p.id_column IS NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TRIGGER seeme_forget_resource AFTER DELETE ON %s FOR EACH ROW '
                 'EXECUTE FUNCTION seeme.follow_resource(%L)', p.table_name, p.resource_type);
  EXECUTE format('CREATE TRIGGER seeme_forget_resources AFTER TRUNCATE ON %s FOR EACH STATEMENT '
                 'EXECUTE FUNCTION seeme.follow_resource(%L)', p.table_name, p.resource_type);
  PERFORM seeme.create_follow_trigger(p);
END $$;
COMMENT ON FUNCTION seeme.create_resource_triggers(seeme.protected_tables) IS
  'Makes the triggers by which assignments follow the rows of a protected table that holds '
  'resources';

-- Referential actions run as the owner of the table, with the policies and triggers that they meet.
CREATE FUNCTION seeme.grant_to_owner(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner   regrole := (SELECT c.relowner FROM pg_class c WHERE c.oid = p.table_name);
  needed  regprocedure[] := ARRAY[
    'seeme.own_user_id(text)', 'seeme.ownership_counts(uuid,uuid,uuid,uuid,text,boolean)',
    'seeme.owns_row(text,uuid,uuid,uuid,uuid,text,uuid,boolean)',
    '@extschema@.seeme_has_permission(text,uuid,uuid,uuid,uuid,text)',
    'seeme.parent_has_permission(text,regclass,regclass,anyelement)',
    'seeme.may_hang_on(text,regclass,anyelement)',
    'seeme.permitted_parents(text,regclass,regclass,anyelement)',
    'seeme.owns_child(text,regclass,regclass,anyelement,uuid,uuid,uuid,uuid,text,uuid,boolean)',
    -- the planner replaces seeme_has_permission by these
    'seeme.has_both_permissions(text,text,uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_permitted_organizations(text)', '@extschema@.seeme_permitted_teams(text)',
    '@extschema@.seeme_permitted_projects(text)',
    '@extschema@.seeme_permitted_resources(text,text)',
    -- the owner creates the triggers of a new partition
    'seeme.recheck_after_lock()', 'seeme.check_moved_row()', 'seeme.check_moved_parent()',
    'seeme.check_left_children()',
    'seeme.follow_resource()', 'seeme.publishing_code(text)',
    -- what generates columns of ids
    '@extschema@.seeme_uuid(text,text)', '@extschema@.seeme_uuid(text,bigint)']::regprocedure[];
  routine regprocedure;
BEGIN
  IF NOT has_schema_privilege(owner, 'seeme', 'USAGE') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA @extschema@, seeme TO %s', owner);
  END IF;
  FOREACH routine IN ARRAY needed LOOP
    IF NOT has_function_privilege(owner, routine, 'EXECUTE') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', routine, owner);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.grant_to_owner(seeme.protected_tables) IS
  'Grants the owner of a protected table the functions that its policies and triggers call';

-- A table that was restored by itself has guards, and seeme.protected_tables does not know it. So
-- does a table that was detached from a protected one.
CREATE FUNCTION seeme.clear_guards(relation regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  object  text;
  cleared boolean := false;
  is_part boolean := EXISTS (
    SELECT FROM seeme.protected_tables p, LATERAL seeme.tables_below(p.table_name) b
     WHERE b.relation = clear_guards.relation);
BEGIN
  FOR object IN SELECT p.polname FROM pg_policy p
                 WHERE p.polrelid = relation
                   AND p.polname IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete',
                                     'seeme_closed') LOOP
    EXECUTE format('DROP POLICY %I ON %s', object, relation);
    cleared := true;
  END LOOP;
  FOR object IN SELECT t.tgname FROM pg_trigger t
                  JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'seeme'::regnamespace
                 WHERE t.tgrelid = relation AND NOT t.tgisinternal AND t.tgparentid = 0
                   AND f.proname IN ('recheck_after_lock', 'check_moved_row', 'check_moved_parent',
                                     'check_left_children',
                                     'follow_resource')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object, relation);
    cleared := cleared OR NOT is_part;
  END LOOP;
  UPDATE seeme.protected_tables p
     SET closed_partitions = array_remove(p.closed_partitions, relation)
   WHERE relation = ANY (p.closed_partitions)
     AND NOT EXISTS (SELECT FROM seeme.tables_below(p.table_name) b
                      WHERE b.relation = clear_guards.relation);
  RETURN cleared OR FOUND;
END $$;
COMMENT ON FUNCTION seeme.clear_guards(regclass) IS
  'Drops the policies and triggers of seeme_protect from a table that is not protected now, as '
  'after a restore of that table alone, or after it was detached. True if row security was '
  'enabled for them, and nothing else there needs it';

CREATE FUNCTION seeme.refuse_write() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'view % is for reading', TG_RELID::regclass
    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Write to the table that it shows.';
END $$;
COMMENT ON FUNCTION seeme.refuse_write() IS
  'Trigger: listing views are read only';

CREATE FUNCTION seeme.drop_left_view(view_name text) RETURNS regrole[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  readers regrole[];
BEGIN
  SELECT ARRAY(SELECT a.grantee::regrole FROM aclexplode(v.relacl) AS a
                WHERE a.privilege_type = 'SELECT' AND a.grantee NOT IN (0, v.relowner)) INTO readers
    FROM pg_class v JOIN pg_trigger t ON t.tgrelid = v.oid AND t.tgname = 'seeme_read_only'
    JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'seeme'::regnamespace
     AND f.proname = 'refuse_write'
   WHERE v.oid = to_regclass(view_name) AND v.relkind = 'v'
     AND NOT EXISTS (SELECT FROM seeme.protected_tables p WHERE p.listing_view = v.oid);
  IF FOUND THEN
    EXECUTE format('DROP VIEW %s', view_name::regclass);
  END IF;
  RETURN readers;
END $$;
COMMENT ON FUNCTION seeme.drop_left_view(text) IS
  'Drops a listing view that was restored with its table and belongs to no protected table now. '
  'Returns the roles that may read it. seeme_protect then makes the view anew';

CREATE FUNCTION @extschema@.seeme_protect(
  table_name regclass, resource text, project_column name = NULL, team_column name = NULL,
  organization_column name = NULL, resource_id_column name = NULL, owner_column name = NULL,
  resource_type text = NULL, listing_columns name[] = NULL, parent_column name = NULL,
  public_column name = NULL,
  owner_alone boolean = true) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation   pg_class;
  p          seeme.protected_tables;
  action     text;
  columns    name[] := ARRAY[project_column, team_column, organization_column, resource_id_column,
                             owner_column, parent_column];
  view_name  text;
  grantee    record;
  others     text;
  was_guarded boolean;
  readers    regrole[];
BEGIN
  IF table_name IS NULL OR resource IS NULL THEN
    RAISE EXCEPTION 'seeme_protect needs a table and a resource'
      USING ERRCODE = 'null_value_not_allowed',
            HINT = 'seeme_protect(''models'', ''models'', project_column => ''project_id'')';
  END IF;
  IF owner_alone IS NULL THEN
    RAISE EXCEPTION 'owner_alone is null'
      USING ERRCODE = 'null_value_not_allowed',
            HINT = 'It is true or false: whether a row that lies nowhere is its owner''s own.';
  END IF;
  SELECT * INTO relation FROM pg_class c WHERE c.oid = table_name;
  IF relation.relkind NOT IN ('r', 'p') OR relation.relpersistence = 't' OR relation.relispartition
     OR relation.relnamespace IN ('seeme'::regnamespace, 'pg_catalog'::regnamespace,
                                  'information_schema'::regnamespace) THEN
    RAISE EXCEPTION '% is not a table that can be protected', table_name
      USING ERRCODE = 'wrong_object_type',
            HINT = 'Protect ordinary and partitioned tables of the application: the table under a '
                   'view, the root of a partition. A view shows what its reader may see when it is '
                   'made WITH (security_invoker = true).';
  END IF;
  IF NOT pg_has_role(relation.relowner, 'USAGE') THEN
    RAISE EXCEPTION 'must be owner of table %', table_name USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF row_security_active('seeme.protected_tables') THEN
    RAISE EXCEPTION 'only a role that bypasses row security protects tables'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Have a superuser call seeme_protect.';
  END IF;
  PERFORM seeme.lock('seeme.protected_tables', '');
  IF EXISTS (SELECT FROM seeme.protected_tables t WHERE t.table_name = relation.oid) THEN
    RAISE EXCEPTION 'table % is protected already', table_name
      USING ERRCODE = 'duplicate_object',
            HINT = format('SELECT seeme_unprotect(%L) first.', table_name);
  END IF;
  IF resource IN ('organizations', 'teams', 'projects', 'roles', 'permissions') THEN
    RAISE EXCEPTION 'the codes of "%" are about the rows of seeme.%', resource, resource
      USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Give the rows of %s a resource of their own: '
                          'SELECT seeme_protect(%L, %L, ...);',
                          table_name, table_name, 'app_' || resource);
  END IF;
  IF resource !~ '^[a-z][a-z0-9_]*$' OR length(resource) > 63 THEN
    RAISE EXCEPTION '"%" is not a resource that a table can hold', left(resource, 100)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Lower-case letters, digits and underscores, as in the codes: models, '
                   'dataset_items.';
  END IF;
  IF num_nonnulls(VARIADIC columns) = 0 THEN
    RAISE EXCEPTION 'nothing tells the scope of a row of %', table_name
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Name at least one of project_column, team_column, organization_column, '
                   'resource_id_column, owner_column, parent_column.';
  END IF;
  PERFORM seeme.check_key_columns(table_name, jsonb_strip_nulls(jsonb_build_object(
    'resource', resource, 'project_column', project_column, 'team_column', team_column,
    'organization_column', organization_column, 'resource_id_column', resource_id_column,
    'owner_column', owner_column, 'resource_type', resource_type,
    'listing_columns', listing_columns, 'parent_column', parent_column,
    'public_column', public_column,
    'owner_alone', nullif(owner_alone, true))));
  PERFORM seeme.check_scope_column(table_name, project_column, 'project_column'),
          seeme.check_scope_column(table_name, team_column, 'team_column'),
          seeme.check_scope_column(table_name, organization_column, 'organization_column'),
          seeme.check_scope_column(table_name, resource_id_column, 'resource_id_column'),
          seeme.check_scope_column(table_name, owner_column, 'owner_column'),
          seeme.check_public_column(table_name, public_column, parent_column IS NOT NULL);
  PERFORM seeme.note_search_indexes(table_name);

  p.table_name := table_name;
  p.resource := resource;
  p.project_column := project_column;
  p.team_column := team_column;
  p.organization_column := organization_column;
  p.resource_id_column := resource_id_column;
  p.owner_column := owner_column;
  p.parent_column := parent_column;
  p.parent_table := CASE WHEN parent_column IS NOT NULL
                         THEN seeme.find_parent_table(table_name, parent_column) END;
  p.public_column := public_column;
  p.generated_columns := seeme.generated_among(table_name, columns || public_column);
  was_guarded := seeme.clear_guards(table_name);
  p.had_row_security := relation.relrowsecurity AND NOT was_guarded;
  p.had_force := relation.relforcerowsecurity AND NOT was_guarded;
  p.closed_partitions := '{}';
  p.registered_codes := '{}';
  p.registered_type := false;
  p.protected_at := now();
  p.owner_alone := owner_alone;
  p.schema_name := (SELECT n.nspname FROM pg_namespace n WHERE n.oid = relation.relnamespace);
  p.relation_name := relation.relname;

  -- The type of the resources that are assigned to projects: the rows, or what they are parts of.
  p.resource_type := coalesce(resource_type,
    (SELECT t.name FROM seeme.resource_types t WHERE t.resource = p.resource));
  IF p.resource_type IS NULL THEN
    IF EXISTS (SELECT FROM seeme.permissions c WHERE c.resource = p.resource AND c.is_builtin) THEN
      IF resource_id_column IS NOT NULL THEN
        RAISE EXCEPTION 'resource "%" is tied to no resource type', resource
          USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Say which: resource_type => ''dataset'' for a table of parts of datasets.';
      END IF;
    ELSE
      p.resource_type := seeme.type_named_after(resource);
    END IF;
  END IF;
  IF p.resource_type IS NOT NULL
     AND NOT EXISTS (SELECT FROM seeme.resource_types t WHERE t.name = p.resource_type) THEN
    IF EXISTS (SELECT FROM seeme.resource_types t WHERE t.resource = p.resource) THEN
      RAISE EXCEPTION 'resource type "%" is not registered', left(p.resource_type, 100)
        USING ERRCODE = 'invalid_parameter_value',
              HINT = format('The type of "%s" is "%s".', resource,
                (SELECT t.name FROM seeme.resource_types t WHERE t.resource = p.resource));
    END IF;
    INSERT INTO seeme.resource_types (name, resource) VALUES (p.resource_type, p.resource);
    p.registered_type := true;
  END IF;
  p.holds_resource := EXISTS (SELECT FROM seeme.resource_types t
                               WHERE t.name = p.resource_type AND t.resource = p.resource);
  IF p.holds_resource THEN
    p.id_column := coalesce(p.resource_id_column, (
      SELECT a.attname FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE i.indrelid = table_name AND i.indisprimary AND i.indnkeyatts = 1
         AND a.atttypid = 'uuid'::regtype),
      seeme.generated_id_column(table_name, p.resource_type));
    p.name_column := seeme.name_column_of(table_name);
  END IF;

  FOREACH action IN ARRAY ARRAY['list', 'read', 'create', 'update', 'delete'] LOOP
    PERFORM FROM seeme.permissions c WHERE c.name = p.resource || ':' || action;
    IF NOT FOUND THEN
      INSERT INTO seeme.permissions (name, description, grouped_by_projects)
      VALUES (p.resource || ':' || action,
              format('%s %s', initcap(action COLLATE "C"), replace(p.resource, '_', ' ')), true);
      p.registered_codes := p.registered_codes || (p.resource || ':' || action);
    END IF;
  END LOOP;

  PERFORM seeme.note_rows_of_nobody(p);
  SELECT string_agg(quote_ident(polname), ', ' ORDER BY polname) INTO others
    FROM pg_policy WHERE polrelid = table_name AND polpermissive;
  IF others IS NOT NULL THEN
    RAISE WARNING 'table % has permissive policies of its own: %', table_name, others
      USING HINT = 'They let through what these ones do not. Drop them, or make them RESTRICTIVE.';
  END IF;

  PERFORM seeme.create_policies(p);
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', table_name);

  PERFORM seeme.create_row_triggers(table_name, p);
  p.closed_partitions := seeme.close_tables_below(table_name);
  PERFORM seeme.create_row_triggers(h, p) FROM seeme.heirs(p) AS h;
  PERFORM seeme.create_resource_triggers(p), seeme.grant_to_owner(p);

  IF listing_columns IS NOT NULL THEN
    p.listing_columns := listing_columns;
    view_name := format('%s.%I', relation.relnamespace::regnamespace,
                        relation.relname || '_listing');
    readers := seeme.drop_left_view(view_name);
    EXECUTE format('CREATE VIEW %s WITH (security_barrier = true) AS %s', view_name,
                   seeme.listing_query(p));
    EXECUTE format('COMMENT ON VIEW %s IS %L', view_name,
                   format('The rows of %s on which the asking person holds %s:list (seeme_protect)',
                          table_name, p.resource));
    p.listing_view := view_name::regclass;
    EXECUTE format('CREATE TRIGGER seeme_read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON %s '
                   'FOR EACH ROW EXECUTE FUNCTION seeme.refuse_write()', view_name);
    -- The view's owner bypasses row security, so no grant by default privileges stays on it.
    FOR grantee IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                        ELSE a.grantee::regrole::text END AS role
                     FROM pg_class c, aclexplode(c.relacl) AS a
                    WHERE c.oid = p.listing_view AND a.grantee <> c.relowner LOOP
      EXECUTE format('REVOKE ALL ON %s FROM %s', view_name, grantee.role);
    END LOOP;
    FOR grantee IN SELECT a.grantee::regrole AS role FROM aclexplode(relation.relacl) AS a
                    WHERE a.privilege_type = 'SELECT' AND a.grantee NOT IN (0, relation.relowner)
                   UNION SELECT unnest(readers) LOOP
      EXECUTE format('GRANT SELECT ON %s TO %s', view_name, grantee.role);
    END LOOP;
  END IF;

  INSERT INTO seeme.protected_tables SELECT (p).*;
  IF p.parent_table IS NOT NULL THEN
    PERFORM seeme.renew_parent_triggers(p.parent_table);
  END IF;
  IF p.holds_resource THEN
    PERFORM seeme.note_rows(p.resource_type);
  END IF;
  IF p.name_column IS NOT NULL THEN
    PERFORM seeme.name_resources(p.resource_type);
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_protect(
  regclass, text, name, name, name, name, name, text, name[], name, name, boolean) IS
  'Protects a table: policies ask for resource:read, :create, :update and :delete in the scope '
  'of a row. Any of the columns tells the scope. resource_id_column: the id by which the row''s '
  'resource, of type resource_type, is assigned to projects. owner_column: this person may do '
  'everything with the row while they are a member where it lies. parent_column: has a foreign key '
  'to a protected table; the row lies where that row lies. public_column: everybody may '
  'read the rows in which this boolean is true; making a row public needs share. owner_alone: '
  'whether a row that lies nowhere belongs to its owner. listing_columns: the columns of a '
  'view TABLE_listing for people who hold resource:list. For the owner of the table.';
