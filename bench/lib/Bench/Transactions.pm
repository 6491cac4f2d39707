# Short transactions: pgbench's processes, held back and let go in turn, and what their logs say.
package Bench::Transactions;
use strict;
use warnings;
use Exporter 'import';
use FindBin;
use List::Util  qw(max min sum0);
use Time::HiRes qw(sleep time);
use Bench::Results;
use Bench::Session;

our @EXPORT = qw(@scale script mix scripts_of client_arguments generations oltp_case);

my %identify = (
    none  => q{set_config('app.user_id', md5('person' || :person::text)::uuid::text, true)},
    named => q{seeme_assume(md5('person' || :person::text)::uuid)},
);
$identify{$_} = $identify{named} for qw(seeme floor);
$identify{$_} = $identify{none}  for qw(in any plpgsql);

# The transaction of a contender, as a file for pgbench.
sub script {
    my ($template, $contender, $walk) = @_;
    my $file = "$o{place}/$template-$contender-$walk.sql";
    my $text = slurp("$FindBin::Bin/pgbench/$template.sql");
    $text =~ s/\{walk\}\n/slurp("$FindBin::Bin\/pgbench\/$walk.walk")/e;
    $text =~ s/\{identify\}/$identify{$contender}/;
    $text =~ s/\{table\}/bench.models_$contender/;
    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out;
    return $file;
}

our @scale = map { ('-D', $_) } (
    "organizations=$size->{organizations}", "projects=$size->{projects}",
    'projects_each=' . int($size->{projects} / $size->{organizations}),
    'rows_each=' . int($size->{rows} / $size->{projects}),
    'active_organizations=' . max(1, int($size->{organizations} / 20))
);

# The pgbench of every contender is started at once and then held by SIGSTOP; in turn, each is let
# go on for a fraction of a second. So sessions stay warm, and what else the machine does meanwhile
# hits all alike, which runs of some seconds one after the other would not do. Its log says
# afterwards how many transactions ended in each turn.
my %held; # by process id

sub let_go {
    for my $pid (@_) { kill 'CONT', $pid }
}

sub hold_back {
    for my $pid (@_) { kill 'STOP', $pid }
}

sub end_all {
    for my $pid (keys %held) {
        kill 'TERM', $pid;
        kill 'CONT', $pid;
        waitpid $pid, 0;
        delete $held{$pid};
    }
}
$SIG{$_} = sub { end_all(); exit 143 }
    for qw(INT TERM HUP);
END { my $status = $?; end_all(); $? = $status }

sub start_held {
    my ($name, @arguments) = @_;
    unlink glob "$o{place}/log-$name.*";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $ENV{PGAPPNAME} = "bench $name";
        open STDOUT, '>',  "$o{place}/output-$name";
        open STDERR, '>&', \*STDOUT;
        exec 'sh', '-c', 'kill -STOP $$; exec "$@"', 'sh', "$o{bin}/pgbench", '--no-vacuum',
            '--log', "--log-prefix=$o{place}/log-$name", @arguments;
    }
    $held{$pid} = $name;
    return $pid;
}

# Ends of a process's transactions, in seconds.
sub ends_of {
    my ($name) = @_;
    my @ends;
    for my $file (glob "$o{place}/log-$name.*") {
        open my $in, '<', $file or die "$file: $!\n";
        while (my $line = <$in>) {
            my @f = split ' ', $line;
            push @ends, $f[4] + $f[5] / 1e6 unless $f[2] eq 'skipped';
        }
        close $in;
    }
    return sort { $a <=> $b } @ends;
}

# Seconds of processor time that server processes have had.
sub processor_time {
    my $ns = 0;
    for my $pid (@_) {
        $ns += (split ' ', slurp("/proc/$pid/schedstat"))[0] if -e "/proc/$pid/schedstat";
    }
    return $ns / 1e9;
}

sub within {
    my ($ends, $from, $to) = @_;
    return scalar grep { $_ >= $from && $_ < $to } @$ends;
}

