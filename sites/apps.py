from django.apps import AppConfig


class SitesConfig(AppConfig):
    """The tenant and its people.

    The label `sites` is ours: `django.contrib.sites` stays out, allauth does not need it.
    """

    name = "sites"

    def ready(self) -> None:
        from sites.cover import transitions as cover
        from sites.crisis_lines import today as crisis
        from sites.engine import outbox
        from sites.people import transitions as people

        outbox.register_deliveries()
        people.register()
        crisis.register_today()
        cover.register()
