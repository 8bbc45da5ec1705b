from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Who the peer supporters are: recruitment, roster, training, agreement, load."""

    name = "training"

    def ready(self) -> None:
        from sites.engine import agenda, today
        from sites.people import transitions as people
        from sites.program import opening
        from training.commitment import agreement
        from training.credits import claims
        from training.recruitment import due as recruitment_due
        from training.recruitment import today as recruit_queries
        from training.roster import pending_lines
        from training.roster import today as roster_today
        from training.roster.opening import departments, supporters
        from training.sessions import transitions as sessions
        from training.supporters import lending, public_page

        opening.register(departments, supporters)
        people.register_leave(public_page.leave)
        people.register_leave(sessions.leave)
        agreement.register()
        sessions.register()
        claims.register()
        agenda.register(lending.LINK, lending.look_after_links)
        today.register(roster_today.rows)
        pending_lines.register()
        recruitment_due.register()
        recruit_queries.register_today()
