"""Writes synthetic images with banners into a folder: the layout of the NFFA-EUROPE set, or files as instruments write them."""

from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifier.pipeline.labels import FOLDERS, NAMES
from classifier.pipeline.synthetic import STYLES, make_image, write_files, write_nffa_tree


class Command(BaseCommand):
    help = (
        "Writes synthetic images of the ten categories into a new folder, to try the classifier and its training. They resemble "
        "images of electron microscopes and were computed; one in ten files of the layout `files` has wrong metadata on purpose."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--per-category", type=int, default=20, metavar="N", help="images of each category (default 20)"
        )
        parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same images (default 0)")
        parser.add_argument(
            "--layout",
            choices=("nffa", "files"),
            default="nffa",
            help="nffa: JPEGs in ten folders, with the flaws of real copies; files: TIFFs with vendor tags or side-cars",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder, count = options["folder"], options["per_category"]
        if count < 1:
            raise CommandError("--per-category is at least 1.")
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty; name a new folder.")
        rng = np.random.default_rng(options["seed"])
        if options["layout"] == "nffa":
            written = len(write_nffa_tree(folder, rng, count).images)
        else:
            written = self._write_files(folder, rng, count)
        self.stdout.write(f"{written} synthetic images in {folder}")

    def _write_files(self, folder: Path, rng: np.random.Generator, count: int) -> int:
        folder.mkdir(parents=True, exist_ok=True)
        for category, name in zip(NAMES, FOLDERS, strict=True):
            for number in range(count):
                style = STYLES[number % len(STYLES)]
                image = make_image(rng, category, style, is_metadata_wrong=rng.uniform() < 0.1)
                write_files(folder, f"{name}-{number:05d}-{style}", image)
        return count * len(NAMES)
