# Prisma: people interleaved over one pooled connection never see each other's rows, by
# doc/clients/seeme_prisma.js; and prisma db push leaves a protected table protected.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

my $dba = client_world('clients_prisma');
owned_table();
# Before push changes a table, it looks whether others have rows.
$dba->do('GRANT SELECT ON ALL TABLES IN SCHEMA public TO clients_prisma_owner');
$ClientsTest::requests = 2_500;
run_client('node', ClientsTest::client_file('with_prisma.js'));
is_still_protected();
my @indexes = rows($dba,
    q{SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'drafts'::regclass});
is_deeply(\@indexes, ['drafts_pkey'], 'but not the index that the schema lacks');
run_client('node', ClientsTest::client_file('with_prisma.js'), start_pgbouncer('transaction'));
done_testing();
