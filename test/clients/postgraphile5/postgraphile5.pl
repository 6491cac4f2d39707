# PostGraphile 5: the identity comes with each request, over one pooled connection, by
# doc/clients/seeme_postgraphile5.js. It needs Node 22 or later.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

my $dba = client_world('clients_graphql5');
# What an application might add to its schema.
$dba->do($_) for split /;\n/, <<'SQL';
CREATE FUNCTION asking() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT seeme_user_id()';
CREATE FUNCTION backend() RETURNS int LANGUAGE sql STABLE AS 'SELECT pg_backend_pid()';
CREATE FUNCTION touch(note_id int) RETURNS int
  LANGUAGE sql AS 'UPDATE notes SET touched = touched + 1 WHERE id = note_id RETURNING id';
CREATE FUNCTION become(person_id uuid) RETURNS uuid
  LANGUAGE sql AS 'SELECT seeme_assume(person_id)';
SQL
$ClientsTest::requests = 2_500;
$ENV{GRAPHILE_ENV} = 'production';
$ENV{NODE_PATH} = ClientsTest::client_file('postgraphile5/node_modules');
my $program = ClientsTest::client_file('postgraphile5/postgraphile5.js');
run_client('node', $program);
{
    # Named statements stay with a connection of the pooler's, which serves other clients, too.
    local $ENV{DATAPLAN_PG_PREPARED_STATEMENT_CACHE_SIZE} = 0;
    run_client('node', $program, start_pgbouncer('transaction'));
}
done_testing();
