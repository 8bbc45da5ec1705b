from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Who the peer supporters are: roster, training, agreement, load."""

    name = "training"
