from django.apps import AppConfig


class PsiConfig(AppConfig):
    """The project package is installed for its start-up checks and Celery; it has no models."""

    name = "psi"

    def ready(self) -> None:
        # Both need the registry: the checks read settings, Celery binds tasks to its application.
        from psi import celery, startup

        celery.app.set_default()
        startup.watch_roles()
