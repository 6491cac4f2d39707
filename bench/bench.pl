#!/usr/bin/perl
# bench.pl: measures, and says what it measured; scripts/bench has built everything before, and starts it.
#
# Every case has contenders. They take turns (A B C A B C, each round beginning with another one), so that whatever else
# the machine does meanwhile hits all of them alike. A ratio is the median of the rounds' ratios, with their quartiles.
use strict;
use warnings;
use DBI;
use FindBin;
use Getopt::Long;
use List::Util qw(max min sum0);
use Time::HiRes qw(sleep time);

my %o = (runs => 0, place => '.', commit => '');
GetOptions(\%o, 'size=s', 'case=s@', 'runs=i', 'place=s', 'bin=s', 'settings=s', 'commit=s', 'strict', 'list') or exit 2;

# warm_up: seconds that a session is warmed up for; cold_slice: of a turn in which everything is new; budget: seconds after which a contender of a case takes no more turns.
my %size_of = (
    small => { organizations => 100,  projects => 2000,  people => 2000,   rows => 50_000,    assets => 5000,    calls => 20_000,  warm_up => 0.3, cold_slice => 0.03,  runs => 3,  budget => 1 },
    full  => { organizations => 1000, projects => 20000, people => 10_000, rows => 2_000_000, assets => 100_000, calls => 500_000, warm_up => 2, cold_slice => 0.05, runs => 11, budget => 8 },
    huge  => { organizations => 1000, projects => 20000, people => 500_000, rows => 2_000_000, assets => 100_000, calls => 500_000, warm_up => 2, cold_slice => 0.05, runs => 11, budget => 8 },
);
my $few = { organizations => 50, projects => 1000, people => 500, rows => 0 };
my $size = $size_of{ $o{size} // '' } or die "bench.pl: --size small, full or huge\n";
if ($o{list}) { print "$_=$size->{$_}\n" for sort keys %$size; exit }
my $runs = $o{runs} || $size->{runs};
my $slices = 2 * $runs + 2;    # turns of short transactions, each of a fraction of a second
my $generations = $o{size} eq 'small' ? 2 : 5;
my $cores = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;
my $slow = 3;    # seconds; a contender that takes longer is not run once for warming up
my $max_loops = 2000;
my $patience = 60;    # seconds; a query that takes longer is broken off, and counts as having taken that long

my %name = (
    constant  => 'no row security, one uuid comparison',
    none      => 'no row security',
    named     => 'no row security, seeme_assume',
    ids       => 'hand-written ids',
    join      => 'hand-written join',
    seeme     => 'seeme_rbac',
    in        => 'IN (SELECT permitted)',
    any       => '= ANY (ARRAY(SELECT permitted))',
    plpgsql   => 'PL/pgSQL function per row',
    empty     => 'empty C function',
    floor     => 'policies with an empty C function',
    documented => 'best documented pattern',
);
sub name_of { $name{ $_[0] } // $_[0] }

# ---------------------------------------------------------------------------------------------- connections

sub connect_as {
    my ($role, $database) = @_;
    my $dbh = DBI->connect('dbi:Pg:dbname=' . ($database // 'bench'), $role, '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, pg_server_prepare => 0 });
    $dbh->do('SET client_min_messages = error');
    return $dbh;
}
my $dba = connect_as('postgres');
sub value { my ($dbh, $sql, @binds) = @_; return ($dbh->selectrow_array($sql, undef, @binds))[0] }

# In a transaction in which a person is asking, in either of the ways that contenders look at.
sub as_person {
    my ($dbh, $person, $code) = @_;
    $dbh->begin_work;
    $dbh->do("SELECT seeme_assume(id), set_config('app.user_id', id::text, true) FROM (SELECT bench.person(?) AS id) AS p", undef, $person);
    my @answer = $code->();
    $dbh->commit;
    return wantarray ? @answer : $answer[0];
}

# ----------------------------------------------------------------------------------------------- statistics

sub quantile {
    my ($q, @values) = @_;
    my @sorted = sort { $a <=> $b } @values;
    my $at = $q * $#sorted;
    my $low = int $at;
    return $sorted[$low] + ($at - $low) * (($sorted[ $low + 1 ] // $sorted[$low]) - $sorted[$low]);
}
sub summary { my @v = @_; return map { quantile($_, @v) } 0.5, 0.25, 0.75 }

# Two contenders of a case, by the rounds in which both had their turn (and the second did anything); if there is none, by their medians.
sub compared {
    my ($measured, $x, $y, $of) = @_;
    my @paired = map { $of->($measured->{$x}{by_round}{$_}, $measured->{$y}{by_round}{$_}) }
        grep { $measured->{$y}{by_round}{$_} } sort { $a <=> $b } keys %{ $measured->{$x}{by_round} };
    return summary(@paired) if @paired;
    return ($of->($measured->{$x}{median}, $measured->{$y}{median}), undef, undef);
}

# -------------------------------------------------------------------------------------------------- results

my (@results, $printed_header);

sub figure {
    my ($x) = @_;
    return '' unless defined $x;
    my $digits = $x == 0 ? 0 : max(0, 2 - int(log(abs $x) / log(10) + ($x < 1 ? -1 : 0)));
    my $text = sprintf "%.*f", min($digits, 4), $x;
    1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
    return $text;
}

my @columns = qw(case contender median unit quartiles comparison against target ok plan);
my @widths  = (43, 36, 8, 4, 21, 24, 36, 7, 5, 0);
sub cells {
    my ($r) = @_;
    my $comparison = '';
    if (defined $r->{comparison}) {
        $comparison = figure($r->{comparison}) . { ratio => ' x', speedup => ' x faster', difference => " $r->{unit} more" }->{ $r->{kind} };
        $comparison .= sprintf ' (%s..%s)', figure($r->{comparison_low}), figure($r->{comparison_high}) if defined $r->{comparison_low};
    }
    return ($r->{case}, name_of($r->{contender}), figure($r->{median}), $r->{unit},
        defined $r->{low} ? figure($r->{low}) . '..' . figure($r->{high}) . " n=$r->{runs}" : '',
        $comparison, defined $r->{against} ? name_of($r->{against}) : '', $r->{target} // '', $r->{ok} // '', $r->{plan} // '');
}
sub line_of { my @c = @_; my $line = join ' | ', map { sprintf "%-*s", $widths[$_], $c[$_] } 0 .. $#c; $line =~ s/\s+$//; return "$line\n" }

my $last_case = '';
sub report {
    my (%r) = @_;
    push @results, \%r;
    unless ($printed_header++) {
        print line_of(qw(case contender median unit), 'quartiles, runs', 'ratio (quartiles)', qw(against target ok plan));
    }
    my @cells = cells(\%r);
    $cells[0] = '' if $cells[0] eq $last_case;
    print "\n" if $cells[0] ne '';
    $last_case = $r{case};
    print line_of(@cells);
}

# alternate(case, unit, [contender => sub { one turn's figure }, ...], options): takes turns, reports each contender.
# options: runs, budget, warm_up (1), reference (whose figure the others' are divided by), plan => { contender => what its plan does }.
sub alternate {
    my ($case, $unit, $contenders, %option) = @_;
    my (@order, %turn, %measured, %spent);
    my @list = @$contenders;
    while (my ($contender, $code) = splice @list, 0, 2) { push @order, $contender; $turn{$contender} = $code }
    my $budget = $option{budget} // $size->{budget};
    for my $round (($option{warm_up} // 1 ? 0 : 1) .. ($option{runs} // $runs)) {
        for my $i (0 .. $#order) {
            my $contender = $order[ ($i + $round) % @order ];
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

# Reports each contender of a case, given its figures by round.
sub sum_up {
    my ($case, $unit, $order, $measured, %option) = @_;
    for my $m (@$measured{@$order}) {
        my @figures = values %{ $m->{by_round} } or die "$case: a contender never had a whole turn\n";
        ($m->{median}, $m->{low}, $m->{high}) = summary(@figures);
        $m->{runs} = @figures;
    }
    for my $contender (@$order) {
        my %r = (case => $case, contender => $contender, unit => $unit, %{ $measured->{$contender} });
        $r{plan} //= $option{plan}{$contender};
        delete $r{by_round};
        if (defined $option{reference} && $contender ne $option{reference}) {
            @r{qw(comparison comparison_low comparison_high)} = compared($measured, $contender, $option{reference}, sub { $_[0] / $_[1] });
            $r{kind} = 'ratio';
            $r{against} = $option{reference};
        }
        report(%r);
    }
    return $measured;
}

# hold(case, kind, measured, contender, against, '<= 1.10'): whether a requirement is met; a row of its own.
# ratio: contender by against; speedup: how many times faster; difference: how much more.
sub hold {
    my ($case, $kind, $unit, $measured, $contender, $against, $target) = @_;
    my %of = (ratio => sub { $_[0] / $_[1] }, speedup => sub { $_[1] / $_[0] }, difference => sub { $_[0] - $_[1] });
    my %r = (case => $case, contender => $contender, unit => $unit, kind => $kind, target => $target);
    @r{qw(comparison comparison_low comparison_high)} = compared($measured, $contender, $against, $of{$kind});
    $r{against} = $against;
    my ($operator, $bound) = split ' ', $target;
    $r{ok} = ($operator eq '<=' ? $r{comparison} <= $bound : $r{comparison} >= $bound) ? 'pass' : 'FAIL';
    # The machine was too busy to tell: half of the turns say otherwise, or nearly so.
    $r{ok} .= '?' if defined $r{comparison_low} && $r{comparison_low} < $bound && $bound < $r{comparison_high};
    report(%r);
}

# The same, where nothing is required.
sub compare {
    my ($case, $kind, $unit, $measured, $contender, $against, $of) = @_;
    my %r = (case => $case, contender => $contender, unit => $unit, kind => $kind, against => $against);
    @r{qw(comparison comparison_low comparison_high)} = compared($measured, $contender, $against, $of);
    report(%r);
}

# The faster of the two documented patterns.
sub add_documented {
    my ($measured) = @_;
    my ($best) = sort { $measured->{$a}{median} <=> $measured->{$b}{median} } grep { $measured->{$_} } qw(in any);
    $measured->{documented} = $measured->{$best};
}

# -------------------------------------------------------------------------------------------------- queries

# What scans the protected table, in a few words.
sub plan_of {
    my ($dbh, $query) = @_;
    my @lines = map { $_->[0] } @{ $dbh->selectall_arrayref("EXPLAIN $query") };
    my @words = map { /(?:->\s+|^)((?:Parallel )?(?:Seq|Index(?: Only)?|Bitmap Heap) Scan)/ ? "\L$1" : () } grep { !/\b(?:InitPlan|SubPlan)\b/ } @lines;
    @words = ($words[0], (grep { /sort/i } @lines) ? 'sort' : ()) if @words;
    return join ', ', @words;
}

# queries(case, person, [contender => query, ...], options): one figure is the mean of as many executions as take some
# 30 ms. All contenders must answer the same. option prepared: planned once, in the session.
my $statement = 0;
sub queries {
    my ($case, $person, $contenders, %option) = @_;
    my $app = connect_as('app');
    my (@turns, %plan, %loops, %answer);
    my @list = @$contenders;
    my %query;
    while (my ($contender, $query) = splice @list, 0, 2) {
        if ($option{prepared}) {
            my $prepared = 'q' . ++$statement;
            $app->do("PREPARE $prepared AS $query");
            $query = "EXECUTE $prepared";
        }
        $query{$contender} = $query;
        $plan{$contender} = as_person($app, $person, sub { plan_of($app, $query) });
        push @turns, $contender, sub {
            my ($ms, $answer) = eval {
                as_person($app, $person, sub {
                    $app->do("SET LOCAL statement_timeout = '${patience}s'");
                    $app->selectrow_array('SELECT ms, result FROM bench.measure(?, ?)', undef, $query, $loops{$contender} // 1);
                });
            };
            if (!defined $ms) {
                die $@ unless $app->state eq '57014';
                $app->rollback;
                return (1000 * $patience, 'broken off');
            }
            $answer{$answer} = $contender;
            die "$case: the contenders do not agree: ", join(', ', map { "$answer{$_} says $_" } sort keys %answer), "\n" if keys %answer > 1;
            $loops{$contender} //= max(1, min($max_loops, int(30 / ($ms || 1))));
            return $ms;
        };
    }
    my $measured = alternate($case, 'ms', \@turns, %option, plan => \%plan);
    $app->disconnect;
    return $measured;
}

sub ids_of {
    my ($person, $function) = @_;
    my $app = connect_as('app');
    my $ids = as_person($app, $person, sub { value($app, "SELECT $function('models:read')::text") });
    $app->disconnect;
    return $ids;
}

my $never = '00000000-0000-0000-0000-000000000000';
sub sum_of { my ($table, $where) = @_; return "SELECT count(*) || '/' || sum(value) FROM bench.$table" . ($where ? " WHERE $where" : '') }

my %case;
my @cases;
sub define { my ($name, $what, $code) = @_; push @cases, $name; $case{$name} = { what => $what, code => $code } }

# ---------------------------------------------------------------------------------------------------- cases

my %share_of = ('0.1' => '0.1 %', 1 => '1 %', many => '25 %, 5,000 memberships', 10 => '10 %', 50 => '50 %', 100 => '100 %');

define scan => 'sums over all rows, of which the person sees a part', sub {
    for my $part (qw(0.1 1 10 many 50 100)) {
        my $case = "scan, $share_of{$part} visible";
        $case =~ s/5,000/$size->{projects} \/ 4/e if $part eq 'many';
        my $ids = ids_of("sees-$part", 'seeme_permitted_projects');
        my $measured = queries($case, "sees-$part", [
            ($part eq '100' ? (constant => sum_of('models_none', "project_id <> '$never'")) : ()),
            ids => sum_of('models_none', "project_id = ANY ('$ids')"),
            seeme => sum_of('models_seeme'), in => sum_of('models_in'), any => sum_of('models_any'),
            # Tens of seconds each; that it asks for each row whatever is visible shows in three.
            ($part =~ /^(?:0\.1|10|100)$/ ? (plpgsql => sum_of('models_plpgsql')) : ()),
        ], reference => $part eq '100' ? 'constant' : 'ids');
        add_documented($measured);
        hold($case, 'ratio', 'ms', $measured, 'seeme', 'ids', '<= 1.05') if $part eq '0.1';
        hold($case, 'speedup', 'ms', $measured, 'seeme', 'plpgsql', '>= 1000') if $part eq '0.1';
        if ($part eq '100') {
            hold($case, 'ratio', 'ms', $measured, 'seeme', 'constant', '<= 1.10');
            hold($case, 'speedup', 'ms', $measured, 'seeme', 'documented', '>= 2');
            hold($case, 'speedup', 'ms', $measured, 'seeme', 'plpgsql', '>= 100');
        }
    }
};

define wide_organization => 'the same in one organization with all the projects', sub {
    for my $part (qw(1 50 100)) {
        my $case = "wide organization, $part % visible";
        my $ids = ids_of("wide-$part", 'seeme_permitted_projects');
        my $measured = queries($case, "wide-$part", [
            ($part eq '100' ? (constant => sum_of('wide_none', "project_id <> '$never'")) : ()),
            ids => sum_of('wide_none', "project_id = ANY ('$ids')"),
            seeme => sum_of('wide_seeme'), in => sum_of('wide_in'), any => sum_of('wide_any'),
        ], reference => $part eq '100' ? 'constant' : 'ids');
        hold($case, 'ratio', 'ms', $measured, 'seeme', 'constant', '<= 1.10') if $part eq '100';
    }
};

define limit => 'ORDER BY created_at LIMIT 50, in a project and over everything visible', sub {
    my $latest = sub { my ($table, $where) = @_;
        return "SELECT count(*) || '/' || sum(value) FROM (SELECT * FROM bench.$table" . ($where ? " WHERE $where" : '') . ' ORDER BY created_at DESC LIMIT 50) AS latest' };
    for my $prepared (0, 1) {
        my $how = $prepared ? 'prepared' : 'planned each time';
        my $project = value($dba, "SELECT bench.id('project', 1)");
        my $case = "latest 50 in a project, $how";
        my $measured = queries($case, 'sees-10', [
            none => $latest->('models_none', "project_id = '$project'"),
            map { $_ => $latest->("models_$_", "project_id = '$project'") } qw(floor seeme in any plpgsql),
        ], reference => 'none', prepared => $prepared, runs => 8 * $runs);
        hold($case, 'ratio', 'ms', $measured, 'seeme', 'none', '<= 1.10');
        for my $part (qw(0.1 1 10 100)) {
            $case = "latest 50 of $share_of{$part}, $how";
            my $ids = ids_of("sees-$part", 'seeme_permitted_projects');
            $measured = queries($case, "sees-$part", [
                ids => $latest->('models_none', "project_id = ANY ('$ids')"),
                map { $_ => $latest->("models_$_") } qw(seeme in any),
            ], reference => 'ids', prepared => $prepared);
            hold($case, 'ratio', 'ms', $measured, 'seeme', 'ids', '<= 1.10');
        }
    }
};

define assignments => 'resources by their assignment to projects, 1 % visible', sub {
    my $ids = ids_of('sees-1', 'seeme_permitted_projects');
    my $case = 'resources by assignment, 1 %';
    my $measured = queries($case, 'sees-1', [
        join => sum_of('assets_none', "id IN (SELECT resource_id FROM bench.assignments WHERE project_id = ANY ('$ids'))"),
        seeme => sum_of('assets_seeme'),
    ], reference => 'join');
    hold($case, 'ratio', 'ms', $measured, 'seeme', 'join', '<= 1.10');
};

define bulk => 'many rows inserted at once, into ten projects', sub {
    my $app = connect_as('app');
    my $rows = value($dba, 'SELECT count(*) FROM bench.load');
    my $per_statement = 1000;
    my $chunks = $dba->selectcol_arrayref(q{
        SELECT string_agg(format('(%L,%L,%L,%L,%L)', id, project_id, created_at, value, name), ',')
          FROM (SELECT *, (row_number() OVER (ORDER BY id) - 1) / ? AS chunk FROM bench.load) AS l GROUP BY chunk}, undef, $per_statement);
    my $person = 1 + $size->{organizations};    # home is the first organization, ...
    $person++;                                  # ... now the second, whose projects the rows are of
    for my $how ('INSERT ... SELECT', 'multi-row INSERT') {
        my @turns = map {
            my $table = "bench.bulk_$_";
            $_ => sub {
                $dba->do("TRUNCATE $table");
                $app->begin_work;
                $app->do(q{SELECT seeme_assume(id), set_config('app.user_id', id::text, true) FROM (SELECT bench.id('person', ?) AS id) AS p}, undef, $person);
                my $started = time;
                if ($how eq 'INSERT ... SELECT') { $app->do("INSERT INTO $table SELECT * FROM bench.load") }
                else { $app->do("INSERT INTO $table VALUES $_") for @$chunks }
                my $ms = 1000 * (time - $started);
                $app->commit;
                my $found = value($dba, "SELECT count(*) FROM $table");
                die "$how: $found rows in $table\n" unless $found == $rows;
                return $ms;
            };
        } qw(none seeme in any plpgsql);
        my $case = "$how of $rows rows";
        my $measured = alternate($case, 'ms', \@turns, reference => 'none');
        hold($case, 'ratio', 'ms', $measured, 'seeme', 'none', '<= 1.15');
    }
    $dba->do("TRUNCATE bench.bulk_$_") for qw(none seeme in any plpgsql);
    $app->disconnect;
};

# One walk in a session of its own: microseconds per step.
sub walk {
    my ($app, $procedure, $first, $last, $projects) = @_;
    my ($us, $held) = $app->selectrow_array("CALL bench.walk_$procedure($first, $last, $projects)");
    die "walk: $held of ", $last - $first + 1, " checks were granted\n" unless $held == $last - $first + 1;
    return $us;
}

define check => 'the check by itself, against a C function that does nothing', sub {
    for (['check, same project', 'key_same', 2, '<= 20'], ['check, 1000 projects in turn', 'key_thousand', 'sees-100'], ['check, every project once', 'key_every', 'sees-100']) {
        my ($case, $keys, $person, $target) = @$_;
        my $id = $person =~ /^\d+$/ ? "bench.id('person', $person + $size->{organizations})" : "bench.person('$person')";
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
            my ($ms, $held) = $app->selectrow_array('SELECT ms, result FROM bench.measure(?, 1)', undef,
                "SELECT count(*) FROM bench.$keys WHERE $function('models:read', project => id)");
            $app->commit;
            die "$case: $held of $calls\n" unless $held == $calls;
            return $ms * 1_000_000 / $calls;
        };
        my $fresh = $keys eq 'key_every';
        my $measured = alternate($case, 'ns', [ empty => sub { $turn->('bench.empty', $fresh) }, seeme => sub { $turn->('seeme_has_permission', $fresh) } ]);
        if ($target) { hold($case, 'difference', 'ns', $measured, 'seeme', 'empty', $target) }
        else { compare($case, 'difference', 'ns', $measured, 'seeme', 'empty', sub { $_[0] - $_[1] }) }
        $app->disconnect;
    }

    # Another person each time. In the first walk through a session everybody is new to it, and so is every project.
    my $last = min($size->{people}, $size->{projects}, 10_000);
    my %us;
    for my $round (1 .. min($runs, 5)) {
        for my $procedure ($round % 2 ? qw(empty seeme) : qw(seeme empty)) {
            my $app = connect_as('app');
            $us{$procedure}{$_}{$round} = walk($app, $procedure, 1, $last, $size->{projects}) for qw(cold warm);
            $app->disconnect;
        }
    }
    for (['cold', 'check, a new person and project each', '<= 10'], ['warm', 'check, another person each, all seen before']) {
        my ($pass, $case, $target) = @$_;
        my %measured = map { my $by_round = $us{$_}{$pass}; my ($m, $l, $h) = summary(values %$by_round);
            ($_ => { by_round => $by_round, median => $m, low => $l, high => $h, runs => scalar keys %$by_round }) } qw(empty seeme);
        for my $contender (qw(empty seeme)) { my %r = %{ $measured{$contender} }; delete $r{by_round}; report(case => $case, contender => $contender, unit => 'us', %r) }
        if ($target) { hold($case, 'difference', 'us', \%measured, 'seeme', 'empty', $target) }
        else { compare($case, 'difference', 'us', \%measured, 'seeme', 'empty', sub { $_[0] - $_[1] }) }
    }

    # Why: all paths, for oneself.
    my $app = connect_as('app');
    $app->begin_work;
    my $person = "bench.id('person', 2 + $size->{organizations})";
    $app->do("SELECT seeme_assume($person)");
    my ($me, $project) = $app->selectrow_array("SELECT $person, bench.id('project', 2)");
    alternate('explain', 'us', [ seeme => sub {
        1000 * value($app, 'SELECT ms FROM bench.measure(?, 200)', "SELECT count(*) FROM seeme_explain_permission('$me', 'models:read', project => '$project')") } ]);
    $app->commit;
    $app->disconnect;
};

define scale => 'the cold check among many memberships and among few', sub {
    my %among = (many => [ bench => $size ], few => [ few => $few ]);
    my %memberships = map { my $dbh = connect_as('postgres', $among{$_}[0]); my $n = value($dbh, 'SELECT count(*) FROM seeme.memberships'); $dbh->disconnect; ($_ => $n) } keys %among;
    # All are among a session's first 63: at the 64th it thinks about reading tables as a whole, which it does the sooner the fewer rows there are.
    my ($warm_up, $each, $sessions) = (13, 63, 7);
    my %walks;
    $name{$_} = "among $memberships{$_} memberships" for keys %among;
    # Other people each time, from everywhere: what is measured is to be new to the processor, too, as far as there are many.
    my $turn = sub {
        my ($database, $of) = @{ $among{ $_[0] } };
        my %us = (empty => 0, seeme => 0);
        for (1 .. $sessions) {
            my $first = 1 + $each * ($walks{$database}++ * 7919 % int($of->{people} / $each));
            for my $procedure (qw(empty seeme)) {
                my $app = connect_as('app', $database);
                walk($app, $procedure, $first, $first + $warm_up - 1, $of->{projects});
                $us{$procedure} += walk($app, $procedure, $first + $warm_up, $first + $each - 1, $of->{projects}) / $sessions;
                $app->disconnect;
            }
        }
        return $us{seeme} - $us{empty};
    };
    my $case = 'cold check, many and few';
    my $measured = alternate($case, 'us', [ few => sub { $turn->('few') }, many => sub { $turn->('many') } ], runs => 2 * $runs, reference => 'few');
    hold($case, 'ratio', 'us', $measured, 'many', 'few', '<= 1.5');
};

# -------------------------------------------------------------------------------------------------- pgbench

my %identify = (
    none  => q{set_config('app.user_id', md5('person' || :person::text)::uuid::text, true)},
    named => q{seeme_assume(md5('person' || :person::text)::uuid)},
);
$identify{$_} = $identify{named} for qw(seeme floor);
$identify{$_} = $identify{none} for qw(in any plpgsql);

sub slurp { my ($file) = @_; local (@ARGV, $/) = ($file); return scalar <> }

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

my @scale = map { ('-D', $_) } ("organizations=$size->{organizations}", "projects=$size->{projects}",
    'projects_each=' . int($size->{projects} / $size->{organizations}), 'rows_each=' . int($size->{rows} / $size->{projects}),
    'active_organizations=' . max(1, int($size->{organizations} / 20)));

# The pgbench of every contender is started at once and then held by SIGSTOP; in turn, each is let go on for a fraction of
# a second. So sessions stay warm, and what else the machine does meanwhile hits all alike, which runs of some seconds one
# after the other would not do. Its log says afterwards how many transactions ended in each turn.
my %held;    # by process id
sub let_go { for my $pid (@_) { kill 'CONT', $pid } }
sub hold_back { for my $pid (@_) { kill 'STOP', $pid } }
sub end_all { for my $pid (keys %held) { kill 'TERM', $pid; kill 'CONT', $pid; waitpid $pid, 0; delete $held{$pid} } }
$SIG{$_} = sub { end_all(); exit 143 } for qw(INT TERM HUP);
END { my $status = $?; end_all(); $? = $status }

sub start_held {
    my ($name, @arguments) = @_;
    unlink glob "$o{place}/log-$name.*";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $ENV{PGAPPNAME} = "bench $name";
        open STDOUT, '>', "$o{place}/output-$name";
        open STDERR, '>&', \*STDOUT;
        exec 'sh', '-c', 'kill -STOP $$; exec "$@"', 'sh', "$o{bin}/pgbench", '--no-vacuum', '--log', "--log-prefix=$o{place}/log-$name", @arguments;
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
        while (my $line = <$in>) { my @f = split ' ', $line; push @ends, $f[4] + $f[5] / 1e6 unless $f[2] eq 'skipped' }
        close $in;
    }
    return sort { $a <=> $b } @ends;
}

# Seconds of processor time that server processes have had.
sub processor_time { my $ns = 0; for my $pid (@_) { $ns += (split ' ', slurp("/proc/$pid/schedstat"))[0] if -e "/proc/$pid/schedstat" } return $ns / 1e9 }

sub within { my ($ends, $from, $to) = @_; return scalar grep { $_ >= $from && $_ < $to } @$ends }

# take_turns(process => [pgbench's arguments], contender => [processes that run in its turn, the one that counts first],
# order, warm_up, slice, slices: seconds, seconds, how many; generation: a number that makes rounds of several calls differ. By contender and round: transactions a second,
# and microseconds of the server's processor time per transaction, which does not depend on what else runs. The slices end
# early where a process has ended by itself (ends_by_itself). beside: told the rate of what else runs in a turn. a_core_each: all
# processes of a contender count, and each has a core for itself and for the server's processes that serve it.
sub take_turns {
    my (%t) = @_;
    my (%pid, %window);
    my @order = @{ $t{order} };
    my $all = $t{warm_up} * @order + $t{slice} * $t{slices} * @order + 1;
    my @time = $t{ends_by_itself} ? () : ('--time', int($all + 1));
    $pid{$_} = start_held($_, @time, @{ $t{process}{$_} }) for sort keys %{ $t{process} };
    sleep 0.05;
    for my $contender (@order) {
        my @pids = @pid{ @{ $t{contender}{$contender} } };
        let_go(@pids);
        sleep $t{warm_up};
        hold_back(@pids);
    }
    my %server = map { $_ => $dba->selectcol_arrayref('SELECT pid FROM pg_stat_activity WHERE application_name = ?', undef, "bench $_") } keys %pid;
    my %counting = map { my @names = @{ $t{contender}{$_} }; ($_ => [ $t{a_core_each} ? @names : $names[0] ]) } @order;
    if ($t{a_core_each}) {
        for my $names (values %counting) {
            for my $core (0 .. $#$names) {
                my $name = $names->[$core];
                for my $process ($pid{$name}, @{ $server{$name} }) { system("taskset --all-tasks --cpu-list --pid $core $process >/dev/null") == 0 or die "taskset failed\n" }
            }
        }
    }
    ROUND: for my $round (1 .. $t{slices}) {
        my %this;
        for my $i (0 .. $#order) {
            my $contender = $order[ ($i + $round) % @order ];
            my @pids = @pid{ @{ $t{contender}{$contender} } };
            my @server = map { @{ $server{$_} } } @{ $counting{$contender} };
            my $before = processor_time(@server);
            my $from = time;
            let_go(@pids);
            sleep $t{slice};
            hold_back(@pids);
            $this{$contender} = [ $from, time, processor_time(@server) - $before ];
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
        die "pgbench, $name:\n$output" if $status || $output =~ /aborted|failed transactions: [1-9]/;
    }
    my (%ends, %by_round, %processor);
    my $generation = $t{generation} // 1;
    for my $contender (@order) {
        my @names = @{ $t{contender}{$contender} };
        for my $round (keys %{ $window{$contender} }) {
            my ($from, $to, $seconds) = @{ $window{$contender}{$round} };
            $ends{$_} //= [ ends_of($_) ] for @names;
            my $count = sum0 map { within($ends{$_}, $from, $to) } @{ $counting{$contender} };
            $by_round{$contender}{"$generation.$round"} = $count / ($to - $from);
            $processor{$contender}{"$generation.$round"} = 1e6 * $seconds / $count if $count && $seconds;
            $t{beside}->(within($ends{$_}, $from, $to) / ($to - $from)) for $t{beside} ? @names[ 1 .. $#names ] : ();
        }
    }
    return (\%by_round, \%processor);
}

# Several generations of sessions, for where the kernel puts a pair of processes stays with them; and what came of it.
sub generations {
    my ($case, $order, $target, $count, %t) = @_;
    my (%rate, %processor);
    for my $generation (1 .. $count) {
        my ($rate, $processor) = take_turns(%t, order => $order, generation => $generation);
        for my $contender (@$order) {
            %{ $rate{$contender}{by_round} } = (%{ $rate{$contender}{by_round} // {} }, %{ $rate->{$contender} // {} });
            %{ $processor{$contender}{by_round} } = (%{ $processor{$contender}{by_round} // {} }, %{ $processor->{$contender} // {} });
        }
    }
    my $measured = sum_up($case, 'tps', $order, \%rate, reference => $order->[0]);
    hold($case, 'ratio', 'tps', $measured, @$target) if $target;
    sum_up("$case, processor time", 'us', $order, \%processor, reference => $order->[0]);
    return $measured;
}

sub client_arguments { my ($clients, $mode, @scripts) = @_;
    return ('--username=app', '--client', $clients, '--protocol', $mode, @scale, (map { ('--file', $_) } @scripts), 'bench') }

sub mix { my ($contender, $walk) = @_; return (script('select', $contender, $walk) . '@8', script('update', $contender, $walk) . '@1', script('insert', $contender, $walk) . '@1') }
sub scripts_of { my ($what, $contender, $walk) = @_; return $what eq 'mix' ? mix($contender, $walk) : script($what, $contender, $walk) }

sub oltp_case {
    my ($case, $contenders, $what, $clients, $mode, $target) = @_;
    my @parts = 1 .. max(grep { $clients % $_ == 0 } 1 .. min($clients, $cores));
    my %process;
    for my $contender (@$contenders) {
        $process{"$contender-$_"} = [ '--random-seed', $_, client_arguments($clients / @parts, $mode, scripts_of($what, $contender, 'active')) ] for @parts;
    }
    generations($case, $contenders, [ 'seeme', 'none', $target ], 4, process => \%process,
        contender => { map { my $contender = $_; ($contender => [ map { "$contender-$_" } @parts ]) } @$contenders },
        a_core_each => 1, warm_up => $size->{warm_up} * max(1, $clients / $cores), slice => 0.05, slices => int($slices * 5 / 3 + 0.5));
}

define oltp => 'short transactions, another person in each', sub {
    my @three = qw(none named seeme);
    # A client a core, so that none waits for the kernel to put the other to sleep and wake it.
    oltp_case("point $_, 2 clients, prepared", [ @three, 'floor' ], $_, 2, 'prepared', '>= 0.95') for qw(select update insert);
    for my $clients (1, 2, 4) {
        oltp_case("mix, $clients client" . ($clients > 1 ? 's' : '') . ', prepared', [ @three, $clients == 1 ? qw(in any plpgsql) : () ],
            'mix', $clients, 'prepared', '>= 0.95');
    }
    oltp_case("$_, 1 client, simple protocol", [ @three, $_ eq 'mix' ? () : 'floor' ], $_ =~ s/point //r, 1, 'simple', '>= 0.90') for 'point select', 'mix';
};

define cold => 'short transactions, each of a person and a project that the session never saw', sub {
    my @three = qw(none named seeme);
    my $steps = min($size->{people}, $size->{projects}, 10_000);
    for my $what (qw(select update insert mix)) {
        for my $clients ($what eq 'mix' && $cores > 1 ? (1, 2) : 1) {
            # A session meets each person once, then its time is over. Several clients share the people, so that nobody is met by two.
            my $each = int($steps / $clients);
            my %process;
            for my $contender (@three) {
                $process{"$contender-$_"} = [ '--transactions', $each, '-D', 'step=' . $each * ($_ - 1), '--random-seed', $_,
                    client_arguments(1, 'prepared', scripts_of($what, $contender, 'first_sight')) ] for 1 .. $clients;
            }
            generations(($what eq 'mix' ? 'mix' : "point $what") . ($clients > 1 ? ", $clients clients" : '') . ', all cold', \@three,
                $clients == 1 ? [ 'seeme', 'none', '>= 0.85' ] : undef, $generations, process => \%process,
                contender => { map { my $contender = $_; ($contender => [ map { "$contender-$_" } 1 .. $clients ]) } @three },
                a_core_each => 1, warm_up => 0.05, slice => $size->{cold_slice}, slices => 1000, ends_by_itself => 1);
        }
    }
};

define churn => 'the mix while 100 memberships a second change', sub {
    $name{calm} = 'seeme_rbac, no changes';
    $name{elsewhere} = 'seeme_rbac, 100 changes/s elsewhere';
    $name{here} = 'seeme_rbac, 100 changes/s';
    my @order = qw(calm elsewhere here);
    my %churn;
    for (['churn_here', 'bench'], ['churn_elsewhere', 'few']) {
        my ($process, $database) = @$_;
        my $dbh = connect_as('postgres', $database);
        my $churned = value($dbh, 'SELECT max(n) FROM bench.churn');
        $dbh->disconnect;
        # Those that fall due while it is held back are left out.
        $churn{$process} = [ '--username=postgres', '--rate', 100, '--latency-limit', 100, '--protocol', 'prepared',
            '-D', "churned=$churned", '--file', "$FindBin::Bin/pgbench/churn.sql", $database ];
    }
    my @rates;
    my $case = 'mix under membership changes';
    my $measured = generations($case, \@order, [ 'here', 'calm', '>= 0.95' ], 2,
        process => { mix => [ '--random-seed', 1, client_arguments(1, 'prepared', mix('seeme', 'active')) ], %churn },
        contender => { calm => ['mix'], elsewhere => [qw(mix churn_elsewhere)], here => [qw(mix churn_here)] },
        warm_up => $size->{warm_up}, slice => 0.5, slices => int($slices / 2 + 0.5), beside => sub { push @rates, @_ });
    my $rate = quantile(0.5, @rates);
    die "only $rate memberships a second were changed\n" if $rate < 80;
    # The changes take time from the machine wherever they are.
    compare($case, 'ratio', 'tps', $measured, 'here', 'elsewhere', sub { $_[0] / $_[1] });
    printf "memberships changed a second: %.0f\n", $rate;
};

define connect => 'a new connection for each transaction', sub {
    my $transactions = $o{size} eq 'small' ? 50 : 150;
    alternate('point select on a new connection', 'ms', [ map {
        my $contender = $_;
        $contender => sub {
            my @command = ("$o{bin}/pgbench", '--no-vacuum', '--username=app', '--connect', '--transactions', $transactions, @scale,
                '--file', script('select', $contender, 'active'), 'bench');
            open my $in, '-|', @command or die "pgbench: $!\n";
            my $output = join '', <$in>;
            close $in or die "@command:\n$output";
            my ($ms) = $output =~ /^latency average = (\S+) ms/m or die $output;
            return $ms;
        } } qw(none named seeme in any plpgsql) ], reference => 'none', budget => 1e9, runs => min($runs, 5), warm_up => 0);
};

# --------------------------------------------------------------------------------------------------- memory

define memory => 'what one session takes after serving 10,000 people', sub {
    my $people = min(10_000, $size->{people});
    my $per_organization = int($size->{projects} / $size->{organizations});
    $dba->do(q{LOAD 'seeme_rbac'});    # its settings are known from then on
    my ($limit) = $dba->selectrow_array(q{SELECT pg_size_bytes(setting || unit) FROM pg_settings WHERE name = 'seeme_rbac.cache_memory'});
    my %mb;
    for my $contender (qw(named seeme)) {
        my $app = connect_as('app');
        my $pid = value($app, 'SELECT pg_backend_pid()');
        $app->do("PREPARE one (uuid, uuid) AS SELECT seeme_assume(\$1)");
        $app->do("PREPARE two (uuid) AS SELECT name FROM bench.models_$contender WHERE id = \$1");
        $app->do("PREPARE three (uuid) AS SELECT count(*) FROM (SELECT * FROM bench.models_$contender WHERE project_id = \$1 ORDER BY created_at DESC LIMIT 50) AS latest");
        my $serve = sub {
            my ($p) = @_;
            my $project = 1 + ($p - 1) % $size->{projects};
            $app->do("BEGIN");
            $app->do("EXECUTE one (bench.id('person', $p), NULL)");
            $app->selectrow_array("EXECUTE two (bench.id('row', $project))");
            $app->selectrow_array("EXECUTE three (bench.id('project', $project))");
            $app->do("COMMIT");
        };
        # What PostgreSQL has allocated, by its own account, and what the kernel says is this process's alone.
        my $weigh = sub {
            my $contexts = value($app, 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts');
            my ($anonymous) = slurp("/proc/$pid/smaps_rollup") =~ /^Anonymous:\s+(\d+) kB/m;
            return ($contexts / 2**20, $anonymous / 1024);
        };
        $serve->($_) for 1 .. $people;
        $weigh->();    # the question itself needs memory, the first time
        $mb{$contender} = [ $weigh->() ];
        $app->disconnect;
    }
    my @kinds = ('memory contexts', 'private memory of the process');
    for my $i (0, 1) {
        my $case = "memory after $people people, $kinds[$i]";
        my %measured = map { $_ => { median => $mb{$_}[$i], low => $mb{$_}[$i], high => $mb{$_}[$i], runs => 1, by_round => { 1 => $mb{$_}[$i] } } } qw(named seeme);
        for my $contender (qw(named seeme)) { my %r = %{ $measured{$contender} }; delete $r{by_round}; report(case => $case, contender => $contender, unit => 'MB', %r) }
        hold($case, 'difference', 'MB', \%measured, 'seeme', 'named', '<= ' . (($limit // 0) / 2**20 + 1));
    }
    print "seeme_rbac.cache_memory ", defined $limit ? 'is ' . $limit / 2**20 . " MB\n" : "does not exist\n";
};

# A person with a membership in each of n projects asks about one resource that is assigned to all of them: what rule 7.9 says of time and
# memory. In a database of its own, so that nobody else has more for it; each figure is a new session's first question.
define many => 'one resource in 100, 1,000 and 10,000 projects, cold', sub {
    my @sizes = (100, 1000, 10_000);
    $dba->do('DROP DATABASE IF EXISTS many');
    $dba->do('CREATE DATABASE many');
    my $dbh = connect_as('postgres', 'many');
    $dbh->do('CREATE EXTENSION seeme_rbac');
    # The triggers that ask who may are not what is measured.
    $dbh->do('SET session_replication_role = replica');
    $dbh->do(q{CREATE FUNCTION id(kind text, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
        $$ SELECT (kind || '000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$});
    $dbh->do($_) for (
        q{INSERT INTO seeme.users (id, username) VALUES (id('aa', 1), 'owner'), (id('aa', 2), 'person')},
        # 01: in one organization, a role each; 02: in an organization each, all by the same role.
        q{INSERT INTO seeme.organizations (id, name, slug, owner_id) SELECT id('02', n), 'O' || n, 'o' || n, id('aa', 1) FROM generate_series(0, 10000) AS n},
        q{INSERT INTO seeme.roles (id, organization_id, name, permissions)
          SELECT id('0c', n), id('02', 0), 'R' || n, ARRAY(SELECT name FROM (SELECT name, row_number() OVER (ORDER BY name COLLATE "C")::int AS bit
            FROM seeme.permissions WHERE NOT is_wildcard AND name !~ '^models:') AS c WHERE bit <= 14 AND n >> (bit - 1) & 1 = 1)
          FROM generate_series(1, 10000) AS n},
        q{INSERT INTO seeme.projects (id, organization_id, name, slug)
          SELECT id(kind, n), id('02', CASE kind WHEN '01' THEN 0 ELSE n END), 'P' || n, 'p' || n FROM generate_series(1, 10000) AS n, unnest(ARRAY['01', '03']) AS kind},
        q{INSERT INTO seeme.memberships (organization_id, user_id) SELECT id('02', n), id('aa', 2) FROM generate_series(0, 10000) AS n},
        q{INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
          SELECT id('02', CASE kind WHEN '01' THEN 0 ELSE n END), id(kind, n), id('aa', 2), CASE kind WHEN '01' THEN id('0c', n) ELSE '00000000-0000-4000-8000-000000000006' END
            FROM generate_series(1, 10000) AS n, unnest(ARRAY['01', '03']) AS kind},
        q{INSERT INTO seeme.project_resources (organization_id, project_id, resource_type, resource_id, resource_name)
          SELECT id('02', CASE kind WHEN '01' THEN 0 ELSE n END), id(kind, n), 'model', id('d' || right(kind, 1), size), 'm'
            FROM unnest(ARRAY[100, 1000, 10000]) AS size, generate_series(1, size) AS n, unnest(ARRAY['01', '03']) AS kind},
        'RESET session_replication_role');
    $dbh->do('VACUUM ANALYZE');
    $dbh->disconnect;

    my %question = (
        'has_permission' => q{SELECT seeme_has_permission('models:read', resource => ?)},
        'permissions' => q{SELECT cardinality(seeme_permissions(resource => ?, resource_type => 'model'))},
        'explain_permission' => q{SELECT count(*) FROM seeme_explain_permission(seeme_user_id(), 'models:read', resource => ?)},
        'permitted_users' => q{SELECT count(*) FROM seeme_permitted_users('models:read', resource => ?)},
    );
    my %where = (1 => 'of one organization, a role each', 3 => 'of as many organizations');
    $name{"n$_"} = "seeme_rbac, $_ projects" for @sizes;
    for my $kind (1, 3) {
        for my $question (sort keys %question) {
            my $case = "seeme_$question, projects $where{$kind}";
            my (%time, %memory);
            for my $round (0 .. min($runs, 5)) {
                for my $n (@sizes) {
                    my $session = connect_as('postgres', 'many');
                    my $pid = value($session, 'SELECT pg_backend_pid()');
                    my $resource = value($session, 'SELECT id(?, ?)', "d$kind", $n);
                    my $peak = sub { my ($kb) = slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m; return $kb / 1024 };
                    $session->begin_work;
                    $session->do(q{SELECT seeme_assume(id('aa', 2))});
                    value($session, $question{$question}, $never);    # loads the library, and what PostgreSQL needs once
                    my $before = $peak->();
                    my $started = time;
                    value($session, $question{$question}, $resource);
                    my $ms = 1000 * (time - $started);
                    my $mb = $peak->() - $before;
                    $session->rollback;
                    $session->disconnect;
                    next if $round == 0;
                    $time{"n$n"}{by_round}{$round} = $ms;
                    $memory{"n$n"}{by_round}{$round} = max($mb, 0.01);
                }
            }
            my @order = map { "n$_" } @sizes;
            my $measured = sum_up($case, 'ms', \@order, \%time, reference => 'n100');
            hold($case, 'ratio', 'ms', $measured, 'n10000', 'n100', '<= 120');
            $measured = sum_up("$case, memory at its peak", 'MB', \@order, \%memory, reference => 'n100');
            hold("$case, memory at its peak", 'ratio', 'MB', $measured, 'n10000', 'n100', '<= 120');
        }
    }
    $dba->do('DROP DATABASE many');
};

# -------------------------------------------------------------------------------------------------- machine

sub machine {
    my ($cpu) = slurp('/proc/cpuinfo') =~ /^model name\s*:\s*(.+)/m;
    my ($kb) = slurp('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
    my ($kernel) = slurp('/proc/sys/kernel/osrelease') =~ /(\S+)/;
    my ($version) = value($dba, 'SELECT version()') =~ /^(PostgreSQL \S+)/;
    my @now = gmtime;
    my $extension = value($dba, q{SELECT extversion FROM pg_extension WHERE extname = 'seeme_rbac'});
    my $memberships = value($dba, 'SELECT count(*) FROM seeme.memberships');
    return (
        [ 'machine', ($cpu // 'unknown processor') . ", $cores cores, " . int($kb / 2**20 + 0.5) . " GB, Linux $kernel" ],
        [ 'software', "$version, seeme_rbac $extension" . ($o{commit} ? " ($o{commit})" : '') ],
        [ 'settings', $o{settings} ],
        [ 'data', "size $o{size}: $size->{rows} rows a table, $size->{projects} projects, $size->{organizations} organizations, $size->{people} people, $memberships memberships" ],
        [ 'date', sprintf('%04d-%02d-%02d', $now[5] + 1900, $now[4] + 1, $now[3]) ]);
}

sub write_file { my ($name, @lines) = @_; open my $out, '>', "$o{place}/$name" or die "$name: $!\n"; binmode $out, ':utf8'; print $out @lines; close $out }
sub quoted { my ($x) = @_; $x //= ''; $x =~ s/"/""/g; return $x =~ /[",\n]/ ? qq("$x") : $x }

sub write_results {
    my @machine = machine();
    my @fields = qw(case contender unit median low high runs plan kind comparison comparison_low comparison_high against target ok);
    write_file('results.csv', join(',', @fields) . "\n",
        map { my $r = $_; join(',', map { quoted(/^(contender|against)$/ && defined $r->{$_} ? name_of($r->{$_}) : $r->{$_}) } @fields) . "\n" } @results);
    my @judged = grep { $_->{ok} } @results;
    write_file('results.md',
        (map { "- $_->[0]: $_->[1]\n" } @machine),
        "\n| case | contender | measured | against | target | |\n|---|---|---|---|---|---|\n",
        (map { my @c = cells($_); "| $c[0] | $c[1] | $c[5] | $c[6] | $c[7] | $c[8] |\n" } @judged),
        "\n| case | contender | median | quartiles, runs | ratio (quartiles) | against | plan |\n|---|---|---|---|---|---|---|\n",
        (map { my @c = cells($_); "| $c[0] | $c[1] | $c[2] $c[3] | $c[4] | $c[5] | $c[6] | $c[9] |\n" } grep { !$_->{ok} && defined $_->{median} } @results));
    write_file('machine.txt', map { "$_->[0]: $_->[1]\n" } @machine);

    # For the picture: a line a contender over the share that is visible, and the throughput beside no row security.
    my %by;
    for my $r (grep { defined $_->{median} && !$_->{ok} } @results) {
        if ($r->{case} =~ /^scan, ([\d.]+) %/) { $by{ $r->{contender} }{$1} = $r->{median} }
    }
    write_file('scan.dat', map { my $c = $_; defined $by{$c} && keys %{ $by{$c} } > 1
        ? (qq("$name{$c}"\n), (map { "$_ $by{$c}{$_}\n" } sort { $a <=> $b } keys %{ $by{$c} }), "\n\n") : () } qw(ids seeme any in plpgsql));
    my @relative = grep { defined $_->{comparison} && $_->{unit} eq 'tps' && $_->{contender} eq 'seeme' && $_->{against} eq 'none' && $_->{ok} } @results;
    write_file('oltp.dat', map { my ($bound) = $_->{target} =~ /([\d.]+)/; qq("$_->{case}" $_->{comparison} $_->{comparison_low} $_->{comparison_high} $bound\n) } @relative);
    return scalar grep { $_->{ok} =~ /^FAIL/ } @judged;
}

# ------------------------------------------------------------------------------------------------------ all

my %wanted = map { ($_ => 1) } @{ $o{case} // \@cases };
for my $name (sort keys %wanted) { die "no case $name; there are: @cases\n" unless $case{$name} }
# In their order, for short transactions leave rows behind.
my @chosen = grep { $wanted{$_} } @cases;
$| = 1;
print map { "$_->[0]: $_->[1]\n" } machine();
my %took;
for my $chosen (@chosen) {
    printf "\n== %s: %s\n", $chosen, $case{$chosen}{what};
    my $started = time;
    $case{$chosen}{code}->();
    $took{$chosen} = time - $started;
}
my $failed = write_results();
printf "\n%d requirements held, %d not. Seconds: %s\n", scalar(grep { ($_->{ok} // '') =~ /^pass/ } @results), $failed,
    join ', ', map { sprintf '%s %.0f', $_, $took{$_} } @chosen;
exit($o{strict} && $failed ? 1 : 0);
