"""The reference: a page an indicator, feed, measure and department, from contracts, models and seeds alone."""
