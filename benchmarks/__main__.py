"""Runs every benchmark after another: `python -m benchmarks [--full] [NAME ...]`, or `make bench`.

Small sizes show in some minutes that all of them work and about where they stand; with `--full` each runs at the size that
`docs/performance.md` tells of, which takes hours on two cores. A benchmark that fails does not stop the others.
"""

import argparse
import subprocess
import sys
import time

SMALL = {
    "extraction": ["--rounds", "50"],
    "watch": ["--files", "20000"],
    "zip_download": [],
    "registration": [],
    "pages": ["--datasets", "20000", "--rounds", "5"],
    "embargo": ["--files", "50000", "--datasets", "500"],
    "release": ["--members", "2000"],
    "landing": ["--members", "2000", "--rounds", "5"],
    "wizard": ["--members", "2000", "--rounds", "5"],
    "publication": ["--publications", "200"],
    "sitemap": ["--datasets", "100000"],
    "search": ["--documents", "5000", "--rounds", "20", "--searches", "200"],
    "harvest": ["--datasets", "10000"],
    "panosc": ["--datasets", "5000", "--rounds", "3"],
    "search_site": ["--datasets", "5000", "--requests", "40", "--seconds", "10", "--kills", "5"],
    "browse": ["--datasets", "5000", "--rounds", "5"],
    "classifier": ["--network", "demonstration", "--images", "200", "--seconds", "2"],
    "forms": [],
    "form_requests": ["--datasets", "2000"],
    "classifier_scale": ["--images", "10"],
    "classifier_training": ["--architecture", "demonstration"],
    "classifier_site": ["--release", "classifier/demonstration", "--images", "300", "--uploads", "10"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*SMALL, []], metavar="NAME", help=", ".join(SMALL))
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    failed = []
    for name in arguments.names or SMALL:
        print(f"\n{name}", flush=True)
        started = time.perf_counter()
        options = [] if arguments.full else SMALL[name]
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode:
            failed.append(name)
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    if failed:
        print(f"\nEnded with an error, or missed a target: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
