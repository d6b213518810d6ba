"""Parts of addresses that are more than a word."""

import re

from catalogue.interop.forms import FORMS


class FormConverter:
    """The ending of the address of a form, such as `datacite.json`."""

    regex = "|".join(re.escape(suffix) for suffix in sorted(FORMS, key=len, reverse=True))

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
