package liaison.judge;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.utils.validation.ValidatorSession;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.utilities.validation.ValidationMessage.IssueSeverity;
import org.hl7.fhir.validation.ValidatorSettings;
import org.hl7.fhir.validation.instance.InstanceValidator;

/**
 * Judges resources with the HL7 validator and the published definitions: every file of a directory whose name ends in
 * {@code .r4.json} or {@code .stu3.json}.
 */
public final class Judge {
    private static final int EXCERPT = 600;

    private final InstanceValidator validator;
    private final List<Path> files;

    private Judge(Release release, Definitions definitions, List<Path> files) {
        this.files = files;
        ValidatorSession session = new ValidatorSession();
        // Profiles are held against the release by its short name too.
        session.getOtherVersions().put(release.shortVersion(), definitions.context());
        this.validator = new InstanceValidator(definitions.context(), null, null, session, new ValidatorSettings());
        validator.setFetcher(new Offline.Fetcher(definitions.context()));
        validator.setPolicyAdvisor(new Offline.Policy());
        validator.setAssumeValidRestReferences(true);
        // Clients may send extensions of their own, and get them back.
        validator.setAnyExtensionsAllowed(true);
        validator.setAllowExamples(true);
    }

    /**
     * Prints every error (with {@code --warnings}: every warning too) and a sum; ends with 0 when there was something to
     * judge and no error in it.
     *
     * @param arguments {@code [--warnings] [--definitions DIRECTORY] DIRECTORY}: definitions (profiles, extensions, value
     *     sets, code systems) that lie in the first directory as files of their own are known while the others are judged
     * @throws IOException when a file cannot be read
     */
    public static void main(String[] arguments) throws IOException {
        List<String> rest = new ArrayList<>(List.of(arguments));
        boolean warnings = rest.remove("--warnings");
        String definitions = null;
        int option = rest.indexOf("--definitions");
        if (option >= 0 && option + 1 < rest.size()) {
            definitions = rest.remove(option + 1);
            rest.remove(option);
        }
        if (rest.size() != 1) {
            System.err.println("usage: liaison.judge.Judge [--warnings] [--definitions DIRECTORY] DIRECTORY");
            System.exit(2);
        }
        int passed = 0;
        int failed = 0;
        for (Release release : Release.values()) {
            List<Path> files = files(rest.get(0), release);
            if (files.isEmpty()) {
                continue;
            }
            Definitions known = Definitions.published(release);
            if (definitions != null) {
                known.add(files(definitions, release));
            }
            int wrong = new Judge(release, known, files).judge(warnings);
            failed += wrong;
            passed += files.size() - wrong;
        }
        System.out.println("judge: " + passed + " passed, " + failed + " failed");
        System.exit(failed == 0 && passed > 0 ? 0 : 1);
    }

    /** How many of the files have an error. */
    private int judge(boolean warnings) throws IOException {
        int failed = 0;
        for (Path file : files) {
            List<ValidationMessage> findings = findings(file);
            findings.stream().filter(finding -> finding.getLevel().isError() || warnings && finding.getLevel() == IssueSeverity.WARNING)
                .forEach(finding -> System.out.println(file.getFileName() + ": " + said(finding)));
            if (findings.stream().anyMatch(finding -> finding.getLevel().isError())) {
                failed++;
            }
        }
        return failed;
    }

    private List<ValidationMessage> findings(Path file) throws IOException {
        List<ValidationMessage> findings = new ArrayList<>();
        try (InputStream stream = Files.newInputStream(file)) {
            validator.validate(null, findings, stream, FhirFormat.JSON);
        } catch (RuntimeException thrown) {
            // The validator's own mistake must not pass for a good resource.
            findings.add(new ValidationMessage(ValidationMessage.Source.InstanceValidator, ValidationMessage.IssueType.EXCEPTION,
                "(whole)", "the validator broke down: " + thrown, IssueSeverity.FATAL));
        }
        return findings;
    }

    private static String said(ValidationMessage finding) {
        String message = finding.getMessage().replaceAll("\\s+", " ");
        return finding.getLevel().toCode() + " at " + finding.getLocation() + ": "
            + message.substring(0, Math.min(message.length(), EXCERPT));
    }

    private static List<Path> files(String directory, Release release) throws IOException {
        try (Stream<Path> all = Files.walk(Path.of(directory))) {
            return all.filter(file -> file.toString().endsWith(release.ending)).sorted().toList();
        }
    }
}
