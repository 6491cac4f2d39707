"""with_django_habits.py SOCKET SUPERUSER: what Django does by itself, beside protected tables."""
import io
import logging
import os
import sys
import types
import unittest
import uuid

import django
from django.conf import settings

APP = "django_habits_app"
SOCKET, SUPERUSER = sys.argv[1:3]


def connection_of(user):
    return {"ENGINE": "django.db.backends.postgresql", "HOST": SOCKET, "NAME": "django_habits",
            "USER": user}


class StubAuthentication:
    """In place of Django's own: the header names the user."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        pk = request.META.get("HTTP_PERSON")
        request.user = types.SimpleNamespace(pk=pk, is_authenticated=pk is not None)
        return self.get_response(request)


# The application of the models below: Django looks for children only in what is installed.
core = sys.modules["core"] = types.ModuleType("core")
core.__path__ = [os.path.dirname(__file__)]

settings.configure(
    USE_TZ=True, INSTALLED_APPS=["core"], ROOT_URLCONF=__name__, SECRET_KEY="x",
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[f"{__name__}.StubAuthentication", "django.middleware.csrf.CsrfViewMiddleware",
                "seeme_django_middleware.PersonMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DATABASES={"default": connection_of(APP), "owner": connection_of(SUPERUSER)})
django.setup()
logging.disable(logging.CRITICAL)

from django.db import DatabaseError, connection, connections, models  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.template.response import TemplateResponse  # noqa: E402
from django.test import Client, TestCase  # noqa: E402
from django.urls import path  # noqa: E402
from seeme_django import as_person  # noqa: E402

ADA, BOB, ACME, SITE = (uuid.UUID(str(n) * 32) for n in range(1, 5))


class Ticket(models.Model):
    id = models.IntegerField(primary_key=True)
    project_id = models.UUIDField(default=SITE)
    title = models.TextField()

    class Meta:
        app_label, db_table = "core", "tickets"


class Label(models.Model):
    id = models.IntegerField(primary_key=True)
    ticket = models.ForeignKey(Ticket, models.CASCADE)

    class Meta:
        app_label, db_table = "core", "labels"


class Event(models.Model):
    """An event with a key that the client makes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project_id = models.UUIDField(default=SITE)

    class Meta:
        app_label, db_table = "core", "events"


class NumberedEvent(models.Model):
    """An event with a key that the database makes."""

    id = models.BigAutoField(primary_key=True)
    project_id = models.UUIDField(default=SITE)

    class Meta:
        app_label, db_table = "core", "numbered_events"


def ok(passed, name, *remarks):
    print("ok" if passed else "not ok", name, flush=True)
    if not passed:
        print(*remarks, sep="\n")


def is_equal(got, expected, name):
    ok(got == expected, name, f"got {got!r}, not {expected!r}")


def execute(statement, *parameters):
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def state_of(statement, person):
    try:
        with as_person(user_id=person):
            statement()
        return None
    except DatabaseError as error:
        cause = error.__cause__
        return getattr(cause, "sqlstate", None) or cause.pgcode  # psycopg 3, psycopg 2


def page(request):
    template = engines["django"].from_string("{% for t in tickets %}{{ t.title }} {% endfor %}")
    return TemplateResponse(request, template, {"tickets": Ticket.objects.order_by("id")})


def add_and_fail(request):
    Event.objects.create()
    raise ValueError("after a write")


def add(request):
    Event.objects.create()
    return HttpResponse("added")


def by_itself(request):
    with as_person(user_id=ADA):
        return HttpResponse(str(Ticket.objects.count()))


by_itself.own_transaction = True
urlpatterns = [path("page/", page), path("fail/", add_and_fail), path("add/", add),
               path("itself/", by_itself)]

execute("INSERT INTO seeme.users (id, username, email) VALUES "
        "(%s, 'ada', 'ada@example.com'), (%s, 'bob', 'bob@example.com')", ADA, BOB)
execute("INSERT INTO seeme.organizations (id, name, owner_id) VALUES (%s, 'Acme', %s)", ACME, ADA)
execute("INSERT INTO seeme.projects (id, organization_id, name) VALUES (%s, %s, 'Site')",
        SITE, ACME)
execute("""
    CREATE TABLE tickets (id integer PRIMARY KEY, project_id uuid NOT NULL, title text);
    CREATE TABLE labels (id integer PRIMARY KEY, ticket_id integer NOT NULL REFERENCES tickets);
    CREATE TABLE events (id uuid PRIMARY KEY, project_id uuid NOT NULL);
    CREATE TABLE numbered_events (id bigserial PRIMARY KEY, project_id uuid NOT NULL);
    CREATE INDEX ON tickets (project_id);
    CREATE INDEX ON labels (ticket_id);
    CREATE INDEX ON events (project_id);
    CREATE INDEX ON numbered_events (project_id);
    SELECT seeme_protect('tickets', 'tickets', project_column => 'project_id'),
           seeme_protect('labels', 'labels', parent_column => 'ticket_id'),
           seeme_protect('events', 'events', project_column => 'project_id'),
           seeme_protect('numbered_events', 'events', project_column => 'project_id')""")
