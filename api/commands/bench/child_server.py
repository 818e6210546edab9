"""`footnote`, for a process that has started it: ends when its standard input does, so that it
never outlives whoever wrote to that, however that one ends.
"""

import os
import signal
import sys
import threading

from api.cli import main


def _end_with_the_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    main()
