from contextlib import contextmanager

from django.db import connections, transaction


@contextmanager
def as_person(user_id=None, token=None, using="default"):
    """A transaction in which this person is asking; without either, nobody. Also a decorator."""
    with transaction.atomic(using=using, durable=True), connections[using].cursor() as cursor:
        if user_id is not None:
            cursor.execute("SELECT seeme_assume(%s::uuid)", (str(user_id),))
        elif token is not None:
            cursor.execute("SELECT seeme_login(%s)", (token,))
        yield
        # Fails if an error was swallowed; COMMIT would roll back without a word.
        cursor.execute("SELECT 1")
