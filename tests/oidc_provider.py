"""A small sign-in service: OpenID Connect over real HTTP on loopback, with real RS256 keys, that does as told.

with SignInService() as service: …    # service.issuer; service.person = {"sub": …}; service.changes = {"nonce": "x"}
"""

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.http_server import LocalServer

CLIENT_ID, CLIENT_SECRET = "newsletter", "a secret between the two"


class SignInService(LocalServer):
    """Signs `person` in without asking. `changes` go into the next tokens, `algorithm` "none" leaves them unsigned."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {
            "sub": "7f3a9c", "email": "ruth@example.org", "email_verified": True, "name": "Ruth Adeyemi",
        }  # fmt: skip
        self.changes: dict[str, Any] = {}
        self.about: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self.new_key()
        self._signs_with = self._key
        super().__init__(self._handler())
        self.issuer = f"http://127.0.0.1:{self.port}"

    def new_key(self, *, published: bool = True) -> None:
        """Sign with another key from now on; one that is not `published` is a thief's."""
        self._signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = secrets.token_hex(4) if published else self.key_id
        if published:
            self._key = self._signs_with

    def authorize(self, query: dict[str, str]) -> str:
        """Where the person is sent back to (RFC 6749 §4.1.2)."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """An ID token for a code that was not used (RFC 6749 §4.1.3, RFC 7636 §4.6)."""
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or form.get("client_secret") != CLIENT_SECRET or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if challenge.decode() != asked["code_challenge"] or asked["code_challenge_method"] != "S256":
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            **self.person, **self.changes,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        key: Any = self._signs_with
        if self.algorithm == "none":
            key = None
        elif self.algorithm == "HS256":
            # By a secret that anybody can know: what a program that trusts the header's algorithm falls for.
            key = self._key.public_key().public_numbers().n.to_bytes(256, "big")
        token = jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": self.key_id})
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def keys(self) -> dict[str, Any]:
        published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**published, "kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            **self.about,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                outer.asked.append(parts.path)
                if parts.path == "/authorize":
                    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                    self.send_response(302)
                    self.send_header("Location", outer.authorize(query))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self._json(200, outer.keys() if parts.path == "/keys" else outer._discovery())

            def do_POST(self) -> None:
                outer.asked.append(self.path)
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._json(*outer.token({name: values[0] for name, values in form.items()}))

            def _json(self, status: int, answer: dict[str, Any]) -> None:
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
