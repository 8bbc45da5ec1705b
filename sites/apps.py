from django.apps import AppConfig


class SitesConfig(AppConfig):
    """The tenant and its people.

    The label `sites` is ours: `django.contrib.sites` stays out, allauth does not need it.
    """

    name = "sites"

    def ready(self) -> None:
        from sites import cover, crisis, outbox, people

        outbox.register_deliveries()
        people.register()
        crisis.register_today()
        cover.register()
