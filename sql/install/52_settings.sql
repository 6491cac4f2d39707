-- What a settings page asks: which roles may be handed out somewhere, and what a role covers.

-- SECURITY DEFINER: a person who holds all that a role holds may hand it out, whether or not they
-- see the roles of the organization. So the list has exactly what an INSERT accepts.
CREATE FUNCTION @extschema@.seeme_assignable_roles(
  organization uuid = NULL, team uuid = NULL, project uuid = NULL)
RETURNS TABLE (role_id uuid, name text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  home uuid := organization;
BEGIN
  IF num_nonnulls(organization, team, project) > 1 THEN
    RAISE EXCEPTION 'more than one scope is given'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give one of organization, team and project: the narrowest says it all.';
  END IF;
  IF NOT seeme.manages_membership(organization, team, project) THEN
    RETURN;
  END IF;
  IF project IS NOT NULL THEN
    home := (SELECT p.organization_id FROM seeme.projects p WHERE p.id = project);
  ELSIF team IS NOT NULL THEN
    home := (SELECT t.organization_id FROM seeme.teams t WHERE t.id = team);
  END IF;
  RETURN QUERY
    SELECT r.id, r.name FROM seeme.roles r
     WHERE (r.organization_id IS NULL OR r.organization_id = home)
       AND r.id <> seeme.owner_role()
       AND cardinality(seeme.missing_permissions('{}', r.id, organization, team, project)) = 0
     ORDER BY r.name COLLATE "C", r.id;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_assignable_roles(uuid, uuid, uuid) IS
  'The roles that the asking person may give a member of an organization, team or project: the '
  'built-in ones and the organization''s own of which they hold all permissions there (rule 7.1). '
  'Never Owner. No rows for a person who may not add a member there.';

-- Row-level security decides which roles are seen.
CREATE FUNCTION @extschema@.seeme_role_permissions(role_id uuid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT ARRAY(
    SELECT p.name FROM seeme.permissions p
     WHERE NOT p.is_wildcard
       AND r.permissions && ARRAY['*', p.name, p.resource || ':*', '*:' || p.action]
     ORDER BY p.name COLLATE "C")
    FROM seeme.roles r WHERE r.id = role_id);
COMMENT ON FUNCTION @extschema@.seeme_role_permissions(uuid) IS
  'The concrete permission codes that a role covers today, sorted: wildcards are expanded to the '
  'registered codes. Null if there is no such role, or the asking person does not see it.';
