from django.apps import AppConfig


class TrackerConfig(AppConfig):
    """The interaction tracker, rollups, releases and figures."""

    name = "tracker"

    def ready(self) -> None:
        from sites.engine import audit_words
        from sites.gate import navigation
        from tracker.conversations import debriefs, erasure, remarks, reminders
        from tracker.conversations.audit_words import WORDS as conversation_words
        from tracker.figures import rollups
        from tracker.figures.audit_words import WORDS as figure_words
        from tracker.figures.navigation import ENTRIES as figure_entries
        from tracker.operations.navigation import ENTRIES as operation_entries
        from tracker.releases import snapshot
        from tracker.releases import transitions as releases
        from tracker.releases.models import AUDIT_WORDS as RELEASE_WORDS
        from tracker.reports.audit_words import WORDS as report_words
        from tracker.survey import transitions as survey

        rollups.register()
        erasure.register()
        releases.register()
        snapshot.register()
        survey.register()
        debriefs.register()
        remarks.register()
        reminders.register()
        navigation.register(*figure_entries, *operation_entries)
        navigation.register_landmark(navigation.Landmark.SAFETY_STEPS, "safety")
        audit_words.register(conversation_words, figure_words, RELEASE_WORDS, report_words)
