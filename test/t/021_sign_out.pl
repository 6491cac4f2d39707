# Sign out everywhere: users.tokens_valid_from refuses tokens that were issued before it, or that do
# not say when they were issued. It counts from the next statement on, however the token came: at a
# login, in an open transaction, in a session, in parallel workers, in trusted claims.
use strict;
use warnings;
use Crypt::Mac::HMAC qw(hmac);
use JSON::PP;
use MIME::Base64 qw(encode_base64url);
use SeemeTest;
use Test::More;

alarm 300;
create_roles('signed_app NOLOGIN', 'signed_door LOGIN IN ROLE signed_app',
    'signed_stay LOGIN IN ROLE signed_app',
    'signed_claims LOGIN IN ROLE signed_app', 'signed_vera LOGIN IN ROLE signed_app',
    'signed_scim LOGIN');
create_database('signed', 'seeme_rbac');
my $dba = connect_to('signed');
make_world($dba, 'signed_app');
$dba->do('ALTER ROLE signed_stay SET seeme_rbac.session_login = on');
$dba->do('ALTER ROLE signed_claims SET seeme_rbac.trust_request_claims = on');
$dba->do('GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO signed_door');
$dba->do(q(SELECT seeme_grant_provisioning('signed_scim')));

my $secret = join '', map { chr rand 256 } 1 .. 32;
$dba->do('SELECT seeme_import_jwks(?, ?, ?)', undef,
    encode_json({ keys =>
    [ { kty => 'oct', k => encode_base64url($secret), kid => 'k', alg => 'HS256' } ] }),
    'https://id.example.com/', 'papers');

# Times are counted in seconds from a second in the past, at which vera signs out.
my $out = int(time) - 1000;
sub payload {
    my ($iat) = @_;
    my $issued = defined $iat ? qq(,"iat":$iat) : '';
    return sprintf '{"iss":"https://id.example.com/","aud":"papers","sub":"%s","exp":%d%s}',
        id_of('vera'), time + 3600, $issued;
}
sub token {
    my $input = encode_base64url('{"alg":"HS256","kid":"k"}') . '.' . encode_base64url(payload(@_));
    return $input . '.' . encode_base64url(hmac('SHA256', $secret, $input));
}
sub sign_out {
    my ($at) = @_;
    $dba->do('UPDATE seeme.users SET tokens_valid_from = to_timestamp(?) WHERE id = ?', undef, $at,
        id_of('vera'));
    return;
}

my $door = connect_to('signed', 'signed_door');
my $seen = q(SELECT count(*) || ' ' || (seeme_user_id() IS NOT NULL) FROM papers);
sub outcome {
    my ($token, $begin) = @_;
    $door->begin_work;
    my $got = eval { value($door, 'SELECT seeme_login(?)', $token);
        value($door, $seen) } // $door->state;
    $door->rollback;
    return $got;
}

# A login
my $soon = int(time) + 10;
my %token = (before => token($out - 1), just => token($out), fraction => token($out - 0.5),
    after => token($out + 1), none => token(undef),
    text => token('"soon"'), negative => token(-5), zero => token(0), soon => token($soon),
    future => token(int(time) + 600), far => token(253402300799));
is(outcome($token{$_}), '75 true', "while nothing says otherwise, a token is taken: issued $_")
    for qw(before just fraction after none text negative zero soon);
is(outcome($token{$_}), '28000',
    "threat: a token issued in the $_ future would outlive every sign-out until then")
    for qw(future far);
sign_out($out);
is(outcome($token{$_}), '28000',
    "threat: a token issued $_, which this backend has verified before, after signing out everywhere") for qw(before fraction none text negative zero);
is(outcome($token{$_}), '75 true', "which refuses none issued $_") for qw(just after soon);
is(outcome(token($out - 1)), '28000', 'threat: another token of the same time');
sign_out($out + 2);
is(outcome($token{$_}), '28000', "threat: signing out once more, with a token issued $_")
    for qw(just after);
$dba->do('UPDATE seeme.users SET tokens_valid_from = ? WHERE id = ?', undef, 'infinity',
    id_of('vera'));
is(outcome($token{$_}), '28000', "threat: no token counts until further notice, issued $_")
    for qw(after soon);
$dba->do('UPDATE seeme.users SET tokens_valid_from = NULL WHERE id = ?', undef, id_of('vera'));
is(outcome($token{$_}), '75 true', "null lets all in again: issued $_") for qw(before none);

# An open transaction, and a session, at the next statement
my @own_rows = map {
    "SELECT count(*) FROM seeme.$_" } qw(users organizations teams projects roles memberships organization_members team_members project_members
    permissions resource_types project_resources invitations logos audit_log api_keys);
