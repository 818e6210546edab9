import subprocess
import sys

import pytest

from ingest.parser_process import TASK, ParseTask, send
from ingest.types import ParseLimits

TEXT = "很长的文件。\n".encode()


@pytest.mark.parametrize("times", [1, 100_000], ids=["what a buffer holds", "more than one holds"])
def test_it_ends_without_a_word_where_nobody_takes_its_reply(times: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "ingest.parser_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with child:
        assert child.stdin and child.stdout and child.stderr
        child.stdout.close()
        send(child.stdin, TASK.dump_json(ParseTask("a.txt", None, ParseLimits())), TEXT * times)
        assert child.stderr.read() == b""
        assert child.wait(30) == 0
