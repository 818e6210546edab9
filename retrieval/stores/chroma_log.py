"""What Chroma's log keeps of deleted vectors.

Chroma writes a change to a log, `embeddings_queue`, and takes it out when its index has been saved,
a thousand changes later. Until then a deleted vector is a row there, with the id of its document.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

CHROMA_FILE = "chroma.sqlite3"  # where an embedded Chroma keeps all but its index

# A later deletion (operation 3) of the same id in the same collection makes a row void, and so does
# the end of the collection; replaying the deletion of what isn't there does nothing. The deletions
# are gathered once: the log has no index on ids.
_VOID = """
    seq_id IN (
        SELECT earlier.seq_id
        FROM embeddings_queue AS earlier
        JOIN (
            SELECT topic, id, max(seq_id) AS seq_id
            FROM embeddings_queue WHERE operation = 3 GROUP BY topic, id
        ) AS deletion
        ON deletion.topic = earlier.topic AND deletion.id = earlier.id
        WHERE earlier.operation <> 3 AND earlier.seq_id < deletion.seq_id
    )
    OR substr(topic, -36) NOT IN (SELECT id FROM collections)
"""


def forget_deleted(directory: Path) -> int:
    """Overwrite the rows of what was deleted, while no Chroma has the directory open; how many.

    Raises sqlite3.Error.
    """
    path = directory / CHROMA_FILE
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        with connection:
            void = connection.execute(f"DELETE FROM embeddings_queue WHERE {_VOID}").rowcount  # noqa: S608
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return void
