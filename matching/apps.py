from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """Candidates and their reasons, invitation, confirmation, the contact window."""

    name = "matching"

    def ready(self) -> None:
        from matching.invitations import alerts, due, leaving, next_candidate, notices, queries, rematch
        from matching.requests import today as requests_today
        from sites.engine import audit_words
        from sites.people import transitions as people

        notices.register()
        due.register()
        alerts.register()
        next_candidate.register()
        leaving.register()
        requests_today.register()
        audit_words.register(queries.codes_of)
        people.register_check(rematch.check_handed_on)
