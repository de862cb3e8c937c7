package liaison.interop;

import static liaison.interop.Checks.equal;
import static liaison.interop.Checks.holds;
import static liaison.interop.Checks.refused;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.model.api.Include;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.api.SearchStyleEnum;
import ca.uhn.fhir.rest.api.SortOrderEnum;
import ca.uhn.fhir.rest.api.SortSpec;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.gclient.ReferenceClientParam;
import ca.uhn.fhir.rest.gclient.StringClientParam;
import ca.uhn.fhir.rest.gclient.TokenClientParam;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.ResourceVersionConflictException;
import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import ca.uhn.fhir.util.BundleUtil;
import ca.uhn.fhir.util.FhirTerser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.hl7.fhir.instance.model.api.IBaseBundle;
import org.hl7.fhir.instance.model.api.IBaseConformance;
import org.hl7.fhir.instance.model.api.IBaseOperationOutcome;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.instance.model.api.IIdType;

/** The ordinary life of a notebook through HAPI's generic client: one release, one encoding. */
final class Life {
    private static final String NOTE = "DocumentReference";
    private static final String PERSONS = "urn:oid:1.2.250.1.213.1.4.8";
    private static final String NOTES = "https://logiciel.example.org/notes";

    private final Checks checks;
    private final Release release;
    private final EncodingEnum encoding;
    private final FhirContext context;
    private final FhirTerser terser;
    private final IGenericClient client;
    private final People people;

    private final String personKey = People.personNumber();
    private final String professionalKey = People.professionalNumber();
    private final String noteKey = People.noteNumber();
    private final List<IIdType> others = new ArrayList<>();
    private IIdType person;
    private IIdType professional;
    private IIdType note;

    Life(Checks checks, String server, Release release, EncodingEnum encoding, Path resources) {
        this.checks = checks;
        this.release = release;
        this.encoding = encoding;
        this.context = release.context();
        this.terser = context.newTerser();
        this.client = context.newRestfulGenericClient(server + "/fhir/" + release.path);
        this.client.setEncoding(encoding);
        this.people = new People(resources.resolve(release.path));
    }

    /** Runs every check. */
    void live() {
        check("the capability statement says its release", () -> {
            Class<? extends IBaseResource> type = context.getResourceDefinition("CapabilityStatement").getImplementingClass();
            IBaseConformance statement = client.capabilities().ofType(type.asSubclass(IBaseConformance.class)).execute();
            equal(text(statement, "fhirVersion"), release.fhirVersion, "fhirVersion");
        });
        check("create a person, a professional and a note", () -> {
            person = create(resource("person", Map.of("PERSON_NUMBER", personKey))).getId();
            professional = create(resource("professional", Map.of("PROFESSIONAL_NUMBER", professionalKey))).getId();
            MethodOutcome outcome = create(aNote(Map.of("NOTE_NUMBER", noteKey)));
            equal(outcome.getCreated(), true, "created");
            note = outcome.getId();
            equal(note.getVersionIdPart(), "1", "version");
        });
        check("read it as it was sent", () -> {
            IBaseResource sent = aNote(Map.of("NOTE_NUMBER", noteKey));
            IBaseResource read = client.read().resource(NOTE).withId(note.getIdPart()).execute();
            for (String place : List.of("masterIdentifier.value", "status", "type.coding.code", "subject.reference",
                    "author.reference", "description", "content.attachment.contentType", "content.attachment.data", release.date)) {
                equal(text(read, place), text(sent, place), place);
            }
        });
        check("update it, read both versions and the history", this::updates);
        check("patch it", () -> {
            String patch = "[{\"op\":\"replace\",\"path\":\"/description\",\"value\":\"Relu et complété\"}]";
            client.patch().withBody(patch).withId(note.toUnqualifiedVersionless()).execute();
            equal(text(readNote(), "description"), "Relu et complété", "description");
        });
        check("search with subject and author included", this::searchesWithIncludes);
        check("search by the author's name and number, through typed chains", () -> {
            equal(count(new TokenClientParam("author:Practitioner.identifier").exactly().code(professionalKey)), 1, "by number");
            IBaseBundle found = client.search().forResource(NOTE).returnBundle(release.bundle)
                .where(new StringClientParam("author:Practitioner.family").matches().value("kervillio"))
                .and(new StringClientParam("author:Practitioner.given").matches().value("Solange"))
                .and(new ReferenceClientParam("subject").hasId(person.toUnqualifiedVersionless())).execute();
            equal(ids(found), List.of(note.getIdPart()), "by name");
        });
        check("page through five notes, two at a time", this::pages);
        check("a conditional create finds what is there", () -> {
            MethodOutcome outcome = client.create().resource(aNote(Map.of()))
                .conditional().where(new TokenClientParam("identifier").exactly().systemAndIdentifier(NOTES, noteKey))
                .prefer(PreferReturnEnum.REPRESENTATION).execute();
            equal(outcome.getId().getIdPart(), note.getIdPart(), "id");
            holds(!Boolean.TRUE.equals(outcome.getCreated()), "created again");
        });
        check("a conditional update finds the note by its identifier", () -> {
            IBaseResource changed = readNote();
            terser.setElement(changed, "description", "Relu une fois encore");
            MethodOutcome outcome = client.update().resource(changed)
                .conditional().where(new TokenClientParam("identifier").exactly().systemAndIdentifier(NOTES, noteKey))
                .prefer(PreferReturnEnum.REPRESENTATION).execute();
            equal(outcome.getId().getIdPart(), note.getIdPart(), "id");
            equal(text(readNote(), "description"), "Relu une fois encore", "description");
        });
        check("a transaction stores note, person and professional", this::transacts);
        check("$validate tells a good note from a bad one", () -> {
            String good = encode(client.validate().resource(aNote(Map.of())).execute().getOperationOutcome());
            holds(!good.contains("\"error\"") && !good.contains("\"fatal\""), "a good note: " + good);
            // HAPI's own reader refuses codes and elements it does not know: what is missing gets past it.
            String bad = people.json("note", actors(Map.of())).replace("\"status\": \"current\",", "");
            String judged = encode(client.validate().resource(bad).execute().getOperationOutcome());
            holds(judged.contains("\"error\"") || judged.contains("\"fatal\""), "a note without status: " + judged);
        });
        check("mistakes are refused with an outcome", this::mistakes);
        check("delete the notes, then the people", () -> {
            Stream.of(List.of(note), others, List.of(person, professional)).flatMap(List::stream)
                .forEach(id -> client.delete().resourceById(id.toUnqualifiedVersionless()).execute());
            refused(ResourceGoneException.class, this::readNote);
        });
    }

