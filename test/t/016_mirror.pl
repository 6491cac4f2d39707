# Mirrored tables: restored in every way; and what a person's open transaction holds up (rule 7.8).
use strict;
use warnings;
use File::Temp 'tempdir';
use IPC::Run 'run';
use SeemeTest;
use Test::More;

my $directory = tempdir(CLEANUP => 1);
create_roles('mirror_app NOLOGIN');
create_database('mirror_source', 'seeme_rbac');
my $source = connect_to('mirror_source');
$source->do(<<'SQL');
SELECT seeme_grant_usage('mirror_app');
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO mirror_app;
CREATE TABLE app.users (id bigint PRIMARY KEY, email text, first_name text, deleted_at timestamptz);
CREATE TABLE app.workspaces (id bigint PRIMARY KEY, title text, owner bigint REFERENCES app.users, deleted_at timestamptz);
CREATE TABLE app.members (workspace bigint REFERENCES app.workspaces ON DELETE CASCADE, member bigint REFERENCES app.users, role text, PRIMARY KEY (workspace, member));
CREATE TABLE app.boards (id bigint PRIMARY KEY, workspace bigint REFERENCES app.workspaces ON DELETE CASCADE, title text);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO mirror_app;
INSERT INTO app.users SELECT g, 'p' || g || '@app.example', 'P' || g FROM generate_series(1, 20) g;
INSERT INTO app.workspaces SELECT g, 'W' || g, g, CASE g WHEN 3 THEN now() END FROM generate_series(1, 3) g;
INSERT INTO app.members SELECT w, m, 'admin' FROM generate_series(1, 3) w, generate_series(w + 4, 20) m;
INSERT INTO app.boards SELECT g, 1 + g % 2, 'B' || g FROM generate_series(1, 30) g;
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email", "firstname": "first_name"}', condition => 'deleted_at IS NULL', protect => true);
SELECT seeme_mirror('app.workspaces', 'organizations', '{"id": "id", "name": "title", "owner_id": "owner"}', condition => 'deleted_at IS NULL', protect => true);
SELECT seeme_mirror('app.members', 'organization_members', '{"organization_id": "workspace", "user_id": "member", "role_id": "role"}', roles => '{"admin": "Admin"}', protect => true);
SELECT seeme_mirror('app.boards', 'projects', '{"id": "id", "organization_id": "workspace", "name": "title"}', protect => true);
SQL

sub asks {
    my ($dbh, $key) = @_;
    $dbh->begin_work;
    $dbh->do("SELECT seeme_assume(seeme_uuid('user', ?))", undef, $key);
    $dbh->do('SET LOCAL ROLE mirror_app');
    return;
}

# Restores
my $differences = 'SELECT count(*) FROM seeme.mirrors m, seeme_mirror_differences(m.table_name)';
my $findings = q{SELECT count(*) FROM seeme_security_report() WHERE object LIKE 'app.%'};
is(value($source, $differences), 0, 'four tables are mirrored');
my $found = value($source, $findings);
sub dumped {
    my ($name, @options) = @_;
    my ($out, $err) = ('', '');
    ok(run(['pg_dump', @options, 'mirror_source'], '>', \$out, '2>', \$err), "pg_dump @options") or diag $err;
    open my $file, '>:raw', "$directory/$name" or die "$name: $!";
    print $file $out;
    close $file or die "$name: $!";
    return "$directory/$name";
}
my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d');
my $plain = dumped('plain.sql');
my $custom = dumped('custom', '-Fc');
my $schema = dumped('schema.sql', '--schema-only');
my $data = dumped('data.sql', '--data-only');
my $clean = dumped('clean.sql', '--clean', '--if-exists');
for my $way (
    [ 'mirror_plain', 'plain SQL', [ @psql, 'mirror_plain', '-f', $plain ] ],
    [ 'mirror_one', 'plain SQL in one transaction', [ @psql, 'mirror_one', '-1', '-f', $plain ] ],
    [ 'mirror_jobs', 'pg_restore -j 4', [ 'pg_restore', '-j', '4', '-d', 'mirror_jobs', $custom ] ],
    [ 'mirror_data', 'the schema, then the data', [ @psql, 'mirror_data', '-f', $schema ], [ @psql, 'mirror_data', '-f', $data ] ],
    [ 'mirror_clean', '--clean over what was restored', [ @psql, 'mirror_clean', '-f', $plain ], [ @psql, 'mirror_clean', '-f', $clean ] ])
{
    my ($database, $what, @commands) = @$way;
    create_database($database);
    for my $command (@commands) {
        my $err = '';
        ok(run($command, '<', \undef, '>', \my $out, '2>', \$err), $what) or diag substr $err, 0, 2000;
    }
    my $dbh = connect_to($database);
    is(value($dbh, $differences), 0, "$what: table and mirror agree");
    is(value($dbh, 'SELECT count(*) FROM seeme.mirrored_rows'), value($source, 'SELECT count(*) FROM seeme.mirrored_rows'), "$what: what mirrors made is known");
    is(value($dbh, $findings), $found, "$what: the report finds what it found");
    asks($dbh, 1);
    is(value($dbh, 'SELECT count(*) FROM app.boards'), 15, "$what: a person sees their rows");
    $dbh->do(q{UPDATE app.boards SET title = 'New' WHERE id = 2});
    is(value($dbh, q{SELECT name FROM seeme.projects WHERE id = seeme_uuid('project', 2)}), 'New', "$what: and changes are mirrored");
    $dbh->rollback;
    is(sqlstate_of($dbh, 'TRUNCATE app.boards'), '55000', "$what: the guards are there");
    $dbh->disconnect;
}

