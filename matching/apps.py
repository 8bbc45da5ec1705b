from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """Candidates and their reasons, invitation, confirmation, the contact window."""

    name = "matching"

    def ready(self) -> None:
        from matching import alerts, following, leaving, notices, queries, rematch, window
        from sites import people, trail

        notices.register()
        window.register()
        alerts.register()
        following.register()
        leaving.register()
        queries.register_today()
        trail.register(queries.codes_of)
        people.register_check(rematch.check_handed_on)
