"""It refuses to start wrong.

`wsgi.py` and `celery.py` call `refuse_if_wrong` because Django's system checks do not run under a server;
the checks call the same functions, so that `manage.py check --deploy` says the same things.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Error, register
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from psi import vault

# Release figures may be stricter than K = 10, never laxer (docs/rules.md#smallest-count).
SMALLEST_K = 10


def problems() -> list[str]:
    """Return one sentence for each setting that is missing or must not be; none when all is well."""
    on_a_server = () if settings.PSI_LOCAL else _server_problems()
    return [*_key_problems(), *_host_problems(), *_vault_problems(), *_service_problems(), *on_a_server]


def _key_problems() -> Iterator[str]:
    if not settings.SECRET_KEY_GIVEN:
        yield "PSI_SECRET_KEY is missing: set it to at least 50 random characters."
    elif not settings.PSI_LOCAL and len(settings.SECRET_KEY) < 50:
        yield "PSI_SECRET_KEY is too short: set it to at least 50 random characters."
    if not settings.PSI_INDEX_KEY:
        yield "PSI_INDEX_KEY is missing: set it to at least 50 random characters, and never change it."
    elif not settings.PSI_LOCAL and len(settings.PSI_INDEX_KEY) < 50:
        yield "PSI_INDEX_KEY is too short: set it to at least 50 random characters."


def _host_problems() -> Iterator[str]:
    if not settings.ALLOWED_HOSTS:
        yield "PSI_ALLOWED_HOSTS is missing: name the hosts this server answers for."
    if "*" in settings.ALLOWED_HOSTS:
        yield "PSI_ALLOWED_HOSTS must name hosts, not '*'."


def _vault_problems() -> Iterator[str]:
    try:
        vault.parse_keys(settings.PSI_VAULT_KEYS)
    except ImproperlyConfigured as error:
        yield str(error)


def _service_problems() -> Iterator[str]:
    if not settings.DATABASES["default"].get("NAME"):
        yield "DATABASE_URL is missing: name a database and a role that is no superuser."
    if not settings.PSI_REDIS_URL:
        yield "REDIS_URL is missing: name the Valkey or Redis server."
    if settings.PSI_K < SMALLEST_K:
        yield f"PSI_K is {settings.PSI_K}: no count under {SMALLEST_K} may leave a site."


def _server_problems() -> Iterator[str]:
    """Yield what only the local run may do or leave out."""
    if "demo" in settings.INSTALLED_APPS or settings.PSI_DEMO_ASKED:
        yield "PSI_DEMO is for the local run only: it lets anyone sign in."
    if not settings.PSI_EMAIL_GIVEN:
        yield "PSI_EMAIL_URL is missing: invitations and reminders go out by mail."
    if settings.DEBUG:
        yield "DEBUG must be off."


def refuse_if_wrong() -> None:
    """Raise `ImproperlyConfigured` naming all that is wrong, the database role included."""
    found = problems()
    if found:
        raise ImproperlyConfigured("Refusing to start. " + " ".join(found))
    try:
        connection.ensure_connection()
    except OperationalError:
        # The server may be on its way up; every later connection is asked the same question.
        pass
    finally:
        connection.close()


def refuse_powerful_role(sender: Any, connection: Any, **kwargs: Any) -> None:
    """Refuse a connection whose role passes every policy (superuser or BYPASSRLS)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        powerful = cursor.fetchone()[0]
    if powerful:
        connection.close()
        raise ImproperlyConfigured(
            "Refusing to start. The role in DATABASE_URL is a superuser or has BYPASSRLS, so the wall"
            " between sites would not hold: use psi_app (deploy/roles.sql)."
        )


def watch_roles() -> None:
    """Ask the question at every new database connection."""
    connection_created.connect(refuse_powerful_role, dispatch_uid="psi.startup")


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Say the same sentences to `manage.py` commands, as a system check (docs/rules.md#smallest-count among them)."""
    return [Error(sentence, id="psi.E001") for sentence in problems()]
