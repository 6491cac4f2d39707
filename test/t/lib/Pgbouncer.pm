# A private pgbouncer in front of the server of PGHOST and PGPORT. It is reached through a socket in
# a directory that no other user may enter, runs as the user who runs the test, and ends with the
# test.
package Pgbouncer;

use strict;
use warnings;
use DBI;
use File::Temp 'tempdir';
use POSIX ();

my @running;

sub program {
    my ($program) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
    return $program // die "pgbouncer is not installed: scripts/setup does that\n";
}

# 1.26.1 is 1026.
sub version {
    my $said = qx(${\ program()} --version);
    return $said =~ /(\d+)\.(\d+)/ ? 1000 * $1 + $2
        : die "pgbouncer does not say its version: $said\n";
}

# start(users => [...], databases => { name => 'dbname=... pool_mode=...' }, settings => { ... })
sub start {
    my ($class, %is) = @_;
    my $directory = tempdir('pgb.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0700, $directory or die "$directory: $!";
    my $program = program();
    # One server connection for each database name, so that whoever comes second gets what the
    # first has left.
    my %settings = (
        listen_addr => '', listen_port => 6432, unix_socket_dir => $directory,
            unix_socket_mode => '0700', auth_type => 'trust',
        auth_file => "$directory/users", default_pool_size => 1, min_pool_size => 0,
        reserve_pool_size => 0, max_client_conn => 200,
        query_wait_timeout => 10, server_idle_timeout => 5, server_connect_timeout => 5,
        server_login_retry => 1,
        logfile => "$directory/log", pidfile => "$directory/pid", log_connections => 0,
        log_disconnections => 0, stats_period => 3600,
        admin_users => '', %{ $is{settings} // {} });
    write_to("$directory/users", map { qq("$_" ""\n) } @{ $is{users} });
    write_to("$directory/ini", "[databases]\n",
        (map { "$_ = host=$ENV{PGHOST} port=$ENV{PGPORT} $is{databases}{$_}\n" } sort keys %{
        $is{databases} }),
        "[pgbouncer]\n", map { "$_ = $settings{$_}\n" } sort keys %settings);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$directory/out";
        open STDERR, '>&', \*STDOUT;
        exec $program, "$directory/ini" or POSIX::_exit(127);
    }
    my $self = bless { pid => $pid, host => $directory, port => $settings{listen_port} }, $class;
    push @running, $self;
    for (1 .. 200) {
        return $self if -S "$directory/.s.PGSQL.$self->{port}";
        last if waitpid($pid, POSIX::WNOHANG()) == $pid;
        select undef, undef, undef, 0.05;
    }
    die "pgbouncer does not start:\n" . $self->log;
}

sub write_to {
    my ($file, @text) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out @text;
    close $out or die "$file: $!";
}

sub log {
    my ($self) = @_;
    return join '', map { -e $_ ? do { local (@ARGV, $/) = $_; <> } : '' } "$self->{host}/out",
        "$self->{host}/log";
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'TERM', $pid;
    waitpid $pid, 0;
}

END {
    my $status = $?;
    $_->stop for @running;
    $? = $status;
}

1;