push @own_rows, q(SELECT seeme.has_effective_role('00000000-0000-4000-8000-000000000005')::int),
    'SELECT cardinality(seeme.own_organizations())';
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE') {
    $door->do("BEGIN ISOLATION LEVEL $level");
    $door->do('SELECT seeme_login(?)', undef, $token{before});
    value($door, $seen) for 1 .. 20;
    is(value($door, $seen), '75 true', "$level: a transaction sees what the person sees");
    sign_out($out);
    is(value($door, $seen), '0 false',
        "threat: $level: an open transaction goes on after signing out everywhere");
    is(value($door, q(SELECT seeme_has_permission('datasets:read', project => ?)::text),
        id_of('alpha')), 'false', "threat: $level: it asks for itself");
    is(value($door, q(SELECT cardinality(seeme_permitted_projects('datasets:read')))), 0,
        "threat: $level: or for a list");
    is(eval { value($door, $_) } // $@, 0,
        "threat: $level: or for the extension's own rows, or stops the server by it: $_")
        for @own_rows;
    $dba->do('UPDATE seeme.users SET tokens_valid_from = NULL WHERE id = ?', undef, id_of('vera'));
    is(value($door, $seen), '75 true', "$level: and as before when it is taken back");
    $door->do('ROLLBACK');
}
my $stay = connect_to('signed', 'signed_stay');
$stay->do('SELECT seeme_login(?, true)', undef, $token{before});
is(value($stay, $seen), '75 true', 'a session that is logged in');
sign_out($out);
is(value($stay, $seen), '0 false',
    'threat: a session logged in goes on after signing out everywhere');
is(sqlstate_of($stay, 'SELECT seeme_login(?, true)', $token{before}), '28000',
    'threat: and logs in again');
$stay->do('SELECT seeme_login(?, true)', undef, $token{after});
is(value($stay, $seen), '75 true', 'a token issued since logs it in again');

# Parallel workers are told when the token was issued.
sub in_workers {
    my ($dbh, $name) = @_;
    $dbh->do("SET $_") for 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0',
        'min_parallel_table_scan_size = 0', 'max_parallel_workers_per_gather = 2',
        'parallel_leader_participation = off',
        ($dbh->{pg_server_version} >= 160000 ? 'debug_parallel_query = on'
        : 'force_parallel_mode = on');
    my $sql = q(SELECT count(*) || ' ' || count(seeme_user_id()) FROM papers WHERE title <> 'x');
    like(join("\n", map { $_->[0] } @{ $dbh->selectall_arrayref("EXPLAIN $sql") }), qr/Gather/,
        "$name: in parallel workers");
    return value($dbh, $sql);
}
is(in_workers($stay, 'a session'), '75 75', 'a session, in parallel workers: issued since');
$door->begin_work;
$door->do('SELECT seeme_login(?)', undef, $token{after});
is(in_workers($door, 'a transaction'), '75 75', 'a transaction, in parallel workers: issued since');
sign_out($out + 2);
is(value($door, q(SELECT count(*) || ' ' || count(seeme_user_id()) FROM papers WHERE title <> 'x')),
    '0 0', 'threat: parallel workers go on');
$door->rollback;
is(value($stay, q(SELECT count(*) || ' ' || count(seeme_user_id()) FROM papers WHERE title <> 'x')),
    '0 0', 'threat: those of a session do');

# Claims that are trusted
my $claims = connect_to('signed', 'signed_claims');
sub claimed {
    my ($iat) = @_;
    $claims->do(q(SELECT set_config('request.jwt.claims', ?, false)), undef, payload($iat));
    return value($claims, $seen);
}
sign_out($out);
is(claimed($_->[0]), '0 false', "threat: trusted claims issued $_->[1]") for [$out - 1, 'before'],
    [undef, 'who knows when'], ['"soon"', 'soon'], [int(time) + 600, 'in the future'];
is(claimed($out + 1), '75 true', 'trusted claims issued since');
$dba->do('UPDATE seeme.users SET tokens_valid_from = NULL WHERE id = ?', undef, id_of('vera'));
is(claimed(undef), '75 true', 'and of whatever time while nothing says otherwise');

# What is no token
sign_out(int(time) + 100000);
my ($key) = $dba->selectrow_array('SELECT key FROM seeme_create_api_key(?, ?, user_id => ?)', undef,
    'k', '{*}', id_of('vera'));
is(outcome($key), '75 true', 'an API key is no token');
$door->begin_work;
$door->do('SELECT seeme_assume(?)', undef, id_of('vera'));
is(value($door, $seen), '75 true', 'nor is whom the application assumes');
$door->rollback;
$dba->do(q(UPDATE seeme.users SET database_role = 'signed_vera' WHERE id = ?), undef,
    id_of('vera'));
is(value(connect_to('signed', 'signed_vera'), $seen), '75 true', 'nor is a database role');

# Who says so
my $scim = connect_to('signed', 'signed_scim');
is(sqlstate_of($scim, 'UPDATE seeme.users SET tokens_valid_from = now() WHERE id = ?',
    id_of('vera')), '', 'provisioning signs people out');
is(sqlstate_of($door, 'UPDATE seeme.users SET tokens_valid_from = NULL WHERE id = ?',
    id_of('vera')), '42501', 'threat: a role of the application lets them in again');
is(outcome($token{after}), '28000', 'and out they are');
is(value($dba, q(SELECT after ->> 'tokens_valid_from' IS NOT NULL FROM seeme.audit_log WHERE table_name = 'users' AND database_role = 'signed_scim' ORDER BY id DESC LIMIT 1))
    ? 1 : 0, 1, 'it is in the audit log');

done_testing;
