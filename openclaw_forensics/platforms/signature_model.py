"""What `signature.toml` may say: how a platform signs, as data, with the public vectors that prove it.

`parts` are joined by `join` into the string to sign. A part is one of

    key   app (that of the key, else the request's)   timestamp
    method   url   host   path   query (as sent)   query_sorted (its pairs as sent, sorted)
    target (path, and `?query` where there is one)   base_url (scheme, host and path, in the form of RFC 5849, 3.4.1.2)
    body   body_digest:md5|sha1|sha256|sha512[:hex|HEX|base64]
    params (the parameters that `params` describes)
    signature_base (RFC 9421, 2.5, of the components that Signature-Input lists)
    lit:TEXT, or any place

and may be written as

    PART?             nothing where it is absent
    percent:PART      percent-encoded (RFC 3986)
    formencoded:PART  as in application/x-www-form-urlencoded, a blank as `+`
    PART ~ REGEX      the first group of REGEX in it
    if:PART:OTHER     OTHER where PART is there and not empty, else nothing; PART has no colon of its own
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from openclaw_forensics.platforms.facts import PLACE, Model, Place, Places, RawMessage, Sourced, Test

# Parts without an argument, all of which `strings` can build.
SIMPLE_PARTS = frozenset({
    "key", "app", "timestamp", "method", "url", "host", "path", "query", "query_sorted", "target", "base_url", "body",
    "params", "signature_base",
})  # fmt: skip
_DIGEST = re.compile(r"body_digest:(md5|sha1|sha256|sha512)(:(hex|HEX|base64))?")
KEY_PAIRS = frozenset({"rsa-sha256", "rsa-pss-sha256", "ecdsa-sha1", "ecdsa-sha256", "ed25519"})


def _known(part: str) -> str:
    """The part, if it is one. Raises ValueError, which names what is wrong."""
    rest = part
    if rest.startswith("if:"):
        _, condition, *others = rest.split(":", 2)
        if condition not in SIMPLE_PARTS or not others:
            raise ValueError(f"{part!r} has no known condition; write if:PART:OTHER")
        rest = others[0]
    if rest.startswith("lit:"):
        return part
    name = rest.partition(" ~ ")[0].removesuffix("?")
    name = re.sub("^(percent|formencoded):", "", name)
    if name in SIMPLE_PARTS or _DIGEST.fullmatch(name) or re.search(PLACE, name):
        return part
    raise ValueError(f"{part!r} is no part of a string to sign; platforms/signature_model.py lists them")


Part = Annotated[str, AfterValidator(_known)]


class SchemeParams(Model):
    """Parameters in a string to sign. Names of headers are lower-case; a repeated header is one parameter each time."""

    origins: tuple[Literal["query", "form", "json", "header", "oauth", "multipart"], ...] = ("query",)
    only: str | None = None  # regex that a name must match
    exclude: tuple[str, ...] = ()
    sort: Literal["ascii", "encoded", "none"] = "ascii"  # encoded: after percent-encoding (RFC 5849, 3.4.1.3.2)
    pair: str = "{name}{value}"  # {name_length:02} and {value_length:04} are lengths in characters with leading zeros
    join: str = ""
    percent_encode: bool = False
    skip_empty: bool = False
    repeat_join: str | None = None  # values of a repeated parameter become one, joined by this
    null: str | None = None  # how a JSON null is written; unset: left out
    body_name: str | None = None  # the raw body takes part as a parameter of this name
    files: Literal["omit", "md5"] = "omit"  # file parts of a multipart form: file name and hex MD5


class Opened(Model):
    """A parameter that is signed decrypted: Base64 of AES-128-CBC (PKCS #7), key and IV the key's first 16 bytes."""

    place: Place
    name: str


class Scheme(Sourced):
    """A signature scheme as data; see the module's text for `parts`.

    `key` is what the user's file must hold: a shared secret, for the algorithms in `KEY_PAIRS` the public key (PEM or
    Base64 of its DER form; a private key contains it), or `none` where no secret takes part. `key_suffix_re` takes from
    the sent signature (first group) what is appended to the key, `prefix_re` (first group) what stands before the
    computed value in the sent one.
    """

    id: str
    use: Literal["call", "callback"] = "call"
    operations: tuple[str, ...] = ()  # globs; empty: all
    when: tuple[Test, ...] = ()  # all must hold for the scheme to apply
    variant_of: str | None = None  # another form that the platform accepts in place of this scheme
    algorithm: Literal[
        "hmac-sha256", "hmac-sha512", "hmac-sha1", "hmac-md5", "sha256", "sha1", "md5", "aws4-hmac-sha256",
        "rsa-sha256", "rsa-pss-sha256", "ecdsa-sha1", "ecdsa-sha256", "ed25519",
    ]  # fmt: skip
    encoding: Literal["hex", "HEX", "base64", "base64-of-hex"] = "hex"
    key: Literal["signing_key", "webhook_key", "client_secret", "none"] = "signing_key"
    key_encoding: Literal["text", "hex", "base64"] = "text"
    key_strip: str | None = None  # prefix taken off the key as written
    key_suffix: str = ""  # appended to the key
    key_suffix_re: str | None = None
    parts: tuple[Part, ...] = ()
    join: str = ""
    sort_parts: bool = False  # parts sorted as text before they are joined
    params: SchemeParams = SchemeParams()
    opened: Opened | None = None  # one more parameter
    path_strip: str | None = None  # prefix taken off the path
    sealed_with: Part | None = None  # part that is the key of AES-ECB (PKCS #7, Base64) over the written digest
    placed: Places = ()  # where the signature sits; default: places.signature
    placed_re: str | None = None  # takes signatures out of the placed value (first group), any of which may fit
    placed_pointer: str | None = None  # the placed value is Base64 of JSON that holds the signature here
    prefix_re: str | None = None
    tests: tuple[SchemeVector, ...] = ()

    @property
    def is_key_pair(self) -> bool:
        """Whether checking needs the public key, and nobody but the signer can compute the signature."""
        return self.algorithm in KEY_PAIRS


class SchemeVector(Sourced):
    """A public test vector: a signature, or at least the string to sign. `secret` is the public key for key pairs."""

    secret: str = ""
    app: str | None = None  # id of the app that the secret belongs to
    request: RawMessage
    response: RawMessage = RawMessage()
    string_to_sign: str | None = None
    signature: str | None = None
    official: bool = True
