"""How pages of help are made up: sections of examples. What an example is, each page says itself."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Example = TypeVar("Example")


@dataclass(frozen=True)
class Section(Generic[Example]):
    """One group of examples. `key` names it in the page's address."""

    key: str
    title: str
    lead: str
    examples: tuple[Example, ...]
