from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """Candidates and their reasons, invitation, confirmation, the contact window."""

    name = "matching"

    def ready(self) -> None:
        from matching import alerts, notices, queries, transitions, window
        from sites import people, trail

        notices.register()
        window.register()
        alerts.register()
        queries.register_today()
        trail.register(queries.codes_of)
        people.register_check(transitions.check_handed_on)
