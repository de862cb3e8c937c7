package liaison.interop;

import ca.uhn.fhir.rest.api.EncodingEnum;
import java.nio.file.Path;
import java.util.List;

/** Runs HAPI's client against a server, in both releases, in JSON and XML. */
public final class Main {
    private Main() {}

    /**
     * Ends with 0 when every check passed.
     *
     * @param arguments the address of the server ({@code http://HOST:PORT}) and the directory of the shared templates
     */
    public static void main(String[] arguments) {
        if (arguments.length != 2) {
            System.err.println("usage: liaison.interop.Main http://HOST:PORT RESOURCES");
            System.exit(2);
        }
        String server = arguments[0].replaceAll("/+$", "");
        Checks checks = new Checks();
        for (Release release : Release.values()) {
            for (EncodingEnum encoding : List.of(EncodingEnum.JSON, EncodingEnum.XML)) {
                new Life(checks, server, release, encoding, Path.of(arguments[1])).live();
            }
        }
        System.exit(checks.sum("java"));
    }
}
