from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Who the peer supporters are: recruitment, roster, training, agreement, load."""

    name = "training"

    def ready(self) -> None:
        from sites.engine import agenda, audit_words, today
        from sites.gate import navigation
        from sites.people import transitions as people
        from sites.program import opening
        from training.attendance.audit_words import WORDS as attendance_words
        from training.commitment import agreement
        from training.commitment.audit_words import WORDS as commitment_words
        from training.credits import claims
        from training.credits.audit_words import WORDS as credit_words
        from training.recruitment import due as recruitment_due
        from training.recruitment import today as recruit_queries
        from training.recruitment.audit_words import WORDS as recruitment_words
        from training.roster import pending_lines
        from training.roster import today as roster_today
        from training.roster.audit_words import WORDS as roster_words
        from training.roster.opening import departments, supporters
        from training.sessions import transitions as sessions
        from training.sessions.audit_words import WORDS as session_words
        from training.sessions.navigation import ENTRIES as session_entries
        from training.supporters import lending, public_page
        from training.supporters.audit_words import WORDS as supporter_words

        opening.register(departments, supporters)
        people.register_leave(public_page.leave)
        people.register_leave(sessions.leave)
        agreement.register()
        sessions.register()
        claims.register()
        agenda.register(lending.LINK, lending.handle_links)
        today.register(roster_today.rows)
        pending_lines.register()
        recruitment_due.register()
        recruit_queries.register()
        navigation.register(*session_entries)
        audit_words.register(attendance_words, commitment_words, credit_words, recruitment_words)
        audit_words.register(roster_words, session_words, supporter_words)
