import pytest
from structlog.testing import capture_logs

from retrieval.errors import StoreUnavailable
from retrieval.stores.failures import unavailable_if


class PanicException(BaseException):
    pass


@pytest.mark.parametrize("error", [OSError("no disk."), PanicException("no disk.")])
def test_a_failure_or_a_panic_makes_the_store_unavailable(error: BaseException) -> None:
    with (
        pytest.raises(StoreUnavailable, match=r"^The store failed: no disk\. Do this\.$") as raised,
        unavailable_if("The store", "Do this.", OSError),
    ):
        raise error
    assert raised.value.__cause__ is error


def test_what_clients_are_not_told_stands_in_the_log() -> None:
    with (
        capture_logs() as logged,
        pytest.raises(StoreUnavailable, match=r"^The store failed\. Do this\.$"),
        unavailable_if("The store", "Do this.", OSError, untold="host:1"),
    ):
        raise OSError("host:1 is away.")
    [told] = logged
    assert (told["event"], told["log_level"]) == ("store_failed", "warning")
    assert (told["store"], told["error"]) == ("host:1", "host:1 is away")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a bug")])
def test_anything_else_passes(error: BaseException) -> None:
    with pytest.raises(type(error)), unavailable_if("The store", "Do this.", OSError):
        raise error
