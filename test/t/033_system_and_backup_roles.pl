# Two roles to which row security does not apply, through pg_dump and a restore: a system role for
# jobs, and a role that makes backups and may read everything and change nothing.
use strict;
use warnings;
use utf8;
use File::Temp 'tempdir';
use IPC::Run 'run';
use SeemeTest;
use Test::More;

my $directory = tempdir(CLEANUP => 1);

create_roles('jobs_app NOLOGIN', 'jobs_gateway LOGIN IN ROLE jobs_app', 'jobs_worker LOGIN',
    'jobs_backup LOGIN', 'jobs_half LOGIN BYPASSRLS');
create_database('jobs_source', 'seeme_rbac');
my $source = connect_to('jobs_source');
make_world($source, 'jobs_app');
$source->do('GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO jobs_gateway');
$source->do('GRANT SELECT, INSERT, UPDATE, DELETE ON papers TO jobs_worker');
$source->do(q{SELECT seeme_grant_system('jobs_worker')});

# The recipe of doc/backup.md
$source->do('ALTER ROLE jobs_backup BYPASSRLS');
$source->do('GRANT pg_read_all_data TO jobs_backup');
$source->do('GRANT USAGE ON TYPE seeme.system_role TO jobs_backup');
is(value($source, q{SELECT string_agg(finding, '; ') FROM seeme_security_report()
    WHERE object IN ('jobs_backup', 'jobs_worker')}), undef,
    'the report finds nothing about a backup role and a system role');

# The output of pg_dump by a role. From the minor releases of August 2025 on, each dump has a key
# of its own.
sub dumped {
    my ($role, @options) = @_;
    my ($out, $err);
    my $worked = run [ 'pg_dump', '-U', $role, @options, 'jobs_source' ], '>', \$out, '2>', \$err;
    $out =~ s/^\\(un)?restrict .*\n//mg;
    return ($worked, $out, $err);
}

my ($worked, $by_superuser) = dumped($ENV{PGUSER});
my ($by_backup, $error);
($worked, $by_backup, $error) = dumped('jobs_backup');
ok($worked, 'pg_dump by the backup role works');
is($error, '', 'it prints nothing on standard error');
ok($by_backup eq $by_superuser, 'it has, byte for byte, what a superuser\'s dump has');
like($by_backup, qr/COPY public\.papers .*\n(\d+\t.*\n){100}/, 'every protected row is in it');
($worked, undef, $error) = dumped('jobs_backup', '--create', '--data-only');
ok($worked, 'the data alone can be dumped, too') or diag $error;

# Less does not do. Each error is PostgreSQL's.
($worked, undef, $error) = dumped('jobs_half');
ok(!$worked, 'BYPASSRLS alone is not enough for pg_dump');
$source->do('GRANT USAGE ON SCHEMA seeme TO jobs_half');
$source->do('GRANT SELECT ON ALL TABLES IN SCHEMA public, seeme TO jobs_half');
($worked, undef, $error) = dumped('jobs_half');
like($error, qr/permission denied for sequence audit_log_id_seq/,
    'SELECT on all tables leaves out the sequence of the audit log');
$source->do('REVOKE ALL ON ALL TABLES IN SCHEMA public, seeme FROM jobs_half');
$source->do('ALTER ROLE jobs_backup NOBYPASSRLS');
($worked, undef, $error) = dumped('jobs_backup');
like($error, qr/query would be affected by row-level security policy/,
    'without BYPASSRLS pg_dump fails, and leaves no rows out silently');
$source->do('ALTER ROLE jobs_backup BYPASSRLS');

my $backup = connect_to('jobs_source', 'jobs_backup');
is(sqlstate_of($backup, 'DELETE FROM papers'), '42501', 'the backup role changes no rows');
is(sqlstate_of($backup, 'UPDATE seeme.users SET disabled_at = now()'), '42501',
    'nor the extension\'s');
is(sqlstate_of($backup, q{SELECT seeme_assume('} . id_of('olga') . q{')}), '42501',
    'and names nobody');
$backup->disconnect;

# Restored, the roles are what they were: the mark goes with the database, BYPASSRLS with the
# server.
run [ 'pg_dump', '-U', 'jobs_backup', '-Fc', '-f', "$directory/jobs.dump", 'jobs_source' ]
    or die 'pg_dump failed';
create_database('jobs_restored');
my $restored_error;
ok(run([ 'pg_restore', '-d', 'jobs_restored', "$directory/jobs.dump" ], '2>', \$restored_error),
    'the backup is restored by a superuser') or diag $restored_error;
my $restored = connect_to('jobs_restored');
is_deeply([ rows($restored, 'SELECT role::regrole::text FROM seeme.system_roles() ORDER BY 1') ],
    [ 'jobs_backup', 'jobs_worker' ], 'the system roles are system roles in the restored database');
is_deeply([ rows($restored, 'SELECT * FROM papers ORDER BY 1') ],
    [ rows($source, 'SELECT * FROM papers ORDER BY 1') ], 'every protected row is restored');
is_deeply([ rows($restored, 'SELECT t::text FROM seeme.memberships t ORDER BY id') ],
    [ rows($source, 'SELECT t::text FROM seeme.memberships t ORDER BY id') ],
    'so is every membership');
is_deeply([ rows($restored, 'SELECT t::text FROM seeme.audit_log t ORDER BY id') ],
    [ rows($source, 'SELECT t::text FROM seeme.audit_log t ORDER BY id') ],
    'and every entry of the log');
is(value($restored, 'SELECT last_value FROM seeme.audit_log_id_seq'),
    value($source, 'SELECT last_value FROM seeme.audit_log_id_seq'),
    'the sequence of the log goes on where it was');

my $worker = connect_to('jobs_restored', 'jobs_worker');
is(value($worker, 'SELECT count(*) FROM papers'), 100, 'there a job sees every row');
is(sqlstate_of($worker, q{SELECT seeme_login('x')}), '42501', 'and names nobody');
my $gateway = connect_to('jobs_restored', 'jobs_gateway');
$gateway->begin_work;
$gateway->do('SELECT seeme_assume(?)', undef, id_of('vera'));
is(value($gateway, 'SELECT count(*) FROM papers'), 75, 'the application sees what it saw');
$gateway->rollback;

# A pooled connection whose role becomes a system role, and is taken back
my $other = connect_to('jobs_restored', 'jobs_gateway');
$other->begin_work;
$other->do('SELECT seeme_assume(?)', undef, id_of('vera'));
is(value($other, 'SELECT seeme_user_id()'), id_of('vera'), 'a session speaks for somebody');
$restored->do('GRANT USAGE ON TYPE seeme.system_role TO jobs_gateway');
is(value($other, 'SELECT seeme_user_id()'), undef,
    'threat: a session that is open when its role becomes a system role speaks on for the person');
is(value($other, 'SELECT count(*) FROM papers'), 0, 'and sees that person\'s rows');
$other->rollback;
$restored->do('REVOKE USAGE ON TYPE seeme.system_role FROM jobs_gateway');
$other->begin_work;
$other->do('SELECT seeme_assume(?)', undef, id_of('vera'));
is(value($other, 'SELECT count(*) FROM papers'), 75, 'taken back, it names people again');
$other->rollback;

done_testing;
