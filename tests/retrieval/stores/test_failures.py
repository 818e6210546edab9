import pytest

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


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a bug")])
def test_anything_else_passes(error: BaseException) -> None:
    with pytest.raises(type(error)), unavailable_if("The store", "Do this.", OSError):
        raise error
