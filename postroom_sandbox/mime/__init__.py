"""RFC 5322 and MIME in both directions: any bytes in (`parse_message`), a message out (`build_message`)."""

from postroom_sandbox.mime.build import build_message
from postroom_sandbox.mime.headers import Address
from postroom_sandbox.mime.message import Attachment, Parsed, headers_of, parse_message

__all__ = ["Address", "Attachment", "Parsed", "build_message", "headers_of", "parse_message"]