# A table alone, without what is remembered of it
create_database('mirror_part', 'seeme_rbac');
{
    my $part = dumped('part.sql', '--table=app.boards');
    my $dbh = connect_to('mirror_part');
    $dbh->do('CREATE SCHEMA app; CREATE TABLE app.users (id bigint PRIMARY KEY); CREATE TABLE app.workspaces (id bigint PRIMARY KEY)');
    run([ 'psql', '-X', '-q', '-d', 'mirror_part', '-f', $part ], '>', \my $out, '2>', \my $err);
    is(sqlstate_of($dbh, q{INSERT INTO app.boards VALUES (100, 1, 'Lost')}), '55000', 'accident: a table was restored alone, and its changes go nowhere');
    is(value($dbh, q{SELECT count(*) FROM seeme_security_report() WHERE object = 'app.boards' AND finding LIKE 'mirror without a record:%'}), 1, 'the report knows it');
    $dbh->do(q{SELECT seeme_unmirror('app.boards')});
    is(sqlstate_of($dbh, q{INSERT INTO app.boards VALUES (100, 1, 'Kept')}), '', 'and its remedy mends it');
    $dbh->disconnect;
}

# Rule 7.8: one's own names are written when the transaction commits.
my $admin = connect_to('mirror_source');
$admin->do(q{SET lock_timeout = '2s'});
my $name = q{SELECT firstname FROM seeme.users WHERE id = seeme_uuid('user', 5)};
asks($source, 5);
$source->do(q{UPDATE app.users SET first_name = 'Five' WHERE id = 5});
$source->do('SET CONSTRAINTS ALL IMMEDIATE');
is(sqlstate_of($admin, q{UPDATE seeme.users SET disabled_at = now() WHERE id = seeme_uuid('user', 5)}), '', 'threat: a person who changes their name keeps a transaction open, and nobody can disable them');
is(value($source, 'SELECT seeme_user_id()'), undef, 'they are disabled at once');
$source->rollback;
$admin->do(q{UPDATE seeme.users SET disabled_at = NULL WHERE id = seeme_uuid('user', 5)});
is(value($admin, $name), 'P5', 'what was rolled back was not written');
asks($source, 5);
$source->do(q{UPDATE app.users SET first_name = 'Five' WHERE id = 5});
$source->commit;
is(value($admin, $name), 'Five', 'what was committed was');
is(value($admin, q{SELECT user_id = seeme_uuid('user', 5) FROM seeme.audit_log WHERE table_name = 'users' ORDER BY id DESC LIMIT 1}), 1, 'and the log says who did it');
asks($source, 5);
$source->do('SAVEPOINT a');
$source->do(q{UPDATE app.users SET first_name = 'Fifth' WHERE id = 5});
$source->do('ROLLBACK TO a');
$source->commit;
is(value($admin, $name), 'Five', 'what a savepoint undid was not written');
$source->do(q{UPDATE app.users SET first_name = 'By a job' WHERE id = 5});
is(value($admin, $name), 'By a job', 'the next transaction of the session is nobody\'s');
asks($source, 5);
$source->do(q{UPDATE app.users SET first_name = 'Five' WHERE id = 5});
like(sqlstate_of($source, q{PREPARE TRANSACTION 'x'}), qr/^(0A000|55000)$/, 'threat: a prepared transaction keeps the lock for good');
$source->rollback if !$source->{AutoCommit};

# In an isolation level with a snapshot of its own
$source->do('SET default_transaction_isolation = \'repeatable read\'');
asks($source, 5);
$source->do(q{UPDATE app.users SET first_name = 'Repeatable' WHERE id = 5});
$source->commit;
is(value($admin, $name), 'Repeatable', 'in REPEATABLE READ, too');
$_->disconnect for $source, $admin;

done_testing();
