# Runs one attack: as an attacker, in a pool mode, on a scheme. What it reports is what the
# attacker has gained.
#
# A vector says
#   name        what is tried
#   as          attackers (Attacks::World), one or more
#   try         statements, in turn; one that fails is undone and the next is tried. A code reference gets the session
#   on          schemes that it makes sense on; seeme_rbac alone by default
#   breaks      those of the weak schemes that it must break: what this harness can see
#   first       statements that the attacker gets in before the application says who is asking
#   options     what the connection is started with
#   together    for attackers without a transaction around them: all of it in one
#   before, after   what the administrator does before and after it
#   turn        what was done in the same connection by the victim, before
#   mid, then   what the administrator does then, and the attacker afterwards
#   collect     what the attacker comes back for, after the victim used the same connection
#   refused     SQLSTATEs, one of which the last statement of `try` has to be refused with; each: every one of them
#   oracle      pairs of statements, of something hidden and of something that is not there: their answers must not differ
#   forbidden   what must not be read, besides canaries; own: what the attacker sees afterwards, by default their own rows
#   allows      what of the watched may change, since the attacker has the right to
#   known       succeeds (in these modes), which doc/security.md owns up to
#   denial      the attacker takes rows from themselves (or from the connection that others use) and gains nothing
package Attacks::Harness;

use strict;
use warnings;
use DBI;
use IPC::Run ();
use Attacks::World qw(fill fingerprint changes tidy %scheme %attacker $database);

my $canary = qr/canary/i;
my $own_rows = join ',', 1 .. 5;

# new(dba => ..., poolers => { mode => [ host, port ] })
sub new { my ($class, %is) = @_; return bless { %is, serial => 0 }, $class }

sub alias {
    my ($self, $mode) = @_;
    return $mode eq 'direct' ? $database : "${mode}_$self->{serial}"
}

sub place {
    my ($self, $mode) = @_;
    my ($host, $port) = $mode eq 'direct' ? @ENV{qw(PGHOST PGPORT)} : @{ $self->{poolers}{$mode} };
    return (host => $host, port => $port, dbname => $self->alias($mode));
}

