import pytest

from api.wire.embedding import _is_urgent


@pytest.mark.parametrize(
    ("priority", "urgent"),
    [
        ("u=1", True),
        ("u=0, i", True),
        ("i,u=2;x=1", True),
        ("u=3", False),
        ("u=7", False),
        ("i", False),
        ("", False),
        ("u=8", False),
        ("u=12", False),
        ("xu=1", False),
        ("u=-1", False),
    ],
)
def test_urgency_is_read_as_its_standard_says(priority: str, urgent: bool) -> None:
    assert _is_urgent(priority) is urgent
