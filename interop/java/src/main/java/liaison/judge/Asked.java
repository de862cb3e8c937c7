package liaison.judge;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is asked of the judge.
 *
 * @param whole whether every answer is judged, or only those with something that others have not
 * @param warnings whether warnings are shown too
 * @param definitions a directory with profiles, extensions, value sets and code systems as files of their own, known while the
 *     answers are judged; or null
 * @param exceptions the errors that are explained
 * @param directories where the answers are
 */
record Asked(boolean whole, boolean warnings, String definitions, Exceptions exceptions, List<String> directories) {
    /** How it is asked. */
    static final String USAGE = "usage: liaison.judge.Judge [--short] [--warnings] [--definitions DIRECTORY] [--exceptions FILE] DIRECTORY…";

    /** Reads the arguments; null when they are wrong. */
    static Asked of(String... arguments) throws IOException {
        List<String> rest = new ArrayList<>(List.of(arguments));
        boolean isShort = rest.remove("--short");
        boolean warnings = rest.remove("--warnings");
        String definitions = option("--definitions", rest);
        String exceptions = option("--exceptions", rest);
        if (rest.isEmpty() || rest.stream().anyMatch(argument -> argument.startsWith("--"))) {
            return null;
        }
        Exceptions explained = exceptions == null ? new Exceptions() : Exceptions.read(Path.of(exceptions));
        return new Asked(!isShort, warnings, definitions, explained, rest);
    }

    private static String option(String name, List<String> arguments) {
        int option = arguments.indexOf(name);
        if (option < 0 || option + 1 >= arguments.size()) {
            return null;
        }
        String value = arguments.remove(option + 1);
        arguments.remove(option);
        return value;
    }
}