sub connect_as {
    my ($self, $mode, $role, $options) = @_;
    my %place = $self->place($mode);
    $place{options} = "'" . ($options =~ s/([\\'])/\\$1/gr) . "'" if defined $options;
    return DBI->connect('dbi:Pg:' . join(';', map { "$_=$place{$_}" } sort keys %place), $role, '',
        { RaiseError => 1, PrintError => 0, PrintWarn => 1, AutoCommit => 1, pg_server_prepare => 0,
            pg_expand_array => 0 });
}

# One statement: its SQLSTATE ('' if it went well), and everything that came of it, notices and
# errors included.
sub run_sql {
    my ($dbh, $sql) = @_;
    my (@out, @rows);
    local $SIG{__WARN__} = sub { push @out, @_ };
    my $ok = eval {
        my $sth = $dbh->prepare($sql, { pg_direct => 1 });
        $sth->execute;
        if ($sql =~ /^\s*COPY\b.*\bTO\s+STDOUT/si) {
            my $line;
            push @out, $line while $dbh->pg_getcopydata($line) >= 0;
        }
        elsif ($sql =~ /^\s*COPY\b.*\bFROM\s+STDIN/si) {
            $dbh->pg_putcopydata("901\t" . Attacks::World::id('delta') . "\tplanted\tgreen\n");
            $dbh->pg_putcopyend;
        }
        elsif ($sth->{NUM_OF_FIELDS}) {
            @rows = map { join '|', map { $_ // 'null' } @$_ } @{ $sth->fetchall_arrayref };
        }
        1;
    };
    return { sql => $sql, state => $ok ? '' : $dbh->state || 'XX000', rows => join("\n", @rows),
        out => join("\n", @rows, @out, $ok ? () : $@) };
}

# The statements as one simple query, which is one transaction: what statement pooling leaves of
# one. A statement that is refused would undo it all, so it is left out and the rest is tried again.
sub run_joined {
    my ($self, $mode, $role, $fixed, $tried, $last) = @_;
    my (@done, @kept);
    my %place = $self->place($mode);
    my @tried = @$tried;
    while (1) {
        my $n = 0;
        my @all = (@$fixed, @kept, @tried);
        my $text = join ";\n", (map { ($_, 'SELECT \'#done ' . $n++ . "'") } @all),
            map { ($_, "SELECT '#probe'") } @$last;
        my ($out, $err) = ('', '');
        IPC::Run::run([ 'psql', '-XAt', '-v', 'VERBOSITY=verbose', '-h', $place{host}, '-p',
            $place{port}, '-U', $role, '-d', $place{dbname}, '-c', $text ],
            '<', \undef, '>', \$out, '2>', \$err);
        my ($state) = $err =~ /^(?:ERROR|FATAL):  (\w{5}):/m;
        if (!defined $state && $err !~ /connection to server|server closed/) {
            my @results = split /^#done \d+\n/m, $out, -1;
            my $probes = pop @results;
            push @done, { sql => 'output', state => undef, out => join "\n", $err, splice @results,
                0, scalar @$fixed };
            push @done, map { { sql => $_, state => '', out => shift(@results) // '' } } @kept,
                @tried;
            return (\@done, [ split /^#probe$/m, $probes // '' ]);
        }
        $state //= '08006';
        my $failed = () = $out =~ /^#done \d+$/mg;
        push @done, { sql => 'output', state => undef, out => $out };
        if (!@kept && !@tried || $failed < @$fixed && $state ne '42601') {
            push @done, { sql => 'identification or probes', state => $state, out => $err };
            return (\@done, []);
        }
        if ($state eq '42601' && $failed < @$fixed) {    # nothing was run at all
            push @done, map { { sql => $_, state => $state, out => $err } } @kept, @tried;
            (@kept, @tried) = ();
            next;
        }
        my $index = $failed - @$fixed;
        if ($index >= @kept + @tried) {                    # the probes themselves are refused
            push @done, (map { { sql => $_, state => '', out => '' } } @kept, @tried),
                { sql => 'probes', state => $state, out => $err };
            return (\@done, []);
        }
        my @rest = (@kept, @tried);
        push @done, { sql => $rest[$index], state => $state, out => $err };
        @kept = @rest[ 0 .. $index - 1 ];
        @tried = @rest[ $index + 1 .. $#rest ];
    }
}

# A transaction of the application's for a person: what its statements say. Refusals are part of it.
sub turn {
    my ($self, $mode, $scheme, $as, $person, $dbh, @statements) = @_;
    my $is = $scheme{$scheme};
    my $identify = $is->{identify}->($as, $person);
    my $role = $is->{login} // $attacker{$as}{role};
    if ($mode eq 'statement') {
        my ($done, $probes) = $self->run_joined($mode, $role, [$identify], [], \@statements);
        return @$probes ? map { { state => '', out => $_ } } @$probes : @$done;
    }
    my $own = !$dbh;
    $dbh //= $self->connect_as($mode, $role);
    my @done;
    push @done, run_sql($dbh, 'BEGIN'), run_sql($dbh, $identify);
    for (@statements) {
        last if $done[-1]{state};
        push @done, run_sql($dbh, $_);
    }
    run_sql($dbh, 'COMMIT');
    $dbh->disconnect if $own;
    return @done;
}

# run(vector, attacker, mode, scheme) → { gained => [...], states => [[statement, SQLSTATE], ...],
# differences => ... }
sub run {
    my ($self, $v, $as, $mode, $scheme) = @_;
    $self->{serial}++;
    my ($dba, $is, $who) = ($self->{dba}, $scheme{$scheme}, $attacker{$as});
    my $role = $is->{login} // $who->{role};
    my $make = sub { map { ref ? $_ : fill($_, $scheme) } @{ ref $v->{ $_[0] } eq 'CODE'
        ? [ $v->{ $_[0] }->($scheme) ] : $v->{ $_[0] } // [] } };
    my (@gained, @said);
    $dba->do($_) for $make->('before');
    my $before = $v->{before} ? fingerprint($dba) : $self->{before} // fingerprint($dba);
    $self->{before} = $v->{before} || $v->{after} || $v->{mid} || $v->{allows} || $v->{known}
        || $v->{renew} ? undef : $before;

    my $me = $is->{me}->($who->{person});
    my @probes = ($is->{identity}, "SELECT id, title FROM $is->{papers}");
    push @probes, 'SELECT body FROM public.memos', 'SELECT username, email FROM seeme.users',
        'SELECT name FROM seeme.organizations', 'SELECT name FROM seeme.projects'
        if $scheme eq 'rbac';
    my $look = sub {
        my ($when, @answers) = @_;
        my $identity = ($answers[0] // '') =~ s/^\s+|\s+$//gr;
        push @gained, "$when: is $identity" if @answers && $identity !~ /^(null)?$/
            && (!defined $me || $identity ne $me) && $identity ne $role
            && $identity ne 'attack_authenticated';
        for (@answers) {
            push @gained, "$when: reads $1" if /([^\n]*(?:$canary)[^\n]*)/;
        }
    };
    my $heard = sub {
        my ($when, @results) = @_;
        for (@results) {
            push @gained, "$when: '$_->{sql}' tells: $1"
                if $_->{out} =~ /([^\n]*(?:$canary)[^\n]*)/;
            push @gained, "$when: '$_->{sql}' tells: $1" if $when eq 'afterwards' && $v->{forbidden}
                && $_->{out} =~ /([^\n]*(?:$v->{forbidden})[^\n]*)/;
        }
    };

    # What the victim did before in the same connection.
    my $dbh;
    my $connect = sub {
        my $dbh = eval { $self->connect_as($mode, $role, $v->{options}
            && fill($v->{options}, $scheme)) };
        push @said, { sql => 'connecting', state => $DBI::state, out => $@ } unless $dbh;
        return $dbh;
    };
    if ($v->{turn}) {
        $dbh = $connect->() if $mode ne 'statement';
        $self->turn($mode, $scheme, $as, 'oscar', $dbh, $make->('turn'));
        if ($dbh && $mode ne 'direct') { $dbh->disconnect; undef $dbh }
    }

    my @try = $make->('try');
    push @try, map { @$_ } map { [ map { fill($_, $scheme) } @$_ ] } @{ $v->{oracle} // [] };
    my @first = $make->('first');
    my @then = $make->('then');
    my $identify = $who->{within} ? $is->{identify}->($as, $who->{person}) : undef;
    my $joined = $mode eq 'statement' && ($who->{within} || $v->{together});
    my ($done, $answers);
    if ($joined && !grep { ref } @try) {
        ($done, $answers) = $self->run_joined($mode, $role, @first ? [] : [ $identify // () ],
            [ @first, @first ? $identify // () : (), @try ], \@probes);
        push @said, @$done;
        $look->('in the same query', @$answers);
        if ($v->{mid}) {
            $dba->do($_) for $make->('mid');
            ($done, $answers) = $self->run_joined($mode, $role, [], [@then], \@probes);
            $heard->('afterwards', @$done,
                { sql => 'probe', out => join "\n", @$answers[ 1 .. $#$answers ] });
            $look->('afterwards', @$answers);
        }
    }
    # The same, statement by statement; in statement pooling nobody is identified then who has no
    # database role.
    my $probe = sub {
        my ($when) = @_;
        my @answers;
        for (@probes) {
            my $result = guarded($dbh, $_);
            if ($result->{state} eq '25P02') { run_sql($dbh, 'ROLLBACK');
                $result = run_sql($dbh, $_); }
            push @answers, $result->{state} ? '' : $result->{rows};
            $heard->($when, $result);
        }
        $look->($when, @answers);
        return @answers;
    };
    # (A gateway's statement alone is one in which the application has not said who is asking: it
    # may say anybody.)
    my $alone = !($joined && $as eq 'gateway') || grep { ref } @try;
    $dbh //= $connect->() if $alone;
    if ($dbh && $alone) {
        my $in_transaction = $mode ne 'statement' && ($who->{within} || $v->{together});
        push @said, run_sql($dbh, $_) for @first;
        run_sql($dbh, 'BEGIN') if $in_transaction;
        if ($in_transaction && $identify) {
            my $result = run_sql($dbh, $identify);
            push @said, { %$result, sql => 'identification', state => undef };
            if ($result->{state}) {
                # The application goes no further, and nothing that was injected into what follows
                # is ever run.
                run_sql($dbh, 'ROLLBACK');
                @try = () unless @first;
            }
        }
        for my $statement (@try) {
            my $alive = eval { $dbh->ping };
            $dbh = $connect->() or last if !$alive;
            my @result = ref $statement ? $statement->($self, $dbh, $mode, $role) : $in_transaction
                && !$v->{raw} ? guarded($dbh, $statement) : run_sql($dbh, $statement);
            # What was said in the one query counts; alone it is looked at for what it tells.
            push @said, $joined ? map { { %$_, state => undef } } @result : @result;
        }
        if ($v->{mid}) {
            $dba->do($_) for $make->('mid');
            my @results = map { $in_transaction ? guarded($dbh, $_) : run_sql($dbh, $_) } @then;
            $heard->('afterwards', @results);
            $heard->('afterwards',
                { sql => 'probe', out => join "\n", ($probe->('afterwards'))[ 1 .. 2 ] });
        }
        $dbh = $connect->() if !eval { $dbh->ping };
        $probe->('in the same session') if $dbh;
        run_sql($dbh, 'COMMIT') if $dbh && $in_transaction;
    }
    $heard->('at once', @said);
    push @gained, 'the attacker had nothing to lose: this attack shows nothing' if $v->{forbidden}
        && !grep { $_->{out} =~ $v->{forbidden} } @said;

    # The same connection then serves the victim, and the attacker again.
    if ($as eq 'gateway') {
        my $keep = $mode eq 'direct' ? $dbh : undef;
        if ($dbh && !$keep) { $dbh->disconnect; undef $dbh }
        my @victim = eval { $self->turn($mode, $scheme, $as, 'oscar', $keep, $is->{identity},
            $scheme eq 'rbac' && !$v->{denial} ? 'SELECT id, title FROM papers'
            : "SELECT id, title FROM $is->{papers}") };
        my @back = eval { $self->turn($mode, $scheme, $as, 'mallory', $keep, $make->('collect'),
            @probes) };
        $heard->('in the next turn', map { { %$_, sql => $_->{sql} // 'probe' } } @back);
    }
    eval { $dbh->disconnect } if $dbh;

    # Whoever comes to the same connection of the pool without saying who they are; and who comes
    # anew.
    if ($as eq 'gateway' && $mode ne 'direct') {
        my $next = eval { $self->connect_as($mode, $role) };
        if ($next) {
            $look->('nobody, in the same connection',
                map { my $r = run_sql($next, $_); $r->{state} ? '' : $r->{rows} } @probes);
            my $rows = run_sql($next, "SELECT id FROM $is->{papers}");
            push @gained, 'nobody sees rows' if $rows->{rows} =~ /\d/ && !$rows->{state};
            $next->disconnect;
        }
    }
    # Everything that the attackers left open is over, so that what was not committed is not
    # counted.
    for (1 .. 1000) {
        last unless $dba->selectrow_array(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename LIKE 'attack\_%'});
        select undef, undef, undef, 0.002;
    }
    $dba->do("ROLLBACK PREPARED '$_'")
        for map { @$_ } @{ $dba->selectall_arrayref('SELECT gid FROM pg_prepared_xacts WHERE database = current_database()') };
    my @changed = changes($dba, $before, @{ $v->{allows} // [] });
    push @gained, map { "changed: $_" } @changed;
    if ($scheme eq 'rbac') {
        my $fresh = $self->connect_as('direct', $role);
        my $nobody = run_sql($fresh, 'SELECT id FROM public.papers');
        push @gained, "afterwards, anew: $nobody->{rows}" if $nobody->{rows} =~ /\d/
            && !$nobody->{state} && ($who->{within} || !$who->{person});
        my $own = $v->{own} // $who->{own} // ($who->{person} ? $own_rows : '');
        my $result = $nobody;
        if ($identify) {
            run_sql($fresh, 'BEGIN');
            run_sql($fresh, $identify);
            $result = run_sql($fresh, 'SELECT id FROM public.papers');
        }
        my $sees = $result->{state} ? $result->{state} : join ',',
            sort { $a <=> $b } $result->{rows} =~ /\d+/g;
        my $may = $v->{denial} ? $sees !~ /\b(1\d|2\d)\b/ : $sees eq $own;
        push @gained, "afterwards, anew: sees $sees, not $own" if !$may
            && !($sees =~ /^\w{5}$/ && $own eq '');
        $look->('anew', map { my $r = run_sql($fresh, $_); $r->{state} ? ''
            : $r->{rows} } $probes[0]);
        $fresh->disconnect;
    }
    $dba->do($_) for $make->('after');
    Attacks::World::new_keys($dba, $v->{renew}) if $v->{renew};
    tidy($dba) if !$who->{within} || $v->{tidy};
    undef $self->{before} if @changed;

    # Two questions that differ in whether what they name is there get the same answer.
    for (@{ $v->{oracle} // [] }) {
        my ($there, $not_there) = map { my $sql = fill($_, $scheme);
            [ grep { $_->{sql} eq $sql } @said ] } @$_;
        my @told = map { plain(join "\n", map { ($_->{state} // '') . $_->{out} } @$_) } $there,
            $not_there;
        push @gained, "an oracle: '$told[0]' for what is there, '$told[1]' for what is not"
            if $told[0] ne $told[1];
        push @gained, 'the oracle was not asked' unless @$there && @$not_there;
    }
    my %seen;
    my @outcomes = map { my $sql = $_;
        (reverse grep { defined $_->{state} && $_->{sql} eq $sql } @said)[0] // { sql => $sql,
        state => 'was not tried', out => '' } } grep { !ref } $make->('try');
    return { gained => [ grep { !$seen{$_}++ } @gained ], said => \@said, outcomes => \@outcomes };
}

# An answer without what the question itself has put there.
sub plain {
    my ($text) = @_;
    $text =~ s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/<id>/gi;
    $text =~ s/seeme_(key|inv)_\w+/<token>/g;
    $text =~ s/^(LINE \d+|LOCATION|CONTEXT|STATEMENT).*\n?(\s*\^\n?)?//mg;
    $text =~ s/ at \S+ line \d+\.?//g;
    $text =~ s/^DBD::Pg\S* \S+ failed: //mg;
    return $text;
}

sub guarded {
    my ($dbh, $sql) = @_;
    my $guard = run_sql($dbh, 'SAVEPOINT guard');
    my $result = run_sql($dbh, $sql);
    run_sql($dbh, 'ROLLBACK TO SAVEPOINT guard') if $result->{state} && !$guard->{state};
    return $result;
}

1;
