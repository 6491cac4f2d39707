# A full database goes through pg_dump and is restored: it has every row, every permission and the
# same decisions, logs nothing twice, and pg_dump and the restore print nothing on standard error.
#
# An application's table may have a foreign key to a table of the extension. pg_restore -j cannot
# restore such a database in one go: pg_dump records no dependency on the rows of an extension's
# table, so the key may be checked before these rows are there. It can be restored section by
# section. Without such a key one command is enough.
use strict;
use warnings;
use utf8;
use File::Temp 'tempdir';
use IPC::Run 'run';
use SeemeTest;
use Test::More;

my @logins = qw(olga adam edith vera tess paul dora oscar gina stan);
my @codes = ('datasets:read', 'datasets:update', 'datasets:delete', 'datasets:*', 'models:read',
    'models:share', 'lab_notes:read',
    'lab_notes:create', 'papers:cite', 'annotations:create', 'projects:update',
    'organizations:manage_members', 'organizations:delete');
my $directory = tempdir(CLEANUP => 1);

create_roles('dump_app NOLOGIN', 'dump_signup NOLOGIN', 'dump_gateway LOGIN',
    'dump_builder NOLOGIN',
    map { "dump_$_ LOGIN IN ROLE dump_app" } @logins);
create_database('dump_source', 'seeme_rbac');

my $source = connect_to('dump_source');
make_world($source, 'dump_app');
$source->do(sprintf <<'SQL', map { id_of($_) } qw(acme research alpha olga paul vera alpha beta delta));
UPDATE seeme.users SET database_role = 'dump_' || username;
INSERT INTO seeme.permissions (name, description) VALUES ('papers:cite', 'Cite a paper');
INSERT INTO seeme.resource_types (name, resource) VALUES ('notebook', 'notebooks');
SELECT seeme_grant_provisioning('dump_signup');
SELECT seeme_grant_usage('dump_gateway');
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO dump_gateway;

-- a table for each way of having a scope
CREATE TABLE lab_notes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), organization_id uuid,
  author_id uuid, body text);
CREATE TABLE models (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
CREATE TABLE model_versions (id int PRIMARY KEY,
  model_id uuid NOT NULL REFERENCES models ON DELETE CASCADE, created_at timestamptz DEFAULT now());
ALTER TABLE lab_notes OWNER TO dump_builder;
GRANT CREATE ON SCHEMA public TO dump_builder;
CREATE INDEX ON lab_notes (organization_id);
CREATE INDEX ON lab_notes (author_id);
CREATE INDEX ON model_versions (model_id);
INSERT INTO lab_notes (organization_id, author_id, body) VALUES
  ('%1$s', '%4$s', 'a'), ('%1$s', '%5$s', 'b'), (NULL, '%5$s', 'c'), (NULL, '%6$s', 'd');
INSERT INTO models (id, name) SELECT ('f0000000-0000-4000-8000-00000000000' || i)::uuid,
  'model ' || i FROM generate_series(1, 4) i;
INSERT INTO model_versions (id, model_id) SELECT row_number() OVER (ORDER BY id, v), id
  FROM models, generate_series(1, 3) v;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  SELECT p.id, 'model', m.id, m.name FROM models m, seeme.projects p WHERE p.slug = CASE m.name
    WHEN 'model 1' THEN 'alpha' WHEN 'model 2' THEN 'beta' WHEN 'model 3' THEN 'delta' END
    OR p.slug = 'gamma' AND m.name = 'model 1';
SELECT seeme_protect('lab_notes', 'lab_notes', organization_column => 'organization_id',
  owner_column => 'author_id',
                     listing_columns => '{id,organization_id}');
SELECT seeme_protect('models', 'models', resource_id_column => 'id');
SELECT seeme_protect('model_versions', 'model_versions', resource_id_column => 'model_id',
  resource_type => 'model');
CREATE TABLE labels (id int PRIMARY KEY, project_id uuid NOT NULL REFERENCES seeme.projects ON
  DELETE CASCADE);
INSERT INTO labels VALUES (1, '%7$s'), (2, '%9$s');
CREATE TABLE pages (id int PRIMARY KEY, project_id uuid, is_public boolean);
INSERT INTO pages SELECT row_number() OVER (ORDER BY id), id, slug IN ('beta', 'delta')
  FROM seeme.projects;
CREATE INDEX ON pages (project_id);
CREATE INDEX ON pages (is_public) WHERE is_public;
SELECT seeme_protect('pages', 'pages', project_column => 'project_id',
  public_column => 'is_public');
GRANT SELECT, INSERT, UPDATE, DELETE ON lab_notes, models, model_versions,
  lab_notes_listing, pages TO dump_app;

INSERT INTO seeme.roles (organization_id, name, description, permissions) VALUES
  ('%1$s', 'Citing', 'with codes and kinds of the application''s own',
  '{papers:cite,*:list,lab_notes:*}');
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id, valid_until)
  SELECT '%1$s', '%2$s', '%6$s', id, '2020-01-01' FROM seeme.roles WHERE name = 'Citing';
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id, valid_from)
  SELECT '%1$s', '%3$s', '%6$s', id, '2020-01-01' FROM seeme.roles WHERE name = 'Citing';
