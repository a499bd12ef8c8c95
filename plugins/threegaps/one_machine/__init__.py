"""What only one machine needs that runs everything: an embedded PostgreSQL, a supervisor and its keeper.

A server has its own services (`docker-compose.yml`) and uses none of this.
"""
