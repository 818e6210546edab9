"""`footnote`, for a process that has started it: ends when its standard input does, so that it
never outlives whoever wrote to that, however that one ends.
"""

import os
import signal
import threading

from api.cli import main

_STDIN = 0


def _end_with_the_input() -> None:
    while os.read(_STDIN, 4_096):  # unbuffered: a buffer's lock would be held at the end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    main()
