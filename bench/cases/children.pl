# Rows that lie where their parent's row lies, against the same rows with a project column of their
# own. Both tables are protected. And, where little is visible, against the join that an application
# would write for the same rows.
use strict;
use warnings;
use Bench::Results;
use Bench::Session;
use Bench::Turns;

define children => 'rows with a parent, against a project column of their own', sub {
    $name{own}    = 'seeme_rbac, project column';
    $name{parent} = 'seeme_rbac, parent_column';
    $name{joined} = 'hand-written join, no row security';
    my $ids  = ids_of('sees-0.1', 'seeme_permitted_projects');
    my %join = (
        comments => 'bench.comments c JOIN bench.tickets t ON t.id = c.ticket_id',
        marks    => 'bench.marks c JOIN bench.cards t ON t.id = c.card_id',
        replies  => 'bench.replies c JOIN bench.posts p ON p.id = c.post_id '
            . 'JOIN bench.threads t ON t.id = p.thread_id'
    );
    for (
        ['one level',            'comments', 'comment'],
        ['one level, text keys', 'marks',    'mark'],
        ['two levels',           'replies',  'reply']
    ) {
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
            my $case   = "children, $levels, $what";
            my @joined = $what ne 'narrow' ? () : (
                joined => "SELECT count(*) || '/' || coalesce(sum(value), 0) "
                    . "FROM $join{$table} WHERE t.project_id = ANY ('$ids')"
            );
            my $measured = queries(
                $case, $who,
                [own => $query->("${table}_own"), parent => $query->($table), @joined],
                reference => 'own',
                roles     => { joined => 'postgres' },
                @options
            );
            # Where all is visible, a text key may take half more than a uuid column.
            my $target = $case =~ /text keys, all/ ? '<= 1.50' : '<= 1.15';
            hold($case, 'ratio', 'ms', $measured, 'parent', 'own', $target);
            hold($case, 'ratio', 'ms', $measured, 'parent', 'joined', '<= 1.15') if @joined;
        }
    }
};

1;