INSERT INTO seeme.invitations (
  organization_id, team_id, email, role_id, invited_by, token_hash, expires_at)
  SELECT '%1$s', '%2$s', 'new@example.com', id, '%4$s', sha256('secret'), '2100-01-01'
    FROM seeme.roles WHERE name = 'Citing';
INSERT INTO seeme.logos (organization_id, filename, media_type, content)
  VALUES ('%1$s', 'acme.png', 'image/png', '\x89504e470d0a1a0a');
INSERT INTO seeme.api_keys (user_id, organization_id, permissions, name, key_prefix, key_hash)
  VALUES ('%5$s', '%1$s', '{models:read}', 'nightly', 'seeme_key_01', sha256('key'));
-- what is remembered of things that are gone
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES ('%8$s', 'workflow', 'f0000000-0000-4000-8000-0000000000aa');
DELETE FROM seeme.project_resources WHERE resource_type = 'workflow';
INSERT INTO seeme.teams (organization_id, name) VALUES ('%1$s', 'Shortlived');
DELETE FROM seeme.teams WHERE name = 'Shortlived';
SQL

# Changes that people make, so that the log speaks of people.
{
    my $olga = connect_to('dump_source', 'dump_olga');
    $olga->do("INSERT INTO seeme.projects (organization_id, name) VALUES (?, 'Épsilon')", undef,
        id_of('acme'));
    $olga->do("UPDATE seeme.roles SET permissions = permissions || '{models:list}' WHERE name = 'Citing'");
    $olga->do("DELETE FROM seeme.project_resources WHERE project_id = ?", undef, id_of('gamma'));
    $olga->disconnect;
}

# What is in the tables of a database: a name, a number of rows and a fingerprint each. (The
# built-in roles come with the extension and not from the dump, so their times are those of CREATE
# EXTENSION.)
sub contents {
    my ($dbh) = @_;
    return map {
        my $table = $_;
        my $row = $table eq 'seeme.roles'
            ? q{CASE WHEN t.is_system_role THEN (to_jsonb(t) - '{created_at,updated_at}'::text[])::text ELSE t::text END} : 't::text';
        join ' ', $table, rows($dbh,
            qq{SELECT count(*), md5(string_agg($row, chr(10) ORDER BY $row COLLATE "C")) FROM $table t});
    } rows($dbh,
        q{SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname IN ('seeme', 'public') AND c.relkind IN ('r',
                        'p') AND c.oid <> 'seeme.in_use'::regclass ORDER BY 1});
}

