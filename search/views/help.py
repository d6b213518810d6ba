"""The page that tells people what they can type. Its examples are links, and tests read each of them."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalogue.help_pages import Section
from search.question.parameters import KnownParameter, known_parameters


@dataclass(frozen=True)
class Question:
    text: str
    meaning: str

    @property
    def url(self) -> str:
        return f"{reverse('search')}?{urlencode({'q': self.text})}"


SECTIONS = (
    Section(
        "words",
        "Words",
        "Every word must be there, in any order. Capitals, accents and plurals make no difference, and neither do small"
        " words such as “of”.",
        (
            Question("silicon nanowires", "both words"),
            Question('"porous sponge"', "these words, one after the other"),
            Question("nanowires OR nanotubes", "one word or the other; OR in capitals"),
            Question("nanowires -gold", "the first word, without the second; NOT gold says the same"),
            Question("(wire OR tube) carbon", "one of two words, and carbon"),
            Question("nano*", "words that begin so; two letters at least"),
            Question("*wire", "words that end so; three letters at least"),
            Question("nan?wire", "any one letter in place of the question mark"),
        ),
    ),
    Section(
        "formulae",
        "Formulae, Greek letters, units",
        "Write them as they come: subscripts are digits, and a Greek letter is its name.",
        (
            Question("TiO₂", "the same as TiO2 and tio2"),
            Question("α-Fe2O3", "the same as alpha-Fe2O3"),
            Question("5 µm", "the same as 5 um and 5µm, as words of a text"),
            Question("element:Ti", "samples with titanium in their formula, TiO2 among them"),
            Question("element:Fe,O", "samples with both elements"),
        ),
    ),
    Section(
        "ids",
        "Numbers, ids and names of files",
        "Any beginning finds them, from the start or from one of their parts. Hyphens, dots, slashes and underscores are"
        " all the same.",
        (
            Question("2021090", "proposals and visits such as 20210906-46"),
            Question("0906-46", "the same, without their year"),
            Question("IMG_00", "files such as IMG_0012.tif"),
            Question("img_*.tif", "files by a pattern"),
            Question("doi:10.5072/", "DOIs that begin so; a whole DOI or its address finds the dataset"),
        ),
    ),
    Section(
        "numbers",
        "Numbers with units",
        "Name the parameter, then a number, a range or a comparison, in any unit that fits. Both ends of a range are"
        " included; a single number also finds what is within half a per cent of it.",
        (
            Question("voltage:5..10 kV", "accelerating voltage from 5 to 10 kV"),
            Question("voltage>=20 kV", "20 kV and more"),
            Question(
                "voltage between 5 and 10 kV", "a range in words; under, over, at least and at most are understood too"
            ),
            Question("pixel_size:<5 nm", "pixels of at most 5 nm"),
            Question("wavelength:0.5..1.5 Å", "Å, Angstrom and angstrom are one"),
            Question("temperature:-200..-150 °C", "degrees and kelvins are converted"),
            Question("has:magnification", "a parameter that is there, whatever its value"),
        ),
    ),
    Section(
        "dates",
        "Dates",
        "A year, a month or a day, and what lies between two of them. Days are those of UTC.",
        (
            Question("date:2024", "measured in 2024"),
            Question("date:2024-01..2024-06", "measured from January to June"),
            Question("date>=2023-05-03", "measured on that day or later"),
            Question("registered:2024..", "registered here since 2024"),
        ),
    ),
    Section(
        "fields",
        "Where to look",
        "A name and a colon look in one place only. Put quotation marks around a value with spaces.",
        (
            Question("title:sponge", "in the title"),
            Question("person:novak", "in the names of the team"),
            Question('sample:"quartz glass"', "in the name of the sample, and in the description"),
            Question("technique:XANES", "a technique by any of its names, with all that is narrower"),
            Question("instrument:SEM", "the instrument"),
            Question("category:Nanowires", "what a model or a person saw in the images"),
            Question("category:Nanowires@80", "the same, where the model was at least 80 % sure"),
            Question("verified:Nanowires", "the same, where a person agreed"),
            Question("scale:1..10nm", "images by the size of a pixel: ..0.1nm, 0.1..1nm, 1..10nm, up to 1um.."),
            Question("format:TIFF", "the format of the files"),
            Question("kind:processed", "results; kind:raw for what was measured"),
            Question("licence:CC-BY", "the licence"),
            Question("doi:yes", "what has a DOI"),
        ),
    ),
)


@require_safe
def search_help(request: HttpRequest) -> HttpResponse:
    return render(request, "search/help.html", {"sections": SECTIONS, "parameters": parameters_by_group()})


def parameters_by_group() -> list[tuple[str, list[KnownParameter]]]:
    groups: dict[str, list[KnownParameter]] = {}
    for parameter in known_parameters():
        groups.setdefault(parameter.group, []).append(parameter)
    return list(groups.items())
