# Knex: people interleaved over one pooled connection never see each other's rows, by
# doc/clients/seeme_knex.js; and its migrations leave a protected table protected.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

client_world('clients_knex');
owned_table();
$ClientsTest::requests = 2_500;
run_client('node', ClientsTest::client_file('with_knex.js'));
is_still_protected();
run_client('node', ClientsTest::client_file('with_knex.js'), start_pgbouncer('transaction'));
done_testing();
