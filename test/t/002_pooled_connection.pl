# One connection of an application server serves people in turn, and their transactions end in every
# possible way. Each person sees and changes only their own rows, and between two people nobody is
# identified.
use strict;
use warnings;
use SeemeTest;
use Test::More;

create_roles('pool_app NOLOGIN', 'pool_gateway LOGIN IN ROLE pool_app',
    'pool_stranger LOGIN IN ROLE pool_app',
    'pool_setter LOGIN NOINHERIT IN ROLE pool_gateway');
create_database('pool', 'seeme_rbac');
my $dba = connect_to('pool');
make_world($dba, 'pool_app');
$dba->do('GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO pool_gateway');

# paul has Alpha alone, gina all of Globex, tess what team Research has.
my %papers = (paul => '101-125', gina => '401-425', tess => '101-125', vera => '101-325',
    nobody => 'none');
my $seen = q{SELECT coalesce(min(id) || '-' || max(id), 'none') FROM papers};
my $mine = q{SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM seeme.organizations};
my %organizations = (paul => 'Acme', gina => 'Globex', tess => 'Acme', vera => 'Acme',
    nobody => '');

my $gateway = connect_to('pool', 'pool_gateway');
# A statement that the driver prepares by the protocol, and that serves everybody.
my $prepared;
sub prepare_again { $prepared = $gateway->prepare("$seen WHERE id > ?", { pg_prepare_now => 1 }); }
sub prepared_answer {
    $prepared->execute(0);
    my ($answer) = $prepared->fetchrow_array;
    $prepared->finish;
    return $answer;
}
prepare_again();
my $backend = value($gateway, 'SELECT pg_backend_pid()');
my (%wrong, %times);

