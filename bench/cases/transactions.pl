# Short transactions, and what a session takes of memory.
use strict;
use warnings;
use List::Util  qw(max min);
use Time::HiRes qw(time);
use Bench::Results;
use Bench::Session;
use Bench::Turns;
use Bench::Transactions;
use FindBin;

define oltp => 'short transactions, another person in each', sub {
    my @three = qw(none named seeme);

    # A client a core, so that none waits for the kernel to put the other to sleep and wake it.
    oltp_case("point $_, 2 clients, prepared", [@three, 'floor'], $_, 2, 'prepared', '>= 0.95')
        for qw(select update insert);
    for my $clients (1, 2, 4) {
        oltp_case(
            "mix, $clients client" . ($clients > 1 ? 's' : '') . ', prepared',
            [@three, $clients == 1 ? qw(in any plpgsql) : ()],
            'mix', $clients, 'prepared', '>= 0.95'
        );
    }
    oltp_case("$_, 1 client, simple protocol", [@three, $_ eq 'mix' ? () : 'floor'],
        $_ =~ s/point //r, 1, 'simple', '>= 0.90')
        for 'point select', 'mix';
};

define cold => 'short transactions, each of a person and a project that the session never saw',
    sub {
    my @three = qw(none named seeme);
    my $steps = min($size->{people}, $size->{projects}, 10_000);
    for my $what (qw(select update insert mix)) {
        for my $clients ($what eq 'mix' && $cores > 1 ? (1, 2) : 1) {

# A session meets each person once, then its time is over. Several clients share the people, so
# that nobody is met by two.
            my $each = int($steps / $clients);
            my %process;
            for my $contender (@three) {
                $process{"$contender-$_"} = [
                    '--transactions', $each, '-D', 'step=' . $each * ($_ - 1), '--random-seed', $_,
                    client_arguments(1, 'prepared', scripts_of($what, $contender, 'first_sight'))
                    ]
                    for 1 .. $clients;
            }
            generations(
                  ($what eq 'mix' ? 'mix'                : "point $what")
                . ($clients > 1   ? ", $clients clients" : '')
                    . ', all cold', \@three,
                $clients == 1 ? ['seeme', 'none', '>= 0.85'] : undef, $generations,
                process   => \%process,
                contender => {
                    map {
                        my $contender = $_;
                        ($contender => [map { "$contender-$_" } 1 .. $clients])
                    } @three
                },
                a_core_each    => 1,
                warm_up        => 0.05,
                slice          => $size->{cold_slice},
                slices         => 1000,
                ends_by_itself => 1
            );
        }
    }
    };

define churn => 'the mix while 100 memberships a second change', sub {
    $name{calm}      = 'seeme_rbac, no changes';
    $name{elsewhere} = 'seeme_rbac, 100 changes/s elsewhere';
    $name{here}      = 'seeme_rbac, 100 changes/s';
    my @order = qw(calm elsewhere here);
    my %churn;
    for (['churn_here', 'bench'], ['churn_elsewhere', 'few']) {
        my ($process, $database) = @$_;
        my $dbh     = connect_as('postgres', $database);
        my $churned = value($dbh, 'SELECT max(n) FROM bench.churn');
        $dbh->disconnect;

        # Those that fall due while it is held back are left out.
        $churn{$process} = [
            '--username=postgres', '--rate', 100, '--latency-limit', 100, '--protocol', 'prepared',
            '-D', "churned=$churned", '--file', "$FindBin::Bin/pgbench/churn.sql", $database
        ];
    }
    my @rates;
    my $case     = 'mix under membership changes';
    my $measured = generations(
        $case, \@order, ['here', 'calm', '>= 0.95'], 2,
        process => {
            mix => ['--random-seed', 1, client_arguments(1, 'prepared', mix('seeme', 'active'))],
            %churn
        },
        contender => {
            calm => ['mix'], elsewhere => [qw(mix churn_elsewhere)], here => [qw(mix churn_here)]
        },
        warm_up => $size->{warm_up},
        slice   => 0.5,
        slices  => int($slices / 2 + 0.5),
        beside  => sub { push @rates, @_ }
    );
    my $rate = quantile(0.5, @rates);
    die "only $rate memberships a second were changed\n" if $rate < 80;

    # The changes take time from the machine wherever they are.
    compare($case, 'ratio', 'tps', $measured, 'here', 'elsewhere', sub { $_[0] / $_[1] });
    printf "memberships changed a second: %.0f\n", $rate;
};

define connect => 'a new connection for each transaction', sub {
    my $transactions = $o{size} eq 'small' ? 50 : 150;
    alternate(
        'point select on a new connection',
        'ms',
        [
            map {
                my $contender = $_;
                $contender => sub {
                    my @command = (
                        "$o{bin}/pgbench", '--no-vacuum', '--username=app', '--connect',
                        '--transactions',  $transactions,                          @scale,
                        '--file',          script('select', $contender, 'active'), 'bench'
                    );
                    open my $in, '-|', @command or die "pgbench: $!\n";
                    my $output = join '', <$in>;
                    close $in or die "@command:\n$output";
                    my ($ms) = $output =~ /^latency average = (\S+) ms/m or die $output;
                    return $ms;
                }
            } qw(none named seeme in any plpgsql)
        ],
        reference => 'none',
        budget    => 1e9,
        runs      => min($runs, 5),
        warm_up   => 0
    );
};

define memory => 'what one session takes after serving 10,000 people', sub {
    my $people           = min(10_000, $size->{people});
    my $per_organization = int($size->{projects} / $size->{organizations});
    $dba->do(q{LOAD 'seeme_rbac'}); # its settings are known from then on
    my ($limit) = $dba->selectrow_array(
        q{SELECT pg_size_bytes(setting || unit) FROM pg_settings
           WHERE name = 'seeme_rbac.cache_memory'}
    );
    my %mb;
    for my $contender (qw(named seeme)) {
        my $app = connect_as('app');
        my $pid = value($app, 'SELECT pg_backend_pid()');
        $app->do("PREPARE one (uuid, uuid) AS SELECT seeme_assume(\$1)");
        $app->do("PREPARE two (uuid) AS SELECT name FROM bench.models_$contender WHERE id = \$1");
        $app->do(
            "PREPARE three (uuid) AS SELECT count(*) FROM (SELECT * FROM bench.models_$contender "
                . 'WHERE project_id = $1 ORDER BY created_at DESC LIMIT 50) AS latest'
        );
        my $serve = sub {
            my ($p) = @_;
            my $project = 1 + ($p - 1) % $size->{projects};
            $app->do("BEGIN");
            $app->do("EXECUTE one (bench.id('person', $p), NULL)");
            $app->selectrow_array("EXECUTE two (bench.id('row', $project))");
            $app->selectrow_array("EXECUTE three (bench.id('project', $project))");
            $app->do("COMMIT");
        };

# What PostgreSQL has allocated, by its own account, and what the kernel says is this process's
# alone.
        my $weigh = sub {
            my $contexts = value($app, 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts');
            my ($anonymous) = slurp("/proc/$pid/smaps_rollup") =~ /^Anonymous:\s+(\d+) kB/m;
            return ($contexts / 2**20, $anonymous / 1024);
        };
        $serve->($_) for 1 .. $people;
        $weigh->(); # the question itself needs memory, the first time
        $mb{$contender} = [$weigh->()];
        $app->disconnect;
    }
    my @kinds = ('memory contexts', 'private memory of the process');
    for my $i (0, 1) {
        my $case     = "memory after $people people, $kinds[$i]";
        my %measured = map {
            $_ => { median => $mb{$_}[$i], low => $mb{$_}[$i], high => $mb{$_}[$i], runs => 1,
                by_round => { 1 => $mb{$_}[$i] } }
        } qw(named seeme);
        for my $contender (qw(named seeme)) {
            my %r = %{ $measured{$contender} };
            delete $r{by_round};
            report(case => $case, contender => $contender, unit => 'MB', %r);
        }
        hold($case, 'difference', 'MB', \%measured, 'seeme', 'named',
            '<= ' . (($limit // 0) / 2**20 + 1));
    }
    print "seeme_rbac.cache_memory ",
        defined $limit ? 'is ' . $limit / 2**20 . " MB\n" : "does not exist\n";
};

1;
