# The check by itself: warm, cold, among many memberships; one resource in many projects.
use strict;
use warnings;
use FindBin;
use List::Util  qw(max min);
use Time::HiRes qw(time);
use Bench::Results;
use Bench::Session;
use Bench::Turns;

# One walk in a session of its own: microseconds per step.
sub walk {
    my ($app, $procedure, $first, $last, $projects) = @_;
    my ($us, $held) = $app->selectrow_array("CALL bench.walk_$procedure($first, $last, $projects)");
    die "walk: $held of ", $last - $first + 1, " checks were granted\n"
        unless $held == $last - $first + 1;
    return $us;
}

define check => 'the check by itself, against a C function that does nothing', sub {
    for (['check, same project', 'key_same', 2, '<= 20'],
        ['check, 1000 projects in turn', 'key_thousand', 'sees-100'],
        ['check, every project once',    'key_every',    'sees-100']) {
        my ($case, $keys, $person, $target) = @$_;
        my $id =
            $person =~ /^\d+$/
            ? "bench.id('person', $person + $size->{organizations})"
            : "bench.person('$person')";
        my $calls = value($dba, "SELECT count(*) FROM bench.$keys");
        my $app;
        my $turn = sub {
            my ($function, $fresh) = @_;

            # Where every project is to be a new one, so is the session.
            if ($fresh || !$app) { $app->disconnect if $app; $app = connect_as('app') }
            $app->begin_work;

            # Call by call: a permission scan would have many decided at once.
            $app->do('SET LOCAL seeme_rbac.enable_permission_scan = off');
            $app->do("SELECT seeme_assume($id)");
            my ($ms, $held) = $app->selectrow_array(
                'SELECT ms, result FROM bench.measure(?, 1)', undef,
                "SELECT count(*) FROM bench.$keys WHERE $function('models:read', project => id)"
            );
            $app->commit;
            die "$case: $held of $calls\n" unless $held == $calls;
            return $ms * 1_000_000 / $calls;
        };
        my $fresh    = $keys eq 'key_every';
        my $measured = alternate(
            $case, 'ns',
            [
                empty => sub { $turn->('bench.empty',          $fresh) },
                seeme => sub { $turn->('seeme_has_permission', $fresh) }
            ]
        );
        if ($target) { hold($case, 'difference', 'ns', $measured, 'seeme', 'empty', $target) }
        else {
            compare($case, 'difference', 'ns', $measured, 'seeme', 'empty', sub { $_[0] - $_[1] });
        }
        $app->disconnect;
    }

# Another person each time. In the first walk through a session everybody is new to it, and so is
# every project.
    my $last = min($size->{people}, $size->{projects}, 10_000);
    my %us;
    for my $round (1 .. min($runs, 5)) {
        for my $procedure ($round % 2 ? qw(empty seeme) : qw(seeme empty)) {
            my $app = connect_as('app');
            $us{$procedure}{$_}{$round} = walk($app, $procedure, 1, $last, $size->{projects})
                for qw(cold warm);
            $app->disconnect;
        }
    }
    for (['cold', 'check, a new person and project each', '<= 10'],
        ['warm', 'check, another person each, all seen before']) {
        my ($pass, $case, $target) = @$_;
        my %measured = map {
            my $by_round = $us{$_}{$pass};
            my ($m, $l, $h) = summary(values %$by_round);
            (
                $_ => {
                    by_round => $by_round, median => $m, low => $l, high => $h,
                    runs     => scalar keys %$by_round
                }
            )
        } qw(empty seeme);
        for my $contender (qw(empty seeme)) {
            my %r = %{ $measured{$contender} };
            delete $r{by_round};
            report(case => $case, contender => $contender, unit => 'us', %r);
        }
        if ($target) { hold($case, 'difference', 'us', \%measured, 'seeme', 'empty', $target) }
        else {
            compare($case, 'difference', 'us', \%measured, 'seeme', 'empty', sub { $_[0] - $_[1] });
        }
    }

    # Why: all paths, for oneself.
    my $app = connect_as('app');
    $app->begin_work;
    my $person = "bench.id('person', 2 + $size->{organizations})";
    $app->do("SELECT seeme_assume($person)");
    my ($me, $project) = $app->selectrow_array("SELECT $person, bench.id('project', 2)");
    alternate(
        'explain',
        'us',
        [
            seeme => sub {
                1000 * value($app, 'SELECT ms FROM bench.measure(?, 200)',
                    "SELECT count(*) FROM seeme_explain_permission('$me', 'models:read', "
                        . "project => '$project')"
                );
            }
        ]
    );
    $app->commit;
    $app->disconnect;
};

