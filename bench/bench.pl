#!/usr/bin/perl
# bench.pl: measures, and says what it measured; scripts/bench has built everything before, and
# starts it.
#
# Every case has contenders. They take turns (A B C A B C, each round beginning with another one),
# so that whatever else the machine does meanwhile hits all of them alike. A ratio is the median of
# the rounds' ratios, with their quartiles. bench/lib has what measures, bench/cases the cases.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Time::HiRes qw(time);
use Bench::Results;
use Bench::Session;

# In their order, for short transactions leave rows behind.
for my $file (qw(reads search scopes children lists planning checks transactions changes)) {
    my $path = "$FindBin::Bin/cases/$file.pl";
    do $path or die "$path: ", $@ || $!, "\n";
}

my %wanted = map { ($_ => 1) } @{ $o{case} // \@cases };
for my $name (sort keys %wanted) { die "no case $name; there are: @cases\n" unless $case{$name} }
my @chosen = grep { $wanted{$_} } @cases;
$| = 1;
print map { "$_->[0]: $_->[1]\n" } machine();
my %took;
for my $chosen (@chosen) {
    printf "\n== %s: %s\n", $chosen, $case{$chosen}{what};
    my $started = time;
    eval { $case{$chosen}{code}->(); 1 } or fail($chosen, 'seeme', '', "broken off: $@");
    $took{$chosen} = time - $started;
}
my $failed = write_results();
printf "\n%d requirements held, %d not. Seconds: %s\n",
    scalar(grep { ($_->{ok} // '') =~ /^pass/ } @results), $failed,
    join ', ', map { sprintf '%s %.0f', $_, $took{$_} } @chosen;
exit($o{strict} && $failed ? 1 : 0);
