from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """Candidates and their reasons, invitation, confirmation, the contact window."""

    name = "matching"

    def ready(self) -> None:
        from matching.invitations import alerts, due, leaving, next_candidate, notices, queries, rematch
        from matching.invitations.audit_words import WORDS as invitation_words
        from matching.requests import today as requests_today
        from matching.requests.audit_words import WORDS as request_words
        from matching.requests.navigation import ENTRIES as request_entries
        from matching.supporter.audit_words import PURPOSES
        from matching.supporter.navigation import ENTRIES as supporter_entries
        from sites.engine import audit_words
        from sites.gate import navigation
        from sites.people import transitions as people

        notices.register()
        due.register()
        alerts.register()
        next_candidate.register()
        leaving.register()
        requests_today.register()
        navigation.register(*request_entries, *supporter_entries)
        audit_words.register(invitation_words, request_words)
        audit_words.register_purposes(PURPOSES)
        audit_words.register_request_references(queries.references_of)
        people.register_check(rematch.check_no_open_match)
