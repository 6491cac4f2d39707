# What is attacked: two organizations, tables that seeme_protect protects, and the same rows behind
# three schemes that are known to be weak. With these the harness shows that it notices a successful
# attack.
#
# Every title, name or address that an attacker may not see contains the word canary.
package Attacks::World;

use strict;
use warnings;
use Digest::SHA 'hmac_sha256_base64';
use MIME::Base64 'encode_base64';
use SeemeTest ();
use Exporter 'import';

our @EXPORT_OK = qw(build fill id fingerprint changes new_keys tidy %scheme %attacker @modes $database);

our $database = 'attacks';
our @modes = qw(direct session transaction statement);

my @people = qw(oscar olga adam mallory mona rita tina);
my %ids = (
    (map { $people[$_] => sprintf 'a0000000-0000-4000-8000-%012x', $_ + 1 } 0 .. $#people),
    acme => 'b0000000-0000-4000-8000-000000000001',
    globex => 'b0000000-0000-4000-8000-000000000002',
    research => 'c0000000-0000-4000-8000-000000000001',
    sales => 'c0000000-0000-4000-8000-000000000002', labs => 'c0000000-0000-4000-8000-000000000003',
    alpha => 'd0000000-0000-4000-8000-000000000001', beta => 'd0000000-0000-4000-8000-000000000002',
    delta => 'd0000000-0000-4000-8000-000000000003',
    analyst => 'e0000000-0000-4000-8000-000000000001',
    lead => 'e0000000-0000-4000-8000-000000000002',
    hidden_memo => 'f0000000-0000-4000-8000-000000000001',
    own_memo => 'f0000000-0000-4000-8000-000000000002',
    fresh => '99999999-0000-4000-8000-000000000001',
    fresher => '99999999-0000-4000-8000-000000000002',
    (map { $_->[0] => sprintf '00000000-0000-4000-8000-%012d', $_->[1] } [ owner_role => 1 ],
    [ admin_role => 2 ], [ editor_role => 3 ], [ viewer_role => 5 ]),
);

# The models of an attacker. within: somebody else's code runs in a transaction in which this
# person was identified first.
our %attacker = (
    gateway  => { role => 'attack_gateway', person => 'mallory', within => 1,
        what => 'injected SQL in a gateway transaction' },
    token    => { role => 'attack_door', person => 'mallory', within => 1,
    what => 'a role that logs in by API key' },
    mallory  => { role => 'attack_mallory', person => 'mallory',
    what => 'a person with a database role of her own' },
    stranger => { role => 'attack_stranger', what => 'a role with usage that is nobody' },
    maker    => { role => 'attack_maker', person => 'mona',
    what => 'a person who may create objects' },
    rita     => { role => 'attack_rita', person => 'rita',
    what => 'a person whose rights are taken away' },
    narrow   => { role => 'attack_door', person => 'mallory', within => 1, key => 'narrow_key',
    own => '', what => 'a key that reaches less than its user' },
    tina     => { role => 'attack_door', person => 'tina', within => 1,
    what => 'a key that is revoked' },
);

# The schemes. identify: what the application says before anything of the attacker's; victim: what
# forges somebody else.
our %scheme = (
    rbac => {
        papers => 'public.papers', setting => 'seeme_rbac.user_id',
            identity => 'SELECT public.seeme_user_id()',
            me => sub { $_[0] ? $ids{ $_[0] } : undef },
        forged => sub { $ids{oscar} }, title => 'seeme_rbac',
        identify => sub { my ($as, $person) = @_; $as eq 'gateway'
        ? "SELECT public.seeme_assume('$ids{$person}')" : 'SELECT public.seeme_login(\''
        . $ids{ $attacker{$as}{key} // "key_$person" } . "')" },
    },
    guc => {
        papers => 'weak_guc.papers', setting => 'app.user_id',
            identity => q{SELECT current_setting('app.user_id', true)}, me => sub { $_[0] },
        forged => sub { 'oscar' }, title => q{a policy over current_setting('app.user_id')},
        identify => sub { "SELECT set_config('app.user_id', '$_[1]', true)" },
    },
    jwt => {
        papers => 'weak_jwt.papers', setting => 'request.jwt.claims',
            identity => q{SELECT current_setting('request.jwt.claims', true)},
        me => sub { $_[0] && qq({"sub":"$_[0]"}) }, forged => sub { '{"sub":"oscar"}' },
        title => 'Supabase style: request.jwt.claims, SET LOCAL ROLE authenticated',
        identify => sub { qq(SET LOCAL ROLE attack_authenticated; SELECT set_config('request.jwt.claims', '{"sub":"$_[1]"}', true)) },
    },
    role => {
        papers => 'weak_role.papers', setting => 'role', identity => 'SELECT current_user',
            me => sub { $_[0] ? "weak_$_[0]" : 'attack_authenticator' },
        forged => sub { 'weak_oscar' },
        title => 'SET ROLE: a role for each person, policies over current_user',
        login => 'attack_authenticator',
        identify => sub { "SET LOCAL ROLE weak_$_[1]" },
    },
);

sub id { return $ids{ $_[0] } // die "no id for $_[0]" }

my $parallel;    # the setting that has parallel workers used; its name depends on the version

# fill(statement, scheme): {name} becomes an id, or what the scheme calls it.
sub fill {
    my ($sql, $scheme) = @_;
    my $is = $scheme{ $scheme // 'rbac' };
    my %said = (papers => $is->{papers}, setting => $is->{setting}, forged => $is->{forged}->(),
        host => $ENV{PGHOST}, port => $ENV{PGPORT}, parallel => $parallel);
    $sql =~ s/\{(\w+)\}/$said{$1} \/\/ $ids{$1} \/\/ "{$1}"/ge;
    return $sql;
}

my $watched;    # the query of fingerprint()

# Roles of attackers and of the weak schemes; a database with everything in it. The connection of
# its administrator.
sub build {
    SeemeTest::create_roles('attack_app NOLOGIN',
        (map { "$_ LOGIN IN ROLE attack_app" } qw(attack_gateway attack_door attack_mallory attack_stranger attack_maker attack_rita)),
        'attack_oscar LOGIN IN ROLE attack_app', 'attack_authenticated NOLOGIN',
        'attack_authenticator LOGIN', 'weak_mallory NOLOGIN', 'weak_oscar NOLOGIN');
    SeemeTest::create_database($database, 'seeme_rbac', 'dblink', 'postgres_fdw');
    my $dba = SeemeTest::connect_to($database);
    $parallel = $dba->{pg_server_version} >= 160000 ? 'debug_parallel_query'
        : 'force_parallel_mode';
    # Nobody waits for long, whatever goes wrong.
    $dba->do("ALTER DATABASE $database SET lock_timeout = '1s'");
    $dba->do("ALTER DATABASE $database SET statement_timeout = '10s'");
    $dba = SeemeTest::connect_to($database);
    $dba->do('SET search_path = pg_catalog, public');
    $dba->do(q{SELECT seeme_grant_usage('attack_app')});
    $dba->do('GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO attack_gateway');
    $dba->do('INSERT INTO seeme.users (id, username, email, firstname, name, database_role) VALUES (?, ?, ?, ?, ?, ?)', undef, $ids{$_},
        (/oscar|olga|adam/ ? ("canary-$_", "canary-$_\@example.com", 'Canary')
        : ($_, "$_\@example.com", ucfirst)), 'Test', /oscar|mallory|rita/ ? "attack_$_" : /mona/
        ? 'attack_maker' : undef)
        for @people;
    $dba->do(s/\{(\w+)\}/$ids{$1} ? "'$ids{$1}'" : "{$1}"/ger) for split /;\n/, <<'SQL';
INSERT INTO seeme.organizations (id, name, slug, owner_id) VALUES ({acme}, 'Acme', 'acme', {olga}), ({globex}, 'canary Globex', 'canary-globex', {oscar});
INSERT INTO seeme.teams (id, organization_id, name, slug) VALUES ({research}, {acme}, 'Research', 'research'), ({sales}, {acme}, 'canary Sales', 'canary-sales'), ({labs}, {globex}, 'canary Labs', 'canary-labs');
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug) VALUES
  ({alpha}, {acme}, {research}, 'Alpha', 'alpha'), ({beta}, {acme}, {sales}, 'canary Beta', 'canary-beta'), ({delta}, {globex}, {labs}, 'canary Delta', 'canary-delta');
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES ({analyst}, {globex}, 'canary Analyst', '{models:list,models:read}'),
  ({lead}, {acme}, 'Lead', '{datasets:list,datasets:read,datasets:create,datasets:update,models:list,models:read,models:create,models:update,models:share,projects:read,projects:update}');
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES ({acme}, {adam}, {admin_role}), ({acme}, {mallory}, NULL), ({acme}, {mona}, NULL), ({acme}, {rita}, NULL), ({acme}, {tina}, NULL);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES
  ({acme}, {alpha}, {mallory}, {editor_role}), ({acme}, {alpha}, {mona}, {lead}), ({acme}, {alpha}, {rita}, {editor_role}), ({acme}, {alpha}, {tina}, {editor_role});
CREATE TABLE public.papers (id int PRIMARY KEY, project_id uuid NOT NULL, title text NOT NULL, kind text NOT NULL, CONSTRAINT short_title CHECK (length(title) < 100));
CREATE INDEX ON public.papers (project_id);
INSERT INTO public.papers SELECT i, {alpha}::uuid, 'open ' || i, 'green' FROM generate_series(1, 5) AS i;
INSERT INTO public.papers SELECT i, CASE WHEN i < 21 THEN {beta} ELSE {delta} END::uuid, 'canary ' || i, 'blue' FROM generate_series(11, 25) AS i;
CREATE TABLE public.memos (id uuid PRIMARY KEY, owner_id uuid, body text NOT NULL);
CREATE INDEX ON public.memos (owner_id);
INSERT INTO public.memos VALUES ({hidden_memo}, {oscar}, 'canary memo'), ({own_memo}, {mallory}, 'open memo');
SELECT seeme_protect('public.papers', 'datasets', project_column => 'project_id');
SELECT seeme_protect('public.memos', 'models', resource_id_column => 'id', owner_column => 'owner_id');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ({delta}, 'model', {hidden_memo});
ANALYZE public.papers;
ANALYZE public.memos;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.papers, public.memos TO attack_app;
CREATE SCHEMA workshop;
CREATE SCHEMA weak_guc;
CREATE SCHEMA weak_jwt;
CREATE SCHEMA weak_role;
GRANT weak_mallory, weak_oscar TO attack_authenticator;
GRANT attack_authenticated TO attack_gateway;
GRANT USAGE ON SCHEMA weak_guc TO attack_gateway;
GRANT USAGE ON SCHEMA weak_jwt TO attack_authenticated, attack_gateway;
GRANT USAGE ON SCHEMA weak_role TO attack_authenticator, weak_mallory, weak_oscar;
SQL
    for my $weak ([ weak_guc => 'attack_gateway', q{owner = current_setting('app.user_id', true)} ],
        [ weak_jwt => 'attack_authenticated',
            q{owner = nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub'} ],
        [ weak_role => 'attack_authenticator, weak_mallory, weak_oscar',
            q{'weak_' || owner = current_user} ]) {
        my ($schema, $grantees, $policy) = @$weak;
        $dba->do("CREATE TABLE $schema.papers AS SELECT id, title, kind, CASE WHEN id < 11 THEN 'mallory' ELSE 'oscar' END AS owner FROM public.papers");
        $dba->do("ALTER TABLE $schema.papers ADD PRIMARY KEY (id), ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
        $dba->do("CREATE POLICY own ON $schema.papers USING ($policy)");
        $dba->do("GRANT SELECT, INSERT, UPDATE, DELETE ON $schema.papers TO $grantees");
    }
    new_keys($dba);
    new_tokens($dba);
    allow_making($dba);
    # Planning it takes longer than running it.
    $dba->do("PREPARE watched AS $watched");
    return $dba;
}

# Keys that say nothing but who somebody is. They are made anew where an attack was given one to
# lose.
sub new_keys {
    my ($dba, @people) = @_;
    ($ids{"key_$_"}, $ids{"key_id_$_"}) = $dba->selectrow_array(q{SELECT key, id FROM seeme_create_api_key('a key', '{*}', user_id => ?)}, undef, $ids{$_})
        for @people ? @people : qw(mallory mona tina oscar);
    # One that reaches less than its user does.
    ($ids{narrow_key}) = $dba->selectrow_array(q{SELECT key FROM seeme_create_api_key('a narrow key', '{models:read}', user_id => ?)}, undef, $ids{mallory})
        unless @people;
}

# Signed tokens: good ones of people who may attack, and of the victim what an attacker could make
# of them without the secret.
sub new_tokens {
    my ($dba) = @_;
    my $secret = 'a secret of thirty-two bytes, ok.';
    my $encode = sub { encode_base64url($_[0]) };
    $dba->do(q{SELECT seeme_import_jwks(?, 'https://id.example', 'attack', 'HS256')}, undef,
        '{"keys": [{"kty": "oct", "kid": "shared", "k": "' . $encode->($secret) . '"}]}');
    my $make = sub {
        my ($person, %is) = @_;
        my $header = $is{header} // '{"alg":"HS256","kid":"shared"}';
        my $exp = $is{exp} // time + 3600;
        my $aud = $is{aud} // 'attack';
        my $said = join '.', map { $encode->($_) } $header,
            qq({"iss":"https://id.example","aud":"$aud","sub":"$ids{$person}","exp":$exp});
        return "$said." . ($is{signature} // hmac_sha256_base64url($said, $is{secret} // $secret));
    };
    $ids{jwt_mallory} = $make->('mallory');
    $ids{jwt_mona} = $make->('mona');
    $ids{jwt_expired} = $make->('oscar', exp => time - 3600);
    $ids{jwt_elsewhere} = $make->('oscar', aud => 'elsewhere');
    $ids{jwt_none} = $make->('oscar', header => '{"alg":"none"}', signature => '');
    $ids{jwt_none_kid} = $make->('oscar', header => '{"alg":"none","kid":"shared"}');
    $ids{jwt_guessed} = $make->('oscar', secret => 'secret');
    $ids{jwt_own_key} = $make->('oscar', secret => 'x' x 32,
        header => '{"alg":"HS256","kid":"shared","jwk":{"kty":"oct","k":"' . $encode->('x' x 32)
        . '"}}');
    # The victim's payload under the attacker's signature
    $ids{jwt_swapped} = join '.', (split /\./, $ids{jwt_mallory})[0],
        (split /\./, $ids{jwt_expired})[1], (split /\./, $ids{jwt_mallory})[2];
}
sub encode_base64url { my $text = encode_base64($_[0], ''); $text =~ tr{+/=}{-_}d; return $text }
sub hmac_sha256_base64url { my $text = hmac_sha256_base64(@_); $text =~ tr{+/=}{-_}d; return $text }

sub allow_making {
    $_[0]->do('GRANT CREATE, USAGE ON SCHEMA public, workshop TO attack_maker; GRANT USAGE ON SCHEMA workshop TO attack_app')
}

# After an attack: what the attackers made goes, and their connections with it.
sub tidy {
    my ($dba) = @_;
    $dba->do('DROP OWNED BY attack_maker, attack_mallory, attack_stranger, attack_rita, attack_door CASCADE');
    $dba->do("ALTER ROLE $_ RESET ALL")
        for SeemeTest::rows($dba,
        "SELECT DISTINCT setrole::regrole FROM pg_db_role_setting WHERE setrole::regrole::text LIKE 'attack%'");
    allow_making($dba);
}

# Everything that no attacker may change: rows that are not theirs, and what stands between them
# and these rows.
my @watched = (
    (map { [ "seeme.$_" => "SELECT x::text FROM seeme.$_ x" ] }
        qw(users organizations teams projects roles memberships project_resources invitations api_keys token_keys external_identities permissions resource_types protected_tables logos retired_ids released_resources)),
    [ 'the papers of others' =>
        "SELECT x::text FROM public.papers x WHERE project_id <> '$ids{alpha}'" ],
    [ 'how many papers there are in the attackers\' project' =>
        "SELECT count(*)::text FROM public.papers x WHERE project_id = '$ids{alpha}'" ],
    [ 'the memos of others' =>
        "SELECT x::text FROM public.memos x WHERE owner_id IS DISTINCT FROM '$ids{mallory}'" ],
    (map { [ "$_->{papers} of others" =>
    "SELECT x::text FROM $_->{papers} x WHERE owner <> 'mallory'" ] } map {
    $scheme{$_} } qw(guc jwt role)),
    [ 'roles' => "SELECT concat_ws(' ', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls) FROM pg_roles" ],
    [ 'memberships of roles' => 'SELECT x::text FROM pg_auth_members x' ],
    [ 'settings of databases and of other roles' =>
        "SELECT x::text FROM pg_db_role_setting x WHERE setrole = 0 OR setrole::regrole::text NOT LIKE 'attack%'" ],
    [ 'tables' => "SELECT concat_ws(' ', oid, relname, relkind, relowner, relacl, relrowsecurity, relforcerowsecurity, relhassubclass) FROM pg_class
                    WHERE relnamespace = 'seeme'::regnamespace AND relkind <> 'S' OR oid IN ('public.papers'::regclass, 'public.memos'::regclass)" ],
    [ 'columns and their grants' =>
        "SELECT concat_ws(' ', attrelid, attname, atttypid, attacl) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
                    WHERE relnamespace = 'seeme'::regnamespace OR attrelid IN ('public.papers'::regclass, 'public.memos'::regclass)" ],
    [ 'policies' => "SELECT concat_ws(' ', polrelid, polname, polcmd, polpermissive, polroles, polqual, polwithcheck) FROM pg_policy p
                      WHERE EXISTS (SELECT FROM pg_class c WHERE c.oid = polrelid AND c.relowner = 10)" ],
    [ 'triggers' => "SELECT concat_ws(' ', tgrelid, tgname, tgfoid, tgenabled) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE c.relowner = 10" ],
    [ 'rules' => "SELECT concat_ws(' ', ev_class, rulename, ev_enabled) FROM pg_rewrite t JOIN pg_class c ON c.oid = ev_class WHERE c.relowner = 10 AND c.relnamespace >= 16384" ],
    [ 'functions' => "SELECT concat_ws(' ', p.oid, proname, proowner, proacl, prosecdef, proconfig, prosrc, probin) FROM pg_proc p WHERE proowner = 10 AND p.oid >= 16384" ],
    [ 'schemas' => "SELECT concat_ws(' ', nspname, nspowner, nspacl) FROM pg_namespace WHERE nspname IN ('seeme', 'pg_catalog')" ],
    [ 'extensions' => 'SELECT concat_ws(\' \', extname, extowner, extversion) FROM pg_extension' ],
    [ 'event triggers' => 'SELECT evtname::text FROM pg_event_trigger' ],
    [ 'server settings' => "SELECT concat_ws(' ', name, setting) FROM pg_file_settings" ],
    [ 'default privileges' =>
        'SELECT concat_ws(\' \', defaclrole, defaclacl) FROM pg_default_acl WHERE defaclrole = 10' ],
    [ 'replication slots' => 'SELECT slot_name::text FROM pg_replication_slots' ],
);
$watched = join ' UNION ALL ',
    map { my ($what, $sql) = @$_; $what =~ s/'/''/g;
    "SELECT '$what', md5(coalesce(string_agg(t, '' ORDER BY t), '')) FROM ($sql) AS x (t)" } @watched;

sub fingerprint {
    my ($dba) = @_;
    my ($last) = $dba->selectrow_array('SELECT coalesce(max(id), 0) FROM seeme.audit_log');
    return { print => watched($dba), last => $last, log => entries($dba, $last) };
}
sub watched { return { map { @$_ } @{ $_[0]->selectall_arrayref('EXECUTE watched') } } }
sub entries {
    my ($dba, $last) = @_;
    return ($dba->selectrow_array("SELECT count(*) || ' ' || md5(coalesce(string_agg(md5(x::text), '' ORDER BY id), '')) FROM seeme.audit_log x WHERE id <= ?", undef, $last))[0]
}

# changes(dba, before, allowed...): what is not as it was.
sub changes {
    my ($dba, $before, @allowed) = @_;
    my $now = watched($dba);
    my %allowed = map { $_ => 1 } @allowed;
    my @changed = grep { $now->{$_} ne $before->{print}{$_} && !$allowed{$_} } sort keys %$now;
    push @changed, 'the audit log as it was before'
        if entries($dba, $before->{last}) ne $before->{log};
    return @changed;
}

1;
