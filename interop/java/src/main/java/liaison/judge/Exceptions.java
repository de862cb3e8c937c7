package liaison.judge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.hl7.fhir.utilities.validation.ValidationMessage;

/** Errors that are known and explained, one by one; one that no longer occurs is itself an error. */
final class Exceptions {
    private static final int COLUMNS = 6;

    private final List<Explained> all = new ArrayList<>();
    private final Set<Explained> met = new LinkedHashSet<>();

    /**
     * An error that is explained.
     *
     * @param number its number
     * @param always whether it is met in the short form too
     * @param release the release, as files end
     * @param subject {@code Type/id}; {@code Type/*} for any
     * @param message how the validator calls the error; {@code -} when it has no name for it
     * @param text a part of what it says
     */
    record Explained(String number, boolean always, String release, String subject, String message, String text) {
        boolean covers(Release of, String found, ValidationMessage finding) {
            boolean same = subject.endsWith("/*") ? (found + "/").startsWith(subject.substring(0, subject.length() - 1)) : found.equals(subject);
            return of.ending.equals("." + release) && same && message.equals(Objects.requireNonNullElse(finding.getMessageId(), "-")) && finding.getMessage().contains(text);
        }
    }

    /** Reads the list: a number, {@code always} or {@code whole}, release, subject, message, text, and why, between tabs. */
    static Exceptions read(Path file) throws IOException {
        Exceptions exceptions = new Exceptions();
        for (String line : Files.readAllLines(file)) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] columns = line.split("\t");
            if (columns.length != COLUMNS + 1) {
                throw new IOException(file + ": " + columns.length + " columns in: " + line);
            }
            exceptions.all.add(new Explained(columns[0], columns[1].equals("always"), columns[2], columns[3], columns[4], columns[5]));
        }
        return exceptions;
    }

    /** Whether an error is explained. */
    boolean explain(Release release, String subject, ValidationMessage finding) {
        List<Explained> covering = all.stream().filter(each -> each.covers(release, subject, finding)).toList();
        met.addAll(covering);
        return !covering.isEmpty();
    }

    /** The numbers of those that explained nothing and should have. */
    List<String> unneeded(boolean whole) {
        return all.stream().filter(each -> (whole || each.always()) && !met.contains(each)).map(Explained::number).toList();
    }

    /** How many explained something. */
    int needed() {
        return met.size();
    }
}
