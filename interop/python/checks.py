"""Counts what passed and what failed, and says so while it goes."""

from contextlib import contextmanager


class Checks:
    """The checks of one client; a failed one does not stop the next."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    @contextmanager
    def check(self, what):
        """Runs the body as one check: it fails when anything is raised in it."""
        try:
            yield
        except Exception as error:  # Whatever a client raises is the finding.
            self.failed += 1
            print(f"FAILED  {what}: {type(error).__name__}: {' '.join(str(error).split())[:1500]}")
        else:
            self.passed += 1
            print(f"ok      {what}")


def equal(found, expected, what):
    """Fails unless the two are equal."""
    if found != expected:
        raise AssertionError(f"{what}: {found!r} instead of {expected!r}")


def holds(condition, what):
    """Fails unless the condition holds."""
    if not condition:
        raise AssertionError(what)


def refused(status, call):
    """Fails unless the call is refused by an HTTP error of this status, with an OperationOutcome."""
    answer = call()
    equal(answer.status_code, status, f"status of {answer.request.method} {answer.url}")
    equal(answer.json().get("resourceType"), "OperationOutcome", "body of a refusal")
    holds(answer.json()["issue"][0].get("details", {}).get("text") or answer.json()["issue"][0].get("diagnostics"), "no text")
