# The documentation is true: the README's first use runs as it is pasted and shows what it says; so
# does every box of the pages that are written to be typed. The table of the built-in roles is the
# database's, every public name is in the reference, and every link and path leads somewhere.
use strict;
use warnings;
use SeemeTest;
use Test::More;

sub text_of { my ($file) = @_; local (@ARGV, $/) = ($file); return scalar <> }

# Pages to be typed: each box of SQL runs, in the order of the page, in a database of its own. A
# box of text after it is the answer, without the tags of transactions. No box fails, unless its
# answer says so. Pages with patterns (prepare) have statements with parameters: these are
# prepared, so that every name and type in them is looked up; what has an ellipsis is left out.
my @roles = qw(app migrator analyst developer desk dispatcher messenger joiner names);
my $models = 'CREATE EXTENSION seeme_rbac; CREATE TABLE models (id uuid PRIMARY KEY, project_id uuid, name text);';
for my $page (
    { file => 'doc/tutorial.md', database => 'first_hour' },
    { file => 'doc/existing_tables.md', database => 'documentation_existing',
        before => '\set SHOW_CONTEXT never' },
    { file => 'doc/mirrors.md', database => 'documentation_mirrors',
        before => "CREATE EXTENSION seeme_rbac;\n\\set SHOW_CONTEXT never" },
    { file => 'doc/keys.md', database => 'documentation_keys',
        before => "CREATE EXTENSION seeme_rbac;\n\\set SHOW_CONTEXT never" },
    { file => 'doc/comparing.md', database => 'documentation_comparing',
        before => 'CREATE EXTENSION seeme_rbac;' },
    { file => 'doc/protect.md', database => 'documentation_protect',
        before => 'CREATE EXTENSION seeme_rbac;' },
    { file => 'doc/recipes.md', database => 'documentation_recipes',
        before => "CREATE EXTENSION seeme_rbac;\n\\set SHOW_CONTEXT never" },
    { file => 'doc/install.md', database => 'app',
        before => 'CREATE EXTENSION seeme_rbac; CREATE ROLE migrator;' },
    { file => 'doc/migrations.md', database => 'documentation_migrations',
        before => q{CREATE EXTENSION seeme_rbac;
        CREATE TABLE tickets (id uuid PRIMARY KEY, project_id uuid, title varchar(10));
        SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id',
            listing_columns => '{id,title}');} },
    { file => 'doc/jobs.md', database => 'app',
        before => q{CREATE EXTENSION seeme_rbac; CREATE ROLE migrator LOGIN; CREATE ROLE developer LOGIN;
        CREATE TABLE tickets (id uuid PRIMARY KEY, project_id uuid, title text);
        CREATE INDEX ON tickets (project_id);
        INSERT INTO tickets VALUES (gen_random_uuid()), (gen_random_uuid());
        SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id');
        ALTER DATABASE app SET session_preload_libraries = seeme_rbac;
        \\c} },
    { file => 'doc/stop.md', database => 'documentation_stop',
        before => q{CREATE EXTENSION seeme_rbac;
        \set person '''11111111-1111-4111-8111-111111111111'''} },
    { file => 'doc/support.md', database => 'documentation_support',
        before => $models . q{
        INSERT INTO seeme.users (id, username)
        VALUES ('22222222-2222-4222-8222-222222222222', 'bob');
        SELECT seeme_protect('models', 'models', project_column => 'project_id');} },
    { file => 'doc/security_report.md', database => 'documentation_report',
        before => q{CREATE EXTENSION seeme_rbac;
        CREATE TABLE notes (id uuid PRIMARY KEY, project_id uuid, is_template boolean);
        SELECT seeme_protect('notes', 'notes', project_column => 'project_id');} },
    { file => 'doc/testing.md', database => 'documentation_testing',
        before => "$models CREATE EXTENSION pgtap; CREATE ROLE app LOGIN;" . q{
        GRANT SELECT, DELETE ON models TO app;
        SELECT seeme_grant_usage('app'), seeme_protect('models', 'models', project_column => 'project_id');
        GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO app;
        \set QUIET 1
        \pset format unaligned
        \pset tuples_only on} },
    { file => 'doc/search.md', database => 'app', before => $models },
    { file => 'doc/planning.md', database => 'documentation_planning', before => $models },
    { file => 'doc/reference.md', database => 'documentation_reference', before => $models,
        prepare => 1 },
    { file => 'doc/organizations.md', database => 'documentation_organizations', before => $models,
        prepare => 1 },
    { file => 'doc/settings.md', database => 'documentation_settings', before => $models,
        prepare => 1 },
    { file => 'doc/identity.md', database => 'mine', before => "CREATE ROLE analyst; $models",
        prepare => 1 },
    { file => 'doc/clients.md', database => 'documentation_clients', before => $models,
        prepare => 1 },
) {
    my $server = connect_to('postgres');
    $server->do("DROP DATABASE IF EXISTS $page->{database}");
    $server->do("DROP ROLE IF EXISTS $_") for @roles;
    $server->do("CREATE DATABASE $page->{database} TEMPLATE template0");
    my (@boxes, %answer);
    my $text = text_of($page->{file});
    while ($text =~ /^```(sql|text)\n(.*?)^```$/msg) {
        if ($1 eq 'sql') { push @boxes, $2 } else { $answer{$#boxes} = $2 }
    }
    if ($page->{prepare}) {
        for my $box (@boxes) {
            my $n = 0;
            my @statements = grep { /\w/ && !/…/ } split /;|\\crosstabview/, $box =~ s/--.*$//mgr;
            s/^\s+//, s/^(?=(?:SELECT|INSERT|UPDATE|DELETE)\b)/'PREPARE s' . $n++ . ' AS '/e
                for @statements;
            $box = join '', map { "$_;\n" } @statements;
            $box .= "DEALLOCATE ALL;\n";
        }
    }
    open my $typed, '|-', "psql -X -d $page->{database} >typed.out 2>&1" or die $!;
    print $typed ($page->{before} // ''), "\n", map { "\\echo box $_\n$boxes[$_]" } 0 .. $#boxes;
    ok close $typed, "$page->{file} is typed";
    my (undef, %said) = split /^box (\d+)\n/m, text_of('typed.out');
    unlink 'typed.out';
    for my $box (0 .. $#boxes) {
        my ($said, $answer) = map {
            s/[ \t]+$//mgr =~ s/^(BEGIN|COMMIT|ROLLBACK|You are now connected.*)\n//mgr =~ s/\A\n+|\n+\z//gr }
            $said{$box} // 'not reached', $answer{$box} // '';
        if (exists $answer{$box}) { is $said, $answer, "$page->{file}: the answer of box $box" }
        elsif ($server->{pg_server_version} < 160000
            && $said =~ /SYSTEM_USER came with PostgreSQL 16/) { next }
        else { unlike $said, qr/^(ERROR|not reached)|error:/m,
            "$page->{file}: box $box does not fail" }
    }
    $server->do("DROP DATABASE $page->{database}");
    $server->do("DROP ROLE IF EXISTS $_") for @roles;
    $server->disconnect;
}


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
                                           WHERE e IN ('*', p.name, p.resource || ':*',
                                               '*:' || p.action)) THEN 'x' ELSE '-' END,
                                               ' ' ORDER BY r.id)
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

my $reference = text_of('doc/reference.md');
my @missing = grep { index($reference, $_) < 0
    && index($reference, '`' . s/^seeme_permitted//r . '`') < 0 }
    rows($dba,
        q{SELECT DISTINCT proname FROM pg_proc WHERE proname LIKE 'seeme\_%' AND pronamespace = 'public'::regnamespace});
is_deeply \@missing, [], 'the reference has every public function';
@missing = grep { index($reference, "seeme.$_`") < 0 } rows($dba,
    q{SELECT relname FROM pg_class WHERE relnamespace = 'seeme'::regnamespace AND relkind IN ('r', 'v')});
is_deeply \@missing, [], 'and every table and view';
@missing = grep { index($reference, "`$_`") < 0 } rows($dba,
    q{SELECT name FROM pg_settings WHERE name LIKE 'seeme\_rbac.%'});
is_deeply \@missing, [], 'and every setting';
my @undocumented = grep { index(text_of('doc/reference.md'), $_) < 0 } rows($dba, q{
    SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'seeme'::regnamespace AND c.relname IN ('users', 'organizations',
         'teams', 'projects', 'roles', 'memberships', 'project_resources')
       AND a.attnum > 0 AND a.attname NOT IN ('created_at', 'updated_at')});
is_deeply \@undocumented, [], 'and their columns';

# The recipes for clients are quoted from the files that test/clients runs.
my %quoted = text_of('doc/clients.md') =~ m{^\[`(clients/[^`]+)`\]\(clients/[^)]+\)\n\n```\w+\n(.*?)^```$}msg;
is_deeply [ sort map { "doc/$_" } keys %quoted ], [ sort glob 'doc/clients/*' ],
    'doc/clients.md quotes every recipe';
is $quoted{$_}, text_of("doc/$_"), "doc/$_ is quoted as it is" for sort keys %quoted;

# Links lead to a page and a heading that are there; paths in the text are those of files.
my @pages = ('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'src/README.md', glob 'doc/*.md');
my %headings = map {
    my $page = $_;
    $page => { map { s/[^\w\- ]//gr =~ tr/ /-/r => 1 } map { lc } text_of($page) =~ /^#+ (.*)$/mg }
} @pages;
my @dead;
for my $page (@pages) {
    my ($folder) = $page =~ m{^(.*/)?[^/]+$};
    $folder //= '';
    my $text = text_of($page) =~ s/^```.*?^```$//msgr;
    for my $link ($text =~ /\]\(([^)\s]+)\)/g) {
        next if $link =~ /^https?:/;
        my ($file, $heading) = split /#/, $link, 2;
        $file = $file eq '' ? $page : "$folder$file";
        1 while $file =~ s{[^/]+/\.\./}{};
        next if $file =~ m{^bench/results/} && !-d 'bench/results';
            # a copy of the tree may come without results
        push @dead, "$page: $link" if !-e $file || defined $heading && !$headings{$file}{$heading};
    }
    for my $path ($text =~ m{`((?:src|sql|test|scripts|doc|demo|bench)/[\w./*-]+)`}g) {
        next if $path =~ /NN|6N|TOPIC|^bench\/results/;
            # stands for a name; may be left out of a copy of the tree
        my @found = grep { -e } glob $path;
        push @dead, "$page: $path" unless @found;
    }
}
is join("\n", @dead), '', 'every link and path of the documentation leads somewhere';
my $index = text_of('doc/README.md');
is_deeply [ grep { index($index, "($_)") < 0 } map { s{^doc/}{}r } grep {
    $_ ne 'doc/README.md' } glob 'doc/*.md' ], [], 'doc/README.md has every page';

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
