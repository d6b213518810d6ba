"""What names mean: the techniques, instruments and facilities of the archive, and categories of images, by what people call them.

Public names only, the same for everyone, kept for a minute. They tell of no dataset.
"""

from django.core.cache import cache

from catalogue.models import Facility, Instrument, Technique
from catalogue.vocabularies.image_categories import IMAGE_CATEGORIES
from catalogue.vocabularies.techniques import TECHNIQUE_KEYS
from search.analysis import indexed

KEPT_SECONDS = 60
MOST_MEANT = 30

Names = dict[str, list[tuple[str, str]]]


def choices_of_archive(facet: str, text: str) -> tuple[str, ...]:
    """The values called `text`, or else those whose names hold it as whole words: "electron" is several techniques."""
    wanted = indexed(text)
    if not wanted:
        return ()
    names: Names = cache.get_or_set("search-names", _names, KEPT_SECONDS) or {}
    candidates = names.get(facet, [])
    called = [value for name, value in candidates if name == wanted]
    holding = called or [value for name, value in candidates if f" {wanted} " in f" {name} "]
    return tuple(dict.fromkeys(holding))[:MOST_MEANT]


def _names() -> Names:
    """By facet: names as tokens, with the value that each one means."""
    techniques = Technique.objects.values_list("iri", "label", "alternative_labels")
    called = [(name, iri) for iri, label, others in techniques for name in (label, *others)]
    instruments = Instrument.objects.values_list("short_name", "name")
    facilities = Facility.objects.values_list("short_name", "name")
    names: Names = {
        "technique": [*TECHNIQUE_KEYS.items(), *called],
        "instrument": [(name, short) for short, long in instruments for name in (short, long)],
        "facility": [(name, short) for short, long in facilities for name in (short, long)],
        "category": [(label, label) for label in IMAGE_CATEGORIES],
    }
    return {facet: [(indexed(name), value) for name, value in pairs] for facet, pairs in names.items()}
