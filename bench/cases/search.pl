# Searching protected rows, by each kind of index: what no row security, ids spelled out, ours and
# what is commonly published take.
use strict;
use warnings;
use Bench::Results;
use Bench::Session;
use Bench::Turns;

# Each is true for some 100 rows of the table. 'operator' counts as leakproof always, 'search' where
# a superuser has set seeme_rbac.search_operators.
my $word = value($dba, q{SELECT left(md5('title7'), 10)});
our @condition = (
    ['numeric =',               q{amount = 7.25},                                      'operator'],
    ['numeric range',           q{amount BETWEEN 7 AND 8},                             'operator'],
    ['enum =',                  q{state = 'disputed'},                                 'operator'],
    ['citext =',                q{email = 'Person7@Example.Org'},                      'operator'],
    ['lower() by expression',   q{lower(name) = 'name 7'},                             'operator'],
    ['jsonb ->> by expression', q{meta ->> 'sku' = 's-7'},                             'operator'],
    [q{LIKE 'x%'},              "title LIKE '$word%'",                                 'search'],
    [q{LIKE '%x%' by trigram},  "title LIKE '%$word%'",                                'search'],
    [q{ILIKE '%x%' by trigram}, "title ILIKE '%\U$word%'",                             'search'],
    ['text search @@',          q{body @@ to_tsquery('simple', 'w7')},                 'search'],
    ['jsonb @>',                q{meta @> '{"sku": "s-7"}'},                           'search'],
    ['array @>',                q{tags @> ARRAY['t7']},                                'search'],
    ['range &&', q{period && tstzrange('2020-01-09 00:00+00', '2020-01-09 00:50+00')}, 'search'],
);
our %pattern_role = (in => 'app_in', any => 'app_any');

# Runs code with search operators allowed for those who use ours, and says so where the server does
# not know the setting.
sub with_search_operators {
    my ($code) = @_;
    $dba->do(q{LOAD 'seeme_rbac'});
    my $known =
        value($dba, q{SELECT count(*) FROM pg_settings WHERE name = 'seeme_rbac.search_operators'});
    print "seeme_rbac.search_operators does not exist: measured without it\n" unless $known;
    $dba->do('ALTER ROLE app IN DATABASE bench SET seeme_rbac.search_operators = on') if $known;
    my $done  = eval { $code->(); 1 };
    my $error = $@;
    $dba->do('ALTER ROLE app IN DATABASE bench RESET seeme_rbac.search_operators') if $known;
    die $error unless $done;
}

sub found {
    my ($table, $where) = @_;
    return "SELECT count(*) || '/' || coalesce(sum(value), 0) FROM bench.items_$table WHERE $where";
}

# One condition, one person: against ids spelled out, or where all is seen against nothing more.
sub search_case {
    my ($case, $person, $condition, $ids, $target) = @_;
    my $reference = $ids ? 'ids' : 'none';
    my $measured  = queries(
        $case, $person,
        [
            $ids
            ? (ids => found('none', "project_id = ANY ('$ids') AND $condition"))
            : (none => found('none', $condition)),
            seeme => found('seeme', $condition),
            map { $_ => found('documented', $condition) } qw(in any)
        ],
        reference => $reference,
        prepared  => 1,
        roles     => \%pattern_role
    );
    add_documented($measured);
    slower($case, $measured, $reference);
    hold($case, 'ratio', 'ms', $measured, 'seeme', $reference, $target) if $target;
    return $measured;
}

# What somebody sees who is asked about in the picture: [in words, who, ids spelled out].
sub people_who_see {
    my (@parts) = @_;
    my %words = (100 => 'all', many => '25 %', map { $_ => "$_ %" } qw(0.1 1 10 50));
    return map { [
        $words{$_}, "sees-$_",
        $_ eq '100' ? undef : ids_of("sees-$_", 'seeme_permitted_projects')
    ] } @parts;
}

define search => 'conditions by each kind of index; people who see all, 25 % and 1 %', sub {
    with_search_operators(sub {
        for my $person (people_who_see(qw(100 many 1))) {
            my ($part, $who, $ids) = @$person;
            for my $c (@condition) {
                search_case("$c->[0], $part visible", $who, $c->[1], $ids, '<= 1.25');
            }
        }
    });
};

define search_more => 'searches within a project, the latest of those found, and joins after one',
    sub {
    with_search_operators(sub {
        my $project = value($dba, "SELECT bench.id('project', 7)");
        my $rare    = "title ILIKE '%\U$word%'";
        for my $person (people_who_see(qw(100 1))) {
            my ($part, $who, $ids) = @$person;
            my $own       = $ids ? "project_id = ANY ('$ids') AND " : '';
            my $reference = $ids ? 'ids'                            : 'none';
            my $latest    = sub {
                my ($table, $own) = @_;
                return "SELECT count(*) || '/' || coalesce(sum(value), 0) FROM (SELECT * FROM "
                    . "bench.items_$table WHERE $own$rare ORDER BY created_at DESC LIMIT 20) AS l";
            };
            my $joined = sub {
                my ($table, $own) = @_;
                return "SELECT count(*) FROM bench.items_$table JOIN bench.models_none AS m "
                    . "USING (project_id) WHERE ${own}amount < 3";
            };
            my @queries = (
                ["latest 20 of ILIKE, $part visible",   $latest],
                ["join after numeric <, $part visible", $joined]
            );
            for my $q (@queries) {
                my $measured = queries(
                    $q->[0], $who,
                    [
                        $reference => $q->[1]->('none', $own), seeme => $q->[1]->('seeme', ''),
                        map { $_ => $q->[1]->('documented', '') } qw(in any)
                    ],
                    reference => $reference,
                    prepared  => 1,
                    roles     => \%pattern_role
                );
                add_documented($measured);
                slower($q->[0], $measured, $reference);
                hold($q->[0], 'ratio', 'ms', $measured, 'seeme', $reference, '<= 1.25');
            }
        }
    });
    };

define crossing => 'two searches, from narrow to wide', sub {
    with_search_operators(sub {
        for my $person (people_who_see(qw(0.1 1 10 many 50 100))) {
            my ($part, $who, $ids) = @$person;
            for my $c (grep { $_->[0] =~ /^(?:numeric range|text search)/ } @condition) {
                search_case("crossing, $c->[0], $part visible", $who, $c->[1], $ids);
            }
        }
    });
};

1;
