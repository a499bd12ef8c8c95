"""What follows from contracts, indicators and seeds, written into the repository by ``make docs``.

The same input gives the same bytes: no clock, no database, everything sorted. The files are checked in, so that a
change of them can be read; a test fails while they are not current.
"""
