package liaison.judge;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.r5.conformance.profile.ProfileUtilities;
import org.hl7.fhir.r5.context.IContextResourceLoader;
import org.hl7.fhir.r5.context.IWorkerContext;
import org.hl7.fhir.r5.context.SimpleWorkerContext;
import org.hl7.fhir.r5.model.Bundle.BundleEntryComponent;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.PackageInformation;
import org.hl7.fhir.r5.model.Parameters;
import org.hl7.fhir.r5.model.Resource;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.utilities.ByteProvider;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.ValidatorUtils;

/** The definitions of a FHIR release, as published, with those of the server beside them. */
final class Definitions {
    /** What HAPI's archives of definitions hold, in the order in which one needs the other. */
    private static final List<String> PUBLISHED = List.of("profile/profiles-types.xml", "profile/profiles-resources.xml",
        "valueset/valuesets.xml", "valueset/v2-tables.xml", "valueset/v3-codesystems.xml", "extension/extension-definitions.xml",
        "profile/profiles-others.xml");
    private static final List<String> DEFINING = List.of("StructureDefinition", "ValueSet", "CodeSystem", "NamingSystem");

    private final SimpleWorkerContext context;
    private final IContextResourceLoader loader;

    private Definitions(SimpleWorkerContext context, IContextResourceLoader loader) {
        this.context = context;
        this.loader = loader;
    }

    /** Reads the published definitions of a release. */
    static Definitions published(Release release) throws IOException {
        IContextResourceLoader loader = ValidatorUtils.loaderForVersion(release.version);
        byte[] told = ("[FHIR]\nversion=" + release.version + "\n").getBytes(StandardCharsets.UTF_8);
        SimpleWorkerContext context = new SimpleWorkerContext.SimpleWorkerContextBuilder().fromDefinitions(
            Map.of("version.info", ByteProvider.forBytes(told)), loader, null);
        PackageInformation origin = new PackageInformation(release.packageName, release.version, release.version, null);
        // A list of licences is among the published definitions, and another in the validator itself.
        context.setAllowLoadingDuplicates(true);
        for (String name : PUBLISHED) {
            try (InputStream stream = open(release, name)) {
                for (BundleEntryComponent entry : loader.loadBundle(stream, false).getEntry()) {
                    context.cacheResourceFromPackage(entry.getResource(), origin);
                }
            }
        }
        Path directory = Files.createTempDirectory("judge");
        directory.toFile().deleteOnExit();
        CrossVersion.write(release.other(), directory);
        context.loadBinariesFromFolder(directory.toString());
        context.setCanRunWithoutTerminology(true);
        context.setCanNoTS(true);
        context.setExpansionParameters(new Parameters());
        return new Definitions(context, loader);
    }

    /** Adds the definitions among these files, those in JSON; one that cannot be understood is said and left out. */
    void add(List<Path> files) throws IOException {
        List<StructureDefinition> profiles = new ArrayList<>();
        for (Path file : files.stream().filter(file -> file.toString().endsWith(".json")).toList()) {
            String text = Files.readString(file);
            // What is not a definition need not be read twice; the server writes its type first.
            boolean defining = DEFINING.stream().anyMatch(type -> text.startsWith("{\"resourceType\":\"" + type + "\""));
            if (!defining) {
                continue;
            }
            try (InputStream stream = Files.newInputStream(file)) {
                Resource resource = loader.loadResource(stream, true);
                if (resource instanceof CanonicalResource definition && definition.hasUrl()) {
                    context.cacheResource(definition);
                    if (definition instanceof StructureDefinition profile) {
                        profiles.add(profile);
                    }
                }
            } catch (RuntimeException thrown) {
                System.out.println(file.getFileName() + ": no definition: " + thrown.getMessage());
            }
        }
        for (StructureDefinition profile : profiles) {
            try {
                snapshot(profile);
            } catch (RuntimeException thrown) {
                System.out.println(profile.getUrl() + ": no snapshot: " + thrown.getMessage());
            }
        }
    }

    private void snapshot(StructureDefinition profile) {
        if (profile.hasSnapshot()) {
            return;
        }
        StructureDefinition base = context.fetchResource(StructureDefinition.class, profile.getBaseDefinition());
        if (base == null) {
            throw new IllegalStateException("its base " + profile.getBaseDefinition() + " is not known");
        }
        snapshot(base);
        List<ValidationMessage> messages = new ArrayList<>();
        new ProfileUtilities(context, messages, null).setAutoFixSliceNames(true)
            .generateSnapshot(base, profile, profile.getUrl(), null, profile.getName());
    }

    /** A file of the published definitions. */
    static InputStream open(Release release, String name) throws IOException {
        InputStream stream = Definitions.class.getClassLoader().getResourceAsStream(release.folder + "/" + name);
        if (stream == null) {
            throw new IOException("no definitions at " + release.folder + "/" + name);
        }
        return stream;
    }

    /** For the validator. */
    IWorkerContext context() {
        return context;
    }
}
