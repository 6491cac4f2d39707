-- Putting an application's own tables under the model: seeme_protect and seeme_unprotect.

CREATE TABLE seeme.protected_tables (
  table_name          regclass PRIMARY KEY,
  resource            text NOT NULL,
  project_column      name,
  team_column         name,
  organization_column name,
  resource_id_column  name,
  owner_column        name,
  resource_type       text REFERENCES seeme.resource_types (name),
  holds_resource      boolean NOT NULL,
  id_column           name,
  name_column         name,
  listing_columns     name[],
  listing_view        regclass,
  had_row_security    boolean NOT NULL,
  had_force           boolean NOT NULL,
  closed_partitions   regclass[] NOT NULL DEFAULT '{}',
  registered_codes    text[] NOT NULL DEFAULT '{}',
  registered_type     boolean NOT NULL DEFAULT false,
  protected_at        timestamptz NOT NULL DEFAULT now(),
  schema_name         name,
  relation_name       name
);
COMMENT ON TABLE seeme.protected_tables IS 'What seeme_protect was told of each application table, and what it found there';
COMMENT ON COLUMN seeme.protected_tables.table_name IS 'The protected table';
COMMENT ON COLUMN seeme.protected_tables.resource IS 'The resource of its permission codes';
COMMENT ON COLUMN seeme.protected_tables.project_column IS 'Column that holds a row''s project';
COMMENT ON COLUMN seeme.protected_tables.team_column IS 'Column that holds a row''s team';
COMMENT ON COLUMN seeme.protected_tables.organization_column IS 'Column that holds a row''s organization';
COMMENT ON COLUMN seeme.protected_tables.resource_id_column IS 'Column that holds the id by which the row''s resource is assigned to projects';
COMMENT ON COLUMN seeme.protected_tables.owner_column IS 'Column that holds the person who may do everything with a row';
COMMENT ON COLUMN seeme.protected_tables.resource_type IS 'The type by which its resource is assigned to projects';
COMMENT ON COLUMN seeme.protected_tables.holds_resource IS 'Whether a row is itself the resource of that type (and not a part of one)';
COMMENT ON COLUMN seeme.protected_tables.id_column IS 'Column that holds a row''s own id, where a row is a resource';
COMMENT ON COLUMN seeme.protected_tables.name_column IS 'Column that holds a row''s name, where a row is a resource: its name or title';
COMMENT ON COLUMN seeme.protected_tables.listing_columns IS 'The columns that the listing view shows';
COMMENT ON COLUMN seeme.protected_tables.listing_view IS 'The view that shows them';
COMMENT ON COLUMN seeme.protected_tables.had_row_security IS 'Whether row security was enabled before';
COMMENT ON COLUMN seeme.protected_tables.had_force IS 'Whether row security was forced before';
COMMENT ON COLUMN seeme.protected_tables.closed_partitions IS 'Partitions on which row security was enabled, so that they are reached through the table only';
COMMENT ON COLUMN seeme.protected_tables.registered_codes IS 'Permission codes registered for it';
COMMENT ON COLUMN seeme.protected_tables.registered_type IS 'Whether its resource type was registered for it';
COMMENT ON COLUMN seeme.protected_tables.protected_at IS 'Since when';
COMMENT ON COLUMN seeme.protected_tables.schema_name IS 'The schema that it is in: once it is moved or dropped, the one that is remembered';
COMMENT ON COLUMN seeme.protected_tables.relation_name IS 'Its name there';

-- Without a policy: for database administrators alone.
ALTER TABLE seeme.protected_tables ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- All arguments are given, and without their names: PostgreSQL would read those that are left out from their text, and copy the
-- names, whenever it plans a query.
CREATE FUNCTION seeme.check_of(code text, scope text, column_name name, resource_type text = NULL) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format('@extschema@.seeme_has_permission(%L, %s, %L)', code,
              (SELECT string_agg(CASE level WHEN scope THEN quote_ident(column_name) ELSE 'NULL' END, ', ' ORDER BY n)
                 FROM unnest('{organization,team,project,resource}'::text[]) WITH ORDINALITY AS l (level, n)), resource_type);
COMMENT ON FUNCTION seeme.check_of(text, text, name, text) IS
  'The SQL expression that asks for a code in the organization, team or project, or on the resource, that a column holds the id of';

-- The conditions of the policies. A person may do with a row what any of its scopes allows, and its owner everything.
CREATE FUNCTION seeme.row_condition(p seeme.protected_tables, code text, for_select boolean = false) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN concat_ws(' OR ',
  -- A SELECT asks once who is asking. What waits for a row lock asks again (rule 7.4).
  CASE WHEN p.owner_column IS NOT NULL
       THEN format(CASE WHEN for_select THEN '%I = (SELECT seeme.user_for(%L))'
                        ELSE '%I = seeme.user_for(%L)' END, p.owner_column, code) END,
  CASE WHEN p.project_column IS NOT NULL THEN seeme.check_of(code, 'project', p.project_column) END,
  CASE WHEN p.team_column IS NOT NULL THEN seeme.check_of(code, 'team', p.team_column) END,
  CASE WHEN p.organization_column IS NOT NULL THEN seeme.check_of(code, 'organization', p.organization_column) END,
  CASE WHEN p.resource_id_column IS NOT NULL THEN seeme.check_of(code, 'resource', p.resource_id_column, p.resource_type) END);
