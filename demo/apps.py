from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The local run only: one-press sign-in, the mailbox, demonstration data, playing time forward."""

    name = "demo"
