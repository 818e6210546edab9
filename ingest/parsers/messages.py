"""E-mail: EML by the standard library, MSG by python-oxmsg, with the attachments that are read."""

import email
import email.policy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from functools import cache
from io import BytesIO

import oxmsg

from ingest.errors import IngestError, TooLarge, UnreadableDocument, UnsupportedMedia
from ingest.parsers.blocks import Block, Section, assemble_sections
from ingest.parsers.characters import canonical, one_line
from ingest.parsers.detection import BY_EXTENSION, RawFile
from ingest.parsers.encoding import decode
from ingest.parsers.html import page_blocks
from ingest.parsers.markup import read_html
from ingest.types import Parsed, ParseLimits
from retrieval.types import Heading, Page

ParseFile = Callable[[bytes, str, str | None, ParseLimits], Parsed]

_FIELDS = ("From", "To", "Cc", "Date")
_BODY = ("text/plain", "text/html")


@dataclass(frozen=True, slots=True)
class _Attachment:
    name: str
    data: bytes
    media_type: str | None


@dataclass(frozen=True, slots=True)
class _Message:
    subject: str
    fields: Sequence[tuple[str, str]]
    body: Sequence[Block]
    attachments: Sequence[_Attachment]


def parse_eml(file: RawFile, limits: ParseLimits, parse: ParseFile) -> Parsed:
    """A message: who, when, what, then its attachments, as far as they can be read."""
    # Each look at a header would parse it again, and there are several at each part.
    policy = email.policy.default.clone(header_factory=cache(HeaderRegistry()))
    message = email.message_from_bytes(file.data, policy=policy)
    if not isinstance(message, EmailMessage):
        raise TypeError(type(message))
    fields = [(name, one_line(str(message[name]))) for name in _FIELDS if message[name]]
    body, attachments = _contents(message, file.name)
    found = _Message(
        subject=one_line(str(message["Subject"] or "")),
        fields=fields,
        body=body,
        attachments=attachments,
    )
    return _read(found, file, limits, parse)


def parse_msg(file: RawFile, limits: ParseLimits, parse: ParseFile) -> Parsed:
    """A message of Outlook."""
    message = oxmsg.Message.load(BytesIO(file.data))
    fields = [
        ("From", message.sender or ""),
        ("To", ", ".join(str(one.name or one.email_address) for one in message.recipients)),
        ("Date", str(message.sent_date or "")),
    ]
    text = message.body or ""
    found = _Message(
        subject=one_line(message.subject or ""),
        fields=[(name, one_line(value)) for name, value in fields if value],
        body=[Block(text)] if text.strip() else _html(message.html_body or ""),
        attachments=[
            _Attachment(one.file_name or "attachment", one.file_bytes or b"", one.mime_type)
            for one in message.attachments
        ],
    )
    return _read(found, file, limits, parse)


def _read(message: _Message, file: RawFile, limits: ParseLimits, parse: ParseFile) -> Parsed:
    head = [Block(message.subject, level=1)] if message.subject else []
    head += [Block(f"{name}: {value}", tight=True) for name, value in message.fields]
    if not any(block.text.strip() for block in (*head, *message.body)):
        head = [Block("(no text)")]
    text, headings, pages = assemble_sections([Section("message", [*head, *message.body])])
    whole = _Whole(text, headings, pages)
    for attachment in message.attachments:
        try:
            if limits.nesting < 1:
                raise TooLarge(f"{attachment.name} is nested too deeply")
            inner = replace(limits, nesting=limits.nesting - 1)
            parsed = parse(attachment.data, attachment.name, attachment.media_type, inner)
        except IngestError as error:
            reason = "of a kind that isn't read" if isinstance(error, UnsupportedMedia) else error
            warning = f"The attachment {attachment.name} was left out: {reason}"
            whole.warnings.append(warning)
        else:
            whole.add(attachment.name, parsed)
    return Parsed(
        "".join(whole.parts),
        file.kind.value,
        message.subject or None,
        tuple(whole.pages),
        tuple(whole.headings),
        warnings=tuple(whole.warnings),
    )


