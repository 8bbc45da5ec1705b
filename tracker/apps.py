from django.apps import AppConfig


class TrackerConfig(AppConfig):
    """The interaction tracker, rollups, releases and figures."""

    name = "tracker"

    def ready(self) -> None:
        from tracker import erasure, releases, rollups, survey

        rollups.register()
        erasure.register()
        releases.register()
        survey.register()
