"""Makes the sample documents that are Word or PDF files, and resolves the questions.

    python sample_docs/make.py [--into FOLDER] [--cjk-font FILE]

Made twice from the same sources, a file has the same bytes. The Markdown, text and HTML
documents are written by hand and lie beside this script.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

# So that it runs in a checkout that isn't installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sample_docs.making.blocks import read_source
from sample_docs.making.hyphenation import read_hyphenation
from sample_docs.making.pdf import set_pdf
from sample_docs.making.questions import read_questions, to_jsonl
from sample_docs.making.typography import chinese, english
from sample_docs.making.word import set_docx

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"
CJK_FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
CJK_FONT_PACKAGE = "fonts-wqy-microhei"
WRITTEN_BY_HAND = (".md", ".txt", ".html")
WORD = ("lease-flat-4b", "员工休假管理制度")
ENGLISH_PDF = ("laboratory-safety-protocol",)
CHINESE_PDF = ("海岚H3净水器使用说明书",)


def make_word() -> Iterator[tuple[str, bytes]]:
    """The Word documents, by name."""
    for name in WORD:
        yield f"{name}.docx", set_docx(read_source(SOURCES / f"{name}.source"))


def make_english_pdf() -> Iterator[tuple[str, bytes]]:
    """The English PDFs, by name. They need no font that isn't in every PDF reader."""
    hyphenation = read_hyphenation(SOURCES / "hyphenation.words")
    for name in ENGLISH_PDF:
        source = read_source(SOURCES / f"{name}.source")
        yield f"{name}.pdf", set_pdf(source, english(), hyphenation)


def make_chinese_pdf(font: Path) -> Iterator[tuple[str, bytes]]:
    """The Chinese PDFs, by name, with a subset of the font in them."""
    typography = chinese(font)
    for name in CHINESE_PDF:
        yield f"{name}.pdf", set_pdf(read_source(SOURCES / f"{name}.source"), typography, {})


def read_written() -> Iterator[tuple[str, bytes]]:
    """The documents that are written by hand, by name."""
    for path in sorted(HERE.iterdir()):
        if path.suffix in WRITTEN_BY_HAND:
            yield path.name, path.read_bytes()


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Make the sample documents.")
    parser.add_argument("--into", type=Path, default=HERE, metavar="FOLDER")
    parser.add_argument("--cjk-font", type=Path, default=CJK_FONT, metavar="FILE")
    arguments = parser.parse_args(words)
    if not arguments.cjk_font.is_file():
        parser.error(
            f"there is no font at {arguments.cjk_font}: install the Debian package "
            f"{CJK_FONT_PACKAGE}, or name a TrueType font that has Chinese with --cjk-font"
        )
    made = dict([*make_word(), *make_english_pdf(), *make_chinese_pdf(arguments.cjk_font)])
    questions = to_jsonl(read_questions(SOURCES, {**dict(read_written()), **made}))
    arguments.into.mkdir(parents=True, exist_ok=True)
    for name, data in {**made, "questions.jsonl": questions}.items():
        (arguments.into / name).write_bytes(data)
        print(f"{len(data):>8,}  {arguments.into / name}")


if __name__ == "__main__":
    main()
