"""Keeps what a server answers, one file an answer, for the judge: `collect.py http://HOST:PORT DIRECTORY`.

The directory is filled with `*.r4.json`, `*.r4.xml`, `*.stu3.json` and `*.stu3.xml`. Notes are written first, on both
bases, so that there is something to answer on each of them that came through the other. Only the standard library is used.
"""

import base64
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from people import note_number, person_number, professional_number, resource  # noqa: E402  (found by the line before)

PAGES = 20
PRINTED = Path(__file__).resolve().parent.parent / "tests" / "data"
NOTE_TYPES = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote"
XML = "application/fhir+xml"
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
        """Writes an answer to a file; what is no FHIR is a mistake of the server."""
        is_xml = text.lstrip().startswith(b"<")
        answer = None if is_xml else json.loads(text)
        if b"http://hl7.org/fhir" not in text if is_xml else "resourceType" not in answer:
            raise SystemExit(f"{self.address} {name}: no resource in {text[:200]}")
        self.kept += 1
        name = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
        (self.directory / f"{self.kept:04}-{name}.{self.release}.{'xml' if is_xml else 'json'}").write_bytes(text)
        return answer

    def read(self, name, path, **headers):
        """Reads in both encodings; only 200 is right."""
        self.expect(200, name, path, **{**headers, "Accept": XML})
        return self.expect(200, name, path, **headers)

    def expect(self, status, name, *request, **more):
        """As `ask`, when only one status is right."""
        found, answer = self.ask(name, *request, **more)
        if found != status:
            raise SystemExit(f"{self.address} {name}: {found} instead of {status}: {json.dumps(answer)[:600]}")
        return answer


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
    given = {**actors, "note_number": note_number()}
    for name in ("given once", "given twice"):
        base.ask(name, "/DocumentReference", "POST", resource(base.release, "note", **given), Prefer="return=representation")
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data" if base.release == "r4" else "content": "dGVzdA=="}
    binary = base.expect(201, "create binary", "/Binary", "POST", binary, Prefer="return=representation")
    photo = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(200_000)).decode()
    heavy = resource(base.release, "note", **actors)
    heavy["content"] = [{"attachment": {"contentType": "image/png", "data": photo, "title": "Photo"}}]
    heavy = base.expect(201, "create with photo", "/DocumentReference", "POST", heavy, Prefer="return=representation")
    if base.release == "r4":
        # STU3 cannot name a situation of exercise as an author.
        role = base.expect(201, "create role", "/PractitionerRole", "POST", {
            "resourceType": "PractitionerRole", "practitioner": {"reference": actors["professional"]}})
        for name, reference in (("role", f"PractitionerRole/{role['id']}"), ("role inside", "#role")):
            by_role = resource(base.release, "note", **actors)
            by_role["author"] = [{"reference": reference, "display": "Mme Sophie Brooks (infirmier)"}]
            if reference == "#role":
                by_role["contained"] = [{"resourceType": "PractitionerRole", "id": "role",
                                         "practitioner": {"reference": actors["professional"]}}]
            base.expect(201, f"create by {name}", "/DocumentReference", "POST", by_role)
    return {"note": note, "gone": gone["id"], "person": actors["person"], "binary": binary["id"], "heavy": heavy["id"]}


def write_as_printed(base):
    """Every body of the founding document and of today's guide, as far as this base takes it."""
    for printed in sorted(PRINTED.glob(f"cdl-{'r4' if base.release == 'r4' else '2017-create'}*.json")):
        for place in ("", "/Bundle"):
            base.ask(f"printed {printed.stem} at {place}", place, "POST", printed.read_bytes())
    if base.release == "stu3":
        base.ask("printed update", "/DocumentReference?masterIdentifier=http://EtablissementSource.fr|58619", "PUT",
                 (PRINTED / "cdl-2017-update.json").read_bytes())
        for query in ("_include=DocumentReference.subject&author:Practitioner.name.family=Dupont", "created=ge2017-06-01&type=OBS",
                      "subject:Patient.identifier=1234567890112345678901"):
            base.read("printed query", f"/DocumentReference?{query}")


def look(base, written):
    """Reads what was written, in every way of reading."""
    at = f"/DocumentReference/{written['note']['id']}"
    for name, path in (("read", at), ("vread", f"{at}/_history/1"), ("history", f"{at}/_history"),
                       ("history of type", "/DocumentReference/_history?_count=20"), ("history of all", "/_history?_count=50"),
                       ("history since", "/_history?_since=2020-01-01T00:00:00Z&_count=3"),
                       ("history of deleted", f"/DocumentReference/{written['gone']}/_history"),
                       ("elements", f"{at}?_elements=description,status"), ("elements of all", "/DocumentReference?_elements=status"),
                       ("binary", f"/Binary/{written['binary']}"), ("with photo", f"/DocumentReference/{written['heavy']}"),
                       ("of two types", "/?_type=Patient,Practitioner&_count=5"),
                       ("sorted", "/DocumentReference?_sort=-_lastUpdated&_count=1"),
                       ("nothing found", "/Patient?family=Nobody-Of-That-Name"),
                       ("everything about", f"/DocumentReference?subject={written['person']}&_include=*&_revinclude=*"),
                       *((f"summary {mode}", f"{at}?_summary={mode}") for mode in ("true", "text", "data", "false")),
                       *((f"summary of all {mode}", f"/DocumentReference?_summary={mode}&_count=3")
                         for mode in ("true", "text", "data", "count"))):
        base.read(name, path)
    base.expect(200, "search by post", "/DocumentReference/_search", "POST", b"_count=1",
                Content_Type="application/x-www-form-urlencoded")
    for name, path in (("metadata", "/metadata"), ("metadata full", "/metadata?mode=full"),
                       ("metadata normative", "/metadata?mode=normative"), ("metadata pretty", "/metadata?_pretty=true"),
                       ("metadata in the format asked for", "/metadata?_format=xml")):
        base.read(name, path)


