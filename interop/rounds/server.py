"""One server over one connection."""

import http.client
import urllib.parse

MEDIA_TYPES = {"json": "application/fhir+json", "xml": "application/fhir+xml"}

TOO_LARGE = 413


class Refused(Exception):
    """An answer that was not the one wanted."""

    def __init__(self, request, status, body):
        super().__init__(f"{request}: {status}: {body.decode(errors='replace')[:600]}")
        self.status = status
        self.body = body


class Server:
    """Requests under `/fhir`, one after the other."""

    def __init__(self, address):
        self.host = urllib.parse.urlsplit(address).netloc
        self.connection = http.client.HTTPConnection(self.host, timeout=60)
        self.requests = 0

    def get(self, path, form="json"):
        """What is at this path, as bytes."""
        return self.send("GET", path, None, {"Accept": MEDIA_TYPES[form]})[0]

    def put(self, path, body, form="json"):
        """Writes these bytes there; the version they became."""
        headers = {"Content-Type": MEDIA_TYPES[form], "Prefer": "return=minimal", "Accept-Language": "en"}
        return self.send("PUT", path, body, headers)[1].removeprefix('W/"').removesuffix('"')

    def send(self, method, path, body, headers):
        """The body and the ETag of an answer of success."""
        self.requests += 1
        try:
            self.connection.request(method, f"/fhir/{path}", body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # A body that is too large is answered before it is read.
        try:
            answer = self.connection.getresponse()
            text = answer.read()
        except ConnectionError:
            self.connection.close()
            raise Refused(f"{method} /fhir/{path}", TOO_LARGE, b"the connection was closed on a large body") from None
        if answer.status not in (200, 201):
            raise Refused(f"{method} /fhir/{path}", answer.status, text)
        return text, answer.headers.get("ETag", "")
