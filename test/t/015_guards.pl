# What reset scripts, restores and replicas do by accident. Most of the sessions have not loaded the
# library. The extension stays, the guards of tables stay, and no session decides by stale cached
# rows.
use strict;
use warnings;
use DBI;
use File::Temp 'tempdir';
use IPC::Run 'run';
use SeemeTest;
use Test::More;
use Time::HiRes qw(sleep time);

my $directory = tempdir(CLEANUP => 1);

# Runs a program; its exit status and what it wrote.
sub program {
    my @command = @_;
    my $output = '';
    run([@command], '<', \undef, '>&', \$output);
    return ($? >> 8, $output);
}

sub succeeds {
    my ($what, @command) = @_;
    my ($status, $output) = program(@command);
    is("$status$output", '0', $what);
}

# In a session that has done nothing before.
sub fresh {
    my ($database, $role, @statements) = @_;
    my $dbh = connect_to($database, $role);
    my $state = '';
    for my $statement (@statements) { $state = sqlstate_of($dbh, $statement); last if $state; }
    $dbh->disconnect;
    return $state;
}

sub is_there {
    my ($database) = @_;
    my $dbh = connect_to($database);
    my $there = value($dbh,
        "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'seeme_rbac') AND (SELECT count(*) FROM seeme.memberships) > 5");
    $dbh->disconnect;
    return $there;
}

create_roles('guards_app NOLOGIN', 'guards_reset LOGIN', 'guards_edith LOGIN IN ROLE guards_app',
    'guards_vera LOGIN IN ROLE guards_app', 'guards_installer SUPERUSER');

# Reset scripts
create_database('guards_source', 'seeme_rbac');
my $dba = connect_to('guards_source');
make_world($dba, 'guards_app');
$dba->do('ALTER DATABASE guards_source OWNER TO guards_reset');
$dba->do('ALTER TABLE papers OWNER TO guards_reset');
my $super = $ENV{PGUSER};
is(fresh('guards_source', 'guards_reset', 'DROP SCHEMA public CASCADE'), '2BP01',
    "accident: DROP SCHEMA public CASCADE by the database's owner");
is(fresh('guards_source', $super, 'DROP SCHEMA public CASCADE'), '2BP01',
    'accident: or by a superuser');
is(fresh('guards_source', $super, 'DO $$BEGIN EXECUTE $x$DROP SCHEMA public CASCADE$x$; END$$'),
    '2BP01', 'accident: or from within code');
is(fresh('guards_source', $super, 'SET session_replication_role = replica',
    'DROP SCHEMA public CASCADE'), '2BP01', 'accident: or in a replica\'s session');
is(fresh('guards_source', $super, 'DROP EXTENSION plpgsql CASCADE'), '2BP01',
    'accident: or DROP EXTENSION plpgsql CASCADE, of another extension');
is(fresh('guards_source', $super, 'SELECT seeme_user_id()', 'DROP EXTENSION plpgsql CASCADE'),
    '2BP01', 'accident: or in a session that has loaded the library');
my ($status, $output) = program('psql', '-X', '--dbname', 'guards_source', '--command',
    'DROP SCHEMA public CASCADE; CREATE SCHEMA public');
like($output,
    qr/^ERROR:  extension seeme_rbac is not dropped along with something else\nDETAIL:.*\nHINT:  DROP EXTENSION seeme_rbac drops it/m, 'with a hint');
ok(is_there('guards_source'), 'the extension is there, with its rows');
is(fresh('guards_source', $super, 'BEGIN', 'DROP EXTENSION seeme_rbac CASCADE', 'ROLLBACK'), '',
    'DROP EXTENSION drops it');
is(fresh('guards_source', $super, 'BEGIN', 'SELECT seeme_user_id()',
    'DROP EXTENSION seeme_rbac CASCADE', 'ROLLBACK'), '',
    'also in a session that has loaded the library');
is(fresh('guards_source', $super, 'BEGIN', 'DO $$BEGIN DROP EXTENSION seeme_rbac CASCADE; END$$',
    'ROLLBACK'), '', 'and from within code');
is(fresh('guards_source', $super, 'BEGIN', 'DROP EXTENSION seeme_rbac CASCADE',
    'DROP SCHEMA public CASCADE', 'ROLLBACK'), '', 'after it, a schema is like any other');
is(fresh('guards_source', 'guards_reset', 'CREATE SCHEMA mine', 'CREATE TABLE mine.t (id int)',
    'DROP SCHEMA mine CASCADE'), '', 'other schemas are dropped as ever');
