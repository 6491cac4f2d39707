# Signed tokens, signed by an independent implementation (CryptX): which are accepted and which are
# refused; refusals give nothing away; keys that change under a login; what is cached of tokens;
# expiry; and fuzzed tokens do no harm to a backend.
use strict;
use warnings;
use feature 'current_sub';
use Crypt::Digest::SHA256 qw(sha256);
use Crypt::Mac::HMAC qw(hmac);
use Crypt::PK::ECC;
use Crypt::PK::Ed25519;
use Crypt::PK::RSA;
use JSON::PP;
use Math::BigInt;
use MIME::Base64 qw(encode_base64url decode_base64url encode_base64);
use SeemeTest;
use Test::More;
use Time::HiRes qw(time sleep);

alarm 480;
create_roles('tokens_app NOLOGIN', 'tokens_door LOGIN IN ROLE tokens_app',
    'tokens_stay LOGIN IN ROLE tokens_app');
create_database('tokens', 'seeme_rbac');
my $dba = connect_to('tokens');
make_world($dba, 'tokens_app');
$dba->do('ALTER ROLE tokens_stay SET seeme_rbac.session_login = on');

# What PostgreSQL writes to its log, from here on. It runs as the same user as this script.
my ($postmaster) = split /\n/, value($dba, "SELECT pg_read_file('postmaster.pid')");
my $server_log = readlink("/proc/$postmaster/fd/2") // BAIL_OUT("the server's log: $!");
my $log_start = -s $server_log // BAIL_OUT("$server_log: $!");

my $door = connect_to('tokens', 'tokens_door');
my $login = 'SELECT seeme_login(?)';
my $seen = 'SELECT count(*) FROM papers';

# Keys

