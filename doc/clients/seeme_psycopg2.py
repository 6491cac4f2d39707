from contextlib import contextmanager


@contextmanager
def as_person(connection, user_id=None, token=None):
    """A transaction in which this person is asking, with a cursor for it; without either, nobody."""
    with connection, connection.cursor() as cursor:  # commits, or rolls back after an error
        if user_id is not None:
            cursor.execute("SELECT seeme_assume(%s::uuid)", (str(user_id),))
        elif token is not None:
            cursor.execute("SELECT seeme_login(%s)", (token,))
        yield cursor
