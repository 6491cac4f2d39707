-- seeme_mirror and seeme_unmirror; and the policies of a mirrored table.

CREATE FUNCTION seeme.require_mirror_maker(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  outer_role name := CASE current_setting('role') WHEN 'none' THEN session_user
    ELSE current_setting('role')::name END;
BEGIN
  IF NOT seeme.is_unidentified() THEN
    RAISE EXCEPTION 'somebody is identified'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Mirrors are made and removed while nobody '
                                                       'is.';
  END IF;
  IF NOT seeme.bypasses_row_security()
     OR NOT pg_has_role(outer_role, (SELECT c.relowner FROM pg_class c WHERE c.oid = relation),
       'USAGE') THEN
    RAISE EXCEPTION 'only a superuser, or the owner of table % with BYPASSRLS, makes it a mirror',
      relation
      USING ERRCODE = 'insufficient_privilege', HINT = 'What is mirrored is written here, past '
                                                       'row security.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_mirror_maker(regclass) IS
  'Raises 42501 unless the role outside of any SECURITY DEFINER function may mirror the table';

CREATE FUNCTION seeme.check_mirrored_table(table_name regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation pg_class;
BEGIN
  SELECT * INTO relation FROM pg_class c WHERE c.oid = table_name;
  -- A statement on a part of a table calls no triggers for statements of the whole. An unlogged
  -- table is empty after a crash, and the rows here are not.
  IF relation.relkind <> 'r' OR relation.relpersistence <> 'p' OR relation.relispartition
     OR EXISTS (SELECT FROM pg_inherits i WHERE table_name IN (i.inhrelid, i.inhparent))
     OR relation.relnamespace IN ('seeme'::regnamespace, 'pg_catalog'::regnamespace,
       'information_schema'::regnamespace) THEN
    RAISE EXCEPTION '% is not a table that can be mirrored', table_name
      USING ERRCODE = 'wrong_object_type',
            HINT = 'Mirror an ordinary table of the application: no view, no partitioned table or '
                   'partition, none that inherits.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.check_mirrored_table(regclass) IS
  'Raises 42809 unless it is an ordinary table of the application';

-- What guards a mirror: its triggers, by name, and, with protect, policies as those of a protected
-- table.
CREATE FUNCTION seeme.mirror_triggers(protect boolean) RETURNS TABLE (name name, function text,
  type integer)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  -- Types as in pg_trigger.tgtype: 1 for each row, 2 before, 4 INSERT, 8 DELETE, 16 UPDATE, 32
  -- TRUNCATE.
  SELECT v.* FROM (VALUES ('seeme_mirror_insert'::name, 'mirror_statement', 4),
    ('seeme_mirror_update', 'mirror_statement', 16),
                          ('seeme_mirror_delete', 'mirror_statement', 8), ('seeme_mirror_truncate',
                            'refuse_truncate', 2 + 32),
                          ('seeme_after_wait', 'recheck_after_lock', 1 + 2 + 8 + 16)) AS v (name,
                            function, type)
   WHERE protect OR v.function <> 'recheck_after_lock'
$$;
COMMENT ON FUNCTION seeme.mirror_triggers(boolean) IS
  'The triggers that seeme_mirror makes on a table';

-- The conditions say of a row of the table what the policies of seeme.* say of the row here. A row
-- that is only being inserted is not here yet, so that they go by what its columns name.
CREATE FUNCTION seeme.mirror_conditions(m seeme.mirrors)
RETURNS TABLE (sees text, adds text, changes text, removes text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k      jsonb := seeme.mirror_keys(m);
  has    text;
  -- Of what is archived, the owner alone sees the row.
  unused text := '(%s) AND (seeme.is_in_use(%s, %s, %s) OR seeme.sees_unused(%2$s, %3$s, %4$s))';
BEGIN
  has := '@extschema@.seeme_has_permission(%L, %s => %s)';
  CASE m.kind
  WHEN 'users' THEN
    sees := format('%s = (SELECT @extschema@.seeme_user_id()) OR (SELECT '
                   'seeme.provisions_users()) OR seeme.sees_user(%1$s)', k ->> 'id');
    adds := 'seeme.provisions_users()';
    changes := format('%s = seeme.own_user_id(''*'') OR seeme.provisions_users()', k ->> 'id');
    removes := adds;
  WHEN 'organizations' THEN
    -- The table may still name a former owner.
    sees := format('%s = (SELECT seeme.own_user_id(''organizations:read'')) '
                   'AND seeme.sees_unused(%s, NULL, NULL) OR '
                   'seeme.is_member(organization => %2$s)', k ->> 'owner_id', k ->> 'id');
    adds := format('%s = seeme.own_user_id(''organizations:create'')', k ->> 'owner_id');
    changes := format(has || ' OR seeme.may_archive_row(%3$s, NULL, NULL)',
      'organizations:update', 'organization', k ->> 'id');
    removes := format(has, 'organizations:delete', 'organization', k ->> 'id');
  WHEN 'teams' THEN
    sees := format(has, 'teams:list', 'organization', k ->> 'organization_id') || ' OR '
      || format(has, 'teams:read', 'organization', k ->> 'organization_id')
            || format(' OR seeme.is_direct_member(team => %s)', k ->> 'id')
            || ' OR ' || format(has, 'teams:list', 'team', k ->> 'id') || ' OR ' || format(has,
              'teams:read', 'team', k ->> 'id');
    sees := format(unused, sees, k ->> 'organization_id', k ->> 'id', 'NULL');
    adds := format(has, 'teams:create', 'organization', k ->> 'organization_id');
    changes := format(has || ' OR seeme.may_archive_row(%4$s, %3$s, NULL)', 'teams:update',
      'team', k ->> 'id', k ->> 'organization_id');
    removes := format(has, 'teams:delete', 'team', k ->> 'id');
  WHEN 'projects' THEN
    sees := concat_ws(' OR ', format(has, 'projects:list', 'organization',
      k ->> 'organization_id'), format(has, 'projects:read', 'organization',
      k ->> 'organization_id'),
      -- The table may still name a former team.
      CASE WHEN k ? 'team_id' THEN format('(%s OR %s) AND seeme.sees_unused(%s, %s, %s)',
        format(has, 'projects:list', 'team', k ->> 'team_id'),
        format(has, 'projects:read', 'team', k ->> 'team_id'),
        k ->> 'organization_id', k ->> 'team_id', k ->> 'id') END,
      format('seeme.is_direct_member(project => %s)', k ->> 'id'),
      format(has, 'projects:list', 'project', k ->> 'id'), format(has, 'projects:read', 'project',
        k ->> 'id'));
    sees := format(unused, sees, k ->> 'organization_id', 'NULL', k ->> 'id');
    adds := concat_ws(' OR ', format(has, 'projects:create', 'organization',
      k ->> 'organization_id'),
      CASE WHEN k ? 'team_id' THEN format(has || ' AND seeme.lies_in(%4$s, %3$s, NULL)',
        'projects:create', 'team', k ->> 'team_id', k ->> 'organization_id') END);
    changes := format(has || ' OR seeme.may_archive_row(%4$s, NULL, %3$s)',
      'projects:update', 'project', k ->> 'id', k ->> 'organization_id');
    removes := format(has, 'projects:delete', 'project', k ->> 'id');
  ELSE
    adds := format('%s, %s, %s', coalesce(k ->> 'organization_id', 'NULL'),
      coalesce(k ->> 'team_id', 'NULL'), coalesce(k ->> 'project_id', 'NULL'));
    sees := format('seeme.sees_membership(%s, %s)', adds, k ->> 'user_id');
    removes := format('%s = seeme.own_user_id(''organizations:manage_members'') OR '
                      'seeme.manages_membership(%s)', k ->> 'user_id', adds);
    adds := format('seeme.manages_membership(%s)', adds);
    changes := adds;
  END CASE;
  RETURN QUERY VALUES (sees, adds, changes, removes);
END $$;
COMMENT ON FUNCTION seeme.mirror_conditions(seeme.mirrors) IS
  'The conditions under which the asking person sees, adds, changes and removes rows of a '
  'mirrored table: those of the rows here';

-- An owner is asked by the policies, too; and whoever is asked runs what they call.
CREATE FUNCTION seeme.grant_to_mirror_owner(relation regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner   regrole := (SELECT c.relowner FROM pg_class c WHERE c.oid = relation);
  routine regprocedure;
BEGIN
  IF NOT has_schema_privilege(owner, 'seeme', 'USAGE') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA @extschema@, seeme TO %s', owner);
  END IF;
  FOREACH routine IN ARRAY ARRAY[
    '@extschema@.seeme_user_id()',
      '@extschema@.seeme_has_permission(text,uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_uuid(text,text)', '@extschema@.seeme_uuid(text,bigint)',
    'seeme.own_user_id(text)', 'seeme.is_unidentified()', 'seeme.provisions_users()',
      'seeme.sees_user(uuid)',
    'seeme.is_member(uuid)', 'seeme.is_direct_member(uuid,uuid)', 'seeme.lies_in(uuid,uuid,uuid)',
      'seeme.may_archive_row(uuid,uuid,uuid)', 'seeme.sees_unused(uuid,uuid,uuid)',
    'seeme.is_in_use(uuid,uuid,uuid)',
    'seeme.sees_membership(uuid,uuid,uuid,uuid)',
      'seeme.manages_membership(uuid,uuid,uuid)',
    -- the planner replaces calls of the others by these
    'seeme.has_both_permissions(text,text,uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_permitted_organizations(text)', '@extschema@.seeme_permitted_teams(text)',
    '@extschema@.seeme_permitted_projects(text)', 'seeme.member_organizations()',
    'seeme.member_teams()', 'seeme.member_projects()', 'seeme.users_seen()']::regprocedure[]
  LOOP
    IF NOT has_function_privilege(owner, routine, 'EXECUTE') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', routine, owner);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.grant_to_mirror_owner(regclass) IS
  'Gives the owner of a mirrored table what its policies call';

CREATE FUNCTION seeme.create_mirror_guards(m seeme.mirrors) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c record;
BEGIN
  EXECUTE format('CREATE TRIGGER seeme_mirror_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS '
                 'seeme_new '
                 'FOR EACH STATEMENT EXECUTE FUNCTION seeme.mirror_statement()', m.table_name);
  EXECUTE format('CREATE TRIGGER seeme_mirror_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS '
                 'seeme_old NEW TABLE AS seeme_new '
                 'FOR EACH STATEMENT EXECUTE FUNCTION seeme.mirror_statement()', m.table_name);
  EXECUTE format('CREATE TRIGGER seeme_mirror_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS '
                 'seeme_old '
                 'FOR EACH STATEMENT EXECUTE FUNCTION seeme.mirror_statement()', m.table_name);
  EXECUTE format('CREATE TRIGGER seeme_mirror_truncate BEFORE TRUNCATE ON %s '
                 'FOR EACH STATEMENT EXECUTE FUNCTION seeme.refuse_truncate()', m.table_name);
  IF NOT m.protect THEN
    RETURN;
  END IF;
  PERFORM seeme.grant_to_mirror_owner(m.table_name);
  SELECT * INTO c FROM seeme.mirror_conditions(m);
  EXECUTE format('CREATE POLICY seeme_select ON %s FOR SELECT USING (%s)', m.table_name, c.sees);
  EXECUTE format('CREATE POLICY seeme_insert ON %s FOR INSERT WITH CHECK (%s)', m.table_name,
    c.adds);
  EXECUTE format('CREATE POLICY seeme_update ON %s FOR UPDATE USING (%s)', m.table_name, c.changes);
  EXECUTE format('CREATE POLICY seeme_delete ON %s FOR DELETE USING (%s)', m.table_name, c.removes);
  EXECUTE format('CREATE TRIGGER seeme_after_wait BEFORE UPDATE OR DELETE ON %s FOR EACH ROW '
                 'EXECUTE FUNCTION seeme.recheck_after_lock()', m.table_name);
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    m.table_name);
END $$;
COMMENT ON FUNCTION seeme.create_mirror_guards(seeme.mirrors) IS
  'Makes the triggers of a mirrored table, and its policies where it has some';

-- Else the row that is read last would say what the others are here.
CREATE FUNCTION seeme.require_distinct_rows(m seeme.mirrors) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  of_members boolean := m.kind LIKE '%members';
  twice      text;
  named      text;
BEGIN
  IF NOT of_members AND seeme.is_unique_column(m.table_name, m.columns ->> 'id')
     AND seeme.mirror_column_type(m.table_name, m.columns ->> 'id')
         IN ('int2', 'int4', 'int8', 'uuid') THEN
    RETURN;
  END IF;
  SELECT k.key INTO twice
    FROM seeme.read_as_owner(m.table_name, seeme.mirror_query(m.table_name, 'LOAD')) AS b (rows),
         jsonb_array_elements(seeme.mapped_rows(m, b.rows)) AS v,
         LATERAL (SELECT CASE WHEN of_members
                              THEN jsonb_build_array(v -> 'n' -> 'organization_id',
                                     v -> 'n' -> 'team_id', v -> 'n' -> 'project_id',
                                     v -> 'n' -> 'user_id')::text
                              ELSE v -> 'n' ->> 'id' END AS key) AS k
   WHERE b.rows IS NOT NULL AND (NOT of_members OR (v -> 'n' ->> 'counts')::boolean)
   GROUP BY k.key HAVING count(*) > 1 LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT string_agg(DISTINCT seeme.name_of_row(m, r.raw), '; ') INTO named
    FROM seeme.read_as_owner(m.table_name, seeme.mirror_query(m.table_name, 'LOAD')) AS b (rows),
         ROWS FROM (jsonb_array_elements(b.rows),
                    jsonb_array_elements(seeme.mapped_rows(m, b.rows))) AS r (raw, v)
   WHERE b.rows IS NOT NULL
     AND twice = CASE WHEN of_members
                      THEN jsonb_build_array(r.v -> 'n' -> 'organization_id',
                             r.v -> 'n' -> 'team_id', r.v -> 'n' -> 'project_id',
                             r.v -> 'n' -> 'user_id')::text
                      ELSE r.v -> 'n' ->> 'id' END;
  RAISE EXCEPTION 'several rows of table % are one row of seeme.%', m.table_name, m.kind
    USING ERRCODE = 'unique_violation',
          DETAIL = format('Table %s, row %s.', m.table_name, named),
          HINT = CASE WHEN of_members
                      THEN 'A person has one membership there, with one role. Keep one of the '
                           'rows, or let the condition count one.'
                      ELSE 'A text that is a uuid is the same id in small and in capital letters.'
                 END;
END $$;
COMMENT ON FUNCTION seeme.require_distinct_rows(seeme.mirrors) IS
  'Raises 23505 if two rows of a mirrored table would be one row here';

CREATE FUNCTION @extschema@.seeme_mirror(
  table_name regclass, kind text, columns jsonb, roles jsonb = NULL, condition text = NULL,
  protect boolean = false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  m     seeme.mirrors;
  other text;
  batch jsonb;
BEGIN
  IF num_nulls(table_name, kind, columns, protect) > 0 THEN
    RAISE EXCEPTION 'seeme_mirror needs a table, a kind and columns'
      USING ERRCODE = 'null_value_not_allowed',
            HINT = 'seeme_mirror(''workspaces'', ''organizations'', ''{"id": "id", "name": '
                   '"title", "owner_id": "owner"}'')';
  END IF;
  PERFORM seeme.require_mirror_maker(table_name), seeme.check_mirrored_table(table_name);
  PERFORM FROM seeme.mirror_columns(kind);
  IF NOT FOUND THEN
    RAISE EXCEPTION '"%" is not a kind of mirror', left(kind, 100)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'users, organizations, teams, projects, organization_members, team_members or '
                   'project_members';
  END IF;
  IF jsonb_typeof(columns) <> 'object' OR EXISTS (SELECT FROM jsonb_each(columns) AS c
    WHERE jsonb_typeof(c.value) <> 'string') THEN
    RAISE EXCEPTION 'columns is no object of column names'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'columns => ''{"id": "id", "name": '
                                                        '"title"}''';
  END IF;
  IF jsonb_typeof(roles) <> 'object' OR EXISTS (SELECT FROM jsonb_each(roles) AS c
    WHERE jsonb_typeof(c.value) NOT IN ('string', 'null')) THEN
    RAISE EXCEPTION 'roles is no object of role names or ids'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'roles => ''{"admin": "Admin", "guest": '
                                                        'null}''';
  END IF;
  SELECT string_agg(quote_literal(r.value), ', ') INTO other FROM jsonb_each_text(roles) AS r
   WHERE r.value IS NOT NULL AND NOT EXISTS (SELECT FROM seeme.roles o WHERE o.name = r.value
     OR o.id::text = lower(r.value COLLATE "C"));
  IF other IS NOT NULL THEN
    RAISE EXCEPTION 'there is no role %', other
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Take names or ids of roles in '
                                                        'seeme.roles.';
  END IF;
  IF roles IS NOT NULL AND NOT columns ? 'role_id' THEN
    RAISE EXCEPTION 'roles maps values of a column, and columns names none for role_id'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;

  PERFORM seeme.lock('seeme.mirrors', '');
  EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', table_name);
  SELECT t.table_name::text INTO other FROM seeme.mirrors t WHERE t.table_name = table_name;
  IF other IS NOT NULL THEN
    RAISE EXCEPTION 'table % is mirrored already', other
      USING ERRCODE = 'duplicate_object', HINT = format('SELECT seeme_unmirror(%L) first.', other);
  END IF;
  SELECT t.table_name::text INTO other FROM seeme.mirrors t WHERE t.kind = kind;
  IF other IS NOT NULL THEN
    RAISE EXCEPTION 'table % is the mirror of kind %', other, kind
      USING ERRCODE = 'duplicate_object', HINT = 'Each kind is mirrored from one table. Keep '
                                                 'the rows of both in one, or write those of the '
                                                 'other in seeme.* directly.';
  END IF;
  IF protect AND EXISTS (SELECT FROM seeme.protected_tables p WHERE p.table_name = table_name) THEN
    RAISE EXCEPTION 'table % is protected already', table_name
      USING ERRCODE = 'duplicate_object', HINT = 'Leave protect out, or call seeme_unprotect '
                                                 'first.';
  END IF;

  m.table_name := table_name;
  m.kind := kind;
  m.columns := columns;
  m.roles := roles;
  m.condition := condition;
  m.protect := protect;
  m.had_row_security := (SELECT c.relrowsecurity FROM pg_class c WHERE c.oid = table_name);
  m.had_force := (SELECT c.relforcerowsecurity FROM pg_class c WHERE c.oid = table_name);
  m.mirrored_at := now();
  PERFORM seeme.check_mirror(m);
  IF condition IS NOT NULL THEN
    m.condition := pg_get_expr(seeme.parsed_condition(table_name, condition), table_name);
  END IF;
  m.statements := seeme.mirror_statements(m);
  PERFORM seeme.drop_mirror_guards(table_name);
  PERFORM seeme.create_mirror_guards(m);
  INSERT INTO seeme.mirrors SELECT (m).*;
  FOR batch IN SELECT * FROM seeme.read_as_owner(table_name, seeme.mirror_query(table_name,
    'LOAD')) LOOP
    PERFORM seeme.apply_mirror(table_name, 'LOAD', batch) WHERE batch IS NOT NULL;
  END LOOP;
  PERFORM seeme.require_distinct_rows(m);
  PERFORM seeme.note_mirror_keys(m);
END $$;
COMMENT ON FUNCTION @extschema@.seeme_mirror(regclass, text, jsonb, jsonb, text, boolean) IS
  'Keeps an application''s own table of users, organizations, teams, projects, '
  'organization_members, team_members or project_members as the one that is written: loads what '
  'is there, and makes every later change here, too, as who makes it. columns: the table''s '
  'column for each column here. roles: a role for each value of the role''s column. condition: '
  'which rows count. protect: policies on the table''s own rows. For superusers, and the table''s '
  'owner with BYPASSRLS.';

CREATE FUNCTION seeme.drop_mirror_guards(relation regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  object  name;
  dropped boolean := false;
BEGIN
  FOR object IN
    SELECT t.tgname FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
     WHERE t.tgrelid = relation AND f.pronamespace = 'seeme'::regnamespace
       AND f.proname IN ('mirror_statement', 'refuse_truncate')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object, relation);
    dropped := true;
  END LOOP;
  RETURN dropped;
END $$;
COMMENT ON FUNCTION seeme.drop_mirror_guards(regclass) IS
  'Drops the triggers of a mirror, if a table has any';

CREATE FUNCTION seeme.drop_mirror_policies(m seeme.mirrors) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  object name;
BEGIN
  IF NOT m.protect THEN
    RETURN;
  END IF;
  FOR object IN
    SELECT y.polname FROM pg_policy y
     WHERE y.polrelid = m.table_name AND y.polname IN ('seeme_select', 'seeme_insert',
       'seeme_update', 'seeme_delete')
  LOOP
    EXECUTE format('DROP POLICY %I ON %s', object, m.table_name);
  END LOOP;
  FOR object IN SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = m.table_name
    AND t.tgname = 'seeme_after_wait' LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object, m.table_name);
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.drop_mirror_policies(seeme.mirrors) IS
  'Drops the policies of a mirrored table, if it has some, and the trigger that asks them again';

CREATE FUNCTION @extschema@.seeme_unmirror(table_name regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  m seeme.mirrors;
BEGIN
  PERFORM seeme.require_mirror_maker(table_name);
  DELETE FROM seeme.mirrors t WHERE t.table_name = table_name RETURNING t.* INTO m;
  DELETE FROM seeme.lowered_guards l WHERE l.table_name = table_name AND l.guard LIKE 'mirror: %';
  IF NOT seeme.drop_mirror_guards(table_name) AND m.table_name IS NULL THEN
    RAISE EXCEPTION 'table % is not mirrored', table_name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'seeme.mirrors lists those that '
                                                                 'are.';
  END IF;
  IF m.protect THEN
    PERFORM seeme.drop_mirror_policies(m);
    EXECUTE format('ALTER TABLE %s %s ROW LEVEL SECURITY, %s ROW LEVEL SECURITY', table_name,
                   CASE WHEN m.had_row_security THEN 'ENABLE' ELSE 'DISABLE' END,
                   CASE WHEN m.had_force THEN 'FORCE' ELSE 'NO FORCE' END);
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_unmirror(regclass) IS
  'Ends a mirror. What it made here stays, and nothing follows the table any more.';
