# node-postgres: people interleaved over one pooled connection never see each other's rows, by
# doc/clients/seeme_pg.js.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

client_world('clients_node');
run_client('node', ClientsTest::client_file('node_postgres.js'));
run_client('node', ClientsTest::client_file('node_postgres.js'), start_pgbouncer('transaction'));
done_testing();
