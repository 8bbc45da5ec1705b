from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """Candidates and their reasons, invitation, confirmation, the contact window."""

    name = "matching"

    def ready(self) -> None:
        from matching import alerts, due, following, leaving, notices, queries, rematch, requests_today
        from sites import people, trail

        notices.register()
        due.register()
        alerts.register()
        following.register()
        leaving.register()
        requests_today.register()
        trail.register(queries.codes_of)
        people.register_check(rematch.check_handed_on)
