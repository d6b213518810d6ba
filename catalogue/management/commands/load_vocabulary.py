"""Fills the tables of licences and techniques; may be run again at any time."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.access import SYSTEM
from catalogue.errors import InvalidInput
from catalogue.services.vocabularies import load_licences, load_techniques
from catalogue.vocabularies.techniques import read_esrfet, read_own_table, read_panet_csv


class Command(BaseCommand):
    help = "Loads licences (SPDX) and techniques: our own table, on request all of PaNET and of ESRFET."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--panet", type=Path, metavar="FILE", help="the official PaNET.csv, loaded in full")
        parser.add_argument("--esrfet", action="store_true", help="add the techniques of the ESRF")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{load_licences(actor=SYSTEM)} licences")
        self._load("our own table", read_own_table, keeps_known_terms=True)
        if options["panet"]:
            self._load("PaNET", lambda: read_panet_csv(options["panet"]))
        if options["esrfet"]:
            self._load("ESRFET", read_esrfet)

    def _load(self, name: str, read: Any, *, keeps_known_terms: bool = False) -> None:
        try:
            loaded = load_techniques(actor=SYSTEM, terms=read(), keeps_known_terms=keeps_known_terms)
        except (InvalidInput, ValueError, OSError) as error:
            raise CommandError(f"{name}: {error}") from error
        self.stdout.write(f"{name}: {loaded.added} techniques added, {loaded.changed} changed")
