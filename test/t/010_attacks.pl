# Attempts to become another person, to see or change other people's rows, or to learn what is
# hidden. Each is made directly, and through pgbouncer in session, transaction and statement
# pooling. None may succeed.
#
# The attacks are in lib/Attacks/*.pm, by topic. lib/Attacks/Harness.pm runs them and says what
# counts as a success. The attacks on the identity are also made on three schemes without this
# extension, and must break these: a test has to be able to notice a success.
#
# Some attacks succeed because of how PostgreSQL works. doc/security.md ("What is not hidden") lists
# them, and the test holds it to that.
#
#   SEEME_RBAC_ATTACK='set_config in a CTE' prove -I test/t/lib test/t/010_attacks.pl
#                       runs those whose topic: name matches
use strict;
use warnings;
use SeemeTest;
use Test::More;
use Pgbouncer;
use Attacks::World qw(build %scheme %attacker @modes $database);
use Attacks::Harness;
use Attacks::Identity;
use Attacks::Assume;
use Attacks::Rows;
use Attacks::Objects;
use Attacks::Members;
use Attacks::Leftovers;
use Attacks::Revoked;
use Attacks::Server;
use Attacks::Planted;

alarm 600;
$SIG{$_} = sub { die "stopped early\n" } for qw(TERM INT ALRM);
    # so that what was started is ended
my $dba = build();
my @users = qw(attack_gateway attack_door attack_mallory attack_stranger attack_maker attack_rita attack_oscar attack_authenticator attack_planter postgres);
my %bouncer = map { $_ =>
    Pgbouncer->start(users => \@users,
    databases => { '*' => "dbname=$database", attacks_planted => 'dbname=attacks_planted' },
    settings => { pool_mode => $_ }) } @modes[ 1 .. 3 ];
my $harness = Attacks::Harness->new(dba => $dba,
    poolers => { map { $_ => [ @{ $bouncer{$_} }{qw(host port)} ] } keys %bouncer });

my @vectors = map { my $topic = $_;
    map { { topic => $topic,
    %$_ } } "Attacks::$topic"->vectors } qw(Identity Assume Rows Objects Members Leftovers Revoked Server);
my $wanted = $ENV{SEEME_RBAC_ATTACK};
@vectors = grep { "$_->{topic}: $_->{name}" =~ /$wanted/ } @vectors if defined $wanted;
# PostgreSQL 18 and later report search_path, and pgbouncer 1.26 and later give each client back
# what it set of all that is reported.
if ($dba->{pg_server_version} >= 180000 && Pgbouncer::version() >= 1026) {
    $_->{known} = $_->{known_if_tracked} for grep { $_->{known_if_tracked} } @vectors;
}
my %named;
for my $v (@vectors) {
    die "two attacks are called '$v->{name}'\n" if $named{ $v->{name} }++;
    die "'$v->{name}' says itself what it must not read\n"
        if grep { !ref && /canary/i } map { @{ ref $v->{$_} eq 'ARRAY' ? $v->{$_}
        : [] } } qw(try then collect first);
}

# What must not change is seen to change.
{
    my $before = Attacks::World::fingerprint($dba);
    my @noticed = map { my $sql = Attacks::World::fill($_); $dba->begin_work; $dba->do($sql);
        my @c = Attacks::World::changes($dba, $before); $dba->rollback; "@c" }
        q(UPDATE public.papers SET title = 'x' WHERE id = 21),
            q(ALTER TABLE seeme.audit_log DISABLE TRIGGER keep_rows; DELETE FROM seeme.audit_log WHERE id = 1; ALTER TABLE seeme.audit_log ENABLE ALWAYS TRIGGER keep_rows),
        q(UPDATE seeme.users SET database_role = NULL WHERE id = '{oscar}'),
        'CREATE POLICY more ON public.papers USING (true)',
        'GRANT EXECUTE ON FUNCTION public.seeme_assume(uuid) TO PUBLIC',
        'ALTER ROLE attack_mallory BYPASSRLS', 'SELECT 1';
    is_deeply \@noticed, [ 'the papers of others', 'the audit log as it was before', 'seeme.users',
        'policies', 'functions', 'roles', '' ],
        'a change to rows, log, identities, policies, grants, roles is noticed';
}

