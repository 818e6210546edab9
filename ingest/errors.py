"""What can go wrong on the way in.

    IngestError
    ├── SourceNotFound       the path doesn't exist or can't be read
    ├── TooLarge             more bytes, pages or characters than the limits allow
    ├── UnreadableDocument
    │   ├── UnsupportedMedia     no parser reads this kind of file
    │   ├── EncryptedDocument    a password is needed
    │   ├── DamagedDocument      the bytes aren't what their kind requires
    │   └── EmptyDocument        read without error, but there is no text in it
    ├── FetchFailed          a URL gave no document, or isn't one to be fetched
    ├── ParserStopped        a parser ran out of its time, or its process died
    ├── ProcessesEnded       one after the other, over the same document
    └── Cancelled            somebody took the job back

A message says what was wrong with which file, and what to do.
"""


class IngestError(Exception):
    """Anything that ingestion raises on purpose."""


class SourceNotFound(IngestError):
    """The path doesn't exist or can't be read."""


class TooLarge(IngestError):
    """More bytes, pages or characters than the limits allow."""


class UnreadableDocument(IngestError):
    """The file can't be turned into text."""


class UnsupportedMedia(UnreadableDocument):
    """No parser reads this kind of file."""


class EncryptedDocument(UnreadableDocument):
    """A password is needed to read the file."""


class DamagedDocument(UnreadableDocument):
    """The bytes aren't what their kind requires."""


class EmptyDocument(UnreadableDocument):
    """The file was read without error, but there is no text in it."""


class FetchFailed(IngestError):
    """A URL gave no document, or isn't one that may be fetched."""


class ParserStopped(IngestError):
    """A parser ran out of its time, or its process died."""


class ProcessesEnded(IngestError):
    """Each process that worked on a document ended before it was done, or was away for too long."""


class Cancelled(IngestError):
    """The job was taken back before it finished."""
