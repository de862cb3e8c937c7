package liaison.judge;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;

/**
 * Judges resources with the HL7 validator and the published definitions: every file of a directory whose name ends in
 * {@code .r4.json} or {@code .stu3.json}. Definitions among them (profiles, extensions, value sets, code systems) are
 * known to it while it judges the others of their release.
 */
public final class Judge {
    private static final int EXCERPT = 400;
    private static final List<String> DEFINITIONS = List.of("StructureDefinition", "ValueSet", "CodeSystem");

    private final FhirContext context;
    private final FhirValidator validator;
    private final String ending;

    private Judge(FhirContext context, String ending, Path directory) throws IOException {
        this.context = context;
        this.ending = ending;
        this.validator = context.newValidator();
        FhirInstanceValidator module = new FhirInstanceValidator(support(directory));
        // Ours are the only definitions a resource of ours may name: what is unknown is a finding.
        module.setAnyExtensionsAllowed(true);
        module.setErrorForUnknownProfiles(false);
        module.setNoTerminologyChecks(false);
        validator.registerValidatorModule(module);
    }

    /**
     * Prints every error (with {@code --warnings}: every finding) and a sum; ends with 0 when there is no error.
     *
     * @param arguments {@code [--warnings] DIRECTORY}
     * @throws IOException when a file cannot be read
     */
    public static void main(String[] arguments) throws IOException {
        List<String> given = List.of(arguments);
        List<String> directories = given.stream().filter(argument -> !argument.equals("--warnings")).toList();
        if (directories.size() != 1) {
            System.err.println("usage: liaison.judge.Judge [--warnings] DIRECTORY");
            System.exit(2);
        }
        ResultSeverityEnum least = given.contains("--warnings") ? ResultSeverityEnum.WARNING : ResultSeverityEnum.ERROR;
        Path directory = Path.of(directories.get(0));
        int passed = 0;
        int failed = 0;
        for (Judge judge : List.of(new Judge(FhirContext.forR4Cached(), ".r4.json", directory),
                new Judge(FhirContext.forDstu3Cached(), ".stu3.json", directory))) {
            for (Path file : judge.files(directory)) {
                if (judge.passes(file, least)) {
                    passed++;
                } else {
                    failed++;
                }
            }
        }
        System.out.println("judge: " + passed + " passed, " + failed + " failed");
        System.exit(failed == 0 && passed > 0 ? 0 : 1);
    }

    private boolean passes(Path file, ResultSeverityEnum least) throws IOException {
        List<SingleValidationMessage> findings = validator.validateWithResult(Files.readString(file)).getMessages();
        findings.stream().filter(finding -> finding.getSeverity().compareTo(least) >= 0).forEach(finding -> {
            String message = finding.getMessage().replaceAll("\\s+", " ");
            System.out.println(file.getFileName() + ": " + finding.getSeverity().getCode() + " at " + finding.getLocationString()
                + ": " + message.substring(0, Math.min(message.length(), EXCERPT)));
        });
        return findings.stream().noneMatch(finding -> finding.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0);
    }

    private List<Path> files(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(file -> file.toString().endsWith(ending)).sorted(Comparator.naturalOrder()).toList();
        }
    }

    /** The published definitions, and before them those that lie in the directory. */
    private IValidationSupport support(Path directory) throws IOException {
        PrePopulatedValidationSupport ours = new PrePopulatedValidationSupport(context);
        for (Path file : files(directory)) {
            String text = Files.readString(file);
            if (DEFINITIONS.stream().anyMatch(type -> text.startsWith("{\"resourceType\":\"" + type + "\""))) {
                IBaseResource definition = context.newJsonParser().parseResource(text);
                ours.addResource(definition);
            }
        }
        return new ValidationSupportChain(ours, new DefaultProfileValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context), new InMemoryTerminologyServerValidationSupport(context),
            new SnapshotGeneratingValidationSupport(context));
    }
}
