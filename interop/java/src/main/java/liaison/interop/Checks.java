package liaison.interop;

import java.util.Objects;

/** Counts what passed and what failed, and says so while it goes. */
final class Checks {
    private static final int MESSAGE = 1_500;

    private int passed;
    private int failed;

    /** The body of a check; it fails when it throws. */
    @FunctionalInterface
    interface Body {
        void run() throws Exception;
    }

    /** Runs one check; a failed one does not stop the next. */
    void check(String what, Body body) {
        try {
            body.run();
            passed++;
            System.out.println("ok      " + what);
        } catch (Exception | AssertionError thrown) {
            failed++;
            String message = String.valueOf(thrown.getMessage()).replaceAll("\\s+", " ");
            String cut = message.substring(0, Math.min(message.length(), MESSAGE));
            System.out.println("FAILED  " + what + ": " + thrown.getClass().getSimpleName() + ": " + cut);
        }
    }

    /** Fails unless the two are equal. */
    static void equal(Object found, Object expected, String what) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError(what + ": " + found + " instead of " + expected);
        }
    }

    /** Fails unless the condition holds. */
    static void holds(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    /** Fails unless the body throws this exception; gives it back. */
    static <T extends Exception> T refused(Class<T> expected, Body body) throws Exception {
        try {
            body.run();
        } catch (Exception thrown) {
            if (expected.isInstance(thrown)) {
                return expected.cast(thrown);
            }
            throw thrown;
        }
        throw new AssertionError("nothing was refused: " + expected.getSimpleName() + " was expected");
    }

    /** Prints the sums; gives the exit status. */
    int sum(String client) {
        System.out.println(client + ": " + passed + " passed, " + failed + " failed");
        return failed == 0 ? 0 : 1;
    }
}
