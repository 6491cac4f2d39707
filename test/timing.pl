# How long an answer takes for what is hidden, and for what is not there: the medians that
# doc/security.md speaks of. Not a test, since time is nobody's promise. With a throwaway server
# that has the extension, as for test/t:
#
#   perl -I test/t/lib test/timing.pl
use strict;
use warnings;
use SeemeTest;
use Time::HiRes 'time';
use Attacks::World;

my $rounds = 4000;
Attacks::World::build()->disconnect;
my $dbh = connect_to($Attacks::World::database, 'attack_mallory');

sub median { my @sorted = sort { $a <=> $b } @_; return 1e6 * $sorted[ @sorted / 2 ] }

for my $case (
    [ 'a row of a protected table by its key', 'SELECT title FROM public.papers WHERE id = ?', 21,
        77 ],
    [ 'seeme_has_permission on a project',
        q{SELECT seeme_has_permission('datasets:read', project => ?)},
        map { Attacks::World::id($_) } qw(delta fresh) ],
    [ 'an organization by its id', 'SELECT name FROM seeme.organizations WHERE id = ?',
        map { Attacks::World::id($_) } qw(globex fresh) ],
    [ 'an INSERT under a key, into a project that is not one\'s own',
        sprintf(q{INSERT INTO public.papers VALUES (?, '%s', 'x', 'x') ON CONFLICT DO NOTHING},
        Attacks::World::id('beta')), 21, 77 ],
) {
    my ($what, $sql, @ids) = @$case;
    my @took = ([], []);
    my $sth = $dbh->prepare($sql);
    for my $round (1 .. $rounds + 200) {
        for my $i ($round % 2 ? (0, 1) : (1, 0)) {
            my $start = time;
            eval { $sth->execute($ids[$i]); $sth->fetchall_arrayref if $sth->{NUM_OF_FIELDS} };
            push @{ $took[$i] }, time - $start if $round > 200;
        }
    }
    printf "%s: %.0f µs for what is hidden, %.0f µs for what is not there\n", $what,
        map { median(@$_) } @took;
}
