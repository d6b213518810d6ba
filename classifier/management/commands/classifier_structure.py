"""Looks for structure that nobody has named yet in the features of images; curators walk through what it finds."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from catalogue.access import SYSTEM
from catalogue.errors import DomainError
from catalogue.units import to_si
from classifier.services.studies import LABELLED_BY, LAYERS, MEASURES, Wanted, folder_of, make_study

METHODS = ("single", "complete", "centroid", "ward", "density peaks")


def metres(text: str) -> float:
    """A length with its unit, such as "2 µm" or "0.5nm", in metres. Raises ValueError."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµμÅ ")
    si = to_si(float(number), text[len(number) :].strip())
    if si is None or si.unit != "m":
        raise ValueError(text)
    return si.value


class Command(BaseCommand):
    help = "Intrinsic dimension, coding and clusters of image features, kept as a study at /curate/structure."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--title", required=True)
        parser.add_argument("--release", default="", help="label of a model release, else the one in use")
        parser.add_argument("--layer", choices=LAYERS, default=LAYERS[0])
        parser.add_argument("--measure", choices=MEASURES, default=MEASURES[0], help="what the range is about")
        parser.add_argument("--lowest", type=metres, help="a length with its unit, such as 1um")
        parser.add_argument("--highest", type=metres, help="a length with its unit, such as 2um")
        parser.add_argument("--investigation", type=UUID, help="uid; only images of this session")
        parser.add_argument(
            "--labels", choices=LABELLED_BY, default=LABELLED_BY[0], help="what clusters are compared with"
        )
        parser.add_argument("--coding-size", type=int, default=0, help="codes of an image; 0: the dimension, rounded")
        parser.add_argument(
            "--maximum", type=int, default=8_000, help="images, above which a sample is drawn (20,000 at most)"
        )
        parser.add_argument("--method", choices=METHODS, default="ward", help="of the tree to walk through")
        parser.add_argument("--leaves", type=int, default=40, help="clusters at the end of that tree")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Wanted(**{name: options[name] for name in Wanted.__dataclass_fields__ if name in options})
        try:
            study = make_study(actor=SYSTEM, wanted=wanted)
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{study.summary['images']} images, dimension {study.summary['dimension']:.1f}. "
            f"Walk through it at /curate/structure/{study.uid}; report: {folder_of(study.uid)}"
        )