sub expect {
    my ($topic, $got, $expected) = @_;
    $times{$topic}++;
    push @{ $wrong{$topic} }, "got $got, not $expected" if ($got // 'null') ne $expected;
}

sub assume { return value($gateway, 'SELECT seeme_assume(?)', id_of($_[0])); }

sub sees_only_theirs {
    my ($topic, $person) = @_;
    expect($topic, value($gateway, 'SELECT seeme_user_id()'), $person eq 'nobody' ? 'null'
        : id_of($person));
    expect($topic, value($gateway, $seen), $papers{$person});
    expect($topic, prepared_answer(), $papers{$person});
    expect($topic, value($gateway, $mine), $organizations{$person});
    expect($topic, value($gateway, "SELECT seeme_has_permission('datasets:read', project => ?)",
        id_of('alpha')) ? 'yes' : 'no',
        $papers{$person} =~ /^101/ ? 'yes' : 'no');
}

# The ways in which a transaction of a person goes; each leaves the connection outside a
# transaction.
my %course = (
    'commits' => sub {
        my ($person) = @_;
        assume($person);
        sees_only_theirs('commits', $person);
        $gateway->commit;
    },
    'rolls back' => sub {
        my ($person) = @_;
        assume($person);
        sees_only_theirs('rolls back', $person);
        $gateway->rollback;
    },
    'fails' => sub {
        my ($person) = @_;
        assume($person);
        expect('fails', sqlstate_of($gateway, 'SELECT 1 / 0'), '22012');
        expect('fails', sqlstate_of($gateway, $seen), '25P02');
        $gateway->rollback;
    },
    'goes on after a savepoint' => sub {
        my ($person) = @_;
        assume($person);
        $gateway->pg_savepoint('s');
        expect('goes on after a savepoint', sqlstate_of($gateway, 'SELECT 1 / 0'), '22012');
        $gateway->pg_rollback_to('s');
        sees_only_theirs('goes on after a savepoint', $person);
        $gateway->commit;
    },
    'identifies itself within a savepoint that is undone' => sub {
        my ($person) = @_;
        my $topic = 'identifies itself within a savepoint that is undone';
        $gateway->pg_savepoint('s');
        assume($person);
        sees_only_theirs($topic, $person);
        $gateway->pg_rollback_to('s');
        sees_only_theirs($topic, 'nobody');
        $gateway->commit;
    },
    'keeps an identity from a savepoint that is released' => sub {
        my ($person) = @_;
        $gateway->pg_savepoint('s');
        assume($person);
        $gateway->pg_release('s');
        sees_only_theirs('keeps an identity from a savepoint that is released', $person);
        $gateway->commit;
    },
    'tries to be a second person' => sub {
        my ($person, $other) = @_;
        my $topic = 'tries to be a second person';
        assume($person);
        expect($topic, assume($person), id_of($person));
        $gateway->pg_savepoint('s');
        expect($topic, sqlstate_of($gateway, 'SELECT seeme_assume(?)', id_of($other)), '28000');
        $gateway->pg_rollback_to('s');
        sees_only_theirs($topic, $person);
        $gateway->commit;
    },
    'tries to be somebody unknown or disabled' => sub {
        my $topic = 'tries to be somebody unknown or disabled';
        for my $id (id_of('dora'), 'f0000000-0000-4000-8000-00000000ffff') {
            expect($topic, sqlstate_of($gateway, 'SELECT seeme_assume(?)', $id), '28000');
            $gateway->rollback;
        }
        sees_only_theirs($topic, 'nobody');
        $gateway->commit;
    },
    'writes' => sub {
        my ($person) = @_;
        return unless $person eq 'tess';
        assume($person);
        expect('writes', $gateway->do("UPDATE papers SET title = title"), 25);
        $gateway->pg_savepoint('s');
        expect('writes', sqlstate_of($gateway, "INSERT INTO papers VALUES (9000, '" . id_of('delta')
            . "', 'x')"), '42501');
        $gateway->pg_rollback_to('s');
        expect('writes', $gateway->do("INSERT INTO papers VALUES (9000, '" . id_of('alpha')
            . "', 'x')"), 1);
        $gateway->rollback;
    },
    'may not write' => sub {
        my ($person) = @_;
        return if $person eq 'tess';
        assume($person);
        expect('may not write', 0 + $gateway->do("UPDATE papers SET title = 'mine'"), 0);
        expect('may not write', 0 + $gateway->do('DELETE FROM papers'), 0);
        $gateway->commit;
    },
    'reads through a cursor' => sub {
        my ($person) = @_;
        assume($person);
        $gateway->do('DECLARE c CURSOR FOR SELECT id FROM papers ORDER BY id');
        my @first = rows($gateway, 'FETCH 3 FROM c');
        expect('reads through a cursor', $first[0], (split /-/, $papers{$person})[0]);
        $gateway->commit;
    },
    'is followed by DISCARD ALL' => sub {
        my ($person) = @_;
        assume($person);
        $gateway->commit;
        $gateway->{AutoCommit} = 1;
        undef $prepared;
        $gateway->do('DISCARD ALL');
        prepare_again();
        sees_only_theirs('is followed by DISCARD ALL', 'nobody');
        $gateway->{AutoCommit} = 0;
    },
);

my $turns = 0;
for my $round (1 .. 3) {
    for my $way ($round % 2 ? sort keys %course : reverse sort keys %course) {
        for my $turn (0 .. 3) {
            my ($person, $other) = (qw(paul gina tess vera paul))[$turn, $turn + 1];
            $gateway->{AutoCommit} = 0;
            $course{$way}->($person, $other);
            sees_only_theirs("nobody asks in a transaction after one that $way", 'nobody');
            $gateway->rollback;
            $gateway->{AutoCommit} = 1;
            sees_only_theirs('nobody asks outside transactions', 'nobody');
            $turns += 2;
        }
    }
}

cmp_ok($turns, '>=', 200, "$turns transactions on one connection");
is(value($gateway, 'SELECT pg_backend_pid()'), $backend, 'it was one and the same connection');
for my $topic (sort keys %times) {
    ok(!$wrong{$topic}, "$topic ($times{$topic} answers)") or diag join "\n",
        @{ $wrong{$topic} }[0 .. 4];
}

# An identity does not outlive the statement that takes it where there is no transaction around it.
assume('paul');
is(value($gateway, $seen), 'none',
    'assuming somebody outside a transaction is over with the statement');

# Nothing that a client can set is an identity, by whatever means it sets it.
for my $setting (rows($dba,
    q{SELECT name FROM pg_settings WHERE name LIKE 'seeme\_rbac.%' ORDER BY 1}), 'seeme_rbac.user',
    'seeme.user_id') {
    for my $attempt ("SELECT set_config('$setting', '%s', true)",
        "SELECT set_config('role', 'none', true), set_config('$setting', '%s', true)",
        "SET LOCAL $setting = '%s'", "SELECT set_config('$setting', '%s', false)") {
        $gateway->begin_work;
        $gateway->pg_savepoint('s');
        my $state = sqlstate_of($gateway, sprintf $attempt, id_of('olga'));
        $gateway->pg_rollback_to('s') if $state;
        is(value($gateway, $seen) . (value($gateway, 'SELECT seeme_user_id()') // ''), 'none',
            sprintf "$attempt is no identity ($state)", '...');
        $gateway->rollback;
    }
}

my $stranger = connect_to('pool', 'pool_stranger');
is(sqlstate_of($stranger, 'SELECT seeme_assume(?)', id_of('olga')), '42501',
    'who was not granted seeme_assume is nobody');
is(value($stranger, $seen), 'none', 'and sees nothing');

# Whoever connected has to be the grantee: having become it by SET ROLE is not enough.
my $setter = connect_to('pool', 'pool_setter');
$setter->do('SET ROLE pool_gateway');
is(sqlstate_of($setter, 'SELECT seeme_assume(?)', id_of('olga')), '42501',
    'SET ROLE to the gateway does not make one the gateway');
$setter->disconnect;

# A right that is taken away while the connection waits in its pool is gone in the next transaction.
$gateway->begin_work;
assume('tess');
is(value($gateway, $seen), '101-125', 'tess still has her papers');
$gateway->commit;
$dba->do('DELETE FROM seeme.team_members WHERE user_id = ?', undef, id_of('tess'));
$gateway->begin_work;
assume('tess');
is(value($gateway, $seen), 'none', 'and has none once she is out of the team');
$gateway->commit;
$dba->do('UPDATE seeme.users SET disabled_at = now() WHERE id = ?', undef, id_of('vera'));
$gateway->begin_work;
is(sqlstate_of($gateway, 'SELECT seeme_assume(?)', id_of('vera')), '28000',
    'who was disabled meanwhile cannot be assumed');
$gateway->rollback;

$_->disconnect for $gateway, $stranger, $dba;
done_testing();
