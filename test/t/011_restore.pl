# Whichever way a database is restored, everybody holds afterwards what they held before: the test
# compares the decisions for every person, scope and code, not only the rows. It also tests what
# counts as a restore, and what only looks like one.
use strict;
use warnings;
use File::Temp 'tempdir';
use IPC::Run 'run';
use SeemeTest;
use Test::More;

my $directory = tempdir(CLEANUP => 1);
my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d');

# A world with codes of the application's own, which the built-in roles Admin, Editor and
# Contributor come to hold; a table that is protected by them; and foreign keys of the
# application's own to the extension's tables.
create_roles('restore_app NOLOGIN');
create_database('restore_source', 'seeme_rbac');
my $source = connect_to('restore_source');
make_world($source, 'restore_app');
$source->do(sprintf <<'SQL', id_of('alpha'), id_of('acme'));
CREATE TABLE lab_notes (id int PRIMARY KEY, project_id uuid NOT NULL REFERENCES seeme.projects ON DELETE CASCADE,
                        author_id uuid REFERENCES seeme.users);
CREATE INDEX ON lab_notes (project_id);
CREATE INDEX ON lab_notes (author_id);
INSERT INTO lab_notes SELECT n, '%1$s', NULL FROM generate_series(1, 20) AS n;
SELECT seeme_protect('lab_notes', 'lab_notes', project_column => 'project_id', owner_column => 'author_id', listing_columns => '{id}');
GRANT SELECT, INSERT, UPDATE, DELETE ON lab_notes TO restore_app;
INSERT INTO seeme.permissions (name, description, grouped_by_projects) VALUES ('lab_notes:share', 'Share a note', true), ('papers:cite', 'Cite a paper', false);
INSERT INTO seeme.roles (organization_id, name, permissions) VALUES ('%2$s', 'Citing', '{papers:cite,lab_notes:*}');
SQL

# Every decision about everybody, everywhere, and the rows that a policy lets through.
sub decisions {
    my ($dbh) = @_;
    return rows($dbh, <<'SQL');
SELECT u.username, s.id, p.name, seeme_user_has_permission(u.id, p.name, s.organization, s.team, s.project)
  FROM seeme.users u, seeme.permissions p,
       (SELECT id, id AS organization, NULL::uuid AS team, NULL::uuid AS project FROM seeme.organizations
        UNION ALL SELECT id, NULL, id, NULL FROM seeme.teams UNION ALL SELECT id, NULL, NULL, id FROM seeme.projects) AS s
 WHERE u.username <> 'zoe'
 ORDER BY 1, 2, 3
SQL
}
sub sees {
    my ($dbh, $person, $table) = @_;
    $dbh->begin_work;
    $dbh->do('SELECT seeme_assume(?)', undef, id_of($person));
    $dbh->do('SET LOCAL ROLE restore_app');
    my $count = value($dbh, "SELECT count(*) FROM $table");
    $dbh->rollback;
    return $count;
}
sub dumped {
    my ($database, @options) = @_;
    my ($out, $err) = ('', '');
    ok(run(['pg_dump', @options, $database], '>', \$out, '2>', \$err), "pg_dump @options $database")
        or diag $err;
    $out =~ s/^\\(un)?restrict .*\n//mg unless grep { $_ eq '-Fc' } @options;
    return $out;
}
sub written {
    my ($name, $text) = @_;
    open my $file, '>:raw', "$directory/$name" or die "$name: $!";
    print $file $text;
    close $file or die "$name: $!";
    return "$directory/$name";
}
sub works {
    my ($what, @command) = @_;
    my ($out, $err) = ('', '');
    ok(run(\@command, '<', \undef, '>', \$out, '2>', \$err), $what) or diag substr $err, 0, 2000;
}

my $first = dumped('restore_source');
my $findings = q{SELECT count(*) FROM seeme_security_report() WHERE severity IN ('critical', 'high') AND object LIKE 'public.%'};
my $found = value($source, $findings);
my @before = decisions($source);
cmp_ok(scalar(grep { /\|1$/ } @before), '>', 500, 'people hold something');
ok((grep { /^edith\|.*\|lab_notes:share\|1$/ } @before) > 0,
    'an Editor holds what the application has registered');
is(sees($source, 'edith', 'lab_notes'), 20, 'and sees rows by it');