COMMENT ON FUNCTION seeme.row_condition(seeme.protected_tables, text, boolean) IS
  'The SQL condition under which the asking person holds a code on a row of a protected table';

-- Where one column alone tells the scope of a row, and the row is not itself what is assigned, the same condition holds for a
-- row that is put somewhere and for one that moves there: the policy of UPDATE says it all.
CREATE FUNCTION seeme.has_one_scope(p seeme.protected_tables) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN num_nonnulls(p.project_column, p.team_column, p.organization_column, p.resource_id_column) = 1
   AND p.owner_column IS NULL AND NOT (p.holds_resource AND p.resource_id_column IS NOT NULL);
COMMENT ON FUNCTION seeme.has_one_scope(seeme.protected_tables) IS
  'Whether a single column, of a container, tells the scope of a row of a protected table';

CREATE FUNCTION seeme.insert_condition(p seeme.protected_tables) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code     text := p.resource || ':create';
  checks   text[] := ARRAY[]::text[];
  anywhere text[] := ARRAY[]::text[];
  everything text;
  bare     seeme.protected_tables := p;
BEGIN
  -- Where the row is put, the right must be held: in each container that it names. One that merely contains another
  -- that it names follows from that one.
  IF p.project_column IS NOT NULL THEN
    checks := checks || format('(%I IS NULL OR %s)', p.project_column, seeme.check_of(code, 'project', p.project_column));
    anywhere := anywhere || format('%I IS NOT NULL', p.project_column);
  END IF;
  IF p.team_column IS NOT NULL THEN
    checks := checks || format('(%I IS NULL OR %s%s)', p.team_column, seeme.check_of(code, 'team', p.team_column),
      CASE WHEN p.project_column IS NOT NULL
           THEN format(' OR seeme.lies_in(NULL, %I, %I)', p.team_column, p.project_column) END);
    anywhere := anywhere || format('%I IS NOT NULL', p.team_column);
  END IF;
  IF p.organization_column IS NOT NULL THEN
    checks := checks || format('(%I IS NULL OR %s%s)', p.organization_column, seeme.check_of(code, 'organization', p.organization_column),
      CASE WHEN p.project_column IS NOT NULL OR p.team_column IS NOT NULL
           THEN format(' OR seeme.lies_in(%I, %s, %s)', p.organization_column,
                       coalesce(quote_ident(p.team_column), 'NULL'), coalesce(quote_ident(p.project_column), 'NULL')) END);
    anywhere := anywhere || format('%I IS NOT NULL', p.organization_column);
  END IF;
  IF p.resource_id_column IS NOT NULL THEN
    IF p.holds_resource THEN
      -- A new resource is assigned nowhere; one that already is belongs to its projects.
      checks := checks || format('seeme.may_claim(%L, %L, %I)', code, p.resource_type, p.resource_id_column);
      anywhere := anywhere || seeme.check_of(code, 'resource', p.resource_id_column, p.resource_type);
    ELSE
      checks := checks || format('(%I IS NULL OR %s)', p.resource_id_column,
                                 seeme.check_of(code, 'resource', p.resource_id_column, p.resource_type));
      anywhere := anywhere || format('%I IS NOT NULL', p.resource_id_column);
    END IF;
  END IF;
  IF p.owner_column IS NOT NULL THEN
    -- Owning a row is everything on it: it is given to somebody else only by who holds everything there.
    bare.owner_column := NULL;
    everything := seeme.row_condition(bare, p.resource || ':*');
    checks := checks || format('(%1$I IS NULL OR %1$I = seeme.user_for(%3$L)%2$s)', p.owner_column,
                               CASE WHEN everything <> '' THEN ' OR ' || everything END, code);
    anywhere := anywhere || format('%I = seeme.user_for(%L)', p.owner_column, code);
  END IF;
  IF seeme.has_one_scope(p) THEN
    RETURN seeme.row_condition(p, code);
  END IF;
  RETURN format('(%s) AND %s', array_to_string(anywhere, ' OR '), array_to_string(checks, ' AND '));
END $$;
COMMENT ON FUNCTION seeme.insert_condition(seeme.protected_tables) IS
  'The SQL condition under which the asking person may insert a row into a protected table';

-- What a policy cannot see: whether an UPDATE moves a row, or gives it to another owner.
CREATE FUNCTION seeme.check_moved_row() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old_row jsonb := to_jsonb(OLD);
  new_row jsonb := to_jsonb(NEW);
  update_code   text := TG_ARGV[0] || ':update';
  everything    text := TG_ARGV[0] || ':*';
  type          text := nullif(TG_ARGV[1], '');
  holds_resource boolean := TG_ARGV[2];
  project_column text := TG_ARGV[3];
  team_column    text := TG_ARGV[4];
  organization_column text := TG_ARGV[5];
  resource_id_column  text := TG_ARGV[6];
  owner_column   text := TG_ARGV[7];
  new_project uuid; new_team uuid; new_organization uuid; new_resource uuid;
  place text;
  column_name text;
