"""Published resources, made ready for one server: which go in, in which order, and what they refer to."""

import re
from pathlib import Path

from tree import read, walk

# So many files of a type are taken whole.
FEW = 50
# Bytes of a file that takes longer than all others together.
HUGE = 1_000_000
# Where what is not on this server is said to be.
ELSEWHERE = "https://elsewhere.example/fhir"
# Members that FHIR gives a reference, a canonical or the address of a Binary.
ADDRESSED = {"reference", "url", "profile", "definition", "base", "operation", "targetProfile", "valueSet", "instantiates"}
LITERAL = re.compile(r"^([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]+)?$")


def load(paths, types, entries):
    """The resources of these types in files, by type and id; of bundles the entries when asked for.

    Gives also how many were left out because they hold a resource of another type.
    """
    found = {}
    left_out = 0
    for path in paths:
        document = read(path.read_text(encoding="utf-8-sig"))
        for resource in parts(document) if entries else [document]:
            if resource.get("resourceType") not in types or "id" not in resource:
                continue
            if any(part["resourceType"] not in types for part in held(resource)):
                left_out += 1
                continue
            found[resource["resourceType"], resource["id"]] = resource
    if entries:
        resolve_queries(found)
    return found, left_out


def files(directory, every):
    """The resources of a directory. One in so many of the types that have many files, and none that is huge."""
    paths = sorted(path for path in Path(directory).glob("*.json") if not path.name.startswith(".") and path.name != "package.json")
    if every == 1:
        return paths
    kinds = {}
    for path in paths:
        kinds.setdefault(path.name.split("-", maxsplit=1)[0], []).append(path)
    kept = [path for alike in kinds.values() for path in (alike[::every] if len(alike) > FEW else alike)]
    return [path for path in kept if path.stat().st_size < HUGE]


def held(resource):
    """The resources within a resource."""
    return [part for part in walk(resource) if isinstance(part.get("resourceType"), str)]


def parts(bundle):
    """The entries of a bundle, their references to each other as a server would write them."""
    entries = [entry for entry in bundle.get("entry", []) if "resource" in entry]
    written = {entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
               for entry in entries if "fullUrl" in entry and "id" in entry["resource"]}
    for entry in entries:
        for reference in references(entry["resource"]):
            reference["reference"] = written.get(reference["reference"], reference["reference"])
        yield entry["resource"]


def resolve_queries(resources):
    """References by search, as in transactions, become references to what has the identifier."""
    named = {}
    for (kind, identity), resource in resources.items():
        identifiers = resource.get("identifier", [])
        for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
            named[f"{kind}?identifier={identifier.get('system', '')}|{identifier.get('value', '')}"] = f"{kind}/{identity}"
    for resource in resources.values():
        for reference in references(resource):
            reference["reference"] = named.get(reference["reference"], reference["reference"])


def references(resource):
    """Every literal reference of a resource."""
    return [part for part in walk(resource) if isinstance(part.get("reference"), str)]


def addresses(resource):
    """Every place of a resource that may lead to another one, as what it stands in and its name there.

    What stands in a bundle speaks of the bundle.
    """
    if resource["resourceType"] == "Bundle":
        return
    for part in walk(resource):
        for name in part.keys() & ADDRESSED:
            several = isinstance(part[name], list)
            where = part[name] if several else part
            for at in range(len(where)) if several else [name]:
                if isinstance(where[at], str) and LITERAL.match(where[at]):
                    yield where, at


def in_order(resources):
    """The resources, each after those it refers to; what leads to nothing that came before leads elsewhere."""
    waiting = {key: {target(part[name]) for part, name in addresses(resource)} - {key} for key, resource in resources.items()}
    ordered = []
    written = set()
    while waiting:
        ready = [key for key, wanted in waiting.items() if not any(other in waiting for other in wanted)]
        for key in ready or [next(iter(waiting))]:
            del waiting[key]
            for part, name in list(addresses(resources[key])):
                if target(part[name]) not in written | {key}:
                    part[name] = f"{ELSEWHERE}/{part[name]}"
            written.add(key)
            ordered.append(resources[key])
    return ordered


def target(address):
    """What a relative address leads to, as type and id."""
    found = LITERAL.match(address)
    return found[1], found[2]
