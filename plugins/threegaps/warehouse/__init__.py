"""The warehouse's side of a load: tables, COPY and merge, touches, quarantine."""
