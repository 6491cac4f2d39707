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
  owner_alone         boolean NOT NULL DEFAULT true,
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
COMMENT ON COLUMN seeme.protected_tables.owner_alone IS 'Whether a row that lies nowhere, and is assigned nowhere, is its owner''s own';
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

CREATE FUNCTION seeme.assigned_by(p seeme.protected_tables) RETURNS name
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(p.resource_id_column, p.id_column);
COMMENT ON FUNCTION seeme.assigned_by(seeme.protected_tables) IS
  'The column of a protected table by which its rows, or what they are parts of, are assigned to projects; null when none is';

-- Of its two parts the comparison comes first: what follows it is asked of one's own rows alone.
CREATE FUNCTION seeme.owner_condition(p seeme.protected_tables, code text, for_select boolean = false) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
-- A SELECT asks once who is asking. What waits for a row lock asks again (rule 7.4).
RETURN format(CASE WHEN for_select THEN '(%I = (SELECT seeme.own_user_id(%L)) AND seeme.ownership_counts(%s, %s, %s, %s, %L, %L))'
                   ELSE '(%I = seeme.own_user_id(%L) AND seeme.ownership_counts(%s, %s, %s, %s, %L, %L))' END,
              p.owner_column, code, coalesce(quote_ident(p.organization_column), 'NULL'), coalesce(quote_ident(p.team_column), 'NULL'),
              coalesce(quote_ident(p.project_column), 'NULL'), coalesce(quote_ident(seeme.assigned_by(p)), 'NULL'),
              CASE WHEN seeme.assigned_by(p) IS NOT NULL THEN p.resource_type END, p.owner_alone);
COMMENT ON FUNCTION seeme.owner_condition(seeme.protected_tables, text, boolean) IS
  'The SQL condition under which the asking person owns a row of a protected table, and belongs to where it lies';

-- The conditions of the policies. A person may do with a row what any of its scopes allows, and its owner everything.
CREATE FUNCTION seeme.row_condition(p seeme.protected_tables, code text, for_select boolean = false) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN concat_ws(' OR ',
  CASE WHEN p.project_column IS NOT NULL THEN seeme.check_of(code, 'project', p.project_column) END,
  CASE WHEN p.team_column IS NOT NULL THEN seeme.check_of(code, 'team', p.team_column) END,
  CASE WHEN p.organization_column IS NOT NULL THEN seeme.check_of(code, 'organization', p.organization_column) END,
  CASE WHEN p.resource_id_column IS NOT NULL THEN seeme.check_of(code, 'resource', p.resource_id_column, p.resource_type) END,
  -- Last: a check is answered faster, and whoever sees a row by it needs not be asked whether they own it.
  CASE WHEN p.owner_column IS NOT NULL THEN seeme.owner_condition(p, code, for_select) END);
COMMENT ON FUNCTION seeme.row_condition(seeme.protected_tables, text, boolean) IS
  'The SQL condition under which the asking person holds a code on a row of a protected table';

CREATE FUNCTION seeme.listing_query(p seeme.protected_tables) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('SELECT %s FROM %s WHERE %s',
                (SELECT string_agg(quote_ident(c), ', ' ORDER BY n) FROM unnest(p.listing_columns) WITH ORDINALITY AS l (c, n)),
                p.table_name, seeme.row_condition(p, p.resource || ':list', true))
$$;
COMMENT ON FUNCTION seeme.listing_query(seeme.protected_tables) IS 'What the listing view of a protected table shows';

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
    checks := checks || format('(%1$I IS NULL OR %1$I = seeme.own_user_id(%3$L)%2$s)', p.owner_column,
                               CASE WHEN everything <> '' THEN ' OR ' || everything END, code);
    anywhere := anywhere || seeme.owner_condition(p, code);
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
  delete_code   text := TG_ARGV[0] || ':delete';
  everything    text := TG_ARGV[0] || ':*';
  type          text := nullif(TG_ARGV[1], '');
  holds_resource boolean := TG_ARGV[2];
  project_column text := TG_ARGV[3];
  team_column    text := TG_ARGV[4];
  organization_column text := TG_ARGV[5];
  resource_id_column  text := TG_ARGV[6];
  owner_column   text := TG_ARGV[7];
  assigned_by    text := TG_ARGV[8];
  owner_alone    boolean := TG_ARGV[9];
  old_project uuid; old_team uuid; old_organization uuid; old_resource uuid;
  new_project uuid; new_team uuid; new_organization uuid; new_resource uuid;
  place text;
  column_name text;
