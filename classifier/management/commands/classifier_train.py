"""Trains a model and writes its release. `docs/classifier-training.md` leads from the data to a release in use."""

import shlex
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalogue.errors import DomainError
from classifier.pipeline.errors import PipelineError
from classifier.services.training import Wanted, train

ARCHITECTURES = ("alexnet", "inception-v3", "inception-v4", "inception-resnet-v2", "demonstration")


class Command(BaseCommand):
    help = (
        "Trains a model on labelled images and writes a release with its report; `classifier_release` puts it into use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument(
            "--nffa", type=Path, metavar="FOLDER", help="folders or tar archives of the NFFA-EUROPE SEM data set"
        )
        source.add_argument(
            "--catalogue", action="store_true", help="verified annotations of open files of the catalogue"
        )
        source.add_argument("--synthetic", type=int, metavar="N", help="N images of each category, drawn by a program")
        parser.add_argument("--output", type=Path, required=True, help="a folder for the work and the release")
        parser.add_argument("--resume", action="store_true", help="go on with the training that the folder holds")
        parser.add_argument("--architecture", choices=ARCHITECTURES, default="inception-v3")
        parser.add_argument("--mode", choices=("scratch", "features", "finetune"), default="finetune")
        parser.add_argument(
            "--weights", type=Path, help="weights to begin with: ImageNet without a head, or an own model"
        )
        parser.add_argument("--free-after", metavar="BLOCK", help="train only what comes after this block (finetune)")
        parser.add_argument("--side", type=int, help="pixels of the input, else as published")
        parser.add_argument("--epochs", type=int)
        parser.add_argument("--batch", type=int)
        parser.add_argument("--rate", type=float, help="the highest learning rate")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--precision", choices=("float32", "mixed_bfloat16", "mixed_float16"), default="float32")
        parser.add_argument("--no-augmentation", action="store_true")
        parser.add_argument("--no-class-weights", action="store_true")
        parser.add_argument(
            "--group-by-features", action="store_true", help="keep pictures together that the weights find alike"
        )
        parser.add_argument(
            "--show-scenes", action="store_true", help="show pictures of no sample too, with no category being right"
        )
        parser.add_argument("--name", help="of the release, else that of the architecture")
        parser.add_argument("--release", default="1", help="number or date of the release")
        parser.add_argument("--reference", default="", help="DOI of the data")
        parser.add_argument("--licence", default="", help="of the model")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = Wanted(
            **{name: options[name] for name in Wanted.__dataclass_fields__ if name in options}, command=self._command()
        )
        try:
            release = train(asked, say=self._say)
        except (PipelineError, DomainError) as error:
            raise CommandError(str(error)) from error
        scores = release.manifest.metrics["scores"]
        self._say(
            f"Macro-F1 {scores['macro_f1']:.3f}, accuracy {scores['accuracy']:.3f} on {scores['count']} test pictures."
        )
        self._say(f"The release and its report.html lie in {release.folder}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _command(self) -> str:
        """The command as it was given, without the folders of this machine."""
        places = {"--output", "--nffa", "--weights"}
        words = [word for word in sys.argv[1:] if word != "--resume"]
        hidden = [
            Path(word).name if before in places else word for before, word in zip(["", *words], words, strict=False)
        ]
        return shlex.join(["manage.py", *hidden])