BEGIN
  IF NOT (row_security_active(TG_RELID)
          OR EXISTS (SELECT FROM pg_partition_ancestors(TG_RELID) a WHERE row_security_active(a.relid))) THEN
    RETURN NEW;
  END IF;
  FOREACH column_name IN ARRAY TG_ARGV[3:7] LOOP
    IF column_name <> '' AND NOT new_row ? column_name THEN
      RAISE EXCEPTION 'table % is protected by a column "%" that it does not have any more', TG_RELID::regclass, column_name
        USING ERRCODE = 'undefined_column', HINT = 'Call seeme_unprotect and seeme_protect again.';
    END IF;
  END LOOP;
  new_project := new_row ->> project_column;
  new_team := new_row ->> team_column;
  new_organization := new_row ->> organization_column;
  new_resource := new_row ->> resource_id_column;

  IF new_project IS NOT NULL AND new_row -> project_column <> old_row -> project_column
     AND NOT @extschema@.seeme_has_permission(update_code, project => new_project) THEN
    place := 'project';
  ELSIF new_team IS NOT NULL AND new_row -> team_column <> old_row -> team_column
     AND NOT (@extschema@.seeme_has_permission(update_code, team => new_team)
              OR seeme.lies_in(NULL, new_team, new_project)) THEN
    place := 'team';
  ELSIF new_organization IS NOT NULL AND new_row -> organization_column <> old_row -> organization_column
     AND NOT (@extschema@.seeme_has_permission(update_code, organization => new_organization)
              OR seeme.lies_in(new_organization, new_team, new_project)) THEN
    place := 'organization';
  ELSIF new_resource IS NOT NULL AND new_row -> resource_id_column <> old_row -> resource_id_column
     AND NOT (holds_resource AND seeme.may_claim(update_code, type, new_resource)
              OR @extschema@.seeme_has_permission(update_code, resource => new_resource, resource_type => type)) THEN
    place := type;
  END IF;
  IF place IS NOT NULL THEN
    RAISE EXCEPTION 'you do not hold % in the % that this row would move to', update_code, place
      USING ERRCODE = 'insufficient_privilege', HINT = 'Moving a row needs the right where it was and where it goes.';
  END IF;

  IF owner_column <> '' AND new_row -> owner_column <> old_row -> owner_column
     AND (old_row ->> owner_column)::uuid IS DISTINCT FROM seeme.user_for(everything)
     AND NOT (@extschema@.seeme_has_permission(everything, project => (old_row ->> project_column)::uuid)
              OR @extschema@.seeme_has_permission(everything, team => (old_row ->> team_column)::uuid)
              OR @extschema@.seeme_has_permission(everything, organization => (old_row ->> organization_column)::uuid)
              OR type IS NOT NULL AND @extschema@.seeme_has_permission(
                   everything, resource => (old_row ->> resource_id_column)::uuid, resource_type => type)) THEN
    RAISE EXCEPTION 'you do not hold % on this row', everything
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'A row is given to another owner by its owner, or by who may do everything with it.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.check_moved_row() IS 'Trigger on protected tables: a row that moves needs update where it goes, a change of owner needs everything';

CREATE FUNCTION seeme.protection_of(relation oid, resource_type text) RETURNS SETOF seeme.protected_tables
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM seeme.protected_tables t
   WHERE t.resource_type = protection_of.resource_type AND t.holds_resource
     AND (t.table_name = relation OR t.table_name IN (SELECT a.relid FROM pg_partition_ancestors(relation) a))
$$;
COMMENT ON FUNCTION seeme.protection_of(oid, text) IS
  'How a table, or what it is a partition of, is protected as one that holds this type of resource; no row if it is not';

CREATE FUNCTION seeme.is_in_table(resource_type text, resource_id uuid, other_than regclass = NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM seeme.protected_tables t
                  WHERE t.resource_type = is_in_table.resource_type AND t.holds_resource
                    AND t.table_name IS DISTINCT FROM other_than
                    AND seeme.every_row(t.table_name, t.id_column, resource_id));
END $$;
COMMENT ON FUNCTION seeme.is_in_table(text, uuid, regclass) IS 'Whether some protected table, but for one, has a row of this resource';

CREATE FUNCTION seeme.follow_resource() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  type      text := TG_ARGV[0];
  protected seeme.protected_tables;
  has_name  boolean;
  old_id    uuid;
  new_id    uuid;
  new_name  text;
