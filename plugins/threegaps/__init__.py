"""ThreeGaps: from departmental feeds to released indicators of the three gaps."""

__version__ = "0.1.0"
