-- Project resources: which models, datasets, workflows, graphs and registered kinds a project groups.
-- Assigning is granting access, hence rule 7.2.

CREATE TABLE seeme.project_resources (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id    uuid NOT NULL,
  resource_type text NOT NULL REFERENCES seeme.resource_types (name),
  resource_id   uuid NOT NULL,
  resource_name text,
  created_by    uuid,
  created_at    timestamptz NOT NULL DEFAULT now(),
  organization_id uuid NOT NULL,
  had_row       boolean NOT NULL DEFAULT false,
  CONSTRAINT project_resources_organization FOREIGN KEY (project_id, organization_id)
    REFERENCES seeme.projects (id, organization_id) ON DELETE CASCADE,
  CONSTRAINT project_resources_project_and_resource_key UNIQUE (project_id, resource_type, resource_id)
);
CREATE INDEX project_resources_resource_idx ON seeme.project_resources (resource_id, resource_type) INCLUDE (project_id);
COMMENT ON TABLE seeme.project_resources IS 'The resources that projects group; one may be in several';
COMMENT ON COLUMN seeme.project_resources.id IS 'Unique id';
COMMENT ON COLUMN seeme.project_resources.project_id IS 'The project';
COMMENT ON COLUMN seeme.project_resources.resource_type IS 'Type: model, dataset, workflow, graph, or a registered one';
COMMENT ON COLUMN seeme.project_resources.resource_id IS 'The id of the resource in the application''s table';
COMMENT ON COLUMN seeme.project_resources.resource_name IS 'Name of the resource: that of the protected table''s row where there is one, else as it was given';
COMMENT ON COLUMN seeme.project_resources.organization_id IS 'The project''s organization; filled in';
COMMENT ON COLUMN seeme.project_resources.created_by IS 'The person who assigned it; null: privileged code';
COMMENT ON COLUMN seeme.project_resources.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.project_resources.had_row IS
  'Whether a protected table had the row of the resource when it was assigned, or that was found later; filled in. A row that came after the assignment gives nobody a right to share, rename or forget the resource';

-- Where a resource was assigned when it left its last project, so that what was assigned once is not up for grabs.
CREATE TABLE seeme.released_resources (
  resource_type   text NOT NULL,
  resource_id     uuid NOT NULL,
  organization_id uuid NOT NULL,
  project_id      uuid NOT NULL,
  released_at     timestamptz NOT NULL DEFAULT now(),
  had_row         boolean NOT NULL DEFAULT false,
  PRIMARY KEY (resource_type, resource_id)
);
COMMENT ON TABLE seeme.released_resources IS
  'Resources that were assigned once and are in no project now: who may share them where they were last may assign them again. Ids only, of things that may be gone.';
