/*
 * columnlist.h: the columns that C reads by number.
 *
 * Each line is COLUMN(table, name, number, type). The file that includes this one defines COLUMN,
 * as with PostgreSQL's kwlist.h; there is no include guard. sql/install has the same numbers, and
 * an upgrade adds columns at the end only. src/core/index_scan.c compares name and type with the
 * table before it reads the first row. test/t/032_columns.pl compares every line with pg_attribute.
 */
COLUMN(users, id, 1, UUIDOID)
COLUMN(users, email, 3, TEXTOID)
COLUMN(users, database_role, 6, NAMEOID)
COLUMN(users, is_service, 7, BOOLOID)
COLUMN(users, disabled_at, 8, TIMESTAMPTZOID)
COLUMN(users, service_organization_id, 11, UUIDOID)
COLUMN(users, email_verified_at, 12, TIMESTAMPTZOID)
COLUMN(users, tokens_valid_from, 13, TIMESTAMPTZOID)

COLUMN(organizations, id, 1, UUIDOID)
COLUMN(organizations, owner_id, 6, UUIDOID)
COLUMN(organizations, archived_at, 10, TIMESTAMPTZOID)

COLUMN(teams, id, 1, UUIDOID)
COLUMN(teams, organization_id, 2, UUIDOID)
COLUMN(teams, archived_at, 9, TIMESTAMPTZOID)

COLUMN(projects, id, 1, UUIDOID)
COLUMN(projects, organization_id, 2, UUIDOID)
COLUMN(projects, team_id, 3, UUIDOID)
COLUMN(projects, archived_at, 10, TIMESTAMPTZOID)

COLUMN(roles, id, 1, UUIDOID)
COLUMN(roles, organization_id, 2, UUIDOID)
COLUMN(roles, name, 3, TEXTOID)
COLUMN(roles, permissions, 5, TEXTARRAYOID)

COLUMN(memberships, id, 1, UUIDOID)
COLUMN(memberships, organization_id, 2, UUIDOID)
COLUMN(memberships, team_id, 3, UUIDOID)
COLUMN(memberships, project_id, 4, UUIDOID)
COLUMN(memberships, user_id, 5, UUIDOID)
COLUMN(memberships, role_id, 6, UUIDOID)
COLUMN(memberships, valid_from, 7, TIMESTAMPTZOID)
COLUMN(memberships, valid_until, 8, TIMESTAMPTZOID)

COLUMN(project_resources, project_id, 2, UUIDOID)
COLUMN(project_resources, resource_type, 3, TEXTOID)
COLUMN(project_resources, resource_id, 4, UUIDOID)
COLUMN(project_resources, had_row, 9, BOOLOID)

COLUMN(permissions, name, 1, TEXTOID)
COLUMN(permissions, is_wildcard, 5, BOOLOID)

COLUMN(resource_types, name, 1, TEXTOID)
COLUMN(resource_types, resource, 2, TEXTOID)

COLUMN(released_resources, resource_type, 1, TEXTOID)
COLUMN(released_resources, resource_id, 2, UUIDOID)
COLUMN(released_resources, had_row, 6, BOOLOID)

COLUMN(api_keys, id, 1, UUIDOID)
COLUMN(api_keys, user_id, 2, UUIDOID)
COLUMN(api_keys, organization_id, 3, UUIDOID)
COLUMN(api_keys, permissions, 4, TEXTARRAYOID)
COLUMN(api_keys, expires_at, 5, TIMESTAMPTZOID)
COLUMN(api_keys, created_by, 9, UUIDOID)
COLUMN(api_keys, creator_membership_id, 11, UUIDOID)
COLUMN(api_keys, bearer_membership_id, 12, UUIDOID)

COLUMN(retired_ids, id, 1, UUIDOID)

COLUMN(token_keys, id, 1, UUIDOID)
COLUMN(token_keys, kid, 2, TEXTOID)
COLUMN(token_keys, issuer, 3, TEXTOID)
COLUMN(token_keys, audience, 4, TEXTOID)
COLUMN(token_keys, algorithm, 5, TEXTOID)
COLUMN(token_keys, jwk, 6, JSONBOID)
COLUMN(token_keys, subject_kind, 7, TEXTOID)
COLUMN(token_keys, valid_from, 8, TIMESTAMPTZOID)
COLUMN(token_keys, valid_until, 9, TIMESTAMPTZOID)

COLUMN(external_identities, issuer, 1, TEXTOID)
COLUMN(external_identities, subject, 2, TEXTOID)
COLUMN(external_identities, user_id, 3, UUIDOID)

COLUMN(trusted_functions, name, 1, TEXTOID)
COLUMN(trusted_functions, digest, 2, TEXTOID)
