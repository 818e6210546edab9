"""Runs the migrations on the connection that `retrieval.database` hands over."""

from alembic import context

from retrieval.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
