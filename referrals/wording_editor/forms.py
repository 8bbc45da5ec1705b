"""The texts of the public page, one language at a time."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from referrals.wording import texts as wording
from sites.engine.forms import bare_helper
from sites.engine.plain_text import PlainField, tidy

MAX_QUESTIONS = 10


class WordingForm(forms.Form):
    """Each field shows what the page says now; one left as it was follows the wording further up.

    Args:
        own: the site's own texts in this language.
        others: names of the texts the site has written in the other language alone.
        default: the texts further up, in this language.
    """

    use_required_attribute = False

    intro = PlainField(label=_("What it is"), max_length=400, rows=4, required=False)
    promise = PlainField(
        label=_("What you promise"),
        help_text=_("Under the button: how long the form takes, and when they hear from a peer."),
        max_length=300,
        required=False,
    )
    hours = PlainField(
        label=_("When mail is read"),
        help_text=_("The days or hours when somebody reads requests here."),
        max_length=160,
        rows=2,
        required=False,
    )

    def __init__(
        self,
        data: Any = None,
        *,
        own: Mapping[str, Any],
        others: set[str],
        default: Mapping[str, Any],
    ) -> None:
        super().__init__(data)
        # Where the other language has a text of one's own, that is what this page shows while a field is empty.
        self.behind = {name: "" if name in others else default[name] for name in wording.NAMES}
        self.others = others
        now = {name: own.get(name) or self.behind[name] for name in wording.NAMES}
        self.initial.update({name: now[name] for name in ("intro", "promise", "hours")})
        pairs: Any = now["faq"]
        for number in range(MAX_QUESTIONS):
            question, answer = pairs[number] if number < len(pairs) else ("", "")
            self.fields[f"question_{number}"] = forms.CharField(
                label=gettext("Question %(number)d") % {"number": number + 1},
                max_length=90,
                required=False,
                initial=question,
                error_messages={"max_length": gettext("Keep this to %(limit_value)d characters.")},
            )
            self.fields[f"answer_{number}"] = PlainField(
                label=gettext("Answer %(number)d") % {"number": number + 1},
                max_length=400,
                required=False,
                initial=answer,
            )
        for field in self.fields.values():
            field.say_optional = False  # type: ignore[attr-defined]
        self.helper = bare_helper(self)

    @property
    def questions(self) -> list[tuple[Any, Any]]:
        """The bound fields of each question and its answer."""
        return [(self[f"question_{number}"], self[f"answer_{number}"]) for number in range(MAX_QUESTIONS)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for number in range(MAX_QUESTIONS):
            question, answer = cleaned.get(f"question_{number}"), cleaned.get(f"answer_{number}")
            if question and answer == "":
                self.add_error(f"answer_{number}", gettext("Write the answer, or clear the question."))
            if answer and question == "":
                self.add_error(f"question_{number}", gettext("Write the question, or clear the answer."))
        return cleaned

    def own_texts(self) -> dict[str, Any]:
        """Return the texts that differ from what stands further up."""
        cleaned = self.cleaned_data
        pairs = [
            [" ".join(tidy(cleaned[f"question_{n}"]).split()), cleaned[f"answer_{n}"]] for n in range(MAX_QUESTIONS)
        ]
        texts = {name: cleaned[name] for name in ("intro", "promise", "hours")} | {"faq": [p for p in pairs if all(p)]}
        return {name: text for name, text in texts.items() if text and text != self.behind[name]}
