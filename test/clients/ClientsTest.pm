# What the tests of real clients share: a world in which no two people see the same rows, the rows
# that each should see (worked out as a superuser in plain SQL), poolers, and the running of a
# client's program.
package ClientsTest;

use strict;
use warnings;
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';
use File::Temp 'tempdir';
use JSON::PP;
use SeemeTest;
use Test::More;

our @EXPORT = qw(client_world owned_table is_still_protected start_pgbouncer run_client
    run_program);

my $here = dirname(abs_path(__FILE__));
our $requests = 10_000; # of each run of a program
our $world_more; # what else a program is told
my @people = qw(paul gina tess vera);
my (@pgbouncers, $dba, $database, $world, $protection);

# client_world(name): a database and a role NAME_gateway that the clients connect as. Answers with
# a superuser's connection.
sub client_world {
    ($database) = @_;
    my $gateway = "${database}_gateway";
    create_roles("${database}_app NOLOGIN", "$gateway LOGIN IN ROLE ${database}_app");
    create_database($database, 'seeme_rbac');
    $dba = connect_to($database);
    make_world($dba, "${database}_app");
    $dba->do("GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO $gateway");

    # notes are their owner's alone. session_notes are the same rows, guarded in the way that
    # leaks: by a setting of the session.
    $dba->do('CREATE TABLE notes (id int PRIMARY KEY, owner_id uuid NOT NULL, touched int NOT NULL DEFAULT 0)');
    $dba->do('CREATE INDEX ON notes (owner_id)');
    for my $number (0 .. $#people) {
        $dba->do('INSERT INTO notes SELECT 1000 * ? + i, ? FROM generate_series(1, 5) AS i', undef,
            $number + 1, id_of($people[$number]));
    }
    $dba->do(q{SELECT seeme_protect('notes', 'notes', owner_column => 'owner_id')});
    $dba->do('CREATE TABLE session_notes AS TABLE notes');
    $dba->do('ALTER TABLE session_notes ENABLE ROW LEVEL SECURITY');
    $dba->do(q{CREATE POLICY by_setting ON session_notes USING (owner_id = nullif(current_setting('app.user', true), '')::uuid)});
    $dba->do("GRANT SELECT, INSERT, UPDATE, DELETE ON notes, session_notes TO ${database}_app");

    $world = { delta => id_of('delta'), disabled => id_of('dora'), people => {} };
    for my $person (@people, 'nobody') {
        my $id = $person eq 'nobody' ? undef : id_of($person);
        $world->{people}{$person} = {
            id => $id,
            # Whatever seeme_login takes; a client sends it and knows no more about it.
            tokens => [ defined $id
            ? value($dba, q{SELECT key FROM seeme_create_api_key('client', '{*}', user_id => ?)},
            $id) : () ],
            papers => papers_of($id, 'read'),
            editable => papers_of($id, 'update'),
            notes => value($dba,
            q{SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM notes WHERE owner_id = ?}, $id),
        };
    }
    my %views = map { ($_->{papers} . ':' . $_->{notes}, 1) } values %{ $world->{people} };
    is(scalar(keys %views), @people + 1, 'no two people of this world see the same rows');
    isnt($world->{people}{tess}{editable}, '', 'one of them may write');
    return $dba;
}

# owned_table(): what tools that push a schema are let loose on. NAME_owner, a role that is no
# superuser, owns the protected table drafts, and may make tables, also in the schema migrations.
sub owned_table {
    my $owner = "${database}_owner";
    create_roles("$owner LOGIN");
    $dba->do("GRANT CREATE ON SCHEMA public TO $owner");
    $dba->do("CREATE SCHEMA migrations AUTHORIZATION $owner");
    $dba->do('CREATE TABLE drafts (id int PRIMARY KEY, owner_id uuid NOT NULL)');
    $dba->do('CREATE INDEX ON drafts (owner_id)');
    $dba->do("INSERT INTO drafts SELECT id, owner_id FROM notes");
    $dba->do("ALTER TABLE drafts OWNER TO $owner");
    $dba->do(q{SELECT seeme_protect('drafts', 'drafts', owner_column => 'owner_id')});
    $dba->do("GRANT SELECT, INSERT, UPDATE, DELETE ON drafts TO ${database}_app");
    $world->{owner} = $owner;
    $protection = protection();
    like($protection, qr/^t t [1-9]/, 'drafts is protected');
    return;
}

# Its policies, triggers and rows, whatever else a tool did.
sub protection {
    return value($dba, <<'SQL');
SELECT concat_ws(' ', relrowsecurity, relforcerowsecurity,
         (SELECT count(*) FROM drafts),
         (SELECT string_agg(concat(polname, polcmd, polroles, pg_get_expr(polqual, polrelid),
                                   pg_get_expr(polwithcheck, polrelid)), ' ' ORDER BY polname)
            FROM pg_policy WHERE polrelid = c.oid),
         (SELECT string_agg(concat(tgname, tgenabled), ' ' ORDER BY tgname)
            FROM pg_trigger WHERE tgrelid = c.oid))
  FROM pg_class c WHERE oid = 'drafts'::regclass
SQL
}

sub is_still_protected {
    is(protection(), $protection, 'drafts is protected as before, and has all its rows');
    return;
}

