# Changing access in bulk, against copies of the tables without triggers and the log's rows by hand.
# Each turn has a database of its own, a copy of one that nobody has changed.
use strict;
use warnings;
use List::Util  qw(min);
use Time::HiRes qw(time);
use Bench::Results;
use Bench::Session;
use Bench::Turns;

# Adds rows to a copy, and a row for each to the copy of the log.
sub by_hand {
    my ($table, $columns, $organization) = @_;
    return
          "WITH added AS (INSERT INTO copy.$table ($columns) SELECT $columns "
        . "FROM bench.new_$table RETURNING *) "
        . "INSERT INTO copy.audit_log (organization_id, user_id, table_name, command, row_id, "
        . "after) SELECT $organization, bench.id('person', 0), "
        . "'$table', 'INSERT', id, to_jsonb(added) FROM added";
}

my %change = (
    memberships => ['app', 'organization_id, project_id, user_id, role_id', 'organization_id'],
    projects    => ['app', 'id, organization_id, name, slug',               'organization_id'],
    users       => ['app_provision', 'id, username, email',                 'NULL'],
);
my $deleted = join ';', (
    map {
        "INSERT INTO copy.audit_log (organization_id, user_id, table_name, command, row_id, before)
        SELECT organization_id, bench.id('person', 0), '$_', 'DELETE', id, to_jsonb(t)
          FROM copy.$_ AS t WHERE organization_id = bench.id('organization', 2)"
    } qw(memberships projects)
    ),
    q{INSERT INTO copy.audit_log (organization_id, user_id, table_name, command, row_id, before)
        SELECT id, bench.id('person', 0), 'organizations', 'DELETE', id, to_jsonb(t)
          FROM copy.organizations AS t WHERE id = bench.id('organization', 2)},
    q{DELETE FROM copy.organizations WHERE id = bench.id('organization', 2)};

# One turn: the time of a statement and its commit, in a copy of the database.
sub change_once {
    my ($role, $statement) = @_;
    $dba->do('DROP DATABASE IF EXISTS turn');
    $dba->do('CREATE DATABASE turn TEMPLATE changes STRATEGY file_copy');
    my $session = connect_as($role, 'turn');
    $session->do(q{SET statement_timeout = '600s'});
    $session->begin_work;
    $session->do(q{SELECT seeme_assume(bench.id('person', 0))}) if $role eq 'app';

    # The library and the tables have been met before.
    $session->do('SELECT seeme_user_id()');
    my $started = time;
    my $done    = eval { $session->do($statement); $session->commit; 1 };
    my $ms      = 1000 * (time - $started);
    my $error   = $@;
    $session->disconnect;
    $dba->do('DROP DATABASE turn');
    die $error unless $done;
    return $ms;
}

sub change_case {
    my ($case, $role, $ours, $by_hand) = @_;
    my $measured = eval {
        alternate(
            $case, 'ms',
            [
                copies => sub { change_once($role, $by_hand) },
                seeme   => sub { change_once($role, $ours) }
            ],
            reference => 'copies',
            warm_up   => 0,
            runs      => min($runs, 3),
            budget    => 1e9
        );
    };
    return fail($case, 'seeme', '<= 4', $@) unless $measured;
    hold($case, 'ratio', 'ms', $measured, 'seeme', 'copies', '<= 4');
}

define changes => 'memberships, projects and users added in bulk; an organization deleted', sub {
    $name{copies} = 'copies of the tables, no triggers';
    for my $table (qw(memberships projects users)) {
        my ($role, $columns, $organization) = @{ $change{$table} };
        change_case(
            $size->{"new_$table"} . " $table added", $role,
            "INSERT INTO seeme.$table ($columns) SELECT $columns FROM bench.new_$table",
            by_hand($table, $columns, $organization)
        );
    }
    change_case(
        "an organization of $size->{members} members and "
            . "$size->{organization_projects} projects deleted",
        'app', q{DELETE FROM seeme.organizations WHERE id = bench.id('organization', 2)}, $deleted
    );
};

1;
