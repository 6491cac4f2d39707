# Django's habits, as doc/clients.md and doc/testing.md tell them: a middleware, RETURNING, children
# that delete() deletes first, and fixtures of a TestCase.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use SeemeTest;
use Test::More;

create_roles('django_habits_app LOGIN');
create_database('django_habits', 'seeme_rbac');
my $here = dirname(abs_path(__FILE__));
local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
local $ENV{PYTHONPATH} = "$here/../../doc/clients";
open my $program, '-|', 'python3', "$here/with_django_habits.py", $ENV{PGHOST}, $ENV{PGUSER}
    or die "python3: $!";
my $done;
while (<$program>) {
    chomp;
    if (/^ok (.*)/) { pass($1) }
    elsif (/^not ok (.*)/) { fail($1) }
    elsif ($_ eq 'done') { $done = 1 }
    else { diag($_) }
}
ok(close($program) && $done, 'the program ran to its end');
done_testing();
