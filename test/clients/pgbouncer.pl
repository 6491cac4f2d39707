# pgbouncer: in which pool modes an identity is safe, and what happens to the identity of a client
# that disconnects.
use strict;
use warnings;
use DBI;
use SeemeTest;
use ClientsTest;
use Test::More;

my $dba = client_world('clients_pgbouncer');
my $seen = q{SELECT coalesce(min(id) || '-' || max(id), 'none') FROM papers};

sub client_of {
    my ($pooler) = @_;
    return DBI->connect("dbi:Pg:dbname=clients_pgbouncer;host=$pooler;port=6432",
        'clients_pgbouncer_gateway', '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, pg_server_prepare =>
            0 });
}

sub is_unidentified {
    my ($client, $when) = @_;
    is(join('|', value($client, 'SELECT seeme_user_id()') // 'nobody', value($client, $seen)),
        'nobody|none', "nobody is asking $when");
}

for my $mode ('transaction', 'session') {
    my $pooler = start_pgbouncer($mode);
    my $one = client_of($pooler);
    my $backend = value($one, 'SELECT pg_backend_pid()');
    $one->begin_work;
    value($one, 'SELECT seeme_assume(?)', id_of('paul'));
    is(value($one, $seen), '101-125', "$mode mode: paul sees his papers");
    $one->commit;
    is_unidentified($one, "on paul's own connection when his transaction is over");
    $one->disconnect if $mode eq 'session';

    my $other = client_of($pooler);
    is(value($other, 'SELECT pg_backend_pid()'), $backend,
        "$mode mode: another client gets the same backend");
    is_unidentified($other, 'there');
    $other->begin_work;
    value($other, 'SELECT seeme_assume(?)', id_of('gina'));
    is(value($other, $seen), '401-425', "$mode mode: gina sees hers");
    # Gone in the middle of her transaction, without a word.
    close_socket($other);
    my $last = client_of($pooler);
    is_unidentified($last, "after gina's client went away in mid-transaction ($mode mode)");
    isnt(value($last, 'SELECT pg_backend_pid()'), $backend,
        "$mode mode: her connection to the server went with her");
    my $open = q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'clients_pgbouncer_gateway' AND state LIKE 'idle in transaction%'};
    for (1 .. 50) { last unless value($dba, $open); select undef, undef, undef, 0.1 }
    is(value($dba, $open), 0, "$mode mode: and her transaction is over");
    $_->disconnect for grep { $_->{Active} } $one, $last;
}

# Statements prepared by name stay with the connection, which belongs to somebody else in the next
# transaction.
{
    my $pooler = start_pgbouncer('transaction');
    my ($one, $other) = (client_of($pooler), client_of($pooler));
    for my $turn ([ $one, 'paul', '101-125', '' ], [ $other, 'gina', '401-425', '42P05' ]) {
        my ($client, $person, $papers, $state) = @$turn;
        is(sqlstate_of($client, "PREPARE seen AS $seen"), $state, "$person prepares a statement"
            . ($state && ' whose name another client has taken'));
        $client->begin_work;
        value($client, 'SELECT seeme_assume(?)', id_of($person));
        is(value($client, 'EXECUTE seen'), $papers,
            "transaction mode: whoever prepared it, $person sees only what is theirs by it");
        $client->commit;
    }
    $_->disconnect for $one, $other;
}

# A statement is a transaction there, so there is none to be somebody in. It is refused, and lets
# nothing through.
my $client = client_of(start_pgbouncer('statement'));
eval { $client->do('BEGIN'); $client->do('COMMIT') };
like($@, qr/not allowed in statement pooling mode/, 'statement mode: a transaction is refused');
$client = client_of(start_pgbouncer('statement'));
is(value($client, 'SELECT seeme_assume(?)', id_of('paul')), id_of('paul'),
    'statement mode: somebody is assumed for that statement');
is_unidentified($client, 'in the next one');
$client->disconnect;

sub close_socket {
    my ($dbh) = @_;
    open my $socket, '<&=', $dbh->{pg_socket} or die $!;
    shutdown $socket, 2;
    $dbh->{InactiveDestroy} = 1;
}

done_testing();
