# The numbers by which C reads columns are those of pg_attribute, and the scopes that C knows are those of SQL.
use strict;
use warnings;
use SeemeTest;
use Test::More;

my %types = (
    UUIDOID => 'uuid', TEXTOID => 'text', NAMEOID => 'name', BOOLOID => 'boolean', TEXTARRAYOID => 'text[]',
    TIMESTAMPTZOID => 'timestamp with time zone', JSONBOID => 'jsonb',
);

sub slurp { my ($name) = @_; open my $file, '<', $name or die "$name: $!"; local $/; return scalar <$file>; }

create_database('columns', 'seeme_rbac');
my $dba = connect_to('columns');

# Every line that looks like a column counts: a misspelt one would be left out of the comparison.
my $list = slurp('src/core/columnlist.h');
$list =~ s{/\*.*?\*/}{}s;
my @lines = grep { /\S/ } split /\n/, $list;
cmp_ok(scalar @lines, '>', 40, 'C reads columns by number');
for my $line (@lines) {
    my ($table, $name, $number, $type) = $line =~ /^COLUMN\((\w+), (\w+), (\d+), (\w+)\)$/ or fail("a column: $line"), next;
    is(value($dba, q{SELECT attnum || ' ' || format_type(atttypid, NULL) FROM pg_attribute
                      WHERE attrelid = format('seeme.%I', ?::text)::regclass AND attname = ? AND NOT attisdropped}, $table, $name),
        "$number $types{$type}", "column $name of seeme.$table");
}

# A kind of scope is an argument of seeme_has_permission, has a list function, and has a table.
my $scope_c = slurp('src/core/scope.c');
my @kinds = slurp('src/core/scope.h') =~ /^\tSEEME_SCOPE_(\w+),$/mg;
my $arguments = value($dba, q{SELECT array_to_string(proargnames[2:], ' ') FROM pg_proc WHERE proname = 'seeme_has_permission'});
is("@{[map { lc } @kinds]} resource_type", $arguments, 'the kinds of scopes are numbered as the arguments');
for my $kind (@kinds) {
    my ($descriptor) = $scope_c =~ /^\t\[SEEME_SCOPE_$kind\] = \{\n(.*?)^\t\},/ms;
    my ($name) = $descriptor =~ /\.name = "(\w+)"/;
    my ($function) = $descriptor =~ /\.list_function = "(\w+)"/;
    my ($table) = $descriptor =~ /\.table = SEEME_TABLE_(\w+)/;
    is($name, lc $kind, "$kind has the name of its argument");
    is(value($dba, q{SELECT count(*) FROM pg_proc WHERE proname = ? AND pronamespace = 'public'::regnamespace}, $function), 1,
        "$kind has a list function");
    is(value($dba, 'SELECT to_regclass(?) IS NOT NULL', "seeme.$table"), 1, "$kind has a table");
    for my $permission ($descriptor =~ /_permission = "([a-z_]+:[a-z_]+)"/g) {
        is(value($dba, 'SELECT count(*) FROM seeme.permissions WHERE name = ?', $permission), 1, "$permission is registered");
    }
}
$dba->disconnect;
done_testing;