COMMENT ON COLUMN seeme.released_resources.resource_type IS 'Type, as it was assigned';
COMMENT ON COLUMN seeme.released_resources.resource_id IS 'The id of the resource in the application''s table';
COMMENT ON COLUMN seeme.released_resources.organization_id IS 'The organization of the project that it left last';
COMMENT ON COLUMN seeme.released_resources.project_id IS 'The project that it left last';
COMMENT ON COLUMN seeme.released_resources.released_at IS 'When it left it';
COMMENT ON COLUMN seeme.released_resources.had_row IS 'Whether a protected table had its row, as in project_resources';
ALTER TABLE seeme.released_resources ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE FUNCTION seeme.share_code(resource_type text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.resource || CASE WHEN EXISTS (SELECT FROM seeme.permissions p WHERE p.name = t.resource || ':share')
                            THEN ':share' ELSE ':update' END
    FROM seeme.resource_types t WHERE t.name = resource_type
$$;
COMMENT ON FUNCTION seeme.share_code(text) IS 'What assigning a resource of that type needs on the resource itself: its share, or update where there is no share';

CREATE FUNCTION seeme.is_assigned_by_now(resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_is_assigned_by_now';
COMMENT ON FUNCTION seeme.is_assigned_by_now(text, uuid) IS
  'Whether a resource is assigned to any project: waits for whoever is assigning it, and keeps others from assigning it first until the row that is being added is there';

CREATE FUNCTION seeme.release_name() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_release_name_after';
COMMENT ON FUNCTION seeme.release_name() IS 'Trigger: the rows are there, so that others see what was made';

-- Rule 7.2, asked of the identified person.
CREATE FUNCTION seeme.may_assign(resource_type text, resource_id uuid, project_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  share     text := seeme.share_code(resource_type);
  protected seeme.protected_tables;
  released  seeme.released_resources;
  is_protected boolean := false;
  is_allowed boolean := false;
  had_row    boolean;
BEGIN
  IF @extschema@.seeme_has_permission(share, resource => resource_id, resource_type => resource_type) THEN
    RETURN true;
  END IF;
  -- Where a table of such resources is protected, the row itself decides, by its own scope columns or its owner. Where several
  -- tables have a row of it each does: else whoever may put a row into one of them would share what another one holds.
  FOR protected IN
    SELECT * FROM seeme.protected_tables p WHERE p.resource_type = may_assign.resource_type AND p.holds_resource
  LOOP
    is_protected := true;
    IF seeme.every_row(protected.table_name, protected.id_column, resource_id, seeme.row_condition(protected, share)) THEN
      is_allowed := true;
    ELSIF seeme.every_row(protected.table_name, protected.id_column, resource_id) THEN
      RETURN false;  -- there are rows, and one of them does not allow it
    END IF;
  END LOOP;
  -- A row that came after the assignment says nothing of the resource: anybody may have made one with that id.
  had_row := seeme.had_row(resource_type, resource_id);
  IF is_protected AND coalesce(had_row, true) THEN
    RETURN is_allowed;
  END IF;
  -- Nobody else assigns the same resource for the first time meanwhile.
  IF seeme.is_assigned_by_now(resource_type, resource_id) THEN
    RETURN false;
  END IF;
  SELECT * INTO released FROM seeme.released_resources r
   WHERE r.resource_type = may_assign.resource_type AND r.resource_id = may_assign.resource_id;
  IF FOUND THEN
    RETURN @extschema@.seeme_has_permission(share, project => released.project_id)
        OR @extschema@.seeme_has_permission(share, organization => released.organization_id);
  END IF;
  IF seeme.was_released(resource_type, resource_id) THEN
    RAISE EXCEPTION 'could not serialize access due to a concurrent change of assignments'
      USING ERRCODE = 'serialization_failure', HINT = 'Try the transaction again.';
  END IF;
  -- Had it been released meanwhile, this would have been found above.
  RETURN NOT is_protected AND @extschema@.seeme_has_permission(split_part(share, ':', 1) || ':create', project => project_id);
END $$;
COMMENT ON FUNCTION seeme.may_assign(text, uuid, uuid) IS
  'Rule 7.2: whether the asking person may assign the resource, apart from projects:update on the project';

CREATE FUNCTION seeme.name_of_resource(resource_type text, resource_id uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT min(left(seeme.text_of_row(t.table_name, t.id_column, resource_id, t.name_column), 1000))
            FROM seeme.protected_tables t
           WHERE t.resource_type = name_of_resource.resource_type AND t.holds_resource AND t.name_column IS NOT NULL);
END $$;
COMMENT ON FUNCTION seeme.name_of_resource(text, uuid) IS 'The name that the protected table''s row has; null where there is none';

-- Asked once the assignment is allowed. A row that came after an earlier one is taken for the resource's own where whoever may share
-- the resource may share that row, too.
CREATE FUNCTION seeme.has_row_now(resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  share     text;
  protected seeme.protected_tables;
  found_row boolean := false;
BEGIN
  IF seeme.had_row(resource_type, resource_id) THEN
    RETURN true;
  END IF;
  IF seeme.is_unidentified() OR seeme.had_row(resource_type, resource_id) IS NULL THEN
    RETURN seeme.is_in_table(resource_type, resource_id);
  END IF;
  share := seeme.share_code(resource_type);
  FOR protected IN
    SELECT * FROM seeme.protected_tables p WHERE p.resource_type = has_row_now.resource_type AND p.holds_resource
  LOOP
    IF seeme.every_row(protected.table_name, protected.id_column, resource_id, seeme.row_condition(protected, share)) THEN
      found_row := true;
    ELSIF seeme.every_row(protected.table_name, protected.id_column, resource_id) THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN found_row;
END $$;
COMMENT ON FUNCTION seeme.has_row_now(text, uuid) IS
  'Whether a protected table''s row is that of a resource which is being assigned: it was there at the first assignment, or may be shared by whoever assigns the resource again';

CREATE FUNCTION seeme.authorize_assignment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_any('{projects:update}', TG_RELID, NULL, NULL, NEW.project_id);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_assignment() IS 'Trigger: who may assign a resource to a project at all; before, and after a wait';

CREATE FUNCTION seeme.enforce_assignment_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM FROM seeme.resource_types t WHERE t.name = NEW.resource_type;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'resource type "%" is not registered', left(NEW.resource_type, 100)
      USING ERRCODE = 'foreign_key_violation',
            HINT = format('Registered are: %s.', (SELECT string_agg(name, ', ' ORDER BY name COLLATE "C") FROM seeme.resource_types));
  END IF;
  NEW.organization_id := (SELECT p.organization_id FROM seeme.projects p WHERE p.id = NEW.project_id);
  IF NEW.organization_id IS NULL THEN
    RAISE EXCEPTION 'there is no such project' USING ERRCODE = 'foreign_key_violation';
  END IF;
  NEW.resource_name := coalesce(seeme.name_of_resource(NEW.resource_type, NEW.resource_id),
                                seeme.checked_text(NEW.resource_name, 'resource_name', 1000));
  IF NOT seeme.is_unidentified() THEN
    NEW.created_by := @extschema@.seeme_user_id();
    IF NOT coalesce(seeme.may_assign(NEW.resource_type, NEW.resource_id, NEW.project_id), false) THEN
      RAISE EXCEPTION 'you do not hold % on this %', seeme.share_code(NEW.resource_type), NEW.resource_type
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Assigning a resource grants access to it: it takes the right to share it, or its ownership.';
    END IF;
  END IF;
  NEW.had_row := seeme.has_row_now(NEW.resource_type, NEW.resource_id);
  IF NEW.had_row THEN
    UPDATE seeme.project_resources r SET had_row = true
     WHERE (r.resource_type, r.resource_id) = (NEW.resource_type, NEW.resource_id) AND NOT r.had_row;
  END IF;
  DELETE FROM seeme.released_resources r WHERE (r.resource_type, r.resource_id) = (NEW.resource_type, NEW.resource_id);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.enforce_assignment_rules() IS 'Trigger: rule 7.2';

CREATE FUNCTION seeme.release_resource() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF NOT seeme.is_assigned(OLD.resource_type, OLD.resource_id) THEN
    INSERT INTO seeme.released_resources AS r (resource_type, resource_id, organization_id, project_id, had_row)
    VALUES (OLD.resource_type, OLD.resource_id, OLD.organization_id, OLD.project_id, OLD.had_row)
    ON CONFLICT (resource_type, resource_id) DO UPDATE
      SET organization_id = excluded.organization_id, project_id = excluded.project_id, released_at = now(), had_row = excluded.had_row;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.release_resource() IS 'Trigger: remembers where a resource was that is in no project any more';

CREATE TRIGGER authorize BEFORE INSERT ON seeme.project_resources
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_assignment();
CREATE TRIGGER prepare BEFORE INSERT ON seeme.project_resources
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_assignment_rules();
-- The INSERT may have waited for whoever was taking the same resource out of the project.
CREATE TRIGGER authorize_added AFTER INSERT ON seeme.project_resources
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_assignment();
CREATE TRIGGER release_name AFTER INSERT ON seeme.project_resources
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.release_name();
CREATE TRIGGER release AFTER DELETE ON seeme.project_resources
  FOR EACH ROW EXECUTE FUNCTION seeme.release_resource();

ALTER TABLE seeme.project_resources ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.project_resources FOR SELECT USING (
  @extschema@.seeme_has_permission('projects:read', project => project_id));
CREATE POLICY seeme_insert ON seeme.project_resources FOR INSERT WITH CHECK (
  @extschema@.seeme_has_permission('projects:update', project => project_id));
SELECT seeme.create_write_policy('seeme.project_resources', 'DELETE',
  '@extschema@.seeme_has_permission(''projects:update'', project => project_id)');

SELECT pg_extension_config_dump('seeme.project_resources', '');
SELECT pg_extension_config_dump('seeme.released_resources', '');