# Who may touch what, whose it is, and which policies stand on it.
sub rights {
    my ($dbh) = @_;
    return (
        rows($dbh,
            q{SELECT c.oid::regclass::text AS what, c.relkind, c.relowner::regrole, (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(c.relacl) a),
                            c.relrowsecurity, c.relforcerowsecurity, c.reloptions::text
                       FROM pg_class c WHERE c.relnamespace IN ('seeme'::regnamespace,
                           'public'::regnamespace) ORDER BY what}),
        rows($dbh,
            q{SELECT p.oid::regprocedure::text AS what, p.proowner::regrole, (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(p.proacl) a)
                       FROM pg_proc p WHERE p.pronamespace IN ('seeme'::regnamespace,
                           'public'::regnamespace) ORDER BY what}),
        rows($dbh,
            q{SELECT nspname, nspowner::regrole, (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(nspacl) a)
                       FROM pg_namespace WHERE nspname IN ('seeme', 'public') ORDER BY nspname}),
        rows($dbh,
            q{SELECT schemaname, tablename, policyname, permissive, roles::text, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2, 3}),
        rows($dbh,
            q{SELECT tgrelid::regclass::text AS what, tgname, tgfoid::regproc, tgenabled, tgtype FROM pg_trigger WHERE NOT tgisinternal ORDER BY what, tgname}),
    );
}

# What each person is told and shown, having connected with their own role.
my @projects = rows($source, 'SELECT id FROM seeme.projects ORDER BY id');
my @models = rows($source, 'SELECT id FROM models ORDER BY id');

sub answers {
    my ($database) = @_;
    my @answers;
    for my $person (@logins) {
        my $dbh = connect_to($database, "dump_$person");
        push @answers, map { "$person: $_" }
            rows($dbh,
                'SELECT p, c, seeme_has_permission(c, project => p) FROM unnest(?::uuid[]) p, unnest(?::text[]) c ORDER BY 1, 2', \@projects, \@codes),
            rows($dbh,
                q{SELECT m, c, seeme_has_permission(c, resource => m) FROM unnest(?::uuid[]) m, unnest('{models:read,models:share}'::text[]) c ORDER BY 1, 2}, \@models),
            map({ my $table = $_; "$table " . join ' ',
            rows($dbh, "SELECT id FROM $table ORDER BY id") }
                qw(papers lab_notes lab_notes_listing models model_versions pages seeme.organizations seeme.projects seeme.roles seeme.memberships seeme.invitations)),
            value($dbh, "SELECT seeme_current_user_context() - 'generated_at'");
        $dbh->disconnect;
    }
    return @answers;
}

# The same, but for the random word that guards a plain dump against injected commands.
sub dumped {
    my ($database, @options) = @_;
    my ($out, $err) = ('', '');
    my $worked = run(['pg_dump', @options, $database], '>', \$out, '2>', \$err);
    ok($worked && $err eq '', "pg_dump @options $database says nothing") or diag $err;
    $out =~ s/^\\(un)?restrict .*\n//mg unless grep { $_ eq '-Fc' } @options;
    return $out;
}

sub works_silently {
    my ($what, @command) = @_;
    my ($out, $err) = ('', '');
    my $worked = run(\@command, '<', \undef, '>', \$out, '2>', \$err);
    ok($worked && $err eq '', "$what says nothing") or diag $err;
}

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>:raw', "$directory/$name" or die "$name: $!";
    print $file $text;
    close $file or die "$name: $!";
    return "$directory/$name";
}

