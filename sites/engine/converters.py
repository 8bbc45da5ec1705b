"""What may stand in an address, beside what Django knows."""

from django.urls.converters import StringConverter


class Ref(StringConverter):
    """The code of a request; what cannot be one leads nowhere, before anything is looked up."""

    regex = "[0-9A-Z]{1,12}"


class Rest(StringConverter):
    """Whatever else stands in an address, line ends and nothing at all too."""

    regex = r"[\s\S]*"
