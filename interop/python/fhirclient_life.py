"""The ordinary life of a notebook through fhirclient, whose models are R4."""

import datetime

from fhirclient import server
from fhirclient.models import bundle, documentreference, patient, practitioner
from requests import HTTPError

from checks import equal, holds
from people import note_number, person_number, professional_number, resource


def run(checks, address):
    """Runs every check on the R4 base."""
    base = server.FHIRServer(None, f"{address}/fhir/r4")
    check = lambda what: checks.check(f"fhirclient r4: {what}")

    with check("read the capabilities"):
        equal(base.capabilityStatement.fhirVersion, "4.0.1", "fhirVersion")
        base.prepare()

    person_key, professional_key, note_key = person_number(), professional_number(), note_number()
    people = {}
    with check("create a person, a professional and a note"):
        made = patient.Patient(resource("r4", "person", person_number=person_key)).create(base)
        people["person"] = patient.Patient(made)
        made = practitioner.Practitioner(resource("r4", "professional", professional_number=professional_key)).create(base)
        people["professional"] = practitioner.Practitioner(made)
        sent = resource("r4", "note", note_number=note_key, person=people["person"].relativePath(),
                        professional=people["professional"].relativePath())
        people["note"] = documentreference.DocumentReference(documentreference.DocumentReference(sent).create(base))

    with check("read the note, typed"):
        note = documentreference.DocumentReference.read(people["note"].id, base)
        equal(note.masterIdentifier.value, note_key, "masterIdentifier")
        equal(note.date.date.astimezone(datetime.timezone.utc).isoformat(), "2026-03-04T07:30:00+00:00", "date")
        equal(note.subject.resolved(patient.Patient).name[0].family, "ARVELLE", "subject")

    with check("update it"):
        note = documentreference.DocumentReference.read(people["note"].id, base)
        note.description = "Relu"
        equal(note.update(base)["meta"]["versionId"], "2", "version")

    with check("search it, with its subject"):
        search = documentreference.DocumentReference.where(
            {"patient.identifier": f"urn:oid:1.2.250.1.213.1.4.8|{person_key}"})
        found = search.include("subject").perform_resources(base)
        equal(sorted(type(each).__name__ for each in found), ["DocumentReference", "Patient"], "types")

    with check("search by combined criteria"):
        search = documentreference.DocumentReference.where(
            {"subject": people["person"].relativePath(), "type": "OBS", "date": "ge2026-03-04", "status": "current"})
        equal([each.id for each in search.perform_resources(base)], [people["note"].id], "notes")

    with check("iterate over pages"):
        for day in range(10, 15):
            another = resource("r4", "note", person=people["person"].relativePath(), date=f"2026-03-{day}T08:30:00+01:00",
                               professional=people["professional"].relativePath())
            people[f"note {day}"] = documentreference.DocumentReference(
                documentreference.DocumentReference(another).create(base))
        search = documentreference.DocumentReference.where({"subject": people["person"].relativePath(), "_count": "2"})
        found = {each.id for each in search.perform_resources_iter(base)}
        equal(found, {each.id for name, each in people.items() if name.startswith("note")}, "notes")

    with check("send a batch"):
        batch = bundle.Bundle({"resourceType": "Bundle", "type": "batch", "entry": [
            {"request": {"method": "GET", "url": people["note"].relativePath()}},
            {"request": {"method": "GET", "url": "DocumentReference/none-such"}}]})
        answer = bundle.Bundle(base.post_json("", batch.as_json()).json())
        equal([entry.response.status[:3] for entry in answer.entry], ["200", "404"], "statuses")
        equal(answer.entry[0].resource.id, people["note"].id, "the note")

    with check("delete the notes, then the people"):
        for name in sorted(people, key=lambda name: not name.startswith("note")):
            people[name].origin_server = base
            people[name].delete()
        try:
            documentreference.DocumentReference.read(people["note"].id, base)
        except HTTPError as error:
            equal(error.response.status_code, 410, "status of a deleted note")
        else:
            holds(False, "a deleted note was read")
