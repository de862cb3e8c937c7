"""One server over one connection."""

import http.client
import urllib.parse

MEDIA_TYPES = {"json": "application/fhir+json", "xml": "application/fhir+xml"}


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
        self.connection.request(method, f"/fhir/{path}", body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise Refused(f"{method} /fhir/{path}", answer.status, text)
        return text, answer.headers.get("ETag", "")