    private void updates() throws Exception {
        IBaseResource changed = readNote();
        terser.setElement(changed, "description", "Relu");
        MethodOutcome outcome = client.update().resource(changed).prefer(PreferReturnEnum.REPRESENTATION).execute();
        equal(outcome.getId().getVersionIdPart(), "2", "version");
        IBaseResource first = client.read().resource(NOTE).withIdAndVersion(note.getIdPart(), "1").execute();
        equal(text(first, "description"), "Passage du matin", "first version");
        refused(PreconditionFailedException.class,
            () -> client.update().resource(changed).withAdditionalHeader("If-Match", "W/\"1\"").execute());
        IBaseBundle history = client.history().onInstance(note.toUnqualifiedVersionless()).returnBundle(release.bundle).execute();
        List<String> versions = BundleUtil.toListOfResources(context, history).stream()
            .map(version -> version.getIdElement().getVersionIdPart()).toList();
        equal(versions, List.of("2", "1"), "history");
    }

    private void searchesWithIncludes() {
        for (SearchStyleEnum style : List.of(SearchStyleEnum.GET, SearchStyleEnum.POST)) {
            IBaseBundle found = client.search().forResource(NOTE).usingStyle(style).returnBundle(release.bundle)
                .where(new TokenClientParam("patient.identifier").exactly().systemAndIdentifier(PERSONS, personKey))
                .include(new Include("DocumentReference:subject")).include(new Include("DocumentReference:author")).execute();
            equal(text(found, "total"), "1", "total by " + style);
            List<String> types = BundleUtil.toListOfResources(context, found).stream().map(IBaseResource::fhirType).sorted().toList();
            equal(types, List.of(NOTE, "Patient", "Practitioner"), "types by " + style);
        }
    }

