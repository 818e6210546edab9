import threading

from structlog.testing import capture_logs

from retrieval.errors import StoreUnavailable
from retrieval.lease import Heart, Lost

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


def test_a_heart_stops_where_nothing_is_left_to_prolong() -> None:
    beats, ended = [], threading.Event()

    def prolong() -> None:
        beats.append(threading.current_thread())
        ended.set()
        raise Lost("gone")

    heart = Heart("test", 0.001, prolong)
    with capture_logs() as logged:
        heart.start()
        assert ended.wait(SOON)
        beats[0].join(SOON)
        heart.stop()
    assert len(beats) == 1
    assert [(one["event"], one["of"], one["error"]) for one in logged] == [
        ("not_prolonged", "test", "gone")
    ]


def test_a_heart_that_never_beat_can_be_stopped() -> None:
    Heart("test", 0.001, threading.Event().set).stop()
