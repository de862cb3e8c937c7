package liaison.judge;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.hl7.fhir.r5.utils.validation.ValidatorSession;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.utilities.validation.ValidationMessage.IssueSeverity;
import org.hl7.fhir.validation.ValidatorSettings;
import org.hl7.fhir.validation.instance.InstanceValidator;

/**
 * Judges answers with the HL7 validator and the published definitions: every file of some directories whose name ends in
 * {@code .r4.json}, {@code .r4.xml}, {@code .stu3.json} or {@code .stu3.xml}.
 */
public final class Judge {
    private static final int EXCERPT = 600;

    private final Asked asked;
    private final Map<String, Integer> kinds = new TreeMap<>();
    private int seen;
    private int passed;
    private int failed;

    private Judge(Asked asked) {
        this.asked = asked;
    }

    /**
     * Prints every error that is not explained (with {@code --warnings}: every warning too) and a sum; ends with 0 when there
     * was something to judge, no error in it, and every explained error was met.
     *
     * @param arguments see {@link Asked#USAGE}
     * @throws IOException when a file cannot be read
     */
    public static void main(String[] arguments) throws IOException {
        Asked asked = Asked.of(arguments);
        if (asked == null) {
            System.err.println(Asked.USAGE);
            System.exit(2);
            return;
        }
        Judge judge = new Judge(asked);
        for (Release release : Release.values()) {
            judge.judge(release);
        }
        System.exit(judge.sum() ? 0 : 1);
    }

    private void judge(Release release) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String directory : asked.directories()) {
            files.addAll(Answer.files(directory, release));
        }
        // What is small first: a short form then judges resources by themselves rather than pages full of them.
        files.sort(Comparator.comparingLong((Path file) -> file.toFile().length()).thenComparing(Path::getFileName));
        if (files.isEmpty()) {
            return;
        }
        Definitions definitions = Definitions.published(release);
        if (asked.definitions() != null) {
            definitions.add(Answer.files(asked.definitions(), release));
        }
        InstanceValidator validator = validator(release, definitions);
        Set<String> judged = new HashSet<>();
        for (Path file : files) {
            seen++;
            Answer answer = Answer.read(file, definitions.context());
            // In the short form, only what has something in it that was not judged before.
            boolean isNew = judged.addAll(answer.traits());
            if (isNew || asked.whole() || answer.root() == null) {
                judge(answer, release, validator);
            }
        }
    }

    private void judge(Answer answer, Release release, InstanceValidator validator) {
        kinds.merge(release + " " + answer.kind(), 1, Integer::sum);
        boolean wrong = false;
        for (ValidationMessage finding : findings(answer, validator)) {
            boolean isError = finding.getLevel().isError();
            if (isError && asked.exceptions().explain(release, answer.subject(finding.getLocation()), finding)) {
                continue;
            }
            wrong |= isError;
            if (isError || asked.warnings() && finding.getLevel() == IssueSeverity.WARNING) {
                System.out.println(answer.file.getFileName() + ": " + said(finding));
            }
        }
        if (wrong) {
            failed++;
        } else {
            passed++;
        }
    }

    /** What judges resources of a release offline. */
    static InstanceValidator validator(Release release, Definitions definitions) {
        ValidatorSession session = new ValidatorSession();
        // Profiles are held against the release by its short name too.
        session.getOtherVersions().put(release.shortVersion(), definitions.context());
        InstanceValidator validator = new InstanceValidator(definitions.context(), null, null, session, new ValidatorSettings());
        validator.setFetcher(new Offline.Fetcher(definitions.context()));
        validator.setPolicyAdvisor(new Offline.Policy());
        validator.setAssumeValidRestReferences(true);
        // Clients may send extensions of their own, and get them back.
        validator.setAnyExtensionsAllowed(true);
        validator.setAllowExamples(true);
        return validator;
    }

    private static List<ValidationMessage> findings(Answer answer, InstanceValidator validator) {
        List<ValidationMessage> findings = new ArrayList<>(answer.misread);
        if (answer.root() == null) {
            findings.add(broken("the reader made nothing of it"));
            return findings;
        }
        try {
            validator.validate(null, findings, null, answer.root());
        } catch (RuntimeException thrown) {
            // The validator's own mistake must not pass for a good resource.
            findings.add(broken("the validator broke down: " + thrown));
        }
        return findings;
    }

    private static ValidationMessage broken(String said) {
        return new ValidationMessage(ValidationMessage.Source.InstanceValidator, ValidationMessage.IssueType.EXCEPTION, "(whole)", said,
            IssueSeverity.FATAL);
    }

    private static String said(ValidationMessage finding) {
        String message = finding.getMessage().replaceAll("\\s+", " ");
        return finding.getLevel().toCode() + " " + finding.getMessageId() + " at " + finding.getLocation() + ": "
            + message.substring(0, Math.min(message.length(), EXCERPT));
    }

    private boolean sum() {
        kinds.forEach((kind, count) -> System.out.println("  " + count + " " + kind));
        List<String> unneeded = asked.exceptions().unneeded(asked.whole());
        unneeded.forEach(number -> System.out.println("exception " + number + " explains nothing any more: take it out"));
        System.out.println("judge: " + passed + " passed, " + failed + " failed, of " + seen + " answers; "
            + asked.exceptions().needed() + " errors are explained");
        return failed == 0 && passed > 0 && unneeded.isEmpty();
    }
}
