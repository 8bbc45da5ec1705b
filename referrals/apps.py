from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """How a physician reaches the program."""

    name = "referrals"

    def ready(self) -> None:
        from referrals import notices

        notices.register()
