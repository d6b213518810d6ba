"""Commands to copy and paste for a download, each of which checks what arrived. Pure text; run by the tests."""

import shlex
from dataclasses import dataclass

from catalogue.record import DatasetRecord

BEARER_HEADER = "Authorization: Bearer $FAIRCAT_TOKEN"

PYTHON = """\
import hashlib{import_os}
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

base = "{url}"
headers = {headers}

def get(url):
    return urlopen(Request(url, headers=headers))

for line in get(f"{{base}}/files.sha256").read().decode().splitlines():
    expected, name = line.removeprefix("# ").split("  ", 1)
    target = Path("{folder}", name)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with get(f"{{base}}/files/{{quote(name)}}") as source, target.open("wb") as file:
        while chunk := source.read(1 << 20):
            file.write(chunk)
            digest.update(chunk)
    if expected not in (digest.hexdigest(), "not-computed-yet"):
        raise SystemExit(f"{{name}} did not arrive intact")
"""


@dataclass(frozen=True)
class Command:
    name: str
    text: str


def commands_for(record: DatasetRecord, *, site_url: str) -> tuple[Command, ...]:
    """How to fetch a dataset that its reader sees in full. Closed data need a token in the variable FAIRCAT_TOKEN."""
    folder, url = f"dataset-{record.uid}", f"{site_url}{record.path}"
    is_open = record.access.is_open
    python = PYTHON.format(
        url=url,
        folder=folder,
        headers="{}" if is_open else '{"Authorization": f"Bearer {os.environ[\'FAIRCAT_TOKEN\']}"}',
        import_os="" if is_open else "\nimport os",
    )
    return (*shell_commands(url=url, folder=folder, is_open=is_open), Command("Python", python))


def shell_commands(*, url: str, folder: str, is_open: bool) -> tuple[Command, ...]:
    """The same tools for any record with a `download.zip` and lists of files below `url`."""
    base, place = shlex.quote(url), shlex.quote(folder)
    header = "" if is_open else f' --header "{BEARER_HEADER}"'
    unpack = f"unzip {place}.zip -d {place} && (cd {place} && sha256sum --check --quiet manifest-sha256.txt)"
    listing = f"curl --fail{header} {base}/files"
    return (
        Command("curl", f"curl --fail --continue-at -{header} --output {place}.zip {base}/download.zip\n{unpack}"),
        Command("wget", f"wget --continue{header} --output-document={place}.zip {base}/download.zip\n{unpack}"),
        Command(
            "aria2",
            f"{listing}.aria2.txt | aria2c --input-file=- --continue=true --dir={place}{header}",
        ),
        Command(
            "rclone",
            f"{listing}.rclone.txt --output {place}.csv\nrclone copyurl --urls {place}.csv {place}{header}\n"
            f"{listing}.sha256 | (cd {place} && sha256sum --check --quiet)",
        ),
    )