BEGIN
  -- Which columns these are is not for the trigger to say: the table's owner may make another one.
  SELECT * INTO protected FROM seeme.protection_of(TG_RELID, type);
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'TRUNCATE' THEN
    -- No conversion may run here: it could be the table owner's own function.
    PERFORM FROM pg_attribute a WHERE a.attrelid = TG_RELID AND NOT a.attisdropped
                                  AND a.attname = protected.id_column AND a.atttypid = 'uuid'::regtype;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    EXECUTE format('SELECT ($1).%I', protected.id_column) INTO old_id USING OLD;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    EXECUTE format('SELECT ($1).%I', protected.id_column) INTO new_id USING NEW;
  END IF;
  IF TG_OP = 'TRUNCATE' OR old_id IS DISTINCT FROM new_id THEN
    -- Not what another table holds, nor what merely moved to another partition.
    DELETE FROM seeme.project_resources r
     WHERE r.resource_type = type AND (TG_OP = 'TRUNCATE' OR r.resource_id = old_id)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id);
    DELETE FROM seeme.released_resources r
     WHERE r.resource_type = type AND (TG_OP = 'TRUNCATE' OR r.resource_id = old_id)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id);
  END IF;
  has_name := EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = TG_RELID AND NOT a.attisdropped
                         AND a.attname = protected.name_column AND a.atttypid IN ('text'::regtype, 'varchar'::regtype));
  IF TG_OP = 'UPDATE' AND has_name THEN
    EXECUTE format('SELECT ($1).%I', protected.name_column) INTO new_name USING NEW;
  ELSIF TG_OP = 'DELETE' AND has_name THEN
    -- What moved to another partition may bear another name there: of such a row no trigger is called for the UPDATE.
    new_id := old_id;
    new_name := seeme.text_of_row(protected.table_name, protected.id_column, old_id, protected.name_column);
    has_name := new_name IS NOT NULL;
  END IF;
  IF has_name AND TG_OP <> 'TRUNCATE' THEN
    -- What another table holds, too, is not for this one to name.
    UPDATE seeme.project_resources r SET resource_name = left(new_name, 1000)
     WHERE r.resource_type = type AND r.resource_id = new_id AND r.resource_name IS DISTINCT FROM left(new_name, 1000)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id, protected.table_name);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.follow_resource() IS
  'Trigger on protected tables, with a type of resource: what is assigned goes with its row, and bears its name';

-- A column of the table that names a scope: it exists and is a uuid; an index on it pays.
CREATE FUNCTION seeme.check_scope_column(table_name regclass, column_name name, parameter text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  attribute pg_attribute;
BEGIN
  IF column_name IS NULL THEN
    RETURN;
  END IF;
  SELECT * INTO attribute FROM pg_attribute a
   WHERE a.attrelid = table_name AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % has no column "%"', table_name, column_name
      USING ERRCODE = 'undefined_column',
            HINT = format('%s names a uuid column of the table; it has: %s.', parameter,
              (SELECT coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), 'none') FROM pg_attribute a
                WHERE a.attrelid = table_name AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'uuid'::regtype));
  END IF;
  IF attribute.atttypid <> 'uuid'::regtype THEN
    RAISE EXCEPTION 'column "%" of table % is of type %', column_name, table_name, format_type(attribute.atttypid, attribute.atttypmod)
      USING ERRCODE = 'datatype_mismatch', HINT = format('%s names a column of type uuid.', parameter);
  END IF;
  PERFORM FROM pg_index i
    WHERE i.indrelid = table_name AND i.indkey[0] = attribute.attnum AND i.indisvalid AND i.indpred IS NULL;
  IF NOT FOUND THEN
    RAISE NOTICE 'no index on %(%)', table_name, quote_ident(column_name)
      USING HINT = format('CREATE INDEX ON %s (%I);', table_name, column_name);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.check_scope_column(regclass, name, text) IS
  'Raises unless the column exists (42703) and is a uuid (42804); a NOTICE with the statement to run when no index begins with it';