my @source_contents = contents($source);
my %source_contents = map { split ' ', $_, 2 } @source_contents;
my @source_rights = rights($source);
my @source_answers = answers('dump_source');
my $source_log = join "\n", rows($source, 'SELECT * FROM seeme.audit_log ORDER BY id');
for my $table (qw(users organizations teams projects roles permissions resource_types memberships project_resources invitations logos audit_log protected_tables api_keys released_resources retired_ids)) {
    my ($count) = ($source_contents{"seeme.$table"} // 'missing') =~ /^(\d+)/;
    ok($count, "there is something in seeme.$table to dump");
}
my ($yes, $no) = (scalar(grep { /\|1$|\|t$/ } @source_answers),
    scalar(grep { /\|0$|\|f$/ } @source_answers));
cmp_ok($yes, '>', 100, "people are granted something ($yes answers)");
cmp_ok($no, '>', 100, "people are refused something ($no answers)");

my @without_labels = ('--exclude-table=labels');
my $plain_file = write_file('plain.sql', dumped('dump_source'));
my $inserts_file = write_file('inserts.sql', dumped('dump_source', '--inserts'));
my $custom_file = write_file('custom', dumped('dump_source', '-Fc'));
my $custom_without_labels = write_file('custom_without_labels',
    dumped('dump_source', '-Fc', @without_labels));
my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d');

for my $restored (
    ['dump_plain', [], ['plain', @psql, 'dump_plain', '-f', $plain_file]],
    ['dump_inserts', [], ['as INSERTs', @psql, 'dump_inserts', '-f', $inserts_file]],
    ['dump_one_by_one', [], ['by pg_restore', 'pg_restore', '-d', 'dump_one_by_one', $custom_file]],
    ['dump_sections', [],
        ['by pg_restore -j 2, the rows', 'pg_restore', '-j', '2', '--section=pre-data',
            '--section=data', '-d', 'dump_sections', $custom_file],
        ['by pg_restore -j 2, what comes after', 'pg_restore', '-j', '2', '--section=post-data',
            '-d', 'dump_sections', $custom_file]],
    ['dump_parallel', \@without_labels,
        ['by pg_restore -j 2', 'pg_restore', '-j', '2', '-d', 'dump_parallel',
        $custom_without_labels]],
    ['dump_more_parallel', \@without_labels,
        ['by pg_restore -j 8', 'pg_restore', '-j', '8', '-d', 'dump_more_parallel',
        $custom_without_labels]])
{
    my ($database, $options, @commands) = @$restored;
    my $as_it_was = sub { return $options == \@without_labels ? grep { !/labels/ } @_ : @_; };
    create_database($database);
    works_silently("restoring $database " . shift @$_, @$_) for @commands;
    my $dbh = connect_to($database);
    is_deeply([contents($dbh)], [$as_it_was->(@source_contents)], "$database: every row is back");
    is_deeply([rights($dbh)], [$as_it_was->(@source_rights)],
        "$database: every grant, owner, policy and trigger is back");
    is(join("\n", rows($dbh, 'SELECT * FROM seeme.audit_log ORDER BY id')), $source_log,
        "$database: the audit log is the same, restoring is not in it");
    is_deeply([answers($database)], \@source_answers,
        "$database: everybody gets the same answers and rows");
    my ($first, $second) = (dumped('dump_source', @$options), dumped($database, @$options));
    ok($second eq $first, "$database: a second dump equals the first, byte for byte") or do {
        run(['diff', write_file('first', $first), write_file('second', $second)], '>',
            \my $difference);
        diag substr $difference, 0, 4000;
    };
    $dbh->disconnect;
}

# What was restored goes on working, not only reading.
{
    my $dba = connect_to('dump_sections');
    my $last = value($dba, 'SELECT max(id) FROM seeme.audit_log');
    my $edith = connect_to('dump_sections', 'dump_edith');
    is(sqlstate_of($edith, "INSERT INTO papers VALUES (9001, '" . id_of('alpha') . "', 'new')"), '',
        'who may add rows adds one');
    is(sqlstate_of($edith, "INSERT INTO papers VALUES (9002, '" . id_of('delta') . "', 'new')"),
        '42501', 'and not where they may not');
    my $olga = connect_to('dump_sections', 'dump_olga');
    is(sqlstate_of($olga, 'DELETE FROM seeme.organization_members WHERE user_id = ?',
        id_of('edith')), '', 'the owner takes that person out');
    is(value($edith, 'SELECT count(*) FROM papers'), 0, 'who then sees nothing more');
    cmp_ok(value($dba, 'SELECT min(id) FROM seeme.audit_log WHERE id > ?', $last), '>', $last,
        'and the log goes on where it ended');
    is(value($dba, 'SELECT count(*) FROM seeme.audit_log WHERE id > ? AND user_id = ?', $last,
        id_of('olga')), 1, 'with one entry, of the owner');
    $_->disconnect for $dba, $edith, $olga;
}

$source->disconnect;
done_testing();
