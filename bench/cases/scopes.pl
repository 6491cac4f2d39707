# Rows with several scopes, and policies of the application beside ours.
use strict;
use warnings;
use Bench::Results;
use Bench::Session;
use Bench::Turns;

sub sum_of_items {
    my ($table, $where) = @_;
    return "SELECT count(*) || '/' || coalesce(sum(value), 0) FROM bench.items_$table"
        . ($where ? " WHERE $where" : '');
}

define scopes => 'rows of a project OR an owner', sub {
    my $me     = value($dba, q{SELECT bench.person('sees-0.1')});
    my $ids    = ids_of('sees-0.1', 'seeme_permitted_projects');
    my $own    = "(project_id = ANY ('$ids') OR owner_id = '$me')";
    my $latest = sub {
        my ($table, $where) = @_;
        return
              "SELECT count(*) || '/' || sum(value) FROM (SELECT * FROM bench.items_$table"
            . ($where ? " WHERE $where" : '')
            . ' ORDER BY created_at DESC LIMIT 50) AS l';
    };
    my @wide  = (constant => sum_of_items('none', "project_id <> '$never'"));
    my @cases = (
        [
            'project OR owner, all visible', 'sees-100', 'constant', '<= 1.25', @wide,
            map { $_ => sum_of_items($_ eq 'seeme' ? 'owned' : 'owned_documented') }
                qw(seeme in any)
        ],
        [
            'project OR owner, narrow', 'sees-0.1', 'ids', '<= 1.15',
            ids => sum_of_items('none', $own),
            map { $_ => sum_of_items($_ eq 'seeme' ? 'owned' : 'owned_documented') }
                qw(seeme in any)
        ],
        [
            'project OR owner, latest 50, narrow', 'sees-0.1', 'ids', '<= 1.15',
            ids => $latest->('none', $own),
            map { $_ => $latest->($_ eq 'seeme' ? 'owned' : 'owned_documented') } qw(seeme in any)
        ],
        [
            'project OR owner, numeric range, narrow', 'sees-0.1', 'ids', '<= 1.15',
            ids => sum_of_items('none', "$own AND amount BETWEEN 7 AND 107"),
            map {
                $_ => sum_of_items(
                    $_ eq 'seeme' ? 'owned' : 'owned_documented',
                    'amount BETWEEN 7 AND 107'
                )
            } qw(seeme in any)
        ],
    );
    for (@cases) {
        my ($case, $who, $reference, $target, @contenders) = @$_;
        my $measured = queries(
            $case, $who, \@contenders, reference => $reference,
            roles => { in => 'app_in', any => 'app_any' }
        );
        add_documented($measured);
        slower($case, $measured, $reference);
        hold($case, 'ratio', 'ms', $measured, 'seeme', $reference, $target);
    }
};

define restrictive => 'a RESTRICTIVE policy beside ours, against its condition in WHERE', sub {
    $name{where}      = 'seeme_rbac, the condition in WHERE';
    $name{restricted} = 'seeme_rbac, RESTRICTIVE policy';
    my $project = value($dba, "SELECT bench.id('project', 7)");
    for my $part (qw(0.1 1 many 100)) {
        my $words = { 100 => 'all', many => '25 %' }->{$part} // "$part %";
        for (
            ['all rows', ''], ['numeric range', 'amount BETWEEN 7 AND 8'],
            $part eq '100' ? ['one project', "project_id = '$project'"] : ()
        ) {
            my ($what, $condition) = @$_;
            my $case     = "RESTRICTIVE policy, $what, $words visible";
            my $measured = queries(
                $case,
                "sees-$part",
                [
                    where => sum_of_items(
                        'seeme',
                        join ' AND ', 'deleted_at IS NULL', $condition || ()
                    ),
                    restricted => sum_of_items('restricted', $condition),
                ],
                reference => 'where'
            );
            hold($case, 'ratio', 'ms', $measured, 'restricted', 'where', '<= 1.10');
        }
    }
};

1;
