"""Keys for a site on one machine: made at first start and kept beside its data, readable by its owner only."""

import json
import os
import secrets
from pathlib import Path


def read_or_make_keys(path: Path) -> tuple[str, list[str]]:
    """Return (secret key, keys that encrypt storage credentials) from `path`, made there when absent."""
    if not path.exists():
        keys = {"secret_key": secrets.token_urlsafe(50), "secret_keys": [secrets.token_urlsafe(32)]}
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as stream:
                json.dump(keys, stream)
    keys = json.loads(path.read_text())
    return keys["secret_key"], keys["secret_keys"]
