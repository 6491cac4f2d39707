# Planning: parsing, rewriting and planning of queries that are not carried out.
use strict;
use warnings;
use Bench::Results;
use Bench::Session;
use Bench::Turns;

our @condition; # search.pl

define planning => 'planning a query, not carrying it out', sub {
    my ($item, $project) =
        $dba->selectrow_array("SELECT bench.id('item', 7), bench.id('project', 7)");
    my %query = (
        'a row by its id'     => "SELECT * FROM %s WHERE id = '$item'",
        'rows of a project'   => "SELECT * FROM %s WHERE project_id = '$project'",
        'latest of a project' =>
            "SELECT * FROM %s WHERE project_id = '$project' ORDER BY created_at DESC LIMIT 50",
        'all rows'    => 'SELECT sum(value) FROM %s',
        'join of two' => 'SELECT * FROM %1$s a JOIN %1$s b USING (project_id) WHERE a.amount < 3',
        map { $_->[0] => "SELECT sum(value) FROM %s WHERE $_->[1]" =~ s/%(?!s)/%%/gr } @condition,
    );
    with_search_operators(sub {
        for my $part (qw(1 100)) {
            for my $what (sort keys %query) {
                my $case = "planning, $what, " . ($part eq '100' ? 'all' : "$part %") . ' visible';
                my $measured = queries(
                    $case,
                    "sees-$part",
                    [
                        map {
                            $_ => 'EXPLAIN (COSTS OFF) ' . sprintf(
                                $query{$what},
                                'bench.items_' . ($_ eq 'any' ? 'documented' : $_)
                            )
                        } qw(none floor any seeme)
                    ],
                    reference => 'none',
                    differ    => 1,
                    roles     => { any => 'app_any' },
                    runs      => 2 * $runs
                );
                hold($case, 'ratio', 'ms', $measured, 'seeme', 'none', '<= 1.15');
            }
        }
    });
};

1;
