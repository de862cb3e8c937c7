"""The ordinary life of a notebook through fhirpy, on either base."""

import requests
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound
from fhirpy.base.searchset import Raw

import r4_typed
import stu3_typed
from checks import equal, holds, refused
from people import note_number, person_number, professional_number, resource

TYPED = {"r4": r4_typed.read, "stu3": stu3_typed.read}
FHIR_VERSION = {"r4": "4.0.1", "stu3": "3.0.2"}
DATE = {"r4": "date", "stu3": "created"}
PERSONS = "urn:oid:1.2.250.1.213.1.4.8"
PROFESSIONALS = "https://rpps.esante.gouv.fr"
NOTES = "https://logiciel.example.org/notes"


def run(checks, server, release):
    """Runs every check on one base."""
    base = f"{server}/fhir/{release}"
    client = SyncFHIRClient(base)
    typed = TYPED[release]
    check = lambda what: checks.check(f"fhirpy {release}: {what}")
    new = lambda template: client.resource(template["resourceType"], **{k: v for k, v in template.items() if k != "resourceType"})
    notes = client.resources("DocumentReference")

    with check("metadata says its release"):
        statement = client.execute("metadata", method="get")
        equal(statement["fhirVersion"], FHIR_VERSION[release], "fhirVersion")
        typed(statement)

    person_key, professional_key, note_key = person_number(), professional_number(), note_number()
    person = new(resource(release, "person", person_number=person_key))
    professional = new(resource(release, "professional", professional_number=professional_key))
    with check("create a person and a professional"):
        person.save()
        professional.save()
        holds(person.id and professional.id, "no id given")
        equal(person.meta.versionId, "1", "first version")

    sent = resource(release, "note", note_number=note_key, person=f"Patient/{person.id}",
                    professional=f"Practitioner/{professional.id}")
    note = new(sent)
    with check("create a note, read it as it was sent"):
        note.save()
        read = client.reference("DocumentReference", note.id).to_resource().serialize()
        typed(read)
        for name, value in sent.items():
            if name not in ("meta", "indexed"):
                equal(read[name], value, name)

    with check("follow its references"):
        equal(note.subject.to_resource().id, person.id, "subject")
        equal(note.author[0].to_resource().name[0].family, "KERVILLIO", "author")

    with check("update it, read both versions"):
        note.description = "Passage du matin, complété"
        note.save()
        equal(note.meta.versionId, "2", "version")
        first = client.execute(f"DocumentReference/{note.id}/_history/1", method="get")
        equal(first["description"], "Passage du matin", "first version")
        history = client.execute(f"DocumentReference/{note.id}/_history", method="get")
        equal([entry["resource"]["meta"]["versionId"] for entry in history["entry"]], ["2", "1"], "history")
        typed(history)

    with check("an update of an older version is refused"):
        stale = requests.put(f"{base}/DocumentReference/{note.id}", json=note.serialize(), timeout=30,
                             headers={"If-Match": 'W/"1"', "Content-Type": "application/fhir+json"})
        equal(stale.status_code, 412, "status")

    with check("find it by the person's identifier, with subject and author"):
        found = notes.search(Raw(**{"patient.identifier": f"{PERSONS}|{person_key}"}))
        found = found.include("DocumentReference", "subject").include("DocumentReference", "author").fetch_raw()
        equal(found["total"], 1, "total")
        modes = sorted((entry["resource"]["resourceType"], entry["search"]["mode"]) for entry in found["entry"])
        equal(modes, [("DocumentReference", "match"), ("Patient", "include"), ("Practitioner", "include")], "entries")
        typed(requests.get(f"{base}/DocumentReference?patient.identifier={PERSONS}%7C{person_key}", timeout=30).json())

    with check("find it by its author, through a typed chain"):
        found = notes.search(author__Practitioner__identifier=f"{PROFESSIONALS}|{professional_key}")
        equal([n.id for n in found.fetch_all()], [note.id], "notes")
        found = notes.search(author__Practitioner__family="kervillio", author__Practitioner__given="sol",
                             subject=f"Patient/{person.id}")
        equal([n.id for n in found.fetch_all()], [note.id], "notes by name, without case")

    with check("find it by date and type"):
        found = notes.search(type="OBS", subject=f"Patient/{person.id}", **{f"{DATE[release]}__ge": "2026-03-04"})
        equal([n.id for n in found.fetch_all()], [note.id], "notes")
        found = notes.search(type="OBS", subject=f"Patient/{person.id}", **{f"{DATE[release]}__gt": "2026-03-05"})
        equal(found.fetch_all(), [], "notes of later")

    with check("fetch only some elements"):
        short = notes.search(_id=note.id).elements("description").first()
        equal(short.description, "Passage du matin, complété", "description")
        holds("author" not in short, "the author was not asked for")

    with check("count, the client's own parameter being left out on request"):
        lenient = SyncFHIRClient(base, extra_headers={"Prefer": "handling=lenient"})
        equal(lenient.resources("DocumentReference").search(subject=f"Patient/{person.id}").count(), 1, "count")

    others = []
    with check("page through seven notes, three at a time, in order"):
        for day in range(10, 16):
            another = new(resource(release, "note", person=f"Patient/{person.id}", date=f"2026-03-{day}T08:30:00+01:00",
                                   professional=f"Practitioner/{professional.id}"))
            another.save()
            others.append(another)
        everything = notes.search(subject=f"Patient/{person.id}").sort(f"-{DATE[release]}").limit(3)
        pages = [n[DATE[release]] for n in everything]
        equal(pages, [f"2026-03-{day}T08:30:00+01:00" for day in range(15, 9, -1)] + ["2026-03-04T08:30:00+01:00"], "dates")
        equal(len(everything.fetch()), 3, "first page")

    with check("a conditional update finds the note by its identifier"):
        changed = {**note.serialize(), "description": "Passage du matin, relu"}
        updated, created = notes.search(identifier=f"{NOTES}|{note_key}").update(new(changed))
        equal((updated.id, updated.meta.versionId, created), (note.id, "3", False), "outcome")

    with check("a repeated create does not double the note"):
        again = new(resource(release, "note", note_number=note_key, person=f"Patient/{person.id}",
                             professional=f"Practitioner/{professional.id}"))
        again.description = "Passage du matin, relu"
        again.save()
        equal(again.id, note.id, "the existing note")
        try:
            another = new(sent)
            another.description = "Autre chose"
            another.save()
        except OperationOutcome as outcome:
            equal(outcome.resource["issue"][0]["severity"], "error", "severity")
        else:
            raise AssertionError("other content under the same identifier was accepted")

    with check("a transaction stores note, person and professional, and resolves their references"):
        bundle = new(resource(release, "note-bundle", person_number=person_number()))
        bundle.save()
        equal(bundle.type, "transaction-response", "type")
        places = [entry["response"]["location"].split("/_history/")[0].split("/")[-2:] for entry in bundle.entry]
        equal([place[0] for place in places], ["DocumentReference", "Patient", "Practitioner"], "types")
        stored = client.reference("DocumentReference", places[0][1]).to_resource()
        equal(stored.subject.reference, "/".join(places[1]), "subject")
        equal(stored.author[0].reference, "/".join(places[2]), "author")
        others.extend([stored, client.reference(*places[1]).to_resource(), client.reference(*places[2]).to_resource()])

    with check("$validate tells a good note from a bad one"):
        holds(new(sent).is_valid(), "a good note")
        holds(not new({**sent, "status": "perhaps"}).is_valid(), "a bad note")

    with check("mistakes are refused with an outcome"):
        refused(400, lambda: requests.get(f"{base}/DocumentReference?colour=red", timeout=30))
        refused(404, lambda: requests.get(f"{base}/DocumentReference/none-such", timeout=30))
        refused(400, lambda: requests.post(f"{base}/DocumentReference", data="{", timeout=30,
                                           headers={"Content-Type": "application/fhir+json"}))

    with check("a person who has notes is not deleted"):
        try:
            person.delete()
        except OperationOutcome as outcome:
            equal(outcome.resource["issue"][0]["severity"], "error", "severity")
        else:
            raise AssertionError("the person was deleted")

    with check("delete the notes, then the people"):
        for created in [note, *others, person, professional]:
            created.delete()
        try:
            client.reference("DocumentReference", note.id).to_resource()
        except ResourceNotFound:
            pass
        else:
            raise AssertionError("a deleted note was read")
        equal(notes.search(subject=f"Patient/{person.id}").fetch_all(), [], "notes that are left")
