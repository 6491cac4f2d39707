# Prisma: people interleaved over one pooled connection never see each other's rows, by
# doc/clients/seeme_prisma.js.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

client_world('clients_prisma');
$ClientsTest::requests = 2_500;
run_client('node', ClientsTest::client_file('with_prisma.js'));
run_client('node', ClientsTest::client_file('with_prisma.js'), start_pgbouncer('transaction'));
done_testing();
