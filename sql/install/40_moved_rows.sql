-- Rows that an UPDATE moves to another place, gives to another owner, or makes public.

CREATE FUNCTION seeme.may_take_row_out(
  permission text, relation regclass, parent text, new_parent text, organization uuid, team uuid,
  project uuid, resource uuid, new_organization uuid, new_team uuid, new_project uuid,
  new_resource uuid, resource_type text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN parent IS NULL AND new_parent IS NULL
  THEN seeme.may_move_out(permission, organization, team, project, resource, new_organization,
                          new_team, new_project, new_resource, resource_type)
  ELSE seeme.may_move_child_out(permission, relation, parent, new_parent, organization, team,
                                project, resource, new_organization, new_team, new_project,
                                new_resource, resource_type) END;
COMMENT ON FUNCTION seeme.may_take_row_out(text, regclass, text, text, uuid, uuid, uuid, uuid, uuid,
                                           uuid, uuid, uuid, text) IS
  'seeme.may_move_out for a row that may have a parent';

-- A policy sees the old row or the new one, never both.
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
  parent_column  text := TG_ARGV[10];
  public_column  text := TG_ARGV[11];
  old_project uuid; old_team uuid; old_organization uuid; old_resource uuid;
  new_project uuid; new_team uuid; new_organization uuid; new_resource uuid;
  old_parent text;
  new_parent text;
  place text;
  column_name text;
  may_publish boolean;
  expression  text;
  generated   jsonb;
  computed    jsonb := '{}';
BEGIN
  IF NOT (row_security_active(TG_RELID)
          OR EXISTS (SELECT FROM pg_partition_ancestors(TG_RELID) a
                      WHERE row_security_active(a.relid))) THEN
    RETURN NEW;
  END IF;
  FOREACH column_name IN ARRAY TG_ARGV[3:8] || TG_ARGV[10:11] LOOP
    -- PostgreSQL computes generated columns after BEFORE triggers.
    IF TG_WHEN = 'BEFORE' AND column_name <> '' THEN
      SELECT pg_get_expr(d.adbin, d.adrelid) INTO expression
        FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       WHERE a.attrelid = TG_RELID AND a.attname = column_name AND a.attgenerated = 's';
      IF FOUND THEN
        EXECUTE format('SELECT jsonb_build_object(%L, %s) FROM (SELECT ($1).*) AS new_row',
                       column_name, expression) INTO generated USING NEW;
        computed := computed || generated;
        new_row := new_row || generated;
      END IF;
    END IF;
    IF column_name <> '' AND NOT new_row ? column_name THEN
      RAISE EXCEPTION 'table % is protected by a column "%" that it does not have any more',
                      TG_RELID::regclass, column_name
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
  old_parent := old_row ->> parent_column;
  new_parent := new_row ->> parent_column;

  IF new_project IS NOT NULL AND new_row -> project_column <> old_row -> project_column
     AND NOT @extschema@.seeme_has_permission(update_code, project => new_project) THEN
    place := 'project';
  ELSIF new_team IS NOT NULL AND new_row -> team_column <> old_row -> team_column
     AND NOT (@extschema@.seeme_has_permission(update_code, team => new_team)
              OR seeme.lies_in(NULL, new_team, new_project)) THEN
    place := 'team';
  ELSIF new_organization IS NOT NULL
     AND new_row -> organization_column <> old_row -> organization_column
     AND NOT (@extschema@.seeme_has_permission(update_code, organization => new_organization)
              OR seeme.lies_in(new_organization, new_team, new_project)) THEN
    place := 'organization';
  ELSIF new_resource IS NOT NULL AND new_row -> resource_id_column <> old_row -> resource_id_column
     AND NOT (holds_resource AND seeme.may_claim(update_code, type, new_resource)
              OR @extschema@.seeme_has_permission(update_code, resource => new_resource,
                                                  resource_type => type)) THEN
    place := type;
  ELSIF new_parent IS NOT NULL AND new_row -> parent_column <> old_row -> parent_column
     AND NOT seeme.may_hang_on(update_code, TG_RELID, new_parent) THEN
    place := 'parent';
  END IF;
  IF place IS NOT NULL THEN
    RAISE EXCEPTION 'you do not hold % in the % that this row would move to', update_code, place
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Moving a row needs the right where it was and where it goes.';
  END IF;

  IF owner_column <> '' AND new_row -> owner_column <> old_row -> owner_column
     AND NOT ((old_row ->> owner_column)::uuid IS NOT DISTINCT FROM seeme.own_user_id(everything)
              AND CASE WHEN parent_column = '' THEN
                    seeme.ownership_counts(old_organization, old_team, old_project,
                                           (old_row ->> assigned_by)::uuid, type, owner_alone)
                  ELSE seeme.child_ownership_counts(
                         TG_RELID, old_parent, old_organization, old_team, old_project,
                         (old_row ->> assigned_by)::uuid, type, owner_alone) END
              OR old_parent IS NOT NULL AND seeme.may_hang_on(everything, TG_RELID, old_parent)
              OR @extschema@.seeme_has_permission(everything, project => old_project)
              OR @extschema@.seeme_has_permission(everything, team => old_team)
              OR @extschema@.seeme_has_permission(everything, organization => old_organization)
              OR type IS NOT NULL
                 AND @extschema@.seeme_has_permission(everything, resource => old_resource,
                                                      resource_type => type)) THEN
    RAISE EXCEPTION 'you do not hold % on this row', everything
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'A row is given to another owner by its owner, or by who may do everything '
                   'with it.';
  END IF;

  -- Ownership alone moves no row out of an organization. It takes delete in the organization that
  -- the row leaves, or update both there and in the new place. Everybody is asked, not the owner
  -- alone: an owner could otherwise give the row away first.
  -- So it is with the owner of a parent.
  IF (owner_column <> '' OR parent_column <> '')
     AND NOT seeme.may_take_row_out(delete_code, TG_RELID, old_parent, new_parent, old_organization,
                                    old_team, old_project, (old_row ->> assigned_by)::uuid,
                                    new_organization, new_team, new_project,
                                    (new_row ->> assigned_by)::uuid, type)
     AND NOT (seeme.may_take_row_out(update_code, TG_RELID, old_parent, new_parent,
                                     old_organization, old_team, old_project,
                                     (old_row ->> assigned_by)::uuid, new_organization, new_team,
                                     new_project, (new_row ->> assigned_by)::uuid, type)
              AND (@extschema@.seeme_has_permission(update_code, project => new_project)
                   OR @extschema@.seeme_has_permission(update_code, team => new_team)
                   OR @extschema@.seeme_has_permission(update_code,
                                                       organization => new_organization)
                   OR type IS NOT NULL
                      AND @extschema@.seeme_has_permission(update_code, resource => new_resource,
                                                           resource_type => type)
                   OR new_parent IS NOT NULL
                      AND seeme.may_hang_on(update_code, TG_RELID, new_parent))) THEN
    RAISE EXCEPTION 'you do not hold % in the organization that this row would leave', delete_code
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Ownership alone moves no row out of an organization.';
  END IF;

  -- A row that becomes public, or a public row that moves. The condition (seeme.publish_condition)
  -- is about the new row: its place is where others will find it.
  IF (new_row ->> public_column)::boolean
     AND ((old_row ->> public_column)::boolean IS NOT TRUE
          OR EXISTS (SELECT FROM unnest(TG_ARGV[3:6] || parent_column) AS c
                      WHERE new_row -> c <> old_row -> c)) THEN
    EXECUTE format('SELECT %s FROM (SELECT ($1).*) AS r', TG_ARGV[12]) INTO may_publish
      USING jsonb_populate_record(NEW, computed);
    IF may_publish IS NOT TRUE THEN
      RAISE EXCEPTION 'you do not hold % where this row would be public',
                      seeme.publishing_code(TG_ARGV[0])
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Making a row public is granting access to it: everybody may read it then.';
    END IF;
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.check_moved_row() IS
  'Trigger on protected tables: a row that moves needs update where it goes, a change of owner '
  'needs everything, ownership alone takes no row out of an organization, and a row becomes public '
  'only by who may share it';
