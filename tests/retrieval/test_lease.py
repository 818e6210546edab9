import threading

from retrieval.errors import StoreUnavailable
from retrieval.lease import Heart

SOON = 30.0  # seconds that nothing here takes


def test_a_heart_goes_on_whatever_goes_wrong() -> None:
    wrong = [StoreUnavailable("away"), ArithmeticError("1 isn't 2")]
    well = threading.Event()

    def prolong() -> None:
        if wrong:
            raise wrong.pop()
        well.set()

    heart = Heart("test", 0.001, prolong)
    heart.start()
    heart.start()
    assert well.wait(SOON)
    heart.stop()
    well.clear()
    assert not well.wait(0.05)


def test_a_heart_that_never_beat_can_be_stopped() -> None:
    Heart("test", 0.001, threading.Event().set).stop()