ok(is_there('guards_source'), 'and the extension is there');

create_database('guards_elsewhere');
is(fresh('guards_elsewhere', $super, 'CREATE SCHEMA tools', 'SET ROLE guards_installer',
    'CREATE EXTENSION seeme_rbac SCHEMA tools'), '',
    'another database, another schema, another owner');
is(fresh('guards_elsewhere', $super, 'DROP SCHEMA tools CASCADE'), '2BP01',
    'accident: that schema is dropped');
is(fresh('guards_elsewhere', $super, 'DROP OWNED BY guards_installer CASCADE'), '2BP01',
    "accident: DROP OWNED BY the extension's owner");
is(fresh('guards_elsewhere', $super,
    "UPDATE pg_proc SET probin = '\$libdir/seeme_rbac_gone' WHERE probin = '\$libdir/seeme_rbac'"),
    '', 'a database whose library is missing');
is(fresh('guards_elsewhere', $super, @$_), '', "without its library: $$_[-1]")
    for [ 'CREATE TABLE t (id int)' ], [ 'CREATE POLICY p ON t' ],
        [ 'CREATE SCHEMA s', 'DROP SCHEMA s' ],
        [ 'CREATE VIEW v AS SELECT * FROM t', 'ALTER VIEW v RENAME TO w', 'DROP VIEW w' ],
        [ 'CREATE INDEX i ON t (id)', 'ALTER INDEX i RENAME TO j', 'DROP INDEX j' ],
        [ 'CREATE TYPE mood AS ENUM ()', 'DROP TYPE mood' ],
        [ 'CREATE TABLE u AS SELECT * FROM t', 'DROP TABLE u' ],
        [ 'CREATE SCHEMA x CREATE TABLE y (id int)', 'ALTER SCHEMA x RENAME TO z',
            'DROP SCHEMA z CASCADE' ],
        [ 'CREATE ROLE guards_leaver', 'DROP OWNED BY guards_leaver', 'DROP ROLE guards_leaver' ];
is(fresh('guards_elsewhere', $super, 'ALTER TABLE t ADD COLUMN n int'), '58P01',
    'without its library: ALTER TABLE, which looks at the statement in C');
is(fresh('guards_elsewhere', $super,
    map { "ALTER EVENT TRIGGER $_ DISABLE" } qw(seeme_alter_followed_column seeme_altered_followed_column)), '', 'until an administrator switches that off');
is(fresh('guards_elsewhere', $super, @$_), '', "without its library: $$_[-1]")
    for [ 'ALTER TABLE t ADD COLUMN n int' ], [ 'ALTER TABLE t DISABLE TRIGGER ALL' ],
        [ 'DROP POLICY p ON t' ], [ 'DROP TABLE t' ],
    [ 'DROP EXTENSION seeme_rbac CASCADE' ];

# Sessions that remember
my $edith = connect_to('guards_source', 'guards_edith');
$dba->do(q(UPDATE seeme.users SET database_role = 'guards_' || username WHERE username IN ('edith', 'vera')));
my $seen = 'SELECT count(*) FROM papers';
is(value($edith, $seen), 75, 'somebody sees rows');
my $membership = $dba->selectrow_hashref('SELECT * FROM seeme.memberships WHERE user_id = ?', undef,
    id_of('edith'));
sub employ {
    $dba->do('INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (?, ?, ?)',
        undef, @$membership{qw(organization_id user_id role_id)});
}
sub expel { $dba->do('DELETE FROM seeme.memberships WHERE user_id = ?', undef, id_of('edith')); }
$dba->do('ALTER TABLE seeme.memberships DISABLE TRIGGER ALL');
expel();
$dba->do('ALTER TABLE seeme.memberships ENABLE TRIGGER ALL');
is(value($edith, $seen), 0,
    'accident: rights are changed with triggers disabled: sessions are told once they are enabled');
employ();
is(value($edith, $seen), 75, 'and again, as ever');
$dba->do('SET session_replication_role = replica');
expel();
is(value($edith, $seen), 0, "and in a replica's session, once they were disabled and enabled");
employ();
is(value($edith, $seen), 75, 'and again');
$dba->do('ALTER TABLE seeme.memberships DISABLE TRIGGER ALL, ENABLE TRIGGER ALL');
expel();
is(value($edith, $seen), 0, "also when that is done in a replica's session");
employ();
$dba->do('RESET session_replication_role');
$edith->disconnect;

