"""A search as the interfaces give it: with how it was weighed and why a document is where it is."""

from api.replies import SearchReply
from api.service import Service
from retrieval.search import Query


def explained_search(
    service: Service, name: str, query: Query, *, explain: bool, why: str | None
) -> SearchReply:
    """The hits of a query; `why` names a document by its id or uri. Raises DocumentNotFound."""
    engine = service.engine
    kb = engine.open(name)
    found = engine.searcher.search(kb, query)
    told = None
    if why:
        told = engine.explainer.why(found.kb, query, engine.documents.named(kb, why))
    return SearchReply.of(found, explain=explain, why=told)
