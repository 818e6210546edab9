from ingest.parsers import parse
from tests.ingest.parsers.builders import headings_of

SOURCE = """\
---
title: "The manual"
tags: x
---
# First #

Text with **bold**.

Second
line
------

```python
# not a heading
```

    # not one either

- item
---

### Third ##
#nospace
"""


def test_text_is_kept_verbatim() -> None:
    assert parse(SOURCE.encode(), "a.md").text == SOURCE.strip()


def test_headings_by_hashes_and_underlines() -> None:
    parsed = parse(SOURCE.encode(), "a.md")
    assert headings_of(parsed) == [(1, "First"), (2, "Second\nline"), (3, "Third")]


def test_title_of_front_matter_or_first_heading() -> None:
    assert parse(SOURCE.encode(), "a.md").title == "The manual"
    assert parse(b"## Low\n# High\n", "a.md").title == "High"
    assert parse(b"words\n", "a.md").title is None


def test_closed_fence_ends_at_one_as_long() -> None:
    parsed = parse(b"````\n```\n# no\n````\n# yes\n~~~\n# never closed", "a.md")
    assert headings_of(parsed) == [(1, "yes")]
