# Each call of seeme_act_for writes a line to the server's log. No rollback removes it, no client
# sees it, and it has ids and no secrets. With several backends: what one of them knows of an actor.
use strict;
use warnings;
use SeemeTest;
use Test::More;

alarm 300;
create_roles('desk_app NOLOGIN', 'desk_tool LOGIN IN ROLE desk_app',
    'desk_door LOGIN IN ROLE desk_app');
create_database('desk', 'seeme_rbac');
my $dba = connect_to('desk');
make_world($dba, 'desk_app');
$dba->do('GRANT EXECUTE ON FUNCTION seeme_act_for(uuid, uuid) TO desk_tool');
$dba->do('GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO desk_door');

# What PostgreSQL writes to its log. It runs as the same user as this script.
my ($postmaster) = split /\n/, value($dba, "SELECT pg_read_file('postmaster.pid')");
my $server_log = readlink("/proc/$postmaster/fd/2") // BAIL_OUT("the server's log: $!");
my $log_start;
sub begin_log { $log_start = -s $server_log; return; }
sub lines {
    open my $in, '<', $server_log or BAIL_OUT("$server_log: $!");
    seek $in, $log_start, 0;
    return grep { /seeme_act_for is called/ } <$in>;
}
sub whole_log {
    open my $in, '<', $server_log or BAIL_OUT("$server_log: $!");
    seek $in, $log_start, 0;
    return do { local $/; <$in> };
}

my $tool = connect_to('desk', 'desk_tool');
my $act = 'SELECT seeme_act_for(?, ?)';
my $seen = 'SELECT count(*) FROM papers';

# A call that is committed
begin_log();
$tool->begin_work;
value($tool, $act, id_of('vera'), id_of('edith'));
is(value($tool, $seen), 75, 'the actor sees what the user sees');
$tool->commit;
my @line = lines();
is(scalar @line, 1, 'a call writes one line to the server\'s log');
my ($vera, $edith, $stan) = map { id_of($_) } qw(vera edith stan);
like($line[0],
    qr/LOG:\s+seeme_act_for is called: user $vera, actor $edith, database role "desk_tool"$/,
    'the line has the user, the actor and the database role');

# One that is rolled back: as a whole, to a savepoint, and by an error that is caught
begin_log();
$tool->begin_work;
value($tool, $act, id_of('vera'), id_of('edith'));
$tool->rollback;
is(scalar lines(), 1, 'threat: ROLLBACK removes the line');
begin_log();
$tool->begin_work;
$tool->do('SAVEPOINT s');
value($tool, $act, id_of('vera'), id_of('edith'));
$tool->do('ROLLBACK TO SAVEPOINT s');
$tool->rollback;
is(scalar lines(), 1, 'threat: ROLLBACK TO SAVEPOINT removes the line');
begin_log();
$tool->do(<<"SQL");
DO \$\$
BEGIN
  PERFORM seeme_act_for('$vera', '$edith');
  RAISE EXCEPTION 'undone';
EXCEPTION WHEN raise_exception THEN NULL;
END \$\$
SQL
is(scalar lines(), 1, 'threat: an exception that is caught removes the line');

# A role that is no superuser cannot turn the line off, nor see it.
begin_log();
$tool->begin_work;
is(sqlstate_of($tool, 'SET LOCAL log_min_messages = panic'), '42501',
    'threat: the tool turns its own log off');
$tool->rollback;
my @told;
{
    local $SIG{__WARN__} = sub { push @told, @_ };
    local $tool->{PrintWarn} = 1;
    $tool->do('SET client_min_messages = log');
    $tool->begin_work;
    value($tool, $act, id_of('vera'), id_of('edith'));
    $tool->commit;
    $tool->do('SET client_min_messages = error');
}
is(scalar lines(), 1, 'with client_min_messages = log, the line is written');
is(join('', @told), '', 'and the client is not told');

# Refused calls leave the line, too, followed by the error.
begin_log();
is(sqlstate_of($tool, $act, id_of('dora'), id_of('edith')), '28000', 'a disabled user is refused');
is(scalar lines(), 1, 'a refused call leaves a line');
like(whole_log(), qr/seeme_act_for is called: user \S+, actor $edith.*\n.*ERROR:/,
    'which the error follows');
begin_log();
is(sqlstate_of($tool, $act, id_of('vera'), id_of('dora')), '28000', 'a disabled actor is refused');
is(scalar lines(), 1, 'which leaves a line, too');

# No grant: the error of PostgreSQL or ours is in the log, and no line.
my $door = connect_to('desk', 'desk_door');
begin_log();
is(sqlstate_of($door, $act, id_of('vera'), id_of('edith')), '42501',
    'threat: the application\'s role acts for somebody');
is(scalar lines(), 0, 'nobody acted, and no line says so');

# The statement may have secrets, and is not in the log.
begin_log();
$tool->begin_work;
$tool->do("SELECT seeme_act_for('$vera', '$edith'), 'hush-hush'");
$tool->do("SELECT count(*) FROM papers WHERE title = 'hush-hush'");
$tool->commit;
is(scalar lines(), 1, 'a call in a statement with secrets writes its line');
unlike(whole_log(), qr/hush-hush/, 'threat: the statement\'s secrets are in the log');

# Several backends: an actor is disabled by one of them, and ends everywhere.
my @open = map { connect_to('desk', 'desk_tool') } 1 .. 3;
for my $connection (@open) {
    $connection->begin_work;
    value($connection, $act, id_of('vera'), id_of('stan'));
    is(value($connection, $seen), 75, 'an actor who is a user and nothing else acts');
}
$dba->do('UPDATE seeme.users SET disabled_at = now() WHERE id = ?', undef, $stan);
is(value($_, $seen), 0, 'once the actor is disabled, an open transaction sees nothing') for @open;
$_->rollback for @open;
$dba->do('UPDATE seeme.users SET disabled_at = NULL WHERE id = ?', undef, $stan);

# tokens_valid_from of the actor is about tokens. An actor comes with none.
$dba->do(q(UPDATE seeme.users SET tokens_valid_from = now() + interval '1 day' WHERE id = ?), undef,
    $stan);
$tool->begin_work;
value($tool, $act, id_of('vera'), id_of('stan'));
is(value($tool, $seen), 75, 'an actor who has signed out everywhere acts, since no token was used');
$tool->rollback;

# Columns that are added go to the end of a table.
is(join(' ', rows($dba, q(SELECT attname FROM pg_attribute
    WHERE attrelid = 'seeme.audit_log'::regclass AND attnum > 0 ORDER BY attnum DESC LIMIT 2))),
    'api_key_id actor_id', 'the log\'s columns for actor and key are its last ones');

done_testing();
