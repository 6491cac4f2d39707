# An administrator's system roles, and the roles that creators get, are in a dump and come back with
# the same permissions, whichever way they are restored. The built-in roles are not dumped: every
# database has them.
use strict;
use warnings;
use File::Temp 'tempdir';
use IPC::Run 'run';
use SeemeTest;
use Test::More;

my $directory = tempdir(CLEANUP => 1);
create_roles('sysroles_app NOLOGIN');
create_database('sysroles_source', 'seeme_rbac');
my $source = connect_to('sysroles_source');
make_world($source, 'sysroles_app');
$source->do(sprintf <<'SQL', id_of('acme'), id_of('vera'));
SELECT seeme_unprotect('papers');
DROP TABLE papers;
INSERT INTO seeme.permissions (name, grouped_by_projects) VALUES ('boards:read', true);
INSERT INTO seeme.roles (id, name, permissions, grouped_actions) VALUES
  ('e0000000-0000-4000-8000-0000000000f1', 'Worker', '{jobs:*,projects:read}', '{read,list}'),
  ('e0000000-0000-4000-8000-0000000000f2', 'Auditor', '{*:read}', NULL);
UPDATE seeme.organizations SET creator_role_id = 'e0000000-0000-4000-8000-0000000000f1'
 WHERE id = '%1$s';
UPDATE seeme.organizations SET creator_role_id = NULL WHERE id <> '%1$s';
UPDATE seeme.memberships SET role_id = 'e0000000-0000-4000-8000-0000000000f2'
 WHERE organization_id = '%1$s' AND user_id = '%2$s' AND team_id IS NULL AND project_id IS NULL;
SQL

sub state_of {
    my ($dbh) = @_;
    return rows($dbh, q{SELECT id, name, permissions::text,
            grouped_actions::text FROM seeme.roles ORDER BY 1}),
        rows($dbh, q{SELECT id, creator_role_id FROM seeme.organizations ORDER BY 1}),
        rows($dbh, q{SELECT user_id, organization_id, team_id, project_id, role_id
            FROM seeme.memberships ORDER BY 1, 2, 3, 4});
}
my @before = state_of($source);
my $log = value($source, 'SELECT count(*) FROM seeme.audit_log');
$source->disconnect;

my %dumps = (
    plain      => [],
    inserts    => ['--inserts'],
    'data only' => ['--data-only'],
    'data only, triggers disabled' => ['--data-only', '--disable-triggers'],
    custom     => ['-Fc'],
);
for my $how (sort keys %dumps) {
    my $file = "$directory/dump";
    my ($out, $err) = ('', '');
    ok(run(['pg_dump', @{ $dumps{$how} }, '-f', $file, 'sysroles_source'], '2>', \$err),
        "$how: pg_dump") or diag $err;
    create_database('sysroles_copy', $how =~ /data only/ ? 'seeme_rbac' : ());
    my @restore = $how eq 'custom' ? ('pg_restore', '-1', '-d', 'sysroles_copy', $file)
        : ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', 'sysroles_copy',
        '-f', $file);
    ok(run(\@restore, '<', \undef, '>', \$out, '2>', \$err), "$how: restored") or diag $err;
    my $copy = connect_to('sysroles_copy');
    is_deeply([state_of($copy)], \@before, "$how: the same roles, settings and memberships");
    is(value($copy, 'SELECT count(*) FROM seeme.audit_log'), $log, "$how: nothing is logged twice");

    # They go on as before.
    $copy->do(q{INSERT INTO seeme.permissions (name, grouped_by_projects)
        VALUES ('charts:read', true)});
    is(value($copy, q{SELECT 'charts:read' = ANY (permissions) FROM seeme.roles
        WHERE name = 'Worker'}), 1, "$how: codes that are registered later are held");
    is(sqlstate_of($copy, q{DELETE FROM seeme.roles WHERE name = 'Worker'}), '23503',
        "$how: a role that creators get is in use");
    is(sqlstate_of($copy, q{INSERT INTO seeme.roles (organization_id, name) SELECT id, 'Worker'
        FROM seeme.organizations LIMIT 1}), '23505', "$how: its name is taken");
    $copy->disconnect;
}
done_testing;
