"""Runs the Python clients against a server: `main.py http://HOST:PORT`."""

import sys

import fhirclient_life
import fhirpy_life
from checks import Checks


def main():
    """The number of failed checks decides the exit status."""
    if len(sys.argv) != 2:
        print("usage: main.py http://HOST:PORT", file=sys.stderr)
        return 2
    server = sys.argv[1].rstrip("/")
    checks = Checks()
    fhirpy_life.run(checks, server, "r4")
    fhirpy_life.run(checks, server, "stu3")
    fhirclient_life.run(checks, server)
    print(f"python: {checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
