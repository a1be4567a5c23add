"""What a sample does that gets through: it writes a number to the console, or asks a host that must hear nothing."""

from base64 import b64encode

SIGN = "8128128"
RUN = f"console.log({SIGN})"  # neither quotes nor spaces nor slashes: it fits into every context
HOST = "canary.example"
AWAY = f"http://{HOST}"
JS = f"javascript:{RUN}"


def in_base64(content: str, content_type: str = "text/html") -> str:
    """A ``data:`` address of a document."""
    return f"data:{content_type};base64,{b64encode(content.encode()).decode()}"


def decimal(text: str, end: str = ";") -> str:
    return "".join(f"&#{ord(c)}{end}" for c in text)


def hexadecimal(text: str, zeros: int = 0, end: str = ";") -> str:
    return "".join(f"&#x{'0' * zeros}{ord(c):x}{end}" for c in text)


def css_escaped(text: str, digits: int = 2) -> str:
    return "".join(f"\\{ord(c):0{digits}x} " for c in text)
