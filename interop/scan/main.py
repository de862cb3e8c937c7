"""Drives a property-based tester of APIs (schemathesis) against a server of this tree, on loopback.

What the API is, is derived for the run from what the server says of itself (`metadata`): types, interactions, search
parameters, and the statuses that docs/integrators lists. A provider of identity runs beside it, so that the tester can
also leave tokens out and send wrong ones. Ends with the status of the tester.
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

KEY = ec.generate_private_key(ec.SECP256R1())
STATUSES = [400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 422, 429, 503]
# A pattern that every id of FHIR keeps, and texts that may stand in an address.
ID = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}


class Provider(http.server.BaseHTTPRequestHandler):
    """Publishes one key."""

    def do_GET(self):
        issuer = f"http://127.0.0.1:{self.server.server_port}"
        if self.path.endswith("openid-configuration"):
            said = {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
        else:
            key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
            said = {"keys": [{**key, "alg": "ES256", "use": "sig", "kid": "scan"}]}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def token(issuer: str) -> str:
    now = int(time.time())
    claims = {"iss": issuer, "aud": "liaison", "sub": "scan", "iat": now, "exp": now + 7200, "roles": ["operator"],
              "rpps": "10000000001", "profession": "60"}
    return jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "scan"})


def resource_body() -> dict:
    schema = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
    return {"required": True, "content": {"application/fhir+json": {"schema": schema}}}


def answers(*good: int) -> dict:
    outcome = {"type": "object", "required": ["resourceType", "issue"],
               "properties": {"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "minItems": 1}}}
    any_resource = {"type": "object", "required": ["resourceType"]}
    said = {str(status): {"description": "done", "content": {"application/fhir+json": {"schema": any_resource}}}
            for status in good if status != 204}
    if 204 in good:
        said["204"] = {"description": "done"}
    for status in STATUSES:
        said[str(status)] = {"description": "refused", "content": {"application/fhir+json": {"schema": outcome}}}
    return said


def described(statement: dict) -> dict:
    """The API that a statement speaks of, as OpenAPI."""
    paths: dict = {}
    text = {"type": "string", "maxLength": 40}
    id_in_path = {"name": "id", "in": "path", "required": True, "schema": ID}
    for resource in statement["rest"][0]["resource"]:
        kind = resource["type"]
        offered = {interaction["code"] for interaction in resource.get("interaction", [])}
        of_type, of_one = {}, {"parameters": [id_in_path]}
        if "search-type" in offered:
            names = [parameter["name"] for parameter in resource.get("searchParam", [])] + ["_count", "_sort", "_include"]
            of_type["get"] = {"parameters": [{"name": name, "in": "query", "schema": text} for name in names],
                              "responses": answers(200)}
        if "create" in offered:
            of_type["post"] = {"requestBody": resource_body(), "responses": answers(200, 201)}
        # With a condition in the address.
        query = [{"name": "identifier", "in": "query", "schema": text}, {"name": "_id", "in": "query", "schema": text}]
        if "update" in offered:
            of_type["put"] = {"parameters": query, "requestBody": resource_body(), "responses": answers(200, 201)}
        if "patch" in offered:
            patch = {"content": {"application/json-patch+json": {"schema": {"type": "array", "items": {"type": "object"}}}}}
            of_type["patch"] = {"parameters": query, "requestBody": patch, "responses": answers(200)}
            of_one["patch"] = {"requestBody": patch, "responses": answers(200)}
        if "delete" in offered:
            of_type["delete"] = {"parameters": query, "responses": answers(200, 204)}
        if "read" in offered:
            of_one["get"] = {"responses": answers(200, 304)}
        if "update" in offered:
            of_one["put"] = {"requestBody": resource_body(), "responses": answers(200, 201)}
        if "delete" in offered:
            of_one["delete"] = {"responses": answers(200, 204)}
        if of_type:
            paths[f"/{kind}"] = of_type
        if len(of_one) > 1:
            paths[f"/{kind}/{{id}}"] = of_one
        if "history-instance" in offered:
            paths[f"/{kind}/{{id}}/_history"] = {"parameters": [id_in_path], "get": {"responses": answers(200)}}
        paths[f"/{kind}/$validate"] = {"get": {"responses": answers(200)}, "post": {"requestBody": resource_body(), "responses": answers(200)}}
    paths["/"] = {"post": {"requestBody": resource_body(), "responses": answers(200)},
                  "get": {"parameters": [{"name": "_type", "in": "query", "schema": text}], "responses": answers(200)}}
    paths["/metadata"] = {"get": {"security": [], "responses": answers(200)}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "derived from metadata", "version": statement["fhirVersion"]},
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


def main() -> int:
    binary, seconds = os.path.abspath(sys.argv[1]), sys.argv[2]
    provider = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    issuer = f"http://127.0.0.1:{provider.server_port}"
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "LIAISON_OIDC_ISSUERS": issuer, "LIAISON_OIDC_AUDIENCE": "liaison", "LIAISON_OIDC_OPERATOR": "roles=operator",
            "LIAISON_PUBLIC_URL": "http://liaison.example", "LIAISON_RATE_PER_CALLER": "off",
            "LIAISON_RATE_PER_ADDRESS": "off", "LIAISON_RATE_WRONG_TOKENS": "off",
        }
        arguments = [binary, "serve", "--listen", "127.0.0.1:0", "--auth", "oidc", "--store", f"sqlite:{folder}/scan.db"]
        log = open(f"{folder}/log", "w", encoding="utf-8")
        server = subprocess.Popen(arguments, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            root = server.stdout.readline().removeprefix("listening on ").strip()
            for base in ("r4", "stu3"):
                with urllib.request.urlopen(f"{root}/fhir/{base}/metadata") as answer:
                    api = pathlib.Path(folder, f"{base}.json")
                    api.write_text(json.dumps(described(json.load(answer))), encoding="utf-8")
                checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance," \
                         "ignored_auth,unsupported_method,allow_header_conformance,use_after_free,ensure_resource_availability"
                tester = [str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", str(api), "--url", f"{root}/fhir/{base}",
                          "--header", f"Authorization: Bearer {token(issuer)}", "--checks", checks, "--max-time", seconds,
                          "--seed", "2017", "--request-timeout", "30", "--suppress-health-check", "all",
                          "--warnings", "off", "--workers", "1", "--generation-database", "none"]
                status |= subprocess.run(tester, cwd=folder, check=False).returncode
                if server.poll() is not None:
                    print(f"the server ended: {server.returncode}")
                    return 1
        finally:
            server.terminate()
            server.wait(30)
            log.close()
            said = pathlib.Path(folder, "log").read_text(encoding="utf-8")
            for line in said.splitlines():
                if "panicked" in line or "ERROR" in line:
                    print(line)
                    status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
