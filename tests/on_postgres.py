"""Runs a command with DATABASE_URL leading to a PostgreSQL server of its own: `python -m tests.on_postgres pytest ...`."""

import os
import subprocess
import sys

from tests.services import Missing, postgres_server


def main(command: list[str]) -> int:
    try:
        with postgres_server() as url:
            return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode
    except Missing as missing:
        sys.stdout.write(f"SKIPPED on PostgreSQL: {missing}\n")
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
