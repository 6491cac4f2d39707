"""with_django.py [SOCKET]: Django's ORM, on the server itself or through the pooler at SOCKET."""
from contextlib import contextmanager

import django
from django.conf import settings

from harness import (Ledger, Ways, control, listed, ok, people, pooler, run,
                     set_session_user, where_it_is, world)

settings.configure(USE_TZ=True, DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "HOST": where_it_is["host"],
    "PORT": where_it_is["port"], "NAME": where_it_is["dbname"], "USER": where_it_is["user"],
    "CONN_MAX_AGE": None, "DISABLE_SERVER_SIDE_CURSORS": True}})
django.setup()

from django.db import (  # noqa: E402
    Error, ProgrammingError, connection, connections, models, transaction)
from seeme_django import as_person  # noqa: E402


class Paper(models.Model):
    id = models.IntegerField(primary_key=True)
    project_id = models.UUIDField()
    title = models.TextField()

    class Meta:
        app_label, db_table, managed = "app", "papers", False


class Note(models.Model):
    id = models.IntegerField(primary_key=True)
    owner_id = models.UUIDField()
    touched = models.IntegerField()

    class Meta:
        app_label, db_table, managed = "app", "notes", False


def ids(rows):
    return listed(rows.order_by("id").values_list("id"))


class Statements(Ways):
    def fetch(self, at, statement, *parameters):
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    def change(self, at, statement, *parameters):
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.rowcount

    def savepoint(self, at):
        return transaction.atomic()

    def state_of(self, error):
        return error.__cause__.pgcode

    def reads_objects(self, at, topic, who, name, number):
        self.ledger.expect(topic, ids(Paper.objects), who["papers"])
        self.ledger.expect(topic, ids(Note.objects), who["notes"])

    def saves_an_object(self, at, topic, who, name, number):
        note = Note.objects.order_by("id").first()
        self.ledger.expect(topic, note is not None, who["id"] is not None)
        if note is not None:
            note.touched = models.F("touched") + 1
            note.save()
        return note is not None

    def saves_an_object_where_nobody_of_them_may(self, at, topic, who, name, number):
        def save():
            with transaction.atomic():
                Paper.objects.create(id=9000, project_id=world["delta"], title="x")
        self.ledger.expect(topic, self.refused(save), "42501")
        self.ledger.expect(topic, ids(Note.objects), who["notes"])


def read(user_id, statement):
    with transaction.atomic(), connection.cursor() as cursor:
        if user_id is not None:
            cursor.execute(set_session_user, (user_id,))
        cursor.execute(statement)
        return cursor.fetchall()


def forgotten(ledger):
    """Between requests, in the same connection: with a transaction and without."""
    for person in people.values():
        with as_person(user_id=person["id"]):
            ledger.expect("named", ids(Note.objects), person["notes"])
        ledger.expect("forgotten", ids(Paper.objects) + ids(Note.objects), "")
        ledger.expect("forgotten", Note.objects.update(touched=0), 0)
        with transaction.atomic():
            ledger.expect("forgotten, in a transaction", ids(Paper.objects), "")
        try:
            Note(id=1001, owner_id=people["paul"]["id"], touched=0).save()
            ledger.expect("forgotten, save()", "no error", "42501")
        except ProgrammingError as error:
            ledger.expect("forgotten, save()", error.__cause__.pgcode, "42501")


def swallows():
    with as_person(user_id=people["paul"]["id"]):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        except Error:
            pass


# A thread of Django's has a connection of its own, kept by CONN_MAX_AGE. Without a pooler, the
# threads that take turns are made to share one.
shared = connections["default"]
shared.inc_thread_sharing()


@contextmanager
def request(**identity):
    if not pooler:
        connections["default"] = shared
    with as_person(**identity):
        yield


where, threads = ("four clients of pgbouncer", 4) if pooler else ("one connection", 1)
run(f"Django, {where}", threads, Statements, request)
after = Ledger("Django, between requests")
forgotten(after)
after.report()
try:
    swallows()
    ok(False, "a swallowed error is told")
except Error as error:
    ok(error.__cause__.pgcode == "25P02", "a swallowed error is told", [repr(error)])
with transaction.atomic():
    try:
        with as_person(user_id=people["paul"]["id"]):
            ok(False, "a request within another transaction is refused")
    except RuntimeError as error:
        ok("durable" in str(error), "a request within another transaction is refused", [error])
control(read, threads)
print("done")