def mistake(base, written):
    """Requests that are refused: their outcomes are answers too."""
    note = written["note"]
    at = f"/DocumentReference/{note['id']}"
    taken = {**resource(base.release, "note", person=note["subject"]["reference"],
                        professional=note["author"][0]["reference"]), "masterIdentifier": note["masterIdentifier"]}
    for status, name, *request in (
        (400, "unknown parameter", "/DocumentReference?colour=red"),
        (400, "bad date", "/DocumentReference?date=1950-13-45" if base.release == "r4" else "/DocumentReference?created=1950-13-45"),
        (400, "not JSON", "/DocumentReference", "POST", b"{"),
        (404, "unknown id", "/DocumentReference/none-such"),
        (404, "unknown type", "/Unicorn"),
        (404, "unknown version", f"{at}/_history/999"),
        (400, "unknown mode", "/metadata?mode=terminology"),
        (400, "bad cursor", "/DocumentReference?_cursor=nonsense"),
        (400, "bad chain", "/DocumentReference?author.colour=red"),
        (400, "bad modifier", "/DocumentReference?status:exact=current"),
        (400, "another id", at, "PUT", {**note, "id": "another"}),
        (400, "another type", "/Patient", "POST", note),
        (405, "method not allowed", "/metadata", "DELETE"),
        (405, "own definition", "/NamingSystem/rpps", "DELETE"),
        (410, "gone", f"/DocumentReference/{written['gone']}"),
        (409, "taken", "/DocumentReference", "POST", {**taken, "description": "Une autre note"}),
        (409, "person with notes", f"/{note['subject']['reference']}", "DELETE"),
        (422, "bad status", "/DocumentReference", "POST", {**note, "status": "perhaps"}),
        (422, "unresolved", "/DocumentReference", "POST", {**resource(base.release, "note", person="Patient/none-such",
                                                                    professional=note["author"][0]["reference"])}),
    ):
        for language in ("fr", "en"):
            base.expect(status, f"{name} {language}", *request, Accept_Language=language)
        base.expect(status, f"{name} in XML", *request, Accept=XML)
    base.expect(406, "no such form", at, Accept="image/png")
    base.expect(412, "old version", at, "PUT", note, If_Match='W/"999"')
    base.expect(415, "wrong type of body", "/DocumentReference", "POST", b"a", Content_Type="text/plain")
    base.read("left out", "/DocumentReference?colour=red&_count=1", Prefer="handling=lenient")
    for name, body in (("good", resource(base.release, "note", person=note["subject"]["reference"],
                                         professional=note["author"][0]["reference"])),
                       ("bad", {**note, "status": "perhaps", "colour": 1})):
        base.expect(200, f"validate {name}", "/DocumentReference/$validate", "POST", body)
        base.expect(200, f"validate {name} in XML", "/DocumentReference/$validate", "POST", body, Accept=XML)


def everything(base, statement):
    """Every resource of every type the server says it has, page by page, and one by one what defines something."""
    for rest in statement["rest"]:
        for described in rest["resource"]:
            searchable = {"search-type"} & {interaction["code"] for interaction in described.get("interaction", [])}
            if not searchable or described["type"] in SEARCH_ONLY:
                continue
            address = f"/{described['type']}?_count=50"
            for page in range(PAGES):
                bundle = base.read(f"all {described['type']} {page}", address)
                for entry in bundle.get("entry", []):
                    if "url" in entry["resource"] and entry["resource"]["resourceType"] == described["type"]:
                        base.read(f"read {described['type']} {entry['resource']['id']}",
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
        base.ask(f"expand {url[-24:]} in XML", f"/ValueSet/$expand?url={url}&count=3", Accept=XML)
    system = urllib.parse.quote(NOTE_TYPES, safe="")
    for accept in ("application/fhir+json", XML):
        for name, path in (("lookup", f"/CodeSystem/$lookup?system={system}&code=OBS"),
                           ("lookup of unknown code", f"/CodeSystem/$lookup?system={system}&code=NONE"),
                           ("validate code", f"/CodeSystem/$validate-code?url={system}&code=OBS"),
                           ("validate unknown code", f"/CodeSystem/$validate-code?url={system}&code=NONE"),
                           ("expand of unknown", "/ValueSet/$expand?url=https://example.org/none")):
            base.ask(name, path, Accept=accept)
        for url in urls("ConceptMap"):
            base.ask("translate", f"/ConceptMap/$translate?url={url}&system={system}&code=OBS", Accept=accept)
    parameters = {"resourceType": "Parameters", "parameter": [
        {"name": "system", "valueUri": NOTE_TYPES}, {"name": "code", "valueCode": "OBS"}]}
    base.ask("lookup by post", "/CodeSystem/$lookup", "POST", parameters)


def main():
    """Collects from both bases; the exit status says whether every answer was of the kind expected."""
    if len(sys.argv) != 3:
        print("usage: collect.py http://HOST:PORT DIRECTORY", file=sys.stderr)
        return 2
    directory = Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    bases = [Base(sys.argv[1].rstrip("/"), release, directory) for release in ("r4", "stu3")]
    written = {}
    for base in bases:
        written[base.release] = write(base)
        write_as_printed(base)
    for base in bases:
        look(base, written[base.release])
        mistake(base, written[base.release])
        operate(base)
        everything(base, base.expect(200, "metadata", "/metadata"))
        print(f"{base.kept} answers of {base.address}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
