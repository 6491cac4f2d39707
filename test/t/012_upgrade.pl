# A library and an SQL version that do not fit each other refuse to work, with a message. This holds
# in both directions, and in sessions that have loaded the old library. An upgrade renews the
# protected tables. The test makes the next version from a copy of this tree. There it changes a
# column that decisions read, a policy of the extension's own, what seeme_protect makes, and an
# argument of a C function. On a server of its own, whose library is exchanged.
use strict;
use warnings;
use Cwd 'getcwd';
use File::Copy 'copy';
use File::Path 'make_path';
use File::Temp 'tempdir';
use SeemeTest;
use Test::More;

my $tree = getcwd();
my $place = tempdir(CLEANUP => 1);
my ($major) = `pg_config --version` =~ /(\d+)/ or die 'no pg_config';
my ($before) = slurp("$tree/seeme_rbac.control") =~ /default_version = '(.*?)'/;
my $after = "$before.1";

sub slurp {
    my ($name) = @_;
    open my $file, '<', $name or die "$name: $!";
    local $/;
    return scalar <$file>;
}
sub spurt {
    my ($name, $text) = @_;
    open my $file, '>', $name or die "$name: $!";
    print $file $text;
    close $file or die "$name: $!";
}
sub shell {
    my ($command) = @_;
    my $out = `$command 2>&1`;
    $? == 0 or BAIL_OUT("$command: $out");
    return $out;
}

