# A member who wants more, by the extension's own tables and functions.
package Attacks::Members;

use strict;
use warnings;

sub vectors {
    return map { my ($name, $try, %more) = @$_;
        { name => $name, as => [qw(mallory gateway)], try => $try, %more } } (
        [ 'joining another organization' =>
            [ q(INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ('{globex}', '{mallory}', '{admin_role}')), q(INSERT INTO seeme.organization_members (organization_id, user_id) VALUES ('{globex}', '{mallory}')) ], refused => '42501', each => 1 ],
        [ 'joining another project or team' =>
            [ q(INSERT INTO seeme.project_members (project_id, user_id, role_id) VALUES ('{beta}', '{mallory}', '{viewer_role}')), q(INSERT INTO seeme.team_members (team_id, user_id) VALUES ('{sales}', '{mallory}')), q(INSERT INTO seeme.memberships (organization_id, project_id, user_id) VALUES ('{acme}', '{delta}', '{mallory}')) ] ],
        [ 'a higher role for oneself' => [ q(UPDATE seeme.memberships SET role_id = '{admin_role}'),
            q(UPDATE seeme.organization_members SET role_id = '{owner_role}'),
            q(UPDATE seeme.project_members SET role_id = '{admin_role}'),
            q(UPDATE seeme.memberships SET organization_id = '{globex}') ] ],
        [ 'a role of one\'s own with everything' =>
            [ q(INSERT INTO seeme.roles (organization_id, name, permissions) VALUES ('{acme}', 'Mine', '{*}')), q(INSERT INTO seeme.roles (organization_id, name, permissions) VALUES (NULL, 'Mine', '{*}')) ], refused => '42501' ],
        [ 'changing a built-in role' =>
            [ q(UPDATE seeme.roles SET permissions = '{*}' WHERE is_system_role),
            q(DELETE FROM seeme.roles WHERE is_system_role),
            q(UPDATE seeme.permissions SET is_builtin = false),
            q(INSERT INTO seeme.permissions (name) VALUES ('datasets:everything')) ] ],
        [ 'becoming the owner' => [ q(UPDATE seeme.organizations SET owner_id = '{mallory}'),
            q(SELECT seeme_transfer_ownership('{acme}', '{mallory}')),
            q(SELECT seeme_transfer_ownership('{globex}', '{mallory}')) ], refused => '42501' ],
        [ 'an organization in somebody else\'s name' =>
            [ q(INSERT INTO seeme.organizations (name, owner_id) VALUES ('Trap', '{oscar}')) ],
            refused => '42501' ],
        [ 'becoming somebody by seeme.users' =>
            [ q(UPDATE seeme.users SET database_role = session_user WHERE id = '{oscar}'),
            q(UPDATE seeme.users SET database_role = session_user),
            q(UPDATE seeme.users SET email = 'x@example.com'),
            q(INSERT INTO seeme.users (id, database_role) VALUES ('{fresh}', session_user)),
            'DELETE FROM seeme.users' ], refused => '42501', each => 1 ],
        [ 'a provisioning role, within a person\'s transaction' =>
            [ 'SELECT username, email FROM seeme.users',
            q(UPDATE seeme.users SET disabled_at = now() WHERE id = '{oscar}'),
            q(DELETE FROM seeme.users WHERE id = '{adam}') ],
            before => [ q(SELECT seeme_grant_provisioning('attack_mallory')) ], as => 'mallory' ],
        [ 'a provisioning role writes database_role' =>
            [ q(UPDATE seeme.users SET database_role = 'attack_stranger' WHERE id = '{oscar}'),
            q(INSERT INTO seeme.users (id, database_role) VALUES ('{fresh}', 'attack_stranger')) ],
            as => 'mallory', before => [ q(SELECT seeme_grant_provisioning('attack_mallory')) ],
            refused => '42501', each => 1 ],
        [ 'assigning a hidden resource to one\'s own project' =>
            [ q(INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ('{alpha}', 'model', '{hidden_memo}')) ], refused => '42501' ],
        [ 'moving projects and teams' => [ q(UPDATE seeme.projects SET team_id = '{research}'),
            q(UPDATE seeme.projects SET organization_id = '{globex}'),
            q(UPDATE seeme.teams SET organization_id = '{globex}'), q(DELETE FROM seeme.projects),
            q(DELETE FROM seeme.teams),
            q(INSERT INTO seeme.projects (organization_id, name) VALUES ('{globex}', 'Mine')) ],
            refused => '42501' ],
        [ 'inviting oneself' =>
            [ q(SELECT seeme_invite('mallory@example.com', organization => '{acme}', role_id => '{admin_role}')), q(SELECT seeme_invite('mallory@example.com', project => '{beta}')), q(SELECT seeme_invite('mallory@example.com', organization => '{globex}')) ], refused => '42501', each => 1 ],
        [ 'guessing invitations' =>
            [ (map { "SELECT seeme_accept_invitation('$_')" } '', 'seeme_inv_', 'seeme_inv_'
            . '0' x 64, '%'), 'SELECT seeme_accept_invitation(NULL)' ], refused => '22023',
            each => 1 ],
        [ 'somebody else\'s invitation' =>
            [ q(SELECT seeme_accept_invitation((SELECT token FROM workshop.stolen))) ],
            refused => '22023', before =>
            [ q(CREATE TABLE workshop.stolen AS SELECT (seeme_invite('canary-oscar@example.com', organization => '{acme}', role_id => '{admin_role}')).token), 'GRANT SELECT ON workshop.stolen TO attack_app' ], after => [ 'DROP TABLE workshop.stolen', 'DELETE FROM seeme.invitations' ] ],
        [ 'the hashes of tokens and keys' => [ 'SELECT token_hash FROM seeme.invitations',
            'SELECT key_hash FROM seeme.api_keys', 'SELECT i FROM seeme.invitations i',
            'SELECT * FROM seeme.api_keys', 'SELECT k::text FROM seeme.api_keys k' ],
            refused => '42501', each => 1 ],
        [ 'a key for somebody else' =>
            [ map { "SELECT key FROM seeme_create_api_key('mine', '{*}', $_)" } q(user_id => '{oscar}'), q(user_id => '{oscar}', organization => '{globex}'), q(user_id => '{adam}', organization => '{acme}'), q(organization => '{globex}') ], refused => '42501', each => 1 ],
        [ 'a key of somebody else\'s by UPDATE or INSERT' =>
            [ q(UPDATE seeme.api_keys SET user_id = '{oscar}'),
            q(UPDATE seeme.api_keys SET permissions = '{*}'),
            q(INSERT INTO seeme.api_keys (user_id, permissions, name, key_prefix, key_hash) VALUES ('{oscar}', '{*}', 'x', 'x', sha256('x'))) ], refused => '42501', each => 1 ],
        [ 'somebody else\'s keys and their uses' =>
            [ q(SELECT name FROM seeme.api_keys WHERE user_id <> '{mallory}'),
            q(DELETE FROM seeme.api_keys WHERE id = '{key_id_oscar}'),
            q(SELECT 'canar' || 'y' FROM seeme.api_key_uses WHERE key_id = '{key_id_oscar}') ] ],
        [ 'editing the audit log' => [ q(UPDATE seeme.audit_log SET user_id = '{oscar}'),
            'DELETE FROM seeme.audit_log',
            q(INSERT INTO seeme.audit_log (table_name, command, row_id) VALUES ('x', 'INSERT', 'x')), 'TRUNCATE seeme.audit_log', q(SELECT setval('seeme.audit_log_id_seq', 1)) ], refused => '42501', each => 1 ],
        [ 'reading the audit log' => [ 'SELECT before, after, client_address FROM seeme.audit_log',
            'SELECT count(*) FROM seeme.audit_log HAVING count(*) > 0',
            'SELECT last_value FROM seeme.audit_log_id_seq' ], refused => '42501' ],
        [ 'what is for the extension alone' =>
            [ map { "SELECT * FROM seeme.$_" } qw(protected_tables released_resources retired_ids) ], refused => '42501', each => 1 ],
        [ 'a logo for somebody else\'s organization' =>
            [ q(INSERT INTO seeme.logos (organization_id, filename, content) VALUES ('{globex}', 'x.gif', '\x474946383961')), q(INSERT INTO seeme.logos (organization_id, filename, content) VALUES ('{acme}', 'x.gif', '\x474946383961')) ], refused => '42501', each => 1 ],
        [ 'asking about others' =>
            [ q(SELECT * FROM seeme_explain_permission('{oscar}', 'datasets:read', organization => '{globex}')), q(SELECT * FROM seeme_explain_permission('{adam}', 'datasets:read', project => '{beta}')), q(SELECT 'canar' || 'y' FROM seeme_permitted_users('datasets:read', organization => '{globex}')),
            q(SELECT 'canar' || 'y' WHERE seeme_user_has_permission('{oscar}', 'datasets:read', organization => '{globex}')), q(SELECT * FROM seeme_permission_matrix(organization => '{globex}')), q(SELECT * FROM seeme_review('{globex}')), q(SELECT * FROM seeme_review()) ] ],
        [ 'the member views of others' =>
            [ map { "SELECT * FROM seeme.$_" } qw(organization_members team_members project_members pending_members memberships invitations project_resources logos) ] ],
        [ 'slugs made from hidden names' => [ q(SELECT * FROM seeme_review(NULL)),
            q(INSERT INTO seeme.teams (organization_id, name) VALUES ('{globex}', 'Labs') RETURNING *) ] ],
        [ 'two scopes, null scopes, null codes, wildcards' =>
            [ (map { "SELECT 'canar' || 'y' WHERE seeme_has_permission($_)" } q('datasets:read'),
            q('datasets:read', project => NULL), q('*', organization => '{acme}'),
            q('datasets:*', project => '{alpha}'), q('*:read', project => '{beta}'),
            q('datasets:read', project => '{beta}'),
            q('datasets:read', resource => '{hidden_memo}'),
            q('models:read', resource => '{hidden_memo}', resource_type => NULL),
            q(NULL, project => '{alpha}')),
            q(SELECT seeme_has_permission('datasets:read', project => '{alpha}', organization => '{acme}')) ], refused => '22023' ],
        [ 'codes with other letters in them' =>
            [ map { "SELECT seeme_has_permission($_, project => '{beta}')" } q('DATASETS:READ'),
            q('datasets:read '), q(U&'datas\0435ts:read'), q(U&'datasets\ff1aread'),
            q('datasets:read' || chr(10)), q('%'), q('datasets:re_d') ], refused => '22023',
            each => 1 ],

        # Whether something hidden is there: the answers are the same
        [ 'asking for something hidden or for nothing: has_permission and its kin' => [],
            oracle => [ map { [ sprintf($_, '{globex}'), sprintf($_, '{fresh}') ] } map {
            "SELECT $_" } q(seeme_has_permission('datasets:read', organization => '%s')),
            q(seeme_permissions(organization => '%s')), q(seeme.is_member(organization => '%s')),
            q(seeme.lies_in('%s', NULL, '{delta}')),
            q(seeme_permitted_users('datasets:read', organization => '%s')) ] ],
        [ 'joining something hidden or nothing' => [],
            oracle => [ map { [ sprintf($_->[0], $_->[1]), sprintf($_->[0], '{fresh}') ] } [
            q(INSERT INTO seeme.memberships (organization_id, user_id) VALUES ('%s', '{mallory}')),
            '{globex}' ], [ q(INSERT INTO seeme.memberships (project_id, user_id) VALUES ('%s', '{mallory}')), '{delta}' ],
            [ q(INSERT INTO seeme.memberships (team_id, user_id) VALUES ('%s', '{mallory}')),
                '{sales}' ], [ q(INSERT INTO seeme.project_members (project_id, user_id, role_id) VALUES ('%s', '{mallory}', '{viewer_role}')), '{beta}' ], [ q(INSERT INTO seeme.memberships (organization_id, user_id) VALUES ('{acme}', '%s')), '{oscar}' ] ] ],
        [ 'transferring, inviting to, keys for, projects in something hidden or nothing' => [],
            oracle => [ map { [ sprintf($_->[0], $_->[1]), sprintf($_->[0], '{fresh}') ] } [
            q(SELECT seeme_transfer_ownership('%s', '{mallory}')), '{globex}' ],
            [ q(SELECT seeme_transfer_ownership('{acme}', '%s')), '{oscar}' ],
            [ q(SELECT seeme_invite('a@example.com', organization => '%s')), '{globex}' ],
            [ q(SELECT seeme_invite('a@example.com', project => '%s')), '{delta}' ],
                [ q(SELECT seeme_create_api_key('k', '{*}', organization => '%s')), '{globex}' ],
                [ q(INSERT INTO seeme.projects (organization_id, name) VALUES ('%s', 'P')),
                '{globex}' ], [ q(INSERT INTO seeme.teams (organization_id, name) VALUES ('%s', 'P')), '{globex}' ],
            [ q(INSERT INTO seeme.roles (organization_id, name, permissions) VALUES ('%s', 'R', '{}')), '{globex}' ], [ q(INSERT INTO seeme.logos (organization_id, filename, content) VALUES ('%s', 'x', 'x')), '{globex}' ], [ q(INSERT INTO seeme.logos (project_id, filename, content) VALUES ('%s', 'x', 'x')), '{delta}' ] ] ],
        [ 'assigning, inserting, moving to something hidden or nothing' => [],
            oracle => [ map { [ sprintf($_->[0], $_->[1]), sprintf($_->[0], '{fresh}') ] } [
            q(INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ('%s', 'model', '{own_memo}')), '{delta}' ], [ q(INSERT INTO public.papers VALUES (-3, '%s', 'x', 'x')), '{delta}' ],
            [ q(UPDATE public.papers SET project_id = '%s' WHERE id = 1), '{delta}' ],
                [ q(INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ('{alpha}', 'model', '%s')), '{hidden_memo}' ] ] ],
        [ 'a hidden role or none' => [],
            oracle => [ [ q(UPDATE seeme.memberships SET role_id = '{analyst}'),
            q(UPDATE seeme.memberships SET role_id = '{fresh}') ],
            [ q(SELECT seeme.has_effective_role('{analyst}')), q(SELECT seeme.has_effective_role('{fresh}')) ],
            [ q(SELECT '{analyst}' IN (SELECT seeme.unused_roles(ARRAY(SELECT organization_id FROM seeme.roles)))),
            q(SELECT '{fresh}' IN (SELECT seeme.unused_roles(ARRAY(SELECT organization_id FROM seeme.roles)))) ] ] ],
        [ 'a hidden person or none' => [],
            oracle => [ [ q(SELECT * FROM seeme_explain_permission('{oscar}', 'datasets:read', project => '{alpha}')), q(SELECT * FROM seeme_explain_permission('{fresh}', 'datasets:read', project => '{alpha}')) ], [ q(SELECT seeme_user_has_permission('{oscar}', 'datasets:read', project => '{alpha}')), q(SELECT seeme_user_has_permission('{fresh}', 'datasets:read', project => '{alpha}')) ], [ q(SELECT seeme.sees_user('{oscar}')), q(SELECT seeme.sees_user('{fresh}')) ] ] ],
        [ 'that a slug is taken' => [],
            oracle => [ [ q(INSERT INTO seeme.organizations (name, slug) VALUES ('X', 'canar' || 'y-globex')), q(INSERT INTO seeme.organizations (name, slug) VALUES ('X', 'no-canar' || 'y-globex')) ] ], known => 1, after => [ q(DELETE FROM seeme.organizations WHERE name = 'X') ] ],
        [ 'adding a person to an organization of one\'s own, whose id one knows' =>
            [ q(INSERT INTO seeme.organizations (id, name, slug) VALUES ('{fresher}', 'Trap', 'trap')), q(INSERT INTO seeme.memberships (organization_id, user_id) VALUES ('{fresher}', '{oscar}')), q(SELECT username, email FROM seeme.users WHERE id = '{oscar}') ], together => 1, known => 1,
            after => [ q(DELETE FROM seeme.organizations WHERE id = '{fresher}'),
            q(DELETE FROM seeme.retired_ids WHERE id = '{fresher}') ] ],
    );
}

1;
