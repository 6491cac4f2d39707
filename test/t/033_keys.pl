# Generated columns of ids go through pg_dump: their values are computed while the rows are loaded,
# before or after the rows of the extension's own tables, with search_path empty. The same people see
# the same rows afterwards.
use strict;
use warnings;
use File::Temp 'tempdir';
use IPC::Run 'run';
use SeemeTest;
use Test::More;

my $directory = tempdir(CLEANUP => 1);
create_roles('keys_app NOLOGIN', 'keys_paul LOGIN IN ROLE keys_app', 'keys_olga LOGIN IN ROLE keys_app',
    'keys_owner NOLOGIN');
create_database('keys_source', 'seeme_rbac');
my $source = connect_to('keys_source');
$source->do(<<'SQL');
SELECT seeme_grant_usage('keys_app');
INSERT INTO seeme.users (id, username, database_role) VALUES
  (seeme_uuid('user', 1), 'olga', 'keys_olga'), (seeme_uuid('user', 2), 'paul', 'keys_paul');
INSERT INTO seeme.organizations (id, name, owner_id)
  VALUES (seeme_uuid('organization', 'acme'), 'Acme', seeme_uuid('user', 1));
INSERT INTO seeme.projects (id, organization_id, name)
  SELECT seeme_uuid('project', g), seeme_uuid('organization', 'acme'), 'P' || g FROM generate_series(1, 3) g;
INSERT INTO seeme.organization_members (organization_id, user_id)
  VALUES (seeme_uuid('organization', 'acme'), seeme_uuid('user', 2));
-- a resource type of the application, whose name comes before "seeme" in a dump
CREATE TABLE invoices (id integer PRIMARY KEY, project_id integer, author integer, name text,
  project_uuid uuid GENERATED ALWAYS AS (seeme_uuid('project', project_id)) STORED,
  author_uuid uuid GENERATED ALWAYS AS (seeme_uuid('user', author)) STORED,
  invoice_uuid uuid GENERATED ALWAYS AS (seeme_uuid('invoice', id)) STORED);
CREATE TABLE parts (id integer, project_id text, kind integer,
  project_uuid uuid GENERATED ALWAYS AS (public.seeme_uuid('project', project_id)) STORED) PARTITION BY LIST (kind);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
ALTER TABLE invoices OWNER TO keys_owner;
CREATE INDEX ON invoices (project_uuid);
CREATE INDEX ON invoices (author_uuid);
CREATE UNIQUE INDEX ON invoices (invoice_uuid);
CREATE INDEX ON parts (project_uuid);
INSERT INTO invoices SELECT g, g % 3 + 1, g % 2 + 1, 'invoice ' || g FROM generate_series(1, 30) g;
INSERT INTO parts SELECT g, (g % 3 + 1)::text, g % 2 + 1 FROM generate_series(1, 30) g;
SELECT seeme_protect('invoices', 'invoices', project_column => 'project_uuid',
    owner_column => 'author_uuid', resource_id_column => 'invoice_uuid');
SELECT seeme_protect('parts', 'models', project_column => 'project_uuid');
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices, parts TO keys_app;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (seeme_uuid('project', 3), 'invoice', seeme_uuid('invoice', 7));
INSERT INTO seeme.roles (organization_id, name, permissions)
  VALUES (seeme_uuid('organization', 'acme'), 'Reader', '{invoices:read,models:read,models:update}');
INSERT INTO seeme.project_members (project_id, user_id, role_id)
  SELECT seeme_uuid('project', 2), seeme_uuid('user', 2), id FROM seeme.roles WHERE name = 'Reader';
SQL

sub answers {
    my ($database) = @_;
    my @answers;
    for my $person (qw(olga paul)) {
        my $dbh = connect_to($database, "keys_$person");
        push @answers, map { "$person: $_" } rows($dbh, 'SELECT * FROM invoices ORDER BY id'),
            rows($dbh, 'SELECT * FROM parts ORDER BY id'),
            rows($dbh, 'SELECT * FROM seeme.project_resources ORDER BY id');
        $dbh->disconnect;
    }
    return @answers;
}
my @before = answers('keys_source');
ok scalar(grep({ /^paul/ } @before)) > 10 && @before > 60, 'both see rows';

sub works_silently {
    my ($what, @command) = @_;
    my ($out, $err) = ('', '');
    my $worked = run(\@command, '<', \undef, '>', \$out, '2>', \$err);
    ok($worked && $err eq '', "$what says nothing") or diag $err;
}

works_silently('pg_dump', 'pg_dump', '-Fc', '-f', "$directory/custom", 'keys_source');
works_silently('pg_dump as a script', 'pg_dump', '-f', "$directory/plain.sql", 'keys_source');
for my $way ('custom', 'parallel', 'plain', 'inserts') {
    create_database("keys_$way");
    if ($way eq 'plain') {
        works_silently('psql', 'psql', '-Xq', '-o', "$directory/out", '-v', 'ON_ERROR_STOP=1', '-f',
            "$directory/plain.sql", '-d', "keys_$way");
    } elsif ($way eq 'inserts') {
        works_silently('pg_dump by INSERTs', 'pg_dump', '--column-inserts', '-f', "$directory/inserts.sql",
            'keys_source');
        works_silently('psql', 'psql', '-Xq', '-o', "$directory/out", '-v', 'ON_ERROR_STOP=1', '-f',
            "$directory/inserts.sql", '-d', "keys_$way");
    } else {
        works_silently("pg_restore ($way)", 'pg_restore', '--exit-on-error', '-d', "keys_$way",
            $way eq 'parallel' ? ('-j', '2') : (), "$directory/custom");
    }
    is_deeply [ answers("keys_$way") ], \@before, "$way: the same rows for the same people";
    my $restored = connect_to("keys_$way");
    is value($restored, q{SELECT count(*) FROM seeme_security_report()
        WHERE object IN ('public.invoices', 'public.parts')}), 0, "$way: the report is content";
    $restored->do(q{UPDATE invoices SET name = 'renamed' WHERE id = 7});
    is value($restored, q{SELECT resource_name FROM seeme.project_resources}), 'renamed',
        "$way: names are followed";
    $restored->disconnect;
    my $paul = connect_to("keys_$way", 'keys_paul');
    is sqlstate_of($paul, q{UPDATE parts SET project_id = '3' WHERE id = 1}), '42501',
        "$way: threat: a row is moved by its text column";
    $paul->disconnect;
}
$source->disconnect;
done_testing;
