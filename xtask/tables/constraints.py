#!/usr/bin/env python3
"""Extracts the constraints of HL7's definitions: where each stands, its key, its severity, its expression.

    python3 constraints.py JAR RELEASE      (RELEASE: stu3 or r4)

JAR is ca.uhn.hapi.fhir:hapi-fhir-validation-resources-dstu3 (or -r4) 8.8.1 of Maven Central, which holds the
definitions as HL7 publishes them (CC0). Writes input/RELEASE/constraints.tsv for every type of the release.
Standard library only.
"""

import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

FHIR = "{http://hl7.org/fhir}"
FOLDER = {"stu3": "dstu3", "r4": "r4"}
SIMPLE = "http://hl7.org/fhir/StructureDefinition/SimpleQuantity"


def value(element, name):
    found = element.find(FHIR + name)
    return "" if found is None else found.get("value", "")


def constraints(definition):
    """Those a definition adds itself; what is inherited stands where it comes from."""
    differential = definition.find(FHIR + "differential")
    for element in differential.findall(FHIR + "element"):
        for constraint in element.findall(FHIR + "constraint"):
            expression = " ".join(value(constraint, "expression").split())
            row = (value(element, "path"), value(constraint, "key"), value(constraint, "severity"), expression)
            if not all(row):
                raise SystemExit("not whole: %s" % (row,))
            yield row
        # The one profile that the base itself puts on elements, and its one constraint.
        for kind in element.findall(FHIR + "type"):
            if SIMPLE in [profile.get("value") for profile in kind.findall(FHIR + "profile")]:
                path = value(element, "path")
                simple = "($this is Quantity) implies comparator.empty()" if path.endswith("[x]") else "comparator.empty()"
                yield path, "sqty-1", "error", simple


def main():
    jar, release = sys.argv[1], sys.argv[2]
    rows = []
    with zipfile.ZipFile(jar) as archive:
        for kind in ("types", "resources"):
            name = "org/hl7/fhir/%s/model/profile/profiles-%s.xml" % (FOLDER[release], kind)
            for definition in ET.fromstring(archive.read(name)).iter(FHIR + "StructureDefinition"):
                if value(definition, "derivation") != "constraint":
                    rows += constraints(definition)
    out = Path(__file__).resolve().parent / "input" / release / "constraints.tsv"
    head = "# Extracted by constraints.py from the definitions of the release (HL7, CC0).\n# path, key, severity, expression\n"
    lines = sorted("\t".join(row) + "\n" for row in set(rows))
    out.write_text(head + "".join(lines), encoding="utf-8", newline="\n")


main()
