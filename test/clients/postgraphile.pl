# PostGraphile: the identity comes with each request, over one pooled connection, by
# doc/clients/seeme_postgraphile.js.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

my $dba = client_world('clients_graphql');
# What an application might add to its schema.
$dba->do($_) for split /;\n/, <<'SQL';
CREATE FUNCTION asking() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT seeme_user_id()';
CREATE FUNCTION backend() RETURNS int LANGUAGE sql STABLE AS 'SELECT pg_backend_pid()';
CREATE FUNCTION fails() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1 / (random() < 0)::int';
CREATE FUNCTION touch(note_id int) RETURNS int LANGUAGE sql AS 'UPDATE notes SET touched = touched + 1 WHERE id = note_id RETURNING id';
CREATE FUNCTION become(person_id uuid) RETURNS uuid LANGUAGE sql AS 'SELECT seeme_assume(person_id)';
ALTER TABLE session_notes ADD PRIMARY KEY (id);
SQL
# PostGraphile itself does what the next major version of pg will not take; pg says so on standard
# error.
my @node = ('node', '--no-deprecation');
run_client(@node, ClientsTest::client_file('postgraphile.js'));
{
    # Named statements stay with a connection of the pooler's, which serves other clients, too.
    local $ClientsTest::requests = 2_500;
    local $ENV{POSTGRAPHILE_PREPARED_STATEMENT_CACHE_SIZE} = 0;
    run_client(@node, ClientsTest::client_file('postgraphile.js'), start_pgbouncer('transaction'));
}
done_testing();
