# What was measured: statistics, the printed table, verdicts about targets, and the files.
package Bench::Results;
use strict;
use warnings;
use Exporter 'import';
use List::Util qw(max min);
use Bench::Session;

our @EXPORT = qw(quantile summary compared report sum_up hold hold_either fail slower compare
    add_documented machine write_results @results);

sub quantile {
    my ($q, @values) = @_;
    my @sorted = sort { $a <=> $b } @values;
    my $at     = $q * $#sorted;
    my $low    = int $at;
    return $sorted[$low] + ($at - $low) * (($sorted[$low + 1] // $sorted[$low]) - $sorted[$low]);
}

sub summary {
    my @v = @_;
    return map { quantile($_, @v) } 0.5, 0.25, 0.75;
}

# Two contenders of a case, by the rounds in which both had their turn (and the second did
# anything); if there is none, by their medians.
sub compared {
    my ($measured, $x, $y, $of) = @_;
    my @paired = map { $of->($measured->{$x}{by_round}{$_}, $measured->{$y}{by_round}{$_}) }
        grep { $measured->{$y}{by_round}{$_} }
        sort { $a <=> $b } keys %{ $measured->{$x}{by_round} };
    return summary(@paired) if @paired;
    return ($of->($measured->{$x}{median}, $measured->{$y}{median}), undef, undef);
}

our @results;
my $printed_header;

sub figure {
    my ($x) = @_;
    return '' unless defined $x;
    my $digits = $x == 0 ? 0 : max(0, 2 - int(log(abs $x) / log(10) + ($x < 1 ? -1 : 0)));
    my $text   = sprintf "%.*f", min($digits, 4), $x;
    1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
    return $text;
}

my @columns = qw(case contender median unit quartiles comparison against target ok plan);
my @widths  = (43, 36, 8, 4, 21, 24, 36, 7, 5, 0);

sub cells {
    my ($r) = @_;
    my $comparison = '';
    if (defined $r->{comparison}) {
        $comparison =
            figure($r->{comparison})
            . { ratio => ' x', speedup => ' x faster', difference => " $r->{unit} more" }
            ->{ $r->{kind} };
        $comparison .= sprintf ' (%s..%s)', figure($r->{comparison_low}),
            figure($r->{comparison_high})
            if defined $r->{comparison_low};
    }
    return (
        $r->{case}, name_of($r->{contender}), figure($r->{median}), $r->{unit},
        defined $r->{low} ? figure($r->{low}) . '..' . figure($r->{high}) . " n=$r->{runs}" : '',
        $comparison, defined $r->{against} ? name_of($r->{against}) : '', $r->{target} // '',
        $r->{ok} // '', $r->{plan} // ''
    );
}

sub line_of {
    my @c    = @_;
    my $line = join ' | ', map { sprintf "%-*s", $widths[$_], $c[$_] } 0 .. $#c;
    $line =~ s/\s+$//;
    return "$line\n";
}

my $last_case = '';

sub report {
    my (%r) = @_;
    push @results, \%r;
    unless ($printed_header++) {
        print line_of(
            qw(case contender median unit), 'quartiles, runs', 'ratio (quartiles)',
            qw(against target ok plan)
        );
    }
    my @cells = cells(\%r);
    $cells[0] = '' if $cells[0] eq $last_case;
    print "\n" if $cells[0] ne '';
    $last_case = $r{case};
    print line_of(@cells);
}

# Reports each contender of a case, given its figures by round.
sub sum_up {
    my ($case, $unit, $order, $measured, %option) = @_;
    for my $m (@$measured{@$order}) {
        my @figures = values %{ $m->{by_round} }
            or die "$case: a contender never had a whole turn\n";
        ($m->{median}, $m->{low}, $m->{high}) = summary(@figures);
        $m->{runs} = @figures;
    }
    for my $contender (@$order) {
        my %r =
            (case => $case, contender => $contender, unit => $unit, %{ $measured->{$contender} });
        $r{plan} //= $option{plan}{$contender};
        delete $r{by_round};
        if (defined $option{reference} && $contender ne $option{reference}) {
            @r{qw(comparison comparison_low comparison_high)} =
                compared($measured, $contender, $option{reference}, sub { $_[0] / $_[1] });
            $r{kind}    = 'ratio';
            $r{against} = $option{reference};
        }
        report(%r);
    }
    return $measured;
}

# hold(case, kind, measured, contender, against, '<= 1.10'): whether a requirement is met; a row of
# its own. ratio: contender by against; speedup: how many times faster; difference: how much more.
sub hold {
    my ($case, $kind, $unit, $measured, $contender, $against, $target) = @_;
    my %of = (
        ratio      => sub { $_[0] / $_[1] }, speedup => sub { $_[1] / $_[0] },
        difference => sub { $_[0] - $_[1] }
    );
    my %r =
        (case => $case, contender => $contender, unit => $unit, kind => $kind, target => $target);
    @r{qw(comparison comparison_low comparison_high)} =
        compared($measured, $contender, $against, $of{$kind});
    $r{against} = $against;
    my ($operator, $bound) = split ' ', $target;
    $r{ok} =
        ($operator eq '<=' ? $r{comparison} <= $bound : $r{comparison} >= $bound) ? 'pass' : 'FAIL';

    # The machine was too busy to tell: half of the turns say otherwise, or nearly so.
    $r{ok} .= '?'
        if defined $r{comparison_low}
        && $r{comparison_low} < $bound
        && $bound < $r{comparison_high};
    report(%r);
    if ($o{plans} && $r{ok} =~ /^FAIL/) {
        for my $who (grep { $measured->{$_}{explained} } $contender, $against) {
            print '   ', name_of($who), ":\n", $measured->{$who}{explained};
        }
    }
}

# The same, where a difference that is small enough will do as well: hold_either(case, unit,
# measured, contender, against, times, more).
sub hold_either {
    my ($case, $unit, $measured, $contender, $against, $times, $more) = @_;
    my ($difference) = compared($measured, $contender, $against, sub { $_[0] - $_[1] });
    if ($difference <= $more) {
        hold($case, 'difference', $unit, $measured, $contender, $against, "<= $more");
    } else {
        hold($case, 'ratio', $unit, $measured, $contender, $against, "<= $times");
    }
}

# A contender that could not do it at all, for which something is required.
sub fail {
    my ($case, $contender, $target, $why) = @_;
    $why =~ s/\s+/ /g;
    report(
        case => $case, contender => $contender, unit => '', target => $target, ok => 'FAIL',
        plan => substr($why, 0, 200)
    );
}

# For the picture that a reader sees first: how many times slower than the reference ours and the
# documented pattern are.
our @slower;

sub slower {
    my ($case, $measured, $reference) = @_;
    my @ratios = map {
        (compared($measured, $_, $reference, sub { $_[0] / $_[1] }))[0]
        }
        grep { $measured->{$_} } qw(seeme documented);
    push @slower, [$case, @ratios];
}

# The same, where nothing is required.
sub compare {
    my ($case, $kind, $unit, $measured, $contender, $against, $of) = @_;
    my %r =
        (case => $case, contender => $contender, unit => $unit, kind => $kind, against => $against);
    @r{qw(comparison comparison_low comparison_high)} =
        compared($measured, $contender, $against, $of);
    report(%r);
}

# The faster of the two documented patterns.
sub add_documented {
    my ($measured) = @_;
    my ($best)     = sort { $measured->{$a}{median} <=> $measured->{$b}{median} }
        grep { $measured->{$_} } qw(in any);
    $measured->{documented} = $measured->{$best};
}

sub machine {
    my ($cpu)     = slurp('/proc/cpuinfo')              =~ /^model name\s*:\s*(.+)/m;
    my ($kb)      = slurp('/proc/meminfo')              =~ /^MemTotal:\s+(\d+)/m;
    my ($kernel)  = slurp('/proc/sys/kernel/osrelease') =~ /(\S+)/;
    my ($version) = value($dba, 'SELECT version()')     =~ /^(PostgreSQL \S+)/;
    my @now       = gmtime;
    my $extension =
        value($dba, q{SELECT extversion FROM pg_extension WHERE extname = 'seeme_rbac'});
    my $memberships = value($dba, 'SELECT count(*) FROM seeme.memberships');
    return (
        [
            'machine',
            ($cpu // 'unknown processor')
                . ", $cores cores, "
                . int($kb / 2**20 + 0.5)
                . " GB, Linux $kernel"
        ],
        ['software', "$version, seeme_rbac $extension" . ($o{commit} ? " ($o{commit})" : '')],
        ['settings', $o{settings}],
        [
            'data',
            "size $o{size}: $size->{rows} rows a table, $size->{projects} projects, "
                . "$size->{organizations} organizations, $size->{people} people, "
                . "$memberships memberships"
        ],
        ['date', sprintf('%04d-%02d-%02d', $now[5] + 1900, $now[4] + 1, $now[3])]
    );
}

sub write_file {
    my ($name, @lines) = @_;
    open my $out, '>', "$o{place}/$name" or die "$name: $!\n";
    binmode $out, ':utf8';
    print $out @lines;
    close $out;
}
sub quoted { my ($x) = @_; $x //= ''; $x =~ s/"/""/g; return $x =~ /[",\n]/ ? qq("$x") : $x }

# For the picture that a reader sees first: a block for each share that is visible, with the same
# rows in the same order.
sub write_slower {
    my (%by, @labels, %known);
    for (@slower) {
        my ($case,  @ratios) = @$_;
        my ($label, $share)  = $case =~ /^(?!crossing)(.*), (all|25 %|1 %) visible$/ or next;
        push @labels, $label unless $known{$label}++;
        $by{$share}{$label} = join ' ', map { $_ // 'NaN' } @ratios[0, 1];
    }
    write_file(
        'slower.dat',
        map {
            my $of = $by{$_};
            (map { qq("$_" ) . ($of->{$_} // 'NaN NaN') . "\n" } @labels), "\n\n";
        } grep { $by{$_} } 'all',
        '25 %',
        '1 %'
    );
}

sub write_results {
    my @machine = machine();
    my @fields  = qw(case contender unit median low high runs plan kind comparison comparison_low
        comparison_high against target ok);
    write_file(
        'results.csv', join(',', @fields) . "\n",
        map {
            my $r = $_;
            join(
                ',',
                map {
                    quoted(/^(contender|against)$/
                            && defined $r->{$_} ? name_of($r->{$_}) : $r->{$_})
                } @fields
                )
                . "\n"
        } @results
    );
    my @judged = grep { $_->{ok} } @results;
    write_file(
        'results.md',
        (map { "- $_->[0]: $_->[1]\n" } @machine),
        "\n| case | contender | measured | against | target | |\n|---|---|---|---|---|---|\n",
        (map { my @c = cells($_); "| $c[0] | $c[1] | $c[5] | $c[6] | $c[7] | $c[8] |\n" } @judged),
        "\n| case | contender | median | quartiles, runs | ratio (quartiles) | against | plan |\n",
        "|---|---|---|---|---|---|---|\n",
        (
            map {
                my @c = cells($_);
                "| $c[0] | $c[1] | $c[2] $c[3] | $c[4] | $c[5] | $c[6] | $c[9] |\n"
            } grep { !$_->{ok} && defined $_->{median} } @results
        )
    );
    write_file('machine.txt', map { "$_->[0]: $_->[1]\n" } @machine);

    # For the other picture: a line a contender over the share that is visible, and the throughput
    # beside no row security.
    my %by;
    for my $r (grep { defined $_->{median} && !$_->{ok} } @results) {
        if ($r->{case} =~ /^scan, ([\d.]+) %/) { $by{ $r->{contender} }{$1} = $r->{median} }
    }
    write_file(
        'scan.dat',
        map {
            my $c = $_;
            defined $by{$c} && keys %{ $by{$c} } > 1
                ? (
                qq("$name{$c}"\n),
                (map { "$_ $by{$c}{$_}\n" } sort { $a <=> $b } keys %{ $by{$c} }), "\n\n"
                )
                : ()
        } qw(ids seeme any in plpgsql)
    );
    my @relative = grep {
               defined $_->{comparison}
            && $_->{unit} eq 'tps'
            && $_->{contender} eq 'seeme'
            && $_->{against} eq 'none'
            && $_->{ok}
    } @results;
    write_file(
        'oltp.dat',
        map {
            my ($bound) = $_->{target} =~ /([\d.]+)/;
            qq("$_->{case}" $_->{comparison} $_->{comparison_low} $_->{comparison_high} $bound\n)
        } @relative
    );
    write_slower();
    return scalar grep { $_->{ok} =~ /^FAIL/ } @judged;
}

1;
