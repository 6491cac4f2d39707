-- Permission checks, and the other functions that read the evaluator's decisions
-- (src/core/evaluator.c and its callers).

CREATE FUNCTION seeme.plan_has_permission(internal) RETURNS internal
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'seeme_plan_has_permission';
COMMENT ON FUNCTION seeme.plan_has_permission(internal) IS
  'Planner support: turns seeme_has_permission on an indexed column into column = ANY '
  '(seeme_permitted_...), and estimates how many rows pass';

-- COST 1: what a check costs once the effective permissions are cached.
CREATE FUNCTION @extschema@.seeme_has_permission(
  permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 1 SUPPORT seeme.plan_has_permission
AS 'MODULE_PATHNAME', 'seeme_has_permission';
COMMENT ON FUNCTION @extschema@.seeme_has_permission(text, uuid, uuid, uuid, uuid, text) IS
  'Whether the asking person holds a permission code in exactly one scope. If the scope is null '
  'the answer is false. Two scopes are an error, and so is an unregistered code (22023). '
  'resource_type defaults to the type whose resource the code names. A wildcard (datasets:*) is '
  'held if each of its actions is held.';

CREATE FUNCTION seeme.has_both_permissions(
  permission text, other text, organization uuid, team uuid, project uuid,
  resource uuid, resource_type text) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'seeme_has_both_permissions';
COMMENT ON FUNCTION seeme.has_both_permissions(text, text, uuid, uuid, uuid, uuid, text) IS
  'Whether the asking person holds two permission codes in one scope: the same answer, with the '
  'same errors, as two calls of seeme_has_permission. The planner puts it in the place of two '
  'policies'' calls, for example those of an UPDATE.';

CREATE FUNCTION @extschema@.seeme_user_has_permission(
  user_id uuid, permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_user_has_permission';
COMMENT ON FUNCTION @extschema@.seeme_user_has_permission(uuid, text, uuid, uuid, uuid, uuid, text)
IS
  'seeme_has_permission for another person. A person may always ask about themselves. About others '
  'the answer is false unless the asking person may manage members of that scope.';

CREATE FUNCTION @extschema@.seeme_permissions(
  organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_permissions';
COMMENT ON FUNCTION @extschema@.seeme_permissions(uuid, uuid, uuid, uuid, text) IS
  'The concrete permission codes that the asking person holds in a scope, sorted. For a resource '
  'without a type: the codes of every type under that id.';

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

CREATE FUNCTION @extschema@.seeme_permitted_resources(permission text, resource_type text = NULL)
RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_permitted_resources';
COMMENT ON FUNCTION @extschema@.seeme_permitted_resources(text, text) IS
  'The resources of a type on which the asking person holds a permission code through their '
  'assignment to projects, sorted. The type defaults to the one whose resource the code names.';

CREATE FUNCTION @extschema@.seeme_permitted_users(
  permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS SETOF uuid
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'seeme_permitted_users';
COMMENT ON FUNCTION @extschema@.seeme_permitted_users(text, uuid, uuid, uuid, uuid, text) IS
  'The people who hold a permission code in a scope. The asking person sees them all if they may '
  'manage members there, else at most themselves.';

CREATE FUNCTION @extschema@.seeme_explain_permission(
  user_id uuid, permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL)
RETURNS TABLE (granted boolean, source text, scope_id uuid, role_id uuid, role_name text,
               matched text, detail text)
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 5 AS 'MODULE_PATHNAME', 'seeme_explain_permission';
COMMENT ON FUNCTION @extschema@.seeme_explain_permission(uuid, text, uuid, uuid, uuid, uuid, text)
IS
  'Why a person does or does not hold a permission code in a scope: one row for each path (source: '
  'owner, organization, team, project or none). A row says whether the path grants the code, by '
  'which entry of which role, and what is missing. A person may always ask about themselves; about '
  'others the answer has only the paths through scopes whose members the asking person may manage.';

CREATE FUNCTION seeme.holders(
  organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL)
RETURNS TABLE (user_id uuid, permissions text[])
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'seeme_holders';
COMMENT ON FUNCTION seeme.holders(uuid, uuid, uuid, uuid, text) IS
  'The users who have a permission in a scope, with all their permissions there. Tells about the '
  'same users as seeme_permitted_users.';

-- Further questions of policies and triggers. Application roles may execute the functions that
-- policies call. These functions answer only about what the asking person belongs to.

CREATE FUNCTION seeme.own_organizations() RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_own_organizations';
COMMENT ON FUNCTION seeme.own_organizations() IS
  'The organizations that the asking person owns or has a membership in (current or not), sorted; '
  'only those that their API key reaches, if they use one. Other organizations show them nothing '
  'of their members and access.';

CREATE FUNCTION seeme.missing_permissions(
  codes text[], role_id uuid, organization uuid, team uuid = NULL, project uuid = NULL)
RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_missing_permissions';
COMMENT ON FUNCTION seeme.missing_permissions(text[], uuid, uuid, uuid, uuid) IS
  'Rule 7.1: those of the given entries and of the role''s entries that the asking person does not '
  'hold in the narrowest scope given. A wildcard is held only through itself or a wider one. Empty '
  'if nobody is identified.';

CREATE FUNCTION seeme.lies_in(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_lies_in';
COMMENT ON FUNCTION seeme.lies_in(uuid, uuid, uuid) IS
  'Whether the project (or, without one, the team) lies in the given team and organization, and '
  'the asking person is a member there. Null arguments are ignored.';

CREATE FUNCTION seeme.check_code(code text) RETURNS void
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_check_code';
COMMENT ON FUNCTION seeme.check_code(text) IS
  'Raises 22023, with the nearest code as a hint, unless the code is registered or is a wildcard '
  'that covers a registered code';

CREATE FUNCTION seeme.is_assigned(resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_is_assigned';
COMMENT ON FUNCTION seeme.is_assigned(text, uuid) IS
  'Whether a resource is assigned to a project. Reads what is committed now, whatever the '
  'transaction''s snapshot.';

CREATE FUNCTION seeme.has_memberships(organization uuid, user_id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_has_memberships';
COMMENT ON FUNCTION seeme.has_memberships(uuid, uuid) IS
  'Whether a person has a membership in an organization, its teams or its projects. Reads what is '
  'committed now, whatever the transaction''s snapshot.';

CREATE FUNCTION seeme.may_claim(permission text, resource_type text, resource uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_claim';
COMMENT ON FUNCTION seeme.may_claim(text, text, uuid) IS
  'Whether the asking person may give a row this resource id: the resource is assigned to no '
  'project, or they hold the permission on it';

CREATE FUNCTION seeme.ownership_counts(
  organization uuid, team uuid, project uuid, resource uuid, resource_type text, alone boolean)
RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_ownership_counts';
COMMENT ON FUNCTION seeme.ownership_counts(uuid, uuid, uuid, uuid, text, boolean) IS
  'Whether the asking person''s ownership of a row counts: they own, or are a current member of, '
  'each organization that the ids name and, if the resource is assigned, at least one of those '
  'that it is assigned in. A null argument names nothing; an id that does not exist counts for '
  'nobody. If the ids name nothing, the answer is the argument alone.';

CREATE FUNCTION seeme.plan_owns_row(internal) RETURNS internal
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'seeme_plan_owns_row';
COMMENT ON FUNCTION seeme.plan_owns_row(internal) IS
  'Planner support: an index on the owner column finds the rows of seeme.owns_row and '
  'seeme.owns_child. Its statistics tell how many there are';

-- The arm of a policy for the owner column. COST 1: the answer comes from the cache.
CREATE FUNCTION seeme.owns_row(
  permission text, organization uuid, team uuid, project uuid, resource uuid, resource_type text,
  owner uuid, owner_alone boolean) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 1 SUPPORT seeme.plan_owns_row
AS 'MODULE_PATHNAME', 'seeme_owns_row';
COMMENT ON FUNCTION seeme.owns_row(text, uuid, uuid, uuid, uuid, text, uuid, boolean) IS
  'Whether the asking person owns a row and belongs to where it lies: owner = '
  'seeme.own_user_id(permission) AND seeme.ownership_counts(organization, team, project, resource, '
  'resource_type, owner_alone)';

CREATE FUNCTION seeme.plan_parent_has_permission(internal) RETURNS internal
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'seeme_plan_parent_has_permission';
COMMENT ON FUNCTION seeme.plan_parent_has_permission(internal) IS
  'Planner support: turns seeme.parent_has_permission on an indexed column into column = ANY '
  '(seeme.permitted_parents(...)), and estimates how many rows pass';

CREATE FUNCTION seeme.permitted_parents(
  permission text, child regclass, parent regclass, key anyelement) RETURNS anyarray
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_permitted_parents';
COMMENT ON FUNCTION seeme.permitted_parents(text, regclass, regclass, anyelement) IS
  'The keys of the parents where the asking person holds a permission of the child''s resource. '
  'For index conditions that the planner makes: 42501 for a call in a query. The last argument is '
  'null and tells the type.';

-- COST 3: a look-up by the parent's unique index where the answer is not known yet.
CREATE FUNCTION seeme.parent_has_permission(
  permission text, child regclass, parent regclass, key anyelement) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 3 SUPPORT seeme.plan_parent_has_permission
AS 'MODULE_PATHNAME', 'seeme_parent_has_permission';
COMMENT ON FUNCTION seeme.parent_has_permission(text, regclass, regclass, anyelement) IS
  'The arm of a policy for parent_column: whether the asking person holds a permission of the '
  'child''s resource where the parent''s row lies. False for a parent that does not exist.';

CREATE FUNCTION seeme.may_hang_on(permission text, child regclass, key anyelement) RETURNS boolean
LANGUAGE c STABLE PARALLEL UNSAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_hang_on';
COMMENT ON FUNCTION seeme.may_hang_on(text, regclass, anyelement) IS
  'As seeme.parent_has_permission, by what is committed now and what the running statement itself '
  'has done: for rows that are added, or get another parent';

CREATE FUNCTION seeme.owns_child(
  permission text, child regclass, parent regclass, key anyelement, organization uuid, team uuid,
  project uuid, resource uuid, resource_type text, owner uuid, owner_alone boolean) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 3 SUPPORT seeme.plan_owns_row
AS 'MODULE_PATHNAME', 'seeme_owns_child';
COMMENT ON FUNCTION seeme.owns_child(text, regclass, regclass, anyelement, uuid, uuid, uuid, uuid,
                                     text, uuid, boolean) IS
  'As seeme.owns_row, for a row with a parent: the asking person also belongs to where the parent '
  'lies. It tells members of an organization whether a parent with that key lies there.';

CREATE FUNCTION seeme.child_ownership_counts(
  child regclass, key text, organization uuid, team uuid, project uuid, resource uuid,
  resource_type text, alone boolean) RETURNS boolean
LANGUAGE c STABLE PARALLEL UNSAFE COST 100
AS 'MODULE_PATHNAME', 'seeme_child_ownership_counts';
COMMENT ON FUNCTION seeme.child_ownership_counts(regclass, text, uuid, uuid, uuid, uuid, text,
                                                 boolean) IS
  'As seeme.ownership_counts, for a row with a parent';

CREATE FUNCTION seeme.may_move_child_out(
  permission text, child regclass, key text, new_key text, organization uuid, team uuid,
  project uuid, resource uuid, new_organization uuid, new_team uuid, new_project uuid,
  new_resource uuid, resource_type text) RETURNS boolean
LANGUAGE c STABLE PARALLEL UNSAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_move_child_out';
COMMENT ON FUNCTION seeme.may_move_child_out(text, regclass, text, text, uuid, uuid, uuid, uuid,
                                             uuid, uuid, uuid, uuid, text) IS
  'As seeme.may_move_out, for a row with a parent before or after';

CREATE FUNCTION seeme.may_move_out(
  permission text, organization uuid, team uuid, project uuid, resource uuid,
  new_organization uuid, new_team uuid, new_project uuid, new_resource uuid, resource_type text)
RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_move_out';
COMMENT ON FUNCTION seeme.may_move_out(text, uuid, uuid, uuid, uuid, uuid, uuid, uuid, uuid, text)
IS
  'Whether the asking person may move a row from the first four ids to the other four: they hold '
  'the permission in each organization that the row leaves, and belong to each organization that '
  'it stays in';

CREATE FUNCTION seeme.had_row(resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_had_row';
COMMENT ON FUNCTION seeme.had_row(text, uuid) IS
  'Whether a protected table had a row for a resource when the resource was assigned, or later. '
  'Null for a resource that was never in a project. Reads what is committed now, whatever the '
  'transaction''s snapshot.';

CREATE FUNCTION seeme.was_released(resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_was_released';
COMMENT ON FUNCTION seeme.was_released(text, uuid) IS
  'Whether a resource was assigned to a project before and is not now. Reads what is committed '
  'now, whatever the transaction''s snapshot.';

CREATE FUNCTION seeme.projects_left(resource_type text, resource_id uuid) RETURNS uuid[]
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_projects_left';
COMMENT ON FUNCTION seeme.projects_left(text, uuid) IS
  'The projects that this transaction, the running statement included, took a resource out of';

CREATE FUNCTION seeme.was_deleted_here(role uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_was_deleted_here';
COMMENT ON FUNCTION seeme.was_deleted_here(uuid) IS
  'Whether this transaction, the running statement included, deleted a role of this id';

CREATE FUNCTION seeme.missing_permissions_in_team(team uuid, project uuid) RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_missing_permissions_in_team';
COMMENT ON FUNCTION seeme.missing_permissions_in_team(uuid, uuid) IS
  'Rule 7.1: what the roles of a team''s members hold and the asking person does not hold in the '
  'project';

CREATE FUNCTION seeme.missing_permissions_below(organization uuid, user_id uuid) RETURNS text[]
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'seeme_missing_permissions_below';
COMMENT ON FUNCTION seeme.missing_permissions_below(uuid, uuid) IS
  'Rule 7.1: what a person''s roles in the teams and projects of an organization hold and the '
  'asking person does not hold there';

CREATE FUNCTION seeme.every_row(relation regclass, id_column name, id uuid, condition text = 'true')
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_every_row';
COMMENT ON FUNCTION seeme.every_row(regclass, name, uuid, text) IS
  'Whether a table has rows with this id and the condition is true for each of them. Reads what is '
  'committed now, with the rights of the table''s owner: code of that owner may run.';

CREATE FUNCTION seeme.could_invite(
  inviter uuid, inviter_membership_id uuid, role_id uuid,
  organization uuid, team uuid, project uuid, outsider boolean)
RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_could_invite';
COMMENT ON FUNCTION seeme.could_invite(uuid, uuid, uuid, uuid, uuid, uuid, boolean) IS
  'Whether the inviter may make this invitation at this moment: they still have this membership of '
  'the organization, may add members in the narrowest scope given (and in the organization, if the '
  'invited person is an outsider), and hold there all that the role holds. Rules 7.1, 7.7 and '
  '7.10, checked when an invitation is accepted.';

CREATE FUNCTION seeme.own_email(permission text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_own_email';
COMMENT ON FUNCTION seeme.own_email(text) IS
  'The e-mail address of seeme.own_user_id(permission). Reads what is committed now, whatever the '
  'transaction''s snapshot.';

CREATE FUNCTION seeme.own_verified_email(permission text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_own_verified_email';
COMMENT ON FUNCTION seeme.own_verified_email(text) IS
  'seeme.own_email(permission), or null if the application has not verified the address';

CREATE FUNCTION seeme.membership_in(organization uuid, user_id uuid) RETURNS uuid
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_membership_in';
COMMENT ON FUNCTION seeme.membership_in(uuid, uuid) IS
  'A person''s membership in an organization itself; null if there is none. Reads what is '
  'committed now, whatever the transaction''s snapshot.';

CREATE FUNCTION seeme.api_key_invalid_reason(key_id uuid) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'seeme_api_key_invalid_reason';
COMMENT ON FUNCTION seeme.api_key_invalid_reason(uuid) IS
  'Rule 7.7: why an API key grants nothing: what keeps its creator from making it now. Null if the '
  'key counts.';

CREATE FUNCTION seeme.random_token(prefix text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_random_token';
COMMENT ON FUNCTION seeme.random_token(text) IS
  'The prefix and 256 bits from the strong random source, in hexadecimal';

CREATE FUNCTION seeme.is_superuser() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_is_superuser';
COMMENT ON FUNCTION seeme.is_superuser() IS
  'Whether the role outside of any SECURITY DEFINER function is a superuser';

CREATE FUNCTION seeme.is_retired(id uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_is_retired';
COMMENT ON FUNCTION seeme.is_retired(uuid) IS
  'Whether an id belonged to something that was deleted. Reads what is committed now, whatever the '
  'transaction''s snapshot.';

CREATE FUNCTION seeme.bypasses_row_security() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_bypasses_row_security';
COMMENT ON FUNCTION seeme.bypasses_row_security() IS
  'Whether the role outside of any SECURITY DEFINER function is a superuser or has BYPASSRLS';

CREATE FUNCTION seeme.text_of_row(relation regclass, id_column name, id uuid, text_column name)
RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_text_of_row';
COMMENT ON FUNCTION seeme.text_of_row(regclass, name, uuid, name) IS
  'The value of a text column in the row with this id; null if there is no such row or column. '
  'Reads what is committed now, with the rights of the table''s owner.';
