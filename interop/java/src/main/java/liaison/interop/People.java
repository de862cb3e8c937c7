package liaison.interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;

/** Fictional people and notes, new in every run, from the templates that all clients share. */
final class People {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Path templates;

    People(Path templates) {
        this.templates = templates;
    }

    /** A well-formed number (INS-NIR) of a birthplace that does not exist. */
    static String personNumber() {
        String body = "%d%02d%02d99%03d%03d".formatted(1 + RANDOM.nextInt(2), RANDOM.nextInt(100), 1 + RANDOM.nextInt(12),
            RANDOM.nextInt(99), 1 + RANDOM.nextInt(999));
        return body + "%02d".formatted(97 - Long.parseLong(body) % 97);
    }

    /** A well-formed RPPS number of a range that is not given out. */
    static String professionalNumber() {
        String body = "99%08d".formatted(RANDOM.nextInt(100_000_000));
        int sum = 0;
        for (int place = 0; place < body.length(); place++) {
            int value = (body.charAt(body.length() - 1 - place) - '0') * (place % 2 == 0 ? 2 : 1);
            sum += value / 10 + value % 10;
        }
        return body + (10 - sum % 10) % 10;
    }

    /** The number a note has in the software it comes from. */
    static String noteNumber() {
        return Long.toHexString(RANDOM.nextLong()) + Long.toHexString(RANDOM.nextLong());
    }

    /** A template with its places filled, as JSON. */
    String json(String name, Map<String, String> given) throws IOException {
        Map<String, String> values = new HashMap<>(Map.of("PERSON_NUMBER", personNumber(), "PROFESSIONAL_NUMBER", professionalNumber(),
            "NOTE_NUMBER", noteNumber(), "DATE", "2026-03-04T08:30:00+01:00"));
        values.putAll(given);
        String text = Files.readString(templates.resolve(name + ".json"));
        for (Map.Entry<String, String> value : values.entrySet()) {
            text = text.replace("@" + value.getKey() + "@", value.getValue());
        }
        return text;
    }
}
