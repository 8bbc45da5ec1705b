from django.apps import AppConfig


class TrackerConfig(AppConfig):
    """The interaction tracker, rollups, releases and figures."""

    name = "tracker"

    def ready(self) -> None:
        from tracker import debriefs, erasure, freezing, releases, remarks, reminders, rollups, survey

        rollups.register()
        erasure.register()
        releases.register()
        freezing.register()
        survey.register()
        debriefs.register()
        remarks.register()
        reminders.register()
