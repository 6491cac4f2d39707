-- What the policies of the extension's own tables ask about a row (src/functions/own_rows.c).
--
-- Each function says whether one column is in one list of the asking person. Further functions
-- return these lists, and the planner looks them up in an index in place of the call. Application
-- roles may execute all of them: they tell people only what these see anyway.

CREATE FUNCTION seeme.plan_own_rows(internal) RETURNS internal
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'seeme_plan_own_rows';
COMMENT ON FUNCTION seeme.plan_own_rows(internal) IS
  'Planner support for the functions of policies: an index condition such as '
  'id = ANY (seeme.member_organizations()), and the estimated part of the rows';

-- A call costs about as much as three comparisons. It is declared as ten, because the planner takes
-- each list for ten descents of an index, and would read a table of some thousand rows instead.
CREATE FUNCTION seeme.holds_throughout(permissions text[], organization uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT seeme.plan_own_rows
AS 'MODULE_PATHNAME', 'seeme_holds_throughout';
COMMENT ON FUNCTION seeme.holds_throughout(text[], uuid) IS
  'Whether the asking person has one of some permissions in an organization, and therefore in all '
  'its teams and projects';

CREATE FUNCTION seeme.holds_below(permissions text[], team uuid = NULL, project uuid = NULL)
RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT seeme.plan_own_rows
AS 'MODULE_PATHNAME', 'seeme_holds_below';
COMMENT ON FUNCTION seeme.holds_below(text[], uuid, uuid) IS
  'Whether the asking person has one of some permissions in a team or project, and none of them in '
  'its organization (see seeme.holds_throughout). Permissions in a project''s team apply to it.';

CREATE FUNCTION seeme.is_member(organization uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT seeme.plan_own_rows
AS 'MODULE_PATHNAME', 'seeme_is_member';
COMMENT ON FUNCTION seeme.is_member(uuid) IS
  'Whether the asking person owns this organization, or has a current membership in it';

CREATE FUNCTION seeme.is_direct_member(team uuid = NULL, project uuid = NULL) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT seeme.plan_own_rows
AS 'MODULE_PATHNAME', 'seeme_is_direct_member_of';
COMMENT ON FUNCTION seeme.is_direct_member(uuid, uuid) IS
  'Whether the asking person has a current membership in exactly this team or project';

CREATE FUNCTION seeme.has_effective_role(role_id uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT seeme.plan_own_rows
AS 'MODULE_PATHNAME', 'seeme_has_effective_role';
COMMENT ON FUNCTION seeme.has_effective_role(uuid) IS
  'Whether a current membership of the asking person, at any level, has this role';

CREATE FUNCTION seeme.sees_user(user_id uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT seeme.plan_own_rows
AS 'MODULE_PATHNAME', 'seeme_sees_user';
COMMENT ON FUNCTION seeme.sees_user(uuid) IS
  'Whether the asking person sees a membership of this user: they have organizations:read, '
  'teams:read or projects:read in its scope. True of every user if nobody is identified and the '
  'current role provisions users.';

CREATE FUNCTION seeme.is_in_use(organization uuid, team uuid = NULL, project uuid = NULL)
RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT seeme.plan_own_rows
AS 'MODULE_PATHNAME', 'seeme_is_in_use';
COMMENT ON FUNCTION seeme.is_in_use(uuid, uuid, uuid) IS
  'Whether a team or project of an organization is not archived. Tells so only to those who belong '
  'to the organization.';

CREATE FUNCTION seeme.organizations_held(permissions text[]) RETURNS uuid[]
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_organizations_held';
COMMENT ON FUNCTION seeme.organizations_held(text[]) IS
  'The organizations for which seeme.holds_throughout is true, sorted';

CREATE FUNCTION seeme.teams_held(permissions text[]) RETURNS uuid[]
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_teams_held';
COMMENT ON FUNCTION seeme.teams_held(text[]) IS
  'The teams for which seeme.holds_below is true, sorted';

CREATE FUNCTION seeme.projects_held(permissions text[]) RETURNS uuid[]
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_projects_held';
COMMENT ON FUNCTION seeme.projects_held(text[]) IS
  'The projects for which seeme.holds_below is true, sorted';

CREATE FUNCTION seeme.member_organizations() RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_member_organizations';
COMMENT ON FUNCTION seeme.member_organizations() IS
  'The organizations for which seeme.is_member is true, sorted';

CREATE FUNCTION seeme.member_teams() RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_member_teams';
COMMENT ON FUNCTION seeme.member_teams() IS
  'The teams for which seeme.is_direct_member is true, sorted';

CREATE FUNCTION seeme.member_projects() RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_member_projects';
COMMENT ON FUNCTION seeme.member_projects() IS
  'The projects for which seeme.is_direct_member is true, sorted';

CREATE FUNCTION seeme.effective_roles() RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_effective_roles';
COMMENT ON FUNCTION seeme.effective_roles() IS
  'The roles for which seeme.has_effective_role is true, sorted';

CREATE FUNCTION seeme.users_seen() RETURNS uuid[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'seeme_users_seen';
COMMENT ON FUNCTION seeme.users_seen() IS
  'The users for whom seeme.sees_user is true, sorted';
