"""A report as one page that asks for nothing else: no script, no font, no picture from anywhere.

Its template is a file because a page reads best as one; jinja2, which torch brings anyway, escapes
whatever it is given, so that a text of a set is never more than a text.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluation.report.content import METRIC, Report
from evaluation.report.plots import difference_plot, recall_plot
from evaluation.report.series import STYLE
from evaluation.report.table import tabulate

_FOLDER = Path(__file__).parent


def to_html(report: Report) -> str:
    """The page. Its policy forbids scripts and requests, should anything have got past escaping."""
    return rendered(
        _FOLDER / "page.html",
        report=report,
        metric=METRIC,
        tabulate=tabulate,
        recall_plot=recall_plot,
        difference_plot=difference_plot,
    )


def rendered(template: Path, **values: Any) -> str:
    """A page of its values by a template, which may extend `base.html`."""
    templates = Environment(
        loader=FileSystemLoader([template.parent, _FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template(template.name).render(style=STYLE, **values)