sub ec_key { my $key = Crypt::PK::ECC->new; $key->generate_key($_[0] // 'secp256r1'); return $key; }
sub rsa_key { my $key = Crypt::PK::RSA->new; $key->generate_key($_[0] // 256); return $key; }
my %key = (ec => ec_key(), ec_stranger => ec_key(), rsa => rsa_key(), rsa_stranger => rsa_key(),
    hmac => join('', map { chr rand 256 } 1 .. 32),
    ed => Crypt::PK::Ed25519->new->generate_key);
my ($issuer, $audience) = ('https://id.example.com/', 'papers');

sub jwk {
    my ($key, %more) = @_;
    my $jwk = ref $key ? $key->export_key_jwk('public', 1)
        : { kty => 'oct', k => encode_base64url($key) };
    return { %$jwk, %more };
}
sub import_keys {
    my (%to) = @_;
    return value($dba, 'SELECT seeme_import_jwks(?, ?, ?, subject_kind => ?)',
        encode_json({ keys => $to{keys} }), $to{issuer} // $issuer, $to{audience} // $audience,
        $to{subject_kind} // 'user_id');
}
my @set = (jwk($key{ec}, kid => 'ec', alg => 'ES256'), jwk($key{rsa}, kid => 'rsa', alg => 'RS256'),
    jwk($key{hmac}, kid => 'hmac', alg => 'HS256'));
is(import_keys(keys => \@set), 3, 'a key set that another implementation has written is imported');

# Tokens: header and payload are JSON texts, as they stand.

sub signature {
    my ($algorithm, $key, $input) = @_;
    return $key->sign_message_rfc7518($input, 'SHA256') if $algorithm eq 'ES256';
    return $key->sign_message($input, 'SHA256', 'v1.5') if $algorithm eq 'RS256';
    return $key->sign_message($input, 'SHA256', 'pss', 32) if $algorithm eq 'PS256';
    return $key->sign_message($input) if $algorithm eq 'EdDSA';
    # An empty key is one of zeros.
    return hmac('SHA256', length $key ? $key : "\0", $input) if $algorithm eq 'HS256';
    die $algorithm;
}
sub sign {
    my ($algorithm, $key, $header, $payload) = @_;
    my $input = encode_base64url($header) . '.' . encode_base64url($payload);
    return $input . '.' . encode_base64url(signature($algorithm, $key, $input));
}
# object(name => JSON text, ...): what is undef is left out.
sub object {
    my (@members) = @_;
    my @texts;
    while (my ($name, $text) = splice @members, 0, 2) { push @texts, qq("$name":$text)
        if defined $text; }
    return '{' . join(',', @texts) . '}';
}
sub quoted { my ($text) = @_; return qq("$text"); }
sub payload {
    my (%change) = @_;
    my %claims = (iss => quoted($issuer), aud => quoted($audience), sub => quoted(id_of('paul')),
        exp => int(time) + 3600, %change);
    return object(map { $_ => $claims{$_} } sort keys %claims);
}
my %algorithm = (ec => 'ES256', rsa => 'RS256', hmac => 'HS256');
# token('ec', { header members }, { claims }): good unless a change makes it otherwise.
sub token {
    my ($name, $header, $claims) = @_;
    my %header = (alg => quoted($algorithm{$name}), kid => quoted($name), typ => '"JWT"',
        %{ $header // {} });
    return sign($algorithm{$name}, $key{$name}, object(map { $_ => $header{$_} } sort keys %header),
        payload(%{ $claims // {} }));
}

# What becomes of a login: the person, or the SQLSTATE; everything that the error says is kept.
my (%complaint, @refused);
sub outcome {
    my ($dbh, $token) = @_;
    $dbh->begin_work;
    my $who = eval { value($dbh, $login, $token) };
    if (defined $who) {
        my $papers = value($dbh, $seen);
        $dbh->rollback;
        my ($name) = grep { id_of($_) eq lc $who } qw(olga adam edith vera tess paul dora oscar gina stan);
        return ($name // $who) . " $papers";
    }
    my $state = $dbh->state;
    my $said = join ' | ',
        map { $dbh->pg_error_field($_) // '' } qw(severity state message_primary message_detail message_hint schema table column constraint);
    $complaint{$said}++;
    $dbh->rollback;
    push @refused, $token;
    return $state;
}
sub taken {
    my ($token, $name, $who) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(outcome($door, $token), $who // 'paul 25', $name);
}
sub refused {
    my ($token, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(outcome($door, $token), '28000', "threat: $name");
}

# Forms that are taken

taken(token($_), "$algorithm{$_}: a token") for sort keys %algorithm;
taken(token('ec', { typ => $_->[0] }), 'a token ' . $_->[1]) for [undef, 'without a type'],
    ['"jwt"', 'of type jwt'], ['"at+jwt"', 'of type at+jwt'],
    ['"application/at+jwt"', 'of type application/at+jwt'];
taken(token('ec', {}, { aud => $_->[0] }), "an audience $_->[1]")
    for [qq(["$audience"]), 'in a list of its own'], [qq(["x","$audience","y"]), 'among others'];
taken(token('ec', {}, { sub => quoted(uc id_of('paul')) }), 'a subject in upper case');
taken(token('ec', {}, { exp => $_->[0] }), "an expiry $_->[1]")
    for [time + 60.5, 'with a fraction'], [int(time) - 10, 'that has passed within the leeway'],
    ['9e10', 'in scientific notation'], [253402300799, 'at the end of the year 9999'];
taken(token('ec', {}, { nbf => $_->[0] }), "not before $_->[1]")
    for [int(time) - 60, 'a minute ago'], [int(time) + 10, 'ten seconds ahead, within the leeway'],
    [0, 'the epoch'];
taken(token('ec', {},
    { iat => $_, jti => '"x"', 'https://example.com/x' => '{"a":[1,2,{"b":null}]}' }),
    "claims that are nobody's business here, iat $_") for int(time), '"soon"';
taken(token('ec', { x => '"\u00e9"' }, { name => '"Zo\u00eb \ud83d\ude00"' }),
    'characters beyond ASCII');
{
    # Signers do not choose the smaller s: as many tokens have the larger one.
    my $order = Math::BigInt->from_hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
    my ($input, $signature) = token('ec') =~ /^(.*)\.(.*)$/;
    my ($r, $s) = unpack '(H64)2', decode_base64url($signature);
    my $other = substr('0' x 64 . $order->copy->bsub(Math::BigInt->from_hex($s))->to_hex, -64);
    taken("$input." . encode_base64url(pack '(H64)2', $r, $s), 'ES256: a signature');
    taken("$input." . encode_base64url(pack '(H64)2', $r, $other),
        'ES256: and the same with the other s');
    refused("$input." . encode_base64url(pack '(H64)2', @$_), "ES256: r, s of $_->[2]")
        for ['0' x 64, '0' x 64, '0, 0'], [$r, '0' x 64, 'r, 0'], ['0' x 64, $s, '0, s'],
            [$s, $r, 's, r'], [$order->to_hex, $order->to_hex, 'the order'],
            ['f' x 64, 'f' x 64, 'all ones'], [('0' x 63 . '1') x 2, '1, 1'];
    refused("$input." . encode_base64url(pack 'H*', '00' . $r . '00' . $s),
        'ES256: r and s of 33 bytes');
    refused("$input." . encode_base64url($key{ec}->sign_message($input, 'SHA256')),
        'ES256: a signature in DER');
    refused("$input." . encode_base64url(pack('(H64)2', $r, $s) . "\0"), 'ES256: one byte more');
}

# Algorithms that the token chooses

for my $none (qw(none None NONE nOnE), 'none ', '', 'null') {
    for my $kid (qw(ec rsa hmac nobody)) {
        my $input = encode_base64url(object(alg => quoted($none), kid => quoted($kid),
            typ => '"JWT"')) . '.' . encode_base64url(payload());
        refused("$input.$_->[1]", "alg \"$none\" under $kid, $_->[0]") for ['no signature', ''],
            ['any signature', 'AAAA'];
    }
}
refused(encode_base64url(object(alg => '"none"')) . '.' . encode_base64url(payload()),
    'alg none in two parts');
for my $name (qw(rsa ec)) {
    my $public = $key{$name};
    my %secret = (
        'PEM' => $public->export_key_pem('public'), 'PEM without the last newline' =>
            $public->export_key_pem('public') =~ s/\n\z//r,
        'DER' => $public->export_key_der('public'), 'JWK' => $public->export_key_jwk('public'),
        'nothing' => '', 'its JWK as imported' =>
        value($dba, 'SELECT jwk::text FROM seeme.token_keys WHERE kid = ?', $name),
        $name eq 'rsa' ? ('PEM of X.509' => $public->export_key_pem('public_x509'),
        'its modulus' => decode_base64url($public->export_key_jwk('public', 1)->{n}),
        'its modulus in base64' => $public->export_key_jwk('public', 1)->{n})
        : ('raw' => $public->export_key_raw('public'), 'raw and compressed' =>
            $public->export_key_raw('public_compressed'),
            'its x' => decode_base64url($public->export_key_jwk('public', 1)->{x})),
    );
    refused(sign('HS256', $secret{$_}, object(alg => '"HS256"', kid => quoted($name)), payload()),
        "HS256 under the $name key with $_ for a secret") for sort keys %secret;
}
for my $kid (qw(ec rsa hmac)) {
    for my $name (grep { $_ ne $kid } qw(ec rsa hmac)) {
        refused(sign($algorithm{$name}, $key{$name},
            object(alg => quoted($algorithm{$name}), kid => quoted($kid)), payload()),
            "$algorithm{$name} by a key of ours under the kid $kid");
        refused(sign($algorithm{$name}, $key{$name},
            object(alg => quoted($algorithm{$kid}), kid => quoted($kid)), payload()),
            "$algorithm{$name} called $algorithm{$kid} under the kid $kid");
    }
}
refused(sign('PS256', $key{rsa}, object(alg => quoted($_), kid => '"rsa"'), payload()),
    "PSS padding, called $_") for qw(PS256 RS256);
refused(sign('EdDSA', $key{ed}, object(alg => '"EdDSA"', kid => quoted($_)), payload()),
    "EdDSA under the kid $_") for qw(ec rsa hmac);
refused(sign('ES256', $key{ec}, object(alg => quoted($_), kid => '"ec"'), payload()),
    "alg $_ for an ES256 key") for 'ES384', 'es256', 'ES256 ', 'ES256\u0000', 'A' x 300, 'dir',
    'RSA-OAEP';
refused(sign('ES256', $key{ec}, object(alg => $_, kid => '"ec"'), payload()), "alg is $_")
    for 'null', '1', 'true', '["ES256"]', '{"alg":"ES256"}';
refused(token('ec', { alg => undef }), 'no alg');

# Keys that the token brings along

for my $stranger (['ec_stranger', 'ES256', 'ec'], ['rsa_stranger', 'RS256', 'rsa']) {
    my ($name, $algorithm, $kid) = @$stranger;
    my $own = encode_json(jwk($key{$name}, kid => $kid));
    my $der = encode_base64($key{$name}->export_key_der('public'), '');
    for my $bring ([jwk => $own], [jku => '"https://evil.example/jwks"'],
        [x5u => '"https://evil.example/x5"'], [x5c => qq(["$der"])], [x5t => '"AAAA"'],
        [jwk => $own, jku => '"file:///etc/passwd"']) {
        refused(sign($algorithm, $key{$name},
            object(alg => quoted($algorithm), kid => quoted($kid), @$bring), payload()),
            "a stranger's $algorithm token under the kid $kid brings $bring->[0]");
    }
    refused(sign($algorithm, $key{$name}, object(alg => quoted($algorithm), jwk => $own),
        payload()), "a stranger's $algorithm token without a kid brings its key");
}
taken(token('ec', { jwk => encode_json(jwk($key{ec_stranger})) }),
    'a key that a token brings along is no more than ignored');

# Headers

refused(token('ec', { $_->[0] => $_->[1] }), "$_->[0] is $_->[1]") for [crit => '["exp"]'],
    [crit => '[]'], [crit => 'null'], [crit => '"b64"'], [b64 => 'false'], [b64 => 'true'],
    [zip => '"DEF"'], [typ => '"JWE"'], [typ => '"dpop+jwt"'], [typ => '"JWT "'],
    [typ => '1'], [typ => 'null'], [typ => '["JWT"]'], [typ => '""'], [typ => quoted('J' x 100)];
for my $kid (undef, 'null', '""', '1', '1.0', 'true', '["ec"]', '{"ec":"ec"}', '"EC"', '"ec "',
    '" ec"', '"nobody"', '"ec\u0000"', '"ec\u0000x"', '"\u0000"', q("' OR '1'='1"), q("ec' --"),
    q("ec'; DROP TABLE seeme.users; --"), '"%"', '"e_"', '"../../ec"', '"/dev/null"',
    quoted('k' x 255), quoted('k' x 256), quoted('k' x 5000), '"\ud800"', '"\u0435c"')
{
    refused(token('ec', { kid => $kid }), 'kid is '
        . (defined $kid ? substr $kid, 0, 40 : 'missing'));
}
refused(sign('ES256', $key{ec}, $_->[1], payload()), "the header is $_->[0]")
    for ['empty', ''], ['{}', '{}'], ['an array', '[{"alg":"ES256","kid":"ec"}]'],
        ['a string', '"ES256"'], ['null', 'null'], ['cut off', '{"alg":"ES256","kid":"ec"'],
        ['two objects', '{"alg":"ES256","kid":"ec"}{}'],
        ['with a comment', '{"alg":"ES256","kid":"ec"}//'],
    ['without quotes', '{alg:"ES256",kid:"ec"}'],
        ['no UTF-8', qq({"alg":"ES256","kid":"ec","x":"\xff\xfe"})],
        ['UTF-16', join("\0", split //, '{"alg":"ES256","kid":"ec"}') . "\0"],
        ['with a byte order mark', qq(\xef\xbb\xbf{"alg":"ES256","kid":"ec"})],
        ['deep', '{"alg":"ES256","kid":"ec","x":' . '[' x 3000 . ']' x 3000 . '}'],
    ['with two kids', '{"alg":"ES256","kid":"nobody","kid":"ec"}'],
        ['with two kids, the good one first', '{"alg":"ES256","kid":"ec","kid":"nobody"}'],
        ['with two algs', '{"alg":"none","alg":"ES256","kid":"ec"}'],
        ['with one kid twice, written differently', '{"alg":"ES256","kid":"ec","\u006bid":"ec"}'];

# Claims

refused(token('ec', {}, { iss => $_ }), 'iss is ' . ($_ // 'missing')) for undef, 'null', '""', '1',
    '"https://id.example.com"', '"https://id.example.com/ "', '"HTTPS://ID.EXAMPLE.COM/"',
    '"https://evil.example/"', qq(["$issuer"]), qq({"iss":"$issuer"}),
    q("https://id.example.com/\u0000");
refused(token('ec', {}, { aud => $_ }), 'aud is ' . ($_ // 'missing')) for undef, 'null', '""',
    '[]', '"paper"', '"papers2"', '"Papers"', '"papers "', '["paper"]', '[1]', '["papers",1]',
    '[null,"papers"]', '[["papers"]]', '{"papers":"papers"}', '1', '"papers\u0000"', '"*"';
refused(token('ec', {}, { sub => $_ }), 'sub is ' . ($_ // 'missing')) for undef, 'null', '""', '1',
    'true', '["' . id_of('paul') . '"]', '"paul"', '"f0000000-0000-4000-8000-00000000ffff"',
    quoted(id_of('dora')), quoted('{' . id_of('paul') . '}'), quoted(id_of('paul') =~ tr/-//dr),
    quoted(id_of('paul') . ' '), quoted(' ' . id_of('paul')),
    quoted(id_of('paul') . '/' . id_of('paul')), quoted(id_of('paul') . '@0'),
    quoted(id_of('paul') . '\u0000'), quoted('x' x 255), quoted('x' x 256), quoted('x' x 4000),
    '"00000000-0000-0000-0000-000000000000"';
refused(token('ec', {}, { exp => $_ }), 'exp is ' . ($_ // 'missing')) for undef, 'null',
    '"' . (int(time) + 3600) . '"', 'true', '[]', '{}', -1, '-9e99', 'NaN', 'Infinity', '-Infinity',
    '1e400', '-1e400', '1e308', '1' . '0' x 40, 0, '-0', 1, int(time) - 31, int(time) - 3600,
    253402300800, '9e15', '18446744073709551617', '9223372036854775807', '0x7fffffff', '01',
    '+9999999999', '9999999999.', '.5e11';
refused(token('ec', {}, { nbf => $_ }), "nbf is $_") for int(time) + 45, int(time) + 3600, '"0"',
    'null', '[]', 'NaN', '1e400', -1, 253402300800;
refused(sign('ES256', $key{ec}, object(alg => '"ES256"', kid => '"ec"'), $_->[1]),
    "the payload is $_->[0]")
    for ['empty', ''], ['{}', '{}'], ['an array', '[' . payload() . ']'], ['a string', '"paul"'],
        ['null', 'null'], ['a number', '1'], ['cut off', substr payload(), 0, -1],
        ['two objects', payload() . payload()], ['followed by a NUL', payload() . "\0"],
    ['no UTF-8', payload(x => qq("\xc3\x28"))], ['Latin-1', payload(name => qq("Zo\xeb"))],
        ['overlong UTF-8', payload(x => qq("\xc0\x80"))],
        ['a surrogate in UTF-8', payload(x => qq("\xed\xa0\x80"))],
        ['a lone surrogate', payload(x => '"\ud800"')],
        ['with a NUL in a string', payload(x => '"\u0000"')],
        ['with a raw control character', payload(x => qq("\n"))],
    ['UTF-16', join("\0", split //, payload()) . "\0"],
        ['deep', payload(x => '[' x 3000 . ']' x 3000)],
        ['deep objects', payload(x => '{"a":' x 1000 . '1')],
    (map { my ($name, $bad) = @$_;
    (["with two $name, the good one last", payload(nbf => 1) =~ s/^\{/{"$name":$bad,/r],
    ["with two $name, the good one first", payload(nbf => 1) =~ s/\}$/,"$name":$bad}/r]) } [sub =>
    quoted(id_of('olga'))], [exp => 1], [iss => '"x"'], [aud => '"x"'], [nbf => 0]),
    ['with two equal x', payload(x => '1,"x":1')],
        ['with a sub within an object twice', payload(x => '{"a":1,"a":2}')];
taken(token('ec', {}, { x => '[' x 500 . ']' x 500 }), 'five hundred brackets are no harm');

# Forms

my $good = token('ec');
my ($head, $body, $tail) = split /\./, $good;
refused($_->[1], "a token $_->[0]")
    for ['without its signature', "$head.$body."], ['of two parts', "$head.$body"],
        ['of one part', $head], ['that is empty', ''], ['that is a dot', '.'],
        ['of two dots', '..'], ['of three dots', '...'], ['without a header', ".$body.$tail"],
        ['without a payload', "$head..$tail"], ['of four parts', "$good.$tail"],
        ['of five parts', "$good.$tail.$tail"],
    ['with a dot behind', "$good."], ['with a dot before', ".$good"],
        ['with a space behind', "$good "], ['with a space before', " $good"],
        ['with a newline behind', "$good\n"], ['with a newline within', "$head.\n$body.$tail"],
        ['with a tab', "$head.$body\t.$tail"], ['with padding', "$head.$body.$tail=="],
        ['with padding at its header', "$head=.$body.$tail"],
    ['called Bearer', "Bearer $good"], ['in quotes', qq("$good")], ['twice', $good . $good],
        ['twice, parted', "$good,$good"],
        ['with a letter that is none of these', "$head.$body.$tail\x{e9}"],
        ['with full-width dots', "$head\x{ff0e}$body\x{ff0e}$tail"],
        ['with a zero-width space', "$head.$body.$tail\x{200b}"],
        ['in plain base64', "$head.$body." . substr($tail, 0, -1) . '+'],
    ['in JSON, flattened', qq({"protected":"$head","payload":"$body","signature":"$tail"})],
        ['in JSON', qq({"payload":"$body","signatures":[{"protected":"$head","signature":"$tail"}]})], ['that is encrypted', join '.', encode_base64url('{"alg":"dir","enc":"A128GCM","kid":"hmac"}'), '', 'AAAAAAAAAAAAAAAA', 'AAAA', 'AAAAAAAAAAAAAAAAAAAAAA'],
    ['with its payload empty and its own signature',
        do { my $input = encode_base64url(object(alg => '"ES256"', kid => '"ec"')) . '.'; "$input."
        . encode_base64url(signature('ES256', $key{ec}, $input)) }],
    ['in upper case', uc $good], ['in reverse', scalar reverse $good],
        ['like an API key', "seeme_key_$good"],
        ['with another\'s payload', join '.', $head,
        (split /\./, token('ec', {}, { sub => quoted(id_of('olga')) }))[1], $tail];
is(value($door, 'SELECT octet_length(?)', $_), length, 'a token of ' . length() . ' bytes is '
    . (length > 8192 ? 'one too many' : 'allowed'))
    && (length > 8192 ? refused($_, 'a token of ' . length() . ' bytes') : taken($_, 'and taken'))
    for map { my $size = $_; my $best;
        for my $n (1 .. 6100) { my $token = token('hmac', {}, { x => quoted('x' x (6100 - $n)) });
        if (length $token == $size) { $best = $token; last } last
        if length $token < $size - 8 } $best // () } 8192, 8193, 8191, 8194;
refused(token('hmac', {}, { x => quoted('x' x $_) }), "a good token with $_ bytes of something")
    for 7000, 100_000, 1_000_000;
refused('A' x 1_000_000, 'a million letters');
refused('.' x 1_000_000, 'a million dots');
refused(encode_base64url('[' x 6000) . '.AAAA.AAAA', 'a header of brackets');

# Signatures, bit by bit
for my $name (sort keys %algorithm) {
    my $token = token($name);
    my ($input, $signature) = $token =~ /^(.*)\.(.*)$/;
    my $bytes = decode_base64url($signature);
    my @wrong;
    for my $bit (0 .. 8 * length($bytes) - 1) {
        my $flipped = $bytes;
        vec($flipped, $bit, 1) ^= 1;
        push @wrong, $bit if outcome($door, "$input." . encode_base64url($flipped)) ne '28000';
    }
    is_deeply(\@wrong, [], "threat: $algorithm{$name}: any bit of the signature flipped");
    @wrong = grep { outcome($door, "$input."
        . encode_base64url(substr $bytes, 0, $_)) ne '28000' } 0 .. length($bytes) - 1;
    is_deeply(\@wrong, [], "threat: $algorithm{$name}: a signature cut off anywhere");
    @wrong = grep { outcome($door, substr $token, 0, $_) ne '28000' } 0 .. length($token) - 1;
    is_deeply(\@wrong, [], "threat: $algorithm{$name}: a token cut off anywhere");
    @wrong = ();
    for my $last ('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_') {
        my $other = substr($token, 0, -1) . $last;
        push @wrong, $last if $other ne $token && outcome($door, $other) ne '28000';
    }
    is_deeply(\@wrong, [], "threat: $algorithm{$name}: a second spelling of the same signature");
    refused("$input." . encode_base64url($_->[1]), "$algorithm{$name}: a signature of $_->[0]")
        for ['zeros', "\0" x length $bytes], ['ones', "\xff" x length $bytes],
        ['itself twice', $bytes . $bytes], ['itself and a zero', "$bytes\0"],
        ['a zero and itself', "\0$bytes"];
}

# Whatever it was, the error is one and the same, and has nothing of the token.
is(scalar keys %complaint, 1, 'all of these refusals are one and the same error')
    or diag explain \%complaint;
like((keys %complaint)[0],
    qr/^ERROR \| 28000 \| this person cannot be identified here \|  \| A transaction speaks for one person[^|]+\|  \|  \|  \| $/, 'with its SQLSTATE, message and hint, and no detail');
is(scalar(grep { length >= 30 } @refused) > 1000, 1, 'there were more than a thousand of them');
is(sqlstate_of($door, $login, undef), '28000', 'a null token is refused as well');
taken($good, 'a good token is taken after all this');

# Keys that change between two logins with one token, which the connection has verified before

{
    my $change = sub { my ($sql, @binds) = @_; $dba->do($sql, undef, @binds); };
    my $kid = "kid = 'ec'";
    for my $way (
        ['is deleted', "DELETE FROM seeme.token_keys WHERE $kid"],
        ['is over', "UPDATE seeme.token_keys SET valid_until = clock_timestamp() WHERE $kid"],
        ['is not valid yet',
            "UPDATE seeme.token_keys SET valid_from = clock_timestamp() + interval '1 minute' WHERE $kid"],
        ['gets another kid', "UPDATE seeme.token_keys SET kid = 'ec2' WHERE $kid"],
        ['gets another issuer',
            "UPDATE seeme.token_keys SET issuer = 'https://other.example' WHERE $kid"],
        ['gets another audience', "UPDATE seeme.token_keys SET audience = 'other' WHERE $kid"],
        ['gets another kind of subjects',
            "UPDATE seeme.token_keys SET subject_kind = 'external_identity' WHERE $kid"],
        ['is replaced', "UPDATE seeme.token_keys SET jwk = ? WHERE $kid",
            encode_json(jwk($key{ec_stranger}))],
        ['becomes one of another algorithm',
            "UPDATE seeme.token_keys SET algorithm = 'RS256', jwk = ? WHERE $kid",
            encode_json(jwk($key{rsa}))],
        ['gives its kid to another',
            "DELETE FROM seeme.token_keys WHERE $kid; UPDATE seeme.token_keys SET kid = 'ec' WHERE kid = 'hmac'"],
    ) {
        my ($what, $sql, @binds) = @$way;
        taken($good, "before the key $what");
        $dba->begin_work;
        $change->($sql, @binds);
        taken($good, "the key $what, which is not committed");
        $dba->rollback;
        taken($good, "the key $what, which is undone");
        my @kept = @{ $dba->selectall_arrayref('SELECT * FROM seeme.token_keys', { Slice => {} }) };
        $change->($sql, @binds);
        refused($good, "a token that was taken before, and its key $what");
        $dba->do('DELETE FROM seeme.token_keys');
        for my $row (@kept) {
            my @columns = sort keys %$row;
            $dba->do('INSERT INTO seeme.token_keys (' . join(', ', @columns) . ') VALUES ('
                . join(', ', ('?') x @columns) . ')', undef, @$row{@columns});
        }
    }
    $dba->do("UPDATE seeme.token_keys SET valid_from = '2020-01-01', valid_until = clock_timestamp() + interval '0.3 s' WHERE $kid");
    taken($good, 'a key that ends soon');
    sleep 0.4;
    refused($good, 'a key that has ended in the meantime');
    $dba->do("UPDATE seeme.token_keys SET valid_until = NULL, valid_from = clock_timestamp() + interval '0.3 s' WHERE $kid");
    refused($good, 'a key before its time');
    sleep 0.4;
    taken($good, 'a key whose time has come');
    $dba->do("UPDATE seeme.token_keys SET valid_from = NULL");
    $dba->do('UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE username = ?', undef,
        'paul');
    refused($good, 'a token that was taken before, of a person who is disabled');
    $dba->do('UPDATE seeme.users SET disabled_at = NULL WHERE username = ?', undef, 'paul');
    taken($good, 'and who is not any more');

    # In one transaction, too.
    $door->begin_work;
    value($door, $login, $good);
    $dba->do("UPDATE seeme.token_keys SET valid_until = clock_timestamp() WHERE $kid");
    is(sqlstate_of($door, $login, $good), '28000',
        'threat: a key that ends while the transaction is open, and a second login in it');
    $door->rollback;
    $dba->do("UPDATE seeme.token_keys SET valid_until = NULL");
    is(import_keys(keys => [jwk($key{ec_stranger}, kid => 'ec'), $set[1], $set[2]]), 3,
        'a key set in which one kid has another key');
    refused($good, 'the key before the rotation');
    is(import_keys(keys => [$set[1]]), 1, 'a key set that has one key left');
    refused($good, 'a key that the set has no more');
    refused(token('hmac'), 'another one');
    taken(token('rsa'), 'while the one that is left is good');
    my $certificate = encode_base64(join('', map { chr rand 256 } 1 .. 9000), '');
    is(import_keys(keys =>
        [{ %{ $set[0] }, x5c => [$certificate], key_ops => ['verify'], use => 'sig' }, $set[1],
        $set[2]]), 3, 'a key with a certificate of 12 kB');
    taken($_, 'is good all the same') for $good, token('ec');
    import_keys(keys => \@set);
}

# One kid of two issuers, and of two audiences

{
    my $other = 'https://other.example';
    import_keys(keys => [jwk($key{ec_stranger}, kid => 'ec')], issuer => $other,
        subject_kind => 'external_identity');
    import_keys(keys => [jwk($key{ec}, kid => 'ec')], audience => 'second');
    $dba->do('INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES (?, ?, ?), (?, ?, ?), (?, ?, ?)', undef, $other, 'vera@other', id_of('vera'), $issuer, 'olga@other', id_of('olga'), $other, id_of('paul'), id_of('edith'));
    my $theirs = sub { my (%claims) = @_;
        return sign('ES256', $key{ec_stranger}, object(alg => '"ES256"', kid => '"ec"'),
        payload(iss => quoted($other), %claims)); };
    taken($theirs->(sub => '"vera@other"'), 'a person by what an issuer calls them', 'vera 75');
    taken($theirs->(), 'also where that looks like another one\'s id', 'edith 75');
    refused($theirs->(sub => quoted($_->[0])), "a subject $_->[1]")
        for [id_of('olga'), 'that is the id of somebody, where ids are not what subjects are'],
        ['olga@other', 'of another issuer'], ['Vera@other', 'in other letters'],
        ['vera@othe', 'that is the beginning of one'], ['vera@other ', 'with a space'],
        ['%', 'that is a pattern'], ["vera\@other' OR true --", 'with SQL'];
    refused(token('ec', {}, { sub => '"olga@other"' }),
        'a subject of an issuer whose subjects are ids');
    refused(sign('ES256', $key{ec_stranger}, object(alg => '"ES256"', kid => '"ec"'), payload()),
        'one issuer signs for another that uses the same kid');
    refused(sign('ES256', $key{ec}, object(alg => '"ES256"', kid => '"ec"'),
        payload(iss => quoted($other), sub => '"vera@other"')), 'and the other way round');
    taken($good, 'the first issuer\'s own token');
    my $second = token('ec', {}, { aud => '"second"' });
    my $both = token('ec', {}, { aud => '["second","papers"]' });
    taken($_->[0], $_->[1]) for [$second, 'a second audience of an issuer'],
        [$both, 'both audiences in one token'];
    $dba->do("UPDATE seeme.token_keys SET valid_until = clock_timestamp() WHERE kid = 'ec' AND audience = 'second'");
    refused($second, 'the second audience\'s key is over');
    taken($both, 'which is no matter to a token for both');
    $dba->do("UPDATE seeme.token_keys SET valid_until = CASE audience WHEN 'papers' THEN clock_timestamp() END WHERE kid = 'ec' AND issuer = ?", undef, $issuer);
    taken($both, 'nor is it when the first one\'s is over instead');
    refused($good, 'the first audience\'s key is over');
    $dba->do("UPDATE seeme.token_keys SET valid_until = NULL");
    $dba->do("DELETE FROM seeme.external_identities WHERE subject = 'vera\@other'");
    refused($theirs->(sub => '"vera@other"'), 'an identity that is no longer known');
    $dba->do('DELETE FROM seeme.token_keys WHERE issuer = ? OR audience = ?', undef, $other,
        'second');
    # Without a kid: the key of an empty one.
    import_keys(keys => [jwk($key{ec}, alg => 'ES256')], audience => 'second');
    taken(token('ec', { kid => undef }, { aud => '"second"' }),
        'a token without a kid, where a key has none');
    refused(token('ec', { kid => undef }),
        'a token without a kid, for the audience whose keys have one');
    refused(token('ec', { kid => '""' }, { aud => '"second"' }), 'an empty kid');
    $dba->do('DELETE FROM seeme.token_keys WHERE audience = ?', undef, 'second');
}

# What is remembered of tokens

{
    my $first = token('ec', {}, { jti => '"first"' });
    taken($first, 'a token');
    $dba->do('GRANT EXECUTE ON FUNCTION pg_catalog.pg_get_backend_memory_contexts() TO tokens_app');
    $dba->do('GRANT SELECT ON pg_catalog.pg_backend_memory_contexts TO tokens_app');
    my @wrong;
    my $most = 0;
    # The context of what is remembered, and those below it. From PostgreSQL 18 on, a context has
    # its path instead of its parent's name.
    my $remembered = $door->{pg_server_version} >= 180000
        ? q{WITH c AS MATERIALIZED (SELECT * FROM pg_backend_memory_contexts)
            SELECT sum(total_bytes) FROM c WHERE c.path && ARRAY(SELECT t.path[cardinality(t.path)] FROM c AS t WHERE t.name = 'seeme_rbac verified tokens')}
        : q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE 'seeme_rbac verified tokens' IN (name, parent)};
    for my $n (1 .. 3000) {
        my $token = token('hmac', {},
            { jti => $n, sub => quoted(id_of($n % 2 ? 'paul' : 'vera')) });
        push @wrong, $n if outcome($door, $token) ne ($n % 2 ? 'paul 25' : 'vera 75');
        next if $n % 50;
        my $bytes = value($door, $remembered);
        $most = $bytes if $bytes > $most;
    }
    is_deeply(\@wrong, [], 'three thousand tokens in one connection, of one person and another');
    note "what is remembered of them takes $most bytes at most";
    ok($most > 50_000 && $most < 500_000, 'which remembers some of them, and not ever more')
        or diag "$most bytes";
    taken($first, 'and the first again');
    $dba->do("UPDATE seeme.token_keys SET valid_until = clock_timestamp() WHERE kid = 'ec'");
    refused($first, 'of which it remembers nothing beside the key');
    $dba->do("UPDATE seeme.token_keys SET valid_until = NULL");
    $dba->do('CREATE FUNCTION logins(token text, times int) RETURNS double precision LANGUAGE plpgsql AS $$ DECLARE start timestamptz := clock_timestamp(); BEGIN FOR i IN 1 .. times LOOP PERFORM seeme_login(token); END LOOP; RETURN extract(epoch FROM clock_timestamp() - start) * 1e6 / times; END $$');
    for my $name (sort keys %algorithm) {
        my $token = token($name);
        $door->begin_work;
        my $once = value($door, 'SELECT logins(?, 1)', $token);
        my $again = value($door, 'SELECT logins(?, 5000)', $token);
        $door->rollback;
        note sprintf '%s: the first seeme_login %.0f microseconds, each later one with the same token %.1f', $algorithm{$name}, $once, $again;
        cmp_ok($again, '>', 0, "$algorithm{$name}: the same token five thousand times");
    }
}

# Expiry

{
    # Tokens that are good for a second and a half: the leeway is half a minute.
    my $short = sub { return token('ec', {}, { exp => time - 28.5, jti => time, @_ }); };
    my $state = sub { my ($dbh) = @_; return join ' ',
        value($dbh, 'SELECT seeme_user_id()') // 'nobody', value($dbh, $seen),
        value($dbh, "SELECT seeme_has_permission('datasets:read', project => ?)::int",
        id_of('alpha')), $dbh->do("UPDATE papers SET title = title") + 0; };
    my $edith = id_of('edith');
    my $token = $short->(sub => quoted($edith));
    $door->begin_work;
    value($door, $login, $token);
    is($state->($door), "$edith 75 1 75", 'before a token expires');
    $door->do('DECLARE opened CURSOR FOR SELECT id FROM papers ORDER BY id');
    $door->do("PREPARE seen AS $seen");
    sleep 1.7;
    is($state->($door), 'nobody 0 0 0', 'threat: a statement after that, in the same transaction');
    is(value($door, 'EXECUTE seen'), 0, 'threat: a prepared one');
    is(value($door, 'SELECT count(*) FROM seeme.projects'), 0,
        'threat: the extension\'s own tables');
    is(sqlstate_of($door, "INSERT INTO papers VALUES (999, ?, 'late')", id_of('alpha')), '42501',
        'threat: an INSERT');
    $door->rollback;
    $door->do('DEALLOCATE seen');
    refused($token, 'an expired token that was taken before, in the next transaction');
    $door->begin_work;
    value($door, $login, $short->(sub => quoted($edith)));
    sleep 1.7;
    is($state->($door), 'nobody 0 0 0', 'a token that has expired');
    is(sqlstate_of($door, $login, token('ec', {}, { sub => quoted($edith) })), '',
        'the same person with a new one');
    is($state->($door), "$edith 75 1 75", 'goes on in the same transaction');
    $door->rollback;
    $door->begin_work;
    value($door, $login, $short->(sub => quoted($edith)));
    sleep 1.7;
    is(sqlstate_of($door, $login, $good), '28000',
        'threat: somebody else in a transaction whose first person\'s token has expired');
    $door->rollback;
    refused(token('ec', {}, { exp => time - 31 }),
        'a token that expired half a minute ago and a second');
    $dba->do('ALTER ROLE tokens_door SET seeme_rbac.token_leeway = 0');
    my $strict = connect_to('tokens', 'tokens_door');
    is(outcome($strict, token('ec', {}, { exp => time - 0.1 })), '28000',
        'threat: without leeway, a token that expired a moment ago');
    is(outcome($strict, token('ec', {}, { nbf => time + 5 })), '28000',
        'threat: and one before its time');
    is(outcome($strict, token('ec', {}, { nbf => time - 0.1 })), 'paul 25', 'but one in it');
    $strict->disconnect;
    $dba->do('ALTER ROLE tokens_door RESET seeme_rbac.token_leeway');
    is(sqlstate_of($dba, "SET seeme_rbac.token_leeway = $_"), '22023', "a leeway of $_ is refused")
        for 301, -1, "'1h'";

    # For a session
    my $stay = connect_to('tokens', 'tokens_stay');
    $stay->do("PREPARE seen AS $seen");
    is(value($stay, 'SELECT seeme_login(?, for_session => true)', $short->(sub => quoted($edith))),
        $edith, 'a login for the session');
    is($state->($stay), "$edith 75 1 75", 'before the token expires');
    $stay->do("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0");
    is(value($stay, 'EXECUTE seen'), 75, 'also in parallel');
    sleep 1.7;
    is($state->($stay), 'nobody 0 0 0',
        'threat: a session that goes on after its token has expired');
    is(value($stay, 'EXECUTE seen'), 0, 'threat: with a prepared statement');
    $stay->begin_work;
    is($state->($stay), 'nobody 0 0 0', 'threat: in a transaction');
    $stay->rollback;
    is(sqlstate_of($stay, 'SELECT seeme_login(?, for_session => true)', $good), '28000',
        'somebody else logs in only after seeme_logout');
    is(sqlstate_of($stay, 'SELECT seeme_login(?, for_session => true)',
        token('ec', {}, { sub => quoted($edith) })), '',
        'the same person with a new token at once');
    is($state->($stay), "$edith 75 1 75", 'and goes on');
    value($stay, 'SELECT seeme_logout()');
    is($state->($stay), 'nobody 0 0 0', 'until seeme_logout');
    is(value($stay, 'SELECT seeme_login(?, for_session => true)', $good), id_of('paul'),
        'after which somebody else logs in');
    $stay->disconnect;
    is($state->(connect_to('tokens', 'tokens_stay')), 'nobody 0 0 0',
        'the next connection is nobody');
}

# Who lets sessions log in, and believes claims: not the client

{
    my $claims = encode_json({ sub => id_of('olga') });
    my $ways = sub {
        my ($dbh, $way) = @_;
        is(sqlstate_of($dbh, 'SELECT seeme_login(?, for_session => true)', $good), '42501',
            "threat: a login for the session by $way");
        is(sqlstate_of($dbh, 'SELECT set_config(\'request.jwt.claims\', ?, false)', $claims), '',
            "anybody may write claims ($way)");
        is(value($dbh, 'SELECT seeme_user_id()'), undef, "threat: they are not believed by $way");
        is(value($dbh, $seen), 0, "threat: nor show anything by $way");
        $dbh->disconnect;
    };
    my @settings = ('seeme_rbac.session_login', 'seeme_rbac.trust_request_claims');
    for my $options (join(' ', map { "-c $_=on" } @settings), '-c seeme_rbac.session_user_id='
        . id_of('olga'), '-c seeme_rbac.user_id=' . id_of('olga'),
        '-c seeme_rbac.system_user_methods=peer') {
        local $ENV{PGOPTIONS} = $options;
        $ways->(connect_to('tokens', 'tokens_door'), "start-up options $options");
    }
    # Before the extension's library is loaded, its settings are anybody's to make up.
    my $early = connect_to('tokens', 'tokens_door');
    $early->do("SET $_ = on") for @settings;
    $early->do("SET seeme_rbac.session_user_id = '" . id_of('olga') . "'");
    $ways->($early, 'SET before the library is loaded');
    $early = connect_to('tokens', 'tokens_door');
    $early->do("SELECT set_config(?, 'on', false)", undef, $_) for @settings;
    $ways->($early, 'set_config before the library is loaded');
    $early = connect_to('tokens', 'tokens_door');
    my @by_role = map { sqlstate_of($early, "ALTER ROLE tokens_door SET $_ = on") } @settings;
    is_deeply(\@by_role, ['42501', '42501'], 'threat: ALTER ROLE by the role itself');
    $ways->(connect_to('tokens', 'tokens_door'), 'ALTER ROLE of one\'s own');
    $dba->do('GRANT CREATE ON SCHEMA public TO tokens_door');
    $early = connect_to('tokens', 'tokens_door');
    my $made = sqlstate_of($early,
        'CREATE FUNCTION public.stay(token text) RETURNS uuid LANGUAGE plpgsql SET seeme_rbac.session_login = on AS $f$ BEGIN RETURN seeme_login(token, for_session => true); END $f$');
    isnt($made || sqlstate_of(connect_to('tokens', 'tokens_door'), 'SELECT stay(?)', $good), '',
        'threat: a function with a setting of its own');
    my $late = connect_to('tokens', 'tokens_door');
    value($late, 'SELECT seeme_user_id()');
    is(sqlstate_of($late, $_), '42501', "threat: $_")
        for (map { ("SET $_ = on", "SELECT set_config('$_', 'on', true)",
        "ALTER ROLE tokens_door SET $_ = on") } @settings), 'SET seeme_rbac.token_leeway = 300',
        "SET seeme_rbac.session_user_id = ''", 'RESET seeme_rbac.session_user_id',
        "SET seeme_rbac.system_user_methods = ''";
    $ways->($late, 'anything said later');
    $dba->do('ALTER ROLE tokens_door SET seeme_rbac.trust_request_claims = on');
    my $believing = connect_to('tokens', 'tokens_door');
    value($believing, 'SELECT set_config(\'request.jwt.claims\', ?, false)', $claims);
    is(value($believing, 'SELECT seeme_user_id()'), id_of('olga'),
        'where an administrator says so, claims are believed');
    $dba->do('ALTER ROLE tokens_door RESET seeme_rbac.trust_request_claims');
}

# Fuzzing: tokens that were changed at random are refused, and leave a backend as it was.

{
    my $seed = $ENV{SEEME_RBAC_SEED} // int(time * 1000) % 2**31;
    srand $seed;
    diag "tokens are changed at random by SEEME_RBAC_SEED=$seed";
    $dba->do('CREATE FUNCTION try_all(tokens text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
        DECLARE
          token text;
          person uuid;
        BEGIN
          FOREACH token IN ARRAY tokens LOOP
            BEGIN
              person := seeme_login(token);
              RETURN NEXT person || \' \' || token;
              RAISE EXCEPTION USING ERRCODE = \'UNDO0\';
            EXCEPTION
              WHEN SQLSTATE \'UNDO0\' OR invalid_authorization_specification THEN NULL;
              WHEN OTHERS THEN RETURN NEXT SQLSTATE || \' \' || token;
            END;
          END LOOP;
        END $$');
    my @good = map { my $name = $_;
        map { token($name, {},
        { sub => quoted(id_of('paul')), jti => $_ }) } 1 .. 3 } sort keys %algorithm;
    my %is_good = map { $_ => 1 } @good;
    my @letters = ('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_', '.', '=', '+', '/', ' ', '"', "\x{e9}",
        "\x{200b}");
    my $pick = sub { return $_[rand @_] };
    my $bits = sub { my ($bytes) = @_; vec($bytes, int rand(8 * length($bytes) || 8), 1) ^= 1
        for 1 .. 1 + rand 4; return $bytes; };
    my @values = qw(null true 0 -1 1e999 "" [] {} "x" 99999999999999999999 "\u0000" "\ud800" NaN [[[]]] {"":{}});
    my @mutations = (
        sub { my ($t) = @_; substr($t, rand length $t, 1) = $pick->(@letters) for 1 .. 1 + rand 3;
            return $t; },
        sub { my ($t) = @_; substr($t, rand length $t, rand 20) = ''; return $t; },
        sub { my ($t) = @_; substr($t, rand length $t, 0) = join '',
        map { $pick->(@letters) } 1 .. 1 + rand 20; return $t; },
        sub { my ($t) = @_; my $from = int rand length $t;
        substr($t, rand length $t, 0) = substr $t, $from, rand 40; return $t; },
        sub { my ($t) = @_; return substr $t, 0, rand length $t; },
        sub { my ($t) = @_; return substr $t, 1 + rand length($t) - 1; },
        sub { my @parts = split /\./, $_[0]; my $i = int rand 3;
        $parts[$i] = encode_base64url($bits->(decode_base64url($parts[$i]))); return join '.',
        @parts; },
        sub { my @parts = split /\./, $_[0]; my $i = int rand 3;
        $parts[$i] = (split /\./, $pick->(@good))[$i]; return join '.', @parts; },
        sub { my @parts = split /\./, $_[0]; my $i = int rand 3;
        $parts[$i] = (split /\./, $pick->(@good))[int rand 3]; return join '.', @parts; },
        sub { my @parts = split /\./, $_[0]; @parts = @parts[map { int rand 3 } 1 .. rand 6];
        return join '.', @parts; },
        sub { my @parts = split /\./, $_[0]; my $i = int rand 2;
        my $json = decode_base64url($parts[$i]); my $value = $pick->(@values);
        $json =~ s/:("[^"]*"|[0-9]+)/:$value/ for 1 .. 1; $parts[$i] = encode_base64url($json);
        return join '.', @parts; },
        sub { my @parts = split /\./, $_[0]; my $header = decode_base64url($parts[0]);
        my $alg = $pick->(qw(none HS256 RS256 ES256 PS256 HS512 A128KW));
        my $kid = $pick->(qw(ec rsa hmac), ''); $header =~ s/"alg":"\w+"/"alg":"$alg"/;
        $header =~ s/"kid":"\w+"/"kid":"$kid"/; return join '.', encode_base64url($header),
        @parts[1, 2]; },
        sub { my @parts = split /\./, $_[0]; return join '.', @parts[0, 1],
        encode_base64url(join '', map { chr rand 256 } 1 .. $pick->(0, 1, 31, 32, 33, 63, 64, 65,
        255, 256, 257, 3000)); },
        sub { return join '.',
        map { encode_base64url(join '', map { chr rand 256 } 1 .. rand 300) } 1 .. $pick->(1, 2, 3,
        3, 3, 3, 4, 5); },
        sub { return join '', map { $pick->(@letters) } 1 .. rand 9000; },
    );
    my $fuzzed = sub { while (1) { my $token = $pick->(@mutations)->($pick->(@good)); return $token
        if !$is_good{$token}; } };
    # Signed as it should be, and the payload broken: nobody else than the person may come of it.
    my $signed = sub {
        my $payload = payload();
        my $how = int rand 5;
        if ($how == 0) { $payload = $bits->($payload); }
        elsif ($how == 1) { substr($payload, rand length $payload, rand 30) = ''; }
        elsif ($how == 2) { my $value = $pick->(@values); my $name = $pick->(qw(iss aud sub exp));
            $payload = payload($name => $value); }
        elsif ($how == 3) { substr($payload, rand length $payload, 0) = $pick->('{', '[', '"', '\\',
            '\\u', "\0", "\xff", '}' x 3, '[' x 2000, '"a":'); }
        else { $payload = join '', map { chr rand 256 } 1 .. rand 500; }
        # A single bit may make another person's id of paul's: what is signed for somebody else is
        # theirs.
        return __SUB__->() if grep { index($payload, id_of($_)) >= 0 } grep {
        $_ ne 'paul' } qw(olga adam edith vera tess dora oscar gina stan);
        return sign('HS256', $key{hmac}, object(alg => '"HS256"', kid => '"hmac"'), $payload);
    };
    my $size = sub {
        my ($dbh) = @_;
        open my $in, '<', '/proc/' . $dbh->{pg_pid} . '/status' or die "the backend's memory: $!";
        my ($kb) = map { /^RssAnon:\s+(\d+) kB/ ? $1 : () } <$in>;
        return $kb // die 'the backend\'s memory is not told';
    };
    my $bytes = sub { return value($_[0],
        'SELECT sum(total_bytes) FROM pg_backend_memory_contexts'); };
    my $backend = connect_to('tokens', 'tokens_door');
    my $pid = value($backend, 'SELECT pg_backend_pid()');
    my $run = sub {
        my ($times, $make) = @_;
        my @answers;
        for (1 .. $times / 500) {
            my @tokens = map { $make->() } 1 .. 500;
            push @answers, map { $_->[0] } @{
                $backend->selectall_arrayref('SELECT * FROM try_all(?)', undef, \@tokens) };
        }
        return @answers;
    };
    $run->(4000, $_) for $fuzzed, $signed;
    my ($size_before, $bytes_before) = ($size->($backend), $bytes->($backend));
    my @taken = $run->(20_000, $fuzzed);
    is_deeply(\@taken, [],
        'threat: 20,000 tokens that were changed at random: not one is taken, or refused in another way') or diag "seed $seed";
    my $paul = id_of('paul');
    my @others = grep { !/^\Q$paul\E / } $run->(10_000, $signed);
    is_deeply(\@others, [],
        'threat: 10,000 signed tokens with a broken payload: nobody else comes of them, nor another error') or diag "seed $seed";
    my ($size_after, $bytes_after) = ($size->($backend), $bytes->($backend));
    note "the backend had $size_before kB before and $size_after kB after; its memory contexts $bytes_before and $bytes_after bytes";
    cmp_ok($size_after - $size_before, '<', 2048,
        'a backend that has refused 30,000 tokens has grown by less than 2 MB');
    cmp_ok($bytes_after - $bytes_before, '<', 500_000,
        'and its memory contexts by less than half of one');
    is(value($backend, 'SELECT pg_backend_pid()'), $pid, 'it is still the same backend');
    is(outcome($backend, $good), 'paul 25', 'and takes a good token');
}

# A token is UTF-8 whatever the database is: in LATIN1 the bytes of one name are those of another.
{
    my $postgres = connect_to('postgres');
    $postgres->do('DROP DATABASE IF EXISTS tokens_latin1');
    $postgres->do(q{CREATE DATABASE tokens_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'});
    my $latin1 = connect_to('tokens_latin1');
    $latin1->do('CREATE EXTENSION seeme_rbac');
    $latin1->do(q{INSERT INTO seeme.users (id, username, email) VALUES (?, 'other', 'other@example.com'), (?, 'plain', 'plain@example.com')}, undef, id_of('olga'), id_of('paul'));
    $latin1->do(q{INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES (?, U&'Ren\00C3\00A9', ?), (?, 'Rene', ?)}, undef, $issuer, id_of('olga'), $issuer, id_of('paul'));
    $latin1->do(q{SELECT seeme_import_jwks(?, ?, ?, subject_kind => 'external_identity')}, undef,
        encode_json({ keys => [jwk($key{hmac}, kid => 'hmac', alg => 'HS256')] }), $issuer,
        $audience);
    my $of = sub { return sign('HS256', $key{hmac}, object(alg => '"HS256"', kid => '"hmac"'),
        payload(sub => $_[0])); };
    is(value($latin1, $login, $of->('"Rene"')), id_of('paul'),
        'a database in another encoding takes a token');
    is(sqlstate_of($latin1, $login, $of->($_)), '28000',
        'threat: but not as the person whose name has the same bytes there') for qq("Ren\xc3\xa9"),
        '"Ren\u00e9"';
    $latin1->do('SET seeme_rbac.trust_request_claims = on');
    $latin1->do(q{SELECT set_config('request.jwt.claims', ?, false)}, undef,
        qq({"iss":"$issuer","sub":"Ren\\u00e9"}));
    is(value($latin1, 'SELECT seeme_user_id()'), undef, 'threat: nor claims');
    $_->disconnect for $latin1;
    $postgres->do('DROP DATABASE tokens_latin1');
    $postgres->disconnect;
}

# The server's log has why each was refused, and nothing of any.
{
    is(scalar keys %complaint, 1, 'all refusals until here were one and the same error')
        or diag explain \%complaint;
    open my $in, '<', $server_log or BAIL_OUT("$server_log: $!");
    seek $in, $log_start, 0;
    my $log = do { local $/; <$in> };
    like($log, qr/this person cannot be identified here.*\n.*DETAIL:  Reason: [a-z]/,
        'the server\'s log says why');
    # Pieces of headers, payloads and signatures; those of a header are few, so that each is looked
    # for once.
    my (%piece, @told);
    for my $token (@refused) {
        $piece{ substr $_, 0, 24 } = 1, $piece{ substr $_, -24 } = 1
            for grep { length >= 24 } split /[.\s]/, $token;
    }
    my %in_log = map { $_ => 1 } $log =~ /(?=([A-Za-z0-9_-]{24}))/g;
    @told = grep { $in_log{$_} } keys %piece;
    is_deeply(\@told, [], 'threat: and nothing of a token');
    unlike($log, qr/eyJ[A-Za-z0-9_-]{8}/, 'threat: nor of a header');
    unlike($log, qr/terminated by signal|PANIC|TRAP/, 'and of no crash');
}

$_->disconnect for $door, $dba;
done_testing();
