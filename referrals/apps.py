from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """How a physician reaches the program."""

    name = "referrals"

    def ready(self) -> None:
        from referrals import notices
        from referrals.opening import words
        from sites import opening

        notices.register()
        opening.register(words)
