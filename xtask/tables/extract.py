#!/usr/bin/env python3
"""Extracts from HL7's own definition packages the facts that no crate holds.

    python3 extract.py DIRECTORY RELEASE      (RELEASE: stu3 or r4)

DIRECTORY holds the unpacked `package/*.json` of hl7.fhir.core 3.0.1 (STU3) or hl7.fhir.r4.core 4.0.1 (R4).
Writes input/RELEASE/{valuesets,search-parameters,compartments}.tsv for every type of the release, so
that adding a resource type needs only the generator. Standard library only. The definitions are
CC0 (HL7); only names, codes and short displays are taken.
"""

import glob
import json
import os
import sys

PACKAGE = {"stu3": "hl7.fhir.core 3.0.1", "r4": "hl7.fhir.r4.core 4.0.1"}


def load(directory, kind):
    out = []
    for name in sorted(glob.glob(os.path.join(directory, kind + "-*.json"))):
        with open(name, encoding="utf-8-sig") as f:
            r = json.load(f)
        if r.get("resourceType") == kind:
            out.append(r)
    return out


def clean(text):
    return " ".join((text or "").split())


def binding(element):
    b = element.get("binding")
    if not b or b.get("strength") != "required":
        return None
    url = b.get("valueSet") or b.get("valueSetUri") or (b.get("valueSetReference") or {}).get("reference")
    return url.split("|")[0] if url else None


class Cannot(Exception):
    pass


class Terms:
    def __init__(self, directory):
        self.systems = {r["url"]: r for r in load(directory, "CodeSystem") if "url" in r}
        self.sets = {r["url"]: r for r in load(directory, "ValueSet") if "url" in r}

    def flat(self, system):
        cs = self.systems.get(system)
        if cs is None or cs.get("content", "complete") != "complete" or not cs.get("concept"):
            raise Cannot("code system not in the package: " + system)
        parents, order = {}, []

        def walk(concepts, above):
            for c in concepts:
                if c["code"] not in parents:
                    parents[c["code"]] = set()
                    order.append((c["code"], clean(c.get("display"))))
                if above is not None:
                    parents[c["code"]].add(above)
                for p in c.get("property", []):
                    if p["code"] in ("subsumedBy", "parent"):
                        parents[c["code"]].add(p.get("valueCode"))
                walk(c.get("concept", []), c["code"])

        walk(cs["concept"], None)
        return order, parents

    def below(self, code, ancestor, parents):
        todo, seen = [code], set()
        while todo:
            c = todo.pop()
            if c == ancestor:
                return True
            if c not in seen:
                seen.add(c)
                todo += parents.get(c, ())
        return False

    def include(self, inc, stack):
        rows = None
        system = inc.get("system")
        if system:
            if inc.get("concept"):
                shown = {}
                if any("display" not in c for c in inc["concept"]):
                    try:
                        shown = dict(self.flat(system)[0])
                    except Cannot:
                        pass
                rows = [(system, c["code"], clean(c.get("display") or shown.get(c["code"]))) for c in inc["concept"]]
            else:
                order, parents = self.flat(system)
                for f in inc.get("filter", []):
                    if f["op"] not in ("is-a", "descendent-of", "is-not-a") or f["property"] != "concept":
                        raise Cannot("filter %s %s" % (f["property"], f["op"]))
                    want = f["op"] != "is-not-a"
                    order = [
                        (c, d)
                        for c, d in order
                        if self.below(c, f["value"], parents) == want
                        and not (f["op"] == "descendent-of" and c == f["value"])
                    ]
                rows = [(system, c, d) for c, d in order]
        for url in inc.get("valueSet", []) + inc.get("import", []):
            other = self.expand(url, stack)
            if rows is None:
                rows = other
            else:
                keys = {(s, c) for s, c, _ in other}
                rows = [r for r in rows if r[:2] in keys]
        return rows or []

    def expand(self, url, stack=()):
        url = url.split("|")[0]
        if url in stack:
            raise Cannot("circular: " + url)
        vs = self.sets.get(url)
        if vs is None:
            raise Cannot("value set not in the package")
        compose = vs.get("compose")
        if not compose:
            raise Cannot("no definition")
        rows, seen = [], set()
        for inc in compose.get("include", []):
            for r in self.include(inc, stack + (url,)):
                if r[:2] not in seen:
                    seen.add(r[:2])
                    rows.append(r)
        for url_ in compose.get("import", []):
            for r in self.expand(url_, stack + (url,)):
                if r[:2] not in seen:
                    seen.add(r[:2])
                    rows.append(r)
        gone = set()
        for exc in compose.get("exclude", []):
            gone |= {r[:2] for r in self.include(exc, stack + (url,))}
        return [r for r in rows if r[:2] not in gone]


def main():
    directory, release = sys.argv[1], sys.argv[2]
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "input", release)
    os.makedirs(here, exist_ok=True)
    head = "# Extracted by extract.py from %s (HL7, CC0).\n" % PACKAGE[release]

    def write(name, lines):
        with open(os.path.join(here, name), "w", encoding="utf-8", newline="\n") as f:
            f.write(head + "".join(line + "\n" for line in lines))

    terms = Terms(directory)
    wanted, resources = set(), set()
    for sd in load(directory, "StructureDefinition"):
        if sd.get("derivation") == "constraint":
            continue
        if sd.get("kind") == "resource" and not sd.get("abstract"):
            resources.add(sd["type"])
        for e in sd.get("snapshot", {}).get("element", []):
            url = binding(e)
            if url:
                wanted.add(url)
    lines = ["# value set, system, code, display: every required binding of the release"]
    for url in sorted(wanted):
        try:
            rows = terms.expand(url)
            if not rows:
                raise Cannot("empty")
            lines += ["\t".join((url,) + r) for r in rows]
        except Cannot as why:
            lines.append("\t".join((url, "-", "-", str(why))))
    write("valuesets.tsv", lines)

    params = load(directory, "SearchParameter")
    codes = {p["url"]: p["code"] for p in params}
    lines = ["# url, targets, components"]
    for p in sorted(params, key=lambda p: p["url"]):
        targets = sorted(set(p.get("target", [])))
        # A list of all types may lack the newest one or two.
        if len(resources & set(targets)) >= len(resources) - 2:
            targets = ["Any"]
        parts = []
        for c in p.get("component", []):
            d = c["definition"]
            d = d["reference"] if isinstance(d, dict) else d
            d = d if d.startswith("http") else "http://hl7.org/fhir/" + d
            parts.append("%s=%s" % (codes.get(d, d.rsplit("-", 1)[-1]), c["expression"]))
        if targets or parts:
            lines.append("\t".join((p["url"], "|".join(targets) or "-", ";".join(parts) or "-")))
    write("search-parameters.tsv", lines)

    lines = ["# compartment, resource, parameters"]
    rows = []
    for c in load(directory, "CompartmentDefinition"):
        if c.get("id") == "example":
            continue
        for r in c.get("resource", []):
            if r.get("param"):
                rows.append((c["code"], r["code"], ",".join(r["param"])))
    write("compartments.tsv", lines + ["\t".join(r) for r in sorted(rows)])


main()