execute("INSERT INTO seeme.roles (organization_id, name, permissions) "
        "VALUES (%s, 'Worker', '{tickets:read,labels:*,events:create}')", ACME)
execute("INSERT INTO seeme.organization_members (organization_id, user_id, role_id) "
        "SELECT %s, %s, id FROM seeme.roles WHERE name = 'Worker'", ACME, BOB)
execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP};"
        f"SELECT seeme_grant_usage('{APP}'); GRANT EXECUTE ON FUNCTION seeme_assume TO {APP}")
Ticket.objects.using("owner").create(id=1, title="Tap")
Label.objects.using("owner").create(id=1, ticket_id=1)

# The middleware
client = Client(raise_request_exception=False)
is_equal(client.get("/page/").content, b"", "threat: a view shows tickets to nobody")
is_equal(client.get("/page/", HTTP_PERSON=str(BOB)).content, b"Tap ",
         "a template reads its queryset within the middleware's transaction")
is_equal(client.get("/page/").content, b"", "threat: the next request is still the person's")
is_equal(client.get("/fail/", HTTP_PERSON=str(BOB)).status_code, 500, "a view fails after a write")
is_equal(Event.objects.using("owner").count(), 0, "threat: what a failed view wrote is kept")
is_equal(client.get("/add/", HTTP_PERSON=str(BOB)).content, b"added", "a view writes")
is_equal(Event.objects.using("owner").count(), 1, "and what it wrote is kept")
is_equal(client.get("/itself/", HTTP_PERSON=str(BOB)).content, b"1",
         "a view with a transaction of its own names somebody itself")
strict = Client(enforce_csrf_checks=True)
is_equal(strict.post("/add/", HTTP_PERSON=str(BOB)).status_code, 403,
         "threat: the middleware passes by Django's check against CSRF")

# Write, and never read
is_equal(state_of(lambda: NumberedEvent.objects.create(), BOB), "42501",
         "create() asks for a key that the database makes, and fails for whoever may not read")
is_equal(state_of(lambda: NumberedEvent(id=7).save(force_insert=True), BOB), "42501",
         "so it does with a key that is given")
is_equal(state_of(lambda: NumberedEvent.objects.bulk_create(
    [NumberedEvent(), NumberedEvent()], ignore_conflicts=True), BOB), None,
    "bulk_create(ignore_conflicts=True) asks for nothing")
is_equal(state_of(lambda: Event.objects.create(), BOB), None,
         "create() with a key that the client makes asks for nothing")

# delete() deletes the children first
with as_person(user_id=BOB):
    is_equal(Ticket.objects.filter(id=1).delete(), (1, {"core.Label": 1}),
             "delete() says how many rows of which model it deleted")
is_equal((Ticket.objects.using("owner").count(), Label.objects.using("owner").count()), (1, 0),
         "the ticket stays, and its labels are gone")


# A TestCase whose connection is a superuser's until its fixtures are made
settings.DATABASES["default"]["USER"] = SUPERUSER
connection.close()
connection.settings_dict["USER"] = SUPERUSER


class Fixtures(TestCase):
    def setUp(self):
        Ticket.objects.create(id=2, title="Fresh")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL seeme_rbac.several_people = on")
            cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {APP}")

    def test_people(self):
        got = [self.client.get("/page/", **header).content
               for header in ({}, *({"HTTP_PERSON": str(person)} for person in (ADA, BOB, ADA)))]
        self.assertEqual(got, [b"", b"Tap Fresh ", b"Tap Fresh ", b"Tap Fresh "])

    def test_a_stranger(self):
        execute_here = connection.cursor().execute
        execute_here("SELECT seeme_assume(%s)", (str(ADA),))
        execute_here("DELETE FROM seeme.organization_members WHERE user_id = %s", (str(BOB),))
        self.assertEqual([self.client.get("/page/", HTTP_PERSON=str(person)).content
                          for person in (ADA, BOB, ADA)], [b"Tap Fresh ", b"", b"Tap Fresh "])


log = io.StringIO()
result = unittest.TextTestRunner(stream=log).run(
    unittest.defaultTestLoader.loadTestsFromTestCase(Fixtures))
ok(result.wasSuccessful() and result.testsRun == 2,
   "a TestCase makes fixtures as a superuser, and asks as the application", log.getvalue())
is_equal(Ticket.objects.using("owner").count(), 1, "and takes its fixtures back")
print("done")