# A change of the next version: each is found exactly once.
sub change {
    my ($file, $old, $new) = @_;
    my $text = slurp("$place/next/$file");
    my $count = 0;
    $count++ while $text =~ /$old/g;
    $count == 1 or BAIL_OUT("$file has $count places like $old");
    $text =~ s/$old/ref $new ? $new->() : $new/e;
    spurt("$place/next/$file", $text);
}
sub statement_of {
    my ($file, $name) = @_;
    my ($text) = slurp("$place/next/$file") =~ /^(CREATE FUNCTION \Q$name\E\(.*?^COMMENT ON FUNCTION \Q$name\E\(.*?;\n)/ms;
    return $text // BAIL_OUT("$file has no function $name");
}

# The versions: what is installed, and the next one.
my $pg_config = `bash -c '. "$tree/scripts/lib/server.sh"; private_postgres $major "$place/prefix"'`;
chomp $pg_config;
my ($library, $share) = map { my $dir = `$pg_config --$_`; chomp $dir;
    $dir } qw(pkglibdir sharedir);
make_path("$place/old", "$place/next");
shell("cp `pg_config --pkglibdir`/seeme_rbac.so '$place/old/'; cp `pg_config --sharedir`/extension/seeme_rbac* '$share/extension/'");
shell("cd '$tree' && cp -R Makefile seeme_rbac.control sql src '$place/next/' && rm -f '$place'/next/src/*.o '$place'/next/src/*/*.o '$place'/next/*.so '$place'/next/sql/*.sql");

my $column = 1 + (() = slurp("$tree/sql/install/30_users.sql") =~ /^COMMENT ON COLUMN seeme\.users\./mg);
change('seeme_rbac.control', qr/default_version = '.*?'/, "default_version = '$after'");
change('src/core/columnlist.h', qr/(?=^COLUMN\(users, id,)/m,
    "COLUMN(users, suspended, $column, BOOLOID)\n");
change('src/core/store_identities.c',
    qr/(?<=disabled_at = seeme_row_time\(scan, Anum_users_disabled_at, DT_NOEND\);\n)/,
    "\t{\n\t\tbool\t\tisnull;\n\n\t\tif (DatumGetBool(seeme_row_datum(scan, Anum_users_suspended, &isnull)) && !isnull)\n\t\t\tuser->disabled_at = DT_NOBEGIN;\n\t}\n");
change('src/identity/random_secret.c', qr/SEEME_FUNCTION\(seeme_random_token, 1\)\n\{\n/,
    "SEEME_FUNCTION(seeme_random_token, 2)\n{\n\tchar\t   *suffix = text_to_cstring(PG_GETARG_TEXT_PP(1));\n");
change('src/identity/random_secret.c', qr/\tPG_RETURN_TEXT_P\(cstring/,
    "\tappendStringInfoString(&token, suffix);\n\tPG_RETURN_TEXT_P(cstring");
change('sql/install/11_decision.sql', qr/seeme\.random_token\(prefix text\)/,
    "seeme.random_token(prefix text, suffix text = '')");
change('sql/install/11_decision.sql', qr/seeme\.random_token\(text\)/,
    'seeme.random_token(text, text)');
change('sql/install/39_row_conditions.sql',
    qr/(CREATE FUNCTION seeme\.row_condition\(.*?\n)RETURN concat_ws\(' OR ',(.*?)\);(?=\nCOMMENT ON FUNCTION seeme\.row_condition)/s,
    sub { "${1}RETURN CASE WHEN code LIKE '%:delete' THEN 'false AND ' WHEN code LIKE '%:list' THEN 'true IS NOT NULL AND ' ELSE '' END || '(' || concat_ws(' OR ',$2) || ')';" });
change('sql/install/20_permissions.sql',
    qr/(CREATE POLICY seeme_select ON seeme\.resource_types FOR SELECT USING \()/,
    sub { "${1}name <> 'graph' AND (SELECT true) AND (" });
change('sql/install/20_permissions.sql',
    qr/(has_table_privilege\('seeme\.resource_types', 'INSERT'\)\))\);/, sub { "$1));" });
change('sql/install/80_upgrade.sql', qr/\z/,
    "ALTER TABLE seeme.users ADD COLUMN suspended boolean;\nCOMMENT ON COLUMN seeme.users.suspended IS 'Refused everything';\n");
my ($policy) = slurp("$place/next/sql/install/20_permissions.sql") =~ /^CREATE (POLICY seeme_select ON seeme\.resource_types) FOR SELECT (USING .*?;)/ms ? "ALTER $1 $2" : BAIL_OUT('no policy');
my $step = "seeme_rbac--$before--$after.sql";
spurt("$place/next/sql/$step", join "\n", '-- The next version.',
    'SET LOCAL search_path = pg_catalog, pg_temp;',
    'ALTER TABLE seeme.users ADD COLUMN suspended boolean;',
    q{COMMENT ON COLUMN seeme.users.suspended IS 'Refused everything';},
    'DROP FUNCTION seeme.random_token(text);',
    statement_of('sql/install/11_decision.sql', 'seeme.random_token'),
    'REVOKE ALL ON FUNCTION seeme.random_token(text, text) FROM PUBLIC;',
    'DROP FUNCTION seeme.row_condition(seeme.protected_tables, text);',
    statement_of('sql/install/39_row_conditions.sql', 'seeme.row_condition'),
    'REVOKE ALL ON FUNCTION seeme.row_condition(seeme.protected_tables, text) FROM PUBLIC;',
    $policy, 'SELECT seeme.finish_upgrade();', '');
if (-x '/usr/bin/python3' && -e "$tree/scripts/lint"
    && system('/usr/bin/python3 -c "import pglast" 2>/dev/null') == 0) {
    is(`$tree/scripts/lint '$place/next/sql/$step'`, '',
        'the upgrade script keeps the rules of the house');
    spurt("$place/next/sql/bad--1--2.sql",
        "SET LOCAL search_path = pg_catalog, pg_temp;\nSELECT seeme.remember_guards();\n");
    like(`$tree/scripts/lint '$place/next/sql/bad--1--2.sql'`, qr/upgrade-end/,
        'one that does not end as it must is found');
    unlink "$place/next/sql/bad--1--2.sql";
}
shell("make -s -C '$place/next' PG_CONFIG='$pg_config' with_llvm=no all");
shell("cp '$place/next/'sql/seeme_rbac--*.sql '$place/next/seeme_rbac.control' '$share/extension/'");

# As make install does it: a new file in the place of the old one, which sessions go on using that
# have loaded it.
sub install {
    my ($which) = @_;
    unlink "$library/seeme_rbac.so";
    copy("$place/$which/seeme_rbac.so", "$library/seeme_rbac.so") or die "seeme_rbac.so: $!";
    chmod 0755, "$library/seeme_rbac.so";
}
install('old');

my $started = shell(qq{bash -c '. "$tree/scripts/lib/server.sh"; start_server "$pg_config" "$place" && echo started'});
like($started, qr/started/, 'the server starts');
@ENV{qw(PGHOST PGPORT PGUSER)} = ("$place/run", 5432, 'postgres');
my $bin = `$pg_config --bindir`;
chomp $bin;
END { my $status = $?; system("$bin/pg_ctl", '-D', "$place/data", '-m', 'immediate', '-s', 'stop')
    if $place && -e "$place/data/postmaster.pid"; $? = $status; }

sub connected {
    my ($database) = @_;
    return DBI->connect("dbi:Pg:dbname=$database", 'postgres', '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, pg_server_prepare =>
        1 });
}
sub new_world {
    my ($database) = @_;
    my $dbh = connected('postgres');
    $dbh->do("CREATE DATABASE $database");
    $dbh->do("CREATE ROLE $_")
        for grep { !value($dbh, 'SELECT count(*) FROM pg_roles WHERE rolname = ?',
        $_) } qw(upgrade_app upgrade_owner);
    $dbh->disconnect;
    $dbh = connected($database);
    $dbh->do("SET client_min_messages = error; CREATE EXTENSION seeme_rbac VERSION '$before'");
    make_world($dbh, 'upgrade_app');
    $dbh->do(sprintf <<'SQL', id_of('alpha'));
CREATE TABLE notes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, project_id uuid, owner_id uuid);
ALTER TABLE notes OWNER TO upgrade_owner;
CREATE INDEX ON notes (project_id);
CREATE INDEX ON notes (owner_id);
CREATE TABLE old_notes () INHERITS (notes);
SELECT seeme_protect('notes', 'notes', project_column => 'project_id', owner_column => 'owner_id', listing_columns => '{id,name}');
CREATE VIEW names WITH (security_invoker = true) AS SELECT name FROM notes_listing;
GRANT SELECT ON names TO upgrade_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON notes, notes_listing TO upgrade_app;
CREATE TABLE years (id int, project_id uuid) PARTITION BY LIST (id);
CREATE TABLE years_1 PARTITION OF years FOR VALUES IN (1);
CREATE INDEX ON years (project_id);
SELECT seeme_protect('years', 'notes', project_column => 'project_id');
GRANT SELECT, INSERT, UPDATE, DELETE ON years TO upgrade_app;
INSERT INTO notes (name, project_id) SELECT 'n' || n, '%1$s' FROM generate_series(1, 20) AS n;
INSERT INTO years VALUES (1, '%1$s');
-- columns that a protected table has not any more do not stand in the way of an upgrade
CREATE TABLE broken (id int, project_id uuid);
CREATE INDEX ON broken (project_id);
SELECT seeme_protect('broken', 'notes', project_column => 'project_id');
UPDATE seeme.protected_tables SET project_column = 'place' WHERE table_name = 'broken'::regclass;
SQL
    return $dbh;
}
sub as_person {
    my ($dbh, $person, $sql) = @_;
    $dbh->begin_work;
    my @answer = eval {
        $dbh->do('SELECT seeme_assume(?)', undef, id_of($person));
        $dbh->do('SET LOCAL ROLE upgrade_app');
        $sql =~ /^SELECT/ ? value($dbh, $sql) : $dbh->do($sql) + 0;
    };
    my $error = $@ ? $dbh->state : '';
    $dbh->rollback;
    return $error || $answer[0];
}
sub refused {
    my ($dbh, $sql, $what, $hint) = @_;
    my $state = sqlstate_of($dbh, $sql);
    is($state, '55000', $what);
    like($dbh->errstr // '', $hint, "$what: the hint says what to do") if $hint;
    return;
}
my $read = 'SELECT count(*) FROM papers';
my $held = q{SELECT seeme_has_permission('datasets:read', project => '} . id_of('alpha') . q{')};
my $newer_library = qr/library of seeme_rbac is version \Q$after\E, .* version \Q$before\E\n.*HINT:  The library is newer: run ALTER EXTENSION seeme_rbac UPDATE/s;
my $newer_extension = qr/library of seeme_rbac is version \Q$before\E, .* version \Q$after\E\n.*HINT:  The extension is newer: install the library of version \Q$after\E, and reconnect/s;
my @everything = (
    'SELECT seeme_user_id()', $held, 'SELECT seeme_assume(\'' . id_of('edith') . '\')',
        q{SELECT seeme.random_token('x')}, 'SELECT seeme_permitted_projects(\'datasets:read\')',
    'SELECT seeme_current_user_context()',
    q{INSERT INTO seeme.users (username) VALUES ('somebody')},
    "UPDATE seeme.roles SET name = name || '.' WHERE organization_id IS NOT NULL",
    q{SELECT seeme_user_has_permission('} . id_of('edith') . q{', 'datasets:read', project => '}
    . id_of('alpha') . q{')}, q{SELECT seeme_login('seeme_key_00')},
    q{SELECT seeme.has_both_permissions('datasets:read', 'datasets:update', NULL, NULL, '} . id_of('alpha')
    . q{', NULL, NULL)}, 'SET ROLE upgrade_app; SELECT count(*) FROM papers',
    'SET ROLE upgrade_app; SELECT count(*) FROM seeme.organizations',
    'SET ROLE upgrade_app; UPDATE papers SET title = title',
    'SELECT * FROM seeme.cache_statistics', 'DELETE FROM seeme.memberships',
    'UPDATE papers SET title = title');

# What must go on, so that somebody can mend it.
sub goes_on {
    my ($dbh, $what) = @_;
    for my $sql ('CREATE TABLE ordinary (id int PRIMARY KEY)',
        'ALTER TABLE ordinary ADD COLUMN name text',
        'CREATE TABLE years_2 PARTITION OF years FOR VALUES IN (2)',
        'DROP TABLE years_2', 'DROP TABLE ordinary', 'EXPLAIN SELECT * FROM papers',
        'EXPLAIN SELECT * FROM notes WHERE owner_id = gen_random_uuid()',
        'CREATE SCHEMA s CREATE TABLE t (id int)', 'DROP SCHEMA s CASCADE')
    {
        is(sqlstate_of($dbh, $sql), '', "$what: $sql");
    }
}

# 1. The library is exchanged, the extension not updated yet.
my $admin = new_world('one');
my $old = connected('one');
my $in_transaction = connected('one');
my $prepared = connected('one');
is(as_person($_, 'edith', $read), 75, 'before: an Editor reads') for $old, $in_transaction;
is(as_person($old, 'edith', 'DELETE FROM notes'), 0, 'before: and deletes nothing');
is(as_person($old, 'adam', 'DELETE FROM notes'), 20, 'before: an Admin does');
$prepared->do('SET plan_cache_mode = force_generic_plan');
my $statement = $prepared->prepare('SELECT count(*) FROM papers WHERE id > ?',
    { pg_prepare_now => 1 });
sub run_prepared {
    $prepared->begin_work;
    my $count = eval { $prepared->do('SELECT seeme_assume(?)', undef, id_of('edith'));
        $prepared->do('SET LOCAL ROLE upgrade_app'); $statement->execute(0);
        my ($count) = $statement->fetchrow_array; $statement->finish; $count };
    my $state = $@ ? $prepared->state : '';
    $prepared->rollback;
    return $state || $count;
}
is(run_prepared(), 75, 'before: by a prepared statement, too');
is(value($admin, 'SELECT count(*) FROM seeme_security_report() WHERE finding LIKE \'policy%\''), 0,
    'before: the report has nothing against the policies');
install('next');
is(as_person($old, 'edith', $read), 75,
    'old library, old extension: a session that is there goes on');
is(as_person($old, 'edith',
    q{SELECT count(*) FROM papers WHERE set_config('parallel_setup_cost', '0', true) IS NOT NULL}),
    75, 'also afterwards');
{
    # The workers load the new library.
    my $force = $major >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';
    $old->do("SET $force = on");
    like(as_person($old, 'edith', $read), qr/^(75|55000)$/,
        'old library, old extension: a parallel worker with the new library says no, or the truth');
    $old->do("RESET $force");
}
my $new = connected('one');
for my $sql (@everything) {
    refused($new, $sql, "new library, old extension: $sql", $newer_library);
    $new->do('RESET ROLE');
}
goes_on($new, 'new library, old extension');
is(sqlstate_of($new,
    'SET row_security = off; CREATE TABLE restored (id int); DROP TABLE restored; RESET row_security'), '', 'new library, old extension: DDL with row_security off');
{
    my $third = connected('postgres');
    $third->do('CREATE DATABASE dropped');
    my $dropped = connected('dropped');
    $dropped->do("CREATE EXTENSION seeme_rbac VERSION '$before'");
    refused($dropped, 'SELECT seeme_user_id()', 'new library, old extension, just made',
        $newer_library);
    is(sqlstate_of($dropped, 'ALTER EXTENSION seeme_rbac UPDATE'), '',
        'it is updated in the same session');
    is(sqlstate_of($dropped, 'SELECT seeme_user_id()'), '', 'and works');
    is(sqlstate_of($dropped, 'DROP EXTENSION seeme_rbac'), '', 'it is dropped');
    $dropped->do("CREATE EXTENSION seeme_rbac VERSION '$before'");
    refused($dropped, 'SELECT seeme_user_id()', 'and made again as it was', $newer_library);
    is(sqlstate_of($dropped, 'DROP EXTENSION seeme_rbac'), '',
        'new library, old extension: DROP EXTENSION');
    $dropped->disconnect;
    $third->do('DROP DATABASE dropped');
    $third->disconnect;
}

# 2. ALTER EXTENSION UPDATE: taken back, and for good.
$in_transaction->begin_work;
$in_transaction->do('SELECT seeme_assume(?)', undef, id_of('edith'));
is(value($in_transaction, $held), 1, 'a transaction that is open before the update');
$old->begin_work;
is(sqlstate_of($old, "ALTER EXTENSION seeme_rbac UPDATE TO '$after'"), '',
    'an update in a session with the old library');
is(sqlstate_of($old, 'SELECT seeme_user_id()'), '55000', 'which works no more then');
$old->rollback;
is(as_person($old, 'edith', $read), 75, 'and does so again when it is taken back');
is(value($in_transaction, $held), 1, 'others have not noticed');
$new->do('SET client_min_messages = error');
is(sqlstate_of($new, 'ALTER EXTENSION seeme_rbac UPDATE'), '',
    'new library, old extension: ALTER EXTENSION UPDATE');
is(value($new, 'SELECT extversion FROM pg_extension WHERE extname = \'seeme_rbac\''), $after,
    'makes it the next version');
is(as_person($new, 'edith', $read), 75,
    'new library, new extension: the session that updated it works');
refused($in_transaction, $held,
    'old library, new extension: the next statement of an open transaction', $newer_extension);
$in_transaction->rollback;
is(run_prepared(), '55000', 'old library, new extension: a prepared statement');
$statement->finish;
for my $sql (@everything) {
    refused($old, $sql, "old library, new extension: $sql", $newer_extension);
    $old->do('RESET ROLE');
}
goes_on($old, 'old library, new extension');

# 3. The next version's rules.
my $later = connected('one');
is(as_person($later, 'edith', $read), 75, 'new library, new extension: a new session works');
$admin->disconnect;
$admin = connected('one');
$admin->do('UPDATE seeme.users SET suspended = true WHERE id = ?', undef, id_of('edith'));
is(as_person($later, 'edith', $read), '28000', 'threat: the new column is followed');
is(as_person($later, 'adam', 'DELETE FROM notes'), 0,
    'what seeme_protect makes is the new one: nobody deletes');
is(as_person($later, 'adam', 'UPDATE notes SET name = name'), 20, 'but changes');
is(as_person($later, 'adam', 'DELETE FROM years'), 0, 'of a partitioned table, too');
is(as_person($later, 'adam', 'SELECT count(*) FROM names'), 20,
    'a view over a listing view is still there, with its grants');
like(value($later, q{SELECT pg_get_viewdef('notes_listing'::regclass)}), qr/true IS NOT NULL/,
    'and the listing view is the new one');
is(as_person($later, 'adam', 'SELECT count(*) FROM seeme.resource_types WHERE name = \'graph\''), 0,
    'the new policy of the extension\'s own tables');
is_deeply([ rows($later,
    q{SELECT object, finding FROM seeme_security_report() WHERE finding ~ '^(policy|trigger)' AND object NOT LIKE '%broken%'}) ], [], 'the report has nothing against them');
is(value($later, q{SELECT count(*) FROM pg_depend d WHERE d.deptype = 'e' AND (d.classid, d.objid) IN (SELECT 'pg_class'::regclass, c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace)}),
    0, 'nothing of the application\'s has become the extension\'s');
is(value($later, q{SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'old_notes'::regclass AND NOT tgisinternal}),
    value($later, q{SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'notes'::regclass AND NOT tgisinternal AND tgname IN ('seeme_after_wait', 'zz_seeme_check_moved_row')}),
    'a table that inherits has its triggers');
is(value($later, q{SELECT count(*) FROM pg_policy WHERE polrelid = 'broken'::regclass}), 4,
    'a table that cannot be brought up to date keeps what it has');
is(value($later, 'SELECT length(seeme.random_token(\'\', \'yz\'))'), 66,
    'the new function takes its new argument');

# 4. The old library again.
install('old');
my $older = connected('one');
for my $sql (@everything) {
    refused($older, $sql, "old library, new extension, new session: $sql", $newer_extension);
    $older->do('RESET ROLE');
}
goes_on($older, 'old library, new extension, new session');
is(as_person($later, 'adam', 'DELETE FROM notes'), 0, 'who has loaded the new one goes on');

# 5. An update in the one session that has loaded the old library.
my $second = new_world('two');
is(as_person($second, 'edith', $read), 75, 'another database, of the old version');
install('next');
like(sqlstate_of($second, 'ALTER EXTENSION seeme_rbac UPDATE'), qr/^(|55000|42883)$/,
    'the update, in a session that has loaded the old library');
is(as_person($second, 'edith', $read), '55000', 'which is then refused')
    if value($second, 'SELECT extversion FROM pg_extension WHERE extname = \'seeme_rbac\'') eq $after;
$second->disconnect;
$second = connected('two');
$second->do('SET client_min_messages = error; ALTER EXTENSION seeme_rbac UPDATE');
is(as_person($second, 'edith', $read), 75, 'and a new one works');

# 6. A database of the next version is what an updated one is.
my $fresh = connected('postgres');
$fresh->do('CREATE DATABASE three');
$fresh->disconnect;
$fresh = connected('three');
$fresh->do('CREATE EXTENSION seeme_rbac');
for my $what (
    [ 'functions', q{SELECT p.oid::regprocedure::text, p.prosrc, p.prosqlbody IS NULL, (SELECT count(*) FROM aclexplode(p.proacl) a WHERE a.grantee = 0) FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'seeme_rbac' ORDER BY 1} ],
    [ 'policies', q{SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'seeme' ORDER BY 1, 2} ],
    [ 'guards that are remembered',
        q{SELECT object, kind, name, statement, condition, check_condition FROM seeme.installed_guards WHERE kind IN ('policy', 'trigger') ORDER BY 1, 2, 3} ])
{
    is_deeply([ rows($second, $what->[1]) ], [ rows($fresh, $what->[1]) ],
        "an updated database and a new one have the same $what->[0]");
}

# Nothing crashed.
unlike(slurp("$place/server.log"), qr/PANIC|TRAP:|terminated by signal|server process .* exited/,
    'the server has stayed up');
is(value($later, 'SELECT 1'), 1, 'and answers');
$_->disconnect for grep { $_->{Active} } $admin, $old, $in_transaction, $prepared, $new, $later,
    $older, $second, $fresh;

# Whatever SQL calls asks for the version first.
my @unasked = grep { !m{/version\.h:} } `grep -rl PG_FUNCTION_INFO_V1 $tree/src`;
chomp @unasked;
is_deeply([ grep { !/version\.h$/ } @unasked ], [],
    'every function of the library is begun by a macro of version.h');
done_testing();