# take_turns(process => [pgbench's arguments], contender => [processes that run in its turn, the
# one that counts first], order, warm_up, slice, slices: seconds, seconds, how many; generation: a
# number that makes rounds of several calls differ. By contender and round: transactions a second,
# and microseconds of the server's processor time per transaction, which does not depend on what
# else runs. The slices end early where a process has ended by itself (ends_by_itself). beside:
# told the rate of what else runs in a turn. a_core_each: all processes of a contender count, and
# each has a core for itself and for the server's processes that serve it.
sub take_turns {
    my (%t) = @_;
    my (%pid, %window);
    my @order = @{ $t{order} };
    my $all   = $t{warm_up} * @order + $t{slice} * $t{slices} * @order + 1;
    my @time  = $t{ends_by_itself} ? () : ('--time', int($all + 1));
    $pid{$_} = start_held($_, @time, @{ $t{process}{$_} }) for sort keys %{ $t{process} };
    sleep 0.05;
    for my $contender (@order) {
        my @pids = @pid{ @{ $t{contender}{$contender} } };
        let_go(@pids);
        sleep $t{warm_up};
        hold_back(@pids);
    }
    my %server = map {
        $_ => $dba->selectcol_arrayref(
            'SELECT pid FROM pg_stat_activity WHERE application_name = ?',
            undef, "bench $_"
        )
    } keys %pid;
    my %counting =
        map { my @names = @{ $t{contender}{$_} }; ($_ => [$t{a_core_each} ? @names : $names[0]]) }
        @order;
    if ($t{a_core_each}) {
        for my $names (values %counting) {
            for my $core (0 .. $#$names) {
                my $name = $names->[$core];
                for my $process ($pid{$name}, @{ $server{$name} }) {
                    system("taskset --all-tasks --cpu-list --pid $core $process >/dev/null") == 0
                        or die "taskset failed\n";
                }
            }
        }
    }
    ROUND: for my $round (1 .. $t{slices}) {
        my %this;
        for my $i (0 .. $#order) {
            my $contender = $order[($i + $round) % @order];
            my @pids      = @pid{ @{ $t{contender}{$contender} } };
            my @server    = map { @{ $server{$_} } } @{ $counting{$contender} };
            my $before    = processor_time(@server);
            my $from      = time;
            let_go(@pids);
            sleep $t{slice};
            hold_back(@pids);
            $this{$contender} = [$from, time, processor_time(@server) - $before];
            last ROUND if grep { !-e "/proc/$_" || slurp("/proc/$_/stat") =~ /\) Z / } @pids;
        }
        $window{$_}{$round} = $this{$_} for keys %this;
    }

    # All at once: one may wait for a row that another holds.
    let_go(values %pid);
    for my $name (sort keys %pid) {
        waitpid $pid{$name}, 0;
        my $status = $?;
        delete $held{ $pid{$name} };
        my $output = slurp("$o{place}/output-$name");
        die "pgbench, $name:\n$output"
            if $status || $output =~ /aborted|failed transactions: [1-9]/;
    }
    my (%ends, %by_round, %processor);
    my $generation = $t{generation} // 1;
    for my $contender (@order) {
        my @names = @{ $t{contender}{$contender} };
        for my $round (keys %{ $window{$contender} }) {
            my ($from, $to, $seconds) = @{ $window{$contender}{$round} };
            $ends{$_} //= [ends_of($_)] for @names;
            my $count = sum0 map { within($ends{$_}, $from, $to) } @{ $counting{$contender} };
            $by_round{$contender}{"$generation.$round"}  = $count / ($to - $from);
            $processor{$contender}{"$generation.$round"} = 1e6 * $seconds / $count
                if $count && $seconds;
            $t{beside}->(within($ends{$_}, $from, $to) / ($to - $from))
                for $t{beside} ? @names[1 .. $#names] : ();
        }
    }
    return (\%by_round, \%processor);
}

# Several generations of sessions, for where the kernel puts a pair of processes stays with them;
# and what came of it.
sub generations {
    my ($case, $order, $target, $count, %t) = @_;
    my (%rate, %processor);
    for my $generation (1 .. $count) {
        my ($rate, $processor) = take_turns(%t, order => $order, generation => $generation);
        for my $contender (@$order) {
            %{ $rate{$contender}{by_round} } =
                (%{ $rate{$contender}{by_round} // {} }, %{ $rate->{$contender} // {} });
            %{ $processor{$contender}{by_round} } =
                (%{ $processor{$contender}{by_round} // {} }, %{ $processor->{$contender} // {} });
        }
    }
    my $measured = sum_up($case, 'tps', $order, \%rate, reference => $order->[0]);
    hold($case, 'ratio', 'tps', $measured, @$target) if $target;
    sum_up("$case, processor time", 'us', $order, \%processor, reference => $order->[0]);
    return $measured;
}

sub client_arguments {
    my ($clients, $mode, @scripts) = @_;
    return (
        '--username=app', '--client', $clients, '--protocol', $mode, @scale,
        (map { ('--file', $_) } @scripts), 'bench'
    );
}

sub mix {
    my ($contender, $walk) = @_;
    return (
        script('select', $contender, $walk) . '@8', script('update', $contender, $walk) . '@1',
        script('insert', $contender, $walk) . '@1'
    );
}

sub scripts_of {
    my ($what, $contender, $walk) = @_;
    return $what eq 'mix' ? mix($contender, $walk) : script($what, $contender, $walk);
}

sub oltp_case {
    my ($case, $contenders, $what, $clients, $mode, $target) = @_;
    my @parts = 1 .. max(grep { $clients % $_ == 0 } 1 .. min($clients, $cores));
    my %process;
    for my $contender (@$contenders) {
        $process{"$contender-$_"} = [
            '--random-seed', $_,
            client_arguments($clients / @parts, $mode, scripts_of($what, $contender, 'active'))
            ]
            for @parts;
    }
    generations(
        $case, $contenders, ['seeme', 'none', $target], 4, process => \%process,
        contender => {
            map {
                my $contender = $_;
                ($contender => [map { "$contender-$_" } @parts])
            } @$contenders
        },
        a_core_each => 1,
        warm_up     => $size->{warm_up} * max(1, $clients / $cores),
        slice       => 0.05,
        slices      => int($slices * 5 / 3 + 0.5)
    );
}

1;
