# Django with integer keys, as doc/keys.md says: a migration adds the generated columns, models know
# nothing of them, and each person sees the rows of their own boards.
use strict;
use warnings;
use ClientsTest;
use Test::More;

run_program('with_django_keys.py');
done_testing();
