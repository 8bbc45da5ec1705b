from django.apps import AppConfig


class SitesConfig(AppConfig):
    """The tenant and its people.

    The label `sites` is ours: `django.contrib.sites` stays out, allauth does not need it.
    """

    name = "sites"

    def ready(self) -> None:
        from sites.consumers.audit_words import WORDS as consumer_words
        from sites.cover import transitions as cover
        from sites.cover.audit_words import WORDS as cover_words
        from sites.crisis_lines import today as crisis
        from sites.crisis_lines.audit_words import WORDS as crisis_words
        from sites.engine import audit_words, outbox
        from sites.gate import navigation
        from sites.gate.audit_words import WORDS as access_words
        from sites.people import transitions as people
        from sites.people.audit_words import WORDS as people_words
        from sites.program.audit_words import WORDS as program_words
        from sites.program.navigation import ENTRIES as program_entries

        outbox.register_deliveries()
        people.register()
        crisis.register()
        cover.register()
        navigation.register(*program_entries)
        audit_words.register(access_words, consumer_words, cover_words, crisis_words, people_words, program_words)
