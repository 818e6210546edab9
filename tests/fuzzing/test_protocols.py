"""Anything that is sent to the calls of Ollama's, OpenAI's and Anthropic's protocols is answered in
the protocol's own shape, as the official clients read it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wire.protocol import CALLS
from tests.fuzzing.bodies import BODIES, MODELS
from tests.fuzzing.conftest import Target, fuzzed
from tests.fuzzing.shapes import check_error, check_reply

QUICK = 10  # requests of each call in the test suite
PLAIN = {404, 405}  # of paths and methods that there aren't: words, as from Ollama's router
REFUSED = {400, 403, *PLAIN, 413, 429}
# What an Ollama server answers with 500 or 501, though its client is to blame.
OLLAMAS_OWN = (
    'option "',
    "invalid format: ",
    "pull model manifest: ",
    "unqualified name: ",
    "this server keeps no models",
    " is a knowledge base: ",
    " is built in: ",
    "This server does not support embeddings",
)
TAKING = [(m, path) for path, calls in CALLS.items() for m in calls if m != "HEAD"]
DIGEST = f"sha256:{'0' * 64}"
NAMES = st.sampled_from([*MODELS, DIGEST, "%2e%2e", "a//b", "%00", "a" * 400]) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20
).map(lambda text: "".join(f"%{byte:02x}" for byte in text.encode()))
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(["application/json", "text/plain", "multipart/form-data"]),
        "content-encoding": st.sampled_from(["gzip", "br", "identity"]),
        "authorization": st.sampled_from(["Bearer x", "Basic", ""]),
        "accept": st.sampled_from(["*/*", "text/html", "application/x-ndjson"]),
    },
)


@pytest.mark.parametrize("behind", ["alone", "backed"])
@pytest.mark.parametrize(("method", "path"), TAKING)
def test_whatever_is_sent_the_reply_is_in_shape(
    method: str, path: str, behind: str, request: pytest.FixtureRequest
) -> None:
    target: Target = request.getfixturevalue(behind)

    @fuzzed(QUICK, 2 * len(TAKING))
    @given(body=BODIES, headers=HEADERS, name=NAMES)
    def sent(body: bytes, headers: dict[str, str], name: str) -> None:
        at = path.replace("{digest}", name).replace("{id*}", name)
        content = None if method == "GET" else body
        reply = target.http.request(method, at, content=content, headers=headers)
        target.count(reply.status_code)
        kind = reply.headers.get("content-type", "")
        if reply.is_success:
            check_reply(path, kind, reply.content)
        elif kind == "text/plain":
            assert reply.status_code in PLAIN
        elif reply.status_code < 500:
            assert reply.status_code in REFUSED
            check_error(path, reply.content)
        else:
            assert reply.status_code in (500, 501)
            assert any(one in check_error(path, reply.content) for one in OLLAMAS_OWN)

    sent()
