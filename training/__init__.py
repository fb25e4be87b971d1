"""From a catalog of items to a trained embedding. Needs the extra `pipeline`."""
