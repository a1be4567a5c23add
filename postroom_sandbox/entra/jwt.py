"""RS256 tokens, signed and checked with one key pair per world."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def b64url(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    """The bytes of an unpadded base64url text. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SigningKey:
    """An RSA key: signs, verifies, and shows its public half as a JWK."""

    def __init__(self, pem: bytes) -> None:
        key = serialization.load_pem_private_key(pem, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._public = key.public_key()
        numbers = self._public.public_numbers()
        self._n = b64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"))
        self._e = b64url(numbers.e.to_bytes(3, "big"))
        self.kid = b64url(hashlib.sha256(self._n.encode()).digest()[:20])

    @staticmethod
    def new_pem() -> bytes:
        """A fresh 2048-bit private key."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def jwk(self) -> dict[str, str]:
        """The public key as the JWKS lists it."""
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": self._n, "e": self._e}

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact signed token."""
        head = b64url(json.dumps({"typ": "JWT", "alg": "RS256", "kid": self.kid}).encode())
        body = b64url(json.dumps(claims, separators=(",", ":")).encode())
        signed = f"{head}.{body}".encode()
        return f"{head}.{body}.{b64url(self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))}"

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token signed with this key. Raises ValueError for any other text."""
        parts = token.split(".")
        if len(parts) != 3:
            raise ValueError("not a compact token")
        try:
            signature = unb64url(parts[2])
            self._public.verify(signature, f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(), hashes.SHA256())
            claims = json.loads(unb64url(parts[1]))
        except (InvalidSignature, ValueError) as error:
            raise ValueError("not signed by this key") from error
        if not isinstance(claims, dict):
            raise ValueError("no claims")
        return claims
