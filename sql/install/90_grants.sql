-- The grants for application roles. Then, after all tables exist: the triggers that log and watch
-- them, and the revocation of every privilege of PUBLIC.

CREATE FUNCTION seeme.set_grants(role_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF role_name IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role_name) THEN
    RAISE EXCEPTION 'role "%" does not exist', coalesce(role_name, '(null)')
      USING ERRCODE = 'undefined_object',
            HINT = 'Make it by CREATE ROLE first. PUBLIC is not a role.';
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA seeme, @extschema@ TO %I', role_name);
END $$;
COMMENT ON FUNCTION seeme.set_grants(name) IS
  'Grants an existing role USAGE on the schemas; 42704 if no role has this name';

CREATE FUNCTION @extschema@.seeme_grant_usage(role_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  routine regprocedure;
BEGIN
  PERFORM seeme.set_grants(role_name);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON seeme.organizations, seeme.teams,
    seeme.projects, seeme.roles, seeme.memberships, seeme.organization_members, seeme.team_members,
    seeme.project_members, seeme.logos TO %I', role_name);
  EXECUTE format('GRANT SELECT, INSERT, DELETE ON seeme.project_resources TO %I', role_name);
  EXECUTE format('GRANT SELECT ON seeme.users, seeme.permissions, seeme.resource_types,
    seeme.audit_log TO %I', role_name);
  EXECUTE format('GRANT SELECT, DELETE ON seeme.pending_members TO %I', role_name);
  EXECUTE format('GRANT SELECT ON seeme.api_key_uses TO %I', role_name);
  -- The hashes of tokens and keys are never readable.
  EXECUTE format('GRANT SELECT (id, user_id, organization_id, permissions, expires_at, name,
    key_prefix, created_by, created_at), DELETE ON seeme.api_keys TO %I', role_name);
  EXECUTE format('GRANT SELECT (id, organization_id, team_id, project_id, email, role_id,
    invited_by,
    expires_at, accepted_at, membership_id, created_at), DELETE ON seeme.invitations TO %I',
    role_name);
  FOREACH routine IN ARRAY ARRAY[
    '@extschema@.seeme_user_id()', '@extschema@.seeme_actor_id()',
    '@extschema@.seeme_has_permission(text,uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_user_has_permission(uuid,text,uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_permissions(uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_permitted_organizations(text)',
    '@extschema@.seeme_permitted_teams(text)',
    '@extschema@.seeme_permitted_projects(text)',
    '@extschema@.seeme_permitted_resources(text,text)',
    '@extschema@.seeme_permitted_users(text,uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_explain_permission(uuid,text,uuid,uuid,uuid,uuid,text)',
    '@extschema@.seeme_current_user_context()',
    '@extschema@.seeme_transfer_ownership(uuid,uuid)',
    '@extschema@.seeme_invite(text,uuid,uuid,uuid,uuid,interval)',
    '@extschema@.seeme_accept_invitation(text)',
    '@extschema@.seeme_accept_invitation_by_id(uuid)',
    '@extschema@.seeme_assignable_roles(uuid,uuid,uuid)',
    '@extschema@.seeme_role_permissions(uuid)',
    '@extschema@.seeme_review(uuid,interval)',
    '@extschema@.seeme_login(text)', '@extschema@.seeme_login(text,boolean)',
    '@extschema@.seeme_logout()',
    '@extschema@.seeme_create_api_key(text,text[],uuid,uuid,interval)',
    '@extschema@.seeme_permission_matrix(uuid,uuid,uuid)',
    '@extschema@.seeme_uuid(text,text)', '@extschema@.seeme_uuid(text,bigint)',
    -- Policies, views and triggers call these as the role that runs the query.
    'seeme.has_both_permissions(text,text,uuid,uuid,uuid,uuid,text)', 'seeme.is_unidentified()',
    'seeme.check_like_pattern("any")', 'seeme.check_search_pattern("any")',
    'seeme.restoring()', 'seeme.provisions_users()', 'seeme.bypasses_row_security()',
    'seeme.may_archive(uuid,uuid,uuid,timestamptz)', 'seeme.may_bring_back(uuid)',
    'seeme.may_archive_row(uuid,uuid,uuid)', 'seeme.sees_unused(uuid,uuid,uuid)',
    'seeme.is_in_use(uuid,uuid,uuid)',
    'seeme.unused_roles(uuid[])', 'seeme.members_without_role(uuid[])', 'seeme.uses_api_key()',
    'seeme.own_user_id(text)', 'seeme.owns_row(text,uuid,uuid,uuid,uuid,text,uuid,boolean)',
    'seeme.ownership_counts(uuid,uuid,uuid,uuid,text,boolean)',
    'seeme.parent_has_permission(text,regclass,regclass,anyelement)',
    'seeme.may_hang_on(text,regclass,anyelement)',
    'seeme.permitted_parents(text,regclass,regclass,anyelement)',
    'seeme.owns_child(text,regclass,regclass,anyelement,uuid,uuid,uuid,uuid,text,uuid,boolean)',
    'seeme.child_ownership_counts(regclass,text,uuid,uuid,uuid,uuid,text,boolean)',
    'seeme.may_move_child_out(text,regclass,text,text,uuid,uuid,uuid,uuid,uuid,uuid,uuid,uuid,'
    'text)',
    'seeme.may_take_row_out(text,regclass,text,text,uuid,uuid,uuid,uuid,uuid,uuid,uuid,uuid,'
    'text)',
    'seeme.may_move_out(text,uuid,uuid,uuid,uuid,uuid,uuid,uuid,uuid,text)',
    'seeme.holds_throughout(text[],uuid)', 'seeme.organizations_held(text[])',
    'seeme.holds_below(text[],uuid,uuid)', 'seeme.teams_held(text[])',
    'seeme.projects_held(text[])', 'seeme.is_member(uuid)', 'seeme.member_organizations()',
    'seeme.is_direct_member(uuid,uuid)', 'seeme.member_teams()', 'seeme.member_projects()',
    'seeme.has_effective_role(uuid)', 'seeme.effective_roles()', 'seeme.sees_user(uuid)',
    'seeme.users_seen()', 'seeme.own_organizations()', 'seeme.own_email_key()',
    'seeme.holders(uuid,uuid,uuid,uuid,text)', 'seeme.lies_in(uuid,uuid,uuid)',
    'seeme.may_claim(text,text,uuid)', 'seeme.publishing_code(text)', 'seeme.is_invited(text)',
    'seeme.may_change(uuid,uuid,uuid)',
    'seeme.sees_membership(uuid,uuid,uuid,uuid)', 'seeme.manages_membership(uuid,uuid,uuid)',
    'seeme.membership_role_name(uuid)', 'seeme.invitation_role_name(uuid)',
    'seeme.email_key(text)', 'seeme.require_any(text[],regclass,uuid,uuid,uuid)']::regprocedure[]
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', routine, role_name);
  END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_grant_usage(name) IS
  'Grants an application''s database role the schema, the tables and the functions that it needs. '
  'Which rows it sees and changes is up to the policies. seeme_assume and seeme_act_for are not '
  'included: grant them separately.';

CREATE FUNCTION seeme.skip_restored_foreign_keys() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_skip_restored_foreign_keys';
COMMENT ON FUNCTION seeme.skip_restored_foreign_keys() IS
  'Trigger: while a dump is restored, the rows of one INSERT or COPY are accepted without looking '
  'up the rows of the extension that they refer to. pg_restore --jobs loads the tables in any '
  'order.';

CREATE FUNCTION @extschema@.seeme_grant_provisioning(role_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.set_grants(role_name);
  -- Not database_role, is_service and service_organization_id: a role that writes them can become
  -- the person, or a service.
  EXECUTE format('GRANT SELECT, DELETE,
    INSERT (id, username, email, firstname, name, disabled_at, email_verified_at,
            tokens_valid_from),
    UPDATE (username, email, firstname, name, disabled_at, email_verified_at, tokens_valid_from)
    ON seeme.users TO %I', role_name);
  EXECUTE format('GRANT EXECUTE ON FUNCTION @extschema@.seeme_user_id(), seeme.is_unidentified(),
    seeme.restoring(), seeme.provisions_users(), seeme.sees_user(uuid), seeme.users_seen(),
    seeme.email_key(text), seeme.own_user_id(text),
    @extschema@.seeme_uuid(text, text), @extschema@.seeme_uuid(text, bigint) TO %I',
    role_name);
END $$;
COMMENT ON FUNCTION @extschema@.seeme_grant_provisioning(name) IS
  'Lets a database role (for example of sign-up or SCIM) add, change, disable and remove users '
  'while nobody is identified, and nothing else. Only a database administrator may set '
  'database_role, is_service and service_organization_id.';

-- Two kinds of code run with the rights of the owner of the extension's tables: triggers on them,
-- when the extension's functions write; and the type conversion of a referencing column, when
-- PostgreSQL checks a foreign key to them. A role that was granted TRIGGER or REFERENCES by
-- mistake must not get its own code run by either.
CREATE FUNCTION seeme.guard_own_tables() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF seeme.acts_as_superuser() THEN
    RETURN;
  END IF;
  IF EXISTS (
       SELECT FROM pg_event_trigger_ddl_commands() d
         JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
         JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'seeme'::regnamespace) THEN
    RAISE EXCEPTION 'the tables of the schema seeme take no triggers of others'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF EXISTS (
       SELECT FROM pg_constraint f
         JOIN pg_class c ON c.oid = f.confrelid AND c.relnamespace = 'seeme'::regnamespace,
         unnest(f.conkey, f.confkey) AS k (referencing, referenced)
         JOIN pg_attribute a ON a.attnum = k.referencing
         JOIN pg_attribute b ON b.attnum = k.referenced
        WHERE f.contype = 'f' AND f.conrelid IN (
                SELECT d.objid FROM pg_event_trigger_ddl_commands() d
                 WHERE d.classid = 'pg_class'::regclass)
          AND a.attrelid = f.conrelid AND b.attrelid = f.confrelid
          AND a.atttypid <> b.atttypid) THEN
    RAISE EXCEPTION 'a foreign key to a table of the schema seeme is of the same type as what it '
                    'refers to'
      USING ERRCODE = 'datatype_mismatch', HINT = 'Ids are uuid.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.guard_own_tables() IS
  'Event trigger: only superusers add triggers to the extension''s tables, or foreign keys to them '
  'that need a type conversion';

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['organizations', 'teams', 'projects', 'roles', 'memberships',
                              'project_resources', 'invitations', 'users', 'permissions',
                              'resource_types', 'protected_tables', 'mirrors', 'logos', 'api_keys',
                              'token_keys',
                              'external_identities', 'trusted_functions',
                              'accepted_findings'] LOOP
    EXECUTE format('CREATE TRIGGER write_audit_log_of_insert AFTER INSERT ON seeme.%I
                      REFERENCING NEW TABLE AS added
                      FOR EACH STATEMENT EXECUTE FUNCTION seeme.write_audit_log()', name);
    EXECUTE format('CREATE TRIGGER write_audit_log_of_update AFTER UPDATE ON seeme.%I
                      REFERENCING OLD TABLE AS removed NEW TABLE AS added
                      FOR EACH STATEMENT EXECUTE FUNCTION seeme.write_audit_log()', name);
    EXECUTE format('CREATE TRIGGER write_audit_log_of_delete AFTER DELETE ON seeme.%I
                      REFERENCING OLD TABLE AS removed
                      FOR EACH STATEMENT EXECUTE FUNCTION seeme.write_audit_log()', name);
    EXECUTE format('CREATE TRIGGER write_audit_log_of_truncate AFTER TRUNCATE ON seeme.%I
                      FOR EACH STATEMENT EXECUTE FUNCTION seeme.write_audit_log()', name);
    EXECUTE format('CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON seeme.%I
                      FOR EACH STATEMENT EXECUTE FUNCTION seeme.guard_truncate()', name);
  END LOOP;
  -- Not codes, resource types and protected tables: they may exist before the first user does.
  FOREACH name IN ARRAY ARRAY['users', 'organizations', 'teams', 'projects', 'roles', 'memberships',
                              'project_resources', 'invitations', 'logos', 'api_keys',
                              'api_key_uses', 'external_identities'] LOOP
    EXECUTE format('CREATE TRIGGER note_use AFTER INSERT OR UPDATE OR DELETE ON seeme.%I
                      FOR EACH STATEMENT EXECUTE FUNCTION seeme.note_use()', name);
  END LOOP;
  -- The tables with foreign keys.
  FOR name IN
    SELECT DISTINCT c.relname FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid
     WHERE f.contype = 'f' AND c.relnamespace = 'seeme'::regnamespace
  LOOP
    EXECUTE format('CREATE TRIGGER a_restore BEFORE INSERT ON seeme.%I
                      FOR EACH STATEMENT EXECUTE FUNCTION seeme.skip_restored_foreign_keys()',
                   name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['lowered_guards', 'mirrored_rows', 'dropped_tables',
                              'always_triggers', 'in_use',
                              'released_resources', 'retired_ids', 'api_key_uses',
                              'changes_of_vocabulary', 'changes_of_places', 'changes_of_rights',
                              'changes_of_assignments'] LOOP
    EXECUTE format('CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON seeme.%I
                      FOR EACH STATEMENT EXECUTE FUNCTION seeme.guard_truncate()', name);
  END LOOP;
END $$;

SELECT seeme.watch('seeme.permissions', 'changes_of_vocabulary'),
       seeme.watch('seeme.resource_types', 'changes_of_vocabulary'),
       seeme.watch('seeme.roles', 'changes_of_vocabulary'),
       seeme.watch('seeme.users', 'changes_of_rights', 'id'),
       seeme.watch('seeme.organizations', 'changes_of_places'),
       seeme.watch('seeme.teams', 'changes_of_places'),
       seeme.watch('seeme.projects', 'changes_of_places'),
       seeme.watch('seeme.memberships', 'changes_of_rights', 'user_id'),
       seeme.watch('seeme.api_keys', 'changes_of_rights', 'user_id'),
       seeme.watch('seeme.external_identities', 'changes_of_rights'),
       seeme.watch('seeme.project_resources', 'changes_of_assignments');

-- PostgreSQL, or default privileges of this database, give PUBLIC privileges on new objects. They
-- are revoked in the same transaction, so that no other session ever saw them.
DO $$
DECLARE
  routine record;
  type    record;
BEGIN
  FOR routine IN
    SELECT d.objid::regprocedure AS signature FROM pg_depend d
     WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass
       AND d.deptype = 'e'
       AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'seeme_rbac')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', routine.signature);
  END LOOP;
  -- An array type has the privileges of its element type. The row types of tables are left out:
  -- pg_dump would complain about each.
  FOR type IN
    SELECT t.oid::regtype AS name FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
     WHERE t.typnamespace = 'seeme'::regnamespace AND t.typcategory <> 'A'
       AND coalesce(c.relkind = 'c', true)
  LOOP
    EXECUTE format('REVOKE ALL ON TYPE %s FROM PUBLIC', type.name);
  END LOOP;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA seeme FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA seeme FROM PUBLIC;