my $plain = written('plain.sql', $first);
my $inserts = written('inserts.sql', dumped('restore_source', '--inserts'));
my $custom = written('custom', dumped('restore_source', '-Fc'));
my $clean = written('clean.sql', dumped('restore_source', '--clean', '--if-exists'));
my $schema = written('schema.sql', dumped('restore_source', '--schema-only'));
# In two parts, the extension's first, and in one file: pg_dump puts a table behind those that its
# foreign keys refer to.
my @data = (written('data.sql',
    dumped('restore_source', '--data-only', '--exclude-table-data=public.*')),
    written('data_public.sql', dumped('restore_source', '--data-only', '--table=public.*')));
my $data_whole = written('data_whole.sql', dumped('restore_source', '--data-only'));
my $data_disabled = written('data_disabled.sql',
    dumped('restore_source', '--data-only', '--disable-triggers'));
my @sections = map { written("section_$_.sql",
    dumped('restore_source', "--section=$_")) } qw(pre-data data post-data);

# pg_restore --transaction-size came with 17. Before, its parts by hand: so many entries of the
# list in a transaction each.
sub in_transactions {
    my ($database, $size) = @_;
    my $help = `pg_restore --help`;
    return [ 'pg_restore', "--transaction-size=$size", '-d', $database, $custom ]
        if $help =~ /--transaction-size/;
    my @entries = grep { !/^;/ } split /^/, `pg_restore -l $custom`;
    my @commands;
    while (my @part = splice @entries, 0, $size) {
        my $list = written("list_${size}_" . @commands, join '', @part);
        push @commands, [ 'pg_restore', '-1', '-L', $list, '-d', $database, $custom ];
    }
    return @commands;
}

my @two_steps = map { [ 'pg_restore', '-j', '4', @$_, '-d', 'restore_jobs', $custom ] } [
    '--section=pre-data', '--section=data' ], ['--section=post-data'];
for my $way (
    [ 'restore_plain', 'plain SQL', [ @psql, 'restore_plain', '-f', $plain ] ],
    [ 'restore_one', 'plain SQL in one transaction', [ @psql, 'restore_one', '-1', '-f', $plain ] ],
    [ 'restore_inserts', 'INSERTs', [ @psql, 'restore_inserts', '-f', $inserts ] ],
    [ 'restore_inserts_one', 'INSERTs in one transaction',
        [ @psql, 'restore_inserts_one', '-1', '-f', $inserts ] ],
    [ 'restore_custom', 'pg_restore', [ 'pg_restore', '-d', 'restore_custom', $custom ] ],
    [ 'restore_custom_one', 'pg_restore -1',
        [ 'pg_restore', '-1', '-d', 'restore_custom_one', $custom ] ],
    [ 'restore_size', 'pg_restore in transactions of 7', in_transactions('restore_size', 7) ],
    [ 'restore_bigger', 'pg_restore in transactions of 1000',
        in_transactions('restore_bigger', 1000) ],
    [ 'restore_jobs', 'pg_restore -j 4', @two_steps ],
    [ 'restore_sections', 'section by section, each in one transaction',
        map { [ @psql, 'restore_sections', '-1', '-f', $_ ] } @sections ],
    [ 'restore_data', 'the schema, then the data alone', [ @psql, 'restore_data', '-f', $schema ],
        map { [ @psql, 'restore_data', '-f', $_ ] } @data ],
    [ 'restore_data_one', 'the schema, then the data alone in one transaction',
        [ @psql, 'restore_data_one', '-f', $schema ],
        [ @psql, 'restore_data_one', '-1', map { ('-f', $_) } @data ] ],
    [ 'restore_whole', 'the schema, then the data in one file',
        [ @psql, 'restore_whole', '-f', $schema ], [ @psql, 'restore_whole', '-f', $data_whole ] ],
    [ 'restore_disabled', 'the data with triggers disabled',
        [ @psql, 'restore_disabled', '-f', $schema ],
        [ @psql, 'restore_disabled', '-f', $data_disabled ] ],
    [ 'restore_clean', '--clean over a database in use', [ @psql, 'restore_clean', '-f', $plain ],
        [ @psql, 'restore_clean', '-c', "INSERT INTO seeme.users (username) VALUES ('ordinary')" ],
            [ @psql, 'restore_clean', '-f', $clean ] ])
{
    my ($database, $what, @commands) = @$way;
    create_database($database);
    works("$what (" . join(' ', grep { !m{/} } @$_) . ')', @$_) for @commands;
    my $dbh = connect_to($database);
    my @after = decisions($dbh);
    is(scalar(@after), scalar(@before), "$what: as many decisions");
    my %expected = map { $_ => 1 } @before;
    my @wrong = grep { !$expected{$_} } @after;
    is(scalar(@wrong), 0, "$what: every decision is the same") or diag join "\n", splice @wrong, 0,
        10;
    is(sees($dbh, 'edith', 'lab_notes'), 20, "$what: an Editor sees the rows that they saw");
    is(sees($dbh, 'gina', 'lab_notes'), 0, "$what: and who saw none sees none");
    is(value($dbh, 'SELECT count(*) FROM seeme.in_use'), 0, "$what: restoring is no use");
    is(value($dbh, 'SELECT count(*) FROM seeme.lowered_guards'), 0,
        "$what: threat: the owner of a restored table takes its policies away");
    my $second = dumped($database);
    ok($first eq $second, "$what: a second dump equals the first, byte for byte") or do {
        run([ 'diff', written('first', $first), written('second', $second) ], '>', \my $difference);
        diag substr $difference, 0, 2000;
    };
    is(value($dbh, $findings), $found, "$what: the report finds what it found");
    $dbh->disconnect;
}

