"""Sealed values: what a browser carries for us between two pages, in a cookie or a hidden field.

A sealed value is encrypted, so it shows nothing; it opens for one purpose, for what it was bound to (an address,
a person, a site), and for some minutes.
"""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from psi import vault

Bound = str | int
Response = TypeVar("Response", bound=HttpResponse)


@dataclass(frozen=True)
class Carrier:
    """One purpose for which values travel.

    Attributes:
        purpose: separates the keys: a value of one purpose never opens for another.
        seconds: how long a value opens after it was sealed.
    """

    purpose: str
    seconds: int = 600

    def seal(self, value: Any, *bound: Bound) -> str:
        """Return the value encrypted, as text for a cookie or a hidden field.

        Args:
            value: what JSON can hold.
            bound: what it belongs to; `open` needs the same.
        """
        return self._fernet(bound).encrypt(zlib.compress(json.dumps(value).encode(), level=9)).decode()

    def open(self, text: str, *bound: Bound) -> Any:
        """Return the value; None when it is too old, bound to something else, or not ours."""
        try:
            return json.loads(zlib.decompress(self._fernet(bound).decrypt(text.encode(), ttl=self.seconds)))
        except (InvalidToken, UnicodeEncodeError, binascii.Error):
            return None

    def _fernet(self, bound: tuple[Bound, ...]) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(vault.digest("sealed", self.purpose, *bound)))


@dataclass(frozen=True)
class CookieCarrier(Carrier):
    """A carrier whose values travel in a cookie.

    Attributes:
        name: of the cookie.
        samesite: of the cookie; `Lax` where the value must come along when somebody follows a link.
        longest: characters of a sealed value; browsers drop a cookie beyond 4 KB.
    """

    name: str = ""
    samesite: Literal["Lax", "Strict"] = "Strict"
    longest: int = 3900

    def put(self, response: Response, sealed: str, *, path: str = "/") -> Response:
        """Set the cookie to a sealed value, for requests below `path` alone."""
        response.set_cookie(
            self.name,
            sealed,
            max_age=self.seconds,
            path=path,
            httponly=True,
            secure=not settings.PSI_LOCAL,
            samesite=self.samesite,
        )
        return response

    def read(self, request: HttpRequest, *bound: Bound) -> Any:
        """Return the value in the request's cookie; None when there is none that opens."""
        return self.open(request.COOKIES.get(self.name, ""), *bound)

    def clear(self, request: HttpRequest, response: Response, *, path: str = "/") -> Response:
        """Delete the cookie, where the browser has it and the response does not set it anew."""
        if self.name in request.COOKIES and self.name not in response.cookies:
            response.delete_cookie(self.name, path=path, samesite=self.samesite)
            response.cookies[self.name]["secure"] = not settings.PSI_LOCAL
        return response
