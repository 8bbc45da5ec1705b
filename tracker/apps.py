from django.apps import AppConfig


class TrackerConfig(AppConfig):
    """The interaction tracker, rollups, releases and figures."""

    name = "tracker"

    def ready(self) -> None:
        from tracker.conversations import debriefs, erasure, remarks, reminders
        from tracker.figures import rollups
        from tracker.releases import snapshot
        from tracker.releases import transitions as releases
        from tracker.survey import transitions as survey

        rollups.register()
        erasure.register()
        releases.register()
        snapshot.register()
        survey.register()
        debriefs.register()
        remarks.register()
        reminders.register()
