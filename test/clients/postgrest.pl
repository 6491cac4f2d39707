# PostgREST's statements: with doc/clients/seeme_postgrest.sql as its db-pre-request, people
# interleaved over one pooled connection never see each other's rows. (PostgREST itself is not run:
# Debian does not have it.)
use strict;
use warnings;
use Digest::SHA 'hmac_sha256';
use JSON::PP;
use MIME::Base64 'encode_base64url';
use SeemeTest;
use ClientsTest;
use Test::More;

my $dba = client_world('clients_postgrest');
my $app = 'clients_postgrest_app';
open my $recipe, '<', 'doc/clients/seeme_postgrest.sql' or die "seeme_postgrest.sql: $!";
my $identify = do { local $/; <$recipe> };
close $recipe or die $!;
$dba->do("CREATE SCHEMA $_") for 'api', 'auth';
$dba->do($identify);
# What the application exposes: views of the tables, and functions.
$dba->do($_) for split /;\n/, <<"SQL";
CREATE VIEW api.papers WITH (security_invoker = true) AS SELECT * FROM papers;
CREATE VIEW api.notes WITH (security_invoker = true) AS SELECT * FROM notes;
CREATE FUNCTION api.touch(note_id int) RETURNS int LANGUAGE sql
  AS 'UPDATE notes SET touched = touched + 1 WHERE id = note_id RETURNING id';
CREATE FUNCTION api.asking() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT seeme_user_id()';
CREATE FUNCTION api.backend() RETURNS int LANGUAGE sql STABLE AS 'SELECT pg_backend_pid()';
CREATE FUNCTION api.forge(headers text) RETURNS void LANGUAGE plpgsql
  AS 'BEGIN PERFORM set_config(''request.headers'', headers, true); PERFORM auth.identify(); END';
GRANT USAGE ON SCHEMA api, auth TO $app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA api TO $app;
SQL

# Signed tokens, besides the API keys that the world has.
my $secret = join '', map { chr int rand 256 } 1 .. 32;
my $jwks = { keys => [ { kty => 'oct', kid => 'one', alg => 'HS256',
    k => encode_base64url($secret) } ] };
$dba->do(q{SELECT seeme_import_jwks(?, issuer => 'https://id.example.com', audience => 'api')},
    undef, encode_json($jwks));
sub token {
    my ($person, %claims) = @_;
    my $input = join '.', map { encode_base64url(encode_json($_)) }
        { alg => 'HS256', kid => 'one', typ => 'JWT' },
        { iss => 'https://id.example.com', aud => 'api', sub => id_of($person), exp => time + 3600,
          role => $app, %claims };
    return "$input." . encode_base64url(hmac_sha256($input, $secret));
}
my $good = token('paul');
$ClientsTest::world_more = {
    signed => { map { $_ => token($_) } qw(paul gina tess vera) },
    bad => { expired => token('paul', exp => time - 3600), disabled => token('dora'),
             'of another audience' => token('paul', aud => 'other'),
             forged => substr($good, 0, -4) . 'AAAA', 'no token' => 'seeme_nothing' },
};
$ClientsTest::requests = 2_500;
run_client('node', ClientsTest::client_file('with_postgrest.js'));
run_client('node', ClientsTest::client_file('with_postgrest.js'), start_pgbouncer('transaction'));
done_testing();
