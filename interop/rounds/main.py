"""Sends published resources round and compares what comes back: `main.py SERVER [--every N] [--keep DIRECTORY] [--entries] RELEASE:DIRECTORY…`.

Each resource of a type the server has is written as JSON; read as XML and written again as that; read in the
other release and written again as that, in JSON and in XML. After each of these, what is read in its own
release must be what was sent; so must each version, in the history, and what a search finds. `--every N` takes one
in N of the types of which there are more than fifty, and none that is huge; `--entries` takes bundles apart;
`--keep DIRECTORY` leaves what the server answered there, in JSON and in XML.

What the server says it changes is left out of the comparison, and nothing else: `meta.versionId` and
`meta.lastUpdated`; blanks within the base64 of a `Binary`, which is kept as bytes and which searches leave
out. What leads to a resource that is not in the corpus is made to lead to another server before it is sent.
What the server refuses must be listed, with the reason, in `refused.tsv` beside this file, and only that;
but for definitions that come with the server, which nobody changes, and bodies over its limit.
"""

import argparse
import collections
import copy
import json
import sys
import time
from pathlib import Path

from corpus import files, in_order, load
from server import MEDIA_TYPES, TOO_LARGE, Refused, Server
from tree import differences, read, write

OTHER = {"r4": "stu3", "stu3": "r4"}
# The status of a change to what comes with the server.
OWN = 405
# Differences told of each type.
SHOWN = 20


def kept(resource):
    """A resource without what the server says of it and what it does not promise to keep."""
    rest = {name: value for name, value in resource.items() if name != "meta"}
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    if meta:
        rest["meta"] = meta
    for name in ("data", "content"):
        if resource["resourceType"] == "Binary" and name in rest:
            rest[name] = "".join(rest[name].split())
    return rest


def keep(directory, server, release, path):
    """Keeps what the server answers in both forms, for others to compare."""
    if directory:
        directory.mkdir(parents=True, exist_ok=True)
        for form in MEDIA_TYPES:
            (directory / f"{path.replace('/', '-')}.{release}.{form}").write_bytes(server.get(f"{release}/{path}", form))


def send_round(server, release, resource, directory):
    """The resource through every form; gives how it was changed, and where."""
    expected = kept(resource)
    path = f"{resource['resourceType']}/{resource['id']}"
    own, other = f"{release}/{path}", f"{OTHER[release]}/{path}"

    def compare(step, found):
        for difference in differences(expected, kept(found), resource["resourceType"]):
            yield step, difference

    def latest(step):
        yield from compare(step, read(server.get(own)))

    versions = [server.put(own, write(resource).encode())]
    yield from latest("JSON")
    keep(directory, server, release, path)
    for address, form, step in ((own, "xml", "XML"), (other, "json", "other release"), (other, "xml", "other release in XML")):
        versions.append(server.put(address, server.get(address, form), form))
        yield from latest(step)
    for version in versions:
        yield from compare("version", read(server.get(f"{own}/_history/{version}")))
    history = read(server.get(f"{own}/_history?_count=4"))["entry"]
    if len(history) < len(set(versions)):
        yield "history", f"{len(history)} versions"
    for entry in history:
        yield from compare("history", entry["resource"])
    found = read(server.get(f"{release}/{resource['resourceType']}?_id={resource['id']}")).get("entry", [])
    if len(found) != 1:
        yield "search", f"{len(found)} matches"
    for entry in found:
        if resource["resourceType"] != "Binary":
            yield from compare("search", entry["resource"])


def reason(refused):
    """What the first error of a refusal says."""
    try:
        issues = json.loads(refused.body)["issue"]
    except (ValueError, KeyError):
        return str(refused)
    errors = [issue for issue in issues if issue["severity"] in ("error", "fatal")] or issues
    return "; ".join(f"{' '.join(issue.get('expression', []))}: {issue.get('details', {}).get('text') or issue.get('diagnostics')}"
                     for issue in errors)


def expected_refusals():
    """What is known to be refused: (release, type, id)."""
    lines = Path(__file__).with_name("refused.tsv").read_text(encoding="utf-8").splitlines()
    return {tuple(line.split("\t")[:3]) for line in lines if line and not line.startswith("#")}


def main():
    """The exit status says whether everything came back as it was sent."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    arguments.add_argument("server")
    arguments.add_argument("--every", type=int, default=1)
    arguments.add_argument("--keep", type=Path)
    arguments.add_argument("--entries", action="store_true")
    arguments.add_argument("corpora", nargs="+")
    arguments = arguments.parse_args()
    server = Server(arguments.server)
    known = expected_refusals()
    equal, unequal, refused = collections.Counter(), collections.Counter(), collections.Counter()
    shown = collections.Counter()
    surprises = 0
    started = time.monotonic()
    for corpus in arguments.corpora:
        release, directory = corpus.split(":", maxsplit=1)
        statement = read(server.get(f"{release}/metadata"))
        types = {resource["type"] for resource in statement["rest"][0]["resource"]}
        resources, left_out = load(files(directory, arguments.every), types, arguments.entries)
        if left_out:
            print(f"{corpus}: {left_out} left out, which hold resources of types that the server does not have")
        for resource in in_order(resources):
            kind, name = resource["resourceType"], (release, resource["resourceType"], resource["id"])
            try:
                found = list(send_round(server, release, copy.deepcopy(resource), arguments.keep))
            except Refused as error:
                refused[release, kind] += 1
                if name not in known and error.status not in (OWN, TOO_LARGE):
                    surprises += 1
                    print("REFUSED", *name, f"{error.status}", reason(error), sep="\t")
                continue
            if name in known:
                surprises += 1
                print("TAKEN  ", *name, "which refused.tsv says is refused", sep="\t")
            (unequal if found else equal)[release, kind] += 1
            for step, difference in found:
                shown[kind] += 1
                if shown[kind] <= SHOWN:
                    print("CHANGED", *name, step, difference, sep="\t")
    for release, kind in sorted(equal.keys() | unequal.keys() | refused.keys()):
        key = release, kind
        print(f"{release:5} {kind:22} {equal[key]:6} equal {unequal[key]:6} changed {refused[key]:6} refused")
    print(f"rounds: {sum(equal.values())} equal, {sum(unequal.values())} changed, {sum(refused.values())} refused, "
          f"{surprises} of them surprises; {server.requests} requests in {time.monotonic() - started:.0f} s")
    return 1 if unequal or surprises else 0


if __name__ == "__main__":
    sys.exit(main())