    private void pages() throws IOException {
        for (int day = 10; day < 14; day++) {
            others.add(create(aNote(Map.of("DATE", "2026-03-" + day + "T08:30:00+01:00"))).getId());
        }
        IBaseBundle page = client.search().forResource(NOTE).returnBundle(release.bundle).count(2)
            .where(new ReferenceClientParam("subject").hasId(person.toUnqualifiedVersionless()))
            .sort(new SortSpec(release.date, SortOrderEnum.DESC)).execute();
        List<String> found = new ArrayList<>(ids(page));
        while (found.size() <= others.size() + 1 && BundleUtil.getLinkUrlOfType(context, page, IBaseBundle.LINK_NEXT) != null) {
            page = client.loadPage().next(page).execute();
            found.addAll(ids(page));
        }
        List<String> expected = new ArrayList<>(others.stream().map(IIdType::getIdPart).toList());
        java.util.Collections.reverse(expected);
        expected.add(note.getIdPart());
        equal(found, expected, "notes, newest first");
    }

    private void transacts() throws IOException {
        IBaseBundle bundle = (IBaseBundle) resource("note-bundle", Map.of());
        IBaseBundle answer = client.transaction().withBundle(bundle).execute();
        List<String> places = terser.getValues(answer, "Bundle.entry.response.location").stream().map(Object::toString).toList();
        List<IIdType> stored = places.stream().map(place -> {
            IIdType id = context.getVersion().newIdType();
            id.setValue(place);
            return id;
        }).toList();
        equal(stored.stream().map(IIdType::getResourceType).toList(), List.of(NOTE, "Patient", "Practitioner"), "types");
        IBaseResource read = client.read().resource(NOTE).withId(stored.get(0).getIdPart()).execute();
        equal(text(read, "subject.reference"), "Patient/" + stored.get(1).getIdPart(), "subject");
        equal(text(read, "author.reference"), "Practitioner/" + stored.get(2).getIdPart(), "author");
        others.addAll(stored);
    }

    private void mistakes() throws Exception {
        TokenClientParam unknown = new TokenClientParam("colour");
        List<BaseServerResponseException> refusals = List.of(
            refused(InvalidRequestException.class, () -> count(unknown.exactly().code("red"))),
            refused(ResourceNotFoundException.class, () -> client.read().resource(NOTE).withId("none-such").execute()),
            refused(ResourceVersionConflictException.class, () -> client.delete().resourceById(person.toUnqualifiedVersionless()).execute()),
            refused(UnprocessableEntityException.class,
                () -> create(resource("note", Map.of("PERSON", "Patient/none-such", "PROFESSIONAL", reference(professional))))));
        for (BaseServerResponseException refusal : refusals) {
            IBaseOperationOutcome outcome = refusal.getOperationOutcome();
            holds(outcome != null, "no outcome with " + refusal.getStatusCode());
            holds(encode(outcome).contains("\"text\"") || encode(outcome).contains("\"diagnostics\""), "the refusal says nothing");
        }
    }

    private void check(String what, Checks.Body body) {
        checks.check("hapi " + release.path + " " + encoding.name().toLowerCase(java.util.Locale.ROOT) + ": " + what, body);
    }

    private MethodOutcome create(IBaseResource resource) {
        return client.create().resource(resource).prefer(PreferReturnEnum.REPRESENTATION).execute();
    }

    private IBaseResource readNote() {
        return client.read().resource(NOTE).withId(note.getIdPart()).execute();
    }

    private int count(ca.uhn.fhir.rest.gclient.ICriterion<?> criterion) {
        IBaseBundle found = client.search().forResource(NOTE).returnBundle(release.bundle).where(criterion).execute();
        return BundleUtil.toListOfResources(context, found).size();
    }

    private List<String> ids(IBaseBundle bundle) {
        return BundleUtil.toListOfResources(context, bundle).stream().map(resource -> resource.getIdElement().getIdPart()).toList();
    }

    private IBaseResource aNote(Map<String, String> values) throws IOException {
        return resource("note", actors(values));
    }

    private Map<String, String> actors(Map<String, String> values) {
        Map<String, String> all = new HashMap<>(Map.of("PERSON", reference(person), "PROFESSIONAL", reference(professional)));
        all.putAll(values);
        return all;
    }

    private IBaseResource resource(String template, Map<String, String> values) throws IOException {
        return context.newJsonParser().parseResource(people.json(template, values));
    }

    private String encode(IBaseResource resource) {
        return context.newJsonParser().encodeResourceToString(resource);
    }

    /** The text of the first primitive at this path. */
    private String text(IBaseResource resource, String path) {
        return terser.getSinglePrimitiveValueOrNull(resource, path);
    }

    private static String reference(IIdType id) {
        return id.toUnqualifiedVersionless().getValue();
    }
}