CREATE FUNCTION seeme.tables_below(parent regclass)
RETURNS TABLE (relation regclass, is_partition boolean, has_row_security boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE below (oid) AS (
    SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = parent
    UNION SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.oid)
  SELECT c.oid::regclass, c.relispartition, c.relrowsecurity
    FROM below JOIN pg_class c USING (oid)
   WHERE c.relkind IN ('r', 'p') AND (c.relpersistence <> 't' OR c.relnamespace = pg_my_temp_schema()) ORDER BY c.oid
$$;
COMMENT ON FUNCTION seeme.tables_below(regclass) IS
  'The partitions of a table, and the tables that inherit from it, at every depth. Not the temporary tables of other sessions, which nobody else reads or alters';

-- Whoever is granted a partition, or a table that inherits, would walk around the policies of its parent.
CREATE FUNCTION seeme.close_tables_below(parent regclass) RETURNS regclass[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  below  record;
  closed regclass[] := ARRAY[]::regclass[];
BEGIN
  FOR below IN SELECT * FROM seeme.tables_below(parent) LOOP
    IF below.is_partition AND NOT EXISTS (
         SELECT FROM pg_policy p WHERE p.polrelid = below.relation AND p.polname = 'seeme_closed') THEN
      EXECUTE format('CREATE POLICY seeme_closed ON %s AS RESTRICTIVE FOR ALL USING (false)', below.relation);
    END IF;
    IF NOT below.has_row_security THEN
      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', below.relation);
      closed := closed || below.relation;
    END IF;
  END LOOP;
  RETURN closed;
END $$;
COMMENT ON FUNCTION seeme.close_tables_below(regclass) IS
  'Makes partitions and inheriting tables reachable through their parent only; answers with those on which it enabled row security';

CREATE FUNCTION seeme.create_row_triggers(relation regclass, p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  existing name[] := ARRAY(SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = relation);
  moved    text;
BEGIN
  -- As few as can be: PostgreSQL copies all of a table's triggers in each statement that changes a row.
  IF NOT 'seeme_after_wait' = ANY (existing) THEN
    EXECUTE format('CREATE TRIGGER seeme_after_wait BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION seeme.ask_after_wait(%s)', relation,
                   CASE WHEN seeme.has_one_scope(p) THEN '''moves''' END);
  END IF;
  IF NOT seeme.has_one_scope(p) AND NOT 'zz_seeme_check_moved_row' = ANY (existing) THEN
    SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') INTO moved
      FROM unnest(ARRAY[p.project_column, p.team_column, p.organization_column, p.resource_id_column, p.owner_column]) AS c WHERE c IS NOT NULL;
    -- After all other triggers have had their say; but of a row that moves to another partition none are called afterwards.
    EXECUTE format('CREATE TRIGGER zz_seeme_check_moved_row %s UPDATE ON %s FOR EACH ROW WHEN (%s) '
                   'EXECUTE FUNCTION seeme.check_moved_row(%L, %L, %L, %L, %L, %L, %L, %L)',
                   CASE (SELECT c.relkind FROM pg_class c WHERE c.oid = relation) WHEN 'p' THEN 'BEFORE' ELSE 'AFTER' END, relation, moved,
                   p.resource, coalesce(p.resource_type, ''), p.holds_resource, coalesce(p.project_column, ''), coalesce(p.team_column, ''),
                   coalesce(p.organization_column, ''), coalesce(p.resource_id_column, ''), coalesce(p.owner_column, ''));
  END IF;
END $$;
COMMENT ON FUNCTION seeme.create_row_triggers(regclass, seeme.protected_tables) IS
  'Makes what asks a policy again after a wait, and what checks a row that moves, on a protected table or one that inherits from it; those that are there stay. Partitions get them from PostgreSQL';

-- A table that was restored by itself has its guards, and is not known to be protected.
CREATE FUNCTION seeme.clear_guards(relation regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  object  text;
  cleared boolean := false;
BEGIN
  FOR object IN SELECT p.polname FROM pg_policy p
                 WHERE p.polrelid = relation AND p.polname IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete') LOOP
    EXECUTE format('DROP POLICY %I ON %s', object, relation);
    cleared := true;
  END LOOP;
  FOR object IN SELECT t.tgname FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'seeme'::regnamespace
                 WHERE t.tgrelid = relation AND NOT t.tgisinternal AND t.tgparentid = 0
                   AND f.proname IN ('ask_after_wait', 'check_moved_row', 'follow_resource') LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object, relation);
  END LOOP;
  RETURN cleared;
END $$;
COMMENT ON FUNCTION seeme.clear_guards(regclass) IS
  'Drops the policies and triggers that seeme_protect once made on a table that is not protected now, as after a restore of that table alone. True if there were such policies';

CREATE FUNCTION seeme.refuse_write() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'view % is for reading', TG_RELID::regclass
    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Write to the table that it shows.';
END $$;
COMMENT ON FUNCTION seeme.refuse_write() IS 'Trigger: listing views are read only';

CREATE FUNCTION @extschema@.seeme_protect(
  table_name regclass, resource text, project_column name = NULL, team_column name = NULL,
  organization_column name = NULL, resource_id_column name = NULL, owner_column name = NULL,
  resource_type text = NULL, listing_columns name[] = NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation   pg_class;
  p          seeme.protected_tables;
  action     text;
  columns    name[] := ARRAY[project_column, team_column, organization_column, resource_id_column, owner_column];
  followed   name[];
  view_name  text;
  grantee    record;
  others     text;
  was_guarded boolean;
BEGIN
  IF table_name IS NULL OR resource IS NULL THEN
    RAISE EXCEPTION 'seeme_protect needs a table and a resource'
      USING ERRCODE = 'null_value_not_allowed', HINT = 'seeme_protect(''models'', ''models'', project_column => ''project_id'')';
  END IF;
  SELECT * INTO relation FROM pg_class c WHERE c.oid = table_name;
  IF relation.relkind NOT IN ('r', 'p') OR relation.relpersistence = 't' OR relation.relispartition
     OR relation.relnamespace IN ('seeme'::regnamespace, 'pg_catalog'::regnamespace, 'information_schema'::regnamespace) THEN
    RAISE EXCEPTION '% is not a table that can be protected', table_name
      USING ERRCODE = 'wrong_object_type',
            HINT = 'Protect ordinary and partitioned tables of the application: the table under a view, the root of a partition. A view shows what its reader may see when it is made WITH (security_invoker = true).';
  END IF;
  IF NOT pg_has_role(relation.relowner, 'USAGE') THEN
    RAISE EXCEPTION 'must be owner of table %', table_name USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF row_security_active('seeme.protected_tables') THEN
    RAISE EXCEPTION 'only a role that bypasses row security protects tables'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Have a superuser call seeme_protect.';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('seeme.protected_tables', 0));
  IF EXISTS (SELECT FROM seeme.protected_tables t WHERE t.table_name = relation.oid) THEN
    RAISE EXCEPTION 'table % is protected already', table_name
      USING ERRCODE = 'duplicate_object', HINT = format('SELECT seeme_unprotect(%L) first.', table_name);
  END IF;
  IF resource !~ '^[a-z][a-z0-9_]*$' OR length(resource) > 63
     OR resource IN ('organizations', 'teams', 'projects', 'roles', 'permissions') THEN
    RAISE EXCEPTION '"%" is not a resource that a table can hold', left(resource, 100)
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Lower-case letters, digits and underscores, as in the codes: models, dataset_items.';
  END IF;
  IF num_nonnulls(VARIADIC columns) = 0 THEN
    RAISE EXCEPTION 'nothing tells the scope of a row of %', table_name
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Name at least one of project_column, team_column, organization_column, resource_id_column, owner_column.';
  END IF;
  PERFORM seeme.check_scope_column(table_name, project_column, 'project_column'),
          seeme.check_scope_column(table_name, team_column, 'team_column'),
          seeme.check_scope_column(table_name, organization_column, 'organization_column'),
          seeme.check_scope_column(table_name, resource_id_column, 'resource_id_column'),
          seeme.check_scope_column(table_name, owner_column, 'owner_column');

  p.table_name := table_name;
  p.resource := resource;
  p.project_column := project_column;
  p.team_column := team_column;
  p.organization_column := organization_column;
  p.resource_id_column := resource_id_column;
  p.owner_column := owner_column;
  was_guarded := seeme.clear_guards(table_name);
  p.had_row_security := relation.relrowsecurity AND NOT was_guarded;
  p.had_force := relation.relforcerowsecurity AND NOT was_guarded;
  p.closed_partitions := '{}';
  p.registered_codes := '{}';
  p.registered_type := false;
  p.protected_at := now();
  p.schema_name := (SELECT n.nspname FROM pg_namespace n WHERE n.oid = relation.relnamespace);
  p.relation_name := relation.relname;

  -- The type by which its rows, or what they are parts of, are assigned to projects.
  p.resource_type := coalesce(resource_type, (SELECT t.name FROM seeme.resource_types t WHERE t.resource = p.resource));
  IF p.resource_type IS NULL THEN
    IF EXISTS (SELECT FROM seeme.permissions c WHERE c.resource = p.resource AND c.is_builtin) THEN
      IF resource_id_column IS NOT NULL THEN
        RAISE EXCEPTION 'resource "%" is tied to no resource type', resource
          USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Say which: resource_type => ''dataset'' for a table of parts of datasets.';
      END IF;
    ELSE
      p.resource_type := CASE WHEN resource ~ 'ies$' THEN left(resource, -3) || 'y'
                              WHEN resource ~ '[^s]s$' THEN left(resource, -1) ELSE resource END;
    END IF;
  END IF;
  IF p.resource_type IS NOT NULL AND NOT EXISTS (SELECT FROM seeme.resource_types t WHERE t.name = p.resource_type) THEN
    IF EXISTS (SELECT FROM seeme.resource_types t WHERE t.resource = p.resource) THEN
      RAISE EXCEPTION 'resource type "%" is not registered', left(p.resource_type, 100)
        USING ERRCODE = 'invalid_parameter_value',
              HINT = format('The type of "%s" is "%s".', resource, (SELECT t.name FROM seeme.resource_types t WHERE t.resource = p.resource));
    END IF;
    INSERT INTO seeme.resource_types (name, resource) VALUES (p.resource_type, p.resource);
    p.registered_type := true;
  END IF;
  p.holds_resource := EXISTS (SELECT FROM seeme.resource_types t WHERE t.name = p.resource_type AND t.resource = p.resource);
  IF p.holds_resource THEN
    p.id_column := coalesce(p.resource_id_column, (
      SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE i.indrelid = table_name AND i.indisprimary AND i.indnkeyatts = 1 AND a.atttypid = 'uuid'::regtype));
    p.name_column := (
      SELECT a.attname FROM pg_attribute a
       WHERE a.attrelid = table_name AND a.attname IN ('name', 'title') AND NOT a.attisdropped
         AND a.atttypid IN ('text'::regtype, 'varchar'::regtype) ORDER BY a.attname LIMIT 1);
  END IF;

  FOREACH action IN ARRAY ARRAY['list', 'read', 'create', 'update', 'delete'] LOOP
    PERFORM FROM seeme.permissions c WHERE c.name = p.resource || ':' || action;
    IF NOT FOUND THEN
      INSERT INTO seeme.permissions (name, description, grouped_by_projects)
      VALUES (p.resource || ':' || action, format('%s %s', initcap(action), replace(p.resource, '_', ' ')), true);
      p.registered_codes := p.registered_codes || (p.resource || ':' || action);
    END IF;
  END LOOP;

  SELECT string_agg(quote_ident(polname), ', ' ORDER BY polname) INTO others
    FROM pg_policy WHERE polrelid = table_name AND polpermissive;
  IF others IS NOT NULL THEN
    RAISE WARNING 'table % has permissive policies of its own: %', table_name, others
      USING HINT = 'They let through what these ones do not. Drop them, or make them RESTRICTIVE.';
  END IF;

  EXECUTE format('CREATE POLICY seeme_select ON %s FOR SELECT USING (%s)', table_name,
                 seeme.row_condition(p, p.resource || ':read', true));
  EXECUTE format('CREATE POLICY seeme_insert ON %s FOR INSERT WITH CHECK (%s)', table_name, seeme.insert_condition(p));
  EXECUTE format('CREATE POLICY seeme_update ON %s FOR UPDATE USING (%s)', table_name, seeme.row_condition(p, p.resource || ':update'));
  EXECUTE format('CREATE POLICY seeme_delete ON %s FOR DELETE USING (%s)', table_name, seeme.row_condition(p, p.resource || ':delete'));
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', table_name);

  PERFORM seeme.create_row_triggers(table_name, p);
  p.closed_partitions := seeme.close_tables_below(table_name);
  PERFORM seeme.create_row_triggers(b.relation, p) FROM seeme.tables_below(table_name) b
    WHERE NOT b.is_partition AND b.relation = ANY (p.closed_partitions);
  IF p.id_column IS NOT NULL THEN
    EXECUTE format('CREATE TRIGGER seeme_forget_resource AFTER DELETE ON %s FOR EACH ROW '
                   'EXECUTE FUNCTION seeme.follow_resource(%L)', table_name, p.resource_type);
    EXECUTE format('CREATE TRIGGER seeme_forget_resources AFTER TRUNCATE ON %s FOR EACH STATEMENT '
                   'EXECUTE FUNCTION seeme.follow_resource(%L)', table_name, p.resource_type);
    -- Of columns: PostgreSQL reads the condition of a trigger anew in each statement, but only where it sets one of them.
    followed := array_remove(ARRAY[p.id_column, p.name_column], NULL);
    EXECUTE format('CREATE TRIGGER seeme_follow_resource AFTER UPDATE OF %s ON %s FOR EACH ROW '
                   'WHEN (%s) EXECUTE FUNCTION seeme.follow_resource(%L)',
                   (SELECT string_agg(format('%I', c), ', ') FROM unnest(followed) AS c), table_name,
                   (SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') FROM unnest(followed) AS c),
                   p.resource_type);
  END IF;

  -- Referential actions run as the table's owner, the triggers' conditions with them.
  IF NOT has_function_privilege(relation.relowner, 'seeme.user_for(text)', 'EXECUTE')
     OR NOT has_function_privilege(relation.relowner, '@extschema@.seeme_has_permission(text,uuid,uuid,uuid,uuid,text)', 'EXECUTE')
     OR NOT has_function_privilege(relation.relowner, 'seeme.ask_after_wait()', 'EXECUTE') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA @extschema@, seeme TO %s', relation.relowner::regrole);
    EXECUTE format('GRANT EXECUTE ON FUNCTION seeme.user_for(text), '
                   '@extschema@.seeme_has_permission(text,uuid,uuid,uuid,uuid,text), '
                   -- what the planner has take its place
                   'seeme.has_both(text,text,uuid,uuid,uuid,uuid,text), '
                   '@extschema@.seeme_permitted_organizations(text), @extschema@.seeme_permitted_teams(text), '
                   '@extschema@.seeme_permitted_projects(text), @extschema@.seeme_permitted_resources(text,text), '
                   -- who adds a partition makes its triggers
                   'seeme.ask_after_wait(), seeme.check_moved_row(), seeme.follow_resource() TO %s',
                   relation.relowner::regrole);
  END IF;

  IF listing_columns IS NOT NULL THEN
    p.listing_columns := listing_columns;
    view_name := format('%s.%I', relation.relnamespace::regnamespace, relation.relname || '_listing');
    EXECUTE format('CREATE VIEW %s WITH (security_barrier = true) AS SELECT %s FROM %s WHERE %s', view_name,
                   (SELECT string_agg(quote_ident(c), ', ' ORDER BY n) FROM unnest(listing_columns) WITH ORDINALITY AS l (c, n)),
                   table_name, seeme.row_condition(p, p.resource || ':list', true));
    EXECUTE format('COMMENT ON VIEW %s IS %L', view_name,
                   format('The rows of %s on which the asking person holds %s:list (seeme_protect)', table_name, p.resource));
    p.listing_view := view_name::regclass;
    EXECUTE format('CREATE TRIGGER seeme_read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW '
                   'EXECUTE FUNCTION seeme.refuse_write()', view_name);
    -- Its owner bypasses row security: whatever default privileges have granted on it goes.
    FOR grantee IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
                     FROM pg_class c, aclexplode(c.relacl) AS a
                    WHERE c.oid = p.listing_view AND a.grantee <> c.relowner LOOP
      EXECUTE format('REVOKE ALL ON %s FROM %s', view_name, grantee.role);
    END LOOP;
    FOR grantee IN SELECT a.grantee::regrole AS role FROM aclexplode(relation.relacl) AS a
                    WHERE a.privilege_type = 'SELECT' AND a.grantee NOT IN (0, relation.relowner) LOOP
      EXECUTE format('GRANT SELECT ON %s TO %s', view_name, grantee.role);
    END LOOP;
  END IF;

  INSERT INTO seeme.protected_tables SELECT (p).*;
  UPDATE seeme.project_resources r SET resource_name = seeme.name_of_resource(r.resource_type, r.resource_id)
   WHERE p.name_column IS NOT NULL AND r.resource_type = p.resource_type
     AND r.resource_name IS DISTINCT FROM coalesce(seeme.name_of_resource(r.resource_type, r.resource_id), r.resource_name);
END $$;
COMMENT ON FUNCTION @extschema@.seeme_protect(regclass, text, name, name, name, name, name, text, name[]) IS
  'Puts a table under the model: policies that ask for resource:read, :create, :update and :delete in a row''s scope, which any of the columns tells. resource_id_column: the id under which the row''s resource of type resource_type is assigned to projects. owner_column: that person may do everything with the row. listing_columns: a view TABLE_listing of these columns for who holds resource:list. For the owner of the table.';

CREATE FUNCTION seeme.leave_open(table_name regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation pg_class;
  found_it boolean := false;
BEGIN
  SELECT * INTO relation FROM pg_class c WHERE c.oid = table_name;
  IF NOT FOUND OR NOT pg_has_role(relation.relowner, 'USAGE') OR row_security_active('seeme.protected_tables') THEN
    RETURN false;
  END IF;
  DELETE FROM seeme.dropped_tables d USING pg_namespace n
   WHERE n.oid = relation.relnamespace AND (d.schema_name, d.table_name) = (n.nspname, relation.relname);
  found_it := FOUND;
  UPDATE seeme.protected_tables p SET closed_partitions = array_remove(p.closed_partitions, table_name)
   WHERE table_name = ANY (p.closed_partitions) AND NOT EXISTS (SELECT FROM seeme.tables_below(p.table_name) b WHERE b.relation = table_name);
  IF FOUND THEN
    EXECUTE format('DROP POLICY IF EXISTS seeme_closed ON %s', table_name);
    EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', table_name);
    found_it := true;
  END IF;
  RETURN found_it;
END $$;
COMMENT ON FUNCTION seeme.leave_open(regclass) IS
  'For seeme_unprotect of a table that is not protected, but bears the name of one that was, or was a partition of one and stayed closed: it is to be open. False if it is neither';

CREATE FUNCTION @extschema@.seeme_unprotect(table_name regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  p         seeme.protected_tables;
  below     record;
  object    text;
BEGIN
  SELECT * INTO p FROM seeme.protected_tables t WHERE t.table_name = seeme_unprotect.table_name;
  IF NOT FOUND THEN
    IF seeme.leave_open(table_name) THEN
      RETURN;
    END IF;
    RAISE EXCEPTION 'table % is not protected', table_name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'seeme.protected_tables lists those that are.';
  END IF;
  DELETE FROM seeme.protected_tables t WHERE t.table_name = seeme_unprotect.table_name;
  IF p.listing_view IS NOT NULL AND EXISTS (SELECT FROM pg_class c WHERE c.oid = p.listing_view) THEN
    EXECUTE format('DROP VIEW %s', p.listing_view);
  END IF;
  FOR object IN
    SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = table_name AND t.tgname IN (
      'seeme_after_wait', 'zz_seeme_check_moved_row', 'seeme_forget_resource', 'seeme_forget_resources', 'seeme_follow_resource')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object, table_name);
  END LOOP;
  FOREACH object IN ARRAY ARRAY['seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete'] LOOP
    EXECUTE format('DROP POLICY IF EXISTS %I ON %s', object, table_name);
  END LOOP;
  EXECUTE format('ALTER TABLE %s %s ROW LEVEL SECURITY, %s ROW LEVEL SECURITY', table_name,
                 CASE WHEN p.had_row_security THEN 'ENABLE' ELSE 'DISABLE' END,
                 CASE WHEN p.had_force THEN 'FORCE' ELSE 'NO FORCE' END);
  FOR below IN SELECT * FROM seeme.tables_below(table_name) LOOP
    IF below.is_partition THEN
      EXECUTE format('DROP POLICY IF EXISTS seeme_closed ON %s', below.relation);
    ELSE
      FOR object IN
        SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = below.relation
           AND t.tgname IN ('seeme_after_wait', 'zz_seeme_check_moved_row')
      LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', object, below.relation);
      END LOOP;
    END IF;
    IF below.relation = ANY (p.closed_partitions) THEN
      EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', below.relation);
    END IF;
  END LOOP;

  -- Codes and type that were registered for this table go too, unless something else uses them by now.
  FOREACH object IN ARRAY p.registered_codes LOOP
    IF EXISTS (SELECT FROM seeme.protected_tables t WHERE t.resource = p.resource)
       OR EXISTS (SELECT FROM seeme.roles r WHERE r.organization_id IS NOT NULL
                   AND r.permissions && ARRAY[object, p.resource || ':*']) THEN
      RAISE NOTICE 'permission "%" stays registered, since it is in use', object;
    ELSE
      DELETE FROM seeme.permissions c WHERE c.name = object;
    END IF;
  END LOOP;
  IF p.registered_type THEN
    IF EXISTS (SELECT FROM seeme.project_resources r WHERE r.resource_type = p.resource_type)
       OR EXISTS (SELECT FROM seeme.protected_tables t WHERE t.resource_type = p.resource_type) THEN
      RAISE NOTICE 'resource type "%" stays registered, since it is in use', p.resource_type;
    ELSE
      DELETE FROM seeme.resource_types t WHERE t.name = p.resource_type;
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_unprotect(regclass) IS
  'Undoes what seeme_protect did to the table: policies, triggers, listing view, row security as it was. Opens a table that was detached from a protected one; says of one that was made again under a protected one''s name that it is to stay open. 55000 when it is none of these.';

SELECT pg_extension_config_dump('seeme.protected_tables', '');
