from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """How a physician reaches the program."""

    name = "referrals"

    def ready(self) -> None:
        from referrals import notices, reach_out
        from referrals.opening import words
        from sites import opening

        notices.register()
        reach_out.register()
        opening.register(words)
