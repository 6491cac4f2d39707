# A backend's cache follows changes from everywhere: two-phase commit, a standby, logical
# replication, lost messages, an extension that is created again. It also stays within its memory.
# On servers of its own.
use strict;
use warnings;
use DBI;
use DBD::Pg qw(:async);
use File::Temp 'tempdir';
use IPC::Run 'run';
use SeemeTest;
use Test::More;
use Time::HiRes qw(sleep time);

my $directory = tempdir(CLEANUP => 1);
chomp(my $bin = `pg_config --bindir`);
my @started;

sub command {
    my @command = @_;
    my $output = '';
    run([@command], '<', \undef, '>&', "$directory/output") or do {
        open my $in, '<', "$directory/output";
        local $/;
        die "@command: " . <$in>;
    };
}

sub start {
    my ($name, $settings) = @_;
    mkdir "$directory/$name.run", 0700 or die $!;
    open my $conf, '>>', "$directory/$name/postgresql.conf" or die $!;
    print $conf "listen_addresses = ''\nunix_socket_directories = '$directory/$name.run'\nport = 5432\nfsync = off\nshared_buffers = 32MB\n$settings";
    close $conf;
    command("$bin/pg_ctl", '--pgdata', "$directory/$name", '--log', "$directory/$name.log",
        '--wait', 'start');
    push @started, $name;
}

END {
    my $status = $?;
    system("$bin/pg_ctl", '--pgdata', "$directory/$_", '--mode', 'immediate', '--silent', 'stop')
        for reverse @started;
    $? = $status;
}

