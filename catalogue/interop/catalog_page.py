"""What a page of the whole catalogue is written from. Pure values."""

from dataclasses import dataclass
from datetime import datetime

from catalogue.interop.description import Description


@dataclass(frozen=True)
class Listed:
    """A record of the page with the moment when what anybody sees of it changed last."""

    description: Description
    stamp: datetime


@dataclass(frozen=True)
class PageLinks:
    """Addresses: of this page, of the first, and of the next, empty at the end."""

    this: str
    first: str
    following: str
