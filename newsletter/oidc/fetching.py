"""JSON from the sign-in service: over https (or on this machine), from the address that was asked, of bounded size."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from email.message import Message
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from ..errors import ProviderError

_TIMEOUT_SECONDS = 10.0
_LONGEST_ANSWER = 256 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def fetch(url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at `url`, to which `form` is posted if there is one. Raises ProviderError."""
    parts = urlsplit(url)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise ProviderError("The sign-in service names an address that is not https.")
    data = urlencode(form).encode("ascii") if form is not None else None
    request = urllib.request.Request(url, data, {"Accept": "application/json"})  # noqa: S310 (https, see above)
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=ssl.create_default_context()), _NoRedirects
    )
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            answer = json.loads(response.read(_LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            raise ProviderError(
                f"The sign-in service {parts.netloc} refused what we asked (HTTP {error.code})."
            ) from None
    except (OSError, http.client.HTTPException):
        raise ProviderError(f"The sign-in service {parts.netloc} cannot be reached at the moment.") from None
    except (ValueError, RecursionError):
        raise ProviderError(f"The sign-in service {parts.netloc} gave an answer that cannot be read.") from None
    if not isinstance(answer, dict):
        raise ProviderError(f"The sign-in service {parts.netloc} gave an answer that cannot be read.")
    return answer


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The secret and the code go to the address that the service named and to no other."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None
