from contextlib import contextmanager


@contextmanager
def as_person(pool, user_id=None, token=None):
    """A transaction on a connection of a psycopg_pool.ConnectionPool in which this person is asking; without either, nobody."""
    with pool.connection() as connection, connection.transaction():
        if user_id is not None:
            connection.execute("SELECT seeme_assume(%s)", (user_id,))
        elif token is not None:
            connection.execute("SELECT seeme_login(%s)", (token,))
        yield connection
