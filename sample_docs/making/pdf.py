"""Sets a source as a PDF with page labels, an outline, contents and footers."""

import io
from collections.abc import Mapping
from typing import Any

from reportlab.lib import pagesizes
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from sample_docs.making.blocks import Source
from sample_docs.making.flow import Composer
from sample_docs.making.pages import Folios
from sample_docs.making.typography import Typography

MARGINS = {"A4": 25 * mm, "A5": 17 * mm}


def set_pdf(source: Source, typography: Typography, hyphenation: Mapping[str, str]) -> bytes:
    """A PDF file; the same bytes for the same source and font, whenever and wherever it is made."""
    printed = io.BytesIO()
    margin = MARGINS[source.fields["paper"]]
    template = BaseDocTemplate(
        printed,
        pagesize=getattr(pagesizes, source.fields["paper"]),
        leftMargin=margin,
        rightMargin=margin,
        title=source.fields["title"],
        author=source.fields["author"],
        subject=source.fields["subject"],
        creator="sample_docs/make.py",
        lang=source.fields["language"],
        invariant=1,
        pageCompression=0,  # other zlibs deflate to other bytes
    )
    folios = Folios(source.fields["footer"], typography)
    _add_pages(template, folios)
    composer = Composer(typography, hyphenation, template.width, folios)
    template.multiBuild([part for block in source.blocks for part in composer.compose(block)])
    return printed.getvalue()


def _add_pages(template: Any, folios: Folios) -> None:
    def page(name: str, end: Any, following: str) -> Any:
        frame = Frame(
            template.leftMargin,
            template.bottomMargin,
            template.width,
            template.height,
            leftPadding=0,
            rightPadding=0,
        )
        return PageTemplate(name, frame, onPageEnd=end, autoNextPageTemplate=following)

    def after_flowable(flowable: Any) -> None:
        level = getattr(flowable, "outline_level", None)
        if level is not None:
            folios.note(template, level, flowable.getPlainText())

    template.addPageTemplates(
        [
            page("front", folios.front_page, "front"),
            page("first", folios.first_page, "body"),
            page("body", folios.body_page, "body"),
        ]
    )
    template.afterFlowable = after_flowable
