# What the scripts of test/t share: databases and roles that are dropped at the end, connections
# besides psql's, and a small world of two organizations. The server is the one of PGHOST, PGPORT
# and PGUSER, a superuser.
package SeemeTest;

use strict;
use warnings;
use DBI;
use Exporter 'import';

our @EXPORT = qw(create_database create_roles connect_to value rows sqlstate_of make_world id_of);

my (@databases, @roles, @connections);

# connect_to(database, role): dies on any error; warnings and notices are kept off the output.
sub connect_to {
    my ($database, $role) = @_;
    my $dbh = DBI->connect("dbi:Pg:dbname=$database", $role // $ENV{PGUSER}, '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, pg_server_prepare =>
            1 });
    $dbh->do('SET client_min_messages = error');
    push @connections, $dbh;
    return $dbh;
}

# create_database('shop', 'seeme_rbac', ...): its name, perhaps followed by whatever CREATE
# DATABASE takes; and its extensions.
sub create_database {
    my ($database, @extensions) = @_;
    my ($name, $options) = split ' ', $database, 2;
    my $dbh = connect_to('postgres');
    $dbh->do("DROP DATABASE IF EXISTS $name");
    $dbh->do("CREATE DATABASE $name TEMPLATE template0 " . ($options // ''));
    $dbh->disconnect;
    push @databases, $name;
    return unless @extensions;
    $dbh = connect_to($name);
    $dbh->do("CREATE EXTENSION $_") for @extensions;
    $dbh->disconnect;
}

# create_roles('app NOLOGIN', ...): each a name and whatever CREATE ROLE takes.
sub create_roles {
    my $dbh = connect_to('postgres');
    for my $role (@_) {
        my ($name) = split ' ', $role;
        $dbh->do("DROP ROLE IF EXISTS $name");
        $dbh->do("CREATE ROLE $role");
        push @roles, $name;
    }
    $dbh->disconnect;
}

sub value { my ($dbh, $sql, @binds) = @_; return ($dbh->selectrow_array($sql, undef, @binds))[0]; }

# One string a row, its columns parted by |.
sub rows {
    my ($dbh, $sql, @binds) = @_;
    return map { join '|', map { $_ // 'null' } @$_ } @{ $dbh->selectall_arrayref($sql, undef,
        @binds) };
}

# The SQLSTATE that a statement is refused with, or '' if it is not.
sub sqlstate_of {
    my ($dbh, $sql, @binds) = @_;
    return eval { @binds ? $dbh->selectall_arrayref($sql, undef, @binds) : $dbh->do($sql); 1 } ? ''
        : $dbh->state;
}

my @people = qw(olga adam edith vera tess paul dora oscar gina stan);
my %ids = (
    (map { $people[$_] => sprintf 'a0000000-0000-4000-8000-%012x', $_ + 1 } 0 .. $#people),
    acme => 'b0000000-0000-4000-8000-000000000001',
    globex => 'b0000000-0000-4000-8000-000000000002',
    research => 'c0000000-0000-4000-8000-000000000001',
    sales => 'c0000000-0000-4000-8000-000000000002',
    alpha => 'd0000000-0000-4000-8000-000000000001', beta => 'd0000000-0000-4000-8000-000000000002',
    gamma => 'd0000000-0000-4000-8000-000000000003',
    delta => 'd0000000-0000-4000-8000-000000000004',
    annotator => 'e0000000-0000-4000-8000-000000000001',
);
sub id_of { return $ids{ $_[0] } // die "no id for $_[0]"; }

# make_world(dbh): Acme (owner olga; adam Admin, edith Editor, vera Viewer; tess Editor in team
# Research, paul Annotator in project Alpha, dora Editor but disabled) with the projects Alpha
# (Research), Beta (Sales) and Gamma; Globex (owner oscar; gina Viewer) with Delta; stan belongs
# nowhere. 25 papers a project, protected.
sub make_world {
    my ($dbh, $app) = @_;
    my $person = 0;
    my $fill = sub { my ($sql) = @_; $sql =~ s/\{(\w+)\}/"'" . id_of($1) . "'::uuid"/ge;
        return $sql; };
    $dbh->do('SELECT seeme_grant_usage(?)', undef, $app);
    $dbh->do('INSERT INTO seeme.users (id, username, email, firstname, name) VALUES (?, ?, ?, ?, ?)',
        undef, id_of($_), $_, "$_\@example.com", ucfirst, 'Test')
        for @people;
    $dbh->do($fill->(<<'SQL'));
INSERT INTO seeme.organizations (id, name, slug, owner_id) VALUES ({acme}, 'Acme', 'acme', {olga}), ({globex}, 'Globex', 'globex', {oscar});
INSERT INTO seeme.teams (id, organization_id, name, slug) VALUES ({research}, {acme}, 'Research', 'research'), ({sales}, {acme}, 'Sales', 'sales');
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug) VALUES
  ({alpha}, {acme}, {research}, 'Alpha', 'alpha'), ({beta}, {acme}, {sales}, 'Beta', 'beta'),
  ({gamma}, {acme}, NULL, 'Gamma', 'gamma'), ({delta}, {globex}, NULL, 'Delta', 'delta');
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ({annotator}, {acme}, 'Annotator', '{datasets:list,datasets:read,annotations:*}');
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  SELECT organization, person, (SELECT id FROM seeme.roles WHERE organization_id IS NULL AND name = role)
    FROM (VALUES ({acme}, {adam}, 'Admin'), ({acme}, {edith}, 'Editor'), ({acme}, {vera}, 'Viewer'), ({acme}, {tess}, NULL),
                 ({acme}, {paul}, NULL), ({acme}, {dora}, 'Editor'), ({globex}, {gina}, 'Viewer')) AS m (organization, person, role);
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  SELECT {acme}, {research}, {tess}, id FROM seeme.roles WHERE organization_id IS NULL AND name = 'Editor';
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES ({acme}, {alpha}, {paul}, {annotator});
UPDATE seeme.users SET disabled_at = '2020-01-01' WHERE id = {dora};
CREATE TABLE papers (id int PRIMARY KEY, project_id uuid NOT NULL, title text NOT NULL);
CREATE INDEX ON papers (project_id);
INSERT INTO papers SELECT 100 * n + i, p, format('paper %s of %s', i, n)
  FROM unnest(ARRAY[{alpha}, {beta}, {gamma}, {delta}]) WITH ORDINALITY AS t (p, n), generate_series(1, 25) AS i;
SELECT seeme_protect('papers', 'datasets', project_column => 'project_id');
ANALYZE papers;
SQL
    $dbh->do("GRANT SELECT, INSERT, UPDATE, DELETE ON papers TO $app");
}

END {
    my $status = $?;
    $_->disconnect for grep { $_ && $_->{Active} } @connections;
    if (@databases || @roles) {
        my $dbh = connect_to('postgres');
        $dbh->do("DROP DATABASE IF EXISTS $_ WITH (FORCE)") for @databases;
        $dbh->do("DROP ROLE IF EXISTS $_") for reverse @roles;
        $dbh->disconnect;
    }
    $? = $status;
}

1;
