# API keys with a second connection. A revoked key is refused from the next statement on, also in an
# open transaction that logged in with it. Logins with the same key do not wait for each other.
use strict;
use warnings;
use SeemeTest;
use Test::More;

create_roles('keys_app NOLOGIN', 'keys_door LOGIN IN ROLE keys_app',
    'keys_tess LOGIN IN ROLE keys_app');
create_database('keys', 'seeme_rbac');
my $dba = connect_to('keys');
make_world($dba, 'keys_app');
$dba->do("UPDATE seeme.users SET database_role = 'keys_tess' WHERE id = ?", undef, id_of('tess'));

my $one = connect_to('keys', 'keys_door');
my $other = connect_to('keys', 'keys_door');
my $tess = connect_to('keys', 'keys_tess');
# Nobody waits for long, whatever goes wrong.
$_->do("SET lock_timeout = '1s'") for $dba, $one, $other, $tess;
alarm 240;
my $seen = 'SELECT count(*) FROM papers';
my $held = "SELECT seeme_has_permission('datasets:read', project => ?)";
$one->do("PREPARE seen AS $seen");

sub new_key {
    my ($codes, $organization) = @_;
    return $tess->selectrow_array('SELECT key, id FROM seeme_create_api_key(?, ?, organization => ?)', undef, 'a key', $codes, $organization);
}

# What a connection answers: who is asking, what they may do, what they see by a new and by a
# prepared statement.
sub state_of {
    my ($dbh) = @_;
    return join ' ', value($dbh, 'SELECT seeme_user_id() IS NOT NULL') ? 'somebody' : 'nobody',
        value($dbh, $held, id_of('alpha')) ? 'may' : 'may not',
        value($dbh, $seen), value($dbh, 'EXECUTE seen');
}

for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE') {
    my %ways = (
        'its user deletes it' =>
            sub { $tess->do('DELETE FROM seeme.api_keys WHERE id = ?', undef, $_[0]) },
        'an administrator deletes it' =>
        sub { $dba->do('DELETE FROM seeme.api_keys WHERE id = ?', undef, $_[0]) },
        'it is ended' => sub {
        $dba->do('UPDATE seeme.api_keys SET expires_at = clock_timestamp() WHERE id = ?', undef,
        $_[0]) },
    );
    for my $way (sort keys %ways) {
        my ($key, $id) = new_key('{datasets:read,datasets:update}');
        $one->begin_work;
        $one->do("SET TRANSACTION ISOLATION LEVEL $level");
        value($one, 'SELECT seeme_login(?)', $key);
        is(state_of($one), 'somebody may 25 25', "$level: a key shows what its user sees");
        is(eval { $ways{$way}->($id); '' } // $@, '',
            "$level: $way, without waiting for the open transaction");
        is(state_of($one), 'nobody may not 0 0',
            "$level: $way, and the open transaction that logged in with it sees nothing from its next statement on");
        is($one->do("UPDATE papers SET title = 'x'") + 0, 0, "$level: threat: and changes nothing");
        $one->pg_savepoint('s');
        is(sqlstate_of($one, 'SELECT seeme_login(?)', $key), '28000',
            "$level: nor logs in with it again");
        $one->pg_rollback_to('s');
        is(state_of($one), 'nobody may not 0 0', "$level: and is nobody still");
        my ($new) = new_key('{datasets:read}');
        is(sqlstate_of($one, 'SELECT seeme_login(?)', $new), '28000',
            "$level: threat: nor with another");
        $one->rollback;
        is(sqlstate_of($other, 'SELECT seeme_login(?)', $key), '28000',
            "$level: nor does another connection");
    }
}

# A revocation that has not been committed is none.
my ($key, $id) = new_key('{datasets:read}');
$one->begin_work;
value($one, 'SELECT seeme_login(?)', $key);
$one->commit;
$tess->begin_work;
$tess->do('DELETE FROM seeme.api_keys WHERE id = ?', undef, $id);
$one->begin_work;
is(sqlstate_of($one, 'SELECT seeme_login(?)', $key), '',
    'a login does not wait for a revocation that is not committed');
is(state_of($one), 'somebody may 25 25', 'and goes on until it is');
$tess->commit;
is(state_of($one), 'nobody may not 0 0', 'and no longer');
$one->rollback;

# The same where the key has to be marked as used.
($key, $id) = new_key('{datasets:read}');
$tess->begin_work;
$tess->do('DELETE FROM seeme.api_keys WHERE id = ?', undef, $id);
$one->begin_work;
is(sqlstate_of($one, 'SELECT seeme_login(?)', $key), '',
    'the first login does not wait for one either');
$tess->rollback;
is(state_of($one), 'somebody may 25 25', 'which is undone, and the key is good');
$one->rollback;
$tess->begin_work;
$tess->do('DELETE FROM seeme.api_keys WHERE id = ?', undef, $id);
$one->begin_work;
value($one, 'SELECT seeme_login(?)', $key);
$tess->commit;
is(state_of($one), 'nobody may not 0 0', 'which is committed, and it is not');
$one->rollback;

