"""Side-car files: the text that JEOL, Hitachi and TESCAN write beside a picture.

Which text belongs to a picture and whose it is; the meaning of its lines is in the vendor modules.
"""

from __future__ import annotations

from pathlib import PurePath

from catalogue.extraction import hitachi, jeol, tescan, text
from catalogue.extraction.draft import Draft
from catalogue.extraction.source import SourceFile

_LABELS = {"jeol": "JEOL SEM", "hitachi": "Hitachi SEM", "tescan": "TESCAN SEM"}


def maker_of(content: str) -> str | None:
    """ "jeol", "hitachi", "tescan", or None when the text is no side-car that we know."""
    if jeol.is_sidecar(content):
        return "jeol"
    if hitachi.is_sidecar(content):
        return "hitachi"
    if "[MAIN]" in content[:2_000] and "\nDevice" in content.replace("\r", "\n"):
        return "tescan"
    return None


def read_beside(picture: SourceFile, picture_size: tuple[int, int], draft: Draft) -> bool:
    """Fill the draft from the side-car of a picture; False when there is none."""
    name = PurePath(picture.name)
    suffix = name.suffix.lower().lstrip(".")
    for candidate in (f"{name.stem}.txt", f"{name.stem}.TXT", f"{name.stem}.hdr", f"{name.stem}-{suffix}.hdr"):
        sidecar = picture.sibling(candidate) if candidate != picture.name else None
        if sidecar is None:
            continue
        content = _content(sidecar, draft)
        maker = maker_of(content)
        if maker is not None:
            _read_text(maker, content, picture_size, draft)
            kind = draft.media_type.partition("/")[2].upper()
            draft.identify(maker, f"{_LABELS[maker]} image ({kind} with side-car)", draft.media_type)
            draft.note("side-car-read", f"The metadata come from the file {sidecar.name} beside the picture.")
            return True
    return False


def read(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from a side-car itself, registered as a file of its own."""
    content = _content(source, draft)
    maker = maker_of(content) or "tescan"
    _read_text(maker, content, (0, 0), draft)
    draft.identify(maker, f"{_LABELS[maker]} side-car", "text/plain")
    draft.note(
        "side-car-only", "This text describes a picture of the same name; its scale is that of the full picture."
    )


def _content(source: SourceFile, draft: Draft) -> str:
    with source.open() as stream:
        return text.decode(stream.read(draft.limits.sidecar_bytes))


def _read_text(maker: str, content: str, picture_size: tuple[int, int], draft: Draft) -> None:
    if maker == "jeol":
        jeol.read(content, picture_size, draft)
    elif maker == "hitachi":
        hitachi.read(content, picture_size, draft)
    else:
        tescan.read(content, picture_size, draft)
