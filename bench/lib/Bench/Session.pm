# The run's options and size, connections to the server, and who asks in them.
package Bench::Session;
use strict;
use warnings;
use DBI;
use Exporter 'import';
use Getopt::Long;

our @EXPORT = qw(%o $size $few $runs $slices $generations $cores $dba %name name_of %size_of
    connect_as value as_person ids_of slurp $never define %case @cases);

our %o = (runs => 0, place => '.', commit => '');
GetOptions(
    \%o,      'size=s', 'case=s@', 'runs=i', 'place=s', 'bin=s', 'settings=s', 'commit=s',
    'strict', 'list',   'plans'
) or exit 2;

# warm_up: seconds that a session is warmed up for; cold_slice: of a turn in which everything is
# new; budget: seconds after which a contender of a case takes no more turns.
our %size_of = (
    small => {
        organizations   => 100, projects => 2000, people => 2000, rows => 50_000, items => 50_000,
        assets          => 5000,   calls                 => 20_000, crowd     => 500,
        new_memberships => 10_000, new_projects          => 1000,   new_users => 1000,
        members         => 1000,   organization_projects => 100,
        warm_up         => 0.3,    cold_slice            => 0.03, runs => 3, budget => 1
    },
    full => {
        organizations   => 1000,      projects => 20_000,  people => 10_000,  rows  => 2_000_000,
        items           => 500_000,   assets   => 100_000, calls  => 500_000, crowd => 20_000,
        new_memberships => 1_000_000, new_projects          => 100_000, new_users => 100_000,
        members         => 100_000,   organization_projects => 10_000,
        warm_up         => 2,         cold_slice            => 0.05, runs => 11, budget => 8
    },
);
$size_of{huge} = { %{ $size_of{full} }, people => 500_000 };
our $few  = { organizations => 50, projects => 1000, people => 500, rows => 0 };
our $size = $size_of{ $o{size} // '' } or die "bench.pl: --size small, full or huge\n";
if ($o{list}) { print "$_=$size->{$_}\n" for sort keys %$size; exit }
our $runs = $o{runs} || $size->{runs};

# Turns of short transactions, each of a fraction of a second.
our $slices      = 2 * $runs + 2;
our $generations = $o{size} eq 'small' ? 2 : 5;
our $cores       = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;

our %name = (
    constant   => 'no row security, one uuid comparison',
    none       => 'no row security',
    named      => 'no row security, seeme_assume',
    ids        => 'hand-written ids',
    join       => 'hand-written join',
    seeme      => 'seeme_rbac',
    in         => 'IN (SELECT permitted)',
    any        => '= ANY (ARRAY(SELECT permitted))',
    plpgsql    => 'PL/pgSQL function per row',
    empty      => 'empty C function',
    floor      => 'policies with an empty C function',
    documented => 'best documented pattern',
);
sub name_of { $name{ $_[0] } // $_[0] }

# -------------------------------------------------------------------------------------- connections

sub connect_as {
    my ($role, $database) = @_;
    my $dbh = DBI->connect(
        'dbi:Pg:dbname=' . ($database // 'bench'), $role, '',
        {
            RaiseError        => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1,
            pg_server_prepare => 0
        }
    );
    $dbh->do('SET client_min_messages = error');
    return $dbh;
}
our $dba = connect_as('postgres');
sub value { my ($dbh, $sql, @binds) = @_; return ($dbh->selectrow_array($sql, undef, @binds))[0] }

# In a transaction in which a person is asking, in either of the ways that contenders look at.
sub as_person {
    my ($dbh, $person, $code) = @_;
    $dbh->begin_work;
    $dbh->do(
        q{SELECT seeme_assume(id), set_config('app.user_id', id::text, true)
            FROM (SELECT bench.person(?) AS id) AS p},
        undef, $person
    );
    my @answer = $code->();
    $dbh->commit;
    return wantarray ? @answer : $answer[0];
}

sub ids_of {
    my ($person, $function) = @_;
    my $app = connect_as('app');
    my $ids =
        as_person($app, $person, sub { value($app, "SELECT $function('models:read')::text") });
    $app->disconnect;
    return $ids;
}

sub slurp { my ($file) = @_; local (@ARGV, $/) = ($file); return scalar <> }

our $never = '00000000-0000-0000-0000-000000000000';

# define(name, what it measures, code): a case.
our %case;
our @cases;

sub define {
    my ($name, $what, $code) = @_;
    push @cases, $name;
    $case{$name} = { what => $what, code => $code };
}

1;
