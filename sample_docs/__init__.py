"""Ten documents to try Footnote with, and questions about them."""
