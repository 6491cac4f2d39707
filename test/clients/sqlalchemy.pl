# SQLAlchemy: people interleaved over one pooled connection never see each other's rows, by
# doc/clients/seeme_sqlalchemy.py.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

client_world('clients_sqlalchemy');
run_client('python3', ClientsTest::client_file('with_sqlalchemy.py'));
$ClientsTest::requests = 2_500;
run_client('python3', ClientsTest::client_file('with_sqlalchemy.py'),
    start_pgbouncer('transaction'));
done_testing();
