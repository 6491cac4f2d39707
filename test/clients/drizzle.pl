# Drizzle: people interleaved over one pooled connection never see each other's rows, by
# doc/clients/seeme_drizzle.js; and drizzle-kit push leaves a protected table protected.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

client_world('clients_drizzle');
owned_table();
$ClientsTest::requests = 2_500;
run_client('node', ClientsTest::client_file('with_drizzle.js'));
is_still_protected();
run_client('node', ClientsTest::client_file('with_drizzle.js'), start_pgbouncer('transaction'));
done_testing();
