-- The decision and every other form of the same question (src/core/evaluator.c and its callers).

CREATE FUNCTION seeme.plan_has_permission(internal) RETURNS internal
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'seeme_plan_has_permission';
COMMENT ON FUNCTION seeme.plan_has_permission(internal) IS
  'Planner support: seeme_has_permission on an indexed column as column = ANY (seeme_permitted_...), and how many rows it lets through';

-- Its cost is that of a check from memory.
CREATE FUNCTION @extschema@.seeme_has_permission(
  permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 1 SUPPORT seeme.plan_has_permission AS 'MODULE_PATHNAME', 'seeme_has_permission';
COMMENT ON FUNCTION @extschema@.seeme_has_permission(text, uuid, uuid, uuid, uuid, text) IS
  'Whether the asking person holds a permission code in exactly one scope. A null scope is false, two are an error, an unregistered code is an error (22023). resource_type defaults to the type whose resource the code names. A wildcard (datasets:*) is held if each of its actions is.';

CREATE FUNCTION seeme.has_both(
  permission text, other text, organization uuid, team uuid, project uuid, resource uuid, resource_type text) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'seeme_has_both';
COMMENT ON FUNCTION seeme.has_both(text, text, uuid, uuid, uuid, uuid, text) IS
  'Whether the asking person holds two permission codes in one scope: what two calls of seeme_has_permission say, and with the same errors. The planner has it take the place of two policies'' calls, as of an UPDATE.';

CREATE FUNCTION @extschema@.seeme_user_has_permission(
  user_id uuid, permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_user_has_permission';
COMMENT ON FUNCTION @extschema@.seeme_user_has_permission(uuid, text, uuid, uuid, uuid, uuid, text) IS
  'As seeme_has_permission, about another person. Told about oneself always; about others to who may manage members of that scope, else false.';

CREATE FUNCTION @extschema@.seeme_permissions(
  organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_permissions';
COMMENT ON FUNCTION @extschema@.seeme_permissions(uuid, uuid, uuid, uuid, text) IS
  'The concrete permission codes that the asking person holds in a scope, sorted. A resource without a type: of every type under that id.';

CREATE FUNCTION @extschema@.seeme_permitted_organizations(permission text) RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_permitted_organizations';
COMMENT ON FUNCTION @extschema@.seeme_permitted_organizations(text) IS
  'The organizations in which the asking person holds a permission code, sorted';

CREATE FUNCTION @extschema@.seeme_permitted_teams(permission text) RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_permitted_teams';
COMMENT ON FUNCTION @extschema@.seeme_permitted_teams(text) IS
  'The teams in which the asking person holds a permission code, sorted';

CREATE FUNCTION @extschema@.seeme_permitted_projects(permission text) RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_permitted_projects';
COMMENT ON FUNCTION @extschema@.seeme_permitted_projects(text) IS
  'The projects in which the asking person holds a permission code, sorted';

CREATE FUNCTION @extschema@.seeme_permitted_resources(permission text, resource_type text = NULL) RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_permitted_resources';
COMMENT ON FUNCTION @extschema@.seeme_permitted_resources(text, text) IS
  'The resources of a type (by default the one that the code names) on which the asking person holds a permission code through their assignment to projects, sorted';

CREATE FUNCTION @extschema@.seeme_permitted_users(
  permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS SETOF uuid
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'seeme_permitted_users';
COMMENT ON FUNCTION @extschema@.seeme_permitted_users(text, uuid, uuid, uuid, uuid, text) IS
  'Who holds a permission code in a scope: told to who may manage members there, else nothing but oneself';

CREATE FUNCTION @extschema@.seeme_explain_permission(
  user_id uuid, permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL)
RETURNS TABLE (granted boolean, source text, scope_id uuid, role_id uuid, role_name text, matched text, detail text)
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 5 AS 'MODULE_PATHNAME', 'seeme_explain_permission';
COMMENT ON FUNCTION @extschema@.seeme_explain_permission(uuid, text, uuid, uuid, uuid, uuid, text) IS
  'Why a person does or does not hold a permission code in a scope: a row per path (source: owner, organization, team, project or none), whether it grants, by which entry of which role, and what stands in its way. Told about oneself always; about others only for paths through what one may manage members of.';

CREATE FUNCTION seeme.holders(
  organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL)
RETURNS TABLE (user_id uuid, permissions text[])
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'seeme_holders';
COMMENT ON FUNCTION seeme.holders(uuid, uuid, uuid, uuid, text) IS
  'Everybody who holds a permission in a scope, and which ones. The same people are told as by '
  'seeme_permitted_users.';

-- What policies and triggers ask besides. Application roles are granted those that policies call: these tell only of what
-- the asking person belongs to.

CREATE FUNCTION seeme.own_organizations() RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_own_organizations';
COMMENT ON FUNCTION seeme.own_organizations() IS
  'The organizations that the asking person owns or has a membership in, current or not, as far as their API key reaches; sorted. What they see of access lies in these.';

CREATE FUNCTION seeme.missing_permissions(
  codes text[], role_id uuid, organization uuid, team uuid = NULL, project uuid = NULL) RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_missing_permissions';
COMMENT ON FUNCTION seeme.missing_permissions(text[], uuid, uuid, uuid, uuid) IS
  'Rule 7.1: which of these entries, and of this role''s, the asking person does not hold in the narrowest scope given. A wildcard counts as held only through itself or a wider one. Empty when nobody is identified.';

CREATE FUNCTION seeme.lies_in(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_lies_in';
COMMENT ON FUNCTION seeme.lies_in(uuid, uuid, uuid) IS
  'Whether the project (or, without one, the team) lies in the given team and organization, of which the asking person is a member; null arguments do not count';

CREATE FUNCTION seeme.check_code(code text) RETURNS void
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_check_code';
COMMENT ON FUNCTION seeme.check_code(text) IS
  'Raises 22023 with the nearest code as a hint unless the code is registered, or a wildcard that covers a registered one';

CREATE FUNCTION seeme.is_assigned(resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_is_assigned';
COMMENT ON FUNCTION seeme.is_assigned(text, uuid) IS
  'Whether a resource is assigned to any project by what is committed now, whatever snapshot the transaction has';

CREATE FUNCTION seeme.has_memberships(organization uuid, user_id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_has_memberships';
COMMENT ON FUNCTION seeme.has_memberships(uuid, uuid) IS
  'Whether a person has any membership left in an organization by what is committed now, whatever snapshot the transaction has';

CREATE FUNCTION seeme.may_claim(permission text, resource_type text, resource uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_claim';
COMMENT ON FUNCTION seeme.may_claim(text, text, uuid) IS
  'Whether the asking person may give a row this id of a resource: it is assigned to no project, or they hold the permission on it';

CREATE FUNCTION seeme.plan_ownership_counts(internal) RETURNS internal
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'seeme_plan_ownership_counts';
COMMENT ON FUNCTION seeme.plan_ownership_counts(internal) IS
  'Planner support: that an owner belongs to where the row lies is the rule, and lets no fewer rows through';

-- Asked of the asking person's own rows alone, and answered from memory: its cost is that of a check.
CREATE FUNCTION seeme.ownership_counts(
  organization uuid, team uuid, project uuid, resource uuid, resource_type text, alone boolean) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 1 SUPPORT seeme.plan_ownership_counts AS 'MODULE_PATHNAME', 'seeme_ownership_counts';
COMMENT ON FUNCTION seeme.ownership_counts(uuid, uuid, uuid, uuid, text, boolean) IS
  'Whether the asking person may be the owner of a row that lies there: owns, or is a current member of, each organization that the ids name and, where the resource is assigned, at least one that it is assigned in. A null names nothing, an id of nothing is nobody''s. Where nothing is named, alone says it.';

CREATE FUNCTION seeme.may_take_out(
  permission text, organization uuid, team uuid, project uuid, resource uuid,
  new_organization uuid, new_team uuid, new_project uuid, new_resource uuid, resource_type text) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_take_out';
COMMENT ON FUNCTION seeme.may_take_out(text, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, text) IS
  'Whether the asking person may move a row from the first four ids to the other four: holds the permission in each organization that it leaves by that, and belongs to each that it stays in';

CREATE FUNCTION seeme.had_row(resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_had_row';
COMMENT ON FUNCTION seeme.had_row(text, uuid) IS
  'Whether a protected table had the row of a resource when it was assigned, or that was found later, by what is committed now; null for a resource that is in no project and never was';

CREATE FUNCTION seeme.was_released(resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_was_released';
COMMENT ON FUNCTION seeme.was_released(text, uuid) IS
  'Whether a resource was assigned once and is not now, by what is committed now, whatever snapshot the transaction has';

CREATE FUNCTION seeme.missing_in_team(team uuid, project uuid) RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_missing_in_team';
COMMENT ON FUNCTION seeme.missing_in_team(uuid, uuid) IS
  'Rule 7.1: what the roles of a team''s members hold and the asking person does not hold in the project';

CREATE FUNCTION seeme.missing_below(organization uuid, user_id uuid) RETURNS text[]
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_missing_below';
COMMENT ON FUNCTION seeme.missing_below(uuid, uuid) IS
  'Rule 7.1: what a person''s roles in teams and projects of an organization hold and the asking person does not hold there';

CREATE FUNCTION seeme.every_row(relation regclass, id_column name, id uuid, condition text = 'true') RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_every_row';
COMMENT ON FUNCTION seeme.every_row(regclass, name, uuid, text) IS
  'Whether a table has rows with this id, and the condition is true of each, by what is committed now. Looks with the rights of the table''s owner, whose code may run.';

CREATE FUNCTION seeme.could_invite(
  inviter uuid, inviter_membership_id uuid, role_id uuid, organization uuid, team uuid, project uuid, outsider boolean) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_could_invite';
COMMENT ON FUNCTION seeme.could_invite(uuid, uuid, uuid, uuid, uuid, uuid, boolean) IS
  'Whether a person, at this moment, has this membership of the organization yet, may add members in the narrowest scope given (and in the organization, when it is an outsider who comes), and holds all that the role holds there: rules 7.1, 7.7 and 7.10 when an invitation is accepted';

CREATE FUNCTION seeme.email_for(permission text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_email_for';
COMMENT ON FUNCTION seeme.email_for(text) IS
  'The e-mail address of seeme.user_for(permission), by what is committed now, whatever snapshot the transaction has';

CREATE FUNCTION seeme.membership_in(organization uuid, user_id uuid) RETURNS uuid
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_membership_in';
COMMENT ON FUNCTION seeme.membership_in(uuid, uuid) IS
  'The membership of a person in an organization itself, by what is committed now, whatever snapshot the transaction has; null when there is none';

CREATE FUNCTION seeme.why_key_is_silent(key_id uuid) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_why_key_is_silent';
COMMENT ON FUNCTION seeme.why_key_is_silent(uuid) IS
  'Rule 7.7: why an API key does not count, because who made it could not make it now; null when it counts';

CREATE FUNCTION seeme.random_token(prefix text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_random_token';
COMMENT ON FUNCTION seeme.random_token(text) IS 'The prefix and 256 bits from the strong random source, in hexadecimal';

CREATE FUNCTION seeme.is_superuser() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_is_superuser';
COMMENT ON FUNCTION seeme.is_superuser() IS 'Whether the role outside of any SECURITY DEFINER function is a superuser';

CREATE FUNCTION seeme.is_retired(id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_is_retired';
COMMENT ON FUNCTION seeme.is_retired(uuid) IS
  'Whether an id was that of something deleted, by what is committed now, whatever snapshot the transaction has';

CREATE FUNCTION seeme.bypasses_row_security() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_bypasses_row_security';
COMMENT ON FUNCTION seeme.bypasses_row_security() IS
  'Whether the role outside of any SECURITY DEFINER function is a superuser or has BYPASSRLS';

CREATE FUNCTION seeme.text_of_row(relation regclass, id_column name, id uuid, text_column name) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_text_of_row';
COMMENT ON FUNCTION seeme.text_of_row(regclass, name, uuid, name) IS
  'What a text column says in the row with this id, by what is committed now, looked at with the rights of the table''s owner; null when there is no such row or column';