class _Whole:
    """A message, to which attachments are added."""

    def __init__(self, text: str, headings: Iterable[Heading], pages: Iterable[Page]) -> None:
        self.parts = [text]
        self.headings = [*headings]
        self.pages = [*pages]
        self.warnings: list[str] = []
        self._length = len(text)

    def add(self, name: str, parsed: Parsed) -> None:
        """The text of an attachment behind what is there, under its name."""
        start = self._length + len("\n\n")
        at = start + len(name) + len("\n\n")
        self.parts.append(f"\n\n{name}\n\n{parsed.text}")
        self._length += len(self.parts[-1])
        self.headings.append(Heading(start, start + len(name), 1))
        self.headings += (Heading(h.start + at, h.end + at, h.level + 1) for h in parsed.headings)
        self.pages[-1] = replace(self.pages[-1], end=start)
        self.pages.append(Page(len(self.pages) + 1, start, self._length, f"attachment {name}"))
        self.warnings += parsed.warnings


def _text(part: EmailMessage, name: str) -> list[Block]:
    """The text of a part of the body, decoded as it declares, or as it looks."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    text = decode(data, name, part.get_content_charset())
    return _html(text) if part.get_content_type() == "text/html" else [Block(text)]


def _html(text: str) -> list[Block]:
    root = read_html(canonical(text)) if text.strip() else None
    return [] if root is None else page_blocks(root)


def _contents(message: EmailMessage, name: str) -> tuple[list[Block], list[_Attachment]]:
    """The body, of every text without a name or else of the first, and the attachments."""
    body: list[Block] = []
    attachments: list[_Attachment] = []
    for part in _parts(message):
        first_or_unnamed = not body or not part.get_filename()
        if part.get_content_type() in _BODY and first_or_unnamed and not part.is_attachment():
            try:
                body += _text(part, name)
            except UnreadableDocument:
                if not body:
                    raise
                attachments.append(_attachment(part))  # which can't be read either: it says so
        elif not _is_decoration(part):
            attachments.append(_attachment(part))
    return body, attachments


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    """What a message is made of, in order, with the text of alternatives once."""
    if message.get_content_maintype() != "multipart":
        yield message
        return
    parts = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    best = _best(parts) if message.get_content_subtype() == "alternative" else None
    for part in parts:
        for leaf in _parts(part):
            if best in (None, part) or not _says_the_same(leaf, leaf is part):
                yield leaf


def _best(alternatives: Sequence[EmailMessage]) -> EmailMessage | None:
    """The alternative to read: plain text before HTML."""
    for kind in ("plain", "html"):
        for part in alternatives:
            if part.get_body((kind,)) is not None:
                return part
    return None


def _says_the_same(part: EmailMessage, is_alternative: bool) -> bool:
    """Whether a part only repeats what the alternative that is read says."""
    is_text = part.get_content_maintype() == "text" and not part.get_filename()
    return not part.is_attachment() and (is_alternative or is_text)


def _is_decoration(part: EmailMessage) -> bool:
    """Whether it is a picture that stands in the text, such as a logo."""
    is_picture = part.get_content_maintype() == "image" and part["Content-ID"]
    return bool(is_picture) and not part.get_filename()


def _attachment(part: EmailMessage) -> _Attachment:
    kind = part.get_content_type()
    made_up = "message.eml" if kind == "message/rfc822" else f"attachment{_extension(kind)}"
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        data = payload
    else:  # another message, or a report of its delivery
        data = b"\n".join(inner.as_bytes() for inner in part.iter_parts())
    return _Attachment(one_line(part.get_filename() or "") or made_up, data, kind)


def _extension(media_type: str) -> str:
    """The one of a kind that is read, or what names a kind that isn't."""
    read = (suffix for suffix, kind in BY_EXTENSION.items() if kind.value == media_type)
    return next(read, f".{media_type.rpartition('/')[2]}")
