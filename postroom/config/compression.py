"""Text goes over the wire compressed; what is compressed already (pictures, archives, documents) is left alone.

Answers that repeat what somebody typed beside something secret can be measured by who listens (BREACH): tokens in our
pages are masked anew each time, other sites cannot make a browser ask with our session (SameSite=Lax), and Django pads
every answer by a random length.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TEXT = {
    "text/html",
    "text/css",
    "text/javascript",
    "text/plain",
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "image/svg+xml",
}


class Compression(GZipMiddleware):
    """The outermost, so that static files pass it, too."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.get("Content-Type", "").partition(";")[0]
        if response.status_code != 200 or kind not in TEXT or "Content-Disposition" in response:
            return response  # parts of files, and files that are saved, are sent as they are
        return super().process_response(request, response)