# A statement that waits for a row while the key is revoked does not change the row afterwards.
for my $level ('READ COMMITTED', 'REPEATABLE READ') {
    ($key, $id) = new_key('{datasets:read,datasets:update}');
    $dba->begin_work;
    $dba->do('SELECT FROM papers WHERE id = 101 FOR UPDATE');
    my $waiting = connect_to('keys', 'keys_door');
    $waiting->do("SET lock_timeout = '20s'");
    my $pid = value($waiting, 'SELECT pg_backend_pid()');
    # Once before, so that this login has nothing to keep.
    value($waiting, 'SELECT seeme_login(?)', $key);
    $waiting->begin_work;
    $waiting->do("SET TRANSACTION ISOLATION LEVEL $level");
    value($waiting, 'SELECT seeme_login(?)', $key);
    $waiting->do("UPDATE papers SET title = 'too late' WHERE id = 101",
        { pg_async => DBD::Pg::PG_ASYNC() });
    for (1 .. 200) {
        last if value($tess, "SELECT count(*) FROM pg_locks WHERE pid = ? AND NOT granted", $pid);
        select undef, undef, undef, 0.02;
    }
    ok(value($tess, "SELECT count(*) FROM pg_locks WHERE pid = ? AND NOT granted", $pid),
        "$level: an UPDATE by key waits for a row");
    $tess->do('DELETE FROM seeme.api_keys WHERE id = ?', undef, $id);
    $dba->commit;
    my $changed = eval { $waiting->pg_result } // 0;
    is($changed + 0, 0, "$level: threat: and the key is revoked meanwhile");
    $waiting->rollback;
    isnt(value($dba, 'SELECT title FROM papers WHERE id = 101'), 'too late',
        "$level: the row is as it was");
    $waiting->disconnect;
}

# When it was used: two open transactions, one key, nobody waits; also for the first, and after a
# minute.
($key, $id) = new_key('{datasets:read}');
my $used = 'SELECT max(used_at) FROM seeme.api_key_uses WHERE key_id = ?';
$_->do("SET lock_timeout = '100ms'") for $one, $other;
for my $round ('the first logins', 'logins after a minute') {
    $dba->do("UPDATE seeme.api_key_uses SET used_at = used_at - interval '2 minutes' WHERE key_id = ?", undef, $id);
    my $before = value($dba,
        "SELECT coalesce(max(used_at), '-infinity') FROM seeme.api_key_uses WHERE key_id = ?", $id);
    $_->begin_work for $one, $other;
    is(sqlstate_of($one, 'SELECT seeme_login(?)', $key), '', "$round with one key: one");
    is(sqlstate_of($other, 'SELECT seeme_login(?)', $key), '',
        "$round with one key: the other does not wait for it");
    is(value($other, $seen), 25, "$round: and sees what there is to see");
    $other->commit;
    $one->commit;
    ok(value($dba, 'SELECT max(used_at) > ? AND max(used_at) > clock_timestamp() - interval \'1 minute\' FROM seeme.api_key_uses WHERE key_id = ?', $before, $id), "$round: when it was used is kept");
}
my $kept = value($dba, $used, $id);
for my $level ('READ ONLY', 'ISOLATION LEVEL REPEATABLE READ', 'READ WRITE') {
    $dba->do('DELETE FROM seeme.api_key_uses u WHERE key_id = ? AND used_at <> (SELECT max(o.used_at) FROM seeme.api_key_uses o WHERE o.key_id = u.key_id)', undef, $id);
    $dba->do("UPDATE seeme.api_key_uses SET used_at = ?::timestamptz - CASE ? WHEN 'READ WRITE' THEN interval '0' ELSE interval '2 minutes' END WHERE key_id = ?", undef, $kept, $level, $id);
    my $before = value($dba, $used, $id);
    $one->begin_work;
    $one->do("SET TRANSACTION $level");
    is(value($one, 'SELECT seeme_login(?)', $key), id_of('tess'), "$level: a login");
    $one->commit;
    is(value($dba, $used, $id), $before, "$level: "
        . ($level eq 'READ WRITE' ? 'within the minute nothing is written' : 'does not keep when'));
}

# Two REPEATABLE READ transactions with one key do not fail each other.
$dba->do("UPDATE seeme.api_key_uses SET used_at = clock_timestamp() - interval '1 hour' WHERE key_id = ?", undef, $id);
$one->begin_work;
$one->do('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
value($one, 'SELECT 1');
value($other, 'SELECT seeme_login(?)', $key);
is(sqlstate_of($one, 'SELECT seeme_login(?)', $key), '',
    'a REPEATABLE READ login after another connection\'s is no serialization failure');
$one->rollback;

# A key that was made after the snapshot of a REPEATABLE READ transaction: as it is committed, it
# is good or refused, and nothing else.
$one->begin_work;
$one->do('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
value($one, 'SELECT 1');
($key, $id) = new_key('{datasets:read}');
like(sqlstate_of($one, 'SELECT seeme_login(?)', $key), qr/^(28000)?$/,
    'a key that is younger than the snapshot is good, or refused as an unknown one');
$one->rollback;

done_testing();
