"""The closed lists of the tracker: how people talked, how long, what was pointed to (docs/rules.md#tracker)."""

from django.db import models


class Way(models.TextChoices):
    PHONE = "PHONE", "By phone"
    VIDEO = "VIDEO", "By video"
    IN_PERSON = "IN_PERSON", "In person"
    WRITTEN = "WRITTEN", "In writing"


class Minutes(models.TextChoices):
    UNDER_15 = "UNDER_15", "Under 15 minutes"
    UNDER_30 = "UNDER_30", "15 to 30 minutes"
    UNDER_60 = "UNDER_60", "30 to 60 minutes"
    LONGER = "LONGER", "Over an hour"


class Resource(models.TextChoices):
    PHP = "PHP", "Physician Health Program"
    FAMILY_DR = "FAMILY_DR", "Their own family physician"
    COUNSELLOR = "COUNSELLOR", "A counsellor or therapist"
    CMPA = "CMPA", "CMPA"
    ORG = "ORG", "Division, MSA or Doctors of BC"
    CRISIS = "CRISIS", "A crisis line"
    OTHER = "OTHER", "Something else"


# Question of the survey → measure of its facts, with the category YES or NO.
MEASURES = {
    "in_time": "SV_TIME",
    "safe": "SV_SAFE",
    "helpful": "SV_HELP",
    "recommend": "SV_RECOMM",
    "again": "SV_AGAIN",
}