BEGIN
  IF NOT (row_security_active(TG_RELID)
          OR EXISTS (SELECT FROM pg_partition_ancestors(TG_RELID) a WHERE row_security_active(a.relid))) THEN
    RETURN NEW;
  END IF;
  FOREACH column_name IN ARRAY TG_ARGV[3:8] LOOP
    IF column_name <> '' AND NOT new_row ? column_name THEN
      RAISE EXCEPTION 'table % is protected by a column "%" that it does not have any more', TG_RELID::regclass, column_name
        USING ERRCODE = 'undefined_column', HINT = 'Call seeme_unprotect and seeme_protect again.';
    END IF;
  END LOOP;
  old_project := old_row ->> project_column;
  old_team := old_row ->> team_column;
  old_organization := old_row ->> organization_column;
  old_resource := old_row ->> resource_id_column;
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
     AND NOT ((old_row ->> owner_column)::uuid IS NOT DISTINCT FROM seeme.own_user_id(everything)
              AND seeme.ownership_counts(old_organization, old_team, old_project, (old_row ->> assigned_by)::uuid, type, owner_alone)
              OR @extschema@.seeme_has_permission(everything, project => old_project)
              OR @extschema@.seeme_has_permission(everything, team => old_team)
              OR @extschema@.seeme_has_permission(everything, organization => old_organization)
              OR type IS NOT NULL AND @extschema@.seeme_has_permission(everything, resource => old_resource, resource_type => type)) THEN
    RAISE EXCEPTION 'you do not hold % on this row', everything
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'A row is given to another owner by its owner, or by who may do everything with it.';
  END IF;

  -- Ownership alone moves no row out of an organization. Of the right to update in each that it leaves, and where it then is, its owner
  -- makes use as anybody else does. Asked of everybody: else an owner would give the row away first.
  IF owner_column <> ''
     AND NOT seeme.may_move_out(delete_code, old_organization, old_team, old_project, (old_row ->> assigned_by)::uuid,
                                new_organization, new_team, new_project, (new_row ->> assigned_by)::uuid, type)
     AND NOT (seeme.may_move_out(update_code, old_organization, old_team, old_project, (old_row ->> assigned_by)::uuid,
                                 new_organization, new_team, new_project, (new_row ->> assigned_by)::uuid, type)
              AND (@extschema@.seeme_has_permission(update_code, project => new_project)
                   OR @extschema@.seeme_has_permission(update_code, team => new_team)
                   OR @extschema@.seeme_has_permission(update_code, organization => new_organization)
                   OR type IS NOT NULL AND @extschema@.seeme_has_permission(update_code, resource => new_resource, resource_type => type))) THEN
    RAISE EXCEPTION 'you do not hold % in the organization that this row would leave', delete_code
      USING ERRCODE = 'insufficient_privilege', HINT = 'Ownership alone moves no row out of an organization.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.check_moved_row() IS 'Trigger on protected tables: a row that moves needs update where it goes, a change of owner needs everything, and ownership alone takes no row out of an organization';

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

