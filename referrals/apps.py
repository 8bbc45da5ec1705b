from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """How a physician reaches the program."""

    name = "referrals"

    def ready(self) -> None:
        from referrals.reach_out import transitions as reach_out
        from referrals.requests import notices
        from referrals.wording.opening import words
        from sites.program import opening

        notices.register()
        reach_out.register()
        opening.register(words)