define scale => 'the cold check among many memberships and among few', sub {
    my %among       = (many => [bench => $size], few => [few => $few]);
    my %memberships = map {
        my $dbh = connect_as('postgres', $among{$_}[0]);
        my $n   = value($dbh, 'SELECT count(*) FROM seeme.memberships');
        $dbh->disconnect;
        ($_ => $n)
    } keys %among;

# All are among a session's first 63: at the 64th it thinks about reading tables as a whole, which
# it does the sooner the fewer rows there are.
    my ($warm_up, $each, $sessions) = (13, 63, 7);
    my %walks;
    $name{$_} = "among $memberships{$_} memberships" for keys %among;

# Other people each time, from everywhere: what is measured is to be new to the processor, too, as
# far as there are many.
    my $turn = sub {
        my ($database, $of) = @{ $among{ $_[0] } };
        my %us = (empty => 0, seeme => 0);
        for (1 .. $sessions) {
            my $first = 1 + $each * ($walks{$database}++ * 7919 % int($of->{people} / $each));
            for my $procedure (qw(empty seeme)) {
                my $app = connect_as('app', $database);
                walk($app, $procedure, $first, $first + $warm_up - 1, $of->{projects});
                $us{$procedure} +=
                    walk($app, $procedure, $first + $warm_up, $first + $each - 1, $of->{projects})
                    / $sessions;
                $app->disconnect;
            }
        }
        return $us{seeme} - $us{empty};
    };
    my $case = 'cold check, many and few';
    my $measured =
        alternate($case, 'us', [few => sub { $turn->('few') }, many => sub { $turn->('many') }],
        runs => 2 * $runs, reference => 'few');
    hold($case, 'ratio', 'us', $measured, 'many', 'few', '<= 1.5');
};

# A person with a membership in each of n projects asks about one resource that is assigned to all
# of them: what rule 7.9 says of time and memory. In a database of its own, so that nobody else has
# more for it; each figure is a new session's first question.
define many => 'one resource in 100, 1,000 and 10,000 projects, cold', sub {
    my @sizes = (100, 1000, 10_000);
    $dba->do('DROP DATABASE IF EXISTS many');
    $dba->do('CREATE DATABASE many');
    my $dbh = connect_as('postgres', 'many');
    $dbh->do('CREATE EXTENSION seeme_rbac');

    $dbh->do(scalar slurp("$FindBin::Bin/many.sql"));
    $dbh->do('VACUUM ANALYZE');
    $dbh->disconnect;

    my %question = (
        'has_permission' => q{SELECT seeme_has_permission('models:read', resource => ?)},
        'permissions'    =>
            q{SELECT cardinality(seeme_permissions(resource => ?, resource_type => 'model'))},
        'explain_permission' =>
            q{SELECT count(*)
                FROM seeme_explain_permission(seeme_user_id(), 'models:read', resource => ?)},
        'permitted_users' =>
            q{SELECT count(*) FROM seeme_permitted_users('models:read', resource => ?)},
    );
    my %where = (1 => 'of one organization, a role each', 3 => 'of as many organizations');
    $name{"n$_"} = "seeme_rbac, $_ projects" for @sizes;
    for my $kind (1, 3) {
        for my $question (sort keys %question) {
            my $case = "seeme_$question, projects $where{$kind}";
            my (%time, %memory);
            for my $round (0 .. min($runs, 5)) {
                for my $n (@sizes) {
                    my $session  = connect_as('postgres', 'many');
                    my $pid      = value($session, 'SELECT pg_backend_pid()');
                    my $resource = value($session, 'SELECT id(?, ?)', "d$kind", $n);
                    my $peak     = sub {
                        my ($kb) = slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m;
                        return $kb / 1024;
                    };
                    $session->begin_work;
                    $session->do(q{SELECT seeme_assume(id('aa', 2))});
                    value($session, $question{$question}, $never)
                        ; # loads the library, and what PostgreSQL needs once
                    my $before  = $peak->();
                    my $started = time;
                    value($session, $question{$question}, $resource);
                    my $ms = 1000 * (time - $started);
                    my $mb = $peak->() - $before;
                    $session->rollback;
                    $session->disconnect;
                    next if $round == 0;
                    $time{"n$n"}{by_round}{$round}   = $ms;
                    $memory{"n$n"}{by_round}{$round} = max($mb, 0.01);
                }
            }
            my @order    = map { "n$_" } @sizes;
            my $measured = sum_up($case, 'ms', \@order, \%time, reference => 'n100');
            hold($case, 'ratio', 'ms', $measured, 'n10000', 'n100', '<= 120');
            $measured =
                sum_up("$case, memory at its peak", 'MB', \@order, \%memory, reference => 'n100');
            hold("$case, memory at its peak", 'ratio', 'MB', $measured, 'n10000', 'n100', '<= 120');
        }
    }
    $dba->do('DROP DATABASE many');
};

1;
