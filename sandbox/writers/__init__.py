"""One writer for each kind of file or store; what stands in it is the feed's own business."""
