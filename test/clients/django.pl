# Django: people interleaved over one connection never see each other's rows, by
# doc/clients/seeme_django.py.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

client_world('clients_django');
$ClientsTest::requests = 2_500;
run_client('python3', ClientsTest::client_file('with_django.py'));
run_client('python3', ClientsTest::client_file('with_django.py'), start_pgbouncer('transaction'));
done_testing();