my (%succeeded, %made, %known, %unknown_setting);
for my $v (@vectors) {
    my @as = ref $v->{as} ? @{ $v->{as} } : $v->{as};
    for my $as (@as) {
        for my $mode ($as eq $as[0] ? @modes : 'direct') {
            my $result = $harness->run($v, $as, $mode, 'rbac');
            my $what = "$v->{name}, as $attacker{$as}{what}, $mode";
            my @gained = @{ $result->{gained} };
            $unknown_setting{"$v->{name}: $_->{sql}"} = 1
                for grep { ($_->{state} // '') eq '42704'
                && $_->{sql} =~ /^SET LOCAL \w+ / } @{ $result->{said} };
            if ($v->{known} && grep { $_ eq $mode } $v->{known} eq '1' ? @modes : split ' ',
                $v->{known}) {
                # What doc/security.md owns up to. If it is closed one day, it has to go from there.
                ok scalar(@gained), "known and documented: $what"
                    or diag map { "$_->{sql} → " . ($_->{state} // '?') . ' '
                        . substr($_->{out}, 0, 300) . "\n" } @{ $result->{said} };
                $known{ $v->{name} } = 1;
                next;
            }
            next if $v->{known} && !ok !@gained, $what;
            next if $v->{known};
            $made{rbac}{ $v->{name} }++;
            $succeeded{rbac}{ $v->{name} } = 1 if @gained;
            ok !@gained, $what or diag join "\n", @gained, "---",
                map { "$_->{sql} → " . ($_->{state} // '?') . ' '
                . substr($_->{out}, 0, 300) } @{ $result->{said} };
            next unless $v->{refused};
            my %fine = map { $_ => 1 } split ' ', $v->{refused};
            my @outcomes = @{ $result->{outcomes} };
            my @not = grep { !$fine{ $_->{state} } } $v->{each} ? @outcomes : $outcomes[-1];
            ok !@not, "$what: refused with $v->{refused}"
                or diag map { "$_->{sql}: $_->{state} $_->{out}\n" } @not;
        }
    }
    # The same on the weak schemes. Whether it breaks them is told beforehand, so that nothing here
    # goes unnoticed.
    for my $weak (grep { $_ ne 'rbac' } @{ $v->{on} // [] }) {
        $made{$weak}{ $v->{name} }++;
        # One mode is enough to see it, but that it can be seen in each has to be seen, too.
        my @tried = split ' ', $v->{weak_modes} // 'direct';
        my %result = map { $_ => $harness->run($v, 'gateway', $_, $weak) } @tried;
        my @modes_broken = grep { @{ $result{$_}{gained} } } @tried;
        $succeeded{$weak}{ $v->{name} } = 1 if @modes_broken;
        my $expected = grep { $_ eq $weak } split ' ', $v->{breaks} // '';
        is join(' ', @modes_broken), $expected ? join(' ', @tried) : '',
            "control: $v->{name}, on $scheme{$weak}{title}: "
            . ($expected ? 'breaks it' : 'does not')
            or diag map { "$_->{sql} → " . ($_->{state} // '?') . ' ' . substr($_->{out}, 0, 300)
                . "\n" } map { @{ $_->{said} } } values %result;
    }
}

is join("\n", sort keys %unknown_setting), '',
    'no attack comes to nothing because its server lacks a setting that it needs';

my $planted = defined $wanted ? {} : Attacks::Planted::run($harness, \@modes, \%bouncer);
for my $name (sort keys %$planted) {
    $made{rbac}{$name}++;
    $succeeded{rbac}{$name} = 1 if $planted->{$name};
}

unless (defined $wanted) {
    my $text = do { local (@ARGV, $/) = 'doc/security.md'; <> };
    cmp_ok scalar(keys %{ $made{rbac} }), '>=', 60, 'at least 60 attacks were made on seeme_rbac';
    ok $text =~ /^\Q@{[ scalar keys %known ]}\E more succeed\b/m,
        "doc/security.md says: @{[ scalar keys %known ]} more are known to succeed";
    for my $scheme (qw(rbac guc jwt role)) {
        my ($of, $n) = map { scalar keys %{ $_->{$scheme} // {} } } \%made, \%succeeded;
        note sprintf '%s: %d attacks, %d succeed', $scheme{$scheme}{title}, $of, $n;
        ok $text =~ /^\| \Q$scheme{$scheme}{title}\E \| $of \| $n \|$/m,
            "doc/security.md says: $scheme{$scheme}{title}, $of attacks, $n succeed";
    }
}
$dba->disconnect;
done_testing;
