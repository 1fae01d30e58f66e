"""Alembic's entry: runs the migrations on the connection that `upgrade` passes in."""

from alembic import context
from sqlmodel import SQLModel

import kammodel.entities  # noqa: F401  fills SQLModel.metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
