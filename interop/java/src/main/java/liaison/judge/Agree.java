package liaison.judge;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.utilities.validation.ValidationMessage.IssueSeverity;
import org.hl7.fhir.validation.instance.InstanceValidator;

/**
 * What the HL7 validator says of a corpus: every file of a directory named {@code *.r4.json}, {@code *.r4.xml},
 * {@code *.stu3.json} or {@code *.stu3.xml} is judged, and its errors are written to {@code theirs.tsv} there, a line each:
 * file, place, key of the message, words. A file without errors has one line with {@code -}.
 */
public final class Agree {
    private static final int EXCERPT = 400;

    private Agree() {}

    /**
     * Judges the corpus.
     *
     * @param arguments the directory
     * @throws IOException when a file cannot be read, or the verdicts cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            System.err.println("usage: liaison.judge.Agree DIRECTORY");
            System.exit(2);
        }
        Path directory = Path.of(arguments[0]);
        try (BufferedWriter theirs = Files.newBufferedWriter(directory.resolve("theirs.tsv"))) {
            for (Release release : Release.values()) {
                Definitions definitions = Definitions.published(release);
                InstanceValidator validator = Judge.validator(release, definitions);
                for (Path file : files(directory, release)) {
                    for (String line : verdict(validator, file)) {
                        theirs.write(line);
                        theirs.newLine();
                    }
                    theirs.flush();
                }
            }
        }
    }

    private static List<Path> files(Path directory, Release release) throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.filter(file -> file.toString().endsWith(release.ending + ".json") || file.toString().endsWith(release.ending + ".xml")).sorted().toList();
        }
    }

    private static List<String> verdict(InstanceValidator validator, Path file) throws IOException {
        List<ValidationMessage> findings = new ArrayList<>();
        FhirFormat format = file.toString().endsWith(".xml") ? FhirFormat.XML : FhirFormat.JSON;
        try (InputStream stream = Files.newInputStream(file)) {
            validator.validate(null, findings, stream, format);
        } catch (RuntimeException | Error thrown) {
            // It throws errors too when it cannot make the snapshot of a profile.
            findings.add(new ValidationMessage(ValidationMessage.Source.InstanceValidator, ValidationMessage.IssueType.EXCEPTION,
                "-", "the validator broke down: " + thrown, IssueSeverity.FATAL));
        }
        List<String> lines = new ArrayList<>();
        for (ValidationMessage finding : findings) {
            if (finding.getLevel().isError()) {
                lines.add(line(file, finding));
            }
        }
        if (lines.isEmpty()) {
            lines.add(file.getFileName() + "\t-\t-\t-");
        }
        return lines;
    }

    private static String line(Path file, ValidationMessage finding) {
        String message = finding.getMessage().replaceAll("\\s+", " ");
        return String.join("\t", file.getFileName().toString(), String.valueOf(finding.getLocation()),
            String.valueOf(finding.getMessageId()), message.substring(0, Math.min(message.length(), EXCERPT)));
    }
}
