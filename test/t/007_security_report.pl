# The security report finds nothing in a new database, nor in the one of the README
# (004_documentation.pl). It reads settings of the whole server and works in read-only transactions.
# Every finding is in doc/security_report.md and in a test.
use strict;
use warnings;
use SeemeTest;
use Test::More;
use Time::HiRes qw(sleep);

sub text_of { my ($file) = @_; local (@ARGV, $/) = ($file); return scalar <> }

create_database('security_report', 'seeme_rbac');
my $dba = connect_to('security_report');
my $elsewhere = q{finding NOT LIKE 'server lacks a fix:%'};
is_deeply [ rows($dba,
    "SELECT severity, object, finding FROM seeme_security_report() WHERE $elsewhere") ], [],
    'a new database has no findings';

$dba->do('BEGIN READ ONLY');
is_deeply [ rows($dba, "SELECT object FROM seeme_security_report() WHERE $elsewhere") ], [],
    'the report is made in a transaction that may not write';
$dba->do('COMMIT');

# until($wanted, query): a configuration file is read again when the server gets round to it.
sub until_it_is {
    my ($wanted, $query) = @_;
    my @found;
    for (1 .. 100) {
        @found = rows($dba, $query);
        last if "@found" eq "@$wanted";
        sleep 0.1;
    }
    return \@found;
}
for my $case ([ 'session_replication_role', 'replica', 'triggers are switched off' ],
    [ 'row_security', 'off', 'row_security is off' ]) {
    my ($setting, $value, $name) = @$case;
    my $query = "SELECT severity, object FROM seeme_security_report() WHERE finding LIKE '$name:%'";
    $dba->do("ALTER SYSTEM SET $setting = $value");
    $dba->do('SELECT pg_reload_conf()');
    is_deeply until_it_is([ 'high|SYSTEM' ], $query), [ 'high|SYSTEM' ],
        "$name: for the whole server";
    my ($remedy) = rows($dba,
        "SELECT remedy FROM seeme_security_report() WHERE finding LIKE '$name:%'");
    $dba->do($remedy);
    $dba->do('SELECT pg_reload_conf()');
    is_deeply until_it_is([], $query), [], "$name: and its remedy mends it";
    $dba->do("ALTER SYSTEM RESET $setting");
    $dba->do('SELECT pg_reload_conf()');
}

# A restore is one session's. PostgreSQL takes the setting out of no configuration file.
isnt(sqlstate_of($dba, 'ALTER SYSTEM SET seeme_rbac.restoring = on'), '',
    'rows count as restored: not for the whole server');

# What is restored from a dump is what was protected: in other words, perhaps, but the server's own.
create_database('security_report_restored');
# Neither is in a dump of one database, unless it is to create the database, too.
for my $database (qw(security_report security_report_restored)) {
    $dba->do("ALTER DATABASE $database SET session_preload_libraries = seeme_rbac");
    $dba->do("REVOKE TEMPORARY ON DATABASE $database FROM PUBLIC");
}
create_roles('r_app LOGIN');
make_world($dba, 'r_app');
$dba->do($_)
    for 'CREATE TABLE runs (id uuid, project_id uuid, owner_id uuid, at date) PARTITION BY RANGE (at)',
    q{CREATE TABLE runs_2025 PARTITION OF runs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')},
    'CREATE TABLE models (id uuid PRIMARY KEY, name text, team_id uuid, organization_id uuid, owner_id uuid)',
    (map { "CREATE INDEX ON $_" } 'runs (project_id)', 'runs (owner_id)', 'models (team_id)',
    'models (organization_id)', 'models (owner_id)'),
    q{SELECT seeme_protect('runs', 'training_runs', project_column => 'project_id', owner_column => 'owner_id')},
    q{SELECT seeme_protect('models', 'models', team_column => 'team_id', organization_column => 'organization_id', resource_id_column => 'id',
                           owner_column => 'owner_id', listing_columns => '{id,name}')};
is_deeply [ rows($dba,
    "SELECT severity, object, finding FROM seeme_security_report() WHERE $elsewhere") ], [],
    'tables of every kind, protected, have no findings';
is system('pg_dump -d security_report | psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -d security_report_restored'), 0, 'they are dumped and restored';
my $restored = connect_to('security_report_restored');
is value($restored, 'SELECT count(*) FROM seeme.protected_tables'), 3, 'as protected tables';
is_deeply [ rows($restored,
    "SELECT severity, object, finding FROM seeme_security_report() WHERE $elsewhere") ], [],
    'and have none then';
$restored->do('ALTER POLICY seeme_select ON models USING (true)');
is_deeply [ rows($restored,
    q{SELECT severity, object FROM seeme_security_report() WHERE finding LIKE 'policy was changed:%'}) ], [ 'critical|public.models' ],
    'but for what is changed afterwards';

# Names of findings, as the source has them: what stands before the first colon of a text.
my %in_source;
my $source = join '', map { text_of($_) } sort glob 'sql/install/6*.sql';
$source =~ s/^\s*--.*$//mg;
$source =~ s/^COMMENT ON .*?;$//msg;
for my $text ($source =~ /'((?:[^']|'')*)'/g) {
    next unless $text =~ /^((?:[\w%*]|'')[\w ,%*-]*(?:''[\w ,%*-]*)*): /;
    (my $name = $1) =~ s/''/'/g;
    $in_source{$_} = 1 for $name =~ /^%s is granted to a group/
        ? map { "$_ is granted to a group" } qw(seeme_assume seeme_act_for)
        : $name =~ /^%s is granted/ ? map { "$_ is granted" } qw(TRUNCATE REFERENCES TRIGGER)
        : $name;
}
cmp_ok scalar(keys %in_source), '>=', 25, 'there are ' . keys(%in_source) . ' findings';
my %in_doc = map { ($_ =>
    1) } (text_of('doc/security_report.md') =~ /^## Every finding\n(.*?)^## /ms)[0] =~ /^\| `([^`]+)` \|/mg;
is_deeply [ sort keys %in_doc ], [ sort keys %in_source ],
    'doc/security_report.md has every finding, and no other';
my $tests = join '', map { text_of($_) } glob 'test/sql/*.sql';
$tests =~ s/''/'/g;
is_deeply [ grep { index($tests, "'$_'") < 0 && index($tests, "'$_:") < 0 } sort keys %in_source ],
    [], 'and a test has every one';

done_testing;