sub connect_at {
    my ($server, $database, $role) = @_;
    my $dbh = DBI->connect("dbi:Pg:dbname=$database;host=$directory/$server.run;port=5432",
        $role // 'postgres', '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1 });
    $dbh->do('SET client_min_messages = error');
    return $dbh;
}

sub until_true {
    my ($what) = @_;
    my $end = time + 60;
    while (time < $end) { return 1 if $what->(); sleep 0.05; }
    return 0;
}

command("$bin/initdb", '--pgdata', "$directory/primary", '--username', 'postgres', '--auth',
    'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync');
start('primary', "wal_level = logical\nmax_prepared_transactions = 5\nmax_connections = 30\n");
my $dba = connect_at('primary', 'postgres');
$dba->do("CREATE ROLE app NOLOGIN; CREATE ROLE paul LOGIN IN ROLE app; CREATE ROLE adam LOGIN IN ROLE app; CREATE ROLE gateway LOGIN IN ROLE app");
$dba->do('CREATE DATABASE world');
$dba->disconnect;
$dba = connect_at('primary', 'world');
$dba->do('CREATE EXTENSION seeme_rbac');
make_world($dba, 'app');
my ($acme, $alpha, $paul) = map { id_of($_) } qw(acme alpha paul);

sub prepare_world {
    my ($dbh) = @_;
    $dbh->do("UPDATE seeme.users SET database_role = username WHERE username IN ('paul', 'adam')");
    $dbh->do('GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO gateway');
}
prepare_world($dba);
$dba->do(<<"SQL");
CREATE FUNCTION may() RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN RETURN seeme_has_permission('datasets:read', project => '$alpha'); END \$\$;
-- The same expression twice, and a lock that somebody else holds between
CREATE FUNCTION may_and_may() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE answers text := '';
BEGIN
  FOR i IN 1 .. 2 LOOP
    answers := answers || seeme_has_permission('datasets:read', project => '$alpha') || ' ';
    IF i = 1 THEN PERFORM pg_advisory_xact_lock(7); END IF;
  END LOOP;
  RETURN answers;
END \$\$;
SQL

my $revoke = "DELETE FROM seeme.memberships WHERE user_id = '$paul' AND project_id IS NOT NULL";
my $give = "INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES ('$acme', '$alpha', '$paul', '" . id_of('annotator') . "')";

sub warm {
    my ($dbh) = @_;
    $dbh->do("SET plan_cache_mode = force_generic_plan");
    $dbh->do('PREPARE every AS SELECT count(*) FROM papers');
    look($dbh) for 1 .. 3;
}
# By an expression of a function, a query, and a statement that was prepared long ago
sub look {
    my ($dbh) = @_;
    return join ' ', map { value($dbh, $_) ? 'yes' : 'no' } 'SELECT may()',
        'SELECT count(*) FROM papers', 'EXECUTE every';
}
my ($all, $none) = ('yes yes yes', 'no no no');

# Two-phase commit
{
    my $person = connect_at('primary', 'world', 'paul');
    warm($person);
    is(look($person), $all, 'a right');
    for my $end (qw(ROLLBACK COMMIT)) {
        $dba->do('BEGIN');
        $dba->do($revoke);
        $dba->do("PREPARE TRANSACTION 'revocation'");
        is(look($person), $all, 'whose revocation is prepared is a right still');
        $dba->do("$end PREPARED 'revocation'");
        is(look($person), $end eq 'COMMIT' ? $none : $all, "after $end PREPARED");
    }
    $dba->do('BEGIN');
    $dba->do($give);
    $dba->do("PREPARE TRANSACTION 'grant'");
    is(look($person), $none, 'one that is prepared is none yet');
    $dba->do("COMMIT PREPARED 'grant'");
    is(look($person), $all, 'and is one when that is committed');

    # By the session that prepares it
    my $own = connect_at('primary', 'world', 'adam');
    $own->do('BEGIN');
    is(value($own, "SELECT seeme_has_permission('datasets:delete', project => '$alpha')"), 1,
        'an Admin');
    $own->do("UPDATE seeme.roles SET permissions = '{datasets:read}' WHERE name = 'Annotator'");
    $own->do("PREPARE TRANSACTION 'role'");
    is(look($person), $all, 'a change to a role that is prepared');
    is(value($own, "SELECT seeme_has_permission('datasets:delete', project => '$alpha')"), 1,
        'whoever prepared it goes on');
    $own->do("ROLLBACK PREPARED 'role'");
    is(look($person), $all, 'and it is undone');
    $_->disconnect for $person, $own;
}

# Messages that were lost: while a statement runs, more come than are kept. Then everything is
# stale.
{
    my $person = connect_at('primary', 'world', 'paul');
    warm($person);
    $dba->do('SELECT pg_advisory_lock(7)');
    $person->do('SELECT may_and_may()', { pg_async => PG_ASYNC });
    until_true(sub { value($dba,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1 });
    $dba->do($revoke);
    $dba->do(<<'SQL') for 1 .. 6;
DO $$ BEGIN
  FOR i IN 1 .. 400 LOOP EXECUTE format('CREATE TABLE lost_%s (a int PRIMARY KEY, b text)', i); END LOOP;
  FOR i IN 1 .. 400 LOOP EXECUTE format('DROP TABLE lost_%s', i); END LOOP;
END $$
SQL
    $dba->do('SELECT pg_advisory_unlock(7)');
    $person->pg_result;
    is(look($person), $none, 'a revocation whose message was lost counts in the next statement');
    $dba->do($give);
    my $answer;
    $dba->do('SELECT pg_advisory_lock(7)');
    look($person);
    my $statement = $person->prepare('SELECT may_and_may()', { pg_async => PG_ASYNC });
    $statement->execute;
    until_true(sub { value($dba,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1 });
    $dba->do("UPDATE seeme.roles SET permissions = '{datasets:list}' WHERE name = 'Annotator'");
    $dba->do(<<'SQL') for 1 .. 6;
DO $$ BEGIN
  FOR i IN 1 .. 400 LOOP EXECUTE format('CREATE TABLE lost_%s (a int PRIMARY KEY, b text)', i); END LOOP;
  FOR i IN 1 .. 400 LOOP EXECUTE format('DROP TABLE lost_%s', i); END LOOP;
END $$
SQL
    $dba->do('SELECT pg_advisory_unlock(7)');
    $person->pg_result;
    ($answer) = $statement->fetchrow_array;
    $statement->finish;
    is($answer, 'true false ', 'and in the middle of the one that lost it');
    $dba->do("UPDATE seeme.roles SET permissions = '{datasets:list,datasets:read,annotations:*}' WHERE name = 'Annotator'");
    $person->disconnect;
}

# A hot standby
command("$bin/pg_basebackup", '--pgdata', "$directory/standby", '--host', "$directory/primary.run",
    '--port', '5432', '--username', 'postgres', '--write-recovery-conf', '--checkpoint', 'fast',
    '--no-sync');
start('standby', '');
{
    my $person = connect_at('standby', 'world', 'paul');
    my $watch = connect_at('standby', 'world');
    my $replayed = sub {
        my $position = value($dba, 'SELECT pg_current_wal_insert_lsn()');
        ok(until_true(sub { value($watch, 'SELECT pg_last_wal_replay_lsn() >= ?::pg_lsn',
            $position) }), 'the standby catches up');
    };
    is(value($watch, 'SELECT pg_is_in_recovery()'), 1, 'a standby');
    warm($person);
    is(look($person), $all, 'decides as the primary does');
    my $held = connect_at('standby', 'world', 'paul');
    warm($held);
    $held->do('BEGIN ISOLATION LEVEL REPEATABLE READ');
    is(look($held), $all, 'also in a transaction');
    $dba->do($revoke);
    $replayed->();
    is(look($person), $none, 'a revocation counts once it is replayed');
    is(look($held), $none, 'also in a transaction that is older');
    $held->do('COMMIT');
    is(look($held), $none, 'and after it');
    $dba->do('BEGIN');
    $dba->do($give);
    $dba->do('ROLLBACK');
    $dba->do($give);
    $replayed->();
    is(look($person), $all, 'and so does a right that is given');
    $dba->do("UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '1 s' WHERE user_id = '$paul' AND project_id IS NOT NULL");
    $replayed->();
    look($person);
    sleep 1.1;
    is(look($person), $none, 'and a date that passes');
    $dba->do("UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = '$paul'");
    $_->disconnect for $person, $held, $watch;
}

# Logical replication applies changes to the rows, by triggers that always fire
{
    $dba->disconnect;
    my $postgres = connect_at('primary', 'postgres');
    $postgres->do('CREATE DATABASE mirror TEMPLATE world');
    $dba = connect_at('primary', 'world');
    my $mirror = connect_at('primary', 'mirror');
    $dba->do('CREATE PUBLICATION everything FOR TABLE seeme.memberships, seeme.roles, seeme.users, seeme.project_resources');
    value($dba, "SELECT pg_create_logical_replication_slot('mirror', 'pgoutput')");
    $mirror->do("CREATE SUBSCRIPTION mirror CONNECTION 'host=$directory/primary.run port=5432 user=postgres dbname=world' PUBLICATION everything
        WITH (create_slot = false, slot_name = 'mirror', copy_data = false)");
    my $person = connect_at('primary', 'mirror', 'paul');
    warm($person);
    is(look($person), $all, 'a database that another one is replicated to');
    my $applied = sub { return until_true(sub { value($mirror, 'SELECT ' . $_[0]) }) };
    $dba->do($revoke);
    ok(until_true(sub { !value($mirror,
        "SELECT count(*) FROM seeme.memberships WHERE user_id = ? AND project_id IS NOT NULL",
        $paul) }), 'a revocation is replicated');
    is(look($person), $none, 'and counts for somebody who was connected all along');
    $dba->do($give);
    ok(until_true(sub { value($mirror,
        "SELECT count(*) FROM seeme.memberships WHERE user_id = ? AND project_id IS NOT NULL",
        $paul) }), 'a right is replicated');
    is(look($person), $all, 'and counts');
    $dba->do("UPDATE seeme.roles SET permissions = '{datasets:list}' WHERE name = 'Annotator'");
    ok(until_true(sub { value($mirror,
        "SELECT permissions = '{datasets:list}' FROM seeme.roles WHERE name = 'Annotator'") }),
        'a role is replicated');
    is(look($person), $none, 'and counts');
    $dba->do("UPDATE seeme.roles SET permissions = '{datasets:read}' WHERE name = 'Annotator'");
    ok(until_true(sub { value($mirror,
        "SELECT permissions = '{datasets:read}' FROM seeme.roles WHERE name = 'Annotator'") }),
        'and again');
    is(look($person), $all, 'and counts');
    $dba->do("UPDATE seeme.users SET disabled_at = '2020-01-01' WHERE id = '$paul'");
    ok(until_true(sub { value($mirror,
        "SELECT disabled_at IS NOT NULL FROM seeme.users WHERE id = ?", $paul) }),
        'that somebody is disabled is replicated');
    is(look($person), $none, 'and counts');
    $dba->do("UPDATE seeme.users SET disabled_at = NULL WHERE id = '$paul'");
    $person->disconnect;
    $mirror->do('ALTER SUBSCRIPTION mirror DISABLE');
    $mirror->do('ALTER SUBSCRIPTION mirror SET (slot_name = NONE)');
    $mirror->do('DROP SUBSCRIPTION mirror');
    until_true(sub { !value($dba,
        "SELECT active FROM pg_replication_slots WHERE slot_name = 'mirror'") });
    value($dba, "SELECT pg_drop_replication_slot('mirror')::text");
    $_->disconnect for $mirror, $postgres;
}

# What is broken off in the middle of reading everything is not everything
{
    my $person = connect_at('primary', 'world', 'adam');
    my $wide = "SELECT cardinality(seeme_permitted_projects('datasets:read'))";
    for my $how (qw(timeout cancel terminate)) {
        $dba->do("UPDATE seeme.users SET name = name || '.' WHERE username = 'adam'");
        $dba->do('BEGIN');
        $dba->do('LOCK TABLE seeme.projects');
        my $broken = '';
        if ($how eq 'timeout') {
            $person->do("SET statement_timeout = '200ms'");
            $broken = sqlstate_of($person, $wide);
            $person->do('SET statement_timeout = 0');
        }
        else {
            my $pid = value($person, 'SELECT pg_backend_pid()');
            $person->do($wide, { pg_async => PG_ASYNC });
            until_true(sub { value($dba,
                "SELECT count(*) FROM pg_locks WHERE pid = ? AND NOT granted", $pid) });
            value($dba, "SELECT pg_${how}_backend(?)", $pid);
            eval { $person->pg_result }; # a later DBD::Pg does not die of a cancelled statement
            $broken = $person->state;
        }
        $dba->do('COMMIT');
        like($broken, $how eq 'terminate' ? qr/^(57P01|08...)$/ : qr/^57014$/,
            "reading everything is broken off: $how");
        $person = connect_at('primary', 'world', 'adam') if $how eq 'terminate';
        is(value($person, $wide), 3, 'and is done anew');
        is(value($person, "SELECT count(*) FROM papers"), 75, 'with all its rows');
    }
    # An error in the middle of a scan
    is(sqlstate_of($person, 'SELECT 1 / (id - 220) FROM papers'), '22012',
        'an error among the rows');
    is(value($person, 'SELECT count(*) FROM papers'), 75, 'costs none of them afterwards');
    $person->disconnect;
}

# 10,000 people by one connection stay within the memory that is set
{
    $dba->do("INSERT INTO seeme.users (id, username, email) SELECT ('aa000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'many' || n, 'many' || n || '\@example.com' FROM generate_series(1, 10000) AS n");
    $dba->do("INSERT INTO seeme.memberships (organization_id, user_id, role_id) SELECT '$acme', id, (SELECT id FROM seeme.roles WHERE organization_id IS NULL AND name = 'Viewer') FROM seeme.users WHERE username LIKE 'many%'");
    for my $limit (1, 16) {
        $dba->do("ALTER ROLE gateway SET seeme_rbac.cache_memory = '${limit}MB'");
        my $gateway = connect_at('primary', 'world', 'gateway');
        my $assume = $gateway->prepare('SELECT seeme_assume(?)');
        my $count = $gateway->prepare("SELECT count(*) FROM papers WHERE seeme_has_permission('datasets:read', project => project_id)");
        my ($most, $wrong) = (0, 0);
        $dba->do('GRANT EXECUTE ON FUNCTION seeme.cache_counters() TO gateway; GRANT SELECT ON seeme.cache_statistics TO gateway');
        for my $n (1 .. 10000) {
            $gateway->begin_work;
            $assume->execute(sprintf 'aa000000-0000-4000-8000-%012x', $n);
            $count->execute;
            $wrong++ if ($count->fetchrow_array)[0] != 75;
            $gateway->commit;
            next if $n % 250;
            my $bytes = value($gateway, 'SELECT bytes FROM seeme.cache_statistics');
            $most = $bytes if $bytes > $most;
        }
        is($wrong, 0, "$limit MB: 10,000 people have each seen their rows");
        cmp_ok($most, '<=', ($limit + 1) * 1024 * 1024,
            'and no more is remembered than that and 1 MB');
        note("$limit MB: at most $most bytes; evictions: "
            . value($gateway, 'SELECT evictions FROM seeme.cache_statistics'));
        cmp_ok(value($gateway, 'SELECT evictions FROM seeme.cache_statistics'), '>', 0,
            'because some was forgotten') if $limit == 1;
        $_->finish for $assume, $count;
        $gateway->disconnect;
    }
    cmp_ok(value($dba, "SELECT count(*) FROM seeme.users WHERE username LIKE 'many%'"), '==', 10000,
        'so many people');
}

# The extension is dropped and made again under connections that remember what was
{
    my $person = connect_at('primary', 'world', 'paul');
    warm($person);
    is(look($person), $all, 'before the extension is dropped');
    $dba->do('DROP TABLE papers');
    $dba->do('DROP EXTENSION seeme_rbac CASCADE');
    is(sqlstate_of($person, 'SELECT may()'), '42883', 'there is nothing to ask');
    $dba->do('CREATE EXTENSION seeme_rbac');
    $dba->do("SELECT seeme_grant_usage('app')");
    is(value($person, 'SELECT may()'), 0, 'nobody may anything in one that is new');
    is(value($dba, "SELECT seeme_has_permission('datasets:read', project => '$alpha')"), 0,
        'nor in the session that made it');
    make_world($dba, 'app');
    prepare_world($dba);
    is(look($person), $all, 'what it is told counts');
    $dba->do($revoke);
    is(look($person), $none, 'and what it is told no more does not');
    $person->disconnect;
}

for my $server (@started) {
    open my $log, '<', "$directory/$server.log" or die $!;
    my @bad = grep { /PANIC|TRAP:|terminated by signal|WARNING: .*(leak|not closed|still referenced)/ } <$log>;
    is_deeply(\@bad, [], "nothing crashed, nothing leaked: $server");
}
$dba->disconnect;
done_testing();
