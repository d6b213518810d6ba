"""The one rule for paths inside a storage. Names are judged here, never changed: what is stored is what was given."""

import unicodedata
from urllib.parse import unquote

from catalogue.storages.errors import StoragePathRefused

MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255
# Uploads that are not complete yet have such names; they are never listed.
UPLOAD_PREFIX = ".faircat-upload-"

# Zero-width joiners belong to ordinary words of several scripts; other invisible characters only disguise a name.
_ALLOWED_INVISIBLE = {"\u200c", "\u200d"}
_REFUSED_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Fraction slash, division slash, set minus, and the big and reverse solidus: drawn like a separator.
_SEPARATOR_LOOKALIKES = set("\u2044\u2215\u2216\u29f5\u29f8\u29f9")
_MAX_DECODINGS = 4


def clean_path(path: str, *, is_root_allowed: bool = False) -> str:
    """The path as it was given, or StoragePathRefused.

    Paths are relative, with `/` between names. Percent signs are literal characters; a name is refused, though, when
    decoding it (also repeatedly, or through Unicode compatibility forms) would make a traversal out of it, because a
    proxy in front of a storage may decode once more than it should.
    """
    if path == "":
        if is_root_allowed:
            return path
        raise StoragePathRefused("A path is needed; this one is empty.")
    try:
        is_too_long = len(path.encode()) > MAX_PATH_BYTES
    except UnicodeEncodeError:
        raise _refusal(path, "it is not valid Unicode; rename it in the storage") from None
    if is_too_long:
        raise _refusal(path, f"it is longer than {MAX_PATH_BYTES} bytes")
    for name in path.split("/"):
        _check_name(name, path)
    return path


def is_clean_name(name: str) -> bool:
    """Whether a single name (one level) can be part of a path."""
    try:
        _check_name(name, name)
    except StoragePathRefused:
        return False
    return True


def join_path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def sort_name(name: str, *, is_folder: bool) -> str:
    """Folders sort as if their name ended in a slash, as object stores do it: all kinds of storage list alike."""
    return name + "/" if is_folder else name


def _check_name(name: str, path: str) -> None:
    if name.isascii() and name.isprintable() and "%" not in name and "\\" not in name:
        _check_traversal(name, path)
    else:
        _check_characters(name, path)
        for form in _readings(name):
            for part in form.replace("\\", "/").split("/"):
                if part in {".", ".."} or "\0" in part:
                    raise _refusal(path, "it can be read as a path that leaves its folder")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise _refusal(path, f"a name in it is longer than {MAX_NAME_BYTES} bytes")


def _check_traversal(name: str, path: str) -> None:
    if name == "":
        raise _refusal(path, "it is absolute or has an empty name in it")
    if name in {".", ".."}:
        raise _refusal(path, "'.' and '..' are not names")


def _check_characters(name: str, path: str) -> None:
    compatible = _compatible_form(name)
    if "\\" in compatible or "/" in compatible or _SEPARATOR_LOOKALIKES.intersection(name):
        raise _refusal(path, "it has a backslash or a character that looks like a separator")
    for character in name:
        if unicodedata.category(character) in _REFUSED_CATEGORIES and character not in _ALLOWED_INVISIBLE:
            raise _refusal(path, f"it has the invisible character U+{ord(character):04X}; rename it in the storage")


def _readings(name: str) -> list[str]:
    """The name as a careless reader may see it: compatibility forms, and decoded again and again."""
    readings = [name, _compatible_form(name)]
    for _ in range(_MAX_DECODINGS):
        decoded = _compatible_form(unquote(readings[-1]))
        if decoded == readings[-1]:
            break
        readings.append(decoded)
    return readings


def _compatible_form(name: str) -> str:
    return unicodedata.normalize("NFKC", name)


def _refusal(path: str, reason: str) -> StoragePathRefused:
    return StoragePathRefused(f"The path {path[:200]!a} is refused: {reason}.", path=path[:200])
