"""How long a client of ours keeps a connection over which nothing is asked."""

from typing import Final

# Seconds: less than the 5 after which uvicorn closes one, on which many a model server runs. As
# long as that, which is httpx's default, some requests would be sent just when it is closed.
KEPT: Final = 2.0
