"""The forms of a registration by hand. Suggestions are datalists, so that a browser without JavaScript offers them too."""

from collections.abc import Sequence
from typing import Any

from django import forms

from catalogue.models import Investigation, Licence, Technique
from catalogue.models.datasets import DatasetKind
from catalogue.models.investigations import TeamRole
from catalogue.services.drafts import instrument_problem


class DescriptionForm(forms.Form):
    """What a person says of a measurement."""

    instrument = forms.CharField(
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"list": "instruments", "autocomplete": "off"}),
        help_text="Narrows the investigations below, once you press “Update suggestions”.",
    )
    investigation = forms.ChoiceField()
    title = forms.CharField(max_length=500, help_text="Public, also while the data are under embargo.")
    kind = forms.ChoiceField(choices=DatasetKind.choices, initial=DatasetKind.RAW)
    description = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), required=False)
    technique = forms.ChoiceField(required=False)
    sample = forms.CharField(max_length=200, required=False, widget=forms.TextInput(attrs={"list": "samples"}))
    acquired_at = forms.DateTimeField(
        label="Measured at", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    licence = forms.ChoiceField(required=False)

    def __init__(
        self, *args: Any, investigations: Sequence[Investigation], is_draft_only: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._investigations = {str(one.uid): one for one in investigations}
        choices = [(uid, f"{one.visit_id}: {one.title}") for uid, one in self._investigations.items()]
        self.fields["investigation"].choices = [("", "Choose…"), *choices]
        techniques = Technique.objects.values_list("iri", "label")
        self.fields["technique"].choices = [("", "Read from the files"), *techniques]
        licences = Licence.objects.values_list("spdx_id", "name")
        self.fields["licence"].choices = [("", "As the investigation"), *licences]
        if is_draft_only:
            for field in self.fields.values():
                field.required = False

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        investigation = self._investigations.get(values.get("investigation", ""))
        if investigation and (problem := instrument_problem(values.get("instrument", ""), investigation)):
            self.add_error("instrument", problem)
        return values


class PersonForm(forms.Form):
    """Somebody who joins the team of the chosen investigation."""

    person = forms.CharField(
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"list": "people", "autocomplete": "off"}),
        help_text="A name, with the ORCID iD behind it where you know it: Rosalind Franklin 0000-0001-5109-3700.",
    )
    person_role = forms.ChoiceField(label="Role", required=False, choices=TeamRole.choices, initial=TeamRole.MEMBER)
