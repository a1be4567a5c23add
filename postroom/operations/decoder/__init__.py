"""What an error of Microsoft's means, who acts, where to click, and whether trying again helps (product.md AD7)."""

from postroom.operations.decoder.reading import Answer, Explained, explain
from postroom.operations.decoder.remedies import Remedy, Retry, Who

__all__ = ["Answer", "Explained", "Remedy", "Retry", "Who", "explain"]
