"""All limits on what can be sent, by name, as `/info` lists them."""

from api import body_limit, connections, listeners, requests, uploads
from api.ollama.embedder import MOST_TEXTS
from api.settings import Settings
from ingest import quotas
from retrieval import filters, search


def limits(settings: Settings) -> dict[str, float]:
    """How much of anything is taken. What is beyond is refused, with a message that says so."""
    return {
        "upload_bytes": settings.max_upload_bytes,
        "request_bytes": settings.max_request_bytes,
        "question_bytes": min(settings.max_request_bytes, body_limit.ASKED),
        "head_bytes": connections.HEAD_BYTES,
        "head_seconds": connections.HEAD_SECONDS,
        "body_seconds": body_limit.PATIENCE,
        "body_bytes_per_second": body_limit.PACE,
        "unread_answer_seconds": connections.UNREAD_SECONDS,
        "connections": connections.CONNECTIONS,
        "listeners": listeners.MAX_LISTENERS,
        "documents_per_request": requests.MAX_DOCUMENTS,
        "documents_waiting": quotas.MAX_WAITING,
        "pages": settings.max_pages,
        "characters": settings.max_characters,
        "parse_seconds": settings.parse_seconds,
        "k": search.MAX_K,
        "query_characters": search.MAX_QUERY,
        "history_turns": requests.MAX_TURNS,
        "turn_characters": requests.MAX_TURN,
        "filter_conditions": filters.MAX_CONDITIONS,
        "filter_depth": filters.MAX_DEPTH,
        "metadata_keys": requests.MAX_METADATA,
        "metadata_values": requests.MAX_VALUES,
        "metadata_characters": requests.MAX_VALUE,
        "name_characters": uploads.MAX_NAME,
        "uri_characters": requests.MAX_URI,
        "questions": requests.MAX_QUESTIONS,
        "texts_to_embed": MOST_TEXTS,
    }
