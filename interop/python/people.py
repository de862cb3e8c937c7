"""Fictional people and notes, new in every run, from the templates that all clients share."""

import json
import secrets
from pathlib import Path

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def person_number():
    """A well-formed number (INS-NIR) of a birthplace that does not exist."""
    body = f"{secrets.choice('12')}{secrets.randbelow(100):02}{1 + secrets.randbelow(12):02}99"
    body += f"{secrets.randbelow(99):03}{1 + secrets.randbelow(999):03}"
    return body + f"{97 - int(body) % 97:02}"


def professional_number():
    """A well-formed RPPS number of a range that is not given out."""
    body = "99" + f"{secrets.randbelow(10**8):08}"
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))]
    return body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def note_number():
    """The number a note has in the software it comes from."""
    return secrets.token_hex(12)


def resource(release, name, **values):
    """A template with its places filled."""
    text = (RESOURCES / release / f"{name}.json").read_text(encoding="utf-8")
    values = {"person_number": person_number(), "professional_number": professional_number(),
              "note_number": note_number(), "date": "2026-03-04T08:30:00+01:00", **values}
    for place, value in values.items():
        text = text.replace(f"@{place.upper()}@", value)
    return json.loads(text)