-- A row that came after its assignment may be anybody's who made one with that id.
CREATE FUNCTION seeme.speaks_for(code text, resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN seeme.is_unidentified() OR coalesce(seeme.had_row(resource_type, resource_id), true)
    OR @extschema@.seeme_has_permission(code, resource => resource_id, resource_type => resource_type);
COMMENT ON FUNCTION seeme.speaks_for(text, text, uuid) IS
  'Whether a change of a resource''s row is one of the resource: it was there when that was assigned, or whoever changes it holds the code on the resource by its assignments';

CREATE FUNCTION seeme.note_rows(resource_type text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE seeme.project_resources r SET had_row = NOT r.had_row
   WHERE r.resource_type = note_rows.resource_type AND r.had_row <> seeme.is_in_table(r.resource_type, r.resource_id);
  UPDATE seeme.released_resources r SET had_row = NOT r.had_row
   WHERE r.resource_type = note_rows.resource_type AND r.had_row <> seeme.is_in_table(r.resource_type, r.resource_id);
END $$;
COMMENT ON FUNCTION seeme.note_rows(text) IS
  'Notes of each assigned resource of a type whether a protected table has its row: when such a table comes or goes, which is privileged';

CREATE FUNCTION seeme.note_table_gone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF OLD.holds_resource THEN
    PERFORM seeme.note_rows(OLD.resource_type);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.note_table_gone() IS 'Trigger: what a table held that is protected no more is held by none, until one is protected that has it';
CREATE TRIGGER note_table_gone AFTER DELETE ON seeme.protected_tables
  FOR EACH ROW EXECUTE FUNCTION seeme.note_table_gone();

CREATE FUNCTION seeme.name_resources(resource_type text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE seeme.project_resources r SET resource_name = seeme.name_of_resource(r.resource_type, r.resource_id)
   WHERE r.resource_type = name_resources.resource_type
     AND r.resource_name IS DISTINCT FROM coalesce(seeme.name_of_resource(r.resource_type, r.resource_id), r.resource_name);
END $$;
COMMENT ON FUNCTION seeme.name_resources(text) IS 'Has each assigned resource of a type bear the name of its row, where it has one';

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
    -- Not what another table holds, nor what merely moved to another partition; nor what was assigned before there was a row of
    -- it, unless whoever removes that row may remove the resource.
    DELETE FROM seeme.project_resources r
     WHERE r.resource_type = type AND (TG_OP = 'TRUNCATE' OR r.resource_id = old_id)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id)
       AND seeme.speaks_for(protected.resource || ':delete', r.resource_type, r.resource_id);
    DELETE FROM seeme.released_resources r
     WHERE r.resource_type = type AND (TG_OP = 'TRUNCATE' OR r.resource_id = old_id)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id)
       AND seeme.speaks_for(protected.resource || ':delete', r.resource_type, r.resource_id);
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
    -- What another table holds, too, is not for this one to name; nor what was assigned before there was a row of it, unless
    -- whoever renames that row may change the resource.
    UPDATE seeme.project_resources r SET resource_name = left(new_name, 1000)
     WHERE r.resource_type = type AND r.resource_id = new_id AND r.resource_name IS DISTINCT FROM left(new_name, 1000)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id, protected.table_name)
       AND seeme.speaks_for(protected.resource || ':update', r.resource_type, r.resource_id);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.follow_resource() IS
  'Trigger on protected tables, with a type of resource: what is assigned goes with its row, and bears its name';

CREATE FUNCTION seeme.is_name_column(relation regclass, column_name name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0
                  AND NOT a.attisdropped AND a.atttypid IN ('text'::regtype, 'varchar'::regtype));
COMMENT ON FUNCTION seeme.is_name_column(regclass, name) IS 'Whether a table has that column, and it is text';

CREATE FUNCTION seeme.name_column_of(relation regclass) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT c::name FROM unnest('{name,title}'::text[]) WITH ORDINALITY AS v (c, n) WHERE seeme.is_name_column(relation, c::name) ORDER BY n LIMIT 1);
COMMENT ON FUNCTION seeme.name_column_of(regclass) IS 'The column that holds the names of a table''s rows: its name or title, if it is text';

