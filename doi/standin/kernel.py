"""Which metadata the stand-in refuses: what does not fit DataCite's kernel, by the portal's own check."""

from collections.abc import Iterator
from typing import Any

from doi.kernel import find_problems

KERNEL = "http://datacite.org/schema/kernel-4"
# Attributes that are lists in the schema, with the element that has to be in them.
_ELEMENTS = {"creators": "creator", "titles": "title"}


def kernel_problems(attributes: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Attribute and message; a missing creator or title in the words of libxml2, as DataCite passes them on."""
    for problem in find_problems(attributes):
        element = _ELEMENTS.get(problem.source)
        if element and not attributes.get(problem.source):
            yield problem.source, f"Missing child element(s). Expected is ( {{{KERNEL}}}{element} )."
        else:
            yield problem.source, problem.message
