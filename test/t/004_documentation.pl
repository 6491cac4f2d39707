# The documentation is true: the README's first use runs as it is pasted and shows what it says,
# the table of the built-in roles is the database's, and every public function is in the reference.
use strict;
use warnings;
use SeemeTest;
use Test::More;

sub text_of { my ($file) = @_; local (@ARGV, $/) = ($file); return scalar <> }

create_database('documentation');
my ($paste) = text_of('README.md') =~ /^Paste this.*?^```sql\n(.*?)^```$/ms
    or die 'README.md has no SQL to paste';
# It makes the role itself; afterwards it goes with those of the other tests.
create_roles('app LOGIN');
{ my $dba = connect_to('postgres'); $dba->do('DROP ROLE app'); $dba->disconnect }

open my $psql, '|-', 'psql -XAt -v ON_ERROR_STOP=1 -d documentation >first_use.out 2>&1' or die $!;
print $psql $paste;
ok close $psql, 'the first use in the README runs without an error';
my @lines = split /\n/, text_of('first_use.out');
unlink 'first_use.out';
my @names = grep { /^(cat-or-dog|moonshot|UPDATE \d+)$/ } @lines;
is_deeply [ sort @names[0, 1] ], [ 'cat-or-dog', 'moonshot' ], 'Ada sees both models';
is_deeply [ @names[2 .. $#names] ], [ 'cat-or-dog', 'UPDATE 0' ],
    'Bob sees one and changes none, nobody sees any'
    or diag join "\n", @lines;

my $dba = connect_to('documentation');
is_deeply [ rows($dba,
    q{SELECT severity, object, finding FROM seeme_security_report() WHERE finding NOT LIKE 'server lacks a fix:%'}) ], [],
    'and what it makes has nothing that the security report finds';
my ($findings) = text_of('doc/security_report.md') =~ /^## Every finding\n(.*?)^## /ms;
my %finding = map { $_ => 1 } $findings =~ /^\| `([^`]+)` \|/mg;
is((text_of('README.md') =~ /\[(\d+) kinds of findings\]/)[0], scalar(keys %finding),
    'the README counts the kinds of findings');
my $roles = text_of('doc/roles.md');
my %held = map { my ($name, @marks) = split /\|/; ($name => join ' ', @marks) } rows($dba, q{
    SELECT p.name, r.held FROM seeme.permissions p, LATERAL (
      SELECT string_agg(CASE WHEN EXISTS (SELECT FROM unnest(r.permissions) e
                                           WHERE e IN ('*', p.name, p.resource || ':*', '*:' || p.action)) THEN 'x' ELSE '-' END, ' ' ORDER BY r.id)
        FROM seeme.roles r WHERE r.is_system_role) AS r (held)
     WHERE NOT p.is_wildcard AND p.is_builtin});
my %told;
while ($roles =~ /^\| `([a-z_]+:[a-z_]+)` \|(.*)\|$/mg) {
    my ($name, $marks) = ($1, $2);
    $told{$name} = join ' ', map { /\S/ ? 'x' : '-' } split /\|/, $marks, -1;
}
is scalar(keys %told), 80, 'doc/roles.md speaks of every concrete code';
is_deeply \%told, \%held, 'doc/roles.md says what each built-in role holds';
is_deeply [ rows($dba, 'SELECT id, name FROM seeme.roles WHERE is_system_role ORDER BY id') ],
    [ map { "$_->[1]|$_->[0]" } sort { $a->[1] cmp $b->[1] } map {
        [ /^\| (\w+) \| `([0-9a-f-]{36})` \|/mg ] } grep {
        /^\| \w+ \| `[0-9a-f-]{36}` \|/ } split /\n/, $roles ],
    'and what their ids are';

my $reference = text_of('doc/reference.md') . text_of('doc/operations.md');
my @missing = grep { index($reference, $_) < 0
    && index($reference, '`' . s/^seeme_permitted//r . '`') < 0 }
    rows($dba, q{SELECT DISTINCT proname FROM pg_proc WHERE proname LIKE 'seeme\_%' AND pronamespace = 'public'::regnamespace});
is_deeply \@missing, [], 'the reference has every public function';
@missing = grep { index($reference, "seeme.$_`") < 0 } rows($dba,
    q{SELECT relname FROM pg_class WHERE relnamespace = 'seeme'::regnamespace AND relkind IN ('r', 'v')});
is_deeply \@missing, [], 'and every table and view';
my @undocumented = grep { index(text_of('doc/reference.md'), $_) < 0 } rows($dba, q{
    SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'seeme'::regnamespace AND c.relname IN ('users', 'organizations', 'teams', 'projects', 'roles', 'memberships', 'project_resources')
       AND a.attnum > 0 AND a.attname NOT IN ('created_at', 'updated_at')});
is_deeply \@undocumented, [], 'and their columns';

# The recipes for clients are quoted from the files that test/clients runs.
my %quoted = text_of('doc/clients.md') =~ m{^\[`(clients/[^`]+)`\]\(clients/[^)]+\)\n\n```\w+\n(.*?)^```$}msg;
is_deeply [ sort map { "doc/$_" } keys %quoted ], [ sort glob 'doc/clients/*' ],
    'doc/clients.md quotes every recipe';
is $quoted{$_}, text_of("doc/$_"), "doc/$_ is quoted as it is" for sort keys %quoted;

# In a database of any encoding: the script itself is ASCII.
my $postgres = connect_to('postgres');
$postgres->do('DROP DATABASE IF EXISTS documentation_latin1');
$postgres->do(q{CREATE DATABASE documentation_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'});
my $latin1 = connect_to('documentation_latin1');
is sqlstate_of($latin1, 'CREATE EXTENSION seeme_rbac'), '',
    'a database in another encoding than UTF8 takes the extension';
is value($latin1, q{SELECT seeme.slug_base('Acme & Co', 'x')}), 'acme-co', 'and makes slugs';
$latin1->disconnect;
$postgres->do('DROP DATABASE documentation_latin1');

done_testing;
