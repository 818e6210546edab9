"""Ten documents to try Footnote with, and questions about them."""

from pathlib import Path

FOLDER = Path(__file__).parent
