"""A publication as an entry of BibTeX, in UTF-8 (biblatex and any BibTeX of this century read it).

Source: the fields of biblatex's `@dataset` that classic BibTeX knows as `@misc`, http://mirrors.ctan.org/macros/latex/contrib/biblatex/doc/biblatex.pdf
"""

import re
from unicodedata import normalize

from catalogue.interop.xml_text import without_illegal
from catalogue.publication import Creator, Publication

_SPECIAL = {
    "\\": r"\textbackslash{}",
    # BibTeX counts braces that are escaped too, so that a lone \{ would spoil the file.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "&": r"\&",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
_ENTRY_TYPES = {"Software": "software", "Dataset": "dataset", "Collection": "dataset"}


def bibtex_of(publication: Publication) -> str:
    """One entry, ending with a line feed. Its key is made of the first author, the year and the DOI."""
    text = publication.text
    fields = {
        "author": " and ".join(_author(creator) for creator in text.creators),
        # Doubled braces keep capitals as they are.
        "title": f"{{{_escaped(text.title)}}}",
        "publisher": _escaped(publication.publisher_name),
        "year": str(publication.publication_year),
        "version": _escaped(publication.version),
        "doi": _verbatim(publication.doi),
        "url": _verbatim(publication.doi_url or publication.url),
        "keywords": ", ".join(_escaped(subject.term.replace(",", " ")) for subject in text.subjects),
        "abstract": _escaped(text.abstract),
        "copyright": _escaped(publication.licence.name),
    }
    kind = _ENTRY_TYPES.get(publication.resource_type_general, "misc")
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{_key(publication)},", *lines, "}", ""])


def _author(creator: Creator) -> str:
    """A person as "family, given", each in braces where a comma or "and" would be taken for a separator."""
    if creator.is_organisation:
        return f"{{{_escaped(creator.name)}}}"
    family = _name_part(creator.family_name)
    return (
        f"{family}, {_name_part(creator.given_name)}" if creator.given_name else f"{{{_escaped(creator.family_name)}}}"
    )


def _name_part(text: str) -> str:
    is_ambiguous = "," in text or re.search(r"\band\b", text, re.IGNORECASE)
    return f"{{{_escaped(text)}}}" if is_ambiguous else _escaped(text)


def _escaped(text: str) -> str:
    """The text on one line and without control characters, with TeX's characters written so that they print as themselves."""
    return "".join(_SPECIAL.get(character, character) for character in " ".join(without_illegal(text).split()))


def _verbatim(text: str) -> str:
    """`doi` and `url` are taken as they are; only what would end the field is written for an address."""
    return text.replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C").replace(" ", "%20")


def _key(publication: Publication) -> str:
    first = publication.text.creators[0] if publication.text.creators else Creator()
    name = re.sub(r"[^0-9A-Za-z]", "", normalize("NFKD", first.family_name or first.name)) or "publication"
    identifier = re.sub(r"[^0-9A-Za-z]+", "-", publication.doi.partition("/")[2] or publication.url.rpartition("/")[2])
    return f"{name}-{publication.publication_year}-{identifier.strip('-')}"
