# Reading rows: scans, the latest rows, resources by assignment, bulk inserts.
use strict;
use warnings;
use List::Util  qw(max min);
use Time::HiRes qw(time);
use Bench::Results;
use Bench::Session;
use Bench::Turns;

sub sum_of {
    my ($table, $where) = @_;
    return "SELECT count(*) || '/' || sum(value) FROM bench.$table"
        . ($where ? " WHERE $where" : '');
}

my %share_of =
    ('0.1' => '0.1 %', 1 => '1 %', many => '25 %, 5,000 memberships', 10 => '10 %', 50 => '50 %',
    100 => '100 %');

define scan => 'sums over all rows, of which the person sees a part', sub {
    for my $part (qw(0.1 1 10 many 50 100)) {
        my $case = "scan, $share_of{$part} visible";
        $case =~ s/5,000/$size->{projects} \/ 4/e if $part eq 'many';
        my $ids      = ids_of("sees-$part", 'seeme_permitted_projects');
        my $measured = queries(
            $case,
            "sees-$part",
            [
                ($part eq '100'
                    ? (constant => sum_of('models_none', "project_id <> '$never'"))
                    : ()),
                ids   => sum_of('models_none', "project_id = ANY ('$ids')"),
                seeme => sum_of('models_seeme'), in => sum_of('models_in'),
                any   => sum_of('models_any'),

               # Tens of seconds each; that it asks for each row whatever is visible shows in three.
                ($part =~ /^(?:0\.1|10|100)$/ ? (plpgsql => sum_of('models_plpgsql')) : ()),
            ],
            reference => $part eq '100' ? 'constant' : 'ids'
        );
        add_documented($measured);
        hold($case, 'ratio',   'ms', $measured, 'seeme', 'ids',     '<= 1.05') if $part eq '0.1';
        hold($case, 'speedup', 'ms', $measured, 'seeme', 'plpgsql', '>= 1000') if $part eq '0.1';
        if ($part eq '100') {
            hold($case, 'ratio',   'ms', $measured, 'seeme', 'constant',   '<= 1.10');
            hold($case, 'speedup', 'ms', $measured, 'seeme', 'documented', '>= 2');
            hold($case, 'speedup', 'ms', $measured, 'seeme', 'plpgsql',    '>= 100');
        }
    }
};

define wide_organization => 'the same in one organization with all the projects', sub {
    for my $part (qw(1 50 100)) {
        my $case     = "wide organization, $part % visible";
        my $ids      = ids_of("wide-$part", 'seeme_permitted_projects');
        my $measured = queries(
            $case,
            "wide-$part",
            [
                ($part eq '100' ? (constant => sum_of('wide_none', "project_id <> '$never'")) : ()),
                ids   => sum_of('wide_none', "project_id = ANY ('$ids')"),
                seeme => sum_of('wide_seeme'), in => sum_of('wide_in'), any => sum_of('wide_any'),
            ],
            reference => $part eq '100' ? 'constant' : 'ids'
        );
        hold($case, 'ratio', 'ms', $measured, 'seeme', 'constant', '<= 1.10') if $part eq '100';
    }
};

define limit => 'ORDER BY created_at LIMIT 50, in a project and over everything visible', sub {
    my $latest = sub {
        my ($table, $where) = @_;
        return
              "SELECT count(*) || '/' || sum(value) FROM (SELECT * FROM bench.$table"
            . ($where ? " WHERE $where" : '')
            . ' ORDER BY created_at DESC LIMIT 50) AS latest';
    };
    for my $prepared (0, 1) {
        my $how      = $prepared ? 'prepared' : 'planned each time';
        my $project  = value($dba, "SELECT bench.id('project', 1)");
        my $case     = "latest 50 in a project, $how";
        my $measured = queries(
            $case,
            'sees-10',
            [
                none => $latest->('models_none', "project_id = '$project'"),
                map { $_ => $latest->("models_$_", "project_id = '$project'") }
                    qw(floor seeme in any plpgsql),
            ],
            reference => 'none',
            prepared  => $prepared,
            runs      => 8 * $runs
        );
        hold($case, 'ratio', 'ms', $measured, 'seeme', 'none', '<= 1.10');
        for my $part (qw(0.1 1 10 100)) {
            $case = "latest 50 of $share_of{$part}, $how";
            my $ids = ids_of("sees-$part", 'seeme_permitted_projects');
            $measured = queries(
                $case,
                "sees-$part",
                [
                    ids => $latest->('models_none', "project_id = ANY ('$ids')"),
                    map { $_ => $latest->("models_$_") } qw(seeme in any),
                ],
                reference => 'ids',
                prepared  => $prepared
            );
            hold($case, 'ratio', 'ms', $measured, 'seeme', 'ids', '<= 1.10');
        }
    }
};

define assignments => 'resources by their assignment to projects, 1 % visible', sub {
    my $ids      = ids_of('sees-1', 'seeme_permitted_projects');
    my $case     = 'resources by assignment, 1 %';
    my $measured = queries(
        $case, 'sees-1',
        [
            join => sum_of(
                'assets_none',
                "id IN (SELECT resource_id FROM bench.assignments WHERE project_id = ANY ('$ids'))"
            ),
            seeme => sum_of('assets_seeme'),
        ],
        reference => 'join'
    );
    hold($case, 'ratio', 'ms', $measured, 'seeme', 'join', '<= 1.10');
};

define bulk => 'many rows inserted at once, into ten projects', sub {
    my $app           = connect_as('app');
    my $rows          = value($dba, 'SELECT count(*) FROM bench.load');
    my $per_statement = 1000;
    my $chunks        = $dba->selectcol_arrayref(
        q{
        SELECT string_agg(format('(%L,%L,%L,%L,%L)', id, project_id, created_at, value, name), ',')
          FROM (SELECT *, (row_number() OVER (ORDER BY id) - 1) / ? AS chunk
                   FROM bench.load) AS l
          GROUP BY chunk},
        undef, $per_statement
    );
    my $person = 1 + $size->{organizations}; # home is the first organization, ...
    $person++;                               # ... now the second, whose projects the rows are of
    for my $how ('INSERT ... SELECT', 'multi-row INSERT') {
        my @turns = map {
            my $table = "bench.bulk_$_";
            $_ => sub {
                $dba->do("TRUNCATE $table");
                $app->begin_work;
                $app->do(
                    q{SELECT seeme_assume(id), set_config('app.user_id', id::text, true)
                        FROM (SELECT bench.id('person', ?) AS id) AS p},
                    undef, $person);
                my $started = time;
                if ($how eq 'INSERT ... SELECT') {
                    $app->do("INSERT INTO $table SELECT * FROM bench.load");
                }
                else { $app->do("INSERT INTO $table VALUES $_") for @$chunks }
                my $ms = 1000 * (time - $started);
                $app->commit;
                my $found = value($dba, "SELECT count(*) FROM $table");
                die "$how: $found rows in $table\n" unless $found == $rows;
                return $ms;
            };
        } qw(none seeme in any plpgsql);
        my $case     = "$how of $rows rows";
        my $measured = alternate($case, 'ms', \@turns, reference => 'none');
        hold($case, 'ratio', 'ms', $measured, 'seeme', 'none', '<= 1.15');
    }
    $dba->do("TRUNCATE bench.bulk_$_") for qw(none seeme in any plpgsql);
    $app->disconnect;
};

1;