# The oracle: from the rows of seeme.*, by nothing of the extension's code.
sub papers_of {
    my ($person, $action) = @_;
    return value($dba, <<'SQL', $person, $action, $action, $action);
WITH entry AS (
  SELECT o.owner_id AS person, p.id AS project, '*' AS code
    FROM seeme.organizations o JOIN seeme.projects p ON p.organization_id = o.id
  UNION
  SELECT m.user_id, p.id, unnest(r.permissions)
    FROM seeme.memberships m
    JOIN seeme.projects p ON p.organization_id = m.organization_id
     AND (m.team_id IS NULL AND m.project_id IS NULL OR m.team_id = p.team_id
     OR m.project_id = p.id)
    JOIN seeme.roles r ON r.id = m.role_id
)
SELECT coalesce(string_agg(d.id::text, ' ' ORDER BY d.id), '')
  FROM papers d
 WHERE EXISTS (SELECT FROM entry e
                WHERE e.person = ? AND e.project = d.project_id
                  AND e.code IN ('*', 'datasets:*', 'datasets:' || ?::text, '*:' || ?::text)
                  AND ?::text IS NOT NULL)
SQL
}

# start_pgbouncer(pool mode): doc/clients/pgbouncer.ini as it stands there, but for where things
# are and with one connection in its pool. Answers with the directory of its socket.
sub start_pgbouncer {
    my ($mode) = @_;
    my $directory = tempdir(CLEANUP => 1);
    open my $recipe, '<', "$here/../../doc/clients/pgbouncer.ini" or die "pgbouncer.ini: $!";
    my $ini = do { local $/; <$recipe> };
    my %change = (
        qr/^app = .*$/m => "$database = host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=$database",
        qr/^listen_addr = .*$/m => "unix_socket_dir = $directory",
        qr/^auth_type = .*$/m => 'auth_type = trust',
        qr/^auth_file = .*$/m => "auth_file = $directory/userlist.txt",
        qr/^pool_mode = .*$/m => "pool_mode = $mode",
        qr/^default_pool_size = .*$/m => 'default_pool_size = 1',
    );
    for my $line (keys %change) {
        $ini =~ s/$line/$change{$line}/ or die "doc/clients/pgbouncer.ini has no line like $line";
    }
    write_file("$directory/pgbouncer.ini", $ini);
    write_file("$directory/userlist.txt", qq{"${database}_gateway" ""\n});
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDOUT, '>', "$directory/log" or die $!;
        open STDERR, '>&', \*STDOUT or die $!;
        exec 'pgbouncer', "$directory/pgbouncer.ini" or die "pgbouncer: $!";
    }
    push @pgbouncers, $pid;
    for (1 .. 100) {
        return $directory if -S "$directory/.s.PGSQL.6432";
        select undef, undef, undef, 0.1;
    }
    open my $log, '<', "$directory/log" or die $!;
    die 'pgbouncer does not start: ', <$log>;
}

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out $text;
    close $out or die "$file: $!";
}

# run_client(command, ...): the program is told the world in a file and prints `ok NAME`, `not ok
# NAME`, remarks, how many writes of each person it committed, and `done` at its end: one that ends
# early has failed.
sub run_client {
    my (@command) = @_;
    my ($name) = map { m{([^/]+)\.(?:js|py)$} ? $1 : () } @command;
    $name .= ' through pgbouncer' if $command[-1] !~ /\.(js|py)$/;
    my $directory = tempdir(CLEANUP => 1);
    write_file("$directory/world.json", encode_json({
        %$world, %{ $world_more // {} }, requests => $requests, database => $database, user => "${database}_gateway",
            socket => $ENV{PGHOST}, directory => $directory }));
    local $ENV{SEEME_WORLD} = "$directory/world.json";
    local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
    my $touched = q{SELECT u.username, sum(n.touched) FROM notes n JOIN seeme.users u ON u.id = n.owner_id GROUP BY 1 ORDER BY 1};
    $dba->do('UPDATE notes SET touched = 0');
    open my $program, '-|', @command or die "$command[0]: $!";
    my ($done, %committed) = read_program($program, "$name: ");
    ok(close($program) && $done, "$name: ran to its end") or return diag("exit status $?");
    my @expected = map { "$_|" . ($committed{$_} // 0) } sort @people;
    is_deeply([ rows($dba, $touched) ], \@expected,
        "$name: what each person wrote is on their own rows, all of it and once");
    is(scalar(grep { $committed{$_} } @people), @people, "$name: and each of them did write");
    return;
}

# read_program(handle, prefix): passes on what a program prints. Answers whether it said that it is
# done, and with what it committed, by person.
sub read_program {
    my ($program, $prefix) = @_;
    my ($done, %committed);
    while (<$program>) {
        chomp;
        if (/^ok (.*)/) { pass("$prefix$1") }
        elsif (/^not ok (.*)/) { fail("$prefix$1") }
        elsif (/^committed (\w+) (\d+)$/) { $committed{$1} += $2 }
        elsif ($_ eq 'done') { $done = 1 }
        else { diag($_) }
    }
    return ($done, %committed);
}

# run_program(file): a test of its own that is written in Python, in a database and with a role
# NAME_app that bear its name. It is told the server, finds the recipes of doc/clients, and prints
# as run_client's programs do.
sub run_program {
    my ($file) = @_;
    my ($name) = $file =~ /^with_(\w+)\.py$/ or die "$file: no with_NAME.py";
    create_roles("${name}_app LOGIN");
    create_database($name, 'seeme_rbac');
    local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
    local $ENV{PYTHONPATH} = "$here/../../doc/clients";
    open my $program, '-|', 'python3', "$here/$file", $ENV{PGHOST}, $ENV{PGUSER} or die "python3: $!";
    my ($done) = read_program($program, '');
    ok(close($program) && $done, 'the program ran to its end');
    return;
}

sub client_file { return "$here/$_[0]" }

END {
    my $status = $?;
    kill INT => $_ for @pgbouncers;
    waitpid $_, 0 for @pgbouncers;
    $dba->disconnect if $dba;
    $? = $status;
}

1;