# Temporary tables below a protected one
$dba->do('GRANT TEMPORARY ON DATABASE guards_source TO guards_reset');
{
    my $owner = connect_to('guards_source', 'guards_reset');
    $owner->do('CREATE TEMP TABLE mine () INHERITS (papers)');
    is(sqlstate_of($owner, 'DROP TRIGGER seeme_after_wait ON mine'), '42501',
        'threat: the owner of a temporary heir takes its triggers away');
    is(value($owner, 'SELECT count(*) FROM mine'), 0, 'which is closed for its owner');
    is(sqlstate_of($owner, "INSERT INTO mine VALUES (9999, '@{[ id_of('delta') ]}', 'mine')"),
        '42501', 'who writes nothing there');
    $dba->do('ALTER EVENT TRIGGER seeme_keep_protection_whole DISABLE');
    $owner->do('DROP TRIGGER seeme_after_wait ON mine');
    $dba->do('ALTER EVENT TRIGGER seeme_keep_protection_whole ENABLE ALWAYS');
    for my $role ('guards_reset', $super) {
        is(fresh('guards_source', $role, 'CREATE TABLE other (id int)',
            'ALTER TABLE other ADD COLUMN note text', 'CREATE INDEX papers_title ON papers (title)',
            'ALTER TABLE papers SET (fillfactor = 90)', 'DROP INDEX papers_title',
            'DROP TABLE other'), '', "accident: it stands in nobody's way: $role");
    }
    is(fresh('guards_source', $super, 'SELECT seeme_unprotect(\'papers\')',
        "SELECT seeme_protect('papers', 'datasets', project_column => 'project_id')"), '',
        'nor in that of seeme_unprotect');
    is(value($dba, "SELECT count(*) FROM seeme_security_report() WHERE object LIKE 'pg_temp%'"), 0,
        'nor is it reported to others');
    $owner->disconnect;
}

# Dump and restore: in place; and of data alone
$dba->do('ALTER TABLE papers OWNER TO guards_reset');
$dba->do("INSERT INTO seeme.permissions (name, grouped_by_projects) VALUES ('papers:share', true)");
$dba->do('CREATE TABLE gone (id uuid, project_id uuid)');
$dba->do("SELECT seeme_protect('gone', 'gone_things', project_column => 'project_id')");
$dba->do('DROP TABLE gone');
my @guards = ("SELECT p.polname, p.polcmd, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid) FROM pg_policy p WHERE p.polrelid = 'papers'::regclass ORDER BY 1",
    "SELECT t.tgname, t.tgenabled FROM pg_trigger t WHERE t.tgrelid = 'papers'::regclass ORDER BY 1", "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'papers'::regclass",
    'SELECT table_name, schema_name, relation_name, project_column FROM seeme.protected_tables',
    'SELECT schema_name, table_name, arguments, made_again FROM seeme.dropped_tables',
    'SELECT * FROM seeme.lowered_guards',
    "SELECT finding FROM seeme_security_report() WHERE finding NOT LIKE 'server lacks%' ORDER BY 1");
my @before = map { join "\n", rows($dba, $_) } @guards;
succeeds('a dump', 'pg_dump', '--format', 'custom', '--file', "$directory/dump", 'guards_source');
succeeds('a dump of the data', 'pg_dump', '--data-only', '--disable-triggers', '--table', 'seeme.*',
    '--exclude-table', 'seeme.protected_tables', '--exclude-table', 'seeme.audit_log',
    '--exclude-table', 'seeme.dropped_tables', '--file', "$directory/data.sql", 'guards_source');
$dba->disconnect;
succeeds('pg_restore --clean', 'pg_restore', '--clean', '--if-exists', '--exit-on-error',
    '--dbname', 'guards_source', "$directory/dump");
$dba = connect_to('guards_source');
is(join("\n", rows($dba, $guards[$_])), $before[$_],
    "pg_restore --clean by a superuser: $guards[$_]") for 0 .. $#guards;
create_database('guards_data', 'seeme_rbac');
my ($restored, $said) = program('psql', '-X', '--quiet', '--set', 'ON_ERROR_STOP=1', '--dbname',
    'guards_data', '--file', "$directory/data.sql");
is($restored, 0, 'pg_dump --data-only --disable-triggers is restored') or diag $said;
my $data = connect_to('guards_data');
is(value($data,
    "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'seeme'::regnamespace AND (t.tgenabled = 'D' OR t.tgname LIKE 'a_note%' AND t.tgenabled <> 'A')"),
    0, 'pg_dump --data-only --disable-triggers: all triggers are as they were');
