from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """How a physician reaches the program."""

    name = "referrals"

    def ready(self) -> None:
        from referrals.promotion.audit_words import WORDS as promotion_words
        from referrals.reach_out import transitions as reach_out
        from referrals.requests import notices
        from referrals.requests.audit_words import WORDS as request_words
        from referrals.wording.audit_words import WORDS as wording_words
        from referrals.wording.opening import opening_row
        from sites.engine import audit_words
        from sites.gate import navigation
        from sites.program import opening

        notices.register()
        reach_out.register()
        opening.register(opening_row)
        navigation.register_landmark(navigation.Landmark.SITE_PAGE, "public")
        audit_words.register(promotion_words, request_words, wording_words)