CREATE FUNCTION seeme.create_follow_trigger(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  followed name[] := array_remove(ARRAY[p.id_column, p.name_column], NULL);
BEGIN
  -- Of columns: PostgreSQL reads the condition of a trigger anew in each statement, but only where it sets one of them.
  EXECUTE format('CREATE TRIGGER zzz_seeme_follow_resource AFTER UPDATE OF %s ON %s FOR EACH ROW '
                 'WHEN (%s) EXECUTE FUNCTION seeme.follow_resource(%L)',
                 (SELECT string_agg(format('%I', c), ', ') FROM unnest(followed) AS c), p.table_name,
                 (SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') FROM unnest(followed) AS c),
                 p.resource_type);
END $$;
COMMENT ON FUNCTION seeme.create_follow_trigger(seeme.protected_tables) IS 'Makes the trigger that follows the ids and names of a protected table''s rows';

-- PostgreSQL changes no column that a trigger names. So the trigger goes when a statement begins to change the type of one, or
-- to drop that of the names, and is made again when it has (src/guards/alter_table.c).
CREATE FUNCTION seeme.drop_trigger_in_way() RETURNS event_trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_drop_trigger_in_way';
COMMENT ON FUNCTION seeme.drop_trigger_in_way() IS
  'Event trigger: drops the trigger that follows names where its owner''s ALTER TABLE is about to change a column that it names';

CREATE FUNCTION seeme.tables_with_dropped_trigger() RETURNS regclass[]
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_tables_with_dropped_trigger';
COMMENT ON FUNCTION seeme.tables_with_dropped_trigger() IS 'The tables whose trigger made way since this was last asked in this session';

CREATE FUNCTION seeme.drop_follow_trigger(relation regclass) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_drop_follow_trigger';
COMMENT ON FUNCTION seeme.drop_follow_trigger(regclass) IS 'Drops the trigger that follows names, of which no event trigger is told. For the extension''s own functions';

CREATE FUNCTION seeme.follow_columns(p seeme.protected_tables, made_way boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  present  pg_trigger;
  had_name name := p.name_column;
BEGIN
  SELECT * INTO present FROM pg_trigger t WHERE t.tgrelid = p.table_name AND t.tgname = 'zzz_seeme_follow_resource';
  IF present.oid IS NOT NULL THEN
    -- It names columns by their numbers, which are the same under another name.
    p.id_column := (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = p.table_name AND a.attnum = present.tgattr[0]);
    p.name_column := (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = p.table_name AND a.attnum = present.tgattr[1]);
    had_name := p.name_column;
  ELSIF NOT made_way THEN
    RETURN;
  END IF;
  PERFORM FROM pg_attribute a WHERE a.attrelid = p.table_name AND a.attname = p.id_column AND NOT a.attisdropped AND a.atttypid = 'uuid'::regtype;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'rows of table % are assigned to projects by its column "%"', p.table_name, p.id_column
      USING ERRCODE = 'datatype_mismatch', HINT = format('It stays a uuid: or SELECT seeme_unprotect(%L) first.', p.table_name);
  END IF;
  IF p.name_column IS NULL OR NOT seeme.is_name_column(p.table_name, p.name_column) THEN
    p.name_column := seeme.name_column_of(p.table_name);
    IF had_name IS NOT NULL THEN
      RAISE NOTICE 'the names of the rows of % are not followed any more by "%"', p.table_name, had_name
        USING HINT = CASE WHEN p.name_column IS NOT NULL THEN format('Those in "%s" are.', p.name_column)
                          ELSE 'A text column called name or title would be followed.' END;
    END IF;
  END IF;
  IF present.oid IS NOT NULL AND p.name_column IS DISTINCT FROM had_name THEN
    PERFORM seeme.drop_follow_trigger(p.table_name);
  END IF;
  IF present.oid IS NULL OR p.name_column IS DISTINCT FROM had_name THEN
    -- It is a guard, which nobody but the extension makes.
    INSERT INTO seeme.lowered_guards VALUES (p.table_name, p.table_name, '*');
    PERFORM seeme.create_follow_trigger(p);
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = p.table_name AND l.guard = '*';
  END IF;
  UPDATE seeme.protected_tables t SET id_column = p.id_column, name_column = p.name_column
   WHERE t.table_name = p.table_name AND (t.id_column, t.name_column) IS DISTINCT FROM (p.id_column, p.name_column);
  IF p.name_column IS DISTINCT FROM had_name THEN
    PERFORM seeme.name_resources(p.resource_type);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.follow_columns(seeme.protected_tables, boolean) IS
  'Keeps the trigger that follows names, and what is remembered of its columns, true to a table that was altered';

CREATE FUNCTION seeme.follow_altered_tables() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made_way regclass[] := seeme.tables_with_dropped_trigger();
BEGIN
  IF to_regclass('seeme.protected_tables') IS NULL THEN
    RETURN;
  END IF;
  PERFORM seeme.follow_columns(p, p.table_name = ANY (made_way))
     FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
    WHERE p.id_column IS NOT NULL
      AND (p.table_name = ANY (made_way)
           OR p.table_name IN (SELECT d.objid FROM pg_event_trigger_ddl_commands() d WHERE d.classid = 'pg_class'::regclass)
           -- what is renamed in a table is renamed in those that inherit from it
           OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = p.table_name)
              AND p.table_name IN (SELECT b.relation FROM pg_event_trigger_ddl_commands() d, seeme.tables_below(d.objid::regclass) AS b
                                    WHERE d.classid = 'pg_class'::regclass));
END $$;
COMMENT ON FUNCTION seeme.follow_altered_tables() IS 'Event trigger: what follows the names of a protected table''s rows goes on after ALTER TABLE';

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
    EXECUTE format('CREATE TRIGGER seeme_after_wait BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION seeme.recheck_after_lock(%s)', relation,
                   CASE WHEN seeme.has_one_scope(p) THEN '''moves''' END);
  END IF;
  IF NOT seeme.has_one_scope(p) AND NOT 'zz_seeme_check_moved_row' = ANY (existing) THEN
    SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') INTO moved
      FROM unnest(ARRAY[p.project_column, p.team_column, p.organization_column, p.owner_column,
                        CASE WHEN p.owner_column IS NULL THEN p.resource_id_column ELSE seeme.assigned_by(p) END]) AS c WHERE c IS NOT NULL;
    -- After all other triggers have had their say; but of a row that moves to another partition none are called afterwards.
    EXECUTE format('CREATE TRIGGER zz_seeme_check_moved_row %s UPDATE ON %s FOR EACH ROW WHEN (%s) '
                   'EXECUTE FUNCTION seeme.check_moved_row(%L, %L, %L, %L, %L, %L, %L, %L, %L, %L)',
                   CASE (SELECT c.relkind FROM pg_class c WHERE c.oid = relation) WHEN 'p' THEN 'BEFORE' ELSE 'AFTER' END, relation, moved,
                   p.resource, coalesce(p.resource_type, ''), p.holds_resource, coalesce(p.project_column, ''), coalesce(p.team_column, ''),
                   coalesce(p.organization_column, ''), coalesce(p.resource_id_column, ''), coalesce(p.owner_column, ''),
                   CASE WHEN p.owner_column IS NULL THEN '' ELSE coalesce(seeme.assigned_by(p), '') END, p.owner_alone);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.create_row_triggers(regclass, seeme.protected_tables) IS
  'Makes what asks a policy again after a wait, and what checks a row that moves, on a protected table or one that inherits from it; those that are there stay. Partitions get them from PostgreSQL';

-- PostgreSQL calls the triggers of the table that a row is in, not of the one that it was reached by. Partitions get theirs by themselves.
CREATE FUNCTION seeme.heirs(p seeme.protected_tables) RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT b.relation FROM seeme.tables_below(p.table_name) b
   WHERE NOT b.is_partition AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation)
$$;
COMMENT ON FUNCTION seeme.heirs(seeme.protected_tables) IS
  'The tables that inherit from a protected table and are not protected themselves: they have its row triggers, whatever policies of their own they have';

CREATE FUNCTION seeme.inherit_triggers(relation regclass) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  SELECT seeme.create_row_triggers(relation, p) FROM seeme.protected_tables p WHERE relation IN (SELECT seeme.heirs(p)) ORDER BY p.protected_at
$$;
COMMENT ON FUNCTION seeme.inherit_triggers(regclass) IS 'Gives a table that lost its own row triggers, or those of one protected table that it inherits from, those of another';

CREATE FUNCTION seeme.create_policies(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE POLICY seeme_select ON %s FOR SELECT USING (%s)', p.table_name,
                 seeme.row_condition(p, p.resource || ':read', true));
  EXECUTE format('CREATE POLICY seeme_insert ON %s FOR INSERT WITH CHECK (%s)', p.table_name, seeme.insert_condition(p));
  EXECUTE format('CREATE POLICY seeme_update ON %s FOR UPDATE USING (%s)', p.table_name, seeme.row_condition(p, p.resource || ':update'));
  EXECUTE format('CREATE POLICY seeme_delete ON %s FOR DELETE USING (%s)', p.table_name, seeme.row_condition(p, p.resource || ':delete'));
END $$;
COMMENT ON FUNCTION seeme.create_policies(seeme.protected_tables) IS 'Makes the four policies of a protected table';

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
  'Makes what has assignments go with the rows of a protected table that holds resources, and bear their names';

-- Referential actions run as the table's owner, the triggers' conditions with them.
CREATE FUNCTION seeme.grant_to_owner(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner   regrole := (SELECT c.relowner FROM pg_class c WHERE c.oid = p.table_name);
  needed  regprocedure[] := ARRAY[
    'seeme.own_user_id(text)', 'seeme.ownership_counts(uuid,uuid,uuid,uuid,text,boolean)',
    '@extschema@.seeme_has_permission(text,uuid,uuid,uuid,uuid,text)',
    -- what the planner has take its place
    'seeme.has_both_permissions(text,text,uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_permitted_organizations(text)', '@extschema@.seeme_permitted_teams(text)',
    '@extschema@.seeme_permitted_projects(text)', '@extschema@.seeme_permitted_resources(text,text)',
    -- who adds a partition makes its triggers
    'seeme.recheck_after_lock()', 'seeme.check_moved_row()', 'seeme.follow_resource()']::regprocedure[];
  routine regprocedure;
BEGIN
  IF NOT has_function_privilege(owner, 'seeme.own_user_id(text)', 'EXECUTE') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA @extschema@, seeme TO %s', owner);
  END IF;
  FOREACH routine IN ARRAY needed LOOP
    IF NOT has_function_privilege(owner, routine, 'EXECUTE') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', routine, owner);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.grant_to_owner(seeme.protected_tables) IS
  'Gives the owner of a protected table what its policies and triggers call';

-- A table that was restored by itself has its guards, and is not known to be protected. One that was a part of a protected table has
-- those of a part.
CREATE FUNCTION seeme.clear_guards(relation regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  object  text;
  cleared boolean := false;
  is_part boolean := EXISTS (SELECT FROM seeme.protected_tables p, LATERAL seeme.tables_below(p.table_name) b WHERE b.relation = clear_guards.relation);
BEGIN
  FOR object IN SELECT p.polname FROM pg_policy p
                 WHERE p.polrelid = relation AND p.polname IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete', 'seeme_closed') LOOP
    EXECUTE format('DROP POLICY %I ON %s', object, relation);
    cleared := true;
  END LOOP;
  FOR object IN SELECT t.tgname FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'seeme'::regnamespace
                 WHERE t.tgrelid = relation AND NOT t.tgisinternal AND t.tgparentid = 0
                   AND f.proname IN ('recheck_after_lock', 'check_moved_row', 'follow_resource') LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object, relation);
    cleared := cleared OR NOT is_part;
  END LOOP;
  UPDATE seeme.protected_tables p SET closed_partitions = array_remove(p.closed_partitions, relation)
   WHERE relation = ANY (p.closed_partitions) AND NOT EXISTS (SELECT FROM seeme.tables_below(p.table_name) b WHERE b.relation = clear_guards.relation);
  RETURN cleared OR FOUND;
END $$;
COMMENT ON FUNCTION seeme.clear_guards(regclass) IS
  'Drops the policies and triggers that seeme_protect once made on a table that is not protected now: as after a restore of that table alone, or after it was detached from a protected one. True if what it has is theirs alone, and row security was enabled for them';

CREATE FUNCTION seeme.refuse_write() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'view % is for reading', TG_RELID::regclass
    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Write to the table that it shows.';
END $$;
COMMENT ON FUNCTION seeme.refuse_write() IS 'Trigger: listing views are read only';

CREATE FUNCTION seeme.drop_left_view(view_name text) RETURNS regrole[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  readers regrole[];
BEGIN
  SELECT ARRAY(SELECT a.grantee::regrole FROM aclexplode(v.relacl) AS a WHERE a.privilege_type = 'SELECT' AND a.grantee NOT IN (0, v.relowner)) INTO readers
    FROM pg_class v JOIN pg_trigger t ON t.tgrelid = v.oid AND t.tgname = 'seeme_read_only'
    JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = 'seeme'::regnamespace AND f.proname = 'refuse_write'
   WHERE v.oid = to_regclass(view_name) AND v.relkind = 'v'
     AND NOT EXISTS (SELECT FROM seeme.protected_tables p WHERE p.listing_view = v.oid);
  IF FOUND THEN
    EXECUTE format('DROP VIEW %s', view_name::regclass);
  END IF;
  RETURN readers;
END $$;
COMMENT ON FUNCTION seeme.drop_left_view(text) IS
  'Drops a listing view that was restored with its table, and is no protected table''s now, to make way for the one that seeme_protect makes; answers with who may read it';

CREATE FUNCTION @extschema@.seeme_protect(
  table_name regclass, resource text, project_column name = NULL, team_column name = NULL,
  organization_column name = NULL, resource_id_column name = NULL, owner_column name = NULL,
  resource_type text = NULL, listing_columns name[] = NULL, owner_alone boolean = true) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation   pg_class;
  p          seeme.protected_tables;
  action     text;
  columns    name[] := ARRAY[project_column, team_column, organization_column, resource_id_column, owner_column];
  view_name  text;
  grantee    record;
  others     text;
  was_guarded boolean;
  readers    regrole[];
BEGIN
  IF table_name IS NULL OR resource IS NULL THEN
    RAISE EXCEPTION 'seeme_protect needs a table and a resource'
      USING ERRCODE = 'null_value_not_allowed', HINT = 'seeme_protect(''models'', ''models'', project_column => ''project_id'')';
  END IF;
  IF owner_alone IS NULL THEN
    RAISE EXCEPTION 'owner_alone is null'
      USING ERRCODE = 'null_value_not_allowed', HINT = 'It is true or false: whether a row that lies nowhere is its owner''s own.';
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
  PERFORM seeme.lock('seeme.protected_tables', '');
  IF EXISTS (SELECT FROM seeme.protected_tables t WHERE t.table_name = relation.oid) THEN
    RAISE EXCEPTION 'table % is protected already', table_name
      USING ERRCODE = 'duplicate_object', HINT = format('SELECT seeme_unprotect(%L) first.', table_name);
  END IF;
  IF resource IN ('organizations', 'teams', 'projects', 'roles', 'permissions') THEN
    RAISE EXCEPTION 'the codes of "%" are about the rows of seeme.%', resource, resource
      USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Give the rows of %s a resource of their own: SELECT seeme_protect(%L, %L, ...);', table_name, table_name, 'app_' || resource);
  END IF;
  IF resource !~ '^[a-z][a-z0-9_]*$' OR length(resource) > 63 THEN
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
  p.owner_alone := owner_alone;
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
    p.name_column := seeme.name_column_of(table_name);
  END IF;

  FOREACH action IN ARRAY ARRAY['list', 'read', 'create', 'update', 'delete'] LOOP
    PERFORM FROM seeme.permissions c WHERE c.name = p.resource || ':' || action;
    IF NOT FOUND THEN
      INSERT INTO seeme.permissions (name, description, grouped_by_projects)
      VALUES (p.resource || ':' || action, format('%s %s', initcap(action COLLATE "C"), replace(p.resource, '_', ' ')), true);
      p.registered_codes := p.registered_codes || (p.resource || ':' || action);
    END IF;
  END LOOP;

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
    view_name := format('%s.%I', relation.relnamespace::regnamespace, relation.relname || '_listing');
    readers := seeme.drop_left_view(view_name);
    EXECUTE format('CREATE VIEW %s WITH (security_barrier = true) AS %s', view_name, seeme.listing_query(p));
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
                    WHERE a.privilege_type = 'SELECT' AND a.grantee NOT IN (0, relation.relowner)
                   UNION SELECT unnest(readers) LOOP
      EXECUTE format('GRANT SELECT ON %s TO %s', view_name, grantee.role);
    END LOOP;
  END IF;

  INSERT INTO seeme.protected_tables SELECT (p).*;
  IF p.holds_resource THEN
    PERFORM seeme.note_rows(p.resource_type);
  END IF;
  IF p.name_column IS NOT NULL THEN
    PERFORM seeme.name_resources(p.resource_type);
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_protect(regclass, text, name, name, name, name, name, text, name[], boolean) IS
  'Puts a table under the model: policies that ask for resource:read, :create, :update and :delete in a row''s scope, which any of the columns tells. resource_id_column: the id under which the row''s resource of type resource_type is assigned to projects. owner_column: that person may do everything with the row, while a member of where it lies. owner_alone: whether a row that lies nowhere is its owner''s own. listing_columns: a view TABLE_listing of these columns for who holds resource:list. For the owner of the table.';

CREATE FUNCTION seeme.leave_open(table_name regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation pg_class;
  is_known boolean;
  was_part boolean;
BEGIN
  SELECT * INTO relation FROM pg_class c WHERE c.oid = table_name;
  IF NOT FOUND OR NOT pg_has_role(relation.relowner, 'USAGE') OR row_security_active('seeme.protected_tables') THEN
    RETURN false;
  END IF;
  DELETE FROM seeme.dropped_tables d USING pg_namespace n
   WHERE n.oid = relation.relnamespace AND (d.schema_name, d.table_name) = (n.nspname, relation.relname);
  is_known := FOUND;
  was_part := EXISTS (SELECT FROM seeme.protected_tables p WHERE table_name = ANY (p.closed_partitions)
                         AND NOT EXISTS (SELECT FROM seeme.tables_below(p.table_name) b WHERE b.relation = table_name));
  -- Where row security was enabled for these guards it goes with them; of what was restored nobody knows, but policies of its own need it.
  IF (is_known OR was_part) AND seeme.clear_guards(table_name)
     AND (was_part OR NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = table_name)) THEN
    EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', table_name);
  END IF;
  RETURN is_known OR was_part;
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
  around    regclass[];
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
  -- What it inherits from, or what shares heirs with it, finds the triggers as they are at the end.
  around := ARRAY(SELECT o.table_name FROM seeme.protected_around(ARRAY[table_name::oid] || ARRAY(SELECT b.relation::oid FROM seeme.tables_below(table_name) b)) o);
  IF around <> '{}' THEN
    INSERT INTO seeme.lowered_guards SELECT r, r, '*' FROM unnest(around) AS r ON CONFLICT DO NOTHING;
  END IF;
  IF p.listing_view IS NOT NULL AND EXISTS (SELECT FROM pg_class c WHERE c.oid = p.listing_view) THEN
    EXECUTE format('DROP VIEW %s', p.listing_view);
  END IF;
  FOR object IN
    SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = table_name AND t.tgname IN (
      'seeme_after_wait', 'zz_seeme_check_moved_row', 'seeme_forget_resource', 'seeme_forget_resources', 'zzz_seeme_follow_resource')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object, table_name);
  END LOOP;
  FOREACH object IN ARRAY ARRAY['seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete'] LOOP
    EXECUTE format('DROP POLICY IF EXISTS %I ON %s', object, table_name);
  END LOOP;
  EXECUTE format('ALTER TABLE %s %s ROW LEVEL SECURITY, %s ROW LEVEL SECURITY', table_name,
                 CASE WHEN p.had_row_security THEN 'ENABLE' ELSE 'DISABLE' END,
                 CASE WHEN p.had_force THEN 'FORCE' ELSE 'NO FORCE' END);
  PERFORM seeme.inherit_triggers(table_name);
  FOR below IN SELECT * FROM seeme.tables_below(table_name) LOOP
    IF below.is_partition THEN
      EXECUTE format('DROP POLICY IF EXISTS seeme_closed ON %s', below.relation);
    ELSIF NOT EXISTS (SELECT FROM seeme.protected_tables t WHERE t.table_name = below.relation) THEN
      FOR object IN
        SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = below.relation
           AND t.tgname IN ('seeme_after_wait', 'zz_seeme_check_moved_row')
      LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', object, below.relation);
      END LOOP;
      PERFORM seeme.inherit_triggers(below.relation);
    END IF;
    IF below.relation = ANY (p.closed_partitions) THEN
      EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', below.relation);
    END IF;
  END LOOP;

  IF around <> '{}' THEN
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = ANY (around) AND l.guard = '*';
  END IF;

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

-- An upgrade changes what seeme_protect makes of a table. What it was told stays.
CREATE FUNCTION seeme.renew_protection(table_name regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p      seeme.protected_tables;
  object record;
  closed regclass[];
BEGIN
  SELECT * INTO p FROM seeme.protected_tables t WHERE t.table_name = renew_protection.table_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % is not protected', table_name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'seeme.protected_tables lists those that are.';
  END IF;
  -- Nobody reads or writes a row between the old guards and the new ones.
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', p.table_name);
  FOR object IN
    SELECT o.polname FROM pg_policy o
     WHERE o.polrelid = p.table_name AND o.polname IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete')
  LOOP
    EXECUTE format('DROP POLICY %I ON %s', object.polname, p.table_name);
  END LOOP;
  PERFORM seeme.create_policies(p);
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', p.table_name);

  FOR object IN
    SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t
     WHERE (t.tgrelid = p.table_name OR t.tgrelid IN (SELECT seeme.heirs(p)))
       AND t.tgname IN ('seeme_after_wait', 'zz_seeme_check_moved_row', 'seeme_forget_resource', 'seeme_forget_resources', 'zzz_seeme_follow_resource')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object.tgname, object.relation);
  END LOOP;
  PERFORM seeme.create_row_triggers(p.table_name, p);
  closed := seeme.close_tables_below(p.table_name);
  IF cardinality(closed) > 0 THEN
    UPDATE seeme.protected_tables t SET closed_partitions = t.closed_partitions || closed WHERE t.table_name = p.table_name;
  END IF;
  PERFORM seeme.create_row_triggers(h, p) FROM seeme.heirs(p) AS h;
  PERFORM seeme.create_resource_triggers(p);

  -- Its grants stay, and so do views over it.
  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = p.listing_view) THEN
    EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_barrier = true) AS %s', p.listing_view, seeme.listing_query(p));
  END IF;
  PERFORM seeme.grant_to_owner(p);
END $$;
COMMENT ON FUNCTION seeme.renew_protection(regclass) IS
  'Makes the policies, triggers and listing view of a protected table anew, as seeme_protect would make them now, by what it was told. For superusers, when a finding or an upgrade asks for it';

CREATE FUNCTION seeme.renew_all_protection() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation regclass;
BEGIN
  FOR relation IN SELECT p.table_name FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name ORDER BY c.oid LOOP
    -- One table that has not the columns any more does not stand in the way of all others: it keeps what it has.
    BEGIN
      PERFORM seeme.renew_protection(relation);
    EXCEPTION WHEN undefined_column OR undefined_function OR datatype_mismatch OR wrong_object_type OR invalid_table_definition THEN
      RAISE WARNING 'the protection of table % could not be brought up to date: %', relation, SQLERRM
        USING HINT = format('Call seeme_unprotect(%L), and seeme_protect with the columns that the table has now.', relation);
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.renew_all_protection() IS
  'Makes the policies, triggers and listing views of all protected tables anew: after an upgrade. A WARNING for each table that cannot be';

SELECT pg_extension_config_dump('seeme.protected_tables', '');
