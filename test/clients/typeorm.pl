# TypeORM: people interleaved over one pooled connection never see each other's rows, by
# doc/clients/seeme_typeorm.js; and synchronize() leaves a protected table protected.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

my $dba = client_world('clients_typeorm');
owned_table();
$ClientsTest::requests = 2_500;
run_client('node', ClientsTest::client_file('with_typeorm.js'));
is_still_protected();
my @indexes = rows($dba,
    q{SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'drafts'::regclass});
is_deeply(\@indexes, ['drafts_pkey'], 'but not the index that no entity declares');
run_client('node', ClientsTest::client_file('with_typeorm.js'), start_pgbouncer('transaction'));
done_testing();
