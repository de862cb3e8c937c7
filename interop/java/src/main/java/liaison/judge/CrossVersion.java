package liaison.judge;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.hl7.fhir.r5.context.IContextResourceLoader;
import org.hl7.fhir.r5.model.Bundle.BundleEntryComponent;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.model.ElementDefinition;
import org.hl7.fhir.r5.model.ElementDefinition.TypeRefComponent;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.r5.model.StructureDefinition.TypeDerivationRule;
import org.hl7.fhir.utilities.json.model.JsonArray;
import org.hl7.fhir.utilities.json.model.JsonObject;
import org.hl7.fhir.utilities.json.parser.JsonParser;
import org.hl7.fhir.validation.ValidatorUtils;

/**
 * What the elements of another release are, in the form in which the validator wants to know it for the extensions that
 * carry them ({@code http://hl7.org/fhir/3.0/StructureDefinition/extension-DocumentReference.created}). HL7 publishes it in
 * a package of its own; here it is made from the definitions of that release.
 */
final class CrossVersion {
    private static final List<String> FILES = List.of("profile/profiles-types.xml", "profile/profiles-resources.xml");
    /** What an extension has itself. */
    private static final Set<String> OF_EVERY_ELEMENT = Set.of("id", "extension", "modifierExtension");
    /** Types of R4 that STU3 writes as the type they are of. */
    private static final Map<String, String> IN_STU3 = Map.of("canonical", "uri", "url", "uri", "uuid", "uri");
    private static final String DEFINITION = "http://hl7.org/fhir/StructureDefinition/";

    private CrossVersion() {}

    /** Writes {@code xver-paths-M.N.json} of a release into a directory. */
    static void write(Release of, Path directory) throws IOException {
        IContextResourceLoader loader = ValidatorUtils.loaderForVersion(of.version);
        JsonObject paths = new JsonObject();
        for (String name : FILES) {
            try (InputStream stream = Definitions.open(of, name)) {
                for (BundleEntryComponent entry : loader.loadBundle(stream, false).getEntry()) {
                    if (entry.getResource() instanceof StructureDefinition type && type.getDerivation() != TypeDerivationRule.CONSTRAINT) {
                        describe(of, type, paths);
                    }
                }
            }
        }
        Path file = directory.resolve("xver-paths-" + of.shortVersion() + ".json");
        Files.write(file, JsonParser.composeBytes(paths));
        file.toFile().deleteOnExit();
    }

    private static void describe(Release of, StructureDefinition type, JsonObject paths) {
        Map<String, List<String>> children = new LinkedHashMap<>();
        for (ElementDefinition element : type.getSnapshot().getElement()) {
            int dot = element.getPath().lastIndexOf('.');
            String name = element.getPath().substring(dot + 1);
            if (dot > 0 && !OF_EVERY_ELEMENT.contains(name)) {
                children.computeIfAbsent(element.getPath().substring(0, dot), path -> new ArrayList<>()).add(name);
            }
        }
        for (ElementDefinition element : type.getSnapshot().getElement()) {
            String path = element.getPath();
            if (!path.contains(".") || paths.has(path)) {
                continue;
            }
            JsonObject described = new JsonObject();
            List<String> inside = element.hasContentReference()
                ? children.getOrDefault(element.getContentReference().replaceFirst("^.*#", ""), List.of())
                : children.getOrDefault(path, List.of());
            if (inside.isEmpty()) {
                described.add("types", array(element.getType().stream().map(each -> type(of, each)).distinct().toList()));
            } else {
                described.add("elements", array(inside));
            }
            paths.add(path, described);
        }
    }

    private static String type(Release of, TypeRefComponent type) {
        // Ids and values of primitive types are written in terms of another type system.
        String code = type.getWorkingCode();
        if (of == Release.R4 && IN_STU3.containsKey(code)) {
            return IN_STU3.get(code);
        }
        if (!type.hasTargetProfile()) {
            return code;
        }
        return type.getTargetProfile().stream().map(CanonicalType::getValue)
            .map(target -> target.equals(DEFINITION + "Resource") ? "Any" : target.replace(DEFINITION, ""))
            .collect(Collectors.joining("|", code + "(", ")"));
    }

    private static JsonArray array(List<String> values) {
        JsonArray array = new JsonArray();
        values.forEach(array::add);
        return array;
    }
}
