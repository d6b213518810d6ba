"""What several forms of pages have in common."""

from django import forms

from catalogue.errors import InvalidInput


def show_problems(form: forms.Form, error: InvalidInput) -> None:
    """Put what a service refuses at the fields that it names, or above the form."""
    known = {name: messages for name, messages in error.fields.items() if name in form.fields}
    for name, messages in known.items():
        form.add_error(name, list(messages))
    if not known:
        form.add_error(None, error.message)
