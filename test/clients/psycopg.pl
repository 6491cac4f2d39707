# psycopg 3 and psycopg2: people interleaved over one pooled connection never see each other's
# rows, by doc/clients/seeme_psycopg*.py.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

client_world('clients_psycopg');
my $pooler = start_pgbouncer('transaction');
for my $program ('psycopg3.py', 'older_psycopg.py') {
    run_client('python3', ClientsTest::client_file($program));
    local $ClientsTest::requests = $program eq 'psycopg3.py' ? 10_000 : 2_500;
    run_client('python3', ClientsTest::client_file($program), $pooler);
}
done_testing();
