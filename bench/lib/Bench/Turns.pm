# Contenders that take turns: any code that gives a figure, and queries.
package Bench::Turns;
use strict;
use warnings;
use Exporter 'import';
use List::Util  qw(max min);
use Time::HiRes qw(time);
use Bench::Results;
use Bench::Session;

our @EXPORT = qw(alternate queries plan_of);

# Seconds: a contender that takes longer is not run once for warming up.
my $slow      = 3;
my $max_loops = 2000;

# Seconds: a query that takes longer is broken off, and counts as having taken that long.
my $patience = 60;

# alternate(case, unit, [contender => sub { one turn's figure }, ...], options): takes turns,
# reports each contender. options: runs, budget, warm_up (1), reference (whose figure the others'
# are divided by), plan => { contender => what its plan does }.
sub alternate {
    my ($case, $unit, $contenders, %option) = @_;
    my (@order, %turn, %measured, %spent);
    my @list = @$contenders;
    while (my ($contender, $code) = splice @list, 0, 2) {
        push @order, $contender;
        $turn{$contender} = $code;
    }
    my $budget = $option{budget} // $size->{budget};
    for my $round (($option{warm_up} // 1 ? 0 : 1) .. ($option{runs} // $runs)) {
        for my $i (0 .. $#order) {
            my $contender = $order[($i + $round) % @order];
            next if $measured{$contender} && ($spent{$contender} // 0) > $budget;
            my $started = time;
            my ($figure, $broken_off) = $turn{$contender}->();
            my $took = time - $started;
            if ($broken_off) {
                $spent{$contender} = 1e9;
                $measured{$contender}{plan} = $broken_off;
            }

            # The first turn warms up; it counts where there is hardly time for a second one.
            next if $round == 0 && $took < $slow;
            $spent{$contender} += $took;
            $measured{$contender}{by_round}{$round} = $figure;
        }
    }
    return sum_up($case, $unit, \@order, \%measured, %option);
}

# What scans the protected table, in a few words.
sub plan_of {
    my ($dbh, $query) = @_;
    my @lines = map { $_->[0] } @{ $dbh->selectall_arrayref("EXPLAIN $query") };
    my $scan  = qr/(?:Parallel )?(?:Seq|Index(?: Only)?|Bitmap Heap) Scan/;
    my @words =
        map { /Custom Scan \((Permission Scan)\)/ ? "\L$1" : /(?:->\s+|^)($scan)/ ? "\L$1" : () }
        grep { !/\b(?:InitPlan|SubPlan)\b/ } @lines;
    @words = ($words[0], (grep { /sort/i } @lines) ? 'sort' : ()) if @words;
    return join ', ', @words;
}

# The whole plan, as it was carried out: for whoever asks why a target was missed (--plans).
sub explained {
    my ($dbh, $query) = @_;
    $dbh->do("SET LOCAL statement_timeout = '${patience}s'");
    return join '',
        map { "      $_->[0]\n" }
        @{ $dbh->selectall_arrayref("EXPLAIN (ANALYZE, BUFFERS) $query") };
}

# queries(case, person, [contender => query, ...], options): one figure is the mean of as many
# executions as take some 30 ms. All contenders must answer the same. Options, besides those of
# alternate():
#   prepared  planned once, in the session
#   database  where (bench)
#   roles     { contender => database role }; app otherwise
#   measure   the function in schema bench that does so: measure, or run, which counts rows
#   differ    their answers are no matter of comparison
my $statement = 0;

sub queries {
    my ($case, $person, $contenders, %option) = @_;
    my $measure = $option{measure} // 'measure';
    my (%session, @turns, %plan, %explained, %warm, %loops, %answer);
    my @list = @$contenders;
    while (my ($contender, $query) = splice @list, 0, 2) {
        my $role = $option{roles}{$contender} // 'app';
        my $app  = $session{$role} //= connect_as($role, $option{database});
        if ($option{prepared}) {
            my $prepared = 'q' . ++$statement;
            $app->do("PREPARE $prepared AS $query");
            $query = "EXECUTE $prepared";
        }
        as_person(
            $app, $person,
            sub {
                $plan{$contender}      = $query =~ /^EXPLAIN/ ? '' : plan_of($app, $query);
                $explained{$contender} = explained($app, $query)
                    if $o{plans} && $query !~ /^EXPLAIN/;
            }
        );
        push @turns, $contender, sub {
            my ($ms, $answer) = eval {
                as_person(
                    $app, $person,
                    sub {
                        $app->do("SET LOCAL statement_timeout = '${patience}s'");
                        $app->selectrow_array(
                            'SELECT ms, result FROM bench.measure(?, ?)', undef,
                            $query,                                       $loops{$contender} // 1
                        );
                    }
                );
            };
            if (!defined $ms) {
                die $@ unless $app->state eq '57014';
                $app->rollback;
                return (1000 * $patience, 'broken off');
            }
            $answer{ $answer // 'null' } = $contender unless $option{differ};
            die "$case: the contenders do not agree: ",
                join(', ', map { "$answer{$_} says $_" } sort keys %answer), "\n"
                if keys %answer > 1;

            # The first execution of all may find nothing cached, so it does not tell how many
            # take some 30 ms.
            $loops{$contender} //= max(1, min($max_loops, int(30 / ($ms || 1))))
                if $warm{$contender}++;
            return $ms;
        };
    }
    my $measured = alternate($case, 'ms', \@turns, %option, plan => \%plan);
    $measured->{$_}{explained} = $explained{$_} for keys %explained;
    $_->disconnect for values %session;
    return $measured;
}

1;
