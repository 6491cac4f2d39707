# Rows that lie where their parent's row lies, against the same rows with a project column of their
# own. Both tables are protected.
use strict;
use warnings;
use Bench::Results;
use Bench::Session;
use Bench::Turns;

define children => 'rows with a parent, against a project column of their own', sub {
    $name{own}    = 'seeme_rbac, project column';
    $name{parent} = 'seeme_rbac, parent_column';
    for (['one level', 'comments', 'comment'], ['two levels', 'replies', 'reply']) {
        my ($levels, $table, $row) = @$_;
        my $point = sub {
            "SELECT count(*) || '/' || sum(value) FROM bench.$_[0] "
                . "WHERE id = bench.id('$row', 4711)";
        };
        my $sum = sub { "SELECT count(*) || '/' || coalesce(sum(value), 0) FROM bench.$_[0]" };
        for (
            ['all visible',     'sees-100', $sum],
            ['narrow',          'sees-0.1', $sum],
            ['a row by its id', 'sees-100', $point, prepared => 1]
        ) {
            my ($what, $who, $query, @options) = @$_;
            my $case     = "children, $levels, $what";
            my $measured = queries(
                $case, $who,
                [own => $query->("${table}_own"), parent => $query->($table)],
                reference => 'own',
                @options
            );
            hold($case, 'ratio', 'ms', $measured, 'parent', 'own', '<= 1.15');
        }
    }
};

1;
