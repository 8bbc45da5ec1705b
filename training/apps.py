from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Who the peer supporters are: roster, training, agreement, load."""

    name = "training"

    def ready(self) -> None:
        from sites import opening, people
        from training import transitions
        from training.opening import departments, supporters

        opening.register(departments, supporters)
        people.register_leave(transitions.leave)