is(join(' ', map { value($data, "SELECT seeme_user_has_permission(?, ?, organization => ?)",
    id_of('edith'), $_, id_of('acme')) } 'papers:share', 'datasets:read'), '1 1',
    'and an Editor holds what is registered');
is(value($data,
    q(SELECT count(*) FROM seeme_security_report() WHERE finding ~ 'trigger|foreign key')), 0,
    'nothing is to be found');

# A subscriber
chomp(my $bin = `pg_config --bindir`);
my $server = "$directory/server";
sub until_true {
    my ($what) = @_;
    my $end = time + 60;
    while (time < $end) { return 1 if $what->(); sleep 0.05; }
    return 0;
}
END {
    my $exit = $?;
    system("$bin/pg_ctl", '--pgdata', $server, '--mode', 'immediate', '--silent', 'stop') if $server
        && -e "$server/postmaster.pid";
    $? = $exit;
}
program("$bin/initdb", '--pgdata', $server, '--username', 'postgres', '--auth', 'trust',
    '--encoding', 'UTF8', '--locale', 'C', '--no-sync');
mkdir "$directory/run", 0700;
open my $conf, '>>', "$server/postgresql.conf" or die $!;
print $conf "listen_addresses = ''\nunix_socket_directories = '$directory/run'\nport = 5432\nfsync = off\nshared_buffers = 32MB\nwal_level = logical\n";
close $conf;
program("$bin/pg_ctl", '--pgdata', $server, '--log', "$directory/log", '--wait', 'start');
sub connect_there {
    my ($database, $role) = @_;
    my $dbh = DBI->connect("dbi:Pg:dbname=$database;host=$directory/run;port=5432",
        $role // 'postgres', '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1 });
    $dbh->do('SET client_min_messages = error');
    return $dbh;
}
my $there = connect_there('postgres');
$there->do($_) for 'CREATE ROLE there_app NOLOGIN',
    'CREATE ROLE there_edith LOGIN IN ROLE there_app', 'CREATE DATABASE primary_',
    'CREATE DATABASE mirror';
my $primary = connect_there('primary_');
my $mirror = connect_there('mirror');
$_->do('CREATE EXTENSION seeme_rbac') for $primary, $mirror;
make_world($primary, 'there_app');
$primary->do(q(UPDATE seeme.users SET database_role = 'there_edith' WHERE username = 'edith'));
$mirror->do("SELECT seeme_grant_usage('there_app')");
$mirror->do($_)
    for 'CREATE TABLE papers (id int PRIMARY KEY, project_id uuid NOT NULL, title text NOT NULL)',
    'CREATE INDEX ON papers (project_id)', 'GRANT SELECT ON papers TO there_app',
    "SELECT seeme_protect('papers', 'datasets', project_column => 'project_id')",
    "DO \$\$ DECLARE t regclass; BEGIN FOR t IN SELECT a.relation FROM seeme.always_triggers a GROUP BY 1 LOOP EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', t); EXECUTE format('ALTER TABLE %s ENABLE TRIGGER ALL', t); END LOOP; END \$\$";
my $published = join ', ', map { "seeme.$_" } qw(users organizations teams projects memberships);
$primary->do("CREATE PUBLICATION rights FOR TABLE $published, papers");
value($primary, "SELECT pg_create_logical_replication_slot('mirror', 'pgoutput')");
$mirror->do("CREATE SUBSCRIPTION mirror CONNECTION 'host=$directory/run port=5432 dbname=primary_ user=postgres' PUBLICATION rights WITH (create_slot = false, slot_name = 'mirror')");
my $reader = connect_there('mirror', 'there_edith');
ok(until_true(sub { value($reader, $seen) == 75 }),
    'a subscriber, whose triggers were disabled and enabled before: what is published is seen')
    or diag `tail -5 $directory/log`;
$primary->do('DELETE FROM seeme.memberships WHERE user_id = ?', undef, id_of('edith'));
ok(until_true(sub { value($mirror, 'SELECT count(*) FROM seeme.memberships WHERE user_id = ?',
    id_of('edith')) == 0 }), 'a revocation arrives');
is(value($reader, $seen), 0,
    'accident: triggers of a subscriber are disabled and enabled: a session that remembers sees nothing after it');
$mirror->do('ALTER SUBSCRIPTION mirror DISABLE');
$mirror->do('ALTER SUBSCRIPTION mirror SET (slot_name = NONE)');
$mirror->do('DROP SUBSCRIPTION mirror');
$_->disconnect for $reader, $mirror, $primary, $there;

done_testing();
