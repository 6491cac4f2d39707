# Comparisons do not depend on the database's collation or encoding: those of e-mail addresses,
# slugs, codes and the names of objects. In Turkish, for example, i and I are not the same letter in
# two cases.
use strict;
use warnings;
use utf8;
use SeemeTest;
use Test::More;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
alarm 300;
create_roles('coll_app NOLOGIN', 'coll_gateway LOGIN IN ROLE coll_app', 'coll_scim LOGIN');
my %options = (
    coll_plain => q(LOCALE 'C.UTF-8' ENCODING 'UTF8'),
    coll_turkish => q(LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C.UTF-8' ENCODING 'UTF8'),
    coll_ascii => q(LOCALE 'C' ENCODING 'SQL_ASCII'),
    coll_latin => q(LOCALE 'C' ENCODING 'LATIN1'),
    coll_latin10 => q(LOCALE 'C' ENCODING 'LATIN10'),
);
my %guards;
for my $database (sort keys %options) {
    create_database("$database $options{$database}");
    my $dba = connect_to($database);
    my $utf8 = $database =~ /plain|turkish/;
    $dba->do(q(SET client_encoding = 'UTF8')) unless $database eq 'coll_ascii';
    is(sqlstate_of($dba, 'CREATE EXTENSION seeme_rbac'), '', "$database: the extension is made")
        or next;
    make_world($dba, 'coll_app');
    $dba->do($_) for 'GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO coll_gateway',
        q(SELECT seeme_grant_provisioning('coll_scim'));
    my $gateway = connect_to($database, 'coll_gateway');
    my $as = sub {
        my ($person, $sql, @binds) = @_;
        $gateway->begin_work;
        my $got = eval { $gateway->do('SELECT seeme_assume(?)', undef, $person);
            value($gateway, $sql, @binds) } // $gateway->state;
        $gateway->commit;
        return $got;
    };

    # E-mail addresses
    my $scim = connect_to($database, 'coll_scim');
    my $add = sub { my ($email) = @_;
        return sqlstate_of($scim,
        'INSERT INTO seeme.users (id, email) VALUES (gen_random_uuid(), ?)', $email); };
    is($add->('irmak@x.test'), '', "$database: provisioning adds somebody");
    is($add->($_), '23505',
        "threat: $database: somebody else with the address of another in capitals: $_")
        for 'IRMAK@x.test', 'irmak@X.TEST', 'Irmak@x.test';
    is($add->('kelvin@x.test'), '', "$database: and somebody else");
    if ($utf8) {
        is($add->('çağrı@x.test'), '', "$database: letters beyond ASCII");
        is($add->('ÇAĞRı@x.test'), '23505', "threat: $database: the same in capitals");
        is($add->("\x{131}rmak\@x.test"), '', "$database: ı is not i");
        is($add->("\x{212A}elvin\@x.test"), '', "$database: the Kelvin sign is no k");
        is($add->("\x{130}rmak\@x.test"), '', "$database: İ is not i");
    }
    my $person = sub { return value($dba, 'SELECT id FROM seeme.users WHERE email = ?', $_[0]); };
    my $invite = sub {
        my ($email) = @_;
        return $as->(id_of('adam'), 'SELECT token FROM seeme_invite(?, organization => ?)', $email,
            id_of('acme'));
    };
    my $token = $invite->('IRMAK@X.test');
    for my $other ('kelvin@x.test', $utf8 ? ("\x{131}rmak\@x.test", "\x{130}rmak\@x.test") : ()) {
        is($as->($person->($other), 'SELECT count(*) FROM seeme.pending_members'), 0,
            "threat: $database: $other sees the invitation of IRMAK");
        is($as->($person->($other), 'SELECT seeme_accept_invitation(?)', $token), '22023',
            "threat: $database: or accepts it");
    }
    my $second = $invite->('irmak@x.test');
    is(value($dba, 'SELECT count(*) FROM seeme.invitations'), 1,
        "$database: a second invitation of the address takes the place of the first");
    is($as->($person->('irmak@x.test'), 'SELECT count(*) FROM seeme.pending_members'), 1,
        "$database: irmak sees theirs");
    like($as->($person->('irmak@x.test'), 'SELECT seeme_accept_invitation(?)', $second),
        qr/^[0-9a-f-]{36}$/, "$database: and accepts it");
    if ($utf8) {
        my $kelvin = $invite->('KELVIN@x.test');
        is($as->($person->("\x{212A}elvin\@x.test"), 'SELECT seeme_accept_invitation(?)', $kelvin),
            '22023', "threat: $database: a letter that looks like k accepts what is for k");
    }
    # Taken out by an address in other letters
    my $open = $invite->('IRMAK@x.test');
    $dba->do('DELETE FROM seeme.organization_members WHERE user_id = ?', undef,
        $person->('irmak@x.test'));
    is($as->($person->('irmak@x.test'), 'SELECT seeme_accept_invitation(?)', $open), '22023',
        "threat: $database: back in by an invitation in capitals");

    # Slugs and codes
    is($as->(id_of('olga'),
        'INSERT INTO seeme.teams (organization_id, name) VALUES (?, ?) RETURNING slug',
        id_of('acme'), 'ISTANBUL KITAP'), 'istanbul-kitap', "$database: a slug");
    is($as->(id_of('olga'),
        q(SELECT seeme_has_permission('inferences:list', organization => ?)::text), id_of('acme')),
        'true', "$database: a code");
    is($as->(id_of('olga'),
        q(SELECT seeme_has_permission('INFERENCES:list', organization => ?)::text), id_of('acme')),
        '22023', "$database: in capitals it is none");
    is($as->(id_of('gina'), 'SELECT count(*) FROM papers'), 25, "$database: a protected table");

    # Whatever is made here has the same name, and the report's statements can be executed.
    $guards{$database} = join ' ', map { $_->[0] } @{ $dba->selectall_arrayref(
        q(SELECT polname::text COLLATE "C" FROM pg_policy UNION ALL SELECT tgname::text COLLATE "C" FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1)) };
    my $report = q(SELECT finding, remedy FROM seeme_security_report() WHERE finding ~ '^(additional trigger|additional policy|trigger is missing|policy is missing|request claims)');
    is_deeply($dba->selectall_arrayref($report), [], "$database: the report finds nothing there");
    $dba->do(q(CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'));
    $dba->do('CREATE TRIGGER more AFTER INSERT ON seeme.teams FOR EACH ROW EXECUTE FUNCTION nothing()');
    $dba->do('DROP TRIGGER enforce_rules ON seeme.teams');
    $dba->do('DROP POLICY seeme_insert ON seeme.teams');
    my $found = $dba->selectall_arrayref(q(SELECT finding, remedy FROM seeme_security_report() WHERE object ~ 'seeme.teams'));
    cmp_ok(scalar @$found, '>=', 3, "$database: the report finds triggers and policies");
    is(sqlstate_of($dba, $_->[1]), '', "$database: its statement can be executed: $_->[0]")
        for @$found;
    is_deeply($dba->selectall_arrayref(q(SELECT finding, remedy FROM seeme_security_report() WHERE object ~ 'seeme.teams')), [], "$database: and mends it");
    $_->disconnect for $dba, $gateway, $scim;
}
is($guards{$_}, $guards{coll_plain}, "$_: policies and triggers have the same names")
    for grep { $_ ne 'coll_plain' } sort keys %guards;

done_testing;