# An application's own foreign keys and triggers hold in the transaction that restores, also in the
# same statement.
create_database('restore_keys', 'seeme_rbac');
{
    my $dbh = connect_to('restore_keys');
    $dbh->do(<<'SQL');
CREATE TABLE people (id uuid PRIMARY KEY REFERENCES seeme.users);
CREATE TABLE pages (id int PRIMARY KEY);
CREATE TABLE lines (page int REFERENCES pages);
CREATE TABLE seen (what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT ON pages FOR EACH ROW EXECUTE FUNCTION note();
SET row_security = off;
SQL
    my $nobody = 'f0000000-0000-4000-8000-000000000001';
    my $membership = "INSERT INTO seeme.memberships (organization_id, user_id) VALUES ('$nobody', '$nobody')";
    $dbh->begin_work;
    is(sqlstate_of($dbh, $membership), '', 'what is restored may come before what it refers to');
    is(value($dbh, 'SHOW session_replication_role'), 'origin',
        'and no trigger is silenced by that');
    $dbh->do('SAVEPOINT a');
    is(sqlstate_of($dbh, 'INSERT INTO lines VALUES (1)'), '23503',
        'accident: a foreign key of the application in a transaction that restores');
    $dbh->do('ROLLBACK TO a');
    is(sqlstate_of($dbh,
        "WITH m AS (INSERT INTO seeme.memberships (organization_id, user_id) VALUES (gen_random_uuid(), '$nobody') RETURNING user_id) INSERT INTO people SELECT user_id FROM m"),
        '23503', 'accident: one in a statement that restores, too');
    $dbh->do('ROLLBACK TO a');
    is(sqlstate_of($dbh,
        "INSERT INTO seeme.teams (organization_id, name, slug) VALUES ('$nobody', 'T', 'not a slug')"), '23514', 'a restored row that breaks a constraint is refused');
    $dbh->do('ROLLBACK TO a');
    $dbh->do('INSERT INTO pages VALUES (1)');
    is(value($dbh, 'SELECT count(*) FROM seen'), 1,
        'accident: a trigger of the application in a transaction that restores');
    $dbh->do('SET LOCAL row_security = on');
    is(sqlstate_of($dbh,
        "INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES ('i', 's', '$nobody')"), '23503',
        'accident: the same session restores no more, and its keys are checked');
    $dbh->rollback;
    is(sqlstate_of($dbh, $membership), '', 'a restore of rows alone')
        && $dbh->do('DELETE FROM seeme.memberships');
    is(value($dbh, 'SELECT count(*) FROM seeme.in_use'), 0, 'does not count as use');

    # The first ordinary user does.
    $dbh->do('SET row_security = on');
    $dbh->do("INSERT INTO seeme.permissions (name) VALUES ('pages:read')");
    is(value($dbh, 'SELECT count(*) FROM seeme.in_use'), 0, 'registering a code is no use');
    $dbh->do("INSERT INTO seeme.users (id, username) VALUES ('$nobody', 'first')");
    is(value($dbh, 'SELECT count(*) FROM seeme.in_use'), 1, 'adding somebody is');
    my $log = 'SELECT count(*) FROM seeme.audit_log';
    my $entries = value($dbh, $log);
    $dbh->do('SET row_security = off');
    is(value($dbh, "INSERT INTO seeme.users (id, username) VALUES (gen_random_uuid(), '  second ') RETURNING username"), 'second', 'accident: row_security = off in an extension in use: rules');
    is(value($dbh, $log), $entries + 1,
        'accident: row_security = off in an extension in use: the log');
    is(sqlstate_of($dbh,
        "INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES ('i', 's', gen_random_uuid())"), '23503', 'accident: row_security = off in an extension in use: foreign keys');
    is(value($dbh, "INSERT INTO seeme.organizations (name, owner_id) VALUES ('New', '$nobody') RETURNING slug"), 'new', 'accident: row_security = off in an extension in use: what is derived');
    is(value($dbh, 'SELECT count(*) FROM seeme.memberships'), 1,
        'accident: row_security = off in an extension in use: the owner\'s membership');

    # Who means it says so.
    $entries = value($dbh, $log);
    $dbh->do('SET seeme_rbac.restoring = on');
    is(value($dbh, "INSERT INTO seeme.users (id, username) VALUES (gen_random_uuid(), '  third ') RETURNING username"), '  third ', 'seeme_rbac.restoring: rows are taken as they are');
    is(sqlstate_of($dbh,
        "INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES ('i', 's', gen_random_uuid())"), '', 'seeme_rbac.restoring: in any order');
    $dbh->do("INSERT INTO seeme.permissions (name, grouped_by_projects) VALUES ('pages:create', true)");
    is(value($dbh, "SELECT 'pages:create' = ANY (permissions) FROM seeme.roles WHERE organization_id IS NULL AND name = 'Editor'"), 1, 'seeme_rbac.restoring: built-in roles follow the codes');
    is(value($dbh, $log), $entries, 'seeme_rbac.restoring: nothing is in the audit log');
    $dbh->do("SET seeme_rbac.restoring = off; DELETE FROM seeme.external_identities");
    is(sqlstate_of($dbh,
        "INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES ('i', 's', gen_random_uuid())"), '23503', 'seeme_rbac.restoring off again: all holds');
    $dbh->do('SET ROLE restore_app');
    is(sqlstate_of($dbh, 'SET seeme_rbac.restoring = on'), '42501',
        'threat: an application restores');
    is(sqlstate_of($dbh, q{SELECT set_config('seeme_rbac.restoring', 'on', false)}, ()), '42501',
        'threat: an application restores, by set_config');
    $dbh->do('RESET ROLE');
    $dbh->do('SET seeme_rbac.restoring = on');
    $dbh->do('SELECT seeme_grant_usage(?)', undef, 'restore_app');
    $dbh->do('SET ROLE restore_app');
    is(sqlstate_of($dbh,
        "INSERT INTO seeme.organizations (name, owner_id) VALUES ('Mine', '$nobody')"), '42501',
        'threat: an administrator\'s session that restores is handed to an application\'s role');
    $dbh->disconnect;
}

# Into an extension in use, by the setting.
create_database('restore_used', 'seeme_rbac');
{
    my $dbh = connect_to('restore_used');
    $dbh->do("INSERT INTO seeme.users (username) VALUES ('zoe')");
    $dbh->do('SELECT seeme_grant_usage(?)', undef, 'restore_app');
    my $rows_plain = written('rows_plain.sql',
        dumped('restore_source', '--data-only', '--exclude-table-data=public.*',
        '--exclude-table-data=seeme.protected_tables', '--exclude-table-data=seeme.audit_log'));
    ok(!run([ @psql, 'restore_used', '-1', '-f', $rows_plain ], '2>', \my $error),
        'without the setting the rules hold, and the dump is refused');
    is(value($dbh, 'SELECT count(*) FROM seeme.users'), 1, 'as a whole');
    {
        local $ENV{PGOPTIONS} = '-c seeme_rbac.restoring=on';
        works('with it the dump is taken', @psql, 'restore_used', '-1', '-f', $rows_plain);
    }
    is_deeply([ decisions($dbh) ], \@before, 'every decision is the same');
    is(value($dbh, "SELECT count(*) FROM seeme.users WHERE username = 'zoe'"), 1,
        'and who was there is there');
    $dbh->disconnect;
}

$source->disconnect;
done_testing();
