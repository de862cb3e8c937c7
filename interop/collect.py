"""Keeps what a server answers, one file an answer, for the judge: `collect.py http://HOST:PORT DIRECTORY`.

The directory is filled with `*.r4.json` and `*.stu3.json`. Notes are written first, so that there is
something to answer. Only the standard library is used.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from people import person_number, professional_number, resource  # noqa: E402  (found by the line before)

PAGES = 20
SEARCH_ONLY = {"Parameters", "OperationOutcome"}


class Base:
    """One base of the server; every answer with a FHIR resource is kept."""

    def __init__(self, server, release, directory):
        self.address = f"{server}/fhir/{release}"
        self.release = release
        self.directory = directory
        self.kept = 0

    def ask(self, name, path, method="GET", body=None, **headers):
        """Sends a request; keeps its answer under this name and gives it back with its status."""
        url = path if path.startswith("http") else f"{self.address}{path}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Accept": "application/fhir+json", **{key.replace("_", "-"): value for key, value in headers.items()}}
        if data is not None:
            headers.setdefault("Content-Type", "application/fhir+json")
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, self.keep(name, text) if text else None

    def keep(self, name, text):
        """Writes an answer to a file; what is no FHIR JSON is a mistake of the server."""
        answer = json.loads(text)
        if "resourceType" not in answer:
            raise SystemExit(f"{self.address} {name}: no resourceType in {text[:200]}")
        text = as_claimed(answer, text)
        self.kept += 1
        name = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
        (self.directory / f"{self.kept:04}-{name}.{self.release}.json").write_bytes(text)
        return answer

    def expect(self, status, name, *request, **more):
        """As `ask`, when only one status is right."""
        found, answer = self.ask(name, *request, **more)
        if found != status:
            raise SystemExit(f"{self.address} {name}: {found} instead of {status}: {json.dumps(answer)[:600]}")
        return answer


def as_claimed(answer, text):
    """The text of an answer; parts of resources that were asked for no longer meet the profiles of the whole."""
    entries = [entry.get("resource", {}) for entry in answer.get("entry", [])] if answer["resourceType"] == "Bundle" else []
    parts = [part for part in [answer, *entries]
             if any(tag.get("code") == "SUBSETTED" for tag in part.get("meta", {}).get("tag", []))]
    for part in parts:
        part["meta"].pop("profile", None)
    return json.dumps(answer, ensure_ascii=False).encode() if parts else text


def write(base):
    """Notes and people, through every way of writing."""
    person = base.expect(201, "create person", "/Patient", "POST", resource(base.release, "person"))
    professional = base.expect(201, "create professional", "/Practitioner", "POST", resource(base.release, "professional"))
    actors = {"person": f"Patient/{person['id']}", "professional": f"Practitioner/{professional['id']}"}
    note = base.expect(201, "create note", "/DocumentReference", "POST", resource(base.release, "note", **actors),
                       Prefer="return=representation")
    base.expect(201, "create note with outcome", "/DocumentReference", "POST", resource(base.release, "note", **actors),
                Prefer="return=OperationOutcome")
    at = f"/DocumentReference/{note['id']}"
    base.expect(200, "update", at, "PUT", {**note, "description": "Relu"})
    patch = json.dumps([{"op": "replace", "path": "/description", "value": "Relu encore"}]).encode()
    base.expect(200, "patch", at, "PATCH", patch, Content_Type="application/json-patch+json")
    base.expect(200, "transaction", "", "POST", resource(base.release, "note-bundle", person_number=person_number(),
                                                         professional_number=professional_number()))
    batch = [{"request": {"method": "GET", "url": url}} for url in (at[1:], "DocumentReference?_count=2", "Patient/none-such")]
    base.expect(200, "batch", "", "POST", {"resourceType": "Bundle", "type": "batch", "entry": batch})
    gone = base.expect(201, "create to delete", "/DocumentReference", "POST", resource(base.release, "note", **actors))
    base.ask("delete", f"/DocumentReference/{gone['id']}", "DELETE")
    for name, path in (("read", at), ("vread", f"{at}/_history/1"), ("history", f"{at}/_history"),
                       ("history of type", "/DocumentReference/_history?_count=20"), ("history of all", "/_history?_count=50"),
                       ("history of deleted", f"/DocumentReference/{gone['id']}/_history"),
                       ("summary", f"{at}?_summary=true"), ("elements", f"{at}?_elements=description,status"),
                       ("everything about", f"/DocumentReference?subject={actors['person']}&_include=*&_revinclude=*")):
        base.expect(200, name, path)
    return note


def mistake(base, note):
    """Requests that are refused: their outcomes are answers too."""
    at = f"/DocumentReference/{note['id']}"
    for status, name, *request in (
        (400, "unknown parameter", "/DocumentReference?colour=red"),
        (400, "bad date", "/DocumentReference?date=1950-13-45" if base.release == "r4" else "/DocumentReference?created=1950-13-45"),
        (400, "not JSON", "/DocumentReference", "POST", b"{"),
        (404, "unknown id", "/DocumentReference/none-such"),
        (404, "unknown type", "/Unicorn"),
        (409, "person with notes", f"/{note['subject']['reference']}", "DELETE"),
        (422, "bad status", "/DocumentReference", "POST", {**note, "status": "perhaps"}),
        (422, "unresolved", "/DocumentReference", "POST", {**resource(base.release, "note", person="Patient/none-such",
                                                                    professional=note["author"][0]["reference"])}),
    ):
        for language in ("fr", "en"):
            base.expect(status, f"{name} {language}", *request, Accept_Language=language)
    base.expect(412, "old version", at, "PUT", note, If_Match='W/"999"')
    base.expect(415, "wrong type of body", "/DocumentReference", "POST", b"a", Content_Type="text/plain")
    lenient = "/DocumentReference?colour=red&_count=1"
    base.expect(200, "left out", lenient, Prefer="handling=lenient")
    for name, body in (("good", resource(base.release, "note", person=note["subject"]["reference"],
                                         professional=note["author"][0]["reference"])),
                       ("bad", {**note, "status": "perhaps", "colour": 1})):
        base.expect(200, f"validate {name}", "/DocumentReference/$validate", "POST", body)


def everything(base, statement):
    """Every resource of every type the server says it has, page by page, and one by one what defines something."""
    for rest in statement["rest"]:
        for described in rest["resource"]:
            searchable = {"search-type"} & {interaction["code"] for interaction in described.get("interaction", [])}
            if not searchable or described["type"] in SEARCH_ONLY:
                continue
            address = f"/{described['type']}?_count=50"
            for page in range(PAGES):
                bundle = base.expect(200, f"all {described['type']} {page}", address)
                for entry in bundle.get("entry", []):
                    if "url" in entry["resource"] and entry["resource"]["resourceType"] == described["type"]:
                        base.expect(200, f"read {described['type']} {entry['resource']['id']}",
                                    f"/{described['type']}/{entry['resource']['id']}")
                following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
                if not following:
                    break
                address = following[0]


def operate(base):
    """Operations on terminology, on whatever value set, code system and concept map there is."""
    def urls(resource_type):
        bundle = base.expect(200, f"find {resource_type}", f"/{resource_type}?_count=100")
        return [urllib.parse.quote(entry["resource"]["url"], safe="") for entry in bundle.get("entry", [])]

    for url in urls("ValueSet"):
        base.ask(f"expand {url[-24:]}", f"/ValueSet/$expand?url={url}&count=20")
    system = urllib.parse.quote("https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote", safe="")
    base.ask("lookup", f"/CodeSystem/$lookup?system={system}&code=OBS")
    base.ask("validate code", f"/CodeSystem/$validate-code?url={system}&code=OBS")
    base.ask("validate unknown code", f"/CodeSystem/$validate-code?url={system}&code=NONE")


def main():
    """Collects from both bases; the exit status says whether every answer was of the kind expected."""
    if len(sys.argv) != 3:
        print("usage: collect.py http://HOST:PORT DIRECTORY", file=sys.stderr)
        return 2
    directory = Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    for release in ("r4", "stu3"):
        base = Base(sys.argv[1].rstrip("/"), release, directory)
        statement = base.expect(200, "metadata", "/metadata")
        note = write(base)
        mistake(base, note)
        operate(base)
        everything(base, statement)
        print(f"{base.kept} answers of {base.address}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
