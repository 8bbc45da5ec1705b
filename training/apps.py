from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Who the peer supporters are: recruitment, roster, training, agreement, load."""

    name = "training"

    def ready(self) -> None:
        from sites import agenda, opening, people, today
        from training import (
            agreement,
            lending,
            pay,
            recruit_queries,
            recruit_watch,
            roster_lines,
            roster_today,
            sessions,
            transitions,
        )
        from training.opening import departments, supporters

        opening.register(departments, supporters)
        people.register_leave(transitions.leave)
        people.register_leave(sessions.leave)
        agreement.register()
        sessions.register()
        pay.register()
        agenda.register(lending.LINK, lending.look_after_links)
        today.register(roster_today.rows)
        roster_lines.register()
        recruit_watch.register()
        recruit_queries.register_today()
