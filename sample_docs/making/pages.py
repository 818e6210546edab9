"""What every page carries: its footer, its label, and the entries that lead to its headings."""

from dataclasses import dataclass, field
from typing import Any

from reportlab.lib.units import mm

from sample_docs.making.typography import Typography

ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii")


@dataclass(slots=True)
class Folios:
    """Numbers pages i, ii, ... and then 1, 2, ... from where the body begins."""

    footer: str
    typography: Typography
    front: int = field(default=0, init=False)
    marks: int = field(default=0, init=False)

    def body_label(self, page: int) -> str:
        """The number that the body prints on a page."""
        return str(page - self.front)

    def front_page(self, canvas: Any, template: Any) -> None:
        """Called by ReportLab on every page before the body; the first, a cover, has no footer."""
        if template.page == 1:
            self.marks = 0
            canvas.addPageLabel(0, "ROMAN_LOWER", 1)
        else:
            self._foot(canvas, template, ROMAN[template.page - 1])

    def first_page(self, canvas: Any, template: Any) -> None:
        """Called by ReportLab on the first page of the body."""
        self.front = template.page - 1
        canvas.addPageLabel(self.front, "ARABIC", 1)
        self.body_page(canvas, template)

    def body_page(self, canvas: Any, template: Any) -> None:
        """Called by ReportLab on every further page of the body."""
        self._foot(canvas, template, self.body_label(template.page))

    def _foot(self, canvas: Any, template: Any, label: str) -> None:
        style, right = self.typography.folio, template.pagesize[0] - template.rightMargin
        canvas.setFont(style.fontName, style.fontSize)
        canvas.drawString(template.leftMargin, 12 * mm, self.footer)
        canvas.drawRightString(right, 12 * mm, label)

    def note(self, template: Any, level: int, title: str) -> None:
        """Puts a heading that was just set into the outline, and one of the body into contents."""
        key = f"heading-{self.marks}"
        self.marks += 1
        template.canv.bookmarkPage(key)
        template.canv.addOutlineEntry(title, key, level, closed=level > 0)
        if template.pageTemplate.id != "front":
            template.notify("TOCEntry", (level, title, template.page, key))
