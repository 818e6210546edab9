"""What SQLite assumes of the catalogue's tables when it plans a query.

Without statistics SQLite takes it that ten rows are equal in any index, so it looks for two
hundred chunks by their generation, of which there are all. Counting the rows of this catalogue
(ANALYZE) would help until it grows. What is typical is written instead: plans are then the same
on every machine and at every size.
"""

from sqlalchemy import Connection, text

TYPICAL = {
    # table: {index: rows, then rows that are equal in its first column, its first two, ...}
    "chunks": {
        "sqlite_autoindex_chunks_1": "1000000 1",  # id
        "ix_chunks_document_id": "1000000 20 20",  # document, version
        "ix_chunks_generation_id": "1000000 500000",
        "ix_chunks_text_hash": "1000000 1",
    },
    "document_metadata": {
        "ix_document_metadata_document_id": "200000 5",
        "ix_document_metadata_number": "200000 50000 50",  # key, value
        "ix_document_metadata_text": "200000 50000 50",
    },
    "documents": {
        "sqlite_autoindex_documents_1": "50000 1",  # id
        "sqlite_autoindex_documents_2": "50000 10000 1",  # knowledge base, uri
    },
    "embeddings": {"sqlite_autoindex_embeddings_1": "1000000 500000 1"},  # model, text
    "generations": {
        "sqlite_autoindex_generations_1": "100 1",
        "ix_generations_kb_id": "100 2",
    },
    "jobs": {
        "sqlite_autoindex_jobs_1": "50000 1",
        "ix_jobs_blob": "50000 1",
        "ix_jobs_kb_id": "50000 10000",
        "ix_jobs_state": "50000 5000",
    },
    "pages": {"sqlite_autoindex_pages_1": "500000 10 10 1"},  # document, version, number
    "stretches": {"sqlite_autoindex_stretches_1": "100000 2 2 1"},  # as of pages
    "versions": {
        "sqlite_autoindex_versions_1": "50000 1 1",  # document, version
        "ix_versions_blob": "50000 1",
    },
}


def write(connection: Connection) -> None:
    """Tell the typical numbers to SQLite: to this connection, and to those opened later."""
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # makes the table that holds them
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    connection.execute(
        text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :stat)"),
        [
            {"table": table, "index": index, "stat": stat}
            for table, indexes in TYPICAL.items()
            for index, stat in indexes.items()
        ],
    )
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # reads them
